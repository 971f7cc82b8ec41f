"""The last line while a person types what to find."""

from __future__ import annotations

from textual import events
from textual.message import Message

from tokenbudget.dashboard.terminal.panel import Panel
from tokenbudget.dashboard.terminal.spans import CURSOR, FAINT, STRONG, Span, between, line
from tokenbudget.model.plain_text import one_line

LONGEST = 60


class FindLine(Panel):
    """Takes every key while it has the focus; the letters of other commands are letters here."""

    class Changed(Message):
        """Other words are looked for."""

        def __init__(self, query: str) -> None:
            super().__init__()
            self.query = query

    class Left(Message):
        """The person is done with it."""

        def __init__(self, is_kept: bool) -> None:
            super().__init__()
            self.is_kept = is_kept

    def __init__(self) -> None:
        super().__init__("find", can_focus=True)
        self.query_text = ""

    def draw(self, width: int) -> None:
        """Show what was typed."""
        typed = line(Span("/", STRONG), f" {self.query_text}", Span(" ", CURSOR))
        self.show([between(typed, line(Span("Enter keeps  Esc leaves", FAINT)), width)], width, 1)

    def on_key(self, event: events.Key) -> None:
        """Type, take back, keep or leave."""
        event.stop()
        event.prevent_default()
        if event.key in ("escape", "enter"):
            self.post_message(self.Left(event.key == "enter"))
        elif event.key == "backspace":
            self._change(self.query_text[:-1])
        elif event.key == "ctrl+u":
            self._change("")
        elif event.character is not None and event.is_printable:
            self._change(self.query_text + event.character)

    def on_paste(self, event: events.Paste) -> None:
        """Pasted text is typed text."""
        event.stop()
        self._change(self.query_text + event.text)

    def _change(self, text: str) -> None:
        self.query_text = one_line(text)[:LONGEST]
        self.post_message(self.Changed(self.query_text))
