"""A home with a project in it, and the settings of a run that starts there."""

import json
from pathlib import Path

import pytest

from tokenbudget.config.current import lasting_settings
from tokenbudget.config.settings import Settings, settings_from

NOON_MS = 1_795_176_000_000


class FakeClock:
    """Time that passes when it is told to, or when somebody waits."""

    def __init__(self) -> None:
        self.ms = NOON_MS
        self.slept = 0.0

    def now_ms(self) -> int:
        """What a test set."""
        return self.ms

    def monotonic_seconds(self) -> float:
        """The same."""
        return self.ms / 1000

    def sleep(self, seconds: float) -> None:
        """Time passes at once."""
        self.slept += seconds
        self.ms += round(seconds * 1000)


class Desk:
    """Files of every layer, and what a run says of them."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.data = home / "data"
        self.ours = self.data / "config.toml"
        self.user = home / ".claude" / "settings.json"
        self.project_dir = home / "code" / "shop"
        self.project = self.project_dir / ".claude" / "settings.json"
        self.local = self.project_dir / ".claude" / "settings.local.json"
        self.said: list[str] = []
        self.environment = {"HOME": str(home), "TOKENS_HOME": str(self.data)}
        for folder in (self.project_dir / ".git", self.project_dir / "src"):
            folder.mkdir(parents=True)

    def write(self, path: Path, value: object) -> None:
        """Text, bytes, or what a settings file says of `tokenManagement`."""
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(value, bytes):
            path.write_bytes(value)
        elif isinstance(value, str):
            path.write_text(value)
        else:
            path.write_text(json.dumps({"model": "opus", "tokenManagement": value}))

    def strict(self, **variables: str) -> Settings:
        """The settings, nothing bridged."""
        return settings_from({**self.environment, **variables}, str(self.project_dir / "src"))

    def run(self, **variables: str) -> Settings:
        """The settings of a run that goes on with the last good ones."""
        environment = {**self.environment, **variables}
        where = str(self.project_dir / "src")
        return lasting_settings(environment, where, self.said.append, lambda _: None)


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path / "home")


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()
