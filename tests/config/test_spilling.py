"""`[spill]`: what may stand there, and what is refused in a sentence."""

from __future__ import annotations

from pathlib import Path

import pytest

from tokenbudget.config.settings import settings_from
from tokenbudget.config.spilling import SpillSettings
from tokenbudget.model.errors import BadConfig


def spilled(tmp_path: Path, text: str) -> SpillSettings:
    (tmp_path / "config.toml").write_text(text, encoding="utf-8")
    environment = {"HOME": str(tmp_path), "TOKENS_HOME": str(tmp_path)}
    return settings_from(environment).spill_settings()


def test_without_a_word_originals_stay_a_month(tmp_path: Path) -> None:
    assert spilled(tmp_path, "") == SpillSettings(30, 1000)


def test_what_the_table_says_holds(tmp_path: Path) -> None:
    assert spilled(tmp_path, "[spill]\nkeep_days = 7\nmost_mb = 50\n") == (7, 50)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("keep_days = 0", "1 to 3,650, not 0"),
        ("keep_days = true", "not True"),
        ('keep_days = "7"', "not '7'"),
        ("keep_days = nan", "not nan"),
        ("most_mb = -1", "1 to 1,000,000"),
        ("keep_day = 7", "did you mean 'keep_days'?"),
    ],
)
def test_what_cannot_be_meant_is_refused(tmp_path: Path, line: str, words: str) -> None:
    with pytest.raises(BadConfig, match=r"spill") as refusal:
        spilled(tmp_path, f"[spill]\n{line}\n")
    assert words in str(refusal.value)
