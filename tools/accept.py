"""The long checks that are no unit tests: many corpora, many kills, many processes at once.

`python tools/accept.py [--seeds 10] [--megabytes 30] [--generator corpus_gen.py]`. Without another
generator the project's own one (tools/sample_sessions) makes the corpora. Every figure is compared
with the generator's truth; the first difference ends the run with exit code 1.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

TOKENS = [sys.executable, "-m", "tokenbudget"]
FIELDS = {
    "requests": "responses",
    "input_tokens": "input",
    "output_tokens": "output",
    "cache_write_5m_tokens": "cache_write_5m",
    "cache_write_1h_tokens": "cache_write_1h",
    "cache_read_tokens": "cache_read",
}
END = datetime(2026, 11, 20, 13, tzinfo=UTC)

KILL_WITHIN_SECONDS = 0.08
"""A little more than a run needs, so that kills land everywhere in it, the commit included."""

Truth = dict[str, Any]


class Machine:
    """A home of its own for one run of checks."""

    def __init__(self, folder: Path, is_new: bool = True) -> None:
        self.folder = folder
        self.corpus = folder / "claude"
        self.data = folder / "data"
        self.environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(folder / "home"),
            "TOKENS_HOME": str(self.data),
            "CLAUDE_CONFIG_DIR": str(self.corpus),
            "TOKENS_BACKFILL": "off",
        }
        self.data.mkdir(parents=True, exist_ok=not is_new)

    def start(self, *arguments: str) -> subprocess.Popen[bytes]:
        """Start a command; the caller waits for it."""
        return subprocess.Popen(
            [*TOKENS, *arguments],
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )

    def ask(self, *arguments: str) -> dict[str, Any]:
        """Run a command to its end; its JSON."""
        process = self.start(*arguments, "--json")
        out, err = process.communicate(timeout=600)
        if process.returncode:
            raise SystemExit(f"tokens {' '.join(arguments)}: {err.decode()}")
        found: dict[str, Any] = json.loads(out)
        return found

    def ledger_state(self) -> list[tuple[int, int]]:
        """Sizes and times of the ledger's files: they change when anything is written."""
        files = [path.stat() for path in sorted(self.data.glob("ledger.db*"))]
        return [(file.st_size, file.st_mtime_ns) for file in files]

    def price_as(self, prices: Mapping[str, Mapping[str, float]]) -> None:
        """Give the generator's test prices as the user's own."""
        lines = []
        for model, price in prices.items():
            lines.append(f'[prices."{model}"]')
            for name in ("input", "output", "cache_write_5m", "cache_write_1h", "cache_read"):
                lines.append(f"{name} = {price[name]}")
            lines.append(f"fast = {{ multiplier = {price['fast_factor']} }}")
        (self.data / "config.toml").write_text("\n".join(lines) + "\n")


# ── corpora with truth ───────────────────────────────────────────────────────────────────────────


def foreign_truth(generator: str, out: Path, seed: int, megabytes: int) -> Truth:
    """Truth by another generator with the command line and the JSON of corpus_gen.py."""
    subprocess.run(
        [sys.executable, generator, "--out", str(out), "--mb", str(megabytes), "--seed", str(seed)],
        check=True,
        stdout=subprocess.DEVNULL,
    )
    truth: Truth = json.loads(Path(f"{out}.truth.json").read_text())
    return {**truth["whole_set"], "cost": truth["cost"]}


def own_truth(out: Path, seed: int, megabytes: int) -> Truth:
    """Truth by the project's own generator, in the same shape."""
    from sample_sessions import Tokens, generate

    def fields(tokens: Tokens) -> dict[str, int]:
        row = {foreign: getattr(tokens, ours) for ours, foreign in FIELDS.items()}
        row["responses"] -= tokens.requests_without_usage
        return row

    truth = generate(out, end=END, seed=seed, megabytes=megabytes)
    return {
        name: {key: fields(tokens) for key, tokens in getattr(truth, name).items()}
        for name in ("by_model", "by_utc_day", "by_session")
    }


# ── comparing ────────────────────────────────────────────────────────────────────────────────────


def differences(machine: Machine, truth: Truth) -> int:
    """How many figures differ from the truth; each one is printed."""
    found = 0
    for by, name in (("model", "by_model"), ("day", "by_utc_day"), ("session", "by_session")):
        answer = machine.ask("usage", "--by", by, "--tz", "UTC")
        rows = {row[by]: {f: row[o] for o, f in FIELDS.items()} for row in answer["rows"]}
        rows = {key: row for key, row in rows.items() if any(row.values())}
        wanted = {
            key: {f: row[f] for f in FIELDS.values()}
            for key, row in truth[name].items()
            if any(row[f] for f in FIELDS.values())
        }
        for key in sorted({*rows, *wanted}):
            if rows.get(key) != wanted.get(key):
                found += 1
                print(f"  {by} {key}: {rows.get(key)} is not {wanted.get(key)}")
        if "cost" in truth:
            found += cost_differences(by, answer, truth["cost"])
    return found


def cost_differences(by: str, answer: Mapping[str, Any], cost: Mapping[str, Any]) -> int:
    """The same for money, to the truth's six digits."""
    pairs = {"all": (answer["totals"]["cost_usd"], cost["usd"])}
    rows = {row[by]: row["cost_usd"] for row in answer["rows"]}
    for key, usd in cost.get(f"usd_by_{'utc_day' if by == 'day' else by}", {}).items():
        pairs[key] = (rows[key], usd)
    found = 0
    for key, (ours, theirs) in pairs.items():
        if abs(Decimal(ours) - Decimal(repr(theirs))) > Decimal("0.000001"):
            found += 1
            print(f"  cost {by} {key}: {ours} is not {theirs}")
    return found


# ── the checks ───────────────────────────────────────────────────────────────────────────────────


def laid_out(finished: Path, corpus: Path) -> list[Path]:
    """The files of the finished corpus, their folders made; `grow` writes them in rounds."""
    files = sorted(finished.rglob("*.jsonl"))
    for file in files:
        (corpus / file.relative_to(finished)).parent.mkdir(parents=True, exist_ok=True)
    return files


def grow(finished: Path, corpus: Path, files: list[Path], rng: random.Random, left: int) -> None:
    """Append to every third file or so a random part of what it lacks; all of it at the end."""
    for file in files:
        if left > 1 and rng.random() > 0.35:
            continue
        target = corpus / file.relative_to(finished)
        have = target.stat().st_size if target.exists() else 0
        missing = file.stat().st_size - have
        if missing <= 0:
            continue
        take = missing if left == 1 else rng.randint(0, min(missing, 3 * missing // left + 1))
        with file.open("rb") as source, target.open("ab") as sink:
            source.seek(have)
            sink.write(source.read(take))


def check_increments(machine: Machine, finished: Path, truth: Truth, rounds: int) -> int:
    """Read a growing corpus in rounds, with a kill -9 at a random moment in each."""
    rng = random.Random(f"{finished.parent.name} of {rounds}")
    files = laid_out(finished, machine.corpus)
    kills = written = 0
    for left in range(rounds, 0, -1):
        while True:  # a run that ended first has read this piece: it needs another one
            grow(finished, machine.corpus, files, rng, left)
            before = machine.ledger_state()
            was_killed = killed_somewhere(machine, rng)
            if was_killed or left == 1:  # in the last round there is nothing more to grow
                break
        kills += was_killed
        written += was_killed and machine.ledger_state() != before
    print(f"    {kills} runs killed, {written} of them after they had begun to write", flush=True)
    return differences(machine, truth)


def killed_somewhere(machine: Machine, rng: random.Random) -> bool:
    """Start a run and kill it at a random moment; False if it had ended before."""
    process = machine.start("usage" if rng.random() < 0.7 else "doctor")
    time.sleep(rng.random() * KILL_WITHIN_SECONDS)
    is_running = process.poll() is None
    if is_running:
        process.send_signal(signal.SIGKILL)
    process.communicate()
    return is_running


def check_seed(folder: Path, make: Callable[[Path], Truth], rounds: int) -> int:
    """All checks of one corpus; returns the number of differences."""
    finished = folder / "finished"
    truth = make(finished)
    found = 0
    for name in ("at once", "in increments"):
        machine = Machine(folder / name.replace(" ", "-"))
        if "cost" in truth:
            machine.price_as(truth["cost"]["prices_usd_per_mtok"])
        if name == "at once":
            machine.corpus.symlink_to(finished)
            here = differences(machine, truth)
        else:
            here = check_increments(machine, finished, truth, rounds)
        print(f"    {name}: {here} differences", flush=True)
        found += here
    machine = Machine(folder / "in-increments", is_new=False)
    shutil.rmtree(machine.corpus)
    found += (here := differences(machine, truth))
    print(f"    every transcript deleted: {here} differences", flush=True)
    machine.ask("doctor", "--rebuild")
    found += (here := differences(machine, truth))
    print(f"    and rebuilt: {here} differences", flush=True)
    return found


def check_crowd(folder: Path, make: Callable[[Path], Truth], seconds: float) -> int:
    """4 processes that read new transcripts and 4 that ask, on one ledger, while files grow."""
    finished = folder / "finished"
    truth = make(finished)
    machine = Machine(folder / "crowd")
    if "cost" in truth:
        machine.price_as(truth["cost"]["prices_usd_per_mtok"])
    rng = random.Random(4)
    files = laid_out(finished, machine.corpus)
    verbs: list[tuple[str, ...]] = [("doctor",), ("doctor",), ("usage",), ("usage",)]
    verbs += [
        ("usage", "--by", "model"),
        ("usage", "--by", "session"),
        ("sessions",),
        ("overview",),
    ]
    running = [(verb, machine.start(*verb, "--json")) for verb in verbs]
    deadline = time.monotonic() + seconds
    done = failed = 0
    while time.monotonic() < deadline:
        grow(finished, machine.corpus, files, rng, 40)
        for index, (verb, process) in enumerate(running):
            if process.poll() is None:
                continue
            out, err = process.communicate()
            done += 1
            if process.returncode or not out:
                failed += 1
                print(f"  tokens {' '.join(verb)}: {err.decode()}")
            running[index] = (verb, machine.start(*verb, "--json"))
        time.sleep(0.02)
    for _, process in running:
        process.communicate()
    grow(finished, machine.corpus, files, rng, 1)
    found = differences(machine, truth)
    print(f"    8 processes, {seconds:.0f} s: {done} runs, {failed} errors, {found} differences")
    return failed + found


def main() -> int:
    """Run everything; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--megabytes", type=int, default=30)
    parser.add_argument("--rounds", type=int, default=50)
    parser.add_argument("--crowd-seconds", type=float, default=30)
    parser.add_argument("--generator", help="a script like corpus_gen.py instead of our own")
    parser.add_argument("--folder", type=Path, default=Path("build/accept"))
    options = parser.parse_args()
    shutil.rmtree(options.folder, ignore_errors=True)
    found = 0
    for seed in range(1, options.seeds + 2):

        def make(out: Path, seed: int = seed) -> Truth:
            out.parent.mkdir(parents=True, exist_ok=True)
            if options.generator:
                return foreign_truth(options.generator, out, seed, options.megabytes)
            return own_truth(out, seed, options.megabytes)

        folder = options.folder.resolve() / str(seed)
        print(f"seed {seed}", flush=True)
        if seed <= options.seeds:
            found += check_seed(folder, make, options.rounds)
        else:
            found += check_crowd(folder, make, options.crowd_seconds)
        shutil.rmtree(folder)
    print(f"{found} differences in all")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
