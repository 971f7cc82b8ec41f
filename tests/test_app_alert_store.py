"""The alerts' store on a real ledger: what is kept comes back, what is damaged harms nobody."""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.alerts.builders import HOUR, MINUTE, NOON_MS, SECOND, context_at, entry
from tests.alerts.evaluate_and_send import ClockAt, FolderChannel
from tests.ledger.builders import Home, answer, write

from tokenbudget.alerts.engine import evaluate
from tokenbudget.alerts.hours import QuietHours
from tokenbudget.alerts.notices import HistoryEntry
from tokenbudget.alerts.rules import CONTEXT, share_rule
from tokenbudget.alerts.sending import LEASE_MS, ROUND_WAITS_MS, send_due
from tokenbudget.alerts.state import (
    STATE_FORMAT,
    Alert,
    Held,
    Policy,
    Sent,
    Silence,
    State,
    acked,
    silenced_for,
    state_fields,
)
from tokenbudget.alerts.store import LONGEST_WAIT_MS, evaluate_once
from tokenbudget.app import Terminal, open_workbench, work_in_a_copy
from tokenbudget.app.alert_store import LedgerAlerts, Waiting
from tokenbudget.ledger.store import Ledger
from tokenbudget.model.errors import LedgerUnusable

LATER_MS = NOON_MS + 31 * SECOND
RULES = [share_rule(CONTEXT, 80, ["slack"])]
QUIET = Terminal(warn=lambda text: None, progress=lambda done, total: None)
MARK = "context-80|context|s1|"
FULL = State(
    (
        Alert(MARK, "context-80", CONTEXT, "s1", "", "firing", 1, 0, -1, True, True, 5, 6, 7),
        Alert("b|day-cost|all|", "b", "day-cost", "all", "", value="$9.50", where="x \udc80 · y"),
    ),
    (Silence("a", "", NOON_MS), Silence("context-80", MARK, None)),
    (Held("c", ("slack", "email"), "warning", "title", 8), Held("d", (), "info", "", 9, 10)),
    (Sent("slack", (1, 2, 3), 4),),
    17,
    NOON_MS,
)
NOTE = HistoryEntry(NOON_MS, "context-80", "f", "sent", "slack: delivered")


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path)


@pytest.fixture
def ledger(home: Home) -> Iterator[Ledger]:
    """A ledger held still, as that of every answer."""
    with home.open() as opened:
        opened.hold_still()
        assert opened.names("model") == {}
        yield opened


@pytest.fixture
def alerts(ledger: Ledger) -> LedgerAlerts:
    return LedgerAlerts(ledger)


def sees(alerts: LedgerAlerts, percent: float, now_ms: int) -> list[str]:
    """The kinds of what is decided."""
    seen = [context_at(percent, now_ms)]
    return [n.kind for n in evaluate_once(alerts, RULES, seen, Policy(), now_ms)]


def crossed(alerts: LedgerAlerts) -> None:
    """One alert that fires and was posted."""
    assert sees(alerts, 85, NOON_MS) == []
    assert sees(alerts, 85, LATER_MS) == ["fire"]


def put(home: Home, table: str, text: str) -> None:
    """Another text in every row of a table, as a disk or a newer program might leave it."""
    column = {"alert_state": "state", "alert_outbox": "entry"}[table]
    with closing(sqlite3.connect(home.ledger_path)) as connection, connection:
        connection.execute(f"UPDATE {table} SET {column} = ?", (text,))


# ── state ────────────────────────────────────────────────────────────────────────────────────────


def test_a_new_ledger_remembers_nothing(alerts: LedgerAlerts) -> None:
    assert alerts.state() == State()
    assert (alerts.waiting(), alerts.history(9)) == ([], [])


@pytest.mark.parametrize("state", [State(), FULL, FULL._replace(alerts=())])
def test_what_is_saved_comes_back_whole(home: Home, alerts: LedgerAlerts, state: State) -> None:
    with alerts.transaction() as transaction:
        transaction.save(state)
        assert transaction.load() == state
    assert alerts.state() == state
    with home.open() as other:
        assert LedgerAlerts(other).state() == state


def test_a_silence_and_an_acknowledgement_are_a_transaction_each(
    home: Home, alerts: LedgerAlerts
) -> None:
    crossed(alerts)
    with home.open() as other, LedgerAlerts(other).transaction() as transaction:
        transaction.save(acked(transaction.load(), ""))
    with home.open() as other, LedgerAlerts(other).transaction() as transaction:
        transaction.save(silenced_for(transaction.load(), "", HOUR, LATER_MS))
    assert alerts.state().alerts[0].is_acked
    assert sees(alerts, 95, LATER_MS + MINUTE) == ["escalate"]
    assert len(alerts.waiting()) == 1, "decided, and silenced"
    assert "not sent: silenced" in alerts.history(1)[0].detail


DAMAGED = [
    "",
    "null",
    "[]",
    "7",
    '"text"',
    "{}",
    "{",
    "[" * 100_000,
    '{"format":"tokenbudget/alert-state/2"}',
    json.dumps({"format": STATE_FORMAT}),
    json.dumps({**state_fields(FULL), "format": "tokenbudget/alert-state/0"}),
    json.dumps({**state_fields(FULL), "sequence": float("inf")}),
    json.dumps({**state_fields(FULL), "sequence": 10**30}),
    json.dumps({**state_fields(FULL), "clock_ms": "noon"}),
    json.dumps({**state_fields(FULL), "alerts": [[1, 2]]}),
    json.dumps({**state_fields(FULL), "alerts": [{"fingerprint": "a"}]}),
    json.dumps({**state_fields(FULL), "alerts": 5}),
    json.dumps(state_fields(FULL)).replace('"firing"', "5"),
    json.dumps(state_fields(FULL)).replace('"warning"', '"hot"'),
    json.dumps(state_fields(FULL)).replace('"is_acked"', '"is_known_by_nobody"'),
    json.dumps(state_fields(FULL))[:-40],
]


@pytest.mark.parametrize("text", DAMAGED)
def test_a_damaged_state_is_a_lost_one_that_goes_on_from_the_highest_version(
    home: Home, alerts: LedgerAlerts, text: str
) -> None:
    crossed(alerts)
    with alerts.transaction() as transaction:
        transaction.claim("other", 41)
    put(home, "alert_state", text)
    with home.open() as ledger:
        after = LedgerAlerts(ledger)
        assert after.state() == State(sequence=41)
        assert sees(after, 85, NOON_MS) == []
        assert sees(after, 85, LATER_MS) == ["fire"]
        assert after.state().sequence == 42
        keys = {waiting.entry.key for waiting in after.waiting()}
    assert len(keys) == 2, "another decision: a receiver must not take it for the first"


def test_a_lost_state_goes_on_from_the_highest_version(home: Home, alerts: LedgerAlerts) -> None:
    crossed(alerts)
    with closing(sqlite3.connect(home.ledger_path)) as connection, connection:
        connection.execute("DELETE FROM alert_state")
    with alerts.transaction() as transaction:
        assert transaction.load() == State(sequence=1)


def places(value: object, path: tuple[object, ...] = ()) -> list[tuple[object, ...]]:
    """Where a JSON value has parts."""
    parts: list[tuple[object, ...]] = [path] if path else []
    if isinstance(value, dict):
        parts += [found for name in value for found in places(value[name], (*path, name))]
    if isinstance(value, list):
        parts += [found for i, part in enumerate(value) for found in places(part, (*path, i))]
    return parts


FIELDS: Any = json.loads(json.dumps(state_fields(FULL)))
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=5,
)


@given(st.sampled_from(places(FIELDS)), JSON)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_one_part_of_a_state_becomes_an_evaluation_goes_on(
    home: Home, path: tuple[Any, ...], value: object
) -> None:
    fields = json.loads(json.dumps(FIELDS))
    part = fields
    for name in path[:-1]:
        part = part[name]
    part[path[-1]] = value
    with home.open() as ledger:
        with ledger.alerts.transaction() as writing:
            writing.save(json.dumps(fields))
        alerts = LedgerAlerts(ledger)
        state = alerts.state()
        policy = Policy(quiet=QuietHours(22 * 60, 7 * 60, "UTC"))
        seen = [context_at(91, NOON_MS), context_at(91, NOON_MS, "s2")]
        rules = [*RULES, share_rule(CONTEXT, 50, ["slack", "email"])]
        evaluate(rules, seen, state, policy, NOON_MS)
        evaluate_once(alerts, rules, seen, policy, NOON_MS)


# ── messages ─────────────────────────────────────────────────────────────────────────────────────


def test_a_message_comes_back_whole(alerts: LedgerAlerts) -> None:
    hostile = entry(title="\x1b]52;c;x\x07 \udc80 </script>\0", body="x" * 10_000)
    with alerts.transaction() as transaction:
        transaction.post([hostile])
    assert alerts.waiting() == [Waiting(hostile, 0)]
    assert alerts.lease(NOON_MS, NOON_MS + LEASE_MS, 8) == [hostile]
    assert alerts.waiting() == [Waiting(hostile, NOON_MS + LEASE_MS)]
    alerts.settle(hostile.key, False, NOON_MS + HOUR, NOTE)
    assert alerts.waiting() == [Waiting(hostile._replace(rounds=1), NOON_MS + HOUR)]
    alerts.settle(hostile.key, True, None, NOTE)
    assert alerts.waiting() == []
    assert alerts.history(9) == [NOTE, NOTE]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        "{",
        "[" * 100_000,
        json.dumps({"channel": "slack"}),
        json.dumps({**entry()._asdict(), "more": 1}),
        json.dumps([*entry()]),
    ],
)
def test_a_damaged_message_is_given_up_once_and_the_others_go_out(
    home: Home, alerts: LedgerAlerts, tmp_path: Path, text: str
) -> None:
    crossed(alerts)
    put(home, "alert_outbox", text)
    with alerts.transaction() as transaction:
        transaction.post([entry(key="ff")])
    for _ in range(2):
        send_due(alerts, {"slack": FolderChannel(tmp_path)}, ClockAt(LATER_MS))
    assert [path.name[:3] for path in tmp_path.glob("ff.*")] == ["ff."]
    assert alerts.waiting() == []
    told = [(one.event, one.detail) for one in alerts.history(9)]
    assert ("failed", "a message was damaged before it was sent; given up") in told
    assert [event for event, _ in told] == ["sent", "failed", "fire"]


def test_a_message_of_wrong_parts_is_a_damaged_one(home: Home, alerts: LedgerAlerts) -> None:
    crossed(alerts)
    (waiting,) = alerts.waiting()
    fields = waiting.entry._asdict()
    del fields["key"], fields["rounds"]
    for name, value in fields.items():
        wrong: object = "text" if isinstance(value, int) else None
        put(home, "alert_outbox", json.dumps({**fields, name: wrong}))
        with home.open() as other:
            assert LedgerAlerts(other).waiting() == []
    put(home, "alert_outbox", json.dumps(fields))
    with home.open() as other:
        assert LedgerAlerts(other).waiting() == [waiting]


def test_the_row_of_a_sender_that_died_is_sent_by_another_under_its_key(
    home: Home, alerts: LedgerAlerts, tmp_path: Path
) -> None:
    crossed(alerts)
    [lost] = alerts.lease(LATER_MS, LATER_MS + LEASE_MS, 8)
    channels = {"slack": FolderChannel(tmp_path)}
    with home.open() as ledger:
        other = LedgerAlerts(ledger)
        assert send_due(other, channels, ClockAt(LATER_MS + LEASE_MS - 1)) == []
        [attempt] = send_due(other, channels, ClockAt(LATER_MS + LEASE_MS))
        assert send_due(other, channels, ClockAt(LATER_MS + 2 * LEASE_MS)) == []
    assert attempt.entry.key == lost.key
    assert [path.name.partition(".")[0] for path in tmp_path.glob("*.*")].count(lost.key) == 1


def test_no_wait_of_a_sender_looks_like_a_clock_that_was_set_back() -> None:
    assert max(*ROUND_WAITS_MS, LEASE_MS) < LONGEST_WAIT_MS


def test_a_day_set_back_delays_nothing_and_tells_nothing_twice(
    alerts: LedgerAlerts, tmp_path: Path
) -> None:
    """Decided and leased tomorrow; the clock is put right before it is sent."""
    tomorrow = NOON_MS + 24 * HOUR
    assert sees(alerts, 85, tomorrow) == []
    assert sees(alerts, 85, tomorrow + 31 * SECOND) == ["fire"]
    alerts.lease(tomorrow + 31 * SECOND, tomorrow + 31 * SECOND + LEASE_MS, 8)
    assert sees(alerts, 85, NOON_MS) == []
    channels = {"slack": FolderChannel(tmp_path)}
    assert len(send_due(alerts, channels, ClockAt(NOON_MS))) == 1
    assert sees(alerts, 85, NOON_MS + MINUTE) == []
    assert [one.event for one in alerts.history(9)] == ["sent", "fire"]


# ── who may not write ────────────────────────────────────────────────────────────────────────────


def test_where_another_process_writes_an_evaluation_gives_way(home: Home, ledger: Ledger) -> None:
    alerts = LedgerAlerts(ledger, patience_ms=10)
    with closing(sqlite3.connect(home.ledger_path)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(LedgerUnusable, match="try again"):
            sees(alerts, 85, NOON_MS)
        assert alerts.state() == State()
    assert sees(alerts, 85, NOON_MS) == []


def test_the_end_of_a_delivery_is_noted_however_long_that_takes(home: Home, ledger: Ledger) -> None:
    alerts = LedgerAlerts(ledger, patience_ms=1)
    crossed(alerts)
    [row] = alerts.lease(LATER_MS, LATER_MS + LEASE_MS, 8)
    with closing(sqlite3.connect(home.ledger_path, check_same_thread=False)) as other:
        other.execute("BEGIN IMMEDIATE")
        rebuilt = threading.Timer(0.2, other.rollback)
        rebuilt.start()
        alerts.settle(row.key, True, None, NOTE)
        rebuilt.join()
    assert alerts.waiting() == []


def test_a_bench_that_works_in_a_copy_shows_alerts_and_sends_none(
    home: Home, tmp_path: Path
) -> None:
    write(home.project / "s1.jsonl", answer("a"))
    with open_workbench(home.settings(), QUIET) as bench:
        crossed(LedgerAlerts(bench.ledger))
        work_in_a_copy(bench)
        copy = LedgerAlerts(bench.ledger)
        assert [waiting.entry.channel for waiting in copy.waiting()] == ["slack"]
        assert [one.event for one in copy.history(9)] == ["fire"]
        with pytest.raises(LedgerUnusable, match="passing copy"):
            send_due(copy, {"slack": FolderChannel(tmp_path)}, ClockAt(LATER_MS))
        with pytest.raises(LedgerUnusable, match="passing copy"):
            sees(copy, 95, LATER_MS + MINUTE)
        with pytest.raises(LedgerUnusable, match="passing copy"):
            copy.settle("key", True, None, NOTE)
    with home.open() as ledger:
        assert len(LedgerAlerts(ledger).waiting()) == 1


def test_a_bench_of_named_sessions_decides_nothing(home: Home) -> None:
    path = write(home.root / "elsewhere" / "s9.jsonl", answer("z"))
    with open_workbench(home.settings(), QUIET, from_paths=[str(path)]) as bench:
        alerts = LedgerAlerts(bench.ledger)
        assert (alerts.state(), alerts.waiting()) == (State(), [])
        with pytest.raises(LedgerUnusable, match="passing copy"):
            sees(alerts, 85, NOON_MS)


def test_alerts_and_a_refresh_share_one_bench(home: Home) -> None:
    write(home.project / "s1.jsonl", answer("a"))
    with open_workbench(home.settings(), QUIET) as bench:
        crossed(LedgerAlerts(bench.ledger))
        assert bench.ledger.file_report().responses == 1
    home.refresh()
    home.rebuild()
    with home.open() as ledger:
        assert sees(LedgerAlerts(ledger), 85, LATER_MS + MINUTE) == []
