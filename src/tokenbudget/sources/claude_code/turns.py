"""Whose turn it is in a session, by the end of its transcript.

Only the end is read. What cannot be told (a half-written line, an answer whose last word never
came) is told as unknown, never as the person's turn.
"""

from __future__ import annotations

import json
import os
from typing import Literal, TypeAlias

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

Turn: TypeAlias = Literal["person", "agent", "unknown"]

FIRST_BYTES = 1 << 16
MOST_BYTES = 1 << 22
"""One line may be 2 MB long; what is further from the end than this is not looked for."""
_ENDS = ("end_turn", "stop_sequence", "max_tokens", "refusal")
"""Why an answer ended so that the agent waits for the person."""
INTERRUPTED = "[Request interrupted"
_BY_THE_CLIENT = ("<local-command", "<command-name>", "<command-message>", "<bash-")
"""How words begin that the client writes down of what a person did at the prompt; no request
follows some of them, so the line before says more."""


def turn_of(path: str) -> Turn:
    """Whose turn it is by this transcript; unknown where it cannot be read."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except (OSError, ValueError):
        return "unknown"
    try:
        size = os.fstat(descriptor).st_size
        step = FIRST_BYTES
        while True:
            begin = max(0, size - step)
            found = _turn_in(os.pread(descriptor, size - begin, begin), is_whole=begin == 0)
            if found is not None:
                return found
            if begin == 0 or step >= MOST_BYTES:
                return "unknown"
            step *= 8
    except OSError:
        return "unknown"
    finally:
        os.close(descriptor)


def _turn_in(data: bytes, *, is_whole: bool) -> Turn | None:
    """What the last line that tells says; None where none does."""
    for line in _last_first(data, is_whole=is_whole):
        found = _told_by(line)
        if found is not None:
            return found
    return None


def _last_first(data: bytes, *, is_whole: bool) -> Iterator[bytes]:
    """The whole lines, the last one first; one that is still being written is none."""
    lines = data.split(b"\n")[:-1]
    if not is_whole:
        del lines[:1]  # it may have begun before
    return reversed(lines)


def _told_by(line: bytes) -> Turn | None:
    if b'"uuid"' not in line:
        return None
    try:
        told = json.loads(line)
    except (ValueError, RecursionError):
        return None
    if not isinstance(told, dict) or told.get("isSidechain") is True or told.get("agentId"):
        return None
    kind = told.get("type")
    if kind == "system":
        return "person" if told.get("subtype") == "turn_duration" else None
    message = told.get("message")
    if not isinstance(message, dict):
        return None
    if kind == "assistant":
        return _by_answer(told, message)
    return _by_words(told, message) if kind == "user" else None


def _by_answer(told: dict[str, object], message: dict[str, object]) -> Turn | None:
    """An error ends the turn as well: the client has given up."""
    if told.get("isApiErrorMessage") is True:
        return "person"
    if message.get("model") == "<synthetic>":
        return None
    why = message.get("stop_reason")
    if why == "tool_use" or any(part.get("type") == "tool_use" for part in _parts(message)):
        return "agent"
    return "person" if why in _ENDS else "unknown"


def _by_words(told: dict[str, object], message: dict[str, object]) -> Turn | None:
    """What the person or a tool says is answered; the client's own words tell nothing."""
    content = message.get("content")
    words = [content] if isinstance(content, str) else []
    words += [str(part.get("text")) for part in _parts(message) if part.get("type") == "text"]
    if any(one.startswith(INTERRUPTED) for one in words):
        return "person"
    if told.get("isMeta") is True or any(one.startswith(_BY_THE_CLIENT) for one in words):
        return None
    if told.get("isCompactSummary") is True:
        return None  # by hand between two turns, by itself within one: the line before tells
    return "agent"


def _parts(message: dict[str, object]) -> list[dict[str, object]]:
    content = message.get("content")
    parts = content if isinstance(content, list) else []
    return [part for part in parts if isinstance(part, dict)]
