"""`[serve]`: what may stand there, and what is refused in a sentence."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tokenbudget.config.serving import ServeSettings, is_port, span_seconds
from tokenbudget.config.settings import places_from, settings_from
from tokenbudget.model.errors import BadConfig


def served(tmp_path: Path, text: str) -> ServeSettings:
    (tmp_path / "config.toml").write_text(text, encoding="utf-8")
    environment = {"HOME": str(tmp_path), "TOKENS_HOME": str(tmp_path)}
    return settings_from(environment).serve_settings()


def test_without_a_word_a_daemon_starts_by_itself_and_ends_after_a_quarter_hour(
    tmp_path: Path,
) -> None:
    found = served(tmp_path, "")
    assert (found.autostart, found.idle_seconds, found.port) == (True, 900, 0)


def test_what_the_table_says_holds(tmp_path: Path) -> None:
    found = served(tmp_path, '[serve]\nautostart = false\nidle = "90s"\nport = 27200\n')
    assert (found.autostart, found.idle_seconds, found.port) == (False, 90, 27200)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("autostart = 1", "serve.autostart in"),
        ("port = 80", "serve.port in"),
        ("port = 65536", "1024 to 65535, not 65536"),
        ("port = true", "serve.port in"),
        ('port = "27100"', "serve.port in"),
        ('idle = "15"', 'such as "15m"'),
        ('idle = "0m"', "serve.idle in"),
        ('idle = "8d"', "serve.idle in"),
        ("idle = 15", "serve.idle in"),
        ('ilde = "15m"', "did you mean 'idle'?"),
    ],
)
def test_what_cannot_be_meant_is_refused(tmp_path: Path, line: str, words: str) -> None:
    with pytest.raises(BadConfig, match=r"serve") as refusal:
        served(tmp_path, f"[serve]\n{line}\n")
    assert words in str(refusal.value)


@given(st.text(max_size=12) | st.integers() | st.none())
def test_a_span_is_a_second_to_a_week_or_nothing(value: object) -> None:
    seconds = span_seconds(value)
    assert seconds is None or 1 <= seconds <= 7 * 86_400


@given(st.integers())
def test_a_port_is_one_that_anyone_may_take(value: int) -> None:
    assert is_port(value) is (value == 0 or 1024 <= value <= 65_535)


def test_to_name_the_usual_place_moves_nothing_else() -> None:
    """What runs beside the agent is told its data folder, and reads the same config.toml."""
    usual = places_from({"HOME": "/h"})
    named = places_from({"HOME": "/h", "TOKENS_HOME": usual.data_dir})
    assert (named.data_dir, named.config_path) == (usual.data_dir, usual.config_path)
    moved = places_from({"HOME": "/h", "TOKENS_HOME": "/elsewhere"})
    assert moved.config_path == "/elsewhere/config.toml"
