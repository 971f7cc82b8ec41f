"""Texts from transcripts are shown and nothing else: no escape, no markup, no broken borders."""

from xml.etree import ElementTree

import pytest
from tests.dashboard.terminal.hostile import (
    LONG,
    MARKUP,
    NASTY,
    WIDE,
    first_forbidden,
    hostile_frame,
)
from tests.dashboard.terminal.stage import Stage, play

from make_monitor_picture import photograph
from tokenbudget.dashboard.terminal.spans import width_of

SIZES = ((40, 10), (60, 16), (80, 24), (120, 40), (200, 60))
PAGES: tuple[list[str], ...] = ([], ["s"], ["question_mark"], ["a"], ["d"], ["1"], ["tab", "enter"])


@pytest.mark.parametrize("size", SIZES, ids=str)
@pytest.mark.parametrize("text", [NASTY, LONG, MARKUP * 3, WIDE * 20, "", "\x1b[2J", "\u202e"])
def test_no_escape_reaches_the_picture(text: str, size: tuple[int, int]) -> None:
    async def scene(stage: Stage) -> None:
        for keys in PAGES if size == (80, 24) else PAGES[:2]:
            if keys:
                await stage.press(*keys)
            picture = photograph(stage.app)
            assert first_forbidden(picture) == ""
            assert "evil.example</a>" not in picture
            assert "<a " not in picture
            ElementTree.fromstring(picture)  # markup of theirs would break it
            check_widths(stage, size)
            await stage.press("escape")

    play(scene, hostile_frame(text), size=size)


def check_widths(stage: Stage, size: tuple[int, int]) -> None:
    """Every line of every panel is exactly as wide as the panel, so no border is pushed away."""
    board = stage.screen.board
    for name, (x, y, width, height) in board.spots.items():
        panel = board.ground if name == "ground" else board.panels[name]
        assert x >= 0
        assert y >= 0
        assert x + width <= size[0]
        assert y + height <= size[1]
        assert len(panel._lines) == height
        for line in panel._lines:
            assert width_of(line) == width
        for row in range(height):
            assert panel.render_line(row).cell_length == width


def test_markup_is_shown_as_it_is() -> None:
    async def scene(stage: Stage) -> None:
        assert "[red]x[/]" in stage.text("consumers")
        assert "[red]x[/]" in stage.text("ground")
        await stage.press("1")
        assert "[link=https://evil.example]y[/link] [@click=app.quit]z[/]" in stage.text("page")

    play(scene, hostile_frame(MARKUP))


def test_what_is_typed_and_pasted_is_hostile_too() -> None:
    async def scene(stage: Stage) -> None:
        from textual import events

        await stage.press("slash")
        stage.screen.find_line.post_message(events.Paste(NASTY))
        await stage.settle()
        assert first_forbidden(stage.text("find")) == ""
        assert "[red]x[/]" in stage.text("find")

    play(scene)
