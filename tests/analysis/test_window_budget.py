import pytest
from tests.analysis.window_builders import NOON_MS, component, item, session_window_of

from tokenbudget.analysis.session_window import Sample, SessionWindow
from tokenbudget.analysis.window_budget import (
    MOST_ADVICE,
    BudgetRow,
    WindowBudget,
    level_of,
    window_budget,
)
from tokenbudget.budget.health import STANDARD
from tokenbudget.model.errors import BadConfig

MINUTE_MS = 60_000


def budget_of(shown: SessionWindow, **shares: float) -> WindowBudget:
    return window_budget(shown, shares or None, STANDARD, NOON_MS, {})


def row(budget: WindowBudget, name: str) -> BudgetRow:
    (found,) = (row for row in budget.rows if row.name == name)
    return found


def samples(*told: tuple[int, bool]) -> tuple[Sample, ...]:
    """A request a minute, up to noon: how full the window was, and whether it was emptied."""
    begin = NOON_MS - len(told) * MINUTE_MS
    return tuple(
        Sample(begin + number * MINUTE_MS, tokens, "claude-opus-5-5", is_reset)
        for number, (tokens, is_reset) in enumerate(told, 1)
    )


class TestLevel:
    def test_worse_holds_at_once(self) -> None:
        assert level_of(samples((10_000, False), (160_000, False)), 200_000, STANDARD) == "critical"

    def test_better_without_a_reset_is_believed_slowly(self) -> None:
        told = samples((160_000, False), (20_000, False))

        assert level_of(told, 200_000, STANDARD) == "critical"

    def test_a_compaction_begins_anew(self) -> None:
        told = samples((185_000, False), (20_000, True))

        assert level_of(told, 200_000, STANDARD) == "healthy"

    def test_a_compaction_that_left_much_is_not_healthy(self) -> None:
        told = samples((185_000, False), (110_000, True))

        assert level_of(told, 200_000, STANDARD) == "warning"

    def test_no_request_is_healthy(self) -> None:
        assert level_of((), 200_000, STANDARD) == "healthy"

    def test_the_light_has_no_memory(self) -> None:
        held = session_window_of(
            component("messages", 20_000), samples=samples((190_000, False), (20_000, False))
        )

        found = budget_of(held)

        assert (found.level, found.light, found.share) == ("emergency", "green", 0.1)


class TestRows:
    def test_each_part_stands_beside_its_allotment(self) -> None:
        found = budget_of(
            session_window_of(
                component("system_prompt", 3_000),
                component("system_tools", 4_000),
                component("memory_files", 500),
                component("hidden", 200),
                component("mcp_tools", 9_000),
                component("skills", 100),
                component("agents", 50),
                component("messages", 60_000),
                component("context_files", 7_000),
            )
        )

        assert [(row.name, row.tokens, row.allotted_tokens) for row in found.rows] == [
            ("System", 7_700, 10_000),
            ("MCPs (active)", 9_000, 15_000),
            ("Skills (loaded)", 100, 10_000),
            ("Agents", 50, 5_000),
            ("Messages", 60_000, 100_000),
            ("Context", 7_000, 30_000),
        ]
        assert sum(row.tokens or 0 for row in found.rows) == 83_850

    def test_only_agents_are_left_out_where_there_are_none(self) -> None:
        names = [row.name for row in budget_of(session_window_of()).rows]

        assert names == ["System", "MCPs (active)", "Skills (loaded)", "Messages", "Context"]

    def test_what_holds_more_than_its_allotment_is_over(self) -> None:
        found = budget_of(
            session_window_of(component("messages", 100_001), component("skills", 10_000))
        )

        assert row(found, "Messages").is_over
        assert not row(found, "Skills (loaded)").is_over

    def test_the_persons_own_shares_divide_the_window(self) -> None:
        found = budget_of(session_window_of(), conversation=75, context=25)

        assert row(found, "Messages").allotted_tokens == 150_000
        assert row(found, "System").allotted_tokens == 0

    def test_impossible_shares_are_refused(self) -> None:
        with pytest.raises(BadConfig):
            budget_of(session_window_of(), conversation=75)

    def test_a_row_is_exact_when_all_of_it_is(self) -> None:
        found = budget_of(
            session_window_of(
                component("system_prompt", 100),
                component("system_tools", 50, error_tokens=3),
                component("messages", 10),
            )
        )

        assert not row(found, "System").is_exact
        assert row(found, "Messages").is_exact

    def test_the_largest_two_are_named(self) -> None:
        found = budget_of(
            session_window_of(
                component("mcp_tools", 600, item("a", 1), item("git", 500), item("web", 99)),
                component("skills", 20, item("pdf", 20)),
                component("context_files", 30, item("/a.py", 20), item("/b.py", 10)),
            )
        )

        assert row(found, "MCPs (active)").note == "git 500 · web 99"
        assert row(found, "Skills (loaded)").note == ""
        assert row(found, "Context").note == "2 files"


class TestUnknown:
    def test_an_unknown_window_has_no_level_no_share_and_no_allotments(self) -> None:
        found = budget_of(session_window_of(component("messages", 90_000), size_tokens=None))

        assert (found.level, found.light, found.share) == (None, None, None)
        assert {row.allotted_tokens for row in found.rows} == {None}
        assert not any(row.is_over for row in found.rows)
        assert found.advice == []

    def test_an_unknown_prompt_has_no_level_and_no_share(self) -> None:
        found = budget_of(session_window_of(prompt_tokens=None))

        assert (found.level, found.light, found.share) == (None, None, None)
        assert row(found, "Messages").allotted_tokens == 100_000

    def test_of_an_unknown_prompt_no_part_is_known_rather_than_empty(self) -> None:
        rows = budget_of(session_window_of(prompt_tokens=None)).rows

        assert {(row.tokens, row.is_over, row.excess_tokens) for row in rows} == {(None, False, 0)}

    def test_a_window_that_was_emptied_since_has_no_level_until_the_next_request(self) -> None:
        found = budget_of(
            session_window_of(changed_since="compaction", samples=samples((190_000, False)))
        )

        assert (found.level, found.light, found.share) == (None, None, None)
        assert found.advice == []

    def test_a_single_request_says_nothing_about_the_burn(self) -> None:
        found = budget_of(session_window_of(samples=samples((5_000, False))))

        assert {burn.tokens_per_minute for burn in found.burns} == {None}


class TestAdvice:
    def test_a_healthy_window_needs_none(self) -> None:
        assert budget_of(session_window_of(component("messages", 5_000))).advice == []

    def test_out_of_date_copies_are_worth_dropping(self) -> None:
        held = session_window_of(
            component(
                "context_files",
                9_000,
                item("/a.py", 6_000, stale_tokens=2_000),
                item("/b.py", 3_000, stale_tokens=1_500),
            )
        )

        (advice,) = budget_of(held).advice

        assert "3,500 tokens" in advice
        assert "2 files" in advice
        assert "/a.py, 2,000" in advice

    def test_little_is_not_worth_a_word(self) -> None:
        held = session_window_of(
            component("context_files", 900, item("/a.py", 900, stale_tokens=900)),
            component("mcp_tools", 999, item("git", 999)),
        )

        assert budget_of(held).advice == []

    def test_a_server_that_nobody_called_is_named(self) -> None:
        held = session_window_of(component("mcp_tools", 5_000, item("git", 5_000)))

        (advice,) = budget_of(held).advice

        assert advice.startswith("MCP server git: 5,000 tokens")

    def test_a_server_that_was_called_is_not(self) -> None:
        held = session_window_of(
            component("mcp_tools", 8_000, item("git", 5_000), item("gitlab", 3_000)),
            called_servers=("gitlab",),
        )

        (advice,) = budget_of(held).advice

        assert advice.startswith("MCP server git: 5,000")

    @pytest.mark.parametrize(
        ("server", "called"),
        [("claude.ai Mail", "claude_ai_Mail"), ("my-server", "my-server"), ("Git", "git")],
    )
    def test_a_server_is_known_by_the_name_that_its_tools_bear(
        self, server: str, called: str
    ) -> None:
        held = session_window_of(
            component("mcp_tools", 3_000, item(server, 3_000)), called_servers=(called,)
        )

        assert budget_of(held).advice == []

    def test_words_about_all_servers_are_no_server(self) -> None:
        held = session_window_of(component("mcp_tools", 3_000, item("all servers", 3_000)))

        assert budget_of(held).advice == []

    def test_one_file_is_one_file(self) -> None:
        stale = item("/a.py", 6_000, stale_tokens=2_000)

        (advice,) = budget_of(session_window_of(component("context_files", 6_000, stale))).advice

        assert "copies of 1 file (" in advice

    def test_too_much_of_one_part_is_told_with_what_it_holds(self) -> None:
        held = session_window_of(
            component("skills", 12_000, item("pdf", 8_000), item("xlsx", 4_000))
        )

        (advice,) = budget_of(held).advice

        assert advice == (
            "Skills (loaded) holds 12,000 of 10,000 allotted (most: pdf 8,000 · xlsx 4,000)"
        )

    def test_files_are_named_by_the_advice_about_copies_not_by_the_one_about_the_plan(self) -> None:
        held = session_window_of(
            component("context_files", 32_000, item("/a.py", 20_000), item("/b.py", 12_000))
        )

        assert budget_of(held).advice == ["Context holds 32,000 of 30,000 allotted"]

    def test_nobody_is_told_to_save_what_no_transcript_shows(self) -> None:
        told = session_window_of(component("system_tools", 9_000), component("hidden", 3_000))
        untold = session_window_of(component("system_tools", 12_000))

        assert budget_of(told).advice == []
        assert budget_of(untold).advice == ["System holds 12,000 of 10,000 allotted"]

    def test_the_largest_gain_comes_first(self) -> None:
        held = session_window_of(
            component("mcp_tools", 5_000, item("git", 2_000), item("web", 3_000)),
            component("context_files", 9_000, item("/a.py", 9_000, stale_tokens=2_500)),
        )

        found = budget_of(held).advice

        assert [advice.split()[0] for advice in found] == ["MCP", "2,500", "MCP"]
        assert "web" in found[0]

    def test_near_its_compaction_that_goes_before_everything(self) -> None:
        held = session_window_of(
            component("messages", 147_001), component("skills", 1_000, item("pdf", 1_000))
        )

        found = budget_of(held).advice

        assert found[0].startswith("18,999 tokens until the client compacts")
        assert found[1].startswith("Messages holds 147,001 of 100,000")

    def test_a_tenth_of_the_window_is_still_far_away(self) -> None:
        held = session_window_of(component("hidden", 147_000))

        assert not any("compacts" in advice for advice in budget_of(held).advice)

    def test_nobody_is_told_more_than_a_few_things(self) -> None:
        servers = [item(f"server{n}", 1_000 + n) for n in range(9)]
        held = session_window_of(component("mcp_tools", 9_036, *servers))

        assert len(budget_of(held).advice) == MOST_ADVICE
