"""Tools, words, attachments, compactions: joined by the agent's ids, once each, in their place."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.ledger.builders import (
    Home,
    answer,
    append,
    attachment,
    compaction,
    everything,
    later,
    prompt,
    tool_result,
    tool_use,
    write,
)

from tokenbudget.collector.ingest import Want
from tokenbudget.ledger.store import Ledger
from tokenbudget.sources.claude_code.bodies import LiveTranscripts

CALL = answer("a", content=[tool_use("t1", file_path="/home/dev/shop/a.py")])
RESULT = tool_result("t1", "twelve bytes", "u1", toolUseResult={"durationMs": 40})

JOINED = (
    "SELECT c.tool_use_id, r.key, t.name, c.target, c.input_bytes > 0, c.result_bytes,"
    " c.duration_ms FROM tool_call c LEFT JOIN response r ON r.id = c.response_id"
    " LEFT JOIN tool t ON t.id = c.tool_id"
)
WHOLE = [("t1", "a", "Read", "/home/dev/shop/a.py", 1, 14, 40)]


def test_a_call_and_its_result_in_one_read_are_one_row(home: Home) -> None:
    write(home.project / "s1.jsonl", CALL, RESULT)
    home.refresh()
    assert home.rows(JOINED) == WHOLE


def test_a_result_that_comes_with_a_later_read_finds_its_call(home: Home) -> None:
    path = write(home.project / "s1.jsonl", CALL)
    home.refresh()
    append(path, RESULT)
    home.refresh()
    assert home.rows(JOINED) == WHOLE


def test_a_result_that_is_read_before_its_call_waits_for_it(home: Home) -> None:
    write(home.project / "fork.jsonl", RESULT)
    home.refresh()
    assert home.rows(JOINED) == [("t1", None, None, None, None, 14, 40)]
    write(home.project / "s1.jsonl", CALL)
    home.refresh()
    assert home.rows(JOINED) == WHOLE


def test_a_fork_that_repeats_both_adds_nothing(home: Home) -> None:
    write(home.project / "s1.jsonl", CALL, RESULT)
    home.refresh()
    write(home.project / "s2.jsonl", *({**line, "sessionId": "s2"} for line in (CALL, RESULT)))
    home.refresh()
    assert home.rows(JOINED) == WHOLE
    files = home.rows("SELECT DISTINCT call_file_id, result_file_id FROM tool_call")
    assert files == home.rows("SELECT id, id FROM file WHERE session = 's1'")


@pytest.mark.parametrize("names", [("s1", "s2"), ("s2", "s1")])
def test_of_two_copies_of_a_call_the_earliest_stays_in_any_order(
    home: Home, names: tuple[str, str]
) -> None:
    stamps = {"s1": "2026-11-20T10:00:00Z", "s2": "2026-11-20T09:00:00Z"}
    for name in names:
        write(home.project / f"{name}.jsonl", {**CALL, "timestamp": stamps[name]})
        home.refresh()
    assert home.rows("SELECT f.session FROM tool_call c JOIN file f ON f.id = c.call_file_id") == [
        ("s2",)
    ]


def test_the_server_of_an_mcp_tool_is_known(home: Home) -> None:
    uses = [tool_use("t1", "mcp__crm__find"), tool_use("t2", "Bash")]
    write(home.project / "s1.jsonl", answer("a", content=uses))
    home.refresh()
    assert home.rows("SELECT name, mcp_server FROM tool ORDER BY name") == [
        ("Bash", None),
        ("mcp__crm__find", "crm"),
    ]


def all_kinds(path: Path) -> Path:
    return write(
        path,
        prompt("please", "u0"),
        CALL,
        RESULT,
        attachment("u2", "remember"),
        compaction("u3", 150_000),
        answer(
            "b", content=[{"type": "thinking", "thinking": "so"}, {"type": "text", "text": "x"}]
        ),
    )


def test_reading_a_file_again_adds_no_event(home: Home) -> None:
    path = all_kinds(home.project / "s1.jsonl")
    home.refresh()
    before = everything(home)
    later(path)
    home.refresh()
    assert home.rows("SELECT rereads FROM file") == [(1,)]
    assert everything(home) == before


def test_a_copy_of_a_file_adds_no_event(home: Home) -> None:
    all_kinds(home.project / "s1.jsonl")
    home.refresh()
    before = everything(home)
    all_kinds(home.project / "s2.jsonl")
    home.refresh()
    after = everything(home)
    assert (after["events"], after["words"]) == (before["events"], before["words"])


PLACES = """
SELECT f.path, c.byte_offset, c.uuid FROM content c JOIN file f ON f.id = c.file_id
UNION ALL SELECT f.path, a.byte_offset, a.uuid FROM attachment a JOIN file f ON f.id = a.file_id
UNION ALL SELECT f.path, k.byte_offset, k.uuid FROM compaction k JOIN file f ON f.id = k.file_id
UNION ALL SELECT f.path, c.call_offset, c.tool_use_id
    FROM tool_call c JOIN file f ON f.id = c.call_file_id
UNION ALL SELECT f.path, c.result_offset, c.tool_use_id
    FROM tool_call c JOIN file f ON f.id = c.result_file_id
UNION ALL SELECT f.path, r.byte_offset, r.key FROM response r JOIN file f ON f.id = r.file_id
"""


def test_at_every_place_stands_the_line_that_was_decoded(full_home: Home) -> None:
    """Also in files with a byte order mark, CRLF, blank and malformed lines."""
    full_home.refresh(Want.DETAIL)
    bodies = LiveTranscripts()
    places = full_home.rows(PLACES)
    assert len(places) > 1000
    for path, offset, identity in places:
        line = bodies.line(path, offset)
        assert line is not None
        assert identity.encode() in line
        json.loads(line.removeprefix(b"\xef\xbb\xbf"))


def test_places_are_right_again_after_a_line_was_put_in_front(home: Home) -> None:
    path = all_kinds(home.project / "s1.jsonl")
    home.refresh()
    data = path.read_bytes()
    write(path, prompt("before all", "u9"))
    path.write_bytes(path.read_bytes() + data)
    home.refresh()
    bodies = LiveTranscripts()
    for found, offset, identity in home.rows(PLACES):
        line = bodies.line(found, offset)
        assert line is not None
        assert line.startswith(b"{")
        assert identity.encode() in line


# ── what is asked of a session ───────────────────────────────────────────────────────────────────


def test_a_session_is_told_with_its_tools_compactions_and_first_prompt(home: Home) -> None:
    path = all_kinds(home.project / "s1.jsonl")
    home.refresh()
    with home.open() as ledger:
        (session,) = ledger.sessions()
        assert (session.session, session.project, session.is_gone) == ("s1", "/home/dev/shop", 0)
        (tool,) = ledger.tools_of("s1")
        assert (tool.tool, tool.calls, tool.result_bytes, tool.duration_ms) == ("Read", 1, 14, 40)
        assert [c[1:] for c in ledger.compactions_of("s1")] == [("compact", "auto", 150_000)]
        assert ledger.first_prompt("s1") == (str(path), 0)
        assert ledger.first_prompt("s9") is None


def test_the_context_of_a_session_is_that_of_its_last_main_response(home: Home) -> None:
    write(
        home.project / "s1.jsonl",
        answer("a", 10, timestamp="2026-11-20T10:00:00Z"),
        answer("b", 20, timestamp="2026-11-20T11:00:00Z"),
        answer("c", 99, timestamp="2026-11-20T12:00:00Z", isSidechain=True),
    )
    home.refresh()
    with home.open() as ledger:
        context = ledger.last_context("s1")
        assert context is not None
        assert context[:2] == ("claude-opus-5-5", 3 + 60 + 40 + 1000 + 20)
        assert ledger.subagent_tokens("s1") == 3 + 60 + 40 + 1000 + 99
        assert ledger.last_context("s9") is None
        assert ledger.subagent_tokens("s9") == 0


def test_a_report_counts_what_is_doubtful(home: Home) -> None:
    write(home.project / "s1.jsonl", b"no json", b"", CALL, answer("b", stop=None, timestamp=None))
    home.refresh()
    with home.open() as ledger:
        report = ledger.file_report()
        assert (report.files, report.lines, report.malformed_lines, report.blank_lines) == (
            1, 4, 1, 1,
        )  # fmt: skip
        assert (report.responses, report.low_confidence_responses, report.undated_responses) == (
            2, 1, 1,
        )  # fmt: skip
        (problem,) = ledger.problems(5)
        assert (problem.path, problem.byte_offset) == (str(home.project / "s1.jsonl"), 0)
        (doubtful,) = ledger.low_confidence()
        assert (doubtful.model, doubtful.responses) == ("claude-opus-5-5", 1)
        assert ledger.copy_sums().low_confidence_tokens == 10


def test_the_last_word_on_a_session_wins_and_its_first_folder_stays(home: Home) -> None:
    write(
        home.project / "s1.jsonl",
        answer("b", timestamp="2026-11-20T11:00:00Z", gitBranch="new", cwd="/later"),
    )
    home.refresh()
    write(
        home.project / "s1-old.jsonl",
        answer("a", timestamp="2026-11-20T10:00:00Z", gitBranch="old", cwd="/first"),
        {"type": "custom-title", "customTitle": "A title", "sessionId": "s1"},
    )
    home.refresh()
    assert session_facts(home.open()) == ("new", "/first", "A title")


def session_facts(ledger: Ledger) -> tuple[str, str, str]:
    with ledger:
        (row,) = ledger.sessions()
    return row.git_branch, row.cwd, row.title
