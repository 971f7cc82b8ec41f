"""Every key that the help names does what it says, driven as a person would."""

from collections.abc import Sequence
from functools import partial
from typing import Any

import pytest
from tests.dashboard.terminal.stage import FakeSource, Stage, play

from monitor_frames import empty_frame, frame
from tokenbudget.dashboard.terminal.keys import APP_KEYS, next_interval
from tokenbudget.dashboard.terminal.main_screen import MainScreen
from tokenbudget.dashboard.terminal.other_screens import PageScreen, SessionsScreen
from tokenbudget.model.errors import LedgerUnusable

EVERY = [name for key in APP_KEYS[:-1] for name in key.keys.split(",")]
"""All but those that quit."""
SECOND = "9d21"
"""The id of the second session of the sample."""


def test_q_and_ctrl_c_quit_from_everywhere() -> None:
    async def leaving(stage: Stage, keys: Sequence[str]) -> None:
        await stage.press(*keys)
        assert not stage.app.is_running or stage.app._exit

    for keys in (["q"], ["ctrl+c"], ["s", "q"], ["a", "ctrl+c"], ["slash", "x", "ctrl+c"]):
        play(partial(leaving, keys=keys))


@pytest.mark.parametrize(
    ("key", "kind"), [("question_mark", "help"), ("a", "alerts"), ("d", "decisions")]
)
def test_a_page_opens_and_closes_with_its_key_and_with_escape(key: str, kind: str) -> None:
    async def scene(stage: Stage) -> None:
        for closing in (key, "escape"):
            await stage.press(key)
            assert isinstance(stage.screen, PageScreen)
            assert stage.screen.kind == kind
            await stage.press(closing)
            assert isinstance(stage.screen, MainScreen)

    play(scene)


def test_one_page_gives_way_to_another() -> None:
    async def scene(stage: Stage) -> None:
        await stage.press("a", "d", "s", "question_mark")
        assert isinstance(stage.screen, PageScreen)
        assert stage.screen.kind == "help"
        await stage.press("escape")
        assert isinstance(stage.screen, MainScreen)

    play(scene)


def test_help_names_every_key() -> None:
    async def scene(stage: Stage) -> None:
        await stage.press("question_mark")
        shown = stage.text("page")
        for key in APP_KEYS:
            assert key.help in shown

    play(scene, size=(80, 40))


def test_pages_scroll() -> None:
    async def scene(stage: Stage) -> None:
        await stage.press("question_mark")
        first = stage.text("page").splitlines()
        await stage.press("enter")  # opens nothing
        await stage.press("down")
        assert stage.text("page").splitlines()[:5] == first[1:6]
        await stage.press("end")
        assert "no colour" not in stage.text("page").splitlines()[0]
        assert "better is believed once it has held" in stage.text("page").replace("\n", " ")
        await stage.press("home", "pagedown", "pageup")
        assert stage.text("page").splitlines() == first

    play(scene, size=(80, 20))


def test_s_lists_the_sessions_and_enter_chooses_one() -> None:
    async def scene(stage: Stage) -> None:
        await stage.press("s")
        assert isinstance(stage.screen, SessionsScreen)
        shown = stage.text("sessions")
        for part in ("▲ warning", "webshop · fix-cart", "16% of 1.00M", "sonnet-5", "? no data"):
            assert part in shown
        await stage.press("down", "enter")
        assert isinstance(stage.screen, MainScreen)
        assert stage.source.asked[-1] == SECOND

    play(scene)


def test_choosing_while_the_source_is_busy_asks_again() -> None:
    async def scene(stage: Stage) -> None:
        stage.source.gate.clear()
        await stage.press("r", "s", "down", "enter")
        assert stage.source.asked[-1] == ""
        stage.source.gate.set()
        await stage.settle()
        assert stage.source.asked[-1] == SECOND

    play(scene)


def test_find_narrows_sessions_and_sort_orders_them() -> None:
    async def scene(stage: Stage) -> None:
        await stage.press("s", "slash", *"webshop", "enter")
        assert len(shown(stage, "sessions")) == 2
        await stage.press("slash", "escape")
        assert len(shown(stage, "sessions")) == 5
        await stage.press("o")
        assert [row.split("%")[0][-3:].strip() for row in shown(stage, "sessions")[:2]] == [
            "90",
            "75",
        ]
        await stage.press("o")
        assert "api" in shown(stage, "sessions")[0]
        await stage.press("o")
        assert "fix-cart" in shown(stage, "sessions")[0]

    play(scene)


def test_slash_finds_while_letters_are_typed() -> None:
    async def scene(stage: Stage) -> None:
        await stage.press("slash", *"src q")
        assert stage.app.is_running  # q is a letter here
        assert stage.text("consumers") == "nothing holds these words"
        await stage.press("backspace", "backspace")
        rows = shown(stage, "consumers")
        assert rows
        assert all("src" in row for row in rows)
        await stage.press("enter")
        assert "/src" in stage.text("ground")
        assert shown(stage, "consumers") == rows

    play(scene)


def test_escape_leaves_finding_with_everything_back() -> None:
    async def scene(stage: Stage) -> None:
        before = shown(stage, "consumers")
        await stage.press("slash", *"cart")
        assert shown(stage, "consumers") != before
        await stage.press("escape")
        assert shown(stage, "consumers") == before
        assert "help" in stage.foot

    play(scene)


def test_ctrl_u_takes_all_words_back() -> None:
    async def scene(stage: Stage) -> None:
        await stage.press("slash", *"cart", "ctrl+u")
        assert stage.screen.find_line.query_text == ""

    play(scene)


def test_o_sorts_by_tokens_reads_stale_and_name() -> None:
    async def scene(stage: Stage) -> None:
        firsts = [shown(stage, "consumers")[:3]]
        for _ in range(3):
            await stage.press("o")
            firsts.append(shown(stage, "consumers")[:3])
        await stage.press("o")
        assert shown(stage, "consumers")[:3] == firsts[0]
        assert [row.split()[0] for row in firsts[1]] == [
            "src/cart.py",
            "src/checkout/totals.py",
            "tests/test_rounding.py",
        ]
        assert "410" in firsts[2][2]
        assert [row.split()[0] for row in firsts[3]][:1] == ["/home/ada/.claude/CLAUDE.md"]

    play(scene)


def test_p_stops_asking_and_begins_again_at_once() -> None:
    async def scene(stage: Stage) -> None:
        await stage.press("p")
        asked = len(stage.source.asked)
        assert "paused" in stage.text("ground")
        await stage.pass_seconds(45)
        assert len(stage.source.asked) == asked
        await stage.press("p")
        assert len(stage.source.asked) == asked + 1
        assert "every 30s" in stage.text("ground")

    play(scene)


def test_a_notice_goes_although_a_page_was_opened_over_it() -> None:
    async def scene(stage: Stage) -> None:
        await stage.press("o")
        assert "sorted by" in stage.foot
        await stage.press("a")
        await stage.pass_seconds(1)
        await stage.pass_seconds(1)
        await stage.pass_seconds(1)
        await stage.press("a")
        assert "help" in stage.foot

    play(scene)


def test_a_page_counts_its_lines_only_where_they_are_not_all_in_sight() -> None:
    async def scene(stage: Stage) -> None:
        await stage.press("a")
        assert stage.text("ground").splitlines()[0].endswith("─ Alerts " + "─" * 109 + "╮")
        await stage.pilot.resize_terminal(80, 16)
        await stage.press("question_mark")
        assert "1-13/" in stage.text("ground").splitlines()[0]

    play(scene)


def test_paused_data_is_not_green_for_ever() -> None:
    async def scene(stage: Stage) -> None:
        await stage.press("p")
        await stage.pass_seconds(61)
        assert "? no data since 14:02:31" in stage.text("health")

    play(scene, frame("healthy"))


def test_r_asks_at_once_even_when_paused() -> None:
    async def scene(stage: Stage) -> None:
        await stage.press("p")
        asked = len(stage.source.asked)
        await stage.press("r")
        assert len(stage.source.asked) == asked + 1
        assert "refreshing" in stage.foot

    play(scene)


def test_plus_and_minus_change_the_interval() -> None:
    async def scene(stage: Stage) -> None:
        for key, seconds in (
            ("plus", 60.0),
            ("plus", 60.0),
            ("minus", 30.0),
            ("minus", 10.0),
            ("minus", 5.0),
            ("minus", 5.0),
            ("equals_sign", 10.0),
        ):
            await stage.press(key)
            assert stage.app.interval_seconds == seconds
        assert "every 10s" in stage.text("ground")
        asked = len(stage.source.asked)
        await stage.pass_seconds(10)
        assert len(stage.source.asked) == asked + 1

    play(scene)


@pytest.mark.parametrize(
    ("seconds", "longer", "shorter"), [(0.5, 5, 0.5), (45, 60, 30), (300, 300, 60)]
)
def test_any_interval_may_have_been_asked_for(
    seconds: float, longer: float, shorter: float
) -> None:
    assert next_interval(seconds, 1) == longer
    assert next_interval(seconds, -1) == shorter


def test_t_goes_through_the_themes() -> None:
    async def scene(stage: Stage) -> None:
        seen = []
        for _ in range(5):
            seen.append(stage.app.theme_name)
            await stage.press("t")
        assert seen == ["dark", "light", "contrast", "plain", "auto"]
        assert stage.app.theme_name == "dark"
        assert "theme: dark" in stage.foot
        await stage.press("s", "t")  # on every screen, also those below
        assert stage.app.theme_name == "light"
        await stage.press("escape")
        assert all(panel.theme_name == "light" for panel in stage.screen.board.panels.values())

    play(scene)


def test_t_brings_no_colour_where_none_is_wanted() -> None:
    async def scene(stage: Stage) -> None:
        await stage.press("t")
        assert stage.app.theme_name == "plain"
        assert "no colour" in stage.foot

    play(scene, is_plain=True)


def test_tab_and_arrows_move_through_the_lists() -> None:
    async def scene(stage: Stage) -> None:
        names = []
        for _ in range(6):
            await stage.press("tab")
            names.append(focused(stage))
        assert names == ["consumers", "advice", "alerts", "sessions", "decisions", "consumers"]
        await stage.press("shift+tab")
        assert focused(stage) == "decisions"
        await stage.press("escape")
        assert focused(stage) == ""
        await stage.press("down")
        assert focused(stage) == "consumers"

    play(scene)


def focused(stage: Stage) -> str:
    """The name of the list that has the focus."""
    return stage.app.focused.id or "" if stage.app.focused else ""


def test_the_cursor_scrolls_and_stays_with_its_item() -> None:
    async def scene(stage: Stage) -> None:
        panel: Any = stage.screen.searched()
        await stage.press("tab", *["down"] * 15)
        assert panel.place == 15
        key = panel.key
        grown = frame("warning")
        assert grown.chosen is not None
        more = (grown.chosen.consumers[3]._replace(name="new", tokens=99_999),)
        view = grown.chosen._replace(consumers=more + grown.chosen.consumers)
        await stage.tell(grown._replace(chosen=view))
        assert (panel.key, panel.place) == (key, 16)
        await stage.press("end")
        assert panel.place == 25
        await stage.press("pageup", "home", "up")
        assert panel.place == 0

    play(scene, size=(80, 24))


def test_enter_opens_what_the_cursor_stands_on() -> None:
    async def scene(stage: Stage) -> None:
        await stage.press("tab", "down", "enter")
        assert "npm test" in stage.text("page")
        assert "14,120 tokens" in stage.text("page")
        await stage.press("escape", "tab", "enter")
        assert "out-of-date copies" in stage.text("page")
        await stage.press("escape", "tab", "enter")
        assert "tokens alert ack context-50" in stage.text("page")
        await stage.press("escape", "tab", "down", "enter")
        assert stage.source.asked[-1] == SECOND
        await stage.press("tab", "enter")
        assert "13:53" in stage.text("page")

    play(scene, frame("critical"))


@pytest.mark.parametrize("number", range(1, 10))
def test_a_digit_shows_that_recommendation(number: int) -> None:
    async def scene(stage: Stage) -> None:
        await stage.press(str(number))
        assert isinstance(stage.screen, PageScreen)
        words = ["10,664 tokens", "MCP server playwright", "Context holds"]
        expected = words[number - 1] if number <= 3 else "there is no such recommendation now"
        assert expected in stage.text("page")

    play(scene)


def test_a_page_changes_with_the_next_frame() -> None:
    async def scene(stage: Stage) -> None:
        await stage.press("a")
        assert "context window over 50%" in stage.text("page")
        await stage.tell(frame("healthy"))
        assert "no alert fires" in stage.text("page")

    play(scene)


def test_no_key_breaks_the_view_where_there_is_no_session() -> None:
    async def scene(stage: Stage) -> None:
        every = [
            name for key in APP_KEYS for name in key.keys.split(",") if name not in ("q", "ctrl+c")
        ]
        await stage.press(*every, *every)
        assert stage.app.is_running
        while not isinstance(stage.screen, MainScreen):
            await stage.press("escape")
        assert "tokens doctor" in stage.text("welcome")

    play(scene, empty_frame())


def test_no_key_breaks_the_view_before_the_first_frame() -> None:
    async def scene(stage: Stage) -> None:
        every = [
            name for key in APP_KEYS for name in key.keys.split(",") if name not in ("q", "ctrl+c")
        ]
        await stage.press(*every, *every)
        assert stage.app.is_running

    play(scene, LedgerUnusable("the disk is full"))


def shown(stage: Stage, panel: str) -> list[str]:
    """The rows of a list."""
    return [row for row in stage.text(panel).splitlines() if row]


def test_the_source_lives_in_one_thread() -> None:
    source: FakeSource | None = None

    async def scene(stage: Stage) -> None:
        nonlocal source
        source = stage.source
        await stage.press("r", "s", "enter", "r")

    play(scene)
    assert source is not None
    assert source.is_closed
    assert set(source.threads) == {"tokens-frames"}
