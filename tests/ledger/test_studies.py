"""What the ledger knows of a transcript's bill and calls, and the studies that it keeps."""

from __future__ import annotations

import pytest
from tests.ledger.builders import (
    Home,
    Json,
    answer,
    moment,
    prompt,
    tool_result,
    tool_use,
    write,
)

from tokenbudget.collector.ingest import Want
from tokenbudget.ledger.store import TEMPORARY, Ledger
from tokenbudget.ledger.studies import BilledRequest, StudiedFile
from tokenbudget.ledger.thread_calls import CallRow
from tokenbudget.model.errors import LedgerDamaged
from tokenbudget.model.events import text_sum

ITERATIONS = [
    {
        "type": "message",
        "model": "claude-haiku-5",
        "input_tokens": 5,
        "output_tokens": 6,
        "cache_read_input_tokens": 7,
        "cache_creation_input_tokens": 0,
    },
    {
        "type": "message",
        "input_tokens": 3,
        "output_tokens": 10,
        "cache_read_input_tokens": 1000,
        "cache_creation_input_tokens": 100,
        "cache_creation": {"ephemeral_5m_input_tokens": 60, "ephemeral_1h_input_tokens": 40},
    },
]


def files(home: Home, session: str = "") -> list[StudiedFile]:
    with home.open() as ledger:
        return ledger.studies.files(session)


def billed(home: Home, name: str = "s1") -> list[BilledRequest]:
    with home.open() as ledger:
        (one,) = (one for one in ledger.studies.files() if one.file.path.endswith(f"{name}.jsonl"))
        return ledger.studies.billed(one.file.file_id, one.session_ids)


def calls(home: Home, *links: str) -> list[CallRow]:
    """The calls of a file whose counted pieces are of these responses."""
    with home.open() as ledger:
        (file,) = ledger.windows.files_of_session("s1")
        rows = [(n, 0, "", "tool_use", "Read", "", key, *[1] * 9) for n, key in enumerate(links)]
        ledger.windows.store_pieces(file, "words/1", rows, goes_on_from=None)
        return ledger.studies.calls(file.file_id)


class TestFiles:
    def test_every_transcript_with_a_bill_is_told(self, home: Home) -> None:
        write(home.project / "s1.jsonl", answer("msg_1"))
        write(home.project / "s2.jsonl", prompt("Hello", "u1", sessionId="s2"))
        home.refresh()

        (found,) = files(home)

        assert found.file.path == str(home.project / "s1.jsonl")
        assert found.project == "/home/dev/shop"
        assert found.detail_offset == found.file.size_bytes
        assert len(found.session_ids) == 1

    def test_one_that_is_gone_is_told_too(self, home: Home) -> None:
        path = write(home.project / "s1.jsonl", answer("msg_1"))
        home.refresh()
        path.unlink()
        home.refresh()

        assert [one.file.is_gone for one in files(home)] == [True]

    def test_of_a_session_those_that_it_is_billed_in(self, home: Home) -> None:
        for name in ("s1", "s2"):
            write(home.project / f"{name}.jsonl", answer(f"msg_{name}", sessionId=name))
        home.refresh()

        assert [one.file.session for one in files(home, "s2")] == ["s2"]
        assert files(home, "s3") == []

    def test_a_copy_that_takes_a_request_over_changes_both_bills(self, home: Home) -> None:
        """Neither the size nor the time of the first file tells of it."""
        write(home.project / "s2.jsonl", answer("msg_1"), answer("msg_2"))
        home.refresh()
        (before,) = files(home)
        write(home.project / "s1.jsonl", answer("msg_1"))
        home.refresh()

        first, second = sorted(files(home), key=lambda one: one.file.path)

        assert second.file == before.file
        assert second.bill != before.bill
        assert first.file.path == str(home.project / "s1.jsonl")

    @pytest.mark.parametrize(
        "usage",
        [
            {"output_tokens": 11},
            {"input_tokens": 4},
            {"cache_read_input_tokens": 1001},
            {"cache_creation": {"ephemeral_5m_input_tokens": 59, "ephemeral_1h_input_tokens": 41}},
            {"speed": "fast"},
            {"service_tier": "batch"},
            {"server_tool_use": {"web_search_requests": 2}},
        ],
    )
    def test_more_that_is_told_of_a_request_changes_the_bill(self, home: Home, usage: Json) -> None:
        write(home.project / "s1.jsonl", answer("msg_1"))
        home.refresh()
        (before,) = files(home)
        write(home.project / "s1.jsonl", answer("msg_1", usage={"output_tokens": 10, **usage}))
        home.refresh()

        assert files(home)[0].bill != before.bill

    def test_an_earlier_attempt_changes_the_bill(self, home: Home) -> None:
        write(home.project / "s1.jsonl", answer("msg_1"))
        home.refresh()
        (before,) = files(home)
        write(home.project / "s1.jsonl", answer("msg_1", usage={"iterations": ITERATIONS}))
        home.refresh()

        assert files(home)[0].bill != before.bill


class TestBilled:
    def test_requests_come_in_order_of_time(self, home: Home) -> None:
        lines = [answer(f"msg_{n}", timestamp=moment(n)) for n in (3, 1, 2)]
        write(home.project / "s1.jsonl", *lines)
        home.refresh()

        assert [one.request.key for one in billed(home)] == ["msg_1", "msg_2", "msg_3"]

    def test_a_copy_is_billed_in_one_file(self, home: Home) -> None:
        write(home.project / "s1.jsonl", answer("msg_1"))
        write(home.project / "s2.jsonl", answer("msg_1"), answer("msg_2"))
        home.refresh()

        assert [one.request.key for one in billed(home, "s1")] == ["msg_1"]
        assert [one.request.key for one in billed(home, "s2")] == ["msg_2"]

    def test_requests_of_every_session_in_the_file_are_told(self, home: Home) -> None:
        write(home.project / "s1.jsonl", answer("msg_1"), answer("msg_2", sessionId="s9"))
        home.refresh()

        assert [one.request.session for one in billed(home)] == ["s1", "s9"]

    def test_earlier_attempts_and_searches_are_told(self, home: Home) -> None:
        usage = {"iterations": ITERATIONS, "server_tool_use": {"web_search_requests": 2}}
        write(home.project / "s1.jsonl", answer("msg_1", usage=usage))
        home.refresh()

        (one,) = billed(home)

        assert (one.request.output_tokens, one.web_search_requests) == (10, 2)
        (attempt,) = one.attempts
        assert (attempt.model, attempt.input_tokens) == ("claude-haiku-5", 5)
        assert (attempt.output_tokens, attempt.cache_read_tokens) == (6, 7)


class TestCalls:
    def test_a_call_is_told_with_its_result(self, home: Home) -> None:
        use = tool_use("t1", "mcp__tickets__find", text="x")
        write(
            home.project / "s1.jsonl",
            answer("msg_1", content=[use], timestamp=moment(1)),
            tool_result("t1", "found", "u1", timestamp=moment(2), toolUseResult={"durationMs": 70}),
        )
        home.refresh(Want.DETAIL)

        (call,) = calls(home, "msg_1")

        assert (call.tool_use_id, call.response_key) == ("t1", "msg_1")
        assert (call.name, call.server) == ("mcp__tickets__find", "tickets")
        assert call.input_hash == text_sum(b'{"text":"x"}')
        assert call.result_hash == text_sum(b'"found"')
        assert (call.is_error, call.duration_ms) == (False, 70)
        assert call.answered_at_ms - call.called_at_ms == 60_000

    def test_a_call_without_a_result_has_no_hash_of_one(self, home: Home) -> None:
        write(home.project / "s1.jsonl", answer("msg_1", content=[tool_use("t1")]))
        home.refresh(Want.DETAIL)

        (call,) = calls(home, "msg_1")

        assert (call.result_hash, call.duration_ms, call.answered_at_ms) == (0, None, 0)

    def test_only_calls_of_responses_that_the_file_shows_are_told(self, home: Home) -> None:
        lines = [answer(f"msg_{n}", content=[tool_use(f"t{n}")]) for n in (1, 2)]
        write(home.project / "s1.jsonl", *lines)
        home.refresh(Want.DETAIL)

        assert [call.tool_use_id for call in calls(home, "msg_2", "msg_9")] == ["t2"]


class TestKeeping:
    def test_a_study_comes_back_as_it_was_kept(self, home: Home) -> None:
        home.refresh()
        with home.open() as ledger:
            ledger.studies.keep([(1, "a", b"\x00\xff"), (2, "b", b"")])
            ledger.studies.keep([(1, "c", b"\x01")])
            assert ledger.studies.kept() == {1: ("c", b"\x01"), 2: ("b", b"")}

    def test_those_of_a_session_are_those_of_its_files(self, home: Home) -> None:
        for name in ("s1", "s2"):
            write(home.project / f"{name}.jsonl", answer(f"msg_{name}", sessionId=name))
        home.refresh()
        with home.open() as ledger:
            ids = {one.file.session: one.file.file_id for one in ledger.studies.files()}
            ledger.studies.keep([(number, name, b"") for name, number in ids.items()])
            assert ledger.studies.kept("s2") == {ids["s2"]: ("s2", b"")}

    def test_one_that_fails_keeps_none(self, home: Home) -> None:
        home.refresh()
        with home.open() as ledger:
            rows = [(1, "a", b""), (2, None, b"")]
            with pytest.raises(Exception, match="NOT NULL"):
                ledger.studies.keep(rows)  # type: ignore[arg-type]
            assert ledger.studies.kept() == {}

    def test_a_rebuild_drops_those_of_files_that_are_read_again(self, home: Home) -> None:
        gone = write(home.project / "gone.jsonl", answer("msg_1"))
        write(home.project / "s1.jsonl", answer("msg_2"))
        home.refresh()
        gone.unlink()
        home.refresh()
        with home.open() as ledger:
            ids = {one.file.path: one.file.file_id for one in ledger.studies.files()}
            ledger.studies.keep([(number, "a", b"") for number in ids.values()])
        home.rebuild()

        with home.open() as ledger:
            assert set(ledger.studies.kept()) == {ids[str(gone)]}

    def test_a_passing_copy_begins_with_what_was_kept(self, home: Home) -> None:
        home.refresh()
        with home.open() as ledger:
            ledger.studies.keep([(1, "a", b"x")])
        with Ledger(TEMPORARY) as copy:
            assert copy.take_copy(str(home.ledger_path))
            assert copy.studies.kept() == {1: ("a", b"x")}
            copy.studies.keep([(2, "b", b"y")])
        with home.open() as ledger:
            assert set(ledger.studies.kept()) == {1}

    def test_what_is_saved_of_a_damaged_ledger_is_studied_again(self, home: Home) -> None:
        """Studies can be made again; what they are made of is what is worth saving."""
        write(home.project / "s1.jsonl", answer("msg_1"))
        home.refresh()
        with home.open() as ledger:
            ledger.studies.keep([(1, "a", b"x")])
        with Ledger(str(home.data / "new.db")) as ledger:
            assert ledger.take_over(str(home.ledger_path)).responses == 1
            assert ledger.studies.kept() == {}
            assert len(ledger.studies.files()) == 1

    def test_a_ledger_without_the_table_is_damaged(self, home: Home) -> None:
        home.refresh()
        with home.open() as ledger:
            ledger._connection.execute("DROP TABLE study")
            with pytest.raises(LedgerDamaged):
                ledger.studies.kept()
