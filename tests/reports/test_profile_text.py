"""The tree, the headline and the costs as text, at any width."""

from decimal import Decimal

import pytest
from tests.analysis.profile_builders import profile, result, spend, study, thread

from tokenbudget.analysis.amounts import Amount
from tokenbudget.analysis.cost_analysis import CostAnalysis, SessionCost
from tokenbudget.analysis.efficiency_score import efficiency_of
from tokenbudget.analysis.periods import Zone
from tokenbudget.analysis.study import PREFIX
from tokenbudget.model import window
from tokenbudget.model.figures import Style, text_width
from tokenbudget.reports.profile import note_lines, profile_lines
from tokenbudget.reports.profile_costs import cost_lines
from tokenbudget.reports.profile_tree import tree_lines

UTC = Zone("UTC", 1_795_000_000_000)
FILES = [
    study(
        thread(
            spend(component=PREFIX, cost=10**12, added=0, pieces=0),
            *(result("Read", f"/srv/shop/src/{n}.py", cost=10**11) for n in range(30)),
            *(result("Bash", f"command {n}", cost=(50 - n) * 10**10) for n in range(50)),
            spend(window.THINKING, cost=4 * 10**12, written=5),
        )
    )
]


@pytest.mark.parametrize("width", [40, 60, 80, 120, 200])
def test_no_line_is_wider_than_asked(width: int) -> None:
    lines = profile_lines(profile(*FILES), efficiency_of(FILES), Style(width, False), UTC, "/home")

    assert max(map(text_width, lines)) <= width


def test_the_headline_ranks_tools_and_kinds_of_text() -> None:
    lines = profile_lines(profile(*FILES), efficiency_of(FILES), Style(120, False), UTC, "/home")

    assert lines[0] == "Who spends: Bash 61%, thinking 19%, Read 14%, system prompt and tools 5%"


def test_a_part_tells_only_what_makes_its_figures_too_small() -> None:
    unpriced = profile(study(thread(result("Bash", "ls", unpriced=1_100))))
    noted = unpriced._replace(notes=("1 transcript is gone",), unknown_requests=3)

    assert note_lines(noted, 120, is_whole=False) == [
        "",
        "! 1.10K tokens have no price and are not in the cost; see docs/prices.md.",
        "! 1 transcript is gone",
    ]
    assert len(note_lines(noted, 120)) == 4
    assert note_lines(profile(*FILES), 120, is_whole=False) == []


def test_a_cost_that_is_known_in_part_is_marked() -> None:
    amount = Amount(0, 0, 0, 0, 10, 2 * 10**12, 5)
    one = SessionCost("s1", "", amount, 10, Decimal("2.50"))
    known = one._replace(session="s2", amount=amount._replace(unpriced_tokens=0))
    costs = CostAnalysis((), Decimal(4), 5, (), None, (one, known))

    first, second = cost_lines(costs, Style(80, False))[-2:]
    assert (first.split()[-2:], second.split()[-2:]) == (["$2.00?", "$2.50?"], ["$2.00", "$2.50"])


def test_the_small_are_told_together_once() -> None:
    lines = tree_lines(profile(*FILES), Style(80, False))

    (more,) = (line for line in lines if " more " in line)
    assert "47 more" in more  # those that the tree folds, and those that the screen does


def test_boxes_of_nothing_but_small_ones_stay_closed() -> None:
    assert not any(".py" in line for line in tree_lines(profile(*FILES), Style(80, False)))


def test_the_whole_tree_leaves_out_what_was_folded_alone() -> None:
    lines = tree_lines(profile(*FILES), Style(80, False), is_whole=True)

    assert sum("command" in line for line in lines) == 39
    assert any("11 more" in line for line in lines)


def test_of_nothing_has_no_tree() -> None:
    assert tree_lines(profile(), Style(80, False)) == []


def test_what_has_no_name_is_told_with_its_cost() -> None:
    files = [study(thread(spend(component="unattributed", cost=10**12, pieces=0)))]
    lines = profile_lines(profile(*files), efficiency_of(files), Style(80, False), UTC, "")

    assert "! 100% of the bill ($1.00) cannot be told from the transcripts." in lines
