"""How warm a skill is: by uses here, elsewhere, and by what cannot be said yet."""

from __future__ import annotations

import pytest
from tests.resources.projects import NOW_MS, evidence

from tokenbudget.ledger.named_uses import NamedUse
from tokenbudget.resources.evidence import DAY_MS
from tokenbudget.resources.skill_use import Used, Uses, tiered

SHOP = "/srv/shop"
OLD_MS = NOW_MS - 60 * DAY_MS


def use(name: str, cwd: str, days: float, uses: int = 1, session: str = "s") -> NamedUse:
    return NamedUse(name, f"{session}{days}", cwd, uses, round(NOW_MS - days * DAY_MS))


def uses(*rows: NamedUse) -> Uses:
    return Uses(rows, (SHOP,), NOW_MS - 30 * DAY_MS, NOW_MS)


def test_uses_here_elsewhere_and_ever_are_kept_apart() -> None:
    known = uses(
        use("deploy", SHOP, 1, 2),
        use("deploy", f"{SHOP}/web", 3),
        use("deploy", "/srv/shopping", 2, 5),
        use("deploy", SHOP, 40, 7),
        use("other", SHOP, 1),
    )
    found = known.of(("deploy",))
    assert (found.here, found.sessions_here, found.elsewhere, found.ever) == (3, 2, 5, 15)
    assert found.last_ms == found.last_here_ms == NOW_MS - DAY_MS
    assert known.counts() == {"deploy": 18, "other": 2}
    assert known.of(("never",)) == Used()


@pytest.mark.parametrize(
    ("used", "tier", "words"),
    [
        (Used(here=1, sessions_here=1, last_here_ms=NOW_MS), "hot", "today"),
        (Used(here=1, sessions_here=1, last_here_ms=NOW_MS - 7 * DAY_MS), "hot", "7 days ago"),
        (Used(here=1, sessions_here=1, last_here_ms=NOW_MS - 9 * DAY_MS), "warm", "9 days ago"),
        (Used(here=4, sessions_here=4, last_here_ms=NOW_MS - 9 * DAY_MS), "hot", "4 of 20"),
        (Used(elsewhere=2, ever=2), "warm", "other projects"),
        (Used(ever=9), "cold", "unused in 20 sessions"),
        (Used(), "cold", "unused in 20 sessions"),
    ],
)
def test_tiers(used: Used, tier: str, words: str) -> None:
    found = tiered(used, evidence(20), OLD_MS)
    assert found.tier == tier
    assert words in found.reason


def test_what_is_new_or_was_offered_seldom_is_not_judged() -> None:
    assert tiered(Used(), evidence(20), NOW_MS - 3 * DAY_MS).tier == "warm"
    assert tiered(Used(), evidence(4), OLD_MS).tier == "warm"
    assert "only 4 sessions" in tiered(Used(), evidence(4), OLD_MS).reason


def test_a_text_that_names_it_is_told() -> None:
    assert tiered(Used(), evidence(20), OLD_MS, "CLAUDE.md").reason.endswith("CLAUDE.md names it")
