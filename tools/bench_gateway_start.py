"""How long after its start `tokens gateway` answers `find_tools`, beside a bare interpreter.

    python tools/bench_gateway_start.py CATALOGUES [--rounds 20]

CATALOGUES is a folder of `<server>.json` with `server` and `tools`, as tools/list gave them. Five
of them are put into a fresh cache as if their servers had been started once; the servers themselves
are never started. Starts are interleaved, so that a busy moment of the machine hits all alike.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tokenbudget.gateway.mcp.catalogue import catalogue_of
from tokenbudget.gateway.mcp.catalogue_cache import CatalogueCache
from tokenbudget.gateway.mcp.server_config import configs_from, fingerprint
from tokenbudget.gateway.mcp.taken import catalogues_path

SERVERS = ("gitlab-zereight", "google-workspace", "atlassian", "notion", "sentry")
TASK = "list the open merge requests of a project and create an issue"
BARE = [sys.executable, "-IS", "-c", ""]
TOKENS = [str(Path(sys.executable).with_name("tokens")), "gateway"]
PLAIN = [sys.executable, "-P", "-m", "tokenbudget", "gateway"]


def main() -> None:
    """Measure, and print a line for each way to start."""
    made = argparse.ArgumentParser(description=__doc__)
    made.add_argument("catalogues", type=Path)
    made.add_argument("--rounds", type=int, default=20)
    options = made.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        environment = {"HOME": folder, "TOKENS_HOME": str(home / "t"), "PATH": os.environ["PATH"]}
        config = filled(home, options.catalogues, environment)
        ways = {
            "tokens gateway": [*TOKENS, "--config", config],
            "python -P -m tokenbudget gateway": [*PLAIN, "--config", config],
        }
        times: dict[str, list[float]] = {"bare python -IS": [], **{name: [] for name in ways}}
        first: dict[str, list[float]] = {name: [] for name in ways}
        for _ in range(options.rounds + 1):
            times["bare python -IS"].append(bare_ms())
            for name, command in ways.items():
                ready, found = found_ms(command, environment)
                first[name].append(ready)
                times[name].append(found)
    bare = statistics.median(times["bare python -IS"][1:])
    for name, several in times.items():
        p50 = statistics.median(several[1:])
        ready_ms = statistics.median(first[name][1:]) if name in first else 0.0
        print(f"{name:34} p50 {p50:6.1f} ms  min {min(several[1:]):6.1f}  {p50 / bare:5.2f} x bare"
              + (f"   (initialize answered {ready_ms:.1f} ms)" if ready_ms else ""))  # fmt: skip


def filled(home: Path, catalogues: Path, environment: dict[str, str]) -> str:
    """A config of five servers whose catalogues are cached; its path."""
    servers = {name: {"command": "false", "args": [name]} for name in SERVERS}
    cache = CatalogueCache(catalogues_path(environment["TOKENS_HOME"]))
    for config in configs_from({"mcpServers": servers}):
        tools = json.loads((catalogues / f"{config.name}.json").read_text())["tools"]
        catalogue = catalogue_of(config.name, {"serverInfo": {"name": config.name}}, tools)
        assert cache.put(catalogue, fingerprint(config, environment))
    path = home / "servers.json"
    path.write_text(json.dumps({"mcpServers": servers}))
    return str(path)


def bare_ms() -> float:
    """What the interpreter takes to start and end."""
    begun = time.perf_counter()
    subprocess.run(BARE, check=True)
    return 1000 * (time.perf_counter() - begun)


def found_ms(command: list[str], environment: dict[str, str]) -> tuple[float, float]:
    """Until the handshake is answered, and until a search is, from the start of the process."""
    begun = time.perf_counter()
    process = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment
    )
    assert process.stdin is not None
    assert process.stdout is not None
    told = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "bench"}}
    say(process, {"id": 1, "method": "initialize", "params": told})
    process.stdout.readline()
    ready = 1000 * (time.perf_counter() - begun)
    say(process, {"method": "notifications/initialized"})
    call = {"name": "find_tools", "arguments": {"task": TASK}}
    say(process, {"id": 2, "method": "tools/call", "params": call})
    answer = json.loads(process.stdout.readline())
    found = 1000 * (time.perf_counter() - begun)
    assert "gitlab" in answer["result"]["content"][0]["text"], answer
    process.stdin.close()
    process.wait(10)
    return ready, found


def say(process: subprocess.Popen[bytes], message: dict[str, object]) -> None:
    """Write one message."""
    assert process.stdin is not None
    process.stdin.write(json.dumps({"jsonrpc": "2.0", **message}).encode() + b"\n")
    process.stdin.flush()


if __name__ == "__main__":
    main()
