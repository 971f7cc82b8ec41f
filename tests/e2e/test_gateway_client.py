"""What the gateway saves in the requests of real clients, and what switching servers off does.

Bytes are those of system, tools and messages of the requests that were really sent. Without the
gateway the ten calls are made side by side in one answer, which is the best case of doing without,
and one by one. What counts is the last request, for so full is the window then; of all requests
together most bytes are the client's own, once for each request that there is.
"""

import json
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import pytest
from tests.e2e.ahead import played_ahead
from tests.e2e.claude_client import Sandbox
from tests.e2e.gateway_bed import (
    DEFERRED,
    INLINE,
    REAL,
    Bed,
    many_tools,
    names_of,
    real_servers,
    weight,
)
from tests.e2e.install_clients import NEWEST, OLD, Release, mcp_server
from tests.e2e.matrix import EVERY, OPUS, runnable
from tests.e2e.offline_api import serving
from tests.e2e.scripted_answers import Script, Step, text, tool_use

pytestmark = pytest.mark.e2e

FILES = 10
SEARCH = tool_use("ToolSearch", query="select:mcp__filesystem__read_text_file", max_results=5)
CODE = """
total = 0
for i in range({count}):
    found = await filesystem_read_text_file(path="{folder}/part-" + str(i) + ".txt")
    words = found if isinstance(found, str) else found["content"]
    for line in words.splitlines():
        if line.startswith("amount "):
            total += int(line.split()[1])
print("total", total)
"""
OFFERED = 500
"""Bytes that a server of 20 tools adds at the least, deferred or not."""


class Played(NamedTuple):
    """What one release sent."""

    before: dict[str, Any]
    first: dict[str, int]
    """Bytes of the first request, by way."""
    task: dict[str, int]
    """Bytes of all requests of the task."""
    last: dict[str, int]
    """Bytes of its last request: how full the window is."""
    gateway: Any
    """The first request through the gateway."""
    told: str
    """What the gateway's code answered."""
    after: dict[str, Any]
    status: Any
    stats: Any


def files_of(bed: Bed) -> dict[str, Any]:
    """Everything that an installation may touch."""
    return {
        "shared": bed.shared.read_bytes(),
        "local": bed.local.read_bytes(),
        "own": bed.own_servers("local"),
    }


def direct(box: Sandbox) -> Script:
    """Read every file at once."""
    return [Step(reads(box)), Step((text("Added up."),))]


def deferred(box: Sandbox) -> Script:
    """Look the tool up first."""
    return [Step((SEARCH,)), *direct(box)]


def one_by_one(box: Sandbox) -> Script:
    """Read file after file; the tool is there."""
    return [*(Step((read,)) for read in reads(box)), Step((text("Added up."),))]


def deferred_one_by_one(box: Sandbox) -> Script:
    """The same, and the tool is looked up first."""
    return [Step((SEARCH,)), *one_by_one(box)]


def through_gateway(box: Sandbox) -> Script:
    """Find, describe, run."""
    own = "mcp__tokenbudget__"
    code = CODE.format(count=FILES, folder=box.project)
    return [
        Step((tool_use(f"{own}find_tools", task="read a text file"),)),
        Step((tool_use(f"{own}describe_tools", names=["filesystem_read_text_file"]),)),
        Step((tool_use(f"{own}run_code", code=code),)),
        Step((text("Added up."),)),
    ]


def reads(box: Sandbox) -> tuple[dict[str, Any], ...]:
    paths = [str(box.project / f"part-{number}.txt") for number in range(FILES)]
    return tuple(tool_use("mcp__filesystem__read_text_file", path=path) for path in paths)


WAYS = {
    "inline": (direct, INLINE),
    "inline-one-by-one": (one_by_one, INLINE),
    "deferred": (deferred, DEFERRED),
    "deferred-one-by-one": (deferred_one_by_one, DEFERRED),
}


def play(release: Release, model: str, sandbox: Sandbox) -> Played:
    """Work without servers, with them inline and deferred, and through the gateway; then undo."""
    for number in range(FILES):
        lines = [f"line {line} of part {number}: nothing to see here" for line in range(60)]
        lines.insert(30, f"amount {number + 1}")
        (sandbox.project / f"part-{number}.txt").write_text("\n".join(lines), encoding="utf-8")
    scripts = {name: script(sandbox) for name, (script, _) in WAYS.items()}
    scripts["gateway"] = through_gateway(sandbox)
    with serving(scripts, sandbox.root / "api") as api:
        bed = Bed(release, sandbox, api, model or OPUS)
        allowed = ["mcp__filesystem", "mcp__tokenbudget", "ToolSearch"]
        bed.write_local(permissions={"allow": allowed})
        first = {"none": weight(bed.first())}
        document = json.dumps({"mcpServers": real_servers(sandbox.project)}, indent=4)
        bed.shared.write_text(document, encoding="utf-8")
        task, last = {}, {}
        for way, (_, variables) in WAYS.items():
            if release is OLD and variables is DEFERRED:
                continue  # it defers nothing: asked to, it sends all the same
            found = bed.requests(f"SCRIPT:{way}", variables)
            first[way], last[way] = weight(found[0]), weight(found[-1])
            task[way] = sum(map(weight, found))
        before = files_of(bed)
        bed.tokens("gateway", "install", "--yes")
        status = bed.tokens("gateway", "status", "--check")
        found = bed.requests("SCRIPT:gateway", INLINE if release is OLD else DEFERRED)
        first["gateway"], last["gateway"] = weight(found[0]), weight(found[-1])
        task["gateway"] = sum(map(weight, found))
        stats = bed.tokens("gateway", "stats")
        bed.tokens("gateway", "uninstall", "--yes")
        return Played(
            before=before,
            first=first,
            task=task,
            last=last,
            gateway=found[0],
            told=json.dumps(found[-1].body["messages"][-1]),
            after=files_of(bed),
            status=status,
            stats=stats,
        )


@pytest.fixture(scope="module")
def played(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[[Release, str], Played]]:
    """Each release at work, two at once."""
    if not all(map(mcp_server, REAL)):
        pytest.skip("the MCP servers are not installed; the section 'agent clients' says why")
    test = "test_a_task_through_the_gateway_and_back"
    with played_ahead(request, tmp_path_factory, test, play) as await_one:
        yield await_one


@pytest.mark.parametrize("release", [NEWEST, OLD], ids=lambda one: one.version)
def test_a_task_through_the_gateway_and_back(
    release: Release,
    played: Callable[[Release, str], Played],
    gateway_account: dict[str, str],
) -> None:
    runnable(release)
    found = played(release, "")
    shown = {
        name: [found.first[name], found.task.get(name), found.last.get(name)]
        for name in found.first
    }
    gateway_account[release.name] = "; ".join(
        f"{name} first {first:,}" + (f", task {task:,}, last {last:,}" if task else "")
        for name, (first, task, last) in shown.items()
    )

    tools = {tool["name"]: tool for tool in found.gateway.body["tools"]}
    ours = [name for name in tools if name.startswith("mcp__")]
    assert sorted(ours) == [
        f"mcp__tokenbudget__{name}" for name in ("describe_tools", "find_tools", "run_code")
    ]
    assert not any(tools[name].get("defer_loading") for name in ours)
    assert [names_of(found.gateway, server) for server in REAL] == [0, 0, 0]
    assert f"total {sum(range(1, FILES + 1))}" in found.told
    without = [way for way in WAYS if way in found.first]
    # What the whole task left in the window.
    base = found.first["none"]
    for way in without:
        assert (found.last["gateway"] - base) * 5 < found.last[way] - base
    for way in without:
        is_one_by_one = way.endswith("one-by-one")
        assert not is_one_by_one or found.task["gateway"] < found.task[way]

    assert found.status["is_sound"]
    assert {row["server"]: row["tools"] for row in found.status["rows"]}.keys() == set(REAL)
    filesystem = next(row for row in found.stats["rows"] if row["server"] == "filesystem")
    assert filesystem["calls"] == FILES
    assert filesystem["result_tokens"] > 20 * filesystem["answer_tokens"] > 0
    assert found.after == found.before


# ── what switches a server off ───────────────────────────────────────────────────────────────────


class SwitchedOff(NamedTuple):
    """First requests of one release and model."""

    both: Any
    by_settings: Any
    by_rule: Any
    by_client: Any


def switch(release: Release, model: str, sandbox: Sandbox) -> SwitchedOff:
    """A server of the project and one of the person, switched off in every way that is offered."""
    with serving({}, sandbox.root / "api") as api:
        bed = Bed(release, sandbox, api, model)
        shared = {"mcpServers": {"shared": many_tools("shared", 20)}}
        bed.shared.write_text(json.dumps(shared), encoding="utf-8")
        bed.write_own(mine=many_tools("mine", 20))
        both = bed.first()
        bed.write_local(disabledMcpjsonServers=["shared", "mine"])
        by_settings = bed.first()
        bed.write_local(permissions={"deny": ["mcp__shared"]})
        by_rule = bed.first()
        bed.local.unlink()
        bed.tell_client("remove", "mine", "-s", "user")
        return SwitchedOff(both, by_settings, by_rule, bed.first())


@pytest.fixture(scope="module")
def switched(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[[Release, str], SwitchedOff]]:
    """Every release and model, two at once."""
    test = "test_only_what_takes_a_server_out_of_the_request_is_offered"
    with played_ahead(request, tmp_path_factory, test, switch) as await_one:
        yield await_one


@EVERY
def test_only_what_takes_a_server_out_of_the_request_is_offered(
    release: Release, model: str, switched: Callable[[Release, str], SwitchedOff]
) -> None:
    runnable(release)
    found = switched(release, model)
    assert names_of(found.both, "shared") >= 20
    assert names_of(found.both, "mine") >= 20

    # disabledMcpjsonServers: a server of .mcp.json goes, one of the person stays
    assert names_of(found.by_settings, "shared") == 0
    assert names_of(found.by_settings, "mine") == names_of(found.both, "mine")
    assert weight(found.both) - weight(found.by_settings) > OFFERED

    # a rule that denies a whole server does nothing in the oldest client, so nobody is offered it
    does_nothing = release is OLD
    assert (names_of(found.by_rule, "shared") > 0) is does_nothing

    # `claude mcp remove`, which is what is offered for a server of the person
    assert names_of(found.by_client, "mine") == 0
    assert weight(found.both) - weight(found.by_client) > OFFERED
