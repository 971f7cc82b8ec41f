"""Reading everything again never loses what only the ledger knows."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.ledger.builders import (
    Home,
    answer,
    append,
    counts_of,
    everything,
    later,
    patched_source,
    tool_result,
    tool_use,
    write,
)

from sample_sessions import Truth
from tokenbudget.collector.ingest import Want
from tokenbudget.model.events import ReadPlan, Stretch


def outputs(home: Home) -> dict[str, int]:
    return dict(home.rows("SELECT key, output_tokens FROM response"))


def test_a_rebuild_of_an_untouched_home_changes_nothing(full_home: Home, truth: Truth) -> None:
    full_home.refresh(Want.DETAIL)
    before = everything(full_home)
    outcome = full_home.rebuild()
    assert outcome.files_read == truth.files
    assert everything(full_home) == before
    assert full_home.refresh().files_read == 0


def test_usage_outlives_every_transcript(full_home: Home, truth: Truth) -> None:
    full_home.refresh()
    for path in full_home.files():
        path.unlink()
    full_home.refresh()
    assert full_home.counts() == counts_of(truth)
    gone = full_home.rows("SELECT count(*) FROM file WHERE gone_at_ms IS NOT NULL")
    assert gone == [(truth.files,)]


def test_usage_without_any_transcript_outlives_a_rebuild(full_home: Home, truth: Truth) -> None:
    full_home.refresh()
    for path in full_home.files():
        path.unlink()
    done = full_home.run("doctor", "--rebuild")
    assert (done.returncode, done.stderr) == (0, "")
    assert full_home.counts() == counts_of(truth)
    gone = full_home.rows("SELECT count(*) FROM file WHERE gone_at_ms IS NOT NULL")
    assert gone == [(truth.files,)]


@pytest.mark.parametrize("seed", range(6))
def test_usage_of_a_half_deleted_home_outlives_a_rebuild(
    full_home: Home, truth: Truth, seed: int
) -> None:
    full_home.refresh(Want.DETAIL)
    files = full_home.files()
    for path in random.Random(seed).sample(files, len(files) // 2):
        path.unlink()
    full_home.rebuild()
    assert full_home.counts() == counts_of(truth)
    full_home.refresh(Want.DETAIL)
    assert full_home.counts() == counts_of(truth)


def test_a_rebuild_before_the_second_pass_reads_the_detail_too(
    full_home: Home, truth: Truth, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr("tokenbudget.collector.ingest.INLINE_DETAIL_BYTES", 1)
        assert full_home.refresh().lagging_bytes > 0
    full_home.rebuild()
    assert full_home.refresh().lagging_bytes == 0
    assert full_home.counts() == counts_of(truth)


def test_the_final_count_of_a_deleted_copy_outlives_a_rebuild(home: Home) -> None:
    write(home.project / "partial.jsonl", answer("a", 5, stop=None))
    final = write(home.project / "final.jsonl", answer("a", 700))
    home.refresh()
    final.unlink()
    home.rebuild()
    assert home.rows("SELECT output_tokens, has_stop_reason FROM response") == [(700, 1)]


def test_a_wrong_count_of_a_present_transcript_is_put_right(home: Home) -> None:
    write(home.project / "s1.jsonl", answer("a"))
    home.refresh()
    with home.open() as ledger:
        ledger._connection.execute("UPDATE response SET output_tokens = 10000000")
        ledger._connection.execute("INSERT INTO rollup_stale SELECT DISTINCT hour FROM rollup")
    home.rebuild()
    assert outputs(home) == {"a": 10}


def test_what_was_cut_off_a_present_transcript_outlives_a_rebuild(home: Home) -> None:
    path = write(home.project / "s1.jsonl", answer("a"), answer("b"))
    home.refresh()
    write(path, answer("a"))
    later(path)
    home.refresh()
    home.rebuild()
    home.rebuild()
    assert outputs(home) == {"a": 10, "b": 10}


def test_what_was_cut_off_just_before_a_rebuild_outlives_it(home: Home) -> None:
    path = write(home.project / "s1.jsonl", answer("a"), answer("b"))
    home.refresh()
    write(path, answer("a"))
    later(path)
    for _ in range(2):
        home.rebuild()
        assert outputs(home) == {"a": 10, "b": 10}
    assert home.rows("SELECT rereads FROM file") == [(1,)]


def test_a_transcript_that_vanishes_during_a_rebuild_keeps_its_usage(home: Home) -> None:
    first = write(home.project / "s1.jsonl", answer("a"))
    write(home.project / "s2.jsonl", answer("b"))
    home.refresh()

    def vanishing(real: Callable[[ReadPlan], Iterator[Stretch]], plan: ReadPlan) -> object:
        if plan.path == str(first):
            first.unlink(missing_ok=True)
        return real(plan)

    with patched_source(home, read=vanishing) as source:
        assert home.rebuild(source).unreadable == []
    assert outputs(home) == {"a": 10, "b": 10}


def test_a_transcript_that_cannot_be_read_in_a_rebuild_keeps_its_usage(home: Home) -> None:
    first = write(home.project / "s1.jsonl", answer("a"))
    write(home.project / "s2.jsonl", answer("b"))
    home.refresh()

    def failing(real: Callable[[ReadPlan], Iterator[Stretch]], plan: ReadPlan) -> object:
        if plan.path == str(first):
            raise OSError(5, "Input/output error")
        return real(plan)

    with patched_source(home, read=failing) as source:
        assert home.rebuild(source).unreadable == [(str(first), "Input/output error")]
    assert outputs(home) == {"a": 10, "b": 10}
    with home.open() as ledger:
        assert [p.reason for p in ledger.problems(5)] == ["Input/output error"]


def test_no_tool_call_refers_to_a_response_that_is_not_its_own(home: Home) -> None:
    """Numbers of voided responses are given out again: nothing may still refer to them."""
    write(home.project / "s0.jsonl", answer("z"), answer("y"))
    called = write(home.project / "s1.jsonl", answer("a", content=[tool_use("t1")]))
    result = write(home.project / "s2.jsonl", tool_result("t1", "text", "u1"))
    home.refresh()
    result.unlink()
    write(called, answer("b"))  # the call's line is not there any more
    with home.open() as ledger:
        ledger.begin_rebuild([str(path) for path in home.files()])
        rows = ledger._connection.execute("SELECT tool_use_id, response_id FROM tool_call")
        assert rows.fetchall() == [("t1", None)]
        ledger.abandon_rebuild()


def test_an_abandoned_rebuild_leaves_the_ledger_as_it_was(full_home: Home) -> None:
    full_home.refresh(Want.DETAIL)
    before = everything(full_home)
    with full_home.open() as ledger:
        ledger.begin_rebuild([str(path) for path in full_home.files()])
        ledger.abandon_rebuild()
        ledger.begin_rebuild([])  # its own tables are gone as well
        ledger.abandon_rebuild()
    assert everything(full_home) == before


def test_a_transcript_that_came_during_the_rebuild_is_read_after_it(home: Home) -> None:
    path = write(home.project / "s1.jsonl", answer("a"))
    home.refresh()

    def growing(real: Callable[[ReadPlan], Iterator[Stretch]], plan: ReadPlan) -> object:
        append(path, answer("b"))
        write(home.project / "s2.jsonl", answer("c"))
        return real(plan)

    with patched_source(home, read=growing) as source:
        home.rebuild(source)
    home.refresh()
    assert outputs(home) == {"a": 10, "b": 10, "c": 10}


def test_files_seen_for_the_first_time_by_a_rebuild_are_read(home: Home, tmp_path: Path) -> None:
    write(home.project / "s1.jsonl", answer("a"))
    assert home.rebuild().files_read == 1
    assert outputs(home) == {"a": 10}
