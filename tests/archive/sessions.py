"""Sessions on disk, and what they look like."""

from __future__ import annotations

import os
import random
from pathlib import Path

from tokenbudget.archive.pack import Bundle, Member

SESSION = "0b4e6f5a-1d2c-4b3a-9f8e-7d6c5b4a3f2e"
NOW_MS = 1_790_000_000_000
OLD_NS = 1_780_000_000_123_456_789


class FakeClock:
    def __init__(self, now_ms: int = NOW_MS) -> None:
        self.ms = now_ms

    def now_ms(self) -> int:
        return self.ms

    def monotonic_seconds(self) -> float:
        return self.ms / 1000

    def sleep(self, seconds: float) -> None:
        self.ms += int(seconds * 1000)


def write_tree(root: Path, files: dict[str, bytes], mode: int = 0o640) -> None:
    for name, data in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        path.chmod(mode)
        os.utime(path, ns=(OLD_NS, OLD_NS))


def bundle_of(root: Path, files: dict[str, bytes], session: str = SESSION) -> Bundle:
    return Bundle(session, tuple(Member(name, str(root / name)) for name in files))


def tree(root: Path) -> dict[str, tuple[bytes, int]]:
    """Every file below the root by its name: content and mode."""
    return {
        str(path.relative_to(root)): (path.read_bytes(), path.stat().st_mode & 0o7777)
        for path in root.rglob("*")
        if path.is_file() and not path.is_symlink()
    }


def transcript(lines: int, seed: int = 1) -> bytes:
    chance = random.Random(seed)
    return b"".join(
        b'{"type":"assistant","n":%d,"text":"%s"}\n' % (n, chance.randbytes(24).hex().encode())
        for n in range(lines)
    )


FILES = {
    f"{SESSION}/subagents/agent-1.jsonl": transcript(20, 2),
    f"{SESSION}/subagents/agent-2.jsonl": b"",
    f"{SESSION}.jsonl": transcript(40),
}


OTHER = "1c5f7a6b-2e3d-4c5b-8a9f-6e7d8c9b0a1f"
OTHERS_FILES = {
    f"{OTHER}/subagents/agent-3.jsonl": transcript(25, 3),
    f"{OTHER}.jsonl": transcript(40)[:500] + transcript(30, 4),
}
