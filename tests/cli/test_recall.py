"""`tokens recall`: byte for byte into a pipe, harmless in a terminal, clear when it is gone."""

from __future__ import annotations

import base64
import io
import os
import subprocess
from datetime import timedelta
from pathlib import Path

import pytest
from tests.cli.conftest import Done, Home
from tests.hostile import PAYLOADS

from tokenbudget.app.spilling import prune_spill, prune_spill_when_due, spill_of
from tokenbudget.archive.spill import Spill
from tokenbudget.config.settings import settings_from

LOG = b"".join(b"%d a line of the log\n" % number for number in range(1, 101))
NO_TEXT = b"\xff\x00\xfe no text \x1b[2J\r\n without an end"


class At:
    """A clock that stands."""

    def __init__(self, home: Home) -> None:
        self.home = home

    def now_ms(self) -> int:
        return round(self.home.now.timestamp() * 1000)

    def monotonic_seconds(self) -> float:
        return 0.0

    def sleep(self, seconds: float) -> None:
        raise AssertionError


@pytest.fixture
def spill(home: Home) -> Spill:
    return spill_of(str(home.config.parent), At(home))


class Screen(io.StringIO):
    """What a person sees."""

    def isatty(self) -> bool:
        return True


def piped(home: Home, *arguments: str) -> tuple[int, bytes, bytes]:
    """What a process writes into a pipe, as the bytes that they are."""
    done = subprocess.run(
        home.command("recall", *arguments),
        check=False,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=60,
        env=home.spawn_environment(),
    )
    return done.returncode, done.stdout, done.stderr


@pytest.mark.parametrize("content", [LOG, NO_TEXT, b"", b"\r\n\r\n"])
def test_a_pipe_gets_the_very_bytes(home: Home, spill: Spill, content: bytes) -> None:
    assert piped(home, spill.keep(content)) == (0, content, b"")


def test_some_lines_are_the_very_bytes_too(home: Home, spill: Spill) -> None:
    handle = spill.keep(LOG)
    wanted = b"".join(LOG.splitlines(keepends=True)[9:12])
    assert piped(home, handle, "--lines", "10-12") == (0, wanted, b"")


def test_lines_that_match_are_numbered_so_that_one_can_ask_on(home: Home, spill: Spill) -> None:
    done = home.run("recall", spill.keep(LOG), "--grep", "^[57]7 ", "--context", "1")
    assert [line.partition(":")[0] for line in done.lines] == ["56", "57", "58", "76", "77", "78"]
    assert done.lines[1] == "57:57 a line of the log"


def test_where_no_line_is_meant_the_exit_code_says_so(home: Home, spill: Spill) -> None:
    handle = spill.keep(LOG)
    for asked in (("--grep", "absent"), ("--lines", "500-")):
        done = home.run("recall", handle, *asked)
        assert (done.code, done.out) == (1, "")
        assert handle in done.err


def test_a_file_gets_the_very_bytes(home: Home, spill: Spill, tmp_path: Path) -> None:
    done = home.run("recall", spill.keep(NO_TEXT), "--output", str(tmp_path / "back"))
    assert done.code == 0
    assert (tmp_path / "back").read_bytes() == NO_TEXT


@pytest.mark.parametrize("mark", ["CLAUDECODE", "CLAUDE_CODE_SESSION_ID"])
def test_inside_an_agent_it_writes_no_file(
    home: Home, spill: Spill, tmp_path: Path, mark: str
) -> None:
    """Its content may be of whoever wrote the page that was fetched; a rule lets it run unasked."""
    handle = spill.keep(LOG)
    done = home.run("recall", handle, "--output", str(tmp_path / "hook"), **{mark: ""})
    assert done.code == 4
    assert "> PATH" in done.err
    assert not (tmp_path / "hook").exists()
    assert home.run("recall", handle, "--output", "-", **{mark: "1"}).out == LOG.decode()


def test_a_terminal_gets_nothing_that_it_would_obey(
    home: Home, spill: Spill, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(io, "StringIO", Screen)
    handle = spill.keep("\n".join(PAYLOADS).encode("utf-8", "surrogatepass"))
    out = home.run("recall", handle).out
    assert "\x1b" not in out
    assert not set(out) & {chr(code) for code in [*range(9), *range(11, 32), 0x9B, 0x202E]}


class TestJson:
    def test_text_is_text(self, home: Home, spill: Spill) -> None:
        handle = spill.keep(LOG)
        assert home.ask("recall", handle) == {
            "format": "tokenbudget/recall/1",
            "handle": handle,
            "size_bytes": len(LOG),
            "content": LOG.decode(),
        }

    def test_what_is_no_text_loses_no_byte(self, home: Home, spill: Spill) -> None:
        told = home.ask("recall", spill.keep(NO_TEXT))
        assert base64.b64decode(told["content_base64"]) == NO_TEXT

    def test_some_lines(self, home: Home, spill: Spill) -> None:
        told = home.ask("recall", spill.keep(LOG), "--lines", "3")
        assert told["rows"] == [{"line": 3, "text": "3 a line of the log\n"}]


class TestList:
    def test_nothing_says_how_something_gets_there(self, home: Home) -> None:
        assert "tokens compress" in home.run("recall", "--list").out

    def test_the_latest_first_with_what_it_was(self, home: Home, spill: Spill) -> None:
        old = spill.keep(b"old" * 500, "Bash npm test")
        home.now += timedelta(minutes=5)
        new = spill.keep(b"new", "Read a.py")
        lines = home.run("recall", "--list").lines
        assert lines[2].split()[0] == new
        assert "Bash npm test" in lines[3]
        assert lines[-1] == f"One back: tokens recall {new}"
        rows = home.ask("recall", "--list")["rows"]
        assert [row["handle"] for row in rows] == [new, old]
        assert rows[1]["size_bytes"] == 1500

    def test_more_than_are_shown(self, home: Home, spill: Spill) -> None:
        for number in range(5):
            spill.keep(b"%d" % number)
        lines = home.run("recall", "--list", "--limit", "2").lines
        assert "3 more: tokens recall --list --limit 5" in lines


class TestRefusals:
    @pytest.mark.parametrize(
        ("arguments", "code", "words"),
        [
            ((), 2, "name one HANDLE"),
            (("123456789012", "--list"), 2, "name one HANDLE"),
            (("123456789012", "--lines", "x"), 2, "--lines takes"),
            (("123456789012", "--grep", "("), 2, "--grep takes"),
            (("123456789012", "--context", "2"), 2, "goes with --grep"),
            (("123456789012", "--json", "--output", "x"), 2, "leave --output out"),
            (("--list", "--grep", "x"), 2, "goes with a HANDLE"),
            (("123456789012",), 3, "no original 123456789012 is kept"),
            (("../../../etc/passwd",), 3, "is no handle"),
        ],
    )
    def test_each_is_one_sentence(
        self, home: Home, arguments: tuple[str, ...], code: int, words: str
    ) -> None:
        done = home.run("recall", *arguments)
        assert (done.code, done.out) == (code, "")
        assert words in done.err
        assert len(done.err.splitlines()) == 1

    def test_a_file_that_is_there_stays_when_the_original_is_gone(
        self, home: Home, tmp_path: Path
    ) -> None:
        (tmp_path / "mine").write_text("mine")
        done = home.run("recall", "123456789012", "--output", str(tmp_path / "mine"))
        assert done.code == 3
        assert (tmp_path / "mine").read_text() == "mine"


def test_after_its_days_it_is_removed_and_that_is_said(home: Home, spill: Spill) -> None:
    handle = spill.keep(LOG)
    home.config.write_text("[spill]\nkeep_days = 3\n")
    found = settings_from(home.environment)
    home.now += timedelta(days=2)
    assert prune_spill(found, At(home)).originals == 0
    home.now += timedelta(days=2)
    assert prune_spill(found, At(home)).originals == 1
    done = home.run("recall", handle)
    assert done.code == 3
    assert "was removed on 2026-11-24" in done.err


def test_what_is_recalled_counts_as_used(home: Home, spill: Spill) -> None:
    handle = spill.keep(LOG)
    home.now += timedelta(days=20)
    assert home.run("recall", handle).code == 0
    home.now += timedelta(days=20)
    assert prune_spill(settings_from(home.environment), At(home)).originals == 0


def test_a_reader_that_has_seen_enough_is_no_fault(home: Home, spill: Spill) -> None:
    handle = spill.keep(LOG * 20_000)
    words = " ".join(home.command("recall", handle))
    done = subprocess.run(
        ["sh", "-c", f"{words} | head -c 20"],
        check=False,
        capture_output=True,
        timeout=60,
        env=home.spawn_environment(),
    )
    assert Done(done.returncode, done.stdout.decode(), done.stderr.decode()) == Done(
        0, LOG[:20].decode(), ""
    )


def test_without_a_daemon_what_is_due_goes_once_an_hour(home: Home, spill: Spill) -> None:
    clock = At(home)
    prune_spill_when_due(settings_from(home.environment), clock)
    assert not spill.folder.exists()
    handle = spill.keep(LOG)
    home.config.write_text("[spill]\nkeep_days = 3\n")
    found = settings_from(home.environment)
    home.now += timedelta(days=4)
    prune_spill_when_due(found, clock)
    assert home.run("recall", handle).code == 3
    spill.keep(LOG)
    home.config.write_text("[spill]\nmost_mb = 1\n")
    big = os.urandom(1_100_000)
    handle = spill.keep(big)
    home.now += timedelta(minutes=59)
    prune_spill_when_due(settings_from(home.environment), clock)
    assert spill.content(handle) == big
    home.now += timedelta(minutes=1)
    prune_spill_when_due(settings_from(home.environment), clock)
    assert [one.size_bytes for one in spill.listing()] == [len(LOG)]


def test_a_spill_that_cannot_be_pruned_stops_nothing(home: Home, spill: Spill) -> None:
    spill.keep(LOG)
    home.config.write_text("[spill]\nkeep_days = 0\n")
    prune_spill_when_due(settings_from(home.environment), At(home))
    assert len(spill.listing()) == 1
