import random
from collections.abc import Iterable, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tokenbudget.metering.calibration import (
    FEATURES,
    FEWEST_STEPS,
    NEW_RATIO,
    OLD_RATIO,
    PIECE_TOKENS,
    PRIOR_ERROR,
    STEP,
    Fit,
    Step,
    calibrate,
    fit_of,
    generation_name,
    generation_ratio,
    predicted_growth,
    prior,
    quantile,
    solve_linear,
)
from tokenbudget.model.window import Measure

NEW, OTHER_NEW, OLD = "claude-opus-5-5", "claude-sonnet-5", "claude-sonnet-4-5"
NOTHING = Measure(0, 0, 0, 0, 0, 0, 0, 0)
TRUTH = dict.fromkeys(FEATURES, 0.0) | {"bpe": 1.3, "high": 0.1, "tool_result": 25.0, STEP: 6.0}


def text(chance: random.Random) -> Measure:
    """A text whose kinds of characters vary by themselves."""
    tokens = chance.randint(100, 6_000)
    shares = (1, *(chance.uniform(0, most) for most in (4, 0.5, 0.8, 1, 0.3, 1, 1.5)))
    return Measure._make(round(tokens * share) for share in shares)


def steps_by(
    truth: dict[str, float], count: int, *, seed: int = 1, sessions: int = 6, noise: float = 0.0
) -> list[Step]:
    """Steps of a model that counts by these weights."""
    chance = random.Random(seed)
    found: list[Step] = []
    for number in range(count):
        measure, results = text(chance), chance.randint(1, 3)
        plain = Step(f"session {number % sessions}", 0, 40, measure, {"tool_result": results})
        grown = predicted_growth(plain, truth) * chance.uniform(1 - noise, 1 + noise)
        found.append(plain._replace(growth_tokens=round(grown)))
    return found


def worst_error(fit: Fit, steps: Iterable[Step]) -> float:
    """The largest relative error of the growth that a rule predicts."""
    return max(abs(predicted_growth(step, fit.weights) / step.growth_tokens - 1) for step in steps)


class TestLearning:
    def test_a_rule_that_steps_follow_is_found(self) -> None:
        fit = calibrate({NEW: steps_by(TRUTH, 120)})[NEW]

        assert worst_error(fit, steps_by(TRUTH, 60, seed=2)) < 0.03
        assert fit.p90_error < 0.02
        assert fit.is_learnt
        assert (fit.steps, fit.sessions) == (120, 6)

    def test_the_weights_themselves_are_found(self) -> None:
        weights = calibrate({NEW: steps_by(TRUTH, 600)})[NEW].weights

        assert weights["bpe"] == pytest.approx(1.3, abs=0.05)
        assert weights["high"] == pytest.approx(0.1, abs=0.03)
        assert weights["tool_result"] == pytest.approx(25, abs=10)

    def test_one_step_in_ten_that_lies_wildly_changes_little(self) -> None:
        steps = steps_by(TRUTH, 200, noise=0.02)
        chance = random.Random(3)
        lying = [
            step._replace(growth_tokens=step.growth_tokens * chance.randint(3, 30))
            if number % 10 == 0
            else step
            for number, step in enumerate(steps)
        ]

        fit = calibrate({NEW: lying})[NEW]

        assert worst_error(fit, steps_by(TRUTH, 60, seed=2)) < 0.05
        assert fit.median_error is not None
        assert fit.median_error < 0.03
        assert fit.unexplained_share == pytest.approx(0.1, abs=0.02)

    def test_few_steps_leave_the_prior_as_it_is(self) -> None:
        fits = calibrate({NEW: steps_by(TRUTH, FEWEST_STEPS - 1)})

        assert fits[NEW].weights == prior(NEW).weights
        assert not fits[NEW].is_learnt
        assert fit_of(NEW, fits) == prior(NEW)

    def test_steps_that_did_not_grow_teach_nothing(self) -> None:
        shrunk = [step._replace(growth_tokens=-5) for step in steps_by(TRUTH, 50)]

        assert calibrate({NEW: shrunk})[NEW].weights == prior(NEW).weights
        assert calibrate({NEW: shrunk})[NEW].steps == 0

    def test_nothing_known_is_learnt_of_nobody(self) -> None:
        assert calibrate({}) == {}
        fit = calibrate({NEW: []})[NEW]
        assert (fit.steps, fit.median_error, fit.p90_error) == (0, None, PRIOR_ERROR)

    def test_what_is_learnt_twice_is_the_same(self) -> None:
        steps = {NEW: steps_by(TRUTH, 60, noise=0.1), OLD: steps_by(TRUTH, 20, seed=4)}

        assert calibrate(steps) == calibrate({name: list(some) for name, some in steps.items()})


class TestHeldOut:
    """Errors are those of sessions that were not learnt from."""

    def test_what_holds_in_one_session_only_does_not_lower_its_error(self) -> None:
        steps = [  # every session has words of its own around its results
            step._replace(
                pieces={f"reminder:{step.session}": 1},
                growth_tokens=step.growth_tokens + 200 * (1 + int(step.session[-1])),
            )
            for step in steps_by(TRUTH, 120, sessions=3)
        ]

        fit = calibrate({NEW: steps})[NEW]

        own = sorted(
            abs(predicted_growth(step, fit.weights) / step.growth_tokens - 1) for step in steps
        )
        assert fit.median_error is not None
        assert fit.median_error > 5 * quantile(own, 0.5)

    def test_the_same_lie_in_every_session_is_learnt(self) -> None:
        steps = [
            step._replace(pieces={"reminder:x": 1}, growth_tokens=step.growth_tokens + 300)
            for step in steps_by(TRUTH, 120)
        ]

        fit = calibrate({NEW: steps})[NEW]

        assert fit.p90_error < 0.03

    def test_a_single_session_cannot_be_held_out_and_its_own_error_is_doubled(self) -> None:
        steps = steps_by(TRUTH, 60, sessions=1, noise=0.2)

        fit = calibrate({NEW: steps})[NEW]

        own = sorted(
            abs(predicted_growth(step, fit.weights) / step.growth_tokens - 1) for step in steps
        )
        assert fit.median_error is None
        assert fit.p90_error == pytest.approx(2 * quantile(own, 0.9))

    def test_a_step_that_text_does_not_explain_is_told_apart_from_its_error(self) -> None:
        steps = steps_by(TRUTH, 90)
        unseen = [
            step._replace(growth_tokens=5 * step.growth_tokens) if number % 30 == 7 else step
            for number, step in enumerate(steps)
        ]

        fit = calibrate({NEW: unseen})[NEW]

        assert fit.unexplained_share == pytest.approx(3 / 90)
        assert fit.p90_text_error < 0.03


class TestGenerations:
    @pytest.mark.parametrize(
        ("model", "ratio"),
        [
            (NEW, NEW_RATIO),
            ("claude-opus-4-7", NEW_RATIO),
            ("mystery-1", NEW_RATIO),
            ("claude-opus-4-6", OLD_RATIO),
            ("claude-sonnet-4-6", OLD_RATIO),
            ("claude-haiku-4-5-20251001", OLD_RATIO),
            ("Claude-3-7-Sonnet", OLD_RATIO),
        ],
    )
    def test_a_name_tells_the_generation(self, model: str, ratio: float) -> None:
        assert generation_ratio(model) == ratio
        assert prior(model).weights["bpe"] == ratio

    @pytest.mark.parametrize(
        "model", ["anthropic.claude-sonnet-4-5-v1:0", "us.anthropic.claude-3-7-sonnet"]
    )
    def test_who_serves_a_model_does_not_change_its_generation(self, model: str) -> None:
        assert generation_ratio(model) == OLD_RATIO

    @pytest.mark.parametrize("model", ["claude-opus-4", "claude-opus-4@20250514"])
    def test_opus_4_is_an_older_model_however_its_date_is_written(self, model: str) -> None:
        assert generation_ratio(model) == OLD_RATIO

    def test_a_model_of_few_steps_counts_as_its_generation(self) -> None:
        fits = calibrate(
            {NEW: steps_by(TRUTH, 100), OTHER_NEW: steps_by(TRUTH, 3), OLD: steps_by(TRUTH, 3)}
        )

        assert fit_of(OTHER_NEW, fits) == fits[generation_name(NEW_RATIO)]
        assert worst_error(fit_of(OTHER_NEW, fits), steps_by(TRUTH, 30, seed=2)) < 0.05
        assert fit_of(OLD, fits) == prior(OLD)

    def test_a_model_of_many_steps_keeps_its_own_way_of_counting(self) -> None:
        dearer = TRUTH | {"bpe": 1.6}
        fits = calibrate({NEW: steps_by(TRUTH, 100), OTHER_NEW: steps_by(dearer, 100, seed=5)})

        assert worst_error(fit_of(NEW, fits), steps_by(TRUTH, 30, seed=2)) < 0.06
        assert worst_error(fit_of(OTHER_NEW, fits), steps_by(dearer, 30, seed=2)) < 0.06

    def test_few_steps_of_many_models_together_are_enough_for_the_generation(self) -> None:
        fits = calibrate({f"claude-opus-5-{n}": steps_by(TRUTH, 6, seed=n) for n in range(5)})

        shared = fits[generation_name(NEW_RATIO)]
        assert shared.steps == 30
        assert fit_of("claude-opus-5-9", fits) == shared


class TestChoice:
    """A model's own rule, its generation's, or the prior."""

    own, shared = (
        prior(NEW)._replace(steps=steps, weights={**prior(NEW).weights, "bpe": bpe})
        for steps, bpe in ((FEWEST_STEPS, 1.1), (FEWEST_STEPS, 1.2))
    )

    def test_its_own_rule_goes_first(self) -> None:
        fits = {NEW: self.own, generation_name(NEW_RATIO): self.shared}

        assert fit_of(NEW, fits) == self.own

    def test_a_rule_of_too_few_steps_gives_way_to_the_generations(self) -> None:
        few = self.own._replace(steps=FEWEST_STEPS - 1)

        assert fit_of(NEW, {NEW: few, generation_name(NEW_RATIO): self.shared}) == self.shared

    def test_without_any_the_prior_counts(self) -> None:
        few = self.own._replace(steps=FEWEST_STEPS - 1)

        assert fit_of(NEW, {}) == prior(NEW)
        assert fit_of(NEW, {NEW: few, generation_name(NEW_RATIO): few}) == prior(NEW)

    def test_another_generations_rule_does_not_count(self) -> None:
        assert fit_of(OLD, {generation_name(NEW_RATIO): self.shared}) == prior(OLD)


class TestCounting:
    def test_the_prior_counts_the_vocabulary_and_a_few_tokens_for_the_piece(self) -> None:
        assert prior(NEW).tokens(NOTHING._replace(bpe_tokens=100), "text") == 156 + PIECE_TOKENS
        assert prior(OLD).tokens(NOTHING, "text") == PIECE_TOKENS

    def test_a_kind_that_was_learnt_has_its_own_tokens(self) -> None:
        fit = prior(NEW)._replace(weights={**prior(NEW).weights, "text": 3.0})

        assert fit.tokens(NOTHING, "text") == 3
        assert fit.tokens(NOTHING, "tool_result") == PIECE_TOKENS

    @given(
        st.dictionaries(st.sampled_from([*FEATURES, "text"]), st.floats(-100, 100)),
        st.builds(Measure, *[st.integers(0, 10**9)] * 8),
    )
    def test_a_piece_never_counts_below_nothing(
        self, weights: dict[str, float], measure: Measure
    ) -> None:
        fit = prior(NEW)._replace(weights={**prior(NEW).weights, **weights})

        assert fit.tokens(measure, "text") >= 0

    def test_the_average_ratio_of_the_priors_is_their_own(self) -> None:
        assert prior(NEW).average_ratio == NEW_RATIO
        assert prior(OLD).average_ratio == OLD_RATIO


any_steps = st.lists(
    st.builds(
        Step,
        st.sampled_from(["s1", "s2", "s3"]),
        st.integers(-(10**7), 10**7),
        st.integers(0, 10**6),
        st.builds(Measure, *[st.integers(0, 10**6)] * 8),
        st.dictionaries(st.sampled_from(["text", "prompt", "reminder:x"]), st.integers(1, 5)),
    ),
    max_size=30,
)


@settings(max_examples=25, deadline=None)
@given(any_steps, any_steps)
def test_whatever_is_told_numbers_come_of_it(first: list[Step], second: list[Step]) -> None:
    for fit in calibrate({NEW: first, OLD: second}).values():
        assert all(abs(weight) < float("inf") for weight in fit.weights.values())
        assert 0 <= fit.p90_error < float("inf")
        assert 0 <= fit.unexplained_share <= 1
        assert fit.tokens(NOTHING._replace(bpe_tokens=100), "text") >= 0


class TestSolving:
    def test_systems_made_by_hand(self) -> None:
        assert solve_linear([[4.0]], [8.0]) == [2.0]
        assert solve_linear([[2.0, 1.0], [1.0, 2.0]], [4.0, 5.0]) == pytest.approx([1, 2])
        matrix = [[4.0, 12.0, -16.0], [12.0, 37.0, -43.0], [-16.0, -43.0, 98.0]]
        assert solve_linear(matrix, [-20.0, -43.0, 192.0]) == pytest.approx([1, 2, 3])

    def test_nothing_to_solve_is_solved(self) -> None:
        assert solve_linear([], []) == []

    @given(
        st.integers(1, 6).flatmap(
            lambda size: st.tuples(
                st.lists(
                    st.lists(st.floats(-10, 10), min_size=size, max_size=size),
                    min_size=size,
                    max_size=size,
                ),
                st.lists(st.floats(-1e3, 1e3), min_size=size, max_size=size),
            )
        )
    )
    def test_a_solution_solves_its_system(
        self, system: tuple[list[list[float]], list[float]]
    ) -> None:
        matrix, right = _positive_definite(system[0]), system[1]

        found = solve_linear([list(row) for row in matrix], list(right))

        for row, expected in zip(matrix, right, strict=True):
            assert _dot(row, found) == pytest.approx(expected, abs=1e-5)


def _dot(first: Sequence[float], second: Sequence[float]) -> float:
    return sum(x * y for x, y in zip(first, second, strict=True))


def _positive_definite(rows: list[list[float]]) -> list[list[float]]:
    """Its products with itself, and 1 on the diagonal: as calibration makes them."""
    return [
        [_dot(row, other) + (i == j) for j, other in enumerate(rows)] for i, row in enumerate(rows)
    ]


@pytest.mark.parametrize(("share", "value"), [(0, 1), (0.5, 6), (0.9, 10), (1, 10)])
def test_quantiles_of_ten(share: float, value: int) -> None:
    assert quantile(range(1, 11), share) == value
