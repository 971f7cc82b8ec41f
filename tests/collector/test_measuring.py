"""What fills the windows of a transcript is counted once, however the transcript grew."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.ledger.builders import (
    Home,
    Json,
    answer,
    append,
    encoded,
    later,
    prompt,
    tool_result,
    tool_use,
    write,
)

from tokenbudget.collector.ingest import Want
from tokenbudget.collector.measuring import RULES, Measurer
from tokenbudget.ledger.store import Ledger
from tokenbudget.ledger.windows import PieceRow, WindowFile
from tokenbudget.model import window
from tokenbudget.model.window import Piece, Placed, RebuiltRequest
from tokenbudget.sources.claude_code.source import ClaudeCode

FEW = settings(
    deadline=None,
    max_examples=25,
    database=None,
    suppress_health_check=[HealthCheck.too_slow],
)
"""Every example opens ledgers of its own."""


class WordCounter:
    """A vocabulary in which every word is a token; remembers what it counted."""

    name = "words"

    def __init__(self) -> None:
        self.counted: list[str] = []

    def count(self, text: str) -> int:
        self.counted.append(text)
        return len(text.split())


class Loader:
    """Loads a counter, and tells how often it was asked to and what was counted since."""

    def __init__(self) -> None:
        self.loaded = 0
        self.counter = WordCounter()

    def __call__(self) -> WordCounter:
        self.loaded += 1
        return self.counter

    def take_counted(self) -> list[str]:
        found, self.counter.counted = self.counter.counted, []
        return found


class Failing(ClaudeCode):
    """Transcripts that break off, or cannot be opened."""

    def __init__(self, home: str, pieces_before: int) -> None:
        super().__init__(home)
        self.pieces_before = pieces_before

    def window(self, path: str, since: int = 0) -> Iterator[Placed]:
        for number, placed in enumerate(super().window(path)):
            if number >= self.pieces_before:
                raise OSError(5, "Input/output error")
            yield placed


def ignore(done: int, total: int) -> None:
    """Progress that nobody watches."""


def bring_up_to_date(
    home: Home, load: Loader, source: ClaudeCode | None = None, name: str = "words"
) -> int:
    """Refresh the ledger and count every file in it, as a command would."""
    home.refresh()
    with home.open() as ledger:
        measurer = Measurer(ledger, source or ClaudeCode(str(home.root)), load, name)
        return measurer.bring_up_to_date(every_file(ledger), ignore)


def every_file(ledger: Ledger) -> list[WindowFile]:
    """All files of the sessions that these tests write, those that are gone among them."""
    return [file for name in ("s1", "s2") for file in ledger.windows.files_of_session(name)]


def kept(home: Home) -> dict[str, list[PieceRow]]:
    """The counted pieces by file."""
    with home.open() as ledger:
        return {
            Path(file.path).name: ledger.windows.pieces(file.file_id) for file in every_file(ledger)
        }


def texts(*lines: Json) -> list[str]:
    """The words of prompts and plain answers."""
    contents = [line["message"]["content"] for line in lines]
    return [one if isinstance(one, str) else one[0]["text"] for one in contents]


FIRST = [prompt("One two.", "u1"), answer("msg_1")]
SECOND = [prompt("Three four five.", "u2"), answer("msg_2")]


@pytest.fixture
def load() -> Loader:
    return Loader()


@pytest.fixture
def transcript(home: Home) -> Path:
    return write(home.project / "s1.jsonl", *FIRST)


# ── counting once ─────────────────────────────────────────────────────────────────────────────────


def test_every_piece_is_kept_with_its_count(home: Home, transcript: Path, load: Loader) -> None:
    assert bring_up_to_date(home, load) == 1
    first, second = kept(home)["s1.jsonl"]
    assert (first.kind, first.link, first.size_bytes) == (window.PROMPT, "", 8)
    assert (first.measure.bpe_tokens, first.measure.upper_bytes) == (2, 1)
    assert (second.kind, second.link, second.measure.bpe_tokens) == (window.TEXT, "msg_1", 3)
    assert second.byte_offset == len(encoded(FIRST[0]))


def test_what_was_counted_is_not_counted_again(home: Home, transcript: Path, load: Loader) -> None:
    bring_up_to_date(home, load)
    again = Loader()
    assert bring_up_to_date(home, again) == 0
    assert (again.loaded, again.counter.counted) == (0, [])


def test_a_counter_is_loaded_once_for_all_files(home: Home, transcript: Path, load: Loader) -> None:
    write(home.project / "s2.jsonl", *SECOND)
    assert bring_up_to_date(home, load) == 2
    assert load.loaded == 1


def test_the_same_measurer_counts_nothing_twice(home: Home, transcript: Path, load: Loader) -> None:
    home.refresh()
    with home.open() as ledger:
        measurer = Measurer(ledger, ClaudeCode(str(home.root)), load, "words")
        assert not measurer.is_fresh(every_file(ledger)[0])
        measurer.bring_up_to_date(every_file(ledger), ignore)
        assert measurer.is_fresh(every_file(ledger)[0])
        assert measurer.bring_up_to_date(every_file(ledger), ignore) == 0


def test_only_new_lines_are_counted(home: Home, transcript: Path, load: Loader) -> None:
    bring_up_to_date(home, load)
    assert load.take_counted() == texts(*FIRST)
    append(transcript, *SECOND)
    assert bring_up_to_date(home, load) == 1
    assert load.take_counted() == texts(*SECOND)
    assert [row.kind for row in kept(home)["s1.jsonl"]] == [window.PROMPT, window.TEXT] * 2


def test_a_result_is_named_after_a_call_that_was_counted_before(
    home: Home, transcript: Path, load: Loader
) -> None:
    append(transcript, answer("msg_2", content=[tool_use("t1", "Read", file_path="a.py")]))
    bring_up_to_date(home, load)
    append(transcript, tool_result("t1", "x = 1", "u2"))
    bring_up_to_date(home, load)
    result = kept(home)["s1.jsonl"][-1]
    assert (result.kind, result.name, result.target) == (window.TOOL_RESULT, "Read", "a.py")


def test_half_a_line_is_counted_when_it_is_whole(
    home: Home, transcript: Path, load: Loader
) -> None:
    whole = encoded(*SECOND)
    with transcript.open("ab") as file:
        file.write(whole[:50])
    bring_up_to_date(home, load)
    assert load.take_counted() == texts(*FIRST)
    with transcript.open("ab") as file:
        file.write(whole[50:])
    bring_up_to_date(home, load)
    assert load.take_counted() == texts(*SECOND)


def test_progress_ends_at_the_whole(home: Home, transcript: Path, load: Loader) -> None:
    second = write(home.project / "s2.jsonl", *SECOND)
    home.refresh()
    seen: list[tuple[int, int]] = []
    with home.open() as ledger:
        measurer = Measurer(ledger, ClaudeCode(str(home.root)), load, "words")
        measurer.bring_up_to_date(every_file(ledger), lambda *now: seen.append(now))
    sizes = transcript.stat().st_size, second.stat().st_size
    assert seen == [(sizes[0], sum(sizes)), (sum(sizes), sum(sizes))]


# ── when all is counted anew ──────────────────────────────────────────────────────────────────────


def test_a_rewritten_file_is_counted_anew(home: Home, transcript: Path, load: Loader) -> None:
    bring_up_to_date(home, load)
    load.take_counted()
    write(transcript, *SECOND, *FIRST)
    later(transcript)
    assert bring_up_to_date(home, load) == 1
    assert load.take_counted() == texts(*SECOND, *FIRST)
    assert len(kept(home)["s1.jsonl"]) == 4


def test_a_file_that_was_cut_is_counted_anew(home: Home, transcript: Path, load: Loader) -> None:
    append(transcript, *SECOND)
    bring_up_to_date(home, load)
    load.take_counted()
    write(transcript, *FIRST)
    later(transcript)
    bring_up_to_date(home, load)
    assert load.take_counted() == texts(*FIRST)
    assert len(kept(home)["s1.jsonl"]) == 2


def test_another_counter_counts_anew(home: Home, transcript: Path, load: Loader) -> None:
    bring_up_to_date(home, load)
    load.take_counted()
    assert bring_up_to_date(home, load, name="other words") == 1
    assert load.take_counted() == texts(*FIRST)
    assert home.rows("SELECT counter FROM measured_file") == [(f"other words/{RULES}",)]
    assert len(kept(home)["s1.jsonl"]) == 2


def test_other_rules_count_anew(
    home: Home, transcript: Path, load: Loader, monkeypatch: pytest.MonkeyPatch
) -> None:
    bring_up_to_date(home, load)
    monkeypatch.setattr("tokenbudget.collector.measuring.RULES", RULES + 1)
    assert bring_up_to_date(home, load) == 1


def test_a_file_that_was_only_touched_keeps_its_pieces(
    home: Home, transcript: Path, load: Loader
) -> None:
    bring_up_to_date(home, load)
    load.take_counted()
    before = kept(home)
    later(transcript)
    bring_up_to_date(home, load)
    assert load.take_counted() == []
    assert kept(home) == before


def test_a_rebuilt_ledger_counts_anew(home: Home, transcript: Path, load: Loader) -> None:
    bring_up_to_date(home, load)
    before = kept(home)
    home.rebuild()
    assert kept(home) == {"s1.jsonl": []}
    assert bring_up_to_date(home, load) == 1
    assert kept(home) == before


# ── files that are gone or cannot be read ─────────────────────────────────────────────────────────


def test_a_file_that_is_gone_keeps_its_pieces(home: Home, transcript: Path, load: Loader) -> None:
    bring_up_to_date(home, load)
    before = kept(home)
    transcript.unlink()
    again = Loader()
    assert bring_up_to_date(home, again) == 0
    assert again.loaded == 0
    assert kept(home) == before


def test_a_file_that_vanishes_between_two_looks_keeps_its_pieces(
    home: Home, transcript: Path, load: Loader
) -> None:
    bring_up_to_date(home, load)
    before = kept(home)
    append(transcript, *SECOND)
    home.refresh()
    with home.open() as ledger:
        files = every_file(ledger)
        transcript.unlink()
        measurer = Measurer(ledger, ClaudeCode(str(home.root)), load, "words")
        measurer.bring_up_to_date(files, ignore)
    assert kept(home) == before


@pytest.mark.parametrize("pieces_before", [0, 3])
def test_a_file_that_cannot_be_read_keeps_what_was_counted(
    home: Home, transcript: Path, load: Loader, pieces_before: int
) -> None:
    bring_up_to_date(home, load)
    before = kept(home)
    append(transcript, *SECOND)
    bring_up_to_date(home, load, Failing(str(home.root), pieces_before))
    assert kept(home) == before
    bring_up_to_date(home, load)
    assert len(kept(home)["s1.jsonl"]) == 4


def test_a_file_that_cannot_be_read_does_not_hide_the_others(
    home: Home, transcript: Path, load: Loader
) -> None:
    write(home.project / "s2.jsonl", *SECOND)
    home.refresh()
    with home.open() as ledger:
        files = every_file(ledger)
        transcript.unlink()
        measurer = Measurer(ledger, ClaudeCode(str(home.root)), load, "words")
        measurer.bring_up_to_date(files, ignore)
    assert load.take_counted() == texts(*SECOND)


# ── the ledger meanwhile and afterwards ───────────────────────────────────────────────────────────


def names(ledger: Ledger) -> list[str]:
    return list(ledger.names("model").values())


def test_the_ledger_is_held_still_afterwards(home: Home, transcript: Path, load: Loader) -> None:
    home.refresh()
    with home.open() as ledger:
        ledger.hold_still()
        measurer = Measurer(ledger, ClaudeCode(str(home.root)), load, "words")
        measurer.bring_up_to_date(every_file(ledger), ignore)
        before = names(ledger)
        append(transcript, answer("msg_2", model="another-model"))
        home.refresh()
        assert names(ledger) == before
        ledger.let_go()
        assert "another-model" in names(ledger)


def test_where_nothing_is_new_the_ledger_is_not_let_go(
    home: Home, transcript: Path, load: Loader
) -> None:
    bring_up_to_date(home, load)
    with home.open() as ledger:
        ledger.hold_still()
        files, before = every_file(ledger), names(ledger)
        append(transcript, answer("msg_2", model="another-model"))
        home.refresh()
        measurer = Measurer(ledger, ClaudeCode(str(home.root)), load, "words")
        assert measurer.bring_up_to_date(files, ignore) == 0
        assert names(ledger) == before


def test_two_that_count_the_same_file_keep_every_piece_once(
    home: Home, transcript: Path, load: Loader
) -> None:
    home.refresh()
    with home.open() as one, home.open() as other:
        known = every_file(one)
        for ledger in (one, other):
            measurer = Measurer(ledger, ClaudeCode(str(home.root)), load, "words")
            measurer.bring_up_to_date(known, ignore)
    assert len(kept(home)["s1.jsonl"]) == 2


def test_a_file_that_grew_since_the_ledger_looked_is_counted_once(
    home: Home, transcript: Path, load: Loader
) -> None:
    home.refresh()
    with home.open() as ledger:
        files = every_file(ledger)
        append(transcript, *SECOND)
        measurer = Measurer(ledger, ClaudeCode(str(home.root)), load, "words")
        measurer.bring_up_to_date(files, ignore)
    later(transcript)
    bring_up_to_date(home, load)
    assert load.take_counted() == texts(*FIRST, *SECOND)
    assert len(kept(home)["s1.jsonl"]) == 4


# ── what the client recorded of a request ─────────────────────────────────────────────────────────


class Recorded(ClaudeCode):
    """Transcripts in which one request is recorded."""

    def rebuilt(self, path: str, response_key: str) -> RebuiltRequest | None:
        if response_key != "msg_1":
            return None
        if not Path(path).exists():
            raise FileNotFoundError(path)
        found = [Piece(window.PROMPT, "", "", "One two.", 8), Piece(window.FRAME, "", "", "", 40)]
        return RebuiltRequest(found, True, True, 0, 0)


def test_the_pieces_of_a_recorded_request_are_counted(
    home: Home, transcript: Path, load: Loader
) -> None:
    home.refresh()
    with home.open() as ledger:
        (file,) = every_file(ledger)
        found = Measurer(ledger, Recorded(""), load, "words").rebuilt(file, "msg_1")
    assert found is not None
    assert [piece.kind for piece in found.request.pieces] == [window.PROMPT, window.FRAME]
    assert [measure.bpe_tokens for measure in found.measures] == [2, 0]


def test_a_request_that_was_not_recorded_loads_no_counter(
    home: Home, transcript: Path, load: Loader
) -> None:
    home.refresh()
    with home.open() as ledger:
        (file,) = every_file(ledger)
        measurer = Measurer(ledger, Recorded(""), load, "words")
        assert measurer.rebuilt(file, "msg_9") is None
        transcript.unlink()
        assert measurer.rebuilt(file, "msg_1") is None
    assert load.loaded == 0


# ── however it grew ───────────────────────────────────────────────────────────────────────────────

LONG_TALK = encoded(
    prompt("One two.", "u1", parentUuid=None),
    answer("msg_1", content=[{"type": "thinking", "thinking": "Hm hm."}], uuid="a1"),
    answer("msg_1", content=[tool_use("t1", "Read", file_path="a.py")], uuid="a2"),
    tool_result("t1", "x = 1", "u2"),
    answer("msg_2", uuid="a3"),
    b"\xff damaged",
    prompt("One two, but better.", "u3", parentUuid="a2"),
    answer("msg_3", uuid="a4", isSidechain=True, agentId="a7"),
    answer("msg_4", uuid="a5"),
    prompt("One two.", "u1"),
    prompt("So far so good.", "u4", isCompactSummary=True),
)


def grown(home: Home, ends: Sequence[int], want: Want = Want.USAGE) -> list[PieceRow]:
    """The pieces of a transcript that was counted whenever it had reached one of these ends."""
    load, path = Loader(), home.project / "s1.jsonl"
    for begin, end in pairwise((0, *ends)):
        with path.open("ab") as file:
            file.write(LONG_TALK[begin:end])
        later(path, 1)
        home.refresh(want)
        bring_up_to_date(home, load)
    counted = [row for row in kept(home)["s1.jsonl"] if row.measure.bpe_tokens]
    assert len(load.counter.counted) == len(counted)  # nothing twice
    return kept(home)["s1.jsonl"]


@FEW
@given(st.lists(st.integers(0, len(LONG_TALK)), max_size=5))
def test_however_a_transcript_grew_it_has_the_same_pieces(ends: list[int]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        whole = len(LONG_TALK)
        at_once = grown(Home(Path(folder, "once")), [whole])
        assert grown(Home(Path(folder, "often")), [*sorted(ends), whole]) == at_once


def test_every_transcript_of_the_sample_is_counted_with_an_end(full_home: Home) -> None:
    full_home.refresh()
    load = Loader()
    with full_home.open() as ledger:
        measurer = Measurer(ledger, ClaudeCode(str(full_home.root)), load, "words")
        files = ledger.windows.all_files()
        assert measurer.bring_up_to_date(files, ignore) == len(files)
    sizes = full_home.rows(
        "SELECT measured_bytes, detail_offset FROM measured_file m JOIN file f ON f.id = m.file_id"
    )
    assert len(sizes) == len(files)
    assert all(measured == read for measured, read in sizes)
    kinds = {kind for (kind,) in full_home.rows("SELECT DISTINCT kind FROM piece")}
    assert {window.PROMPT, window.TEXT, window.TOOL_RESULT, window.COMPACTED} <= kinds
    assert window.END not in kinds


# ── beside other processes, and clocks that stand still ───────────────────────────────────────────


def test_a_rebuild_while_it_counts_costs_no_piece(
    home: Home, transcript: Path, load: Loader
) -> None:
    bring_up_to_date(home, load)
    append(transcript, *SECOND)
    later(transcript)
    home.refresh()
    with home.open() as ledger:
        files = every_file(ledger)
        home.rebuild()
        Measurer(ledger, ClaudeCode(str(home.root)), load, "words").bring_up_to_date(files, ignore)
    bring_up_to_date(home, load)
    assert len(kept(home)["s1.jsonl"]) == 4


def test_growth_within_one_tick_of_the_clock_is_counted(
    home: Home, transcript: Path, load: Loader
) -> None:
    bring_up_to_date(home, load)
    before = transcript.stat().st_mtime_ns
    append(transcript, *SECOND)
    os.utime(transcript, ns=(before, before))
    assert bring_up_to_date(home, load) == 1
    assert len(kept(home)["s1.jsonl"]) == 4


def test_a_file_without_a_whole_line_loads_no_counter(home: Home, load: Loader) -> None:
    write(home.project / "s1.jsonl").write_bytes(b'{"type":"us')
    bring_up_to_date(home, load)
    assert load.loaded == 0


def test_a_fault_of_the_counter_leaves_the_ledger_held_still(home: Home, transcript: Path) -> None:
    def broken() -> WordCounter:
        raise RuntimeError("no vocabulary")

    home.refresh()
    with home.open() as ledger:
        measurer = Measurer(ledger, ClaudeCode(str(home.root)), broken, "words")
        ledger.hold_still()
        with pytest.raises(RuntimeError, match="no vocabulary"):
            measurer.bring_up_to_date(every_file(ledger), ignore)
        ledger.let_go()
        assert ledger.windows.measured_files() == []
