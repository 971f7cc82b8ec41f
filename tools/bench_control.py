"""What the controller's loop costs: at rest, for a tick, and over a day.

    python tools/bench_control.py rest [--seconds 60] [--sessions 5]
    python tools/bench_control.py tick [--rounds 200]
    python tools/bench_control.py day [--ticks 17280] [--still]

`rest` starts the daemon of a home of its own, with live sessions in it, and reads the processor
time of the daemon and of its worker from /proc. `tick` turns the loop over one session with a
transcript of 0.2 to 50 MB, compacted now and then: with nothing new, and with one request more each
time; and what the first turn of a process took, which counts and replays all of it. `day` turns it
as often as a day has ticks, by a clock that the program moves, over a session that grows and is
compacted again and again (with --still, that is at rest); memory, files and the ledger are looked
at on the way. Times of a tick are the process's own, beside the time by the
clock, which has in it whatever else the machine does. Nothing here calls a model.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tokenbudget.app.controlling_lock import holder
from tokenbudget.app.controlling_loop import ControlLoop
from tokenbudget.config.settings import settings_from
from tokenbudget.ledger.store import Ledger
from tokenbudget.system.clock import SystemClock

MODEL = "claude-sonnet-4-5"
SIZES_MB = (0.2, 2.0, 10.0, 50.0)
TICK_SECONDS = 5
REQUESTS_EACH_TICKS = 12
"""In `day` the session makes a request a minute."""
WINDOW_TOKENS = 200_000
STEP_TOKENS = 1_500
AFTER_COMPACTION_TOKENS = 30_000
TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")
PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


class MovedClock:
    """Time that the program moves."""

    def __init__(self, now_ms: int) -> None:
        self.ms = now_ms

    def now_ms(self) -> int:
        """What it was moved to."""
        return self.ms

    def monotonic_seconds(self) -> float:
        """The same."""
        return self.ms / 1000

    def sleep(self, seconds: float) -> None:
        """Time passes at once."""
        self.ms += round(seconds * 1000)


class Session:
    """A transcript that grows, request by request."""

    def __init__(self, home: Path, name: str, now_ms: int) -> None:
        self.name = name
        self.project = home / f"work-{name}"
        (self.project / ".git").mkdir(parents=True)
        self.path = home / f"claude/projects/-work-{name}/{name}.jsonl"
        self.path.parent.mkdir(parents=True)
        self.used_tokens = 20_000
        self.number = 0
        self.add(now_ms)

    def add(self, now_ms: int, result_bytes: int = 400) -> None:
        """One request, with the result that it answers."""
        self.number += 1
        step_tokens = max(STEP_TOKENS, result_bytes // 4)
        key = f"{self.name}-{self.number}"
        text = ("a line of what a command has said; " * (result_bytes // 35 + 1))[:result_bytes]
        block = {"type": "tool_result", "tool_use_id": f"toolu_{key}", "content": text}
        usage = {
            "input_tokens": 10,
            "output_tokens": 200,
            "cache_read_input_tokens": self.used_tokens,
            "cache_creation_input_tokens": step_tokens,
            "cache_creation": {
                "ephemeral_5m_input_tokens": step_tokens,
                "ephemeral_1h_input_tokens": 0,
            },
        }
        call = {
            "type": "tool_use",
            "id": f"toolu_{key}+",
            "name": "Bash",
            "input": {"command": "x"},
        }
        message = {
            "id": f"msg_{key}",
            "role": "assistant",
            "model": MODEL,
            "stop_reason": "tool_use",
            "usage": usage,
            "content": [call],
        }
        self._write(
            self._line("user", f"u{key}", now_ms, message={"role": "user", "content": [block]}),
            self._line("assistant", f"a{key}", now_ms, message=message, requestId=f"req_{key}"),
        )
        self.used_tokens += step_tokens

    def compact(self, now_ms: int) -> None:
        """The client replaces the history by a summary."""
        self.number += 1
        facts = {"trigger": "auto", "preTokens": self.used_tokens}
        self._write(
            self._line(
                *("system", f"c{self.name}-{self.number}", now_ms),
                subtype="compact_boundary",
                compactMetadata=facts,
            )
        )
        self.used_tokens = AFTER_COMPACTION_TOKENS

    def fill(self, size_bytes: int, used_tokens: int, now_ms: int) -> None:
        """Have it grow to this size, a request a minute, compacted whenever the window is full."""
        requests = size_bytes // 21_000
        for number in range(requests):
            at_ms = now_ms - 60_000 * (requests - number)
            self.add(at_ms, 20_000)
            if self.used_tokens > WINDOW_TOKENS - 40_000:
                self.compact(at_ms)
        self.compact(now_ms - 50_000)
        while self.used_tokens < used_tokens:
            self.add(now_ms - 40_000, 10_000)

    def _line(self, kind: str, uuid: str, now_ms: int, **fields: Any) -> dict[str, Any]:
        stamp = datetime.fromtimestamp(now_ms / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3]
        return {
            "type": kind,
            "uuid": uuid,
            "timestamp": f"{stamp}Z",
            "sessionId": self.name,
            "cwd": str(self.project),
            "version": "2.1.329",
            "gitBranch": "main",
            "isSidechain": False,
            **fields,
        }

    def _write(self, *lines: dict[str, Any]) -> None:
        with self.path.open("a") as file:
            file.writelines(json.dumps(line) + "\n" for line in lines)


def environment_of(home: Path) -> dict[str, str]:
    """All that the processes here are told."""
    return {
        "PATH": "/usr/bin:/bin",
        "HOME": str(home),
        "TOKENS_HOME": str(home / "tokens"),
        "CLAUDE_CONFIG_DIR": str(home / "claude"),
        "TOKENS_BACKFILL": "off",
        "TOKENS_WORKERS": "0",
    }


@contextmanager
def a_home(config: str = "") -> Iterator[Path]:
    """A home that is removed at the end."""
    with tempfile.TemporaryDirectory() as top:
        home = Path(top)
        (home / "tokens").mkdir()
        (home / "tokens/config.toml").write_text(config)
        yield home


@contextmanager
def a_loop(home: Path, clock: Any) -> Iterator[ControlLoop]:
    """The loop over the home, in this process."""
    environment = environment_of(home)
    loop = ControlLoop(lambda tell: settings_from(environment), clock, "bench")
    try:
        yield loop
    finally:
        loop.close()


# ── at rest ──────────────────────────────────────────────────────────────────────────────────────


def rest(seconds: float, sessions: int) -> None:
    """The share of a core that the daemon and its worker take with live sessions at rest."""
    clock = SystemClock()
    with a_home("[serve]\nport = 47911\n") as home:
        for number in range(sessions):
            one = Session(home, f"s{number}", clock.now_ms() - 120_000)
            for _ in range(40):
                one.add(clock.now_ms() - 60_000, 4_000)
        command = [sys.executable, "-P", "-m", "tokenbudget", "serve", "--settled"]
        with subprocess.Popen(
            command, env=environment_of(home), stdout=subprocess.DEVNULL
        ) as daemon:
            try:
                _told_rest(daemon.pid, home, seconds, sessions)
            finally:
                daemon.terminate()


def _told_rest(daemon: int, home: Path, seconds: float, sessions: int) -> None:
    data_dir = str(home / "tokens")
    while not (who := holder(data_dir)):
        time.sleep(0.1)
    worker = int(who.removesuffix(")").split()[-1])
    time.sleep(3 * TICK_SECONDS)  # what it reads at first is behind it
    before = _processor_seconds(daemon), _processor_seconds(worker)
    begun = time.monotonic()
    time.sleep(seconds)
    after = _processor_seconds(daemon), _processor_seconds(worker)
    took = time.monotonic() - begun
    shares = [100 * (b - a) / took for a, b in zip(before, after, strict=True)]
    print(
        f"at rest, {sessions} live sessions, {took:.0f} s: worker {shares[1]:.2f} % of a core,"
        f" daemon {shares[0]:.2f} %, together {sum(shares):.2f} %;"
        f" worker {_resident_bytes(worker) / 1e6:.0f} MB"
    )


def _processor_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS_PER_SECOND


def _resident_bytes(pid: int | str = "self") -> int:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * PAGE_BYTES


# ── a tick ───────────────────────────────────────────────────────────────────────────────────────


def tick(rounds: int) -> None:
    """A turn of the loop over one session, by the size of its transcript."""
    print("                          nothing new, ms            a request more, ms     first, ms")
    print("transcript   level      p50    p99  (clock p99)     p50    p99  (clock p99)")
    for size_mb in SIZES_MB:
        for level, used in (("healthy", 35_000), ("warning", 100_000)):
            _ticks(size_mb, level, used, rounds)


def _ticks(size_mb: float, level: str, used: int, rounds: int) -> None:
    with a_home() as home:
        clock = MovedClock(SystemClock().now_ms())
        session = Session(home, "s1", clock.ms - 120_000)
        session.fill(round(size_mb * 1e6), used, clock.ms)
        with a_loop(home, clock) as loop:
            first = _timed(loop, clock, 4, lambda: None)[0][0]

            def grow() -> None:
                if session.used_tokens > used + 40_000:
                    session.compact(clock.ms)
                    session.used_tokens = used
                session.add(clock.ms)

            still = _timed(loop, clock, rounds, lambda: None)
            grown = _timed(loop, clock, rounds, grow)
        figures = f"{_figures(still)} {_figures(grown)}"
        print(f"{size_mb:7.1f} MB   {level:8} {figures} {first:13.0f}", flush=True)


def _timed(
    loop: ControlLoop, clock: MovedClock, rounds: int, before: Callable[[], None]
) -> list[tuple[float, float]]:
    """Milliseconds of each turn, the process's own and by the clock; `before` is called before."""
    taken = []
    for _ in range(rounds):
        before()
        own, begun = time.process_time(), time.perf_counter()
        loop.turn()
        took = time.process_time() - own, time.perf_counter() - begun
        taken.append((took[0] * 1000, took[1] * 1000))
        clock.sleep(TICK_SECONDS)
    return taken


def _figures(taken: list[tuple[float, float]]) -> str:
    own, clocked = [one for one, _ in taken], [one for _, one in taken]
    return f"{_p(own, 50):6.1f} {_p(own, 99):6.1f} ({_p(clocked, 99):10.1f})"


def _p(values: list[float], percent: int) -> float:
    return statistics.quantiles(values, n=100, method="inclusive")[percent - 1]


# ── a day ────────────────────────────────────────────────────────────────────────────────────────


def day(ticks: int, *, is_still: bool) -> None:
    """What a day leaves: memory, files, the ledger."""
    with a_home('[control]\nmode = "auto"\n') as home:
        clock = MovedClock(SystemClock().now_ms())
        session = Session(home, "s1", clock.ms)
        decisions: dict[str, int] = {}
        taken: list[float] = []
        with a_loop(home, clock) as loop:
            for number in range(ticks):
                clock.sleep(TICK_SECONDS)
                if number % REQUESTS_EACH_TICKS == 0 and not (is_still and number):
                    if session.used_tokens > _compacts_at(session):
                        session.compact(clock.ms - 1_000)
                    session.add(clock.ms)
                begun = time.process_time()
                for one in loop.turn().turns:
                    kind = one.decision.kind
                    decisions[kind] = decisions.get(kind, 0) + 1
                taken.append((time.process_time() - begun) * 1000)
                if number in (100, *(ticks * part // 4 - 1 for part in (1, 2, 3, 4))):
                    _tell_day(home, number + 1, taken)
                    taken.clear()
        print("decisions:", ", ".join(f"{kind} {n:,}" for kind, n in sorted(decisions.items())))


def _compacts_at(session: Session) -> int:
    """Where the client compacts: what it was told, less what it keeps free, or the usual."""
    path = session.project / ".claude/settings.local.json"
    env = json.loads(path.read_text()).get("env", {}) if path.exists() else {}
    told = env.get("CLAUDE_CODE_AUTO_COMPACT_WINDOW") or str(WINDOW_TOKENS)
    return int(told) - 33_000


def _tell_day(home: Path, number: int, taken: list[float]) -> None:
    gc.collect()
    files = [path for path in (home / "tokens").rglob("*") if path.is_file()]
    ledger = sum(path.stat().st_size for path in files if path.name.startswith("ledger.db"))
    others = sum(path.stat().st_size for path in files) - ledger
    with Ledger(str(home / "tokens/ledger.db")) as opened:
        rows = opened.control
        held = f"{len(rows.decisions(limit=-1))} decisions, {len(rows.receipts(limit=-1))} receipts"
        state_bytes = sum(len(rows.state(session) or "") for session in rows.states())
    print(
        f"tick {number:6,}: {_resident_bytes() / 1e6:6.1f} MB resident, {len(files)} files,"
        f" ledger {ledger / 1e6:.2f} MB ({held}, state {state_bytes / 1e3:.1f} kB),"
        f" other files {others / 1e3:.1f} kB; since the last line a turn took"
        f" p50 {_p(taken, 50):.1f} ms, p99 {_p(taken, 99):.1f} ms",
        flush=True,
    )


def main() -> None:
    """Measure what was asked for."""
    asked = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    asked.add_argument("what", choices=("rest", "tick", "day"))
    asked.add_argument("--seconds", type=float, default=60.0)
    asked.add_argument("--sessions", type=int, default=5)
    asked.add_argument("--rounds", type=int, default=200)
    asked.add_argument("--ticks", type=int, default=17_280)
    asked.add_argument("--still", action="store_true")
    given = asked.parse_args()
    if given.what == "rest":
        rest(given.seconds, given.sessions)
    elif given.what == "tick":
        tick(given.rounds)
    else:
        day(given.ticks, is_still=given.still)


if __name__ == "__main__":
    main()
