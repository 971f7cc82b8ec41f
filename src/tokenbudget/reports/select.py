"""What was selected of some files, as JSON and for a terminal."""

from __future__ import annotations

import json

from tokenbudget.model.plain_text import one_line

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from tokenbudget.compression.selection import SelectedFile, Selection

FORMAT = "tokenbudget/select/1"


def select_document(selection: Selection, counter_name: str) -> str:
    """One JSON object: the text, and where each stretch of it stands."""
    rows = [row for file in selection.files for row in _rows(file)]
    shown = sum(
        int(str(row["last_line"])) - int(str(row["first_line"])) + 1
        for row in rows
        if row["is_shown"]
    )
    document = {
        "format": FORMAT,
        "counter": counter_name,
        "text": _whole(selection.text),
        "marker_opening": selection.opening,
        "rows": rows,
        "totals": {
            "tokens": selection.tokens,
            "budget_tokens": selection.budget_tokens,
            "before_tokens": selection.before_tokens,
            "fits": selection.fits,
            "files": len(selection.files),
            "lines": sum(file.lines for file in selection.files),
            "shown_lines": shown,
        },
    }
    return json.dumps(document)


def terminal_text(selection: Selection) -> str:
    """The text with nothing in it that a terminal would obey."""
    lines = selection.text.removesuffix("\n").split("\n")
    return "\n".join(one_line(line.expandtabs(4)) for line in lines)


def overdrawn_words(selection: Selection) -> str:
    """What is told where even the barest outline is larger than the budget."""
    return (
        f"the outline alone takes {selection.tokens:,} tokens and the budget is"
        f" {selection.budget_tokens:,}; raise --budget or name fewer files"
    )


def _rows(file: SelectedFile) -> Iterator[dict[str, object]]:
    outline = iter(file.outline)
    for stretch in file.stretches:
        yield {
            "path": _whole(file.path),
            "first_line": stretch.first + 1,
            "last_line": stretch.end,
            "is_shown": stretch.is_shown,
            "outline": None if stretch.is_shown else _whole(next(outline)),
        }


def _whole(text: str) -> str:
    """The text as JSON for other programs takes it: bytes that are no UTF-8 become signs of it."""
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
