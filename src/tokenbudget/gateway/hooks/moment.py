"""One event with all that is known when it comes."""

from tokenbudget.gateway.hooks import window
from tokenbudget.gateway.hooks.guards import version_of
from tokenbudget.gateway.hooks.transcript_tail import NAMES_SUBAGENTS_FROM
from tokenbudget.gateway.statusline_values import Table

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from tokenbudget.gateway.hooks.hook_settings import HookWishes
    from tokenbudget.gateway.hooks.payload import HookEvent
    from tokenbudget.gateway.hooks.session_state import SessionState
    from tokenbudget.gateway.hooks.trim_question import Question, Trimmed

    Shorten = Callable[[Question], Trimmed]
    """Decides about a result that is worth a look."""


class Moment:
    """An event, the session's memory, the person's wishes, and the window as it is."""

    __slots__ = (
        "event",
        "home",
        "is_main",
        "size",
        "snapshot",
        "state",
        "trimmed",
        "used",
        "wishes",
    )

    def __init__(
        self,
        event: "HookEvent",
        state: "SessionState",
        wishes: "HookWishes",
        snapshot: Table,
        trimmed: "Trimmed | None",
        home: str,
    ) -> None:
        self.event = event
        self.state = state
        self.wishes = wishes
        self.snapshot = snapshot
        self.trimmed = trimmed
        self.home = home
        self.used = state.tail.tokens
        self.size = window.window_tokens(
            state.tail.model,
            wishes.windows,
            snapshot,
            state.largest_tokens,
            [int(row[1]) for row in state.compactions if row[0] == "auto"],
            version_of(state.tail.version),
        )
        self.is_main = is_of_main_thread(event, state)

    @property
    def share(self) -> float | None:
        """How full the window is; None is not known."""
        return self.used / self.size if self.used and self.size else None

    @property
    def cost_usd(self) -> float | None:
        """What the session has cost, when the collector looked last."""
        text = self.snapshot.get("cost_usd")
        is_plain = isinstance(text, str) and len(text) < 24 and text.isascii()
        digits = str(text).replace(".", "", 1)
        return float(str(text)) if is_plain and digits.isdecimal() else None


REPLACES_FROM = (2, 1)
"""From here on a client takes another response for any tool (seen: 2.1.197, 2.1.329); 2.0.76 does
for those of MCP servers."""
AGENT_CHARS = 200_000
"""What a subagent's calls may have given it while it surely has not been compacted: 50,000 tokens,
a quarter of the smallest window."""


def is_in_window(event: "HookEvent", state: "SessionState") -> bool:
    """Whether what this event's thread was shown is surely still there."""
    if is_of_main_thread(event, state):
        return state.tail.is_continued
    given = state.agents.get(event.agent) if event.agent else None
    return given is not None and given[0] <= AGENT_CHARS


def is_new(event: "HookEvent", state: "SessionState") -> bool:
    """Whether the client is none of the old ones.

    Before the transcript tells, it is known by its `prompt_id` (2.1.270 and 2.1.329 have it, 2.0.76
    does not).
    """
    version = version_of(state.tail.version)
    return version >= REPLACES_FROM if version else "prompt_id" in event.told


def is_of_main_thread(event: "HookEvent", state: "SessionState") -> bool:
    """Whether the main thread surely did this.

    An old client does not say which subagent calls a tool: there the call has to stand in the
    main thread's transcript. A new one may write that later than it asks: until it tells its
    version, it is known by its `prompt_id` (2.1.270 and 2.1.329 have it, 2.0.76 does not).
    """
    if event.is_of_agent:
        return False
    version = version_of(state.tail.version)
    is_new = version >= NAMES_SUBAGENTS_FROM if version else "prompt_id" in event.told
    if not event.tool or is_new:
        return True
    return bool(event.tool_use) and event.tool_use in state.tail.uses
