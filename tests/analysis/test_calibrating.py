import json
from types import SimpleNamespace
from typing import cast

from tests.analysis.window_builders import Story

from tokenbudget.analysis.calibrating import chooser, kept_fits, kept_rows, steps_of
from tokenbudget.ledger.calibrations import CalibrationRow
from tokenbudget.ledger.store import Ledger
from tokenbudget.ledger.windows import PieceRow, RequestRow
from tokenbudget.metering.calibration import FEWEST_STEPS, Fit, calibrate, prior
from tokenbudget.model import window

NEW, OLD = "claude-opus-5-5", "claude-sonnet-4-5"


class Shelf:
    """Counted transcripts by number."""

    def __init__(self, stories: dict[int, Story]) -> None:
        self._stories = stories

    def pieces(self, file_id: int) -> list[PieceRow]:
        return self._stories[file_id].rows

    def requests(self, file_id: int) -> dict[str, RequestRow]:
        return self._stories[file_id].requests


def ledger_of(*stories: Story) -> Ledger:
    """A ledger of nothing but counted transcripts, from 1."""
    shelf = Shelf(dict(enumerate(stories, 1)))
    return cast("Ledger", SimpleNamespace(windows=shelf))


def told(file_id: int = 1, model: str = NEW, thread: str = "", turns: int = 3) -> Story:
    """A story whose every turn grows by 100."""
    story = Story(thread)
    for number in range(turns):
        story.put(window.PROMPT, 60)
        fields = {"model": model, "file_id": file_id}
        story.turn(f"{thread}{number}", 1_000 + 100 * number, 40, **fields)
    return story


def fit(steps: int = 20, **weights: float) -> Fit:
    return Fit({**prior(NEW).weights, **weights}, steps, 3, 0.02, 0.1, 0.08, 0.05)


class TestSteps:
    def test_every_counted_transcript_tells_its_own(self) -> None:
        found = steps_of(ledger_of(told(1), told(2, turns=4)), [(1, "s1"), (2, "s2")])

        assert list(found) == [NEW]
        assert [step.growth_tokens for step in found[NEW]] == [100] * 5
        assert [step.session for step in found[NEW]] == ["s1"] * 2 + ["s2"] * 3

    def test_models_are_kept_apart(self) -> None:
        found = steps_of(ledger_of(told(1), told(2, OLD)), [(1, "s1"), (2, "s2")])

        assert {model: len(steps) for model, steps in found.items()} == {NEW: 2, OLD: 2}

    def test_a_step_that_was_copied_into_another_file_counts_once(self) -> None:
        found = steps_of(ledger_of(told(1), told(1)), [(1, "s1"), (2, "s2")])

        assert [step.session for step in found[NEW]] == ["s1"] * 2

    def test_a_session_and_its_subagents_are_one_session_in_several_files(self) -> None:
        files = ledger_of(told(1), told(2, thread="agent-1"))

        found = steps_of(files, [(1, "s1"), (2, "s1")])

        assert [step.session for step in found[NEW]] == ["s1"] * 4

    def test_threads_of_a_file_are_followed_each_by_itself(self) -> None:
        story, agent = told(), told(thread="agent-1")
        story.rows = [*story.rows, *agent.rows]
        story.requests |= agent.requests

        found = steps_of(ledger_of(story), [(1, "s1")])

        assert [step.growth_tokens for step in found[NEW]] == [100] * 4

    def test_no_transcript_tells_nothing(self) -> None:
        assert steps_of(ledger_of(), []) == {}


class TestKeeping:
    def test_what_was_kept_is_what_was_learnt(self) -> None:
        fits = {NEW: fit(bpe=1.25), OLD: fit(steps=3)._replace(median_error=None)}

        assert kept_fits(kept_rows(fits, 77)) == fits

    def test_weights_are_kept_to_a_millionth(self) -> None:
        (row,) = kept_rows({NEW: fit(bpe=1.23456789)}, 77)

        assert json.loads(row.weights)["bpe"] == 1.234568
        assert row.made_at_ms == 77
        assert isinstance(row, CalibrationRow)

    def test_what_was_calibrated_can_be_kept(self) -> None:
        story = told(turns=FEWEST_STEPS + 5)
        fits = calibrate(steps_of(ledger_of(story), [(1, "s1")]))

        kept = kept_fits(kept_rows(fits, 1))

        assert set(kept) == set(fits)
        assert all(kept[name].is_learnt == fits[name].is_learnt for name in fits)
        assert all(abs(kept[name].average_ratio - fits[name].average_ratio) < 1e-4 for name in fits)


class TestChooser:
    def test_it_gives_each_model_its_rule_and_others_the_prior(self) -> None:
        choose = chooser({NEW: fit(bpe=1.25)})

        assert choose(NEW).weights["bpe"] == 1.25
        assert choose(OLD) == prior(OLD)

    def test_it_remembers(self) -> None:
        choose = chooser({})

        assert choose(NEW) is choose(NEW)
