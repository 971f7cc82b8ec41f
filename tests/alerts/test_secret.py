from __future__ import annotations

import os
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tokenbudget.alerts.secret import SecretSources, is_reference, shown_url
from tokenbudget.model.errors import BadConfig

CANARY = "CANARY-9f31"
URL = f"https://hooks.slack.com/services/T0/B0/{CANARY}"
NOTHING = SecretSources({})


@pytest.fixture
def secret_file(tmp_path: Path) -> Path:
    path = tmp_path / "slack"
    path.write_text(f"{URL}\n")
    path.chmod(0o600)
    return path


def test_from_the_environment() -> None:
    assert SecretSources({"HOOK": URL}).resolve("env:HOOK") == URL
    with pytest.raises(BadConfig, match="HOOK of an alert's channel is not set"):
        NOTHING.resolve("env:HOOK")


def test_from_a_file_that_is_ours_alone(secret_file: Path) -> None:
    assert NOTHING.resolve(f"file:{secret_file}") == URL


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o620, 0o700])
def test_a_file_that_others_may_read_is_refused(secret_file: Path, mode: int) -> None:
    secret_file.chmod(mode)
    with pytest.raises(BadConfig, match="chmod 600") as refused:
        NOTHING.resolve(f"file:{secret_file}")
    assert CANARY not in str(refused.value)


def test_links_folders_and_pipes_are_refused(secret_file: Path, tmp_path: Path) -> None:
    link, pipe = tmp_path / "link", tmp_path / "pipe"
    link.symlink_to(secret_file)
    os.mkfifo(pipe, 0o600)
    for path in (link, pipe, tmp_path, tmp_path / "missing", Path("a\0b")):
        with pytest.raises(BadConfig, match="plain file"):
            NOTHING.resolve(f"file:{path}")


@pytest.mark.parametrize("held", ["", "\n", f"{URL}\nBcc: x", f"{URL}\r\nX: y"])
def test_what_is_not_one_line_is_refused(held: str) -> None:
    with pytest.raises(BadConfig, match="does not hold one line") as refused:
        SecretSources({"HOOK": held}).resolve("env:HOOK")
    assert CANARY not in str(refused.value)


def test_from_the_keyring(monkeypatch: pytest.MonkeyPatch) -> None:
    kept = {("tokens", "slack"): URL}
    ring = SimpleNamespace(get_password=lambda service, name: kept.get((service, name)))
    monkeypatch.setitem(sys.modules, "keyring", ring)
    assert NOTHING.resolve("keyring:tokens/slack") == URL
    with pytest.raises(BadConfig, match="gives nothing for tokens/other"):
        NOTHING.resolve("keyring:tokens/other")


def test_a_keyring_that_fails_with_the_secret_in_its_words(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(service: str, name: str) -> str:
        raise RuntimeError(URL)

    monkeypatch.setitem(sys.modules, "keyring", SimpleNamespace(get_password=fails))
    with pytest.raises(BadConfig) as refused:
        NOTHING.resolve("keyring:tokens/slack")
    assert CANARY not in str(refused.value)
    assert refused.value.__context__ is None


def test_without_the_package_keyring_it_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "keyring", None)
    with pytest.raises(BadConfig, match="needs the package keyring"):
        NOTHING.resolve("keyring:tokens/slack")


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        (URL, "https://hooks.slack.com/***"),
        (f"slack://{CANARY}/B/C", "slack://***"),
        (f"ntfy://{CANARY}", "ntfy://***"),
        (f"mailtos://me:{CANARY}@example.com?to=x@y.z", "mailtos://***@example.com/***"),
        (f"mailto://me:{CANARY}/x@example.com", "mailto://***"),
        (f"mailto://me:{CANARY}@x@example.com", "mailto://***"),
        (f"json://127.0.0.1:8080/{CANARY}?+X={CANARY}", "json://127.0.0.1:8080/***"),
        ("https://me:1234?@example.com", "https://***"),
        (f"{CANARY}", "***"),
        ("env:HOOK", "env:HOOK"),
        ("file:/home/me/.slack", "file:/home/me/.slack"),
    ],
)
def test_what_is_shown_of_an_address(url: str, shown: str) -> None:
    assert shown_url(url) == shown


@given(st.text(st.characters(min_codepoint=32, max_codepoint=126)))
def test_neither_user_path_nor_query_is_ever_shown(noise: str) -> None:
    for url in (
        f"https://me:{CANARY}{noise}@example.com/x",
        f"https://example.com/{noise}{CANARY}",
        f"https://example.com?{noise}{CANARY}",
        f"mailto://me:{noise}{CANARY}@example.com",
    ):
        assert CANARY not in shown_url(url)


def test_a_url_is_no_reference() -> None:
    assert is_reference("env:HOOK")
    assert not is_reference(URL)
    assert not is_reference("file://etc/x")
