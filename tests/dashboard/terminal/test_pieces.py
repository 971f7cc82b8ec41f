"""The small pieces: lines, bars, charts, colours, and words that only this view uses."""

from hypothesis import given
from hypothesis import strategies as st

from monitor_frames import MADE_AT_MS, frame
from tokenbudget.dashboard import words
from tokenbudget.dashboard.terminal import palette
from tokenbudget.dashboard.terminal.drawing import block_bar, chart, line_bar
from tokenbudget.dashboard.terminal.lists import advice_items, is_match
from tokenbudget.dashboard.terminal.panel import _difference
from tokenbudget.dashboard.terminal.screens import foot_line
from tokenbudget.dashboard.terminal.spans import (
    ROLES,
    Line,
    Span,
    between,
    fitted,
    line,
    plain_text,
    width_of,
)

LINES = st.lists(st.builds(Span, st.text("ab 购é", max_size=9), st.sampled_from(ROLES))).map(tuple)


@given(LINES, st.integers(0, 40))
def test_a_fitted_line_has_exactly_its_width(spans: Line, width: int) -> None:
    assert width_of(fitted(spans, width)) == width


@given(LINES, LINES, st.integers(0, 40))
def test_both_edges_fit(left: Line, right: Line, width: int) -> None:
    shown = between(left, right, width)
    assert width_of(shown) == width
    if right and width_of(right) < width:
        assert plain_text(shown).endswith(plain_text(right))


@given(st.floats(-1, 9), st.integers(0, 60))
def test_bars_have_their_width_and_show_something_where_there_is_something(
    share: float, cells: int
) -> None:
    for bar in (block_bar, line_bar):
        shown = bar(share, cells, "plain")
        assert width_of(shown) == cells
        if share > 0 and cells:
            assert shown[0].text


def test_bars() -> None:
    assert plain_text(block_bar(0.5, 8, "plain")) == "████░░░░"
    assert plain_text(block_bar(0.51, 8, "plain")) == "████▏░░░"
    assert plain_text(line_bar(0.45, 10, "plain")) == "━━━━╸─────"
    assert plain_text(line_bar(7.0, 4, "plain")) == "━━━━"


@given(st.lists(st.integers(0, 10**9), max_size=40), st.integers(1, 120), st.integers(0, 12))
def test_a_chart_fills_its_place(values: list[int], width: int, height: int) -> None:
    rows = chart(values, width, height, "plain")
    assert len(rows) == height
    if values:
        assert {width_of(row) for row in rows} <= {width}
        if height and max(values):
            assert "█" in plain_text(rows[0])  # the largest reaches the top


def test_a_chart() -> None:
    rows = [plain_text(row) for row in chart([0, 1, 2, 4], 8, 2, "plain")]
    assert rows == ["      ██", "··▄▄████"]


@given(LINES, LINES)
def test_the_difference_covers_every_cell_that_changed(before: Line, after: Line) -> None:
    before, after = fitted(before, 30), fitted(after, 30)
    x, _, width, _ = _difference(before, after, 0)
    for text in (before, after):
        if plain_text(text).isascii() and before != after:
            other = plain_text(after if text is before else before)
            if other.isascii():
                assert plain_text(before)[:x] == plain_text(after)[:x]
                assert plain_text(before)[x + width :] == plain_text(after)[x + width :]


def test_the_difference_is_small() -> None:
    before, after = line("cold in 2:10", Span("   ")), line("cold in 2:09", Span("   "))
    assert _difference(before, after, 4) == (10, 4, 2, 1)
    wide = line("购物 2:10")
    assert _difference(wide, line("购物 2:11"), 0) == (0, 0, 9, 1)


def _luminance(color: str) -> float:
    parts = [int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def test_every_text_is_legible() -> None:
    for theme, least in ((palette.DARK, 4.5), (palette.LIGHT, 4.5), (palette.CONTRAST, 7.0)):
        colours = palette._PALETTES[theme]
        back = _luminance(colours.back)
        for name in ("fore", "faint", "focus", "healthy", "warning", "critical", "emergency"):
            light, dark = sorted((_luminance(getattr(colours, name)), back), reverse=True)
            assert (light + 0.05) / (dark + 0.05) >= least, (theme, name)


def test_every_role_has_a_style_in_every_theme() -> None:
    for theme in palette.THEMES:
        assert set(palette.styles(theme)) == set(ROLES)
    assert all(style.color is None for style in palette.styles(palette.PLAIN).values())
    assert all(style.bgcolor is None for style in palette.styles(palette.AUTO).values())


def test_the_last_line_keeps_help_and_quit() -> None:
    names = ("sessions", "find", "sort", "pause", "now", "alerts", "decisions", "theme")
    for width in range(10, 200):
        shown = plain_text(foot_line(names, width))
        assert "? help" in shown
        assert "q quit" in shown
        assert len(shown) <= max(width, 16)
    assert "decisions" in plain_text(foot_line(names, 120))


def test_finding_looks_for_every_word_in_any_text() -> None:
    assert is_match("", "anything")
    assert is_match("CART src", "src/", "Cart.py")
    assert not is_match("cart api", "src/cart.py")


def test_recommendations_share_the_room() -> None:
    view = frame().chosen
    assert view is not None
    for height in range(1, 12):
        items = advice_items(view, 36, height)
        assert [plain_text(item.lines[0])[0] for item in items] == ["1", "2", "3"]
        assert sum(len(item.lines) for item in items) <= max(3, height)
    assert "drops them" in plain_text(advice_items(view, 60, 9)[0].lines[-1])


def test_words_of_the_view() -> None:
    shown = frame()
    view = shown.chosen
    assert view is not None
    assert words.soon_words(view) == "critical in ~20m"
    assert words.left_words(view.ahead[-1]) == "~50m (36m-far)"
    assert words.cold_words(view, MADE_AT_MS) == "hit 96% · cold in 2:10"
    assert words.cold_words(view, MADE_AT_MS + 130_000) == "hit 96% · cold"
    assert words.limit_forms(shown.limits[0], shown)[0] == "38%, ~83% at its reset 16:40"
    assert words.limit_forms(shown.limits[1], shown)[0] == "61%, spent in ~2d 3h, resets Mon 09:02"
    assert [words.countdown(ms) for ms in (-5, 0, 9_999, 61_000, 3_661_000)] == [
        "0:00", "0:00", "0:09", "1:01", "1:01:01",
    ]  # fmt: skip


def test_words_of_limits_without_a_forecast() -> None:
    shown = frame()
    limit = shown.limits[0]
    unknown = limit.forecast._replace(used_share=None, reason="no report of a window that is open")
    assert words.limit_forms(limit._replace(forecast=unknown), shown)[-1] == "?"
    young = limit.forecast._replace(share_at_reset=None, exhausted_at_ms=None)
    assert words.limit_forms(limit._replace(forecast=young), shown)[0] == "38%, resets 16:40"
