"""The tables of an export as one contract; `docs/export.md` lists them from here.

A row is a tuple in the order of the columns. Its texts have been through the function that the
writer of a format hands in (`Spelling`), once for each name rather than once for each cell.
"""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import TypeAlias

    Batch: TypeAlias = list[tuple[Any, ...]]

Kind = Literal["text", "word", "time", "day", "whole", "flag", "money"]
"""What a cell holds: a hostile text; one of our own words; ISO 8601 with offset; an ISO date; a
whole number; yes or no; a decimal string. What is not known is `Spelling.unknown`."""

UNKNOWN_MARK = "\0"
"""An `unknown` for `RowFormat`, which no finished text holds."""


class Column(NamedTuple):
    """A column and what it says."""

    name: str
    kind: Kind
    meaning: str


class Spelling(NamedTuple):
    """How a format wants what is not a plain number."""

    text: Callable[[str], str]
    """Makes a text of others harmless where it will stand."""
    is_time_in_ms: bool = False
    """Whether times come as milliseconds since 1970 instead of ISO 8601."""
    unknown: str | None = None
    """What stands for a value that is not known."""
    flags: tuple[object, object] = (0, 1)
    """What stands for no and for yes."""


class Table(NamedTuple):
    """A table, and where its rows come from."""

    name: str
    columns: tuple[Column, ...]
    batches: Callable[[Spelling], Iterator[Batch]]
    """Gives the rows in batches; may be asked once."""


_TOKENS = (
    Column("input_tokens", "whole", "input neither read from nor written to the cache"),
    Column("output_tokens", "whole", "output, thinking included"),
    Column("cache_write_5m_tokens", "whole", "written to the cache for five minutes"),
    Column("cache_write_1h_tokens", "whole", "written to the cache for an hour"),
    Column("cache_read_tokens", "whole", "read from the cache"),
    Column("total_tokens", "whole", "the sum of the five"),
)
_MONEY = (
    Column("cost_usd", "money", "in USD, exact; covers what has a price"),
    Column("unpriced_tokens", "whole", "tokens that have no price and are not in `cost_usd`"),
)

REQUESTS = (
    Column("request", "text", "id of the answer, as its provider gave it"),
    Column("attempt", "whole", "0 the answer; 1, 2, ... earlier attempts at it, billed as well"),
    Column("started_at", "time", "when it was asked"),
    Column("session", "text", "the agent's id of the session"),
    Column("project", "text", "folder of the project; empty: not known"),
    Column("agent", "word", "which coding agent"),
    Column("model", "text", "as the agent names it"),
    Column("is_subagent", "flag", "1: a subagent asked"),
    Column("speed", "word", "standard, fast, other speed"),
    Column("service_tier", "word", "standard, batch, other service tier"),
    *_TOKENS,
    *_MONEY,
    Column("thinking_tokens", "whole", "part of the output, where it was reported"),
    Column("web_search_requests", "whole", "searches by the provider"),
    Column("is_final", "flag", "0: the final usage never came, `output_tokens` is too low"),
    Column("skill", "text", "the skill that the agent credits, or empty"),
)
TOOL_CALLS = (
    Column("tool_call", "text", "id of the call, as its provider gave it"),
    Column("request", "text", "the answer that asked for it; NULL: in no transcript"),
    Column("session", "text", "the agent's id of the session"),
    Column("project", "text", "folder of the project; empty: not known"),
    Column("tool", "text", "name of the tool; NULL: in no transcript"),
    Column("mcp_server", "text", "its MCP server, or empty"),
    Column("target", "text", "the file, skill, kind of subagent or address that it is about"),
    Column("called_at", "time", "when it was asked for"),
    Column("answered_at", "time", "when its result came"),
    Column("duration_ms", "whole", "in milliseconds, where the agent said so"),
    Column("input_bytes", "whole", "of the arguments, as JSON"),
    Column("result_bytes", "whole", "of the result, as JSON; NULL: none was seen"),
    Column("is_error", "flag", "1: the result is an error"),
)
SESSIONS = (
    Column("session", "text", "the agent's id of the session"),
    Column("title", "text", "as the agent or its user named it"),
    Column("project", "text", "folder of the project; empty: not known"),
    Column("agent", "word", "which coding agent"),
    Column("git_branch", "text", "the last one seen"),
    Column("version", "text", "the agent's version, the last one seen"),
    Column("folder", "text", "where it was started"),
    Column("first_at", "time", "its first line"),
    Column("last_at", "time", "its last line"),
    Column("requests", "whole", "answers with known usage"),
    Column("unknown_usage_requests", "whole", "answers without"),
    *_TOKENS,
    *_MONEY,
    Column("web_search_requests", "whole", "searches by the provider"),
)
DAILY = (
    Column("day", "day", "in the export's time zone; NULL: no usable time"),
    Column("project", "text", "folder of the project; empty: not known"),
    Column("model", "text", "as the agent names it"),
    Column("requests", "whole", "answers with known usage"),
    Column("unknown_usage_requests", "whole", "answers without"),
    *_TOKENS,
    *_MONEY,
    Column("web_search_requests", "whole", "searches by the provider"),
)
COLUMNS: dict[str, tuple[Column, ...]] = {
    "requests": REQUESTS,
    "tool_calls": TOOL_CALLS,
    "sessions": SESSIONS,
    "daily": DAILY,
}
"""Every table by its name, in the order of an export."""


class RowFormat:
    """Lays rows out as text by one formatting each, the quickest way that Python has.

    Texts and whole numbers stand as they come; words, times, days and money between quotes. What is
    not known comes as `UNKNOWN_MARK` and becomes `null`, without quotes.
    """

    def __init__(
        self, columns: tuple[Column, ...], *, begin: str, end: str, quote: str, null: str,
        is_named: bool = False,
    ) -> None:  # fmt: skip
        """Take what stands around a row; `is_named` puts `"name": ` before each value."""
        cells = []
        for column in columns:
            cell = "%s" if column.kind in ("text", "whole", "flag") else f"{quote}%s{quote}"
            cells.append(f'"{column.name}": {cell}' if is_named else cell)
        self._line = begin.replace("%", "%%") + ", ".join(cells) + end.replace("%", "%%")
        self._quoted_mark = f"{quote}{UNKNOWN_MARK}{quote}"
        self._null = null

    def lines(self, batch: Batch) -> list[str]:
        """The rows of a batch."""
        line, mark, null = self._line, self._quoted_mark, self._null
        return [(line % row).replace(mark, null).replace(UNKNOWN_MARK, null) for row in batch]
