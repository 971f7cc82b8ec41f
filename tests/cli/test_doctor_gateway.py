"""`tokens doctor` about the MCP gateway: in its answer, in its lines, and in its JSON."""

from __future__ import annotations

import json
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
from tests.cli.gateway_desk import Desk

from tokenbudget.app import gateway_program, wired
from tokenbudget.model.figures import text_width


@pytest.fixture(autouse=True)
def _nobody_manages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wired, "MANAGED_FOLDERS", (str(tmp_path / "etc"),))


def answer(desk: Desk) -> str:
    found: str = desk.home.ask("doctor", "--wiring")["wiring"]["answer"]
    return found


def places(desk: Desk, *arguments: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = desk.home.ask("doctor", *arguments)["gateway"]["places"]
    return found


def test_without_a_gateway_the_field_says_so(desk: Desk) -> None:
    for arguments in ((), ("--wiring",)):
        found = desk.home.ask("doctor", *arguments)["gateway"]
        assert found == {"is_installed": False, "is_sound": True, "fault": "", "places": []}
    assert answer(desk) == "Nothing of ours is wired into Claude Code yet."


def test_a_gateway_alone_is_not_called_nothing(desk: Desk) -> None:
    desk.home.ask("gateway", "install", "--mode", "docs=direct", "--yes")
    said = "Wired: MCP gateway (2 servers). Nothing else of ours is wired into Claude Code yet."
    assert answer(desk) == said
    [place] = places(desk)
    assert places(desk, "--wiring") == [place]
    servers = {one["server"]: (one["from"], one["mode"]) for one in place.pop("servers")}
    assert servers == {"github": ("project", "code"), "docs": ("project", "direct")}
    assert place == {
        "scope": "project",
        "project": str(desk.project),
        "is_here": True,
        "entries": ["local"],
        "program": sys.executable,
        "is_program_there": True,
        "does_start": True,
        "is_configuration_there": True,
        "is_sound": True,
        "troubles": [],
    }
    told = desk.home.run("doctor")
    assert "Gateway: 2 MCP servers behind it, as it should be." in told.out
    assert "Nothing of ours" not in told.out
    assert desk.home.run("doctor", "--wiring").lines[0].startswith("● Wired: MCP gateway")
    desk.home.ask("gateway", "uninstall", "--yes")
    assert answer(desk) == "Nothing of ours is wired into Claude Code yet."
    assert desk.home.ask("doctor")["gateway"]["is_installed"] is False


def test_beside_hooks_and_line_it_stands_in_the_same_answer(desk: Desk) -> None:
    desk.home.ask("gateway", "install", "--yes")
    only = ("install", "--client-version", "2.1.329", "--yes", "--only")
    desk.home.run(*only, "statusline")
    found = answer(desk)
    assert found == "Wired, not seen at work yet: statusline. Wired: MCP gateway (2 servers)."
    desk.home.run("gateway", "uninstall", "github", "--yes")
    assert answer(desk).endswith("Wired: MCP gateway (1 server).")
    desk.home.run("uninstall", "--yes")
    assert answer(desk).startswith("Wired: MCP gateway (1 server). Nothing else of ours")


def test_the_persons_own_and_other_projects_are_told_apart(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.state.write_text(json.dumps({"mcpServers": {"mine": {"command": "x"}}}))
    desk.home.ask("gateway", "install", "--yes")
    desk.home.ask("gateway", "install", "--scope", "user", "--yes")
    other = tmp_path / "other"
    (other / ".git").mkdir(parents=True)
    monkeypatch.chdir(other)
    assert answer(desk).startswith("Wired: MCP gateway (1 server; in 1 more project).")
    found = {(one["scope"], one["project"]): one for one in places(desk)}
    user, shop = found[("user", None)], found[("project", str(desk.project))]
    assert (user["is_here"], user["entries"], shop["is_here"]) == (True, ["user"], False)
    assert [one["server"] for one in shop["servers"]] == ["github", "docs"]
    assert [one["server"] for one in user["servers"]] == ["mine"]
    assert user["is_sound"]
    assert shop["is_sound"]
    told = " ".join(desk.home.run("doctor", "--wiring").out.split())
    assert "Gateway: 1 MCP server behind it, 2 servers in 1 other project" in told

    desk.home.ask("gateway", "uninstall", "--scope", "user", "--yes")
    assert answer(desk).startswith("Wired: MCP gateway (in 1 other project). Nothing else")


def test_a_program_that_is_gone_or_fails_is_told_and_fails_the_check(desk: Desk) -> None:
    desk.home.ask("gateway", "install", "--yes")
    assert desk.home.run("doctor", "--wiring", "--check").code == 0
    for command, is_there, does_start in (("/nowhere/python", False, None), ("false", True, False)):
        document = json.loads(desk.state.read_text())
        document["projects"][str(desk.project)]["mcpServers"]["tokenbudget"]["command"] = command
        desk.state.write_text(json.dumps(document))
        [place] = places(desk)
        assert (place["is_program_there"], place["does_start"]) == (is_there, does_start)
        assert not place["is_sound"]
        found = answer(desk)
        assert found.startswith("Wired, but not as it should be: MCP gateway (2 servers), see")
        done = desk.home.run("doctor", "--wiring", "--check")
        assert (done.code, "the program that the client starts" in done.out) == (1, True)
        assert done.lines[0].startswith("▲ Wired, but not as it should be")


def test_a_configuration_that_is_gone_is_told(desk: Desk) -> None:
    desk.home.ask("gateway", "install", "--yes")
    desk.shared.write_text('{"mcpServers": {"docs": {"command": "d"}}}')
    [place] = places(desk)
    assert (place["is_configuration_there"], place["is_sound"]) == (False, False)
    troubles = {one["server"]: one["trouble"] for one in place["servers"]}
    assert troubles == {"github": "not in .mcp.json any more", "docs": ""}


def traced(path: Path, trace: Path, more: str = "") -> Path:
    """A program that leaves a trace where it is run."""
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"#!/bin/sh\nenv >> {trace}\n{more}\n")
    path.chmod(0o755)
    return path


@pytest.mark.parametrize(
    "entry",
    [
        {"command": "{project}/tokens", "args": ["gateway"]},
        {"command": "./tokens", "args": ["gateway"]},
        {"command": "tokens", "args": ["gateway"], "env": {"PATH": "{project}"}},
        {"command": "sh", "args": ["-c", "{project}/tokens gateway"]},
        {"command": "env", "args": ["{project}/tokens", "gateway"]},
        None,
    ],
)
@pytest.mark.parametrize("path", ["/usr/bin", ".:/usr/bin", ":/usr/bin", "{project}:/usr/bin"])
def test_nothing_that_a_project_names_is_run(
    desk: Desk, tmp_path: Path, entry: dict[str, Any] | None, path: str
) -> None:
    trace = tmp_path / "RAN"
    traced(desk.project / "tokens", trace)
    desk.home.ask("gateway", "install", "--shared", "--yes")
    if entry is not None:
        document = json.loads(desk.shared.read_text())
        written = json.dumps(entry).replace("{project}", str(desk.project))
        document["mcpServers"]["tokenbudget"] = json.loads(written)
        desk.shared.write_text(json.dumps(document))
    desk.home.variables["PATH"] = path.replace("{project}", str(desk.project))
    [place] = places(desk, "--wiring")
    assert (place["entries"], place["does_start"]) == (["shared"], None)
    assert not trace.exists()


def own_entry_is(desk: Desk, **fields: object) -> None:
    """The person's own entry of the gateway, changed."""
    document = json.loads(desk.state.read_text())
    document["projects"][str(desk.project)]["mcpServers"]["tokenbudget"].update(fields)
    desk.state.write_text(json.dumps(document))


def test_what_is_run_is_told_no_secret_and_is_ours(desk: Desk, tmp_path: Path) -> None:
    desk.home.ask("gateway", "install", "--yes")
    trace = tmp_path / "RAN"
    own_entry_is(desk, command=str(traced(tmp_path / "bin" / "tokens", trace)))
    desk.home.variables["ANTHROPIC_API_KEY"] = "s3cret"
    [place] = places(desk, "--wiring")
    assert place["does_start"] is True
    told = {line.partition("=")[0] for line in trace.read_text().splitlines()}
    assert told <= {"HOME", "PATH", "PWD", "SHLVL", "_", "OLDPWD"}
    trace.unlink()
    own_entry_is(desk, args=["-c", "anything", "tokens", "gateway"])
    [place] = places(desk, "--wiring")
    assert (place["does_start"], trace.exists()) == (None, False)


def test_a_program_that_says_nothing_is_not_waited_for(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert gateway_program.START_SECONDS < 5
    monkeypatch.setattr(gateway_program, "START_SECONDS", 0.3)
    desk.home.ask("gateway", "install", "--yes")
    pid = tmp_path / "pid"
    slow = f"sleep 600 & echo $! > {pid}.new; mv {pid}.new {pid}; wait"
    own_entry_is(desk, command=str(traced(tmp_path / "bin" / "tokens", tmp_path / "RAN", slow)))
    done = desk.home.run("doctor", "--wiring", "--check")
    assert done.code == 0  # nobody knows; a machine may be busy
    assert "the program that the client starts did not answer within" in done.out
    if pid.exists():  # it came so far
        for _ in range(600):
            state = Path(f"/proc/{pid.read_text().strip()}/stat")
            if not state.exists() or state.read_text().rpartition(")")[2].split()[0] == "Z":
                return
            threading.Event().wait(0.05)
        raise AssertionError("what it started lives on")


def test_of_many_programs_few_are_tried_and_the_rest_is_not_called_silent(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gateway_program, "MOST_STARTED", 0)
    desk.home.ask("gateway", "install", "--yes")
    [place] = places(desk, "--wiring")
    assert (place["does_start"], place["is_sound"], place["troubles"]) == (None, True, [])


def test_a_fault_of_the_settings_hides_nothing(desk: Desk) -> None:
    desk.home.ask("gateway", "install", "--yes")
    desk.home.config.write_text('[gateway]\ndeny = "no list"\n')
    done = desk.home.run("doctor", "--wiring")
    if done.code == 0:  # else the settings as a whole are refused, in a sentence
        assert "Whether the MCP gateway is wired cannot be told" in " ".join(done.out.split())
    assert "Nothing of ours" not in done.out
    assert "[gateway]" in done.out + done.err or "gateway.deny" in done.out + done.err


def test_hostile_names_do_no_harm_and_it_fits(desk: Desk) -> None:
    servers = {"\x1b[2J\u202e" + "x" * 90: {"command": "a"}}
    desk.shared.write_text(json.dumps({"mcpServers": servers}))
    desk.home.ask("gateway", "install", "--yes")
    desk.local.write_text("{}")
    for columns in ("60", "80"):
        done = desk.home.run("doctor", "--wiring", COLUMNS=columns)
        assert not {"\x1b", "\u202e"} & set(done.out)
        assert all(text_width(line) <= int(columns) for line in done.lines)
