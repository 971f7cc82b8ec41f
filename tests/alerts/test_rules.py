from __future__ import annotations

from decimal import Decimal

import pytest
from tests.alerts.builders import ITEMS

from tokenbudget.alerts import rules
from tokenbudget.alerts.rules import CONTEXT, DAY_COST, FIVE_HOUR, cost_rule, share_rule
from tokenbudget.alerts.words import recommendation, shown_value
from tokenbudget.model.errors import BadRequest


def test_the_default_begins_at_eighty() -> None:
    rule = share_rule(CONTEXT)
    assert (rule.id, [s.level for s in rule.steps]) == ("context-80", ["critical", "emergency"])


@pytest.mark.parametrize("percent", [0, 49, 75, 100, -1])
def test_a_step_that_does_not_exist_is_refused(percent: int) -> None:
    with pytest.raises(BadRequest, match="use one of 50, 70, 80, 90"):
        share_rule(CONTEXT, percent)


@pytest.mark.parametrize("make", [share_rule, lambda scope: cost_rule(scope, "5")])
def test_an_unknown_scope_is_refused_and_shown_inert(make: object) -> None:
    with pytest.raises(BadRequest, match="'moon") as refused:
        make("moon\x1b]52;c;aaaa\a")  # type: ignore[operator]
    assert "\x1b" not in str(refused.value)


def test_a_cost_has_three_steps_in_exact_money() -> None:
    rule = cost_rule(DAY_COST, "$0.10")
    assert [s.at for s in rule.steps] == [Decimal("0.10"), Decimal("0.150"), Decimal("0.20")]
    assert rule.id == "day-cost-0.1"


@pytest.mark.parametrize("amount", ["", "0", "-1", "nan", "inf", "1e99", "five", "0.001"])
def test_an_amount_that_is_none_is_refused(amount: str) -> None:
    with pytest.raises(BadRequest, match="no amount in US dollars"):
        cost_rule(DAY_COST, amount)


def test_fingerprints_cannot_be_forged_with_a_separator() -> None:
    rule = share_rule(CONTEXT)
    assert rules.fingerprint(rule, "a|b", "c") != rules.fingerprint(rule, "a", "b|c")
    assert rules.fingerprint(rule, "a%7Cb", "c") != rules.fingerprint(rule, "a|b", "c")


def test_the_margin_is_three_points() -> None:
    rule = share_rule(FIVE_HOUR, 80)
    assert not rules.is_below(rule, 0.77)
    assert rules.is_below(rule, 0.7699)


def test_a_fingerprint_can_be_stored_whatever_a_session_is_called() -> None:
    rules.fingerprint(share_rule(CONTEXT), "a\ud800b", "").encode()


@pytest.mark.parametrize(
    ("level", "words"),
    [
        ("info", "Nothing has to be done yet. Largest: "),
        ("warning", "Prefer knowledge search over reading whole files. Would free most: "),
        ("critical", "Delegate searches and test runs to a subagent. Would free most: "),
        ("emergency", "Compact now (/compact) or start a new session. Would free most: "),
    ],
)
def test_each_level_advises_and_names_what_would_free_most(level: str, words: str) -> None:
    assert recommendation(CONTEXT, level, ITEMS) == f"{words}src/cart.py (18.4K), npm test (14.1K)."


@pytest.mark.parametrize("scope", rules.SCOPES)
@pytest.mark.parametrize("level", rules.LEVELS)
def test_every_scope_has_advice_at_every_level(scope: str, level: str) -> None:
    assert recommendation(scope, level, ()).endswith((".", "compact."))


def test_a_share_is_never_shown_higher_than_it_is() -> None:
    assert shown_value(CONTEXT, 0.7999) == "79%"
    assert shown_value(CONTEXT, 0.29) == "29%"
    assert shown_value(CONTEXT, 1.204) == "120%"
