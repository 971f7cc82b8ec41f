import json
from typing import Any

import pytest
from tests.reports.test_window import FACTS, UNKNOWN_SIZE, window

from tokenbudget.analysis.periods import Zone
from tokenbudget.analysis.session_window import Sample, SessionWindow
from tokenbudget.analysis.window_budget import BudgetRow, LimitState, WindowBudget
from tokenbudget.budget.burn import Burn
from tokenbudget.budget.forecast import Crossing, Spread
from tokenbudget.budget.limits import LimitForecast
from tokenbudget.model.figures import Style, text_width
from tokenbudget.reports.budget import budget_document, budget_lines

ROWS = [
    BudgetRow("System", 11_000, False, 10_000, "not recorded 9,000 · memory files 2,000"),
    BudgetRow("Messages", 29_000, True, 100_000, ""),
]
BURN = Burn(60, 3, 6_000, 3.0, 2_000.0, 1_500.0, "")
CROSSING = Crossing(
    "warning", 100_000, Spread(5, 10, None), Spread(1, 4, None), Spread(1, 2, None), ""
)
NOON_MS = 1_795_176_000_000
ZONE = Zone("UTC", NOON_MS)
SAMPLES = (Sample(1, 40_000, "m", False),)


def budget(**fields: Any) -> WindowBudget:
    """A healthy window of 40,000 tokens."""
    plain = WindowBudget("healthy", "green", 0.2, ROWS, [BURN], [], [])
    return plain._replace(**fields)


def lines_of(plan: WindowBudget, shown: SessionWindow | None = None, width: int = 100) -> list[str]:
    """The status screen as plain text."""
    told = window(samples=SAMPLES, crossings=(CROSSING,)) if shown is None else shown
    return budget_lines(told, plan, FACTS, Style(width, is_styled=False), ZONE)


class TestLimits:
    TOLD = LimitForecast(0.38, NOON_MS, Spread(0.5, 0.62, 0.8), None, "")
    SILENT = LimitForecast(None, None, None, None, "no report")

    def test_what_the_agent_reported_is_shown_with_what_it_will_come_to(self) -> None:
        plan = budget(limits=[LimitState("five_hour", "5-hour", self.TOLD)])
        line = "5-hour limit: 38% used, resets Fri 12:00; then 50% / 62% / 80% (P10 / P50 / P90)"
        assert line in lines_of(plan)

    def test_a_limit_that_nobody_reported_is_not_guessed(self) -> None:
        plan = budget(limits=[LimitState("seven_day", "7-day", self.SILENT)])
        assert any(
            line.startswith("Limits: 5-hour and 7-day use unknown") for line in lines_of(plan)
        )
        made = json.loads(budget_document(window(), plan, FACTS, ZONE))
        assert made["limits"] == {"seven_day": None}

    def test_a_reported_limit_stands_in_the_document(self) -> None:
        plan = budget(limits=[LimitState("five_hour", "5-hour", self.TOLD)])
        made = json.loads(budget_document(window(), plan, FACTS, ZONE))
        found = made["limits"]["five_hour"]
        assert (found["used_share"], found["share_at_reset"]["p50"]) == (0.38, 0.62)
        assert found["resets_at"].startswith("2026-11-20T12:00")


class TestScreen:
    def test_amounts_stand_under_each_other(self) -> None:
        total, used, free = lines_of(budget())[2:5]

        assert total.startswith("Total Budget:     200,000 tokens")
        assert used.startswith("Current Usage:     40,000 tokens (20.0%)   ████▊")
        assert free.startswith("Available:        160,000 tokens (80.0%)   until auto-compaction")

    def test_the_last_part_closes_the_tree(self) -> None:
        tree = [line for line in lines_of(budget()) if line[:2] in ("├─", "└─")]

        assert [line[:2] for line in tree] == ["├─", "└─"]

    def test_a_mark_says_what_is_over(self) -> None:
        first, second = (line for line in lines_of(budget()) if line[:2] in ("├─", "└─"))

        assert "10,000 !  not recorded" in first
        assert "!" not in second

    def test_a_tilde_says_what_was_counted(self) -> None:
        first, second = (line for line in lines_of(budget()) if line[:2] in ("├─", "└─"))

        assert "~11,000 tokens (5.5%)" in first
        assert " 29,000 tokens (14.5%)" in second

    @pytest.mark.parametrize(
        ("level", "sign"),
        [("healthy", "🟢"), ("warning", "🟡"), ("critical", "🟠"), ("emergency", "🔴")],
    )
    def test_a_level_has_colour_word_and_scale(self, level: str, sign: str) -> None:
        said = f"Status: {sign} {level.capitalize()} (health level, 20% of the window)"

        assert said in lines_of(budget(level=level))

    def test_an_unknown_level_has_no_colour(self) -> None:
        lines = lines_of(budget(level=None, light=None, share=None))

        assert "Status: ? unknown" in lines
        assert not any(sign in "".join(lines) for sign in "🟢🟡🟠🔴")

    def test_what_is_unknown_is_called_so(self) -> None:
        lines = lines_of(budget(), window(prompt_tokens=None, size=UNKNOWN_SIZE))

        assert lines[2:5] == [
            "Total Budget:     unknown",
            "Current Usage:    unknown",
            "Available:        unknown",
        ]

    def test_a_part_that_nobody_knows_is_unknown(self) -> None:
        rows = [BudgetRow("Context", None, True, 30_000, "")]
        shown = window(prompt_tokens=None)
        (line,) = (line for line in lines_of(budget(rows=rows), shown) if "└─" in line)

        assert line.split() == ["└─", "Context:", "unknown", "30,000"]

    def test_after_a_compaction_the_figure_before_it_is_told(self) -> None:
        lines = lines_of(budget(), window(changed_since="compaction"))

        assert lines[2:5] == [
            "Total Budget:     200,000 tokens",
            "Current Usage:    unknown (before that: 40,000)",
            "Available:        unknown",
        ]

    def test_without_a_plan_no_column_is_headed(self) -> None:
        rows = [row._replace(allotted_tokens=None) for row in ROWS]

        assert "Breakdown:" in lines_of(budget(rows=rows))
        assert not any("allotted" in line for line in lines_of(budget(rows=rows)))

    def test_advice_is_numbered(self) -> None:
        lines = lines_of(budget(advice=["Do this.", "Do that."]))

        assert lines[-3:] == ["Recommended:", "1. Do this.", "2. Do that."]

    def test_notes_stand_before_the_advice(self) -> None:
        lines = lines_of(budget(advice=["Do this."]), window(notes=("a note",)))

        assert lines.index("  ! a note") < lines.index("Recommended:")

    @pytest.mark.parametrize("width", [60, 80, 100, 160])
    def test_fits_whatever_it_is_told(self, width: int) -> None:
        long = "購物車 " * 60 + "x" * 300
        rows = [ROWS[0]._replace(note=long), BudgetRow("Context", 10**9, False, 10**9, long)]
        plan = budget(rows=rows, advice=[long])
        shown = window(notes=(long,), prompt_tokens=10**10, samples=SAMPLES, crossings=(CROSSING,))

        assert max(map(text_width, lines_of(plan, shown, width))) <= width

    def test_a_narrow_screen_tells_how_much_is_left_until_auto_compaction(self) -> None:
        assert "127,000" in " ".join(lines_of(budget(), width=60))

    def test_a_narrow_screen_drops_a_column_or_shows_it(self) -> None:
        lines = lines_of(budget(), width=60)
        start = next(i for i, line in enumerate(lines) if line.startswith("Runs out"))

        assert not [line for line in lines[start : start + 3] if line.endswith("…")]

    def test_hostile_words_are_cleaned(self) -> None:
        rows = [ROWS[0]._replace(note="\x1b[2Jserver\u202e")]
        lines = lines_of(budget(rows=rows, advice=["Unload \x9b31mthis\nnow"]))

        assert all(line.isprintable() for line in lines)


class TestForecast:
    def test_a_burn_names_its_span_and_the_growth_of_a_request(self) -> None:
        assert "Burn: 2,000/min over 60 min, 1,500 per request" in lines_of(budget())

    def test_several_spans_stand_side_by_side(self) -> None:
        burns = [BURN._replace(span_minutes=5), BURN]

        assert "2,000/min over 5 min · 2,000/min over 60 min" in "".join(
            lines_of(budget(burns=burns))
        )

    def test_no_burn_is_none(self) -> None:
        idle = BURN._replace(tokens_per_minute=None, tokens_per_request=None)

        assert "Burn: none in the last hour" in lines_of(budget(burns=[idle]))

    def test_is_a_table_in_which_what_lies_beyond_is_far(self) -> None:
        lines = lines_of(budget())
        start = next(i for i, line in enumerate(lines) if line.startswith("Runs out"))

        assert lines[start].split("  ")[-1] == "minutes of work"
        assert lines[start + 1].split("  ")[-1].strip() == "P10 / P50 / P90"
        row = [cell.strip() for cell in lines[start + 2].split("  ") if cell.strip()]
        assert row == ["warning at 100,000", "5 / 10 / far", "1 / 4 / far"]
        assert len({len(line) for line in lines[start : start + 3]}) == 1

    def test_what_is_reached_is_not_foretold(self) -> None:
        reached = CROSSING._replace(requests=Spread(0, 0, 0))
        lines = lines_of(budget(), window(samples=SAMPLES, crossings=(reached,)))

        assert not any("warning" in line for line in lines)
        assert not any(line.startswith(("Runs out", "Forecast")) for line in lines)

    def test_a_reason_is_told_once(self) -> None:
        unknown = Crossing("full", 200_000, None, None, None, "2 requests so far")
        shown = window(samples=SAMPLES, crossings=(unknown, unknown._replace(name="critical")))

        assert lines_of(budget(), shown).count("Forecast: unknown (2 requests so far)") == 1


class TestDocument:
    def test_has_a_row_for_each_part(self) -> None:
        made = json.loads(budget_document(window(), budget(), FACTS, ZONE))

        assert made["format"] == "tokenbudget/budget/1"
        assert made["rows"][0] == {
            "part": "System",
            "tokens": 11_000,
            "provenance": "calibrated",
            "allotted_tokens": 10_000,
            "is_over_allotted": True,
        }

    def test_a_part_that_nobody_knows_is_null(self) -> None:
        rows = [BudgetRow("Context", None, True, 30_000, "")]
        (row,) = json.loads(budget_document(window(), budget(rows=rows), FACTS, ZONE))["rows"]

        assert row == {
            "part": "Context",
            "tokens": None,
            "provenance": "unknown",
            "allotted_tokens": 30_000,
            "is_over_allotted": False,
        }

    def test_a_forecast_has_all_three_quantiles(self) -> None:
        made = json.loads(budget_document(window(crossings=(CROSSING,)), budget(), FACTS, ZONE))

        (crossing,) = made["forecast"]
        assert crossing["requests"] == {"p10": 5, "p50": 10, "p90": None}
        assert crossing["reason"] is None

    def test_what_is_unknown_is_null(self) -> None:
        plan = budget(level=None, light=None, share=None)
        made = json.loads(budget_document(window(size=UNKNOWN_SIZE), plan, FACTS, ZONE))

        unknown = ("used_share", "health_level", "traffic_light", "window_tokens")
        assert [made[name] for name in unknown] == [None] * 4
