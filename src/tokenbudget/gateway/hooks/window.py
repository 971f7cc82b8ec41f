"""How large a session's window is, and what the status line's snapshot knows besides.

The same as `analysis.window_size` decides, as far as it can be known without the ledger.
"""

from tokenbudget.gateway.hooks.small_files import content_of
from tokenbudget.gateway.statusline_values import Table, number, parsed
from tokenbudget.metering.windows import published_window_tokens

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

SNAPSHOT_FORMAT = "tokenbudget/statusline/1"
SNAPSHOTS = "/statusline"
SNAPSHOT_BYTES = 1 << 16

STANDARD_TOKENS = 200_000
LARGE_TOKENS = 1_000_000
SMALLEST_TOKENS = 1_000


def snapshot_of(home: str, session: str) -> Table:
    """The collector's snapshot of the session; empty where there is none."""
    told = parsed(content_of(f"{home}{SNAPSHOTS}/{session}.json", SNAPSHOT_BYTES))
    is_ours = told.get("format") == SNAPSHOT_FORMAT and told.get("session") == session
    return told if is_ours else {}


def window_tokens(
    model: str,
    own: "Mapping[str, object]",
    snapshot: Table,
    largest_tokens: int,
    compacted_at: "Sequence[int]",
) -> int | None:
    """The window; None is not known.

    The person's own figure goes first, then what the collector found, then what is published,
    corrected by what the session has shown: `compacted_at` is how full it was when the client
    compacted it by itself.
    """
    model = model or str(snapshot.get("model") or "")
    given = _own(model, own)
    if given:
        return given
    found = number(snapshot, "window_tokens")
    is_same = snapshot.get("model") in (model, "", None)
    if found and found >= SMALLEST_TOKENS and found >= largest_tokens and is_same:
        return int(found)
    published = published_window_tokens(model) if model else None
    if published is None or largest_tokens > LARGE_TOKENS:
        return None
    if largest_tokens > published:
        return LARGE_TOKENS
    was_compacted_small = 0 < max(compacted_at, default=0) <= STANDARD_TOKENS
    if was_compacted_small and largest_tokens <= STANDARD_TOKENS < published:
        return STANDARD_TOKENS
    return published


def _own(model: str, own: "Mapping[str, object]") -> int | None:
    """The person's own figure: the exact name, then the longest beginning."""
    name = model.lower()
    known = {key.lower(): size for key, size in own.items() if isinstance(size, int) and size > 1}
    if name in known:
        return known[name]
    starts = [key for key in known if key.endswith("*") and name.startswith(key[:-1])]
    return known[max(starts, key=len)] if starts and name else None
