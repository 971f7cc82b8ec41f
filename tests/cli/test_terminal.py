"""What a person's terminal, a pipe, a full disk and Ctrl-C see of the program."""

import contextlib
import fcntl
import io
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios
import time
from pathlib import Path

import pytest
from tests.cli.conftest import Done, Home, Sample, response

from tokenbudget.cli.terminal import ProgressBar, bar
from tokenbudget.model.figures import text_width

ESCAPE = "\x1b["
STYLES = re.compile(r"\x1b\[[012]?m")


def on_terminal(home: Home, *arguments: str, columns: int = 80, **variables: str) -> Done:
    """`tokens …` on a pseudo-terminal of this width; what it shows stands in `out`."""
    leader, follower = pty.openpty()
    fcntl.ioctl(follower, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    process = subprocess.Popen(
        home.command(*arguments),
        stdin=follower,
        stdout=follower,
        stderr=follower,
        env=home.spawn_environment(**variables),
    )
    os.close(follower)
    shown = b""
    while select.select([leader], [], [], 60)[0]:
        try:
            data = os.read(leader, 65536)
        except OSError:  # Linux's way to say that nobody holds the other end any more
            break
        if not data:
            break
        shown += data
    os.close(leader)
    return Done(process.wait(timeout=60), shown.decode().replace("\r\n", "\n"), "")


def in_shell(home: Home, script: str, **variables: str) -> Done:
    """A shell line in which `tokens` is the program."""
    program = " ".join(home.command())
    done = subprocess.run(
        ["bash", "-c", f'tokens() {{ {program} "$@"; }}; {script}'],
        check=False,
        capture_output=True,
        timeout=60,
        env=home.spawn_environment(**variables),
    )
    return Done(done.returncode, done.stdout.decode(), done.stderr.decode())


class TestTerminal:
    @pytest.mark.parametrize("columns", [80, 120])
    @pytest.mark.parametrize("verb", ["overview", "usage", "sessions", "doctor", "config"])
    def test_lines_are_bold_and_fit(self, sample: Sample, verb: str, columns: int) -> None:
        done = on_terminal(sample.home, verb, columns=columns)

        assert done.code == 0
        assert f"{ESCAPE}1m" in done.out
        plain = STYLES.sub("", done.out)
        assert "\x1b" not in plain
        assert max(map(text_width, plain.splitlines())) <= columns

    def test_a_very_wide_one_is_not_filled(self, sample: Sample) -> None:
        plain = STYLES.sub("", on_terminal(sample.home, "usage", columns=400).out)

        assert max(map(text_width, plain.splitlines())) <= 160

    @pytest.mark.parametrize(
        ("arguments", "variables"),
        [
            (["--no-color"], {}),
            ([], {"NO_COLOR": "1"}),
            ([], {"TERM": "dumb"}),
        ],
        ids=["option", "NO_COLOR", "dumb"],
    )
    def test_plain_text_where_it_is_asked_for(
        self, sample: Sample, arguments: list[str], variables: dict[str, str]
    ) -> None:
        done = on_terminal(sample.home, "usage", *arguments, columns=80, **variables)

        assert done.code == 0
        assert "\x1b" not in done.out

    def test_an_empty_no_color_asks_for_nothing(self, sample: Sample) -> None:
        assert ESCAPE in on_terminal(sample.home, "usage", NO_COLOR="").out

    def test_columns_overrule_the_terminal(self, sample: Sample) -> None:
        wide = on_terminal(sample.home, "usage", "--by", "session", COLUMNS="120").out

        assert max(len(STYLES.sub("", line)) for line in wide.splitlines()) > 80

    def test_the_progress_bar_leaves_nothing_behind(self, home: Home) -> None:
        done = on_terminal(home, "usage")

        assert "reading sessions" not in done.out


class TestPipe:
    def test_is_plain_and_wide_enough_for_exact_numbers(self, sample: Sample) -> None:
        done = sample.home.spawn("usage", "--by", "session")

        assert "\x1b" not in done.out
        assert not re.search(r"\d[KMB]\b", done.out.split("\n\n")[0])

    def test_columns_are_respected(self, sample: Sample) -> None:
        done = sample.home.spawn("usage", "--by", "session", COLUMNS="90")

        assert max(map(len, done.lines)) <= 90

    @pytest.mark.parametrize("columns", ["", "0", "wide", "-5", "²", "9" * 5000])
    def test_columns_that_are_none_are_passed_over(self, sample: Sample, columns: str) -> None:
        assert sample.home.run("usage", COLUMNS=columns) == sample.home.run("usage")

    @pytest.mark.parametrize(
        "script",
        [
            "tokens usage --by session | head -1",
            "tokens usage | true",
            "tokens --help | true",
            "tokens usage --json | head -c 10",
            "tokens completion bash | true",
        ],
    )
    def test_a_reader_that_leaves_is_no_error(self, sample: Sample, script: str) -> None:
        done = in_shell(sample.home, f"{script}; exit ${{PIPESTATUS[0]}}")

        assert (done.code, done.err) == (0, "")

    def test_a_full_disk_is_one_sentence(self, sample: Sample) -> None:
        if not Path("/dev/full").exists():
            pytest.skip("this system has no /dev/full")
        done = in_shell(sample.home, "tokens usage > /dev/full")

        assert done.code == 3
        assert done.err.startswith("tokens: cannot write the output (No space left on device)")
        assert done.err.count("\n") == 1

    def test_closed_streams_are_no_error(self, sample: Sample) -> None:
        assert in_shell(sample.home, "tokens usage >&-").code == 0
        assert in_shell(sample.home, "tokens usage --json 2>&- >/dev/null").code == 0

    @pytest.mark.parametrize("verb", ["overview", "usage", "sessions", "doctor", "config"])
    def test_an_ascii_stream_gets_plainer_signs(self, home: Home, verb: str) -> None:
        home.write_session("s1", response(1, cwd="/srv/Bücher", gitBranch="été"))

        done = home.spawn(verb, LC_ALL="C", PYTHONCOERCECLOCALE="0", PYTHONUTF8="0")

        assert (done.code, done.err) == (0, "")
        assert done.out.isascii()
        assert "----" in done.out or verb == "doctor"

    def test_the_c_locale_does_no_harm(self, sample: Sample) -> None:
        assert sample.home.spawn("usage", LANG="C", LC_ALL="C").code == 0


class TestInterruption:
    def test_is_one_sentence(self, home: Home) -> None:
        home.write_session("s1", response(1))
        home.config.parent.mkdir()
        with (home.config.parent / "refresh.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)  # so that the command waits
            process = subprocess.Popen(
                home.command("usage"),
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                env=home.spawn_environment(),
            )
            wait_for(home.config.parent / "ledger.db-wal")
            process.send_signal(signal.SIGINT)
            out, err = process.communicate(timeout=60)

        assert process.returncode == 130
        assert out == ""
        assert err == "\ntokens: stopped; what was read so far is kept\n"

    def test_the_next_command_goes_on(self, home: Home) -> None:
        self.test_is_one_sentence(home)

        assert home.ask("usage")["totals"]["total_tokens"] == 110


def wait_for(path: Path) -> None:
    """Until a file is there, and a moment more."""
    for _ in range(500):
        if path.exists():
            break
        time.sleep(0.01)  # noqa: TID251 (another process's time)
    time.sleep(0.1)  # noqa: TID251


class Screen(io.StringIO):
    """Standard error as a terminal."""

    def isatty(self) -> bool:
        return True


class TickingClock:
    """Half a second later every time it is asked."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def monotonic_seconds(self) -> float:
        self.seconds += 0.5
        return self.seconds


class TestProgress:
    @pytest.fixture(autouse=True)
    def _terminal(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("tokenbudget.cli.terminal.SystemClock", TickingClock)
        for name in ("NO_COLOR", "TERM"):
            monkeypatch.delenv(name, raising=False)

    def shown_for(self, *done_bytes: int) -> str:
        """What a terminal gets while 1,000 bytes are read, half a second after half a second."""
        with contextlib.redirect_stderr(Screen()) as screen:
            progress = ProgressBar()
            for done in done_bytes:
                progress(done, 1000)
        return screen.getvalue()

    def test_is_shown_after_the_first_second(self) -> None:
        assert self.shown_for(100) == ""
        assert "20%" in self.shown_for(100, 200)

    def test_is_taken_away_at_the_end(self) -> None:
        assert self.shown_for(100, 200, 1000).endswith("\r\x1b[K")

    def test_a_quick_read_shows_nothing(self) -> None:
        assert self.shown_for(1000) == ""

    @pytest.mark.parametrize(("name", "value"), [("TERM", "dumb"), ("NO_COLOR", "1")])
    def test_is_not_for_a_terminal_that_cannot_take_it_away(
        self, monkeypatch: pytest.MonkeyPatch, name: str, value: str
    ) -> None:
        monkeypatch.setenv(name, value)

        assert self.shown_for(100, 200, 300) == ""

    @pytest.mark.parametrize("done_bytes", [0, 1, 10**9, 99 * 10**9])
    @pytest.mark.parametrize("seconds", [0.0, 0.9, 5000.0])
    def test_fits_a_terminal(self, done_bytes: int, seconds: float) -> None:
        assert len(bar(done_bytes, 99 * 10**9, seconds)) < 80

    def test_tells_share_amount_rate_and_time_left(self) -> None:
        assert bar(250_000_000, 1_000_000_000, 2.0) == (
            "reading sessions ███░░░░░░░░░  25%  250 of 1,000 MB  125 MB/s  6 s left"
        )

    def test_a_small_amount_moves_too(self) -> None:
        assert "  0.2 of 0.8 MB  0.1 MB/s  " in bar(200_000, 800_000, 2.0)
