"""`tokens doctor` about the wiring: what `tokens install` made, and what then happened to it."""

import json
import os
import shutil
from pathlib import Path

import pytest
from tests.cli.conftest import NOON, Home, response

from tokenbudget.app import wired
from tokenbudget.gateway.hooks.handler import answer
from tokenbudget.gateway.statusline_spool import append, spool_line
from tokenbudget.model.figures import text_width

NOW_MS = round(NOON.timestamp() * 1000)


@pytest.fixture(autouse=True)
def _nobody_manages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No settings of the machine, and a project that is not this one."""
    monkeypatch.setattr(wired, "MANAGED_FOLDERS", (str(tmp_path / "etc"),))
    (tmp_path / "shop" / ".git").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "shop")


@pytest.fixture
def installed(home: Home) -> Home:
    """A home in which `tokens install` has run, where no PATH leads to a client."""
    home.variables["PATH"] = str(home.path / "bin")
    home.config.parent.mkdir(mode=0o700)
    home.config.write_text("[serve]\nautostart = false\n")
    done = home.run("install", "--yes")
    assert done.code == 0, done.err
    return home


def fire(home: Home, *events: str, session: str = "s1") -> None:
    """Hooks of a session, a minute ago."""
    for event in events:
        payload = {"session_id": session, "hook_event_name": event}
        answer(json.dumps(payload).encode(), str(home.config.parent), NOW_MS - 60_000)


def settings_of(home: Home) -> Path:
    """The user's settings of the agent."""
    return home.claude / "settings.json"


def test_before_install_it_says_what_to_type(home: Home) -> None:
    done = home.run("doctor", "--wiring", "--check")

    assert (done.code, done.err) == (0, "")
    assert done.lines[:2] == [
        "· Nothing of ours is wired into Claude Code yet.",
        "  → tokens install --dry-run",
    ]
    assert not home.config.parent.exists()


def test_after_install_everything_waits_to_be_seen(installed: Home) -> None:
    done = installed.run("doctor", "--wiring", "--check", COLUMNS="80")

    assert (done.code, done.err) == (0, "")
    said = " ".join(done.out.split())
    assert said.startswith("▸ Wired, not seen at work yet: statusline, hooks (")
    assert "Wired: commands, skill." in said
    assert max(map(text_width, done.lines)) <= 80


def test_hooks_that_fired_make_it_effective(installed: Home) -> None:
    fire(installed, "SessionStart", "UserPromptSubmit", "Stop")

    wiring = installed.ask("doctor", "--wiring")["wiring"]
    parts = {part["name"]: part for part in wiring["parts"]}
    assert wiring["answer"].startswith("Wired and effective: hooks (")
    assert parts["hooks"]["evidence"] == "3 in 1 session, last 1 min ago"
    assert {one["event"] for one in wiring["events"] if one["seen"]} == {
        "SessionStart",
        "UserPromptSubmit",
        "Stop",
    }


def test_the_doctor_tells_both(installed: Home) -> None:
    installed.write_session("s1", response(1))
    fire(installed, "Stop")

    done = installed.run("doctor", "--check")
    document = installed.ask("doctor")
    assert done.code == 0
    assert done.out.index("1 transcript read") < done.out.index("Wired and effective: hooks")
    assert document["files"]["responses"] == 1
    assert document["wiring"]["is_effective"] is True
    assert [client["version"] for client in document["wiring"]["clients"]] == ["2.1.329"]


def test_a_client_that_nobody_has_tested(installed: Home) -> None:
    installed.write_session("s1", response(1, version="2.1.400"))
    installed.ask("usage")

    said = " ".join(installed.run("doctor", "--wiring").out.split())
    assert "2.1.400 is newer than any we have tested (2.1.329): hooks not seen yet" in said


@pytest.mark.parametrize("arguments", [("--wiring",), ()])
def test_check_fails_where_something_wired_cannot_work(
    installed: Home, arguments: tuple[str, ...]
) -> None:
    path = settings_of(installed)
    path.write_text(json.dumps({**json.loads(path.read_text()), "disableAllHooks": True}))

    done = installed.run("doctor", *arguments, "--check")
    assert done.code == 1
    assert "disableAllHooks is set in ~/.claude/settings.json" in " ".join(done.out.split())
    assert installed.run("doctor", *arguments).code == 0


def test_sessions_that_no_hook_was_heard_of(installed: Home) -> None:
    before_ms = NOW_MS - 86_400_000
    os.utime(settings_of(installed), ns=(before_ms * 10**6, before_ms * 10**6))
    installed.write_session("s1", response(1))
    installed.ask("usage")

    done = installed.run("doctor", "--wiring", "--check")
    assert done.code == 1
    assert "1 session began since then, and no hook was heard of" in " ".join(done.out.split())
    fire(installed, "Stop")
    assert installed.run("doctor", "--wiring", "--check").code == 0


def test_what_install_mends_is_mended(installed: Home) -> None:
    path = settings_of(installed)
    gone = path.read_text().replace("tokenbudget/gateway", "gone/gateway")
    assert gone != path.read_text()
    path.write_text(gone)

    assert installed.run("doctor", "--wiring", "--check").code == 1
    assert installed.run("install", "--yes").code == 0
    assert installed.run("doctor", "--wiring", "--check").code == 0


def test_after_uninstall_nothing_is_wired(installed: Home) -> None:
    assert installed.run("uninstall", "--yes").code == 0

    assert installed.ask("doctor", "--wiring")["wiring"]["parts"][0]["state"] == "absent"
    assert installed.run("doctor", "--wiring").lines[0].startswith("· Nothing of ours")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--wiring", "--rebuild"], "--rebuild and --wiring are different errands"),
        (["--wiring", "--calibration"], "--calibration and --wiring are different errands"),
        (["--calibration", "--rebuild"], "--calibration and --rebuild are different errands"),
        (["--wiring", "--from", "."], "--wiring is about this machine"),
        (["--calibration", "--check"], "--check is about the wiring"),
    ],
)
def test_what_cannot_be_meant_is_refused(home: Home, arguments: list[str], says: str) -> None:
    done = home.run("doctor", *arguments)

    assert (done.code, done.out) == (2, "")
    assert says in done.err


def test_sessions_from_elsewhere_say_nothing_about_this_machine(
    installed: Home, tmp_path: Path
) -> None:
    shutil.copytree(installed.claude, tmp_path / "other")
    path = tmp_path / "other" / "projects" / "-w"
    path.mkdir(parents=True)
    (path / "s9.jsonl").write_text(json.dumps(response(1, version="2.1.200")) + "\n")

    document = installed.ask("doctor", "--from", str(path))
    assert document["files"]["responses"] == 1
    assert document["wiring"]["clients"] == []


def test_a_line_whose_report_was_taken_in_is_still_evidence(installed: Home) -> None:
    line: dict[str, object] = {
        "session_id": "s1",
        "version": "2.1.329",
        "context_window": {"context_window_size": 200_000},
    }
    append(str(installed.config.parent), spool_line(line, NOW_MS - 5_000))
    installed.write_session("s1", response(1))
    installed.ask("budget")

    assert not list((installed.config.parent / "spool").iterdir())
    wiring = installed.ask("doctor", "--wiring")["wiring"]
    assert wiring["parts"][0]["evidence"] == "drawn 5 s ago by 2.1.329"


def test_it_leaves_settings_spool_and_evidence_as_they_are(installed: Home) -> None:
    fire(installed, "Stop")
    installed.write_session("s1", response(1))
    installed.ask("usage")
    before = {path: path.read_bytes() for path in installed.path.rglob("*") if path.is_file()}

    installed.run("doctor", "--wiring")

    after = {path: path.read_bytes() for path in installed.path.rglob("*") if path.is_file()}
    assert after == before
