"""A desk with loops over it: real looks and real edits, on a clock that is told what time it is."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

from tests.cli.window_sessions import Talk
from tests.control_desk import SESSION, Desk

from tokenbudget.app.controlling_loop import ControlLoop, LoopTurn
from tokenbudget.config.settings import Settings, settings_from
from tokenbudget.ledger.store import Ledger
from tokenbudget.resources.history import KEYS

MEASURED_MODEL = "claude-sonnet-4-5"
"""Of which the table of levers knows what a compaction does, with a window of 200,000 tokens."""


class House(Desk):
    """A desk with a loop, or several."""

    def __init__(self, top: Path) -> None:
        super().__init__(top)
        (self.project / ".git").mkdir()
        self.home.config.parent.mkdir(exist_ok=True)
        self.config('[control]\nmode = "auto"\n[control.levers]\nmcp-servers = "off"\n')
        self.loops: list[ControlLoop] = []

    @property
    def data(self) -> Path:
        return self.home.config.parent

    def config(self, text: str) -> None:
        self.home.config.write_text(text)

    def talk(self, session: str = SESSION, days: float = 0, model: str = MEASURED_MODEL) -> Talk:
        return super().talk(session, days, model)

    def settings(self) -> Settings:
        environment = {**self.home.environment, "TOKENS_WORKERS": "0"}
        return settings_from(environment)._replace(working_dir="")

    def loop(self, only: str = "") -> ControlLoop:
        made = ControlLoop(lambda tell: self.settings(), self.clock, "tokens test", only=only)
        self.loops.append(made)
        return made

    def once(self) -> LoopTurn:
        """A turn of a process of its own."""
        loop = self.loop()
        try:
            return loop.turn()
        finally:
            loop.close()

    def ledger(self) -> Ledger:
        return Ledger(str(self.data / "ledger.db"), (), self.clock)

    def lent(self) -> object:
        path = self.project / ".claude/settings.local.json"
        env = self.local().get("env", {}) if path.exists() else {}
        assert isinstance(env, dict)
        return env.get(KEYS[1])

    def goes_on(self, talk: Talk) -> None:
        """The clock is where the transcript is, and its file as old."""
        self.clock.ms = round(talk.at.timestamp() * 1000) + 2_000
        self.keep(talk)


@contextmanager
def opened_house(top: Path) -> Iterator[House]:
    """A house whose loops are closed in the end."""
    made = House(top)
    try:
        yield made
    finally:
        for loop in made.loops:
            loop.close()


def kinds(turn: LoopTurn) -> list[str]:
    return [one.decision.kind for one in turn.turns]


def full(house: House) -> Talk:
    """A session that fills its window, as it is looked at two seconds after its last line."""
    house.past(7, turns=40)
    talk = house.filled(0.95)
    house.goes_on(talk)
    return talk


def compacted(house: House, talk: Talk) -> None:
    talk.at += timedelta(seconds=30)
    talk.compact("The totals are rounded now.").answer("Go on.")
    house.goes_on(talk)
