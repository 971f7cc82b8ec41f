"""Check the model of the cache on which every figure of a backtest rests.

`python tools/backtest_check.py FOLDER…` foretells for each recorded request what it read from the
cache and what it wrote to it, and prints the sums beside those that were reported. The model is
`tokenbudget.analysis.backtest_cache`; it never sees what a request reported to have read or
written. It knows how large each prompt was as a whole, when it was sent, the lifetime of what is
cached, what entered and left the window by the transcript, and (unless `--no-diagnostics`) where
the API noted that the client had changed system prompt, tools or messages since the request
before: words that no transcript shows. With `--blind` it does not know the sizes of prompts either:
`blind_prompts` foretells them from the words and from other sessions.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from blind_prompts import blinded
from tokenbudget.analysis.backtest_cache import Foretold, foretold
from tokenbudget.app import Terminal, open_workbench
from tokenbudget.app.backtesting import foretold_requests
from tokenbudget.cli.options import settings
from tokenbudget.collector.ingest import Want
from tokenbudget.model.protocols import TokenCounter

REWRITTEN = frozenset(("system_changed", "tools_changed", "messages_changed"))
"""What the API says of a request that did not go on as the one before it ended."""
WITHIN = 0.05


def main(arguments: Sequence[str]) -> int:
    """Print the table; 1 where a sum is off by more than five percent."""
    made = argparse.ArgumentParser(description=__doc__)
    made.add_argument("paths", nargs="+", metavar="FOLDER")
    made.add_argument("--no-diagnostics", action="store_true")
    made.add_argument("--blind", action="store_true", help="foretell the sizes of prompts too")
    made.add_argument("--worst", type=int, default=0, metavar="N", help="the N worst threads too")
    options = made.parse_args(arguments)
    told = Terminal(lambda words: print(words, file=sys.stderr), lambda _done, _total: None)
    rewritten = frozenset() if options.no_diagnostics else rewritten_in(options.paths)
    with open_workbench(settings(), told, Want.DETAIL, from_paths=options.paths) as bench:
        counter = bench.token_counter()
        found = foretold_requests(bench, told, rewritten)
    sizes: list[str] = []
    if options.blind:
        found, foretold_sizes = foretold_blindly(found, counter, rewritten)
        sizes.append(size_words(found, foretold_sizes))
    for line in (*table(found), *sizes, *worst(found, options.worst)):
        print(line)
    return 0 if all(abs(off) <= WITHIN for off in errors(found)) else 1


def foretold_blindly(
    found: Sequence[Foretold], counter: TokenCounter, rewritten: frozenset[str]
) -> tuple[list[Foretold], list[int]]:
    """The same requests by foretold sizes, beside what was really reported; and these sizes."""
    threads = list({id(one.timeline): one.timeline for one in found}.values())
    again = foretold(blinded(threads, counter), rewritten)
    sizes = [one.sending.request.prompt_tokens or 0 for one in again]
    pairs = zip(again, found, strict=True)
    return [
        blind._replace(timeline=one.timeline, sending=one.sending) for blind, one in pairs
    ], sizes


def size_words(found: Sequence[Foretold], sizes: Sequence[int]) -> str:
    """How well the sizes of prompts were foretold."""
    told = [one.sending.request.prompt_tokens or 0 for one in found]
    off = sorted(abs(size / prompt - 1) for size, prompt in zip(sizes, told, strict=True) if prompt)
    middle, most = (off[len(off) // 2], off[len(off) * 9 // 10]) if off else (0.0, 0.0)
    whole = sum(sizes) / max(sum(told), 1) - 1
    return f"prompts are off by {whole:+.2%} in sum; one by {middle:.1%} (P50), {most:.1%} (P90)"


def rewritten_in(paths: Iterable[str]) -> frozenset[str]:
    """The keys of responses before which the client changed words that no transcript shows."""
    return frozenset(
        key for path in paths for file in transcripts(Path(path)) for key in _rewritten(file)
    )


def transcripts(top: Path) -> list[Path]:
    """What the ledger reads of a folder, or the file itself; folders behind links as well."""
    if not top.is_dir():
        return [top]
    folders = os.walk(top, followlinks=True)
    return sorted(
        Path(at) / name for at, _, names in folders for name in names if name.endswith(".jsonl")
    )


def _rewritten(file: Path) -> Iterator[str]:
    for line in file.read_bytes().split(b"\n"):
        if b'"cache_miss_reason"' not in line:
            continue
        try:
            message = json.loads(line)["message"]
            if message["diagnostics"]["cache_miss_reason"]["type"] in REWRITTEN:
                yield str(message["id"])
        except (ValueError, KeyError, TypeError):
            continue  # words that look like it


def reported(one: Foretold) -> tuple[int, int]:
    """(read, written) as the request reported it."""
    request = one.sending.request
    written = request.cache_write_5m_tokens + request.cache_write_1h_tokens
    return request.cache_read_tokens, written


def sums(found: Iterable[Foretold]) -> tuple[int, float, int, float, int]:
    """(requests, read foretold, read reported, written foretold, written reported)."""
    requests, read, read_told, written, written_told = 0, 0.0, 0, 0.0, 0
    for one in found:
        told = reported(one)
        requests += 1
        read, read_told = read + one.read_tokens, read_told + told[0]
        written, written_told = written + one.write_tokens, written_told + told[1]
    return requests, read, read_told, written, written_told


def errors(found: Sequence[Foretold]) -> tuple[float, float]:
    """By how much the sums of reads and of writes are off, as shares."""
    _, read, read_told, written, written_told = sums(found)
    return read / max(read_told, 1) - 1, written / max(written_told, 1) - 1


def table(found: Sequence[Foretold]) -> Iterator[str]:
    """A row for each thing that the model says of a request, and their sum."""
    yield "| cache | requests | read, foretold | reported | written, foretold | reported |"
    yield "|---|---|---|---|---|---|"
    for why in sorted({one.why for one in found}):
        yield _row(why, [one for one in found if one.why == why])
    yield _row("all", found)
    off_read, off_written = errors(found)
    yield ""
    yield f"reads are off by {off_read:+.2%}, writes by {off_written:+.2%} in sum"


def _row(name: str, found: Sequence[Foretold]) -> str:
    requests, *tokens = sums(found)
    return f"| {name} | {requests:,} | " + " | ".join(f"{count:,.0f}" for count in tokens) + " |"


def worst(found: Sequence[Foretold], count: int) -> Iterator[str]:
    """The threads whose writes are off by most tokens."""
    threads: dict[tuple[str, str], list[Foretold]] = {}
    for one in found:
        threads.setdefault((one.timeline.path, one.timeline.thread), []).append(one)

    def off(some: Sequence[Foretold]) -> float:
        _, _, _, written, told = sums(some)
        return abs(written - told)

    ordered = sorted(threads.items(), key=lambda pair: -off(pair[1]))
    for (path, thread), some in ordered[:count]:
        yield _row(f"{Path(path).stem} {thread}".rstrip(), some)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
