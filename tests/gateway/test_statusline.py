"""The status line shows what is known, fits its width, and never fails or blocks."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from tests.gateway.status_bar import (
    COLOUR,
    NOW_MS,
    SCRIPT,
    SESSION,
    SNAPSHOT,
    command,
    drawn,
    lasting,
    line,
    run,
    told,
)

from tokenbudget.gateway import statusline, statusline_line, statusline_spool, statusline_values
from tokenbudget.gateway.statusline_files import Snapshot, write_snapshot
from tokenbudget.model.figures import text_width
from tokenbudget.model.plain_text import _DROPPED
from tokenbudget.system.clock import SystemClock

CLOCK = SystemClock()
PAGE = Path(__file__).parents[2] / "docs/statusline.md"

# ── templates, width, colour ──────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("{model} {percent}", "opus-5-5 58% of 200K"),
        ("ctx:{percent}  {free} | {nothing}", "ctx:58% of 200K  83.6K free |"),
        ("{model.__class__} {0} {} {model!r} {cost", "$1.86"),
        ("}{model}{{cost}}", "}opus-5-5$1.86}"),
        ("\x1b[31m{model}\u202e\x07", "[31mopus-5-5"),
        ("   ", "▲"),
        ("{nothing}", ""),
        ("{model}\n{cost}", "opus-5-5"),
        ("{model}" * 2000, "opus-5-5"),
        ("{model} " * 2000, "opus-5-5 opus-5-5"),
    ],
)
def test_a_template_orders_the_line_and_a_hostile_one_does_no_harm(
    tmp_path: Path, template: str, expected: str
) -> None:
    (tmp_path / "statusline.template").write_text(template, encoding="utf-8")
    text = line(run(lasting(), tmp_path, "--plain", "--width", "60"))
    assert expected in text if len(template) > 100 or not template.strip() else text == expected
    assert text_width(text) <= 60


def test_a_template_that_cannot_be_read_is_as_none(tmp_path: Path) -> None:
    (tmp_path / "statusline.template").mkdir()
    assert "58% of 200K" in line(run(lasting(), tmp_path))
    os.rmdir(tmp_path / "statusline.template")
    os.mkfifo(tmp_path / "statusline.template")
    assert "58% of 200K" in line(run(lasting(), tmp_path))


def test_the_width_is_the_arguments_else_that_of_columns_else_80(tmp_path: Path) -> None:
    def width(*options: str, columns: str = "") -> int:
        done = run(lasting(), tmp_path, *options, environment={"COLUMNS": columns})
        return text_width(line(done))

    assert width(columns="30") <= 30
    assert width("--width", "20", columns="30") <= 20
    for impossible in ("", "0", "-3", "wide", "99999", "\u0663", "\udcff"):
        assert 70 < width(columns=impossible) <= 80


def test_colour_means_health_and_can_be_left_out(tmp_path: Path) -> None:
    coloured = run(lasting(), tmp_path).stdout.decode()
    assert COLOUR.findall(coloured) == ["\x1b[33m", "\x1b[0m"] * 2
    for environment in ({"NO_COLOR": "1"}, {"TERM": "dumb"}):
        assert b"\x1b" not in run(lasting(), tmp_path, environment=environment).stdout
    assert b"\x1b" not in run(lasting(), tmp_path, "--plain").stdout


@pytest.mark.parametrize(
    ("environment", "is_ascii"),
    [
        ({}, False),
        ({"LANG": "de_DE.UTF-8"}, False),
        ({"LANG": "en_US"}, False),
        ({"LC_ALL": "C", "LANG": "de_DE.UTF-8"}, True),
        ({"LC_ALL": "C.utf8"}, False),
        ({"LC_ALL": "de_DE.ISO-8859-1"}, True),
    ],
)
def test_ascii_stands_in_where_the_locale_has_no_utf_8(
    tmp_path: Path, environment: dict[str, str], is_ascii: bool
) -> None:
    done = run(lasting(), tmp_path, environment=environment)
    assert done.stdout.isascii() == is_ascii
    assert not is_ascii or "^ [######    ] 58% of 200K" in line(done)


def test_wide_characters_count_as_two(tmp_path: Path) -> None:
    for width in range(1, 40):
        model = {"id": "模型一二三四五六七八九十"}
        text = line(run(lasting(model=model), tmp_path, "--plain", "--width", str(width)))
        assert 0 < text_width(text) <= width


def test_whatever_reports_drop_is_dropped_here_too() -> None:
    kept = [code for code in _DROPPED if statusline_values.clean(f"a{chr(code)}", 9) != "a"]
    assert kept == []


# ── faults ────────────────────────────────────────────────────────────────────────────────────────

DEEP = b'{"a":' * 100_000
HOSTILE = "\x1b]52;c;aGk=\x07\x9b2J\u202e\u200b" + "A" * 10_000


@pytest.mark.parametrize(
    "stdin",
    [
        b"", b"\n", b"null", b"[]", b"7", b'"x"', b"{", b"not json", b"\xff\xfe\x00", b"\x00" * 99,
        DEEP, b"[" * 900_000, b'{"a":"' + b"x" * 2_000_000 + b'"}', b"9" * 5000,
        b'{"context_window":{"total_input_tokens":' + b"9" * 5000 + b"}}",
        b'{"context_window":{"total_input_tokens":NaN,"context_window_size":-Infinity}}',
        b'{"context_window":{"total_input_tokens":1e999,"context_window_size":1e-300}}',
        b'{"context_window":[],"cost":"x","model":null,"rate_limits":{"five_hour":7}}',
    ],
)  # fmt: skip
def test_stdin_that_says_nothing_gives_an_empty_line(tmp_path: Path, stdin: bytes) -> None:
    assert line(run(stdin, tmp_path)) == ""


def test_of_a_message_that_is_cut_short_the_model_is_shown(tmp_path: Path) -> None:
    whole = json.dumps(lasting(), separators=(",", ":")).encode()
    assert line(run(whole[:-40], tmp_path)) == "opus-5-5"
    assert line(run(b"\xef\xbb\xbf" + whole, tmp_path)).startswith("opus-5-5")


def test_hostile_text_is_shown_inert(tmp_path: Path) -> None:
    hostile = lasting(model={"id": HOSTILE, "display_name": HOSTILE}, version=HOSTILE)
    done = run(hostile, tmp_path, "--plain")
    assert line(done).isprintable()
    assert (tmp_path / "spool/statusline.jsonl").read_bytes().isascii()
    for session in ("../../etc/passwd", ".hidden", "-rf", "a/b", "x" * 200, "a\x00b", "", 7, None):
        text = line(run(lasting(session_id=session), tmp_path))
        assert "58% of 200K" in text
    assert not any("passwd" in str(path) for path in tmp_path.parent.rglob("*"))


def test_a_damaged_snapshot_is_as_none(tmp_path: Path) -> None:
    folder = tmp_path / "statusline"
    folder.mkdir()
    path = folder / f"{SESSION}.json"
    alien = json.dumps({"format": statusline.FORMAT, "session": "other", "alerts": 3})
    for damage in (b"", b"{", b"\xff" * 99, b"[]", b'{"format":"other/1"}', alien.encode()):
        path.write_bytes(damage)
        assert "⚑" not in line(run(lasting(), tmp_path))
    path.unlink()
    os.mkfifo(path)
    assert "58% of 200K" in line(run(lasting(), tmp_path))


def test_a_home_that_cannot_be_used_costs_only_what_it_holds(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    odd = f"{tmp_path}/" + "\x01\udcff" * 9
    for home in ("", "/proc/none", f"{tmp_path}/file", f"{tmp_path}/a/b/c", odd):
        assert "58% of 200K" in line(run(lasting(), home))


def test_a_full_disk_costs_nothing(tmp_path: Path) -> None:
    (tmp_path / "spool").mkdir()
    (tmp_path / "spool/statusline.jsonl").symlink_to("/dev/full")
    (tmp_path / "statusline").mkdir()
    (tmp_path / "statusline/refresh.lock").symlink_to("/dev/full")
    assert "58% of 200K" in line(run(lasting(), tmp_path))


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-", ">/dev/full"])
def test_closed_or_full_streams_do_not_matter(tmp_path: Path, closed: str) -> None:
    script = f'"$@" {closed}'
    done = subprocess.run(
        ["/bin/sh", "-c", script, "sh", *command(tmp_path)],
        input=json.dumps(lasting()).encode(),
        capture_output=True,
        timeout=20,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, b"")


def test_a_reader_that_has_gone_does_not_matter(tmp_path: Path) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        command(tmp_path), input=b"{}", stdout=writing, stderr=subprocess.PIPE, check=False
    )
    os.close(writing)
    assert (done.returncode, done.stderr) == (0, b"")


def test_a_pipe_that_nobody_reads_does_not_block(tmp_path: Path) -> None:
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    with contextlib.suppress(BlockingIOError):
        while True:
            os.write(writing, b"x" * 4096)
    os.set_blocking(writing, True)
    done = subprocess.run(
        command(tmp_path),
        input=b"{}",
        stdout=writing,
        stderr=subprocess.PIPE,
        timeout=5,
        check=False,
    )
    os.close(reading)
    os.close(writing)
    assert (done.returncode, done.stderr) == (0, b"")


def test_a_pipe_that_never_closes_costs_150_ms(tmp_path: Path) -> None:
    reading, writing = os.pipe()
    os.write(writing, json.dumps(lasting()).encode())
    began = CLOCK.monotonic_seconds()
    done = subprocess.run(command(tmp_path), stdin=reading, capture_output=True, check=False)
    took = CLOCK.monotonic_seconds() - began
    os.close(reading)
    os.close(writing)
    assert "58% of 200K" in line(done)
    assert took < 2  # a loaded machine; it is 0.17 s on a quiet one


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=6,
)
PARTS = st.dictionaries(st.sampled_from(sorted(told())), JSON, max_size=9)
FIELDS = st.sampled_from(
    [*statusline_spool.KEPT[0][1].split(), "id", "five_hour", "hit_ratio", "warm"]
)
NEAR = st.dictionaries(
    st.sampled_from(sorted(told())), st.dictionaries(FIELDS, JSON, max_size=4), max_size=5
)


@pytest.mark.slow
@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    stdin=st.binary(max_size=300) | (PARTS | NEAR).map(lambda parts: json.dumps(parts).encode()),
    width=st.integers(1, 120),
)
@example(stdin=b'{"model":{"id":"\\ud800\\u202e"}}', width=3)
def test_any_bytes_give_one_printable_line_that_fits(
    tmp_path: Path, stdin: bytes, width: int
) -> None:
    text = line(run(stdin, tmp_path, "--width", str(width)))
    assert text == "" or text.isprintable()
    assert text_width(text) <= width


@pytest.mark.slow
@settings(max_examples=500, deadline=None)
@given(
    parts=PARTS | NEAR,
    snapshot=st.dictionaries(st.text(max_size=9), JSON),
    width=st.integers(1, 200),
)
def test_any_message_gives_a_line_that_fits(
    parts: dict[str, object], snapshot: dict[str, object], width: int
) -> None:
    options = statusline.Options(["", "--plain", "--width", str(width)], {})
    for known in (SNAPSHOT, snapshot):
        text = statusline.line_of(parts, known, options, NOW_MS)
        assert text == "" or text.isprintable()
        assert text_width(text) <= width
    assert len(statusline_spool.spool_line(parts, NOW_MS)) <= statusline_spool.LINE_BYTES


def test_without_the_private_scanner_json_takes_its_place(tmp_path: Path) -> None:
    script = (
        "import sys; sys.modules['_json'] = None; sys.path.insert(0, sys.argv.pop(1));"
        "import statusline; statusline.main()"
    )
    done = subprocess.run(
        [sys.executable, "-IS", "-c", script, str(Path(SCRIPT).parent), str(tmp_path), *IDLE],
        input=json.dumps(lasting(transcript_path="/none")).encode(),
        capture_output=True,
        check=False,
    )
    assert "58% of 200K" in line(done)
    [written] = (tmp_path / "spool/statusline.jsonl").read_bytes().splitlines(keepends=True)
    at_ms = json.loads(written)["at_ms"]
    assert written == statusline_spool.spool_line(lasting(transcript_path="/none"), at_ms)


def test_a_refresh_imports_nothing_of_the_agents_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[tuple[object, ...]] = []

    def spawned(*command: object, **how: object) -> int:
        started.append((*command, how["setsid"]))
        return 7

    monkeypatch.setattr("posix.posix_spawn", spawned)
    assert statusline_spool._start("/data/tokens", SESSION, "") == 7
    [(program, arguments, environment, has_own_session)] = started
    assert program == sys.executable
    assert arguments == [sys.executable, "-PE", "-m", "tokenbudget", "refresh-statusline", SESSION]
    assert isinstance(environment, dict)
    assert environment[b"TOKENS_HOME"] == b"/data/tokens"
    assert has_own_session


IDLE = ("--refresh-with", "/bin/true")
"""What is started does nothing: a refresh of ours would take the spool away again."""
PARTS_OF_IT = {"statusline", "statusline_line", "statusline_spool", "statusline_values"}


@pytest.mark.parametrize("is_wired", [True, False])
def test_nothing_but_its_own_parts_and_modules_written_in_c_is_imported(
    tmp_path: Path, is_wired: bool
) -> None:
    write_snapshot(str(tmp_path), Snapshot(SESSION, NOW_MS, 1, 1))
    begin = (
        "sys.path.insert(0, sys.argv.pop(1)); import statusline; del sys.path[0];"
        if is_wired
        else f"script = {SCRIPT!r}; sys.argv.pop(1);"
        "code = compile(open(script).read(), script, 'exec');"
        "statusline = {'__name__': '__main__', '__file__': script};"
    )
    script = f"""
import sys; before = set(sys.modules); {begin}
import posix; left = posix._exit
def leave(code):
    new = {{name: str(getattr(module, '__file__', None) or 'built in')
           for name, module in sys.modules.items() if name not in before}}
    posix.write(2, repr(new).encode())
    left(code)
posix._exit = leave
{"statusline.main()" if is_wired else "exec(code, statusline)"}
"""
    done = subprocess.run(
        [sys.executable, "-IS", "-c", script, str(Path(SCRIPT).parent), str(tmp_path), *IDLE],
        input=json.dumps(lasting(transcript_path=SCRIPT)).encode(),
        capture_output=True,
        check=True,
    )
    found = dict(eval(done.stderr))  # the repr of pairs of strings that we have just printed
    assert b"58% of 200K" in done.stdout
    of_ours = PARTS_OF_IT if is_wired else PARTS_OF_IT - {"statusline"}
    assert {name for name, path in found.items() if path.endswith(".py")} == of_ours
    assert set(found) - of_ours <= {"_json", "_signal", "time", "posix"}
    assert (tmp_path / "spool/statusline.jsonl").exists()
    assert (tmp_path / "statusline/refresh.lock").exists()


# ── the page ──────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("width", [48, 80, 180])
def test_the_page_shows_the_line_as_it_is_drawn(width: int) -> None:
    assert f"\n{drawn(width)}\n" in PAGE.read_text(encoding="utf-8")


def test_the_page_names_every_field_and_segment() -> None:
    page = PAGE.read_text(encoding="utf-8")
    kept = [name for _, fields in statusline_spool.KEPT for name in fields.split()]
    shown, _ = statusline_line.segments(told(), SNAPSHOT, False, NOW_MS)
    segments = [f"{{{name}}}" for name in shown]
    names = [*Snapshot._fields, *kept, *statusline_spool.USAGE.split(), *segments]
    assert [name for name in names if f"`{name}`" not in page] == []
