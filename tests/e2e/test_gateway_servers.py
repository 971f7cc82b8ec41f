"""The gateway's hub over real MCP servers: started, asked, watched, ended as by the client."""

import asyncio
import contextlib
import json
import subprocess
from collections.abc import AsyncIterator, Iterator, Mapping
from pathlib import Path

import pytest
from tests.e2e.install_clients import (
    PROGRAM_FOLDERS,
    PYTHON_MCP_FOLDER,
    mcp_server,
    python_mcp_server,
)
from tests.e2e.install_postgres import install, programs
from tests.e2e.postgres_server import Server, running_server
from tests.gateway.mcp.hubs import QUICK, Case, Client, hub_over, run, tool, until

from tokenbudget.gateway.mcp.server_config import ServerConfig, configs_from

pytestmark = [pytest.mark.e2e, pytest.mark.usefixtures("install_outcomes")]

LIMITS = QUICK._replace(start_seconds=60, call_seconds=60, idle_seconds=600)
ROWS = 1_000


class Answering(Client):
    """A client that samples and asks a person who agrees."""

    def capabilities(self) -> Mapping[str, object]:
        return {**super().capabilities(), "sampling": {}}

    async def sample(self, server: str, params: Mapping[str, object]) -> Mapping[str, object]:
        self.asked.append((server, "sample"))
        content = {"type": "text", "text": "sampled"}
        return {"role": "assistant", "content": content, "model": "m", "stopReason": "endTurn"}

    async def elicit(self, server: str, params: Mapping[str, object]) -> Mapping[str, object]:
        self.asked.append((server, "elicit"))
        return {"action": "decline"}


def node(name: str, *arguments: str, **variables: str) -> tuple[ServerConfig, ...]:
    """A server from npm, or a skipped test."""
    program = mcp_server(name)
    if program is None:
        pytest.skip(f"the MCP server {name} is not installed; 'agent clients' says why")
    entry = {"command": str(program), "args": list(arguments), "env": variables}
    return configs_from({"mcpServers": {name: entry}})


def python(name: str, *arguments: str) -> tuple[ServerConfig, ...]:
    """A server from PyPI, or a skipped test."""
    command = python_mcp_server(name)
    if command is None:
        pytest.skip(f"the MCP server {name} is not installed; 'agent clients' says why")
    entry = {
        "command": command[0],
        "args": [*command[1:], *arguments],
        "env": {"PYTHONPATH": str(PYTHON_MCP_FOLDER)},
    }
    return configs_from({"mcpServers": {name: entry}})


@contextlib.asynccontextmanager
async def over(
    folder: Path, servers: tuple[ServerConfig, ...], client: Client | None = None
) -> AsyncIterator[Case]:
    environment = {"PATH": PROGRAM_FOLDERS, "HOME": str(folder), "LANG": "C.UTF-8"}
    async with hub_over(folder, servers, LIMITS, environment, client) as case:
        yield case


async def text(case: Case, server: str, name: str, **arguments: object) -> str:
    """The text that a tool gives back; an error of it fails the test."""
    answer = await case.hub.call(tool(server, name), arguments)
    said = "".join(str(block.get("text", "")) for block in answer.content)
    assert not answer.is_error, said
    return said


def test_files_are_read_and_others_are_refused_by_the_server(tmp_path: Path) -> None:
    folder = tmp_path / "files"
    folder.mkdir()
    for number in range(35):
        (folder / f"{number}.txt").write_text(f"line {number}\n")
    servers = node("filesystem", str(folder))

    async def work() -> None:
        async with over(tmp_path, servers) as case:
            assert len((await case.hub.catalogue("filesystem")).tools) == 14
            paths = [str(folder / f"{number}.txt") for number in range(35)]
            read = (text(case, "filesystem", "read_text_file", path=path) for path in paths)
            assert await asyncio.gather(*read) == [f"line {number}\n" for number in range(35)]
            outside = {"path": "/etc/hostname"}
            answer = await case.hub.call(tool("filesystem", "read_text_file"), outside)
            assert answer.is_error

    run(work)


def test_what_is_remembered_outlives_a_server_that_was_stopped(tmp_path: Path) -> None:
    servers = node("memory", MEMORY_FILE_PATH=str(tmp_path / "memory.jsonl"))
    known = {"name": "Ann", "entityType": "person", "observations": ["likes tea"]}

    async def work() -> None:
        async with over(tmp_path, servers) as case:
            await text(case, "memory", "create_entities", entities=[known])
            case.clock.now += 600
            await case.hub.stop_idle()
            assert case.hub.states() == {"memory": "stopped"}
            graph = json.loads(await text(case, "memory", "read_graph"))
            assert graph["entities"] == [known]

    run(work)


def test_everything_that_the_protocol_knows_passes_through(tmp_path: Path) -> None:
    servers = node("everything")

    async def work() -> None:
        async with over(tmp_path, servers, Answering()) as case:
            catalogue = await case.hub.catalogue("everything")
            assert {"resources", "prompts", "completions", "logging"} <= catalogue.offers
            await tools_of_everything(case)
            await requests_to_everything(case)

    run(work)


async def tools_of_everything(case: Case) -> None:
    """Its tools that tell of progress, and that ask the client."""
    assert await text(case, "everything", "echo", message="é") == "Echo: é"
    seen: list[object] = []
    await case.hub.call(
        tool("everything", "trigger-long-running-operation"),
        {"duration": 0.2, "steps": 2},
        progress=lambda one: seen.append((one["progress"], one["total"])),
    )
    assert seen == [(1, 2), (2, 2)]
    names = {one.name for one in (await case.hub.catalogue("everything", fresh=True)).tools}
    asking = ("trigger-sampling-request", "trigger-elicitation-request")
    assert set(asking) <= names
    said = await text(case, "everything", asking[0], prompt="hello", maxTokens=5)
    assert "sampled" in said
    await text(case, "everything", asking[1])
    assert case.client.asked == [("everything", "sample"), ("everything", "elicit")]


async def requests_to_everything(case: Case) -> None:
    """Its resources, its prompts, completion and the level of its log."""
    ask = case.hub.request
    listed = await ask("everything", "resources/list", {})
    resources = listed["resources"]
    assert isinstance(resources, list)
    read = await ask("everything", "resources/read", {"uri": resources[0]["uri"]})
    assert read["contents"]
    prompts = await ask("everything", "prompts/list", {})
    assert prompts["prompts"]
    given = await ask("everything", "prompts/get", {"name": "simple-prompt"})
    assert given["messages"]
    about = {"type": "ref/prompt", "name": "completable-prompt"}
    begun = {"ref": about, "argument": {"name": "department", "value": "E"}}
    completed = await ask("everything", "completion/complete", begun)
    assert completed["completion"]
    assert await ask("everything", "logging/setLevel", {"level": "debug"}) == {}


@pytest.fixture(scope="module")
def database() -> Iterator[Server]:
    """PostgreSQL with customers and their orders, readable by the servers of the tests."""
    outcome = install()
    found = programs()
    if found is None:
        pytest.fail(f"PostgreSQL: {outcome}")
    with running_server(found) as running:
        running.folder.chmod(0o755)
        made = running.run(
            "-c",
            "create table customers as select n as id, 'customer ' || n as name"
            " from generate_series(1, 50) n;"
            f"create table orders as select n as id, 1 + n % 50 as customer from"
            f" generate_series(1, {ROWS}) n;",
        )
        assert made.returncode == 0, made.stderr
        yield running


def test_a_thousand_joined_rows_come_whole_and_the_server_ends(
    tmp_path: Path, database: Server
) -> None:
    address = f"postgresql:///postgres?host={database.folder}&user=tester"
    servers = node("postgres", address)
    sql = "select o.id, c.name from orders o join customers c on c.id = o.customer order by o.id"

    async def work() -> None:
        async with over(tmp_path, servers) as case:
            rows = json.loads(await text(case, "postgres", "query", sql=sql))
            assert len(rows) == ROWS
            assert rows[49] == {"id": 50, "name": "customer 1"}
            # It does not end with its input while it holds a connection, but has to with the hub.
            assert backends(database) == 1
        await until(lambda: backends(database) == 0)

    run(work)


def backends(database: Server) -> int:
    """The connections of others to the database."""
    asked = "select count(*) from pg_stat_activity where backend_type = 'client backend'"
    return int(database.run("-At", "-c", asked).stdout) - 1


def test_servers_in_python_of_both_ages_of_the_protocol(tmp_path: Path) -> None:
    repository = tmp_path / "repository"
    subprocess.run(["git", "init", "--quiet", str(repository)], check=True, timeout=60)
    (repository / "new.txt").write_text("new\n")
    servers = (*python("git", "--repository", str(repository)), *python("time"))

    async def work() -> None:
        async with over(tmp_path, servers) as case:
            git, clock = await case.hub.catalogues()
            assert (len(git.tools), len(clock.tools)) == (12, 2)
            status = await text(case, "git", "git_status", repo_path=str(repository))
            assert "new.txt" in status
            given = {"source_timezone": "UTC", "time": "12:00", "target_timezone": "Asia/Tokyo"}
            converted = json.loads(await text(case, "time", "convert_time", **given))
            assert converted["time_difference"] == "+9.0h"

    run(work)
