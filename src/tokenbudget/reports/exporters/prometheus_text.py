"""Totals as counters in Prometheus's text format, for a node exporter's `textfile` collector.

A value is whole, or a decimal that is written in full. Labels are escaped as the format says;
before that their controls are spelled out, so that two of them never become one.
"""

from __future__ import annotations

from typing import Protocol

from tokenbudget.metering.cost import format_usd

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from decimal import Decimal

PREFIX = "tokenbudget_"
_LABELS = ("agent", "project", "model")
_KINDS = ("input", "output", "cache_write_5m", "cache_write_1h", "cache_read")
_ESCAPES = str.maketrans({"\\": "\\\\", '"': '\\"', "\n": "\\n"})


class Totals(Protocol):
    """The sums of one group (`analysis.usage.Sums`)."""

    input_tokens: int
    output_tokens: int
    cache_write_5m_tokens: int
    cache_write_1h_tokens: int
    cache_read_tokens: int
    requests: int
    unknown_requests: int
    web_search_requests: int
    unpriced_tokens: int
    cost_usd: Decimal


def prometheus_chunks(
    totals: Mapping[tuple[str, str, str], Totals], made_at_ms: int
) -> Iterator[str]:
    """The file: a family of samples at a time, and when it was made."""
    yield _head("tokens_total", "Tokens by kind, each response counted once.")
    for labels, sums in totals.items():
        for kind in _KINDS:
            count = getattr(sums, f"{kind}_tokens")
            yield _sample("tokens_total", (*labels, kind), str(count), (*_LABELS, "kind"))
    for name, what, field in (
        ("requests_total", "Answered requests with known usage.", "requests"),
        ("unknown_usage_requests_total", "Requests without known usage.", "unknown_requests"),
        ("web_search_requests_total", "Searches by the provider.", "web_search_requests"),
        ("unpriced_tokens_total", "Tokens that have no price.", "unpriced_tokens"),
    ):
        yield _head(name, what)
        for labels, sums in totals.items():
            yield _sample(name, labels, str(getattr(sums, field)))
    yield _head("cost_usd_total", "Cost in USD of what has a price.")
    for labels, sums in totals.items():
        yield _sample("cost_usd_total", labels, format_usd(sums.cost_usd))
    name = f"{PREFIX}export_timestamp_seconds"
    yield f"# HELP {name} When these figures were made.\n# TYPE {name} gauge\n"
    yield f"{name} {made_at_ms // 1000}.{made_at_ms % 1000:03}\n"


def _head(name: str, what: str) -> str:
    return f"# HELP {PREFIX}{name} {what}\n# TYPE {PREFIX}{name} counter\n"


def _sample(
    name: str, values: tuple[str, ...], value: str, labels: tuple[str, ...] = _LABELS
) -> str:
    pairs = (
        f'{label}="{text.translate(_ESCAPES)}"' for label, text in zip(labels, values, strict=True)
    )
    return f"{PREFIX}{name}{{{','.join(pairs)}}} {value}\n"
