"""A ledger of every past version becomes one of this version, and keeps what it told."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest
from tests.ledger.builders import Home

from tokenbudget.alerts.state import State
from tokenbudget.app.alert_store import LedgerAlerts
from tokenbudget.ledger import migrations
from tokenbudget.ledger.migrations import MIGRATIONS, migrate
from tokenbudget.ledger.queries import UsageQuery
from tokenbudget.ledger.schema import SCHEMA_VERSION
from tokenbudget.model.actions import TrashFile

# One entry per past version: what a program of that version had written. Never edited; a new
# version adds an entry. The answer expected is output tokens by model.
WRITTEN_BY = {
    1: """
INSERT INTO model VALUES (1, 'claude-opus-5-5');
INSERT INTO session VALUES (1, 's1', 'main', '2.1.329', '', '/home/dev/shop', '', '');
INSERT INTO file VALUES (1, '/home/dev/s1.jsonl', 'claude-code', 's1', 0, NULL, 900, 5, 6, 900, 900,
                         7, 8, 1, 0, 0, 0, 0, 0, NULL, NULL);
INSERT INTO response VALUES (1, 'msg_1', 1, 0, 1, 1, 1795179600000, 0, 0, 0, 3, 10, 60, 40, 1000, 0,
                             NULL, 1, 1, '', '');
INSERT INTO rollup_stale VALUES (498661);
""",
    2: """
INSERT INTO model VALUES (1, 'claude-opus-5-5');
INSERT INTO session VALUES (1, 's1', 'main', '2.1.329', '', '/home/dev/shop', '', '');
INSERT INTO file VALUES (1, '/home/dev/s1.jsonl', 'claude-code', 's1', 0, NULL, 900, 5, 6, 900, 900,
                         7, 8, 1, 0, 0, 0, 0, 0, NULL, NULL);
INSERT INTO response VALUES (1, 'msg_1', 1, 0, 1, 1, 1795179600000, 0, 0, 0, 3, 10, 60, 40, 1000, 0,
                             NULL, 1, 1, '', '');
INSERT INTO rollup_stale VALUES (498661);
INSERT INTO measured_file VALUES (1, 900, 900, 5, 7, 8, 'o200k_base/1');
INSERT INTO piece VALUES (1, 0, 0, '', 'tool_use', 'Read', 'a.py', 'msg_1', 24, 9, 12, 1, 0, 1, 0,
                          10, 0);
INSERT INTO calibration VALUES ('claude-opus-5-5', 120, 4, 0.02, 0.07, 0.09, 0.1, '{"bpe": 1.2}',
                                1795179600000);
INSERT INTO window_snapshot VALUES (1, '', 'size 900', '[]');
""",
    3: """
INSERT INTO model VALUES (1, 'claude-opus-5-5');
INSERT INTO session VALUES (1, 's1', 'main', '2.1.329', '', '/home/dev/shop', '', '');
INSERT INTO file VALUES (1, '/home/dev/s1.jsonl', 'claude-code', 's1', 0, NULL, 900, 5, 6, 900, 900,
                         7, 8, 1, 0, 0, 0, 0, 0, NULL, NULL);
INSERT INTO response VALUES (1, 'msg_1', 1, 0, 1, 1, 1795179600000, 0, 0, 0, 3, 10, 60, 40, 1000, 0,
                             NULL, 1, 1, '', '');
INSERT INTO rollup_stale VALUES (498661);
INSERT INTO measured_file VALUES (1, 900, 900, 5, 7, 8, 'o200k_base/1');
INSERT INTO piece VALUES (1, 0, 0, '', 'tool_use', 'Read', 'a.py', 'msg_1', 24, 9, 12, 1, 0, 1, 0,
                          10, 0);
INSERT INTO calibration VALUES ('claude-opus-5-5', 120, 4, 0.02, 0.07, 0.09, 0.1, '{"bpe": 1.2}',
                                1795179600000);
INSERT INTO window_snapshot VALUES (1, '', 'size 900', '[]');
INSERT INTO limit_sample VALUES ('five_hour', 1795179600000, 0.38, 1795190000000);
INSERT INTO told_window VALUES ('s1', 1795179600000, 200000);
""",
    4: """
INSERT INTO model VALUES (1, 'claude-opus-5-5');
INSERT INTO session VALUES (1, 's1', 'main', '2.1.329', '', '/home/dev/shop', '', '');
INSERT INTO file VALUES (1, '/home/dev/s1.jsonl', 'claude-code', 's1', 0, NULL, 900, 5, 6, 900, 900,
                         7, 8, 1, 0, 0, 0, 0, 0, NULL, NULL);
INSERT INTO response VALUES (1, 'msg_1', 1, 0, 1, 1, 1795179600000, 0, 0, 0, 3, 10, 60, 40, 1000, 0,
                             NULL, 1, 1, '', '');
INSERT INTO rollup_stale VALUES (498661);
INSERT INTO measured_file VALUES (1, 900, 900, 5, 7, 8, 'o200k_base/1');
INSERT INTO piece VALUES (1, 0, 0, '', 'tool_use', 'Read', 'a.py', 'msg_1', 24, 9, 12, 1, 0, 1, 0,
                          10, 0);
INSERT INTO calibration VALUES ('claude-opus-5-5', 120, 4, 0.02, 0.07, 0.09, 0.1, '{"bpe": 1.2}',
                                1795179600000);
INSERT INTO window_snapshot VALUES (1, '', 'size 900', '[]');
INSERT INTO limit_sample VALUES ('five_hour', 1795179600000, 0.38, 1795190000000);
INSERT INTO told_window VALUES ('s1', 1795179600000, 200000);
INSERT INTO alert_state VALUES (1, '{"format":"tokenbudget/alert-state/1","alerts":[],"silences":[],
"held":[],"sent":[],"sequence":7,"clock_ms":1795179600000}');
INSERT INTO alert_claim VALUES ('context-80|context|s1|', 7);
INSERT INTO alert_outbox VALUES (1, '0123456789abcdef0123456789abcdef', '{"channel":"slack",
"kind":"fire","level":"critical","rule_id":"context-80","fingerprint":"context-80|context|s1|",
"title":"context window at 81%","body":"","made_at_ms":1795179600000}', 0, 0, 0, NULL);
INSERT INTO alert_history VALUES (1, 1795179600000, 'context-80', 'context-80|context|s1|', 'fire',
                                  'context window at 81% (to slack)');
""",
    5: """
INSERT INTO model VALUES (1, 'claude-opus-5-5');
INSERT INTO session VALUES (1, 's1', 'main', '2.1.329', '', '/home/dev/shop', '', '');
INSERT INTO file VALUES (1, '/home/dev/s1.jsonl', 'claude-code', 's1', 0, NULL, 900, 5, 6, 900, 900,
                         7, 8, 1, 0, 0, 0, 0, 0, NULL, NULL);
INSERT INTO response VALUES (1, 'msg_1', 1, 0, 1, 1, 1795179600000, 0, 0, 0, 3, 10, 60, 40, 1000, 0,
                             NULL, 1, 1, '', '');
INSERT INTO rollup_stale VALUES (498661);
INSERT INTO measured_file VALUES (1, 900, 900, 5, 7, 8, 'o200k_base/1');
INSERT INTO piece VALUES (1, 0, 0, '', 'tool_use', 'Read', 'a.py', 'msg_1', 24, 9, 12, 1, 0, 1, 0,
                          10, 0);
INSERT INTO calibration VALUES ('claude-opus-5-5', 120, 4, 0.02, 0.07, 0.09, 0.1, '{"bpe": 1.2}',
                                1795179600000);
INSERT INTO window_snapshot VALUES (1, '', 'size 900', '[]');
INSERT INTO limit_sample VALUES ('five_hour', 1795179600000, 0.38, 1795190000000);
INSERT INTO told_window VALUES ('s1', 1795179600000, 200000);
INSERT INTO alert_state VALUES (1, '{"format":"tokenbudget/alert-state/1","alerts":[],"silences":[],
"held":[],"sent":[],"sequence":7,"clock_ms":1795179600000}');
INSERT INTO alert_claim VALUES ('context-80|context|s1|', 7);
INSERT INTO alert_outbox VALUES (1, '0123456789abcdef0123456789abcdef', '{"channel":"slack",
"kind":"fire","level":"critical","rule_id":"context-80","fingerprint":"context-80|context|s1|",
"title":"context window at 81%","body":"","made_at_ms":1795179600000}', 0, 0, 0, NULL);
INSERT INTO alert_history VALUES (1, 1795179600000, 'context-80', 'context-80|context|s1|', 'fire',
                                  'context window at 81% (to slack)');
INSERT INTO action VALUES (7, 1795179600000, 'tokens compact', '/home/dev/shop', 12000, 900, NULL,
                           NULL);
INSERT INTO action_step VALUES (1, 7, 0, '{"kind":"trash-file","path":"/home/dev/shop/a.bak",
"size_bytes":900,"mtime_ns":5}', 'done', '', '{"trash":"20261120T120000Z-0123456789abcdef"}');
INSERT INTO archived_session VALUES (1, 's1', '/home/dev/shop/.claude/sessions/archive',
                                     's1-0123456789abcdef.zst', 1795179600000, 1795000000000,
                                     900, 90);
INSERT INTO archived_file VALUES (1, 1, 's1.jsonl', '/home/dev/s1.jsonl');
""",
    6: """
INSERT INTO model VALUES (1, 'claude-opus-5-5');
INSERT INTO session VALUES (1, 's1', 'main', '2.1.329', '', '/home/dev/shop', '', '');
INSERT INTO file VALUES (1, '/home/dev/s1.jsonl', 'claude-code', 's1', 0, NULL, 900, 5, 6, 900, 900,
                         7, 8, 1, 0, 0, 0, 0, 0, NULL, NULL);
INSERT INTO response VALUES (1, 'msg_1', 1, 0, 1, 1, 1795179600000, 0, 0, 0, 3, 10, 60, 40, 1000, 0,
                             NULL, 1, 1, '', '');
INSERT INTO rollup_stale VALUES (498661);
INSERT INTO measured_file VALUES (1, 900, 900, 5, 7, 8, 'o200k_base/1');
INSERT INTO piece VALUES (1, 0, 0, '', 'tool_use', 'Read', 'a.py', 'msg_1', 24, 9, 12, 1, 0, 1, 0,
                          10, 0);
INSERT INTO calibration VALUES ('claude-opus-5-5', 120, 4, 0.02, 0.07, 0.09, 0.1, '{"bpe": 1.2}',
                                1795179600000);
INSERT INTO window_snapshot VALUES (1, '', 'size 900', '[]');
INSERT INTO limit_sample VALUES ('five_hour', 1795179600000, 0.38, 1795190000000);
INSERT INTO told_window VALUES ('s1', 1795179600000, 200000);
INSERT INTO alert_state VALUES (1, '{"format":"tokenbudget/alert-state/1","alerts":[],"silences":[],
"held":[],"sent":[],"sequence":7,"clock_ms":1795179600000}');
INSERT INTO alert_claim VALUES ('context-80|context|s1|', 7);
INSERT INTO alert_outbox VALUES (1, '0123456789abcdef0123456789abcdef', '{"channel":"slack",
"kind":"fire","level":"critical","rule_id":"context-80","fingerprint":"context-80|context|s1|",
"title":"context window at 81%","body":"","made_at_ms":1795179600000}', 0, 0, 0, NULL);
INSERT INTO alert_history VALUES (1, 1795179600000, 'context-80', 'context-80|context|s1|', 'fire',
                                  'context window at 81% (to slack)');
INSERT INTO action VALUES (7, 1795179600000, 'tokens compact', '/home/dev/shop', 12000, 900, NULL,
                           NULL);
INSERT INTO action_step VALUES (1, 7, 0, '{"kind":"trash-file","path":"/home/dev/shop/a.bak",
"size_bytes":900,"mtime_ns":5}', 'done', '', '{"trash":"20261120T120000Z-0123456789abcdef"}');
INSERT INTO archived_session VALUES (1, 's1', '/home/dev/shop/.claude/sessions/archive',
                                     's1-0123456789abcdef.zst', 1795179600000, 1795000000000,
                                     900, 90);
INSERT INTO archived_file VALUES (1, 1, 's1.jsonl', '/home/dev/s1.jsonl');
INSERT INTO study VALUES (1, 'size 900', x'90');
INSERT INTO applied_fix VALUES (7, 'memory-file/a1b2c3', 'memory-file', 'CLAUDE.md',
                                '/home/dev/shop', 9000, 900, 12000, NULL, 14, 300, 60000, 30);
""",
    7: """
INSERT INTO model VALUES (1, 'claude-opus-5-5');
INSERT INTO session VALUES (1, 's1', 'main', '2.1.329', '', '/home/dev/shop', '', '');
INSERT INTO file VALUES (1, '/home/dev/s1.jsonl', 'claude-code', 's1', 0, NULL, 900, 5, 6, 900, 900,
                         7, 8, 1, 0, 0, 0, 0, 0, NULL, NULL);
INSERT INTO response VALUES (1, 'msg_1', 1, 0, 1, 1, 1795179600000, 0, 0, 0, 3, 10, 60, 40, 1000, 0,
                             NULL, 1, 1, '', '');
INSERT INTO rollup_stale VALUES (498661);
INSERT INTO measured_file VALUES (1, 900, 900, 5, 7, 8, 'o200k_base/1');
INSERT INTO piece VALUES (1, 0, 0, '', 'tool_use', 'Read', 'a.py', 'msg_1', 24, 9, 12, 1, 0, 1, 0,
                          10, 0);
INSERT INTO calibration VALUES ('claude-opus-5-5', 120, 4, 0.02, 0.07, 0.09, 0.1, '{"bpe": 1.2}',
                                1795179600000);
INSERT INTO window_snapshot VALUES (1, '', 'size 900', '[]');
INSERT INTO limit_sample VALUES ('five_hour', 1795179600000, 0.38, 1795190000000);
INSERT INTO told_window VALUES ('s1', 1795179600000, 200000);
INSERT INTO alert_state VALUES (1, '{"format":"tokenbudget/alert-state/1","alerts":[],"silences":[],
"held":[],"sent":[],"sequence":7,"clock_ms":1795179600000}');
INSERT INTO alert_claim VALUES ('context-80|context|s1|', 7);
INSERT INTO alert_outbox VALUES (1, '0123456789abcdef0123456789abcdef', '{"channel":"slack",
"kind":"fire","level":"critical","rule_id":"context-80","fingerprint":"context-80|context|s1|",
"title":"context window at 81%","body":"","made_at_ms":1795179600000}', 0, 0, 0, NULL);
INSERT INTO alert_history VALUES (1, 1795179600000, 'context-80', 'context-80|context|s1|', 'fire',
                                  'context window at 81% (to slack)');
INSERT INTO action VALUES (7, 1795179600000, 'tokens compact', '/home/dev/shop', 12000, 900, NULL,
                           NULL);
INSERT INTO action_step VALUES (1, 7, 0, '{"kind":"trash-file","path":"/home/dev/shop/a.bak",
"size_bytes":900,"mtime_ns":5}', 'done', '', '{"trash":"20261120T120000Z-0123456789abcdef"}');
INSERT INTO archived_session VALUES (1, 's1', '/home/dev/shop/.claude/sessions/archive',
                                     's1-0123456789abcdef.zst', 1795179600000, 1795000000000,
                                     900, 90);
INSERT INTO archived_file VALUES (1, 1, 's1.jsonl', '/home/dev/s1.jsonl');
INSERT INTO study VALUES (1, 'size 900', x'90');
INSERT INTO applied_fix VALUES (7, 'memory-file/a1b2c3', 'memory-file', 'CLAUDE.md',
                                '/home/dev/shop', 9000, 900, 12000, NULL, 14, 300, 60000, 30);
INSERT INTO control_state VALUES ('s1', 1795179600000, '{"format":"tokenbudget/control/1"}');
INSERT INTO control_decision VALUES (1, 1795179600000, 's1', '/home/dev/shop', 'wait', 'healthy',
                                     'healthy', 'the window is healthy', '', '[]', NULL, '', '');
INSERT INTO control_receipt VALUES (1, 's1', '/home/dev/shop', 1795179600000, 'history',
                                    '["history/compact"]', 'critical', 7, 90000, -0.02,
                                    'next compaction', 150000, 'msg_1', NULL, NULL, NULL, '');
""",
}


def tables(connection: sqlite3.Connection) -> dict[str, str]:
    rows = connection.execute("SELECT name, sql FROM sqlite_schema WHERE sql IS NOT NULL")
    return dict(rows.fetchall())


def test_every_version_has_its_step() -> None:
    assert len(MIGRATIONS) == SCHEMA_VERSION
    assert [step.__name__[:4] for step in MIGRATIONS] == [
        f"m{number:03}" for number in range(1, SCHEMA_VERSION + 1)
    ]
    assert sorted(WRITTEN_BY) == list(range(1, SCHEMA_VERSION + 1))


@pytest.mark.parametrize("version", range(1, SCHEMA_VERSION + 1))
def test_a_ledger_of_a_past_version_is_brought_up_to_date(home: Home, version: int) -> None:
    home.data.mkdir()
    with closing(sqlite3.connect(home.ledger_path, isolation_level=None)) as connection:
        migrate(connection, version)
        assert connection.execute("PRAGMA user_version").fetchone() == (version,)
        connection.executescript(WRITTEN_BY[version])
    with home.open() as ledger:
        models = ledger.names("model")
        (row,) = ledger.usage(UsageQuery())
        assert (models[row.model_id], row.output_tokens) == ("claude-opus-5-5", 10)
        ledger.roll_up()
        assert ledger.usage(UsageQuery())[0].output_tokens == 10
    assert home.rows("PRAGMA user_version") == [(SCHEMA_VERSION,)]


@pytest.mark.parametrize("version", range(1, SCHEMA_VERSION + 1))
def test_an_upgraded_ledger_has_the_tables_of_a_new_one(home: Home, version: int) -> None:
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as old:
        migrate(old, version)
        migrate(old, SCHEMA_VERSION)
        with closing(sqlite3.connect(":memory:", isolation_level=None)) as new:
            migrate(new, SCHEMA_VERSION)
            assert tables(old) == tables(new)


@pytest.mark.parametrize("version", range(2, SCHEMA_VERSION + 1))
def test_what_was_counted_by_a_past_version_is_kept(home: Home, version: int) -> None:
    home.data.mkdir()
    with closing(sqlite3.connect(home.ledger_path, isolation_level=None)) as connection:
        migrate(connection, version)
        connection.executescript(WRITTEN_BY[version])
    with home.open() as ledger:
        (file,) = ledger.windows.files_of_session("s1")
        assert (file.measured_bytes, file.counter) == (900, "o200k_base/1")
        (piece,) = ledger.windows.pieces(file.file_id)
        assert (piece.name, piece.link, piece.measure.bpe_tokens) == ("Read", "msg_1", 9)
        assert list(ledger.windows.requests(file.file_id)) == ["msg_1"]
        assert [row.steps for row in ledger.windows.calibrations()] == [120]
        assert ledger.windows.snapshot(file.file_id, "", "size 900") == "[]"


@pytest.mark.parametrize("version", range(1, SCHEMA_VERSION + 1))
def test_alerts_go_on_where_a_past_version_left_them(home: Home, version: int) -> None:
    """Nothing before version 4, which had none."""
    home.data.mkdir()
    with closing(sqlite3.connect(home.ledger_path, isolation_level=None)) as connection:
        migrate(connection, version)
        connection.executescript(WRITTEN_BY[version])
    with home.open() as ledger:
        alerts = LedgerAlerts(ledger)
        kept = 7 if version >= 4 else 0
        assert alerts.state() == State(sequence=kept, clock_ms=1795179600000 if kept else 0)
        assert [one.entry.title for one in alerts.waiting()] == (
            ["context window at 81%"] if kept else []
        )
        assert [one.event for one in alerts.history(9)] == (["fire"] if kept else [])
        with alerts.transaction() as transaction:
            won = [transaction.claim("context-80|context|s1|", v) for v in (7, 8)]
        assert won == [not kept, True]


@pytest.mark.parametrize("version", range(1, SCHEMA_VERSION + 1))
def test_what_a_past_version_changed_can_be_taken_back(home: Home, version: int) -> None:
    """Nothing before version 5, which changed nothing."""
    home.data.mkdir()
    with closing(sqlite3.connect(home.ledger_path, isolation_level=None)) as connection:
        migrate(connection, version)
        connection.executescript(WRITTEN_BY[version])
    with home.open() as ledger:
        trashed = TrashFile("/home/dev/shop/a.bak", 900, 5)
        assert [action.steps[0].step for action in ledger.journal.actions(9)] == (
            [trashed] if version >= 5 else []
        )
        found = ledger.archives.session_of_path("/home/dev/s1.jsonl")
        assert (found and found.archive_file) == (
            "s1-0123456789abcdef.zst" if version >= 5 else None
        )
        assert ledger.journal.begin("tokens undo", "", [], None) == (8 if version >= 5 else 1)


@pytest.mark.parametrize("version", range(1, SCHEMA_VERSION + 1))
def test_studies_of_a_past_version_are_there(home: Home, version: int) -> None:
    """Nothing before version 6, which kept none."""
    home.data.mkdir()
    with closing(sqlite3.connect(home.ledger_path, isolation_level=None)) as connection:
        migrate(connection, version)
        connection.executescript(WRITTEN_BY[version])
    with home.open() as ledger:
        assert ledger.studies.kept() == ({1: ("size 900", b"\x90")} if version >= 6 else {})
        assert [fix.finding for fix in ledger.fixes.all()] == (
            ["memory-file/a1b2c3"] if version >= 6 else []
        )


@pytest.mark.parametrize("version", range(1, SCHEMA_VERSION + 1))
def test_what_the_controller_lent_in_a_past_version_is_known(home: Home, version: int) -> None:
    """Nothing before version 7, which had none; after it, rows can be added."""
    home.data.mkdir()
    with closing(sqlite3.connect(home.ledger_path, isolation_level=None)) as connection:
        migrate(connection, version)
        connection.executescript(WRITTEN_BY[version])
    with home.open() as ledger:
        has_any = version >= 7
        assert [one.action for one, _ in ledger.control.open_receipts()] == [7] * has_any
        assert [one.code for one in ledger.control.decisions()] == ["healthy"] * has_any
        assert ledger.control.states() == ["s1"] * has_any
        ledger.control.put_state("s1", "new", 1795179600001)
        assert ledger.control.state("s1") == "new"


def test_a_step_that_fails_leaves_nothing_of_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(connection: sqlite3.Connection) -> None:
        connection.execute("CREATE TABLE half (done)")
        raise sqlite3.OperationalError("database or disk is full")

    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        migrate(connection, SCHEMA_VERSION)
        before = tables(connection)
        monkeypatch.setattr(migrations, "MIGRATIONS", (*MIGRATIONS, broken))
        with pytest.raises(sqlite3.OperationalError):
            migrate(connection, SCHEMA_VERSION + 1)
        assert tables(connection) == before
        assert connection.execute("PRAGMA user_version").fetchone() == (SCHEMA_VERSION,)


def test_a_step_that_another_process_has_done_is_not_done_again() -> None:
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        for _ in range(2):
            migrate(connection, SCHEMA_VERSION)
