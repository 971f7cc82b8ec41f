import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.analysis.window_builders import request_row
from tests.reports.test_window import AT_MS, FACTS, window

from tokenbudget.analysis.periods import Zone
from tokenbudget.analysis.window_pieces import GROUPS
from tokenbudget.analysis.window_replay import Moment
from tokenbudget.model.figures import Style, text_width
from tokenbudget.reports.timeline import (
    AXIS_WIDTH,
    BANDS,
    CHART_ROWS,
    SHOWN_TURNS,
    WIDEST_COLUMN,
    chart_lines,
    largest,
    scale_of,
    timeline_document,
    timeline_lines,
    turns_of,
    why_of,
)

ZONE = Zone("UTC", AT_MS)


def moment(
    prompt: int | None, number: int = 0, cause: str = "", output: int = 0, **groups: float
) -> Moment:
    """A request that sent so much; what no group holds is messages."""
    held = dict.fromkeys(GROUPS, 0.0) | groups
    held["messages"] += (prompt or 0) - sum(held.values())
    return Moment(
        request=request_row(
            f"msg_{number}",
            prompt,
            output,
            model="claude-haiku-4-5",
            started_at_ms=AT_MS + 60_000 * number,
        ),
        groups=held,
        added={},
        added_labels={},
        cause=cause,
        unexplained_tokens=0.0,
        band_tokens=10.0,
        read_groups={},
        raw_remainder_tokens=0.0,
    )


def walk(*prompts: int) -> list[Moment]:
    """A request of each size."""
    return [moment(prompt, number) for number, prompt in enumerate(prompts)]


def columns_of(lines: list[str]) -> list[str]:
    """The drawn part of the chart, from the top."""
    return [line.partition("│")[2] for line in lines if "│" in line]


def lines_of(moments: list[Moment], width: int = 100, **given: Any) -> list[str]:
    """The screen as plain text."""
    return timeline_lines(window(), moments, FACTS, Style(width, is_styled=False), ZONE, **given)


class TestChart:
    @given(st.lists(st.integers(1, 10**6), min_size=1, max_size=200), st.integers(30, 160))
    def test_has_its_height_and_fits(self, prompts: list[int], width: int) -> None:
        lines = chart_lines(walk(*prompts), 200_000, width, ZONE)
        drawn = columns_of(lines)

        assert len(drawn) == CHART_ROWS
        assert all(len(line) <= width - 10 for line in drawn)
        assert len({len(line) for line in drawn}) == 1

    def test_is_as_high_as_the_largest_request_while_little_is_used(self) -> None:
        drawn = columns_of(chart_lines(walk(10_000, 40_000), 200_000, 80, ZONE))

        assert drawn[0] == " " * WIDEST_COLUMN + "█" * WIDEST_COLUMN
        assert drawn[-1] == "█" * 2 * WIDEST_COLUMN

    def test_is_as_high_as_the_window_once_it_is_half_full(self) -> None:
        drawn = columns_of(chart_lines(walk(50_000, 100_000), 200_000, 80, ZONE))

        assert [line[0] for line in drawn].count("█") == CHART_ROWS // 4
        assert [line[-1] for line in drawn].count("█") == CHART_ROWS // 2

    @given(st.integers(1, 3 * 10**6), st.none() | st.integers(1_000, 2 * 10**6))
    def test_its_scale_is_round_and_no_more_than_twice_what_is_needed(
        self, top: int, size: int | None
    ) -> None:
        scale = scale_of(top, size)

        assert scale >= top
        if size is not None and 2 * top >= size:
            assert scale == max(size, top)
        else:
            assert scale <= 2 * top
            assert str(round(scale)).strip("0") in ("1", "2", "4", "6", "8")

    def test_its_scale_stands_at_every_third_row(self) -> None:
        lines = chart_lines(walk(10_000, 40_000), 200_000, 80, ZONE)
        marks = [line.partition("│")[0].strip() for line in lines[:CHART_ROWS]]

        assert marks == ["40.0K", "", "", "30.0K", "", "", "20.0K", "", "", "10.0K", "", ""]

    @pytest.mark.parametrize(
        ("count", "cells"), [(1, 6), (10, 6), (11, 6), (12, 5), (25, 2), (36, 1), (70, 1)]
    )
    def test_few_requests_have_wide_columns(self, count: int, cells: int) -> None:
        drawn = columns_of(chart_lines(walk(*[9_000] * count), None, 80, ZONE))

        assert {len(line) for line in drawn} == {count * cells}

    def test_says_what_share_of_the_window_is_drawn(self) -> None:
        part = chart_lines(walk(40_000), 200_000, 80, ZONE)
        whole = chart_lines(walk(140_000), 200_000, 80, ZONE)

        assert part[-1] == "  The window holds 200,000 tokens, 20% of which is drawn."
        assert whole[-1] == "  The window holds 200,000 tokens."
        assert "holds" not in chart_lines(walk(40_000), None, 80, ZONE)[-1]

    def test_never_grows_out_of_itself(self) -> None:
        drawn = columns_of(chart_lines(walk(300_000), 200_000, 80, ZONE))

        assert drawn == ["█" * WIDEST_COLUMN] * CHART_ROWS

    def test_bands_stand_upon_each_other_from_the_fixed_to_the_fleeting(self) -> None:
        mixed = moment(40_000, hidden=10_000.0, skills=10_000.0, context_files=10_000.0)
        drawn = "".join(reversed(columns_of(chart_lines([mixed], None, 80, ZONE))))

        assert "".join(dict.fromkeys(drawn)) == "░▒▓█"

    def test_every_component_has_a_band(self) -> None:
        assert sorted(group for _, _, groups in BANDS for group in groups) == sorted(GROUPS)

    @pytest.mark.parametrize(
        ("cause", "sign"),
        [
            ("compaction", "C"),
            ("rewound", "R"),
            ("cleared", "c"),
            ("retold", "t"),
            ("model switch", "M"),
        ],
    )
    def test_an_event_has_its_sign_and_the_legend_says_it(self, cause: str, sign: str) -> None:
        moments = [moment(9_000), moment(5_000, 1, cause)]
        lines = chart_lines(moments, None, 120, ZONE)

        assert lines[CHART_ROWS + 1].rstrip() == " " * (AXIS_WIDTH + WIDEST_COLUMN) + sign
        assert f"{sign} {cause}" in lines[-1]

    def test_of_several_events_in_a_column_the_weightiest_is_shown(self) -> None:
        moments = [moment(9_000, n, cause) for n, cause in enumerate(["retold", "compaction"] * 60)]
        lines = chart_lines(moments, None, 40, ZONE)

        assert set(lines[CHART_ROWS + 1].strip()) == {"C"}

    def test_the_axis_tells_begin_end_and_number(self) -> None:
        axis = chart_lines(walk(1, 2, 3), None, 80, ZONE)[CHART_ROWS + 1]

        assert axis.split() == ["11-20", "12:00", "11-20", "12:02,", "3", "requests"]


class TestTurns:
    def test_each_is_measured_against_the_one_before(self) -> None:
        assert [turn.change_tokens for turn in turns_of(walk(5, 9, 2))] == [5, 4, -7]

    @given(st.lists(st.integers(1, 10**6), min_size=1, max_size=60))
    def test_changes_add_up_to_the_last_request(self, prompts: list[int]) -> None:
        assert sum(turn.change_tokens for turn in turns_of(walk(*prompts))) == prompts[-1]

    @given(st.lists(st.integers(1, 10**6), min_size=1, max_size=60))
    def test_the_first_is_always_among_the_largest(self, prompts: list[int]) -> None:
        shown = largest(turns_of(walk(*prompts)))

        assert shown[0].number == 1
        assert len(shown) == min(SHOWN_TURNS, len(prompts))
        assert [turn.number for turn in shown] == sorted(turn.number for turn in shown)

    def test_a_loss_is_as_large_as_a_gain(self) -> None:
        prompts = [100, 200, *range(201, 230), 50]

        assert {1, 2, len(prompts)} <= {turn.number for turn in largest(turns_of(walk(*prompts)))}


class TestWhy:
    @pytest.mark.parametrize(
        ("label", "said"),
        [
            ("tool_result Read", "tool result Read 1.20K"),
            ("prompt", "prompt 1.20K"),
            ("file edited_text_file", "changed file 1.20K"),
            ("file file", "attached file 1.20K"),
            ("memory_file /srv/shop/CLAUDE.md", "memory file CLAUDE.md 1.20K"),
            ("memory_file C:\\shop\\CLAUDE.md", "memory file CLAUDE.md 1.20K"),
        ],
    )
    def test_pieces_have_words(self, label: str, said: str) -> None:
        assert why_of(moment(9_000)._replace(added_labels={label: 1_200.0})) == said

    def test_the_three_largest_are_named_behind_the_cause(self) -> None:
        labels = {"text": 10.0, "prompt": 40.0, "thinking": 30.0, "image": 20.0}
        found = moment(9_000, cause="compaction")._replace(added_labels=labels)

        assert why_of(found) == "compaction, prompt 40, thinking 30, image 20"

    def test_what_nobody_sees_is_named_beyond_the_error(self) -> None:
        found = moment(9_000)._replace(unexplained_tokens=-500.0, added_labels={"text": 10.0})

        assert why_of(found) == "unseen -500, text 10"
        assert why_of(found._replace(band_tokens=600.0)) == "text 10"

    def test_nothing_is_nothing(self) -> None:
        assert why_of(moment(9_000)) == ""


class TestScreen:
    @pytest.mark.parametrize("width", [60, 80, 100, 160])
    def test_fits_whatever_things_are_called(self, width: int) -> None:
        labels = {f"tool_result {'購物車' * 50}": 10**9, "x" * 300: 5.0}
        moments = [moment(10**9, n)._replace(added_labels=labels) for n in range(200)]

        assert max(map(text_width, lines_of(moments, width))) <= width

    def test_hostile_names_are_cleaned(self) -> None:
        labels = {"tool_result \x1b[2Jx\u202e": 50.0, "reminder a\nb": 40.0}

        lines = lines_of([moment(9_000)._replace(added_labels=labels)])
        assert all(line.isprintable() for line in lines)

    def test_says_where_nothing_is_known(self) -> None:
        for moments in ([], [moment(None)]):
            assert "  No request reported its usage yet." in lines_of(moments)

    def test_a_time_that_is_not_known_is_a_question_mark(self) -> None:
        plain = moment(9_000)
        lines = lines_of([plain._replace(request=plain.request._replace(started_at_ms=0))])

        assert any(line.split()[:3] == ["1", "?", "+9,000"] for line in lines)

    @pytest.mark.parametrize("shows_all", [False, True])
    def test_where_every_request_is_shown_it_says_so(self, shows_all: bool) -> None:
        assert "Every request: what it added, and why" in lines_of(walk(1, 2), shows_all=shows_all)

    def test_the_largest_are_counted(self) -> None:
        said = f"The {SHOWN_TURNS} largest steps of 40: what they added, and why"

        assert said in lines_of(walk(*range(100, 140)))

    def test_a_request_without_usage_keeps_its_number(self) -> None:
        lines = lines_of([moment(9_000), moment(None, 1), moment(9_500, 2)])
        rows = [line.split()[0] for line in lines[lines.index("") :] if "11-20 12:0" in line]

        assert rows == ["1", "3"]


class TestDocument:
    def test_parts_of_a_row_add_up(self) -> None:
        made = timeline_document(
            window(), [moment(40_000, hidden=12_000.4, skills=0.6)], FACTS, ZONE
        )
        (row,) = json.loads(made)["rows"]

        parts = sum(row[f"{group}_tokens"] for group in GROUPS)
        assert parts == pytest.approx(row["prompt_tokens"], abs=len(GROUPS) / 2)

    def test_an_event_is_named(self) -> None:
        made = timeline_document(window(), [moment(9), moment(5, 1, "compaction")], FACTS, ZONE)

        assert [row["event"] for row in json.loads(made)["rows"]] == [None, "compaction"]

    def test_a_share_is_a_number_or_unknown(self) -> None:
        made = timeline_document(window(), [moment(50_000), moment(None, 1)], FACTS, ZONE)

        assert [row["used_share"] for row in json.loads(made)["rows"]] == [0.25, None]
