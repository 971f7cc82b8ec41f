"""Measure work over real servers: every token that enters the window, without and with the gateway.

    python tools/bench_gateway_work.py [--show] [--output FILE]

The file server and the PostgreSQL server of npm, and a real PostgreSQL (`python
tests/e2e/install_clients.py` and `install_postgres.py` put them into build/clients/).
*Direct*: the definitions of the servers, each call as the agent writes it, each result whole.
*Deferred*: the same with the client's own deferral: names, the search, the definitions it loads.
*Gateway*: our definitions and instructions, the search, the signatures, the code as the agent
writes it, the answer. The answer is compared with one that was reckoned without any server.
Exit code 1 where a goal is missed.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from gateway_setup import Goal, Setup, searched, setup_of, warmed
from gateway_work import TABLES, Work, cross_work, file_work, join_work
from mcp_window import Window, api_form, compact, text_of

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tests.e2e.install_clients import mcp_server
from tests.e2e.install_postgres import programs
from tests.e2e.postgres_server import running_server

GATEWAY = "tokenbudget"
GOAL = 2_500


class Compared(NamedTuple):
    """One piece of work, three ways."""

    work: Work
    direct: Window
    deferred: Window
    gateway: Window


def directly(work: Work, setup: Setup) -> tuple[Window, Window]:
    """Call by call, all results in the window: with all definitions, and with deferred ones."""
    direct, deferred = Window(), Window()
    every = {}
    results: list[str] = []
    for name in work.servers:
        with setup.server(name) as client:
            for definition in api_form(name, client.tools()):
                every[definition["name"]] = definition
            for call in work.direct:
                if call.server == name:
                    results.append(text_of(client.call(call.tool, call.arguments)))
    asked = [
        compact({"name": f"mcp__{one.server}__{one.tool}", "input": one.arguments})
        for one in work.direct
    ]
    direct.enter("static", compact(list(every.values())))
    names = [f"mcp__{server}__{tool}" for server, tool in work.wanted]
    query = {"query": "select:" + ",".join(names), "max_results": len(names)}
    deferred.enter("static", "\n".join(every))
    deferred.enter("searches", compact({"name": "ToolSearch", "input": query}))
    told = [{"type": "tool_reference", "tool_name": name} for name in names]
    deferred.enter("searches", compact(told))
    loaded = [{**every[name], "defer_loading": True} for name in names]
    deferred.enter("described", compact(loaded))
    for window in (direct, deferred):
        for text in [*asked, *results]:
            window.enter("calls", text)
    return direct, deferred


def through_gateway(work: Work, setup: Setup) -> Window:
    """Find, describe, run; raises SystemExit where the answer is wrong."""
    window = Window()
    with setup.gateway() as client:
        window.enter("static", compact(api_form(GATEWAY, client.tools())))
        window.enter("static", client.greeting.get("instructions") or "")
        names = searched(window, client, work.searches, work.wanted)
        window.call("described", client, "describe_tools", {"names": names})
        told = window.call("calls", client, "run_code", {"code": work.code.format(*names)})
    wrong = [one for one in work.expected if one not in told]
    if wrong:
        raise SystemExit(f"{work.name}: not in the answer: {wrong}\n{told}")
    return window


def compared(work: Work, folder: Path, tokens: str) -> Compared:
    """One piece of work, each way."""
    folder.mkdir(parents=True)
    setup = setup_of(folder, work.servers, tokens)
    warmed(setup, work.searches, work.wanted)
    direct, deferred = directly(work, setup)
    return Compared(work, direct, deferred, through_gateway(work, setup))


@contextmanager
def every_work(folder: Path) -> Iterator[list[Work]]:
    """The three pieces of work, with a database for as long as it lasts."""
    files, query, found = mcp_server("filesystem"), mcp_server("postgres"), programs()
    if not (files and query and found):
        raise SystemExit("run tests/e2e/install_clients.py and tests/e2e/install_postgres.py first")
    with running_server(found) as server:
        done = server.run("-c", TABLES)
        if done.returncode:
            raise SystemExit(done.stderr.decode(errors="replace"))
        server.folder.chmod(0o755)  # so that a server of another user reaches the socket
        address = f"postgresql:///postgres?host={server.folder}&user=tester"
        yield [
            file_work(folder / "src", files),
            join_work(address, query),
            cross_work(address, query, folder / "bank", files),
        ]


def table(found: Sequence[Compared]) -> Iterator[str]:
    """The pieces of work, as Markdown."""
    heads = ["direct", "deferred", "gateway", "of it: static", "find", "describe"]
    heads += ["code and answer", "less than direct"]
    yield f"| tokens (o200k) | {' | '.join(heads)} |"
    yield "|---|" + "--:|" * len(heads)
    for one in found:
        ours = one.gateway
        parts = [ours.under(what) for what in ("static", "searches", "described", "calls")]
        figures = [one.direct.tokens, one.deferred.tokens, ours.tokens, *parts]
        saved = f"{1 - ours.tokens / one.direct.tokens:.1%}"
        yield f"| {one.work.name} | " + " | ".join(f"{n:,}" for n in figures) + f" | {saved} |"


def shown(found: Sequence[Compared]) -> Iterator[str]:
    """All that entered the window through the gateway, word by word."""
    for one in found:
        yield f"\n### {one.work.name}\n\n```text"
        for entry in one.gateway.entries:
            yield f"{entry.what} ({entry.tokens}): {entry.text}"
        yield "```"


def main(arguments: Sequence[str]) -> int:
    """Measure, print, judge."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else "")
    parser.add_argument("--tokens", default=str(Path(sys.executable).with_name("tokens")))
    parser.add_argument("--show", action="store_true", help="all that entered the window")
    parser.add_argument("--output", type=Path)
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="gateway-") as name:
        folder = Path(name)
        with every_work(folder / "data") as works:
            found = [
                compared(work, folder / f"home-{number}", options.tokens)
                for number, work in enumerate(works)
            ]
    goals = [Goal(one.work.name, one.gateway.tokens, GOAL) for one in found]
    lines = [*table(found), "", *(str(one) for one in goals)]
    lines += shown(found) if options.show else []
    print("\n".join(lines))
    if options.output:
        options.output.write_text("\n".join(lines) + "\n")
    return 0 if all(one.is_met for one in goals) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
