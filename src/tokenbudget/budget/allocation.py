"""How a window is allotted: so many tokens for each kind of content, together exactly the window.

The standard plan keeps a twentieth in reserve and gives three quarters to the work itself. Shares
are scaled to any window by the largest remainder (Hamilton's method of apportionment), so that
whole tokens always add up.
"""

from __future__ import annotations

from typing import NamedTuple

from tokenbudget.model.errors import BadConfig, BadRequest

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

RESERVED = "reserved"
SYSTEM_PROMPT = "system_prompt"
MODES = "modes"
SYMBOLS = "symbols"
MCP_SERVERS = "mcp_servers"
SKILLS = "skills"
AGENTS = "agents"
CONVERSATION = "conversation"
CONTEXT = "context"
BUFFER = "buffer"

SYSTEM, DYNAMIC, WORKING = "system", "dynamic", "working"

GROUPS = {
    RESERVED: (RESERVED,),
    SYSTEM: (SYSTEM_PROMPT, MODES, SYMBOLS),
    DYNAMIC: (MCP_SERVERS, SKILLS, AGENTS),
    WORKING: (CONVERSATION, CONTEXT, BUFFER),
}
"""Each group with its leaves. The reserve is a leaf and a group of its own."""

LEAVES = tuple(leaf for leaves in GROUPS.values() for leaf in leaves)

_GROUP_OF = {leaf: group for group, leaves in GROUPS.items() for leaf in leaves}

_STANDARD = {
    RESERVED: 10_000,
    SYSTEM_PROMPT: 2_000,
    MODES: 3_000,
    SYMBOLS: 5_000,
    MCP_SERVERS: 15_000,
    SKILLS: 10_000,
    AGENTS: 5_000,
    CONVERSATION: 100_000,
    CONTEXT: 30_000,
    BUFFER: 20_000,
}

STANDARD_SHARES = {leaf: tokens / 200_000 for leaf, tokens in _STANDARD.items()}
"""The plan for a window of 200,000 tokens, as shares of the whole."""

_NEAR = 1e-6  # shares typed by hand may be rounded: 0.333333 three times


class Allocation(NamedTuple):
    """A window and what each leaf may hold of it, in whole tokens that add up to the window."""

    window_tokens: int
    tokens_by_leaf: dict[str, int]
    """In the order of `LEAVES`, every one of them present."""

    def group_tokens(self, group: str) -> int:
        """What the leaves of a group may hold together."""
        return sum(self.tokens_by_leaf[leaf] for leaf in GROUPS[group])


class Excess(NamedTuple):
    """A leaf or a group that holds more than it was allotted."""

    name: str
    is_group: bool
    used_tokens: int
    allotted_tokens: int
    excess_tokens: int
    """Always positive."""


def group_of(leaf: str) -> str:
    """The group that a leaf belongs to.

    Raises:
        BadConfig: there is no such leaf.
    """
    _refuse_unknown([leaf])
    return _GROUP_OF[leaf]


def allocated(window_tokens: int, shares: Mapping[str, float] | None = None) -> Allocation:
    """Divide a window, by the standard plan or by a person's own shares.

    Args:
        window_tokens: Size of the window; 0 is allowed and allots nothing.
        shares: Share by leaf, summing to 1 (or to 100, read as percent); a leaf that is not named
            gets nothing.

    Raises:
        BadConfig: the shares name an unknown leaf, are negative or do not sum to 1 or 100.
        BadRequest: the window is negative.
    """
    if window_tokens < 0:
        raise BadRequest(f"a window of {window_tokens} tokens cannot be; use 0 or more")
    if shares is None:
        weights: Mapping[str, float] = _STANDARD
    else:
        _refuse_shares(shares)
        weights = shares
    return Allocation(window_tokens, _apportioned(window_tokens, weights, LEAVES))


def reallocate(allocation: Allocation, weights: Mapping[str, float]) -> Allocation:
    """Divide everything but the reserve anew, in proportion to `weights`.

    Args:
        allocation: Its window and its reserve stay as they are.
        weights: Any non-negative numbers by leaf, not all 0; a leaf that is not named gets nothing.

    Raises:
        BadConfig: a weight names an unknown leaf or the reserve, is negative, or all are 0.
    """
    _refuse_unknown(weights)
    _refuse_negative(weights)
    if RESERVED in weights:
        raise BadConfig("the reserve is not for sharing; leave 'reserved' out of the weights")
    if not any(weights.values()):
        raise BadConfig("every weight is 0; give at least one leaf a weight above 0")
    reserve = allocation.tokens_by_leaf[RESERVED]
    room = allocation.window_tokens - reserve
    divided = _apportioned(room, weights, LEAVES[1:])
    return Allocation(allocation.window_tokens, {RESERVED: reserve, **divided})


def over_allotted(allocation: Allocation, used_by_leaf: Mapping[str, int]) -> list[Excess]:
    """Every leaf and every group that holds more than its allotment, the largest excess first.

    A group is over when its leaves together are: one leaf may borrow what another leaves free.

    Raises:
        BadConfig: there is no such leaf.
    """
    _refuse_unknown(used_by_leaf)
    found = [
        _excess(leaf, False, used, allocation.tokens_by_leaf[leaf])
        for leaf, used in used_by_leaf.items()
    ]
    for group, leaves in GROUPS.items():
        if len(leaves) > 1:
            used = sum(used_by_leaf.get(leaf, 0) for leaf in leaves)
            found.append(_excess(group, True, used, allocation.group_tokens(group)))
    over = [excess for excess in found if excess.excess_tokens > 0]
    return sorted(over, key=lambda excess: (-excess.excess_tokens, excess.is_group, excess.name))


def _excess(name: str, is_group: bool, used: int, allotted: int) -> Excess:
    return Excess(name, is_group, used, allotted, used - allotted)


def _apportioned(whole: int, weights: Mapping[str, float], leaves: Sequence[str]) -> dict[str, int]:
    """Whole tokens in proportion to the weights; the largest remainders get what is left over.

    Weights are scaled to integers first, so that no rounding of floats can lose or invent a token.
    """
    largest = max(weights.values())
    parts = {leaf: round(weights.get(leaf, 0) / largest * 2**52) for leaf in leaves}
    total = sum(parts.values())
    tokens = {leaf: whole * part // total for leaf, part in parts.items()}
    by_remainder = sorted(leaves, key=lambda leaf: -(whole * parts[leaf] % total))
    for leaf in by_remainder[: whole - sum(tokens.values())]:
        tokens[leaf] += 1
    return tokens


def _refuse_shares(shares: Mapping[str, float]) -> None:
    _refuse_unknown(shares)
    _refuse_negative(shares)
    total = sum(shares.values())
    if not (abs(total - 1) <= _NEAR or abs(total - 100) <= 100 * _NEAR):
        raise BadConfig(f"the shares sum to {total:g}; make them sum to 1, or to 100 percent")


def _refuse_unknown(names: Mapping[str, object] | Sequence[str]) -> None:
    for name in names:
        if name not in _GROUP_OF:
            raise BadConfig(f"'{name}' is no part of a window; use one of {', '.join(LEAVES)}")


def _refuse_negative(numbers: Mapping[str, float]) -> None:
    for name, number in numbers.items():
        if not 0 <= number < float("inf"):
            raise BadConfig(f"{name} = {number} cannot be; use a number of 0 or more")
