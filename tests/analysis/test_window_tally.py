"""A slash command that another model answers: whose window it is, and how full."""

import pytest
from tests.analysis.test_window_report import report
from tests.analysis.window_builders import MODEL, NOON_MS, Story

from tokenbudget.model import window

SMALL = "claude-haiku-4-5-20251001"
MINUTE_MS = 60_000


class Talk(Story):
    """A session turn by turn; each request is a minute after the one before."""

    def say(self, command: str = "") -> "Talk":
        """A prompt, or a slash command."""
        self.put(window.PROMPT, 20, link=command)
        return self

    def answer(self, prompt_tokens: int | None, model: str = MODEL) -> "Talk":
        number = len(self.requests)
        self.turn(
            f"r{number}", prompt_tokens, started_at_ms=NOON_MS + number * MINUTE_MS, model=model
        )
        return self


def begun() -> Talk:
    return Talk().say().answer(150_000).answer(151_000)


def told(talk: Talk) -> tuple[str, int | None, int | None, list[str]]:
    """Model, size and use of its window, and the models whose figures stand in its course."""
    found = report(talk)
    models = [sample.model for sample in found.samples]
    return found.model, found.size.tokens, found.total_tokens, models


@pytest.mark.parametrize("times", [1, 2, 5])
def test_the_sessions_own_model_goes_on_whatever_answers_its_commands(times: int) -> None:
    talk = begun()
    before = told(talk)
    for _ in range(times):
        talk.say("/tokens").answer(90_000, SMALL)
        assert told(talk) == before == (MODEL, 1_000_000, 151_010, [MODEL, MODEL])
    assert report(talk).requests == 2 + times
    talk.say().answer(153_000)
    assert told(talk) == (MODEL, 1_000_000, 153_010, [MODEL] * 3)
    assert not [note for note in report(talk).notes if "model" in note]


def test_a_command_that_the_own_model_answers_counts_like_any_request() -> None:
    talk = begun().say("/tokens").answer(152_000)
    assert told(talk) == (MODEL, 1_000_000, 152_010, [MODEL] * 3)


def test_a_command_that_works_long_has_filled_the_window_whoever_does_the_work() -> None:
    talk = begun().say("/review").answer(151_100, SMALL).answer(190_000, SMALL)
    assert told(talk) == (MODEL, 1_000_000, 190_010, [MODEL, MODEL, SMALL, SMALL])


@pytest.mark.parametrize("says_so", [True, False])
def test_another_model_that_a_person_chose_is_the_sessions_own(says_so: bool) -> None:
    talk = begun()
    if says_so:
        talk.say("/model").say()
    talk.say().answer(100_000, SMALL)
    assert told(talk)[:3] == (SMALL, 200_000, 100_010)
    talk.say("/tokens").answer(101_000, SMALL)
    assert told(talk)[:3] == (SMALL, 200_000, 101_010)


def test_after_a_change_by_command_the_next_request_tells_the_model_even_to_a_command() -> None:
    talk = begun().say("/model").say().say("/review").answer(100_000, SMALL)
    assert told(talk)[:3] == (SMALL, 200_000, 100_010)


def test_with_nothing_before_it_the_commands_request_is_all_there_is() -> None:
    talk = Talk().say("/tokens").answer(20_000, SMALL)
    assert told(talk) == (SMALL, 200_000, 20_010, [SMALL])
    talk.say().answer(30_000)
    assert told(talk)[:3] == (MODEL, 1_000_000, 30_010)


def test_what_reported_nothing_is_named_where_it_was_the_sessions_own() -> None:
    talk = begun().say("/tokens").answer(None, SMALL)
    assert not [note for note in report(talk).notes if "no usage" in note]
    talk.say().answer(None)
    assert [note for note in report(talk).notes if "no usage" in note]


def test_a_compaction_after_a_command_is_still_one() -> None:
    talk = begun().say("/tokens").answer(90_000, SMALL)
    talk.put(window.COMPACTED, name="manual")
    assert report(talk).changed_since == "compaction"
    assert told(talk)[:3] == (MODEL, 1_000_000, None)
