"""A home directory of its own, transcripts line by line, and what a ledger tells of them."""

from __future__ import annotations

import json
import os
import random
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias, TypeVar

from sample_sessions import Tokens, Truth
from tokenbudget.collector.ingest import Collector, Outcome, Want
from tokenbudget.config.settings import Settings, settings_from
from tokenbudget.ledger.queries import UsageQuery, UsageRow, ZoneSpan
from tokenbudget.ledger.store import Ledger
from tokenbudget.metering.rates import PriceBook
from tokenbudget.model.protocols import Source
from tokenbudget.sources.claude_code.source import ClaudeCode
from tokenbudget.system.clock import SystemClock
from tokenbudget.system.locks import FileLock

Json: TypeAlias = dict[str, Any]
Key = TypeVar("Key")

END = datetime(2026, 11, 20, 13, 0, tzinfo=UTC)
"""When the sample sessions end."""

THRESHOLDS = PriceBook.bundled({}).thresholds()
FOREVER = 1 << 60
UTC_ZONE = (ZoneSpan(0, FOREVER, 0),)
SOURCES = str(Path(__file__).parents[2] / "src")
CHILD_SECONDS = 60


class Home:
    """A person's home with transcripts and a ledger, all of it below one folder."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.config = root / "claude"
        self.data = root / "tokens"
        self.project = self.config / "projects" / "-home-dev-shop"
        self.ledger_path = self.data / "ledger.db"
        self.project.mkdir(parents=True, exist_ok=True)

    @property
    def tops(self) -> list[str]:
        return [str(self.config / "projects")]

    def environment(self, **more: str) -> dict[str, str]:
        """Everything that a child process is told; it never sees the real home."""
        return {
            "HOME": str(self.root),
            "TOKENS_HOME": str(self.data),
            "CLAUDE_CONFIG_DIR": str(self.config),
            "TOKENS_BACKFILL": "off",
            "TOKENS_WORKERS": "0",
            "PYTHONPATH": SOURCES,
            **more,
        }

    def settings(self, **more: str) -> Settings:
        return settings_from(self.environment(**more))

    def open(self) -> Ledger:
        return Ledger(str(self.ledger_path), THRESHOLDS)

    def source(self) -> Source:
        return ClaudeCode(str(self.root))

    def refresh(
        self, want: Want = Want.USAGE, workers: int = 0, source: Source | None = None
    ) -> Outcome:
        with self.open() as ledger:
            return self.collector(ledger, workers, source).refresh(self.tops, want)

    def rebuild(self, source: Source | None = None) -> Outcome:
        with self.open() as ledger:
            return self.collector(ledger, 0, source).rebuild(self.tops)

    def collector(
        self, ledger: Ledger, workers: int = 0, source: Source | None = None
    ) -> Collector:
        lock = FileLock(str(self.data / "refresh.lock"))
        return Collector(ledger, source or self.source(), SystemClock(), workers, lock)

    def counts(self) -> Counts:
        with self.open() as ledger:
            return counts_in(ledger)

    def rows(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        """What a plain SQLite connection finds in the ledger."""
        with closing(sqlite3.connect(self.ledger_path)) as connection:
            return connection.execute(sql, values).fetchall()

    def files(self) -> list[Path]:
        return sorted(self.config.glob("projects/**/*.jsonl"))

    def command(self, *arguments: str) -> list[str]:
        return [sys.executable, "-m", "tokenbudget", *arguments]

    def run(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self.command(*arguments),
            check=False,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=CHILD_SECONDS,
            env=self.environment(**environment),
        )

    def start(
        self, *arguments: str, command: list[str] | None = None, **environment: str
    ) -> subprocess.Popen[str]:
        """A running child; its standard output and error can be read."""
        return subprocess.Popen(
            command or self.command(*arguments),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=self.environment(**environment),
        )


# ── what a ledger tells ──────────────────────────────────────────────────────────────────────────


class Counts(NamedTuple):
    """The four tables that the sample's truth has as well."""

    by_model: dict[str, Tokens]
    by_utc_day: dict[str, Tokens]
    by_utc_day_and_model: dict[tuple[str, str], Tokens]
    by_session: dict[str, Tokens]


def counts_of(truth: Truth) -> Counts:
    return Counts(
        dict(truth.by_model),
        dict(truth.by_utc_day),
        dict(truth.by_utc_day_and_model),
        dict(truth.by_session),
    )


def counts_in(ledger: Ledger) -> Counts:
    models = ledger.names("model")
    plain = ledger.usage(UsageQuery())
    days = ledger.usage(UsageQuery(period="day", zone=UTC_ZONE))
    sessions = ledger.usage(UsageQuery(by_session=True))
    return Counts(
        added_up((models[row.model_id], row) for row in plain),
        added_up((day_of(row), row) for row in days),
        added_up(((day_of(row), models[row.model_id]), row) for row in days),
        added_up((row.session or "", row) for row in sessions),
    )


def day_of(row: UsageRow) -> str:
    return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(days=row.period or 0)).strftime("%Y-%m-%d")


def tokens_of(row: UsageRow) -> Tokens:
    return Tokens(
        row.input_tokens,
        row.output_tokens,
        row.cache_write_5m_tokens,
        row.cache_write_1h_tokens,
        row.cache_read_tokens,
        row.requests + row.unknown_requests,
        row.unknown_requests,
    )


def added_up(rows: Iterable[tuple[Key, UsageRow]]) -> dict[Key, Tokens]:
    sums: dict[Key, Tokens] = {}
    for key, row in rows:
        sums[key] = sums.get(key, Tokens()).plus(tokens_of(row))
    return sums


def total_of(counts: Mapping[Any, Tokens]) -> Tokens:
    total = Tokens()
    for tokens in counts.values():
        total = total.plus(tokens)
    return total


EVENTS = """
SELECT 'call', c.tool_use_id, r.key, t.name, t.mcp_server, c.target, c.input_bytes, c.input_hash,
       c.called_at_ms, c.result_bytes, c.result_hash, c.is_error, c.duration_ms, c.answered_at_ms
  FROM tool_call c LEFT JOIN response r ON r.id = c.response_id LEFT JOIN tool t ON t.id = c.tool_id
"""
WORDS = """
SELECT c.uuid, c.position, r.key, c.kind, c.size_bytes, c.at_ms
  FROM content c LEFT JOIN response r ON r.id = c.response_id
UNION ALL SELECT uuid, -1, '', kind, size_bytes, at_ms FROM attachment
UNION ALL SELECT uuid, -2, trigger, kind, pre_tokens, at_ms FROM compaction
"""
LINES = """
SELECT path, usage_offset, detail_offset, lines, blank_lines, malformed_lines, repaired_lines,
       synthetic_lines, head_sum, tail_sum FROM file
"""
RESPONSES = """
SELECT r.key, f.path, r.byte_offset, s.name, m.name, r.started_at_ms, r.is_sidechain, r.speed,
       r.service_tier, r.input_tokens, r.output_tokens, r.cache_write_5m_tokens,
       r.cache_write_1h_tokens, r.cache_read_tokens, r.web_search_requests, r.thinking_tokens,
       r.has_stop_reason, r.has_cache_split, r.skill, r.reported_usd
  FROM response r JOIN file f ON f.id = r.file_id JOIN session s ON s.id = r.session_id
  JOIN model m ON m.id = r.model_id
"""


def everything(home: Home) -> dict[str, list[tuple[Any, ...]]]:
    """All that a ledger knows, without the numbers by which it happens to refer to it."""
    root = str(home.root)
    return {
        name: sorted(
            (
                tuple(v.removeprefix(root) if isinstance(v, str) else v for v in row)
                for row in home.rows(sql)
            ),
            key=repr,
        )
        for name, sql in (
            ("events", EVENTS),
            ("words", WORDS),
            ("lines", LINES),
            ("responses", RESPONSES),
        )
    }


# ── transcripts, line by line ────────────────────────────────────────────────────────────────────


def moment(minutes: float = 0) -> str:
    return (END + timedelta(minutes=minutes)).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"


def line(kind: str, content: Json, uuid: str, **more: object) -> Json:
    """One line in the envelope that all share; `more` overrides it, None takes a field out."""
    whole = {
        "uuid": uuid,
        "timestamp": moment(),
        "sessionId": "s1",
        "cwd": "/home/dev/shop",
        "version": "2.1.329",
        "gitBranch": "main",
        "isSidechain": False,
        **content,
        "type": kind,
        **more,
    }
    return {name: value for name, value in whole.items() if value is not None}


def answer(
    key: str,
    output: int = 10,
    *,
    usage: Json | None = None,
    content: list[Json] | None = None,
    stop: str | None = "end_turn",
    model: str = "claude-opus-5-5",
    uuid: str | None = None,
    **more: object,
) -> Json:
    """An assistant's line that tells the usage of response `key`."""
    told = {
        "input_tokens": 3,
        "output_tokens": output,
        "cache_read_input_tokens": 1000,
        "cache_creation_input_tokens": 100,
        "cache_creation": {"ephemeral_5m_input_tokens": 60, "ephemeral_1h_input_tokens": 40},
        **(usage or {}),
    }
    message = {
        "id": key,
        "role": "assistant",
        "model": model,
        "stop_reason": stop,
        "usage": told,
        "content": content or [{"type": "text", "text": f"words of {key}"}],
    }
    return line("assistant", {"message": message}, uuid or f"line-{key}", **more)


def tool_use(tool_use_id: str, name: str = "Read", **arguments: object) -> Json:
    return {"type": "tool_use", "id": tool_use_id, "name": name, "input": arguments}


def tool_result(tool_use_id: str, text: str, uuid: str, **more: object) -> Json:
    block = {"type": "tool_result", "tool_use_id": tool_use_id, "content": text}
    return line("user", {"message": {"role": "user", "content": [block]}}, uuid, **more)


def prompt(text: str, uuid: str, **more: object) -> Json:
    return line("user", {"message": {"role": "user", "content": text}}, uuid, **more)


def attachment(uuid: str, text: str, **more: object) -> Json:
    body = {"type": "memory", "rendered": [{"content": text}]}
    return line("attachment", {"attachment": body}, uuid, **more)


def compaction(uuid: str, pre_tokens: int, **more: object) -> Json:
    facts = {"trigger": "auto", "preTokens": pre_tokens}
    return line("system", {"subtype": "compact_boundary", "compactMetadata": facts}, uuid, **more)


def encoded(*lines: Json | bytes) -> bytes:
    return b"".join(
        (raw if isinstance(raw, bytes) else json.dumps(raw, separators=(",", ":")).encode()) + b"\n"
        for raw in lines
    )


def write(path: Path, *lines: Json | bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(encoded(*lines))
    return path


def append(path: Path, *lines: Json | bytes) -> None:
    with path.open("ab") as file:
        file.write(encoded(*lines))


def later(path: Path, seconds: float = 5) -> None:
    """Move a file's time on (or back), as a write that takes that long would."""
    status = path.stat()
    moved = status.st_mtime_ns + round(seconds * 1e9)
    os.utime(path, ns=(moved, moved))


def growing(finished: Path, target: Path, rng: random.Random, steps: int) -> Iterator[int]:
    """Copy a folder byte by byte: after every step each file has grown to a random point."""
    data = {path.relative_to(finished): path.read_bytes() for path in finished.glob("**/*.jsonl")}
    cuts = {
        path: [*sorted(rng.randint(0, len(body)) for _ in range(steps - 1)), len(body)]
        for path, body in data.items()
    }
    for step in range(steps):
        for path, body in data.items():
            begin = cuts[path][step - 1] if step else 0
            if cuts[path][step] > begin:
                (target / path).parent.mkdir(parents=True, exist_ok=True)
                with (target / path).open("ab") as file:
                    file.write(body[begin : cuts[path][step]])
        yield step


@contextmanager
def patched_source(home: Home, **methods: Callable[..., Any]) -> Iterator[Source]:
    """The real source with some of its methods replaced; each is handed the real one first."""
    source = home.source()
    for name, method in methods.items():
        real = getattr(source, name)
        setattr(source, name, lambda *given, _m=method, _r=real: _m(_r, *given))
    yield source
