"""Which block of an answer is which tool call of the ledger, and what a shell command is called."""

from __future__ import annotations

import json
import re
from typing import NamedTuple

from tokenbudget.analysis.command_labels import command_label
from tokenbudget.model import window
from tokenbudget.model.events import text_sum
from tokenbudget.model.window import ShownFile

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from typing import TypeAlias

    from tokenbudget.ledger.thread_calls import CallRow
    from tokenbudget.ledger.windows import PieceRow
    from tokenbudget.model.actions import Json

    Place: TypeAlias = tuple[int, int]

SHELLS = frozenset(("Bash", "PowerShell"))
"""Tools whose argument `command` is a shell command."""

_NUMBERED = re.compile(r"^ *(\d+)(?:→|\t)", re.MULTILINE)
"""How `Read` numbers the lines that it shows."""


class Use(NamedTuple):
    """A tool call as a piece of the window, with what the ledger knows of it."""

    row: PieceRow
    call: CallRow | None
    """None: its line was not read for its tool calls yet."""
    arguments: Mapping[str, Json]
    """Empty where the words are not to be had."""
    command: str
    label: str


def uses_of(
    rows: Iterable[PieceRow],
    texts: Mapping[Place, str],
    calls: Sequence[CallRow],
    file_id: int,
) -> list[Use]:
    """The tool calls of a transcript in the order of its lines.

    A line mostly holds one call, and the ledger knows the line. Where several stand in one line,
    or another file told them first, they are told apart by their arguments.
    """
    by_place: dict[tuple[int, int], list[CallRow]] = {}
    by_words: dict[tuple[str, str, int], list[CallRow]] = {}
    for call in calls:
        by_place.setdefault((call.call_file_id, call.call_offset), []).append(call)
        by_words.setdefault((call.response_key, call.name, call.input_hash), []).append(call)
    found: list[Use] = []
    for row in rows:
        if row.kind != window.TOOL_USE:
            continue
        words = texts.get((row.byte_offset, row.position), "")[len(row.name) + 1 :]
        here = by_place.get((file_id, row.byte_offset), [])
        if len(here) != 1 and words:
            key = (row.link, row.name, text_sum(words.encode("utf-8", "replace")))
            here = by_words.get(key, here)
        known = (here.pop(0) if len(here) > 1 else here[0]) if here else None
        found.append(_use(row, known, words))
    return found


def _use(row: PieceRow, call: CallRow | None, words: str) -> Use:
    arguments = arguments_of(words)
    command = arguments.get("command")
    if row.name not in SHELLS or not isinstance(command, str):
        return Use(row, call, arguments, "", "")
    return Use(row, call, arguments, command, command_label(command))


def arguments_of(words: str) -> Mapping[str, Json]:
    """The arguments in a call's JSON text; empty where it is none."""
    try:
        found = json.loads(words or "null", strict=False)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def label_targets(uses: Iterable[Use], rows: Iterable[PieceRow]) -> dict[Place, str]:
    """The labels of shell commands, for the piece of each call and of its result."""
    found: dict[Place, str] = {}
    labels: dict[str, str] = {}
    for use in uses:
        if use.label:
            found[use.row.byte_offset, use.row.position] = use.label
            if use.call is not None:
                labels[use.call.tool_use_id] = use.label
    for row in rows:
        if row.kind in (window.TOOL_RESULT, window.IMAGE) and row.link in labels:
            found[row.byte_offset, row.position] = labels[row.link]
    return found


def shown_file(text: str) -> ShownFile | None:
    """What a result of `Read` shows by its own numbering; how long the file is, it does not say."""
    first = _NUMBERED.match(text)
    if first is None:
        return None
    return ShownFile(0, sum(1 for _ in _NUMBERED.finditer(text)), int(first[1]))
