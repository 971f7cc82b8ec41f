"""`tokens backtest`: sessions gone through again, and nothing of them changed."""

import json
from decimal import Decimal
from pathlib import Path

import pytest
from tests.cli.conftest import Home, Sample

IDENTITY, TRIM, TRUNCATE = "as it was", "trim", "truncate"


class TestStrategies:
    def test_doing_nothing_comes_to_the_bill(self, sample: Sample) -> None:
        found = sample.home.ask("backtest", "--strategy", IDENTITY)
        bill = sample.home.ask("usage", "--by", "day")["totals"]

        row = found["rows"][0]
        assert row["saved_share"] == 0.0
        assert Decimal(row["cost_usd_was"]) == Decimal(row["cost_usd_now"])
        # requests of subagents that only progress lines tell of have no window to go through
        assert 0.97 < float(row["cost_usd_was"]) / float(bill["cost_usd"]) <= 1
        assert 0.95 < found["requests"] / bill["requests"] <= 1

    def test_those_that_are_named_are_tried(self, sample: Sample) -> None:
        found = sample.home.ask("backtest", "--strategy", TRIM, "--strategy", TRUNCATE)

        assert [row["strategy"] for row in found["rows"]] == [TRIM, TRUNCATE]
        assert {row["basis"] for row in found["rows"]} == {"applied", "naive"}

    def test_the_same_sessions_give_the_same_answer(self, sample: Sample) -> None:
        first = sample.home.run("backtest", "--strategy", TRIM, "--json")
        second = sample.home.run("backtest", "--strategy", TRIM, "--json")

        assert (first.code, first.out) == (0, second.out)

    def test_trimming_says_nothing_false_and_can_be_undone(self, sample: Sample) -> None:
        loss = sample.home.ask("backtest", "--strategy", TRIM)["rows"][0]["fidelity"]

        assert loss["false_facts"] == 0
        assert loss["handles_true"] == loss["handles"]
        assert loss["edits_with_recall"] == loss["edits"]

    def test_a_name_that_is_none_is_refused(self, sample: Sample) -> None:
        done = sample.home.run("backtest", "--strategy", "magic")

        assert done.code == 2
        assert "'magic' is no strategy; there are as it was, trim," in done.err

    @pytest.mark.parametrize(("typed", "meant"), [("trimm", "trim"), ("Cold_Prune", "cold-prune")])
    def test_one_that_was_almost_meant_is_named(
        self, sample: Sample, typed: str, meant: str
    ) -> None:
        done = sample.home.run("backtest", "--strategy", typed)

        assert f"(did you mean '{meant}'?)" in done.err

    def test_a_hostile_name_is_told_in_one_short_line(self, sample: Sample) -> None:
        done = sample.home.run("backtest", "--strategy", "\x1b[31m\n" + "x" * 5_000)

        assert done.code == 2
        assert "\x1b" not in done.err
        assert done.err.count("\n") == 1
        assert len(done.err) < 400

    def test_they_are_listed_with_what_they_rest_on(self, home: Home) -> None:
        text = home.run("backtest", "--list")
        rows = home.ask("backtest", "--list")["rows"]

        assert text.code == 0
        assert {"trim", "combined", "truncate"} <= {row["strategy"] for row in rows}
        assert all(row["strategy"] in text.out for row in rows)


class TestSessions:
    def test_one_session_has_its_requests(self, sample: Sample) -> None:
        found = sample.home.ask("backtest", "last", "--strategy", IDENTITY)

        assert found["sessions"] == 1
        assert len(found["request_rows"]) == found["requests"] > 0

    def test_later_days_alone(self, sample: Sample) -> None:
        everything = sample.home.ask("backtest", "--strategy", IDENTITY)
        later = sample.home.ask("backtest", "--strategy", IDENTITY, "--since", "2026-11-19")

        assert 0 < later["sessions"] < everything["sessions"]

    def test_nothing_there_is_told(self, home: Home) -> None:
        done = home.run("backtest")

        assert done.code == 0
        assert "tokens backtest --from PATH" in done.out

    def test_a_session_and_a_day_do_not_go_together(self, home: Home) -> None:
        assert home.run("backtest", "last", "--since", "7d").code == 2


class TestFormats:
    def test_a_page(self, sample: Sample, tmp_path: Path) -> None:
        path = tmp_path / "page.html"
        done = sample.home.run("backtest", "--strategy", TRIM, "--html", "--output", str(path))

        assert (done.code, done.err) == (0, "")
        assert path.read_text().startswith("<!doctype html>")

    def test_text_in_a_file(self, sample: Sample, tmp_path: Path) -> None:
        path = tmp_path / "backtest.txt"
        done = sample.home.run("backtest", "--strategy", TRIM, "--output", str(path))

        assert done.code == 0
        assert path.read_text().startswith("Backtest")

    def test_two_formats_are_one_too_many(self, home: Home) -> None:
        assert home.run("backtest", "--json", "--html").code == 2


class TestControl:
    def test_the_controller_comes_with_those_that_it_is_compared_with(self, sample: Sample) -> None:
        found = sample.home.ask("backtest", "--strategy", "controller", "--min-requests", "3")

        names = ["controller-off", "controller-naive", "controller", "controller-oracle"]
        assert [row["strategy"] for row in found["rows"]] == [IDENTITY, *names]
        assert [row["strategy"] for row in found["control_rows"]] == names
        alone, *_, oracle = found["control_rows"]
        assert (alone["saved_share"], alone["dearer_sessions"]) == (0.0, 0)
        assert oracle["dearer_sessions"] == 0
        assert {row["strategy"] for row in found["session_rows"]} == {IDENTITY, *names}

    def test_in_a_smaller_window_there_is_more_to_do(self, sample: Sample) -> None:
        asked = ("backtest", "--strategy", "controller", "--window", "40000")
        first, second = (sample.home.run(*asked, "--json") for _ in range(2))
        assert (first.code, first.out) == (0, second.out)
        rows = {row["strategy"]: row for row in json.loads(first.out)["control_rows"]}
        assert rows["controller-naive"]["actions"] > 0
        assert rows["controller-off"]["actions"] == 0

        told = sample.home.run(*asked)
        assert "Control, against the client alone" in told.out
        assert "'controller' (modelled) would have cost" in told.out

    def test_they_are_not_tried_where_nobody_asks_for_them(self, sample: Sample) -> None:
        found = sample.home.ask("backtest")

        assert not [row for row in found["rows"] if row["strategy"].startswith("controller")]
        assert found["control_rows"] == []
        assert "controller-oracle" in sample.home.run("backtest", "--list").out

    @pytest.mark.parametrize("typed", [("--window", "5"), ("--min-requests", "-1")])
    def test_sizes_that_cannot_be_meant_are_refused(
        self, sample: Sample, typed: tuple[str, str]
    ) -> None:
        done = sample.home.run("backtest", *typed)

        assert done.code == 2
        assert "--window from 10,000 tokens" in done.err
