"""The figures of docs/forecast.md rest on this tool, so the tool is tested as well."""

import json
import random
from pathlib import Path

import pytest

import forecast_backtest as backtest
import forecast_limits
from forecast_backtest import series_of, sessions_in
from forecast_scoring import Case, pinball, scored
from tokenbudget.budget.limits import FIVE_HOURS_MS


def line(key: str, second: int, prompt: int, output: int = 5, **more: object) -> str:
    usage = {"input_tokens": 1, "cache_read_input_tokens": prompt - 1, "output_tokens": output}
    return json.dumps(
        {
            "timestamp": f"2026-01-01T00:{second // 60:02}:{second % 60:02}Z",
            "message": {"id": key, "model": "claude-opus-4-6", "usage": usage},
            **more,
        }
    )


def written(folder: Path, name: str, lines: list[str]) -> Path:
    path = folder / name
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


def case(actual: float, *, is_crossed: bool, ours: tuple[float, float, float] = (2, 4, 8)) -> Case:
    return Case(0, ours, 4, 4, actual, is_crossed, int(actual))


def test_copies_of_a_response_are_one_point_with_the_largest_counts(tmp_path: Path) -> None:
    lines = [
        line("a", 0, 100, output=1),
        line("a", 1, 100, output=50),
        line("b", 9, 200),
        line("c", 10, 300, isSidechain=True),
        "not json",
    ]
    points = series_of(written(tmp_path, "s.jsonl", lines))
    assert [(p.key, p.window_tokens, p.prompt_tokens) for p in points] == [
        ("a", 150, 100),
        ("b", 205, 200),
    ]


def test_a_fork_counts_only_what_is_new_in_it(tmp_path: Path) -> None:
    trunk = [line(f"t{i}", i, 1_000 * (i + 1)) for i in range(5)]
    written(tmp_path, "a.jsonl", trunk)
    written(tmp_path, "b.jsonl", [*trunk[:4], *(line(f"f{i}", 60 + i, 9_000) for i in range(3))])
    first, fork = sessions_in([tmp_path])
    assert (first.known, fork.known) == (0, 4)
    assert [point.key for point in fork.points[fork.known :]] == ["f0", "f1", "f2"]


def test_the_loss_of_a_perfect_point_is_nothing() -> None:
    assert pinball((3, 3, 3), 3) == 0
    assert pinball((3, 3, 3), 13) == pytest.approx((1 + 5 + 9) / 3)
    assert pinball((3, 3, 3), 0) == pytest.approx((2.7 + 1.5 + 0.3) / 3)


def test_coverage_without_open_cases_is_the_plain_share() -> None:
    row = scored([case(n, is_crossed=True) for n in (1, 2, 5, 8, 9)])
    assert row["coverage"] == pytest.approx(0.6)
    assert row["coverage_censored"] == pytest.approx(0.6)


def test_a_case_left_open_within_the_spread_goes_the_way_of_the_others() -> None:
    cases = [case(1, is_crossed=True), *[case(5, is_crossed=True)] * 8, case(9, is_crossed=True)]
    row = scored([*cases, case(3, is_crossed=False)])
    # 1 of 11 came before P10; of the 9 that are known to have gone on, 8 came before P90.
    assert row["coverage_censored"] == pytest.approx(10 / 11 * 8 / 9)
    assert row["censored"] == 1


def test_a_reset_leaves_the_goal_open(tmp_path: Path) -> None:
    prompts = [50_000, 51_000, 52_000, 10_000, 90_000]
    path = written(tmp_path, "s.jsonl", [line(str(i), i, p, 0) for i, p in enumerate(prompts)])
    (session,) = sessions_in([path])
    reached, left_open = backtest.outcomes(session, 0, [52_000, 60_000])
    assert (reached.is_crossed, reached.requests, reached.sent_tokens) == (True, 2, 103_000)
    assert (left_open.is_crossed, left_open.requests) == (False, 2)


def test_the_same_seed_generates_the_same_windows() -> None:
    def generated() -> list[forecast_limits.Window]:
        chance = random.Random(3)
        habit = forecast_limits.habit_of(chance, FIVE_HOURS_MS)
        return forecast_limits.windows_of(chance, habit, FIVE_HOURS_MS, 7)

    windows = generated()
    assert windows == generated()
    for window in windows:
        assert window.used == sorted(window.used)
        assert {report.resets_at_ms - window.starts_ms for report in window.reports} == {
            FIVE_HOURS_MS
        }
