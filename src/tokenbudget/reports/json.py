"""Results as JSON objects: stable names, exact numbers, money as decimal strings.

Formats: `tokenbudget/usage/1`, `…/sessions/1`, `…/session/1`, `…/overview/1`, `…/doctor/1`,
`…/config/1`. A field may be added within a format; a changed meaning raises its number.
"""

from __future__ import annotations

import json

from tokenbudget.metering.cost import format_usd

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from tokenbudget.analysis.usage import Sums, UsageTable


def sums_fields(sums: Sums) -> dict[str, object]:
    """The figures of one group."""
    return {
        "input_tokens": sums.input_tokens,
        "output_tokens": sums.output_tokens,
        "cache_write_5m_tokens": sums.cache_write_5m_tokens,
        "cache_write_1h_tokens": sums.cache_write_1h_tokens,
        "cache_read_tokens": sums.cache_read_tokens,
        "total_tokens": sums.total_tokens,
        "requests": sums.requests,
        "cost_usd": format_usd(sums.cost_usd),
        "unpriced_tokens": sums.unpriced_tokens,
        "web_search_requests": sums.web_search_requests,
        "unpriced_web_search_requests": sums.unpriced_web_searches,
        "unknown_usage_requests": sums.unknown_requests,
        "low_confidence_output_tokens": sums.low_confidence_tokens,
    }


def usage_fields(table: UsageTable) -> dict[str, object]:
    """`rows` and `totals` of a usage table; a row's label is named after its grouping."""
    return {
        "by": list(table.by),
        "rows": [
            {**dict(zip(table.by, labels, strict=True)), **sums_fields(sums)}
            for labels, sums in table.rows
        ],
        "totals": sums_fields(table.totals),
        "unpriced_models": table.unpriced_models,
    }


def document(verb: str, version: int, fields: Mapping[str, object]) -> str:
    """One object with its format, in ASCII: a field a line, and of a list an item a line.

    (`indent` would switch json's C encoder off, at a tenth of a warm command.)
    """
    everything = {"format": f"tokenbudget/{verb}/{version}", **fields}
    lines = [f"{json.dumps(name)}: {_value(value)}" for name, value in everything.items()]
    return "{\n " + ",\n ".join(lines) + "\n}"


def _value(value: object) -> str:
    if isinstance(value, list) and value and isinstance(value[0], dict):
        return "[\n  " + ",\n  ".join(map(json.dumps, value)) + "\n ]"
    return json.dumps(value)
