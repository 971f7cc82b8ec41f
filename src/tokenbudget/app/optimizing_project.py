"""What every request of a project carries without need, as the resources that know it propose."""

from __future__ import annotations

from typing import NamedTuple

from tokenbudget.analysis.drains.drain import Drain
from tokenbudget.analysis.drains.project_drains import (
    PROJECT_DRAINS,
    Pace,
    drain_of_proposal,
    weekly_price,
)
from tokenbudget.analysis.drains.ranking import ids_of
from tokenbudget.analysis.findings import Evidence, Finding, Fix, Price
from tokenbudget.app.compacting import Scene, looked, resources_for, scene_of
from tokenbudget.app.compacting_place import project_meant, session_shown
from tokenbudget.app.optimizing_listing import KIND, LISTING_ID, joined, words_of
from tokenbudget.model.errors import Refused, TokenBudgetError
from tokenbudget.resources.evidence import FEWEST_SESSIONS
from tokenbudget.resources.kind import counted
from tokenbudget.resources.no_hands import NoHands

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from tokenbudget.analysis.findings import Confidence, FixKind
    from tokenbudget.app import Terminal, Workbench
    from tokenbudget.model.actions import Proposal
    from tokenbudget.resources.evidence import Evidence as Used

_DRAINS = {drain.id: drain for drain in PROJECT_DRAINS}
TITLES = {
    KIND: "{} were not used in {sessions}",
    "mcp-servers": "the MCP server {} was not called in {sessions}",
    "skills": "the skill {} was not used in {sessions}",
    "agents": "the agent {} was not used in {sessions}",
    "memory-files/long": "{} is very long",
    "memory-files/twice": "{} says what is sent already",
    "memory-files/repeated": "{} repeats what is sent already",
}
UNKNOWN = Price(0, 0, None, None)
"""Of what no window shows: it is told, and ranked last."""


class Looked(NamedTuple):
    """What was found in some projects."""

    findings: list[Finding]
    proposals: dict[str, Proposal]
    """By the finding's id; of those that can be applied."""
    rules: dict[str, tuple[Proposal, ...]]
    """By project: rules that keep made folders from being read."""
    notes: list[str]


def looked_at(
    bench: Workbench, terminal: Terminal, projects: Sequence[str], ruled: Collection[str]
) -> Looked:
    """Look at each of these projects; one that cannot be looked at has no findings of its own.

    `ruled` are those whose folders are walked for rules as well, which takes longer.
    """
    found = Looked([], {}, {}, [])
    for project in projects:
        try:
            folder = project_meant(bench.settings, project)
            proposals, scene = _proposals(bench, terminal, folder, project in ruled)
        except (TokenBudgetError, OSError) as wrong:
            if len(projects) == 1 and not isinstance(wrong, Refused):  # home is no project
                found.notes.append(f"the files of {project} were not looked at: {wrong}")
            continue
        if not scene.evidence.sessions:
            continue  # nobody pays for what stands there
        pace = _pace(bench, scene)
        found.rules[project] = tuple(one for one in proposals if one.resource == "ignore-rules")
        for one in joined(proposals):
            if not drain_of_proposal(one):
                continue
            finding = _finding(one, project, pace, scene.evidence)
            found.findings.append(finding)
            if one.steps:
                found.proposals[finding.id] = one
    return found


def _proposals(
    bench: Workbench, terminal: Terminal, folder: str, is_ruled: bool
) -> tuple[tuple[Proposal, ...], Scene]:
    facts = session_shown(bench, folder, None)
    scene = scene_of(bench, folder, facts, terminal)
    skipped = {"scratch"} if is_ruled else {"scratch", "ignore-rules"}
    finders = [one for one in resources_for(bench, scene, NoHands()) if one.name not in skipped]
    return looked(finders).proposals, scene


def _pace(bench: Workbench, scene: Scene) -> Pace:
    evidence = scene.evidence
    rate = bench.book.rate(
        scene.model, bench.clock.now_ms(), speed="standard", service_tier="standard", bucket=0
    )
    return Pace(
        evidence.requests_per_week,
        evidence.sessions / evidence.weeks,
        evidence.sessions,
        evidence.days,
        None if rate is None else rate.cache_read,
        None if rate is None else rate.cache_write_5m,
    )


def _finding(one: Proposal, project: str, pace: Pace, used: Used) -> Finding:
    drain = _DRAINS[drain_of_proposal(one)]
    kind, subject = _subject(one)
    identity = ids_of([(drain.id, project, one.id)])[drain.id, project, one.id]
    price = weekly_price(one, pace)
    confidence, reason = _confidence(one, price, pace)
    return Finding(
        id=identity,
        drain=drain.id,
        title=_title(one, kind, subject, used.sessions),
        subject=subject,
        project=project,
        times=used.requests,
        sessions=used.sessions,
        evidence=(Evidence("", "", 0, 0, one.reason),),
        window_tokens=one.freed.tokens or 0,
        weekly=UNKNOWN if price is None else price,
        alternative=drain.alternative,
        tip=drain.tip,
        confidence=confidence,
        confidence_reason=reason,
        fix=_fix(one, identity, drain, subject),
    )


def _subject(one: Proposal) -> tuple[str, str]:
    """(kind as in TITLES, name as a person calls it) of a proposal's id."""
    if one.id == LISTING_ID:
        return KIND, words_of(one)
    for kind in TITLES:
        if one.id.startswith(f"{kind}/"):
            return kind, one.id[len(kind) + 1 :]
    return one.resource, one.id.partition("/")[2]


def _title(one: Proposal, kind: str, subject: str, sessions: int) -> str:
    said = TITLES.get(kind, "{}").replace("{sessions}", counted(sessions, "session"))
    said = said.replace("{}", subject)
    return said if one.freed.tokens is not None else f"{said}; what it weighs is not known"


def _confidence(one: Proposal, price: Price | None, pace: Pace) -> tuple[Confidence, str]:
    seen = f"{pace.sessions:,} sessions of the last {pace.days} days"
    if price is None:
        return "low", f"no window shows its weight; {seen}"
    doubt = f"its weight is known to ±{one.freed.error_tokens:,} tokens"
    is_text = one.resource == "memory-files"  # what it says can be read, however few use it
    if pace.sessions < FEWEST_SESSIONS and not is_text:
        return "low", f"only {seen}; {doubt}"
    is_sure = one.is_chosen or is_text
    return ("high" if is_sure else "medium"), f"{seen}; {doubt}"


def _fix(one: Proposal, identity: str, drain: Drain, subject: str) -> Fix:
    if one.steps:
        return Fix("apply", one.title, f"tokens optimize --apply {identity}", "tokens undo", one.id)
    is_typed = one.command.startswith(("/", "claude "))
    kind: FixKind = "command" if is_typed else "advice"
    text = one.title if is_typed or not one.command else one.command
    text = text or drain.fix.replace("{subject}", subject)
    return Fix(kind, text, one.command if is_typed else "", "", "")
