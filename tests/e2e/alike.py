"""A run of the client with all taken out that differs between any two runs, so that they compare.

Taken out everywhere: ids (of sessions, lines, prompts, messages, requests, tool calls, devices, and
every other run of sixteen or more hexadecimal digits), the `slug` of random words, times, the
sandbox's own path, `cch=` and `cc_version=` of the billing line, and every field that tells when
something was or how long it took. Of a transcript: the chain of `parentUuid` (it leads over lines
that are dropped) and the client's own bookkeeping of hooks, which is attachments `hook_…`,
`hook_progress`, the system line `stop_hook_summary` and the fields `hook…`; and all lines that are
neither of the conversation nor added to it (latches, queues, costs, copies of requests), of which
two runs without any hook may differ in number.
"""

import json
import re
from collections.abc import Iterator
from typing import NamedTuple

from tests.e2e.claude_client import ClaudeClient, Sandbox
from tests.e2e.scripted_answers import JsonObject

_IDS = re.compile(
    r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
    r"|(?:msg|req|toolu)_[0-9A-Za-z]+|(?<![.0-9a-f])[0-9a-f]{16,}"
)
_TIMES = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z")
_BILLING = re.compile(r"(cch|cc_version)=[0-9A-Za-z.]+")
_RESULT = ("subtype", "is_error", "num_turns", "result", "usage", "total_cost_usd", "stop_reason")
_CHANCE = frozenset({"parentUuid", "logicalParentUuid", "slug"})


class Run(NamedTuple):
    """What came of it."""

    result: JsonObject
    requests: list[str]
    transcript: list[str]
    """The lines of the conversation, as they stand."""
    additions: list[str]
    """What the client put beside it, sorted: it writes them whenever it can."""


def run_alike(client: ClaudeClient, prompt: str, *options: str) -> Run:
    """Run one prompt; agents that a client starts beside it make no order, so lines are sorted."""
    sandbox = client.sandbox
    result = client.run(prompt, *options)
    bodies = [each.body for each in client.api.exchanges()]
    lines = list(_lines(sandbox))
    return Run(
        result={name: result.get(name) for name in _RESULT},
        requests=sorted(_said(body, sandbox) for body in bodies),
        transcript=[line for kind, line in lines if kind in ("user", "assistant")],
        additions=sorted(line for kind, line in lines if kind in ("system", "attachment")),
    )


def _lines(sandbox: Sandbox) -> Iterator[tuple[str, str]]:
    for path in sorted(sandbox.transcripts.rglob("*.jsonl")):
        if path.name.startswith("agent-"):
            continue
        for line in path.read_text(encoding="utf-8").split("\n")[:-1]:
            told = json.loads(line)
            if not _is_about_hooks(told):
                yield told.get("type", ""), _said(told, sandbox)


def _is_about_hooks(told: JsonObject) -> bool:
    attached = told.get("attachment") or told.get("data") or {}
    kind = attached.get("type", "") if isinstance(attached, dict) else ""
    return str(kind).startswith("hook_") or told.get("subtype") == "stop_hook_summary"


def _said(value: object, sandbox: Sandbox) -> str:
    text = json.dumps(_without_times(value), ensure_ascii=False, sort_keys=True)
    slug = re.sub(r"[^A-Za-z0-9]", "-", str(sandbox.root))
    text = text.replace(str(sandbox.root), "ROOT").replace(slug, "ROOT")
    return _BILLING.sub(r"\1=", _TIMES.sub("TIME", _IDS.sub("ID", text)))


def _without_times(value: object) -> object:
    if isinstance(value, list):
        return [_without_times(one) for one in value]
    if not isinstance(value, dict):
        return value
    return {name: _without_times(one) for name, one in value.items() if not _is_chance(name)}


def _is_chance(name: str) -> bool:
    lower = name.lower()
    is_time = "duration" in lower or lower.endswith(("timestamp", "time", "ms"))
    return is_time or name in _CHANCE or lower.startswith("hook")
