"""Every key, once: the bindings, the last line, the help and the documentation come from here."""

from __future__ import annotations

from typing import NamedTuple

INTERVALS_SECONDS = (5.0, 10.0, 30.0, 60.0)


class Key(NamedTuple):
    """A key and what it does."""

    keys: str
    """As Textual names them, separated by commas."""
    shown: str
    action: str
    word: str
    """For the last line; '' is not shown there."""
    help: str
    shown_below: str = ""
    """In the last line, where that is not `shown`."""


APP_KEYS = (
    Key("question_mark", "?", "page('help')", "help", "this page"),
    Key("s", "s", "page('sessions')", "sessions", "all live sessions; Enter chooses one"),
    Key("slash", "/", "find", "find", "find in the list; Enter keeps the words, Esc leaves"),
    Key("o", "o", "sort", "sort", "sort the list in another way"),
    Key("p", "p", "pause", "pause", "pause, and go on"),
    Key("r", "r", "refresh_now", "now", "refresh now"),
    Key("a", "a", "page('alerts')", "alerts", "alerts and faults, in full"),
    Key("d", "d", "page('decisions')", "decisions", "decisions, in full"),
    Key("t", "t", "next_theme", "theme",
        "theme: own, dark, light, high contrast, no colour"),
    Key("plus,equals_sign", "+", "interval(1)", "interval",
        "look less often: every 5, 10, 30, 60 seconds", "+ -"),
    Key("minus", "-", "interval(-1)", "", "look more often"),
    Key("1,2,3,4,5,6,7,8,9", "1-9", "", "", "a recommendation, in full"),
    Key("tab,shift+tab", "Tab", "", "", "the next list; Shift-Tab the one before"),
    Key("up,down,pageup,pagedown,home,end", "↑ ↓", "", "", "move in the list"),
    Key("enter", "Enter", "", "", "open what the cursor stands on"),
    Key("escape", "Esc", "back", "back", "back"),
    Key("q,ctrl+c", "q", "quit", "quit", "quit; Ctrl-C does the same"),
)  # fmt: skip


def next_interval(seconds: float, step: int) -> float:
    """The next longer (1) or shorter (-1) interval; at the end it stays."""
    if step > 0:
        return next((one for one in INTERVALS_SECONDS if one > seconds), seconds)
    return next((one for one in reversed(INTERVALS_SECONDS) if one < seconds), seconds)
