"""`tokens monitor` as a person types it; its screen has tests of its own."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from tests.cli.conftest import Home
from tests.cli.test_golden import accepted
from tests.cli.window_sessions import filled_session, plain_session, rich_session

from tokenbudget.app.monitor import frames
from tokenbudget.app.settings_check import interval_seconds
from tokenbudget.dashboard.view_model import Frame
from tokenbudget.model.errors import BadRequest, SourceUnreadable
from tokenbudget.model.figures import text_width

REFUSED = ["", "0", "0s", "fast", "-5s", "5x", "2d", "1e3", "\u0665s", "until-resolved", "9" * 400]
FRAME = Frame(0, 5.0, (), None, (), (), (), (), 0)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("5s", 5), ("30s", 30), ("60s", 60), ("45", 45), ("1m30s", 90), ("2h", 7200), (" 10S ", 10)],
)
def test_any_duration_is_an_interval(text: str, seconds: float) -> None:
    assert interval_seconds(text) == seconds


@pytest.mark.parametrize("text", REFUSED)
def test_anything_else_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(BadRequest, match="5s, 30s, 1m"):
        interval_seconds(text)


@pytest.mark.parametrize("width", [60, 80, 120])
def test_one_frame(home: Home, width: int) -> None:
    rich_session("s1", cwd="/srv/shop").write(home)
    later = plain_session("s2", cwd="/srv/blog")
    later.write(home, "-srv-blog")
    done = home.run("monitor", "--once", "--session", "s1", "--tz", "UTC", COLUMNS=str(width))
    assert (done.code, done.err) == (0, "")
    assert max(map(text_width, done.lines)) <= width
    assert done.out == accepted("monitor", width, done.out)


def test_without_a_terminal_one_frame_is_printed(home: Home) -> None:
    filled_session(0.58).write(home)
    done = home.run("monitor")
    assert done.code == 0
    assert done.lines[0].startswith("▲ warning")
    assert "57% of 200K" in done.lines[0]


def test_without_a_session_it_says_what_to_do(home: Home) -> None:
    done = home.run("monitor", "--once")
    assert done.code == 0
    assert done.lines[0] == "? no data"
    assert "tokens monitor --from PATH" in done.out


def test_no_data_is_never_healthy(home: Home) -> None:
    talk = plain_session()
    talk.compact().write(home)
    done = home.run("monitor", "--once")
    assert done.lines[0].startswith("? no data")
    assert "healthy" not in done.out


def test_json_is_one_object_a_line(home: Home) -> None:
    filled_session(0.58).write(home)
    done = home.run("monitor", "1s", "--json", "--once")
    (line,) = done.lines
    told = json.loads(line)
    assert told["format"] == "tokenbudget/monitor/1"
    assert told["health"]["level"] == "warning"
    assert told["current"]["total_tokens"] == filled_session(0.58).window_tokens
    assert [session["session"] for session in told["sessions"]] == ["s1"]


def test_a_session_that_is_not_there_is_refused_before_anything_is_drawn(home: Home) -> None:
    plain_session().write(home)
    done = home.run("monitor", "--session", "nope")
    assert done.code == 2
    assert "no session begins with 'nope'" in done.err
    assert done.out == ""


def test_each_tick_keeps_the_tracker_of_the_project(home: Home, tmp_path: Path) -> None:
    project = tmp_path / "shop"
    project.mkdir()
    filled_session(0.58).write(home)
    moved = plain_session("mine", cwd=str(project), begin=home.now - timedelta(minutes=5))
    moved.write(home, "-shop")
    home.run("monitor", "--once", "--session", "mine")
    context = project / ".claude" / "context"
    told = json.loads((context / "token-tracker.json").read_text())
    assert told["format"] == "tokenbudget/token-tracker/1"
    assert told["current"]["total_tokens"] == moved.window_tokens
    assert (context.stat().st_mode & 0o777, (context / ".gitignore").read_text()) == (0o700, "*\n")
    assert not (project / "ROADMAP.md").exists()


@pytest.mark.parametrize("option", ["--no-tracker", "--from"])
def test_what_is_only_looked_at_gets_no_file(home: Home, tmp_path: Path, option: str) -> None:
    project = tmp_path / "shop"
    project.mkdir()
    path = plain_session("mine", cwd=str(project)).write(home, "-shop")
    given = [option, str(path)] if option == "--from" else [option]
    assert home.run("monitor", "--once", *given).code == 0
    assert list(project.iterdir()) == []


def test_the_roadmap_is_touched_only_when_asked(home: Home, tmp_path: Path) -> None:
    project = tmp_path / "shop"
    project.mkdir()
    (project / "ROADMAP.md").write_text("# Plans\n\nMore shops.\n")
    plain_session("mine", cwd=str(project)).write(home, "-shop")
    home.run("monitor", "--once")
    assert (project / "ROADMAP.md").read_text() == "# Plans\n\nMore shops.\n"
    assert home.run("monitor", "--once", "--roadmap").code == 0
    text = (project / "ROADMAP.md").read_text()
    assert text.startswith("# Plans\n\nMore shops.\n")
    assert text.count("tokenbudget:begin") == 1


def test_a_tracker_that_cannot_be_written_is_told_and_the_rest_goes_on(
    home: Home, tmp_path: Path
) -> None:
    project = tmp_path / "shop"
    project.mkdir()
    (project / ".claude").write_text("not a folder")
    plain_session("mine", cwd=str(project)).write(home, "-shop")
    done = home.run("monitor", "--once")
    assert done.code == 0
    assert "Faults" in done.out
    assert ".claude" in done.out


def test_a_stream_ends_well_when_it_is_interrupted(home: Home) -> None:
    plain_session().write(home)
    command = home.command("monitor", "1s", "--json")
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=home.spawn_environment()
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert json.loads(process.stdout.readline())["session"] == "s1"
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=20) == 0
        assert process.stderr.read() == b""


def test_times_are_those_of_the_persons_zone(home: Home) -> None:
    plain_session().write(home)
    for arguments, zone in (["--tz", "Asia/Tokyo"], "UTC"), ([], "Asia/Tokyo"):
        told = home.spawn("monitor", "--once", "--json", "--session", "s1", *arguments, TZ=zone)
        assert told.json["updated_at"].endswith("+09:00")
    shown = home.run("monitor", "--once", "--tz", "Asia/Tokyo").lines[0]
    assert shown.endswith("21:00:00"), "noon by the clock of UTC"


def test_a_level_is_not_shown_as_unknown_where_its_sign_cannot_be(home: Home) -> None:
    plain_session().write(home)
    done = home.spawn("monitor", "--once", "--session", "s1", PYTHONIOENCODING="ascii")
    assert done.lines[0].startswith("o healthy")


def test_a_count_without_a_stream_is_refused(home: Home) -> None:
    done = home.run("monitor", "--once", "--count", "2")
    assert (done.code, done.out) == (2, "")
    assert "add --json" in done.err


def test_an_interval_is_not_taken_for_the_roadmaps_path(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    plain_session().write(home)
    done = home.run("monitor", "--once", "--roadmap", "30s")
    assert (done.code, done.out) == (2, "")
    assert "write: tokens monitor 30s --roadmap" in done.err
    assert not (tmp_path / "30s").exists()


def test_one_frame_needs_no_terminal_library(home: Home) -> None:
    plain_session().write(home)
    code = (
        "import sys; from tokenbudget.cli import main; main(['monitor', '--once']);"
        " print(sorted({'textual', 'rich', 'apprise'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env=home.spawn_environment(),
        timeout=60,
    )
    assert done.stdout.splitlines()[-1] == "[]"


class Beat:
    """A clock that notes how it was waited on, and moves as work takes time."""

    def __init__(self) -> None:
        self.now = 0.0
        self.pauses: list[float] = []

    def now_ms(self) -> int:
        return round(self.now * 1000)

    def monotonic_seconds(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.now += seconds


def test_frames_keep_their_beat_and_a_slow_one_delays_none_but_itself() -> None:
    clock, begun = Beat(), []
    work = iter([1.0, 12.0, 0.0, 0.0])

    def make() -> Frame:
        begun.append(clock.now)
        clock.now += next(work)
        return FRAME

    list(frames(make, clock, 5.0, pytest.fail, 4))
    assert begun == [0.0, 5.0, 20.0, 25.0]


def test_what_cannot_be_read_is_told_and_tried_again() -> None:
    told: list[str] = []

    def tries() -> Iterator[Frame]:
        yield FRAME

    good = tries()

    def make() -> Frame:
        if not told:
            raise SourceUnreadable("the disk is gone")
        return next(good)

    assert list(frames(make, Beat(), 5.0, told.append, 2)) == [FRAME]
    assert told == ["the disk is gone"]


def test_a_single_frame_that_cannot_be_made_is_an_error() -> None:
    def make() -> Frame:
        raise SourceUnreadable("the disk is gone")

    with pytest.raises(SourceUnreadable):
        list(frames(make, Beat(), 5.0, pytest.fail, 1))
