"""Rows of the alerts: written whole, pruned by age, safe from damage, never written in a copy."""

from __future__ import annotations

import sqlite3
import threading
from contextlib import closing

import pytest
from tests.ledger.builders import Home, answer, write
from tests.ledger.test_recovery import aside_of, change, damage_table

from tokenbudget.ledger.alert_salvage import LEAP
from tokenbudget.ledger.alert_store import CLOSED_KEPT_MS, HISTORY_KEPT_MS
from tokenbudget.ledger.recovery import FORGETFUL
from tokenbudget.ledger.store import TEMPORARY, Ledger
from tokenbudget.model.errors import LedgerDamaged, LedgerUnusable
from tokenbudget.system.clock import SystemClock

NOON_MS = 1_795_176_000_000
DAY_MS = 86_400_000
FURTHEST_MS = 1 << 60
SENT = (NOON_MS, "context-80", "f", "sent", "slack: attempt 1: delivered")
EVERYTHING = [
    ("alert_state", "SELECT * FROM alert_state"),
    ("alert_claim", "SELECT * FROM alert_claim"),
    ("alert_outbox", "SELECT * FROM alert_outbox"),
    ("alert_history", "SELECT * FROM alert_history"),
]


def note(
    at_ms: int = NOON_MS, fingerprint: str = "f", rule_id: str = "context-80"
) -> tuple[int, str, str, str, str]:
    return (at_ms, rule_id, fingerprint, "fire", f"at {at_ms}")


def fill(home: Home, count: int = 3) -> None:
    """Alerts that have decided something, sent the first of it and wait to send the rest."""
    with home.open() as ledger, ledger.alerts.transaction() as writing:
        writing.save('{"format":"as it was"}')
        for number in range(1, count + 1):
            writing.claim(f"f{number}", number)
        writing.post([(f"key-{number}", f"entry {number}") for number in range(1, count + 1)])
        writing.record([note(NOON_MS + number, f"f{number}") for number in range(1, count + 1)])
        writing.settle("key-1", True, None, SENT)


def kept(home: Home) -> dict[str, list[tuple[object, ...]]]:
    return {table: home.rows(sql) for table, sql in EVERYTHING}


def leased(ledger: Ledger, now_ms: int, until_ms: int = 0) -> list[str]:
    with ledger.alerts.transaction() as writing:
        keys = [key for key, _, _ in writing.due(now_ms, FURTHEST_MS)]
        writing.put_off(keys, until_ms)
        return keys


# ── one transaction ──────────────────────────────────────────────────────────────────────────────


def test_an_empty_ledger_remembers_nothing(home: Home) -> None:
    with home.open() as ledger:
        alerts = ledger.alerts
        assert (alerts.state(), alerts.highest_version()) == (None, 0)
        assert (alerts.waiting(), alerts.history(9)) == ([], [])


def test_the_lock_is_held_from_the_beginning(home: Home) -> None:
    with home.open() as one, home.open() as other, one.alerts.transaction() as writing:
        writing.state()
        with (
            pytest.raises(LedgerUnusable, match="another process does not let go"),
            other.alerts.transaction(patience_ms=10),
        ):
            pytest.fail("two writers at once")


def test_a_short_patience_is_of_this_transaction_alone(home: Home) -> None:
    with home.open() as ledger:
        before = ledger._connection.execute("PRAGMA busy_timeout").fetchone()
        with ledger.alerts.transaction(patience_ms=10):
            assert ledger._connection.execute("PRAGMA busy_timeout").fetchone() == (10,)
        assert ledger._connection.execute("PRAGMA busy_timeout").fetchone() == before


def test_it_waits_for_another_writer(home: Home) -> None:
    fill(home)
    with closing(sqlite3.connect(home.ledger_path, check_same_thread=False)) as other:
        other.execute("BEGIN IMMEDIATE")
        rebuilt = threading.Timer(0.1, other.rollback)
        rebuilt.start()
        with home.open() as ledger, ledger.alerts.transaction(patience_ms=9_000) as writing:
            assert writing.highest_version() == 3
        rebuilt.join()


@pytest.mark.parametrize("is_failing", [False, True])
def test_a_ledger_held_still_is_held_still_again(home: Home, is_failing: bool) -> None:
    with home.open() as ledger, home.open() as other:
        ledger.hold_still()
        assert ledger.alerts.state() is None
        with other.alerts.transaction() as writing:
            writing.save("{}")
        assert ledger.alerts.state() is None, "it does not show what others write"
        try:
            with ledger.alerts.transaction() as writing:
                assert writing.state() == "{}", "a decision sees what is"
                writing.save("[]")
                assert not is_failing
        except AssertionError:
            assert is_failing
        shown = ledger.alerts.state()
        assert shown == ("{}" if is_failing else "[]")
        with other.alerts.transaction() as writing:
            writing.save("later")
        assert ledger.alerts.state() == shown


def test_a_ledger_that_was_not_held_is_not_held_after(home: Home) -> None:
    with home.open() as ledger:
        with ledger.alerts.transaction():
            pass
        assert not ledger._connection.in_transaction


def test_what_cannot_be_committed_leaves_nothing_and_no_lock(home: Home) -> None:
    """A deferred foreign key fails as a full disk does: at the very end."""

    def fails(ledger: Ledger) -> None:
        ledger._connection.execute("PRAGMA foreign_keys = ON")
        with ledger.alerts.transaction() as writing:
            writing.save("lost")
            ledger._connection.execute("PRAGMA defer_foreign_keys = ON")
            ledger._connection.execute("INSERT INTO problem VALUES (404, 0, 'no such file')")

    fill(home)
    before = kept(home)
    with home.open() as ledger, home.open() as other:
        with pytest.raises(LedgerUnusable, match="FOREIGN KEY"):
            fails(ledger)
        with other.alerts.transaction(patience_ms=10):
            pass
    assert kept(home) == before


def test_a_ledger_that_cannot_be_written_says_so(home: Home) -> None:
    fill(home)
    with home.open() as ledger:
        ledger._connection.execute("PRAGMA query_only = ON")
        with pytest.raises(LedgerUnusable, match="cannot write the ledger"):
            leased(ledger, NOON_MS)
        assert len(ledger.alerts.waiting()) == 2


def test_a_lost_table_is_damage_with_a_remedy(home: Home) -> None:
    fill(home)
    change(home, "DROP TABLE alert_outbox")
    refused = pytest.raises(LedgerDamaged, match=r"no such table: alert_outbox\); run: tokens")
    with home.open() as ledger, refused:
        leased(ledger, NOON_MS)


# ── messages ─────────────────────────────────────────────────────────────────────────────────────


def test_the_oldest_come_first_and_come_back_when_the_lease_is_over(home: Home) -> None:
    fill(home, 4)
    with home.open() as ledger:
        with ledger.alerts.transaction() as writing:
            writing.put_off(["key-2", "key-9"], NOON_MS + 9)
        assert leased(ledger, NOON_MS, NOON_MS + 9) == ["key-3", "key-4"]
        assert leased(ledger, NOON_MS + 8) == []
        assert leased(ledger, NOON_MS + 9) == ["key-2", "key-3", "key-4"]


def test_what_was_sent_stays_sent_when_its_sender_comes_back_late(home: Home) -> None:
    """Two had it: the lease of the first had run out. Its failure must not open the row again."""
    fill(home)
    late = (NOON_MS + 1, "context-80", "f", "failed", "slack: timed out")
    with home.open() as ledger:
        with ledger.alerts.transaction() as writing:
            writing.settle("key-2", True, None, SENT)
            writing.settle("key-2", False, NOON_MS, late)
        assert leased(ledger, FURTHEST_MS) == ["key-3"]
        assert ledger.alerts.history(1) == [late]
    rows = home.rows("SELECT is_sent, due_ms, closed_at_ms FROM alert_outbox WHERE key = 'key-2'")
    assert rows == [(1, None, NOON_MS)]


def test_what_was_given_up_counts_as_sent_if_it_was_after_all(home: Home) -> None:
    fill(home)
    with home.open() as ledger, ledger.alerts.transaction() as writing:
        writing.settle("key-2", False, None, note())
        writing.settle("key-2", True, None, SENT)
    assert home.rows("SELECT is_sent FROM alert_outbox WHERE key = 'key-2'") == [(1,)]


def test_a_message_that_is_gone_can_be_settled(home: Home) -> None:
    with home.open() as ledger:
        with ledger.alerts.transaction() as writing:
            writing.settle("key-9", True, None, SENT)
        assert ledger.alerts.history(9) == [SENT]


def test_messages_that_wait_are_listed_in_order(home: Home) -> None:
    fill(home)
    with home.open() as ledger:
        assert ledger.alerts.waiting() == [("key-2", "entry 2", 0, 0), ("key-3", "entry 3", 0, 0)]


# ── history ──────────────────────────────────────────────────────────────────────────────────────


def test_the_history_begins_with_the_newest(home: Home) -> None:
    with home.open() as ledger, ledger.alerts.transaction() as writing:
        writing.record([note(1), note(2, rule_id="day-cost"), note(3)])
    with home.open() as ledger:
        history = ledger.alerts.history
        assert [row[0] for row in history(9)] == [3, 2, 1]
        assert [row[0] for row in history(2)] == [3, 2]
        assert [row[0] for row in history(9, "context-80")] == [3, 1]
        assert history(9, "none") == history(0) == []


def test_what_was_written_last_is_the_newest_when_the_clock_was_set_back(home: Home) -> None:
    with home.open() as ledger:
        for at_ms in (NOON_MS, NOON_MS - DAY_MS):
            with ledger.alerts.transaction() as writing:
                writing.record([note(at_ms)])
        assert [row[0] for row in ledger.alerts.history(9)] == [NOON_MS - DAY_MS, NOON_MS]


def test_text_that_sqlite_refuses_is_kept_in_another_spelling(home: Home) -> None:
    with home.open() as ledger:
        with ledger.alerts.transaction() as writing:
            assert writing.claim("a\udc80", 1)
            assert not writing.claim("a\udc80", 1)
            writing.record([(1, "r\udc80", "a\udc80", "fire", "title \ud800 \0")])
        ((_, rule_id, _, _, detail),) = ledger.alerts.history(9, "r\udc80")
        assert (rule_id, detail) == ("r\\udc80", "title \\ud800 \0")


# ── what is too old ──────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("age_ms", "is_kept"), [(HISTORY_KEPT_MS, True), (HISTORY_KEPT_MS + 1, False)]
)
def test_history_of_more_than_three_months_goes_with_its_claim(
    home: Home, age_ms: int, is_kept: bool
) -> None:
    with home.open() as ledger:
        with ledger.alerts.transaction() as writing:
            assert writing.claim("old", 1)
            assert writing.claim("both", 2)
            writing.record([note(NOON_MS - age_ms, "old"), note(NOON_MS - age_ms, "both")])
        with ledger.alerts.transaction() as writing:
            assert writing.claim("new", 3)
            writing.record([note(NOON_MS, "both"), note(NOON_MS, "new")])
    claims = {name for (name,) in home.rows("SELECT fingerprint FROM alert_claim")}
    assert claims == {"both", "new"} | ({"old"} if is_kept else set())
    assert len(home.rows("SELECT 1 FROM alert_history")) == (4 if is_kept else 2)


def test_the_highest_claim_is_kept_for_ever(home: Home) -> None:
    with home.open() as ledger:
        with ledger.alerts.transaction() as writing:
            writing.claim("old", 9)
            writing.record([note(NOON_MS, "old")])
        with ledger.alerts.transaction() as writing:
            writing.record([note(NOON_MS + HISTORY_KEPT_MS + 1, "new")])
        assert ledger.alerts.highest_version() == 9
        assert len(ledger.alerts.history(9)) == 1


@pytest.mark.parametrize(
    ("age_ms", "is_kept"), [(CLOSED_KEPT_MS, True), (CLOSED_KEPT_MS + 1, False)]
)
def test_a_closed_message_goes_after_a_month_and_one_that_waits_never(
    home: Home, age_ms: int, is_kept: bool
) -> None:
    fill(home)
    with home.open() as ledger, ledger.alerts.transaction() as writing:
        writing.settle("key-2", False, None, note(NOON_MS))
        writing.record([note(NOON_MS + age_ms)])
    keys = [key for (key,) in home.rows("SELECT key FROM alert_outbox ORDER BY id")]
    assert keys == (["key-1", "key-2", "key-3"] if is_kept else ["key-3"])


def test_a_clock_that_was_set_back_loses_nothing(home: Home) -> None:
    fill(home)
    before = kept(home)
    with home.open() as ledger, ledger.alerts.transaction() as writing:
        writing.record([note(0)])
    assert len(home.rows("SELECT 1 FROM alert_history")) == len(before["alert_history"]) + 1
    assert home.rows("SELECT * FROM alert_outbox") == before["alert_outbox"]


def test_nothing_reads_a_whole_table_where_nothing_is_due_or_too_old(home: Home) -> None:
    """Neither the lease nor the pruning, which every evaluation or delivery pays for."""
    asked: list[str] = []
    with home.open() as ledger:
        with ledger.alerts.transaction() as writing:
            ledger._connection.set_trace_callback(asked.append)
            writing.due(NOON_MS, FURTHEST_MS)
            writing.record([note()])
            ledger._connection.set_trace_callback(None)
        plans = [
            (sql, detail)
            for sql in asked
            if sql.startswith(("SELECT", "DELETE"))
            for *_, detail in ledger._connection.execute(f"EXPLAIN QUERY PLAN {sql}")
        ]
    assert len(plans) == 3
    assert [plan for plan in plans if " USING INDEX " not in plan[1]] == []


# ── rebuild, damage, copies ──────────────────────────────────────────────────────────────────────


def test_alerts_outlive_a_rebuild(home: Home) -> None:
    write(home.project / "s1.jsonl", answer("a"))
    home.refresh()
    fill(home)
    before = kept(home)
    assert home.run("doctor", "--rebuild").returncode == 0
    assert kept(home) == before


def rebuilt(home: Home) -> str:
    done = home.run("doctor", "--rebuild")
    assert done.returncode == 0, done.stderr
    assert "the ledger was damaged" in done.stderr
    return done.stderr


def test_alerts_outlive_damage_elsewhere(home: Home) -> None:
    write(home.project / "s1.jsonl", answer("a"))
    home.refresh()
    fill(home)
    before = kept(home)
    damage_table(home, "content")
    assert FORGETFUL not in rebuilt(home)
    assert kept(home) == before


@pytest.mark.parametrize("table", ["alert_claim", "alert_outbox", "alert_history"])
def test_a_damaged_table_costs_no_other_one(home: Home, table: str) -> None:
    fill(home)
    before = kept(home)
    damage_table(home, table)
    assert FORGETFUL not in rebuilt(home)
    assert kept(home) == {**before, table: []}


def test_a_lost_state_is_told_and_no_version_of_it_is_used_again(home: Home) -> None:
    fill(home)
    before = kept(home)
    damage_table(home, "alert_state")
    assert FORGETFUL in rebuilt(home)
    after = kept(home)
    assert after["alert_state"] == []
    assert after["alert_outbox"] == before["alert_outbox"]
    assert after["alert_claim"] == [("", 3 + LEAP), *before["alert_claim"]]
    with home.open() as ledger:
        assert ledger.alerts.highest_version() == 3 + LEAP


def test_a_table_is_read_up_to_its_damage_from_either_side(home: Home) -> None:
    fill(home, 900)
    before = kept(home)["alert_history"]
    with closing(sqlite3.connect(home.ledger_path)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    content = home.ledger_path.read_bytes()
    middle = content.index(f"at {NOON_MS + 450}".encode()) // 4096 * 4096
    home.ledger_path.write_bytes(content[:middle] + b"\xff" * 4096 + content[middle + 4096 :])
    rebuilt(home)
    after = kept(home)["alert_history"]
    assert len(before) * 0.8 < len(after) < len(before)
    assert set(after) < set(before)
    assert (after[0], after[-1]) == (before[0], before[-1])


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE alert_claim SET version = 'many' WHERE fingerprint = 'f2'",
        "UPDATE alert_claim SET version = 1 << 60 WHERE fingerprint = 'f2'",
        "UPDATE alert_claim SET version = -1 WHERE fingerprint = 'f2'",
    ],
)
def test_a_number_that_only_damage_can_have_written_is_not_taken_over(home: Home, sql: str) -> None:
    fill(home)
    change(home, sql)
    damage_table(home, "content")
    rebuilt(home)
    assert kept(home)["alert_claim"] == [("f1", 1), ("f3", 3)]


def test_a_ledger_from_before_the_alerts_had_none_to_forget(home: Home) -> None:
    fill(home)
    change(home, "".join(f"DROP TABLE {table};" for table, _ in EVERYTHING))
    assert FORGETFUL not in rebuilt(home)
    assert kept(home) == {table: [] for table, _ in EVERYTHING}
    assert aside_of(home).exists()


def test_a_missing_index_is_damage_that_loses_no_alert(home: Home) -> None:
    fill(home)
    before = kept(home)
    change(home, "DROP INDEX alert_history_time")
    assert "no such index: alert_history_time" in rebuilt(home)
    assert kept(home) == before


def test_a_passing_copy_shows_alerts_and_never_decides_or_sends(home: Home) -> None:
    fill(home)
    before = kept(home)
    with Ledger(TEMPORARY) as copy:
        assert copy.take_copy(str(home.ledger_path))
        copy.hold_still()
        assert copy.alerts.state() == '{"format":"as it was"}'
        assert len(copy.alerts.waiting()) == 2
        assert len(copy.alerts.history(9)) == 4
        with pytest.raises(LedgerUnusable, match="a passing copy; make its folder writable"):
            leased(copy, NOON_MS)
        assert copy._connection.in_transaction, "it is held still as before"
    assert kept(home) == before


def test_a_ledger_that_nobody_keeps_decides_nothing_either(home: Home) -> None:
    with Ledger(TEMPORARY) as passing, pytest.raises(LedgerUnusable):
        leased(passing, NOON_MS)


def test_no_other_process_waits_for_an_evaluation(home: Home) -> None:
    """1,000 alerts, 2,000 messages and 10,000 lines of history: a decision takes milliseconds."""
    with home.open() as ledger, ledger.alerts.transaction() as writing:
        writing.post([(f"key-{n}", "x" * 700) for n in range(2_000)])
        writing.record([note(NOON_MS + n, f"f{n % 1000}") for n in range(10_000)])
        for number in range(1_000):
            writing.claim(f"f{number}", number + 1)
        ledger._connection.execute("UPDATE alert_outbox SET closed_at_ms = 0, due_ms = NULL")
        ledger._connection.execute("UPDATE alert_outbox SET closed_at_ms = ?", (NOON_MS,))
    clock = SystemClock()
    with home.open() as ledger:
        began = clock.monotonic_seconds()
        for number in range(50):
            with ledger.alerts.transaction() as writing:
                assert writing.due(NOON_MS, FURTHEST_MS) == []
                writing.claim("f1", 2_000 + number)
                writing.save("x" * 20_000)
                writing.record([note(NOON_MS + 20_000 + number)])
        each_seconds = (clock.monotonic_seconds() - began) / 50
    assert each_seconds < 0.05
