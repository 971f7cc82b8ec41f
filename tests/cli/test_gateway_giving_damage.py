"""Servers are given back beside what editors do to files, and beside what was lost or damaged."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.cli.gateway_desk import SHARED, Desk
from tests.cli.test_gateway_giving import THREE, behind, kept

WAYS = ("--local", "--shared")
NAMES = ("github", "docs")


def lose_journal(desk: Desk) -> None:
    for path in desk.data.glob("ledger.db*"):
        path.unlink()


def lose_copies(desk: Desk) -> None:
    for path in (desk.data / "kept").iterdir():
        path.unlink()


def started_by_client(desk: Desk) -> set[str]:
    """The servers that the client starts by itself."""
    said = json.loads(desk.local.read_text(encoding="utf-8-sig")) if desk.local.exists() else {}
    servers = json.loads(desk.shared.read_text(encoding="utf-8-sig"))["mcpServers"]
    return set(servers) - set(said.get("disabledMcpjsonServers", [])) - {"tokenbudget"}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("mark", ["", "\ufeff"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("since", ["nothing", "edited", "journal lost"])
def test_marks_and_line_ends_of_an_editor_stay(
    desk: Desk, way: str, mark: str, end: str, since: str
) -> None:
    desk.shared.write_bytes((mark + THREE.replace("\n", end)).encode())
    before = kept(desk)
    desk.home.ask("gateway", "install", way, "--yes")
    if since == "edited":
        text = desk.shared.read_bytes().replace(b'"other"', b'"mine": 7, "other"')
        desk.shared.write_bytes(text)
    if since == "journal lost":
        lose_journal(desk)
    assert desk.home.ask("gateway", "uninstall", "docs", "--yes")["faults"] == []
    assert behind(desk) == ["github", "sql"]
    assert desk.home.ask("gateway", "uninstall", "--yes")["faults"] == []
    now = json.loads(desk.shared.read_text(encoding="utf-8-sig"))
    assert {name: now[name] for name in now if name != "mine"} == json.loads(THREE)
    assert desk.shared.read_bytes().startswith(mark.encode())
    assert since != "nothing" or kept(desk) == before


@pytest.mark.parametrize("names", [("docs",), NAMES, ()])
@pytest.mark.parametrize("way", WAYS)
def test_without_the_copies_of_before_none_stays_switched_off(
    desk: Desk, way: str, names: tuple[str, ...]
) -> None:
    desk.local.parent.mkdir()
    desk.local.write_text('{"x": 1}')
    desk.home.ask("gateway", "install", way, "--yes")
    lose_copies(desk)
    assert desk.home.ask("gateway", "uninstall", *names, "--yes")["faults"] == []
    assert started_by_client(desk) == set(names or NAMES)
    assert json.loads(desk.local.read_text())["x"] == 1


@pytest.mark.parametrize("is_lost", [False, True])
@pytest.mark.parametrize("damage", [b"{", b"\xff", b"[]"])
def test_in_damaged_settings_nothing_is_called_given_back(
    desk: Desk, damage: bytes, is_lost: bool
) -> None:
    desk.home.ask("gateway", "install", "--yes")
    whole = desk.local.read_bytes()
    if is_lost:
        lose_journal(desk)
    desk.local.write_bytes(damage)
    done = desk.home.run("gateway", "uninstall", "docs", "--yes")
    assert (done.code, "settings.local.json" in done.err) == (4, True)
    assert (behind(desk), desk.local.read_bytes()) == (list(NAMES), damage)
    desk.local.write_bytes(whole)
    assert desk.home.ask("gateway", "uninstall", "docs", "--yes")["faults"] == []
    assert started_by_client(desk) == {"docs"}


@pytest.mark.parametrize("damage", ["{", '{"mcpServers": []}', "// c\n{}", "\xff"])
def test_from_a_damaged_shared_file_nothing_leaves_the_gateway(desk: Desk, damage: str) -> None:
    desk.home.ask("gateway", "install", "--shared", "--yes")
    whole = desk.shared.read_bytes()
    desk.shared.write_bytes(damage.encode("latin-1"))
    done = desk.home.run("gateway", "uninstall", "docs", "--yes")
    assert (done.code in (3, 4), ".mcp.json" in done.err) == (True, True)
    assert behind(desk) == list(NAMES)
    desk.shared.write_bytes(whole)
    assert desk.home.ask("gateway", "uninstall", "--yes")["faults"] == []
    assert desk.shared.read_text() == SHARED


@pytest.mark.parametrize("is_gone", [True, False])
def test_to_a_file_that_was_removed_one_server_comes_back(desk: Desk, is_gone: bool) -> None:
    desk.home.ask("gateway", "install", "--shared", "--yes")
    desk.shared.unlink() if is_gone else desk.shared.write_text("")
    assert desk.home.ask("gateway", "uninstall", "docs", "--yes")["faults"] == []
    docs = json.loads(SHARED)["mcpServers"]["docs"]
    assert json.loads(desk.shared.read_text()) == {"mcpServers": {"docs": docs}}
    assert behind(desk) == ["github"]


@pytest.mark.parametrize("way", [*WAYS, "user"])
def test_what_brought_the_gateway_is_not_taken_from_under_others(desk: Desk, way: str) -> None:
    desk.state.write_text(json.dumps({"mcpServers": {name: {"command": "x"} for name in NAMES}}))
    before = kept(desk)
    where = ("--scope", "user") if way == "user" else (way,)
    first = desk.home.ask("gateway", "install", *where, "github", "--yes")["action"]
    one = kept(desk)
    second = desk.home.ask("gateway", "install", *where, "docs", "--yes")["action"]
    both = kept(desk)
    for more in ("--yes", "--dry-run"):
        done = desk.home.run("undo", str(first), more)
        assert (done.code, f"first tokens undo {second}" in done.err) == (4, True)
    assert kept(desk) == both
    assert desk.home.run("undo", str(second), "--yes").code == 0
    assert kept(desk) == one
    assert desk.home.run("undo", str(first), "--yes").code == 0
    assert kept(desk) == before


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    "name", ["\x1b[2J\u202e", "x" * 10_000, "../../etc", "-rf", "--scope", "a\nb", "__proto__"]
)
def test_hostile_names_come_back_and_secrets_go_nowhere(desk: Desk, way: str, name: str) -> None:
    stays = {"type": "http", "url": "http://x/", "headers": {"A": "s3cret2"}}
    servers = {
        name: {"command": "a", "args": ["--key=s3cret1"], "env": {"K": "s3cret3"}},
        "docs": stays,
    }
    desk.shared.write_text(json.dumps({"mcpServers": servers}))
    before = kept(desk)
    said = [desk.home.run("gateway", "install", way, "--yes")]
    is_taken = name in behind(desk)
    alone = ["--", name] if is_taken else ["docs"]
    said += [
        desk.home.run(*arguments)
        for arguments in (
            ("gateway", "uninstall", "--dry-run", *alone),
            ("gateway", "uninstall", "--dry-run", "--json", *alone),
            ("gateway", "uninstall", "--yes", *alone),
            ("undo", "--list"),
            ("undo", "--list", "--json"),
            ("undo", "--dry-run"),
            ("undo", "--yes"),
            ("doctor", "--wiring"),
            ("gateway", "uninstall", "--yes"),
        )
    ]
    assert [done.code for done in said] == [0] * len(said)
    assert kept(desk) == before
    words = "".join(done.out + done.err for done in said)
    assert not {"\x1b", "\u202e"} & set(words)
    files = [*desk.data.glob("ledger.db*"), desk.bin / "calls"]
    written = b"".join(Path(path).read_bytes() for path in files if path.exists())
    assert "s3cret" not in words
    assert b"s3cret" not in written
