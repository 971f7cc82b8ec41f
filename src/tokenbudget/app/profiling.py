"""Profiles put together: the studies, the bill of the same days, and what is known of sessions."""

from __future__ import annotations

import os
from typing import NamedTuple

from tokenbudget.analysis.periods import day_of
from tokenbudget.analysis.profile_bill import bill_of
from tokenbudget.analysis.profile_build import Asked, profile_from
from tokenbudget.analysis.profile_sums import LAST_DAY, Days
from tokenbudget.analysis.usage import UNKNOWN_PROJECT, Names
from tokenbudget.ledger.queries import MILLISECONDS_PER_DAY, UsageQuery

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from decimal import Decimal

    from tokenbudget.analysis.cost_analysis import CostAnalysis
    from tokenbudget.analysis.efficiency import Efficiency
    from tokenbudget.analysis.periods import Zone
    from tokenbudget.analysis.profile import Profile
    from tokenbudget.analysis.profile_bill import BillRow
    from tokenbudget.analysis.study import FileStudy
    from tokenbudget.app import Workbench
    from tokenbudget.app.studies import Studied
    from tokenbudget.ledger.inspection import SessionRow
    from tokenbudget.ledger.queries import UsageRow
    from tokenbudget.model.redaction import Redactor

MOST_SKILL_PROJECTS = 12
"""The dearest projects, whose skills are looked at."""
BYTES_PER_TOKEN = 4


class Limits(NamedTuple):
    """What is looked at: whole local days, sessions, projects."""

    since_ms: int | None = None
    until_ms: int | None = None
    """Excluded; both are widened to whole local days."""
    session: str = ""
    project: str | Sequence[str] | None = None
    """Whole paths as the ledger has them, `unknown` for files without one; None: all."""

    def projects(self) -> frozenset[str] | None:
        """The paths, '' for files that name none."""
        if self.project is None:
            return None
        wanted = (self.project,) if isinstance(self.project, str) else self.project
        return frozenset("" if path == UNKNOWN_PROJECT else path for path in wanted)


class Scene(NamedTuple):
    """What a profile, a score and a cost analysis of the same limits are made of."""

    limits: Limits
    days: Days
    today: int
    files: tuple[FileStudy, ...]
    """Of these sessions and projects, of all days."""
    past: tuple[FileStudy, ...]
    """Of these projects."""
    rows: list[UsageRow]
    bill: list[BillRow]
    facts: list[SessionRow]
    names: Names
    notes: tuple[str, ...]
    home: str
    folders: Mapping[str, str]
    """Where each project lies, by what it is called here."""
    redactor: Redactor | None = None
    """Under whose pseudonyms all of it is."""


def profile_of(
    bench: Workbench,
    studied: Studied,
    *,
    since_ms: int | None = None,
    until_ms: int | None = None,
    session: str = "",
    project: str | Sequence[str] | None = None,
) -> Profile:
    """Where the tokens of a period, a session or projects went; see `Limits`."""
    limits = Limits(since_ms, until_ms, session, project)
    return profile_in(bench, scene_of(bench, studied, limits))


def scene_of(
    bench: Workbench, studied: Studied, limits: Limits, redactor: Redactor | None = None
) -> Scene:
    """Ask the ledger what belongs to these limits; with a redactor, nothing of it tells names."""
    days, zone = days_of(bench.zone, limits), bench.zone
    names = Names(bench.ledger.names("model"), bench.ledger.names("project"))
    rows = bench.ledger.usage(_query(zone, days, limits, names))
    wanted = limits.projects()
    past = tuple(file for file in studied.files if wanted is None or file.project in wanted)
    files = past
    if limits.session:
        files = tuple(file for file in past if file.session == limits.session)
    scene = Scene(
        limits=limits,
        days=days,
        today=local_day(zone, bench.clock.now_ms()),
        files=files,
        past=past,
        rows=rows,
        bill=bill_of(rows, names, bench.book),
        facts=bench.ledger.sessions(),
        names=names,
        notes=studied.notes,
        home=bench.settings.home_dir,
        folders={file.project: file.project for file in files if file.project},
    )
    if redactor is None:
        return scene
    from tokenbudget.app.profiling_redacted import redacted_scene

    return redacted_scene(scene, redactor)


def profile_in(bench: Workbench, scene: Scene) -> Profile:
    """The profile of a scene."""
    limits = scene.limits
    asked = Asked(
        days=scene.days,
        today=scene.today,
        since_ms=limits.since_ms,
        until_ms=limits.until_ms,
        session=limits.session,
        home=scene.home,
        windows=bench.settings.windows,
        notes=scene.notes,
    )
    profile = profile_from(scene.files, scene.bill, scene.facts, asked)
    if scene.redactor is None:
        return profile
    from tokenbudget.app.profiling_redacted import redacted_models

    return redacted_models(profile, scene.redactor)


def efficiency_in(scene: Scene) -> Efficiency:
    """The score of a scene, against the past of the same projects."""
    from tokenbudget.analysis.efficiency_score import efficiency_of

    return efficiency_of(scene.files, scene.days, today=scene.today, past_files=scene.past)


def costs_in(
    bench: Workbench, scene: Scene, profile: Profile, budget_usd: Decimal | None = None
) -> CostAnalysis:
    """The bill of a scene by kind of token, and done naively."""
    from tokenbudget.analysis.cost_naive import (
        DEFAULT_BUDGET_USD,
        CostScene,
        costs_of,
        kind_costs,
    )

    kinds, total_usd = kind_costs(scene.rows, scene.names, bench.book)
    asked = CostScene(
        bill=scene.bill,
        sessions=profile.sessions,
        kinds=kinds,
        total_usd=total_usd,
        days=scene.days,
        budget_usd=budget_usd or own_budget_usd(bench.settings.data_dir) or DEFAULT_BUDGET_USD,
        windows=bench.settings.windows,
        skill_tokens=_skill_tokens(bench, scene, profile),
    )
    return costs_of(scene.files, asked, scene.past)


def own_budget_usd(data_dir: str) -> Decimal | None:
    """What a person wants to spend, as told to `tokens alert`: a week, else a day, else None."""
    from decimal import Decimal

    from tokenbudget.alerts.rules import DAY_COST, WEEK_COST
    from tokenbudget.app.alert_rules import read_rules

    rules = read_rules(data_dir).rules
    for scope in (WEEK_COST, DAY_COST):
        wanted = [rule.steps[0].at for rule in rules if rule.scope == scope]
        if wanted:
            return Decimal(min(wanted))
    return None


def _skill_tokens(bench: Workbench, scene: Scene, profile: Profile) -> Mapping[str, int] | None:
    """The bodies of the skills that each project's listing names, as they are on this disk now.

    None where none is found: those of plugins, or of another machine, are not known.
    """
    from tokenbudget.resources.definitions import DESCRIPTION_CHARACTERS, skills_in
    from tokenbudget.resources.kind import Place

    found: dict[str, int] = {}
    settings = bench.settings
    for row in profile.projects[:MOST_SKILL_PROJECTS]:
        folder = scene.folders.get(row.name, "")
        if not os.path.isdir(folder):
            continue
        place = Place(
            os.path.realpath(folder), settings.claude_dirs, settings.home_dir, bench.clock
        )
        skills = skills_in(place, DESCRIPTION_CHARACTERS)
        size_bytes = sum(skill.size_bytes for skill in skills if skill.line)
        if size_bytes:
            found[row.name] = size_bytes // BYTES_PER_TOKEN
    return found or None


def days_of(zone: Zone, limits: Limits) -> Days:
    """The whole local days that hold these moments; with a limit, nothing undated is left."""
    if limits.since_ms is None and limits.until_ms is None:
        return Days()
    since, until = limits.since_ms, limits.until_ms
    first = 1 if since is None else max(1, local_day(zone, since))
    last = LAST_DAY if until is None else local_day(zone, until - 1)
    return Days(first, last)


def local_day(zone: Zone, at_ms: int) -> int:
    """The number of the local day that holds a moment."""
    return (at_ms + zone.offset_seconds(at_ms) * 1000) // MILLISECONDS_PER_DAY


def _query(zone: Zone, days: Days, limits: Limits, names: Names) -> UsageQuery:
    """By day, project and session: what every split of a profile is added up from."""
    is_limited = limits.since_ms is not None or limits.until_ms is not None
    wanted = limits.projects()
    ids = None
    if wanted is not None:
        ids = [number for number, path in names.projects.items() if path in wanted]
        ids += [0] if "" in wanted else []
    return UsageQuery(
        period="day",
        by_project=True,
        by_session=True,
        zone=zone.spans(),
        since_ms=zone.midnight_ms(day_of(days.first)) if is_limited else None,
        until_ms=zone.midnight_ms(day_of(days.last + 1)) if days.last < LAST_DAY else None,
        project_ids=ids,
        session=limits.session or None,
    )


def project_folder(working_dir: str, home_dir: str, claude_dirs: Sequence[str]) -> str:
    """The project that one is in: the nearest folder with a `.claude` of its own; '' for none.

    A home folder is none: its `.claude` is the agent's own.
    """
    homes = {
        os.path.realpath(home_dir),
        *(os.path.dirname(os.path.realpath(d)) for d in claude_dirs),
    }
    folder = os.path.realpath(working_dir) if working_dir else ""
    while folder and folder not in homes:
        if os.path.isdir(os.path.join(folder, ".claude")):
            return folder
        parent = os.path.dirname(folder)
        folder = "" if parent == folder else parent
    return ""
