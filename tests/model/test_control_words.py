"""The words of the controller: short, cleaned, and the same wherever they are shown."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.control_values import DONE, OPEN, decision, hostile, receipt

from tokenbudget.model import control_words as words
from tokenbudget.model.control import (
    ACT,
    ADVICE_ONLY,
    ADVISE,
    LEVERS,
    MARK,
    RESTORE,
    SERVERS,
    WAIT,
    Mode,
    Wishes,
)
from tokenbudget.model.control_standing import LeverStanding


def test_every_lever_has_a_name() -> None:
    assert set(words.LEVER_NAMES) == set(LEVERS)


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        (ACT, "done, history"),
        (ADVISE, "advised, history"),
        (MARK, "marked, history"),
        (RESTORE, "put back, history"),
        (WAIT, "nothing done, history"),
    ],
)
def test_a_decision_is_told_by_its_verb_and_its_lever(kind: str, said: str) -> None:
    assert words.decision_words(decision(kind)) == said
    assert words.decision_words(decision(kind, lever="")) == said.partition(",")[0]


def test_things_are_told_by_name_and_many_are_counted() -> None:
    assert words.decision_words(DONE) == "done, skills: slide-deck, deploy"
    many = [f"mcp-servers/s{number}" for number in range(5)]
    assert words.deed(SERVERS, many) == "MCP servers: s0, s1 and 3 more"


def test_a_receipt_says_what_is_known_of_it() -> None:
    assert words.receipt_words(receipt()) == "freed 1,198 tokens, 1,240 foretold"
    assert words.receipt_words(OPEN) == "52,800 tokens foretold, not seen yet"
    ended = OPEN._replace(outcome="ended", settled_at_ms=1)
    assert words.receipt_words(ended) == "the session ended first"
    assert words.receipt_words(receipt(predicted_tokens=0)) == "freed 1,198 tokens"


def test_texts_of_anybody_are_cleaned() -> None:
    shown = hostile()
    last, done = shown.decisions[0], shown.receipts[0]
    told = [
        words.decision_words(last),
        words.reason_words(last),
        words.next_words(last),
        words.deed(done.lever, done.items),
        words.lever_name("\x1b[2J"),
    ]
    assert all(text.isprintable() and "\u202e" not in text for text in told)


def test_every_code_of_waiting_has_few_words_and_an_unknown_one_its_reason() -> None:
    assert words.short_reason(decision(code="cooldown")) == "cooling down"
    assert "warm" not in words.short_reason(decision(code="warm")), (
        "a cold cache waits by it as well"
    )
    assert words.short_reason(decision(code="new", prediction=None)) == decision().reason
    assert words.short_reason(DONE) == "1,240 tokens foretold"


def test_a_time_to_come_is_told_only_while_it_is_new() -> None:
    waits = decision(next="when the cache is cold, in 2 min")
    assert words.next_words(waits) == "history when the cache is cold, in 2 min"
    assert words.next_words(waits, is_old=True) == "history when the cache is cold"
    cooling = decision(code="cooldown", next="again in 3 min")
    assert words.next_words(cooling, is_old=True) == "history again soon"


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("healthy", "clean-up from 50% on"),
        ("recovering", "warning ends from 50% on"),
        ("stale", "from 50% on"),
    ],
)
def test_what_comes_next_says_what_it_comes_to(code: str, said: str) -> None:
    waits = decision(code=code, lever="", next="from 50% on")
    assert words.next_words(waits) == said
    assert words.next_words(decision(ACT, next="the next request shows it")).startswith("the next")
    assert words.next_words(decision(next="")) == ""


def test_a_wait_that_began_at_a_worse_level_ends_the_level_of_now() -> None:
    waits = decision(code="recovering", lever="", level="critical", next="after 3 requests")
    assert words.next_words(waits) == "critical ends after 3 requests"
    assert words.next_words(waits, is_old=True, level="warning") == "warning ends after 3 requests"


MODES = st.sampled_from(["off", "advise", "auto"])


@given(st.fixed_dictionaries(dict.fromkeys(LEVERS, MODES)))
def test_the_mode_says_auto_only_where_something_acts(modes: dict[str, Mode]) -> None:
    said = words.mode_words(Wishes(modes))
    acts = [lever for lever, mode in modes.items() if mode == "auto"]
    assert said.startswith("auto") == bool(acts)
    assert (said == "off") == (set(modes.values()) == {"off"})
    if said == "auto":
        assert set(acts) >= set(LEVERS) - set(ADVICE_ONLY)


def test_what_acts_late_is_told() -> None:
    wishes = Wishes(dict.fromkeys(LEVERS, "advise"), {SERVERS: "auto"})
    assert words.mode_words(wishes) == "auto from critical on for MCP servers"
    assert words.mode_words(Wishes()) == "off"


@given(st.floats(0, 3))
def test_a_share_is_never_rounded_up_over_a_threshold(share: float) -> None:
    assert int(words.percent(share)[:-1]) <= share * 100 + 1e-6


def test_both_measures_are_named() -> None:
    assert (
        words.usable_words(0.583, 97_400, 200_000) == "58% of the usable window (48% of the whole)"
    )
    assert words.usable_words(None, None, None) == "? of the usable window"
    assert words.usable_words(0.583, 97_400, None) == "58% of the usable window"


def test_the_error_of_a_lever_is_that_of_all_its_receipts() -> None:
    known = LeverStanding("skills", "auto", "auto", 1.0, 2, 2_000, 1_500)
    assert known.error_share == 0.25
    assert known._replace(measured=0).error_share is None
