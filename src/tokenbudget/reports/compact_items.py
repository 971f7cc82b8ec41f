"""What a cleanup proposes of one kind, as text: a mark, what it frees, when, why, and its id."""

from __future__ import annotations

from tokenbudget.analysis.compact_plan import DISK_ONLY, total
from tokenbudget.model.actions import Weight
from tokenbudget.model.figures import cut, padded, wrapped
from tokenbudget.model.plain_text import one_line
from tokenbudget.reports.compact_words import TITLES, freed_words, size_words, weekly_words

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from tokenbudget.analysis.compact_plan import CompactPlan, KindWeight
    from tokenbudget.model.actions import Proposal
    from tokenbudget.model.figures import Style

FOLDED_FROM = 4
"""So many proposals in the same words are shown as one."""
_WIDE_FROM = 80
"""From this width on a title and its amount stand beside each other."""
_LEAD = 6
"""Columns before a proposal's title: its mark."""


def kinds_of(proposals: Sequence[Proposal]) -> list[str]:
    """The kinds, what frees most first."""
    found = dict.fromkeys(one.resource for one in proposals)

    def gain(kind: str) -> tuple[int, int]:
        sums = total(one for one in proposals if one.resource == kind)
        return -(sums.weight.tokens or 0), -sums.freed_bytes

    return sorted(found, key=gain)


def kind_lines(
    plan: CompactPlan, kind: str, width: int, style: Style, *, is_whole: bool
) -> list[str]:
    """A kind, what stands there of it, and each proposal; `is_whole` folds nothing."""
    proposals = [one for one in plan.proposals if one.resource == kind]
    proposals.sort(key=lambda one: (-(one.freed.tokens or 0), -one.freed_bytes, one.id))
    title = TITLES.get(kind, one_line(kind))
    there = plan.kinds.get(kind)
    lines = [style.bold(cut(f"{title}{_there(there)}", width, keeps_start=True))]
    for alike in _alike(plan, proposals):
        if len(alike) < FOLDED_FROM or is_whole:
            for one in alike:
                lines += _proposal_lines(plan, one, width, style)
        else:
            lines += _folded_lines(plan, alike, width, style)
    return lines


def _there(there: KindWeight | None) -> str:
    if there is None or not there.items:
        return ""
    sent = f", ~{there.tokens:,} tokens in every request" if there.tokens else ""
    unknown = f", {there.unknown} of unknown weight" if there.unknown else ""
    return f" ({there.items:,} found{sent}{unknown}, {size_words(there.size_bytes)})"


def _alike(plan: CompactPlan, proposals: Sequence[Proposal]) -> list[list[Proposal]]:
    """Those of which the same is said but for their names, what frees most first."""
    found: dict[object, list[Proposal]] = {}
    for one in proposals:
        words = (_unnamed(one, one.title), _unnamed(one, one.reason))
        key = (*words, one.effect, one.id in plan.chosen, bool(one.steps))
        found.setdefault(key, []).append(one)
    return list(found.values())


def _unnamed(one: Proposal, text: str) -> str:
    name = _name(one)
    return text.replace(name, "…") if len(name) > 1 else text


def _name(one: Proposal) -> str:
    return one.id.removeprefix(f"{one.resource}/")


def _folded_lines(
    plan: CompactPlan, alike: Sequence[Proposal], width: int, style: Style
) -> list[str]:
    """Many proposals as one: what they come to, and each by its name with what it frees."""
    first = alike[0]
    whole = total(alike)
    freed = whole.weight if not whole.unknown else Weight(None)
    said = first._replace(
        title=f"{len(alike)} times: {_unnamed(first, first.title)}",
        reason=_unnamed(first, first.reason),
        freed=freed,
        freed_bytes=whole.freed_bytes,
        command=_unnamed(first, first.command),
    )
    lines = _headed_proposal(plan, said, first, width)
    names = [f"{one_line(_name(one))}{_each(one)}" for one in alike]
    weekly = weekly_words(plan, said)
    ids = f"id {one_line(first.resource)}/… with: {', '.join(names)}"
    parts = [one_line(said.reason), weekly, _typed(said), ids]
    return lines + _faint_lines(parts, width, style)


def _each(one: Proposal) -> str:
    return "" if one.freed.tokens is None or one.effect == DISK_ONLY else f" ~{one.freed.tokens:,}"


def _proposal_lines(plan: CompactPlan, one: Proposal, width: int, style: Style) -> list[str]:
    said = [one_line(one.reason), weekly_words(plan, one), f"id {one_line(one.id)}", _typed(one)]
    return _headed_proposal(plan, one, one, width) + _faint_lines(said, width, style)


def _typed(one: Proposal) -> str:
    return f"type: {one_line(one.command)}" if one.command else ""


def _headed_proposal(plan: CompactPlan, said: Proposal, one: Proposal, width: int) -> list[str]:
    """Mark, title and amount; `one` is whose mark it is."""
    mark = "[x]" if one.id in plan.chosen else "[ ]" if one.steps else " > "
    amount = freed_words(said)
    is_wide = width >= _WIDE_FROM
    room = width - _LEAD - (len(amount) + 2 if is_wide else 0)
    first, *rest = wrapped(one_line(said.title), room)
    lines = [f"  {mark} {padded(first, room)}  {amount}" if is_wide else f"  {mark} {first}"]
    rest += [] if is_wide else wrapped(amount, room)
    return lines + [f"{'':{_LEAD}}{line}" for line in rest]


def _faint_lines(said: Sequence[str], width: int, style: Style) -> list[str]:
    words = " · ".join(filter(None, said))
    return [" " * _LEAD + style.faint(line) for line in wrapped(words, width - _LEAD)]
