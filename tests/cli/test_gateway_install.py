"""`tokens gateway install`, `uninstall` and `status`, with a stand-in for the agent's client."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from tests.cli.gateway_desk import SHARED, Desk
from tests.e2e.gateway_bed import MANY_TOOLS
from tests.stand_in_client import stand_in_client

from tokenbudget.gateway.mcp.taken import taken_for
from tokenbudget.model.figures import text_width


def test_by_default_the_shared_file_stays_as_it_is(desk: Desk) -> None:
    before = desk.everything()
    done = desk.home.ask("gateway", "install", "--yes")
    assert done["is_done"]
    assert desk.shared.read_text() == SHARED
    assert json.loads(desk.local.read_text()) == {"disabledMcpjsonServers": ["github", "docs"]}
    assert list(desk.own()) == ["tokenbudget"]
    taken = taken_for(str(desk.data), str(desk.project / "below"))
    assert taken is not None
    assert taken.document == {"mcpServers": json.loads(SHARED)["mcpServers"]}

    assert desk.home.ask("gateway", "uninstall", "--yes")["faults"] == []
    assert desk.everything() == before
    assert taken_for(str(desk.data), str(desk.project)) is None


def test_what_the_team_changes_holds_behind_the_gateway_too(desk: Desk) -> None:
    desk.home.ask("gateway", "install", "--yes")
    desk.shared.write_text('{"mcpServers": {"github": {"command": "new"}}}')
    taken = taken_for(str(desk.data), str(desk.project))
    assert taken is not None
    assert taken.document == {"mcpServers": {"github": {"command": "new"}}}
    assert list(taken.lost) == ["docs"]
    rows = {row["server"]: row["trouble"] for row in desk.home.ask("gateway", "status")["rows"]}
    assert rows == {"github": "", "docs": "not in .mcp.json any more"}


def test_shared_writes_the_entry_and_keeps_every_word(desk: Desk) -> None:
    before = desk.everything()
    done = desk.home.ask("gateway", "install", "--shared", "--mode", "github=direct", "--yes")
    assert done["is_done"]
    document = json.loads(desk.shared.read_text())
    assert list(document["mcpServers"]) == ["tokenbudget"]
    assert document["other"] == {"kept": True}
    assert json.loads(desk.local.read_text()) == {"enabledMcpjsonServers": ["tokenbudget"]}
    taken = taken_for(str(desk.data), str(desk.project))
    assert taken is not None
    assert taken.document == {"mcpServers": json.loads(SHARED)["mcpServers"]}
    assert taken.modes == {"github": "direct"}
    assert "abc" not in Path(desk.data / "ledger.db").read_text(errors="replace")

    desk.home.ask("gateway", "uninstall", "--yes")
    assert desk.everything() == before


def test_after_somebody_edited_only_our_own_change_goes(desk: Desk) -> None:
    desk.home.ask("gateway", "install", "--shared", "--yes")
    text = desk.shared.read_text().replace('"kept": true', '"kept": false')
    desk.shared.write_text(text)
    assert desk.home.run("undo", "--yes").code == 0
    now = desk.shared.read_text()
    assert '"env": {"T": "${GITHUB_TOKEN}"}, "x-note": [1,  2]}' in now
    document = json.loads(now)
    assert document["mcpServers"] == json.loads(SHARED)["mcpServers"]
    assert document["other"] == {"kept": False}
    assert not desk.local.exists()
    assert taken_for(str(desk.data), str(desk.project)) is None


def test_a_server_that_somebody_wrote_anew_stays_theirs(desk: Desk) -> None:
    desk.home.ask("gateway", "install", "--shared", "--yes")
    document = json.loads(desk.shared.read_text())
    document["mcpServers"]["github"] = {"command": "theirs"}
    desk.shared.write_text(json.dumps(document))
    done = desk.home.ask("gateway", "uninstall", "--yes")
    assert done["faults"] == []
    assert any("written anew" in note for note in done["notes"])
    servers = json.loads(desk.shared.read_text())["mcpServers"]
    assert servers["github"] == {"command": "theirs"}
    assert servers["docs"] == json.loads(SHARED)["mcpServers"]["docs"]
    assert "tokenbudget" not in servers


def test_a_lost_journal_takes_nothing_with_it(desk: Desk) -> None:
    for way in ("--shared", "--local"):
        before = json.loads(desk.shared.read_text())
        desk.home.ask("gateway", "install", way, "--yes")
        for path in desk.data.glob("ledger.db*"):
            path.unlink()
        assert desk.home.ask("gateway", "uninstall", "--yes")["faults"] == []
        assert json.loads(desk.shared.read_text()) == before
        assert desk.own() == {}
        assert "abc" not in Path(desk.data / "ledger.db").read_text(errors="replace")
        assert not desk.local.exists() or json.loads(desk.local.read_text()) == {}


def test_where_the_client_fails_nothing_is_changed(desk: Desk) -> None:
    before = desk.everything()
    (desk.bin / "BROKEN").touch()
    done = desk.home.run("gateway", "install", "--yes")
    assert done.code == 1
    assert "hunter2" not in done.out + done.err
    assert "ended with 1" in done.out
    assert desk.everything() == before
    assert taken_for(str(desk.data), str(desk.project)) is None


def test_without_a_client_the_other_way_is_told(desk: Desk) -> None:
    (desk.bin / "claude").unlink()
    done = desk.home.run("gateway", "install", "--yes")
    assert done.code == 4
    assert "--shared" in done.err
    assert desk.home.run("gateway", "install", "--shared", "--yes").code == 0


def test_a_second_install_adds_and_each_is_undone_alone(desk: Desk) -> None:
    before = desk.everything()
    desk.home.ask("gateway", "install", "--server", "github", "--yes")
    done = desk.home.ask("gateway", "install", "--yes")
    assert [row["change"] for row in done["rows"]] == ["there", "take"]
    assert desk.home.run("undo", "--yes").code == 0
    taken = taken_for(str(desk.data), str(desk.project))
    assert taken is not None
    assert list(taken.document["mcpServers"]) == ["github"]  # type: ignore[call-overload]
    assert desk.home.ask("gateway", "install", "--server", "github")["totals"]["taken"] == 0
    desk.home.ask("gateway", "uninstall", "--yes")
    assert desk.everything() == before


def test_own_servers_go_through_the_client_and_their_secrets_nowhere(desk: Desk) -> None:
    mine = {"type": "stdio", "command": "x", "env": {"K": "s3cret"}, "unknownField": 1}
    local = {"command": "y", "args": ["${HOME}"]}
    servers = {"mcpServers": {"loc": local}}
    document = {"mcpServers": {"mine": mine}, "projects": {str(desk.project): servers}}
    desk.state.write_text(json.dumps(document))
    for scope in ("user", "local"):
        done = desk.home.run("gateway", "install", "--scope", scope, "--yes")
        assert (done.code, done.err) == (0, "")
        assert "s3cret" not in done.out
    assert (list(desk.own("user")), list(desk.own())) == (["tokenbudget"], ["tokenbudget"])
    undo = desk.home.run("undo", "--dry-run")
    assert "give back to the client: the MCP server loc (local)" in undo.out
    assert desk.home.ask("undo", "--list")["rows"][0]["what"] == "2 servers in the client"
    taken = taken_for(str(desk.data), str(desk.project))
    assert taken is not None
    assert taken.document == {"mcpServers": {"mine": mine, "loc": local}}
    elsewhere = taken_for(str(desk.data), "/")
    assert elsewhere is not None
    assert elsewhere.document == {"mcpServers": {"mine": mine}}

    done = desk.home.run("gateway", "uninstall", "--scope", "user", "--yes")
    assert "without unknownField" in done.out
    desk.home.ask("gateway", "uninstall", "--yes")
    del mine["unknownField"]
    assert (desk.own("user"), desk.own()) == ({"mine": mine}, {"loc": local})
    calls = (desk.bin / "calls").read_text()
    assert "s3cret" not in calls
    assert '"list"' not in calls
    assert '"get"' not in calls
    assert "s3cret" not in Path(desk.data / "ledger.db").read_text(errors="replace")


def test_an_older_client_is_told_on_its_command_line_and_that_is_said(desk: Desk) -> None:
    stand_in_client(desk.bin, "2.0.76")
    desk.state.write_text(json.dumps({"mcpServers": {"mine": {"command": "x"}}}))
    done = desk.home.ask("gateway", "install", "--scope", "user", "--yes")
    assert any("command line" in note for note in done["notes"])
    assert "alwaysLoad" not in desk.own("user")["tokenbudget"]
    desk.home.ask("gateway", "uninstall", "--scope", "user", "--yes")
    assert desk.own("user") == {"mine": {"command": "x"}}


def test_what_cannot_stand_behind_it_is_left_with_the_client(desk: Desk) -> None:
    desk.local.parent.mkdir()
    desk.local.write_text('{"disabledMcpjsonServers": ["no"]}')
    servers = {
        "self": {"command": "/opt/tokens", "args": ["gateway"]},
        "module": {"command": "python", "args": ["-m", "tokenbudget", "gateway"]},
        "signs": {"type": "http", "url": "https://x.example", "oauth": {"clientId": "a"}},
        "word": "text",
        "no": {"command": "a"},
        "yes": {"command": "b"},
    }
    desk.shared.write_text(json.dumps({"mcpServers": servers}))
    rows = desk.home.ask("gateway", "install", "--dry-run")["rows"]
    assert [row["server"] for row in rows if row["change"] == "take"] == ["yes"]
    notes = {row["server"]: row["note"] for row in rows}
    assert "gateway" in notes["self"]
    assert "gateway" in notes["module"]
    assert "OAuth" in notes["signs"]
    assert "no object" in notes["word"]
    assert "switched off by you" in notes["no"]
    asked = desk.home.ask("gateway", "install", "--server", "no", "--dry-run")["rows"]
    assert [row["server"] for row in asked if row["change"] == "take"] == ["no"]


def test_one_that_the_person_switched_off_before_stays_so_at_the_end(desk: Desk) -> None:
    desk.local.parent.mkdir()
    desk.local.write_text('{"disabledMcpjsonServers": ["github"]}')
    before = desk.everything()
    desk.home.ask("gateway", "install", "--server", "github", "--yes")
    desk.home.ask("gateway", "uninstall", "--yes")
    assert desk.everything() == before


@pytest.mark.parametrize(
    ("text", "code", "words"),
    [
        ("{", 3, "is damaged"),
        ("[]", 3, "is damaged"),
        ('{"mcpServers": []}', 3, "no single object"),
        ('{"mcpServers": {"a": {}, "a": {}}}', 3, "twice"),
        ('{"mcpServers": {"a": {"x": NaN}}}', 3, "NaN"),
        ('{"mcpServers": ' + '{"a": ' * 5000 + "1" + "}" * 5000 + "}", 3, "is damaged"),
        ('{"mcpServers": {"tokenbudget": {"command": "evil"}}}', 4, "rename it"),
    ],
)
def test_a_damaged_or_hostile_file_is_refused_in_a_sentence(
    desk: Desk, text: str, code: int, words: str
) -> None:
    desk.shared.write_text(text)
    done = desk.home.run("gateway", "install", "--yes")
    assert done.code == code
    assert words in done.err
    assert done.err.count("\n") == 1
    assert desk.shared.read_text() == text


def test_no_link_is_followed_and_no_pipe_is_waited_for(desk: Desk, tmp_path: Path) -> None:
    outside = tmp_path / "outside.json"
    outside.write_text(SHARED)
    desk.shared.unlink()
    desk.shared.symlink_to(outside)
    assert desk.home.run("gateway", "install", "--shared", "--yes").code == 4
    desk.shared.unlink()
    os.mkfifo(desk.shared)
    assert desk.home.run("gateway", "install", "--yes").code == 4
    assert taken_for(str(desk.data), str(desk.project)) is None


def test_hostile_names_reach_no_terminal_and_no_command(desk: Desk) -> None:
    evil = "\x1b[2J-s\u202e"
    servers = {evil: {"command": "a\x1b]0;x\x07"}, "-s": {"command": "b"}}
    desk.shared.write_text(json.dumps({"mcpServers": servers}))
    done = desk.home.run("gateway", "install", "--yes")
    assert done.code == 0
    assert not {"\x1b", "\u202e", "\x07"} & set(done.out + done.err)
    assert evil not in (desk.bin / "calls").read_text()
    status = desk.home.run("gateway", "status")
    assert not {"\x1b", "\u202e", "\x07"} & set(status.out)


def test_what_is_asked_for_has_to_be_there(desk: Desk) -> None:
    done = desk.home.run("gateway", "install", "--server", "gihub")
    assert (done.code, "did you mean 'github'?" in done.err) == (2, True)
    assert desk.home.run("gateway", "install", "--mode", "github=fast").code == 2
    assert desk.home.run("gateway", "install", "--mode", "nobody=code").code == 2
    assert desk.home.run("gateway", "install", "--shared", "--scope", "user").code == 2
    assert desk.home.run("gateway", "install", "--yes", "--dry-run").code == 2
    assert desk.home.run("gateway", "bogus").code == 2


def test_nothing_is_done_unasked(desk: Desk) -> None:
    before = desk.everything()
    dry = desk.home.run("gateway", "install", "--dry-run")
    assert (dry.code, "Nothing was changed" in dry.out) == (0, True)
    refused = desk.home.run("gateway", "install")
    assert refused.code == 4
    assert desk.everything() == before
    assert not (desk.bin / "calls").exists()


def test_two_projects_do_not_know_of_each_other(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = tmp_path / "other"
    (other / ".git").mkdir(parents=True)
    (other / ".mcp.json").write_text('{"mcpServers": {"two": {"command": "t"}}}')
    desk.home.ask("gateway", "install", "--yes")
    monkeypatch.chdir(other)
    desk.home.ask("gateway", "install", "--yes")
    taken = taken_for(str(desk.data), str(other))
    assert taken is not None
    assert list(taken.document["mcpServers"]) == ["two"]  # type: ignore[call-overload]
    desk.home.ask("gateway", "uninstall", "--yes")
    assert taken_for(str(desk.data), str(other)) is None
    assert taken_for(str(desk.data), str(desk.project)) is not None


def test_two_at_once_lose_nothing(desk: Desk) -> None:
    names = [f"server-{number}" for number in range(3)]
    servers = {name: {"command": name} for name in names}
    desk.shared.write_text(json.dumps({"mcpServers": servers}, indent=2))
    started = [
        subprocess.Popen(
            desk.home.command("gateway", "install", "--shared", "--server", name, "--yes"),
            env=desk.home.spawn_environment(),
            cwd=desk.project,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )
        for name in names
    ]
    codes = [(one.communicate(timeout=60)[1], one.returncode) for one in started]
    document = json.loads(desk.shared.read_text())
    taken = taken_for(str(desk.data), str(desk.project))
    assert taken is not None
    done = [name for name, (_, code) in zip(names, codes, strict=True) if code == 0]
    assert done, codes
    assert set(taken.document["mcpServers"]) == set(done)  # type: ignore[call-overload]
    assert set(document["mcpServers"]) == {"tokenbudget", *names} - set(done)


def test_status_tells_how_it_stands_and_check_tries_it(desk: Desk) -> None:
    lists = {"command": sys.executable, "args": [str(MANY_TOOLS), "lists", "7"]}
    servers = {"lists": lists, "gone": {"command": "/nowhere/at-all"}}
    desk.shared.write_text(json.dumps({"mcpServers": servers}))
    assert "Nothing is behind" in desk.home.run("gateway", "status").out
    desk.home.ask("gateway", "install", "--yes")
    status = desk.home.ask("gateway", "status")
    assert status["entries"] == ["local"]
    assert [row["tools"] for row in status["rows"]] == [None, None]
    checked = desk.home.run("gateway", "status", "--check", "--json")
    assert checked.code == 1
    rows = {row["server"]: row for row in checked.json["rows"]}
    assert (rows["lists"]["tools"], rows["lists"]["trouble"]) == (7, "")
    assert rows["gone"]["trouble"]
    plan = desk.home.ask("gateway", "install")
    weighed = {row["server"]: row["schema_tokens"] for row in plan["rows"]}
    assert weighed["lists"] > 1_000
    assert weighed["gone"] is None
    for columns in ("80", "120"):
        told = desk.home.run("gateway", "status", COLUMNS=columns)
        assert all(text_width(line) <= int(columns) for line in told.lines)
    # what somebody did since is seen
    desk.local.write_text("{}")
    rows = {row["server"]: row["trouble"] for row in desk.home.ask("gateway", "status")["rows"]}
    assert "client starts it too" in rows["lists"]
    health = desk.home.run("doctor", "--wiring").out
    assert "Gateway: 2 MCP servers behind it." in health
    assert "client starts it too" in health


def test_files_of_the_gateway_are_for_their_owner_alone(desk: Desk) -> None:
    desk.home.ask("gateway", "install", "--shared", "--yes")
    for path in (desk.data / "gateway").rglob("*"):
        assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0, path
    for columns in ("80", "160"):
        told = desk.home.run("gateway", "install", COLUMNS=columns)
        assert all(text_width(line) <= int(columns) for line in told.lines)


def test_install_again_takes_what_came_back(desk: Desk) -> None:
    desk.home.ask("gateway", "install", "--yes")
    desk.local.write_text('{"disabledMcpjsonServers": ["docs"]}')
    assert desk.home.ask("gateway", "install", "--yes")["is_done"]
    assert set(json.loads(desk.local.read_text())["disabledMcpjsonServers"]) == {"docs", "github"}
    assert desk.home.ask("gateway", "status")["is_sound"]
    desk.home.ask("gateway", "uninstall", "--yes")

    desk.home.ask("gateway", "install", "--shared", "--yes")
    document = json.loads(desk.shared.read_text())
    document["mcpServers"]["github"] = {"command": "newer"}
    desk.shared.write_text(json.dumps(document))
    rows = desk.home.ask("gateway", "install", "--shared", "--yes")["rows"]
    assert {row["server"]: row["change"] for row in rows} == {"docs": "there", "github": "take"}
    taken = taken_for(str(desk.data), str(desk.project))
    assert taken is not None
    servers = taken.document["mcpServers"]
    assert servers["github"] == {"command": "newer"}  # type: ignore[index]


def test_an_address_is_shown_without_its_keys(desk: Desk) -> None:
    url = "https://user:pw@h.example/mcp/0123456789abcdef0123456789abcdef/x?key=k#f"
    words = ["--api-key", "k1", "TOKEN=k2", "postgres://u:k3@db/x", "plain"]
    servers = {"web": {"url": url, "type": "http"}, "cmd": {"command": "run", "args": words}}
    desk.shared.write_text(json.dumps({"mcpServers": servers}))
    rows = desk.home.ask("gateway", "install", "--dry-run")["rows"]
    shown = {row["server"]: row["starts"] for row in rows}
    assert shown["web"] == "https://h.example/mcp/…/x"
    assert shown["cmd"] == "run --api-key … TOKEN=… postgres://…@db/x plain"


def test_the_other_uninstall_says_that_the_gateway_stays(desk: Desk) -> None:
    desk.home.ask("gateway", "install", "--yes")
    desk.home.run("install", "--only", "statusline", "--client-version", "2.1.329", "--yes")
    done = desk.home.run("uninstall", "--yes")
    assert "tokens gateway uninstall" in done.out


def test_the_journal_says_what_each_request_is_spared(desk: Desk) -> None:
    lists = {"command": sys.executable, "args": [str(MANY_TOOLS), "lists", "7"]}
    desk.shared.write_text(json.dumps({"mcpServers": {"lists": lists}}))
    desk.home.ask("gateway", "install", "--yes")
    desk.home.run("gateway", "status", "--check")
    desk.home.ask("gateway", "uninstall", "--yes")
    plan = desk.home.ask("gateway", "install", "--yes", ENABLE_TOOL_SEARCH="false")
    assert plan["deferral"] == "off"
    [row] = [one for one in desk.home.ask("undo", "--list")["rows"] if one["id"] == plan["action"]]
    assert row["freed_tokens"] == plan["totals"]["schema_tokens"]
