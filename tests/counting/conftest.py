"""The home of a counting test."""

from pathlib import Path

import pytest
from tests.counting.transcripts import Home


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    """An empty home; whatever a command reads or writes lies inside it."""
    root = tmp_path / "home"
    root.mkdir()
    for variable in ("TOKENS_CONFIG", "TOKENS_TZ", "XDG_DATA_HOME", "XDG_CONFIG_HOME"):
        monkeypatch.delenv(variable, raising=False)
    made = Home(root)
    monkeypatch.setenv("HOME", str(root))
    monkeypatch.setenv("TOKENS_HOME", str(made.ledger.parent))
    monkeypatch.setenv("CLAUDE_CONFIG_DIR", str(made.config))
    monkeypatch.setenv("TOKENS_WORKERS", "0")
    monkeypatch.setenv("TOKENS_BACKFILL", "off")
    return made
