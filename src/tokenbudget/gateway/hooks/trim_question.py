"""Whether a tool's result is worth a look before it goes into the window, and what is asked then.

Cheap, for it comes with every call: what is small, unknown or not wanted ends here, and nothing is
imported for it.
"""

from tokenbudget.compression.named_tools import is_named
from tokenbudget.gateway.hooks.hook_settings import HookWishes, wishes_in
from tokenbudget.gateway.hooks.moment import is_new
from tokenbudget.gateway.hooks.payload import HookEvent, event_of
from tokenbudget.gateway.hooks.project_mode import mode_of_project
from tokenbudget.gateway.hooks.put_away import text_put_away
from tokenbudget.gateway.hooks.responses import MCP, text_of
from tokenbudget.gateway.hooks.session_state import peeked
from tokenbudget.gateway.hooks.stored_values import label, labels, rows
from tokenbudget.gateway.hooks.window_rows import MOST_ROWS, ROW_SIZES, ROW_TEXTS, rows_of
from tokenbudget.gateway.statusline_values import Table, number, parsed, written

FORMAT = "tokenbudget/trim/1"
MOST_CHARS = 1 << 21
"""A longer text would not be shortened in time; a client lets none of that length through."""
CHARS_PER_TOKEN = 2
"""As `compression.policy` has it."""


class Question:
    """A result, and all that the decision about it may know."""

    __slots__ = ("event", "home", "level", "payload", "rows", "text", "wishes")

    def __init__(
        self, event: HookEvent, payload: bytes, text: str, home: str, wishes: HookWishes,
        level: str, shown: "list[list[str | int]]",
    ) -> None:  # fmt: skip
        self.event = event
        self.payload = payload
        self.text = text
        self.home = home
        self.wishes = wishes
        self.level = level
        self.rows = shown
        """Of what stands in this thread's window, as the session's state has it."""

    def header(self) -> bytes:
        """What goes to another process beside the payload."""
        told: Table = {
            "format": FORMAT,
            "home": self.home,
            "level": self.level,
            "min_tokens": self.wishes.trim_min_tokens,
            "rows": self.rows,
        }
        return written(told).encode()


class Trimmed:
    """What is decided about a result."""

    __slots__ = ("beside", "codec", "fault", "noted", "response", "saved_tokens", "used")

    def __init__(self, told: Table) -> None:
        self.response = told.get("response")
        """What takes the response's place; None leaves it."""
        beside = told.get("beside")
        self.beside = beside if isinstance(beside, str) else ""
        """Words that go beside it, where its shape has no room for them."""
        noted = rows([told.get("noted")], 1, ROW_TEXTS, ROW_SIZES)
        self.noted = noted[0] if noted else []
        """What the window holds from now on, as a row; empty is nothing."""
        self.used = labels(told.get("used"), MOST_ROWS)
        """Handles of earlier texts that it refers to: they have to stand there still."""
        self.codec = label(told.get("codec"))
        self.saved_tokens = int(number(told, "saved_tokens") or 0)
        self.fault = label(told.get("fault"))
        """What went wrong; the response is left then."""

    def fields(self) -> Table:
        """As JSON."""
        return {name: getattr(self, name) for name in self.__slots__}


NOTHING = Trimmed({})


def question_for(event: HookEvent, payload: bytes, home: str) -> "Question | None":
    """What is to be asked about this event; None where its result goes on as it is."""
    if event.name != "PostToolUse":
        return None
    text = _whole_text(event)
    if text is None or len(text) > MOST_CHARS:
        return None
    wishes = wishes_in(home)
    is_wanted = is_named(event.tool, wishes.trim_allow) and not is_named(
        event.tool, wishes.trim_deny
    )
    if not (wishes.is_trimming and is_wanted):
        return None
    if len(text) < CHARS_PER_TOKEN * wishes.trim_min_tokens:
        return None
    state = peeked(home, event.session)
    if not (is_new(event, state) or event.tool.startswith(MCP)):
        return None  # the client would not take it
    level = mode_of_project(event.cwd, wishes.mode)
    return Question(event, payload, text, home, wishes, level, rows_of(event, state))


def question_from(header: bytes, payload: bytes) -> "Question | None":
    """The question that another process asked; None where it is none."""
    told = parsed(header)
    event = event_of(payload)
    text = _whole_text(event)
    if told.get("format") != FORMAT or text is None:
        return None
    wishes = HookWishes({"trim_min_tokens": told.get("min_tokens")})
    shown = rows(told.get("rows"), MOST_ROWS, ROW_TEXTS, ROW_SIZES)
    home, level = str(told.get("home", "")), str(told.get("level", ""))
    return Question(event, payload, text, home, wishes, level, shown)


def _whole_text(event: HookEvent) -> "str | None":
    """The text of a result, wherever the client has it."""
    text = text_of(event.tool, event.response)
    return text_put_away(event) if text is None else text
