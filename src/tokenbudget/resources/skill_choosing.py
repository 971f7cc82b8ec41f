"""Which parts of a skill stay in its core: by urgency, as far as a budget of tokens reaches."""

from __future__ import annotations

from tokenbudget.resources.skill_judging import ASIDE, MUST
from tokenbudget.resources.skill_parts import (
    BLANK,
    CODE,
    DEFINITION,
    HEADING,
    ITEM,
    PROSE,
    TABLE,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from tokenbudget.resources.skill_judging import Judged
    from tokenbudget.resources.skill_parts import Part

KEPT, LED, MOVED = "kept", "led", "moved"
"""A part stays; its first words stay and all of it moves; it moves."""
LONGEST_UNIT_TOKENS = 200
"""A longer list is shown by the first words of its items, or in part."""
SMALLEST_MOVE_TOKENS = 16
"""What moves alone leaves a mark, and is fetched: less is not worth it."""


def chosen(
    parts: Sequence[Part],
    tokens: Sequence[int],
    urgencies: Sequence[Judged],
    count: Callable[[str], int],
    budget_tokens: int,
) -> list[str]:
    """What becomes of each part; a heading stays where anything below it does."""
    state = [MOVED] * len(parts)
    left = budget_tokens - _keep_musts(parts, tokens, urgencies, state)
    for _, unit, is_lead in _candidates(parts, tokens, urgencies):
        wanted = [at for at in unit if state[at] != KEPT]
        above = {up for at in wanted for up in parts[at].above if state[up] == MOVED}
        cost = sum(tokens[at] for at in above)
        for at in wanted:
            lead = count(urgencies[at].words) + 2 if is_lead or state[at] == LED else 0
            cost += lead if is_lead else tokens[at] - lead
        if wanted and cost <= left:
            left -= cost
            for at in wanted:
                state[at] = LED if is_lead else KEPT
            for up in above:
                state[up] = KEPT
    _tidy(parts, tokens, urgencies, state)
    return state


def _keep_musts(
    parts: Sequence[Part], tokens: Sequence[int], urgencies: Sequence[Judged], state: list[str]
) -> int:
    """Keep what is never moved; the tokens of it."""
    spent = 0
    for index, one in enumerate(urgencies):
        is_title = index <= _first_filled(parts) and parts[index].kind in (HEADING, BLANK)
        if one.whole != MUST and not is_title:
            continue
        for at in (*parts[index].above, index):
            spent += tokens[at] if state[at] == MOVED else 0
            state[at] = KEPT
    return spent


def _first_filled(parts: Sequence[Part]) -> int:
    return next((at for at, part in enumerate(parts) if part.kind != BLANK), 0)


def _candidates(
    parts: Sequence[Part], tokens: Sequence[int], urgencies: Sequence[Judged]
) -> list[tuple[int, range, bool]]:
    """(urgency, parts, whether of their first words alone), the most urgent first, in order."""
    found = []
    for unit in _units(parts, tokens):
        if unit.start == unit.stop - 1 and parts[unit.start].kind in (HEADING, BLANK, DEFINITION):
            continue
        has_words = unit.stop - unit.start == 1 or parts[unit[1]].kind not in (CODE, TABLE)
        urgent = min if has_words else max  # a line that announces code is as urgent as the code
        whole = urgent(urgencies[at].whole for at in unit)
        if whole < ASIDE:
            found.append((whole, unit, False))
        for at in unit:
            one = urgencies[at]
            if one.words and one.lead < min(whole, ASIDE):
                found.append((one.lead, range(at, at + 1), True))

    def order(one: tuple[int, range, bool]) -> tuple[int, int, int, bool]:
        first = one[1].start
        return one[0], len(parts[first].above), first, not one[2]  # what lies deeper is a detail

    return sorted(found, key=order)


def _units(parts: Sequence[Part], tokens: Sequence[int]) -> Iterator[range]:
    """What is kept together: a short list, and words with what they announce."""
    at = 0
    while at < len(parts):
        end = at + 1
        if _announces(parts[at]) and end < len(parts) and parts[end].kind not in (HEADING, BLANK):
            end += 1
        last = end - 1
        while parts[last].kind == ITEM and end < len(parts) and parts[end].kind == ITEM:
            end += 1
        if sum(tokens[at:end]) <= LONGEST_UNIT_TOKENS:
            yield range(at, end)
        else:
            yield from (range(one, one + 1) for one in range(at, end))
        at = end


# ── what belongs together ────────────────────────────────────────────────────────────────────────


def _tidy(
    parts: Sequence[Part], tokens: Sequence[int], urgencies: Sequence[Judged], state: list[str]
) -> None:
    """No words that announce what is not there, no numbers with gaps, no crumbs moved."""
    _follow_announced(parts, urgencies, state)
    _close_gaps(parts, urgencies, state)
    _keep_crumbs(parts, tokens, state)
    _settle_headings(parts, state)


def _announces(part: Part) -> bool:
    return part.kind == PROSE and part.text.rstrip("*_ ").endswith(":")


def _follow_announced(parts: Sequence[Part], urgencies: Sequence[Judged], state: list[str]) -> None:
    """What ends with a colon goes where the next part goes."""
    for at in range(len(parts) - 2, -1, -1):
        below = parts[at + 1]
        if not _announces(parts[at]) or below.kind in (HEADING, BLANK):
            continue
        if state[at + 1] == MOVED and urgencies[at].whole != MUST:
            state[at] = MOVED
        elif state[at + 1] != MOVED:
            state[at] = KEPT


def _close_gaps(parts: Sequence[Part], urgencies: Sequence[Judged], state: list[str]) -> None:
    """Of a list either nothing is there, or of every item at least the first words.

    (Of a long one without first words some may be missing, unless it is numbered.)
    """
    at = 0
    while at < len(parts):
        end = at
        while end < len(parts) and parts[end].kind == ITEM:
            end += 1
        run = range(at, end)
        if any(state[one] != MOVED for one in run):
            for one in run:
                if state[one] == MOVED and urgencies[one].words:
                    state[one] = LED
                elif state[one] == MOVED and parts[one].is_numbered:
                    state[one] = KEPT
        at = max(end, at + 1)


def _keep_crumbs(parts: Sequence[Part], tokens: Sequence[int], state: list[str]) -> None:
    """A few words between what stays, stay."""
    at = 0
    while at < len(parts):
        end = at
        while end < len(parts) and state[end] == MOVED and parts[end].kind != HEADING:
            end += 1
        is_between = at > 0 and state[at - 1] != MOVED
        if end > at and is_between and sum(tokens[at:end]) < SMALLEST_MOVE_TOKENS:
            state[at:end] = [KEPT] * (end - at)
        at = max(end, at + 1)


def _settle_headings(parts: Sequence[Part], state: list[str]) -> None:
    """A heading stays with what is below it, and goes when all of that goes."""
    holds = {
        above
        for index, part in enumerate(parts)
        if part.kind not in (HEADING, BLANK) and state[index] != MOVED
        for above in part.above
    }
    first = _first_filled(parts)
    for index, part in enumerate(parts):
        if part.kind == HEADING:
            state[index] = KEPT if index in holds or index == first else MOVED
