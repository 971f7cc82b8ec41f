"""What was freed is what the API reported of first requests, before and after; never a guess."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tokenbudget.analysis.first_requests import Event, proof_of
from tokenbudget.ledger.project_work import FirstRequest

OPUS, SONNET = "claude-opus-5-5", "claude-sonnet-4-5"


def first(at_ms: int, tokens: int, model: str = OPUS) -> FirstRequest:
    return FirstRequest(f"s{at_ms}", at_ms, model, tokens)


BEFORE = [first(10, 38_000), first(20, 38_214), first(30, 38_300)]


def test_the_next_session_is_compared_with_the_middle_of_the_last_three_before() -> None:
    proof = proof_of(100, [Event(100, 16_400)], [first(1, 9), *BEFORE, first(200, 21_377)])
    assert proof is not None
    assert (proof.before_tokens, proof.after_tokens) == (38_214, 21_377)
    assert (proof.before_sessions, proof.before_spread_tokens) == (3, 300)
    assert (proof.freed_tokens, proof.predicted_tokens) == (16_837, 16_400)
    assert proof.after_session == "s200"


def test_nothing_is_measured_before_a_session_has_begun() -> None:
    assert proof_of(100, [Event(100, 16_400)], BEFORE) is None


def test_nothing_is_measured_without_a_session_before() -> None:
    assert proof_of(100, [Event(100, 16_400)], [first(200, 21_377)]) is None


def test_sessions_of_another_model_are_no_measure() -> None:
    firsts = [*BEFORE, first(200, 9_000, SONNET)]
    assert proof_of(100, [Event(100, 1)], firsts) is None
    proof = proof_of(100, [Event(100, 1)], [*firsts, first(300, 21_377)])
    assert proof is not None
    assert (proof.model, proof.after_session) == (OPUS, "s300")


def test_what_was_done_without_a_session_between_is_measured_together() -> None:
    events = [Event(100, 10_000), Event(150, 6_400)]
    for at_ms in (100, 150):
        proof = proof_of(at_ms, events, [*BEFORE, first(200, 21_377)])
        assert proof is not None
        assert proof.predicted_tokens == 16_400


def test_what_was_taken_back_before_the_session_adds_nothing() -> None:
    events = [Event(100, 10_000), Event(120, -10_000)]
    proof = proof_of(100, events, [*BEFORE, first(200, 38_250)])
    assert proof is not None
    assert (proof.freed_tokens, proof.predicted_tokens) == (-36, 0)


def test_a_session_after_it_was_taken_back_proves_nothing_of_it() -> None:
    events = [Event(100, 10_000), Event(250, -10_000)]
    firsts = [*BEFORE, first(200, 9_000, SONNET), first(300, 38_000)]
    assert proof_of(100, events, firsts) is None


def test_an_unknown_prediction_stays_unknown() -> None:
    proof = proof_of(100, [Event(100, None)], [*BEFORE, first(200, 30_000)])
    assert proof is not None
    assert proof.predicted_tokens is None


def test_a_moment_at_which_nothing_was_done_has_no_proof() -> None:
    assert proof_of(99, [Event(100, 1)], [*BEFORE, first(200, 1)]) is None


@given(
    st.lists(st.tuples(st.integers(0, 50), st.integers(1, 99)), max_size=8),
    st.lists(st.tuples(st.integers(0, 50), st.integers(-9, 9) | st.none()), max_size=4),
)
def test_both_sides_are_reported_figures_and_lie_on_their_sides(
    sizes: list[tuple[int, int]], done: list[tuple[int, int | None]]
) -> None:
    firsts = [first(2 * at, tokens) for at, tokens in sizes]
    events = [Event(2 * at + 1, freed) for at, freed in done]
    for event in events:
        proof = proof_of(event.at_ms, events, list(reversed(firsts)))
        if proof is not None:
            assert proof.after_at_ms > event.at_ms
            assert proof.after_tokens in {one.prompt_tokens for one in firsts}
            before = {one.prompt_tokens for one in firsts if one.at_ms < event.at_ms}
            assert proof.before_tokens in before
