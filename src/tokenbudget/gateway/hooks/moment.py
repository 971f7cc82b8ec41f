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

    Shorten = Callable[[HookEvent], object]
    """What is to take the place of a tool's response, of the same shape; None leaves it alone."""


class Moment:
    """An event, the session's memory, the person's wishes, and the window as it is."""

    __slots__ = ("event", "is_main", "shorten", "size", "snapshot", "state", "used", "wishes")

    def __init__(
        self,
        event: "HookEvent",
        state: "SessionState",
        wishes: "HookWishes",
        snapshot: Table,
        shorten: "Shorten | None",
    ) -> None:
        self.event = event
        self.state = state
        self.wishes = wishes
        self.snapshot = snapshot
        self.shorten = shorten
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
