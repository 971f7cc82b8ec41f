"""A frame that is an attack in every text, and how to see whether it came through."""

from typing import Any

from tests.control_values import standing

import monitor_frames
from tokenbudget.dashboard.view_model import Frame

MARKUP = "[red]x[/] [link=https://evil.example]y[/link] [@click=app.quit]z[/] $t {0} \\[b]"
OSC_52 = "\x1b]52;c;ZXZpbA==\x07"
CONTROLS = (
    OSC_52,
    "\x1b]8;;https://evil.example\x1b\\here\x1b]8;;\x1b\\",
    "\x1b[2J\x1b[1;1H",
    "\x1bP1$r\x1b\\",
    "\x9b2J\x9d52;c;ZXZpbA==\x9c",
    "\x00\x07\x08\r\x7f",
    "\u202e\u2066reversed\u2069\u202c\u200b\u200f\ufeff",
    "\ud800",
    "two\nlines\tand a tab",
)
WIDE = "购物车 👩‍👩‍👧 🇩🇪 ✈️ é ﷽ 한국어"
NASTY = f"{MARKUP} {WIDE} {' '.join(CONTROLS)}"
LONG = NASTY + "A" * 10_000
CLOSED = ("level", "light")
"""Fields that only our own code fills, from a closed set."""


def hostile(value: Any, text: str) -> Any:
    """The same value with `text` in every text, whatever it is made of."""
    if isinstance(value, str):
        return text
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        kept = {
            name: one if name in CLOSED else hostile(one, text)
            for name, one in zip(value._fields, value, strict=True)
        }
        return type(value)(**kept)
    if isinstance(value, tuple):
        return tuple(hostile(one, text) for one in value)
    return value


def hostile_frame(text: str = NASTY) -> Frame:
    """Everything that could come from elsewhere comes from an attacker."""
    frame = monitor_frames.frame("critical")
    looked = standing(looked_at_ms=frame.made_at_ms)
    frame = frame._replace(faults=("x",), control=looked)
    attacked: Frame = hostile(frame, text)
    assert attacked.chosen is not None
    assert attacked.chosen.consumers[0].name == text  # nobody came in between
    return attacked


def first_forbidden(text: str) -> str:
    """The first character that may not be in anything shown; '' where there is none."""
    for char in text:
        code = ord(char)
        if (code < 0x20 and char != "\n") or 0x7F <= code < 0xA0:
            return repr(char)
        if 0x202A <= code <= 0x202E or 0x2066 <= code <= 0x2069 or 0xD800 <= code < 0xE000:
            return repr(char)
    return ""
