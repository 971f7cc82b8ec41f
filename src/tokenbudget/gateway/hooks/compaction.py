"""Around a compaction: what mattered is kept, and what was freed is measured."""

from tokenbudget.gateway.hooks import words
from tokenbudget.gateway.hooks.payload import text
from tokenbudget.gateway.hooks.session_state import (
    MOST_COMPACTIONS,
    MOST_FILES,
    forget_results,
)
from tokenbudget.gateway.hooks.stored_values import LONGEST_KEY, labels
from tokenbudget.gateway.hooks.window import is_lowered

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tokenbudget.gateway.hooks.moment import Moment
    from tokenbudget.gateway.hooks.session_state import SessionState
    from tokenbudget.gateway.hooks.transcript_tail import News


AUTO, LOWERED = "auto", "lowered"
"""Why it came: by itself, when the window was full; or when one was that settings had lowered."""


def begins(moment: "Moment") -> str:
    """Keep what matters, before the window is replaced by a summary; the words for that summary.

    '' where the person has said themselves what it is to keep: ours would be told to them, and
    would stay in the conversation.
    """
    state = moment.state
    state.snapshot = {
        "files": list(state.files),
        "failure": list(state.failure),
        "trigger": _trigger(moment),
    }
    state.compacting = [moment.used or 0]
    said = ""
    if moment.wishes.is_telling and not moment.event.told.get("custom_instructions"):
        label = state.failure[0] if len(state.failure) == 2 else ""
        said = words.to_be_kept(state.files, label, moment.event.cwd)
    forget_results(state)
    return said


def _trigger(moment: "Moment") -> str:
    told = text(moment.event.told, "trigger", 16) or "unknown"
    return LOWERED if told == AUTO and is_lowered(moment.event.cwd) else told


def is_over(state: "SessionState") -> None:
    """Count it where the transcript has not told of it yet."""
    forget_results(state)
    if not state.compacting:
        return
    _count(state, str(state.snapshot.get("trigger", "unknown")), state.compacting[0], 0)
    state.compacting = []
    state.is_boundary_due = True


def told_of(state: "SessionState", news: "News") -> None:
    """Take in what the transcript tells: the compactions, and the window that came after one."""
    for told, before, after in news.compactions:
        forget_results(state)
        trigger = LOWERED if told == AUTO and _began_lowered(state) else told
        state.compacting = []
        if state.is_boundary_due and state.compactions:
            last = state.compactions[-1]
            state.compactions[-1] = [trigger, before or last[1], after or last[2]]
        else:
            _count(state, trigger, before, after)
        state.is_boundary_due = False
    is_unknown = bool(state.compactions) and not state.compactions[-1][2]
    if is_unknown and state.tail.usage and not (state.is_boundary_due or state.compacting):
        state.compactions[-1][2] = sum(state.tail.usage)


def _began_lowered(state: "SessionState") -> bool:
    """Whether the compaction that the transcript tells of began in a window that was lowered."""
    if state.is_boundary_due and state.compactions:
        return state.compactions[-1][0] == LOWERED
    return bool(state.compacting) and state.snapshot.get("trigger") == LOWERED


def _count(state: "SessionState", trigger: str, before: int, after: int) -> None:
    state.compacted += 1
    state.compactions.append([trigger, before, after])
    del state.compactions[:-MOST_COMPACTIONS]


def words_after(state: "SessionState") -> str:
    """What was freed, and what was in use; told once."""
    last: list[str | int] = state.compactions[-1] if state.compactions else ["", 0, 0]
    files = labels(state.snapshot.get("files"), MOST_FILES, LONGEST_KEY)
    failure = labels(state.snapshot.get("failure"), 2)
    state.snapshot = {}
    freed = words.compacted(int(last[1]), int(last[2]))
    kept = words.kept(files, failure if len(failure) == 2 else [])
    return " ".join(part for part in (freed, kept) if part)
