"""The efficiency score: five parts, each a share of its points; `docs/efficiency.md` says why."""

from __future__ import annotations

from math import ceil, log, sqrt
from statistics import median
from typing import NamedTuple

from tokenbudget.analysis.efficiency import Efficiency, Part, PastScore
from tokenbudget.analysis.efficiency_inputs import Daily, Inputs, daily_of, split_of
from tokenbudget.analysis.periods import day_label
from tokenbudget.analysis.profile_sums import Days, monday_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from tokenbudget.analysis.study import FileStudy

FEWEST_REQUESTS = 20
"""Below it nothing is scored: a first answer or two say nothing about habits."""
ONE_SESSION_ERROR = 20
"""One session has no spread; in the bench sessions one lies within this of its own median in
nine of ten cases."""
PAST_WEEKS = 12
GRADES = ((85, "A"), (70, "B"), (55, "C"), (40, "D"), (0, "F"))


class Rule(NamedTuple):
    """How one part is computed."""

    key: str
    title: str
    points: int
    value: Callable[[Inputs], float | None]
    nothing_at: float
    """The value from which on there are no points, and"""
    full_at: float
    """the one from which on there are all; in between they grow evenly."""
    is_by_factor: bool
    """Whether evenly means by factors (10, 20, 40) instead of by steps."""
    said: str
    advice: str


def useful_share(inputs: Inputs) -> float | None:
    """The part of the bill that no drain took; of the tokens, where not all has a price."""
    if inputs.cost_pico_usd and not inputs.unpriced_tokens:
        lost, whole = inputs.lost_pico_usd, inputs.cost_pico_usd
    else:
        lost, whole = inputs.lost_tokens, inputs.total_tokens
    return _limited(1 - lost / whole) if whole else None


def cache_hit(inputs: Inputs) -> float | None:
    """The part of the prompt tokens that came from the cache."""
    whole = inputs.prompt_tokens
    return _limited(inputs.cache_read_tokens / whole) if whole else None


def re_read_share(inputs: Inputs) -> float | None:
    """The part of what files carried that second and outdated copies did."""
    whole = inputs.file_sent_tokens
    return _limited(inputs.again_sent_tokens / whole) if whole else None


def error_share(inputs: Inputs) -> float | None:
    """The part of the tool calls that failed."""
    return _limited(inputs.failed_calls / inputs.calls) if inputs.calls else None


def carried_times(inputs: Inputs) -> float | None:
    """How often a token that entered a window was sent, on average."""
    return inputs.carried_tokens / inputs.added_tokens if inputs.added_tokens else None


RULES = (
    Rule(
        "useful_share", "Useful share", 35, useful_share, 0.50, 0.95, False,
        "{value:.0%} of the bill went down no drain",
        "see what the drains are and take the first: tokens optimize",
    ),
    Rule(
        "cache_hit", "Cache hit", 25, cache_hit, 0.80, 0.98, False,
        "{value:.0%} of the prompt came from the cache",
        "keep a session going rather than pausing past the cache's life, and change model and"
        " tools between sessions only",
    ),
    Rule(
        "re_reads", "Re-reads", 15, re_read_share, 0.30, 0.0, False,
        "{value:.0%} of file tokens were old or second copies",
        "ask for the range that is needed, and for edits without reading the file again",
    ),
    Rule(
        "errors", "Errors", 10, error_share, 0.15, 0.01, False,
        "{value:.1%} of the tool calls failed",
        "put the commands that work (test, build, run) into CLAUDE.md: tokens profile --by tools",
    ),
    Rule(
        "carrying", "Carrying", 15, carried_times, 200, 15, True,
        "a token was sent {value:.0f} times on average",
        "begin a new session, or /compact, when a task is done; give searches to a subagent",
    ),
)  # fmt: skip


def efficiency_of(
    files: Sequence[FileStudy],
    days: Days = Days(),  # noqa: B008 (frozen)
    *,
    today: int = 0,
    past_files: Sequence[FileStudy] | None = None,
) -> Efficiency:
    """The score of a period, with its parts, its error and one's own past.

    Args:
        files: The studies of what is scored.
        days: The period; of `files`, only what lies in it is scored.
        today: The local day that it is now; 0: the period's last.
        past_files: Whose weeks it is compared with; None: those of `files`.
    """
    daily = daily_of(files)
    split = split_of(daily, days)
    whole = split.whole()
    parts = parts_of(whole)
    score = score_of(whole)
    last = min(days.last, today) if today else days.last
    week = monday_of(min(last, max(split.weeks, default=0) + 6))
    others = daily if past_files is None or past_files is files else daily_of(past_files)
    past = _past(split_of(others, days).weeks, week)
    recent = _recent(daily, days, week, score)
    change = None
    if recent is not None and past:
        change = round(recent - median(one.score for one in past))
    error = 0 if score is None else error_of(split.sessions)
    grade = "" if score is None else grade_of(score)
    sentence = _sentence(score, error, grade, change, parts, whole)
    return Efficiency(score, error, grade, parts, past, change, sentence)


def parts_of(inputs: Inputs) -> tuple[Part, ...]:
    """The parts; the points of those that cannot be told go to the others in proportion."""
    values = [rule.value(inputs) for rule in RULES]
    known = sum(rule.points for rule, value in zip(RULES, values, strict=True) if value is not None)
    return tuple(
        _part(rule, value, rule.points * 100 / known if known else 0.0)
        for rule, value in zip(RULES, values, strict=True)
    )


def _part(rule: Rule, value: float | None, most: float) -> Part:
    if value is None:
        return Part(rule.key, rule.title, None, "cannot be told here", 0.0, 0.0, "")
    points = most * reached(rule, value)
    advice = "" if points >= most else rule.advice
    return Part(rule.key, rule.title, value, rule.said.format(value=value), points, most, advice)


def reached(rule: Rule, value: float) -> float:
    """The share of its points that a part reaches, 0 to 1."""
    nothing, full = rule.nothing_at, rule.full_at
    if rule.is_by_factor:
        nothing, full, value = log(nothing), log(full), log(max(value, 1e-9))
    return _limited((value - nothing) / (full - nothing))


def score_of(inputs: Inputs) -> int | None:
    """0 to 100; None where too little was used to tell."""
    if inputs.requests < FEWEST_REQUESTS or not inputs.prompt_tokens:
        return None
    return _score(inputs)


def _score(inputs: Inputs) -> int:
    return round(_points(inputs))


def _points(inputs: Inputs) -> float:
    reach = most = 0.0
    for rule in RULES:
        value = rule.value(inputs)
        if value is not None:
            reach += rule.points * reached(rule, value)
            most += rule.points
    return reach * 100 / most if most else 0.0


def error_of(sessions: Mapping[str, Inputs]) -> int:
    """Half of the 95 % interval around the score, by leaving out one session at a time.

    (The jackknife.) The score itself does not depend on how much there is of the same.
    """
    known = [inputs for inputs in sessions.values() if inputs.prompt_tokens]
    if len(known) < 2:
        return ONE_SESSION_ERROR
    whole = Inputs(*map(sum, zip(*known, strict=True)))
    scores = [_points(whole.minus(one)) for one in known]
    mean = sum(scores) / len(scores)
    spread = sum((score - mean) ** 2 for score in scores) * (len(scores) - 1) / len(scores)
    return min(50, max(1, ceil(1.96 * sqrt(spread))))


def grade_of(score: int) -> str:
    """A to F."""
    return next(grade for least, grade in GRADES if score >= least)


def _past(weeks: Mapping[int, Inputs], before: int) -> tuple[PastScore, ...]:
    """The last scored weeks before one, the oldest first."""
    found: list[PastScore] = []
    for week in sorted(weeks):
        score = score_of(weeks[week]) if week < before else None
        if score is not None:
            found.append(PastScore(day_label(week), score, weeks[week].requests))
    return tuple(found[-PAST_WEEKS:])


def _recent(daily: Iterable[Daily], days: Days, week: int, score: int | None) -> int | None:
    """The score that is compared with the past: of the period's last week, if it is longer."""
    if days.first >= week:
        return score
    return score_of(split_of(daily, Days(max(days.first, week), days.last)).whole())


def _sentence(
    score: int | None,
    error: int,
    grade: str,
    change: int | None,
    parts: Sequence[Part],
    whole: Inputs,
) -> str:
    if score is None:
        return f"Not scored: {whole.requests} of {FEWEST_REQUESTS} requests that a score needs."
    text = f"{score} of 100 (±{error}), grade {grade}"
    if change is not None:
        where = "at" if not change else f"{abs(change)} {'above' if change > 0 else 'below'}"
        text += f"; the last week is {where} the median of your weeks before"
    most = max(parts, key=lambda part: part.most_points - part.points)
    gain = round(most.most_points - most.points)
    if gain < 1:
        return f"{text}."
    return f"{text}. Most to gain, {gain} points: {most.title.lower()} ({most.said})."


def _limited(share: float) -> float:
    return min(1.0, max(0.0, share))
