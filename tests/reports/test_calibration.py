import json
from typing import Any

import pytest

from tokenbudget.metering.calibration import FEATURES, Fit, prior
from tokenbudget.model.figures import Style, text_width
from tokenbudget.reports.calibration import METHOD, calibration_document, calibration_lines

WEIGHTS = dict.fromkeys(FEATURES, 0.0) | {"bpe": 1.25}


def fit(**fields: Any) -> Fit:
    """What 40 steps of 3 sessions taught."""
    return Fit(WEIGHTS, 40, 3, 0.012, 0.05, 0.08, 0.1)._replace(**fields)


def lines_of(fits: dict[str, Fit], width: int = 100) -> list[str]:
    """The table as plain text."""
    return calibration_lines(fits, Style(width, is_styled=False))


def test_a_line_tells_how_well_a_model_is_known() -> None:
    row = lines_of({"haiku": fit()})[2].split()

    assert row == ["haiku", "40", "3", "1.25", "1.2%", "5.0%", "8.0%", "10.0%"]


def test_most_steps_come_first() -> None:
    lines = lines_of({"few": fit(steps=20), "most": fit(steps=90), "some": fit(steps=40)})

    assert [line.split()[0] for line in lines[2:5]] == ["most", "some", "few"]


def test_what_too_little_was_seen_of_claims_nothing() -> None:
    assert lines_of({"haiku": fit(steps=4)})[2].split() == ["haiku", "4", "3", "too", "few"]


def test_what_nothing_could_be_held_out_of_is_unknown() -> None:
    assert lines_of({"haiku": fit(median_error=None)})[2].split()[4] == "?"


@pytest.mark.parametrize("fits", [{}, {"haiku": prior("haiku")}])
def test_nothing_to_learn_from_is_a_sentence(fits: dict[str, Fit]) -> None:
    assert lines_of(fits) == [
        "Nothing to learn from yet: no session has two requests in a row with known usage."
    ]


@pytest.mark.parametrize("width", [60, 80, 100, 160])
def test_fits_and_explains_itself(width: int) -> None:
    lines = lines_of({"claude-haiku-4-5-20251001": fit(), "all at 1.16": fit()}, width)

    assert max(map(text_width, lines)) <= width
    assert " ".join(" ".join(lines).split()).endswith(METHOD)


def test_a_hostile_name_is_cleaned() -> None:
    assert all(line.isprintable() for line in lines_of({"\x1b[2Jm\u202e\nn": fit()}))


@pytest.mark.parametrize("width", [60, 80, 100, 160])
def test_a_long_name_is_cut(width: int) -> None:
    assert max(map(text_width, lines_of({"m" * 90: fit()}, width))) <= width


def test_a_narrow_screen_keeps_the_errors_and_drops_the_rest() -> None:
    head, _, row = lines_of({"haiku": fit()}, 45)[:3]

    assert head.split() == ["Model", "Steps", "Median", "P90", "P90", "of", "text"]
    assert row.split() == ["haiku", "40", "1.2%", "5.0%", "8.0%"]


def test_two_models_look_different() -> None:
    lines = lines_of({"claude-sonnet-4-5": fit(), "claude-sonnet-4-6": fit()}, 80)

    assert lines[2] != lines[3]


def test_json_holds_every_figure() -> None:
    made = json.loads(calibration_document({"haiku": fit(), "none": prior("none")}))

    assert made["format"] == "tokenbudget/calibration/1"
    assert [row["model"] for row in made["rows"]] == ["haiku", "none"]
    assert made["rows"][0]["weights"]["bpe"] == 1.25
    assert made["rows"][0]["is_learnt"]
    assert not made["rows"][1]["is_learnt"]
