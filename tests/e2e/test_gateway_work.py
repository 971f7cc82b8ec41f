"""What the gateway puts into the window, measured from outside: ceilings of tokens, never times."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.e2e.install_clients import mcp_server
from tests.e2e.install_postgres import install, programs

import bench_gateway
import bench_gateway_work
from gateway_setup import RULES, SEARCHES, WANTED, setup_in, warmed
from gateway_work import Work

pytestmark = pytest.mark.e2e

TOKENS = str(Path(sys.executable).with_name("tokens"))
VERBS = ("list", "get", "create", "update", "delete", "archive")
THINGS = (
    "project issue comment label board sprint user group file folder space report invoice team"
    " release"
)
LONG = (
    " Returns what the caller may see. Missing resources, invalid identifiers, insufficient"
    " permission and rate limits are returned as errors. Use the corresponding other tool when you"
    " already know a single resource."
)


def listed(name: str, description: str, **properties: object) -> dict[str, object]:
    """A tool as a server lists it; all of its properties may be left out."""
    schema = {"type": "object", "properties": properties}
    return {"name": name, "description": description + LONG, "inputSchema": schema}


def text(meaning: str) -> dict[str, object]:
    return {"type": "string", "description": meaning}


def crowd(server: str) -> list[dict[str, object]]:
    """90 tools that are like those of any tracker, with the usual words around."""
    options = {f"option_{i}": text(f"Restricts what is returned, number {i}.") for i in range(8)}
    return [
        listed(
            f"{verb}_{thing}", f"{verb.title()} a {thing} of {server}.", id=text("Id."), **options
        )
        for thing in THINGS.split()
        for verb in VERBS
    ]


NEEDED = {
    "gitlab-zereight": listed(
        "list_merge_requests",
        "List merge requests of a project.",
        project_id=text("Project id or path."),
        **{f"filter_{i}": text("Only merge requests for which this holds.") for i in range(30)},
        state={"type": "string", "enum": ["opened", "closed", "merged", "all"]},
    ),
    "atlassian": {
        **listed("jira_search", "Search Jira issues with JQL.", jql=text("JQL.")),
        "outputSchema": {
            "type": "object",
            "properties": {"result": {"type": "string"}},
            "required": ["result"],
            "x-fastmcp-wrap-result": True,
        },
    },
    "notion": {
        **listed(
            "API-post-page",
            "Notion | Create a page",
            parent={"type": "object", "properties": {"page_id": text("Of the page above.")}},
            properties={"type": "object"},
        ),
        "annotations": {"destructiveHint": True},
    },
}


@pytest.fixture
def catalogues(tmp_path: Path) -> dict[str, Path]:
    """Five servers with 453 tools, three of which a task needs."""
    paths = {}
    for server in (*NEEDED, "sentry", "calendar"):
        tools = crowd(server) + ([NEEDED[server]] if server in NEEDED else [])
        path = tmp_path / f"{server}.json"
        path.write_text(json.dumps({"server": server, "version": "1", "tools": tools}))
        paths[server] = path
    return paths


def test_a_task_over_three_of_five_servers_costs_less_than_two_thousand_tokens(
    tmp_path: Path, catalogues: dict[str, Path]
) -> None:
    setup = setup_in(tmp_path, catalogues, TOKENS, RULES)
    warmed(setup, SEARCHES, WANTED)

    ours, window = bench_gateway.through_gateway(setup)

    every = bench_gateway.all_definitions(setup)
    told = "\n".join(f"{one.what} ({one.tokens}): {one.text}" for one in window.entries)
    assert ours.static <= bench_gateway.STATIC_GOAL, told
    assert ours.whole <= bench_gateway.TASK_GOAL, told
    assert every.whole > 40 * ours.whole


@pytest.fixture
def works(tmp_path: Path) -> Iterator[list[Work]]:
    """Real servers: files and PostgreSQL."""
    if not (mcp_server("filesystem") and mcp_server("postgres")):
        pytest.skip("the MCP servers are not installed: tests/e2e/install_clients.py")
    outcome = install()
    if programs() is None:
        pytest.fail(f"PostgreSQL: {outcome}")
    with bench_gateway_work.every_work(tmp_path / "data") as found:
        yield found


@pytest.mark.usefixtures("install_outcomes")
def test_files_and_rows_of_real_servers_stay_out_of_the_window(
    tmp_path: Path, works: list[Work]
) -> None:
    for number, work in enumerate(works):
        found = bench_gateway_work.compared(work, tmp_path / f"home-{number}", TOKENS)
        told = "\n".join(f"{e.what} ({e.tokens}): {e.text}" for e in found.gateway.entries)
        assert found.gateway.tokens <= bench_gateway_work.GOAL, told
        assert found.direct.tokens > 20 * found.gateway.tokens, work.name
