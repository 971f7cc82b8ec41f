"""The person's own servers, changed by the client's own command alone."""

import json
from pathlib import Path

import pytest
from tests.stand_in_client import stand_in_client

from tokenbudget.model.actions import ClientServer, Outcome
from tokenbudget.model.errors import ProjectUnusable, Refused, TokenBudgetError
from tokenbudget.resources.client_servers import (
    ClientProgram,
    ClientServers,
    dropped_words,
    own_servers,
)
from tokenbudget.system.kept import Kept

MINE = {"command": "x", "env": {"K": "${V}"}}
DONE = Outcome("done", "")


class Shop:
    def __init__(self, top: Path, version: str = "2.1.329") -> None:
        self.state = top / "cc" / ".claude.json"
        self.state.parent.mkdir()
        self.folder = top
        self.bin = top / "bin"
        path = stand_in_client(self.bin, version)
        environment = {"PATH": "/usr/bin:/bin", "CLAUDE_CONFIG_DIR": str(top / "cc")}
        self.kept = Kept(str(top / "data"))
        client = ClientProgram(str(path), version, environment, str(self.state))
        self.servers = ClientServers(client, self.kept)

    def step(self, change: str, definition: object = MINE, name: str = "mine") -> ClientServer:
        sha256 = self.kept.put(json.dumps(definition).encode())
        return ClientServer(str(self.folder), "user", name, sha256, change)

    def write(self, **servers: object) -> None:
        self.state.write_text(json.dumps({"mcpServers": servers}))

    def there(self) -> object:
        return own_servers(str(self.state), "user", "").get("mine")

    def calls(self) -> str:
        path = self.bin / "calls"
        return path.read_text() if path.exists() else ""


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return Shop(tmp_path)


def test_added_and_taken_back(shop: Shop) -> None:
    step = shop.step("add")
    assert shop.servers.apply(step).state == "done"
    assert (shop.there(), shop.servers.verify(step, DONE)) == (MINE, "")
    assert shop.servers.look(step, DONE).state == "done"
    assert shop.servers.apply(step).state == "unchanged"
    assert shop.servers.foresee(step, DONE).state == "undone"
    assert shop.there() == MINE
    assert shop.servers.revert(step, DONE).state == "undone"
    assert shop.there() is None
    assert shop.servers.revert(step, DONE).state == "undone"


def test_removed_and_given_back(shop: Shop) -> None:
    shop.write(mine=MINE, other={})
    step = shop.step("remove")
    assert shop.servers.apply(step).state == "done"
    assert shop.there() is None
    assert shop.servers.revert(step, DONE).state == "undone"
    assert shop.there() == MINE


def test_what_somebody_changed_is_theirs(shop: Shop) -> None:
    shop.write(mine={"command": "theirs"})
    with pytest.raises(Refused, match="was changed"):
        shop.servers.apply(shop.step("remove"))
    with pytest.raises(Refused, match="another server"):
        shop.servers.apply(shop.step("add"))
    for change in ("add", "remove"):
        assert shop.servers.revert(shop.step(change), DONE).state == "conflict"
    assert shop.there() == {"command": "theirs"}


def test_what_the_client_leaves_out_is_said_and_no_conflict(shop: Shop) -> None:
    step = shop.step("add", {**MINE, "unknownField": 1})
    assert "unknownField" in shop.servers.apply(step).message
    assert shop.servers.revert(step, DONE).state == "undone"
    assert dropped_words({"a": 1}, {"a": 1}) == ""


def test_a_definition_stays_out_of_the_list_of_processes_where_that_can_be(
    shop: Shop, tmp_path: Path
) -> None:
    shop.servers.apply(shop.step("add"))
    assert "${V}" not in shop.calls()
    (tmp_path / "old").mkdir()
    old = Shop(tmp_path / "old", "2.1.270")
    old.servers.apply(old.step("add"))
    assert "${V}" in old.calls()
    assert old.there() == MINE


def test_failures_are_sentences_without_what_the_client_said(shop: Shop) -> None:
    (shop.bin / "BROKEN").touch()
    with pytest.raises(ProjectUnusable) as failed:
        shop.servers.apply(shop.step("add"))
    assert "hunter2" not in str(failed.value)
    with pytest.raises(TokenBudgetError):
        shop.servers.apply(shop.step("add", name="-s"))
    with pytest.raises(TokenBudgetError):
        shop.servers.apply(shop.step("add")._replace(scope="project"))
    assert ClientServers(None, shop.kept).hands().apply is not None
    with pytest.raises(ProjectUnusable, match="no claude"):
        ClientServers(None, shop.kept).apply(shop.step("add"))


@pytest.mark.parametrize(
    "text", ["", "[]", "{", '{"mcpServers": 3}', '{"projects": []}', "[" * 9999]
)
def test_a_state_that_cannot_be_read_has_no_servers(shop: Shop, text: str) -> None:
    shop.state.write_text(text)
    assert own_servers(str(shop.state), "user", "") == {}
    assert own_servers(str(shop.state), "local", "/x") == {}
