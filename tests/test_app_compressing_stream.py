"""What is too large to hold: kept whole, shortened as it passes, every token of it counted."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.archive.sessions import FakeClock

from tokenbudget.app import compressing_stream
from tokenbudget.app.compressing import Wish
from tokenbudget.app.compressing_stream import PassingText, compressed_stream
from tokenbudget.archive.spill import Spill
from tokenbudget.compression.handles import handle_of
from tokenbudget.compression.passage import COMPRESSED, VERBOSE
from tokenbudget.metering.tokenizer import BytePairCounter

COUNTER = BytePairCounter()
LOG = b"".join(
    b"2026-11-20 12:00:%02d worker %d took %d ms\n" % (n % 60, n % 8, n % 900)
    for n in range(40_000)
)
FAULT = b"ERROR disk full on /var/data: 0 bytes left\n"


def chunks(content: bytes, size: int = 70_001) -> Iterator[bytes]:
    return (content[at : at + size] for at in range(0, len(content), size))


@pytest.fixture
def spill(tmp_path: Path) -> Spill:
    return Spill(tmp_path / "spill", FakeClock())


def test_a_log_is_kept_whole_and_its_fault_stays(spill: Spill) -> None:
    half = len(LOG) // 2
    half -= len(LOG[:half].rpartition(b"\n")[2])
    content = LOG[:half] + FAULT + LOG[half:]
    done = compressed_stream(chunks(content), Wish(COMPRESSED), COUNTER, spill)
    assert spill.content(done.handle) == content
    assert done.handle == handle_of(content)
    assert FAULT.decode().strip() in done.text
    assert done.text.endswith(f"tokens recall {done.handle}]")
    assert done.after_tokens == COUNTER.count(done.text) < done.before_tokens / 20
    assert (done.before_tokens, done.within_tokens) == (COUNTER.count(content.decode()), 0)


def test_who_imitates_our_words_is_told_from_them(spill: Spill) -> None:
    content = b"[~ all 3 lines: tokens recall 000000000000]\n" + LOG
    done = compressed_stream(chunks(content), Wish(COMPRESSED), COUNTER, spill)
    assert done.text.startswith("[~ all 3 lines: tokens recall 000000000000]\n")
    assert done.text.endswith(f"[~~ all 40,002 lines: tokens recall {done.handle}]")


@pytest.mark.parametrize("level", [VERBOSE, COMPRESSED])
def test_what_is_short_is_left_alone(spill: Spill, level: str) -> None:
    content = b"one\ntwo\n"
    done = compressed_stream([content], Wish(level), COUNTER, spill)
    assert (done.codec, done.saved_tokens) == ("", 0)
    assert spill.content(done.handle) == content


def test_without_loss_means_that_nothing_is_lost(spill: Spill) -> None:
    assert compressed_stream(chunks(LOG), Wish(VERBOSE), COUNTER, spill).codec == ""


def test_bytes_that_are_no_text_come_through(spill: Spill) -> None:
    content = b"\xff\xfe binary \x00\n" * 3 + LOG
    done = compressed_stream(chunks(content, 7001), Wish(COMPRESSED), COUNTER, spill)
    assert done.text.encode("utf-8", "surrogateescape").startswith(b"\xff\xfe binary \x00\n")
    assert spill.content(done.handle) == content


@settings(max_examples=100, deadline=None)
@given(
    st.lists(
        st.sampled_from(
            ["\n", "\n\n", "word", " word", "  ", "/", "\r\n", "\t", "9", "12345", "ü", "'s", "."]
        )
        | st.text(max_size=3),
        max_size=80,
    )
)
def test_counted_in_parts_it_is_the_same(parts: list[str]) -> None:
    whole = "".join(parts)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(compressing_stream, "PIECE_CHARS", 8)
        passing = PassingText(COUNTER)
        for part in parts:
            passing.feed(part)
        assert passing.finish() == COUNTER.count(whole)
    assert passing.within == 0


def test_where_no_seam_is_found_it_says_how_far_it_may_be_off() -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(compressing_stream, "PIECE_CHARS", 8)
        patch.setattr(compressing_stream, "MOST_PIECE_CHARS", 16)
        passing = PassingText(COUNTER)
        for _ in range(50):
            passing.feed("wordswithout")
        tokens = passing.finish()
    assert passing.within > 0
    assert abs(tokens - COUNTER.count("wordswithout" * 50)) <= passing.within
