"""The daemon's state as a person reads it."""

from __future__ import annotations

import json

from tokenbudget.gateway.daemon.status import DaemonStatus
from tokenbudget.reports.serve import already_lines, serve_document, serve_lines, stopped_lines

NOW_MS = 1_800_000_000_000
RUNNING = DaemonStatus(
    is_running=True,
    pid=4711,
    port=0,
    started_at_ms=NOW_MS - 7_300_000,
    version="0.1.0",
    answered=1234,
    last_hook_ms=NOW_MS - 65_000,
    refreshed=12,
    faults=1,
    idle_seconds=900,
)


def test_how_it_stands_is_said_first() -> None:
    assert serve_lines(RUNNING, "/data", NOW_MS) == [
        "the daemon runs: process 4711, version 0.1.0, for 2h",
        "  socket   /data/run/daemon.sock",
        "  hooks    1,234 answered, the last one 1m ago",
        "  behind   12 refreshes, 1 faults",
        "  ends     after 15m without hooks",
    ]


def test_a_persistent_one_names_its_port_and_how_to_end_it() -> None:
    status = RUNNING._replace(port=27_100, is_persistent=True, last_hook_ms=0, refreshed=0)
    lines = serve_lines(status._replace(faults=0), "/data", NOW_MS)
    assert lines[2:] == [
        "  http     127.0.0.1:27100",
        "  hooks    1,234 answered, the last one never",
        "  ends     when it is told to: tokens serve --stop",
    ]


def test_trouble_is_shown_without_what_could_harm_a_terminal() -> None:
    status = DaemonStatus(is_running=False, trouble="\x1b]0;owned\x07/tmp/x is no socket")
    assert serve_lines(status, "/da\x1b[2Jta", NOW_MS) == [
        "no daemon runs for /da[2Jta; hooks decide on their own, and start one",
        "  ▲        ]0;owned/tmp/x is no socket",
    ]


def test_the_document_has_moments_and_nulls() -> None:
    told = json.loads(serve_document(RUNNING._replace(last_hook_ms=0)))
    assert told["format"] == "tokenbudget/serve/1"
    assert told["started_at"] == "2027-01-15T05:58:20+00:00"
    assert told["last_hook"] is None
    assert not [name for name in told if name.endswith("_ms")]


def test_what_else_is_said() -> None:
    assert already_lines(False) == ["a daemon of this home runs already"]
    assert already_lines(True)[0].endswith("; it serves HTTP from now on")
    assert stopped_lines(0) == ["no daemon runs"]
