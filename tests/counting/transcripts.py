"""Builders of transcript lines, and a home in which a test counts them."""

import contextlib
import gc
import io
import json
import sqlite3
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

from tokenbudget.cli import main

Json: TypeAlias = dict[str, Any]

OPUS = "claude-opus-4-6"
NOON = "2026-11-20T12:00:00.000Z"
LATER = "2026-11-20T12:05:00.000Z"


def counts(
    input_tokens: int = 0, output_tokens: int = 0, write: int = 0, read: int = 0, **more: object
) -> Json:
    """A usage object as the API sends it."""
    return {
        "input_tokens": input_tokens,
        "output_tokens": output_tokens,
        "cache_creation_input_tokens": write,
        "cache_read_input_tokens": read,
        **more,
    }


def split(five: int, hour: int) -> Json:
    """`usage.cache_creation`."""
    return {"ephemeral_5m_input_tokens": five, "ephemeral_1h_input_tokens": hour}


def message(
    usage: Json | None,
    key: str | None = "msg_1",
    model: str = OPUS,
    stop: str | None = "end_turn",
) -> Json:
    """`message` of an assistant line."""
    blocks = [{"type": "text", "text": "Hello."}]
    return {
        "id": key,
        "role": "assistant",
        "model": model,
        "stop_reason": stop,
        "content": blocks,
        "usage": usage,
    }


def answer(
    usage: Json | None,
    key: str | None = "msg_1",
    model: str = OPUS,
    stop: str | None = "end_turn",
    at: str = NOON,
    session: str = "s1",
    **fields: object,
) -> Json:
    """An assistant line; `fields` stand beside the message."""
    return {
        "type": "assistant",
        "timestamp": at,
        "sessionId": session,
        "requestId": "req_1",
        "message": message(usage, key, model, stop),
        **fields,
    }


def prompt(text: str = "Hello?", at: str = NOON, session: str = "s1", **fields: object) -> Json:
    """A user line."""
    return {
        "type": "user",
        "timestamp": at,
        "sessionId": session,
        "message": {"role": "user", "content": text},
        **fields,
    }


def agent_progress(usage: Json, key: str = "msg_sub", at: str = NOON, **fields: object) -> Json:
    """A subagent's answer inside its parent's file."""
    inner = {
        "type": "assistant",
        "timestamp": at,
        "requestId": "req_sub",
        "message": message(usage, key),
        **fields,
    }
    return {
        "type": "progress",
        "timestamp": at,
        "sessionId": "s1",
        "data": {"type": "agent_progress", "agentId": "a1", "message": inner},
    }


def encoded(*lines: Json) -> bytes:
    """Lines as a client writes them."""
    texts = (json.dumps(line, ensure_ascii=False, separators=(",", ":")) for line in lines)
    return "".join(text + "\n" for text in texts).encode()


class Tokens(NamedTuple):
    """Every token field of a report, and how many responses stand behind it."""

    input: int = 0
    output: int = 0
    write_5m: int = 0
    write_1h: int = 0
    read: int = 0
    requests: int = 1


class Home:
    """A home with one configuration folder, and the command that counts what is in it."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.config = root / ".claude"
        self.ledger = root / "tokens" / "ledger.db"

    def write(self, name: str, *lines: Json) -> Path:
        """Write a transcript below `projects/`."""
        path = self.config / "projects" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(encoded(*lines))
        return path

    def report(self, *options: str, zone: str = "UTC") -> Json:
        """`tokens usage --json`."""
        printed = io.StringIO()
        try:
            with contextlib.redirect_stdout(printed):
                assert main(["usage", "--json", "--tz", zone, *options]) == 0
        finally:
            gc.enable()  # a command leaves it off
        found: Json = json.loads(printed.getvalue())
        return found

    def totals(self) -> Json:
        """All figures of the sum of everything."""
        found: Json = self.report()["totals"]
        return found

    def tokens(self) -> Tokens:
        """The token figures of the sum of everything."""
        return tokens_of(self.totals())

    def by(self, grouping: str, zone: str = "UTC") -> dict[str, Tokens]:
        """The token figures of every row, by its label."""
        rows = self.report("--by", grouping, zone=zone)["rows"]
        return {row[grouping]: tokens_of(row) for row in rows}

    def stored(self, column: str) -> list[object]:
        """A column of the ledger's responses."""
        with contextlib.closing(sqlite3.connect(self.ledger)) as connection:
            return [row[0] for row in connection.execute(f"SELECT {column} FROM response")]


def tokens_of(row: Json) -> Tokens:
    """The token figures of a row of a report; they must add up."""
    found = Tokens(
        row["input_tokens"],
        row["output_tokens"],
        row["cache_write_5m_tokens"],
        row["cache_write_1h_tokens"],
        row["cache_read_tokens"],
        row["requests"],
    )
    assert sum(found[:-1]) == row["total_tokens"]
    return found
