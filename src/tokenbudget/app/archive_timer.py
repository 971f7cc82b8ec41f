"""The daily timer that archives before the agent deletes: what it would run, and its installing."""

from __future__ import annotations

import os
import sys
from typing import NamedTuple

from tokenbudget.app.acting import acting_bench
from tokenbudget.app.archiving_plan import timer_days
from tokenbudget.app.journal import carry_out
from tokenbudget.config.files import read_regular
from tokenbudget.config.settings import process_environment
from tokenbudget.model.actions import NEVER_SENT, EditText, Proposal
from tokenbudget.model.errors import ProjectUnusable, TokenBudgetError
from tokenbudget.resources.steps import Workshop
from tokenbudget.sources.claude_code.cleanup import cleanup_of
from tokenbudget.system import timers
from tokenbudget.system.kept import Kept
from tokenbudget.system.trash import Trash

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tokenbudget.config.settings import Settings
    from tokenbudget.model.actions import ActionRecord
    from tokenbudget.model.protocols import Clock
    from tokenbudget.system.timers import Job, Kind, Places, Unit

CAUSE = "tokens archive --install-timer"


class Timer(NamedTuple):
    """A timer that is not installed yet."""

    kind: Kind
    days: int
    cleanup_days: int | None
    job: Job
    units: tuple[Unit, ...]
    """Of cron the one line, without a path."""


def places(settings: Settings) -> Places:
    """Where this user's timers live."""
    given = process_environment()
    config = given.get("XDG_CONFIG_HOME") or os.path.join(settings.home_dir, ".config")
    return timers.Places(settings.home_dir, config, given.get("PATH") or os.defpath)


def timer_for(settings: Settings, kind: str, days: int | None = None) -> Timer:
    """The timer of a kind ('' what this system has), for what these settings say.

    Raises:
        BadRequest: a path holds what such a file cannot.
    """
    where = places(settings)
    chosen = next((known for known in timers.KINDS if known == kind), None) or timers.kind_here(
        sys.platform, where
    )
    cleanup = cleanup_of(settings.claude_dirs)
    after = timer_days(cleanup) if days is None else days
    command = (sys.executable, "-P", "-m", "tokenbudget", "archive", str(after), "--yes")
    job = timers.Job(command, _variables(settings))
    return Timer(chosen, after, cleanup.days, job, tuple(timers.units(chosen, job, where)))


def _variables(settings: Settings) -> dict[str, str]:
    """What a timer must be told, since it starts with an empty environment: what is no default."""
    told = {}
    if settings.origins.get("home") == "TOKENS_HOME":
        told["TOKENS_HOME"] = settings.data_dir
    if settings.origins.get("home") == "XDG_DATA_HOME":
        told["XDG_DATA_HOME"] = os.path.dirname(settings.data_dir)
    if settings.origins.get("config") not in ("default", "TOKENS_HOME"):
        told["TOKENS_CONFIG"] = settings.config_path
    if settings.origins.get("claude_dirs") == "CLAUDE_CONFIG_DIR":
        told["CLAUDE_CONFIG_DIR"] = ",".join(settings.claude_dirs)
    return told


def is_installed(settings: Settings) -> bool:
    """Whether a timer of ours is there, of any kind."""
    return timers.is_installed(places(settings))


def install(settings: Settings, timer: Timer, clock: Clock) -> list[str]:
    """Write the timer and have the system use it; the paths that were written, '' for cron.

    The files are written through the journal. Cron has no file of ours: a line of the crontab is
    added, and every other one stays.

    Raises:
        ProjectUnusable: a file cannot be written, or the system does not take it; what was written
            is taken back then.
        LedgerUnusable: the journal cannot be written; nothing was changed.
    """
    where = places(settings)
    if timer.kind == "cron":
        before = timers.crontab(where)
        if before is None:
            raise ProjectUnusable("the crontab cannot be read, so it is not written either")
        timers.write_crontab(timers.crontab_with(before, timer.units[0].text), where)
        return []
    steps = [EditText(unit.path, _text_of(unit.path), unit.text) for unit in timer.units]
    folder = os.path.dirname(timer.units[0].path)
    try:
        os.makedirs(folder, exist_ok=True)
    except OSError as exc:
        raise ProjectUnusable(f"cannot make {folder} ({exc.strerror})") from exc
    workshop = Workshop(
        Trash(settings.data_dir, clock), Kept(settings.data_dir), [folder], clock, cause=CAUSE
    )
    with acting_bench(settings, clock) as bench:
        # The folder stands for the project, so that `tokens undo` may touch it.
        record = carry_out(bench, workshop, CAUSE, folder, [_proposal(steps)])
        try:
            _refuse_unwritten(record)
            timers.start(timer.kind, where)
        except TokenBudgetError:
            for one in record.steps:
                workshop.revert(one.step, one.outcome)
            bench.ledger.journal.note_undone(record.id)
            raise
    return [unit.path for unit in timer.units]


def _text_of(path: str) -> str | None:
    """What stands in a unit file now; None where there is none."""
    data = read_regular(path)
    return None if data is None else data.decode("utf-8", "surrogateescape")


def _proposal(steps: list[EditText]) -> Proposal:
    return Proposal(
        id="timers/archive",
        resource="timers",
        title="install a daily timer",
        reason="asked for",
        freed=NEVER_SENT,
        freed_bytes=0,
        effect="disk only",
        is_chosen=True,
        steps=tuple(steps),
    )


def _refuse_unwritten(record: ActionRecord) -> None:
    for one in record.steps:
        if one.outcome.state not in ("done", "unchanged"):
            raise ProjectUnusable(one.outcome.message)


def remove(settings: Settings) -> list[str]:
    """Take every timer of ours away; what was removed: paths, or 'crontab'.

    Raises:
        ProjectUnusable: a file or the crontab cannot be changed.
    """
    where = places(settings)
    removed = []
    kinds: tuple[Kind, ...] = ("systemd", "launchd")
    for kind in kinds:
        units = timers.units(kind, timers.Job(("/",), {}), where)
        there = [unit for unit in units if os.path.lexists(unit.path)]
        if there:
            _stop_if_it_can_be(kind, where)
            removed += _remove_files(there)
    table = timers.crontab(where)
    if table is not None and timers.crontab_with(table, "") != table:
        timers.write_crontab(timers.crontab_with(table, ""), where)
        removed.append("crontab")
    return removed


def stop_before_undo(settings: Settings, action: ActionRecord) -> None:
    """Have the system forget a timer whose files are about to be taken back, as they tell it."""
    if action.cause == CAUSE:
        paths = [one.step.path for one in action.steps if isinstance(one.step, EditText)]
        is_launchd = any(path.endswith(".plist") for path in paths)
        _stop_if_it_can_be("launchd" if is_launchd else "systemd", places(settings))


def _stop_if_it_can_be(kind: Kind, where: Places) -> None:
    """A system that does not run (a container) has nothing to stop: the files go all the same."""
    try:
        timers.stop(kind, where)
    except TokenBudgetError:
        return


def _remove_files(units: tuple[Unit, ...] | list[Unit]) -> list[str]:
    removed = []
    for unit in units:
        try:
            os.unlink(unit.path)
            removed.append(unit.path)
        except FileNotFoundError:
            continue
        except OSError as exc:
            raise ProjectUnusable(f"cannot remove {unit.path} ({exc.strerror})") from exc
    return removed
