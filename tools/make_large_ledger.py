"""Make a ledger of a million requests, as years of work leave one, to measure with.

`python tools/make_large_ledger.py FOLDER [--requests 1000000] [--seed 1]`. The ledger in FOLDER
(what `TOKENS_HOME` would name) is written by the product's own writer, as its reader would have it
write transcripts of 500 requests each. These transcripts do not exist: `tokens` finds them gone
and keeps what it knows of them. The same seed makes the same rows.
"""

from __future__ import annotations

import argparse
import random
import time
from datetime import UTC, datetime
from pathlib import Path

from tokenbudget.app import LEDGER_NAME
from tokenbudget.ledger.files import FileToRead, Piece
from tokenbudget.ledger.store import Ledger
from tokenbudget.metering.rates import PriceBook
from tokenbudget.model.events import LineCounts, SessionFact, Stretch
from tokenbudget.model.usage import Response
from tokenbudget.sources.claude_code.source import ClaudeCode

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from tokenbudget.model.usage import Packed

END = datetime(2026, 11, 20, 13, tzinfo=UTC)
REQUESTS_OF_SESSION = 500
PROJECTS = 25
MODELS = ("claude-opus-5-5", "claude-sonnet-5-5", "claude-haiku-5-5", "claude-opus-4-8")
LINE_BYTES = 1_400
BETWEEN_REQUESTS_MS = 60_000
"""Without a night: a million requests are 1.9 years."""
FILES_OF_COMMIT = 100


def responses_of(session: str, number: int, count: int, first_ms: int, seed: int) -> list[Packed]:
    """A session's requests: a window that grows, is compacted, and grows again."""
    chance = random.Random(seed * 1_000_003 + number)
    model = chance.choice(MODELS)
    at_ms, cached = first_ms, 20_000
    made = []
    for position in range(count):
        written = chance.randrange(200, 4_000)
        made.append(
            Response(
                f"msg_{number:07}_{position:04}", 0, at_ms, position * LINE_BYTES, session, model,
                input_tokens=chance.randrange(3, 40),
                output_tokens=chance.randrange(20, 2_000),
                cache_write_tokens=written,
                cache_write_1h_tokens=0,
                cache_read_tokens=cached,
                has_stop_reason=1,
                has_cache_split=1,
            ).packed()
        )  # fmt: skip
        cached = cached + written if cached < 180_000 else 20_000
        at_ms += chance.randrange(BETWEEN_REQUESTS_MS * 2)
    return made


def piece_of(number: int, count: int, first_ms: int, seed: int) -> Piece:
    """The transcript of one session, read whole."""
    session = f"{number:08x}-0000-4000-8000-{seed:012x}"
    cwd = f"/srv/code/project-{number % PROJECTS:02}"
    path = f"/srv/agent/projects/{cwd.replace('/', '-')}/{session}.jsonl"
    responses = responses_of(session, number, count, first_ms, seed)
    size = count * LINE_BYTES
    begins, ends = (
        datetime.fromtimestamp(packed[2] / 1000, UTC).isoformat()
        for packed in (responses[0], responses[-1])
    )
    fact = SessionFact(session, cwd, "main", "2.1.329", begins, ends, f"Session {number}")
    file = FileToRead(
        path, "claude-code", session, False, size, first_ms * 1_000_000, number + 1, None, False,
        with_detail=False,
    )  # fmt: skip
    stretch = Stretch(
        start=0,
        end=size,
        size_bytes=size,
        is_last=True,
        fingerprint=(number, number),
        cwd=cwd,
        line_counts=LineCounts(count, 0, 0, 0, 0),
        problems=[],
        sessions=[fact],
        responses=responses,
        detail=None,
    )
    return Piece(file, stretch)


def pieces(requests: int, seed: int) -> Iterator[Piece]:
    """Sessions one after the other, the last one of which ends now or a little before."""
    end_ms = round(END.timestamp() * 1000)
    for number, left in enumerate(range(requests, 0, -REQUESTS_OF_SESSION)):
        count = min(left, REQUESTS_OF_SESSION)
        yield piece_of(number, count, end_ms - left * BETWEEN_REQUESTS_MS, seed)


def make(folder: Path, requests: int, seed: int) -> Path:
    """Write the ledger; returns its path."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / LEDGER_NAME
    with Ledger(str(path), PriceBook.bundled({}).thresholds()) as ledger:
        writer = ledger.writer(ClaudeCode(str(folder)))
        for number, piece in enumerate(pieces(requests, seed), 1):
            writer.take(piece)
            if number % FILES_OF_COMMIT == 0:
                writer.commit()
        writer.commit()
        ledger.roll_up()
    return path


def main() -> None:
    """Make it, and say how large it is and how long it took."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--requests", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=1)
    chosen = parser.parse_args()
    began = time.perf_counter()
    path = make(chosen.folder, chosen.requests, chosen.seed)
    took = time.perf_counter() - began
    size = path.stat().st_size
    print(f"{path}: {chosen.requests:,} requests, {size:,} bytes, in {took:.1f} s")


if __name__ == "__main__":
    main()
