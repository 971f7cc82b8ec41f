"""What could leave a session's window, and the changes that would make it leave.

The resources of `tokens compact` propose; here each proposal becomes something that the controller
can weigh (`Held`), and is kept for when it is to be done. Every change is in the project's own
`.claude/settings.local.json`, or moves a file of the project to the trash: never on the level of
the person, and each can be taken back.
"""

from __future__ import annotations

import os
from typing import NamedTuple

from tokenbudget.analysis.compact_plan import with_joined_edits
from tokenbudget.analysis.window_pieces import CONTEXT_FILES, MCP_TOOLS, MESSAGES
from tokenbudget.app.compacting import Scene, looked, place_and_weights
from tokenbudget.app.control_advice import advice_for
from tokenbudget.app.control_history import (
    conversation_of,
    files_in_use,
    neighbours,
    with_rereads,
)
from tokenbudget.app.observations import TOOL_RESULTS
from tokenbudget.gateway.hooks.project_mode import mode_of_project
from tokenbudget.model.actions import EditSettings, TrashFile
from tokenbudget.model.control import (
    HISTORY,
    LEVERS,
    MEMORY,
    RESERVE,
    SCRATCH,
    SERVERS,
    SKILLS,
    Held,
)
from tokenbudget.resources.evidence import server_key
from tokenbudget.resources.git_index import tracked_in
from tokenbudget.resources.history import History, lent_values, restoring
from tokenbudget.resources.kind import Place, typable
from tokenbudget.resources.live_servers import LiveServers
from tokenbudget.resources.memory_files import MemoryFiles
from tokenbudget.resources.no_hands import NoHands
from tokenbudget.resources.reserve import Reserve, window_told
from tokenbudget.resources.scratch import Scratch
from tokenbudget.resources.skills import Skills
from tokenbudget.resources.tuning import Flow, Terseness, Trimming

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tokenbudget.analysis.session_window import SessionWindow
    from tokenbudget.app import Workbench
    from tokenbudget.app.compacting import Look
    from tokenbudget.gateway.hooks.hook_settings import HookWishes
    from tokenbudget.ledger.session_signals import Call
    from tokenbudget.model.actions import Item, Proposal
    from tokenbudget.optimizer.working_set import FileInUse
    from tokenbudget.resources.git_index import Tracked

JUDGED_REQUESTS = 10
"""A session must have come so far before that it never called a server says anything."""
LOOKED_AHEAD_REQUESTS = 20.0
"""Where nobody knows how many are still to come."""
INSTRUCTIONS = "instructions"
"""How `analysis.composition` names them among what a server takes."""
MOST_ACTIONS = 100
"""Of the journal, so many are looked at for what was lent."""


class Ground(NamedTuple):
    """What is known of a session when its window is looked through."""

    scene: Scene
    """With its facts and its window."""
    requests: int
    expected_requests: float | None
    calls: Sequence[Call]
    """Since the window last became another one."""
    asked_at_ms: Sequence[int]
    """When the last requests began, oldest first."""
    wishes: HookWishes
    """What our hooks go by where the project says nothing."""
    is_hooked: bool
    """Whether our hooks hear of the session."""
    has_tool_search: bool | None
    """Whether names of tools are sent instead of schemas."""
    told_tokens: int | None
    """The window that the person's settings have the client go by; None for the model's own."""
    now_ms: int
    has_neighbours: bool = False
    """Whether other live sessions read the same settings."""


class Offer(NamedTuple):
    """Something that could leave the window, and how."""

    held: Held
    proposal: Proposal | None
    """None: only a person can do it."""


def offers_of(bench: Workbench, ground: Ground) -> tuple[Offer, ...]:
    """Everything that could leave the session's window now, as the disk and the ledger show it."""
    facts, window = ground.scene.facts, ground.scene.window
    if facts is None or window is None or window.total_tokens is None:
        return ()
    place, weights = place_and_weights(bench, ground.scene)
    beside = neighbours(bench, facts, place.project, ground.now_ms)
    ground = ground._replace(has_neighbours=bool(beside))
    evidence, hands = ground.scene.evidence, NoHands()
    found = looked([kind(place, evidence, weights, hands) for kind in
                    (LiveServers, MemoryFiles, Skills, Scratch)])  # fmt: skip
    files = files_in_use(window, ground.calls, ground.asked_at_ms)
    talk = conversation_of(bench, facts, window, place.project, files, ground.now_ms)
    tuned = looked(
        [
            History(place, evidence, weights, hands, talk),
            Reserve(place, evidence, weights, hands, ground.told_tokens, window.size.tokens),
            Trimming(place, evidence, weights, hands, _flow(place, window, ground)),
            Terseness(place, evidence, weights, hands, _flow(place, window, ground)),
        ]
    )
    offers = [*_offers(found, window, ground), *_offers(tuned, window, ground)]
    tracked = tracked_in(place.project)
    offers = [_with_git(_with_rereads(one, files, place), tracked) for one in offers]
    advice = [Offer(one, None) for one in advice_for(window, bench.book, ground.now_ms)]
    return (*offers, *advice)


def held_of(offers: Iterable[Offer]) -> tuple[Held, ...]:
    """What is weighed."""
    return tuple(one.held for one in offers)


def proposals_for(offers: Iterable[Offer], ids: Sequence[str]) -> list[Proposal]:
    """What carrying these out takes, each settings file changed once; what cannot be is left out.

    Whoever carries them out looks again: a file that changed since stays as it is.
    """
    wanted = set(ids)
    meant = [one.proposal for one in offers if one.held.id in wanted and one.proposal is not None]
    return with_joined_edits(meant)


def restore_steps(bench: Workbench, project: str) -> list[Proposal]:
    """The next step of giving back what was lent to have a history compacted; [] for none.

    First the setting is emptied, which a running client takes up; only then, seconds later, may it
    be taken away: done at once, the client would go on with what it was told (`resources.history`).
    """
    place = _place(bench, project)
    found = restoring(place, _lent(bench, place))
    return [] if found is None else [found]


def told_window(bench: Workbench, project: str) -> int | None:
    """The window that the person's settings have the client go by; None for the model's own."""
    place = _place(bench, project)
    return window_told(place, _lent(bench, place))


def _place(bench: Workbench, project: str) -> Place:
    settings = bench.settings
    return Place(os.path.realpath(project), settings.claude_dirs, settings.home_dir, bench.clock)


def _lent(bench: Workbench, place: Place) -> frozenset[str]:
    """What we have written into the project's settings to have a history compacted."""
    actions = bench.ledger.journal.actions(MOST_ACTIONS, place.project)
    return lent_values(actions, place.local_settings)


# ── from a proposal to what is weighed ───────────────────────────────────────────────────────────


def _offers(look: Look, window: SessionWindow, ground: Ground) -> list[Offer]:
    by_id = {typable(item.resource, item.name): item for item in look.items}
    return [
        _offer(one, by_id.get(one.id), window, ground)
        for one in look.proposals
        if one.resource in LEVERS and one.freed.tokens != 0
    ]


def _offer(proposal: Proposal, item: Item | None, window: SessionWindow, ground: Ground) -> Offer:
    tokens = _freed_tokens(proposal, item, window)
    can_be = _can_be_done(proposal, ground)
    used = window.total_tokens or 0
    is_history = proposal.resource == HISTORY
    talk_tokens = _talk_tokens(window) if is_history else 0
    held = Held(
        id=proposal.id,
        lever=proposal.resource,
        title=proposal.title,
        reason=proposal.reason,
        tokens=tokens,
        error_tokens=proposal.freed.error_tokens,
        last_used_ms=None if item is None else item.last_used_ms,
        uses=None if item is None else item.uses,
        is_essential=_is_used(proposal, item, window, ground.calls),
        is_reversible=can_be,
        kept_tokens=max(0, used - tokens) if proposal.resource in _AT_THE_HEAD else 0,
        replacement_tokens=max(0, talk_tokens - tokens) if is_history else 0,
        production_input_tokens=used if is_history else 0,
        production_output_tokens=max(0, talk_tokens - tokens) if is_history else 0,
    )
    if proposal.resource == SERVERS and ground.has_tool_search is not False:
        proposal = proposal._replace(effect="next compaction")
    return Offer(held, proposal if can_be else None)


def _freed_tokens(proposal: Proposal, item: Item | None, window: SessionWindow) -> int:
    """As proposed; of a server whose tools are denied the instructions stay."""
    tokens = proposal.freed.tokens or 0
    if proposal.resource != SERVERS or item is None:
        return tokens
    shown = [
        child.tokens
        for part in window.components
        if part.key == MCP_TOOLS
        for server in part.items
        if server_key(server.name) == server_key(item.name)
        for child in server.children
        if child.name == INSTRUCTIONS
    ]
    return max(0, tokens - sum(shown))


_AT_THE_HEAD = (SERVERS, SKILLS, MEMORY, SCRATCH)
"""They stand before the conversation: what follows is written anew when they leave."""


def _can_be_done(proposal: Proposal, ground: Ground) -> bool:
    """Whether the controller may do it: sure, in the project's own settings or into the trash."""
    steps = proposal.steps
    is_ours = all(isinstance(step, EditSettings | TrashFile) for step in steps)
    if not steps or not is_ours:
        return False
    if proposal.resource == SERVERS:
        # A running client takes the rule up at once: it would cost a neighbour its warm cache.
        is_judged = proposal.is_chosen or ground.requests >= JUDGED_REQUESTS
        return is_judged and not ground.has_neighbours
    return proposal.is_chosen or proposal.resource in (HISTORY, RESERVE)


def _is_used(
    proposal: Proposal, item: Item | None, window: SessionWindow, calls: Sequence[Call]
) -> bool:
    """Whether this very session has used it."""
    if item is None:
        return False
    if proposal.resource == SERVERS:
        return server_key(item.name) in map(server_key, window.called_servers)
    if proposal.resource == SKILLS:
        return any(one.tool == "Skill" and one.target == item.name for one in calls)
    return False


def _with_rereads(offer: Offer, files: Sequence[FileInUse], place: Place) -> Offer:
    """What a compaction takes with it and would be read again belongs to its price."""
    if offer.held.lever != HISTORY:
        return offer
    return offer._replace(held=with_rereads(offer.held, files, place.name_of))


def _with_git(offer: Offer, tracked: Tracked) -> Offer:
    """Settings that git tracks are left to the person: a change of ours could be committed."""
    steps = () if offer.proposal is None or tracked.is_unknown else offer.proposal.steps
    if not any(isinstance(step, EditSettings) and tracked.has(step.path) for step in steps):
        return offer
    reason = f"{offer.held.reason}; git tracks the project's settings.local.json"
    return Offer(offer.held._replace(is_reversible=False, reason=reason), None)


def _talk_tokens(window: SessionWindow) -> int:
    return sum(part.tokens for part in window.components if part.key in (MESSAGES, CONTEXT_FILES))


def _flow(place: Place, window: SessionWindow, ground: Ground) -> Flow:
    """What results of tools add to the window, on the average of those that are in it."""
    results = sum(
        item.tokens
        for part in window.components
        if part.key in (MESSAGES, CONTEXT_FILES)
        for item in part.items
        if part.key == CONTEXT_FILES or item.name == TOOL_RESULTS
    )
    ahead = LOOKED_AHEAD_REQUESTS if ground.expected_requests is None else ground.expected_requests
    return Flow(
        mode_of_project(place.project, ground.wishes.mode),
        results / max(1, ground.requests),
        ahead,
        ground.is_hooked,
        ground.wishes.is_trimming,
    )
