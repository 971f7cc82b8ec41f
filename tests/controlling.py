"""A project, a ledger and a controller whose looks the test gives: for `app.controlling*`."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from tests.archive.sessions import FakeClock

from tokenbudget.app.controlling import Controller, Hands, Turn
from tokenbudget.config.settings import Settings, settings_from
from tokenbudget.ledger.store import Ledger
from tokenbudget.model.actions import (
    NEVER_SENT,
    EditSettings,
    Proposal,
    SettingEdit,
    Step,
    TrashFile,
    Weight,
)
from tokenbudget.model.control import HISTORY, LEVERS, SKILLS, Cache, Held, Signals, Wishes
from tokenbudget.resources.history import CLEAR_UP, COMPACT, GIVE_BACK, KEYS

SESSION = "5d0c1f5e-0000-4000-8000-00000000abcd"
AUTO = Wishes(modes=dict.fromkeys(LEVERS, "auto"))
DECK = f"{SKILLS}/deck"
LENT = "150000"
PRICES = Cache(is_cold=False, cold_in_ms=200_000, read=0.1, write=1.25, output=5.0, input_usd=3e-6)
COMPACTION = Held(
    COMPACT, HISTORY, "have the conversation compacted", "long", 90_000, 2_000,
    replacement_tokens=8_000, production_input_tokens=158_000, production_output_tokens=3_000,
)  # fmt: skip
SKILL = Held(DECK, SKILLS, "take the skill deck out", "not used in 40 sessions", 16_000, 200)


class Scene:
    """Everything below one folder; what is done is done for real, what is seen is given."""

    def __init__(self, top: Path) -> None:
        self.top = top
        self.project = top / "project"
        self.data = top / "data"
        (self.project / ".git").mkdir(parents=True)
        (self.project / ".claude").mkdir()
        (top / "home").mkdir()
        self.data.mkdir()
        self.clock = FakeClock()
        self.held: tuple[Held, ...] = (COMPACTION,)
        self.requests = 20
        self.used_tokens = 158_000
        self.compactions = 0
        self.changes: dict[str, Any] = {}
        self.is_known = True
        self.more_steps: tuple[str, ...] = ()
        """Files that are taken away with whatever is done."""
        self.write("a.bak", "old")
        self.write("b.bak", "older")
        self.write(".claude/settings.local.json", '{"model": "opus"}\n')

    # ── files ──────────────────────────────────────────────────────────────────────────────────

    def path(self, name: str) -> Path:
        return self.project / name

    def write(self, name: str, text: str) -> None:
        self.path(name).write_text(text)

    def local(self) -> dict[str, Any]:
        path = self.path(".claude/settings.local.json")
        found: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {}
        return found

    def files(self) -> dict[str, str]:
        return {
            str(path.relative_to(self.project)): path.read_text()
            for path in sorted(self.project.rglob("*"))
            if path.is_file()
        }

    # ── what is looked at, and what can be done ────────────────────────────────────────────────

    def settings(self) -> Settings:
        environment = {
            "HOME": str(self.top / "home"),
            "TOKENS_HOME": str(self.data),
            "CLAUDE_CONFIG_DIR": str(self.top / "home/claude"),
        }
        return settings_from(environment)

    def signals(self) -> Signals:
        found = Signals(
            session=SESSION,
            project=str(self.project),
            client="2.1.329",
            model="claude-sonnet-4-5",
            has_tool_search=False,
            observed_at_ms=self.clock.now_ms(),
            request_key=f"msg_{self.requests}",
            request_at_ms=self.clock.now_ms() - 1_000,
            requests=self.requests,
            used_tokens=self.used_tokens,
            usable_tokens=167_000,
            window_tokens=200_000,
            compactions=self.compactions,
            is_between_turns=False,
            is_over=False,
            cache=PRICES,
            expected_requests=100.0,
            held=self.held,
        )
        return found._replace(**self.changes)

    def look(self, bench: Any, session: str, now_ms: int, memory: Any) -> Signals | None:
        return self.signals() if self.is_known else None

    def lending(self) -> EditSettings:
        edit = SettingEdit(KEYS, LENT, is_member=False)
        return EditSettings(str(self.path(".claude/settings.local.json")), (edit,))

    def taking_away(self, name: str) -> TrashFile:
        path = self.path(name)
        found = path.stat()
        return TrashFile(str(path), found.st_size, found.st_mtime_ns)

    def steps_of(self, item: str) -> tuple[Step, ...]:
        edit = SettingEdit(("skillOverrides", item.split("/")[1]), "off", is_member=False)
        skill = EditSettings(str(self.path(".claude/settings.local.json")), (edit,))
        first = self.lending() if item == COMPACT else skill
        return (first, *map(self.taking_away, self.more_steps))

    def proposals(self, memory: Any, session: str, ids: Sequence[str]) -> list[Proposal]:
        return [_proposal(item, self.steps_of(item)) for item in ids]

    def restore_steps(self, bench: Any, project: str) -> list[Proposal]:
        """As `control_held.restore_steps`, of a project where only ours was ever lent."""
        value = self.local().get("env", {}).get(KEYS[1])
        if value is None:
            return []
        place = str(self.path(".claude/settings.local.json"))
        if value == "":
            gone = SettingEdit(KEYS, None, is_member=False, is_gone=True)
            return [_proposal(CLEAR_UP, (EditSettings(place, (gone,)),))]
        empty = SettingEdit(KEYS, "", is_member=False)
        return [_proposal(GIVE_BACK, (EditSettings(place, (empty,)),))]

    # ── turning ────────────────────────────────────────────────────────────────────────────────

    def ledger(self) -> Ledger:
        return Ledger(str(self.data / "ledger.db"), (), self.clock)

    def hands(self) -> Hands:
        return Hands(self.look, self.proposals, self.restore_steps)

    def controller(self, ledger: Ledger, wishes: Wishes = AUTO) -> Controller:
        bench: Any = SimpleNamespace(ledger=ledger, clock=self.clock, settings=self.settings())
        return Controller(bench, hands=self.hands(), wishes_in=lambda settings: wishes)

    def turn(self, wishes: Wishes = AUTO, *, is_dry: bool = False) -> Turn:
        """One turn of a process of its own: it knows only what is written."""
        with self.ledger() as ledger:
            return self.controller(ledger, wishes).turn(SESSION, is_dry=is_dry)

    def next_request(self, used_tokens: int, **changes: Any) -> None:
        """A minute later the session has made one request more."""
        self.clock.sleep(60)
        self.requests += 1
        self.used_tokens = used_tokens
        for name, value in changes.items():
            setattr(self, name, value)


def _proposal(item: str, steps: tuple[Step, ...]) -> Proposal:
    lever = item.split("/")[0]
    weight = Weight(9_000, 100, "estimated") if steps else NEVER_SENT
    return Proposal(item, lever, f"do {item}", "so", weight, 0, "now", is_chosen=True, steps=steps)
