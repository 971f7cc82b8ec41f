from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence

import pytest
from tests.alerts.builders import entry
from tests.alerts.test_inert import HOSTILE

from tokenbudget.alerts import channels
from tokenbudget.alerts.channels import DesktopChannel, RemoteChannel, TerminalChannel
from tokenbudget.alerts.secret import SecretSources
from tokenbudget.model.errors import BadConfig

WORST = entry(title=HOSTILE, body=HOSTILE)


def test_the_terminal_gets_a_bell_and_two_notifications() -> None:
    got: list[str] = []
    assert TerminalChannel(got.append).deliver(entry(title="a", body="b")).is_ok
    assert got == ["\a\x1b]9;a\x1b\\\x1b]777;notify;a;b\x1b\\"]


def test_no_text_leaves_its_place_in_the_terminal() -> None:
    text = channels.terminal_text(WORST)
    assert text.count("\x1b") == 4
    assert text.count("\a") == 1
    assert text.count(";") == 4
    assert not any(0x80 <= ord(c) < 0xA0 for c in text)


def test_a_terminal_that_is_gone_is_told() -> None:
    def gone(text: str) -> int:
        raise BrokenPipeError

    assert not TerminalChannel(gone).deliver(entry()).is_ok


def test_the_desktop_is_told_by_arguments_alone() -> None:
    ran: list[Sequence[str]] = []
    title, body = "$(touch x); `id` -u", "<b>&\n--help"

    def run(command: Sequence[str]) -> int:
        ran.append(command)
        return 0

    for program in ("/usr/bin/notify-send", "/usr/bin/osascript"):
        assert DesktopChannel(program, run).deliver(entry(title=title, body=body)).is_ok
    linux, mac = ran
    assert linux[-3:] == ["--", title, "&lt;b&gt;&amp;\n--help"]
    assert mac[-2:] == [title, body]
    assert not any(title in part for part in mac[:-2])


def test_what_begins_with_a_dash_is_no_option() -> None:
    command = channels.desktop_command("osascript", entry(title="-e", body="-l JavaScript"))
    assert command[-2:] == [" -e", " -l JavaScript"]


def test_a_desktop_without_a_program_or_with_one_that_hangs() -> None:
    def hangs(command: Sequence[str]) -> int:
        raise subprocess.TimeoutExpired(list(command), 10)

    assert not DesktopChannel(None, hangs).deliver(entry()).is_retryable
    delivery = DesktopChannel("notify-send", hangs).deliver(entry())
    assert delivery == (False, "notify-send failed (TimeoutExpired)", True)
    assert channels.desktop_program({"osascript": "/o"}.get) == "/o"
    assert channels.desktop_program(lambda name: None) is None


def test_a_program_is_run_without_a_shell() -> None:
    assert channels.run_command([sys.executable, "-c", "raise SystemExit(3)"]) == 3


def test_without_apprise_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    from tokenbudget.alerts import remote

    remote._apprise.cache_clear()
    monkeypatch.setitem(sys.modules, "apprise", None)
    channel = RemoteChannel("url", "json://127.0.0.1/x", SecretSources({}))
    delivery = channel.deliver(entry())
    remote._apprise.cache_clear()
    assert delivery.detail == remote.MISSING
    assert not delivery.is_retryable


def test_an_unknown_kind_is_refused() -> None:
    assert channels.checked_kind("slack") == "slack"
    with pytest.raises(BadConfig, match="'pager' is no channel"):
        channels.checked_kind("pager")
