"""A result is shortened: the policy of `compression`, the spill and the response's shape together.

Imported only where a result is worth a look. Nothing that is shortened goes on before its original
is kept, and a text that a later result may refer to is kept as well.
"""

from __future__ import annotations

from pathlib import Path

from tokenbudget.archive.spill import Spill
from tokenbudget.compression.handles import handle_of
from tokenbudget.compression.passage import COMPRESSED
from tokenbudget.compression.policy import (
    Call,
    Forgetful,
    Shown,
    Wishes,
    at_the_door,
    first_line,
    label_of,
    narrowed,
)
from tokenbudget.compression.policy_rules import OF_THE_WINDOW
from tokenbudget.gateway.hooks.put_away import path_of, without_file
from tokenbudget.gateway.hooks.read_layout import laid_out
from tokenbudget.gateway.hooks.responses import with_text
from tokenbudget.gateway.hooks.trim_question import NOTHING, Trimmed
from tokenbudget.gateway.hooks.words import tail_of
from tokenbudget.model.errors import TokenBudgetError
from tokenbudget.model.plain_text import one_line

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tokenbudget.compression.receipts import Shortened
    from tokenbudget.gateway.hooks.trim_question import Question
    from tokenbudget.model.protocols import Clock, TokenCounter

FOLDER = "spill"
_SAMPLES = (
    "\n".join(f"2026-11-20 10:00:{n % 60:02} INFO worker {n % 7} took {n}" for n in range(200)),
    "[" + ",".join(f'{{"id": {n}, "name": "part {n}"}}' for n in range(90)) + "]",
    "<!doctype html><html><body>" + "<p>one <b>word</b></p>\n" * 90 + "</body></html>",
)
"""One text of each kind that takes a library."""
MOST_KEPT_CHARS = 200_000
"""A larger text is not remembered for comparison: no window holds two of them."""
MOST_WHOLE_CHARS = 30_000
"""Of what is not a file; the client itself may cut what is longer (docs/trim.md)."""


class Trimmer:
    """Decides about results, one after the other; holds the vocabulary once it was needed."""

    def __init__(self, clock: Clock, load_counter: Callable[[], TokenCounter]) -> None:
        self._clock = clock
        self._counter = _LateCounter(load_counter)

    def warm_up(self) -> None:
        """Load what the first result would wait for: the vocabulary, what codecs import late."""
        for sample in _SAMPLES:
            at_the_door(Call("Bash", {}, sample), Wishes(COMPRESSED), Forgetful(), self._counter)

    def trimmed(self, question: Question) -> Trimmed:
        """The decision about one result. Raises whatever goes wrong; the result stays then."""
        event = question.event
        call = Call(event.tool, event.input, question.text)
        spill = Spill(Path(question.home) / FOLDER, self._clock)
        memory = _MemoryOfThread(question.rows, spill)
        wishes = Wishes(question.level, question.wishes.trim_min_tokens)
        file = path_of(event)
        decide = narrowed if file else at_the_door
        found = decide(call, wishes, memory, self._counter)
        if found is None and file:
            return Trimmed({"noted": None if memory.noted is None else _row(memory.noted)})
        if found is None:
            return _left(call, memory, spill)
        content = call.text.encode("utf-8", "surrogatepass")
        if spill.keep(content, label_of(call)) != handle_of(content):
            return NOTHING  # another text has this number: the way back would lead to that
        return _replaced(question, call, found, memory)


def _left(call: Call, memory: _MemoryOfThread, spill: Spill) -> Trimmed:
    """It goes on as it is, and is kept where a later result may refer to it."""
    most = MOST_KEPT_CHARS if call.tool == "Read" else MOST_WHOLE_CHARS
    if memory.noted is None or len(call.text) > most:
        return NOTHING
    handle = spill.keep(call.text.encode("utf-8", "surrogatepass"), label_of(call))
    return Trimmed({"noted": _row(memory.noted._replace(handle=handle))})


def _replaced(question: Question, call: Call, found: Shortened, memory: _MemoryOfThread) -> Trimmed:
    text, beside = found.text, ""
    if call.tool == "Read":
        name = f'"{tail_of(question.event.path)}"'
        layout = laid_out(call.text, found, first_line(call), name)
        if layout is None:
            return NOTHING
        text, beside = layout
    response, file = question.event.response, path_of(question.event)
    if file:
        response = without_file(response)  # else the client would cut our text
        text += "" if found.receipt.is_lossless else _place(file, found)
    noted = None if memory.noted is None else _row(memory.noted)
    return Trimmed(
        {
            "response": with_text(call.tool, response, text),
            "beside": beside,
            "noted": noted,
            "used": memory.used if found.receipt.codec in OF_THE_WINDOW else [],
            "codec": found.receipt.codec,
            # What the client cuts by itself is no saving of ours.
            "saved_tokens": 0 if file else found.receipt.saved_tokens,
        }
    )


def _place(file: str, found: Shortened) -> str:
    """The other way back: the file that the client has made anyway."""
    return f"\n{found.receipt.opening} or read {one_line(file)}]"


def _row(one: Shown) -> list[str | int]:
    return ["", one.tool, one.subject, one.label, one.handle, one.chars, one.first_line]


class _MemoryOfThread:
    """The memory of one thread's window: rows of the session's state, texts of the spill."""

    def __init__(self, rows: Sequence[Sequence[str | int]], spill: Spill) -> None:
        self._shown = [
            Shown(str(tool), str(subject), str(label), str(handle), int(chars), int(first))
            for _, tool, subject, label, handle, chars, first in rows
        ]
        self._spill = spill
        self.noted: Shown | None = None
        self.used: list[str] = []
        """Handles of the texts that were given out."""

    def shown(self) -> Sequence[Shown]:
        """All that is known to stand there, the latest last."""
        return self._shown

    def text(self, one: Shown) -> str | None:
        """Out of the spill; None where it was pruned, or is damaged."""
        try:
            content = self._spill.content(one.handle)
        except (OSError, TokenBudgetError):
            return None
        self.used.append(one.handle)
        return content.decode("utf-8", "surrogatepass")

    def note(self, one: Shown, text: str) -> None:
        """It goes into the session's state with the answer."""
        self.noted = one

    def forget(self) -> None:
        """The session's state forgets, not this copy of it."""


class _LateCounter:
    """A counter that is loaded when something is counted."""

    name = ""

    def __init__(self, load: Callable[[], TokenCounter]) -> None:
        self._load = load
        self._loaded: TokenCounter | None = None

    def count(self, text: str) -> int:
        """Tokens of the text."""
        if self._loaded is None:
            self._loaded = self._load()
        return self._loaded.count(text)
