"""What is known of a run while it goes on, and what is told of it at its end."""

from __future__ import annotations

from tokenbudget.gateway.mcp import sandbox_words as words
from tokenbudget.gateway.mcp.sandbox_shown import NOTHING, Shown
from tokenbudget.gateway.mcp.sandbox_values import Outcome

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tokenbudget.gateway.mcp.sandbox_calls import Calls
    from tokenbudget.gateway.mcp.sandbox_code import Reading
    from tokenbudget.gateway.mcp.sandbox_session import CodeFailed, Printed
    from tokenbudget.gateway.mcp.stores import Stores

_MOST_NAMED = 5


class Run:
    """What is known of one run while it goes on."""

    def __init__(self, reading: Reading, calls: Calls, printed: Printed) -> None:
        self.reading = reading
        self.calls = calls
        self.printed = printed
        self.shown: Shown = NOTHING
        self.sizes: dict[str, int] = {}
        self.error = ""
        self.notes: list[str] = []


def error_of(failed: CodeFailed, run: Run, readings: Mapping[str, Reading]) -> str:
    """The error in a few words, at the innermost line that the agent wrote."""
    line, source = 0, ""
    for place in failed.places:
        reading = readings.get(place.feed)
        if reading is not None:
            line = reading.line(place.line)
            source = reading.source(line)
    said = words.error_text(failed.kind, failed.message, line, source)
    advice = words.hint(failed.kind, failed.message, run.calls.near)
    return f"{said} — {advice}" if advice else said


def outcome_of(run: Run, stores: Stores, took_ms: float) -> Outcome:
    """What became of a run that is over."""
    notes = list(run.notes)
    gone = stores.missing(run.reading.used)
    if gone and run.error:
        notes.append(f"{listed(gone)} had been let go and is None.")
    if run.printed.total > len(run.printed.text):
        notes.append(f"Printed {run.printed.total} characters, the rest is dropped.")
    shown = run.shown
    if shown.chars > len(shown.text):
        notes.append(f"The value has {shown.chars} characters as text; it is whole in `last`.")
    return Outcome(
        shown.text,
        not shown.is_text,
        shown.chars,
        run.printed.text,
        run.error,
        run.calls.count,
        took_ms,
        stores.names,
        tuple(notes),
    )


def listed(names: Sequence[str]) -> str:
    """The first of some names, and how many there are beside them."""
    more = len(names) - _MOST_NAMED
    return ", ".join(names[:_MOST_NAMED]) + (f" and {more} more" if more > 0 else "")


def refused(why: str) -> Outcome:
    """What is told of code that was not run."""
    return Outcome("", False, 0, "", why, 0, 0.0, (), ())
