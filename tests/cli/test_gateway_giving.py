"""`tokens gateway uninstall SERVER`: one server is the client's again, the others stay behind."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tests.cli.gateway_desk import SHARED, Desk

from tokenbudget.app import gateway_record
from tokenbudget.gateway.mcp.taken import taken_for

THREE = """\
{
    "mcpServers": {
        "github": {"command": "npx", "args": ["-y", "gh", "--token=abc"], "x-note": [1,  2]},

        "docs":  { "type": "http", "url": "https://u:p@docs.example/mcp?key=1" },
        "sql" : {"command": "sql"}
    },
    "other": {"kept": true}
}
"""
WAYS = ("--local", "--shared")


def behind(desk: Desk) -> list[str]:
    """The servers that the gateway serves in the project."""
    taken = taken_for(str(desk.data), str(desk.project))
    return list(taken.document["mcpServers"]) if taken else []  # type: ignore[call-overload]


def kept(desk: Desk) -> dict[str, Any]:
    """All that is the person's, and what the gateway serves."""
    taken = taken_for(str(desk.data), str(desk.project))
    return {**desk.everything(), "behind": taken}


@pytest.mark.parametrize("way", WAYS)
def test_one_given_back_is_as_if_it_had_never_been_taken(desk: Desk, way: str) -> None:
    desk.shared.write_text(THREE)
    before = kept(desk)
    desk.home.ask("gateway", "install", way, "github", "sql", "--yes")
    wanted = kept(desk)
    desk.home.ask("gateway", "uninstall", "--yes")
    assert kept(desk) == before

    desk.home.ask("gateway", "install", way, "--yes")
    all_behind = kept(desk)
    done = desk.home.ask("gateway", "uninstall", "docs", "--yes")
    assert (done["is_done"], done["left"], done["faults"]) == (True, ["github", "sql"], [])
    assert kept(desk) == wanted
    assert desk.home.ask("gateway", "status")["is_sound"]

    assert desk.home.run("undo", "--yes").code == 0
    assert kept(desk) == all_behind
    assert desk.home.ask("gateway", "status")["is_sound"]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("is_one_by_one", [True, False])
def test_the_last_one_takes_the_gateway_out(desk: Desk, way: str, is_one_by_one: bool) -> None:
    desk.shared.write_text(THREE)
    before = kept(desk)
    desk.home.ask("gateway", "install", way, "--mode", "sql=direct", "--yes")
    all_behind = kept(desk)
    names = [["docs"], ["sql"], ["github"]] if is_one_by_one else [["docs", "sql", "github"]]
    for some in names:
        assert desk.home.ask("gateway", "uninstall", *some, "--yes")["faults"] == []
    assert kept(desk) == before
    assert "Nothing is behind" in desk.home.run("gateway", "uninstall", "--yes").out
    for _ in names:
        assert desk.home.run("undo", "--yes").code == 0
    assert kept(desk) == all_behind
    desk.home.ask("gateway", "uninstall", "--yes")
    assert kept(desk) == before


@pytest.mark.parametrize("way", WAYS)
def test_the_whole_after_a_part_gives_every_byte_back(desk: Desk, way: str) -> None:
    desk.shared.write_text(THREE)
    before = kept(desk)
    desk.home.ask("gateway", "install", way, "github", "--yes")
    first = kept(desk)
    desk.home.ask("gateway", "install", way, "--yes")
    desk.home.ask("gateway", "uninstall", "docs", "--yes")
    desk.home.ask("gateway", "uninstall", "sql", "--yes")
    assert kept(desk) == first
    desk.home.ask("gateway", "install", way, "sql", "--yes")
    desk.home.ask("gateway", "uninstall", "github", "--yes")
    assert behind(desk) == ["sql"]
    assert desk.home.ask("gateway", "uninstall", "--yes")["faults"] == []
    assert kept(desk) == before
    undone = desk.home.run("undo", "--yes")  # nothing that was given back is taken again
    assert "Nothing is left" in undone.out
    assert kept(desk) == before


@pytest.mark.parametrize("way", WAYS)
def test_what_a_person_wrote_in_between_is_kept(desk: Desk, way: str) -> None:
    desk.shared.write_text(THREE)
    desk.local.parent.mkdir()
    desk.local.write_text('{"mine": 1}\n')
    desk.home.ask("gateway", "install", way, "--yes")
    edit(desk.shared, lambda found: found["mcpServers"].update(new={"command": "n"}))
    edit(desk.local, lambda found: found.update(more=[1]))
    desk.home.ask("gateway", "uninstall", "docs", "--yes")
    shared, mine = json.loads(desk.shared.read_text()), json.loads(desk.local.read_text())
    assert shared["mcpServers"]["docs"] == json.loads(THREE)["mcpServers"]["docs"]
    assert shared["mcpServers"]["new"] == {"command": "n"}
    assert (mine["mine"], mine["more"]) == (1, [1])
    assert behind(desk) == ["github", "sql"]

    edit(desk.shared, lambda found: found.update(later=True))
    edit(desk.local, lambda found: found.update(later=True))
    assert desk.home.run("undo", "--yes").code == 0
    assert behind(desk) == ["github", "docs", "sql"]
    assert desk.home.ask("gateway", "status")["is_sound"]
    shared, mine = json.loads(desk.shared.read_text()), json.loads(desk.local.read_text())
    assert (shared["later"], mine["later"], mine["more"]) == (True, True, [1])
    assert ("docs" in shared["mcpServers"]) == (way == "--local")

    assert desk.home.ask("gateway", "uninstall", "docs", "--yes")["faults"] == []
    assert desk.home.ask("gateway", "uninstall", "--yes")["faults"] == []
    wanted = json.loads(THREE)
    wanted["mcpServers"]["new"] = {"command": "n"}
    assert json.loads(desk.shared.read_text()) == {**wanted, "later": True}
    assert json.loads(desk.local.read_text()) == {"mine": 1, "more": [1], "later": True}
    assert not desk.own()


def edit(path: Path, change: Any) -> None:
    """A person's edit, which formats the whole file anew."""
    found = json.loads(path.read_text())
    change(found)
    path.write_text(json.dumps(found, indent=1))


def test_one_that_somebody_wrote_anew_stays_theirs(desk: Desk) -> None:
    desk.home.ask("gateway", "install", "--shared", "--yes")
    theirs = {"command": "theirs"}
    edit(desk.shared, lambda found: found["mcpServers"].update(github=theirs))
    desk.home.ask("gateway", "uninstall", "docs", "--yes")
    assert json.loads(desk.shared.read_text())["mcpServers"]["github"] == theirs
    desk.home.ask("gateway", "uninstall", "github", "--yes")
    servers = json.loads(desk.shared.read_text())["mcpServers"]
    assert servers == {"github": theirs, "docs": json.loads(SHARED)["mcpServers"]["docs"]}
    assert behind(desk) == []


def test_own_servers_are_given_back_by_the_client(desk: Desk) -> None:
    mine, other = {"type": "stdio", "command": "x", "env": {"K": "s3cret"}}, {"command": "y"}
    desk.state.write_text(json.dumps({"mcpServers": {"mine": mine, "other": other}}))
    before = kept(desk)
    desk.home.ask("gateway", "install", "--scope", "user", "--yes")
    all_behind = kept(desk)
    done = desk.home.run("gateway", "uninstall", "mine", "--yes")  # no other is named so here
    assert (done.code, done.err) == (0, "")
    assert "1 server still behind the gateway" in done.out
    assert set(desk.own("user")) == {"mine", "tokenbudget"}
    assert desk.own("user")["mine"] == mine
    assert behind(desk) == ["other"]
    assert "1 server in the client, 1 server given back" in desk.home.run("undo", "--list").out
    assert desk.home.run("undo", "--yes").code == 0
    assert kept(desk) == all_behind

    desk.home.ask("gateway", "uninstall", "other", "--scope", "user", "--yes")
    desk.home.ask("gateway", "uninstall", "mine", "--yes")
    assert kept(desk) == before
    ledger = Path(desk.data / "ledger.db").read_text(errors="replace")
    assert "s3cret" not in ledger + (desk.bin / "calls").read_text()


def test_no_word_of_a_definition_is_in_the_journal(desk: Desk) -> None:
    desk.home.ask("gateway", "install", "--shared", "--yes")
    desk.home.ask("gateway", "uninstall", "github", "--yes")
    assert "abc" not in desk.home.run("undo", "--dry-run").out
    desk.home.run("undo", "--yes")
    assert "abc" not in Path(desk.data / "ledger.db").read_text(errors="replace")


def test_an_unknown_name_is_refused_and_the_known_are_told(desk: Desk) -> None:
    desk.state.write_text(json.dumps({"mcpServers": {"mine": {"command": "x"}}}))
    desk.home.ask("gateway", "install", "--yes")
    desk.home.ask("gateway", "install", "--scope", "user", "--yes")
    before = kept(desk)
    done = desk.home.run("gateway", "uninstall", "gihub", "--yes")
    assert done.code == 2
    assert "did you mean 'github'?" in done.err
    assert "there are github, docs" in done.err
    done = desk.home.run("gateway", "uninstall", "docs", "mine", "--yes")
    assert (done.code, "--scope user" in done.err) == (2, True)
    done = desk.home.run("gateway", "uninstall", "docs", "--scope", "user", "--yes")
    assert (done.code, "there are mine" in done.err) == (2, True)
    assert desk.home.run("gateway", "install", "gihub", "--yes").code == 2
    assert kept(desk) == before


def test_nothing_is_done_unasked(desk: Desk) -> None:
    desk.home.ask("gateway", "install", "--yes")
    before = kept(desk)
    dry = desk.home.run("gateway", "uninstall", "docs", "--dry-run")
    assert (dry.code, "The client gets back: docs." in dry.out) == (0, True)
    assert "Behind the gateway: github." in dry.out
    assert desk.home.ask("gateway", "uninstall", "docs", "--dry-run")["left"] == ["github"]
    assert desk.home.run("gateway", "uninstall", "docs").code == 4
    assert kept(desk) == before


def test_where_the_client_fails_everything_is_as_before(desk: Desk) -> None:
    desk.state.write_text(
        json.dumps({"mcpServers": {"a": {"command": "x"}, "b": {"command": "y"}}})
    )
    desk.home.ask("gateway", "install", "--scope", "user", "--yes")
    before = kept(desk)
    (desk.bin / "BROKEN").touch()
    done = desk.home.run("gateway", "uninstall", "a", "--yes")
    assert (done.code, "ended with 1" in done.out) == (1, True)
    assert kept(desk) == before
    (desk.bin / "BROKEN").unlink()
    assert desk.home.ask("gateway", "uninstall", "a", "--yes")["is_done"]


@pytest.mark.parametrize("way", WAYS)
def test_a_lost_journal_takes_no_server_with_it(desk: Desk, way: str) -> None:
    desk.shared.write_text(THREE)
    desk.home.ask("gateway", "install", way, "--yes")
    for path in desk.data.glob("ledger.db*"):
        path.unlink()
    for name in ("docs", "github", "sql"):
        assert desk.home.ask("gateway", "uninstall", name, "--yes")["faults"] == []
    assert json.loads(desk.shared.read_text()) == json.loads(THREE)
    assert not desk.local.exists() or json.loads(desk.local.read_text()) == {}
    assert desk.own() == {}


def test_the_whole_after_a_part_of_which_the_journal_knows_half(desk: Desk) -> None:
    way = "--shared"
    desk.shared.write_text(THREE)
    desk.home.ask("gateway", "install", way, "docs", "github", "--yes")
    for path in desk.data.glob("ledger.db*"):
        path.unlink()
    desk.home.ask("gateway", "uninstall", "docs", "--yes")
    desk.home.ask("gateway", "install", way, "sql", "--yes")
    desk.home.ask("gateway", "uninstall", "sql", "--yes")
    assert behind(desk) == ["github"]
    assert desk.home.ask("gateway", "uninstall", "--yes")["faults"] == []
    assert json.loads(desk.shared.read_text()) == json.loads(THREE)
    assert desk.own() == {}


def test_one_that_the_person_had_switched_off_stays_so(desk: Desk) -> None:
    desk.local.parent.mkdir()
    desk.local.write_text('{"disabledMcpjsonServers": ["github"]}')
    before = kept(desk)
    desk.home.ask("gateway", "install", "github", "--yes")
    desk.home.ask("gateway", "install", "docs", "--yes")
    desk.home.ask("gateway", "uninstall", "github", "--yes")
    assert json.loads(desk.local.read_text()) == {"disabledMcpjsonServers": ["github", "docs"]}
    desk.home.ask("gateway", "uninstall", "docs", "--yes")
    assert kept(desk) == before


def test_an_installation_taken_back_closes_what_was_given_of_it(desk: Desk) -> None:
    before = kept(desk)
    action = desk.home.ask("gateway", "install", "--shared", "--yes")["action"]
    desk.home.ask("gateway", "uninstall", "docs", "--yes")
    assert desk.home.run("undo", str(action), "--yes").code == 0
    assert json.loads(desk.shared.read_text()) == json.loads(SHARED)
    assert kept(desk)["behind"] is None
    assert "Nothing is left" in desk.home.run("undo", "--yes").out
    assert before["user"] == desk.own("user")


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("names", [("docs",), ("docs", "github")])
@pytest.mark.parametrize("again", ["named", "all", "undo"])
def test_what_was_interrupted_goes_on(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, way: str, names: tuple[str, ...], again: str
) -> None:
    before = kept(desk)
    desk.home.ask("gateway", "install", way, "--yes")
    behind_all = kept(desk)

    def stopped(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(gateway_record, "put_back", stopped)
        assert desk.home.run("gateway", "uninstall", *names, "--yes").code != 0
    assert behind(desk) == ["github", "docs"]  # and the client has what was given back already
    if again == "undo":
        assert desk.home.run("undo", "--yes").code == 0
        assert kept(desk) == behind_all
        return
    if again == "named":
        assert desk.home.ask("gateway", "uninstall", *names, "--yes")["faults"] == []
    if again == "all" or len(names) == 1:
        assert desk.home.ask("gateway", "uninstall", "--yes")["faults"] == []
    assert kept(desk) == before
