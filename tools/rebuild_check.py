"""Check how well recorded requests are rebuilt from transcripts.

    python tools/rebuild_check.py TRANSCRIPT_OR_FOLDER... [--bodies FOLDER]

With transcripts alone: how many requests are found whole, how many of their messages, and how many
are proven by the digest that the client recorded. With a folder of captured request bodies (each a
JSON file, the body itself or an object that holds it as `body`): each is compared with the recorded
request that it has the most in common with, whole and piece by piece. Exits with 1 if a recorded
request with a captured body differs from it.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from tokenbudget.model.window import Piece
from tokenbudget.sources.claude_code.request_hints import Hints
from tokenbudget.sources.claude_code.request_messages import message_hash
from tokenbudget.sources.claude_code.request_pieces import counted, pieces_of
from tokenbudget.sources.claude_code.requests import Body, RecordedRequest, RequestRecorder

Json = dict[str, Any]


class Transcript(NamedTuple):
    """A transcript read for its requests."""

    path: Path
    recorder: RequestRecorder
    hints: Hints


class Comparison(NamedTuple):
    """A captured request beside the rebuilt one."""

    is_equal: bool
    """As JSON: system, tools and messages."""
    pieces: int
    differing: list[tuple[Piece | None, Piece | None]]
    """Pieces of the captured request and of the rebuilt one, where they differ."""


class Tally(NamedTuple):
    """What a transcript's requests came to."""

    requests: int = 0
    whole: int = 0
    proven: int = 0
    messages: int = 0
    found: int = 0

    def plus(self, other: Tally) -> Tally:
        """The sum."""
        return Tally(*(mine + theirs for mine, theirs in zip(self, other, strict=True)))

    def __str__(self) -> str:
        return (
            f"{self.whole}/{self.requests} requests whole, {self.proven} proven by their digest, "
            f"{self.found}/{self.messages} messages found"
        )


def read_transcript(path: Path) -> Transcript:
    """The requests of one file, messages to be read from it again."""
    data = path.read_bytes()
    recorder = RequestRecorder(lambda offset: data[offset : data.find(b"\n", offset)])
    hints = Hints()
    offset = 0
    for line in data.splitlines(keepends=True):
        recorder.add(offset, line)
        hints.add(line)
        offset += len(line)
    return Transcript(path, recorder, hints)


def compared(rebuilt: Body, captured: Json, hints: Hints) -> Comparison:
    """Hold a rebuilt request against the captured body; billing header and cache marks apart."""
    mine = rebuilt.system, rebuilt.tools, rebuilt.messages
    sent = captured.get("system", []), captured.get("tools", []), captured.get("messages", [])
    my_pieces, sent_pieces = pieces_of(*mine, hints), pieces_of(*sent, hints)
    return Comparison(
        counted(*mine) == counted(*sent),
        len(sent_pieces),
        list(_differing(sent_pieces, my_pieces)),
    )


def _differing(sent: list[Piece], mine: list[Piece]) -> Iterator[tuple[Piece | None, Piece | None]]:
    for at in range(max(len(sent), len(mine))):
        pair = sent[at] if at < len(sent) else None, mine[at] if at < len(mine) else None
        if pair[0] != pair[1]:
            yield pair


def tally(transcript: Transcript) -> Tally:
    """Rebuild every request of a transcript."""
    total = Tally()
    for request in transcript.recorder.requests:
        body = transcript.recorder.body(request.id)
        total = total.plus(
            Tally(
                requests=1,
                whole=body.is_whole,
                proven=body.is_proven,
                messages=len(request.hashes),
                found=len(body.messages),
            )
        )
    return total


def best_match(
    captured: Json, transcripts: Iterable[Transcript]
) -> tuple[Transcript, RecordedRequest] | None:
    """The recorded request that begins as the captured one does, and is as long."""
    hashes = [message_hash(one) for one in counted([], [], captured["messages"])["messages"]]
    best: tuple[int, Transcript, RecordedRequest] | None = None
    for transcript in transcripts:
        for request in transcript.recorder.requests:
            same = sum(mine == sent for mine, sent in zip(request.hashes, hashes, strict=False))
            fits = len(request.hashes) == len(hashes) and request.model == captured.get("model")
            is_alike = fits and same * 2 > len(hashes)
            if is_alike and (best is None or same > best[0]):
                best = same, transcript, request
    return None if best is None else best[1:]


def files_below(paths: Iterable[Path], suffix: str) -> Iterator[Path]:
    """Every file with this suffix, in order."""
    for path in paths:
        yield from sorted(path.rglob(f"*{suffix}")) if path.is_dir() else [path]


def check_bodies(folder: Path, transcripts: list[Transcript]) -> bool:
    """Print how each captured body compares; whether all that have a record are equal."""
    are_equal = True
    for path in files_below([folder], ".json"):
        captured = json.loads(path.read_bytes())
        captured = captured.get("body", captured)
        found = best_match(captured, transcripts) if "messages" in captured else None
        if found is None:
            print(f"{path.name}: no recorded request")
            continue
        transcript, request = found
        result = compared(transcript.recorder.body(request.id), captured, transcript.hints)
        are_equal &= result.is_equal
        print(f"{path.name}: {'equal' if result.is_equal else 'DIFFERS'} ({request.id[:8]} of")
        print(f"    {transcript.path.name}), {len(result.differing)}/{result.pieces} pieces differ")
        for sent, mine in result.differing:
            print(f"    captured {_told(sent)}, rebuilt {_told(mine)}")
    return are_equal


def _told(piece: Piece | None) -> str:
    return "nothing" if piece is None else f"{piece.kind} {piece.name!r} {piece.size_bytes} B"


def main() -> int:
    """Check what the command line names."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0] if __doc__ else None)
    parser.add_argument("transcripts", type=Path, nargs="+")
    parser.add_argument("--bodies", type=Path)
    options = parser.parse_args()
    transcripts = [read_transcript(path) for path in files_below(options.transcripts, ".jsonl")]
    total = Tally()
    for transcript in transcripts:
        found = tally(transcript)
        total = total.plus(found)
        print(f"{transcript.path.name}: {found}")
    print(f"total: {total}")
    return 0 if options.bodies is None or check_bodies(options.bodies, transcripts) else 1


if __name__ == "__main__":
    sys.exit(main())
