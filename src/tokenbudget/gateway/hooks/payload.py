"""One hook event, out of whatever bytes came: bounded, tolerant, never raising."""

from tokenbudget.gateway.statusline_values import Table, is_fit_session, parsed, table

MOST_BYTES = 16 << 20
"""A larger payload is not read at all: nothing that we decide is worth it."""
LONGEST_NAME = 64
LONGEST_PATH = 4_096
LONGEST_COMMAND = 4_096
MOST_PARTS = 2_000
"""Of a tool's response, when its size is taken."""
WRAP_BEGIN, WRAP_MIDDLE, WRAP_END = "{ ", "\n} >|", "; (exit $tokens_code)"
"""What `wrapping` puts around a command; `>|`, for a shell may refuse to write over a file."""
PREVIEW_CHARS = 2_300
"""What of an output reaches the window that the client has put into a file (2.1.329: 2,296)."""


class HookEvent:
    """What one event says, each text '' where it is missing, of another kind or too long."""

    __slots__ = ("agent", "cwd", "input", "name", "response", "session", "told", "tool", "tool_use",
                 "transcript")  # fmt: skip

    def __init__(self, told: Table) -> None:
        self.told = told
        self.name = _name(told, "hook_event_name")
        session = told.get("session_id")
        self.session = str(session) if is_fit_session(session) else ""
        self.agent = _name(told, "agent_id")
        """Of a subagent; '' in the main thread, and everywhere in an old client."""
        self.tool = text(told, "tool_name", 2 * LONGEST_NAME)
        self.tool_use = _name(told, "tool_use_id")
        self.transcript = _path(told, "transcript_path")
        self.cwd = _path(told, "cwd")
        self.input = _as_asked(self.tool, table(told, "tool_input"))
        self.response = told.get("tool_response")

    @property
    def command(self) -> str:
        """Of a shell tool, whole or not at all."""
        return text(self.input, "command", LONGEST_COMMAND) if self.tool == "Bash" else ""

    @property
    def is_as_given(self) -> bool:
        """Whether `input` is what came, word for word: no words of ours were taken off."""
        return self.input is self.told.get("tool_input")

    @property
    def path(self) -> str:
        """The file that a tool reads or writes, whole or not at all."""
        return _path(self.input, "file_path") or _path(self.input, "notebook_path")

    @property
    def is_of_agent(self) -> bool:
        """Whether it says that a subagent did it, in whatever words."""
        return bool(self.told.get("agent_id"))


def _as_asked(tool: str, given: Table) -> Table:
    """The input of a call as the agent gave it: its command may stand in our own words of shell."""
    command = given.get("command")
    if tool != "Bash" or not isinstance(command, str) or not command.startswith(WRAP_BEGIN):
        return given
    if not command.endswith(WRAP_END) or WRAP_MIDDLE not in command:
        return given
    return {**given, "command": command[len(WRAP_BEGIN) : command.index(WRAP_MIDDLE)]}


def event_of(data: bytes) -> HookEvent:
    """The event; one without a name where there is none in these bytes."""
    if len(data) > MOST_BYTES:
        return HookEvent({})
    try:
        return HookEvent(parsed(data))
    except (ValueError, RecursionError, MemoryError):
        return HookEvent({})


def text(told: Table, name: str, most: int) -> str:
    """A text that is not longer than this, else ''."""
    value = told.get(name)
    return value if isinstance(value, str) and len(value) <= most else ""


def _name(told: Table, name: str) -> str:
    """A text that may stand in a file's name and in a key."""
    value = text(told, name, LONGEST_NAME)
    return value if is_fit_session(value) else ""


def _path(told: Table, name: str) -> str:
    value = text(told, name, LONGEST_PATH)
    return value if value.startswith("/") and "\0" not in value else ""


def response_chars(response: object) -> int:
    """How much of a tool's response reaches the window, in characters; as good as it is known."""
    if isinstance(response, dict) and isinstance(response.get("persistedOutputPath"), str):
        return PREVIEW_CHARS
    waiting = [response]
    chars = 0
    for _ in range(MOST_PARTS):
        if not waiting:
            break
        part = waiting.pop()
        if isinstance(part, str):
            chars += len(part)
        elif isinstance(part, list):
            waiting.extend(part[:MOST_PARTS])
        elif isinstance(part, dict):
            waiting.extend(_shown(part))
    return chars


def _shown(part: Table) -> list[object]:
    """What of an object the agent is shown; all of it where that is not known."""
    if part.get("type") in ("image", "pdf"):
        return []  # bytes of another kind: no text
    for known in (("stdout", "stderr"), ("file",), ("content",), ("text",)):
        found = [part[name] for name in known if name in part]
        if found:
            return found
    return list(part.values())[:MOST_PARTS]
