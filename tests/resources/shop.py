"""A project with files in it, and a workshop that may touch them."""

from __future__ import annotations

import os
from pathlib import Path

from tests.archive.sessions import FakeClock, tree

from tokenbudget.model.actions import (
    EditSettings,
    EditText,
    Outcome,
    SettingEdit,
    Step,
    TrashFile,
)
from tokenbudget.resources.steps import Workshop
from tokenbudget.system.kept import Kept
from tokenbudget.system.trash import Trash

SETTINGS = '{\n  // mine\n  "model": "opus",\n  "permissions": {"deny": ["a"]}\n}\n'
RULE = SettingEdit(("permissions", "deny"), "Read(./dist/**)", True)
FLAG = SettingEdit(("env", "FLAG"), "1", False)
CLAUDE = "# Rules\n\none\ntwo\n"


class Shop:
    """A project below a folder of its own, beside somebody else's."""

    def __init__(self, top: Path) -> None:
        self.top = top
        self.project = top / "project"
        self.data = top / "data"
        self.clock = FakeClock()
        (self.project / ".claude").mkdir(parents=True)
        (top / "outside").mkdir()
        self.write("notes.bak", "old notes\n")
        self.write(".claude/settings.json", SETTINGS)
        self.write("CLAUDE.md", CLAUDE)
        self.trash = Trash(str(self.data), self.clock)
        self.workshop = self.hands()

    def hands(self) -> Workshop:
        kept = Kept(str(self.data))
        return Workshop(self.trash, kept, [str(self.project)], self.clock, cause="tokens test")

    def path(self, name: str) -> Path:
        return self.project / name

    def write(self, name: str, text: str) -> Path:
        path = self.path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        path.chmod(0o640)
        return path

    def read(self, name: str) -> str | None:
        path = self.path(name)
        return path.read_text() if path.exists() else None

    def files(self) -> dict[str, tuple[bytes, int]]:
        return tree(self.project)

    # ── steps ──────────────────────────────────────────────────────────────────────────────────

    def take_away(self, name: str = "notes.bak") -> TrashFile:
        facts = os.stat(self.path(name))
        return TrashFile(str(self.path(name)), facts.st_size, facts.st_mtime_ns)

    def settings(self, *edits: SettingEdit, name: str = ".claude/settings.json") -> EditSettings:
        return EditSettings(str(self.path(name)), edits or (RULE, FLAG))

    def text(self, after: str = CLAUDE + "ours\n", name: str = "CLAUDE.md") -> EditText:
        return EditText(str(self.path(name)), self.read(name), after)

    def every_step(self) -> list[Step]:
        """One of each kind, and one for each kind of file that is not there yet."""
        return [
            self.take_away(),
            self.settings(),
            self.settings(RULE, name=".claude/settings.local.json"),
            self.text(),
            self.text("*.log\n", name="new/.claudeignore"),
        ]

    def done(self, step: Step) -> Outcome:
        outcome = self.workshop.apply(step)
        assert outcome.state == "done", outcome
        assert self.workshop.verify(step, outcome) == ""
        return outcome
