"""What is kept of shortened results, and what was given back: as text and as JSON."""

from __future__ import annotations

from base64 import b64encode
from datetime import UTC, datetime

from tokenbudget.reports.archive_words import size
from tokenbudget.reports.json import document
from tokenbudget.reports.table import Column, render

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tokenbudget.archive.spill import Kept
    from tokenbudget.model.figures import Style
    from tokenbudget.reports.table import Cell

FORMAT = 1
NOTHING = "Nothing is kept: no result was shortened so far. Try: tokens compress FILE"


def listing_lines(
    kept: Sequence[Kept], limit: int, style: Style, when: Callable[[int], str]
) -> list[str]:
    """A line for each original; says how many are not shown, and how to have one back."""
    if not kept:
        return [NOTHING]
    columns = [
        Column("Handle", is_text=True, may_cut=False),
        Column("Last used", is_text=True, may_cut=False, drop_rank=2),
        Column("Of", is_text=True, keeps_start=True),
        Column("Size"),
        Column("On disk", drop_rank=1),
    ]
    rows: list[list[Cell]] = [
        [one.handle, when(one.used_at_ms), one.label, size(one.size_bytes), size(one.stored_bytes)]
        for one in kept[:limit]
    ]
    more = len(kept) - limit
    hints = [f"{more:,} more: tokens recall --list --limit {len(kept)}"] if more > 0 else []
    hints.append(f"One back: tokens recall {kept[0].handle}")
    return [*render(columns, rows, None, style), "", *hints]


def listing_document(kept: Sequence[Kept], limit: int | None) -> str:
    """All originals, or the latest `limit` ones, as `tokenbudget/recall/1`."""
    rows = [
        {
            "handle": one.handle,
            "label": one.label,
            "size_bytes": one.size_bytes,
            "stored_bytes": one.stored_bytes,
            "used_at": datetime.fromtimestamp(one.used_at_ms / 1000, UTC).isoformat(),
        }
        for one in kept[:limit]
    ]
    totals = {
        "originals": len(kept),
        "size_bytes": sum(one.size_bytes for one in kept),
        "stored_bytes": sum(one.stored_bytes for one in kept),
    }
    return document("recall", FORMAT, {"rows": rows, "totals": totals})


def content_document(
    handle: str,
    size_bytes: int,
    content: bytes | None,
    lines: Sequence[tuple[int, bytes]] = (),
) -> str:
    """One original: all of it, or the lines that were asked for, with their numbers."""
    fields: dict[str, object] = {"handle": handle, "size_bytes": size_bytes}
    if content is not None:
        fields.update(_told("content", content))
    else:
        fields["rows"] = [{"line": number, **_told("text", line)} for number, line in lines]
    return document("recall", FORMAT, fields)


def _told(name: str, content: bytes) -> dict[str, str]:
    """The content as text; what is no text in Base64, so that no byte is lost."""
    try:
        return {name: content.decode("utf-8", "surrogatepass")}
    except UnicodeDecodeError:
        return {f"{name}_base64": b64encode(content).decode("ascii")}
