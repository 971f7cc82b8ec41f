"""Measure what a hook adds to a tool call in the real client, and print the table.

`python tools/bench_hooks_client.py [--rounds 6] [--cycles 40] [--output FILE]`. The newest client
of the end-to-end tests runs offline against their fake API, and the model reads small files, call
after call. From one request to the next there is one call, and by the `if` of its wiring one hook:
each kind of hook has a file of its own, one file has none. So all kinds alternate call by call, in
one process of the client, and whatever else the machine does meets them all; their order is another
one in every cycle. What is added at p50 and at p99 is that quantile of the calls with a hook less
the same quantile of the calls without one; in brackets stands where 95 of 100 draws from the same
calls put it. The first run is not counted. `--output` takes a page of
benchmarks, whose section is replaced. Exit code 1 where a goal is missed.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import random
import shlex
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from hashlib import sha256
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tools")]

from tests.e2e.claude_client import ClaudeClient, Sandbox  # noqa: E402
from tests.e2e.install_clients import NEWEST, install_all, reason_missing  # noqa: E402
from tests.e2e.installed import Machine  # noqa: E402
from tests.e2e.offline_api import OfflineApi, serving  # noqa: E402
from tests.e2e.scripted_answers import Step, Usage, text, tool_use  # noqa: E402

from bench import machine_line  # noqa: E402
from bench_hooks import free_port  # noqa: E402
from tokenbudget.gateway.daemon.secret import known_secret  # noqa: E402
from tokenbudget.gateway.daemon.status import status_of  # noqa: E402
from tokenbudget.gateway.hook_files import hook_command, http_hook  # noqa: E402
from tokenbudget.gateway.hooks.evidence import seen  # noqa: E402

TITLE = "## Hooks in the client"
WITHOUT = "no hook"
BARE = 'command `python -IS -c ""`'
DAEMON = "our command, a daemon answers"
ALONE = "our command, decides by itself"
HTTP = "our http hook"
BARE_HTTP = "http hook that a bare server answers: the client's own part"
AGAIN = "no hook, again: the noise"
EVENTS = ("PreToolUse", "PostToolUse")
HTTP_P50_MS, HTTP_P99_MS, COMMAND_RATIO = 5.0, 20.0, 3.0

Hook = Mapping[str, object]
Gaps = dict[str, list[float]]
"""By what was wired: from one request to the next (ms), of every call."""


def hooks_of(machine: Machine, alone: Machine, port: int, bare_port: int) -> dict[str, Hook | None]:
    """What is wired, by its name in the table."""
    secret = known_secret(str(machine.home))
    if not secret:
        raise SystemExit("the daemon has made no secret")

    def command(words: str) -> Hook:
        return {"type": "command", "command": words, "timeout": 5}

    return {
        WITHOUT: None,
        BARE: command(shlex.join([sys.executable, "-IS", "-c", ""])),
        DAEMON: command(hook_command(sys.executable, str(machine.home))),
        ALONE: command(hook_command(sys.executable, str(alone.home))),
        HTTP: http_hook(port, secret),
        BARE_HTTP: http_hook(bare_port, secret),
        AGAIN: None,
    }


@contextlib.contextmanager
def daemon_inside(api: OfflineApi, machine: Machine, port: int) -> Iterator[None]:
    """Our daemon in the client's namespace, with a port there."""
    serve = [sys.executable, "-m", "tokenbudget", "serve", "--persistent", f"--port={port}"]
    environment = {**machine.sandbox.environment(), **machine.variables}
    with subprocess.Popen(
        api.enter(serve), env=environment, stdout=subprocess.DEVNULL, cwd=machine.sandbox.project
    ) as process:
        try:
            until = time.monotonic() + 20
            while status_of(str(machine.home)).port != port:
                if process.poll() is not None or time.monotonic() > until:
                    raise SystemExit(f"no daemon: {status_of(str(machine.home))}")
                time.sleep(0.02)
            yield
        finally:
            process.terminate()


BARE_SERVER = """
import socket, sys, threading
ANSWER = b"HTTP/1.1 200 OK\\r\\nContent-Type: application/json\\r\\nContent-Length: 2\\r\\n\\r\\n{}"
def serve(guest):
    guest.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    pending = b""
    while part := guest.recv(65536):
        pending += part
        head, found, body = pending.partition(b"\\r\\n\\r\\n")
        if found and len(body) >= int(head.lower().split(b"content-length:")[1].split()[0]):
            guest.sendall(ANSWER)
            pending = b""
server = socket.create_server(("127.0.0.1", int(sys.argv[1])))
while True:
    threading.Thread(target=serve, args=(server.accept()[0],), daemon=True).start()
"""
"""As little as can answer: what is added with it is what the client does for an http hook."""


@contextlib.contextmanager
def bare_server_inside(api: OfflineApi, port: int) -> Iterator[None]:
    """The bare server in the client's namespace."""
    with subprocess.Popen(api.enter([sys.executable, "-IS", "-c", BARE_SERVER, str(port)])) as one:
        try:
            yield
        finally:
            one.terminate()


def wire(sandbox: Sandbox, event: str, hooks: Mapping[str, Hook | None]) -> None:
    """Settings with every hook on its own file."""
    wired = [
        {"matcher": "Read", "hooks": [{**hook, "if": f"Read({file_of(at)})"}]}
        for at, hook in enumerate(hooks.values())
        if hook is not None
    ]
    settings = sandbox.config / "settings.json"
    settings.write_text(json.dumps({"hooks": {event: wired}}), encoding="utf-8")


def file_of(at: int) -> str:
    """The file that is read with this kind of hook."""
    return f"file-{at}.txt"


def order_of(kinds: int, cycles: int) -> list[int]:
    """Which kind each call is: each once in a cycle, in an order that chance made."""
    return [
        at
        for cycle in range(cycles)
        for at in sorted(range(kinds), key=lambda kind: sha256(f"{cycle}/{kind}".encode()).digest())
    ]


def arrivals(client: ClaudeClient) -> list[float]:
    """When each request for a message had come (ms)."""
    records = sorted((client.sandbox.root / "api" / "records").glob("*.json"))
    told = [json.loads(path.read_bytes()) for path in records]
    return [one["at_ms"] for one in told if "at_ms" in one]


def measured(folder: Path, rounds: int, cycles: int, event: str) -> Gaps:
    """The gaps of every call but those of the first run."""
    sandbox = Sandbox.create(folder / "box")
    machine, alone = Machine.create(sandbox), Machine.create(Sandbox.create(folder / "alone"))
    kinds = 7
    order = order_of(kinds, cycles)
    for at in range(kinds):
        (sandbox.project / file_of(at)).write_text("Buy milk.\n" * 3, encoding="utf-8")
    reads = [tool_use("Read", file_path=str(sandbox.project / file_of(at))) for at in order]
    script = [*(Step((read,), Usage(5, 20, 50, 0, 5000)) for read in reads), Step((text("Done."),))]
    port, bare_port, took, before = free_port(), free_port(), Gaps(), 0
    with (
        serving({"read": script}, sandbox.root / "api") as api,
        daemon_inside(api, machine, port),
        bare_server_inside(api, bare_port),
    ):
        client = ClaudeClient(NEWEST, sandbox, api)
        hooks = hooks_of(machine, alone, port, bare_port)
        wire(sandbox, event, hooks)
        took = {name: [] for name in hooks}
        for turn in range(rounds + 1):
            client.run("SCRIPT:read", "--model=claude-opus-5-5")
            times = arrivals(client)[before:]
            before += len(times)
            print(f"{event} {turn}: {(times[-1] - times[0]) / 1000:.1f} s", file=sys.stderr)
            for at, earlier, later in zip(order, times, times[1:], strict=False):
                if turn:
                    took[list(hooks)[at]].append(later - earlier)
    check_fired(machine, event, 2 * cycles * (rounds + 1))
    check_fired(alone, event, cycles * (rounds + 1))
    return took


def check_fired(machine: Machine, event: str, times: int) -> None:
    """That the hooks were really run, or there is nothing to measure."""
    fired = sum(one.events.get(event, (0, 0))[0] for one in seen(str(machine.home), 0))
    if fired != times:
        raise SystemExit(f"{event}: {fired} hooks were run, not {times}")


def p99(values: Sequence[float]) -> float:
    """The ninety-ninth percent."""
    return statistics.quantiles(values, n=100, method="inclusive")[-1]


def interval(gaps: Sequence[float], plain: Sequence[float]) -> tuple[float, float]:
    """Where the difference of the two p99 lies in 95 of 100 draws from the same calls."""
    chance = random.Random(7)
    draws = sorted(
        p99(chance.choices(gaps, k=len(gaps))) - p99(chance.choices(plain, k=len(plain)))
        for _ in range(1000)
    )
    return draws[25], draws[974]


def table(event: str, took: Gaps) -> tuple[list[str], list[str]]:
    """The rows of one event, and which goals are met."""
    plain_half, plain_high = statistics.median(took[WITHOUT]), p99(took[WITHOUT])
    low, top = interval(took[HTTP], took[WITHOUT])
    half = {name: statistics.median(gaps) - plain_half for name, gaps in took.items()}
    high = {name: p99(gaps) - plain_high for name, gaps in took.items()}
    rows = [
        f"| {event} | calls | call, ms: p50 | p99 | added, ms: p50 | p99 | of bare, p50 |",
        "|---|---|---|---|---|---|---|",
    ]
    for name, gaps in took.items():
        ratio = "" if name in (WITHOUT, AGAIN) else f"{half[name] / half[BARE]:.2f} ×"
        more = "" if name == WITHOUT else f"{half[name]:.1f} | {high[name]:.1f}"
        call = f"{statistics.median(gaps):.1f} | {p99(gaps):.1f}"
        rows.append(f"| {name} | {len(gaps)} | {call} | {more or ' | '} | {ratio} |")
    http_half, http_high = half[HTTP], high[HTTP]
    goals = [
        said(http_half <= HTTP_P50_MS, f"{event}, http: {http_half:.1f} ms p50; at most 5"),
        said(
            http_high <= HTTP_P99_MS,
            f"{event}, http: {http_high:.1f} ms p99 ({low:.1f} to {top:.1f}); at most 20",
        ),
    ]
    for name in (DAEMON, ALONE):
        ratio_of_bare = half[name] / half[BARE]
        words = f"{event}, {name}: {ratio_of_bare:.2f} × of bare at p50; at most 3"
        goals.append(said(ratio_of_bare <= COMMAND_RATIO, words))
    return rows, goals


def said(is_met: bool, words: str) -> str:
    """One goal."""
    return f"- {'met' if is_met else 'MISSED'}: {words}"


def section(rounds: int, cycles: int) -> list[str]:
    """The page's section."""
    lines, goals = [], []
    for event in EVENTS:
        with tempfile.TemporaryDirectory() as folder:
            took = measured(Path(folder), rounds, cycles, event)
        rows, met = table(event, took)
        lines += [*rows, ""]
        goals += met
    return [
        TITLE,
        "",
        f"Written by `python tools/bench_hooks_client.py` on {machine_line()}.",
        "",
        f"Claude Code {NEWEST.version}, offline: {rounds} runs, in each {cycles} reads of a small",
        "file with each kind of hook, call by call. A call is from one request to the next;",
        "added is the quantile of the calls with a hook less that of the calls without one; in",
        "brackets stands where 95 of 100 draws from the same calls put it.",
        "",
        *lines,
        *goals,
    ]


def with_section(page: str, lines: Sequence[str]) -> str:
    """The page with this section in place of the old one, or at its end."""
    head, found, rest = page.partition(f"\n{TITLE}\n")
    _, heading, others = rest.partition("\n## ") if found else ("", "", "")
    return f"{head.rstrip()}\n\n" + "\n".join(lines) + f"\n{heading}{others}"


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=6)
    parser.add_argument("--cycles", type=int, default=40)
    parser.add_argument("--output", type=Path)
    options = parser.parse_args()
    install_all()
    reason = reason_missing(NEWEST)
    if reason:
        raise SystemExit(reason)
    lines = section(options.rounds, options.cycles)
    print("\n".join(lines))
    if options.output:
        page = options.output.read_text(encoding="utf-8")
        options.output.write_text(with_section(page, lines), encoding="utf-8")
    return 1 if any("MISSED" in line for line in lines) else 0


if __name__ == "__main__":
    sys.exit(main())
