"""What reading whole files would have added: each file once, where a part of it was carried."""

import pytest
from tests.analysis.drains.threads import thread

from tokenbudget.analysis.study_tools import MOST_LINES, MOST_TOKENS, whole_files

FILE = "\n".join(f"line {number:04} of the file" for number in range(1_000))


def test_a_range_leaves_out_the_other_lines() -> None:
    view = thread().read("/a", FILE, offset=1, limit=100).goes_on(4).view()
    found = whole_files(view, view.calls)
    result = view.calls[0].result

    assert result is not None
    assert found.tokens == pytest.approx(9 * result.tokens, abs=1)
    assert found.sent_tokens == pytest.approx(9 * result.sent_tokens, abs=1)


def test_a_file_read_in_parts_is_one_whole() -> None:
    told = thread()
    for first in (1, 301, 601):
        told.read("/a", FILE, offset=first, limit=200)
    view = told.goes_on(2).view()
    results = [call.result.tokens for call in view.calls if call.result is not None]

    found = whole_files(view, view.calls)
    assert found.tokens == pytest.approx(5 * results[0] - sum(results), abs=2)


def test_a_file_read_in_all_its_parts_adds_nothing() -> None:
    told = thread()
    for first in range(1, 1_001, 250):
        told.read("/a", FILE, offset=first, limit=250)
    view = told.goes_on(1).view()

    assert whole_files(view, view.calls).tokens <= 5


def test_a_whole_read_leaves_nothing_out() -> None:
    view = thread().read("/a", FILE).goes_on(3).view()

    assert whole_files(view, view.calls) == (0, 0, 0)


def test_of_a_long_file_it_is_no_more_than_one_read_gives() -> None:
    long = "\n".join(f"{number:05}" for number in range(5 * MOST_LINES))
    view = thread().read("/a", long, offset=1, limit=200).goes_on(1).view()
    result = view.calls[0].result

    assert result is not None
    assert whole_files(view, view.calls).tokens == pytest.approx(9 * result.tokens, abs=1)


def test_of_a_wide_file_too() -> None:
    wide = "\n".join("words of a sentence " * 40 for _ in range(1_500))
    view = thread().read("/a", wide, offset=1, limit=20).goes_on(1).view()
    result = view.calls[0].result

    assert result is not None
    assert result.tokens * 1_500 / 20 > MOST_TOKENS
    assert whole_files(view, view.calls).tokens == MOST_TOKENS - result.tokens
