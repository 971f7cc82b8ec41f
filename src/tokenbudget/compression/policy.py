"""What is shortened at the door: whether a tool's result goes into the window as it is.

Pure: the hooks carry out what is decided here, and a backtest asks the same of recorded sessions.
`policy_rules` says which codecs may touch the results of which tool.
"""

from __future__ import annotations

from typing import NamedTuple

from tokenbudget.compression.handles import handle_of
from tokenbudget.compression.named_tools import is_named
from tokenbudget.compression.passage import BALANCED, COMPRESSED, VERBOSE, Origin, Passage
from tokenbudget.compression.policy_rules import (
    OF_THE_WINDOW,
    codecs_for,
    codecs_for_any,
    is_all_known,
    level_for,
)
from tokenbudget.compression.shortening import shorten
from tokenbudget.compression.window_memory import (
    Forgetful,
    Memory,
    MemoryInWindow,
    Shown,
    compared,
    earlier_texts,
    is_repeated,
)
from tokenbudget.model.plain_text import one_line

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tokenbudget.compression.receipts import Shortened
    from tokenbudget.model.protocols import TokenCounter

__all__ = [
    "TOOLS", "Call", "Forgetful", "Memory", "MemoryInWindow", "Shown", "Wishes", "at_the_door",
    "narrowed", "origin_of",
]  # fmt: skip

MIN_TOKENS = 200
"""What is shorter is left alone: there is little to gain, and it was asked for by name."""
CHARS_PER_TOKEN = 2
"""At least, of what tools give: a text of fewer characters is below the minimum, uncounted."""
LABEL_CHARS = 40
READ = "Read"
TOOLS = ("Bash", READ, "Grep", "Glob", "WebFetch", "mcp__*")
"""Those whose response the client lets a hook replace; results of others go on as they are."""
OURS = ("mcp__tokenbudget__*",)
"""The gateway's: what they give was made fit for the window already, with handles of their own."""
MOST_NARROWED_CHARS = 12_000
"""Of an output that the client itself would cut to its first 2,000 characters: about 3,000 tokens.
Of nine such outputs in recorded sessions five were read whole afterwards, 44,000 characters on
average."""
MOST_ATTEMPTS = 4
LEAST_SAVED_TOKENS, LEAST_LOSSY_TOKENS = 16, 40
LEAST_SAVED_SHARE = 0.05


class Call(NamedTuple):
    """One call of a tool that has been answered."""

    tool: str
    told: Mapping[str, object]
    """What the agent asked for (`tool_input`)."""
    text: str
    """The result as text: of Read the file's content, without the line numbers that the client
    puts before each line; of Bash what the command put out."""
    has_failed: bool = False


class Wishes(NamedTuple):
    """How the person wants results to be treated."""

    level: str = BALANCED
    min_tokens: int = MIN_TOKENS
    allow: tuple[str, ...] = ("*",)
    """Tools whose results may be shortened, by name or a beginning with `*`."""
    deny: tuple[str, ...] = ()
    """Tools whose results never are; it has the last word."""
    is_on: bool = True


def at_the_door(
    call: Call,
    wishes: Wishes,
    memory: Memory,
    counter: TokenCounter,
    handle_for: Callable[[bytes], str] = handle_of,
) -> Shortened | None:
    """What goes into the window in the place of a result; None where the result itself does.

    Either way the memory takes it in. `handle_for` gives the name under which the result is kept:
    whoever calls keeps it under that name before the shortened text goes anywhere.
    """
    if not is_wanted(call.tool, wishes) or len(call.text) < CHARS_PER_TOKEN * wishes.min_tokens:
        return None
    handle = handle_for(call.text.encode("utf-8", "surrogatepass"))
    shortened = _shortened(call, wishes, memory, counter, handle)
    chars = 0 if shortened is not None else len(call.text)
    subject, label = subject_of(call), label_of(call)
    memory.note(Shown(call.tool, subject, label, handle, chars, first_line(call)), call.text)
    return shortened


def narrowed(
    call: Call,
    wishes: Wishes,
    memory: Memory,
    counter: TokenCounter,
    handle_for: Callable[[bytes], str] = handle_of,
) -> Shortened | None:
    """What stands for an output of which the client shows only the beginning; None where that does.

    As hard as need be, so at `verbose` never, and not for whoever repeats the call.
    """
    if not is_wanted(call.tool, wishes) or wishes.level == VERBOSE:
        return None
    handle, subject = handle_for(call.text.encode("utf-8", "surrogatepass")), subject_of(call)
    is_again = is_repeated(memory.shown(), call.tool, subject, handle)
    found = None if is_again else _narrow(call, counter, handle)
    memory.note(Shown(call.tool, subject, label_of(call), handle, 0, first_line(call)), call.text)
    return found


def _narrow(call: Call, counter: TokenCounter, handle: str) -> Shortened | None:
    """The first that is short enough; a codec that keeps too much of this text is passed over."""
    passage = Passage(call.text, origin_of(call), ())
    codecs = codecs_for_any()
    for _ in range(MOST_ATTEMPTS):
        found = shorten(passage, COMPRESSED, counter, handle, codecs)
        if found is None or len(found.text) <= MOST_NARROWED_CHARS:
            return found
        codecs = [one for one in codecs if one.name != found.receipt.codec]
    return None


def _shortened(
    call: Call, wishes: Wishes, memory: Memory, counter: TokenCounter, handle: str
) -> Shortened | None:
    shown, subject = memory.shown(), subject_of(call)
    if is_repeated(shown, call.tool, subject, handle):
        return None
    earlier = earlier_texts(memory, compared(shown, call.tool, subject, handle))
    origin = origin_of(call)
    level = level_for(call.tool, call.text, origin, wishes.level)
    codecs = codecs_for(call.tool, call.told, call.text, origin, level)
    if not codecs:
        return None
    passage = Passage(call.text, origin, earlier)
    found = shorten(passage, level, counter, handle, codecs)
    if found is not None and not _may_refer(found, call.text):
        others = [one for one in codecs if one.name not in OF_THE_WINDOW]
        found = shorten(passage, level, counter, handle, others)
    return found if found is not None and _is_worth_it(found, wishes) else None


def _may_refer(found: Shortened, text: str) -> bool:
    """Whether a reference to what stands above may take the place of lines.

    Where new lines stand between references, an edit whose text goes over such an edge finds it
    nowhere in one piece; so a text is referred to whole or not at all (`docs/trim.md` has the
    figures).
    """
    return found.receipt.codec not in OF_THE_WINDOW or is_all_known(text, found.receipt)


def _is_worth_it(found: Shortened, wishes: Wishes) -> bool:
    """Whether enough is saved: a way back that is taken costs more than a few tokens."""
    before, saved = found.receipt.before_tokens, found.receipt.saved_tokens
    least = LEAST_SAVED_TOKENS if found.receipt.is_lossless else LEAST_LOSSY_TOKENS
    return before >= wishes.min_tokens and saved >= max(least, LEAST_SAVED_SHARE * before)


def is_wanted(tool: str, wishes: Wishes) -> bool:
    """Whether results of this tool may be shortened at all."""
    is_allowed = is_named(tool, wishes.allow) and not is_named(tool, wishes.deny)
    return wishes.is_on and is_allowed and is_named(tool, TOOLS) and not is_named(tool, OURS)


def origin_of(call: Call) -> Origin:
    """Where a result comes from, as a codec wants to know it."""
    path = _told(call, "file_path")
    return Origin(call.tool, _told(call, "command"), path, call.has_failed, first_line(call))


def first_line(call: Call) -> int:
    """The number of a read text's first line; 0 where it has none."""
    if call.tool != READ:
        return 0
    offset = call.told.get("offset")
    is_number = isinstance(offset, int) and not isinstance(offset, bool) and offset > 0
    return offset if is_number else 1  # type: ignore[return-value]


def subject_of(call: Call) -> str:
    """What was asked for, by which the same call is known again; no words of a command."""
    if call.tool == READ:
        return _told(call, "file_path")
    asked = "\n".join(f"{name}={call.told[name]!r}" for name in sorted(call.told))
    return handle_of(asked.encode("utf-8", "surrogatepass"))


def label_of(call: Call) -> str:
    """How the agent finds this result again."""
    if call.tool == READ:
        return f"Read {one_line(_told(call, 'file_path'))[-LABEL_CHARS:]} above"
    return f"{one_line(call.tool)[:LABEL_CHARS]} output above"


def _told(call: Call, name: str) -> str:
    value = call.told.get(name)
    return value if isinstance(value, str) else ""
