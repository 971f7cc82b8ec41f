"""What a tool call leaves in the session's memory."""

from tokenbudget.gateway.hooks import words
from tokenbudget.gateway.hooks.guards import LARGE_CHARS, command_key, is_whole_read
from tokenbudget.gateway.hooks.payload import response_chars, text
from tokenbudget.gateway.hooks.session_state import (
    MOST_FILES,
    MOST_LARGEST,
    MOST_OUTPUTS,
    MOST_READS,
    MOST_RECENT,
    remember,
)
from tokenbudget.gateway.hooks.small_files import stamp_of
from tokenbudget.gateway.hooks.stored_values import LONGEST_KEY
from tokenbudget.gateway.statusline_values import number, table

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tokenbudget.gateway.hooks.moment import Moment
    from tokenbudget.gateway.hooks.payload import HookEvent

FILE_TOOLS = ("Read", "Edit", "MultiEdit", "Write", "NotebookEdit")
NOTEWORTHY_CHARS = 2_000
"""From here on a result may be named as one of the largest."""
LONGEST_ERROR = 400


def read_key(event: "HookEvent") -> str:
    """Whose window, and which file."""
    return f"{event.agent}\n{event.path}"


def call_begins(moment: "Moment") -> None:
    """Remember how a file is before it is read."""
    event, state = moment.event, moment.state
    if event.tool != "Read" or not event.tool_use or not event.path:
        return
    found = stamp_of(event.path) if is_whole_read(event.input) else None
    if found is not None:
        remember(state.pending, _pending_key(event), list(found), MOST_RECENT)


def call_succeeds(moment: "Moment", is_shortened: bool) -> None:
    """Remember what it gave."""
    event, state = moment.event, moment.state
    given = moment.trimmed.response if is_shortened and moment.trimmed else event.response
    chars = response_chars(given)
    if event.agent:
        before = state.agents.get(event.agent, [0])[0]
        remember(state.agents, event.agent, [before + chars], MOST_RECENT)
    if event.tool == "Read":
        _read(moment, is_shortened)
    if event.command:
        _output(moment, chars)
    if not moment.is_main:
        return
    if event.tool in FILE_TOOLS and 0 < len(event.path) <= LONGEST_KEY:
        others = [path for path in state.files if path != event.path]
        state.files[:] = [*others, event.path][-MOST_FILES:]
    named = label_of(event)
    if state.failure and state.failure[0] == named:
        state.failure = []
    if chars >= NOTEWORTHY_CHARS and not is_shortened:
        _large(state.largest, named + words.OUTPUT if event.command else named, chars)


def call_fails(moment: "Moment") -> None:
    """Remember what is unresolved."""
    event, state = moment.event, moment.state
    state.pending.pop(_pending_key(event), None)
    if not moment.is_main or event.told.get("is_interrupt") is True:
        return
    error = event.told.get("error")
    shown = words.cut(error[:LONGEST_ERROR], words.ERROR_COST) if isinstance(error, str) else ""
    state.failure = [label_of(event), shown]


def label_of(event: "HookEvent") -> str:
    """A call in a few words: data, cut and in one line."""
    if event.command:
        return words.command_label(event.command)
    if event.path:
        return words.tail_of(event.path.rpartition("/")[2])
    return words.cut(event.tool, words.LABEL_COST)


def _pending_key(event: "HookEvent") -> str:
    return f"{event.agent}\n{event.tool_use}"


def _read(moment: "Moment", is_shortened: bool) -> None:
    """A read counts where the whole file was given, and was the same before and after."""
    event, state = moment.event, moment.state
    before = state.pending.pop(_pending_key(event), None)
    response = table({"": event.response}, "")
    if response.get("type") == "file_unchanged":
        state.is_client_guarding = True
        return
    key = read_key(event)
    if not (moment.is_main or event.agent) or not is_whole_read(event.input):
        return  # a part more does not take the whole out of the window
    now = stamp_of(event.path) if before and not is_shortened else None
    if now is None or list(now) != before or not _is_whole(moment):
        state.reads.pop(key, None)
        return
    content = text(table(response, "file"), "content", 1 << 30)
    remember(state.reads, key, [*now, len(content)], MOST_READS)


def _is_whole(moment: "Moment") -> bool:
    response = table({"": moment.event.response}, "")
    file = table(response, "file")
    lines = number(file, "numLines")
    return (
        response.get("type") == "text"
        and isinstance(file.get("content"), str)
        and file.get("startLine") == 1
        and lines is not None
        and lines == file.get("totalLines")
    )


def _output(moment: "Moment", chars: int) -> None:
    """A command that puts out much is remembered until it no longer does."""
    key, outputs = command_key(moment.event), moment.state.outputs
    if chars >= LARGE_CHARS:
        remember(outputs, key, [chars], MOST_OUTPUTS)
    else:
        outputs.pop(key, None)


def _large(largest: list[list[str | int]], label: str, chars: int) -> None:
    """The largest results first; of one label the largest."""
    others = [row for row in largest if row[0] != label]
    before = max((int(row[1]) for row in largest if row[0] == label), default=0)
    found: list[list[str | int]] = [*others, [label, max(chars, before)]]
    found.sort(key=lambda row: -int(row[1]))
    largest[:] = found[:MOST_LARGEST]
