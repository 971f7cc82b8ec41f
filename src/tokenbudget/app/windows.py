"""Context windows put together: reading, counting, calibrating, following.

Nothing is counted while a transcript stays as it was, and nothing is learnt again while what was
learnt is fresh: a warm command opens no transcript and loads no vocabulary.
"""

from __future__ import annotations

import json

from tokenbudget import __version__
from tokenbudget.analysis.session_window import window_from
from tokenbudget.app import COPIED, work_in_a_copy
from tokenbudget.app.archived_bodies import ArchivedWindows
from tokenbudget.app.transcripts import transcript_of
from tokenbudget.budget.allocation import allocated
from tokenbudget.budget.health import thresholds
from tokenbudget.collector.measuring import RULES, Measurer
from tokenbudget.config.values import shown
from tokenbudget.ledger.store import TEMPORARY
from tokenbudget.metering.price_table import AS_OF
from tokenbudget.model.errors import BadConfig, LedgerUnusable
from tokenbudget.sources.claude_code.source import ClaudeCode

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import TypeVar

    from tokenbudget.analysis.session_window import SessionWindow
    from tokenbudget.analysis.window_replay import Replay
    from tokenbudget.analysis.window_report import OwnFigures
    from tokenbudget.app import Terminal, Workbench
    from tokenbudget.budget.health import Thresholds
    from tokenbudget.collector.measuring import CountedRequest
    from tokenbudget.config.settings import Settings
    from tokenbudget.ledger.calibrations import CalibrationRow
    from tokenbudget.ledger.windows import RequestRow, WindowFile
    from tokenbudget.metering.calibration import Fit
    from tokenbudget.model.protocols import StudySource

    Answer = TypeVar("Answer")

FORMAT = 3
"""Raised when `SessionWindow` changes: kept answers are void then."""
SAMPLE_FILES = 40
SAMPLE_BYTES = 24_000_000
"""Of a model's other sessions, this much is counted to learn from (half a second)."""
MOST_FILES = 300
"""The newest counted transcripts that calibration looks at."""
FRESH_MS = 3_600_000
"""What was learnt is used this long without asking whether there is more to learn."""
FEW_STEPS = 100
FEW_FRESH_MS = 600_000
"""The same where little was learnt."""


def window_of(bench: Workbench, session: str, agent: str, terminal: Terminal) -> SessionWindow:
    """The window of a session, or of one of its subagents, counted and up to date.

    Where the ledger cannot be written, the answer is computed in a passing copy of it.

    Raises:
        BadRequest: the session has no such subagent, or several.
    """
    return _answered(bench, terminal, lambda: _kept_or_computed(bench, session, agent, terminal))


def window_in_ledger(
    bench: Workbench, session: str, agent: str, terminal: Terminal
) -> SessionWindow:
    """The same, but never in a copy: for whoever writes to the ledger besides.

    Raises:
        LedgerUnusable: it cannot be written now. Else as `window_of`.
    """
    return _kept_or_computed(bench, session, agent, terminal)


def calibration_of_everything(bench: Workbench, terminal: Terminal) -> Mapping[str, Fit]:
    """Count every transcript that is still there, and learn how each model counts."""

    def learnt() -> Mapping[str, Fit]:
        count_everything(bench, terminal.progress)
        return learn(bench)

    return _answered(bench, terminal, learnt)


def _answered(bench: Workbench, terminal: Terminal, answer: Callable[[], Answer]) -> Answer:
    """The answer; from a passing copy of the ledger where it cannot be written."""
    try:
        return answer()
    except LedgerUnusable as exc:
        if bench.ledger.path == TEMPORARY:
            raise
        terminal.warn(f"{exc}. {COPIED}")
        work_in_a_copy(bench)
        return answer()


def _kept_or_computed(
    bench: Workbench, session: str, agent: str, terminal: Terminal
) -> SessionWindow:
    file, thread = transcript_of(bench, lambda: measurer_of(bench), session, agent)
    if file is None:
        return _computed(bench, session, None, thread, {})
    kept = bench.ledger.windows.snapshot(file.file_id, thread, _made_of(bench, session, file))
    if kept is not None:
        return window_from(json.loads(kept))
    fits = fits_for(bench, [file], terminal)
    window = _computed(bench, session, file, thread, fits)
    if bench.bodies.faults:  # an answer without the words is not kept: the archive may be mended
        return window._replace(notes=(*window.notes, *bench.bodies.faults))
    bench.ledger.let_go()
    made_of = _made_of(bench, session, file)
    bench.ledger.windows.store_snapshot(file.file_id, thread, made_of, json.dumps(window))
    bench.ledger.hold_still()
    return window


def _computed(
    bench: Workbench,
    session: str,
    file: WindowFile | None,
    thread: str,
    fits: Mapping[str, Fit],
) -> SessionWindow:
    from tokenbudget.analysis.calibrating import chooser
    from tokenbudget.analysis.window_report import session_window

    own = own_figures(bench.settings)
    measurer = measurer_of(bench)

    def rebuilt(response_key: str) -> CountedRequest | None:
        return None if file is None or file.is_gone else measurer.rebuilt(file, response_key)

    return session_window(
        bench.ledger, session, file, thread, chooser(fits), own, bench.book, rebuilt
    )


def replay_of(
    bench: Workbench, session: str, agent: str, terminal: Terminal
) -> tuple[SessionWindow, Replay]:
    """The window of a thread, and every request on the way to it; raises as `window_of`."""
    from tokenbudget.analysis.calibrating import chooser
    from tokenbudget.analysis.window_report import followed

    window = window_of(bench, session, agent, terminal)
    file, thread = transcript_of(bench, lambda: measurer_of(bench), session, agent)
    fits = fits_for(bench, [] if file is None else [file], terminal)
    return window, followed(bench.ledger, session, file, thread, chooser(fits))


def _made_of(bench: Workbench, session: str, file: WindowFile) -> str:
    """Everything that an answer depends on: another value, another answer."""
    settings = bench.settings
    own = (settings.windows, settings.autocompact_reserve_tokens, settings.prices)
    learnt = bench.ledger.windows.calibrated_at_ms()
    told = bench.ledger.windows.told_window(session)
    state = (
        session,
        told,
        file.size_bytes,
        file.mtime_ns,
        file.is_gone,
        learnt,
        AS_OF,
        RULES,
        FORMAT,
    )
    return repr((__version__, state, own, tuple(limits_of(settings))))


def fits_for(
    bench: Workbench,
    files: Sequence[WindowFile],
    terminal: Terminal,
    measurer: Measurer | None = None,
) -> Mapping[str, Fit]:
    """Count what is new in these transcripts; the ways of counting, learnt anew where that pays."""
    from tokenbudget.analysis.calibrating import kept_fits

    measurer = measurer or measurer_of(bench)
    counted = measurer.bring_up_to_date(files, terminal.progress)
    kept = bench.ledger.windows.calibrations()
    now_ms = bench.clock.now_ms()
    if kept and not counted:
        return kept_fits(kept)
    models = {request.model for file in files for request in _requests(bench, file)}
    known = {row.model: row for row in kept}
    wanted = [model for model in sorted(models) if _is_due(known.get(model), now_ms)]
    if not wanted:
        return kept_fits(kept)
    for model in wanted:
        others = bench.ledger.windows.files_of_model(model, SAMPLE_FILES, now_ms)
        measurer.bring_up_to_date(_sample(others), terminal.progress)
    return learn(bench)


def learn(bench: Workbench) -> Mapping[str, Fit]:
    """Learn every model's way of counting from all that was counted, and keep it."""
    from tokenbudget.analysis.calibrating import kept_fits, kept_rows, steps_of
    from tokenbudget.metering.calibration import calibrate

    files = bench.ledger.windows.measured_files()[-MOST_FILES:]
    fits = calibrate(steps_of(bench.ledger, files))
    rows = kept_rows(fits, bench.clock.now_ms())
    bench.ledger.let_go()
    bench.ledger.windows.store_calibrations(rows)
    bench.ledger.hold_still()
    return kept_fits(rows)


def count_everything(bench: Workbench, progress: Callable[[int, int], None]) -> None:
    """Count every transcript that is still there."""
    measurer_of(bench).bring_up_to_date(bench.ledger.windows.all_files(), progress)


def limits_of(settings: Settings) -> Thresholds:
    """The thresholds of health: the person's own, from every place that may name them.

    Raises:
        BadConfig: they are no numbers, or do not ascend.
    """
    wanted = settings.management()
    return thresholds(wanted.warning_share, wanted.critical_share, wanted.emergency_share)


def own_figures(settings: Settings) -> OwnFigures:
    """What the person says of windows.

    Raises:
        BadConfig: as `limits_of`.
    """
    from tokenbudget.analysis.window_report import OwnFigures

    return OwnFigures(settings.windows, settings.autocompact_reserve_tokens, limits_of(settings))


def shares_of(settings: Settings) -> Mapping[str, float] | None:
    """The person's own shares of the window; None for the standard plan.

    Raises:
        BadConfig: a share is no number.
    """
    found: dict[str, float] = {}
    for name, share in settings.allocation.items():
        if isinstance(share, bool) or not isinstance(share, int | float):
            raise BadConfig(
                f"allocation.{name} must be a number, not {shown(share)}, in {settings.config_path}"
            )
        found[name] = share
    if not found:
        return None
    try:
        allocated(0, found)
    except BadConfig as exc:
        raise BadConfig(f"allocation in {settings.config_path}: {exc}") from exc
    return found


def measurer_of(bench: Workbench, transcripts: StudySource | None = None) -> Measurer:
    """Counts transcripts, archived ones too; `transcripts` reads them where they are in place."""
    from tokenbudget.metering.tokenizer import VOCABULARY

    live = transcripts or ClaudeCode(bench.settings.home_dir)
    source = ArchivedWindows(live, bench.bodies)
    return Measurer(bench.ledger, source, bench.token_counter, VOCABULARY)


def _requests(bench: Workbench, file: WindowFile) -> list[RequestRow]:
    return list(bench.ledger.windows.requests(file.file_id).values())


def _is_due(row: CalibrationRow | None, now_ms: int) -> bool:
    if row is None:
        return True
    age_ms = now_ms - row.made_at_ms
    return age_ms > (FRESH_MS if row.steps >= FEW_STEPS else FEW_FRESH_MS)


def _sample(files: Sequence[WindowFile]) -> list[WindowFile]:
    """The newest transcripts, as many as the sample allows."""
    found: list[WindowFile] = []
    room = SAMPLE_BYTES
    for file in files:
        if file.size_bytes <= room:
            found.append(file)
            room -= file.size_bytes
    return found
