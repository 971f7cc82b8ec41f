"""Which proposals are meant, and what they come to: pure sums over what the resources propose."""

from __future__ import annotations

from typing import NamedTuple, get_args

from tokenbudget.model.actions import EditSettings, Effect, Weight
from tokenbudget.model.errors import BadRequest

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence
    from decimal import Decimal

    from tokenbudget.analysis.cache_state import CacheState
    from tokenbudget.analysis.first_requests import Proof
    from tokenbudget.analysis.session_window import SessionWindow
    from tokenbudget.ledger.inspection import SessionRow
    from tokenbudget.model.actions import (
        ActionRecord,
        Basis,
        Item,
        Proposal,
        SettingEdit,
        Step,
    )

KINDS = (
    "mcp-servers", "memory-files", "skills", "agents", "ignore-rules", "scratch", "sessions",
)  # fmt: skip
EFFECTS: tuple[Effect, ...] = get_args(Effect)
DISK_ONLY: Effect = "disk only"
NAMES_SHOWN = 5
SUMMARY_TOKENS = (5_000, 20_000)
"""What a compaction leaves where no own one tells: a summary, without and with the files that the
client attaches again. (5,014 and 18,101 in a real one of a window of 998,659 tokens.)"""
_BASES: tuple[Basis, ...] = ("exact", "calibrated", "estimated", "unknown")


class Total(NamedTuple):
    """What several proposals come to."""

    proposals: int
    weight: Weight
    """Of those whose weight is known."""
    unknown: int
    """How many others there are."""
    freed_bytes: int


class KindWeight(NamedTuple):
    """What of one kind stands in a project."""

    kind: str
    items: int
    tokens: int
    """In every request, of those whose weight is known."""
    unknown: int
    size_bytes: int


class Talk(NamedTuple):
    """The running conversation, and what the agent's own command would do to it."""

    command: str
    """What the person types."""
    freed: Weight
    """Of the window, once: the conversation less a summary of it."""
    cache: CacheState


class PastAction(NamedTuple):
    """Something that was done here before, and what came of it."""

    id: int
    at_ms: int
    proof: Proof | None
    """None until a session has begun since."""


class CompactPlan(NamedTuple):
    """Everything that `tokens compact` says before it does anything."""

    project: str
    facts: SessionRow | None
    """The session whose window is shown; None where none was begun here."""
    window: SessionWindow | None
    level: str | None
    """Of the window's health."""
    proposals: tuple[Proposal, ...]
    chosen: frozenset[str]
    kinds: Mapping[str, KindWeight]
    sent_tokens: int
    """Of everything that was found, in every request, as far as it is known."""
    talk: Talk | None
    weekly_requests: float | None
    """The project's pace; None where there is no evidence."""
    model: str
    """Whose price is taken; '' is not known."""
    read_usd: Decimal | None
    """Per million tokens read from the cache; None is not known."""
    past: PastAction | None
    """The last time."""
    notes: tuple[str, ...]

    @property
    def meant(self) -> list[Proposal]:
        """The proposals that are to be done."""
        return [one for one in self.proposals if one.id in self.chosen]

    @property
    def joined(self) -> list[Proposal]:
        """The same with one step for each settings file."""
        return with_joined_edits(self.meant)


class Receipt(NamedTuple):
    """What was done, and what was found when it was looked at afterwards."""

    action: ActionRecord
    before: Mapping[str, KindWeight]
    after: Mapping[str, KindWeight]
    sent_tokens: tuple[int, int]
    """Of everything that was found, in every request, before and after."""
    faults: tuple[str, ...]
    """What failed, or is not as it should be; a sentence each."""


class Wish(NamedTuple):
    """What a person wants of a plan; without any wish, what it chooses itself."""

    only: tuple[str, ...] = ()
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()


def chosen_ids(proposals: Sequence[Proposal], wish: Wish) -> frozenset[str]:
    """The ids of what is to be done: chosen by itself or by the person, and not ruled out.

    Raises:
        BadRequest: the wish names what is not there, or what only a person can do.
    """
    for kind in wish.only:
        if kind not in KINDS:
            raise BadRequest(f"there is no kind '{kind}'; write one of {', '.join(KINDS)}")
    included = {one.id for one in proposals for id_ in wish.include if _is_meant(one, id_)}
    excluded = {one.id for one in proposals for id_ in wish.exclude if _is_meant(one, id_)}
    ids = {one.id for one in proposals}
    for id_ in (*wish.include, *wish.exclude):
        if not any(_is_meant(one, id_) for one in proposals):
            raise BadRequest(f"there is no proposal '{id_}'{_there_is(id_, ids)}")
    for one in proposals:
        if one.id in wish.include and not one.steps:
            raise BadRequest(f"'{one.id}' is an advice; do it yourself: {one.command or one.title}")
    return frozenset(
        one.id
        for one in proposals
        if one.steps
        and (one.is_chosen or one.id in included)
        and (not wish.only or one.resource in wish.only or one.id in included)
        and one.id not in excluded
    )


def with_joined_edits(proposals: Sequence[Proposal]) -> list[Proposal]:
    """The proposals with all edits of one settings file in the first step that changes it.

    So the file is written, kept and taken back once, however many edits there are: it may hold
    secrets, and thirty copies of it are thirty too many.
    """
    edits: dict[str, list[SettingEdit]] = {}
    for step in (step for one in proposals for step in one.steps):
        if isinstance(step, EditSettings):
            edits.setdefault(step.path, []).extend(step.edits)

    def joined(step: Step) -> list[Step]:
        if not isinstance(step, EditSettings):
            return [step]
        found = edits.pop(step.path, None)
        return [EditSettings(step.path, tuple(found))] if found else []

    return [
        one._replace(steps=tuple(new for step in one.steps for new in joined(step)))
        for one in proposals
    ]


def _is_meant(proposal: Proposal, wanted: str) -> bool:
    """By its id, or by its kind."""
    return wanted in (proposal.id, proposal.resource)


def _there_is(wanted: str, ids: Collection[str]) -> str:
    """What could have been meant: what looks like it, else some of what there is."""
    from difflib import get_close_matches

    names = sorted({*ids, *(id_.partition("/")[0] for id_ in ids)})
    name_alone = wanted.rpartition("/")[2]
    alike = [name for name in names if name_alone and name_alone in name]
    alike = alike or get_close_matches(wanted, names, NAMES_SHOWN) or sorted(ids)
    some = ", ".join(alike[:NAMES_SHOWN])
    more = ", …" if len(names) > NAMES_SHOWN else ""
    return f" (there is: {some}{more})" if names else "; there is none at all"


def total(proposals: Iterable[Proposal]) -> Total:
    """The sum of what they free. Errors add up: the same counting is wrong in the same way."""
    found = list(proposals)
    known = [one.freed for one in found if one.freed.tokens is not None]
    bases = [_BASES.index(weight.basis) for weight in known]
    weight = Weight(
        sum(weight.tokens or 0 for weight in known),
        sum(weight.error_tokens for weight in known),
        _BASES[max(bases, default=0)],
    )
    freed = sum(one.freed_bytes for one in found)
    return Total(len(found), weight, len(found) - len(known), freed)


def totals_by_effect(proposals: Sequence[Proposal]) -> dict[Effect, Total]:
    """The sums by when they take effect; only what there is."""
    by_effect = {effect: [p for p in proposals if p.effect == effect] for effect in EFFECTS}
    return {effect: total(found) for effect, found in by_effect.items() if found}


def kind_weights(items: Iterable[Item]) -> dict[str, KindWeight]:
    """What stands there, by kind."""
    found: dict[str, KindWeight] = {}
    for item in items:
        one = found.get(item.resource, KindWeight(item.resource, 0, 0, 0, 0))
        is_unknown = item.weight.tokens is None
        found[item.resource] = KindWeight(
            one.kind,
            one.items + 1,
            one.tokens + (item.weight.tokens or 0),
            one.unknown + is_unknown,
            one.size_bytes + item.size_bytes,
        )
    return found


def conversation_freed(conversation_tokens: int, summaries: Sequence[int]) -> Weight:
    """What a compaction would free of a conversation.

    Args:
        conversation_tokens: Of the window, what belongs to the conversation.
        summaries: What earlier compactions left, as the client reported it.
    """
    low, high = SUMMARY_TOKENS
    if summaries:
        ordered = sorted(summaries)
        low, high = ordered[len(ordered) // 4], ordered[-(len(ordered) // 4) - 1]
    middle = (low + high) // 2
    freed = max(0, conversation_tokens - middle)
    return Weight(freed, min(freed, (high - low + 1) // 2), "estimated")
