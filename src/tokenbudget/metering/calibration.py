"""Learn how a model counts from what its own requests reported.

Two requests in a row tell, to the token, by how much the window grew; where everything new in it is
visible, that is a measured count of known text. Enough such steps give the weights of a linear rule

    tokens = sum of weight x feature        features: `Measure`, and one per piece of each kind

fitted by least absolute relative error, drawn towards a prior so that few steps do no harm. The
prior knows two things: models since early 2026 write the same text in about a third more tokens
than those before (1.56 against 1.16 per o200k token, medians over public sessions), and every piece
costs a few tokens of its own.
"""

from __future__ import annotations

from typing import NamedTuple

from tokenbudget.metering.windows import own_name

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from typing import TypeAlias

    from tokenbudget.model.window import Measure

    _Error: TypeAlias = tuple[float, float | None]

FEATURES = ("bpe", "lower", "upper", "digit", "space", "line", "sign", "high")
"""Names of the fields of `Measure`, as weights are called."""
STEP = "step"
"""The weight of a turn itself: what an answer takes in the window beside what was billed for it."""

FEWEST_STEPS = 12
"""Below this the prior is used as it is."""
MOST_STEPS = 1500
"""Of one model; more say nothing new."""
FOLDS = 3
UNEXPLAINED = 0.5
"""A step whose text misses by more is not a matter of counting."""

OLD_RATIO, NEW_RATIO = 1.16, 1.56
PIECE_TOKENS = 8.0
PRIOR_ERROR = 0.15
"""P90 of the relative error of the prior alone, over public sessions."""

_USUAL_TEXT = {
    "bpe": 1.0, "lower": 2.2, "upper": 0.14, "digit": 0.2, "space": 0.52, "line": 0.08,
    "sign": 0.44, "high": 0.03,
}  # fmt: skip
"""Bytes of each kind per o200k token, means over public sessions' tool results."""

_SPREAD = {"bpe": 0.4, "upper": 0.2, "digit": 0.2, "sign": 0.2, "high": 0.3, STEP: 40.0}
_BYTE_SPREAD = 0.1
_PIECE_SPREAD = 150.0
_SMALLEST_STEP_TOKENS = 50
_ROUNDS = 12
_SHARPNESS = 0.005
_OLD_MODELS = (
    "claude-2", "claude-3", "claude-instant", "claude-opus-4-0", "claude-opus-4-1",
    "claude-opus-4-2", "claude-opus-4@", "claude-opus-4-5", "claude-opus-4-6", "claude-sonnet-4",
    "claude-haiku-4",
)  # fmt: skip


class Step(NamedTuple):
    """What one request added that was visible, and by how much the window grew for it."""

    session: str
    growth_tokens: int
    """Growth of the window since the request before."""
    known_tokens: int
    """Of it, what the response between them is known to have added: its reported output."""
    measure: Measure
    """Sum over the pieces that are new."""
    pieces: Mapping[str, int]
    """How many of each kind."""


class Fit(NamedTuple):
    """How to count for one model, and how well that went on steps that were not learnt from."""

    weights: Mapping[str, float]
    steps: int
    sessions: int
    median_error: float | None
    """Relative, of the growth of the window; None where nothing could be held out."""
    p90_error: float
    p90_text_error: float
    """Relative, of the new text alone, for steps of 200 tokens and more that text explains."""
    unexplained_share: float
    """Share of those steps that miss by more than half: something grew that nobody can see."""

    @property
    def is_learnt(self) -> bool:
        """Whether the user's own sessions had a say."""
        return self.steps >= FEWEST_STEPS

    @property
    def average_ratio(self) -> float:
        """Tokens per token of the public vocabulary, for text of the usual mixture."""
        weights = self.weights
        return sum(weights[name] * share for name, share in _USUAL_TEXT.items())

    def tokens(self, measure: Measure, kind: str) -> float:
        """What one piece counts; never below 0."""
        weights = self.weights
        total = sum(
            weights[name] * amount for name, amount in zip(FEATURES, measure, strict=True) if amount
        )
        return max(0.0, total + weights.get(kind, PIECE_TOKENS))


def generation_ratio(model: str) -> float:
    """Tokens per o200k token of a model nobody has measured yet, by its name."""
    name = own_name(model)
    is_old = name.startswith(_OLD_MODELS) or name == "claude-opus-4"
    return OLD_RATIO if is_old else NEW_RATIO


def prior(model: str) -> Fit:
    """The rule before anything is learnt."""
    return Fit(_prior_weights(generation_ratio(model)), 0, 0, None, PRIOR_ERROR, PRIOR_ERROR, 0.0)


def _prior_weights(ratio: float) -> dict[str, float]:
    return dict.fromkeys(FEATURES, 0.0) | {"bpe": ratio, STEP: 0.0}


def calibrate(steps_by_model: Mapping[str, Sequence[Step]]) -> dict[str, Fit]:
    """Learn every model's weights: first what its generation shares, from there its own.

    The result also holds the shared rule of each generation, under `generation_name`, for models
    of which too little was seen. Errors are those of sessions that were held out.
    """
    fits: dict[str, Fit] = {}
    for ratio in (OLD_RATIO, NEW_RATIO):
        members = {
            model: [step for step in steps if step.growth_tokens > 0][-MOST_STEPS:]
            for model, steps in steps_by_model.items()
            if generation_ratio(model) == ratio
        }
        if members:
            fits |= _calibrate_generation(ratio, members)
    return fits


def fit_of(model: str, fits: Mapping[str, Fit]) -> Fit:
    """How to count for a model: its own rule, its generation's, or the prior."""
    own = fits.get(model)
    if own is not None and own.is_learnt:
        return own
    shared = fits.get(generation_name(generation_ratio(model)))
    return shared if shared is not None and shared.is_learnt else prior(model)


def generation_name(ratio: float) -> str:
    """How the shared rule of a generation is called among the models' own."""
    return f"all at {ratio}"


def _calibrate_generation(ratio: float, members: Mapping[str, Sequence[Step]]) -> dict[str, Fit]:
    begin = _prior_weights(ratio)
    pool = _newest([step for steps in members.values() for step in steps])
    errors: dict[str, list[_Error]] = {model: [] for model in members}
    sessions = sorted({step.session for step in pool})
    folds = min(FOLDS, len(sessions))
    for fold in range(folds if folds > 1 else 0):
        held = set(sessions[fold::folds])
        shared = _solve(_outside(pool, held), begin)
        for model, steps in members.items():
            weights = _own_or_shared(_outside(steps, held), shared)
            errors[model] += _errors([s for s in steps if s.session in held], weights)
    shared = _solve(pool, begin) if len(pool) >= FEWEST_STEPS else begin
    fits = {
        model: _fit(_own_or_shared(steps, shared), steps, errors[model])
        for model, steps in members.items()
    }
    everything = [error for some in errors.values() for error in some]
    return fits | {generation_name(ratio): _fit(shared, pool, everything)}


def _outside(steps: Sequence[Step], held: set[str]) -> list[Step]:
    return [step for step in steps if step.session not in held]


def _newest(steps: list[Step]) -> list[Step]:
    """At most `MOST_STEPS`, spread evenly over what there is."""
    return steps[:: -(-len(steps) // MOST_STEPS)] if steps else []


def _own_or_shared(steps: Sequence[Step], shared: Mapping[str, float]) -> Mapping[str, float]:
    return _solve(steps, shared) if len(steps) >= FEWEST_STEPS else shared


def _fit(weights: Mapping[str, float], steps: Sequence[Step], errors: list[_Error]) -> Fit:
    is_held_out = bool(errors)
    if len(steps) < FEWEST_STEPS:
        errors, is_held_out = [], False
    elif not errors:  # one session alone: what it says of itself, doubled
        errors = [(2 * a, None if b is None else 2 * b) for a, b in _errors(steps, weights)]
    growth = sorted(error for error, _ in errors) or [PRIOR_ERROR]
    text = sorted(error for _, error in errors if error is not None)
    explained = [error for error in text if error <= UNEXPLAINED] or [PRIOR_ERROR]
    return Fit(
        weights,
        len(steps),
        len({step.session for step in steps}),
        quantile(growth, 0.5) if is_held_out else None,
        quantile(growth, 0.9),
        quantile(explained, 0.9),
        sum(error > UNEXPLAINED for error in text) / len(text) if text else 0.0,
    )


def predicted_growth(step: Step, weights: Mapping[str, float]) -> float:
    """By how much the window should have grown."""
    return step.known_tokens + sum(weights.get(name, 0.0) * x for name, x in _row(step))


def quantile(ordered: Sequence[float], share: float) -> float:
    """The value at a share of an ascending list."""
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def _errors(steps: Iterable[Step], weights: Mapping[str, float]) -> list[_Error]:
    """Relative errors of (the growth, the text in it if that is 200 tokens or more)."""
    found: list[_Error] = []
    for step in steps:
        error = abs(predicted_growth(step, weights) - step.growth_tokens)
        text = step.growth_tokens - step.known_tokens
        found.append((error / step.growth_tokens, error / text if text >= 200 else None))
    return found


def _row(step: Step) -> list[tuple[str, float]]:
    """The features of a step that are not 0."""
    row: list[tuple[str, float]] = [(STEP, 1.0)]
    row += [(name, float(x)) for name, x in zip(FEATURES, step.measure, strict=True) if x]
    return row + [(kind, float(count)) for kind, count in step.pieces.items()]


def _solve(steps: Sequence[Step], start: Mapping[str, float]) -> dict[str, float]:
    """Weights of least absolute relative error, by re-weighted ridge regression around `start`.

    A kind of piece that `start` does not know begins at `PIECE_TOKENS`.
    """
    rows = [_row(step) for step in steps]
    names = sorted({name for row in rows for name, _ in row} | set(start))
    place = {name: index for index, name in enumerate(names)}
    begin = [start.get(name, PIECE_TOKENS) for name in names]
    spread = [_spread(name) for name in names]
    scaled: list[tuple[list[tuple[int, float]], float]] = []
    for step, row in zip(steps, rows, strict=True):
        size = max(step.growth_tokens, _SMALLEST_STEP_TOKENS)
        target = float(step.growth_tokens - step.known_tokens)
        target -= sum(begin[place[name]] * x for name, x in row)
        scaled.append(([(place[n], x * spread[place[n]] / size) for n, x in row], target / size))
    change = _least_absolute(scaled, len(names))
    return {name: begin[index] + change[index] * spread[index] for index, name in enumerate(names)}


def _spread(name: str) -> float:
    """How far a weight may plausibly lie from its prior."""
    if name in _SPREAD:
        return _SPREAD[name]
    return _BYTE_SPREAD if name in FEATURES else _PIECE_SPREAD


def _least_absolute(
    rows: Sequence[tuple[list[tuple[int, float]], float]], width: int
) -> list[float]:
    """Each round adds up the lower triangle of the normal equations; that is all that is read."""
    found = [0.0] * width
    products = [
        [
            (i * width + j if i >= j else j * width + i, x * y)
            for place, (i, x) in enumerate(row)
            for j, y in row[: place + 1]
        ]
        for row, _ in rows
    ]
    for _ in range(_ROUNDS):
        flat = [0.0] * (width * width)
        right = [0.0] * width
        for (row, target), pairs in zip(rows, products, strict=True):
            told = -target
            for i, x in row:
                told += found[i] * x
            weight = 1.0 / max(abs(told), _SHARPNESS)
            for place, product in pairs:
                flat[place] += weight * product
            weight *= target
            for i, x in row:
                right[i] += weight * x
        matrix = [flat[i * width : (i + 1) * width] for i in range(width)]
        for i in range(width):
            matrix[i][i] += 1.0
        found = solve_linear(matrix, right)
    return found


def solve_linear(matrix: list[list[float]], right: list[float]) -> list[float]:
    """Solve a symmetric positive definite system by Cholesky; both arguments are used up.

    Only the lower triangle is read.
    """
    size = len(right)
    for i in range(size):
        row = matrix[i]
        for j in range(i + 1):
            other = matrix[j]
            total = row[j] - sum(row[k] * other[k] for k in range(j))
            row[j] = total**0.5 if i == j else total / other[j]
    for i in range(size):
        right[i] = (right[i] - sum(matrix[i][k] * right[k] for k in range(i))) / matrix[i][i]
    for i in reversed(range(size)):
        below = sum(matrix[k][i] * right[k] for k in range(i + 1, size))
        right[i] = (right[i] - below) / matrix[i][i]
    return right
