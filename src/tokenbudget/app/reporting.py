"""`tokens report` put together: everything that a report shows, from the ledger and the studies."""

from __future__ import annotations

from typing import NamedTuple

from tokenbudget import __version__
from tokenbudget.analysis.profile_bill import bill_of, total_of
from tokenbudget.analysis.profile_sums import LAST_DAY
from tokenbudget.analysis.report_data import ActionRow, AlertRow, CleanupRow, ReportData
from tokenbudget.analysis.report_days import (
    day_rows,
    days_before,
    heat_cells,
    period_words,
)
from tokenbudget.analysis.report_verdict import verdict_of
from tokenbudget.app.optimizing import findings_of
from tokenbudget.app.profiling import Limits, costs_in, efficiency_in, profile_in, scene_of
from tokenbudget.app.studies import studied
from tokenbudget.ledger.queries import UsageQuery
from tokenbudget.metering.price_table import AS_OF

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tokenbudget.analysis.amounts import Amount
    from tokenbudget.analysis.drains.found import Findings
    from tokenbudget.analysis.profile import Profile
    from tokenbudget.app import Terminal, Workbench
    from tokenbudget.app.profiling import Scene
    from tokenbudget.app.studies import Studied
    from tokenbudget.ledger.queries import UsageRow
    from tokenbudget.model.redaction import Redactor

TITLE = "Token report"
USUAL_DAYS = 30
"""A month: what budgets and bills are about, and what the client keeps by default."""
MOST_ALERTS = 500
MOST_ACTIONS = 500
MOST_PROMPTS = 200
PROMPT_LETTERS = 600
LONGEST_PSEUDONYM = 18
"""Letters of an id in the title: a pseudonym is whole, of others it is enough."""
_UNTOLD_EVENTS = ("sent", "test")
"""Lines of the history that say only that another one was delivered."""


class Options(NamedTuple):
    """What a report is about."""

    limits: Limits
    """Whole local days, projects, or one session."""
    redactor: Redactor | None = None
    with_content: bool = False
    is_from_elsewhere: bool = False
    """Sessions were named with `--from`: nothing of this machine's projects belongs to them."""


def report_of(bench: Workbench, options: Options, terminal: Terminal) -> ReportData:
    """Everything that the reporters of the four formats lay out."""
    known = studied(bench, terminal, session=options.limits.session)
    scene = _scene(bench, known, options)
    profile = profile_in(bench, scene)
    found = _findings(bench, known, scene, options, terminal)
    efficiency, previous = efficiency_in(scene), _previous(bench, scene)
    first, last = _first_and_last(scene)
    data = ReportData(
        title=TITLE,
        made_at_ms=bench.clock.now_ms(),
        zone_name=bench.zone.name,
        version=__version__,
        prices_as_of=AS_OF,
        period=_period(scene, first, last),
        verdict="",
        profile=profile,
        efficiency=efficiency,
        costs=costs_in(bench, scene, profile),
        findings=found.rows,
        days=day_rows(scene.rows, scene.names, bench.book, first, last),
        heat=heat_cells(_hours(bench, scene, options), scene.names, bench.book, bench.zone),
        alerts=_alerts(bench, scene),
        actions=_actions(bench, scene, found),
        previous=previous,
        has_content=options.with_content,
        prompts=_prompts(bench, profile) if options.with_content else (),
        method=method_of(profile),
        findings_period=_observed(found),
        cleanups=_cleanups(bench, scene, options),
    )
    if options.redactor is not None:
        from tokenbudget.app.reporting_redacted import redacted_report

        data = redacted_report(data, options.redactor)
    return data._replace(verdict=verdict_of(data, _last_use(scene)))


def _scene(bench: Workbench, known: Studied, options: Options) -> Scene:
    """What the report is about, without a person's words unless they were asked for."""
    scene = scene_of(bench, known, options.limits, options.redactor)
    if options.with_content or options.redactor is not None:  # pseudonyms say nothing
        return scene
    from tokenbudget.app.reporting_titles import without_prompt_titles

    shown = frozenset(row.session for row in scene.bill)
    return scene._replace(facts=without_prompt_titles(bench, scene.facts, shown))


def _first_and_last(scene: Scene) -> tuple[int | None, int | None]:
    """The days that were asked for; None where that side is open."""
    limits, days = scene.limits, scene.days
    first = None if limits.since_ms is None else days.first
    last = None if limits.until_ms is None else days.last
    if first is not None and last is None:
        last = max(first, scene.today)
    return first, last


def _period(scene: Scene, first: int | None, last: int | None) -> str:
    used = [row.day for row in scene.bill if row.day]
    if scene.limits.session and used:
        days = period_words(min(used), max(used))
        return f"session {scene.limits.session[:LONGEST_PSEUDONYM]}, {days}"
    if first is None and last is None:
        return f"all time: {period_words(min(used), max(used))}" if used else "all time"
    begin = first if first is not None else min(used, default=last or 0)
    return period_words(begin, last if last is not None else max(used, default=begin))


def _observed(found: Findings) -> str:
    """The days that findings are priced by, which may be fewer than those of the report."""
    first, last = found.days.first, found.days.last
    return period_words(first, last) if found.rows and first <= last else ""


def _last_use(scene: Scene) -> str:
    """The last day with use of any time; '' for none."""
    return max((row.last_at[:10] for row in scene.facts), default="")


def _project_ids(scene: Scene) -> list[int] | None:
    wanted = scene.limits.projects()
    if wanted is None:
        return None
    ids = [number for number, path in scene.names.projects.items() if path in wanted]
    return [*ids, 0] if "" in wanted else ids


def _span(bench: Workbench, first: int, last: int) -> tuple[int, int | None]:
    """From the first moment of a local day to the end of another; an open end stays open."""
    from tokenbudget.analysis.periods import day_of

    end = None if last >= LAST_DAY else bench.zone.midnight_ms(day_of(last + 1))
    return bench.zone.midnight_ms(day_of(first)), end


def _hours(bench: Workbench, scene: Scene, options: Options) -> list[UsageRow]:
    """Usage of the same days, projects and session by UTC hour."""
    since, until = None, None
    if scene.limits.since_ms is not None or scene.limits.until_ms is not None:
        since, until = _span(bench, scene.days.first, scene.days.last)
    return bench.ledger.usage(
        UsageQuery(
            period="hour",
            since_ms=since,
            until_ms=until,
            project_ids=_project_ids(scene),
            session=options.limits.session or None,  # the scene may have a pseudonym for it
        )
    )


def _previous(bench: Workbench, scene: Scene) -> Amount | None:
    """What as many days before were billed; None where nothing was, or no beginning was asked."""
    first, last = _first_and_last(scene)
    if first is None or last is None or scene.limits.session:
        return None
    since, until = _span(bench, *days_before(first, last))
    query = UsageQuery(since_ms=since, until_ms=until, project_ids=_project_ids(scene))
    amount = total_of(bill_of(bench.ledger.usage(query), scene.names, bench.book))
    return amount if amount.total_tokens else None


def _findings(
    bench: Workbench, known: Studied, scene: Scene, options: Options, terminal: Terminal
) -> Findings:
    """Of the same days and projects, with what applied fixes saved."""
    wanted = scene.limits.projects()
    only = next(iter(wanted)) if wanted is not None and len(wanted) == 1 else None
    found = findings_of(
        bench,
        known,
        terminal,
        project=only or None,
        since_ms=scene.limits.since_ms,
        until_ms=scene.limits.until_ms,
        looks_at_projects=not (options.is_from_elsewhere or scene.limits.session),
    )
    if wanted is None:
        return found
    return found._replace(rows=tuple(row for row in found.rows if row.project in wanted))


def _is_in(scene: Scene, bench: Workbench, at_ms: int) -> bool:
    from tokenbudget.app.profiling import local_day

    first, last = scene.days
    if scene.limits.session:
        used = [row.day for row in scene.bill if row.day]
        first, last = min(used, default=0), max(used, default=0)
    return first <= local_day(bench.zone, at_ms) <= last


def _alerts(bench: Workbench, scene: Scene) -> tuple[AlertRow, ...]:
    """Of the period, the latest first; they belong to no project."""
    return tuple(
        AlertRow(at_ms, rule_id, "", event, detail)  # the history keeps no level
        for at_ms, rule_id, _, event, detail in bench.ledger.alerts.history(MOST_ALERTS)
        if event not in _UNTOLD_EVENTS and _is_in(scene, bench, at_ms)
    )


def _actions(bench: Workbench, scene: Scene, found: Findings) -> tuple[ActionRow, ...]:
    """What was changed in the period, the latest first, with what it saved where that is known."""
    from tokenbudget.app.controlling_closing import CAUSE
    from tokenbudget.reports.undo_list import NOTHING_DONE, state_of, what

    saved = {one.outcome.action: one.outcome.saved for one in found.applied}
    wanted = scene.limits.projects()
    rows = []
    for action in bench.ledger.journal.actions(MOST_ACTIONS):
        if action.undoes is not None or state_of(action) == NOTHING_DONE:
            continue
        if not _is_in(scene, bench, action.at_ms) or action.cause.startswith(CAUSE):
            continue  # the controller's have receipts: `_cleanups`
        if wanted is not None and action.project not in wanted:
            continue
        measured = saved.get(action.id)
        rows.append(
            ActionRow(
                action.id,
                action.at_ms,
                action.cause,
                action.project,
                what(action),
                action.freed_tokens,
                action.freed_bytes,
                None if measured is None else measured.tokens,
                action.undone_at_ms is not None,
            )
        )
    return tuple(rows)


def _cleanups(bench: Workbench, scene: Scene, options: Options) -> tuple[CleanupRow, ...]:
    """What the controller took out of the sessions of the report, the latest first."""
    if options.is_from_elsewhere:
        return ()
    shown = {row.session for row in scene.bill}
    return tuple(
        CleanupRow(
            *(one.at_ms, one.session, one.level, one.lever, len(one.items)),
            *(one.predicted_tokens, one.measured_tokens, one.measured_usd, one.outcome),
        )
        for one in bench.ledger.control.receipts(limit=MOST_ACTIONS)
        if one.action is not None and one.session in shown and _is_in(scene, bench, one.at_ms)
    )


def _prompts(bench: Workbench, profile: Profile) -> tuple[tuple[str, str], ...]:
    """The first prompts of the latest sessions, as far as they can still be read."""
    from tokenbudget.app import opening_words

    found = []
    for row in profile.sessions[:MOST_PROMPTS]:
        words = opening_words(bench, row.session)
        if words:
            found.append((row.session, words[:PROMPT_LETTERS]))
    return tuple(found)


def method_of(profile: Profile) -> tuple[str, ...]:
    """How each figure is known."""
    return (
        "Tokens and requests: as the API reported them, each response counted once; exact.",
        f"Cost: tokens at the list price of their day, prices as of {AS_OF}; what has no price is"
        " named and costs nothing here. It is what the tokens are worth, not a subscription's"
        " bill.",
        "Where it went: each request's bill is shared out over the pieces that were in the window,"
        " by size. Sizes are counted and calibrated against your own recorded usage; what cannot"
        " be named is 'unattributed'. All of it adds up to the bill.",
        "Drains and what could be saved: found by fixed rules (docs/drains.md), priced per week of"
        " the days observed; \N{PLUS-MINUS SIGN} is half of the interval in which nine of ten"
        " counts lie.",
        "Efficiency: a formula over the same figures (docs/efficiency.md).",
        "The naive baseline says of each row whether it is measured, estimated or not known.",
        "What changes saved: the same sessions' requests before and after, measured; 'not yet'"
        " until enough was used since.",
    )
