"""What each lever does to the requests of the real Claude Code client: a table, measured.

    python tools/lever_bytes.py [--output docs/levers.md] [--only WORDS] [--model MODEL ...]

Each lever is pulled in a cluttered project (`tests/e2e/cluttered_project.py`), offline, against a
fake API. Measured are the first request of a session that starts afterwards, and a session that
is running when it is pulled: its next request, its next one after /compact. A running session is
compared with one in which nothing was pulled, turn by turn. Takes a few minutes.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

CHECKOUT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(CHECKOUT))  # the helpers of the end-to-end tests are a part of the tests

from tests.e2e.claude_client import ClaudeClient, Sandbox  # noqa: E402 (see above)
from tests.e2e.cluttered_project import (  # noqa: E402
    Clutter,
    clutter_up,
)
from tests.e2e.conversation import RequestKind  # noqa: E402
from tests.e2e.conversing_client import conversing  # noqa: E402
from tests.e2e.install_clients import NEWEST, install_all, reason_missing  # noqa: E402
from tests.e2e.offline_api import OfflineApi, serving  # noqa: E402
from tests.e2e.scripted_answers import JsonObject, Scripts, Step, text, tool_use  # noqa: E402

from levers import LEVERS, READ_LEVERS, Change, Lever  # noqa: E402
from tokenbudget.metering.tokenizer import BytePairCounter  # noqa: E402

MODELS = ("claude-opus-5-5", "claude-sonnet-4-5")
SEARCHES = ("true", "false")
WATCHER_SECONDS = 1.6
"""After so long a running client has seen that a settings file changed."""
PARTS = ("system", "tools", "messages")
BILLING = "x-anthropic-billing-header:"
SAME_TOP = "/home/somebody/"
NUMBERED = re.compile(r"\d{4}/")


class Sent(NamedTuple):
    """One request: its size, and that of what the cache holds of it first."""

    size_bytes: int
    tokens: int
    system_bytes: int
    tools_bytes: int


class Running(NamedTuple):
    """The requests of one session: before anything, after it, and after a compaction as well."""

    first: Sent
    next: Sent
    compacted: Sent


class Row(NamedTuple):
    """What a lever did under one model, with the tool search on or off."""

    lever: str
    model: str
    search: str
    before: Sent
    after: Sent
    control: Running
    running: Running


# ── measuring ────────────────────────────────────────────────────────────────────────────────────


class Laboratory:
    """Makes a cluttered project for every measurement, each under a path of the same length."""

    def __init__(self, top: Path) -> None:
        self._top = top
        self._made = 0
        self._counter = BytePairCounter()

    def place(self) -> Clutter:
        """A new sandbox with the clutter in it."""
        self._made += 1
        sandbox = Sandbox.create(self._top / f"{self._made:04d}")
        return clutter_up(sandbox.project, sandbox.config)

    def first_request(self, clutter: Clutter, model: str, search: str) -> Sent:
        """The first request of a session that is started here now."""
        with self._served({}) as (client, api):
            client(clutter).run("hello", f"--model={model}", variables=variables(search))
            return self._sent(api)[0]

    def running(self, clutter: Clutter, model: str, search: str, pull: Change) -> Running:
        """A session in which the lever is pulled after the first answer."""
        with (
            self._served({}) as (client, api),
            conversing(client(clutter), f"--model={model}", variables=variables(search)) as session,
        ):
            session.say("hello")
            pull(clutter)
            time.sleep(WATCHER_SECONDS)
            session.say("hello again")
            session.say("/compact")
            session.say("hello at last")
            first, second, third = self._sent(api)
        return Running(first, second, third)

    def read_of(self, clutter: Clutter, model: str, name: str) -> str:
        """What the model hears when it reads a file of the project."""
        path = str(clutter.project / name)
        script: Scripts = {
            "read": [Step((tool_use("Read", file_path=path),)), Step((text("Read."),))]
        }
        with self._served(script) as (client, api):
            client(clutter).run("SCRIPT:read", f"--model={model}")
            last = api.exchanges()[-1].body["messages"]
        return next(
            json.dumps(block["content"])
            for message in last
            for block in message["content"]
            if isinstance(block, dict) and block.get("type") == "tool_result"
        )

    def _served(self, scripts: Scripts) -> _Served:
        self._made += 1
        return _Served(scripts, self._top / f"api{self._made:04d}")

    def _sent(self, api: OfflineApi) -> list[Sent]:
        bodies = [each.body for each in api.exchanges() if each.kind is RequestKind.MAIN]
        return [self.weighed(body) for body in bodies]

    def weighed(self, body: JsonObject) -> Sent:
        """A request, measured. What differs from session to session is left out of the tokens."""
        whole = json.dumps(body)
        sizes = {name: len(json.dumps(body.get(name, []))) for name in PARTS}
        said = {name: body.get(name) for name in PARTS}
        said["system"] = [part for part in body["system"] if BILLING not in str(part)]
        words = json.dumps(said, ensure_ascii=False).replace(f"{self._top}/", SAME_TOP)
        tokens = self._counter.count(NUMBERED.sub("0000/", words))
        return Sent(len(whole), tokens, sizes["system"], sizes["tools"])


class _Served:
    """A fake API, and clients for it; a context manager."""

    def __init__(self, scripts: Scripts, folder: Path) -> None:
        self._serving = serving(scripts, folder)

    def __enter__(self) -> tuple[Callable[[Clutter], ClaudeClient], OfflineApi]:
        api = self._serving.__enter__()
        return lambda clutter: ClaudeClient(NEWEST, Sandbox(clutter.config.parent), api), api

    def __exit__(self, *exc: object) -> None:
        self._serving.__exit__(None, None, None)


def variables(search: str) -> dict[str, str]:
    """The environment of a client with the tool search on or off."""
    return {"ENABLE_TOOL_SEARCH": search}


def rows(laboratory: Laboratory, levers: Sequence[Lever], models: Sequence[str]) -> Iterator[Row]:
    """Every lever under every model, with the tool search on and off."""
    for model in models:
        for search in SEARCHES:
            plain = laboratory.first_request(laboratory.place(), model, search)
            control = laboratory.running(laboratory.place(), model, search, lambda clutter: None)
            for lever in levers:
                yield _row(laboratory, lever, model, search, plain, control)


def default_is_on(laboratory: Laboratory, model: str) -> bool:
    """Whether a client that is told nothing sends what it sends with the tool search on."""
    told, silent = (
        laboratory.first_request(laboratory.place(), model, search) for search in ("true", "")
    )
    return told.size_bytes == silent.size_bytes


def _row(
    laboratory: Laboratory, lever: Lever, model: str, search: str, plain: Sent, control: Running
) -> Row:
    has_own_start = lever.before is not Lever._field_defaults["before"]
    if has_own_start:
        clutter, still = laboratory.place(), laboratory.place()
        lever.before(clutter)
        lever.before(still)
        plain = laboratory.first_request(clutter, model, search)
        control = laboratory.running(still, model, search, lambda clutter: None)
    clutter, live = laboratory.place(), laboratory.place()
    for place in (clutter, live):
        lever.before(place)
    lever.pull(clutter)
    after = laboratory.first_request(clutter, model, search)
    running = laboratory.running(live, model, search, lever.pull)
    return Row(lever.name, model, search, plain, after, control, running)


# ── telling ──────────────────────────────────────────────────────────────────────────────────────

HEAD = """\
# Levers

What each lever does to the requests of the real client, measured by `tools/lever_bytes.py` (which
wrote this page) in the cluttered project of `tests/e2e/cluttered_project.py`: 3 MCP servers of 30
tools, 20 skills, 8 agents, a CLAUDE.md with three sections twice and a copy of it in `.claude/`,
four backups among the rules. Claude Code {version}; sizes are those of the JSON body, tokens are
counted with the o200k vocabulary, not by the provider.

*Next start*: the first request of a session that begins afterwards. *Next request* and
*after /compact*: of a session that was running, compared with one in which nothing was changed;
what a lever adds there (a notice that something is gone) counts against it.
"""


def page(
    found: Sequence[Row], reads: Sequence[tuple[str, str, str]], defaults: Sequence[str]
) -> str:
    """docs/levers.md."""
    lines = [HEAD.format(version=NEWEST.version), *defaults, ""]
    lines += [
        "| lever | client | model | tool search | first request before | next start: bytes |"
        " tokens | next request: bytes | after /compact: bytes | takes effect |",
        "|---|---|---|---|--:|--:|--:|--:|--:|---|",
    ]
    for row in found:
        lines.append(_line(row))
    lines += ["", "## Reading a file", "", "| lever | client | model | `Read src/app.py` |"]
    lines += ["|---|---|---|---|"]
    lines += [f"| {name} | {NEWEST.version} | {model} | {said} |" for name, model, said in reads]
    return "\n".join(lines) + "\n"


def _line(row: Row) -> str:
    start = row.after.size_bytes - row.before.size_bytes
    tokens = row.after.tokens - row.before.tokens
    now = row.running.next.size_bytes - row.control.next.size_bytes
    compacted = row.running.compacted.size_bytes - row.control.compacted.size_bytes
    cells = [
        _cell(row.lever),
        NEWEST.version,
        row.model,
        "on" if row.search == "true" else "off",
        f"{row.before.size_bytes:,}",
        f"{start:+,}",
        f"{tokens:+,}",
        f"{now:+,}{_moved(row.control.next, row.running.next)}",
        f"{compacted:+,}",
        effect_of(start, now, compacted),
    ]
    return f"| {' | '.join(cells)} |"


def _cell(words: str) -> str:
    return words.replace("|", "\\|").replace("*", "\\*")


def _moved(control: Sent, running: Sent) -> str:
    """Whether the beginning of the request, which the cache holds, became another one."""
    parts = [
        name
        for name, was, now in (
            ("system", control.system_bytes, running.system_bytes),
            ("tools", control.tools_bytes, running.tools_bytes),
        )
        if was != now
    ]
    return f" ({', '.join(parts)} changed)" if parts else ""


def effect_of(start: int, now: int, compacted: int) -> str:
    """When a lever works: as soon as it frees nine tenths of what it frees at the next start."""
    if start > -10:
        return "never" if start > -1 else "hardly"
    for freed, words in ((now, "next request"), (compacted, "next compaction")):
        if freed <= start * 0.9:
            return words
    return "next start"


def main() -> int:
    """Measure and print, or write the page."""
    made = argparse.ArgumentParser(description="What each lever does, measured.")
    made.add_argument("--output", type=Path, help="write the page here, else print it")
    made.add_argument("--only", default="", help="levers whose name holds these words")
    made.add_argument("--model", action="append", choices=MODELS)
    options = made.parse_args()
    install_all()
    reason = reason_missing(NEWEST)
    if reason:
        print(reason, file=sys.stderr)
        return 1
    levers = [lever for lever in LEVERS if options.only in lever.name]
    models = options.model or MODELS
    with tempfile.TemporaryDirectory() as top:
        laboratory = Laboratory(Path(top))
        found = []
        for row in rows(laboratory, levers, models):
            found.append(row)
            print(_line(row), file=sys.stderr, flush=True)
        reads = list(_reads(laboratory, models)) if not options.only else []
        defaults = [_default_line(laboratory, model) for model in models]
    text_of_page = page(found, reads, defaults)
    if options.output:
        options.output.write_text(text_of_page, encoding="utf-8")
    else:
        print(text_of_page)
    return 0


def _default_line(laboratory: Laboratory, model: str) -> str:
    verdict = "is" if default_is_on(laboratory, model) else "IS NOT"
    return f"Told nothing, a client with {model} {verdict} as with the tool search on."


def _reads(laboratory: Laboratory, models: Sequence[str]) -> Iterator[tuple[str, str, str]]:
    for model in models:
        for name, pull in READ_LEVERS:
            clutter = laboratory.place()
            pull(clutter)
            said = laboratory.read_of(clutter, model, "src/app.py")
            yield _cell(name), model, "refused" if "denied" in said else "read"


if __name__ == "__main__":
    sys.exit(main())
