"""One search: two words that are one elsewhere, and words that no tool has."""

from tests.gateway.mcp.catalogues import catalogue, listed

from tokenbudget.gateway.mcp.directory import Directory
from tokenbudget.gateway.mcp.finding import Finder
from tokenbudget.gateway.mcp.finding_index import Index, index_of
from tokenbudget.gateway.mcp.finding_search import Search
from tokenbudget.gateway.mcp.values import Catalogue

MONEY = catalogue(
    "money",
    [
        listed("draw_flow_diagram", "Draw a flow diagram: the flow from step to step.", data={}),
        listed("get_cashflow", "Get cashflow.", symbol={}),
        *(listed(f"get_{one}", f"Get {one}.", symbol={}) for one in ("profit", "debt", "price")),
    ],
)
LODGING = catalogue(
    "stays",
    [
        listed("find_lodging", "Find lodging.", city={}),
        *(listed(f"paint_{one}", f"Paint {one}.", size={}) for one in ("wall", "door", "roof")),
    ],
)


def searched(several: Catalogue) -> Search:
    """A search over one catalogue."""
    return Search(Index([index_of(several)]), [tool.server for tool in several.tools])


def test_two_words_that_a_tool_has_as_one_find_that_tool_first() -> None:
    shares = searched(MONEY).unsaid("cash flow").shares
    assert max(shares, key=lambda number: shares[number]) == 1
    finder = Finder(Directory([MONEY]), {})
    assert finder.find(["the cash flow of last year"], 1).rows[0].tool.name == "get_cashflow"


def test_a_word_alone_still_finds_its_tool() -> None:
    assert searched(MONEY).unsaid("flow diagram").shares[0] == 1.0


def test_a_step_that_we_name_is_found_by_what_means_the_same() -> None:
    found = searched(LODGING).unsaid("accommodation")
    assert list(found.shares) == [0]
    assert 0 < found.quality < 1


def test_what_a_tool_calls_itself_is_not_mixed_with_what_is_like_it() -> None:
    both = catalogue(
        "stays",
        [listed("find_lodging", "Find lodging.", city={}), listed("find_room", "Find room.", n={})],
    )
    assert 1 not in searched(both).unsaid("lodging").shares
