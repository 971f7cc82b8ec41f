"""One transcript file: who writes it, at what time, in which chain, and into which bytes."""

from __future__ import annotations

import json
import os
import random
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, TypeAlias

from sample_sessions.truth import Copy, Tally

Json: TypeAlias = dict[str, Any]

BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"
ALPHABET: Final = "ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz123456789"

_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def encoded(value: Json) -> bytes:
    r"""Compact UTF-8 JSON; a lone surrogate becomes the escape `\udXXX`, which JSON allows."""
    return _encode(value).encode("utf-8", "backslashreplace")


@dataclass(frozen=True, slots=True)
class Ids:
    """Identifiers in the shapes of the real ones, from the run's own random numbers."""

    rng: random.Random

    def uuid(self) -> str:
        """A version 4 shaped UUID."""
        digits = f"{self.rng.getrandbits(128):032x}"
        return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-a{digits[17:20]}-{digits[20:]}"

    def tagged(self, prefix: str) -> str:
        """An API identifier such as msg_01…, req_011C…, toolu_01…."""
        return prefix + "".join(self.rng.choices(ALPHABET, k=22))

    def agent(self) -> str:
        """A subagent's id."""
        return f"a{self.rng.getrandbits(64):016x}"


class SessionClock:
    """Time inside one session: it moves forward and never reaches `limit`."""

    def __init__(self, start: datetime, limit: datetime) -> None:
        self.now_ms = round(start.timestamp() * 1000)
        self.limit_ms = round(limit.timestamp() * 1000)

    def advance(self, seconds: float) -> None:
        """Move on; near the limit steps shrink, so that no session runs past its end."""
        left = max(0, self.limit_ms - self.now_ms)
        self.now_ms += min(round(seconds * 1000), left // 6)

    @property
    def seconds_left(self) -> float:
        """Until the limit."""
        return (self.limit_ms - self.now_ms) / 1000

    def now(self) -> datetime:
        """The current moment, UTC."""
        return datetime.fromtimestamp(self.now_ms / 1000, UTC)


def stamp_of(milliseconds: int) -> str:
    """`2026-11-20T14:23:43.417Z`, the form of every transcript timestamp."""
    moment = datetime.fromtimestamp(milliseconds // 1000, UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{milliseconds % 1000:03}Z"


@dataclass(frozen=True, slots=True)
class Client:
    """What a client version writes; the fields come and go between versions."""

    version: str
    renders_attachments: bool = True
    reports_agent_progress: bool = False
    agents_beside_session: bool = False


@dataclass(frozen=True, slots=True)
class Seat:
    """Where a transcript is written from: the envelope that all its lines share."""

    session: str
    cwd: str
    branch: str
    client: Client
    agent: str | None = None

    @property
    def slug(self) -> str:
        """The project folder's name: the working directory with `/` and `.` as `-`."""
        return self.cwd.replace("/", "-").replace(".", "-")


class Transcript:
    """The lines of one file, kept in memory until `save`."""

    def __init__(self, path: str, seat: Seat, clock: SessionClock, ids: Ids, tally: Tally) -> None:
        self.path, self.seat, self.clock, self.ids, self.tally = path, seat, clock, ids, tally
        self.entries: list[tuple[bytes, Copy | None]] = []
        self.size = 0
        self.parent: str | None = None

    def line(self, kind: str, content: Json, *, chained: bool = True) -> Json:
        """A line in the session's envelope, hung under the previous one."""
        uuid = self.ids.uuid()
        head: Json = {
            "parentUuid": self.parent if chained else None,
            "isSidechain": self.seat.agent is not None,
        }
        if self.seat.agent:
            head["agentId"] = self.seat.agent
        self.parent = uuid
        return {
            **head,
            **content,
            "type": kind,
            "uuid": uuid,
            "timestamp": stamp_of(self.clock.now_ms),
            "userType": "external",
            "entrypoint": "cli",
            "cwd": self.seat.cwd,
            "sessionId": self.seat.session,
            "version": self.seat.client.version,
            "gitBranch": self.seat.branch,
        }

    def write(self, line: Json, copy: Copy | None = None) -> None:
        """Append one line; `copy` says which usage it tells."""
        self.write_raw(encoded(line), copy)

    def write_raw(self, raw: bytes, copy: Copy | None = None) -> None:
        """Append bytes as a line of their own."""
        self.entries.append((raw, copy))
        self.size += len(raw) + 1
        if copy:
            self.tally.add(copy)

    def copy_head(self, source: Transcript, least: int) -> None:
        """Begin as a fork: another session's first lines, unchanged but for the session id.

        After `least` bytes it stops inside a response: only the source tells its final usage.
        """
        theirs, mine = source.seat.session.encode(), self.seat.session.encode()
        last_key = ""
        for raw, copy in source.entries:
            if copy and copy.key == last_key and self.size >= least:
                break
            place = copy and replace(copy, session=self.seat.session, path=self.path)
            self.write_raw(raw.replace(theirs, mine), place)
            self.parent = json.loads(raw).get("uuid", self.parent)
            last_key = copy.key if copy else ""

    def save(self, out: Path, *, start: bytes = b"", line_end: bytes = b"\n") -> None:
        """Write the file below `out`, dated like its last line, and count it."""
        target = out / self.path
        target.parent.mkdir(parents=True, exist_ok=True)
        data = start + b"".join(raw + line_end for raw, _ in self.entries)
        target.write_bytes(data)
        self.tally.add_file(len(data))
        self.dated(target)

    def append_half_line(self, out: Path, raw: bytes) -> None:
        """Leave the beginning of a line at the end of the saved file: its writer is not done."""
        half = raw[: len(raw) * 2 // 3]
        with (out / self.path).open("ab") as file:
            file.write(half)
        self.tally.bytes += len(half)
        self.dated(out / self.path)

    def dated(self, target: Path) -> None:
        """Give a file the time of the transcript's last line."""
        os.utime(target, ns=(self.clock.now_ms * 1_000_000,) * 2)
