"""Charges: parts of what was billed, never more."""

from __future__ import annotations

import pytest
from tests.analysis.drains.threads import OUTPUT_USD, READ_USD, WRITE_USD, thread

from tokenbudget.analysis.drains.charges import (
    Charge,
    carried,
    carried_from,
    charged,
    requests_with,
    written,
)

WEEK_MS = 7 * 86_400_000


def test_charges_add_up_and_divide() -> None:
    """Component by component."""
    one = Charge(10, 100, 0.5)
    assert one.plus(Charge(1, 2, 0.25)) == Charge(11, 102, 0.75)
    assert one.part(0.5) == Charge(5, 50, 0.25)


def test_from_its_first_request_on_a_piece_took_everything() -> None:
    """And from the first without it on nothing."""
    view = thread().bash("ls", "a" * 400).goes_on(4).view()
    piece = view.calls[0].result
    assert piece is not None
    assert carried_from(view, piece, 0) == carried(piece)
    assert carried_from(view, piece, piece.entered) == carried(piece)
    assert carried_from(view, piece, piece.left) == Charge()


def test_later_requests_read_from_the_cache() -> None:
    """100 tokens: written by the first request, read by three more."""
    view = thread().bash("ls", "a" * 400).goes_on(4).view()
    piece = view.calls[0].result
    assert piece is not None
    assert piece.sent_usd == pytest.approx(100 * (WRITE_USD + 3 * READ_USD))
    later = carried_from(view, piece, piece.entered + 1)
    assert later.sent_tokens == pytest.approx(300)
    assert later.usd == pytest.approx(300 * READ_USD)


def test_a_cold_cache_makes_a_request_dear() -> None:
    """The third of four waits for a week."""
    view = thread().bash("ls", "a" * 400).goes_on(2).waits(WEEK_MS).goes_on(2).view()
    piece = view.calls[0].result
    assert piece is not None
    later = carried_from(view, piece, piece.entered + 2)
    assert later.usd == pytest.approx(100 * (WRITE_USD + READ_USD))


def test_requests_of_others_cost_nothing() -> None:
    """A copy of a request is seen and not charged."""
    story = thread().asks(owned=False).bash("ls", "a" * 400).goes_on(2).asks(owned=True).says("So.")
    view = story.goes_on(1).view()
    call = view.calls[0]
    assert call.result is not None
    assert call.use is not None
    assert requests_with(view, call.result) == 2
    assert carried_from(view, call.result, 3).sent_tokens == pytest.approx(200)
    assert written(view, call) == carried(call.use)


def test_a_call_costs_its_writing_too() -> None:
    """Once as output, then as prompt."""
    view = thread().bash("ls", "a").goes_on(1).view()
    use = view.calls[0].use
    assert use is not None
    charge = written(view, view.calls[0])
    assert charge.window_tokens == use.tokens
    assert charge.sent_tokens == 2 * use.tokens
    assert charge.usd == pytest.approx(use.tokens * (OUTPUT_USD + WRITE_USD))


def test_what_has_no_price_is_divided_by_requests() -> None:
    """Tokens are known, money is not."""
    view = thread().bash("ls", "a" * 400).goes_on(4).view()
    turns = [turn._replace(read_usd=0.0, write_usd=0.0) for turn in view.turns]
    piece = view.calls[0].result
    assert piece is not None
    free = piece._replace(sent_usd=0.0)
    later = carried_from(view._replace(turns=turns), free, piece.entered + 2)
    assert later.sent_tokens == pytest.approx(200)
    assert later.usd == 0.0


def test_the_error_of_a_sighting_is_that_of_the_count_and_the_doubt() -> None:
    """And never more than all of it."""
    view = thread(text_error=0.1).bash("ls", "a").goes_on(1).view()
    call = view.calls[0]
    one = charged(view, "x", "y", call, 1, Charge(10, 1_000, 2e-6), 0.25, "said")
    assert (one.sent_tokens, one.error_tokens) == (1_000, 350)
    assert (one.cost_pico_usd, one.error_pico_usd) == (2_000_000, 700_000)
    assert charged(view, "x", "y", call, 1, Charge(10, 1_000, 0), 7.0, "").error_tokens == 1_000
