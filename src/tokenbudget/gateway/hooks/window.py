"""How large a session's window is, and what the status line's snapshot knows besides.

The same as `analysis.window_size` decides, as far as it can be known without the ledger.
"""

from tokenbudget.gateway.hooks.small_files import content_of
from tokenbudget.gateway.statusline_values import Table, number, parsed, table
from tokenbudget.metering.windows import MILLION_SUFFIX, own_name, published_window_tokens

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

SNAPSHOT_FORMAT = "tokenbudget/statusline/1"
SNAPSHOTS = "/statusline"
SNAPSHOT_BYTES = 1 << 16

STANDARD_TOKENS = 200_000
LARGE_TOKENS = 1_000_000
SMALLEST_TOKENS = 1_000
UNKNOWN_UNTIL = (
    # Up to which client it does not know these models, and gives them 200,000.
    ((2, 0, 76), ("claude-",)),
    ((2, 1, 270), ("claude-opus-5-5", "claude-sonnet-5-5", "claude-haiku-5-5",
                   "claude-fable-5-2", "claude-mythos-5-2")),
)  # fmt: skip
LARGE_BY_NAME = ("claude-opus-4-6", "claude-sonnet-4-6")
"""Every client gives these 200,000 as well, unless their name asks for more."""

VARIABLE = "CLAUDE_CODE_AUTO_COMPACT_WINDOW"
"""Below `env` of a project's settings it tells the client a window (`resources.history`)."""
LOCAL = "/.claude/settings.local.json"
LOCAL_BYTES = 1 << 20
_MOST_DIGITS = 9


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
    version: "tuple[int, ...]" = (),
) -> int | None:
    """The window; None is not known.

    The person's own figure goes first, then what the collector found, then what is published,
    corrected by what the session has shown: `compacted_at` is how full it was when the client
    compacted it by itself, and not because a smaller window was told to it (`is_lowered`).
    """
    model = model or str(snapshot.get("model") or "")
    given = _own(model, own)
    if given:
        return given
    published = published_window_tokens(model) if model else None
    found = number(snapshot, "window_tokens")
    is_same = snapshot.get("model") in (model, "", None)
    is_unknown = _is_unknown_to(version, model)
    is_guess = is_unknown and found == published  # the collector does not ask which client it is
    if found and found >= max(SMALLEST_TOKENS, largest_tokens) and is_same and not is_guess:
        return int(found)
    if published and (is_unknown or _is_large_by_name(model)):
        published = min(published, STANDARD_TOKENS)
    if published is None or largest_tokens > LARGE_TOKENS:
        return None
    if largest_tokens > published:
        return LARGE_TOKENS
    was_compacted_small = 0 < max(compacted_at, default=0) <= STANDARD_TOKENS
    if was_compacted_small and largest_tokens <= STANDARD_TOKENS < published:
        return STANDARD_TOKENS
    return published


def is_lowered(folder: str) -> bool:
    """Whether the client is told a smaller window than its model's in the project of a folder.

    The controller lends one to have a session compacted, and takes it back only after that: a
    compaction that begins meanwhile says nothing of the model's own window.
    """
    from tokenbudget.gateway.hooks.project_mode import folders_within  # at a compaction alone

    if not folder.startswith("/"):
        return False
    return any(_told_in(here) for here in folders_within(folder.rstrip("/")))


def _told_in(project: str) -> bool:
    data = content_of(project + LOCAL, LOCAL_BYTES)
    if VARIABLE.encode() not in data:
        return False
    value = table(parsed(data), "env").get(VARIABLE)
    if not isinstance(value, str) or not value.isascii() or not value.isdecimal():
        return False
    return len(value) <= _MOST_DIGITS and 0 < int(value) < LARGE_TOKENS


def _is_unknown_to(version: "tuple[int, ...]", model: str) -> bool:
    name = own_name(model)
    if not version or name.endswith(MILLION_SUFFIX):
        return False
    return any(version <= until and name.startswith(models) for until, models in UNKNOWN_UNTIL)


def _is_large_by_name(model: str) -> bool:
    name = own_name(model)
    return name.startswith(LARGE_BY_NAME) and not name.endswith(MILLION_SUFFIX)


def _own(model: str, own: "Mapping[str, object]") -> int | None:
    """The person's own figure: the exact name, then the longest beginning."""
    name = model.lower()
    known = {key.lower(): size for key, size in own.items() if isinstance(size, int) and size > 1}
    if name in known:
        return known[name]
    starts = [key for key in known if key.endswith("*") and name.startswith(key[:-1])]
    return known[max(starts, key=len)] if starts and name else None
