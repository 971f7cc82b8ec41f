"""The score: bounded, monotone in every part, the same for more of the same, against one's past."""

from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.analysis.profile_builders import (
    MONDAY,
    result,
    sighting,
    spend,
    studies,
    study,
    thread,
    tool_day,
)

from tokenbudget.analysis.efficiency_inputs import Inputs, daily_of, split_of
from tokenbudget.analysis.efficiency_score import (
    FEWEST_REQUESTS,
    ONE_SESSION_ERROR,
    RULES,
    Rule,
    efficiency_of,
    error_of,
    parts_of,
    reached,
    score_of,
)
from tokenbudget.analysis.profile_sums import Days
from tokenbudget.analysis.study import FileStudy

GOOD = Inputs(
    requests=100,
    prompt_tokens=1_000_000,
    cache_read_tokens=985_000,
    total_tokens=1_010_000,
    cost_pico_usd=10**12,
    added_tokens=100_000,
    carried_tokens=1_000_000,
    file_sent_tokens=300_000,
    calls=200,
)


@st.composite
def inputs(draw: st.DrawFn) -> Inputs:
    """Inputs that can be."""
    prompt = draw(st.integers(1, 10**9))
    files = draw(st.integers(0, prompt))
    calls = draw(st.integers(0, 5_000))
    cost = draw(st.sampled_from([0, 10**12]))
    return Inputs(
        requests=draw(st.integers(FEWEST_REQUESTS, 10_000)),
        prompt_tokens=prompt,
        cache_read_tokens=draw(st.integers(0, prompt)),
        total_tokens=prompt,
        cost_pico_usd=cost,
        unpriced_tokens=draw(st.sampled_from([0, 1])),
        added_tokens=draw(st.integers(0, 10**7)),
        carried_tokens=prompt,
        file_sent_tokens=files,
        again_sent_tokens=draw(st.integers(0, files)),
        lost_tokens=draw(st.integers(0, prompt)),
        lost_pico_usd=draw(st.integers(0, cost)),
        calls=calls,
        failed_calls=draw(st.integers(0, calls)),
    )


class TestScore:
    def test_the_best_is_a_hundred(self) -> None:
        assert score_of(GOOD) == 100

    def test_the_worst_is_nothing(self) -> None:
        worst = GOOD._replace(
            cache_read_tokens=0,
            lost_pico_usd=10**12,
            again_sent_tokens=300_000,
            failed_calls=200,
            carried_tokens=100_000_000,
        )
        assert score_of(worst) == 0

    @given(inputs())
    def test_is_between_both(self, some: Inputs) -> None:
        assert 0 <= (score_of(some) or 0) <= 100

    @given(inputs())
    def test_points_of_the_parts_are_the_score(self, some: Inputs) -> None:
        parts = parts_of(some)
        assert round(sum(part.points for part in parts)) == score_of(some)
        assert abs(sum(part.most_points for part in parts) - 100) < 1e-6

    @given(st.sampled_from(RULES), st.floats(0, 1), st.floats(0, 1))
    def test_a_better_value_never_has_fewer_points(
        self, rule: Rule, one: float, other: float
    ) -> None:
        low, high = sorted((one, other))
        span = rule.full_at - rule.nothing_at
        worse, better = rule.nothing_at + low * span, rule.nothing_at + high * span

        assert reached(rule, worse) <= reached(rule, better)

    @given(inputs(), st.integers(1, 10**9))
    def test_improving_an_ingredient_never_lowers_it(self, some: Inputs, by: int) -> None:
        before = score_of(some) or 0
        for better in (
            some._replace(lost_tokens=max(0, some.lost_tokens - by)),
            some._replace(lost_pico_usd=max(0, some.lost_pico_usd - by)),
            some._replace(cache_read_tokens=min(some.prompt_tokens, some.cache_read_tokens + by)),
            some._replace(again_sent_tokens=max(0, some.again_sent_tokens - by)),
            some._replace(failed_calls=max(0, some.failed_calls - by)),
            some._replace(carried_tokens=max(0, some.carried_tokens - by)),
        ):
            assert (score_of(better) or 0) >= before

    @given(inputs(), st.integers(2, 9))
    def test_more_of_the_same_does_not_change_it(self, some: Inputs, times: int) -> None:
        assert score_of(Inputs(*(value * times for value in some))) == score_of(some)

    def test_too_little_is_not_scored(self) -> None:
        assert score_of(GOOD._replace(requests=FEWEST_REQUESTS - 1)) is None

    def test_what_cannot_be_told_weighs_nothing(self) -> None:
        unread = GOOD._replace(file_sent_tokens=0)
        assert score_of(unread) == 100
        assert next(part for part in parts_of(unread) if part.key == "re_reads").most_points == 0


class TestError:
    def test_of_one_session_is_what_one_is_off(self) -> None:
        assert error_of({"s1": GOOD}) == ONE_SESSION_ERROR

    def test_narrows_with_more_of_the_same(self) -> None:
        worse = GOOD._replace(cache_read_tokens=900_000)
        few = {"a": GOOD, "b": worse, "c": GOOD}
        many = {f"{name}{n}": one for name, one in few.items() for n in range(20)}

        assert error_of(many) < error_of(few)

    def test_of_equal_sessions_is_the_least(self) -> None:
        assert error_of({str(n): GOOD for n in range(30)}) == 1


def week(number: int, session: str, cost_lost: int = 0, requests: int = 30) -> FileStudy:
    """A session in a week, counted from this one."""
    day = MONDAY + 7 * number
    return study(
        thread(
            result("Bash", day=day, cost=1_000, read=99_000, write_1h=1_000, added=5_000),
            tools=[tool_day("Bash", 10, day)],
            sightings=[sighting("polling", 10, cost_lost, day)],
            requests=requests,
        ),
        session=session,
    )


class TestPast:
    def test_is_the_whole_weeks_before(self) -> None:
        files = [week(-2, "a"), week(-1, "b"), week(0, "c")]
        found = efficiency_of(files, Days(MONDAY), today=MONDAY + 3)

        assert [one.begins for one in found.past] == ["2026-11-02", "2026-11-09"]
        assert found.change == 0

    def test_a_worse_week_is_below_the_median(self) -> None:
        files = [week(-2, "a"), week(-1, "b"), week(0, "c", cost_lost=450)]
        found = efficiency_of(files, Days(MONDAY), today=MONDAY + 3)

        assert found.change is not None
        assert found.change < -20
        assert "below the median" in found.sentence

    def test_of_all_time_compares_the_last_week(self) -> None:
        files = [week(-2, "a", cost_lost=450), week(-1, "b", cost_lost=450), week(0, "c")]
        found = efficiency_of(files, today=MONDAY + 3)

        assert found.change is not None
        assert found.change > 20

    def test_a_week_with_little_use_is_left_out(self) -> None:
        files = [week(-1, "b", requests=FEWEST_REQUESTS - 1), week(0, "c")]

        assert efficiency_of(files, Days(MONDAY), today=MONDAY + 3).past == ()

    def test_of_a_session_are_all_others(self) -> None:
        files = [week(-1, "a"), week(0, "b"), week(0, "c")]
        found = efficiency_of(files[1:2], today=MONDAY + 3, past_files=files)

        assert [one.requests for one in found.past] == [30]


class TestInputs:
    def test_each_drain_weighs_in_one_part(self) -> None:
        seen = [
            sighting("polling", 1, 10),
            sighting("re-read", 2, 20),
            sighting("stale-copy", 4, 40),
            sighting("failing-command", 8, 80),
        ]
        whole = split_of(daily_of([study(thread(sightings=seen))]), Days()).whole()

        assert (whole.lost_tokens, whole.lost_pico_usd, whole.again_sent_tokens) == (1, 10, 6)

    def test_a_prefix_without_pieces_is_not_carried(self) -> None:
        spends = [spend(component="prefix", read=7_000, pieces=0, added=0), result("Bash")]
        whole = split_of(daily_of([study(thread(*spends))]), Days()).whole()

        assert (whole.prompt_tokens, whole.carried_tokens, whole.added_tokens) == (
            8_000,
            1_000,
            100,
        )

    @settings(deadline=None)  # a loaded machine is no fault
    @given(studies())
    def test_sessions_add_up_to_the_period(self, files: list) -> None:  # type: ignore[type-arg]
        split = split_of(daily_of(files), Days())
        spent = sum(sum(row[8:13]) for file in files for one in file.threads for row in one.spends)

        assert split.whole().total_tokens == spent

    @settings(deadline=None)  # a loaded machine is no fault
    @given(studies())
    def test_twice_the_same_sessions_have_the_same_score(self, files: list) -> None:  # type: ignore[type-arg]
        again = [file._replace(session=f"{file.session}-again") for file in files]
        once, twice = efficiency_of(files), efficiency_of([*files, *again])

        if once.score is not None:
            assert twice.score == once.score


def test_the_page_has_the_points_and_anchors_of_the_code() -> None:
    page = (Path(__file__).parents[2] / "docs" / "efficiency.md").read_text()
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in page.splitlines()]
    told = {row[0]: row for row in rows if len(row) == 5}

    for rule in RULES:
        unit = (lambda value: f"{value} times") if rule.is_by_factor else "{:.0%}".format
        anchors = [unit(rule.nothing_at), unit(rule.full_at)]
        assert told[rule.key][2:] == [str(rule.points), *anchors]
    assert sum(rule.points for rule in RULES) == 100
