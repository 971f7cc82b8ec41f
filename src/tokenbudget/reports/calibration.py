"""How well each model's way of counting is known, as text and as JSON."""

from __future__ import annotations

from tokenbudget.model.figures import wrapped
from tokenbudget.reports.json import document
from tokenbudget.reports.table import Column, render

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from tokenbudget.metering.calibration import Fit
    from tokenbudget.model.figures import Style
    from tokenbudget.reports.table import Cell

WIDTH = 100
METHOD = (
    "A step is two requests in a row with everything visible between them: the growth that the API"
    " reported is the measured count of that text. Errors are of sessions that were held out:"
    " Median and P90 relative to the growth of the window, P90 of text relative to the new text"
    " alone. Unexplained are steps that miss by more than half: something grew that no transcript"
    " shows (reminders of older clients, text of the client's own). Ratio is tokens per token of"
    " the public vocabulary o200k_base. Where one session is all there is, nothing is held out: P90"
    " is then its own error, doubled."
)


def calibration_lines(fits: Mapping[str, Fit], style: Style) -> list[str]:
    """A line per model, the shared rules of its generation among them."""
    if not any(fit.steps for fit in fits.values()):
        return ["Nothing to learn from yet: no session has two requests in a row with known usage."]
    columns = [
        Column("Model", is_text=True, keeps_start=True, enough=30),
        Column("Steps"),
        Column("Sessions", drop_rank=1),
        Column("Ratio", drop_rank=3),
        Column("Median"),
        Column("P90"),
        Column("P90 of text"),
        Column("Unexplained", drop_rank=2),
    ]
    rows: list[list[Cell]] = [
        [
            name,
            fit.steps,
            fit.sessions,
            f"{fit.average_ratio:.2f}" if fit.is_learnt else "",
            _share(fit.median_error) if fit.is_learnt else "too few",
            _share(fit.p90_error) if fit.is_learnt else "",
            _share(fit.p90_text_error) if fit.is_learnt else "",
            _share(fit.unexplained_share) if fit.is_learnt else "",
        ]
        for name, fit in sorted(fits.items(), key=lambda pair: (-pair[1].steps, pair[0]))
        if fit.steps
    ]
    width = min(style.width, WIDTH)
    return [*render(columns, rows, None, style), "", *wrapped(METHOD, width)]


def _share(error: float | None) -> str:
    return "?" if error is None else f"{error:.1%}"


def calibration_document(fits: Mapping[str, Fit]) -> str:
    """The same as `tokenbudget/calibration/1`."""
    rows = [
        {
            "model": name,
            "steps": fit.steps,
            "sessions": fit.sessions,
            "is_learnt": fit.is_learnt,
            "average_ratio": fit.average_ratio,
            "median_error": fit.median_error,
            "p90_error": fit.p90_error,
            "p90_text_error": fit.p90_text_error,
            "unexplained_share": fit.unexplained_share,
            "weights": dict(fit.weights),
        }
        for name, fit in fits.items()
    ]
    return document("calibration", 1, {"rows": rows})
