"""`tokens skills` put together: what there is, who uses it, what to change, and doing that."""

from __future__ import annotations

import os

from tokenbudget.app.compacting import place_and_weights, scene_of
from tokenbudget.app.compacting_place import session_shown, spellings
from tokenbudget.app.journal import carry_out
from tokenbudget.model.errors import BadRequest, Refused
from tokenbudget.model.plain_text import one_line
from tokenbudget.resources.agent_settings import said_by
from tokenbudget.resources.agents import Agents
from tokenbudget.resources.no_hands import NoHands
from tokenbudget.resources.skill_inventory import Known, inventory_of
from tokenbudget.resources.skill_matching import Candidate, matched
from tokenbudget.resources.skill_states import SkillsFound, states_of
from tokenbudget.resources.skill_use import Uses
from tokenbudget.resources.skills import Skills

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from tokenbudget.app import Terminal, Workbench
    from tokenbudget.model.actions import ActionRecord, Proposal
    from tokenbudget.model.protocols import Ranker
    from tokenbudget.resources.evidence import Evidence
    from tokenbudget.resources.skill_entry import Entry
    from tokenbudget.resources.skill_matching import Match

CAUSE = "tokens skills"


def skills_found(bench: Workbench, project: str, terminal: Terminal) -> SkillsFound:
    """Look at the skills, commands, agents and plugins that a session in the project would have."""
    scene = scene_of(bench, project, session_shown(bench, project, None), terminal)
    place, weights = place_and_weights(bench, scene)
    evidence = scene.evidence
    rows = bench.ledger.named_uses()
    folders = spellings(project)
    since_ms, until_ms = evidence.since_ms, evidence.until_ms
    known = Known(
        evidence,
        weights,
        Uses(rows.skills, folders, since_ms, until_ms),
        Uses(rows.agents, folders, since_ms, until_ms),
        "" if scene.facts is None else _listing_sent(bench, scene.facts.session),
    )
    inventory = inventory_of(place, said_by(place), known)
    proposed: list[Proposal] = []
    for kind in (Skills, Agents):
        finder = kind(place, evidence, weights, NoHands())
        proposed += finder.plan(finder.inventory())
    states = states_of(place, inventory, evidence, weights, proposed)
    notes = [*inventory.notes, *_client_notes(evidence)]
    return SkillsFound(project, inventory, states, evidence, tuple(notes), known.skills.counts())


def _listing_sent(bench: Workbench, session: str) -> str:
    """The lines of skills that a session was sent, if its transcript is still there."""
    from tokenbudget.sources.claude_code.bodies import attachment_text

    place = bench.ledger.skill_listing_of(session)
    line = None if place is None else bench.bodies.line(*place)
    return (attachment_text(line) or "") if line is not None else ""


def _client_notes(evidence: Evidence) -> list[str]:
    """What the client in use cannot be told."""
    features = evidence.features
    if features.takes_skill_overrides:
        return []
    return [
        f"Claude Code {evidence.client_version} knows neither skillOverrides nor rules against"
        " agents; there only a plugin as a whole can be switched off"
    ]


def ranked_for(
    found: SkillsFound, task: str | Sequence[str], ranker: Ranker | None = None
) -> list[Match]:
    """The skills and commands that the agent could load now, the best for the task first."""
    candidates = [
        Candidate(one.name, one.definition.about)
        for one in found.inventory.entries
        if is_loadable(one)
    ]
    return matched(task, candidates, found.past_uses, ranker)


def is_loadable(one: Entry) -> bool:
    """Whether the agent, or a person, can call it now."""
    return one.definition.kind != "agent" and one.state not in ("off", "hidden", "broken")


def entry_named(found: SkillsFound, name: str) -> Entry:
    """The skill, command or agent of this name; one that is told before one that is hidden.

    Raises:
        BadRequest: none is named so, or several are.
    """
    entries = found.inventory.entries
    exact = [
        one for one in entries if name in (one.name, one_line(one.name)) and one.state != "hidden"
    ]
    bare = [one for one in entries if one.name.rpartition(":")[2] == name]
    meant = exact or [one for one in bare if one.state != "hidden"] or bare
    kinds = {(one.definition.kind, one.name) for one in meant}
    if len(kinds) == 1:
        return meant[0]
    if not meant:
        raise BadRequest(f"no skill, command or agent is named '{name}'; tokens skills lists them")
    raise BadRequest(f"'{name}' may be {' or '.join(sorted(full for _, full in kinds))}; name one")


def chosen_of(found: SkillsFound, named: Sequence[str]) -> list[Proposal]:
    """The proposals that are meant: those of these names or ids, else all that are chosen.

    Raises:
        BadRequest: for one of the names nothing is proposed.
        Refused: what is proposed for it only a person can do.
    """
    if not named:
        return list(found.states.chosen)
    proposals = {one.proposal.id: one.proposal for one in found.states.wanted.values()}
    meant: dict[str, Proposal] = {}
    for name in named:
        one = proposals.get(name) or next(
            (p for id, p in proposals.items() if id.partition("/")[2] == name), None
        )
        if one is None:
            raise BadRequest(f"nothing is proposed for '{name}'; tokens skills shows what is")
        if not one.steps:
            raise Refused(f"'{name}' cannot be changed from here; use {one.command}")
        meant[one.id] = one
    return list(meant.values())


def applied(bench: Workbench, found: SkillsFound, proposals: Sequence[Proposal]) -> ActionRecord:
    """Carry them out through the journal, so that `tokens undo` takes them back.

    Raises:
        LedgerUnusable: the journal cannot be written; nothing was changed.
        Refused: another command is changing files.
    """
    from tokenbudget.resources.steps import Workshop
    from tokenbudget.system.kept import Kept
    from tokenbudget.system.trash import Trash

    project = os.path.realpath(found.project)
    data_dir, clock = bench.settings.data_dir, bench.clock
    workshop = Workshop(Trash(data_dir, clock), Kept(data_dir), [project], clock, cause=CAUSE)
    return carry_out(bench, workshop, CAUSE, project, proposals)
