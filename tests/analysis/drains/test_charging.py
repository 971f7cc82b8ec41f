"""What holds for every detector of files and outputs, whatever the thread."""

from __future__ import annotations

from hypothesis import given, settings
from tests.analysis.drains.arbitrary import SECRET, stories
from tests.analysis.drains.threads import Thread

from tokenbudget.analysis.drains.drain import Drain
from tokenbudget.analysis.drains.images import IMAGE
from tokenbudget.analysis.drains.large_outputs import LARGE_OUTPUT
from tokenbudget.analysis.drains.re_reads import RE_READ
from tokenbudget.analysis.drains.stale_copies import STALE_COPY
from tokenbudget.analysis.drains.unused_reads import READ_UNUSED
from tokenbudget.analysis.drains.verbose_logs import VERBOSE_LOG
from tokenbudget.analysis.drains.whole_files import WHOLE_FILE
from tokenbudget.analysis.study import PICO_USD, Sighting
from tokenbudget.analysis.thread_view import ThreadView

DRAINS = (RE_READ, STALE_COPY, IMAGE, VERBOSE_LOG, LARGE_OUTPUT, WHOLE_FILE, READ_UNUSED)


def seen_by(drain: Drain, view: ThreadView, claimed: set[int]) -> list[Sighting]:
    """What a detector sees."""
    assert drain.detect is not None
    return list(drain.detect(view, claimed))


@settings(max_examples=150, deadline=None)
@given(stories)
def test_no_piece_is_charged_twice_or_beyond_what_it_cost(story: Thread) -> None:
    """What a detector charges, the pieces that it claims were billed; they were free before."""
    view = story.view()
    claimed: set[int] = set()
    for drain in DRAINS:
        before = set(claimed)
        sightings = seen_by(drain, view, claimed)
        assert claimed >= before
        pieces = [piece for piece in view.seen if piece.number in claimed - before]
        written = sum(piece.tokens for piece in pieces if piece.written_usd)
        sent = sum(piece.sent_tokens for piece in pieces) + written
        usd = sum(piece.sent_usd + piece.written_usd for piece in pieces)
        if drain is not IMAGE:  # an image can count more than is known of it
            assert sum(one.sent_tokens for one in sightings) <= sent + len(sightings)
            assert sum(one.cost_pico_usd for one in sightings) <= usd * PICO_USD + len(sightings)
        assert bool(sightings) == bool(pieces)
        assert seen_by(drain, view, set(range(len(view.seen)))) == []


@settings(max_examples=100, deadline=None)
@given(stories)
def test_a_sighting_has_a_place_and_figures_and_no_words(story: Thread) -> None:
    """Of what was said, read or printed nothing leaves a detector."""
    view = story.view()
    claimed: set[int] = set()
    lines = {piece.line for piece in view.seen} | {call.line for call in view.calls}
    has_copies = not all(turn.is_owned for turn in view.turns)
    for drain in DRAINS:
        for one in seen_by(drain, view, claimed):
            assert one.drain == drain.id
            assert one.line in lines
            assert one.day == view.day_of(one.at_ms)
            assert (0 if has_copies else 1) <= one.times <= len(view.seen)
            assert 0 <= one.error_tokens <= one.sent_tokens
            assert 0 <= one.error_pico_usd <= one.cost_pico_usd
            assert SECRET not in one.detail + one.subject


def test_the_ids_and_names_are_those_of_the_catalogue() -> None:
    """And each says what it looks for."""
    ids = [drain.id for drain in DRAINS]
    assert ids == ["re-read", "stale-copy", "image", "verbose-log", "large-output", "whole-file",
                   "read-unused"]  # fmt: skip
    for drain in DRAINS:
        assert all(drain[1:6])
        assert drain.rule.endswith(".")
