"""`tokens undo` as a person has it: what was changed, what would happen, what happened."""

from __future__ import annotations

import io
import json
import os
import sys
from pathlib import Path

import pytest
from tests.cli.conftest import Home
from tests.resources.shop import CLAUDE, RULE

from tokenbudget.ledger.store import Ledger
from tokenbudget.model.actions import (
    ArchiveSession,
    EditSettings,
    EditText,
    Outcome,
    RecoverSession,
    Step,
    TrashFile,
)
from tokenbudget.resources.steps import Workshop
from tokenbudget.system.clock import SystemClock
from tokenbudget.system.kept import Kept
from tokenbudget.system.trash import Trash

EVIL = "\x1b[2J\u202eevil\x07\n"


class Shop:
    """A project in a home, in which tokens has changed something."""

    def __init__(self, home: Home) -> None:
        self.home = home
        self.project = home.path / "code" / "shop"
        (self.project / ".git").mkdir(parents=True)
        self.data = str(home.config.parent)

    def write(self, name: str, text: str) -> Path:
        path = self.project / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    def changed(
        self, *steps: Step, project: str | None = None, cause: str = "tokens compact"
    ) -> int:
        """An action of these steps, carried out."""
        clock = SystemClock()
        where = str(self.project) if project is None else project
        hands = Workshop(Trash(self.data, clock), Kept(self.data), [where or self.data], clock)
        os.makedirs(self.data, exist_ok=True)
        with Ledger(os.path.join(self.data, "ledger.db")) as ledger:
            action = ledger.journal.begin(cause, where, steps, 12_345, 6_789)
            for number, step in enumerate(steps):
                if isinstance(step, TrashFile | EditSettings | EditText):
                    ledger.journal.note(action, number, hands.apply(step))
        return action

    def bak(self, name: str = "notes.bak") -> TrashFile:
        facts = self.write(name, "old notes\n").stat()
        return TrashFile(str(self.project / name), facts.st_size, facts.st_mtime_ns)

    def rule(self) -> EditSettings:
        return EditSettings(str(self.project / ".claude" / "settings.local.json"), (RULE,))

    def claude(self) -> EditText:
        self.write("CLAUDE.md", CLAUDE)
        return EditText(str(self.project / "CLAUDE.md"), CLAUDE, CLAUDE + "ours\n")

    def names(self) -> list[str]:
        return sorted(
            str(path.relative_to(self.project))
            for path in self.project.rglob("*")
            if path.is_file()
        )


@pytest.fixture
def shop(home: Home, monkeypatch: pytest.MonkeyPatch) -> Shop:
    made = Shop(home)
    monkeypatch.chdir(made.project)
    return made


def test_where_nothing_was_changed_nothing_is_taken_back(shop: Shop) -> None:
    done = shop.home.run("undo")
    assert (done.code, done.out) == (
        0,
        "Nothing is left to take back; tokens undo --list shows what was changed.\n",
    )
    assert shop.home.run("undo", "--list").out == "Nothing was changed yet.\n"
    assert shop.home.ask("undo")["action"] is None
    assert shop.home.ask("undo", "--list")["rows"] == []


def test_the_latest_action_is_taken_back(shop: Shop) -> None:
    shop.changed(shop.bak(), shop.rule(), shop.claude())
    assert shop.names() == [".claude/settings.local.json", "CLAUDE.md"]
    done = shop.home.run("undo", "--yes")
    assert done.code == 0
    assert done.lines[0].startswith("Action 1: tokens compact, ")
    assert done.lines[0].endswith(" in ~/code/shop")
    assert done.lines[1] == "  it was to free 12.3K tokens per request and 6,789 bytes"
    order = [done.out.index(word) for word in ("CLAUDE.md", "settings.local.json", "notes.bak")]
    assert order == sorted(order)
    assert done.lines[-1] == "3 steps of action 1 taken back."
    assert shop.names() == ["CLAUDE.md", "notes.bak"]
    assert (shop.project / "CLAUDE.md").read_text() == CLAUDE
    again = shop.home.run("undo", "1")
    assert (again.code, "was taken back already" in again.out) == (0, True)


def test_a_dry_run_shows_exactly_what_will_happen(shop: Shop) -> None:
    shop.changed(shop.bak(), shop.claude())
    before = shop.names()
    done = shop.home.run("undo", "--dry-run")
    assert done.code == 0
    assert "      -ours" in done.lines
    assert "give back notes.bak (10 bytes)" in done.out
    assert done.lines[-1] == "Nothing was changed (--dry-run)."
    assert shop.names() == before
    found = shop.home.ask("undo", "--dry-run")
    assert found["is_dry_run"] is True
    assert [(row["kind"], row["state"]) for row in found["rows"]] == [
        ("edit-text", "undone"),
        ("trash-file", "undone"),
    ]
    assert "-ours" in found["rows"][0]["difference"]
    assert [row["state"] for row in shop.home.ask("undo", "--list")["rows"]] == ["done"]


def test_a_conflict_is_shown_and_the_rest_is_done(shop: Shop) -> None:
    shop.changed(shop.bak(), shop.claude())
    shop.write("notes.bak", "theirs\n")
    dry = shop.home.run("undo", "--dry-run")
    assert (dry.code, "! give back notes.bak" in dry.out) == (1, True)
    done = shop.home.run("undo", "--yes")
    assert done.code == 1
    assert "another" in done.out
    assert "tokens undo 1" in done.lines[-1]
    assert (shop.project / "notes.bak").read_text() == "theirs\n"
    assert (shop.project / "CLAUDE.md").read_text() == CLAUDE
    assert shop.home.ask("undo", "--list")["rows"][1]["state"] == "1 in conflict"
    assert shop.home.run("undo", "--yes").out.startswith("Nothing is left to take back")
    found = shop.home.run("undo", "1", "--yes", "--json")
    assert found.code == 1
    assert found.json["totals"] == {"steps": 1, "undone": 0, "conflicts": 1, "failed": 0}


def test_of_many_steps_the_first_are_shown_and_a_dry_run_has_all(shop: Shop) -> None:
    shop.changed(*(shop.bak(f"{number}.bak") for number in range(33)))
    assert shop.home.run("undo", "--dry-run").out.count("give back ") == 33
    done = shop.home.run("undo", "--yes")
    assert done.out.count("give back ") == 30
    assert "… and 3 more steps; --dry-run shows all" in done.lines
    assert done.lines[-1] == "33 steps of action 1 taken back."


def test_nobody_to_ask_is_a_refusal_and_changes_nothing(shop: Shop) -> None:
    shop.changed(shop.bak())
    done = shop.home.run("undo")
    assert done.code == 4
    assert "--yes" in done.err
    assert shop.names() == []


@pytest.mark.parametrize(("answer", "names"), [("y\n", ["notes.bak"]), ("\n", []), ("", [])])
def test_a_person_is_asked(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, answer: str, names: list[str]
) -> None:
    class Person(io.StringIO):
        def isatty(self) -> bool:
            return True

    shop.changed(shop.bak())
    monkeypatch.setattr(sys, "stdin", Person(answer))
    monkeypatch.setattr("tokenbudget.cli.asking.can_ask", lambda: True)
    done = shop.home.run("undo")
    assert done.code == 0
    assert "Take it back? [y/N]" in done.err
    assert shop.names() == names
    assert ("Nothing was changed." in done.out) == (not names)


def test_ctrl_c_at_the_question_is_a_no(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    class Person(io.StringIO):
        def readline(self, size: int | None = -1, /) -> str:  # type: ignore[override]
            raise KeyboardInterrupt

    shop.changed(shop.bak())
    monkeypatch.setattr(sys, "stdin", Person())
    monkeypatch.setattr("tokenbudget.cli.asking.can_ask", lambda: True)
    done = shop.home.run("undo")
    assert (done.code, done.lines[-1]) == (0, "Nothing was changed.")
    assert shop.names() == []


def test_a_project_can_be_named_as_it_is_called(shop: Shop) -> None:
    shop.changed(shop.bak())
    assert len(shop.home.ask("undo", "--list", "--project", "shop")["rows"]) == 1
    missed = shop.home.run("undo", "--yes", "--project", "shpo")
    assert (missed.code, shop.names()) == (2, [])
    assert "nothing was changed in a project 'shpo'" in missed.err
    assert shop.home.run("undo", "--project", "shop", "--yes").code == 0
    assert shop.names() == ["notes.bak"]


def test_two_projects_of_one_name_need_a_path(shop: Shop) -> None:
    shop.changed(shop.bak())
    shop.changed(shop.bak("b.bak"), project=str(shop.home.path / "old" / "shop"))
    done = shop.home.run("undo", "--project", "shop")
    assert done.code == 2
    assert "2 projects are named 'shop'" in done.err


def test_the_list_has_every_action_the_latest_first(shop: Shop) -> None:
    shop.changed(shop.bak("a.bak"), shop.bak("b.bak"), shop.rule())
    shop.changed(shop.bak("c.bak"), project="", cause="tokens archive")
    shop.home.run("undo", "1", "--yes")
    rows = shop.home.ask("undo", "--list")["rows"]
    assert [(row["id"], row["cause"], row["state"]) for row in rows] == [
        (3, "tokens undo 1", "undo"),
        (2, "tokens archive", "nothing done"),
        (1, "tokens compact", "undone"),
    ]
    assert rows[2] | {"at": "", "undone_at": ""} == {
        "id": 1, "at": "", "cause": "tokens compact", "project": str(shop.project),
        "what": "2 files to the trash, 1 file settings edited", "steps": 3, "undone_at": "",
        "freed_tokens": 12345, "measured_freed_tokens": None, "freed_bytes": 6789,
        "state": "undone", "undoes": None,
    }  # fmt: skip
    assert rows[0]["undoes"] == 1
    text = shop.home.run("undo", "--list")
    assert text.lines[2].split()[0] == "3"
    assert "~/code/shop" in text.out
    only = shop.home.ask("undo", "--list", "--project", ".")["rows"]
    assert [row["id"] for row in only] == [3, 1]
    short = shop.home.run("undo", "--list", "--limit", "1")
    assert "2 more: tokens undo --list --limit N" in short.out


def test_another_project_is_left_alone_where_one_is_named(shop: Shop) -> None:
    other = shop.home.path / "code" / "other"
    (other / ".git").mkdir(parents=True)
    shop.changed(shop.bak())
    assert shop.home.run("undo", "--project", str(other), "--yes").code == 0
    assert shop.names() == []
    assert shop.home.run("undo", "--project", ".", "--yes").code == 0
    assert shop.names() == ["notes.bak"]


@pytest.mark.parametrize(
    "arguments",
    [
        ["x"], ["0x1"], ["-1"], ["7"], ["1" * 30], ["1", "2"], ["1", "--project", "."],
        ["--dry-run", "--yes"], ["--list", "1"], ["--list", "--yes"], ["--limit", "0"],
    ],
)  # fmt: skip
def test_what_cannot_be_meant_is_said(shop: Shop, arguments: list[str]) -> None:
    shop.changed(shop.bak())
    done = shop.home.run("undo", *arguments)
    assert done.code == 2
    assert done.err.count("\n") == 1
    assert shop.names() == []


def test_a_setting_is_taken_back_as_the_command_says(shop: Shop) -> None:
    shop.write(".claude/settings.json", '{\n    "model": "opus"\n}')
    done = shop.home.run("config", "set", "autoCleanup", "on", "--scope", "project")
    assert done.lines[1] == "Take it back: tokens undo 1"
    foreseen = shop.home.run("undo", "1", "--dry-run")
    assert "      -tokenManagement.autoCleanup: true" in foreseen.lines
    assert "opus" not in foreseen.out
    assert shop.home.run("undo", "1", "--yes").code == 0
    assert (shop.project / ".claude/settings.json").read_text() == '{\n    "model": "opus"\n}'


def test_the_users_settings_may_be_a_link_and_stay_one(shop: Shop) -> None:
    kept = shop.home.path / "dotfiles" / "claude.json"
    kept.parent.mkdir()
    kept.write_text('{"model": "opus"}\n')
    shop.home.claude.mkdir()
    (shop.home.claude / "settings.json").symlink_to(kept)
    shop.home.run("config", "set", "autoCleanup", "on", "--scope", "user")
    assert "autoCleanup" in kept.read_text()
    assert shop.home.run("undo", "--yes").code == 0
    assert kept.read_text() == '{"model": "opus"}\n'
    assert (shop.home.claude / "settings.json").is_symlink()


def test_hostile_words_are_shown_plainly(shop: Shop) -> None:
    steps: list[Step] = [
        shop.bak(f"a{EVIL}.bak"),
        EditText(str(shop.project / f"b{EVIL}"), None, EVIL * 3),
        RecoverSession(EVIL, EVIL, EVIL, f"/{EVIL}"),
        ArchiveSession(EVIL, f"/{EVIL}", 1, ((EVIL, f"/{EVIL}"),)),
    ]
    action = shop.changed(*steps, cause=f"tokens {EVIL}")
    with Ledger(os.path.join(shop.data, "ledger.db")) as ledger:
        ledger.journal.note(action, 2, Outcome("done", EVIL))
        ledger.journal.note(action, 3, Outcome("done", EVIL))
    for arguments in (["--list"], ["--dry-run"], ["--yes"]):
        done = shop.home.run("undo", *arguments)
        for line in (*done.lines, *done.err.splitlines()):
            assert line.isprintable(), repr(line)
            assert "\u202e" not in line


def test_what_was_stopped_in_the_middle_goes_on(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.changed(shop.bak("a.bak"), shop.bak("b.bak"), shop.bak("c.bak"))
    real, left = Workshop.revert, ["c.bak"]

    def stopped(self: Workshop, step: Step, outcome: Outcome) -> Outcome:
        if not left:
            raise KeyboardInterrupt
        left.pop()
        return real(self, step, outcome)

    with monkeypatch.context() as patch:
        patch.setattr(Workshop, "revert", stopped)
        done = shop.home.run("undo", "--yes")
    assert done.code == 130
    assert "tokens undo 1 goes on with it" in done.err
    assert shop.names() == ["c.bak"]
    assert shop.home.ask("undo", "--list")["rows"][1]["state"] == "partly undone"
    assert shop.home.run("undo", "--yes").lines[-1] == "2 steps of action 1 taken back."
    assert shop.names() == ["a.bak", "b.bak", "c.bak"]


def test_it_is_one_json_object(shop: Shop) -> None:
    shop.changed(shop.bak())
    done = shop.home.run("undo", "--yes", "--json")
    assert done.code == 0
    found = json.loads(done.out)
    assert found["format"] == "tokenbudget/undo/1"
    assert (found["is_dry_run"], found["totals"]["undone"]) == (False, 1)
    assert found["rows"][0]["path"] == str(shop.project / "notes.bak")
    assert found["action"]["at"].endswith("+00:00")
