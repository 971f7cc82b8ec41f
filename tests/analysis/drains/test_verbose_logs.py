"""Verbose logs: what went well, line by line."""

from __future__ import annotations

import pytest
from tests.analysis.drains.threads import TEXT_ERROR, Thread, thread

from tokenbudget.analysis.drains.verbose_logs import DOUBT, VERBOSE_LOG
from tokenbudget.analysis.study import Sighting

PASSED = [f"tests/test_cart.py::test_total_{n:03} PASSED [ {n % 90 + 10}%]" for n in range(80)]
FAILURE = [
    "tests/test_cart.py::test_total_of_nothing FAILED [100%]",
    "E       AssertionError: assert None == 0",
    "1 failed, 80 passed in 1.02s",
]


def found(story: Thread, claimed: set[int] | None = None) -> list[Sighting]:
    """What the detector sees."""
    assert VERBOSE_LOG.detect is not None
    return list(VERBOSE_LOG.detect(story.view(), set() if claimed is None else claimed))


def ran(command: str = "pytest -v", lines: list[str] | None = None, tokens: int = 1_000) -> Thread:
    """A test run with a failure among its passes."""
    text = "\n".join(PASSED + FAILURE if lines is None else lines)
    return thread().prompt("Run them.").bash(command, text, tokens=tokens)


def test_passing_lines_are_charged_and_the_failure_is_not() -> None:
    """Their share of the characters, line ends counted in."""
    story = ran().goes_on(10)
    quiet = sum(len(line) + 1 for line in PASSED)
    share = quiet / (quiet + sum(len(line) + 1 for line in FAILURE))
    claimed: set[int] = set()
    [one] = found(story, claimed)
    assert (one.drain, one.subject, one.times, one.line) == ("verbose-log", "pytest", 1, 2)
    assert one.window_tokens == round(1_000 * share)
    assert one.sent_tokens == round(10_000 * share)
    assert one.error_tokens == pytest.approx(one.sent_tokens * (TEXT_ERROR + DOUBT), abs=1)
    result = story.view().calls[0].result
    assert result is not None
    assert one.cost_pico_usd == pytest.approx(result.sent_usd * share * 1e12)
    assert one.detail.startswith("80 of 83 lines of 1 run ")
    assert claimed == {result.number}
    assert found(story, claimed) == []


def test_runs_of_one_command_are_told_together() -> None:
    """By label, whatever their arguments."""
    story = ran().bash("uv run pytest -v", "\n".join(PASSED), tokens=900)
    story.bash("pytest -v tests/test_cart.py", "\n".join(PASSED), tokens=900).goes_on(1)
    assert [(one.subject, one.times) for one in found(story)] == [
        ("pytest", 2),
        ("uv run pytest", 1),
    ]


@pytest.mark.parametrize(
    "story",
    [
        ran(lines=[f"E   assert cart[{n}] == {n}: the total is wrong" for n in range(80)]),
        ran(lines=["........................", "80 passed in 1.02s"]),
        ran(tokens=200),
        ran(lines=PASSED[:30] + [f"src/cart.py {n} {n} 0% missing" for n in range(90)]),
        ran("cat old.log"),
        ran().says(" ".join(f"test_total_{n:03}" for n in range(0, 80, 4))),
        ran("pytest -v | grep -E 'PASSED|FAILED'"),
        ran("go test ./... -run TestTotal -v"),
        ran("pytest -v tests/test_cart.py::test_total_001"),
    ],
    ids=[
        "failures",
        "quiet",
        "small",
        "coverage",
        "no run",
        "named later",
        "asked for",
        "picked",
        "picked by node",
    ],
)
def test_what_was_wanted_is_no_loss(story: Thread) -> None:
    """Or it is too little to speak of, or no run at all."""
    assert found(story.goes_on(10)) == []


def test_a_run_is_named_wherever_it_stands_in_the_command() -> None:
    """The tests come before the build that they follow."""
    story = ran("cd app && go build ./... && go test ./... 2>&1 | tail -60", PASSED)
    assert [one.subject for one in found(story.goes_on(10))] == ["go test"]
    story = ran("make all; echo done", PASSED)
    assert [one.subject for one in found(story.goes_on(10))] == ["make all"]


def test_the_same_letters_pick_nothing_where_no_tests_run() -> None:
    """`-t` names an image, `-g` installs for everybody."""
    layers = [f"#{n} sha256:{n:064} 3.15MB / 3.15MB 0.2s done" for n in range(40)]
    for command, label in (
        ("docker build -t shop .", "docker build"),
        ("npm install -g shop", "npm install"),
    ):
        assert [one.subject for one in found(ran(command, layers).goes_on(10))] == [label]


def test_the_last_line_stays_though_it_passes() -> None:
    """A run has to say how it ended."""
    [one] = found(ran(lines=PASSED).goes_on(10))
    assert one.detail.startswith("79 of 80 lines")
    assert one.window_tokens == round(1_000 * 79 / 80)


def test_names_that_every_line_has_tell_of_none() -> None:
    """The model names the file of the tests afterwards."""
    story = ran().says("Now tests/test_cart.py is to be split.")
    assert len(found(story.goes_on(10))) == 1
