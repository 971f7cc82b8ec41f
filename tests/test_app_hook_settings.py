"""What hooks are told of the settings: compiled when they change, and only then."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from tokenbudget.app.hook_settings import hook_settings_text, write_hook_settings
from tokenbudget.config.settings import Settings, settings_from
from tokenbudget.gateway.hook_record import record_hook_command
from tokenbudget.gateway.hooks.hook_settings import HookWishes, wishes_in
from tokenbudget.model.errors import BadConfig


def settings_of(folder: Path, text: str = "") -> Settings:
    config = folder / "config.toml"
    config.write_text(text)
    return settings_from(
        {"HOME": str(folder), "TOKENS_HOME": str(folder / "data"), "TOKENS_CONFIG": str(config)}
    )


def test_without_wishes_hooks_go_by_what_is_built_in(tmp_path: Path) -> None:
    settings = settings_of(tmp_path)
    write_hook_settings(settings)
    wishes, built_in = wishes_in(settings.data_dir), HookWishes({})
    for name in HookWishes.__slots__:
        assert getattr(wishes, name) == getattr(built_in, name)


def test_every_wish_arrives(tmp_path: Path) -> None:
    settings = settings_of(
        tmp_path,
        "[hooks]\nthresholds = [60, 90]\ntell = false\nguard = false\nguard_tokens = 500\n"
        'stop_at = "5usd"\n[trim]\non = false\nmin_tokens = 9\nallow = ["Bash"]\n'
        'deny = ["Read", "mcp__*"]\nwrap = false\n[windows]\n"my-model*" = 300_000\n'
        '[tokenManagement]\nwarningThreshold = 0.4\ncompressionMode = "verbose"\n',
    )
    write_hook_settings(settings)
    wishes = wishes_in(settings.data_dir)

    assert wishes.thresholds == (0.6, 0.9)
    assert wishes.level_shares == (0.4, 0.75, 0.9)
    assert (wishes.is_telling, wishes.is_guarding, wishes.guard_tokens) == (False, False, 500)
    assert (wishes.stop_at_share, wishes.stop_at_tokens, wishes.stop_at_usd) == (None, None, 5)
    assert (wishes.is_trimming, wishes.is_wrapping, wishes.trim_min_tokens) == (False, False, 9)
    assert (list(wishes.trim_allow), list(wishes.trim_deny)) == (["Bash"], ["Read", "mcp__*"])
    assert (wishes.mode, wishes.windows) == ("verbose", {"my-model*": 300_000})
    path = tmp_path / "data/hooks/settings.json"
    assert path.stat().st_mode & 0o777 == 0o600


def test_every_folder_is_the_users_own_whatever_the_umask(tmp_path: Path) -> None:
    settings = settings_of(tmp_path)
    before = os.umask(0)
    try:
        write_hook_settings(settings)
        record_hook_command(str(tmp_path / "other"), "x y")
    finally:
        os.umask(before)
    for name in ("data", "data/hooks", "other", "other/run"):
        assert (tmp_path / name).stat().st_mode & 0o777 == 0o700, name


@pytest.mark.parametrize(
    ("stop", "field", "value"),
    [("95%", "stop_at_share", 0.95), ("180000", "stop_at_tokens", 180_000), ("", "", None)],
)
def test_a_hard_stop_is_one_of_three_or_none(
    tmp_path: Path, stop: str, field: str, value: float | None
) -> None:
    told = json.loads(hook_settings_text(settings_of(tmp_path, f'hooks.stop_at = "{stop}"\n')))
    found = {name: told[name] for name in ("stop_at_share", "stop_at_tokens", "stop_at_usd")}
    assert {name: one for name, one in found.items() if one} == ({field: value} if field else {})


def test_a_file_that_says_the_same_is_not_written_again(tmp_path: Path) -> None:
    settings = settings_of(tmp_path)
    write_hook_settings(settings)
    path = tmp_path / "data/hooks/settings.json"
    before = path.stat().st_ino
    write_hook_settings(settings)
    assert path.stat().st_ino == before
    write_hook_settings(settings_of(tmp_path, "hooks.tell = false\n"))
    assert path.stat().st_ino != before
    assert not wishes_in(settings.data_dir).is_telling


def test_what_cannot_be_meant_leaves_the_file_as_it_was(tmp_path: Path) -> None:
    write_hook_settings(settings_of(tmp_path, "hooks.tell = false\n"))
    settings = settings_of(tmp_path, "hooks.tell = 5\n")
    with pytest.raises(BadConfig):
        write_hook_settings(settings)
    assert not wishes_in(settings.data_dir).is_telling
