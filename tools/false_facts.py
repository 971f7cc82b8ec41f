"""Does a shortened tool result ever say what is not so? Every result of recorded sessions is asked.

    python tools/false_facts.py FOLDER [--level LEVEL] [--codec NAME] [--every N] [--worsen SEED]
                                       [--report PATH]

FOLDER holds Claude transcripts (`*.jsonl`, any depth). Each different result goes through each
codec that knows it, alone, at each level, with the results before it standing in the window; then
through the policy, as the hooks ask it. `analysis.fidelity_facts` checks every shortened text, and
what the receipts say of sizes is counted again. The offenders stand in the report. `--worsen` asks
it of each result changed by chance: imitated markers, colours, repeats, errors between the lines.
`--plant` plants lies in every shortened text and counts how many of them the checker finds.
"""

from __future__ import annotations

import argparse
import hashlib
import random
import sys
from collections import Counter, defaultdict
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from planted_lies import lies_in, worsened
from recorded_results import Result, results_in
from tokenbudget.analysis.fidelity_decoders import decoder_of
from tokenbudget.analysis.fidelity_facts import Before, Fault, Shortened, facts_of
from tokenbudget.analysis.fidelity_marks import Claimed
from tokenbudget.compression.codecs import CODECS
from tokenbudget.compression.handles import handle_of
from tokenbudget.compression.passage import LEVELS, Earlier, Origin, Passage
from tokenbudget.compression.policy import Call, MemoryInWindow, Wishes, at_the_door
from tokenbudget.compression.shortening import shorten
from tokenbudget.metering.tokenizer import BytePairCounter

if TYPE_CHECKING:
    from tokenbudget.compression.receipts import Shortened as Short

KEPT_BEFORE = 4
"""Results before it that a codec may point at."""
LEAST_CHARS = 1
DOOR = "door"
MOST_SHOWN = 12
"""Offenders of one codec in the report."""


class Tally:
    """What became of the texts that one codec took at one level."""

    def __init__(self) -> None:
        self.applied = self.lossless = self.before = self.after = 0
        self.assertions = self.false = self.wrong_receipts = 0


class Offence(NamedTuple):
    """A shortened text with something false in it."""

    codec: str
    level: str
    result: Result
    text: str
    faults: tuple[Fault, ...]


class Check:
    """Goes through results, and keeps the tally."""

    def __init__(self, levels: list[str], names: list[str], seed: int | None = None) -> None:
        self.counter = BytePairCounter()
        self.levels = levels
        self.codecs = [one for one in CODECS if not names or one.name in names]
        self.does_door = not names or DOOR in names
        self.tally: dict[tuple[str, str], Tally] = defaultdict(Tally)
        self.offences: list[Offence] = []
        self.rules: Counter[tuple[str, str]] = Counter()
        self.chance = None if seed is None else random.Random(seed)
        self.planted: Counter[tuple[str, str]] = Counter()
        self.found: Counter[tuple[str, str]] = Counter()

    def alone(self, result: Result, before: list[Result]) -> None:
        """The result through each codec that knows it."""
        earlier = [Earlier(_label(one), one.text, _path(one), _first_line(one)) for one in before]
        command = str(result.told.get("command") or "")
        first_line = _first_line(result)
        origin = Origin(result.tool, command, _path(result), result.has_failed, first_line)
        handle = handle_of(result.text.encode("utf-8", "surrogatepass"))
        for level in self.levels:
            passage = Passage(result.text, origin, earlier)
            for codec in self.codecs:
                short = shorten(passage, level, self.counter, handle, (codec,))
                if short is not None:
                    given = [Before(one.label, one.text, one.first_line) for one in earlier]
                    self.judge(codec.name, level, result, short, handle, given)

    def at_door(self, results: list[Result]) -> None:
        """A session's results through the policy, in their order."""
        for level in self.levels if self.does_door else ():
            memory, shown = MemoryInWindow(), list[Result]()
            for result in results:
                call = Call(result.tool, result.told, result.text, result.has_failed)
                short = at_the_door(call, Wishes(level=level), memory, self.counter)
                if short is None:
                    shown.append(result)
                    continue
                handle = handle_of(result.text.encode("utf-8", "surrogatepass"))
                before = [Before(_label(one), one.text, _first_line(one)) for one in shown[-200:]]
                points_back = any(
                    one.kind in ("seen", "unchanged") for one in short.receipt.removed
                )
                self.judge(DOOR, level, result, short, handle, before if points_back else [])

    def judge(
        self,
        name: str,
        level: str,
        result: Result,
        short: Short,
        handle: str,
        earlier: list[Before],
    ) -> None:
        """Check one shortened text, and count it."""
        receipt = short.receipt
        given = Shortened(
            result.text,
            short.text,
            receipt.opening,
            [Claimed(one.kind, one.count, one.ranges) for one in receipt.removed],
            receipt.is_lossless,
            handle,
            _first_line(result),
            earlier,
        )
        decode = decoder_of(receipt.codec)
        facts = facts_of(given, decode)
        if self.chance is not None:
            for lie, false in lies_in(given, self.chance):
                self.planted[receipt.codec, lie] += 1
                self.found[receipt.codec, lie] += bool(facts_of(false, decode).faults)
        tally = self.tally[name, level]
        tally.applied += 1
        tally.lossless += receipt.is_lossless
        tally.before += receipt.before_tokens
        tally.after += receipt.after_tokens
        tally.assertions += facts.assertions
        tally.false += len(facts.faults)
        tally.wrong_receipts += not self._is_true(result.text, short)
        if facts.faults:
            codec = receipt.codec if name == DOOR else name
            self.offences.append(Offence(codec, level, result, short.text, facts.faults))
            for fault in facts.faults:
                self.rules[codec, fault.rule] += 1

    def _is_true(self, text: str, short: Short) -> bool:
        receipt = short.receipt
        return (
            receipt.before_bytes == len(text.encode("utf-8", "replace"))
            and receipt.after_bytes == len(short.text.encode("utf-8", "replace"))
            and receipt.before_tokens == self.counter.count(text)
            and receipt.after_tokens == self.counter.count(short.text) < receipt.before_tokens
        )


def _path(result: Result) -> str:
    return str(result.told.get("file_path") or "")


def _label(result: Result) -> str:
    return f"Read {_path(result)[-40:]} above" if _path(result) else f"{result.tool} output above"


def _first_line(result: Result) -> int:
    offset = result.told.get("offset")
    return offset if isinstance(offset, int) else int(result.tool == "Read")


# ── the report ───────────────────────────────────────────────────────────────────────────────────


def table(check: Check) -> list[str]:
    """One line for each codec and level."""
    lines = [
        f"{'codec':12} {'level':11} {'applied':>7} {'lossless':>8} {'before':>10} {'after':>10}"
        f" {'saved':>6} {'asserted':>10} {'false':>6} {'receipts wrong':>14}"
    ]
    for (name, level), one in sorted(check.tally.items(), key=lambda item: item[0]):
        saved = 1 - one.after / one.before if one.before else 0
        lines.append(
            f"{name:12} {level:11} {one.applied:7,} {one.lossless:8,} {one.before:10,}"
            f" {one.after:10,} {saved:6.1%} {one.assertions:10,} {one.false:6,}"
            f" {one.wrong_receipts:14,}"
        )
    return lines


def report(check: Check) -> str:
    """The table and the offenders, codec by codec."""
    parts = ["# False facts", "", "```", *table(check), "```", ""]
    for (codec, rule), count in sorted(check.rules.items()):
        parts.append(f"- {codec}: {rule} x {count}")
    seen: Counter[tuple[str, str]] = Counter()
    for one in check.offences:
        key = (one.codec, one.faults[0].rule)
        seen[key] += 1
        if seen[key] <= MOST_SHOWN:
            parts += _shown(one)
    return "\n".join(parts) + "\n"


def _shown(one: Offence) -> list[str]:
    asked = str(one.result.told.get("command") or _path(one.result))[:160]
    head = f"\n## {one.codec}, {one.level}: {one.result.tool} `{asked!r}` at {one.result.place}"
    lines = one.text.split("\n")
    parts = [head, ""]
    for fault in one.faults[:4]:
        parts.append(f"- {fault.rule}, line {fault.line}: {fault.what[:200]!r}")
    at = max(0, one.faults[0].line - 3)
    excerpt = [line[:160] for line in lines[at : at + 6]]
    return [*parts, "", *(f"    {line!r}" for line in excerpt)]


def _planted_line(check: Check, lie: str) -> str:
    planted = sum(count for (_, one), count in check.planted.items() if one == lie)
    found = sum(count for (_, one), count in check.found.items() if one == lie)
    missed = Counter(check.planted) - Counter(check.found)
    by = {codec: count for (codec, one), count in missed.items() if one == lie}
    return f"  planted, {lie}: {found:,} of {planted:,} found ({found / planted:.1%}); missed {by}"


def main() -> int:
    """Run it; 1 where anything is false."""
    made = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    made.add_argument("folder", type=Path)
    made.add_argument("--level", action="append", choices=LEVELS, default=[])
    made.add_argument("--codec", action="append", default=[], help=f"or {DOOR}: the policy")
    made.add_argument("--every", type=int, default=1, help="every n-th file")
    made.add_argument("--worsen", type=int, metavar="SEED", help="change the results by chance")
    made.add_argument("--plant", type=int, metavar="SEED", help="plant lies: how many are found")
    made.add_argument("--report", type=Path)
    options = made.parse_args()
    check = Check(options.level or list(LEVELS), options.codec, options.plant)
    files = sorted(options.folder.rglob("*.jsonl"))[:: options.every]
    chance = None if options.worsen is None else random.Random(options.worsen)
    known: set[bytes] = set()
    for path in files:
        results = list(results_in(path))
        if chance is not None:
            results = [one._replace(text=worsened(one.text, chance)) for one in results]
        for at, result in enumerate(results):
            whole = f"{result.tool}\0{result.told}\0{result.text}"
            key = hashlib.sha256(whole.encode("utf-8", "replace")).digest()
            if len(result.text) < LEAST_CHARS or key in known:
                continue
            known.add(key)
            check.alone(result, results[max(0, at - KEPT_BEFORE) : at])
        check.at_door(results)
    print("\n".join(table(check)))
    print(f"{len(known):,} different results of {len(files):,} transcripts")
    for (codec, rule), count in sorted(check.rules.items()):
        print(f"  {codec}: {rule} x {count}")
    for lie in sorted({lie for _, lie in check.planted}):
        print(_planted_line(check, lie))
    if options.report is not None:
        options.report.write_text(report(check), "utf-8", "replace")
    return 1 if check.offences or any(one.wrong_receipts for one in check.tally.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
