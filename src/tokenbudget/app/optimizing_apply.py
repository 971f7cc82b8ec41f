"""`tokens optimize --apply`: which findings are meant, what would change, and doing it."""

from __future__ import annotations

import os
from decimal import Decimal

from tokenbudget.analysis.drains.found import Application, Done
from tokenbudget.analysis.drains.project_drains import PROJECT_DRAINS
from tokenbudget.analysis.drains.ranking import price_sum
from tokenbudget.app.compacting_place import project_meant
from tokenbudget.app.compacting_proof import FIX_CAUSE
from tokenbudget.app.journal import carry_out
from tokenbudget.app.optimizing_scope import files_of, local_day, use_in
from tokenbudget.ledger.applied_fixes import FixRow
from tokenbudget.model.errors import BadRequest, LedgerUnusable, Refused
from tokenbudget.resources.instruction_lines import RESOURCE, line_proposal
from tokenbudget.resources.looking import real

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from tokenbudget.analysis.drains.found import Findings, LineCost
    from tokenbudget.analysis.findings import Finding, Price
    from tokenbudget.app import Workbench
    from tokenbudget.app.studies import Studied
    from tokenbudget.model.actions import Proposal

MICRO = 1_000_000
LONGEST_SHOWN = 100
_IN_REQUESTS = frozenset(drain.id for drain in PROJECT_DRAINS)


def finding_named(found: Findings, wanted: str) -> Finding:
    """The finding of an id, or of its beginning where only one has it, or of its place (`3`).

    Raises:
        BadRequest: none is meant, or several are.
    """
    exact = [one for one in found.rows if one.id == wanted]
    if exact:
        return exact[0]
    if wanted.isdecimal() and len(wanted) < 6 and 0 < int(wanted) <= len(found.rows):
        return found.rows[int(wanted) - 1]
    several = [one for one in found.rows if wanted and one.id.startswith(wanted)]
    several = several or [one for one in found.rows if one.id.partition("/")[2] == wanted]
    if len(several) == 1:
        return several[0]
    if several:
        named = ", ".join(one.id for one in several[:3])
        raise BadRequest(f"'{wanted}' may be {named} and more; write one of them whole")
    raise BadRequest(
        f"there is no finding '{wanted[:LONGEST_SHOWN]}' here; tokens optimize lists them (--since"
        " WHEN looks further back)"
    )


def applications_of(found: Findings, wanted: Sequence[str]) -> list[Application]:
    """What applying these findings means; several that one change is the fix of are one.

    Raises:
        BadRequest: one is not there.
        Refused: one is nothing that can be done safely by a program.
    """
    chosen: dict[tuple[str, str], Application] = {}
    for name in wanted:
        finding = finding_named(found, name)
        proposal = found.proposals.get(finding.id)
        if proposal is None:
            raise Refused(_why_not(finding))
        chosen.setdefault((finding.project, proposal.id), _application(found, finding, proposal))
    return list(chosen.values())


def _why_not(finding: Finding) -> str:
    fix = finding.fix
    if fix.kind == "command":
        return f"{finding.id} is for you to do: {fix.text}; type {fix.command}"
    return f"{finding.id} is advice, which no program can follow for you: {fix.text}"


def _application(found: Findings, finding: Finding, proposal: Proposal) -> Application:
    is_habit = proposal.resource == RESOURCE
    meant = [
        one
        for one in found.rows
        if one.drain == finding.drain
        and one.project == finding.project
        and (is_habit or one.subject == finding.subject)
    ]
    subject = "" if is_habit else finding.subject
    line = found.lines.get(finding.id) if is_habit else None
    predicted = _less(price_sum([one.weekly for one in meant]), line)
    return Application(finding, proposal, subject, predicted, len(meant), line)


def _less(gross: Price, line: LineCost | None) -> Price:
    """What is left of a saving when the line's own tokens are paid, at the drain's mean price."""
    if line is None or not gross.tokens:
        return gross
    left = gross.tokens - line.weekly_tokens
    usd = None if gross.usd is None else gross.usd * left / gross.tokens
    return gross._replace(tokens=left, usd=usd)


def applied(bench: Workbench, studied: Studied, found: Findings, application: Application) -> Done:
    """Do it through the journal, and write down what was foretold.

    Raises:
        LedgerUnusable: the journal cannot be written; nothing was changed.
        Refused: another command is changing files, or the folder is no project.
    """
    from tokenbudget.resources.steps import Workshop
    from tokenbudget.system.kept import Kept
    from tokenbudget.system.trash import Trash

    project = os.path.realpath(project_meant(bench.settings, application.finding.project))
    cause = f"{FIX_CAUSE} {application.finding.id}"
    data_dir, clock = bench.settings.data_dir, bench.clock
    trash = Trash(data_dir, clock)
    workshop = Workshop(trash, Kept(data_dir), [project], clock, cause=cause)
    proposal = _as_it_is_now(application)
    action = carry_out(bench, workshop, cause, project, [proposal])
    done = Done(application, action)
    if any(one.outcome.state == "done" for one in action.steps):
        _write_down(bench, studied, found, done)
    return done


def _as_it_is_now(application: Application) -> Proposal:
    """The proposal for the file as it is: another fix of this command may just have changed it."""
    if application.proposal.resource != RESOURCE:
        return application.proposal
    finding = application.finding
    return line_proposal(real(finding.project), finding.drain) or application.proposal


def _write_down(bench: Workbench, studied: Studied, found: Findings, done: Done) -> None:
    """What was foretold; where it cannot be kept, the change is still in the journal."""
    one = done.application
    finding, predicted = one.finding, one.predicted
    files = files_of(studied.files, finding.project)
    _, requests = use_in(files, found.days, studied.zone)
    sent = sum(
        seen.sent_tokens
        for file in files
        for thread in file.threads
        for seen in thread.sightings
        if seen.drain == finding.drain
        and one.subject in ("", seen.subject)
        and found.days.has(seen.day)
    )
    row = FixRow(
        action_id=done.action.id,
        finding=finding.id,
        drain=finding.drain,
        subject=one.subject,
        project=finding.project,
        weekly_tokens=predicted.tokens,
        weekly_error_tokens=predicted.error_tokens,
        weekly_micro_usd=_micro(predicted.usd),
        weekly_error_micro_usd=_micro(predicted.error_usd),
        period_days=max(1, local_day(bench.clock.now_ms(), studied.zone) - found.days.first + 1),
        period_requests=requests,
        period_sent_tokens=sent,
        freed_tokens=one.line.tokens if one.line is not None else _freed(one),
    )
    try:
        bench.ledger.fixes.add(row)
    except LedgerUnusable as wrong:
        raise LedgerUnusable(
            f"it was done (tokens undo {done.action.id} takes it back), but what it will have"
            f" saved cannot be told later: {wrong}"
        ) from wrong


def _freed(one: Application) -> int | None:
    return one.proposal.freed.tokens if one.finding.drain in _IN_REQUESTS else None


def _micro(usd: Decimal | None) -> int | None:
    return None if usd is None else round(usd * MICRO)
