"""What time does to the view: countdown, old data, faults, the bell, and how little is painted."""

import asyncio

from tests.dashboard.terminal.stage import Stage, play, staged

from monitor_frames import MADE_AT_MS, frame
from tokenbudget.analysis.cache_state import UNKNOWN
from tokenbudget.dashboard.terminal.spans import FAINT, PLAIN, STRONG
from tokenbudget.dashboard.view_model import Frame, Spend
from tokenbudget.model.errors import LedgerUnusable

COLOURS = {"healthy", "warning", "critical", "emergency"}


def roles(stage: Stage) -> set[str]:
    """The roles of everything in sight, the last line apart."""
    board = stage.screen.board
    panels = [board.ground, *(board.panels[name] for name in board.spots if name in board.panels)]
    return {span.role for panel in panels for line in panel._lines for span in line if span.text}


def test_the_cache_counts_down_every_second() -> None:
    async def scene(stage: Stage) -> None:
        for left in ("2:09", "2:08", "2:07"):
            await stage.pass_seconds(1)
            assert f"cold in {left}" in stage.text("burn")
        await stage.pass_seconds(25.5)
        assert "cold in 1:41" in stage.text("burn")
        assert stage.clock.seconds == 1028.5

    play(scene)


def test_a_cache_that_has_run_out_is_cold() -> None:
    async def scene(stage: Stage) -> None:
        for _ in range(5):
            await stage.pass_seconds(29)  # the answers are new, the frame's own time is not
        assert "hit 96% · cold" in stage.text("burn")

    warm = frame()
    assert warm.chosen is not None
    soon = warm.chosen.cache._replace(cold_at_ms=MADE_AT_MS + 20_000)
    play(scene, warm._replace(chosen=warm.chosen._replace(cache=soon)))


def test_it_asks_once_in_each_interval() -> None:
    async def scene(stage: Stage) -> None:
        for second in range(1, 91):
            await stage.pass_seconds(1)
            assert len(stage.source.asked) == 1 + second // 30

    play(scene)


def test_a_slow_source_is_not_asked_twice() -> None:
    async def scene(stage: Stage) -> None:
        stage.source.gate.clear()
        stage.source.entered.clear()
        await stage.pass_seconds(30)
        assert stage.source.entered.wait(10), "it is being asked, and does not answer"
        for _ in range(4):
            await stage.pass_seconds(30)
        assert len(stage.source.asked) == 2
        stage.source.gate.set()
        await stage.settle()
        assert len(stage.source.asked) == 2

    play(scene)


def test_data_older_than_two_intervals_is_no_data_and_grey() -> None:
    async def scene(stage: Stage) -> None:
        assert roles(stage) & COLOURS
        stage.source.gate.clear()
        await stage.pass_seconds(60)
        assert "● healthy" in stage.text("health")
        await stage.pass_seconds(0.1)
        assert "? no data since 14:02:31" in stage.text("health")
        assert "it was ● healthy, 31% of 200K" in stage.text("health")
        assert not roles(stage) & COLOURS
        stage.source.gate.set()
        await stage.settle()
        assert "no data" not in stage.text("health")
        assert "healthy" in roles(stage)

    play(scene, frame("healthy"))


def test_a_source_that_fails_is_no_data_at_once_and_says_why() -> None:
    async def scene(stage: Stage) -> None:
        await stage.tell(LedgerUnusable("cannot open the ledger: it is locked; try again"))
        assert "? no data since 14:02:31" in stage.text("health")
        assert "! cannot open the ledger: it is locked; try again" in stage.text("ground")
        assert not roles(stage) & COLOURS
        await stage.press("s")
        assert not roles(stage) & COLOURS
        assert "no data since 14:02:31" in stage.text("ground")
        await stage.press("escape")
        await stage.tell(frame("critical", at_ms=MADE_AT_MS + 90_000))
        assert "◆ critical" in stage.text("health")
        assert "locked" not in stage.text("ground")

    play(scene, frame("healthy"))


def test_a_source_that_fails_from_the_beginning() -> None:
    async def scene(stage: Stage) -> None:
        assert "? no data yet" in stage.text("health")
        assert "! the disk is full" in stage.text("ground")
        await stage.pass_seconds(30)
        assert len(stage.source.asked) == 2

    play(scene, LedgerUnusable("the disk is full"))


def test_before_the_first_frame_it_says_what_it_does() -> None:
    async def played() -> None:
        async with staged(size=(80, 24)) as stage:
            stage.app._frame = None
            stage.app._draw()
            assert "reading sessions" in stage.text("health")
            assert stage.text("welcome") == ""

    asyncio.run(played())


def test_faults_of_a_frame_are_one_line_and_the_rest_stays() -> None:
    async def scene(stage: Stage) -> None:
        assert "! 3 lines could not be read (and 1 more)" in stage.text("ground")
        assert "▲ warning" in stage.text("health")

    play(scene, frame()._replace(faults=("3 lines could not be read", "no prices for one model")))


def test_faults_are_told_to_the_end_behind_a() -> None:
    async def scene(stage: Stage) -> None:
        assert "the last word" not in stage.text("ground")
        await stage.press("a")
        shown = " ".join(stage.text("page").split())
        assert "What went wrong" in shown
        assert "the last word" in shown
        assert "no prices for one model" in shown
        await stage.tell(LedgerUnusable("the ledger is locked; try again"))
        assert "the ledger is locked; try again" in stage.text("page")

    long = "config.toml is not TOML, " * 9 + "the last word"
    play(scene, frame()._replace(faults=(long, "no prices for one model")))


# ── painting little ──────────────────────────────────────────────────────────────────────────────


def repaints(stage: Stage) -> dict[str, int]:
    """How often each panel had something new."""
    board = stage.screen.board
    return {"ground": board.ground.repaints} | {n: p.repaints for n, p in board.panels.items()}


def changed(before: dict[str, int], after: dict[str, int]) -> set[str]:
    return {name for name in after if after[name] != before[name]}


def test_a_second_repaints_one_panel() -> None:
    async def scene(stage: Stage) -> None:
        before = repaints(stage)
        for _ in range(10):
            await stage.pass_seconds(1)
        assert changed(before, repaints(stage)) == {"burn"}

    play(scene)


def test_the_same_frame_again_repaints_nothing() -> None:
    async def scene(stage: Stage) -> None:
        before = repaints(stage)
        stage.app._ask()
        await stage.settle()
        assert len(stage.source.asked) == 2
        assert changed(before, repaints(stage)) == set()

    play(scene)


def test_a_new_frame_repaints_what_is_new() -> None:
    async def scene(stage: Stage) -> None:
        before = repaints(stage)
        now = frame()
        assert now.chosen is not None
        consumers = now.chosen.consumers[1:]
        stage.source.told = now._replace(chosen=now.chosen._replace(consumers=consumers))
        stage.app._ask()
        await stage.settle()
        assert changed(before, repaints(stage)) == {"consumers", "ground"}  # the count in its title

    play(scene)


def test_keys_answer_while_the_source_sleeps() -> None:
    """The source holds its thread until the gate opens; the keys must not notice.

    How fast they answer is for `tools/bench_monitor.py`.
    """

    async def scene(stage: Stage) -> None:
        stage.source.gate.clear()
        stage.source.entered.clear()
        await stage.press("r")
        assert stage.source.entered.wait(10)
        for _ in range(5):
            before = stage.text("consumers")
            await stage.press("o")
            assert stage.text("consumers") != before
            assert stage.app.moment().is_asking, "the source has answered nothing in between"
        assert len(stage.source.asked) == 2

    play(scene)


# ── room ─────────────────────────────────────────────────────────────────────────────────────────


SIZES = ((80, 24), (200, 60), (40, 10), (1, 1), (60, 16), (300, 20), (61, 90), (120, 40))


def test_it_follows_the_size_of_the_terminal() -> None:
    async def scene(stage: Stage) -> None:
        for size in (
            (80, 24),
            (200, 60),
            (40, 10),
            (1, 1),
            (60, 16),
            (300, 20),
            (61, 90),
            (120, 40),
        ):
            await stage.pilot.resize_terminal(*size)
            await stage.settle()
            for x, y, width, height in stage.screen.board.spots.values():
                assert x + width <= size[0]
                assert y + height <= size[1]
            if size == (40, 10):
                assert "needs 60x16" in stage.text("ground")
            if size[0] >= 60:
                assert "▲ warning" in stage.text("health")
        assert {"decisions", "sessions", "limits"} <= set(stage.screen.board.spots)

    play(scene)


def test_nothing_essential_is_missing_at_80x24() -> None:
    async def scene(stage: Stage) -> None:
        shown = stage.text()
        for part in (
            "webshop · fix-cart-rounding", "opus-5-5", "14:02:31", "every 30s", "▲ warning",
            "58% of 200K", "116,400 used · 83,600 free", "critical in ~20m", "▲50%", "◆75%", "✖90%",
            "health level", "traffic light yellow", "System", "MCPs", "Skills", "Messages",
            "Context", "of 30.0K !", "1,640/min · 2.87K per request", "hit 96% · cold in 2:10",
            "$1.86 this session · $3.10/h", "5-hour 38%, ~83% at its reset 16:40",
            "7-day  61%, spent in ~2d 3h !", "~20m (14m-37m)", "full", "src/cart.py", "18.4K",
            "1  10,664 tokens", "2  MCP server playwright", "context window over 50%", "? help",
            "s sessions", "q quit", "▂",
        ):  # fmt: skip
            assert part in shown, part

    play(scene, size=(80, 24))


def test_colour_is_health_and_nothing_else() -> None:
    """With no alert, no part over its share and no limit in danger, one colour is left."""

    async def scene(stage: Stage) -> None:
        assert roles(stage) & COLOURS == {"healthy"}
        assert {PLAIN, FAINT, STRONG} <= roles(stage)

    play(scene, calm(), size=(80, 24))


def calm() -> Frame:
    """Everything is well."""
    well = frame("healthy")
    assert well.chosen is not None
    view = well.chosen._replace(ahead=())
    return well._replace(chosen=view, limits=well.limits[:1])


# ── little known ─────────────────────────────────────────────────────────────────────────────────


def test_what_is_unknown_is_said_to_be_and_never_zero() -> None:
    async def scene(stage: Stage) -> None:
        for size in ((80, 24), (120, 40), (200, 60)):
            await stage.pilot.resize_terminal(*size)
            await stage.settle()
            shown = stage.text()
            assert "? no data" in stage.text("health")
            assert "window unknown" in stage.text("health")
            assert "use unknown until the next request" in stage.text("health")
            assert "unknown until the first request" in stage.text("composition")
            assert "none in the last hour" in stage.text("burn")
            assert "hit ? · cold at ?" in stage.text("burn")
            assert "cost unknown" in stage.text("burn")
            assert "2 requests so far; a forecast" in stage.text("ahead")
            assert "nothing is known yet" in stage.text("advice")
            assert "0%" not in shown.replace("▲50%", "").replace("✖90%", "")
            assert not roles(stage) & COLOURS

    play(scene, unknown())


def unknown() -> Frame:
    """A session of which next to nothing is known."""
    known = frame()
    assert known.chosen is not None
    view = known.chosen._replace(
        title="", project="", git_branch="", model="", at_ms=0, level=None, light=None,
        total_tokens=None, window_tokens=None, until_compaction_tokens=None, rows=(), burns=(),
        grown_tokens=(), ahead=(), forecast_reason="2 requests so far; a forecast needs 3",
        spend=Spend(None, None, 0), cache=UNKNOWN, consumers=(), recommendations=(), notes=(),
    )  # fmt: skip
    sessions = known.sessions[0]._replace(
        title="", project="", model="", total_tokens=None, window_tokens=None, level=None, at_ms=0
    )
    limit = known.limits[0]
    forecast = limit.forecast._replace(
        used_share=None, resets_at_ms=None, share_at_reset=None, exhausted_at_ms=None, reason="none"
    )
    return known._replace(
        chosen=view, sessions=(sessions,), limits=(limit._replace(forecast=forecast),), alerts=()
    )
