"""`tokens compress`: fewer tokens or the very bytes, and the original one call away."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.cli.conftest import Home

from tokenbudget.app.compressing import (
    PROSE,
    RESULT,
    Wish,
    bytes_of,
    compressed,
    kind_of,
    text_of,
)
from tokenbudget.archive.spill import Spill
from tokenbudget.compression.handles import handle_of
from tokenbudget.compression.passage import BALANCED, COMPRESSED, VERBOSE, Origin
from tokenbudget.metering.tokenizer import BytePairCounter
from tokenbudget.system.clock import SystemClock

COUNTER = BytePairCounter()
ROWS = json.dumps(
    [{"id": n, "name": f"item {n}", "price": n * 3, "is_new": n % 2 == 0} for n in range(200)]
).encode()
BUILD = b"".join(
    b"[info] fetched package-%d in %d ms\n" % (number, number % 7) for number in range(2000)
)


def piped(home: Home, content: bytes, *arguments: str) -> tuple[int, bytes, bytes]:
    done = subprocess.run(
        home.command("compress", *arguments),
        check=False,
        input=content,
        capture_output=True,
        timeout=60,
        env=home.spawn_environment(),
    )
    return done.returncode, done.stdout, done.stderr


def recalled(home: Home, handle: str) -> bytes:
    done = subprocess.run(
        home.command("recall", handle),
        check=True,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=60,
        env=home.spawn_environment(),
    )
    return done.stdout


def test_what_is_left_out_is_one_call_away(home: Home) -> None:
    code, out, err = piped(home, BUILD, "--level", "compressed", "--receipt")
    assert code == 0
    assert len(out) < len(BUILD) / 2
    handle = handle_of(BUILD)
    assert f"tokens recall {handle}".encode() in out
    assert f"the original: tokens recall {handle}" in err.decode()
    assert recalled(home, handle) == BUILD


def test_without_loss_nothing_needs_to_be_kept(home: Home) -> None:
    told = json.loads(piped(home, ROWS, "--level", "verbose", "--json")[1])
    assert told["format"] == "tokenbudget/compress/1"
    assert (told["is_lossless"], told["handle"]) == (True, "")
    assert told["after_tokens"] < 0.65 * told["before_tokens"]
    assert not (home.config.parent / "spill").exists()


def test_the_account_is_of_the_text_beside_it(home: Home) -> None:
    told = json.loads(piped(home, BUILD, "--level", "compressed", "--json")[1])
    assert told["before_tokens"] == COUNTER.count(BUILD.decode())
    assert told["after_tokens"] == COUNTER.count(told["text"])
    assert told["saved_tokens"] == told["before_tokens"] - told["after_tokens"] > 0
    assert told["before_bytes"] == len(BUILD)
    assert told["after_bytes"] == len(told["text"].encode())


@pytest.mark.parametrize("content", [b"", b"short\n", b"\xff\x00\xfe\r\nodd", b"no end"])
def test_what_gains_nothing_comes_through_as_it_was(home: Home, content: bytes) -> None:
    code, out, err = piped(home, content, "--receipt")
    assert (code, out) == (0, content)
    assert "as before" in err.decode()
    assert not (home.config.parent / "spill").exists()


def test_a_file_of_prose_is_told_from_a_result(home: Home, tmp_path: Path) -> None:
    (tmp_path / "CLAUDE.md").write_text("# Rules\n\nBe brief.\n")
    (tmp_path / "log").write_bytes(BUILD)
    assert home.ask("compress", str(tmp_path / "CLAUDE.md"))["as"] == "prose"
    assert home.ask("compress", str(tmp_path / "log"))["as"] == "result"
    assert home.ask("compress", str(tmp_path / "log"), "--as", "prose")["as"] == "prose"


def test_the_mode_says_how_hard(home: Home, tmp_path: Path) -> None:
    (tmp_path / "log").write_bytes(BUILD)
    assert home.ask("compress", str(tmp_path / "log"))["level"] == "balanced"
    home.run("mode", "compressed")
    assert home.ask("compress", str(tmp_path / "log"))["level"] == "compressed"


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("/nowhere/at/all",), 3, "cannot read '/nowhere/at/all'"),
        (("/",), 3, "Is a directory"),
        (("x\0y",), 3, "no file has such a name"),
        (("-", "--level", "hard"), 2, "--level"),
        (("-", "--json", "--output", "x"), 2, "leave --output out"),
    ],
)
def test_refusals_are_one_sentence(
    home: Home, arguments: tuple[str, ...], code: int, words: str
) -> None:
    done = home.run("compress", *arguments)
    assert (done.code, done.out) == (code, "")
    assert words in done.err
    assert len(done.err.splitlines()) == 1


def test_nothing_is_shortened_that_cannot_be_kept(home: Home) -> None:
    home.config.parent.mkdir(parents=True, exist_ok=True)
    (home.config.parent / "spill").write_text("in the way")
    code, out, err = piped(home, BUILD, "--level", "compressed")
    assert (code, out) == (3, b"")
    assert b"cannot write" in err


class TestKinds:
    @pytest.mark.parametrize(
        ("origin", "kind"),
        [
            (Origin(path="/p/notes.MD"), PROSE),
            (Origin(path="/p/readme.rst"), PROSE),
            (Origin(tool="Read", path="/p/notes.md"), RESULT),
            (Origin(path="/p/cart.py"), RESULT),
            (Origin(), RESULT),
        ],
    )
    def test_auto(self, origin: Origin, kind: str) -> None:
        assert kind_of(Wish(BALANCED, "auto", origin)) == kind


class TestAnyBytes:
    @given(st.binary(max_size=400))
    def test_text_is_the_bytes_again_but_for_utf_16(self, content: bytes) -> None:
        if not content.startswith((b"\xff\xfe", b"\xfe\xff")):
            assert bytes_of(text_of(content)) == content

    def test_what_a_windows_shell_writes_is_read(self) -> None:
        assert text_of("größer\r\n".encode("utf-16")) == "größer\r\n"

    @settings(
        max_examples=60,
        deadline=None,  # each example writes a file to the disk
        suppress_health_check=[HealthCheck.function_scoped_fixture],
    )
    @given(
        st.lists(st.binary(max_size=30) | st.sampled_from([b"ERROR x", b"a" * 90]), max_size=60),
        st.sampled_from([VERBOSE, BALANCED, COMPRESSED]),
        st.sampled_from([PROSE, RESULT]),
    )
    def test_never_more_tokens_and_never_lost(
        self, tmp_path: Path, parts: list[bytes], level: str, kind: str
    ) -> None:
        content = b"\n".join(parts * 3)
        spill = Spill(tmp_path / "spill", SystemClock())
        done = compressed(content, Wish(level, kind), COUNTER, spill)
        assert done.after_tokens <= done.before_tokens
        if done.handle:
            assert spill.content(done.handle) == content
        elif not done.codec:
            assert done.text == text_of(content)


@pytest.mark.parametrize("name", ["build.log", "test.out", "TEST.ERR", "notes.txt"])
def test_output_in_a_file_is_shortened_as_from_a_pipe(tmp_path: Path, name: str) -> None:
    content = b"\n".join(b"line %c%d of what was printed" % (97 + n % 26, n) for n in range(900))
    spill = Spill(tmp_path / "spill", SystemClock())
    piped, kept, source = (
        compressed(content, Wish(COMPRESSED, "result", Origin(path=path)), BytePairCounter(), spill)
        for path in ("", f"/home/dev/{name}", "/home/dev/config.yaml")
    )
    assert piped.codec == kept.codec == "logs"
    assert piped.text == kept.text
    assert source.codec == ""  # it may be edited by what is shown of it
