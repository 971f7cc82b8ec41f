"""Measure `tokens` beside ccusage in one run, alternating, and write the table.

`python tools/bench.py [--output docs/benchmarks.md] [--rounds 9] [--megabytes 300] [--large 3000]`.
The corpus comes from the project's own generator. `tokens` is measured as a user has it: a wheel
in a virtual environment of its own. The peer is the native binary of ccusage's npm package,
called as `ccusage claude daily --offline --json`. Wall times of whole processes; warm page cache.
`--corpus FOLDER` takes other sessions (a folder with `projects` in it) instead of generated ones.
"""

from __future__ import annotations

import argparse
import os
import platform
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

PEER = "ccusage"
PEER_VERSION = "20.0.24"
END = datetime(2026, 11, 20, 13, tzinfo=UTC)
SAMPLE_SECONDS = 0.002
OF_BARE = ("bare", "help", "table", "context", "budget")
"""What is compared with a bare interpreter."""
APPENDED = b'{"type":"user","uuid":"bench","timestamp":"2026-11-20T12:00:00.000Z"}\n'


# ── what is measured ─────────────────────────────────────────────────────────────────────────────


def install_ours(folder: Path) -> Path:
    """A wheel of this checkout in a fresh virtual environment; returns the command."""
    binaries = folder / "venv/bin"
    pip = [
        str(binaries / "python"),
        "-m",
        "pip",
        "--quiet",
        "--disable-pip-version-check",
        "install",
    ]
    subprocess.run([sys.executable, "-m", "venv", folder / "venv"], check=True)
    subprocess.run([*pip, "--require-hashes", "-r", "locks/run.txt"], check=True)
    subprocess.run([*pip, "--no-deps", "--no-build-isolation", "."], check=True)
    return binaries / "tokens"


def install_peer(folder: Path) -> Path | None:
    """The peer's native binary from its npm package; None where it cannot be had."""
    system = {"Linux": "linux", "Darwin": "darwin"}.get(platform.system(), "")
    machine = {"x86_64": "x64", "aarch64": "arm64", "arm64": "arm64"}.get(platform.machine(), "")
    package = f"@{PEER}/{PEER}-{system}-{machine}"
    try:
        subprocess.run(
            ["npm", "install", "--silent", "--ignore-scripts", "--prefix", folder,
             f"{package}@{PEER_VERSION}"],
            check=True,
            stdout=subprocess.DEVNULL,
        )  # fmt: skip
    except (OSError, subprocess.CalledProcessError) as exc:
        print(f"no peer: {exc}")
        return None
    binary = folder / "node_modules" / package / "bin" / PEER
    binary.chmod(0o755)
    return binary


def make_corpus(folder: Path, megabytes: int) -> Path:
    """A corpus of about this size, made once and kept."""
    corpus = folder / f"corpus-{megabytes}"
    if not (corpus / "projects").exists():
        from sample_sessions import generate

        print(f"writing {megabytes} MB of sessions ...", flush=True)
        generate(corpus, end=END, days=60, seed=7, megabytes=megabytes)
    return corpus


def size_of(corpus: Path) -> tuple[int, int]:
    """Files and bytes of the transcripts."""
    sizes = [path.stat().st_size for path in corpus.rglob("*.jsonl")]
    return len(sizes), sum(sizes)


# ── measuring ────────────────────────────────────────────────────────────────────────────────────


class Run:
    """One process: how to start it, and its wall times in seconds."""

    def __init__(
        self,
        name: str,
        command: Sequence[object],
        environment: Mapping[str, str],
        before: Callable[[], None] = lambda: None,
    ) -> None:
        self.name = name
        self.command = [str(part) for part in command]
        self.environment = {"PATH": os.environ["PATH"], **environment}
        self.before = before
        self.seconds: list[float] = []

    def once(self, is_counted: bool = True) -> None:
        """Run to the end, in time."""
        self.before()
        started = time.perf_counter()
        subprocess.run(self.command, env=self.environment, stdout=subprocess.DEVNULL, check=True)
        if is_counted:
            self.seconds.append(time.perf_counter() - started)

    @property
    def median(self) -> float:
        """The middle of the wall times, in seconds."""
        return statistics.median(self.seconds)

    def peak_megabytes(self) -> float:
        """The largest sum of the resident memory of the process and all its children."""
        self.before()
        process = subprocess.Popen(
            self.command, env=self.environment, stdout=subprocess.DEVNULL, start_new_session=True
        )
        peak = 0
        while process.poll() is None:
            peak = max(peak, session_resident_bytes(process.pid))
            time.sleep(SAMPLE_SECONDS)
        return peak / 1e6


def session_resident_bytes(session: int) -> int:
    """Resident bytes of all processes of a session, shared pages counted every time (Linux)."""
    page = os.sysconf("SC_PAGE_SIZE")
    total = 0
    for entry in os.scandir("/proc"):
        if not entry.name.isdigit():
            continue
        try:
            stat = Path(f"/proc/{entry.name}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(stat[3]) == session:
            total += int(stat[21]) * page
    return total


class Bench:
    """Our command on one corpus, with a ledger of its own."""

    def __init__(self, tokens: Path, corpus: Path, folder: Path) -> None:
        self.tokens = tokens
        self.corpus = corpus
        self.data = folder / "data"
        self.environment = {
            "HOME": str(folder / "home"),
            "TOKENS_HOME": str(self.data),
            "CLAUDE_CONFIG_DIR": str(corpus),
            "TOKENS_TZ": "UTC",
            "TOKENS_BACKFILL": "off",
        }
        self.grown = min(corpus.rglob("*.jsonl"))
        self.size = self.grown.stat().st_size
        main_threads = [path for path in corpus.rglob("*.jsonl") if "agent-" not in path.name]
        self.largest = max(main_threads, key=lambda path: path.stat().st_size)

    def run(self, name: str, *arguments: str, before: Callable[[], None] = lambda: None) -> Run:
        """One of our commands."""
        return Run(name, [self.tokens, *arguments], self.environment, before)

    def window(self, name: str, verb: str) -> Run:
        """A verb about the window of the largest session, asked before."""
        arguments = (verb, self.largest.stem)
        asked = self.run(name, *arguments)
        return self.run(name, *arguments, before=lambda: asked.once(is_counted=False))

    def forget(self) -> None:
        """Remove the ledger."""
        shutil.rmtree(self.data, ignore_errors=True)

    def append(self) -> None:
        """Add one line to a transcript."""
        with self.grown.open("ab") as handle:
            handle.write(APPENDED)

    def restore(self) -> None:
        """Take the added lines away."""
        os.truncate(self.grown, self.size)


def alternate(runs: Sequence[Run], rounds: int) -> None:
    """Every run in turn, `rounds` times, after one turn that is not counted."""
    for number in range(rounds + 1):
        for run in runs:
            run.once(is_counted=number > 0)


# ── the page ─────────────────────────────────────────────────────────────────────────────────────


def row(run: Run, base: Run | None) -> str:
    """A table row: median, spread, ratio."""
    spread = f"{min(run.seconds) * 1000:.0f} to {max(run.seconds) * 1000:.0f}"
    ratio = "" if base is None else f"{run.median / base.median:.2f} ×"
    return f"| {run.name} | {run.median * 1000:.0f} | {spread} | {ratio} |"


def imports_of(tokens: Path, environment: Mapping[str, str], *arguments: str) -> list[str]:
    """The modules beyond the bare interpreter's that a command imports."""
    python = tokens.parent / "python"
    program = (
        "import sys; b = set(sys.modules); from tokenbudget.cli import main; main(sys.argv[1:])"
    )
    program += "; print('#', *sorted({m.split('.')[0] for m in set(sys.modules) - b}))"
    done = subprocess.run(
        [python, "-c", program, *arguments],
        env={"PATH": os.environ["PATH"], **environment},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.rpartition("# ")[2].split()


def machine_line() -> str:
    """What it was measured on."""
    return (
        f"{os.cpu_count()} cores ({platform.machine()}), {platform.system()},"
        f" CPython {platform.python_version()}, {datetime.now(UTC):%Y-%m-%d}"
    )


def measured(options: argparse.Namespace) -> list[str]:
    """Run everything; the lines of the page."""
    folder = options.folder.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    shutil.rmtree(folder / "venv", ignore_errors=True)
    tokens, peer = install_ours(folder), install_peer(folder / "peer")
    corpus, kind = folder / "corpus-given", ""
    if options.corpus:  # a copy: lines will be appended
        shutil.copytree(options.corpus, corpus, dirs_exist_ok=True)
    else:
        corpus, kind = make_corpus(folder, options.megabytes), "generated "
    bench = Bench(tokens, corpus, folder)
    files, size = size_of(corpus)
    runs = speed_runs(bench, peer)
    alternate(list(runs.values()), options.rounds)
    bench.restore()
    base = runs.get("peer")
    lines = [
        "# Benchmarks",
        "",
        f"Written by `make bench` on {machine_line()}.",
        "",
        f"{files} {kind}transcripts, {size / 1e6:.0f} MB, page cache warm; {options.rounds} rounds"
        " in turn",
        "after one that is not counted; wall time of whole processes, median.",
        "The ledger's second pass, which follows in the background, is switched off while the",
        "others are timed; `tokens doctor` includes it.",
        "",
        "| Command | ms | spread | of the peer |",
        "|---|---|---|---|",
        *(row(run, base) for name, run in runs.items() if name not in OF_BARE),
        "",
        "| Command | ms | spread | of bare Python |",
        "|---|---|---|---|",
        *(row(runs[name], runs["bare"]) for name in OF_BARE),
        "",
        *memory_lines(bench, runs, peer),
        *import_lines(bench),
    ]
    if options.large:
        lines += large_lines(tokens, folder, options.large, runs["cold"].median, size)
    return lines


def speed_runs(bench: Bench, peer: Path | None) -> dict[str, Run]:
    """What is run in turn. The order matters: cold leaves the ledger that the others find."""
    daily = ("usage", "--by", "day", "--json")
    runs = {
        "cold": bench.run("`tokens usage --by day --json`, no ledger", *daily, before=bench.forget)
    }
    if peer is not None:
        command = [peer, "claude", "daily", "--offline", "--json"]
        name = f"`{PEER} claude daily --offline --json` {PEER_VERSION}, native"
        runs["peer"] = Run(name, command, {**bench.environment, "TZ": "UTC"})
    full = "the whole first read, second pass included"
    runs["full"] = bench.run(
        f"`tokens doctor --json`: {full}", "doctor", "--json", before=bench.forget
    )
    runs["warm"] = bench.run("`tokens usage --by day --json`, nothing new", *daily)
    runs["append"] = bench.run("the same after one appended line", *daily, before=bench.append)
    base = Path(sys.base_prefix) / "bin" / f"python3.{sys.version_info.minor}"
    runs["bare"] = Run('`python -IS -c ""`', [base, "-IS", "-c", ""], {})
    runs["help"] = bench.run("`tokens --help`", "--help")
    runs["table"] = bench.run("`tokens usage --by day`, nothing new", "usage", "--by", "day")
    for verb in ("context", "budget"):
        size = f"{bench.largest.stat().st_size / 1e6:.1f} MB"
        runs[verb] = bench.window(f"`tokens {verb}` of the largest session ({size})", verb)
    return runs


def memory_lines(bench: Bench, runs: Mapping[str, Run], peer: Path | None) -> list[str]:
    """Peak memory, summed over processes."""
    if not Path("/proc/self/stat").exists():
        return []
    lines = ["Peak resident memory, summed over all processes (shared pages count each time):", ""]
    for name in ("cold", "full", "peer", "warm"):
        if name in runs:
            lines.append(f"- {runs[name].name}: {runs[name].peak_megabytes():.0f} MB")
    return [*lines, ""]


def import_lines(bench: Bench) -> list[str]:
    """What the fast commands import."""
    lines = ["Imported beyond the bare interpreter, by top-level name:", ""]
    budget = ["budget", bench.largest.stem]
    bench.run("asked before", *budget).once(is_counted=False)
    for arguments in (["--help"], ["usage", "--by", "day"], budget):
        names = imports_of(bench.tokens, bench.environment, *arguments)
        shown = " ".join(word for word in arguments if word != bench.largest.stem)
        lines.append(f"- `tokens {shown}`: {', '.join(names)}")
    return [*lines, ""]


def large_lines(tokens: Path, folder: Path, megabytes: int, small: float, size: int) -> list[str]:
    """The same cold read on a much larger corpus."""
    corpus = make_corpus(folder, megabytes)
    bench = Bench(tokens, corpus, folder / "large")
    cold = bench.run("cold", "usage", "--by", "day", "--json", before=bench.forget)
    alternate([cold], 3)
    files, large_size = size_of(corpus)
    return [
        f"A cold read of {large_size / 1e6:,.0f} MB in {files:,} files: {cold.median:.2f} s,"
        f" {cold.median / small:.1f} × the time of {size / 1e6:.0f} MB,"
        f" peak {cold.peak_megabytes():.0f} MB.",
        "",
    ]


def with_other_sections(text: str, before: str) -> str:
    """The new page, followed by what other benches have on the old one: from its first `## ` on."""
    _, heading, others = before.partition("\n## ")
    return f"{text}{heading}{others}"


def main() -> int:
    """Measure and write the page."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", type=Path)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--megabytes", type=int, default=300)
    parser.add_argument("--corpus", type=Path)
    parser.add_argument("--large", type=int, default=3000, help="0 leaves the large corpus out")
    parser.add_argument("--folder", type=Path, default=Path("build/bench"))
    options = parser.parse_args()
    lines = measured(options)
    text = "\n".join(lines).rstrip() + "\n"
    print(text)
    if options.output:
        before = options.output.read_text(encoding="utf-8") if options.output.exists() else ""
        options.output.write_text(with_other_sections(text, before), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
