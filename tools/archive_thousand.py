"""A thousand sessions in a home of their own: `tokens archive`, and one of them back."""

from __future__ import annotations

import hashlib
import os
import re
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from archive_peers import MEGABYTE
from tokenbudget.archive.folder import load, opened_archive
from tokenbudget.archive.manifest import ArchiveRecord

SOURCE = Path(__file__).parents[1] / "src"
MANY, TIMES = 1_000, 20
OLD_SECONDS = 1_780_000_000


def records_of(folder: str) -> tuple[ArchiveRecord, ...]:
    """What the manifest lists."""
    with opened_archive(folder) as opened:
        return load(opened, folder).archives


def fingerprint(path: Path) -> tuple[str, int]:
    """Hash and mode."""
    return hashlib.sha256(path.read_bytes()).hexdigest(), path.stat().st_mode & 0o7777


class Machine:
    """A home of its own, with a thousand sessions."""

    def __init__(self, top: Path) -> None:
        self.top = top
        self.slug = top / ".claude" / "projects" / "-srv-shop"
        self.slug.mkdir(parents=True)
        self.environment = {
            "PATH": os.defpath,
            "HOME": str(top),
            "TOKENS_HOME": str(top / "tokens"),
            "TOKENS_BACKFILL": "off",
            "CLAUDE_CONFIG_DIR": str(top / ".claude"),
            "LANG": "C.UTF-8",
            "PYTHONPATH": str(SOURCE),
        }

    def fill(self, transcripts: Sequence[Path]) -> int:
        """Copies of these under new ids, as many as are wanted; how many bytes."""
        total = 0
        for number in range(MANY):
            origin = transcripts[number % len(transcripts)]
            session = f"{number:08x}-0000-4000-8000-{number:012x}"
            data = _renamed(origin.read_bytes(), b"sessionId", session.encode())
            # A folder that is not there, whatever folders this machine has: no archive goes there.
            data = _renamed(data, b"cwd", os.fsencode(self.top / "gone"))
            path = self.slug / f"{session}.jsonl"
            path.write_bytes(data)
            os.utime(path, (OLD_SECONDS, OLD_SECONDS))
            total += len(data)
        return total

    def run(self, *arguments: str) -> float:
        """`tokens …`; the seconds that it took."""
        began = time.perf_counter()
        command = [sys.executable, "-m", "tokenbudget", *arguments]
        subprocess.run(command, env=self.environment, check=True, capture_output=True)
        return time.perf_counter() - began


def _renamed(data: bytes, key: bytes, value: bytes) -> bytes:
    return re.sub(rb'("%s"\s*:\s*")[^"]*' % key, lambda found: found[1] + value, data)


def one_of_many(transcripts: Sequence[Path], top: Path) -> list[str]:
    """`tokens archive` of a thousand sessions, then `tokens recover` of single ones."""
    machine = Machine(top)
    raw = machine.fill(transcripts)
    originals = {path.stem: fingerprint(path) for path in machine.slug.glob("*.jsonl")}
    machine.run("usage")
    archiving = machine.run("archive", "30", "--yes")
    left = len(list(machine.slug.glob("*.jsonl")))
    folder = str(top / ".claude" / "sessions" / "archive")
    records = records_of(folder)
    kept = sum(record.size_bytes for record in records)
    archived = [session for record in records for session in record.sessions]
    spread = archived[:: max(1, len(archived) // TIMES)][:TIMES]
    bare, recovering = [], []
    for session in spread:
        began = time.perf_counter()
        subprocess.run([sys.executable, "-IS", "-c", ""], check=True)
        bare.append(time.perf_counter() - began)
        recovering.append(machine.run("recover", session, "--yes"))
        if fingerprint(machine.slug / f"{session}.jsonl") != originals[session]:
            raise SystemExit(f"{session} did not come back as it was")
    everything = machine.run("recover", "--all", "--yes")
    for session, origin in originals.items():
        if fingerprint(machine.slug / f"{session}.jsonl") != origin:
            raise SystemExit(f"{session} did not come back as it was")
    base, one, worst = statistics.median(bare), statistics.median(recovering), max(recovering)
    return [
        f"tokens archive: {len(archived):,} sessions, {raw / MEGABYTE:.0f} MB in {archiving:.1f} s"
        f" ({raw / MEGABYTE / archiving:.1f} MB/s), {len(records)} archive files,"
        f" {kept / raw:.2%} kept; {left} sessions left",
        f"tokens recover, one of {len(archived):,}: {1000 * one:.0f} ms (slowest of {TIMES}:"
        f" {1000 * worst:.0f} ms), bare python -IS -c '': {1000 * base:.1f} ms,"
        f" ratio {one / base:.1f} (goal 20)",
        f"tokens recover --all: {everything:.1f} s ({raw / MEGABYTE / everything:.0f} MB/s)",
    ]
