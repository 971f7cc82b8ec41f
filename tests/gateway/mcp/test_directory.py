"""The directory: one identifier a tool, no two alike, and none that is taken over later."""

import keyword

from hypothesis import given
from hypothesis import strategies as st
from tests.gateway.mcp.catalogues import catalogue, listed

from tokenbudget.gateway.mcp.directory import Directory
from tokenbudget.gateway.mcp.values import Catalogue


def directory(**servers: list[str]) -> Directory:
    return Directory(_catalogue(server, names) for server, names in servers.items())


def _catalogue(server: str, names: list[str]) -> Catalogue:
    return catalogue(server, [listed(name) for name in names])


def aliases(made: Directory) -> list[str]:
    return [made.alias_of(tool) for tool in made.tools]


def test_aliases_say_the_server_once() -> None:
    made = Directory(
        [
            _catalogue("git", ["git_status", "commit"]),
            _catalogue("mcp-server-chart", ["generate_pie_chart"]),
            _catalogue("12306-mcp", ["get-tickets"]),
            _catalogue("howtocook", ["mcp_howtocook_whatToEat"]),
            _catalogue("Ant Design Components", ["listComponents"]),
        ]
    )
    assert aliases(made) == [
        "git_status", "git_commit", "chart_generate_pie_chart", "s12306_get_tickets",
        "howtocook_what_to_eat", "ant_design_components_list_components",
    ]  # fmt: skip


@given(
    st.lists(
        st.tuples(
            st.text("aA_-/é漢 1", max_size=4),
            st.lists(st.text("abAB_-./é漢 1", min_size=1, max_size=5), max_size=6),
        ),
        max_size=6,
        unique_by=lambda server: server[0],
    )
)
def test_every_tool_has_an_identifier_of_its_own(servers: list[tuple[str, list[str]]]) -> None:
    made = Directory(_catalogue(server, names) for server, names in servers)
    said = aliases(made)
    assert len(set(said)) == len(said)
    for alias, tool in zip(said, made.tools, strict=True):
        assert alias.isidentifier()
        assert alias.isascii()
        assert not keyword.iskeyword(alias)
        assert "_" in alias
        assert alias[0] != "_"
        assert made.tool(alias) == tool


def test_a_clash_gives_nobody_the_short_name() -> None:
    alone = directory(git_hub=["x"])
    assert aliases(alone) == ["git_hub_x"]
    both = directory(git_hub=["x"], git=["hub_x"])
    assert "git_hub_x" not in aliases(both)
    assert both.tool("git_hub_x") is None
    again = Directory(reversed(both.catalogues))
    assert set(aliases(again)) == set(aliases(both))


def test_a_forged_check_sum_takes_no_name_over() -> None:
    clash = directory(git_hub=["x"], git=["hub_x"])
    forged = aliases(clash)[0].removeprefix("git_")
    made = directory(git_hub=["x"], git=["hub_x", forged])
    assert len(set(aliases(made))) == 3


def test_a_tool_is_known_by_any_usual_spelling() -> None:
    made = directory(github=["create_issue", "search"], gitlab=["search"])
    for spelling in (
        "github_create_issue", "github.create_issue", "github/create_issue", "createIssue",
        "mcp__github__create_issue", "create_issue", " GitHub_Create_Issue ", "github:create-issue",
    ):  # fmt: skip
        found = made.tool(spelling)
        assert found is not None, spelling
        assert found.name == "create_issue"
    assert made.tool("search") is None
    assert made.tool("nothing") is None


def test_what_looks_like_a_name() -> None:
    made = directory(github=["create_issue", "list_issues"], files=["read"])
    assert made.similar("github_createissues", 1) == ["github_create_issue"]
    assert made.similar("zzz") == []
    assert made.similar("") == []


def test_long_names_are_cut_and_stay_apart() -> None:
    made = directory(s=["n" * 200 + "a", "n" * 200 + "b"])
    assert len(set(aliases(made))) == 2
    assert max(map(len, aliases(made))) <= 90
