"""The tool that checks the model of the cache."""

import json
from pathlib import Path

import pytest
from tests.analysis.backtest_threads import MINUTE_MS, Part, thread

import backtest_check
from tokenbudget.analysis.backtest_cache import foretold


def note(key: object, kind: object) -> str:
    diagnostics = {"cache_miss_reason": {"type": kind, "cache_missed_input_tokens": 9}}
    return json.dumps({"message": {"id": key, "diagnostics": diagnostics}})


def test_the_api_s_notes_are_found_and_nothing_else(tmp_path: Path) -> None:
    lines = [
        note("r1", "system_changed"),
        note("r2", "unavailable"),
        json.dumps({"message": {"id": "r3", "content": '"cache_miss_reason"'}}),
        '{"cache_miss_reason": broken "cache_miss_reason"',
        '["cache_miss_reason"]',
        note("r4", ["system_changed"]),
        note("r5", "messages_changed"),
    ]
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "s.jsonl").write_text("\n".join(lines), "utf-8")
    (tmp_path / "agent").mkdir()
    (tmp_path / "agent" / "projects").symlink_to(tmp_path / "deep")
    assert backtest_check.rewritten_in([str(tmp_path / "deep")]) == {"r1", "r5"}
    assert backtest_check.rewritten_in([str(tmp_path / "agent")]) == {"r1", "r5"}


def test_sums_stand_beside_each_other_and_errors_are_of_sums() -> None:
    line = thread([Part(5_000, 0), Part(700, 1)], [0, MINUTE_MS, MINUTE_MS])
    found = foretold([line])
    requests, _, read_told, _, written_told = backtest_check.sums(found)
    assert (requests, read_told, written_told) == (3, 6_000 + 6_700, 6_000 + 700)
    off_read, off_written = backtest_check.errors(found)
    assert off_read == pytest.approx((750 + 6_000 + 6_684) / 12_700 - 1)
    assert off_written == pytest.approx((5_234 + 684 + 0) / 6_700 - 1)
    rows = [*backtest_check.table(found)]
    assert rows[-3].startswith("| all | 3 |")
    assert next(iter(backtest_check.worst(found, 1))).startswith("| s | 3 |")


def test_blindly_foretold_requests_stand_beside_what_was_reported() -> None:
    class Counter:
        name = "none"

        def count(self, text: str) -> int:
            return len(text)

    found = foretold([thread([Part(5_000, 0, text="x" * 4_000)], [0, MINUTE_MS])])
    again, sizes = backtest_check.foretold_blindly(found, Counter(), frozenset())
    assert [one.sending for one in again] == [one.sending for one in found]
    assert sizes == [4_810, 4_810]  # nobody else tells what stands before it
    assert backtest_check.size_words(found, sizes) == (
        "prompts are off by -19.83% in sum; one by 19.8% (P50), 19.8% (P90)"
    )
