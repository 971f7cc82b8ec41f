"""What a session's state keeps of the texts that stand in a window, thread by thread.

A row: the thread (`''` is the main one), the tool, what was asked for, how the agent finds it
again, the handle of the text, its characters (0: it stands there shortened), its first line's
number. The texts themselves are in the spill.
"""

from tokenbudget.gateway.hooks.guards import is_whole_read, sum_of
from tokenbudget.gateway.hooks.moment import is_in_window
from tokenbudget.gateway.hooks.small_files import stamp_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tokenbudget.gateway.hooks.payload import HookEvent
    from tokenbudget.gateway.hooks.session_state import SessionState
    from tokenbudget.gateway.hooks.trim_question import Trimmed

Row = list[str | int]
MOST_ROWS = 48
ROW_TEXTS, ROW_SIZES = 5, 2
AGENT, TOOL, SUBJECT, LABEL, HANDLE, CHARS, FIRST_LINE = range(7)


def rows_of(event: "HookEvent", state: "SessionState") -> list[Row]:
    """What surely stands in the window of the thread that this event is of, the latest last."""
    if not is_in_window(event, state) or _was_insisted_on(event, state):
        return []
    return [row for row in state.shown if row[AGENT] == event.agent]


def _was_insisted_on(event: "HookEvent", state: "SessionState") -> bool:
    """Whether this read was denied once and is repeated: its whole text is wanted now."""
    if event.tool != "Read" or not event.path or not is_whole_read(event.input):
        return False
    key = f"{event.agent}\n{event.path}\n{stamp_of(event.path)}"
    return sum_of(key) in state.denied_reads


def still_stand(event: "HookEvent", state: "SessionState", used: list[str]) -> bool:
    """Whether what a shortened result refers to is in the window now as well."""
    if not used:
        return True
    whole = {row[HANDLE] for row in state.shown if row[AGENT] == event.agent and row[CHARS]}
    return is_in_window(event, state) and whole.issuperset(used)


def note(event: "HookEvent", state: "SessionState", trimmed: "Trimmed") -> None:
    """Take in what the window holds from now on."""
    row = trimmed.noted
    if not row or not (event.agent or is_in_window(event, state)):
        return
    same = (event.agent, *row[TOOL:CHARS])
    others = [each for each in state.shown if tuple(each[:CHARS]) != same]
    state.shown[:] = [*others, [event.agent, *row[TOOL:]]][-MOST_ROWS:]
