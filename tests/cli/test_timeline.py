"""`tokens timeline`: the chart, the steps and the JSON."""

from typing import Any

import pytest
from tests.cli.conftest import OPUS, Home
from tests.cli.window_sessions import (
    HAIKU,
    Talk,
    filled_session,
    plain_session,
    rich_session,
    words,
)

from tokenbudget.reports.timeline import CHART_ROWS, SHOWN_TURNS


@pytest.fixture(scope="module")
def rich(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """A session of 25 requests with a compaction; only for commands that read."""
    home = Home(tmp_path_factory.mktemp("rich") / "home")
    rich_session().write(home)
    return home


def chart(lines: list[str]) -> list[str]:
    """The columns of the chart, from its top line to its lowest."""
    return [line.partition("│")[2] for line in lines if "│" in line]


def steps(lines: list[str]) -> list[list[str]]:
    """The rows of the table, as words."""
    start = next(i for i, line in enumerate(lines) if line.lstrip().startswith("#"))
    rows = lines[start + 2 :]
    return [line.split() for line in rows[: rows.index("") if "" in rows else None]]


def group_tokens(row: Any) -> int:
    """The sum of a row's components."""
    others = ("prompt_tokens", "output_tokens", "unexplained_tokens")
    return sum(n for name, n in row.items() if name.endswith("_tokens") and name not in others)


class TestChart:
    @pytest.mark.parametrize("width", [60, 80, 100, 160])
    def test_has_one_height_at_every_width(self, rich: Home, width: int) -> None:
        assert len(chart(rich.run("timeline", COLUMNS=str(width)).lines)) == CHART_ROWS

    def test_has_a_column_for_each_request(self, rich: Home) -> None:
        (floor,) = (line for line in rich.run("timeline", COLUMNS="100").lines if "└" in line)

        assert floor.count("─") == 25 * 3

    @pytest.mark.parametrize("width", [60, 80, 100])
    def test_of_many_requests_fills_the_width(self, home: Home, width: int) -> None:
        talk = Talk()
        for _ in range(150):
            talk.ask(words(40)).answer()
        talk.write(home)

        drawn = chart(home.run("timeline", COLUMNS=str(width)).lines)
        assert max(map(len, drawn)) == width - 10

    def test_its_top_is_the_largest_request(self, rich: Home) -> None:
        drawn = chart(rich.run("timeline").lines)
        sent = [row["prompt_tokens"] for row in rich.ask("timeline")["rows"]]

        first = next(line for line in drawn if line.strip())
        assert first.index("█") == 3 * sent.index(max(sent))
        assert drawn.index(first) == CHART_ROWS * (60_000 - 45_000) // 60_000

    def test_its_scale_is_round(self, rich: Home) -> None:
        lines = rich.run("timeline").lines
        marks = [line.split("│")[0].strip() for line in lines if "│" in line]

        assert [mark for mark in marks if mark] == ["60.0K", "45.0K", "30.0K", "15.0K"]
        assert "  The window holds 200,000 tokens, 30% of which is drawn." in lines

    def test_its_top_is_the_window_once_half_of_it_is_full(self, home: Home) -> None:
        filled_session(0.51).write(home)
        lines = home.run("timeline").lines
        drawn = chart(lines)

        assert drawn[CHART_ROWS // 2].strip()
        assert not "".join(drawn[: CHART_ROWS // 2]).strip()
        assert "  The window holds 200,000 tokens." in lines

    @pytest.mark.parametrize(
        "words_of_it",
        ["█ messages", "▓ files", "▒ MCP, skills, agents", "░ system", "C compaction"],
    )
    def test_the_legend_explains_every_sign(self, rich: Home, words_of_it: str) -> None:
        (legend,) = (line for line in rich.run("timeline").lines if "█ messages" in line)

        assert words_of_it in legend

    def test_the_legend_fits_eighty_columns(self, rich: Home) -> None:
        lines = rich.run("timeline", COLUMNS="80").lines

        assert sum("█ messages" in line and "C compaction" in line for line in lines) == 1

    def test_a_narrow_legend_keeps_sign_and_word_together(self, rich: Home) -> None:
        lines = rich.run("timeline", COLUMNS="60").lines

        assert any("C compaction" in line for line in lines)

    def test_a_compaction_stands_under_its_request(self, rich: Home) -> None:
        lines = rich.run("timeline").lines
        floor = next(i for i, line in enumerate(lines) if "└" in line)
        events = [row["event"] for row in rich.ask("timeline")["rows"]]

        assert lines[floor + 1][8:].index("C") == 3 * events.index("compaction")

    def test_a_switch_of_models_has_its_sign(self, home: Home) -> None:
        Talk().ask().answer(model=OPUS).ask().answer(model=HAIKU).write(home)
        out = home.run("timeline").out

        assert "M model switch" in out

    def test_without_events_there_is_no_line_for_them(self, home: Home) -> None:
        plain_session().write(home)
        lines = home.run("timeline").lines
        floor = next(i for i, line in enumerate(lines) if "└" in line)

        assert lines[floor + 1].strip().startswith("11-20")


class TestSteps:
    def test_the_first_request_is_always_shown(self, home: Home) -> None:
        talk = Talk(hidden_tokens=0).ask("Hi.")
        talk.answer("Hello.")
        for number in range(20):
            talk.ask(words(300 + number)).answer()
        talk.write(home)

        assert steps(home.run("timeline").lines)[0][0] == "1"

    def test_the_largest_are_shown_in_their_order(self, rich: Home) -> None:
        shown = [int(row[0]) for row in steps(rich.run("timeline").lines)]
        sent = [row["prompt_tokens"] for row in rich.ask("timeline")["rows"]]
        changes = [abs(now - before) for before, now in zip([0, *sent], sent, strict=False)]
        least = min(changes[number - 1] for number in shown)

        assert len(shown) == SHOWN_TURNS
        assert shown == sorted(shown)
        assert sum(change > least for change in changes) < SHOWN_TURNS

    def test_all_shows_every_request(self, rich: Home) -> None:
        done = rich.run("timeline", "--all")

        assert "Every request: what it added, and why" in done.lines
        assert [int(row[0]) for row in steps(done.lines)] == list(range(1, 26))

    def test_a_request_has_one_number(self, home: Home) -> None:
        plain_session().answer(usage=None).ask().answer().write(home)
        last = home.ask("timeline")["rows"][-1]["request"]

        assert int(steps(home.run("timeline", "--all").lines)[-1][0]) == last

    def test_a_step_says_why(self, rich: Home) -> None:
        out = rich.run("timeline").out

        assert "tool result Read 2.85K" in out
        assert "compaction, memory file CLAUDE.md 816, summary 470" in out

    def test_growth_that_nothing_explains_is_unseen(self, home: Home) -> None:
        talk = plain_session()
        talk.window_tokens += 9_000
        talk.ask().answer().write(home)

        assert "unseen 9.00K" in home.run("timeline").out
        assert home.ask("timeline")["unexplained_requests"] == 1

    def test_one_request_is_one_request(self, home: Home) -> None:
        Talk().ask().answer().write(home)
        out = home.run("timeline").out

        assert "Every request: what it added, and why" in out
        assert "11-20 11:00, 1 request\n" in out


class TestJson:
    def test_is_one_object_of_its_format(self, rich: Home) -> None:
        answer = rich.ask("timeline")

        assert answer["format"] == "tokenbudget/timeline/1"
        assert [row["request"] for row in answer["rows"]] == list(range(1, 26))
        assert answer["requests"] == 25

    @pytest.mark.parametrize(
        "talk",
        [rich_session(), plain_session(), filled_session(0.9), plain_session(model="mystery-9")],
        ids=["rich", "plain", "filled", "unknown-model"],
    )
    def test_the_parts_of_a_row_add_up_to_its_prompt(self, home: Home, talk: Talk) -> None:
        talk.write(home)

        for row in home.ask("timeline")["rows"]:
            assert group_tokens(row) == pytest.approx(row["prompt_tokens"], abs=5)

    def test_of_two_models_they_add_up_as_well(self, home: Home) -> None:
        Talk().ask(words(900)).answer(model=OPUS).ask().answer(model=HAIKU).write(home)

        for row in home.ask("timeline")["rows"]:
            assert group_tokens(row) == pytest.approx(row["prompt_tokens"], abs=5)

    def test_a_request_without_usage_is_null(self, home: Home) -> None:
        plain_session().answer(usage=None).write(home)

        assert home.ask("timeline")["rows"][-1]["prompt_tokens"] is None

    def test_the_share_of_an_unknown_prompt_is_unknown(self, home: Home) -> None:
        plain_session().answer(usage=None).write(home)

        assert home.ask("timeline")["rows"][-1]["used_share"] is None

    def test_the_figures_of_the_window_stand_beside_the_rows(self, rich: Home) -> None:
        answer = rich.ask("timeline")

        assert answer["prompt_tokens"] == answer["rows"][-1]["prompt_tokens"]
        assert answer["total_tokens"] == rich.ask("context")["total_tokens"]

    def test_times_are_aware(self, rich: Home) -> None:
        assert rich.ask("timeline")["rows"][0]["at"] == "2026-11-20T11:02:20.000+00:00"

    def test_a_share_is_a_number(self, rich: Home) -> None:
        row = rich.ask("timeline")["rows"][0]

        assert row["used_share"] == row["prompt_tokens"] / 200_000
