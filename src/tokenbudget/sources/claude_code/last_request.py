"""The last request of a transcript, rebuilt from the client's own record of it."""

from __future__ import annotations

from tokenbudget.model.window import RebuiltRequest
from tokenbudget.sources.claude_code.bodies import LiveTranscripts
from tokenbudget.sources.claude_code.request_hints import Hints
from tokenbudget.sources.claude_code.request_pieces import pieces_of
from tokenbudget.sources.claude_code.requests import RequestRecorder


def rebuilt_request(path: str, response_key: str) -> RebuiltRequest | None:
    """The request that a response answered, piece by piece; None where the client kept no record.

    Raises:
        OSError: the transcript cannot be read.
    """
    lines = LiveTranscripts()
    recorder = RequestRecorder(lambda offset: lines.line(path, offset) or b"")
    hints = Hints()
    offset = 0
    with open(path, "rb") as handle:
        for line in handle:
            recorder.add(offset, line)
            hints.add(line)
            offset += len(line)
    request_id = recorder.responses.get(response_key)
    if request_id is None:
        return None
    body = recorder.body(request_id)
    return RebuiltRequest(
        pieces=pieces_of(body.system, body.tools, body.messages, hints),
        is_whole=body.is_whole and not body.mismatched_hashes,
        is_proven=body.is_proven,
        missing_messages=len(body.missing_hashes) + body.unknown_before,
        mismatched_messages=len(body.mismatched_hashes),
    )
