"""Measure the verbs that explain beside codeburn, on the same sessions, and print the table.

`python tools/bench_explain.py [--corpus DIR] [--rounds 7] [--requests 1000000] [--output FILE]`.
The corpus is a folder with `projects` in it; without one `../shared/bench/corpus_gen.py` writes
300 MB where it is there, and the project's own generator where it is not. The peer comes from npm
with a Node of its own, into build/, and is run without a network. Both have a home of their own
and the same files. Wall times of whole processes, in turn; the page cache is warm. Exit code 1
where a goal is missed; a verb that is not there yet is told and not measured.
"""

from __future__ import annotations

import argparse
import collections
import contextlib
import json
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from bench import install_ours, machine_line, size_of
from explain_peers import (
    PEER,
    PEER_VERSION,
    Place,
    corpus_of,
    has_verb,
    install_peer,
    our_place,
    place_of,
)
from make_large_ledger import make as make_ledger

PERIOD = ("--since", "180d")
"""What the peer calls all."""

EXPORT_ROWS_PER_SECOND = 150_000
EXPORT_MEGABYTES = 150
OPTIMIZE_SHARE = 0.5
PROFILE_SHARE = 0.3


class Timed(NamedTuple):
    """The wall time of one run, and what it printed."""

    seconds: float
    out: bytes


class Weighed(NamedTuple):
    """The wall time of one run, and its largest resident size."""

    seconds: float
    megabytes: float


class Command:
    """A command and its runs."""

    def __init__(self, name: str, words: Sequence[object], place: Place) -> None:
        self.name = name
        self.words = [str(word) for word in words]
        self.place = place
        self.runs: list[Timed] = []
        self.cold: list[Timed] = []

    def run(self) -> Timed:
        """Run it once; raises CalledProcessError where it fails."""
        began = time.perf_counter()
        with subprocess.Popen(
            self.words,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=self.place.cwd,
            env=dict(self.place.environment),
        ) as process:
            out, error = process.communicate()
        seconds = time.perf_counter() - began
        if process.returncode:
            raise subprocess.CalledProcessError(process.returncode, self.words, out, error)
        return Timed(seconds, out)

    @property
    def median(self) -> float:
        """The middle of its warm runs, in seconds."""
        return statistics.median(run.seconds for run in self.runs)


# ── measuring ────────────────────────────────────────────────────────────────────────────────────


def commands_of(tokens: Path, peer: list[str] | None, corpus: Path, folder: Path) -> list[Command]:
    """Everything that is run in turn; the first two are compared."""
    ours = our_place(folder / "ours", corpus)
    made = []
    if peer:
        words = [*peer, "optimize", "--period", "all", "--format", "json"]
        made.append(Command("peer", words, place_of(folder / "theirs", corpus)))
    verbs: dict[str, Sequence[str]] = {
        "optimize": ("--all-projects", "--json", *PERIOD),
        "profile": ("--json", "--no-file", *PERIOD),
        "report html": (*PERIOD, "--output", "-"),
        "report pdf": (*PERIOD, "--output", "-"),
    }
    for name, options in verbs.items():
        words = name.split()
        if has_verb(tokens, words[0], ours):
            made.append(Command(name, [tokens, *words, *options], ours))
        else:
            print(f"tokens {words[0]} is not there yet")
    return made


def measure(commands: list[Command], rounds: int, cold_rounds: int) -> None:
    """Each cold, then all in turn after one round that is not counted."""
    for command in list(commands):
        try:
            for _ in range(cold_rounds):
                forget(command)
                command.cold.append(command.run())
        except subprocess.CalledProcessError as failed:
            last = failed.stderr.decode(errors="replace").strip().splitlines()[-1:]
            print(f"{command.name} fails and is not measured: {' '.join(last)}")
            commands.remove(command)
    for number in range(rounds + 1):
        for command in commands:
            run = command.run()
            if number:
                command.runs.append(run)


def forget(command: Command) -> None:
    """Take away what a command remembers; the sessions stay."""
    for entry in command.place.home.iterdir():
        if entry.name not in (".claude", "work"):
            shutil.rmtree(entry) if entry.is_dir() else entry.unlink()


class Exported(NamedTuple):
    """An export of many requests."""

    rows: int
    runs: list[Weighed]

    @property
    def rows_per_second(self) -> float:
        """Rows by the wall time of the whole process, the middle one."""
        return self.rows / statistics.median(run.seconds for run in self.runs)

    @property
    def megabytes(self) -> float:
        """The largest resident size of any run."""
        return max(run.megabytes for run in self.runs)


def exported(tokens: Path, folder: Path, requests: int, rounds: int) -> Exported | None:
    """`tokens export csv` of a ledger of so many requests, each run in a process of its own."""
    data = folder / f"ledger-{requests}"
    if not (data / "ledger.db").exists():
        print(f"writing a ledger of {requests:,} requests ...", flush=True)
        make_ledger(data, requests, seed=1)
    empty = folder / "nothing"
    (empty / "projects").mkdir(parents=True, exist_ok=True)
    place = our_place(folder / "exports", empty, data)
    if not has_verb(tokens, "export", place):
        print("tokens export is not there yet")
        return None
    path = place.cwd / "requests.csv"
    words = [str(tokens), "export", "csv", "--output", str(path)]
    runs = [_alone(words, place) for _ in range(rounds + 1)][1:]
    with open(path, "rb") as handle:
        rows = sum(1 for _ in handle) - 1
    path.unlink()
    return Exported(rows, runs)


def _alone(words: Sequence[str], place: Place) -> Weighed:
    """Run it below a process that has no other child, so that the peak is that of this run."""
    program = (
        "import json,resource,subprocess,sys,time\n"
        "began = time.perf_counter()\n"
        "subprocess.run(sys.argv[1:], check=True, stdout=subprocess.DEVNULL)\n"
        "took = time.perf_counter() - began\n"
        "peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss\n"
        "print(json.dumps([took, peak]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, *words],
        env=dict(place.environment),
        cwd=place.cwd,
        check=True,
        capture_output=True,
    )
    seconds, peak = json.loads(done.stdout)
    return Weighed(seconds, peak * (1 if sys.platform == "darwin" else 1024) / 1e6)


# ── the page ─────────────────────────────────────────────────────────────────────────────────────

NAMES = {
    "peer": f"`{PEER} optimize --period all --format json` {PEER_VERSION}",
    "optimize": f"`tokens optimize --all-projects --json {' '.join(PERIOD)}`",
    "profile": f"`tokens profile --json --no-file {' '.join(PERIOD)}`",
    "report html": f"`tokens report html {' '.join(PERIOD)}`",
    "report pdf": f"`tokens report pdf {' '.join(PERIOD)}`",
}


def speed_lines(commands: Sequence[Command]) -> Iterator[str]:
    """The table of wall times, and each as a share of the peer's."""
    peer = next((one for one in commands if one.name == "peer"), None)
    yield "| Command | cold, s | warm, ms: min | median | max | of the peer, median of pairs |"
    yield "|---|---|---|---|---|---|"
    for one in commands:
        warm = [run.seconds * 1000 for run in one.runs]
        share = "" if peer is None or one is peer else f"{share_of(one, peer):.2f} ×"
        cold = f"{min(run.seconds for run in one.cold):.2f}" if one.cold else ""
        yield (
            f"| {NAMES[one.name]} | {cold} | {min(warm):.0f} | {statistics.median(warm):.0f}"
            f" | {max(warm):.0f} | {share} |"
        )
    yield ""


def share_of(one: Command, peer: Command) -> float:
    """The middle of the shares of the rounds: both of a pair met the same machine."""
    pairs = zip(one.runs, peer.runs, strict=True)
    return statistics.median(ours.seconds / theirs.seconds for ours, theirs in pairs)


def finding_lines(commands: Sequence[Command]) -> Iterator[str]:
    """What both found, side by side."""
    found = {one.name: one.runs[-1].out for one in commands if one.name in ("peer", "optimize")}
    if "peer" in found:
        theirs = json.loads(found["peer"])
        yield f"{PEER} found {len(theirs['findings'])}, over its last six months:"
        yield ""
        yield "| Finding | tokens | USD |"
        yield "|---|---|---|"
        for one in theirs["findings"]:
            yield (
                f"| {_cell(one['title'])} | {one.get('tokensSaved', 0):,.0f}"
                f" | {one.get('estimatedSavingsUSD', 0):.2f} |"
            )
        yield ""
    if "optimize" in found:
        yield from _our_finding_lines(json.loads(found["optimize"]))


def _our_finding_lines(document: Mapping[str, Any]) -> Iterator[str]:
    rows = document["rows"]
    kinds = collections.Counter(row["drain"] for row in rows)
    yield f"`tokens optimize` found {len(rows)} of {len(kinds)} kinds, each with evidence and fix:"
    yield ""
    yield "| Kind | findings | tokens a week | USD a week | with lines | with a command to fix |"
    yield "|---|---|---|---|---|---|"
    for kind, count in kinds.most_common():
        own = [row for row in rows if row["drain"] == kind]
        tokens = sum(row.get("tokens_per_week") or 0 for row in own)
        usd = sum(float(row.get("usd_per_week") or 0) for row in own)
        lines = sum(bool(row.get("evidence")) for row in own)
        fixes = sum(bool(row.get("fix_command")) for row in own)
        yield f"| {kind} | {count} | {tokens:,} | {usd:.2f} | {lines} | {fixes} |"
    yield ""


def _cell(text: str) -> str:
    return " ".join(text.replace("|", "/").split())[:100]


def export_lines(done: Exported | None) -> Iterator[str]:
    """The export of many requests."""
    if done is None:
        return
    seconds = sorted(run.seconds for run in done.runs)
    yield (
        f"`tokens export csv` of {done.rows:,} requests: {seconds[0]:.2f} to {seconds[-1]:.2f} s,"
        f" median {done.rows_per_second:,.0f} rows/s of the whole process, peak"
        f" {done.megabytes:.0f} MB resident."
    )
    yield ""


def goals(commands: Sequence[Command], done: Exported | None) -> Iterator[tuple[str, bool]]:
    """Each goal, and whether it was met."""
    by_name = {one.name: one for one in commands}
    peer = by_name.get("peer")
    for name, most in (("optimize", OPTIMIZE_SHARE), ("profile", PROFILE_SHARE)):
        if peer and name in by_name:
            share = share_of(by_name[name], peer)
            yield f"`tokens {name}` warm, {share:.2f} × of {PEER}; at most {most} ×", share <= most
        else:
            yield f"`tokens {name}` beside {PEER}: not measured", False
    if done is not None:
        speed = done.rows_per_second
        what = f"{speed:,.0f} rows/s to CSV; at least {EXPORT_ROWS_PER_SECOND:,}"
        yield what, speed >= EXPORT_ROWS_PER_SECOND
        what = f"{done.megabytes:.0f} MB resident; at most {EXPORT_MEGABYTES}"
        yield what, done.megabytes <= EXPORT_MEGABYTES


def page(options: argparse.Namespace) -> tuple[list[str], bool]:
    """Measure everything; the lines and whether every goal was met."""
    folder: Path = options.folder.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    options.folder = folder
    tokens = Path(options.tokens).resolve() if options.tokens else _installed(folder)
    peer = install_peer(folder / "peer")
    corpus = corpus_of(options)
    commands = commands_of(tokens, peer, corpus, folder)
    measure(commands, options.rounds, options.cold)
    done = exported(tokens, folder, options.requests, options.rounds) if options.requests else None
    files, size = size_of(corpus)
    verdicts = list(goals(commands, done))
    lines = [
        "## Explaining",
        "",
        f"Written by `python tools/bench_explain.py` on {machine_line()}.",
        "",
        f"{files} transcripts, {size / 1e6:.0f} MB, page cache warm; {options.rounds} rounds",
        "in turn after one that is not counted; wall time of whole processes. Cold: nothing was",
        "read before. The peer has no network.",
        "",
        *speed_lines(commands),
        *export_lines(done),
        *finding_lines(commands),
        *(f"- {'met' if is_met else 'MISSED'}: {what}" for what, is_met in verdicts),
    ]
    return lines, all(is_met for _, is_met in verdicts)


def _installed(folder: Path) -> Path:
    shutil.rmtree(folder / "venv", ignore_errors=True)
    tokens = install_ours(folder)
    with contextlib.suppress(subprocess.CalledProcessError):  # then `report pdf` says so
        pip = [str(tokens.parent / "python"), "-m", "pip", "--quiet", "install"]
        subprocess.run([*pip, "typst"], check=True)
    return tokens


def main() -> int:
    """Measure and print the page."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--corpus", help="a folder with `projects` in it")
    parser.add_argument("--tokens", help="this command instead of a wheel of the checkout")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--cold", type=int, default=1, help="cold runs of each")
    parser.add_argument("--requests", type=int, default=1_000_000, help="0 leaves the export out")
    parser.add_argument("--folder", type=Path, default=Path("build/bench-explain"))
    parser.add_argument("--output", type=Path)
    options = parser.parse_args()
    lines, is_met = page(options)
    text = "\n".join(lines).rstrip() + "\n"
    print(text)
    if options.output:
        options.output.write_text(text, encoding="utf-8")
    return 0 if is_met else 1


if __name__ == "__main__":
    sys.exit(main())
