"""What `tokens gateway` costs in time and memory: the timed parts of `bench_gateway.py`."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

from gateway_setup import PAGE, SEARCHES, WANTED, Goal, Setup, aliases_in, known_tools
from mcp_window import text_of

ADDED_MS_GOAL, START_GOAL = 10.0, 10.0
GROWTH_GOAL = 1.05
"""Memory in the last quarter of the day, as a multiple of that in the second: noise, no growth."""


class Spread(NamedTuple):
    """Milliseconds of many runs."""

    half: float
    late: float

    def __str__(self) -> str:
        return f"{self.half:.2f} | {self.late:.2f}"


def spread(seconds: Sequence[float]) -> Spread:
    """The middle one, and the one of a hundred that only one exceeds."""
    ordered = sorted(one * 1000 for one in seconds)
    return Spread(
        statistics.median(ordered), ordered[min(len(ordered) - 1, len(ordered) * 99 // 100)]
    )


def timed(do: Callable[[], object]) -> float:
    """Seconds that it took."""
    began = time.perf_counter()
    do()
    return time.perf_counter() - began


def measured_latency(setup: Setup, calls: int) -> tuple[list[str], list[Goal]]:
    """A small call straight to its server, and the same through the gateway, in turn."""
    server, tool = WANTED[2]
    with setup.server(server) as straight, setup.gateway() as client:
        told = text_of(client.call("find_tools", {"task": SEARCHES[2]}))
        alias = aliases_in([told], tool, server)[0]
        one_call = {"code": f"await {alias}(**{PAGE!r})"}
        many = {"code": f"for i in range({calls}):\n    r = await {alias}(**{PAGE!r})\nr"}
        client.call("run_code", one_call)  # starts the server and the sandbox
        straight.call(tool, PAGE)
        direct, coded, listed = [], [], []
        for _ in range(calls):
            direct.append(timed(lambda: straight.call(tool, PAGE)))
            coded.append(timed(lambda: client.call("run_code", one_call)))
            listed.append(timed(lambda: client.call(alias, PAGE)))
        looped = timed(lambda: client.call("run_code", many)) / calls
        asked = [{"task": text} for text in SEARCHES * 20]
        found = [timed(partial(client.call, "find_tools", one)) for one in asked]
    first, second, searched = spread(direct), spread(coded), spread(found)
    added = second.half - first.half
    lines = [
        f"{calls} calls each, in turn; milliseconds.",
        "",
        "| | p50 | p99 |",
        "|---|--:|--:|",
        f"| straight to the server | {first} |",
        f"| the same tool listed by the gateway (`direct`) | {spread(listed)} |",
        f"| `run_code` with that one call | {second} |",
        f"| added by `run_code` | {added:.2f} | {second.late - first.late:.2f} |",
        f"| a call inside a loop in code (mean) | {looped * 1000:.2f} | |",
        f"| `find_tools` | {searched} |",
    ]
    return lines, [Goal("added ms per call, p50", added, ADDED_MS_GOAL)]


def start_to_find(setup: Setup) -> tuple[float, float]:
    """Seconds from the start of the process to the answer of `initialize`, and of a search."""
    began = time.perf_counter()
    client = setup.gateway()
    try:
        client.greet()
        greeted = time.perf_counter() - began
        told = text_of(client.call("find_tools", {"task": SEARCHES[0]}))
        took = time.perf_counter() - began
    finally:
        client.close()
    if not aliases_in([told], WANTED[0][1], WANTED[0][0]):
        raise SystemExit(f"not ready: {told}")
    return greeted, took


def measured_start(setup: Setup, rounds: int) -> tuple[list[str], list[Goal]]:
    """The gateway and a bare interpreter, one after the other."""
    python = [sys.executable, "-IS", "-c", ""]
    bare: list[float] = []
    greeted: list[float] = []
    ready: list[float] = []
    for _ in range(rounds):
        bare.append(timed(lambda: subprocess.run(python, check=True)))
        for found, seconds in zip((greeted, ready), start_to_find(setup), strict=True):
            found.append(seconds)
    times = spread(ready).half / spread(bare).half
    lines = [
        f"{rounds} rounds, interleaved; milliseconds. {known_tools(setup)} tools cached.",
        "",
        "| | p50 | p99 |",
        "|---|--:|--:|",
        f'| bare `python -IS -c ""` | {spread(bare)} |',
        f"| start to `initialize` answered | {spread(greeted)} |",
        f"| start to `find_tools` answered | {spread(ready)} |",
        f"| times bare | {times:.1f} | |",
    ]
    return lines, [Goal("start to find, times bare python", times, START_GOAL)]


# ── a day ─────────────────────────────────────────────────────────────────────────────────────────


class Held(NamedTuple):
    """What a process holds at one moment, and what those that it started do (Linux)."""

    megabytes: float
    files: int
    children: int
    children_megabytes: float


def held_by(process_id: int) -> Held:
    """Read from /proc."""
    files = len(os.listdir(f"/proc/{process_id}/fd"))
    children = children_of(process_id)
    return Held(
        memory_of(process_id), files, len(children), sum(memory_of(one) for one in children)
    )


def memory_of(process_id: int) -> float:
    """Resident megabytes; 0 of a process that has just ended."""
    try:
        status = Path(f"/proc/{process_id}/status").read_text()
    except OSError:
        return 0.0
    found = (int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS:"))
    return next(found, 0) / 1024


def children_of(process_id: int) -> list[int]:
    """The processes that it has started and that are still there."""
    told = ""
    for task in Path(f"/proc/{process_id}/task").iterdir():
        told += (task / "children").read_text()
    return [int(word) for word in told.split()]


DAY_CALLS = 60
IDLE_SECONDS = 1
LISTED = '[gateway.modes]\nnotion = "direct"\n'
"""So that a tool can also be called by itself."""
QUARTERS_PER_HOUR = 4
DAY_CODE = """\
import asyncio
got = await asyncio.gather(*[{0}(project_id="group/app") for i in range({2})])
rows = [r for one in got for r in one]
for i in range({2}):
    found = await {1}(jql="x")
len(rows), len(found)"""


def measured_soak(setup: Setup, hours: int) -> tuple[list[str], list[Goal]]:
    """Quarter after quarter: work, then a pause longer than a server may be idle."""
    quarters, found = hours * QUARTERS_PER_HOUR, []
    with setup.gateway() as client:
        told = [text_of(client.call("find_tools", {"task": text})) for text in SEARCHES]
        names = [aliases_in(told, tool, server)[0] for server, tool in WANTED]
        code = DAY_CODE.format(*names[:2], DAY_CALLS // 2)
        for number in range(quarters):
            client.call("find_tools", {"task": f"{SEARCHES[number % 3]} {number}"})
            client.call("describe_tools", {"names": names})
            answer = text_of(client.call("run_code", {"code": code}))
            if str(DAY_CALLS // 2 * 50) not in answer.replace(",", ""):
                raise SystemExit(f"quarter {number} went wrong: {answer[:1000]}")
            time.sleep(IDLE_SECONDS + 0.6)
            found.append(held_by(client.process_id))
    lines = [
        f"{quarters} quarters of an hour, {DAY_CALLS} calls with {50 * DAY_CALLS:,} rows in each;"
        " servers stopped for idleness in every pause.",
        "",
        "| after | memory MB | open files | processes it started | their memory MB |",
        "|---|--:|--:|--:|--:|",
    ]
    for part in range(9):
        at = part * (len(found) - 1) // 8
        one, hour = found[at], (at + 1) / QUARTERS_PER_HOUR
        lines.append(
            f"| {hour:.2f} h | {one.megabytes:.1f} | {one.files} | {one.children}"
            f" | {one.children_megabytes:.1f} |"
        )
    return lines, soak_goals(found)


def soak_goals(found: Sequence[Held]) -> list[Goal]:
    """The last quarter of the day beside its second: caches are full by then."""
    size = max(1, len(found) // 4)
    early, late = found[size : 2 * size] or found[:1], found[-size:]

    def middle(of: Sequence[Held], field: str) -> float:
        return statistics.median(float(getattr(one, field)) for one in of)

    return [
        Goal(what, middle(late, field), middle(early, field) * allowed)
        for what, field, allowed in (
            ("memory, last quarter of the day", "megabytes", GROWTH_GOAL),
            ("memory of its processes, last quarter", "children_megabytes", GROWTH_GOAL),
            ("open files, last quarter", "files", 1.0),
            ("processes, last quarter", "children", 1.0),
        )
    ]
