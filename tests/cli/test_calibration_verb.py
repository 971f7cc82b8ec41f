"""`tokens doctor --calibration`: how each model counts, and how well that is known."""

import sqlite3
from collections.abc import Iterator
from datetime import timedelta

import pytest
from tests.cli.conftest import Home
from tests.cli.window_sessions import BEGIN, HAIKU, RATIO, Talk, plain_session, words


def talked(session: str, day: int, model: str = HAIKU, turns: int = 8) -> Talk:
    """A session of prompts and answers, each of another length."""
    talk = Talk(session, model=model, begin=BEGIN - timedelta(days=day))
    for turn in range(turns):
        talk.ask(words(400 + 37 * turn + 11 * day)).answer(words(60 + turn))
    return talk


@pytest.fixture(scope="module")
def learnt(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """Four sessions from which a model's way of counting can be learnt; only for reading."""
    home = Home(tmp_path_factory.mktemp("learnt") / "home")
    for day in range(4):
        talked(f"s{day}", day).write(home)
    return home


class TestTable:
    def test_has_a_line_for_the_model_and_one_for_its_generation(self, learnt: Home) -> None:
        lines = learnt.run("doctor", "--calibration").lines

        assert lines[0].split()[:4] == ["Model", "Steps", "Sessions", "Ratio"]
        assert {line.split("  ")[0] for line in lines[2:4]} == {HAIKU, f"all at {RATIO}"}

    def test_explains_its_words(self, learnt: Home) -> None:
        out = " ".join(learnt.run("doctor", "--calibration").out.split())

        assert "A step is two requests in a row" in out
        assert "Errors are of sessions that were held out" in out

    def test_too_few_steps_are_no_rule(self, home: Home) -> None:
        plain_session().write(home)

        assert "too few" in home.run("doctor", "--calibration").out

    @pytest.mark.parametrize(
        "talk",
        [None, Talk().ask(), Talk().ask().answer(), Talk().ask().answer(usage=None).ask().answer()],
        ids=["empty-home", "prompt-only", "one-request", "usage-null"],
    )
    def test_says_where_there_is_nothing_to_learn_from(self, home: Home, talk: Talk | None) -> None:
        if talk is not None:
            talk.write(home)
        done = home.run("doctor", "--calibration")

        assert (done.code, done.err) == (0, "")
        assert done.lines == [
            "Nothing to learn from yet: no session has two requests in a row with known usage."
        ]


class TestJson:
    def test_is_one_object_of_its_format(self, learnt: Home) -> None:
        answer = learnt.ask("doctor", "--calibration")

        assert answer["format"] == "tokenbudget/calibration/1"
        assert {row["model"] for row in answer["rows"]} == {HAIKU, f"all at {RATIO}"}

    def test_the_ratio_that_was_billed_is_found_again(self, learnt: Home) -> None:
        (row,) = (r for r in learnt.ask("doctor", "--calibration")["rows"] if r["model"] == HAIKU)

        assert (row["steps"], row["sessions"], row["is_learnt"]) == (28, 4, True)
        assert row["average_ratio"] == pytest.approx(RATIO, rel=0.1)
        assert row["median_error"] < row["p90_error"] < 0.1

    def test_every_session_is_counted(self, home: Home) -> None:
        talked("s1", 1).write(home)
        talked("s2", 2, "claude-opus-5-5").write(home)

        rows = {row["model"]: row for row in home.ask("doctor", "--calibration")["rows"]}
        assert rows[HAIKU]["steps"] == rows["claude-opus-5-5"]["steps"] == 7

    def test_an_empty_home_has_no_rows(self, home: Home) -> None:
        assert home.ask("doctor", "--calibration")["rows"] == []


class TestHeldLedger:
    """Another process writes the ledger all the while."""

    @pytest.fixture
    def held(self, home: Home, monkeypatch: pytest.MonkeyPatch) -> Iterator[Home]:
        """A session that is read but not counted."""
        monkeypatch.setattr("tokenbudget.ledger.store.SHORT_PATIENCE_MS", 20)
        talked("s1", 1).write(home)
        home.run("usage")
        other = sqlite3.connect(home.config.parent / "ledger.db", isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        yield home
        other.close()

    @pytest.mark.parametrize("verb", ["context", "budget", "timeline"])
    def test_an_answer_is_computed_in_a_copy(self, held: Home, verb: str) -> None:
        done = held.run(verb, "--json")

        assert (done.code, done.err.count("\n")) == (0, 1)
        assert done.err.endswith("This answer is computed in a copy of it\n")
        assert done.json["requests"] == 8

    def test_what_cannot_be_learnt_is_at_least_one_sentence(self, held: Home) -> None:
        done = held.run("doctor", "--calibration")

        assert done.err.count("\n") == 1
        assert "Traceback" not in done.err

    def test_calibration_is_shown_from_a_copy_as_well(self, held: Home) -> None:
        assert held.run("doctor", "--calibration").code == 0


class TestRefusal:
    def test_two_errands_are_one_too_many(self, home: Home) -> None:
        done = home.run("doctor", "--calibration", "--rebuild")

        assert (done.code, done.out) == (2, "")
        assert done.err.startswith("tokens: --calibration and --rebuild are different errands")


def test_what_was_learnt_is_used_and_told_by_context(home: Home) -> None:
    for day in range(4):
        talked(f"s{day}", day).write(home)
    home.run("doctor", "--calibration")
    calibration = home.ask("context", "s0")["calibration"]

    assert calibration["steps"] == 28
    assert calibration["median_error"] is not None
    assert "learnt from 28 requests, median error" in " ".join(home.run("context").out.split())
