"""A conversation in this process: what is answered from memory, at once and truthfully."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.gateway.mcp.gateways import SOURCE, Place, talking
from tests.gateway.mcp.hubs import ManualClock
from tests.hostile import PAYLOADS

from tokenbudget.gateway.mcp.audit import Audit
from tokenbudget.gateway.mcp.catalogue import catalogue_of
from tokenbudget.gateway.mcp.catalogue_cache import CatalogueCache
from tokenbudget.gateway.mcp.client import Message
from tokenbudget.gateway.mcp.engine import Engine
from tokenbudget.gateway.mcp.front import Front
from tokenbudget.gateway.mcp.front_answers import VERSIONS, Desk, Skills
from tokenbudget.gateway.mcp.front_lists import compact, listed_tool
from tokenbudget.gateway.mcp.front_tools import instructions, static_tools
from tokenbudget.gateway.mcp.server_config import configs_from
from tokenbudget.gateway.mcp.shelf import Shelf
from tokenbudget.gateway.mcp.values import Tool
from tokenbudget.metering.tokenizer import BytePairCounter

FIVE = ["gitlab-zereight", "google-workspace", "atlassian", "notion", "sentry"]
MOST_STATIC_TOKENS = 450
ISSUE_SCHEMA = {
    "type": "object",
    "properties": {"title": {"type": "string"}, "project": {"type": "integer"}},
    "required": ["title"],
}
TOOLS: list[object] = [
    {"name": "create_issue", "description": "Create an issue.", "inputSchema": ISSUE_SCHEMA},
    {"name": "list_projects", "description": "List projects.", "inputSchema": {"type": "object"}},
]


def refuse() -> Any:
    raise AssertionError("nothing of this needs the loop")


class Room:
    """One front over known catalogues, and all that it said."""

    def __init__(
        self,
        folder: Path,
        tools: Mapping[str, list[object]],
        modes: Mapping[str, Any] | None = None,
        skills: Skills | None = None,
    ) -> None:
        servers = {name: {"command": "false"} for name in tools}
        configs = configs_from({"mcpServers": servers}, modes or {})
        cache = CatalogueCache(str(folder / "catalogues"))
        for name, listed in tools.items():
            cache.put(catalogue_of(name, {}, listed), "f")
        shelf = Shelf(configs, dict.fromkeys(tools, "f"), cache, {})
        desk = Desk(shelf, Audit(str(folder), ManualClock()), "1.0", 10, skills)
        self.said: list[Message] = []
        self.engine = Engine(refuse)
        self.front = Front(desk, self.engine, self._said)

    def _said(self, message: Message) -> bool:
        self.said.append(json.loads(json.dumps(message)))
        return True

    def asked(self, method: str, **params: Any) -> Any:
        self.said.clear()
        self.front.take({"jsonrpc": "2.0", "id": 1, "method": method, "params": params})
        return self.said[0].get("result", self.said[0].get("error"))

    def call(self, name: str, /, **arguments: Any) -> tuple[str, bool]:
        result = self.asked("tools/call", name=name, arguments=arguments)
        return result["content"][0]["text"], result["isError"]


@pytest.fixture
def room(tmp_path: Path) -> Room:
    return Room(tmp_path, {"gitlab": TOOLS})


def test_what_stands_in_every_request_costs_less_than_its_limit() -> None:
    api = [
        {
            "name": f"mcp__tokenbudget__{tool['name']}",
            "description": tool["description"],
            "input_schema": tool["inputSchema"],
        }
        for tool in static_tools(has_skills=True)
    ]
    text = json.dumps(api, ensure_ascii=False, separators=(",", ":"))
    count = BytePairCounter().count
    assert count(text) + count(instructions(FIVE)) <= MOST_STATIC_TOKENS


def test_many_servers_do_not_make_the_instructions_long() -> None:
    said = instructions([f"a-server-with-a-rather-long-name-{n}" for n in range(500)])
    assert BytePairCounter().count(said) < 350
    assert "and 484 more" in said


@pytest.mark.parametrize("payload", PAYLOADS.values(), ids=list(PAYLOADS))
def test_names_of_servers_cannot_speak_in_our_name(payload: str) -> None:
    said = instructions([payload])
    assert said.isprintable()
    assert len(said) < 400


@pytest.mark.parametrize(
    ("wanted", "got"), [*zip(VERSIONS, VERSIONS, strict=True), ("2031-01-01", VERSIONS[-1]),
                        (7, VERSIONS[-1]), (None, VERSIONS[-1])]
)  # fmt: skip
def test_the_version_is_the_clients_where_it_is_known(room: Room, wanted: object, got: str) -> None:
    assert room.asked("initialize", protocolVersion=wanted)["protocolVersion"] == got


def test_what_no_server_has_is_not_offered(room: Room) -> None:
    assert room.asked("initialize")["capabilities"] == {"tools": {"listChanged": True}}


def test_the_client_is_not_to_put_our_tools_off(room: Room) -> None:
    tools = room.asked("tools/list")["tools"]
    assert [tool["_meta"] for tool in tools] == [{"anthropic/alwaysLoad": True}] * 3


def test_finding_and_describing_need_no_server(room: Room) -> None:
    text, _ = room.call("find_tools", task="make an issue")
    assert text.startswith("gitlab_create_issue(title, …) — Create an issue")
    text, _ = room.call("describe_tools", names=["mcp__gitlab__create_issue", "gitlab_create_isue"])
    assert text.startswith("gitlab_create_issue(title: str")
    assert text.endswith("no tool is called gitlab_create_isue; near: gitlab_create_issue")
    assert not room.engine.is_started or room.front.wait(1)


@pytest.mark.parametrize(
    "names",
    [["gitlab_create_issue"], "gitlab_create_issue", "gitlab_create_issue, gitlab_list_projects",
     ["gitlab_create_issue", "gitlab.create_issue"]],
)  # fmt: skip
def test_names_are_taken_however_they_are_given(room: Room, names: object) -> None:
    text, is_error = room.call("describe_tools", names=names)
    assert not is_error
    assert text.count("gitlab_create_issue(") == 1


@pytest.mark.parametrize("limit", [1, "1", 1.0, -5, float("-inf")])
def test_a_limit_is_taken_however_it_is_given(room: Room, limit: object) -> None:
    text, _ = room.call("find_tools", task="issue projects list create", limit=limit)
    assert len([line for line in text.splitlines() if line.startswith("gitlab_")]) == 1


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("find_tools", {}), ("find_tools", {"task": 7}), ("find_tools", {"task": [" "]}),
        ("describe_tools", {}), ("describe_tools", {"names": {}}), ("run_code", {}),
        ("run_code", {"code": ["1"]}), ("run_code", {"code": " "}), ("nothing", {}),
        ("run_code", {"code": "x" * 2_000_000}), ("load_skill", {"name": "x"}),
    ],
)  # fmt: skip
def test_a_wrong_call_is_told_what_it_needs(room: Room, name: str, arguments: Any) -> None:
    text, is_error = room.call(name, **arguments)
    assert is_error
    assert len(text) < 200


def test_skills_are_two_more_tools_where_they_are_wanted(tmp_path: Path) -> None:
    skills = Skills(lambda task: f"found for {task}", lambda name, file: f"{name}/{file}")
    room = Room(tmp_path, {"gitlab": TOOLS}, skills=skills)
    assert len(room.asked("tools/list")["tools"]) == 5
    assert room.call("find_skills", task="a") == ("found for a", False)
    assert room.call("load_skill", name="s", reference="f.md") == ("s/f.md", False)


# ── modes ─────────────────────────────────────────────────────────────────────────────────────────


def test_tools_of_compact_and_direct_servers_are_listed_beside(tmp_path: Path) -> None:
    modes = {"gitlab": "compact", "jira": "direct"}
    room = Room(tmp_path, {"gitlab": TOOLS, "jira": TOOLS, "hidden": TOOLS}, modes)
    names = [tool["name"] for tool in room.asked("tools/list")["tools"]][3:]
    assert names == [
        f"{s}_{t}" for s in ("gitlab", "jira") for t in ("create_issue", "list_projects")
    ]


def test_a_compact_schema_takes_the_same_calls_in_fewer_words() -> None:
    schema = {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "Arguments",
        "type": "object",
        "properties": {
            "title": {"type": "string", "title": "Title", "description": "The title. More. " * 50},
            "description": {"type": "string", "examples": ["x"], "default": "y" * 100},
            "kind": {"enum": ["a", "b"], "default": "a"},
            "tree": {"$ref": "#/$defs/node"},
        },
        "required": ["title"],
        "$defs": {"node": {"type": "array", "items": {"$ref": "#/$defs/node"}}},
    }
    assert compact(schema) == {
        "type": "object",
        "properties": {
            "title": {"type": "string", "description": "The title"},
            "description": {"type": "string"},
            "kind": {"enum": ["a", "b"], "default": "a"},
            "tree": {"$ref": "#/$defs/node"},
        },
        "required": ["title"],
        "$defs": {"node": {"type": "array", "items": {"$ref": "#/$defs/node"}}},
    }


def test_a_direct_tool_is_listed_as_its_server_lists_it_but_for_its_output() -> None:
    tool = Tool("s", "t", "Title", "Text. More.", ISSUE_SCHEMA, {"type": "object"}, {"a": 1})
    assert listed_tool(tool, "s_t", "direct") == {
        "name": "s_t", "title": "Title", "description": "Text. More.", "inputSchema": ISSUE_SCHEMA,
        "annotations": {"a": 1},
    }  # fmt: skip
    assert listed_tool(tool._replace(input_schema={}), "s_t", "compact")["inputSchema"] == {
        "type": "object"
    }


# ── whatever comes ────────────────────────────────────────────────────────────────────────────────

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4)
    ),
    max_leaves=8,
)
METHODS = st.sampled_from(
    ["initialize", "ping", "tools/list", "tools/call", "notifications/cancelled", "notifications/x",
     "server/discover", "x"]
)  # fmt: skip
NAMES = st.sampled_from(["find_tools", "describe_tools", "nothing"])
CALLS = st.fixed_dictionaries({"name": NAMES, "arguments": JSON})


@settings(max_examples=200, deadline=None)
@given(
    message=JSON | st.fixed_dictionaries({"method": METHODS, "id": JSON, "params": JSON | CALLS})
)
def test_any_message_is_answered_once_or_needs_no_answer(
    tmp_path_factory: pytest.TempPathFactory, message: Any
) -> None:
    room = _shared_room(tmp_path_factory)
    room.said.clear()
    room.front.take(message)
    assert len(room.said) <= 1
    is_request = isinstance(message, dict) and isinstance(message.get("method"), str)
    if is_request and "id" in message:
        assert len(room.said) == 1
    room.said.clear()
    assert room.asked("ping") == {}


_rooms: list[Room] = []


def _shared_room(factory: pytest.TempPathFactory) -> Room:
    if not _rooms:
        room = Room(factory.mktemp("room"), {"gitlab": TOOLS})
        room.front._is_prepared = True
        _rooms.append(room)
    return _rooms[0]


def test_a_fault_of_ours_is_told_and_the_conversation_goes_on(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    def breaks(*_: object) -> str:
        raise ZeroDivisionError("somewhere")

    monkeypatch.setattr("tokenbudget.gateway.mcp.front_answers.told", breaks)
    error = room.asked("tools/call", name="find_tools", arguments={"task": "x"})
    assert error["code"] == -32603
    assert "ZeroDivisionError" in error["message"]
    assert room.asked("ping") == {}


def test_a_loop_that_cannot_start_is_told(room: Room) -> None:
    error = room.asked("tools/call", name="run_code", arguments={"code": "1"})
    assert error["code"] == -32603
    assert "nothing of this needs the loop" in error["message"]
    assert room.call("find_tools", task="issue")[1] is False


# ── the start ─────────────────────────────────────────────────────────────────────────────────────

LATER = (
    "asyncio mcp pydantic pydantic_monty splintr sqlite3 argparse subprocess http ssl"
    " tokenbudget.app tokenbudget.ledger"
)
_LOOK = """
import json, sys
from tokenbudget.cli import main
from tokenbudget.gateway.mcp import stdio_door
seen = []
def send(self, message):
    seen.append(message)
    if message["id"] == 2:
        print(json.dumps(sorted(sys.modules)), file=sys.stderr)
    return True
stdio_door.StdioDoor.send = send
sys.exit(main(sys.argv[1:]))
"""


def test_the_first_search_is_answered_before_anything_heavy_is_imported(tmp_path: Path) -> None:
    place = Place(tmp_path)
    with talking(place) as talk:
        talk.call("find_tools", task="notes")  # fills the cache
    messages = [
        {"id": 1, "method": "initialize", "params": {}},
        {"method": "notifications/initialized"},
        {"id": 2, "method": "tools/call",
         "params": {"name": "find_tools", "arguments": {"task": "read a note"}}},
    ]  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-P", "-c", _LOOK, "gateway", "--config", str(place.config)],
        input="\n".join(json.dumps(one) for one in messages),
        capture_output=True,
        text=True,
        env=place.environment | {"PYTHONPATH": str(SOURCE)},
        timeout=20,
        check=True,
    )
    loaded = set(json.loads(done.stderr))
    assert "tokenbudget.gateway.mcp.finding" in loaded
    assert loaded.isdisjoint(LATER.split())
