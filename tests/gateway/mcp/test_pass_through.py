"""Resources, prompts and completions of several servers as if they were one's."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Coroutine, Mapping
from pathlib import Path
from typing import Any, TypeVar

import pytest
from tests.gateway.mcp.hubs import ManualClock

from tokenbudget.gateway.mcp.audit import Audit
from tokenbudget.gateway.mcp.catalogue import catalogue_of
from tokenbudget.gateway.mcp.catalogue_cache import CatalogueCache
from tokenbudget.gateway.mcp.kept_lists import KeptLists
from tokenbudget.gateway.mcp.pass_through import (
    PROMPT_LIST,
    RESOURCE_LIST,
    Nobody,
    PassThrough,
)
from tokenbudget.gateway.mcp.rules import Rules
from tokenbudget.gateway.mcp.server_config import configs_from
from tokenbudget.gateway.mcp.shelf import Shelf
from tokenbudget.gateway.mcp.values import CallFailed

Value = TypeVar("Value")
OFFERS: Any = {"resources": {}, "prompts": {}, "completions": {}, "logging": {}}


def now(work: Coroutine[Any, Any, Value]) -> Value:
    return asyncio.run(work)


class Servers:
    """Answers of two servers by method; remembers who was asked what."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str, Mapping[str, object]]] = []
        self.answers: dict[tuple[str, str], Any] = {}
        self.running: set[str] = set()

    async def request(self, server: str, method: str, params: Mapping[str, object]) -> Any:
        self.asked.append((server, method, params))
        answer = self.answers.get((server, method))
        if callable(answer):
            answer = answer(params)
        if answer is None:
            raise CallFailed(f"{server} says no")
        return answer

    def states(self) -> dict[str, str]:
        return dict.fromkeys(self.running, "running")


class Scene:
    def __init__(self, folder: Path) -> None:
        self.servers = Servers()
        cache = CatalogueCache(str(folder))
        configs = configs_from({"mcpServers": {"a": {"command": "x"}, "b": {"command": "x"}}})
        self.shelf = Shelf(configs, {"a": "f", "b": "f"}, cache, {})
        for name in ("a", "b"):
            self.shelf.learned(catalogue_of(name, {"capabilities": OFFERS}, []))
        self.kept = KeptLists(cache, {"a": "f", "b": "f"})
        self.folder = folder
        self.audit = Audit(str(folder), ManualClock())

    def through(self, *denied: str) -> PassThrough:
        rules, servers = Rules(deny=denied), self.servers
        return PassThrough(servers, self.shelf, self.kept, rules, self.audit)  # type: ignore[arg-type]


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    return Scene(tmp_path)


def test_lists_are_put_together_and_entries_stay_as_they_are(scene: Scene) -> None:
    page = {"resources": [{"uri": "x:1", "unknown": {"field": 1}}, {"no": "uri"}, 7]}
    scene.servers.answers["a", "resources/list"] = page
    scene.servers.answers["b", "resources/list"] = {"resources": [{"uri": "y:1"}]}
    listed = now(scene.through().listed(RESOURCE_LIST))
    assert listed == {"resources": [{"uri": "x:1", "unknown": {"field": 1}}, {"uri": "y:1"}]}


def test_a_server_that_does_not_answer_is_left_out(scene: Scene) -> None:
    scene.servers.answers["b", "resources/list"] = {"resources": [{"uri": "y:1"}]}
    assert now(scene.through().listed(RESOURCE_LIST)) == {"resources": [{"uri": "y:1"}]}


def test_pages_without_end_have_one(scene: Scene) -> None:
    scene.servers.answers["a", "resources/list"] = lambda params: {
        "resources": [{"uri": f"x:{len(scene.servers.asked)}"}], "nextCursor": "again"
    }  # fmt: skip
    listed: Any = now(scene.through().listed(RESOURCE_LIST))["resources"]
    assert len(listed) == 20


def test_a_resource_is_read_where_it_was_listed(scene: Scene) -> None:
    scene.servers.answers["b", "resources/list"] = {"resources": [{"uri": "y:1"}]}
    scene.servers.answers["b", "resources/read"] = {"contents": []}
    through = scene.through()
    now(through.listed(RESOURCE_LIST))
    scene.servers.asked.clear()
    assert now(through.of_resource("resources/read", {"uri": "y:1"})) == {"contents": []}
    assert [server for server, _, _ in scene.servers.asked] == ["b"]


def test_an_address_that_nobody_listed_is_asked_of_those_who_may_have_it(scene: Scene) -> None:
    scene.servers.answers["a", "resources/list"] = {"resources": [{"uri": "x:1"}]}
    templates = {"resourceTemplates": [{"uriTemplate": "z://{id}/rows"}]}
    scene.servers.answers["b", "resources/templates/list"] = templates
    scene.servers.answers["b", "resources/read"] = {"contents": []}
    through = scene.through()
    now(through.of_resource("resources/read", {"uri": "z://9/rows"}))
    now(through.of_resource("resources/read", {"uri": "z://9/rows"}))
    with pytest.raises(CallFailed):
        now(through.of_resource("resources/read", {"uri": "x:2"}))
    asked = [
        (server, params["uri"])
        for server, method, params in scene.servers.asked
        if "read" in method
    ]
    assert asked == [("b", "z://9/rows"), ("b", "z://9/rows"), ("a", "x:2")]
    for uri in ("other:1", 7):
        with pytest.raises(Nobody):
            now(through.of_resource("resources/read", {"uri": uri}))


def test_a_server_that_is_denied_is_not_there(scene: Scene) -> None:
    for server in ("a", "b"):
        scene.servers.answers[server, "resources/list"] = {"resources": [{"uri": f"{server}:1"}]}
        scene.servers.answers[server, "prompts/list"] = {"prompts": [{"name": "greet"}]}
    through = scene.through("b.*")
    assert now(through.listed(RESOURCE_LIST)) == {"resources": [{"uri": "a:1"}]}
    for work in (
        through.of_resource("resources/read", {"uri": "b:1"}),
        through.prompt({"name": "b_greet"}),
    ):
        with pytest.raises(Nobody):
            now(work)
    assert {server for server, _, _ in scene.servers.asked} == {"a"}


def test_what_is_read_is_written_down(scene: Scene) -> None:
    scene.servers.answers["a", "resources/list"] = {"resources": [{"uri": "x:secret"}]}
    scene.servers.answers["a", "resources/read"] = {"contents": []}
    now(scene.through().of_resource("resources/read", {"uri": "x:secret"}))
    row = json.loads((scene.folder / "audit.jsonl").read_text())
    assert (row["event"], row["server"], row["method"], row["outcome"]) == (
        "request", "a", "resources/read", "ok"
    )  # fmt: skip
    assert "x:secret" not in json.dumps(row)


def test_prompts_of_one_name_are_told_apart_by_their_servers(scene: Scene) -> None:
    for server in ("a", "b"):
        scene.servers.answers[server, "prompts/list"] = {"prompts": [{"name": "greet"}]}
        scene.servers.answers[server, "prompts/get"] = lambda params: {"name": params["name"]}
    through = scene.through()
    assert now(through.prompt({"name": "b_greet", "arguments": {"x": "1"}})) == {"name": "greet"}
    assert scene.servers.asked[-1] == (
        "b",
        "prompts/get",
        {"name": "greet", "arguments": {"x": "1"}},
    )
    with pytest.raises(Nobody):
        now(through.prompt({"name": "greet"}))


def test_two_servers_cannot_have_one_name_for_a_prompt(tmp_path: Path) -> None:
    scene = Scene(tmp_path)
    scene.servers.answers["a", "prompts/list"] = {"prompts": [{"name": "x_y"}, {"name": "x_y"}]}
    through = scene.through()
    assert through._named("a_x", {"name": "y"}, PROMPT_LIST)["name"] == "a_x_y"
    assert through._named("a", {"name": "x_y"}, PROMPT_LIST)["name"] == "a_x_y_"


def test_completion_asks_the_server_of_the_prompt_or_the_template(scene: Scene) -> None:
    scene.servers.answers["b", "prompts/list"] = {"prompts": [{"name": "greet"}]}
    templates = {"resourceTemplates": [{"uriTemplate": "y:{x}"}]}
    scene.servers.answers["b", "resources/templates/list"] = templates
    scene.servers.answers["b", "completion/complete"] = {"completion": {}}
    through = scene.through()
    for ref in (
        {"type": "ref/prompt", "name": "b_greet"},
        {"type": "ref/resource", "uri": "y:{x}"},
    ):
        assert now(through.completed({"ref": ref, "argument": {}})) == {"completion": {}}
    asked: Any = [
        params["ref"] for _, method, params in scene.servers.asked if "complete" in method
    ]
    assert asked[0]["name"] == "greet"
    with pytest.raises(Nobody):
        now(through.completed({"ref": 7}))


def test_a_client_that_starts_does_not_start_servers_whose_lists_are_known(scene: Scene) -> None:
    for server in ("a", "b"):
        scene.servers.answers[server, "prompts/list"] = {"prompts": [{"name": "old"}]}
    before = now(scene.through().listed(PROMPT_LIST))
    scene.servers.asked.clear()
    assert now(scene.through().listed(PROMPT_LIST)) == before
    assert scene.servers.asked == []
    scene.servers.running.add("b")
    scene.servers.answers["b", "prompts/list"] = {"prompts": [{"name": "new"}]}
    listed: Any = now(scene.through().listed(PROMPT_LIST))["prompts"]
    assert [one["name"] for one in listed] == ["a_old", "b_new"]


@pytest.mark.parametrize("text", ["", "[]", "{}", "[" * 100_000, '{"format":"x"}'])
def test_a_damaged_list_is_none(scene: Scene, text: str, tmp_path: Path) -> None:
    scene.kept.put("a", "prompts/list", [{"name": "x"}])
    assert scene.kept.get("a", "prompts/list") == [{"name": "x"}]
    for path in tmp_path.glob("*.lists.json"):
        path.write_text(text)
    assert scene.kept.get("a", "prompts/list") is None


def test_a_server_that_is_started_in_another_way_has_other_lists(
    scene: Scene, tmp_path: Path
) -> None:
    scene.kept.put("a", "prompts/list", [{"name": "x"}])
    assert KeptLists(CatalogueCache(str(tmp_path)), {"a": "g"}).get("a", "prompts/list") is None


def test_the_level_of_logs_is_told_to_those_that_run(scene: Scene) -> None:
    scene.servers.running.add("b")
    assert now(scene.through().level_set({"level": "debug"})) == {}
    assert scene.servers.asked == [("b", "logging/setLevel", {"level": "debug"})]
