"""What tools answered in recorded sessions, read from Claude transcripts."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path


class Result(NamedTuple):
    """What a tool answered, in a transcript."""

    place: str
    tool: str
    told: Mapping[str, object]
    text: str
    has_failed: bool


def results_in(path: Path) -> Iterator[Result]:
    """Every tool result of a transcript, in order."""
    calls: dict[str, tuple[str, Mapping[str, object]]] = {}
    for number, line in enumerate(path.read_text("utf-8", "replace").split("\n"), 1):
        if '"tool_use' not in line and '"tool_result"' not in line:
            continue
        try:
            entry = json.loads(line, strict=False)
            blocks = entry["message"]["content"]
        except (ValueError, KeyError, TypeError):
            continue
        for block in blocks if isinstance(blocks, list) else []:
            if not isinstance(block, dict):
                continue
            if block.get("type") == "tool_use":
                told = block.get("input")
                calls[str(block.get("id"))] = (
                    str(block.get("name")),
                    told if isinstance(told, dict) else {},
                )
            elif block.get("type") == "tool_result":
                tool, told = calls.get(str(block.get("tool_use_id")), ("", {}))
                text = _text_of(block, entry, tool)
                place = f"{path.parent.name}/{path.stem}:{number}"
                yield Result(place, tool, told, text, block.get("is_error") is True)


def _text_of(block: Mapping[str, object], entry: Mapping[str, object], tool: str) -> str:
    """What the tool gave: of a file that was read its content, as the policy is asked."""
    told = entry.get("toolUseResult")
    file = told.get("file") if isinstance(told, dict) else None
    if tool == "Read" and isinstance(file, dict) and isinstance(file.get("content"), str):
        return str(file["content"])
    content = block.get("content")
    if isinstance(content, list):
        parts = [one.get("text") for one in content if isinstance(one, dict)]
        return "\n".join(part for part in parts if isinstance(part, str))
    return content if isinstance(content, str) else ""
