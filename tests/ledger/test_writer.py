"""Pieces go in whole or not at all, once each, whoever else writes."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.ledger.builders import Home, Json, answer, encoded, write

from tokenbudget.collector.scan import plan_of, to_read
from tokenbudget.ledger.files import FileState, FileToRead, Piece, shown_path, stored_path
from tokenbudget.ledger.store import Ledger
from tokenbudget.ledger.writer import Writer
from tokenbudget.model.files import FoundFile


@pytest.fixture
def ledger(home: Home) -> Iterator[Ledger]:
    with home.open() as opened:
        yield opened


def planned(home: Home, name: str, known: FileState | None, with_detail: bool = True) -> FileToRead:
    path = home.project / name
    status = path.stat()
    found = FoundFile(str(path), status.st_size, status.st_mtime_ns, status.st_ino)
    return to_read(home.source(), found, known, False, with_detail)


def pieces(home: Home, file: FileToRead) -> list[Piece]:
    return [Piece(file, stretch) for stretch in home.source().read(plan_of(file))]


def taken(ledger: Ledger, home: Home, *what: Piece) -> Writer:
    writer = ledger.writer(home.source())
    for piece in what:
        writer.take(piece)
    writer.commit()
    return writer


def test_nothing_is_visible_before_the_commit(home: Home, ledger: Ledger) -> None:
    write(home.project / "s1.jsonl", answer("a"))
    writer = ledger.writer(home.source())
    (piece,) = pieces(home, planned(home, "s1.jsonl", None))
    writer.take(piece)
    assert home.rows("SELECT count(*) FROM file") == [(0,)]
    writer.commit()
    assert home.rows("SELECT key FROM response") == [("a",)]


def test_what_is_rolled_back_leaves_no_name_behind(home: Home, ledger: Ledger) -> None:
    write(home.project / "s1.jsonl", answer("a"))
    (piece,) = pieces(home, planned(home, "s1.jsonl", None))
    writer = ledger.writer(home.source())
    writer.take(piece)
    writer.roll_back()
    assert home.rows("SELECT count(*) FROM model") == [(0,)]
    writer.take(piece)
    writer.commit()
    assert home.rows("SELECT m.name FROM response r JOIN model m ON m.id = r.model_id") == [
        ("claude-opus-5-5",)
    ]


def test_a_piece_that_another_took_in_before_is_passed_over(home: Home, ledger: Ledger) -> None:
    write(home.project / "s1.jsonl", answer("a"))
    (piece,) = pieces(home, planned(home, "s1.jsonl", None))
    assert taken(ledger, home, piece).skipped == 0
    assert taken(ledger, home, piece).skipped == 1
    assert home.rows("SELECT lines FROM file") == [(1,)]


def test_pieces_planned_from_an_outdated_position_are_passed_over(
    home: Home, ledger: Ledger
) -> None:
    path = write(home.project / "s1.jsonl", answer("a"))
    taken(ledger, home, *pieces(home, planned(home, "s1.jsonl", None)))
    known = ledger.file_states()[str(path)]
    path.write_bytes(encoded(answer("a"), answer("b")))
    first = pieces(home, planned(home, "s1.jsonl", known))
    path.write_bytes(encoded(answer("a"), answer("b"), answer("c")))
    second = pieces(home, planned(home, "s1.jsonl", known))
    assert taken(ledger, home, *first).skipped == 0
    assert taken(ledger, home, *second).skipped == 1
    assert home.rows("SELECT lines FROM file") == [(2,)]
    home.refresh()
    assert home.rows("SELECT count(*) FROM response") == [(3,)]
    assert home.rows("SELECT lines FROM file") == [(3,)]


def test_a_rewritten_file_that_another_read_before_is_passed_over(
    home: Home, ledger: Ledger
) -> None:
    path = write(home.project / "s1.jsonl", answer("a"), answer("b"))
    taken(ledger, home, *pieces(home, planned(home, "s1.jsonl", None)))
    known = ledger.file_states()[str(path)]
    write(path, answer("c"))
    file = planned(home, "s1.jsonl", known)._replace(is_reset=True)
    (piece,) = pieces(home, file)
    assert taken(ledger, home, piece).skipped == 0
    assert taken(ledger, home, piece).skipped == 1
    assert home.rows("SELECT rereads, lines FROM file") == [(1, 1)]


def test_a_file_read_in_several_pieces_ends_where_one_piece_ends(
    home: Home, ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    reader = "tokenbudget.sources.claude_code.reader"
    monkeypatch.setattr(f"{reader}.STRETCH_BYTES", 600)
    monkeypatch.setattr(f"{reader}.BUFFER_BYTES", 500)
    path = write(home.project / "s1.jsonl", *(answer(f"a{n}") for n in range(9)))
    several = pieces(home, planned(home, "s1.jsonl", None))
    assert len(several) > 2
    for piece in several:
        taken(ledger, home, piece)
    state = ledger.file_states()[str(path)]
    assert state.usage_offset == state.detail_offset == path.stat().st_size
    assert home.rows("SELECT count(*), sum(lines) FROM response, file") == [(9, 81)]
    assert home.refresh().files_read == 0


def test_a_file_left_after_some_pieces_is_read_on_from_there(
    home: Home, ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    reader = "tokenbudget.sources.claude_code.reader"
    monkeypatch.setattr(f"{reader}.STRETCH_BYTES", 600)
    monkeypatch.setattr(f"{reader}.BUFFER_BYTES", 500)
    path = write(home.project / "s1.jsonl", *(answer(f"a{n}") for n in range(9)))
    first = pieces(home, planned(home, "s1.jsonl", None))[0]
    taken(ledger, home, first)
    assert home.refresh().bytes_read == path.stat().st_size - first.stretch.end
    assert home.rows("SELECT count(*) FROM response") == [(9,)]
    assert home.rows("SELECT lines, rereads FROM file") == [(9, 0)]


# ── how copies of one response meet in the ledger ────────────────────────────────────────────────

CORE = (
    "SELECT r.key, f.path, s.name, m.name, r.started_at_ms, r.is_sidechain, r.input_tokens,"
    " r.output_tokens, r.has_stop_reason FROM response r JOIN file f ON f.id = r.file_id"
    " JOIN session s ON s.id = r.session_id JOIN model m ON m.id = r.model_id"
)

FORKED = answer("a", 5, stop=None, timestamp="2026-11-20T10:00:00Z")
COPIED = answer("a", 70, timestamp="2026-11-20T10:00:00Z", sessionId="s2")
REPLAYED = answer("a", 9, timestamp="2026-11-20T09:00:00Z", isSidechain=True, sessionId="s3")


@pytest.mark.parametrize("order", ["123", "132", "213", "231", "312", "321"])
def test_copies_in_three_files_become_one_response_in_any_order(home: Home, order: str) -> None:
    lines: dict[str, Json] = {"1": FORKED, "2": COPIED, "3": REPLAYED}
    for number in order:
        write(home.project / f"s{number}.jsonl", lines[number])
        home.refresh()
    (row,) = home.rows(CORE)
    assert row[0] == "a"
    assert row[1] == str(home.project / "s1.jsonl")  # main thread, then time, then path
    assert row[2] == "s1"
    assert (row[5], row[7], row[8]) == (0, 70, 1)
    assert home.rows("SELECT count(*) FROM response_copy") == [(3,)]


def test_a_response_whose_usage_never_came_is_unknown_and_not_zero(home: Home) -> None:
    without = answer("a")
    without["message"]["usage"] = None
    path = write(home.project / "s1.jsonl", without)
    home.refresh()
    assert home.rows("SELECT input_tokens, output_tokens FROM response") == [(None, None)]
    path.write_bytes(path.read_bytes() + encoded(answer("a", uuid="later")))
    home.refresh()
    assert home.rows("SELECT input_tokens, output_tokens FROM response") == [(3, 10)]


def test_attempts_are_kept_with_the_model_that_made_each(home: Home) -> None:
    tried = [
        {"input_tokens": 7, "output_tokens": 50, "model": "claude-haiku-5-5"},
        {"input_tokens": 3, "output_tokens": 10},
    ]
    write(home.project / "s1.jsonl", answer("a", 10, usage={"iterations": tried}))
    for _ in range(2):
        home.refresh()
        later_copy = answer("a", 10, usage={"iterations": tried}, sessionId="s2")
        write(home.project / "s2.jsonl", later_copy)
    assert home.rows(
        "SELECT m.name, i.output_tokens FROM response_iteration i JOIN model m ON m.id = i.model_id"
    ) == [("claude-haiku-5-5", 50)]
    by_model = home.counts().by_model
    assert by_model["claude-haiku-5-5"].output_tokens == 50
    assert by_model["claude-opus-5-5"].output_tokens == 10


def test_more_responses_than_one_flush_holds_are_all_kept(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tokenbudget.ledger.responses._FLUSH_RESPONSES", 4)
    monkeypatch.setattr("tokenbudget.ledger.responses._KEYS_PER_QUERY", 3)
    for name in ("s1", "s2"):
        for part in range(3):
            lines = (answer(f"a{n}", 10 + part) for n in range(part, 11))
            write(home.project / f"{name}-{part}.jsonl", *lines)
    home.refresh()
    told = dict(home.rows("SELECT key, output_tokens FROM response"))
    assert told == {f"a{n}": 10 + min(n, 2) for n in range(11)}


@pytest.mark.parametrize("path", ["/plain", "/umlaut-ä", "/broken-\udce9"])
def test_any_path_comes_back_as_it_was(path: str) -> None:
    assert shown_path(stored_path(path)) == path
