"""What the ledger keeps of context windows, and the requests that carried them."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.ledger.builders import Home, Json, answer, later, moment, prompt, tool_use, write

from tokenbudget.ledger import windows
from tokenbudget.ledger.inspection import last_sessions, sessions_beginning
from tokenbudget.ledger.migrations import migrate
from tokenbudget.ledger.schema import SCHEMA_VERSION
from tokenbudget.ledger.windows import PieceRow, RequestRow, WindowFile
from tokenbudget.model.window import Measure

FOREVER_MS = 1 << 60
NOT_COUNTED = (0, 0, 0, 0, 0, "")
MEASURE = Measure(*range(2, 10))


def row(
    byte_offset: int, position: int = 0, kind: str = "prompt", link: str = "", thread: str = ""
) -> PieceRow:
    return PieceRow(byte_offset, position, thread, kind, "name", "target", link, 5, MEASURE)


def flat(*rows: PieceRow) -> list[tuple[object, ...]]:
    """Rows as `store_pieces` takes them."""
    return [(*one[:-1], *one.measure) for one in rows]


def file(file_id: int = 1, measured_bytes: int = 100) -> WindowFile:
    """A transcript of which so much was counted."""
    place = (file_id, f"/srv/{file_id}.jsonl", "s1", False, 900, 5, False)
    return WindowFile(*place, measured_bytes, 900, 5, 7, 8, "words/1")


@pytest.fixture
def empty_ledger() -> Iterator[sqlite3.Connection]:
    """A ledger in memory without a row."""
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        migrate(connection, SCHEMA_VERSION)
        yield connection


@pytest.fixture
def opened(home: Home) -> Iterator[sqlite3.Connection]:
    """The ledger of a home; a test writes transcripts and refreshes before it asks."""
    home.refresh()
    with closing(sqlite3.connect(home.ledger_path)) as connection:
        yield connection


def names(found: list[WindowFile]) -> list[str]:
    return [Path(one.path).stem for one in found]


# ── transcripts ───────────────────────────────────────────────────────────────────────────────────


def test_a_transcript_of_which_nothing_was_counted(home: Home, opened: sqlite3.Connection) -> None:
    path = write(home.project / "s1.jsonl", answer("msg_1"))
    home.refresh()
    (found,) = windows.files_of_session(opened, "s1")
    status = path.stat()
    place = (found.file_id, str(path), "s1", False, status.st_size, status.st_mtime_ns, False)
    assert found == WindowFile(*place, *NOT_COUNTED)


def test_the_main_thread_comes_before_subagents_that_were_used_later(
    home: Home, opened: sqlite3.Connection
) -> None:
    write(home.project / "s1.jsonl", answer("msg_1"))
    for agent in ("a1", "a2"):
        below = home.project / "s1" / "subagents" / f"agent-{agent}.jsonl"
        write(below, answer(f"msg_{agent}", isSidechain=True, agentId=agent))
    home.refresh()
    found = windows.files_of_session(opened, "s1")
    assert names(found) == ["s1", "agent-a2", "agent-a1"]
    assert [one.is_subagent for one in found] == [False, True, True]


def test_of_two_transcripts_the_one_that_is_still_there_comes_first(
    home: Home, opened: sqlite3.Connection
) -> None:
    moved = write(home.project / "s1.jsonl", answer("msg_1"))
    later(moved)
    home.refresh()
    there = write(home.project.parent / "-srv-shop" / "s1.jsonl", answer("msg_1"))
    moved.unlink()
    home.refresh()
    found = windows.files_of_session(opened, "s1")
    assert [(one.path, one.is_gone) for one in found] == [(str(there), False), (str(moved), True)]


def test_a_transcript_that_nothing_was_read_of_is_not_the_sessions(
    home: Home, opened: sqlite3.Connection
) -> None:
    (home.project / "s1.jsonl").write_bytes(b'{"type":"user"')
    home.refresh()
    assert windows.files_of_session(opened, "s1") == []


def test_a_session_without_a_file_of_its_name_has_those_with_its_responses(
    home: Home, opened: sqlite3.Connection
) -> None:
    write(home.project / "s1.jsonl", answer("msg_1"), answer("msg_2", sessionId="resumed"))
    write(home.project / "s2.jsonl", answer("msg_3", sessionId="s2"))
    home.refresh()
    assert names(windows.files_of_session(opened, "resumed")) == ["s1"]
    assert names(windows.files_of_session(opened, "s2")) == ["s2"]
    assert windows.files_of_session(opened, "elsewhere") == []


def test_transcripts_of_a_model_come_with_the_one_used_last_first(
    home: Home, opened: sqlite3.Connection
) -> None:
    for minutes, name in ((1, "s1"), (9, "s2"), (5, "s3")):
        write(home.project / f"{name}.jsonl", answer(f"msg_{name}", timestamp=moment(minutes)))
    write(home.project / "s4.jsonl", answer("msg_s4", model="another-model"))
    home.refresh()
    model = "claude-opus-5-5"
    assert names(windows.files_of_model(opened, model, 9, FOREVER_MS)) == ["s2", "s3", "s1"]
    assert names(windows.files_of_model(opened, model, 1, FOREVER_MS)) == ["s2"]
    assert windows.files_of_model(opened, "unheard-of", 9, FOREVER_MS) == []


def test_of_a_model_only_what_is_there_and_was_used_by_then_counts(
    home: Home, opened: sqlite3.Connection
) -> None:
    for minutes, name in ((0, "s1"), (9, "s2")):
        write(home.project / f"{name}.jsonl", answer(f"msg_{name}", timestamp=moment(minutes)))
    write(home.project / "s3.jsonl", answer("msg_s3"))
    home.refresh()
    (home.project / "s3.jsonl").unlink()
    home.refresh()
    (((first_ms,),)) = opened.execute("SELECT min(started_at_ms) FROM response").fetchall()
    assert names(windows.files_of_model(opened, "claude-opus-5-5", 9, first_ms)) == ["s1"]


def test_all_transcripts_come_with_the_largest_first(
    home: Home, opened: sqlite3.Connection
) -> None:
    for name, size in (("s1", 1), ("s2", 99), ("s3", 9)):
        write(home.project / f"{name}.jsonl", prompt("x" * size, name))
    home.refresh()
    assert names(windows.all_files(opened)) == ["s2", "s3", "s1"]
    (home.project / "s2.jsonl").unlink()
    home.refresh()
    assert names(windows.all_files(opened)) == ["s3", "s1"]


def test_a_path_that_is_not_utf_8_is_told_as_it_is(home: Home, opened: sqlite3.Connection) -> None:
    path = write(home.project / "s1-\udcff.jsonl", answer("msg_1"))
    home.refresh()
    assert [one.path for one in windows.all_files(opened)] == [str(path)]


# ── pieces ────────────────────────────────────────────────────────────────────────────────────────


def test_pieces_come_back_as_they_were_kept_in_order(empty_ledger: sqlite3.Connection) -> None:
    rows = [row(0), row(0, 1, "tool_use", "msg_1"), row(50, thread="a7")]
    windows.store_pieces(empty_ledger, file(), "words/1", reversed(flat(*rows)), goes_on_from=None)
    assert windows.pieces(empty_ledger, 1) == rows
    assert windows.pieces(empty_ledger, 2) == []


def test_further_pieces_stand_beside_those_before(empty_ledger: sqlite3.Connection) -> None:
    windows.store_pieces(empty_ledger, file(), "words/1", flat(row(0)), goes_on_from=None)
    windows.store_pieces(empty_ledger, file(), "words/1", flat(row(50)), goes_on_from=file())
    assert windows.pieces(empty_ledger, 1) == [row(0), row(50)]


def test_pieces_that_are_counted_anew_replace_their_files_alone(
    empty_ledger: sqlite3.Connection,
) -> None:
    for number in (1, 2):
        windows.store_pieces(empty_ledger, file(number), "words/1", flat(row(0)), goes_on_from=None)
    windows.store_pieces(empty_ledger, file(1), "words/2", flat(row(9)), goes_on_from=None)
    assert windows.pieces(empty_ledger, 1) == [row(9)]
    assert windows.pieces(empty_ledger, 2) == [row(0)]


def test_the_same_piece_again_is_one_piece(empty_ledger: sqlite3.Connection) -> None:
    for before in (None, file()):
        windows.store_pieces(empty_ledger, file(), "words/1", flat(row(0)), goes_on_from=before)
    assert windows.pieces(empty_ledger, 1) == [row(0)]


def test_pieces_that_go_on_from_what_is_no_longer_there_are_not_kept(
    empty_ledger: sqlite3.Connection,
) -> None:
    further = flat(row(50))
    for gone in (file(), file(measured_bytes=99)):
        assert not windows.store_pieces(empty_ledger, file(), "words/1", further, goes_on_from=gone)
        assert windows.pieces(empty_ledger, 1) == []
    assert windows.measured_files(empty_ledger) == []


def test_how_far_a_file_was_counted_is_kept(home: Home, opened: sqlite3.Connection) -> None:
    write(home.project / "s1.jsonl", answer("msg_1"))
    home.refresh()
    (found,) = windows.all_files(opened)
    counted = found._replace(measured_bytes=30, measured_mtime_ns=4, head_sum=7, tail_sum=8)
    windows.store_pieces(opened, counted, "words/1", [], goes_on_from=None)
    assert windows.all_files(opened) == [counted._replace(counter="words/1")]
    assert windows.measured_files(opened) == [(found.file_id, "s1")]


NUMBERS = st.integers(0, 2**63 - 1)
WORDS = st.text(st.characters(exclude_categories=["Cs"]), max_size=9)
ROWS = st.builds(
    PieceRow, NUMBERS, NUMBERS, *[WORDS] * 5, NUMBERS, st.builds(Measure, *[NUMBERS] * 8)
)


@settings(deadline=None, max_examples=50, database=None)
@given(st.lists(ROWS, max_size=6, unique_by=lambda one: one[:2]))
def test_whatever_was_counted_comes_back(rows: list[PieceRow]) -> None:
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        migrate(connection, SCHEMA_VERSION)
        windows.store_pieces(connection, file(), "words/1", flat(*rows), goes_on_from=None)
        assert windows.pieces(connection, 1) == sorted(rows, key=lambda one: one[:2])


# ── requests ──────────────────────────────────────────────────────────────────────────────────────


def test_the_requests_of_a_file_are_those_that_its_pieces_name(
    home: Home, opened: sqlite3.Connection
) -> None:
    lines = [answer("msg_1", 10), answer("msg_2", 20), answer("msg_3", 30)]
    write(home.project / "s1.jsonl", *lines)
    home.refresh()
    (found,) = windows.all_files(opened)
    kept = [row(0, 0, "text", "msg_1"), row(0, 1, "other", "msg_2"), row(9, 0, "text", "msg_9")]
    reply = row(20, 0, "tool_result", "msg_3")  # a result is linked to its call
    windows.store_pieces(opened, found, "words/1", flat(*kept, reply), goes_on_from=None)
    requests = windows.requests(opened, found.file_id)
    assert {key: one.output_tokens for key, one in requests.items()} == {"msg_1": 10, "msg_2": 20}


def test_a_request_is_told_as_it_was_reported(home: Home, opened: sqlite3.Connection) -> None:
    fast = {"speed": "fast", "output_tokens_details": {"thinking_tokens": 4}}
    write(home.project / "s1.jsonl", answer("msg_1", 10, usage=fast, stop=None))
    home.refresh()
    (found,) = windows.all_files(opened)
    windows.store_pieces(opened, found, "w", flat(row(0, 0, "text", "msg_1")), goes_on_from=None)
    request = windows.requests(opened, found.file_id)["msg_1"]
    at_ms = request.started_at_ms
    tokens = (3, 60, 40, 1000, 10, 4)
    expected = ("msg_1", found.file_id, "claude-opus-5-5", at_ms, *tokens)
    assert request == RequestRow(*expected, False, 1, 0, "s1")
    assert request.prompt_tokens == 1103


def test_what_a_request_sent_is_unknown_where_it_reported_nothing(
    home: Home, opened: sqlite3.Connection
) -> None:
    silent = answer("msg_1")
    silent["message"]["usage"] = None
    write(home.project / "s1.jsonl", silent)
    home.refresh()
    (found,) = windows.all_files(opened)
    windows.store_pieces(opened, found, "w", flat(row(0, 0, "text", "msg_1")), goes_on_from=None)
    request = windows.requests(opened, found.file_id)["msg_1"]
    assert (request.input_tokens, request.prompt_tokens, request.output_tokens) == (None, None, 0)


def test_a_request_whose_response_stands_in_another_file_is_found(
    home: Home, opened: sqlite3.Connection
) -> None:
    write(home.project / "s1.jsonl", answer("msg_1"))
    write(home.project / "s2.jsonl", prompt("Again.", "u1"))
    home.refresh()
    second = windows.files_of_session(opened, "s2")[0]
    windows.store_pieces(opened, second, "w", flat(row(0, 0, "text", "msg_1")), goes_on_from=None)
    assert list(windows.requests(opened, second.file_id)) == ["msg_1"]


def test_recent_requests_come_by_session_in_order_of_time(
    home: Home, opened: sqlite3.Connection
) -> None:
    for name, minutes in (("s1", (3, 1, 5)), ("s2", (4, 2))):
        lines = [
            answer(f"msg_{minute}", timestamp=moment(minute), sessionId=name) for minute in minutes
        ]
        write(home.project / f"{name}.jsonl", *lines)
    home.refresh()
    found = windows.recent_requests(opened, 4, FOREVER_MS)
    assert sorted([one.key for one in some] for some in found.values()) == [
        ["msg_2", "msg_4"],
        ["msg_3", "msg_5"],
    ]


def test_recent_requests_are_of_main_threads_that_reported_and_began_by_then(
    home: Home, opened: sqlite3.Connection
) -> None:
    silent = answer("msg_silent")
    silent["message"]["usage"] = None
    late = answer("msg_late", timestamp=moment(5))
    lines = [answer("msg_1"), answer("msg_agent", isSidechain=True), silent, late]
    write(home.project / "s1.jsonl", *lines)
    home.refresh()
    ((late_ms,),) = opened.execute("SELECT max(started_at_ms) FROM response").fetchall()
    (found,) = windows.recent_requests(opened, 9, late_ms).values()
    assert [one.key for one in found] == ["msg_1"]


def test_subagents_come_with_the_tokens_of_their_last_window(
    home: Home, opened: sqlite3.Connection
) -> None:
    paths = []
    for agent, minutes in (("a1", (1, 2)), ("a2", (9,))):
        path = home.project / "s1" / "subagents" / f"agent-{agent}.jsonl"
        lines = [
            answer(f"{agent}_{n}", n, timestamp=moment(n), isSidechain=True, agentId=agent)
            for n in minutes
        ]
        paths.append(str(write(path, *lines)))
    write(home.project / "s1.jsonl", answer("msg_1"))
    home.refresh()
    assert windows.agents_of(opened, "s1") == [(paths[1], 1, 1112), (paths[0], 2, 1105)]


def test_a_subagents_last_answer_without_usage_is_passed_over(
    home: Home, opened: sqlite3.Connection
) -> None:
    beside: Json = {"isSidechain": True, "agentId": "a1"}
    silent = answer("a1_2", timestamp=moment(2), **beside)
    silent["message"]["usage"] = None
    path = home.project / "s1" / "subagents" / "agent-a1.jsonl"
    write(path, answer("a1_1", 1, timestamp=moment(1), **beside), silent)
    home.refresh()
    assert windows.agents_of(opened, "s1") == [(str(path), 2, 1104)]
    assert windows.agents_of(opened, "elsewhere") == []


# ── answers that are kept ─────────────────────────────────────────────────────────────────────────


def test_an_answer_is_kept_while_it_is_made_of_the_same(empty_ledger: sqlite3.Connection) -> None:
    windows.store_snapshot(empty_ledger, 1, "", "size 9", "[1]")
    assert windows.snapshot(empty_ledger, 1, "", "size 9") == "[1]"
    assert windows.snapshot(empty_ledger, 1, "", "size 10") is None


def test_a_newer_answer_replaces_the_one_before(empty_ledger: sqlite3.Connection) -> None:
    for number in (9, 10):
        windows.store_snapshot(empty_ledger, 1, "", f"size {number}", f"[{number}]")
    assert windows.snapshot(empty_ledger, 1, "", "size 9") is None
    assert windows.snapshot(empty_ledger, 1, "", "size 10") == "[10]"


def test_every_thread_has_an_answer_of_its_own(empty_ledger: sqlite3.Connection) -> None:
    for number, thread in ((1, ""), (1, "a7"), (2, "")):
        windows.store_snapshot(empty_ledger, number, thread, "same", f"{number}{thread}")
    kept = [windows.snapshot(empty_ledger, 1, thread, "same") for thread in ("", "a7", "a8")]
    assert kept == ["1", "1a7", None]
    assert windows.snapshot(empty_ledger, 2, "", "same") == "2"


# ── what a rebuild leaves ─────────────────────────────────────────────────────────────────────────


def counted_home(home: Home) -> Home:
    """A home with two transcripts, both counted and answered about."""
    for name in ("s1", "s2"):
        write(home.project / f"{name}.jsonl", answer(f"msg_{name}", content=[tool_use("t1")]))
    home.refresh()
    with home.open() as ledger:
        for found in ledger.windows.all_files():
            counted = found._replace(measured_bytes=found.size_bytes)
            ledger.windows.store_pieces(counted, "words/1", flat(row(0)), goes_on_from=None)
            ledger.windows.store_snapshot(found.file_id, "", "same", "[]")
    return home


KEPT = """
SELECT (SELECT count(*) FROM piece), (SELECT count(*) FROM measured_file),
       (SELECT count(*) FROM window_snapshot)
"""


def test_a_rebuild_drops_what_can_be_counted_again(home: Home) -> None:
    counted_home(home).rebuild()
    assert home.rows(KEPT) == [(0, 0, 0)]


def test_a_rebuild_keeps_the_pieces_of_a_file_that_is_gone(home: Home) -> None:
    counted_home(home)
    (home.project / "s1.jsonl").unlink()
    home.rebuild()
    assert home.rows(KEPT) == [(1, 1, 1)]
    with home.open() as ledger:
        (gone,) = ledger.windows.files_of_session("s1")
        assert gone.is_gone
        assert ledger.windows.pieces(gone.file_id) == [row(0)]


def test_a_rebuild_that_is_abandoned_keeps_every_piece(home: Home) -> None:
    counted_home(home)
    with home.open() as ledger:
        ledger.begin_rebuild([str(path) for path in home.files()])
        ledger.abandon_rebuild()
    assert home.rows(KEPT) == [(2, 2, 2)]


# ── which session is meant ────────────────────────────────────────────────────────────────────────


def session(home: Home, name: str, minutes: float, cwd: str = "/srv/shop") -> None:
    write(
        home.project / f"{name}.jsonl",
        prompt("Hello?", f"u-{name}", sessionId=name, cwd=cwd, timestamp=moment(minutes)),
    )
    home.refresh()


def test_sessions_are_found_by_their_beginning_with_the_last_one_first(
    home: Home, opened: sqlite3.Connection
) -> None:
    for minutes, name in enumerate(("abc", "abd", "xyz")):
        session(home, name, minutes)
    assert [one.session for one in sessions_beginning(opened, "ab", 9)] == ["abd", "abc"]
    assert [one.session for one in sessions_beginning(opened, "ab", 1)] == ["abd"]
    assert sessions_beginning(opened, "b", 9) == []


def test_the_session_of_just_this_name_comes_first(home: Home, opened: sqlite3.Connection) -> None:
    for minutes, name in enumerate(("ab", "abc")):
        session(home, name, minutes)
    assert [one.session for one in sessions_beginning(opened, "ab", 9)] == ["ab", "abc"]


@pytest.mark.parametrize("start", ["%", "_", "a_", "A", "*"])
def test_a_beginning_is_no_pattern(home: Home, opened: sqlite3.Connection, start: str) -> None:
    session(home, "abc", 0)
    assert sessions_beginning(opened, start, 9) == []


def test_a_session_goes_on_behind_any_letter(home: Home, opened: sqlite3.Connection) -> None:
    session(home, "ab\U0001f600", 0)
    assert [one.session for one in sessions_beginning(opened, "ab", 9)] == ["ab\U0001f600"]


def test_a_session_without_a_transcript_of_its_own_is_found_without_an_agent(
    home: Home, opened: sqlite3.Connection
) -> None:
    write(home.project / "s1.jsonl", answer("msg_1", sessionId="resumed"))
    home.refresh()
    (found,) = sessions_beginning(opened, "resumed", 9)
    assert (found.session, found.agent) == ("resumed", "")


def test_a_session_is_gone_when_all_its_transcripts_are(
    home: Home, opened: sqlite3.Connection
) -> None:
    session(home, "s1", 0)
    (home.project / "s1.jsonl").unlink()
    home.refresh()
    assert [one.is_gone for one in sessions_beginning(opened, "s1", 9)] == [True]


def test_the_last_session_is_that_of_the_directory(home: Home, opened: sqlite3.Connection) -> None:
    session(home, "s1", 1, "/srv/a")
    session(home, "s2", 9, "/srv/b")
    session(home, "s3", 5, "/srv/a")
    assert [one.session for one in last_sessions(opened, "/srv/a")] == ["s3"]
    assert [one.session for one in last_sessions(opened, "")] == ["s2"]
    assert last_sessions(opened, "/srv") == []


def test_the_last_session_need_not_have_an_answer(home: Home, opened: sqlite3.Connection) -> None:
    write(home.project / "s1.jsonl", answer("msg_1", timestamp=moment(1)))
    session(home, "s2", 2)
    assert [one.session for one in last_sessions(opened, "")] == ["s2"]


def test_a_session_without_a_transcript_of_its_own_is_not_the_last_one(
    home: Home, opened: sqlite3.Connection
) -> None:
    later_one = answer("msg_2", sessionId="resumed", timestamp=moment(9))
    write(home.project / "s1.jsonl", answer("msg_1"), later_one)
    home.refresh()
    assert [one.session for one in last_sessions(opened, "")] == ["s1"]


def test_no_session_is_the_last_one_of_an_empty_ledger(opened: sqlite3.Connection) -> None:
    assert last_sessions(opened, "") == []


def test_a_name_that_is_no_text_is_that_of_nothing(home: Home) -> None:
    write(home.project / "s1.jsonl", answer("msg_1"))
    home.refresh()
    with home.open() as ledger:
        assert ledger.sessions_beginning("\udcff", 3) == []
        assert ledger.last_sessions("/srv/\udcff") == []


def test_counted_files_come_in_the_order_of_their_writing_whatever_their_ids(
    home: Home, opened: sqlite3.Connection
) -> None:
    """What is learnt from them must not depend on which process read faster."""
    for name in ("s3", "s1", "s2"):
        write(home.project / f"{name}.jsonl", answer(f"msg_{name}"))
    home.refresh()
    written = {"s1": 30, "s2": 10, "s3": 10}
    for found in windows.all_files(opened):
        windows.store_pieces(opened, found, "words/1", [], goes_on_from=None)
        at_ns = written[found.session]
        opened.execute("UPDATE file SET mtime_ns = ? WHERE id = ?", (at_ns, found.file_id))
    sessions = [session for _, session in windows.measured_files(opened)]
    assert sessions == ["s2", "s3", "s1"]
