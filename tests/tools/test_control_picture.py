"""The picture of a controlled session is its series, and all of it can be read."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import make_control_picture
from chart_labels import Box, Text, overlapping, raised, spread
from control_series import SERIES, series_of
from make_control_picture import HEIGHT, PICTURE, WIDTH, picture
from tokenbudget.budget.health import LEVELS, SYMBOLS
from tokenbudget.model.control import HISTORY, MEMORY, SCRATCH, SKILLS, TRIMMING
from tokenbudget.model.control_words import lever_name

ROOT = Path(__file__).resolve().parents[2]
USABLE = 167_000


def texts_of(svg: str) -> Iterator[Text]:
    """As they stand in a picture."""
    for element in ET.fromstring(svg).iter("{http://www.w3.org/2000/svg}text"):
        told = element.attrib
        x, y, size = (float(told[name]) for name in ("x", "y", "font-size"))
        yield Text(x, y, element.text or "", size, told.get("text-anchor", "start"))


def assert_readable(svg: str) -> None:
    texts = list(texts_of(svg))
    assert not list(overlapping(texts))
    for one in texts:
        box = one.box
        assert box.left >= 0, one
        assert box.top >= 0, one
        assert box.right <= WIDTH, one
        assert box.bottom <= HEIGHT, one


def acting(request: int, lever: str, level: str, tokens: int | None) -> dict[str, Any]:
    """An action, as it is recorded."""
    effect = "now" if lever == HISTORY else "next compaction"
    told = {"request": request, "lever": lever, "level": level, "effect": effect}
    return {**told, "predicted_tokens": 6_000, "measured_tokens": tokens}


def made(auto: list[int], off: list[int], actions: list[dict[str, Any]], refused: list[int]) -> str:
    """A series in which each run is compacted before its last two requests."""

    def run(used: list[int], done: list[dict[str, Any]], not_sent: list[int]) -> dict[str, Any]:
        requests = [{"number": n, "used_tokens": tokens} for n, tokens in enumerate(used, 1)]
        compactions = [{"after": len(used) - 2}]
        return {
            "requests": requests,
            "actions": done,
            "compactions": compactions,
            "refusals": not_sent,
        }

    runs = {"auto": run(auto, actions, []), "off": run(off, [], refused)}
    sizes = {"window_tokens": 200_000, "usable_tokens": USABLE}
    told = {"format": 1, "release": "2.1.329", "model": "claude-opus-5-5"}
    return json.dumps({**told, **sizes, "runs": runs})


def growing(requests: int, to_share: float) -> list[int]:
    """A window that grows evenly, and what is left of it after it was compacted."""
    start, end = 0.2 * USABLE, to_share * USABLE
    used = [int(start + (end - start) * n / (requests - 1)) for n in range(requests)]
    return [*used, 30_000, 38_000]


def test_the_picture_is_made_of_the_recorded_series() -> None:
    series = (ROOT / SERIES).read_text("utf-8")
    assert (ROOT / PICTURE).read_text("utf-8") == picture(series_of(series))


def test_everything_in_it_can_be_read() -> None:
    assert_readable((ROOT / PICTURE).read_text("utf-8"))


def test_levels_have_words_and_every_action_its_figures() -> None:
    words = [one.words for one in texts_of((ROOT / PICTURE).read_text("utf-8"))]
    assert {f"{SYMBOLS[level]} {level}" for level in LEVELS} <= set(words)
    actions = json.loads((ROOT / SERIES).read_text("utf-8"))["runs"]["auto"]["actions"]
    assert actions
    for action in actions:
        assert f"{SYMBOLS[action['level']]} {lever_name(action['lever'])}" in words
        foretold = f"{action['predicted_tokens']:,} foretold"
        freed = action["measured_tokens"]
        assert (
            f"{foretold}, not measurable" if freed is None else f"{freed:,} freed, {foretold}"
        ) in words


def test_nothing_of_the_machine_on_which_it_was_recorded_is_in_the_series() -> None:
    told = json.loads((ROOT / SERIES).read_text("utf-8"))
    runs = told["runs"].values()
    items = [item for run in runs for action in run["actions"] for item in action["items"]]
    assert not [item for item in items if "//" in item or "tmp" in item or item.startswith("/")]


def test_the_recorded_session_is_brought_back_and_the_other_one_is_not() -> None:
    text = (ROOT / SERIES).read_text("utf-8")
    series, runs = series_of(text), json.loads(text)["runs"]
    assert {each["by"] for each in runs["auto"]["compactions"]} == {"controller"}
    assert {each["by"] for each in runs["off"]["compactions"]} == {"client"}
    assert runs["auto"]["edits"] == [True] * len(runs["auto"]["edits"])
    auto, off = series.shares(series.auto), series.shares(series.off)
    assert max(auto) < 0.9
    assert auto[-1] < 0.5
    assert max(off) >= 0.95
    assert not series.off.actions


def test_a_window_that_overflows_is_refused_and_still_fits_the_picture() -> None:
    actions = [
        acting(10, SKILLS, "warning", 2_900),
        acting(11, MEMORY, "warning", 5_500),
        acting(12, SCRATCH, "warning", 6_300),
        acting(13, TRIMMING, "warning", None),
        acting(18, HISTORY, "critical", 103_232),
    ]
    svg = picture(series_of(made(growing(18, 0.83), growing(26, 1.18), actions, [26])))
    assert_readable(svg)
    words = [one.words for one in texts_of(svg)]
    assert "left alone: full at 118%" in words
    assert f"refused as too long, {int(1.18 * USABLE):,} → 30,000" in words


@settings(max_examples=30, deadline=None)
@given(
    st.integers(14, 60),
    st.lists(st.sampled_from([SKILLS, MEMORY, SCRATCH, TRIMMING]), max_size=3, unique=True),
)
def test_whatever_was_done_can_be_read(requests: int, levers: list[str]) -> None:
    first = requests // 2 + 1
    actions = [acting(first + n, lever, "warning", 6_100) for n, lever in enumerate(levers)]
    actions.append(acting(requests, HISTORY, "critical", 100_000))
    auto, off = growing(requests, 0.8), growing(requests + 5, 0.97)
    assert_readable(picture(series_of(made(auto, off, actions, []))))


def test_another_format_is_refused() -> None:
    with pytest.raises(ValueError, match="format 1"):
        series_of('{"format": 2}')


def test_it_is_written_where_it_is_wanted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    series, out = tmp_path / "series.json", tmp_path / "out.svg"
    series.write_text(made(growing(20, 0.8), growing(24, 0.97), [], []), encoding="utf-8")
    assert make_control_picture.main([str(series), str(out)]) == 0
    assert capsys.readouterr().out.strip() == str(out)
    assert_readable(out.read_text("utf-8"))


# ── labels ───────────────────────────────────────────────────────────────────────────────────────


def test_a_line_that_goes_through_a_box_is_told_from_one_that_passes() -> None:
    box = Box(10, 10, 20, 20)
    assert box.is_crossed((0, 0), (30, 30))
    assert box.is_crossed((12, 12), (13, 13))
    assert box.is_crossed((15, 0), (15, 30))
    assert not box.is_crossed((0, 25), (30, 25))
    assert not box.is_crossed((5, 0), (5, 30))
    assert not box.is_crossed((0, 0), (8, 8))
    assert not box.is_crossed((0, 18), (12, 30))


def test_a_label_is_raised_over_what_is_there_and_never_out_of_the_picture() -> None:
    there = Text(0, 100, "here I stand")
    line = [(0.0, 80.0), (50.0, 80.0)]
    (up,) = raised([Text(5, 102, "so do I")], [there], [line], top=0)
    assert not up.box.meets(there.box)
    assert up.box.bottom < 80
    with pytest.raises(ValueError, match="so do I"):
        raised([Text(5, 102, "so do I")], [there], [line], top=75)


def test_two_heights_are_moved_apart_only_where_they_are_too_near() -> None:
    assert spread(10, 50, 16) == (10, 50)
    assert spread(20, 24, 16) == (14, 30)
    assert spread(24, 20, 16) == (30, 14)
