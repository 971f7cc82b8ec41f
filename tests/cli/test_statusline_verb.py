"""`tokens statusline`, its refresh, and the limits that `tokens budget` has of it."""

from __future__ import annotations

import io
import json
import os
import shlex
import subprocess
import sys
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from tests.cli.conftest import NOON, SOURCE, Done, Home
from tests.cli.window_sessions import plain_session
from tests.gateway.status_bar import COLOUR, lasting

from tokenbudget.gateway import statusline_line, statusline_spool
from tokenbudget.system.clock import SystemClock

NOON_MS = round(NOON.timestamp() * 1000)
GARBAGE = [b"", b"{", b"null", b"[1, 2]", b"\xff\xfe\0", b'{"session_id": 7}', b"[" * 100_000]
LIMITS = {
    "five_hour": {"used_percentage": 38, "resets_at": NOON_MS // 1000 + 7_200},
    "seven_day": {"used_percentage": 61, "resets_at": NOON_MS // 1000 + 250_000},
}


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """A home with one session of four requests."""
    made = Home(tmp_path / "home")
    plain_session().write(made)
    return made


def tokens_home(home: Home) -> Path:
    """Where the ledger, the spool and the snapshots are."""
    return home.config.parent


def said(home: Home, **changes: object) -> dict[str, object]:
    """What the agent says of a session without a transcript: nothing has to be refreshed.

    Nothing counts down in it, so that two lines of it are the same.
    """
    missing = str(home.path / "missing.jsonl")
    still: dict[str, object] = {"prompt_cache": None, "rate_limits": None}
    return lasting(**{"session_id": "s1", "transcript_path": missing, **still, **changes})


class Keyboard(io.StringIO):
    """Standard input of a person."""

    def isatty(self) -> bool:
        return True


def piped(
    command: list[str], environment: Mapping[str, str], stdin: bytes | Mapping[str, object]
) -> Done:
    """A process with this on its standard input."""
    data = stdin if isinstance(stdin, bytes) else json.dumps(stdin).encode()
    done = subprocess.run(
        command, input=data, capture_output=True, env=dict(environment), timeout=60, check=False
    )
    return Done(done.returncode, done.stdout.decode(), done.stderr.decode())


def bar(home: Home, stdin: bytes | Mapping[str, object], *options: str, **variables: str) -> Done:
    """`tokens statusline` with this on its standard input."""
    command = home.command("statusline", *options)
    return piped(command, home.spawn_environment(**variables), stdin)


def report(home: Home, limits: object, at_ms: int = NOON_MS - 60_000) -> None:
    """Have the status line spool what an agent said of its limits."""
    told = said(home, context_window=None) | {"rate_limits": limits}
    statusline_spool.append(str(tokens_home(home)), statusline_spool.spool_line(told, at_ms))


class TestStatusline:
    def test_prints_one_line_of_what_the_agent_said(self, home: Home) -> None:
        done = bar(home, said(home))

        assert (done.code, done.err) == (0, "")
        assert done.out.endswith("\n")
        assert len(done.lines) == 1
        assert COLOUR.sub("", done.out).startswith("opus-5-5  ")
        assert "58%" in done.out

    @pytest.mark.parametrize("stdin", GARBAGE, ids=range(len(GARBAGE)))
    def test_garbage_gives_one_line_as_well(self, home: Home, stdin: bytes) -> None:
        done = bar(home, stdin)

        assert (done.code, done.err) == (0, "")
        assert (done.out.count("\n"), done.out[-1]) == (1, "\n")

    @pytest.mark.parametrize(
        ("options", "variables"),
        [(["--no-color"], {}), ([], {"NO_COLOR": "1"}), ([], {"TERM": "dumb"})],
    )
    def test_is_plain_where_that_is_asked_for(
        self, home: Home, options: list[str], variables: dict[str, str]
    ) -> None:
        assert "\x1b" in bar(home, said(home)).out
        assert "\x1b" not in bar(home, said(home), *options, **variables).out

    @pytest.mark.parametrize("width", [12, 30, 80])
    def test_fits_into_the_width(self, home: Home, width: int) -> None:
        (line,) = bar(home, said(home), "--no-color", "--width", str(width)).lines

        assert statusline_line.columns(line) <= width

    @pytest.mark.parametrize("width", ["0", "x", "-5", "99999999"])
    def test_an_impossible_width_is_left_out(self, home: Home, width: str) -> None:
        done = bar(home, said(home), f"--width={width}")

        assert (done.code, done.err) == (0, "")
        assert done.out == bar(home, said(home)).out

    def test_what_was_said_is_spooled(self, home: Home) -> None:
        bar(home, said(home))
        (line,) = (tokens_home(home) / "spool" / "statusline.jsonl").read_text().splitlines()

        assert json.loads(line)["session_id"] == "s1"

    def test_neither_opens_nor_makes_a_ledger(self, home: Home) -> None:
        bar(home, said(home))

        assert [path.name for path in tokens_home(home).iterdir()] == ["spool"]

    def test_an_unknown_option_is_refused_where_a_person_types_it(
        self, home: Home, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("sys.stdin", Keyboard())
        done = home.run("statusline", "--colour")

        assert (done.code, done.out) == (2, "")
        assert "tokens statusline --help says more" in done.err

    @pytest.mark.parametrize("options", [["--colour"], ["--width"], ["extra"]])
    def test_an_agent_gets_its_line_all_the_same(self, home: Home, options: list[str]) -> None:
        done = bar(home, said(home), *options)

        assert (done.code, done.err, done.out.count("\n")) == (0, "", 1)
        assert "opus" in done.out

    def test_help_names_it_and_hides_the_refresh(self, home: Home) -> None:
        out = home.run("--help").out

        assert "  statusline " in out
        assert "refresh-statusline" not in out


class TestPrintCommand:
    def command(self, home: Home) -> str:
        """The one line that it prints."""
        done = home.run("statusline", "--print-command")
        assert (done.code, done.err) == (0, "")
        (line,) = done.lines
        return line

    def test_works_in_a_shell_with_nothing_else_in_the_environment(self, home: Home) -> None:
        done = piped(["/bin/sh", "-c", self.command(home)], {"LANG": "C.UTF-8"}, said(home))

        assert (done.code, done.err) == (0, "")
        assert done.out == bar(home, said(home)).out
        assert (tokens_home(home) / "spool" / "statusline.jsonl").exists()

    def test_garbage_is_no_fault_there_either(self, home: Home) -> None:
        done = piped(["/bin/sh", "-c", self.command(home)], {}, b"{")

        assert (done.code, done.err, done.out.count("\n")) == (0, "", 1)

    @pytest.mark.parametrize("name", ["my tokens", "it's", "$(touch x)", '"', "a;b", "日本"])
    def test_a_home_of_any_name_is_quoted(self, home: Home, name: str) -> None:
        home.variables["TOKENS_HOME"] = str(home.path / name)
        done = piped(["/bin/sh", "-c", self.command(home)], {"LANG": "C.UTF-8"}, said(home))

        assert (done.code, done.err) == (0, "")
        assert (home.path / name / "spool" / "statusline.jsonl").exists()

    def test_names_this_python_and_this_home(self, home: Home) -> None:
        parts = shlex.split(self.command(home))

        assert (parts[0], parts[-1]) == (sys.executable, str(tokens_home(home)))
        assert os.path.isabs(parts[-1])

    def test_reads_nothing_and_makes_nothing(self, home: Home) -> None:
        self.command(home)

        assert not tokens_home(home).exists()


class TestRefresh:
    @pytest.mark.parametrize("arguments", [[], ["s1", "s2"]])
    def test_takes_one_session(self, home: Home, arguments: list[str]) -> None:
        done = home.run("refresh-statusline", *arguments)

        assert (done.code, done.out) == (2, "")
        assert done.err == "tokens: refresh-statusline takes the id of one session\n"
        assert not tokens_home(home).exists()

    @pytest.mark.parametrize("option", ["--help", "-h"])
    def test_help_is_no_session(self, home: Home, option: str) -> None:
        done = home.run("refresh-statusline", option)

        assert (done.code, done.err) == (0, "")
        assert done.out.startswith("usage: tokens refresh-statusline SESSION\n")
        assert not tokens_home(home).exists()

    @pytest.mark.parametrize("session", ["-s1", "--json", "-", "--help=\x1b[2J"])
    def test_an_id_that_begins_as_an_option_is_refused(self, home: Home, session: str) -> None:
        done = home.run("refresh-statusline", session)

        assert (done.code, done.out) == (2, "")
        assert "is no session: an id does not begin with '-'" in done.err
        assert done.err[:-1].isprintable()
        assert done.err.count("\n") == 1
        assert not tokens_home(home).exists()

    def test_writes_a_snapshot_silently(self, home: Home) -> None:
        assert home.spawn("refresh-statusline", "s1") == (0, "", "")
        found = plain_session().path(home).stat()
        snapshot = json.loads((tokens_home(home) / "statusline" / "s1.json").read_text())

        assert snapshot["transcript_bytes"] == found.st_size
        assert snapshot["transcript_mtime_ms"] == found.st_mtime_ns // 1_000_000

    def test_an_unknown_session_is_no_fault(self, home: Home) -> None:
        assert home.spawn("refresh-statusline", "s2") == (0, "", "")
        assert not (tokens_home(home) / "statusline").exists()

    def test_its_figures_arrive_in_the_line(self, home: Home) -> None:
        path = str(plain_session().path(home))
        told = said(home, transcript_path=path, context_window=None, cost=None)
        home.spawn("refresh-statusline", "s1")
        done = bar(home, told, "--no-color", "--width", "120")

        assert " 9%" in done.out
        assert not (tokens_home(home) / "statusline" / "refresh.lock").exists()


class TestBudget:
    def test_without_a_report_the_limits_are_unknown(self, home: Home) -> None:
        assert home.ask("budget")["limits"] == {"five_hour": None, "seven_day": None}
        assert "use unknown (the agent has not reported them)" in home.run("budget").out

    def test_shows_the_limits_that_the_status_line_was_told(self, home: Home) -> None:
        report(home, LIMITS)
        for _ in range(2):
            limits = home.ask("budget")["limits"]
            assert limits["five_hour"]["used_share"] == 0.38
            assert limits["five_hour"]["resets_at"].startswith("2026-11-20T14:00:00")
            assert limits["seven_day"]["used_share"] == 0.61
            assert limits["seven_day"]["resets_at"].startswith("2026-11-23T09:26:40")

    def test_one_that_was_told_alone_leaves_the_other_unknown(self, home: Home) -> None:
        report(home, {"seven_day": LIMITS["seven_day"]})
        limits = home.ask("budget")["limits"]

        assert limits["five_hour"] is None
        assert limits["seven_day"]["used_share"] == 0.61

    def test_the_latest_report_counts(self, home: Home) -> None:
        later = {"five_hour": {**LIMITS["five_hour"], "used_percentage": 41}}
        report(home, later, NOON_MS - 1_000)
        report(home, LIMITS)

        assert home.ask("budget")["limits"]["five_hour"]["used_share"] == 0.41

    def test_a_limit_that_has_been_reset_since_is_unknown(self, home: Home) -> None:
        over = {"five_hour": {"used_percentage": 97, "resets_at": NOON_MS // 1000 - 60}}
        report(home, over, NOON_MS - 3_600_000)

        assert home.ask("budget")["limits"]["five_hour"] is None

    def test_few_reports_give_no_forecast_and_say_why(self, home: Home) -> None:
        report(home, LIMITS)
        found = home.ask("budget")["limits"]["five_hour"]

        assert found["share_at_reset"] is found["exhausted_at"] is None
        assert found["reason"] == "1 reports so far; a forecast needs 3"

    def test_many_give_one(self, home: Home) -> None:
        for minutes in range(0, 61, 15):
            told = {**LIMITS["five_hour"], "used_percentage": 40 - minutes // 4}
            report(home, {"five_hour": told}, NOON_MS - minutes * 60_000)
        found = home.ask("budget")["limits"]["five_hour"]

        assert found["reason"] is None
        assert 0.4 <= found["share_at_reset"]["p10"] <= found["share_at_reset"]["p90"] <= 1

    def test_sessions_from_elsewhere_leave_the_reports_alone(self, home: Home) -> None:
        report(home, LIMITS)
        path = str(plain_session().path(home))

        assert home.ask("budget", "--from", path)["limits"]["five_hour"] is None
        assert home.ask("budget")["limits"]["five_hour"]["used_share"] == 0.38

    def test_context_takes_the_reports_as_well(self, home: Home) -> None:
        told = said(home, context_window={"context_window_size": 1_000_000})
        statusline_spool.append(str(tokens_home(home)), statusline_spool.spool_line(told, NOON_MS))
        home.ask("context")

        assert list((tokens_home(home) / "spool").iterdir()) == []
        assert "1,000,000" in home.run("budget").out

    def test_what_the_command_spools_arrives(self, home: Home) -> None:
        assert str(SOURCE) in home.spawn_environment()["PYTHONPATH"]
        home.now = datetime.fromtimestamp(SystemClock().now_ms() / 1000, UTC)  # the process's own
        resets_at = round((home.now + timedelta(hours=2)).timestamp())
        limits = {"five_hour": {"used_percentage": 38, "resets_at": resets_at}}
        bar(home, said(home, rate_limits=limits))
        home.now += timedelta(minutes=1)

        assert home.ask("budget")["limits"]["five_hour"]["used_share"] == 0.38

    def test_a_report_that_cannot_be_true_is_not_believed(self, home: Home) -> None:
        absurd = {"five_hour": {"used_percentage": 38, "resets_at": NOON_MS}}  # milliseconds
        told = said(home, rate_limits=absurd, context_window={"context_window_size": 1})
        for at_ms in (NOON_MS, 10**20):
            statusline_spool.append(
                str(tokens_home(home)), statusline_spool.spool_line(told, at_ms)
            )

        made = home.ask("budget")
        assert made["limits"]["five_hour"] is None
        assert made["window_origin"] == "published"

    def test_a_transcript_that_is_gone_is_no_fault(self, home: Home) -> None:
        home.ask("budget")
        for path in home.claude.rglob("*.jsonl"):
            path.unlink()
        assert home.run("refresh-statusline", "s1").code == 0
