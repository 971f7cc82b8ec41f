"""The answer in a sentence or two: what of ours is wired, and what is not."""

from __future__ import annotations

from tokenbudget.model.figures import counted
from tokenbudget.resources.effect import BESIDE, HOOKS, RECALL

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tokenbudget.resources.effect import GatewayWired, Part, Trouble


def answer_of(
    parts: Sequence[Part], troubles: Sequence[Trouble], gateway: GatewayWired | None
) -> str:
    """True of all that is ours: what is not told as wired is not."""
    wired = [part for part in parts if part.is_wired and part.name not in BESIDE]
    if not wired:
        return _only_beside(parts, gateway)
    said = [_blocked(wired, troubles)]
    for state, words in (
        ("effective", "Wired and effective"),
        ("unseen", "Wired, not seen at work yet"),
        ("wired", "Wired"),
    ):
        of_state = [_named(part) for part in wired if part.state == state]
        of_state += [_gateway(gateway)] if gateway and gateway.is_sound and state == "wired" else []
        if of_state:
            said.append(f"{words}: {', '.join(of_state)}.")
    return " ".join(filter(None, [*said, _unsound(gateway)]))


def _only_beside(parts: Sequence[Part], gateway: GatewayWired | None) -> str:
    """Where nothing is wired that has a state: there may be a rule, or the gateway."""
    beside = [_gateway(gateway)] if gateway and gateway.is_sound else []
    beside += [f"the rule for {RECALL}" for part in parts if part.name == RECALL and part.is_wired]
    said = [f"Wired: {', '.join(beside)}."] if beside else []
    said += [_unsound(gateway)] if _unsound(gateway) else []
    else_ = " else" if said else ""
    return " ".join((*said, f"Nothing{else_} of ours is wired into Claude Code yet."))


def _blocked(wired: Sequence[Part], troubles: Sequence[Trouble]) -> str:
    blocking = [one for one in troubles if one.is_blocking]
    if not blocking:
        return ""
    names = _listed(part.name for part in wired if part.state == "broken")
    verb = "do" if names.endswith("s") or " and " in names else "does"
    others = {(one.says, one.do) for one in blocking[1:]} - {(blocking[0].says, blocking[0].do)}
    more = f" (and {len(others)} more below)" if others else ""
    return f"Wired, but {names} {verb} not work: {blocking[0].says}{more}."


def _gateway(gateway: GatewayWired) -> str:
    """The MCP gateway, and what is behind it."""
    count = counted(gateway.servers, "server")
    where = [count] if gateway.is_here else []
    if gateway.elsewhere:
        more = "more project" if gateway.is_here else "other project"
        where.append(f"in {counted(gateway.elsewhere, more)}")
    return f"MCP gateway ({'; '.join(where)})"


def _unsound(gateway: GatewayWired | None) -> str:
    if gateway is None or gateway.is_sound:
        return ""
    if not gateway.is_here and not gateway.elsewhere:
        return "Whether the MCP gateway is wired cannot be told, see below."
    return f"Wired, but not as it should be: {_gateway(gateway)}, see below."


def _named(part: Part) -> str:
    return f"{part.name} ({part.detail})" if part.name == HOOKS else part.name


def _listed(names: Iterator[str]) -> str:
    *first, last = [*names] or [""]
    return f"{', '.join(first)} and {last}" if first else last
