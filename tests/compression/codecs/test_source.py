"""Source that is read whole: headers stay, long bodies are behind markers that tell their lines."""

import re

import pytest

from tokenbudget.compression.codecs.source import CODEC
from tokenbudget.compression.marks import Marks
from tokenbudget.compression.passage import BALANCED, COMPRESSED, VERBOSE, Origin, Passage

LONG = "\n".join(
    f"def work_{number}(one, two):\n    '''Do {number}.'''\n"
    + "\n".join(f"    step_{number}_{at}()" for at in range(20))
    + "\n"
    for number in range(40)
)


def passage(text: str = LONG, path: str = "src/work.py", first_line: int = 0) -> Passage:
    return Passage(text, Origin("Read", path=path, first_line=first_line))


def shortened(one: Passage, level: str = BALANCED) -> tuple[list[str], list[tuple[int, int]]]:
    draft = CODEC.shorten(one, Marks(one.text), level)
    assert draft is not None
    return draft.text.split("\n"), [spot for removed in draft.removed for spot in removed.ranges]


@pytest.mark.parametrize("level", [BALANCED, COMPRESSED])
def test_every_line_is_kept_or_stands_for_by_one_marker(level: str) -> None:
    one = passage()
    lines, ranges = shortened(one, level)
    rebuilt: list[str] = []
    waiting = iter(ranges)
    for line in lines:
        if line.startswith("[~ "):
            first, end = next(waiting)
            assert line == f"[~ {end - first} lines ({first + 1}-{end})]"
            rebuilt.extend(one.lines[first:end])
        else:
            rebuilt.append(line)
    assert rebuilt == one.lines
    assert next(waiting, None) is None


def test_the_headers_of_all_functions_stay() -> None:
    lines, _ = shortened(passage())
    assert sum(line.startswith("def work_") for line in lines) == 40
    assert not any("step_" in line for line in lines)


def test_lines_are_numbered_as_the_file_has_them() -> None:
    lines, ranges = shortened(passage(first_line=101))
    assert lines[1] == f"[~ {ranges[0][1] - ranges[0][0]} lines (102-{100 + ranges[0][1]})]"


def test_braces_that_close_a_body_stay() -> None:
    text = "".join(
        f"function work{number}() {{\n" + "  step();\n" * 20 + "}\n\n" for number in range(30)
    )
    lines, _ = shortened(passage(text, "work.js"))
    assert lines[:3] == ["function work0() {", "[~ 20 lines (2-21)]", "}"]


@pytest.mark.parametrize(
    ("one", "level"),
    [
        (passage(), VERBOSE),
        (passage("def f():\n" + "    x = 1\n" * 50), BALANCED),
        (passage("x = 1\n" * 1000), BALANCED),
    ],
)
def test_what_has_nothing_to_outline_is_left_alone(one: Passage, level: str) -> None:
    assert CODEC.shorten(one, Marks(one.text), level) is None


@pytest.mark.parametrize("path", ["", "notes.md", "data.json", "py", "app.log"])
def test_what_is_no_source_is_left_alone(path: str) -> None:
    assert not CODEC.detects(passage(path=path))


def test_a_text_that_imitates_a_marker_is_told_apart() -> None:
    one = passage("x = '[~ 3 lines (1-3)]'\n" + LONG)
    lines, _ = shortened(one)
    assert lines[0] == one.lines[0]
    assert all(re.match(r"\[~~ ", line) for line in lines[1:] if "lines (" in line)
