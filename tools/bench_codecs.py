"""What each codec saves on real outputs, and how long it takes; headroom beside it, in one run.

    python tools/bench_codecs.py --sessions FOLDER [--made FOLDER] [--headroom PYTHON]
                                 [--level LEVEL] [--each 6] [--rounds 40] [--output FILE]

Every tool result of the transcripts under FOLDER goes through the policy, as a hook asks it. For
each codec the outputs are taken evenly from the smallest to the largest; where that gives too few,
from what it makes of the other results alone, then from those of `tools/make_outputs.py`. Each is
checked: smaller by the tokenizer, the receipt true, nothing false by `analysis.fidelity_facts`.
`--headroom` is the Python of a virtual environment that holds headroom-ai; it is asked the same
texts. Then 450 KB of each of a few kinds is timed, ours and theirs by turns, each time anew;
2.5 and 5 MB stand beside it. It ends with 1 if anything is not so.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from json_rows import compact, rows
from recorded_results import Result, results_in
from tokenbudget.analysis.fidelity_decoders import decoder_of
from tokenbudget.analysis.fidelity_facts import Before, facts_of
from tokenbudget.analysis.fidelity_facts import Shortened as Given
from tokenbudget.analysis.fidelity_marks import Claimed
from tokenbudget.compression.codecs import CODECS
from tokenbudget.compression.handles import handle_of
from tokenbudget.compression.passage import BALANCED, LEVELS, VERBOSE, Origin, Passage
from tokenbudget.compression.policy import Call, MemoryInWindow, Wishes, at_the_door
from tokenbudget.compression.receipts import Shortened
from tokenbudget.compression.shortening import shorten
from tokenbudget.metering.tokenizer import BytePairCounter

LEAST_CHARS = 400
SPEED_BYTES, LARGE_BYTES = 450_000, 5_000_000
THEIR_ROUNDS = 10

IN_HEADROOM = """
import json, sys, time
from headroom import compress
for line in sys.stdin:
    text, command = json.loads(line)
    messages = [
        {"role": "user", "content": "What does this say?"},
        {"role": "assistant", "content": None, "tool_calls": [{"id": "c1", "type": "function",
         "function": {"name": "Bash", "arguments": json.dumps({"command": command})}}]},
        {"role": "tool", "tool_call_id": "c1", "content": text},
    ]
    start = time.perf_counter()
    try:
        after = compress(messages, model="gpt-4o").messages[-1]["content"]
    except Exception as exc:
        after = text
    took = time.perf_counter() - start
    after = after if isinstance(after, str) else json.dumps(after)
    print(json.dumps([after, took]), file=OUT, flush=True)
"""


class Output(NamedTuple):
    """One output of a tool, and what became of it."""

    place: str
    command: str
    text: str
    short: Shortened
    faults: int
    is_made: bool = False


class Headroom:
    """A process of headroom-ai that shortens text after text; loaded once, as ours is."""

    def __init__(self, python: str) -> None:
        script = "import os, sys\nOUT = os.fdopen(os.dup(1), 'w')\nos.dup2(2, 1)\n" + IN_HEADROOM
        self._process = subprocess.Popen(
            [python, "-c", script],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        self.shortened("warm up " * 200, "true")

    def shortened(self, text: str, command: str) -> tuple[str, float]:
        """What it makes of a text, and in how many seconds by its own clock."""
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(json.dumps([text, command]) + "\n")
        self._process.stdin.flush()
        after, seconds = json.loads(self._process.stdout.readline())
        return str(after), float(seconds)

    def close(self) -> None:
        """End it."""
        self._process.kill()
        self._process.wait()


class Bench:
    """All that is measured, in one run."""

    def __init__(self, told: argparse.Namespace) -> None:
        self.told = told
        self.counter = BytePairCounter()
        self.headroom = Headroom(told.headroom) if told.headroom else None
        self.outputs: dict[str, list[Output]] = defaultdict(list)
        self.results: dict[str, Result] = {}
        """Of the sessions, those that no codec took."""
        self.wrong = 0
        self.lines: list[str] = []

    # ── what is saved ────────────────────────────────────────────────────────────────────────────

    def collect(self) -> None:
        """Every output of the sessions that some codec took, and those that were made."""
        known: set[int] = set()
        for path in sorted(self.told.sessions.rglob("*.jsonl")) if self.told.sessions else ():
            memory = MemoryInWindow()
            shown: list[Before] = []
            for one in results_in(path):
                call = Call(one.tool, one.told, one.text, one.has_failed)
                short = at_the_door(call, Wishes(level=self.told.level), memory, self.counter)
                told = str(one.told.get("file_path") or one.told.get("command") or one.tool)
                if short and hash(one.text) not in known:
                    known.add(hash(one.text))
                    self._take(one.place, told, one.text, short, shown)
                else:
                    self.results[one.text] = one
                shown.append(Before("", short.text if short else one.text))
        for path in sorted(self.told.made.glob("*.json")) if self.told.made else ():
            kept = json.loads(path.read_text("utf-8"))
            origin = Origin("Bash", kept["command"], "", kept["has_failed"])
            handle = handle_of(kept["text"].encode("utf-8", "surrogatepass"))
            made = shorten(Passage(kept["text"], origin), self.told.level, self.counter, handle)
            if made:
                self._take(path.stem, kept["command"], kept["text"], made, [], is_made=True)
            else:
                self.say(f"left alone: {path.stem}")

    def ask_alone(self) -> None:
        """Codecs that the policy gave too few outputs: each result of the sessions, to it alone."""
        few = [one for one in CODECS if len(self.outputs.get(one.name, ())) < self.told.each]
        for one in self.results.values():
            path = str(one.told.get("file_path") or "")
            command = str(one.told.get("command") or path or one.tool)
            origin = Origin(one.tool, str(one.told.get("command") or ""), path, one.has_failed)
            handle = handle_of(one.text.encode("utf-8", "surrogatepass"))
            passage = Passage(one.text, origin)
            for codec in few:
                short = shorten(passage, self.told.level, self.counter, handle, (codec,))
                if short:
                    self._take(one.place, command, one.text, short, [])

    def _take(
        self,
        place: str,
        command: str,
        text: str,
        short: Shortened,
        shown: Sequence[Before],
        is_made: bool = False,
    ) -> None:
        receipt = short.receipt
        points_back = any(one.kind in ("seen", "unchanged") for one in receipt.removed)
        given = Given(
            text,
            short.text,
            receipt.opening,
            [Claimed(one.kind, one.count, one.ranges) for one in receipt.removed],
            receipt.is_lossless,
            handle_of(text.encode("utf-8", "surrogatepass")),
            0,
            shown[-200:] if points_back else (),
        )
        faults = 0 if points_back else len(facts_of(given, decoder_of(receipt.codec)).faults)
        is_true = receipt.before_tokens == self.counter.count(text) and (
            receipt.after_tokens == self.counter.count(short.text) < receipt.before_tokens
        )
        self.wrong += faults + (not is_true)
        self.outputs[receipt.codec].append(Output(place, command, text, short, faults, is_made))

    def table(self) -> None:
        """A row for each chosen output, and a line for each codec over all of its outputs."""
        self.say("| Codec | Output | Tokens | After | Saved | Lossless | False | headroom |")
        self.say("|---|---|---:|---:|---:|---|---:|---:|")
        totals: dict[str, Counter[str]] = {}
        for codec in CODECS:
            outputs = self.outputs.get(codec.name, [])
            totals[codec.name] = total = Counter[str]()
            for one in _chosen(outputs, self.told.each):
                self._row(codec.name, one, total)
        self.say("")
        self.say(
            "| Codec | Outputs, all | Tokens | After | Saved | Lossless"
            " | In the rows above: ours | headroom |"
        )
        self.say("|---|---:|---:|---:|---:|---:|---:|---:|")
        for name, total in totals.items():
            self._total(name, total)

    def _row(self, name: str, one: Output, total: Counter[str]) -> None:
        receipt = one.short.receipt
        theirs = "–"
        total["before"] += receipt.before_tokens
        total["after"] += receipt.after_tokens
        if self.headroom:
            after, _ = self.headroom.shortened(one.text, one.command)
            tokens = self.counter.count(after)
            total["headroom"] += tokens
            theirs = _share(receipt.before_tokens, tokens)
        command = " ".join(one.command.split())[-46:].replace("|", "¦")
        made = " (made)" if one.is_made else ""
        self.say(
            f"| {name} | `{command}`{made} | {receipt.before_tokens:,} | {receipt.after_tokens:,}"
            f" | {_share(receipt.before_tokens, receipt.after_tokens)}"
            f" | {'yes' if receipt.is_lossless else 'no'} | {one.faults} | {theirs} |"
        )

    def _total(self, name: str, total: Counter[str]) -> None:
        every = self.outputs.get(name, [])
        before = sum(one.short.receipt.before_tokens for one in every)
        after = sum(one.short.receipt.after_tokens for one in every)
        lossless = sum(one.short.receipt.is_lossless for one in every)
        theirs = _share(total["before"], total["headroom"]) if self.headroom else "–"
        ours = _share(total["before"], total["after"])
        made = sum(one.is_made for one in every)
        self.say(
            f"| {name} | {len(every):,} ({made} made) | {before:,} | {after:,}"
            f" | {_share(before, after)} | {lossless:,} | {ours} | {theirs} |"
        )

    def flat_rows(self) -> None:
        """500 flat rows against their compact JSON; no level may lose any of it."""
        text = compact(500)
        short = shorten(Passage(text), VERBOSE, self.counter)
        assert short is not None
        receipt = short.receipt
        ratio = receipt.after_tokens / receipt.before_tokens
        theirs = ""
        if self.headroom:
            tokens = self.counter.count(self.headroom.shortened(text, "curl")[0])
            theirs = f"; headroom {tokens:,} ({tokens / receipt.before_tokens:.3f} x)"
        indented = json.dumps(rows(500), indent=2)
        self.say(
            f"\n500 flat rows: {self.counter.count(indented):,} tokens indented,"
            f" {receipt.before_tokens:,} compact, {receipt.after_tokens:,} as rows"
            f" ({ratio:.3f} x compact, lossless: {receipt.is_lossless}){theirs}"
        )
        self.wrong += ratio > 0.65 or not receipt.is_lossless

    # ── how long it takes ────────────────────────────────────────────────────────────────────────

    def speed(self) -> None:
        """450 KB through detection and codec, counting included; ours and theirs by turns."""
        self.say("\n| 450 KB of | Codec | p50 | p99 | headroom p50 | p99 | 2.5 MB | 5 MB |")
        self.say("|---|---|---:|---:|---:|---:|---:|---:|")
        for kind, lines in self._kinds():
            ours: list[float] = []
            theirs: list[float] = []
            codec = "none"
            for number in range(self.told.rounds):
                part = _sized(lines, SPEED_BYTES, number)  # each time another: both may remember
                seconds, codec = self._timed(part)
                ours.append(seconds)
                if self.headroom and number < THEIR_ROUNDS:
                    theirs.append(self.headroom.shortened(part, "make")[1])
            half, _ = self._timed(_sized(lines, LARGE_BYTES // 2, 1))
            whole, _ = self._timed(_sized(lines, LARGE_BYTES, 2))
            self.say(
                f"| {kind} | {codec} | {_ms(ours, 50)} | {_ms(ours, 99)} | {_ms(theirs, 50)}"
                f" | {_ms(theirs, 99)} | {half * 1000:,.0f} ms | {whole * 1000:,.0f} ms |"
            )

    def _timed(self, text: str) -> tuple[float, str]:
        start = time.perf_counter()
        short = shorten(Passage(text), self.told.level, self.counter, "0" * 12)
        return time.perf_counter() - start, short.receipt.codec if short else "none"

    def _kinds(self) -> Iterator[tuple[str, list[str]]]:
        yield "JSON rows", []
        for name in ("runs", "logs", "grep", "diffs", "text"):
            texts = sorted((one.text for one in self.outputs.get(name, [])), key=len)
            if texts:
                yield f"outputs of `{name}`", "\n".join(texts[-20:]).split("\n")

    def say(self, line: str) -> None:
        """Print it, and keep it for the file."""
        print(line, flush=True)
        self.lines.append(line)


def _sized(lines: list[str], size: int, turn: int) -> str:
    """So much of these lines, begun at another one each turn; of no lines, JSON rows."""
    if not lines:
        return compact(size // 159, seed=turn)
    start = turn * 37 % len(lines)
    text = "\n".join(lines[start:] + lines[:start]) + "\n"
    return text * (size // len(text)) + text[: size % len(text)]


def _chosen(outputs: Sequence[Output], count: int) -> list[Output]:
    """Evenly from the smallest to the largest; made ones only where the real are too few."""
    real = sorted((one for one in outputs if not one.is_made), key=_size)
    made = sorted((one for one in outputs if one.is_made), key=_size)
    if len(real) > count:
        step = (len(real) - 1) / (count - 1)
        return [real[round(number * step)] for number in range(count)]
    return real + made[: max(0, count - len(real))]


def _size(one: Output) -> tuple[int, str]:
    return one.short.receipt.before_tokens, one.place


def _share(before: int, after: int) -> str:
    return f"{1 - after / before:.1%}" if before else "–"


def _ms(seconds: Sequence[float], percent: int) -> str:
    if not seconds:
        return "–"
    place = min(len(seconds) - 1, round(len(seconds) * percent / 100))
    value = statistics.median(seconds) if percent == 50 else sorted(seconds)[place]
    return f"{value * 1000:,.1f} ms"


def main() -> int:
    """Run it."""
    asked = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    asked.add_argument("--sessions", type=Path)
    asked.add_argument("--made", type=Path)
    asked.add_argument("--headroom", default="")
    asked.add_argument("--level", choices=LEVELS, default=BALANCED)
    asked.add_argument("--each", type=int, default=6)
    asked.add_argument("--rounds", type=int, default=40)
    asked.add_argument("--output", type=Path)
    bench = Bench(asked.parse_args())
    bench.collect()
    bench.ask_alone()
    bench.table()
    bench.flat_rows()
    if bench.told.rounds:
        bench.speed()
    bench.say(f"\nfalse or wrong: {bench.wrong}")
    if bench.headroom:
        bench.headroom.close()
    if bench.told.output:
        bench.told.output.write_text("\n".join(bench.lines) + "\n", "utf-8")
    return 1 if bench.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
