import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tokenbudget.ledger.inspection import SessionRow
from tokenbudget.resources import client_versions
from tokenbudget.resources.client_versions import (
    ClientVersion,
    InstalledClient,
    installed_client,
    moment_of,
    versions_in_use,
)

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
NOW_MS = round(NOON.timestamp() * 1000)
EMPTY = ""


def row(version: str, last_at: str = "2026-11-20T11:00:00Z") -> SessionRow:
    """A session that this release wrote last."""
    return SessionRow("s", "", "", version, "/w", last_at, last_at, "", "claude", False)


def program(path: Path, says: str = "") -> Path:
    """A program called `claude` that says this."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{says}\n")
    path.chmod(0o755)
    return path


def test_the_releases_of_sessions_and_the_installed_one_newest_first() -> None:
    found = versions_in_use(
        [row("2.1.9"), row("2.1.270"), row("2.1.9", "2026-11-19T11:00:00Z")],
        InstalledClient("/bin/claude", "2.1.329"),
        NOW_MS,
    )

    assert found == (
        ClientVersion("2.1.329", 0, None, True),
        ClientVersion("2.1.270", 1, NOW_MS - 3_600_000, False),
        ClientVersion("2.1.9", 2, NOW_MS - 3_600_000, False),
    )


def test_what_nobody_used_for_a_month_is_gone() -> None:
    assert versions_in_use([row("2.0.76", "2026-10-20T11:00:00Z")], None, NOW_MS) == ()


@pytest.mark.parametrize("version", ["", "unknown", "\x1b[2J2.1.1", "2.1.1; rm -rf", "9" * 400])
def test_a_hostile_version_is_none(version: str) -> None:
    assert versions_in_use([row(version)], InstalledClient("/bin/claude", version), NOW_MS) == ()


@pytest.mark.parametrize("moment", ["", "yesterday", "2026-11-20", "2026-13-45T00:00:00Z"])
def test_what_is_no_moment_is_none(moment: str) -> None:
    assert moment_of(moment) == 0


def test_the_program_is_asked_where_nothing_beside_it_tells(tmp_path: Path) -> None:
    path = program(tmp_path / "bin" / "claude", "echo '2.1.300 (Claude Code)'")

    assert installed_client(str(path.parent), EMPTY) == InstalledClient(str(path), "2.1.300")


def test_a_native_client_is_known_by_its_place(tmp_path: Path) -> None:
    program(tmp_path / "share" / "versions" / "2.1.329", "echo 9.9.9")
    link = tmp_path / ".local" / "bin" / "claude"
    link.parent.mkdir(parents=True)
    link.symlink_to(tmp_path / "share" / "versions" / "2.1.329")

    assert installed_client("", str(tmp_path)) == InstalledClient(str(link), "2.1.329")


def test_an_npm_client_is_known_by_its_package(tmp_path: Path) -> None:
    package = tmp_path / "lib" / "node_modules" / "@anthropic-ai" / "claude-code"
    program(package / "bin" / "claude.exe", "echo 9.9.9")
    facts = {"name": "@anthropic-ai/claude-code", "version": "2.1.270"}
    (package / "package.json").write_text(json.dumps(facts))
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "claude").symlink_to(package / "bin" / "claude.exe")

    found = installed_client(str(tmp_path / "bin"), EMPTY)

    assert found == InstalledClient(str(tmp_path / "bin" / "claude"), "2.1.270")


@pytest.mark.parametrize(
    "text", ["{", "[]", '{"name": "other", "version": "1.1"}', '{"version": 1}']
)
def test_another_package_says_nothing(tmp_path: Path, text: str) -> None:
    path = program(tmp_path / "claude", "echo 2.1.5")
    (tmp_path / "package.json").write_text(text)

    assert installed_client(str(tmp_path), EMPTY) == InstalledClient(str(path), "2.1.5")


@pytest.mark.parametrize(
    "says", ["exit 3", "echo", "echo hello", "exec cat /dev/zero", "echo >&2 2.1.1"]
)
def test_a_program_that_does_not_say_is_there_without_a_version(tmp_path: Path, says: str) -> None:
    program(tmp_path / "claude", says)

    assert installed_client(str(tmp_path), EMPTY) == InstalledClient(str(tmp_path / "claude"), "")


def test_one_that_hangs_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client_versions, "TIMEOUT_SECONDS", 0.05)
    program(tmp_path / "claude", "exec sleep 5")

    assert installed_client(str(tmp_path), EMPTY) == InstalledClient(str(tmp_path / "claude"), "")


def test_a_program_of_the_project_is_never_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program(tmp_path / "claude", f"echo > {tmp_path}/was-run; echo 2.1.1")
    monkeypatch.chdir(tmp_path)

    for search_path in (".", "", "bin:.:"):
        assert installed_client(search_path, EMPTY) is None
    assert not (tmp_path / "was-run").exists()


def test_it_is_asked_without_our_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECRET_OF_OURS", "x")
    program(tmp_path / "claude", f"env > {tmp_path}/told; echo 2.1.1")

    installed_client(str(tmp_path), "/home/me")

    told = (tmp_path / "told").read_text()
    assert "SECRET_OF_OURS" not in told
    assert "HOME=/home/me" in told.split("\n")
    assert "DISABLE_AUTOUPDATER=1" in told


def test_what_may_not_be_run_is_none(tmp_path: Path) -> None:
    program(tmp_path / "claude").chmod(0o600)

    assert installed_client(str(tmp_path), EMPTY) is None
