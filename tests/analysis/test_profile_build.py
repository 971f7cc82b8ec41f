"""A profile is the bill, told in other ways: nothing is lost, and nothing is told twice."""

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.analysis.profile_builders import (
    MONDAY,
    SHOP,
    facts,
    profile,
    result,
    spend,
    studies,
    study,
    thread,
)

from tokenbudget.analysis.amounts import NOTHING, Amount
from tokenbudget.analysis.profile import CONSUMER_KINDS, Consumer, Node, Profile
from tokenbudget.analysis.profile_names import short_names
from tokenbudget.analysis.profile_sums import Days
from tokenbudget.analysis.profile_tree import spenders_of
from tokenbudget.model import window

EXTRA = Amount(5, 4, 3, 2, 1, 10**9, 0)


def added_up(amounts: list[Amount]) -> Amount:
    """The sum of some amounts."""
    total = NOTHING
    for amount in amounts:
        total = total.plus(amount)
    return total


def consumer(found: Profile, kind: str, name: str) -> Consumer:
    """The one of that name."""
    (row,) = (row for row in found.consumers[kind] if row.name == name)
    return row


class TestConservation:
    @settings(deadline=None)  # a loaded machine is no fault
    @given(studies(), st.sampled_from([None, EXTRA]))
    def test_components_are_the_bill(self, files: list, extra: Amount | None) -> None:  # type: ignore[type-arg]
        found = profile(*files, extra=extra)

        assert added_up([row.amount for row in found.consumers["component"]]) == found.totals

    @settings(deadline=None)  # a loaded machine is no fault
    @given(studies(), st.sampled_from([None, EXTRA]))
    def test_boxes_are_the_bill(self, files: list, extra: Amount | None) -> None:  # type: ignore[type-arg]
        found = profile(*files, extra=extra)

        def check(node: Node) -> None:
            if node.children:
                assert added_up([child.amount for child in node.children]) == node.amount
            for child in node.children:
                check(child)

        check(found.tree)
        assert found.tree.amount == found.totals
        assert added_up([amount for _, amount in spenders_of(found)]) == found.totals

    @settings(deadline=None)  # a loaded machine is no fault
    @given(studies())
    def test_every_split_is_the_bill(self, files: list) -> None:  # type: ignore[type-arg]
        found = profile(*files, extra=EXTRA)

        for rows in (found.projects, found.branches, found.models, found.sessions):
            assert added_up([row.amount for row in rows]) == found.totals

    @settings(deadline=None)  # a loaded machine is no fault
    @given(studies(), st.sampled_from([MONDAY - 14, MONDAY]))
    def test_holds_within_a_period(self, files: list, first: int) -> None:  # type: ignore[type-arg]
        found = profile(*files, days=Days(first, MONDAY + 1))

        assert added_up([row.amount for row in found.consumers["component"]]) == found.totals
        assert found.tree.amount == found.totals

    @settings(deadline=None)  # a loaded machine is no fault
    @given(studies())
    def test_no_kind_takes_more_than_all(self, files: list) -> None:  # type: ignore[type-arg]
        found = profile(*files)

        for kind in CONSUMER_KINDS:
            taken = added_up([row.amount for row in found.consumers[kind]])
            assert all(a <= b for a, b in zip(taken, found.totals, strict=True)), kind

    def test_what_no_study_explains_is_unattributed(self) -> None:
        found = profile(study(thread(result("Bash"))), extra=EXTRA)

        assert found.unattributed == EXTRA
        assert consumer(found, "component", "Unattributed").amount == EXTRA


class TestConsumers:
    def test_a_read_is_a_tool_a_file_and_a_folder(self) -> None:
        found = profile(study(thread(result("Read", f"{SHOP}/src/web/deep/er/cart.py"))))

        assert consumer(found, "tool", "Read").added_tokens == 100
        assert consumer(found, "file", "src/web/deep/er/cart.py").carries == 10
        assert consumer(found, "directory", "src/web/").pieces == 1

    def test_a_file_of_a_worktree_is_the_projects_own(self) -> None:
        copies = [f"{SHOP}/a.py", f"{SHOP}/.claude/worktrees/fix/a.py", f"{SHOP}/.worktrees/x/a.py"]
        found = profile(study(thread(*(result("Read", path) for path in copies))))

        assert consumer(found, "file", "a.py").pieces == 3

    def test_paths_of_several_projects_begin_with_the_project(self) -> None:
        found = profile(
            study(thread(result("Read", "/srv/shop/a.py"), result("Read", "/home/ann/x/y.md"))),
            study(thread(result("Read", "/srv/api/a.py")), session="s2", project="/srv/api"),
        )

        names = {row.name for row in found.consumers["file"]}
        assert names == {"shop/a.py", "api/a.py", "~/x/y.md"}

    def test_projects_that_end_alike_are_told_by_two_parts(self) -> None:
        names = short_names(["/a/shop", "/b/shop", "/b/api", "/x/y/z", "/w/y/z", "C:\\api2"])

        assert names == {
            "/a/shop": "a/shop", "/b/shop": "b/shop", "/b/api": "api", "C:\\api2": "api2",
            "/x/y/z": "/x/y/z", "/w/y/z": "/w/y/z",
        }  # fmt: skip

    def test_windows_paths_are_told_with_slashes(self) -> None:
        found = profile(study(thread(result("Read", "D:\\shop\\src\\a.py")), project="D:\\shop"))

        assert [row.name for row in found.consumers["file"]] == ["src/a.py"]
        assert [row.name for row in found.consumers["directory"]] == ["src/"]

    def test_a_shell_command_counts_by_its_label(self) -> None:
        found = profile(study(thread(result("Bash", "npm test"), result("Grep", "npm test"))))

        assert [row.name for row in found.consumers["command"]] == ["npm test"]

    def test_a_server_has_its_schemas_and_its_calls(self) -> None:
        found = profile(
            study(
                thread(
                    spend(window.MCP_TOOL, "mcp__git__log", "git", added=700),
                    spend(window.DEFERRED_NAMES, "", "git", added=20),
                    result("mcp__git__log"),
                )
            )
        )

        assert consumer(found, "mcp_server", "git").added_tokens == 820
        assert consumer(found, "mcp_tool", "mcp__git__log").added_tokens == 800

    def test_a_server_is_one_however_the_client_spells_it(self) -> None:
        told = spend(window.MCP_INSTRUCTIONS, "", "plugin:notes.app:search")
        called = result("mcp__plugin_notes_app_search__find")
        found = profile(study(thread(told, called)))

        assert consumer(found, "mcp_server", "plugin_notes_app_search").pieces == 2

    def test_a_subagent_is_its_own_bill_and_its_result(self) -> None:
        main = thread(result("Task", "Explore", cost=5), result("Bash", cost=1))
        own = thread(result("Bash", cost=70), result("Task", "Explore", cost=30), name="a1")
        found = profile(study(main, own))

        assert consumer(found, "subagent", "Explore").amount.cost_pico_usd == 105

    def test_subagents_of_two_types_are_not_guessed_at(self) -> None:
        main = thread(result("Task", "Explore", cost=5), result("Task", "Plan", cost=6))
        found = profile(study(main, thread(result("Bash", cost=70), name="a1")))

        assert consumer(found, "subagent", "(type not recorded)").amount.cost_pico_usd == 70

    def test_the_type_that_the_session_recorded_goes_first(self) -> None:
        main = thread(result("Task", "Explore", cost=5), result("Task", "Plan", cost=6))
        found = profile(
            study(main._replace(agents=(("a1", "Plan"),))),
            study(thread(result("Bash", cost=70), name="a1"), is_subagent=True),
        )

        assert consumer(found, "subagent", "Plan").amount.cost_pico_usd == 76

    def test_prompts_are_told_by_session_and_never_by_words(self) -> None:
        found = profile(
            study(thread(spend(window.PROMPT), spend(window.PROMPT))),
            study(thread(spend(window.PROMPT)), session="s2"),
        )

        assert {(row.name, row.pieces) for row in found.consumers["prompt"]} == {
            ("s1", 2),
            ("s2", 1),
        }

    def test_the_dearest_comes_first(self) -> None:
        found = profile(
            study(thread(result("Read", "/a", cost=1), result("Read", "/b", cost=9, read=1)))
        )

        assert [row.name for row in found.consumers["file"]] == ["/b", "/a"]

    def test_sessions_are_counted_once_each(self) -> None:
        found = profile(
            study(thread(result("Read", "/a"), result("Read", "/b"))),
            study(thread(result("Read", "/a")), session="s2"),
        )

        assert consumer(found, "tool", "Read").sessions == 2


class TestWeeks:
    def weekly(self, *days: int, first: int = 0, today: int = MONDAY + 4) -> Profile:
        """A spend on each of these days."""
        rows = [result("Bash", cost=10 + 5 * place, day=day) for place, day in enumerate(days)]
        days_asked = Days(first) if first else Days()
        return profile(study(thread(*rows)), days=days_asked, today=today)

    def test_a_whole_week_is_compared_with_the_whole_week_before(self) -> None:
        found = self.weekly(MONDAY - 14, MONDAY - 7)

        assert [week.change for week in found.weeks] == [None, 0.5]
        assert [week.begins for week in found.weeks] == ["2026-11-02", "2026-11-09"]

    def test_a_week_that_goes_on_is_compared_with_none(self) -> None:
        found = self.weekly(MONDAY - 14, MONDAY - 7, MONDAY)

        assert [week.is_whole for week in found.weeks] == [True, True, False]
        assert found.weeks[2].change is None

    def test_a_week_that_the_period_cuts_is_not_whole(self) -> None:
        found = self.weekly(MONDAY - 8, MONDAY - 7, first=MONDAY - 8)

        assert [week.is_whole for week in found.weeks] == [False, True]
        assert found.weeks[1].change is None

    def test_the_first_week_of_all_may_lack_its_beginning(self) -> None:
        found = self.weekly(MONDAY - 12, MONDAY - 7)

        assert [week.is_whole for week in found.weeks] == [False, True]

    def test_a_week_without_use_is_there(self) -> None:
        found = self.weekly(MONDAY - 21, MONDAY - 7)

        assert [week.requests for week in found.weeks] == [1, 0, 1]
        assert [week.change for week in found.weeks] == [None, -1.0, None]

    def test_it_names_what_took_most(self) -> None:
        rows = [result("Bash", cost=10), result("Read", "/a", cost=30)]

        assert profile(study(thread(*rows))).weeks[0].top == "Read"

    def test_what_took_most_is_told_without_prices_too(self) -> None:
        small = [result("Bash", str(number), read=10, cost=0) for number in range(3)]
        rows = [*small, result("Read", "/a", read=5_000, cost=0)]

        assert profile(study(thread(*rows))).weeks[0].top == "Read"


class TestTree:
    def test_component_tool_and_file(self) -> None:
        found = profile(study(thread(result("Read", "/a", cost=9), result("Read", "/b", cost=1))))

        (files,) = found.tree.children
        (read,) = files.children
        assert (files.name, read.name) == ("Context files", "Read")
        assert [box.name for box in read.children] == ["/a", "/b"]

    def test_many_small_boxes_are_one(self) -> None:
        found = profile(study(thread(*(result("Read", f"/{n}", cost=500 - n) for n in range(100)))))

        boxes = found.tree.children[0].children[0].children
        assert (boxes[-1].name, boxes[-1].folded, len(boxes)) == ("61 more", 61, 40)

    def test_a_file_called_more_is_a_file(self) -> None:
        found = profile(study(thread(result("Read", "7 more"))))

        assert found.tree.children[0].children[0].children[0].folded == 0


def test_a_session_has_its_facts_and_its_largest_window() -> None:
    found = profile(
        study(thread(result("Bash"), peak=150_000), thread(name="a1", peak=190_000)),
        titles=[facts("s1", "Fix the cart", "fix/cart")],
    )

    (row,) = found.sessions
    assert (row.title, row.branch, row.peak_tokens) == ("Fix the cart", "fix/cart", 150_000)
    assert row.window_tokens == 200_000
    assert [(one.name, one.project) for one in found.branches] == [("fix/cart", SHOP)]
