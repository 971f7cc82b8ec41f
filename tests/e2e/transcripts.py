"""Look into a client's transcripts in the plainest way, as a check on the tests themselves."""

import json
from collections.abc import Iterator
from pathlib import Path

from tests.e2e.scripted_answers import JsonObject


def response_ids(transcripts: Path) -> set[str]:
    """The ids of all responses that stand anywhere below a folder."""
    return {line["message"]["id"] for line in _lines(transcripts) if line["type"] == "assistant"}


def sessions_of(transcripts: Path, response_id: str) -> set[str]:
    """The sessions whose transcripts hold a copy of a response."""
    return {
        line["sessionId"]
        for line in _lines(transcripts)
        if line["type"] == "assistant" and line["message"]["id"] == response_id
    }


def client_versions(transcripts: Path) -> set[str]:
    """The client versions that wrote the responses."""
    return {line["version"] for line in _lines(transcripts) if line["type"] == "assistant"}


def _lines(transcripts: Path) -> Iterator[JsonObject]:
    for path in sorted(transcripts.rglob("*.jsonl")):
        for line in path.read_text(encoding="utf-8").splitlines():
            yield json.loads(line)
