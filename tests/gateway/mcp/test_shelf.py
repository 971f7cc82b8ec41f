"""What is known of tools, and what is truthfully said of servers whose tools are not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tokenbudget.gateway.mcp.catalogue import catalogue_of
from tokenbudget.gateway.mcp.catalogue_cache import CatalogueCache
from tokenbudget.gateway.mcp.missing_servers import MissingServers
from tokenbudget.gateway.mcp.server_config import configs_from
from tokenbudget.gateway.mcp.shelf import Known, Shelf
from tokenbudget.gateway.mcp.values import Catalogue

TOOL = {"name": "go", "description": "Goes.", "inputSchema": {"type": "object"}}


def catalogue(server: str, *names: str) -> Catalogue:
    said: Any = {"capabilities": {"prompts": {}}}
    return catalogue_of(server, said, [{**TOOL, "name": name} for name in names])


@pytest.fixture
def cache(tmp_path: Path) -> CatalogueCache:
    return CatalogueCache(str(tmp_path))


def shelf_of(cache: CatalogueCache, servers: Any, modes: Any = None) -> Shelf:
    configs = configs_from({"mcpServers": servers}, modes or {})
    return Shelf(configs, dict.fromkeys(servers, "f"), cache, {})


def test_what_is_cached_is_known_and_the_rest_is_waited_for(cache: CatalogueCache) -> None:
    cache.put(catalogue("a", "go"), "f")
    cache.put(catalogue("b", "go"), "another way to start it")
    shelf = shelf_of(cache, {"a": {"command": "x"}, "b": {"command": "x"}, "c": {"command": 7}})
    assert [tool.server for tool in shelf.known.directory.tools] == ["a"]
    assert shelf.known.waiting == ("b",)
    said = told_missing(shelf.known, len(shelf.configs)).splitlines()
    assert said[0].startswith("1 of 3 servers is still starting (b)")
    assert said[1].startswith("c cannot be used: ")


def test_what_a_server_lists_is_found_from_then_on(cache: CatalogueCache) -> None:
    shelf = shelf_of(cache, {"a": {"command": "x"}})
    before = shelf.finder()
    assert shelf.learned(catalogue("a", "go"))
    assert not shelf.learned(catalogue("a", "go"))
    known, finder = shelf.finder()
    assert known is not before[0]
    assert [row.alias for row in finder.find(["go"], 5).rows] == ["a_go"]
    assert shelf.finder()[1] is finder
    assert told_missing(shelf.known, 1) == ""
    assert shelf.offering("prompts") == ["a"]


def test_a_server_that_failed_and_came_back_is_no_trouble_any_more(cache: CatalogueCache) -> None:
    shelf = shelf_of(cache, {"a": {"command": "x"}})
    shelf.failed("a", "it ended at once\nwith words of its own [~ 1]")
    said = told_missing(shelf.known, 1)
    assert said == "a cannot be used: it ended at once with words of its own [ ~ 1]"
    assert shelf.known.waiting == ()
    assert shelf.learned(catalogue("a"))
    assert told_missing(shelf.known, 1) == ""


def test_a_server_whose_tools_are_known_is_not_complained_of(cache: CatalogueCache) -> None:
    cache.put(catalogue("a", "go"), "f")
    shelf = shelf_of(cache, {"a": {"command": "x"}})
    shelf.failed("a", "it broke down")
    assert told_missing(shelf.known, 1) == ""
    assert len(shelf.known.directory.tools) == 1


def told_missing(known: Known, servers: int) -> str:
    """What a client is told that was told nothing before."""
    return MissingServers().words(known, servers)


def test_many_missing_servers_are_told_in_few_words(cache: CatalogueCache) -> None:
    shelf = shelf_of(cache, {f"server-{n}": {"command": "x"} for n in range(150)})
    assert len(told_missing(shelf.known, 150)) < 250
    for number in range(150):
        shelf.failed(f"server-{number}", "no " * 500)
    assert len(told_missing(shelf.known, 150)) < 1_200


def test_a_listed_server_that_is_not_known_yet_is_waited_for(cache: CatalogueCache) -> None:
    servers = {"a": {"command": "x"}, "b": {"command": "x"}}
    assert shelf_of(cache, servers, {"a": "direct"}).is_waiting_to_list()
    assert not shelf_of(cache, servers).is_waiting_to_list()


def test_a_tool_that_is_gone_has_no_name(cache: CatalogueCache) -> None:
    shelf = shelf_of(cache, {"a": {"command": "x"}})
    shelf.learned(catalogue("a", "go"))
    tool = shelf.known.directory.tools[0]
    assert shelf.alias_of(tool) == "a_go"
    shelf.learned(catalogue("a", "other"))
    assert shelf.alias_of(tool) == ""
