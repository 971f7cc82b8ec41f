"""Which tools go together: told by names, parameters and descriptions, and never without bound."""

from hypothesis import given
from hypothesis import strategies as st
from tests.gateway.mcp.catalogues import anything, catalogue, listed

from tokenbudget.gateway.mcp.finding_siblings import FOLLOWS, GIVES, NAMED, siblings_of

TEXT = {"type": "string"}


def related(*tools: object) -> dict[tuple[str, str], float]:
    """How much each tool belongs to another, by their names."""
    made = catalogue("a", tools).tools
    found = {}
    for number, pairs in siblings_of(made).items():
        for at in range(0, len(pairs), 2):
            found[made[int(number)].name, made[int(pairs[at])].name] = pairs[at + 1]
    return found


def test_a_tool_that_another_names_is_wanted_with_it() -> None:
    found = related(
        listed("get_tickets", "Call get-station-code first.", date=TEXT),
        listed("get_station_code", "", city=TEXT),
    )
    assert found == {("get_tickets", "get_station_code"): NAMED}


def test_what_requires_an_id_belongs_to_what_finds_it() -> None:
    found = related(
        listed("read_paper", "", paper_id=TEXT),
        listed("search_papers", "", query=TEXT),
        listed("get_paper_figures", "", paper_id=TEXT),
        listed("search_authors", "", query=TEXT),
    )
    assert found["read_paper", "search_papers"] == GIVES
    assert ("read_paper", "get_paper_figures") not in found
    assert ("read_paper", "search_authors") not in found


def test_what_is_created_is_filled_and_saved() -> None:
    found = related(
        listed("create_deck"), listed("add_slide"), listed("save_deck"), listed("count_words")
    )
    assert found["create_deck", "add_slide"] == FOLLOWS
    assert found["add_slide", "save_deck"] == FOLLOWS
    assert all("count_words" not in pair for pair in found)


def test_a_short_name_is_no_mention() -> None:
    assert related(listed("get", "Fetch and list it."), listed("list")) == {}


@given(st.lists(st.builds(dict, name=st.text(min_size=1, max_size=5), inputSchema=anything)))
def test_any_tools(tools: list[object]) -> None:
    made = catalogue("a", tools).tools
    for number, pairs in siblings_of(made).items():
        assert int(number) < len(made)
        for at in range(0, len(pairs), 2):
            assert pairs[at] in range(len(made))
            assert pairs[at] != int(number)
            assert 0 < pairs[at + 1] <= 1
