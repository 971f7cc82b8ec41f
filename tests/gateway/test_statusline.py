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
    command,
    lasting,
    line,
    run,
    told,
)

from tokenbudget.gateway import statusline
from tokenbudget.gateway.statusline_files import Snapshot, write_snapshot
from tokenbudget.model.figures import text_width
from tokenbudget.model.plain_text import _DROPPED
from tokenbudget.system.clock import SystemClock

CLOCK = SystemClock()
PAGE = Path(__file__).parents[2] / "docs/statusline.md"

SNAPSHOT: dict[str, object] = {
    "burn_tokens_per_minute": 1612.3,
    "minutes_left_p10": 38,
    "minutes_left_p50": 51.4,
    "minutes_left_p90": 70,
    "threshold": "critical",
    "alerts": 1,
    "is_fresh": True,
}


def drawn(
    width: int,
    *options: str,
    snapshot: dict[str, object] | None = None,
    **changes: object,
) -> str:
    """The line at a fixed moment, in plain text."""
    chosen = statusline.Options(["", "--width", str(width), "--plain", *options], {})
    known = SNAPSHOT if snapshot is None else {"is_fresh": True, **snapshot}
    return statusline.line_of(told(**changes), known, chosen, NOW_MS)


# ── what it shows ─────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("width", "expected"),
    [
        (
            180,
            "opus-5-5  ▲ warning ▕█████▉    ▏ 58% of 200K  1.6K/min"
            " ~51m (38m\u20131h10m) to critical"
            "  $1.86  5h 38% (resets in 2h00m) 7d 61% (resets in 2d21h)"
            "  cache hit 96%, cold in 2m  ⚑ 1 alert",
        ),
        (
            120,
            "opus-5-5  ▲ warning ▕█████▉    ▏ 58% of 200K  1.6K/min ~51m  $1.86  5h 38% 7d 61%"
            "  cache hit 96%, cold in 2m  ⚑ 1 alert",
        ),
        (
            86,
            "opus-5-5  ▲ ▕██▉  ▏ 58% of 200K  1.6K/min ~51m  $1.86  5h 38% 7d 61%"
            "  cache 96% 2m  ⚑1",
        ),
        (85, "opus-5-5 ▲ ▕██▉  ▏ 58% of 200K 1.6K/min ~51m $1.86 5h 38% 7d 61% cache 96% 2m ⚑1"),
        (80, "opus-5-5 ▲ ▕██▉  ▏ 58% of 200K 1.6K/min ~51m $1.86 5h 38% 7d 61% cache 96% 2m ⚑1"),
        (79, "opus-5-5 ▲ ▕██▉  ▏ 58% of 200K 1.6K/min ~51m $1.86 5h 38% 7d 61% ⚑1"),
        (40, "opus-5-5 ▲ ▕██▉  ▏ 58% of 200K ⚑1"),
        (12, "opus-5-5 ⚑1"),
        (8, "opus-5-5"),
        (5, "opus…"),
        (1, "…"),
    ],
)
def test_what_does_not_fit_goes_from_the_right_and_the_alert_mark_last(
    width: int, expected: str
) -> None:
    assert drawn(width) == expected


@pytest.mark.parametrize(
    ("used", "symbol"),
    [(0, ""), (99_999, "●"), (100_000, "▲"), (150_000, "◆"), (180_000, "✖"), (900_000, "✖")],
)
def test_the_health_level_begins_at_50_75_and_90_percent(used: int, symbol: str) -> None:
    window = {"total_input_tokens": used, "context_window_size": 200_000}
    text = drawn(120, snapshot={}, context_window=window)
    assert [sign for sign in "●▲◆✖" if sign in text] == list(symbol)


def test_a_fresh_snapshot_speaks_for_the_level_and_a_stale_one_only_for_the_thresholds() -> None:
    assert "◆" in drawn(120, snapshot={"level": "critical"})
    stale = {"level": "critical", "is_fresh": False, "threshold_shares": [0.6, 0.75, 0.9]}
    assert "●" in drawn(120, snapshot=stale)
    assert "▲" in drawn(120, snapshot={"threshold_shares": ["a", None, {}]})


def test_before_the_first_response_the_use_is_unknown() -> None:
    window = {"total_input_tokens": 0, "context_window_size": 1_000_000, "used_percentage": None}
    text = drawn(80, snapshot={}, context_window=window, prompt_cache=None, rate_limits=None)
    assert text == "opus-5-5  ?% of 1M  $1.86"


def test_limits_are_never_guessed() -> None:
    assert "5h" not in drawn(120, rate_limits=None)
    assert "5h" not in drawn(120, rate_limits={"five_hour": {"used_percentage": None}})
    over = {"used_percentage": 99, "resets_at": NOW_MS // 1000 - 1}
    weekly = {"used_percentage": 61, "resets_at": NOW_MS // 1000 + 9}
    assert " 7d 61%" in drawn(80, rate_limits={"five_hour": over, "seven_day": weekly})
    assert "5h" not in drawn(120, rate_limits={"five_hour": over})


def test_a_cold_cache_is_called_cold() -> None:
    past = {"warm": True, "expires_at": NOW_MS // 1000 - 1, "hit_ratio": 0.5}
    assert "cache 50% cold" in drawn(90, prompt_cache=past)
    assert "cache cold" in drawn(90, prompt_cache={"warm": False})
    assert "cache" not in drawn(200, prompt_cache=None)
    told_by_us = {"cache": "warm", "cache_cold_at_ms": NOW_MS + 60_000, "cache_hit_share": 0.9}
    assert "cache hit 90%, cold in 1m" in drawn(200, snapshot=told_by_us, prompt_cache=None)


def test_an_old_snapshot_no_longer_says_how_fast_it_burns_but_keeps_its_alerts() -> None:
    text = drawn(120, snapshot={**SNAPSHOT, "is_fresh": False, "is_old": True})
    assert "/min" not in text
    assert "⚑" in text


@pytest.mark.parametrize(
    ("usd", "shown"),
    [(0, "$0.00"), (0.00001, "<$0.0001"), (0.0051, "$0.0051"), (1234.5, "$1,234.50")],
)
def test_money_has_two_digits_and_four_under_a_cent(usd: float, shown: str) -> None:
    assert shown in drawn(120, cost={"total_cost_usd": usd}).split()


@pytest.mark.parametrize(
    ("identity", "name"),
    [
        ("claude-opus-5-5-20260801", "opus-5-5"),
        ("eu.anthropic.claude-sonnet-5-5", "sonnet-5-5"),
        ("local-model", "local-model"),
        ("x" * 500, "x" * 24),
        ("\x1b]0;owned\x07claude-\u202eopus", "opus"),
        (7, ""),
    ],
)
def test_a_model_is_named_shortly(identity: object, name: str) -> None:
    assert statusline.model_name({"model": {"id": identity}}, {}) == name


def test_counts_and_times_are_short() -> None:
    counts = [0, 999, 1000, 1612, 99_960, 200_000, 999_999, 1_240_000, 2_000_000_000]
    assert [statusline.short_count(count) for count in counts] == [
        "0", "999", "1K", "1.61K", "100K", "200K", "1M", "1.24M", "2B",
    ]  # fmt: skip
    times = [0, 59.4, 59.6, 61, 3599, 3600, 86_400, 172_800, 950_000]
    assert [statusline.short_time(seconds) for seconds in times] == [
        "0s", "59s", "59s", "1m", "59m", "1h00m", "1d0h", "2d0h", "10d23h",
    ]  # fmt: skip


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
    kept = [code for code in _DROPPED if statusline.clean(f"a{chr(code)}", 9) != "a"]
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
FIELDS = st.sampled_from([*statusline.KEPT[0][1].split(), "id", "five_hour", "hit_ratio", "warm"])
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
    assert len(statusline.spool_line(parts, NOW_MS)) <= statusline.SPOOL_LINE_BYTES


def test_without_the_private_scanner_json_takes_its_place(tmp_path: Path) -> None:
    script = (
        "import sys; sys.modules['_json'] = None; sys.path.insert(0, sys.argv.pop(1));"
        "import statusline; statusline.main()"
    )
    done = subprocess.run(
        [sys.executable, "-IS", "-c", script, str(Path(SCRIPT).parent), str(tmp_path)],
        input=json.dumps(lasting(transcript_path="/none")).encode(),
        capture_output=True,
        check=False,
    )
    assert "58% of 200K" in line(done)
    [written] = (tmp_path / "spool/statusline.jsonl").read_bytes().splitlines(keepends=True)
    at_ms = json.loads(written)["at_ms"]
    assert written == statusline.spool_line(lasting(transcript_path="/none"), at_ms)


def test_a_refresh_imports_nothing_of_the_agents_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[tuple[object, ...]] = []

    def spawned(*command: object, **how: object) -> int:
        started.append((*command, how["setsid"]))
        return 7

    monkeypatch.setattr("posix.posix_spawn", spawned)
    assert statusline._start("/data/tokens", SESSION, "") == 7
    [(program, arguments, environment, has_own_session)] = started
    assert program == sys.executable
    assert arguments == [sys.executable, "-I", "-m", "tokenbudget", "refresh-statusline", SESSION]
    assert isinstance(environment, dict)
    assert environment[b"TOKENS_HOME"] == b"/data/tokens"
    assert has_own_session


def test_nothing_but_modules_written_in_c_is_imported(tmp_path: Path) -> None:
    write_snapshot(str(tmp_path), Snapshot(SESSION, NOW_MS, 1, 1))
    script = (
        "import sys; before = set(sys.modules); sys.argv = [''] + sys.argv[1:];"
        f"source = open({SCRIPT!r}).read().replace('posix._exit(0)', 'raise SystemExit');"
        "exec(compile(source, 'statusline.py', 'exec'), {'__name__': 'statusline'});"
        "mine = {'__name__': '__main__'}\n"
        "try: exec(compile(source, 'statusline.py', 'exec'), mine)\n"
        "except SystemExit: pass\n"
        "new = {name: module for name, module in sys.modules.items() if name not in before}\n"
        "kinds = {name: getattr(module, '__file__', None) or 'built in'"
        " for name, module in new.items()}\n"
        "sys.stderr.write(repr(sorted(kinds.items())))"
    )
    done = subprocess.run(
        [sys.executable, "-IS", "-c", script, str(tmp_path), "--refresh-with", "/bin/true"],
        input=json.dumps(lasting(transcript_path=SCRIPT)).encode(),
        capture_output=True,
        check=True,
    )
    found = dict(eval(done.stderr))  # the repr of pairs of strings that we have just printed
    assert b"58% of 200K" in done.stdout
    assert set(found) <= {"_json", "_signal", "time", "posix"}
    assert not any(path.endswith(".py") for path in found.values())
    assert (tmp_path / "spool/statusline.jsonl").exists()
    assert (tmp_path / "statusline/refresh.lock").exists()


# ── the page ──────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("width", [48, 80, 180])
def test_the_page_shows_the_line_as_it_is_drawn(width: int) -> None:
    assert f"\n{drawn(width)}\n" in PAGE.read_text(encoding="utf-8")


def test_the_page_names_every_field_and_segment() -> None:
    page = PAGE.read_text(encoding="utf-8")
    kept = [name for _, fields in statusline.KEPT for name in fields.split()]
    shown, _ = statusline.segments(told(), SNAPSHOT, False, NOW_MS)
    segments = [f"{{{name}}}" for name in shown]
    names = [*Snapshot._fields, *kept, *statusline.USAGE.split(), *segments]
    assert [name for name in names if f"`{name}`" not in page] == []
