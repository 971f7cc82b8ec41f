"""Measure `tokens gateway` from outside: what enters the window, and what it costs in time.

    python tools/bench_gateway.py [--only tokens,latency,start,soak] [--peer VENV/bin/python]
        [--catalogues FOLDER] [--calls 400] [--rounds 15] [--hours 24] [--output FILE]

*tokens*: five recorded catalogues (465 tools), each behind a server that gives invented results,
and one task over three of them: list the merge requests of a project, search the Jira issues, join
the open ones by title, write the number to a new Notion page. Four ways beside each other: all
definitions in the request, the client's own deferral, FastMCP's CodeMode (with --peer, an
environment that holds `fastmcp[code-mode]`), and this gateway. The agent's part (searches, names,
code) is fixed here and counted; nothing of a model is simulated but what it would write.

*latency*: one call of one tool, straight to its server and as code through the gateway.
*start*: from the start of the process to the answers of `initialize` and of `find_tools`, with
catalogues cached, beside a bare interpreter, one after the other in every round.
*soak*: a day of work in short: a burst of calls, then a pause in which the servers are stopped for
idleness, 96 times (a quarter of an hour each); memory and open files of the gateway after each.

Exit code 1 where a goal is missed. Times mean something on a quiet machine only.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from bench_gateway_times import (
    IDLE_SECONDS,
    LISTED,
    measured_latency,
    measured_soak,
    measured_start,
)
from gateway_setup import (
    HERE,
    PAGE,
    RULES,
    SEARCHES,
    WANTED,
    Goal,
    Setup,
    known_tools,
    searched,
    setup_in,
    warmed,
)
from mcp_window import Client, Json, Window, api_form, compact, text_of

FOLDER = Path("../shared/bench/mcp-catalogues")
CATALOGUES = ["gitlab-zereight", "google-workspace", "atlassian", "notion", "sentry"]
GATEWAY = "tokenbudget"
STATIC_GOAL, TASK_GOAL = 450, 2_000
MORE = {"soak": f"idle_seconds = {IDLE_SECONDS}\n", "latency": LISTED}
"""What a part sets beside the rules."""

CODE = """\
mrs = await {0}(project_id="group/app", state="opened")
issues = {{i["title"]: i["id"] for i in await {1}(jql="project = APP AND status = Open")}}
both = [{{"mr": m["iid"], "issue": issues[m["title"]], "author": m["author"]["username"]}}
  for m in mrs if m["state"] == "opened" and m["title"] in issues]
title = [{{"text": {{"content": str(len(both))}}}}]
await {2}(parent={{"page_id": "x"}}, properties={{"title": title}})
{{"count": len(both), "first": both[:3]}}"""
PEER_CODE = """\
import json
mrs = json.loads(await call_tool("gitlab-zereight_list_merge_requests",
  {"project_id": "group/app", "state": "opened"}))
found = await call_tool("atlassian_jira_search", {"jql": "project = APP AND status = Open"})
issues = {i["title"]: i["id"] for i in json.loads(found["result"])}
both = [{"mr": m["iid"], "issue": issues[m["title"]], "author": m["author"]["username"]}
  for m in mrs if m["state"] == "opened" and m["title"] in issues]
title = [{"text": {"content": str(len(both))}}]
await call_tool("notion_API-post-page",
  {"parent": {"page_id": "x"}, "properties": {"title": title}})
return {"count": len(both), "first": both[:3]}"""
ARGUMENTS: list[Json] = [
    {"project_id": "group/app", "state": "opened"},
    {"jql": "project = APP AND status = Open"},
    PAGE,
]


# ── what enters the window ────────────────────────────────────────────────────────────────────────


class Way(NamedTuple):
    """One way to do the task, and what of it entered the window."""

    name: str
    static: int
    searches: int
    described: int
    calls: int
    milliseconds: float | None

    @property
    def whole(self) -> int:
        """All of it."""
        return self.static + self.searches + self.described + self.calls


def static_tokens(window: Window, client: Client, server: str) -> int:
    """What the definitions of a server and its instructions put into every request."""
    window.enter("static", compact(api_form(server, client.tools())))
    window.enter("static", client.greeting.get("instructions") or "")
    return window.under("static")


def through_gateway(setup: Setup, *, is_stepwise: bool = False) -> tuple[Way, Window]:
    """The task through the gateway; the window tells it word by word.

    `is_stepwise` searches once for each step, as an agent may that does not give a list.
    """
    window = Window()
    began = time.perf_counter()
    with setup.gateway() as client:
        static_tokens(window, client, GATEWAY)
        steps = zip(SEARCHES, WANTED, strict=True)
        parts = [([text], [one]) for text, one in steps] if is_stepwise else [(SEARCHES, WANTED)]
        names = [name for some in parts for name in searched(window, client, *some)]
        window.call("described", client, "describe_tools", {"names": names})
        told = window.call("calls", client, "run_code", {"code": CODE.format(*names)})
    took = (time.perf_counter() - began) * 1000
    if '"count"' not in told or "33" not in told:
        raise SystemExit(f"the task went wrong:\n{told}")
    name = "this gateway, a search a step" if is_stepwise else "this gateway, one search"
    return way_of(name, window, took), window


def way_of(name: str, window: Window, took: float | None = None) -> Way:
    """The sums of a window."""
    part = window.under
    return Way(name, part("static"), part("searches"), part("described"), part("calls"), took)


def three_calls(setup: Setup, window: Window) -> None:
    """The three calls as an agent makes them without a gateway: every result whole."""
    for (server, name), arguments in zip(WANTED, ARGUMENTS, strict=True):
        with setup.server(server) as client:
            result = client.call(name, arguments)
        window.enter("calls", compact({"name": f"mcp__{server}__{name}", "input": arguments}))
        window.enter("calls", text_of(result))


def all_definitions(setup: Setup) -> Way:
    """Everything in the request, as clients without deferral send it."""
    window = Window()
    tools = [
        definition
        for server, one in setup.catalogues.items()
        for definition in api_form(server, one["tools"])
    ]
    window.enter("static", compact(tools))
    three_calls(setup, window)
    return way_of("all definitions", window)


def deferred(setup: Setup) -> Way:
    """The client's own deferral, computed from the catalogues by what was measured of it.

    Every request carries a line a tool with its name alone; a `ToolSearch` that selects three
    puts their definitions, with `defer_loading`, into each later request.
    """
    window = Window()
    every = {
        definition["name"]: definition
        for server, one in setup.catalogues.items()
        for definition in api_form(server, one["tools"])
    }
    window.enter("static", "\n".join(every))
    names = [f"mcp__{server}__{tool}" for server, tool in WANTED]
    asked = {"query": "select:" + ",".join(names), "max_results": 3}
    window.enter("searches", compact({"name": "ToolSearch", "input": asked}))
    told = [{"type": "tool_reference", "tool_name": name} for name in names]
    window.enter("searches", compact(told))
    loaded = [{**every[name], "defer_loading": True} for name in names]
    window.enter("described", compact(loaded))
    three_calls(setup, window)
    return way_of("client's deferral (computed)", window)


def code_mode(setup: Setup, python: str) -> list[Way]:
    """The same task through FastMCP's CodeMode, with its default search and with one of ten."""
    plan = {
        "servers": setup.servers,
        "searches": SEARCHES,
        "tools": [f"{server}_{tool}" for server, tool in WANTED],
        "code": PEER_CODE,
    }
    path = setup.folder / "plan.json"
    path.write_text(json.dumps(plan))
    done = subprocess.run(
        [python, str(HERE / "code_mode_peer.py"), str(path)],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
        timeout=300,
        env=dict(setup.environment),
    )
    if done.returncode:
        raise SystemExit(f"the peer failed: {done.stderr[-2000:].decode(errors='replace')}")
    told = json.loads(done.stdout)
    named = {"default": "its default", "limit 10": "limit 10"}
    label = f"FastMCP {told['version']} CodeMode"
    return [_peer_way(f"{label}, {words}", told[key]) for key, words in named.items()]


def _peer_way(name: str, told: Mapping[str, Any]) -> Way:
    window = Window()
    window.enter("static", compact(api_form("gw", told["tools"])))
    headings = {"search": "searches", "get_schema": "described", "execute": "calls"}
    for call in told["calls"]:
        if call["is_error"]:
            raise SystemExit(f"the peer's {call['name']} failed: {call['text'][:500]}")
        what = headings[call["name"]]
        window.enter(what, compact({"name": call["name"], "input": call["input"]}))
        window.enter(what, call["text"])
    return way_of(name, window, sum(call["ms"] for call in told["calls"]))


def tokens_table(ways: Sequence[Way]) -> Iterator[str]:
    """The ways beside each other, as Markdown."""
    heads = ["static", "search", "describe", "calls and results", "whole task", "of the first"]
    yield f"| tokens (o200k) | {' | '.join(heads)} |"
    yield "|---|" + "--:|" * len(heads)
    for way in ways:
        share = f"{way.whole / ways[0].whole:.1%}"
        figures = [way.static, way.searches, way.described, way.calls, way.whole]
        yield f"| {way.name} | " + " | ".join(f"{one:,}" for one in figures) + f" | {share} |"


def measured_tokens(setup: Setup, peer: str | None) -> tuple[list[str], list[Goal]]:
    """The table, and the goals that it has to meet."""
    ours, window = through_gateway(setup)
    stepwise, _ = through_gateway(setup, is_stepwise=True)
    peers = code_mode(setup, peer) if peer else []
    ways = [all_definitions(setup), deferred(setup), *peers, stepwise, ours]
    lines = [f"{known_tools(setup)} tools of {len(setup.catalogues)} servers.", ""]
    lines += [*tokens_table(ways), "", "```text"]
    lines += [f"{one.what} ({one.tokens}): {one.text}" for one in window.entries if one.tokens]
    goals = [
        Goal("static tokens", ours.static, STATIC_GOAL),
        Goal("tokens of the 3-tool task", ours.whole, TASK_GOAL),
    ]
    return [*lines, "```"], goals


# ── from the command line ─────────────────────────────────────────────────────────────────────────


@contextmanager
def a_setup(options: argparse.Namespace, rules: str = RULES) -> Iterator[Setup]:
    """In a temporary folder that is gone afterwards, with all catalogues cached."""
    paths = {name: options.catalogues / f"{name}.json" for name in CATALOGUES}
    with tempfile.TemporaryDirectory(prefix="gateway-") as folder:
        setup = setup_in(Path(folder), paths, options.tokens, rules)
        warmed(setup, SEARCHES, WANTED)
        yield setup


def options_of(arguments: Sequence[str]) -> argparse.Namespace:
    """What to measure."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else "")
    parser.add_argument("--only", default="tokens,latency,start,soak")
    parser.add_argument("--peer", help="the Python of an environment with fastmcp[code-mode]")
    parser.add_argument("--catalogues", type=Path, default=FOLDER)
    parser.add_argument("--tokens", default=str(Path(sys.executable).with_name("tokens")))
    parser.add_argument("--calls", type=int, default=400)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--hours", type=int, default=24)
    parser.add_argument("--output", type=Path)
    return parser.parse_args(arguments)


def main(arguments: Sequence[str]) -> int:
    """Measure, print, judge."""
    options = options_of(arguments)
    parts: dict[str, Callable[[Setup], tuple[list[str], list[Goal]]]] = {
        "tokens": lambda setup: measured_tokens(setup, options.peer),
        "latency": lambda setup: measured_latency(setup, options.calls),
        "start": lambda setup: measured_start(setup, options.rounds),
        "soak": lambda setup: measured_soak(setup, options.hours),
    }
    lines: list[str] = []
    goals: list[Goal] = []
    for part in options.only.split(","):
        with a_setup(options, RULES + MORE.get(part, "")) as setup:
            told, judged = parts[part](setup)
        lines += [f"## {part}", "", *told, ""]
        goals += judged
    lines += [str(one) for one in goals]
    print("\n".join(lines))
    if options.output:
        options.output.write_text("\n".join(lines) + "\n")
    return 0 if all(one.is_met for one in goals) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
