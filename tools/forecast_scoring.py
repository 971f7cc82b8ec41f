"""How good predictions were: coverage and losses, also where a session ended before the answer."""

from __future__ import annotations

from bisect import bisect_right
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tokenbudget.budget.forecast import Spread

QUANTILES = (0.1, 0.5, 0.9)
NAIVE = 0.5  # the naive interval around a straight line: half to one and a half

Triple = tuple[float, float, float]
Groups = dict[tuple[str, str], list["Case"]]
"""Cases by what is predicted and its unit."""


class Case(NamedTuple):
    """One prediction and what came of it."""

    session: int
    ours: Triple
    last_rate: float
    mean_rate: float
    actual: float
    """The outcome, or how far the session went without it."""
    is_crossed: bool
    after_requests: int
    """The same in requests, whatever the unit of the prediction: for the censoring weights."""
    central: float = 0.0
    """How much of the outcome's own probability lies between P10 and P90: 0 to 1."""


def pinball(forecast: Triple, actual: float) -> float:
    """Mean of the quantile losses at .1, .5 and .9 (Koenker and Bassett, 1978)."""
    errors = [(q, actual - f) for q, f in zip(QUANTILES, forecast, strict=True)]
    return sum(max(q * e, (q - 1) * e) for q, e in errors) / len(errors)


def scored(cases: Sequence[Case]) -> dict[str, float | int | None]:
    """Coverage and loss of one group of cases.

    `coverage` and the losses are over the crossed cases. A whole number of requests holds much
    probability, and a spread takes in all of that at both ends: `coverage_randomised` counts only
    the part between the 10th and the 90th percent (Czado, Gneiting and Held, 2009, "Predictive
    Model Assessment for Count Data").

    Sessions that end first are right-censored: `coverage_censored` is a Kaplan-Meier estimate over
    all cases, cut at P10 and P90, and losses that end in `_weighted` give each crossed case the
    inverse of its probability not to be censored before (IPCW, Graf et al. 1999).
    """
    crossed = [case for case in cases if case.is_crossed]
    if not crossed:
        return {"n": 0, "censored": len(cases)}
    inside = [_is_inside(case) for case in crossed]
    by_session: dict[int, list[bool]] = {}
    for case, is_inside in zip(crossed, inside, strict=True):
        by_session.setdefault(case.session, []).append(is_inside)
    weights = _inverse_weights(cases, crossed)
    row: dict[str, float | int | None] = {
        "n": len(crossed),
        "censored": len(cases) - len(crossed),
        "sessions": len(by_session),
        "coverage": sum(inside) / len(inside),
        "coverage_censored": _kaplan_meier_coverage(cases),
        "coverage_by_session": sum(sum(v) / len(v) for v in by_session.values()) / len(by_session),
        "coverage_randomised": sum(case.central for case in crossed) / len(crossed),
        "below_p10": sum(case.actual < case.ours[0] for case in crossed) / len(crossed),
        "above_p90": sum(case.actual > case.ours[2] for case in crossed) / len(crossed),
    }
    rivals: dict[str, Callable[[Case], Triple]] = {
        "pinball": lambda case: case.ours,
        "pinball_last_rate": lambda case: (case.last_rate,) * 3,
        "pinball_mean_rate": lambda case: (case.mean_rate,) * 3,
        "pinball_mean_rate_interval": lambda case: _naive(case.mean_rate),
    }
    for name, forecast in rivals.items():
        losses = [pinball(forecast(case), case.actual) for case in crossed]
        row[name] = sum(losses) / len(losses)
        together = sum(w * loss for w, loss in zip(weights, losses, strict=True))
        row[f"{name}_weighted"] = together / sum(weights)
    return row


def _naive(value: float) -> Triple:
    return value * (1 - NAIVE), value, value * (1 + NAIVE)


def _is_inside(case: Case) -> bool:
    return case.ours[0] <= case.actual <= case.ours[2]


def _kaplan_meier_coverage(cases: Sequence[Case]) -> float:
    """P(P10 <= T <= P90): survival past just before P10, minus survival past P90."""
    first = [case for case in cases if case.is_crossed or case.actual >= case.ours[0]]
    early = sum(case.is_crossed and case.actual < case.ours[0] for case in first)
    reached = 1 - early / len(first)
    second = [
        case
        for case in first
        if case.actual >= case.ours[0] and (case.is_crossed or case.actual >= case.ours[2])
    ]
    within = sum(case.is_crossed and case.actual <= case.ours[2] for case in second)
    return reached * within / len(second) if second else 0.0


def _inverse_weights(cases: Sequence[Case], crossed: Sequence[Case]) -> list[float]:
    """1 / P(not yet censored), by Kaplan-Meier over the ends of sessions; at most 20."""
    ends = sorted((case.after_requests, case.is_crossed) for case in cases)
    times: list[int] = [0]
    survival = [1.0]
    for at_risk, (after, is_crossed) in zip(range(len(ends), 0, -1), ends, strict=True):
        if not is_crossed:
            times.append(after)
            survival.append(survival[-1] * (1 - 1 / at_risk))
    return [
        min(20.0, 1 / max(survival[bisect_right(times, case.after_requests - 1) - 1], 1e-9))
        for case in crossed
    ]


def triple(spread: Spread | None, most: float) -> Triple:
    """A spread as numbers; `most` for what is beyond its horizon."""
    assert spread is not None
    p10, p50, p90 = (most if value is None else float(value) for value in spread)
    return p10, p50, p90
