"""`tokens control` as a person types it: in this process, and as the loop that it is."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from tests.cli.conftest import Home
from tests.cli.window_sessions import Talk, filled_session, plain_session
from tests.optimizer.desk import Desk, history, skill

from tokenbudget.app.controlling import Turn
from tokenbudget.app.controlling_lock import ControlLock
from tokenbudget.cli import VERBS
from tokenbudget.cli.control import ACTIONS, options_of
from tokenbudget.cli.control_dry import weighed
from tokenbudget.cli.control_running import is_unheard
from tokenbudget.model.errors import BadRequest
from tokenbudget.model.figures import text_width
from tokenbudget.system.clock import SystemClock

SOON_SECONDS = 60.0
"""Long enough for a loaded machine; nothing waits for it that goes well."""


def grown(home: Home, share: float = 0.62) -> Talk:
    """A session that has been in warning for three requests."""
    talk = filled_session(share)
    for _ in range(3):
        talk.ask("Go on.").answer("Done.")
    talk.write(home)
    return talk


class TestOnce:
    def test_one_turn_says_how_it_stands_and_ends(self, home: Home) -> None:
        grown(home)
        done = home.run("control", "--once", COLUMNS="80")
        assert (done.code, done.err) == (0, "")
        assert done.lines[0].startswith("Looking at 1 session; nothing is changed by itself")
        assert any(line.startswith("▲ warning  shop · s1") for line in done.lines)
        assert "of the usable window" in done.out
        assert max(map(text_width, done.lines)) <= 80

    def test_a_session_is_named_as_why_names_it(self, home: Home) -> None:
        grown(home).titled("Round the cart's totals").write(home)
        once = home.run("control", "--once", COLUMNS="80")
        named = "shop · s1 · Round the cart's totals"
        assert any(line.startswith(f"▲ warning  {named}") for line in once.lines)
        assert any(line.startswith("  window    ") for line in once.lines), "below it, uncut"
        assert max(map(text_width, once.lines)) <= 80
        why = home.run("control", "why", COLUMNS="80")
        assert any(line.startswith(f"  session   {named};") for line in why.lines)
        (row,) = home.run("control", "--once", "--json").json["rows"]
        assert row["title"] == "Round the cart's totals"

    def test_without_a_session_it_says_when_one_will_be_there(self, home: Home) -> None:
        done = home.run("control", "--once")
        assert done.code == 0
        assert done.lines[-1].startswith("No session is live now")

    def test_as_json_each_session_is_a_row(self, home: Home) -> None:
        talk = grown(home)
        told = home.run("control", "--once", "--json").json
        assert told["format"] == "tokenbudget/control/1"
        (row,) = told["rows"]
        assert row["session"] == "s1"
        assert row["used_tokens"] == talk.window_tokens
        assert row["usable_share"] == pytest.approx(talk.window_tokens / row["usable_tokens"])
        assert row["mode"] == "advise"

    def test_only_the_named_session_is_shown(self, home: Home) -> None:
        grown(home)
        plain_session("s2", cwd="/srv/blog").write(home, "-srv-blog")
        told = home.run("control", "--once", "--json", "s2").json
        assert [row["session"] for row in told["rows"]] == ["s2"]

    def test_whoever_comes_second_only_looks_and_says_who_acts(self, home: Home) -> None:
        grown(home)
        home.config.parent.mkdir(parents=True, exist_ok=True)
        lock = ControlLock(str(home.config.parent), "tokens serve")
        assert lock.try_acquire()
        try:
            done = home.run("control", "--once", COLUMNS="200")
        finally:
            lock.release()
        assert f"nothing is done by this one: tokens serve (process {os.getpid()}) acts" in done.out
        assert home.run("control", "why", "--json").json["rows"][0]["decision"] is None


class TestDryRun:
    def test_it_shows_what_the_look_rests_on_and_changes_nothing(self, home: Home) -> None:
        grown(home)
        done = home.run("control", "--dry-run", COLUMNS="80")
        assert (done.code, done.err) == (0, "")
        assert done.lines[0].startswith("▲ warning · would ")
        for title in ("State", "Inputs", "Levers at this level, in order"):
            assert title in done.lines
        assert "Nothing was changed (--dry-run)." in done.out
        assert max(map(text_width, done.lines)) <= 80
        assert home.run("control", "why", "--json").json["rows"][0]["looked_at"] is None

    def test_it_looks_at_sessions_that_lie_elsewhere(self, home: Home, tmp_path: Path) -> None:
        path = filled_session(0.66).write(Home(tmp_path / "other"))
        told = home.run("control", "--dry-run", "--json", "--from", str(path)).json
        assert told["is_dry_run"] is True
        assert told["rows"][0]["level"] == "critical"
        assert told["rows"][0]["inputs"]["requests"] >= 1

    def test_settings_that_cannot_be_meant_are_refused(self, home: Home) -> None:
        grown(home)
        home.config.parent.mkdir(parents=True, exist_ok=True)
        home.config.write_text('[control]\ncooldown = "1s"\n')
        done = home.run("control", "--dry-run")
        assert done.code == 2
        assert "cooldown 1s" in done.err
        assert "is shorter than control.interval 5s" in done.err


def test_in_its_grace_a_level_shows_what_it_would_weigh() -> None:
    desk = Desk(skill(), history())
    before = desk.state
    said = desk.request(60_000)
    assert said.code == "grace"
    turn = Turn("s", desk.seen, before, desk.state, desk.wishes, desk.trust, said)
    level, judged = weighed(turn)
    assert level == "healthy"
    assert {one.option.lever for one in judged} == {"skills", "history"}
    assert weighed(turn._replace(signals=None)) == ("healthy", [])


class TestWhy:
    def test_before_any_look_it_says_how_to_begin(self, home: Home) -> None:
        grown(home)
        done = home.run("control", "why", COLUMNS="200")
        assert done.code == 0
        assert done.lines[0].startswith("No controller has looked at this session yet")

    def test_after_a_look_the_answer_is_the_reason(self, home: Home) -> None:
        grown(home)
        home.run("control", "--once")
        home.now += timedelta(seconds=40)
        done = home.run("control", "why", COLUMNS="80")
        assert done.lines[0].startswith("▲ warning · ")
        assert "looked at 40s ago; nobody looks now: tokens control" in " ".join(done.out.split())
        assert "advise (tokens config set autoOptimize true lets it act)" in done.out
        (row,) = home.run("control", "why", "s1", "--json").json["rows"]
        assert row["decision"]["kind"] in ("advise", "mark", "wait")
        assert {lever["mode"] for lever in row["levers"]} == {"advise"}

    def test_the_monitor_tells_the_same_decision(self, home: Home) -> None:
        grown(home)
        home.run("control", "--once")
        (row,) = home.run("control", "why", "--json").json["rows"]
        told = json.loads(home.run("monitor", "--once", "--json").out)
        assert told["control"]["decision"]["code"] == row["decision"]["code"]
        assert told["control"]["mode"] == "advise"
        assert "Control     advise · " in home.run("monitor", "--once").out

    def test_no_session_at_all_is_refused_in_a_sentence(self, home: Home) -> None:
        done = home.run("control", "why")
        assert done.code == 2
        assert "there is no session yet" in done.err


class TestHistoryAndUndo:
    def test_nothing_was_done_yet(self, home: Home) -> None:
        done = home.run("control", "history")
        assert done.code == 0
        assert done.lines[0].startswith("The controller has done nothing yet.")
        told = home.run("control", "history", "--json").json
        assert (told["format"], told["rows"]) == ("tokenbudget/control-history/1", [])
        undone = home.run("control", "undo")
        assert undone.code == 0
        assert undone.lines == [
            "Nothing that the controller did is left to take back; tokens control history lists it."
        ]
        assert home.run("control", "undo", "--json").json["action"] is None

    def test_what_somebody_else_did_is_not_the_controllers(self, home: Home) -> None:
        home.run("config", "set", "control.mode", "advise")
        assert home.run("control", "undo").lines[0].startswith("Nothing that the controller did")
        done = home.run("control", "undo", "1")
        assert done.code == 2
        assert "action 1 is not the controller's, but of: tokens config" in done.err
        assert home.run("control", "undo", "one").code == 2


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (["why", "a", "b"], "unrecognized arguments"),
        (["a", "b"], "'b' is one word too many"),
        (["why", "--once"], "--once does not go with tokens control why"),
        (["--yes"], "--yes does not go with tokens control alone"),
        (["--limit", "3"], "--limit does not go with tokens control alone"),
        (["history", "--from", "x"], "--from does not go with tokens control history"),
        (["--from", "x"], "add --dry-run"),
        (["--once", "--dry-run"], "leave --once out"),
        (["--dry-run", "--interval", "5s"], "--interval is for the loop"),
    ],
)
def test_what_does_not_go_together_is_refused(given: list[str], said: str) -> None:
    with pytest.raises(BadRequest, match=said):
        options_of(given)


@pytest.mark.parametrize("text", ["0s", "1h", "fast", "5"])
def test_an_interval_that_cannot_be_is_refused(home: Home, text: str) -> None:
    done = home.run("control", "--interval", text)
    assert done.code == 2
    assert f"--interval {text} cannot be: it must be a time from 1s to 10m" in done.err
    assert str(home.config) not in done.err, "it does not stand there"
    assert 'must be a time from 1s to 10m such as "5s"' in done.err


def test_an_interval_longer_than_the_cool_down_is_refused_with_the_reason(home: Home) -> None:
    done = home.run("control", "--interval", "10m")
    assert done.code == 2
    assert "control.cooldown 5m" in done.err
    assert "is shorter than control.interval 10m" in done.err


def test_a_pipe_that_nobody_reads_any_more_is_noticed() -> None:
    reading, writing = os.pipe()
    with os.fdopen(writing, "w") as stream:
        assert not is_unheard(stream)
        os.close(reading)
        assert is_unheard(stream)
    assert not is_unheard(io.StringIO())


def test_switched_off_it_says_so_and_ends(home: Home) -> None:
    home.run("config", "set", "control.mode", "off")
    done = home.run("control")
    assert done.code == 1
    assert done.lines == [
        "The controller is off (control.mode); tokens config set control.mode advise turns it on."
    ]


def test_help_and_completion_know_its_actions(home: Home) -> None:
    assert any(verb.name == "control" for verb in VERBS)
    assert max(map(len, home.run("control", "--help").lines)) <= 88
    script = home.run("completion", "bash").out
    (case,) = [line for line in script.splitlines() if line.strip().startswith("control)")]
    assert all(word in case for word in (*ACTIONS, "--once", "--dry-run", "--interval"))


class Loop:
    """`tokens control` as a process of its own, whose lines are waited for."""

    def __init__(self, home: Home, out: Path, *options: str) -> None:
        self.out = out
        self._file = out.open("w")
        self.process = subprocess.Popen(
            home.command("control", *options),
            stdout=self._file,
            stderr=subprocess.PIPE,
            env=home.spawn_environment(),
        )

    def wait_for(self, text: str) -> str:
        """Everything that was printed, once this is in it."""
        clock = SystemClock()
        until = clock.monotonic_seconds() + SOON_SECONDS
        while text not in (shown := self.out.read_text()):
            assert self.process.poll() is None, shown
            assert clock.monotonic_seconds() < until, shown
            clock.sleep(0.05)
        return shown

    def end(self) -> tuple[int, str]:
        """Ctrl-C; exit code and what stood on standard error."""
        self.process.send_signal(signal.SIGINT)
        _, err = self.process.communicate(timeout=SOON_SECONDS)
        self._file.close()
        return self.process.returncode, err.decode()


@pytest.fixture
def live(home: Home) -> Home:
    """A home whose sessions are of now: a process of its own has the real clock."""
    home.now = datetime.fromtimestamp(SystemClock().now_ms() / 1000, UTC)
    return home


def test_the_loop_shows_a_block_then_changes_and_ends_with_ctrl_c(
    live: Home, tmp_path: Path
) -> None:
    talk = Talk(begin=live.now - timedelta(minutes=5)).ask().read("/srv/shop/a.py", 9_000)
    talk.answer().write(live)
    loop = Loop(live, tmp_path / "out.txt", "--interval", "1s")
    loop.wait_for("A line follows per change; Ctrl-C ends it.")
    talk.ask("Look at everything.").read("/srv/shop/all.py", 70_000).answer("Done.").write(live)
    shown = loop.wait_for("▲")
    code, err = loop.end()
    assert (code, err) == (0, "")
    assert shown.splitlines()[0].startswith("Looking at 1 session")
    assert "● healthy  shop · s1" in shown
    assert "Ended; what was done stays" in loop.out.read_text()


def test_a_stream_is_one_object_a_line_and_holds_the_lock(live: Home, tmp_path: Path) -> None:
    Talk(begin=live.now - timedelta(minutes=5)).ask().answer().write(live)
    loop = Loop(live, tmp_path / "out.txt", "--json")
    line = loop.wait_for("\n").splitlines()[0]
    second = live.run("control", "--once", COLUMNS="200")
    code, err = loop.end()
    assert (code, err) == (0, "")
    told = json.loads(line)
    assert told["format"] == "tokenbudget/control/1"
    assert told["watched_by"] == "tokens control"
    assert f"tokens control (process {loop.process.pid}) acts" in second.out


def test_the_verb_imports_no_heavy_library(home: Home) -> None:
    code = (
        "import sys; from tokenbudget.cli.control import options_of; options_of(['why']);"
        "heavy = {'textual', 'fastmcp', 'apprise', 'numpy', 'typst'} & set(sys.modules);"
        "ours = [n for n in sys.modules if n.startswith(('tokenbudget.app', 'tokenbudget.reports',"
        " 'tokenbudget.optimizer'))];"
        "print(heavy, ours)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        env=home.spawn_environment(),
        check=True,
    )
    assert done.stdout.strip() == "set() []"
