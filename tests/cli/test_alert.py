"""`tokens alert`, as a person types it, and the whole way to real receivers."""

from __future__ import annotations

import io
import json
import os
import pty
import signal
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.alerts.receivers import (
    CANARY,
    DISCORD_URL,
    HANGS,
    SLACK_URL,
    WebReceiver,
    closed_port,
    mail_receiver,
    web_receiver,
)
from tests.cli.conftest import PRICES, SOURCE, Done, Home
from tests.cli.test_hostile_text import HOSTILE, harmful
from tests.cli.window_sessions import BEGIN, filled_session

from tokenbudget.app import alert_steps
from tokenbudget.cli import alert_setting
from tokenbudget.system.clock import SystemClock
from tokenbudget.system.locks import FileLock

# Deprecations inside apprise and requests are theirs to repair.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

PATCHED = Path(__file__).parents[1] / "alerts" / "patched"
MINUTES = timedelta(minutes=1)


@pytest.fixture(autouse=True)
def woken(monkeypatch: pytest.MonkeyPatch) -> list[int | None]:
    """No sender is started from this process; when one would have had something to do."""
    found: list[int | None] = []

    def wake(settings: object, due_ms: int | None, now_ms: int) -> int:
        found.append(due_ms)
        return 0

    monkeypatch.setattr(alert_setting, "wake_sender", wake)
    monkeypatch.setattr(alert_steps, "wake_sender", wake)
    return found


@pytest.fixture(autouse=True)
def without_keyring(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "keyring", None)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """A home with one session, full to 84 per cent, four minutes after its last request."""
    made = Home(tmp_path / "home", BEGIN + 5 * MINUTES)
    filled_session(0.85).titled("fix-cart").write(made)
    return made


def real_now() -> datetime:
    """What the clock of this machine shows: that of a real process."""
    return datetime.fromtimestamp(SystemClock().now_ms() / 1000, UTC)


def later(home: Home, **span: float) -> None:
    home.now += timedelta(**span)


def refreshed(home: Home) -> Done:
    return home.run("refresh-statusline", "s1")


def fired(home: Home) -> None:
    """The alert of 80 % fires, on the bell."""
    home.run("alert", "80")
    later(home, seconds=31)
    refreshed(home)


def rules(home: Home) -> dict[str, Any]:
    found = json.loads((home.config.parent / "alerts.json").read_text())
    assert isinstance(found, dict)
    return found


class TestSetting:
    def test_one_line_says_what_where_and_what_would_be_said_now(self, home: Home) -> None:
        done = home.run("alert")
        assert (done.code, done.err, len(done.lines)) == (0, "", 1)
        assert done.out == (
            "context-80: the context window from 80% on, told on bell; now: context window at 84%:"
            " shop · fix-cart; evaluated by tokens monitor and by the status line, and neither has"
            " run yet. Next: tokens alert test\n"
        )

    def test_it_is_set_for_good_and_a_second_time_changes_nothing(self, home: Home) -> None:
        home.run("alert", "70", "--slack", "env:HOOK", "--bell")
        before = rules(home)
        home.run("alert", "70%", "--slack", "env:HOOK", "--bell")
        assert rules(home) == before
        assert before["rules"] == [
            {"scope": "context", "percent": 70, "session": "", "channels": ["bell", "slack"]}
        ]
        path = home.config.parent / "alerts.json"
        assert stat.S_IMODE(path.stat().st_mode) == 0o600

    def test_other_channels_take_the_place_of_those_before(self, home: Home) -> None:
        home.run("alert", "80", "--slack", SLACK_URL)
        done = home.run("alert", "80", "--desktop")
        assert "It was told on slack before." in done.out
        assert [spec["name"] for spec in rules(home)["channels"]] == ["desktop"]
        assert list((home.config.parent / "secrets").iterdir()) == []

    def test_who_has_looked_lately_need_not_be_told_to(self, home: Home) -> None:
        refreshed(home)
        later(home, minutes=1)
        assert "neither" not in home.run("alert").out
        later(home, days=3)
        assert "neither has for 3d" in home.run("alert").out

    def test_a_session_that_is_far_from_it_is_told_as_well(self, home: Home) -> None:
        filled_session(0.3).write(home)
        assert "nothing to tell now: shop is at 3" in home.run("alert").out
        assert "nothing that it watches is known now" in home.run("alert", "--scope", "burn").out

    def test_every_scope_can_be_set(self, home: Home) -> None:
        home.run("alert", "90", "--scope", "five-hour")
        home.run("alert", "--scope", "seven-day")
        home.run("alert", "--scope", "day-cost", "--usd", "12.50")
        home.run("alert", "--scope", "session-cost", "--usd", "$3", "--session", "s")
        home.run("alert", "--scope", "burn")
        ids = [row["rule"] for row in home.ask("alert", "list")["rows"]]
        assert ids == [
            "five-hour-90", "seven-day-80", "day-cost-12.5", "session-cost-3@s1", "burn",
        ]  # fmt: skip

    def test_without_a_bell_in_the_settings_a_channel_must_be_named(self, home: Home) -> None:
        home.config.parent.mkdir()
        home.config.write_text("[alerts]\nbell = false\n")
        assert home.run("alert").err.endswith("name a channel: --slack URL\n")
        home.config.write_text("[alerts]\ndesktop = true\n")
        assert home.ask("alert")["channels"] == ["bell", "desktop"]

    @pytest.mark.parametrize(
        ("typed", "told"),
        [
            (["75"], "use one of 50, 70, 80, 90 (the nearest is 70)"),
            (["1000000"], "is neither a percent nor an action"),
            (["lst"], "(did you mean 'list'?)"),
            (["--scope", "contxt"], "(did you mean 'context'?)"),
            (["80", "81"], "one word too many"),
            (["--usd", "5"], "--usd goes with session-cost"),
            (["--scope", "day-cost"], "--scope day-cost --usd 10"),
            (["80", "--scope", "day-cost", "--usd", "5"], "takes no percent"),
            (["50", "--scope", "burn"], "takes no percent"),
            (["--scope", "day-cost", "--usd", "many"], "is no amount in US dollars"),
            (["--scope", "burn", "--session", "s1"], "--session goes with context"),
            (["--session", "nobody"], "no session begins with 'nobody'"),
            (["--for", "2h"], "--for does not go with setting an alert"),
            (["list", "--slack", "x"], "--slack does not go with tokens alert list"),
            (["list", "burn"], "takes no rule"),
            (["remove"], "takes the name of a rule, or 'all'"),
            (["why"], "there is no alert yet"),
            (["test"], "there is no channel to test"),
            (["silence"], "say how long"),
            (["silence", "--for", "2h", "--until-resolved"], "exclude each other"),
            (["silence", "--for", "soon"], "is no duration"),
            (["silence", "--until-resolved"], "nothing is firing there"),
            (["ack"], "nothing is firing there"),
            (["ack", "burn"], "there is no alert 'burn', and no other"),
            (["--email", "nobody"], "--email takes one address"),
            (["--email", "me@@example.com"], "--email takes one address"),
            (["--slack", ""], "an address is empty"),
            (["--slack", "-", "--discord", "-"], "standard input holds one address"),
            (["--url", "nosuch://host/x"], "apprise does not understand nosuch://***"),
            (["history", "-n", "0"], "is no number of rows"),
        ],
    )
    def test_what_cannot_be_meant_is_refused_in_one_sentence(
        self, home: Home, typed: list[str], told: str
    ) -> None:
        done = home.run("alert", *typed)
        assert (done.code, done.out, len(done.err.splitlines())) == (2, "", 1)
        assert told in done.err
        assert not (home.config.parent / "alerts.json").exists()

    def test_hostile_words_are_shown_inert(self, home: Home) -> None:
        for bad in HOSTILE.values():
            typed = bad.replace("\0", "").encode("utf-8", "replace").decode()
            for arguments in (["ack", typed], [typed], ["--scope", typed], ["--url", typed]):
                done = home.run("alert", *arguments)
                assert harmful(done.out + done.err) == set()


class TestSecrets:
    """What is typed is kept where only its owner reads it, and shown nowhere."""

    CHANNELS = (
        ("slack", SLACK_URL),
        ("discord", DISCORD_URL),
        ("email", f"mailto://me:{CANARY}@127.0.0.1:9/?from=t@example.com&to=a@x.org"),
        ("url", f"json://me:{CANARY}@127.0.0.1:9/{CANARY}?+X-Token={CANARY}"),
        ("url", f"jsons://no-such-host.invalid/{CANARY}"),
    )

    def everything(self, home: Home) -> bytes:
        """All that is written, but for the folder of secrets."""
        files = (path for path in home.config.parent.rglob("*") if path.is_file())
        return b"".join(path.read_bytes() for path in files if path.parent.name != "secrets")

    def test_no_address_is_ever_shown_or_written_elsewhere(
        self, home: Home, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("tokenbudget.alerts.remote.TIMEOUT_SECONDS", 0.3)
        monkeypatch.setattr("tokenbudget.alerts.mail.TIMEOUT_SECONDS", 0.3)
        monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{closed_port()}")
        options = [part for kind, url in self.CHANNELS for part in (f"--{kind}", url)]
        said = [home.run("alert", "80", *options)]
        assert said[0].code == 0
        assert len(rules(home)["channels"]) == 5
        said += [home.run("alert", *more) for more in (
            ["test"], ["list"], ["list", "--json"], ["why"], ["history"], ["test", "--json"],
            ["80", "--json", *options], ["70", "--slack", f"{SLACK_URL}/evil"],
            ["70", "--discord", f"https://evil.example/{CANARY}"], ["70", "--email", f"{CANARY}@"],
            ["70", "--url", f"nosuch://{CANARY}"], ["70", "--url", CANARY],
        )]  # fmt: skip
        assert said[1].code == 1
        assert said[1].out.count("failed: ") == 5
        assert CANARY not in "".join(done.out + done.err for done in said)
        assert CANARY.encode() not in self.everything(home)
        assert "https://hooks.slack.com/***" in said[2].out

    @pytest.mark.parametrize("answer", [401, 403, 404, 429, 500, HANGS])
    def test_nor_when_a_receiver_refuses(
        self, home: Home, monkeypatch: pytest.MonkeyPatch, answer: int
    ) -> None:
        monkeypatch.setattr("tokenbudget.alerts.remote.TIMEOUT_SECONDS", 0.2)
        with web_receiver(answer) as receiver:  # it says the address in its answer
            home.run("alert", "80", "--url", f"json://me:{CANARY}@{receiver.address}/{CANARY}")
            done = home.run("alert", "test")
        assert done.code == 1
        wanted = "no answer" if answer == HANGS else f"answered {answer}"
        assert done.out == f"url: failed: {wanted}\n"
        said = home.run("alert", "history").out
        assert wanted in said
        assert CANARY not in done.err + said
        assert CANARY.encode() not in self.everything(home)

    def test_an_error_of_tls_is_no_answer(self, home: Home) -> None:
        with web_receiver(200) as receiver:
            home.run("alert", "80", "--url", f"jsons://{receiver.address}/{CANARY}")
            assert home.run("alert", "test").out == "url: failed: no answer\n"

    def test_standard_input_keeps_it_out_of_the_arguments(
        self, home: Home, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("sys.stdin", io.StringIO(f"{SLACK_URL}\nmore\n"))
        assert home.run("alert", "80", "--slack", "-").code == 0
        [path] = (home.config.parent / "secrets").iterdir()
        assert path.read_text() == f"{SLACK_URL}\n"
        assert stat.S_IMODE(path.stat().st_mode) == 0o600

    def test_a_variable_that_is_not_set_is_told_at_once_and_in_the_list(self, home: Home) -> None:
        told = "the variable HOOK of an alert's channel is not set"
        assert home.run("alert", "80", "--slack", "env:HOOK").err == f"tokens: slack: {told}\n"
        assert told in home.run("alert", "list").out
        shown = home.run("alert", "list", HOOK=SLACK_URL).out
        assert "slack  https://hooks.slack.com/*** in env:HOOK" in shown

    def test_an_address_alone_goes_to_the_mail_server_of_this_machine(self, home: Home) -> None:
        home.run("alert", "80", "--email", "me+alerts@example.com")
        [path] = (home.config.parent / "secrets").iterdir()
        assert path.read_text() == (
            "mailto://localhost:25/?from=me%2Balerts@example.com&to=me%2Balerts@example.com\n"
        )

    def test_without_apprise_it_says_what_to_install(
        self, home: Home, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        from tokenbudget.alerts import remote

        remote._apprise.cache_clear()
        monkeypatch.setitem(sys.modules, "apprise", None)
        done = home.run("alert", "80", "--slack", SLACK_URL)
        remote._apprise.cache_clear()
        assert done.code == 2
        assert "pip install 'tokenbudget[alerts]'" in done.err


@pytest.mark.parametrize("bad", HOSTILE.values(), ids=HOSTILE)
def test_hostile_titles_of_sessions_are_shown_inert(home: Home, bad: str) -> None:
    filled_session(0.85).titled(bad * 50).write(home)
    said = [home.run("alert", "80")]
    later(home, seconds=31)
    refreshed(home)
    said += [home.run("alert", action) for action in ("list", "why", "history")]
    said += [home.run("alert", action, "--json") for action in ("list", "why", "history")]
    for done in said:
        assert (done.code, harmful(done.out + done.err)) == (0, set())


class TestHandling:
    def test_list_tells_how_everything_stands(self, home: Home) -> None:
        assert "There is no alert yet" in home.run("alert", "list").out
        fired(home)
        home.run("alert", "silence", "--for", "2h")
        out = home.run("alert", "list").out
        for words in (
            "context-80  context window  80%, 90%  bell  firing",
            "bell  rings in tokens monitor",
            "critical: context window at 84%: shop · fix-cart (firing, since 31s)",
            "bell: context window at 84%: shop · fix-cart (for tokens monitor)",
            "every rule, for another 2h",
            "At most 6 messages per hour and channel; no quiet hours.",
            "by the status line: last 0s ago.",
        ):
            assert words in out

    def test_list_as_json(self, home: Home) -> None:
        fired(home)
        found = home.ask("alert", "list")
        assert found["format"] == "tokenbudget/alert/1"
        assert found["alerts"][0]["status"] == "firing"
        assert found["waiting"][0]["channel"] == "bell"
        assert found["rows"][0]["steps"][0] == {"at": 0.8, "level": "critical"}

    def test_ack_stops_the_reminders(self, home: Home) -> None:
        fired(home)
        assert home.run("alert", "ack", "80").out == (
            "Acknowledged: no reminders until it rises.\n"
        )
        assert "firing, acked" in home.run("alert", "list").out
        assert "acknowledged: no reminders" in home.run("alert", "why").out

    def test_silence_until_resolved_and_back(self, home: Home) -> None:
        fired(home)
        assert home.run("alert", "silence", "context-80", "--until-resolved").code == 0
        assert "Silenced until it is resolved" in home.run("alert", "why", "context-80").out
        assert home.ask("alert", "unsilence")["removed"] == 1
        assert home.run("alert", "unsilence").out == "Nothing was silent.\n"

    def test_why_says_what_a_rule_waits_for(self, home: Home) -> None:
        home.run("alert", "80")
        later(home, seconds=10)
        assert "crossed 10s ago; told after 30s if it lasts." in home.run("alert", "why").out
        assert home.ask("alert", "why", "context")["rows"][0]["rule"] == "context-80"

    def test_history_holds_decisions_deliveries_and_what_was_typed(self, home: Home) -> None:
        assert home.run("alert", "history").out == "Nothing has been told yet.\n"
        fired(home)
        home.run("alert", "ack")
        later(home, minutes=11)
        refreshed(home)
        events = [row["event"] for row in home.ask("alert", "history")["rows"]]
        assert events == ["fire", "ack", "failed"]
        assert "nobody was watching" in home.run("alert", "history").out
        assert len(home.ask("alert", "history", "-n", "1")["rows"]) == 1

    def test_a_rule_that_is_not_there_is_told_with_the_nearest(self, home: Home) -> None:
        home.run("alert", "80")
        done = home.run("alert", "why", "contxt-80")
        assert (done.code, done.out) == (2, "")
        assert "(did you mean 'context-80'?); tokens alert list names them" in done.err
        home.run("alert", "50")
        assert "2 alerts are named so" in home.run("alert", "ack", "context").err

    def test_remove_takes_the_rule_and_its_address_away(self, home: Home) -> None:
        home.run("alert", "80", "--slack", SLACK_URL)
        home.run("alert", "50")
        assert home.run("alert", "remove", "80").out == "Removed: context-80.\n"
        assert list((home.config.parent / "secrets").iterdir()) == []
        assert home.ask("alert", "remove", "all")["removed"] == ["context-50"]
        assert home.run("alert", "remove", "all").out == "There was no alert to remove.\n"

    def test_a_damaged_file_is_told_and_the_last_good_rules_hold(self, home: Home) -> None:
        home.run("alert", "80")
        (home.config.parent / "alerts.json").write_text("{typo")
        done = home.run("alert", "list")
        assert "context-80" in done.out
        assert "the last good rules hold until it is repaired" in done.err

    def test_the_bell_of_a_test_rings_in_a_terminal_and_is_not_tried_without(
        self, home: Home
    ) -> None:
        home.run("alert", "80")
        done = home.run("alert", "test")
        assert (done.code, done.out) == (
            0,
            "bell: not tried: no terminal here; it rings in tokens monitor\n",
        )
        ours, theirs = pty.openpty()
        ran = subprocess.run(
            home.command("alert", "test"), env=home.spawn_environment(), stderr=theirs,
            stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, timeout=60, check=False,
        )  # fmt: skip
        os.close(theirs)
        assert os.read(ours, 4096).startswith(b"\a\x1b]9;TEST: alerts reach you here")
        os.close(ours)
        assert (ran.returncode, ran.stdout) == (0, b"bell: rung\n")

    def test_a_test_is_marked_and_tried_once(self, home: Home) -> None:
        with web_receiver(503) as receiver:
            home.run("alert", "80", "--url", f"json://{receiver.address}/x", "--bell")
            found = home.run("alert", "test", "--json")
        assert found.code == 1
        assert [(row["is_ok"], row["is_tried"]) for row in found.json["rows"]] == [
            (False, False), (False, True),
        ]  # fmt: skip
        [request] = receiver.requests
        assert json.loads(request.body)["title"].startswith("TEST: ")

    def test_the_sender_takes_no_arguments(self, home: Home) -> None:
        assert home.run("send-alerts", "x").code == 2
        assert home.run("send-alerts", "--help").out.startswith("usage: tokens send-alerts")
        assert home.run("send-alerts").code == 0
        assert signal.alarm(0) > 0, "the kernel ends a sender that hangs"


@pytest.mark.parametrize("width", [80, 120])
def test_screens(home: Home, width: int) -> None:
    from tests.cli.test_golden import accepted

    home.config.parent.mkdir()
    home.config.write_text(PRICES)
    home.run("alert", "80", "--slack", "env:HOOK", "--bell")
    home.run("alert", "--scope", "day-cost", "--usd", "10")
    home.run("alert", "--scope", "burn", "--slack", "env:HOOK")
    later(home, seconds=31)
    refreshed(home)
    home.run("alert", "silence", "burn", "--for", "2h")
    for action in ("list", "why", "history"):
        done = home.run("alert", action, COLUMNS=str(width), HOOK=SLACK_URL)
        assert (done.code, done.err) == (0, "")
        assert done.out == accepted(f"alert-{action}", width, done.out)


# ── the whole program ────────────────────────────────────────────────────────────────────────────


def sender_of(data_dir: Path) -> int:
    """The process that holds the lock of the sender, as the kernel knows it; 0 for none."""
    inode = (data_dir / "alerts-sender.lock").stat().st_ino
    for line in Path("/proc/locks").read_text().splitlines():
        fields = line.split()
        if fields[5].endswith(f":{inode}"):
            return int(fields[4])
    return 0


class Wired:
    """A home on the real clock whose session has just crossed, and receivers of every kind."""

    def __init__(self, home: Home, slack: WebReceiver, discord: WebReceiver) -> None:
        self.home = home
        self.slack = slack
        self.discord = discord
        home.variables |= {
            "PYTHONPATH": f"{SOURCE}:{PATCHED}",
            "TEST_SLACK": f"http://{slack.address}/services",
            "TEST_DISCORD": f"http://{discord.address}/hooks",
            "NO_PROXY": "127.0.0.1",
        }

    def tokens(self, *arguments: str) -> Done:
        """A real process, on the real clock."""
        return self.home.spawn(*arguments, **self.path)

    @property
    def path(self) -> dict[str, str]:
        """Where a real process finds the program, and the receivers of this test."""
        return {"PYTHONPATH": self.home.variables["PYTHONPATH"]}

    def crosses(self) -> None:
        """A full session, and the first look at it 40 seconds ago: it has lasted now."""
        talk = filled_session(0.85).titled("fix-cart")
        ago = real_now() - talk.at - timedelta(minutes=2)
        for line in talk.lines:
            line["timestamp"] = (datetime.fromisoformat(line["timestamp"]) + ago).isoformat()
        talk.write(self.home)
        (self.home.config.parent / "ledger.db").unlink()  # the alerts' clock stands at now in it
        self.home.now = real_now() - timedelta(seconds=40)
        assert refreshed(self.home).code == 0
        assert "pending" in self.home.run("alert", "list").out

    def settled(self) -> None:
        """Wait until the sender has ended."""
        lock = FileLock(str(self.home.config.parent / "alerts-sender.lock"))
        for _ in range(100):
            if Path(lock.path).exists() and lock.try_acquire():
                lock.release()
                if not self.home.run("alert", "list", "--json").json["waiting"]:
                    return
            SystemClock().sleep(0.1)
        raise AssertionError(f"the sender does not end: {self.events()}")

    def end_sender(self) -> None:
        """End the one process that this test has started: it would wait for the next round."""
        pid = sender_of(self.home.config.parent)
        if pid:
            os.kill(pid, signal.SIGTERM)

    def events(self) -> list[tuple[str, str]]:
        rows = self.home.run("alert", "history", "-n", "99", "--json").json["rows"]
        return [(row["event"], row["detail"]) for row in rows]


@pytest.fixture
def wired(tmp_path: Path) -> Iterator[Callable[..., Wired]]:
    with ExitStack() as stack:

        def made(slack: int = 200, discord: int = 204) -> Wired:
            home = Home(tmp_path / "home")
            return Wired(
                home,
                stack.enter_context(web_receiver(slack)),
                stack.enter_context(web_receiver(discord)),
            )

        yield made


@pytest.mark.slow
def test_one_message_on_every_channel_of_twenty_evaluators(wired: Callable[..., Wired]) -> None:
    with mail_receiver() as mail:
        desk = wired()
        url = f"mailto://127.0.0.1:{mail.port}?from=tokens@example.com&to=me@x.org"
        done = desk.tokens(
            "alert", "80", "--email", url, "--slack", SLACK_URL, "--discord", DISCORD_URL
        )
        assert (done.code, done.err) == (0, "")
        home = desk.home
        desk.crosses()
        running = [
            subprocess.Popen(
                home.command("refresh-statusline", "s1"),
                env=home.spawn_environment(**desk.path),
                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            )
            for _ in range(20)
        ]  # fmt: skip
        assert [process.wait(60) for process in running] == [0] * 20
        desk.settled()
    [message] = mail.messages
    assert message["Subject"] == "[tokens] context window at 84%: shop · fix-cart"
    assert "Delegate searches" in message.get_content()
    [slack] = desk.slack.requests
    [attachment] = json.loads(slack.body)["attachments"]
    assert attachment["title"] == "context window at 84%: shop · fix-cart"
    [discord] = desk.discord.requests
    assert "context window at 84%" in json.dumps(json.loads(discord.body))
    assert sorted(event for event, _ in desk.events()) == ["fire", "sent", "sent", "sent"]
    assert CANARY not in repr(desk.events())


@pytest.mark.slow
def test_a_channel_that_is_down_does_not_hold_up_the_others(wired: Callable[..., Wired]) -> None:
    desk = wired(slack=500)
    dead = f"json://127.0.0.1:{closed_port()}/{CANARY}"
    done = desk.tokens("alert", "80", "--slack", SLACK_URL, "--discord", DISCORD_URL, "--url", dead)
    assert (done.code, done.err) == (0, "")
    desk.crosses()
    dies = (  # a sender that is ended right after its decision
        "import os; from tokenbudget.app import alert_sender; from tokenbudget.cli import main;"
        "alert_sender.deliver = lambda *_: os._exit(9); main(['send-alerts'])"
    )
    died = subprocess.run(
        [sys.executable, "-c", dies],
        env=desk.home.spawn_environment(**desk.path),
        timeout=60,
        check=False,
    )
    assert died.returncode == 9
    assert [event for event, _ in desk.events()] == ["fire"]
    assert desk.discord.requests == []

    assert desk.tokens("refresh-statusline", "s1").code == 0

    for _ in range(150):
        if sum(event in ("sent", "failed") for event, _ in desk.events()) == 3:
            break
        SystemClock().sleep(0.1)
    assert len(desk.discord.requests) == 1
    assert len(desk.slack.requests) == 3
    told = dict(detail.split(": ", 1) for event, detail in desk.events() if event != "fire")
    assert told["discord"] == "attempt 1: delivered"
    assert told["slack"].count("answered 500") == 3
    assert told["url"].count("no answer") == 3
    shown = desk.home.run("alert", "list").out
    assert "Failed deliveries" in shown
    assert "failed 1 time)" in shown
    assert CANARY not in shown + repr(desk.events())
    desk.end_sender()
