"""Findings as text and JSON: the sum first, honest amounts, and nobody else's escapes."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path

import pytest
from tests.analysis.drains.studies import FIRST_DAY, at
from tests.cli.test_hostile_text import HOSTILE, harmful
from tests.reports.test_optimize_file import found

from tokenbudget.analysis.drains.found import Applied, Findings
from tokenbudget.analysis.drains.ranking import Days
from tokenbudget.analysis.findings import AppliedFix, Evidence, Fix, Price
from tokenbudget.analysis.periods import Zone
from tokenbudget.model.actions import EditSettings, EditText, SettingEdit, TrashFile
from tokenbudget.model.figures import Style, text_width
from tokenbudget.reports.optimize import finding_lines, findings_lines, split
from tokenbudget.reports.optimize_json import findings_document
from tokenbudget.reports.optimize_words import (
    cost_words,
    drain_words,
    outcome_words,
    period_words,
    share_words,
    usd_words,
)
from tokenbudget.reports.step_words import MOST_LINES, change_lines

UTC = Zone("UTC", at(FIRST_DAY))
PLAIN = Style(80, is_styled=False)
HOME = "/home/kim"


def price(tokens: int, error: int, usd: str | None = None, usd_error: str = "0") -> Price:
    return Price(
        tokens, error, None if usd is None else Decimal(usd), Decimal(usd_error) if usd else None
    )


def outcome(saved: Price | None, days: float = 8.0, *, is_undone: bool = False) -> AppliedFix:
    return AppliedFix(7, at(FIRST_DAY), price(9_000, 900), days, 10, 5, saved, is_undone)


def test_amounts_have_the_digits_of_their_error_and_none_is_rounded_away() -> None:
    assert usd_words(price(1, 1, "1.234", "0.3")) == "$1.23 ± 0.30"
    assert usd_words(price(1, 1, "0.0042", "0.00001")) == "$0.0042 ± 0.0001"
    assert usd_words(price(1, 1, "12", "0.0001")) == "$12.00 ± 0.01"
    assert usd_words(price(1, 1, "0.0136", "0.002")) == "$0.014 ± 0.002"
    assert usd_words(price(1, 1, "0.00001", "0.000001")) == "<$0.0001 ± 0.0001"
    assert usd_words(price(1, 1, "-2", "0.5")) == "-$2.00 ± 0.50"
    assert usd_words(price(5, 1)) == "no price"
    assert cost_words(price(0, 0, "2", "1")) == "$2.00 ± 1.00"
    assert cost_words(price(0, 0)) == "an unknown amount"
    assert "no price" in cost_words(price(5, 1))


def test_what_came_of_a_fix_is_said_as_it_is() -> None:
    assert outcome_words(outcome(None, 3.4)) == "not enough use yet to measure it (3 days)"
    assert outcome_words(outcome(None, 1.0, is_undone=True)).startswith("undone after 1 day")
    good = outcome_words(outcome(price(8_000, 500, "0.4", "0.02")))
    assert good.startswith("saved 8.00K ± 500 tokens a week of use ($0.40 ± 0.02)")
    assert "foretold were 9.00K" in good
    assert "saved nothing that can be told" in outcome_words(outcome(price(400, 500)))
    assert "saved nothing that can be told" in outcome_words(outcome(price(0, 0)))
    assert outcome_words(outcome(price(-900, 10))).startswith("costs more since: 900 ± 10")
    assert outcome_words(outcome(price(9, 1), is_undone=True)).endswith("it was undone")


def test_periods_and_shares() -> None:
    assert period_words(Days(FIRST_DAY, FIRST_DAY)) == "2026-11-13"
    assert period_words(Days(FIRST_DAY, FIRST_DAY + 1)) == "2026-11-13 to 2026-11-14"
    assert period_words(Days(0, -1)) == ""
    assert share_words(found("a.py")) == "2% of $1.00"
    unpriced = found("a.py")._replace(weekly_total=price(10_000, 1))
    assert share_words(unpriced) == "1% of 1.00M tokens"
    assert share_words(Findings((), price(0, 0), ())) == ""
    assert (
        drain_words("re-read", "/srv/shop/a.py", "/srv/shop", "/srv") == "re-read of a.py in ~/shop"
    )


def test_small_ones_and_what_comes_after_the_first_dozen_are_folded() -> None:
    many = found(*(f"{n}.py" for n in range(20)))
    shown, folded = split(many.rows)
    assert (len(shown), len(folded)) == (12, 8)
    assert split(many.rows, is_whole=True) == (list(many.rows), [])
    text = "\n".join(findings_lines(many, PLAIN, HOME))
    assert "and 8 smaller findings, $" in text
    assert "tokens optimize --all" in text
    tiny = found("a.py", sent=499)
    assert split(tiny.rows) == ([], list(tiny.rows))
    told = " ".join(line.strip() for line in findings_lines(tiny, PLAIN, HOME))
    assert "and 1 smaller finding (each below a cent a week), $0.0005 (0 to 0.0024)" in told


def test_what_was_seen_once_is_told_as_what_it_was_and_what_it_may_be() -> None:
    once = found("a.py", sent=920_000)
    rows = findings_lines(once, PLAIN, HOME)
    assert rows[3].endswith("  $0.92 (0 to 4.35)")
    assert "$0.92 in 7 days" in rows[4]
    told = finding_lines(once.rows[0], once, PLAIN, UTC, HOME)
    assert "Costs       $0.92 (0 to 4.35) and 920K (0 to 4.35M) tokens a week" in told
    assert "So far      $0.92 ± 0.09 and 920K ± 92.0K tokens in 7 days" in told
    (row,) = json.loads(findings_document(once, once.rows, UTC))["rows"]
    assert row["usd_in_period"] == "0.92"
    assert row["tokens_in_period"] == 920_000
    assert row["tokens_per_week_range"][0] == 0
    assert float(row["usd_per_week_range"][1]) == pytest.approx(4.35, abs=0.01)


def test_of_a_long_path_the_folders_go_first() -> None:
    deep = found("very/deep/folders/that/nobody/can/read/in/one/line/of/eighty/columns/cart.py")
    listed = "\n".join(findings_lines(deep, PLAIN, HOME))
    assert " 1  …/cart.py read again once, unchanged" in listed
    one = findings_lines(deep._replace(session="5e550000-aaaa"), PLAIN, HOME)
    assert one[1].startswith("session 5e550000 · ")


def test_without_a_finding_it_says_so_in_a_line() -> None:
    none = found("a.py")._replace(rows=(), weekly_total=price(0, 0))
    assert findings_lines(none, PLAIN, HOME)[0] == "No token drain was found. Nothing to do."
    empty = Findings((), price(0, 0), ("something is missing",))
    lines = findings_lines(empty, PLAIN, HOME)
    assert lines[0] == "No sessions to look at yet."
    assert lines[-1] == "! something is missing"


def test_fixes_of_findings_that_are_gone_are_still_told() -> None:
    applied = Applied("re-read/aaaaaa", "re-read", "", "/srv/shop", outcome(price(9, 1)))
    lines = findings_lines(found("b.py")._replace(applied=(applied,)), PLAIN, HOME)
    at_line = lines.index("Applied before")
    assert lines[at_line + 1].startswith("  action 7, re-read in /srv/shop: saved 9 ± 1 tokens")


def test_an_unknown_weight_is_a_question_mark() -> None:
    now = found("a.py")
    row = now.rows[0]._replace(weekly=price(0, 0))
    lines = findings_lines(now._replace(rows=(row,)), PLAIN, HOME, is_whole=True)
    assert any(line.endswith("  ?") for line in lines)


@pytest.mark.parametrize("name", sorted(HOSTILE))
@pytest.mark.parametrize("width", [30, 80])
def test_hostile_words_are_inert(name: str, width: int) -> None:
    bad = HOSTILE[name]
    now = found(f"{bad}.py")
    row = now.rows[0]._replace(
        fix=Fix("command", bad, bad, "tokens undo", ""),
        evidence=(Evidence(bad, f"/srv/{bad}", 3, 1, bad),),
        project=bad,
        applied=outcome(None),
    )
    now = now._replace(rows=(row,), project=bad, notes=(bad,))
    style = Style(width, is_styled=False)
    listed = findings_lines(now, style, HOME)
    whole = finding_lines(row, now._replace(project=None), style, UTC, HOME)
    for line in (*listed, *whole):
        assert not harmful(line)
    assert all(text_width(line) <= width for line in listed)
    document = findings_document(now, now.rows, UTC)
    assert not harmful(document)
    assert json.loads(document)["rows"][0]["fix"] == bad


def test_a_change_is_shown_as_the_lines_that_go_and_come() -> None:
    edit = EditText("/srv/shop/CLAUDE.md", "a\nb\n", "a\nc\n")
    assert change_lines(edit) == ["CLAUDE.md", " a", "-b", "+c"]
    long = EditText("/x/CLAUDE.md", None, "\n".join(map(str, range(100))))
    lines = change_lines(long)
    assert lines[0] == "CLAUDE.md (a new file)"
    assert len(lines) == MOST_LINES + 2
    assert lines[-1] == "… and 60 more lines"
    deny = SettingEdit(("permissions", "deny"), "Read(./\x1b[2J/**)", is_member=True)
    (name, line) = change_lines(EditSettings("/srv/shop/.claude/settings.local.json", (deny,)))
    assert name == ".claude/settings.local.json"
    assert line.startswith("+ permissions.deny + ")
    assert not harmful(line)
    assert change_lines(TrashFile("/srv/x.bak", 1, 1)) == ["/srv/x.bak"]


def test_every_field_is_documented() -> None:
    text = (Path(__file__).parents[2] / "docs" / "optimize.md").read_text()
    now = found("a.py")
    row = now.rows[0]._replace(applied=outcome(price(5, 1, "1")))
    done = Applied("re-read/aaaaaa", "re-read", "", "/srv/shop", outcome(None))
    told = json.loads(findings_document(now._replace(applied=(done,)), [row], UTC))
    told.pop("format")
    missing = {name for name in names_in(told) if f"`{name}`" not in text}
    assert {name for name in missing if not name.startswith("predicted_")} == set()


def names_in(value: object) -> set[str]:
    """Every field of a document, at any depth."""
    if isinstance(value, list):
        return set().union(*map(names_in, value))
    if isinstance(value, dict):
        return set(value).union(*map(names_in, value.values()))
    return set()
