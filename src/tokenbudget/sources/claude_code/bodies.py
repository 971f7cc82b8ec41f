"""Read a line's words again at the position that the ledger keeps: a `BodyStore` of live files."""

from __future__ import annotations

import os

TYPE_CHECKING = False

LONGEST_LINE_BYTES = 1 << 26
_STEP_BYTES = 1 << 16


class LiveTranscripts:
    """Transcripts where the agent wrote them."""

    def line(self, path: str, offset: int) -> bytes | None:
        """The line that begins at `offset`; None when the file is gone or does not reach there."""
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            return None
        try:
            return _line_at(descriptor, offset)
        except OSError:
            return None
        finally:
            os.close(descriptor)


def _line_at(descriptor: int, offset: int) -> bytes | None:
    found = b""
    while len(found) < LONGEST_LINE_BYTES:
        data = os.pread(descriptor, _STEP_BYTES, offset + len(found))
        if not data:
            return found or None
        end = data.find(b"\n")
        if end >= 0:
            return found + data[:end]
        found += data
    return None


def prompt_text(line: bytes) -> str | None:
    """The words of a user line; None where it holds none."""
    from tokenbudget.sources.claude_code.decoder import decode_line
    from tokenbudget.sources.claude_code.details import first_text

    try:
        message = decode_line(line).message
    except ValueError:
        return None
    return None if message is None else first_text(message.content)


def attachment_text(line: bytes) -> str | None:
    """The words of an attachment line; None where it holds none."""
    import json

    try:
        found = json.loads(line)
        words = found["attachment"]["content"]
    except (ValueError, RecursionError, KeyError, TypeError):
        return None
    return words if isinstance(words, str) else None
