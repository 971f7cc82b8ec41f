"""How each role looks in each theme: greys, and four colours that mean health and nothing else.

The ratio of every text to its background is at least 4.5 in `dark` and `light`, 7 in `contrast`.
`auto` leaves the terminal's own background and takes colours that are legible on black and white.
"""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

from rich.segment import Segment
from rich.style import Style
from textual.filter import LineFilter
from textual.theme import BUILTIN_THEMES, Theme

from tokenbudget.dashboard.terminal import spans

TYPE_CHECKING = False
if TYPE_CHECKING:
    from textual.color import Color

AUTO, DARK, LIGHT, CONTRAST, PLAIN = "auto", "dark", "light", "contrast", "plain"
THEMES = (AUTO, DARK, LIGHT, CONTRAST, PLAIN)
"""In the order in which the key goes through them."""
NAMES = {
    AUTO: "the terminal's own",
    DARK: "dark",
    LIGHT: "light",
    CONTRAST: "high contrast",
    PLAIN: "no colour",
}


class Palette(NamedTuple):
    """Colours as `#rrggbb` or a number of the 256; '' is the terminal's own."""

    back: str
    fore: str
    faint: str
    rule: str
    focus: str
    healthy: str
    warning: str
    critical: str
    emergency: str


_PALETTES = {
    AUTO: Palette("", "", "", "", "", "color(34)", "color(172)", "color(202)", "color(160)"),
    DARK: Palette("#0d1117", "#d1d7e0", "#8b949e", "#3d444d", "#d1d7e0",
                  "#3fb950", "#e3b341", "#f0883e", "#ff6a64"),
    LIGHT: Palette("#ffffff", "#1f2328", "#59636e", "#c3cad2", "#1f2328",
                   "#1a7f37", "#8a6100", "#bc4c00", "#cf222e"),
    CONTRAST: Palette("#000000", "#ffffff", "#d0d0d0", "#9e9e9e", "#ffffff",
                      "#4dff7c", "#ffff00", "#ffa640", "#ff8080"),
    PLAIN: Palette("", "", "", "", "", "", "", "", ""),
}  # fmt: skip


@cache
def styles(theme: str) -> dict[str, Style]:
    """The style of every role in this theme."""
    palette = _PALETTES[theme]
    has_greys = bool(palette.fore)
    back = palette.back or None

    def shade(color: str, weight: str = "") -> Style:
        return Style.parse(weight) + Style(color=color or None, bgcolor=back)

    return {
        spans.PLAIN: shade(palette.fore),
        spans.STRONG: shade(palette.fore, "bold"),
        spans.FAINT: shade(palette.faint, "" if has_greys else "dim"),
        spans.RULE: shade(palette.rule, "" if has_greys else "dim"),
        spans.FOCUS: shade(palette.focus, "bold"),
        spans.CURSOR: shade(palette.fore, "reverse"),
        spans.HEALTHY: shade(palette.healthy),
        spans.WARNING: shade(palette.warning),
        spans.CRITICAL: shade(palette.critical),
        spans.EMERGENCY: shade(palette.emergency, "bold"),
    }


def next_theme(theme: str) -> str:
    """The one after this; the last is followed by the first."""
    return THEMES[(THEMES.index(theme) + 1) % len(THEMES)]


def textual_themes() -> list[Theme]:
    """What Textual has to know of them: background and foreground, for what lies between widgets.

    They count as `ansi` so that Textual passes every style on as it is.
    """
    return [
        Theme(
            name=f"tokens-{theme}",
            primary=palette.fore or "ansi_default",
            foreground=palette.fore or "ansi_default",
            background=palette.back or "ansi_default",
            surface=palette.back or "ansi_default",
            panel=palette.back or "ansi_default",
            boost=palette.back or "ansi_default",
            dark=theme != LIGHT,
            ansi=True,
            variables=dict(BUILTIN_THEMES["ansi-dark"].variables),
        )
        for theme, palette in _PALETTES.items()
    ]


class NoColour(LineFilter):
    """Takes every colour away, the `default` ones too: not one colour code reaches the wire."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        """The segments with nothing but weight and reversal."""
        return [
            Segment(text, None if style is None else style.without_color, control)
            for text, style, control in segments
        ]
