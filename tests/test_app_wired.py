"""What `tokens doctor` finds out, with a real home, real settings files and real evidence."""

import json
import os
from pathlib import Path
from typing import Any

import pytest
from tests.hostile import PAYLOADS

from tokenbudget.app import wired
from tokenbudget.app.wired import facts_of, wiring_of
from tokenbudget.config.settings import Settings, settings_from
from tokenbudget.gateway.daemon.places import SECRET, made_run_folder, place
from tokenbudget.gateway.daemon.secret import secret_of
from tokenbudget.gateway.hook_files import hook_command, http_hook
from tokenbudget.gateway.hooks.handler import answer
from tokenbudget.gateway.statusline_files import statusline_command
from tokenbudget.gateway.statusline_spool import append, spool_line
from tokenbudget.resources.effect import Drawn, Part, Wiring

NOW_MS = 1_795_176_000_000
PYTHON = "/bin/sh"
"""Any program that is there."""


class Place:
    """A person's home with the agent in it, and a project that they stand in."""

    def __init__(self, path: Path) -> None:
        self.home = path / "home"
        self.data = self.home / "tokens"
        self.claude = self.home / ".claude"
        self.project = path / "shop"
        self.search_path = path / "bin"
        for folder in (self.claude, self.project / ".git", self.project / ".claude"):
            folder.mkdir(parents=True)
        self.data.mkdir(mode=0o700)
        self.user = self.claude / "settings.json"

    @property
    def settings(self) -> Settings:
        """Settings of a run in the project."""
        return settings_from(
            {
                "HOME": str(self.home),
                "TOKENS_HOME": str(self.data),
                "CLAUDE_CONFIG_DIR": str(self.claude),
            },
            str(self.project),
        )

    @property
    def hook(self) -> dict[str, Any]:
        """A hook as `tokens install` writes it."""
        return {"type": "command", "command": hook_command(PYTHON, str(self.data)), "timeout": 5}

    @property
    def line(self) -> dict[str, Any]:
        """A status line as `tokens install` writes it."""
        return {"type": "command", "command": statusline_command(PYTHON, str(self.data))}

    def wire(self, path: Path | None = None, **more: Any) -> None:
        """Write hooks and status line of ours, and whatever else, into a settings file."""
        hooks = {event: [{"hooks": [self.hook]}] for event in ("SessionStart", "Stop")}
        document = {"statusLine": self.line, "hooks": hooks, **more}
        (path or self.user).write_text(json.dumps(document))

    def fire(self, event: str, session: str = "s1", at_ms: int = NOW_MS - 60_000) -> None:
        """Have a hook answered, as the agent would."""
        payload = {"session_id": session, "hook_event_name": event, "cwd": str(self.project)}
        answer(json.dumps(payload).encode(), str(self.data), at_ms)

    def wiring(self) -> Wiring:
        """What the doctor finds."""
        return wiring_of(self.settings, NOW_MS)

    def part(self, name: str) -> Part:
        """One part of it."""
        return next(part for part in self.wiring().parts if part.name == name)

    def kinds(self) -> set[str]:
        """What is wrong."""
        return {one.kind for one in self.wiring().troubles} - {"more-events"}


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    """A home in which nothing is wired, on a machine that nobody manages."""
    found = Place(tmp_path)
    monkeypatch.setattr(wired, "MANAGED_FOLDERS", (str(tmp_path / "etc"),))
    monkeypatch.setenv("PATH", str(found.search_path))
    return found


def everything_below(folder: Path) -> dict[str, tuple[int, int, bytes]]:
    """Each path with its mode, time and content."""
    return {
        str(path): (
            path.lstat().st_mode,
            path.lstat().st_mtime_ns,
            path.read_bytes() if path.is_file() else b"",
        )
        for path in sorted(folder.rglob("*"))
    }


# ── what is wired ─────────────────────────────────────────────────────────────────────────────────


def test_nothing_is_there(here: Place) -> None:
    assert not here.wiring().is_anything_wired
    assert here.kinds() == set()


def test_what_install_writes_is_found(here: Place) -> None:
    here.wire()

    assert {p.name: p.state for p in here.wiring().parts if p.is_wired} == {
        "statusline": "unseen",
        "hooks": "unseen",
    }
    assert here.kinds() == set()


def test_hooks_that_fired_are_the_evidence(here: Place) -> None:
    here.wire()
    here.fire("SessionStart")
    here.fire("Stop")
    here.fire("Stop", session="s2")

    found = here.part("hooks")
    assert (found.state, found.seen, found.last_seen_ms) == ("effective", 3, NOW_MS - 60_000)
    assert found.evidence == "3 in 2 sessions, last 1 min ago"
    events = {one.event: one.seen for one in here.wiring().events}
    assert events == {"SessionStart": 1, "Stop": 2}


def test_hooks_of_long_ago_prove_nothing(here: Place) -> None:
    here.wire()
    here.fire("Stop", at_ms=NOW_MS - 40 * 86_400_000)

    assert here.part("hooks").state == "unseen"


def test_a_line_that_was_drawn_is_the_evidence(here: Place) -> None:
    here.wire()
    told: dict[str, object] = {"session_id": "s1", "version": "2.1.400"}
    append(str(here.data), spool_line(told, NOW_MS - 5_000))

    assert facts_of(here.settings, NOW_MS).drawn == Drawn(NOW_MS - 5_000, "2.1.400")
    assert here.part("statusline").evidence == "drawn 5 s ago by 2.1.400"


def test_commands_of_ours_are_known_also_where_a_person_changed_them(here: Place) -> None:
    (here.claude / "commands" / "sc").mkdir(parents=True)
    (here.claude / "commands" / "tokens.md").write_text("Mine.\n!`/bin/sh slash $ARGUMENTS`\n")
    (here.claude / "commands" / "sc" / "mode.md").write_text("!`tokens slash mode`\n")
    (here.claude / "commands" / "sc" / "optimize-tokens.md").write_text("Another's.\n")

    found = here.part("commands")
    assert (found.state, found.detail) == ("wired", "2 files")
    assert here.kinds() == set()


def test_a_command_whose_program_is_gone(here: Place) -> None:
    (here.claude / "commands").mkdir()
    (here.claude / "commands" / "tokens.md").write_text("!`/gone/tokens slash $ARGUMENTS`\n")

    assert here.kinds() == {"paths-gone"}
    assert here.part("commands").state == "broken"


# ── what keeps it from working ────────────────────────────────────────────────────────────────────


def test_a_python_that_is_gone(here: Place) -> None:
    here.wire()
    text = here.user.read_text().replace(PYTHON, "/gone/venv/bin/python")
    here.user.write_text(text)
    here.fire("Stop")

    assert here.kinds() == {"paths-gone"}
    assert not here.wiring().is_effective


def test_managed_settings_are_read_with_their_parts(here: Place, tmp_path: Path) -> None:
    here.wire()
    parts = tmp_path / "etc" / "managed-settings.d"
    parts.mkdir(parents=True)
    (tmp_path / "etc" / "managed-settings.json").write_text('{"disableAllHooks": true}')
    assert here.kinds() == {"all-hooks-disabled"}

    (parts / "10-x.json").write_text('{"disableAllHooks": false, "allowManagedHooksOnly": true}')
    (parts / "README").write_text("{")
    assert here.kinds() == {"managed-hooks-only"}


def test_the_project_and_its_local_settings_count(here: Place) -> None:
    here.wire()
    folder = here.project / ".claude"
    (folder / "settings.json").write_text(
        '{"env": {"ANTHROPIC_BASE_URL": "https://k:s3cret@evil.example/?s3cret"}}'
    )
    (folder / "settings.local.json").write_text('{"disableAllHooks": true}')

    assert here.kinds() == {"base-url", "all-hooks-disabled"}
    assert "s3cret" not in repr(here.wiring())


@pytest.mark.parametrize("content", [b"{", b"\xff\xfe", b"[" * 100_000, b'{"a": 1} // x', b"3"])
def test_a_settings_file_that_is_none(here: Place, content: bytes) -> None:
    here.user.write_bytes(content)

    assert here.kinds() == {"settings-unreadable"}


def test_what_is_no_file_does_not_hold_us_up(here: Place) -> None:
    os.mkfifo(here.user)
    (here.project / ".claude" / "settings.json").mkdir()
    (here.project / ".claude" / "settings.local.json").symlink_to("/dev/zero")

    found = [one.says for one in here.wiring().troubles]
    assert len(found) == 3
    assert all("cannot be read" in says for says in found)


def test_settings_behind_a_link_count(here: Place, tmp_path: Path) -> None:
    here.wire(tmp_path / "dotfiles.json")
    here.user.symlink_to(tmp_path / "dotfiles.json")

    assert here.part("hooks").is_wired


# ── HTTP and secrets ──────────────────────────────────────────────────────────────────────────────


def wire_http(here: Place, secret: str) -> None:
    """Hooks over HTTP, as `tokens install --http-hooks` writes them."""
    here.user.write_text(json.dumps({"hooks": {"Stop": [{"hooks": [http_hook(4711, secret)]}]}}))


def test_hooks_over_http_need_their_daemon_and_its_secret(here: Place) -> None:
    secret = secret_of(str(here.data))
    wire_http(here, secret)
    here.user.chmod(0o600)
    assert here.kinds() == {"no-daemon"}

    wire_http(here, "0" * len(secret))
    assert here.kinds() == {"no-daemon", "other-secret"}
    assert secret not in repr(here.wiring())


def test_a_secret_that_others_can_read_is_told_wherever_it_stands(here: Place) -> None:
    secret = secret_of(str(here.data))
    wire_http(here, secret)
    here.user.chmod(0o644)
    os.chmod(place(str(here.data), SECRET), 0o640)

    assert {"secret-readable", "open-to-others"} <= here.kinds()
    assert secret not in repr(here.wiring())


@pytest.mark.parametrize("name", ["", "run", "hooks"])
def test_folders_of_ours_that_are_open(here: Place, name: str) -> None:
    folder = here.data / name
    folder.mkdir(exist_ok=True)
    folder.chmod(0o755)

    [trouble] = here.wiring().troubles
    assert (trouble.kind, trouble.is_blocking) == ("open-to-others", False)
    assert trouble.do == f"chmod 700 {folder}".rstrip("/")


# ── hostile and damaged evidence ──────────────────────────────────────────────────────────────────


def test_damaged_evidence_is_no_evidence(here: Place) -> None:
    here.wire()
    sessions = here.data / "hooks" / "sessions"
    sessions.mkdir(parents=True, mode=0o700)
    (here.data / "hooks").chmod(0o700)
    for number, text in enumerate(("", "{", "[]", "null", '{"events": 3}', "[" * 50_000)):
        (sessions / f"s{number}.json").write_text(text)
    (sessions / "folder.json").mkdir()
    os.mkfifo(sessions / "pipe.json")
    (here.data / "ledger.db").write_bytes(b"no database")
    (here.data / "ledger.db").chmod(0o600)

    assert here.part("hooks").state == "unseen"
    assert here.kinds() == set()


@pytest.mark.parametrize("name", PAYLOADS)
def test_hostile_names_stay_data(here: Place, name: str) -> None:
    text = PAYLOADS[name]
    here.wire(enabledPlugins={text: True}, env={"ANTHROPIC_BASE_URL": text})
    document = json.loads(here.user.read_text())
    document["hooks"][text] = [{"matcher": text, "hooks": [{"type": "command", "command": text}]}]
    here.user.write_text(json.dumps(document))

    assert here.part("hooks").detail == "2 events"


# ── it only reads ─────────────────────────────────────────────────────────────────────────────────


def test_nothing_is_written_where_nothing_is(here: Place, tmp_path: Path) -> None:
    here.data.rmdir()
    before = everything_below(tmp_path)

    here.wiring()

    assert everything_below(tmp_path) == before


def test_nothing_is_written_where_everything_is(here: Place, tmp_path: Path) -> None:
    here.wire()
    here.fire("Stop")
    append(str(here.data), spool_line({"session_id": "s1"}, NOW_MS))
    made_run_folder(str(here.data))
    (here.home / ".claude.json").write_text("{")
    before = everything_below(tmp_path)

    assert here.wiring().is_effective

    assert everything_below(tmp_path) == before
