"""From counted transcripts to the steps that calibration learns from, and what was learnt kept."""

from __future__ import annotations

import json

from tokenbudget.analysis.window_replay import Replay
from tokenbudget.ledger.calibrations import CalibrationRow
from tokenbudget.metering.calibration import Fit, fit_of, prior

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from tokenbudget.ledger.store import Ledger
    from tokenbudget.metering.calibration import Step


def steps_of(ledger: Ledger, files: Iterable[tuple[int, str]]) -> dict[str, list[Step]]:
    """Every step that counted transcripts tell, by model; a step that was copied counts once.

    `files` are ids with their sessions: a session and its subagents are held out together.
    """
    found: dict[str, list[Step]] = {}
    for file_id, session in files:
        rows = ledger.windows.pieces(file_id)
        requests = ledger.windows.requests(file_id)
        for thread in sorted({row.thread for row in rows}):
            replay = Replay(requests, prior, thread, session).run(rows)
            for request, step in replay.steps:
                if request.file_id == file_id:
                    found.setdefault(request.model, []).append(step)
    return found


def kept_rows(fits: Mapping[str, Fit], now_ms: int) -> list[CalibrationRow]:
    """Fits as the ledger keeps them."""
    return [
        CalibrationRow(
            name,
            fit.steps,
            fit.sessions,
            fit.median_error,
            fit.p90_error,
            fit.p90_text_error,
            fit.unexplained_share,
            json.dumps({key: round(weight, 6) for key, weight in fit.weights.items()}),
            now_ms,
        )
        for name, fit in fits.items()
    ]


def kept_fits(rows: Iterable[CalibrationRow]) -> dict[str, Fit]:
    """The inverse of `kept_rows`."""
    return {
        row.model: Fit(
            json.loads(row.weights),
            row.steps,
            row.sessions,
            row.median_error,
            row.p90_error,
            row.p90_text_error,
            row.unexplained_share,
        )
        for row in rows
    }


def chooser(fits: Mapping[str, Fit]) -> Callable[[str], Fit]:
    """A function that tells how to count for a model, and remembers."""
    known: dict[str, Fit] = {}

    def choose(model: str) -> Fit:
        found = known.get(model)
        if found is None:
            found = known[model] = fit_of(model, fits)
        return found

    return choose
