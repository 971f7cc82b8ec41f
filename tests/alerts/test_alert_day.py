from __future__ import annotations

from pathlib import Path

import pytest

import alert_day
from tokenbudget.alerts.burn_rate import TIERS
from tokenbudget.alerts.delivery import REMOTE_KINDS
from tokenbudget.alerts.rules import SCOPES

PAGE = Path(__file__).parents[2] / "docs" / "alerts.md"


@pytest.mark.slow
def test_the_page_holds_the_log_of_the_day() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert page == alert_day.page_with(page, alert_day.log())


def test_the_page_names_every_scope_channel_and_factor() -> None:
    page = PAGE.read_text(encoding="utf-8")
    factors = [f"| {tier.burn:g}" for tiers in TIERS.values() for tier in tiers]
    wanted = [*(f"`{s}`" for s in SCOPES), *(f"`--{k}`" for k in REMOTE_KINDS), *factors]
    assert [name for name in wanted if name not in page] == []
