"""The one sentence at the top of a report."""

import pytest
from tests.reports.sample_report import amount, empty_report, rich_report

from tokenbudget.analysis.amounts import NOTHING
from tokenbudget.analysis.report_verdict import NO_SESSIONS, verdict_of


def test_it_says_what_was_spent_how_it_moved_and_what_to_change() -> None:
    assert verdict_of(rich_report(), "2026-11-20") == (
        "$95.51 for 98.3M tokens in 24 sessions, 10% less than in the 30 days before; efficiency"
        " 78 of 100 (B); dearest to change: playwright: 3,914 tokens on every request, last used 6"
        " days ago (~$2.57 a week)."
    )


def test_before_the_first_session_it_says_what_to_do() -> None:
    assert verdict_of(empty_report(), "") == NO_SESSIONS


def test_a_period_without_use_names_the_last() -> None:
    assert "the last use was on 2026-09-01" in verdict_of(empty_report(), "2026-09-01")


@pytest.mark.parametrize(
    ("before", "words"),
    [
        (69.66, "as much as in"),
        (40, "74% more than in"),
        (10, "7.0 times as much as in"),
    ],
)
def test_changes_in_words(before: float, words: str) -> None:
    assert words in verdict_of(rich_report()._replace(previous=amount(before)), "2026-11-20")


def test_without_a_past_a_score_or_a_drain_it_is_shorter() -> None:
    rich = rich_report()
    bare = rich._replace(previous=None, efficiency=empty_report().efficiency, findings=())
    assert verdict_of(bare, "2026-11-20") == (
        "$95.51 for 98.3M tokens in 24 sessions; no drain worth a change was found."
    )


def test_without_prices_it_counts_tokens() -> None:
    rich = rich_report()
    unpriced = rich.profile._replace(totals=NOTHING._replace(input_tokens=5_000))
    said = verdict_of(rich._replace(profile=unpriced, findings=rich.findings[-1:]), "2026-11-20")
    assert said.startswith("5.00K tokens in 24 sessions")
    assert said.endswith("(~61.0K tokens a week).")
