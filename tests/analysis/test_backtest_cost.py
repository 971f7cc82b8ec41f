"""Counterfactual cost: against the closed form, and against a cache that is simulated."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.analysis.backtest_threads import (
    HIDDEN,
    MINUTE_MS,
    MODEL,
    OUTPUT,
    READ,
    START_MS,
    WRITE,
    Cached,
    Part,
    biller,
    thread,
)

from tokenbudget.analysis.backtest_cost import PREFIX, Costed, costed
from tokenbudget.analysis.backtest_needs import EDIT, Need
from tokenbudget.analysis.backtest_timeline import Timeline
from tokenbudget.analysis.backtest_walk import Version, Walked
from tokenbudget.analysis.periods import Zone
from tokenbudget.analysis.study_bill import Biller, Rates
from tokenbudget.ledger.windows import RequestRow
from tokenbudget.metering.rates import PriceBook
from tokenbudget.model import window
from tokenbudget.model.replay import SUMMARY_PIECE

BILLER = biller()


def under(line: Timeline, changes: dict[int, list[Version]], needs: list[Need] = []) -> Costed:  # noqa: B006
    return costed(Walked(line, changes), BILLER, needs)


def version(since: int, tokens: float, text: str | None = "short") -> Version:
    return Version(since, text, tokens, "rule", is_lossless=False, is_said_so=False)


def saved_usd(found: Costed) -> float:
    return sum(one.was.usd.total - one.now.usd.total for one in found.requests)


def test_what_is_not_changed_costs_what_was_billed() -> None:
    found = under(thread([Part(5_000, 0), Part(3_000, 2)], [0, 1, 2, 3]), {})
    assert all(one.was == one.now for one in found.requests)
    assert found.requests[0].was.usd.total == pytest.approx(6_000 * WRITE + 50 * OUTPUT)


def test_what_is_shorter_at_the_door_is_written_once_and_carried_shorter() -> None:
    line = thread([Part(10_000, 0), Part(4_000, 1)], [0, *[MINUTE_MS] * 9])
    found = under(line, {0: [version(0, 1_000)]})
    assert saved_usd(found) == pytest.approx(9_000 * (WRITE + 9 * READ))
    [row] = found.shortenings
    assert row.saved_usd == pytest.approx(saved_usd(found))
    assert (row.carried_was, row.carried_now) == pytest.approx((100_000, 10_000))


def test_a_change_in_a_warm_cache_costs_by_the_closed_form() -> None:
    removed, left, behind, calls = 40_000, 1_000, 10_000, 6
    line = thread([Part(removed, 0), Part(behind, 1)], [0, *[MINUTE_MS] * (calls + 1)])
    found = under(line, {0: [version(2, left)]})
    loss = (WRITE - READ) * (behind + left)
    gain = (removed - left) * READ * calls
    assert saved_usd(found) == pytest.approx(gain - loss)
    assert sum(row.saved_usd for row in found.shortenings) == pytest.approx(gain - loss)


def test_a_change_in_a_cold_cache_loses_nothing() -> None:
    gaps = [0, MINUTE_MS, 6 * MINUTE_MS, MINUTE_MS, MINUTE_MS]
    line = thread([Part(40_000, 0), Part(10_000, 1)], gaps)
    found = under(line, {0: [version(2, 1_000)]})
    assert saved_usd(found) == pytest.approx(39_000 * (WRITE + 2 * READ))


def test_a_smaller_base_moves_nothing_when_it_is_so_from_the_beginning() -> None:
    found = under(thread([Part(500, 0)], [0, 1, 1]), {PREFIX: [version(0, 0.5, None)]})
    assert saved_usd(found) == pytest.approx(HIDDEN / 2 * (WRITE + 2 * READ))


def test_a_summary_costs_a_request_that_sends_the_whole_window() -> None:
    gaps = [0, 6 * MINUTE_MS, MINUTE_MS]
    line = thread([Part(40_000, 0)], gaps)
    summary = {0: [version(1, 4_000, None)], SUMMARY_PIECE: [version(1, 4_000, None)]}
    found = under(line, summary)
    extra = 41_000 * WRITE + 4_000 * OUTPUT
    assert saved_usd(found) == pytest.approx(36_000 * (WRITE + READ) - extra)


def test_words_that_were_not_said_were_not_billed() -> None:
    said = Version(1, None, 20.0, "terse", is_lossless=False, is_said_so=True)
    line = thread([Part(100, 0), Part(50, 1, window.TEXT)], [0, 1])
    found = under(line, {1: [said]})
    assert found.requests[0].now.tokens.output == 20
    assert saved_usd(found) == pytest.approx(30 * OUTPUT + 30 * WRITE)


def test_what_is_missed_is_fetched_again_once_and_carried_from_there() -> None:
    line = thread([Part(2_000, 0, text="needed")], [0, *[MINUTE_MS] * 4])
    needs = [Need(n, EDIT, "needed", (0,), n) for n in (1, 3)]
    found = under(line, {0: [version(0, 100, "gone")]}, needs)
    assert [one.refetches for one in found.requests] == [0, 1, 0, 0, 0]
    assert len(found.missed) == found.refetches == 1
    fetched = found.requests[1].now.usd.total
    without = HIDDEN * READ + 100 * READ + 50 * OUTPUT
    assert fetched - without == pytest.approx(1_100 * READ + 2_150 * WRITE + 120 * OUTPUT)
    assert found.requests[2].result_tokens_now == 100 + 2_150
    assert found.requests[2].now.tokens[:4] == (0, 0, 0, 1_100 + 2_150)


def test_what_still_stands_there_is_not_fetched() -> None:
    line = thread([Part(2_000, 0, text="needed and more")], [0, 1])
    need = Need(1, EDIT, "needed", (0,), 1)
    assert under(line, {0: [version(0, 100, "… needed")]}, [need]).refetches == 0


def test_what_is_told_without_loss_is_not_fetched() -> None:
    line = thread([Part(2_000, 0, text="needed")], [0, 1])
    told = version(0, 100, "n.e.e.d.e.d")._replace(is_lossless=True)
    assert under(line, {0: [told]}, [Need(1, EDIT, "needed", (0,), 1)]).refetches == 0


def test_carried_result_tokens_are_those_of_results_alone() -> None:
    line = thread([Part(700, 0), Part(300, 0, window.PROMPT)], [0, 1])
    found = under(line, {0: [version(1, 70)], 1: [version(1, 30)]})
    assert [one.result_tokens_was for one in found.requests] == [700, 700]
    assert [one.result_tokens_now for one in found.requests] == [700, 70]


# ── against a simulated cache ────────────────────────────────────────────────────────────────────

PARTS = st.lists(
    st.tuples(st.integers(1, 5_000), st.integers(0, 7)).map(lambda row: Part(*row)),
    min_size=1,
    max_size=8,
).map(lambda parts: sorted(parts, key=lambda part: part.entered))
GAPS = st.lists(st.sampled_from((MINUTE_MS, 6 * MINUTE_MS)), min_size=8, max_size=8)


@given(PARTS, GAPS, st.data())
@settings(max_examples=200, deadline=None)
def test_the_counterfactual_is_what_a_cache_would_have_done(
    parts: list[Part], gaps: list[int], data: st.DataObject
) -> None:
    changes: dict[int, list[Version]] = {}
    for place, part in enumerate(parts):
        since = data.draw(st.none() | st.integers(part.entered, 7))
        if since is not None:
            changes[place] = [version(since, data.draw(st.integers(0, part.tokens)))]
    line = thread(parts, gaps)
    found = under(line, changes)
    cached = Cached()
    for sending, result in zip(line.sendings, found.requests, strict=True):
        row: list[tuple[int, object]] = [(HIDDEN, "hidden")]
        for place, part in enumerate(parts):
            if part.entered > sending.number:
                continue
            new = Walked(line, changes).version_at(place, sending.number)
            size = part.tokens if new is None else int(new.tokens)
            row.append((size, (place, new is not None)))
        read, written = cached.send(tuple(row), sending.request.started_at_ms)
        assert result.now.tokens.cache_read == pytest.approx(read)
        assert result.now.tokens.cache_write_5m == pytest.approx(written)


def with_models(line: Timeline, models: str) -> Timeline:
    sendings = [
        one._replace(request=one.request._replace(model=model))
        for one, model in zip(line.sendings, models.split(), strict=True)
    ]
    return line._replace(sendings=sendings)


def test_a_model_that_is_come_back_to_writes_what_was_changed_meanwhile() -> None:
    line = thread([Part(40_000, 0), Part(10_000, 1)], [0, *[MINUTE_MS] * 3])
    changes = {0: [version(2, 1_000)]}
    other = with_models(line, f"{MODEL} {MODEL} claude-haiku-4-5 {MODEL}")
    back = under(other, changes).requests[3].now.tokens
    assert (back.cache_read, back.cache_write_5m) == (HIDDEN, 11_000)
    stayed = under(line, changes).requests[3].now.tokens
    assert (stayed.cache_read, stayed.cache_write_5m) == (HIDDEN + 11_000, 0)


class Tiered(Biller):
    """Twice the price for a large prompt."""

    def rates_at(self, request: RequestRow, prompt_tokens: float) -> Rates:
        found = super().rates_at(request, prompt_tokens)
        return Rates._make((usd or 0.0) * (1 + (prompt_tokens > 200_000)) for usd in found)


def test_requests_beside_one_do_not_make_it_a_large_one() -> None:
    line = thread([Part(150_000, 0, text="needed")], [0, MINUTE_MS])
    changes = {0: [version(0, 140_000, "gone")], SUMMARY_PIECE: [version(1, 4_000, None)]}
    tiered = Tiered(PriceBook.bundled(), Zone("UTC", START_MS).spans())
    found = costed(Walked(line, changes), tiered, [Need(1, EDIT, "needed", (0,), 1)])
    one = found.requests[1].now
    assert one.tokens.cache_read > 200_000
    assert one.usd.cache_read == pytest.approx(one.tokens.cache_read * READ)
