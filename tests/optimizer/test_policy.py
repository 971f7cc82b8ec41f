"""The table of rules says what the figures say."""

from __future__ import annotations

from itertools import pairwise

from tokenbudget.budget.health import LEVELS
from tokenbudget.model.control import ADVICE_ONLY, HISTORY, LEVERS, RESERVE, SERVERS, Wishes
from tokenbudget.optimizer import policy


def test_every_lever_has_its_place() -> None:
    assert set(policy.LEVERS_AT["emergency"]) == set(LEVERS)
    assert policy.LEVERS_AT["healthy"] == ()
    assert set(policy.LEVERS_AT) == set(LEVELS)


def test_a_worse_level_has_every_lever_of_a_better_one() -> None:
    for better, worse in pairwise(LEVELS):
        assert set(policy.LEVERS_AT[better]) <= set(policy.LEVERS_AT[worse])


def test_servers_come_after_the_history_and_never_at_warning() -> None:
    assert SERVERS not in policy.LEVERS_AT["warning"]
    for level in ("critical", "emergency"):
        order = policy.LEVERS_AT[level]
        assert order.index(HISTORY) < order.index(SERVERS)


def test_the_reserve_is_for_an_emergency() -> None:
    assert [level for level in LEVELS if RESERVE in policy.LEVERS_AT[level]] == ["emergency"]


def test_what_only_a_person_can_do_is_thought_of_last() -> None:
    for level in LEVELS[1:]:
        assert set(policy.LEVERS_AT[level][-len(ADVICE_ONLY) :]) == set(ADVICE_ONLY)


def test_the_table_names_the_figures_that_are_used() -> None:
    table = policy.__doc__ or ""
    for level, aim in policy.AIM_TOKENS.items():
        row = next(line for line in table.splitlines() if line.strip().startswith(level))
        assert f"{aim:,}" in row
        grace = policy.GRACE_REQUESTS[level]
        word = "none" if not grace else f"{grace} request" + ("s" if grace > 1 else "")
        assert f" {word} " in row
    assert f"{policy.WARM_FACTOR:g} times its break-even" in table
    assert f"below {policy.POOR_SHARE * 100:.0f} %" in table
    assert f"once in {Wishes().cooldown_ms // 60_000} minutes" in table
