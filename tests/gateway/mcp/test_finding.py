"""Finding: the right tool first, the steps of a task covered, and short true words about it."""

import math
from collections.abc import Mapping, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.gateway.mcp.catalogues import anything, catalogue, listed
from tests.hostile import PAYLOADS

from tokenbudget.gateway.mcp.directory import Directory
from tokenbudget.gateway.mcp.finding import MOST_LIMIT, Finder
from tokenbudget.gateway.mcp.finding_index import as_bytes, from_bytes, index_of
from tokenbudget.gateway.mcp.finding_text import told

TEXT = {"type": "string"}
SERVERS = (
    catalogue(
        "office",
        [
            listed("create_document", "Create a new Word document.", filename=TEXT),
            listed(
                "add_paragraph", "Add a paragraph to a Word document.", filename=TEXT, text=TEXT
            ),
            listed("add_heading", "Add a heading to a Word document.", filename=TEXT, text=TEXT),
            listed("delete_paragraph", "Delete a paragraph of a Word document.", filename=TEXT),
        ],
    ),
    catalogue(
        "rail",
        [
            listed(
                "get-tickets", "查询火车余票信息。", date=TEXT, from_station=TEXT, to_station=TEXT
            ),
            listed("get-station-code", "通过城市名查询车站代码。", city=TEXT),
        ],
    ),
    catalogue(
        "clock", [listed("get_current_time", "Get the current time in a time zone.", zone=TEXT)]
    ),
    catalogue(
        "shop",
        [
            listed("search_products", "Search products.", query=TEXT),
            listed("get_product", "Get a product by id.", product_id=TEXT),
            listed("get_order_status", "Where an order is.", order_id=TEXT),
        ],
    ),
    catalogue(
        "disk",
        [
            listed("read_file", "Read the contents of a file.", path=TEXT),
            listed("write_file", "Create a file or overwrite it.", path=TEXT, content=TEXT),
        ],
    ),
    catalogue("other_disk", [listed("write_file", "Write a file.", path=TEXT, content=TEXT)]),
)


def finder(uses: Mapping[str, int] | None = None) -> Finder:
    return Finder(Directory(SERVERS), uses or {})


def names(*tasks: str, limit: int = 10, uses: Mapping[str, int] | None = None) -> list[str]:
    return [row.tool.name for row in finder(uses).find(tasks, limit).rows]


# ── what is found ─────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("task", "name"),
    [
        ("create_document", "create_document"),
        ("createDocument", "create_document"),
        ("creating documents", "create_document"),
        ("order status", "get_order_status"),
        ("look up a product", "search_products"),
        ("station code of a city", "get-station-code"),
        ("查询余票", "get-tickets"),
        ("what time is it", "get_current_time"),
        ("delete the third paragraph", "delete_paragraph"),
    ],
)
def test_the_tool_that_is_meant_comes_first(task: str, name: str) -> None:
    assert names(task)[0] == name


def test_what_nobody_says_is_found() -> None:
    found = names("Book me a train to Berlin tomorrow")
    assert {"get-tickets", "get-station-code", "get_current_time"} <= set(found[:4])


def test_a_file_is_written_or_read_as_the_task_says() -> None:
    assert "create_document" in names("Summarize it and save it as /data/word/report.docx")[:3]
    assert names("Tell me what /data/notes.txt says: read it")[0] == "read_file"
    assert "write_file" in names("Draft an introduction in /data/intro.md")[:2]


def test_every_step_of_a_task_gets_its_tool() -> None:
    found = names("Find the order status, then add a heading to the document", limit=4)
    assert {"get_order_status", "add_heading"} <= set(found)


def test_several_texts_are_several_steps() -> None:
    found = names("order status", "add a heading", "current time", limit=3)
    assert set(found) == {"get_order_status", "add_heading", "get_current_time"}


def test_what_gives_an_id_comes_with_what_needs_it() -> None:
    assert names("get product")[:2] == ["get_product", "search_products"]


def test_nothing_is_destroyed_unasked() -> None:
    found = names("the paragraph of a Word document")
    assert found.index("add_paragraph") < found.index("delete_paragraph")
    assert names("remove a paragraph of a Word document")[0] == "delete_paragraph"


def test_twins_of_other_servers_do_not_crowd_the_top() -> None:
    assert names("write a file and read it", limit=2) == ["write_file", "read_file"]
    assert names("write a file").count("write_file") == 2


def test_past_use_lifts_a_tool_a_little_and_never_over_a_better_one() -> None:
    directory = Directory(SERVERS)
    alias = {tool.name: directory.alias_of(tool) for tool in directory.tools}
    assert names("product")[0] == "get_product"
    assert names("product", uses={alias["search_products"]: 1_000})[0] == "search_products"
    assert names("order status", uses={alias["get_product"]: 10**9})[0] == "get_order_status"
    assert names("order status", uses={alias["get_order_status"]: -5})[0] == "get_order_status"


class Meaning:
    """A ranker that knows what words cannot tell."""

    name = "meaning"

    def relevance(self, task: str, pieces: Sequence[str]) -> Sequence[float]:
        return [float("watch" in task and "clock" in piece) for piece in pieces]


def test_a_ranker_finds_what_words_do_not() -> None:
    assert "get_current_time" not in names("my watch stopped")
    found = Finder(Directory(SERVERS), {}, Meaning()).find(["my watch stopped"])
    assert found.rows[0].tool.name == "get_current_time"


class Broken:
    """A ranker that answers nonsense."""

    name = "broken"

    def __init__(self, answer: Sequence[float]) -> None:
        self.answer = answer

    def relevance(self, task: str, pieces: Sequence[str]) -> Sequence[float]:
        return self.answer


@pytest.mark.parametrize(
    "answer", [[], [1.0], [math.nan] * 13, [math.inf] * 13, [-1.0] * 13, [0.0] * 13]
)
def test_a_ranker_that_answers_nonsense_changes_nothing(answer: list[float]) -> None:
    directory = Directory(SERVERS)
    plain = Finder(directory, {}).find(["order status"]).rows
    assert Finder(directory, {}, Broken(answer)).find(["order status"]).rows == plain


# ── limits ────────────────────────────────────────────────────────────────────────────────────────


def test_what_is_not_shown_is_counted() -> None:
    whole = finder().find(["document"], 50)
    part = finder().find(["document"], 2)
    assert len(part.rows) == 2
    assert part.rows == whole.rows[:2]
    assert len(part.rows) + part.more == len(whole.rows)
    assert whole.more == 0


@pytest.mark.parametrize("limit", [-1, 0, 1, 10**9])
def test_any_limit(limit: int) -> None:
    assert 1 <= len(finder().find(["document"], limit).rows) <= MOST_LIMIT


@given(st.lists(st.text(max_size=60), max_size=4))
def test_any_task(tasks: list[str]) -> None:
    found = FINDER.find(tasks)
    assert len({row.alias for row in found.rows}) == len(found.rows) <= 10
    assert found.more >= 0


FINDER = finder()


@pytest.mark.parametrize("payload", PAYLOADS.values(), ids=PAYLOADS.keys())
def test_hostile_tasks_and_tools(payload: str) -> None:
    made = Directory([*SERVERS, catalogue(payload, [listed(payload or "x", payload)])])
    found = Finder(made, {}).find([payload, "document"])
    text = told(found, made)
    assert len(text.split("\n")) <= len(found.rows) + 1
    assert all(line.isprintable() for line in text.split("\n"))


def test_a_task_without_end_is_answered_soon() -> None:
    assert finder().find(["save a/b.md and " * 100_000 + "/" * 100_000 + "a." * 50_000])


@given(
    st.lists(st.dictionaries(st.sampled_from(["name", "inputSchema", "x"]), anything), max_size=4)
)
def test_any_tools_can_be_searched(tools: list[object]) -> None:
    made = Directory([catalogue("a", tools)])
    told(Finder(made, {}).find(["document a b"]), made)


# ── the index ─────────────────────────────────────────────────────────────────────────────────────


def test_a_kept_index_finds_the_same() -> None:
    directory = Directory(SERVERS)
    kept = {one.server: from_bytes(as_bytes(index_of(one), "x"), "x") for one in SERVERS}
    again = Finder(directory, {}, None, lambda one: kept[one.server])
    task = ["Find the order status, then add a heading to report.docx"]
    assert again.find(task) == Finder(directory, {}).find(task)


def test_an_index_of_something_else_is_none() -> None:
    data = as_bytes(index_of(SERVERS[0]), "x")
    assert from_bytes(data, "y") is None
    assert from_bytes(data[:-1], "x") is None
    assert from_bytes(b"", "x") is None


# ── words for the agent ───────────────────────────────────────────────────────────────────────────


def test_the_answer_is_a_line_a_tool_and_what_was_not_shown() -> None:
    directory = Directory(SERVERS)
    text = told(Finder(directory, {}).find(["order status of a product"], 1), directory)
    first, last = text.split("\n")
    assert first == "shop_get_order_status(order_id) — Where an order is"
    assert last.endswith("more match; name the step, or raise limit.")
    assert last.split()[0].isdecimal()


def test_where_nothing_is_found_the_servers_are_named() -> None:
    directory = Directory(SERVERS)
    assert told(Finder(directory, {}).find(["zzz"]), directory).startswith(
        "No tool matches. Servers (tools): office (4), shop (3), disk (2), rail (2), clock (1)"
    )
    empty = Directory([])
    assert told(Finder(empty, {}).find(["zzz"]), empty) == "No server has listed a tool."


def test_each_step_of_a_list_has_its_place() -> None:
    crowd = catalogue(
        "crowd", [listed(f"order_{letter}", "An order.") for letter in "abcdefghijkl"]
    )
    made = Finder(Directory([*SERVERS, crowd]), {})
    found = [row.tool.name for row in made.find(["order", "add a heading", "current time"], 6).rows]
    assert {"add_heading", "get_current_time"} <= set(found)
    assert len(found) == 6


def test_a_step_that_begins_with_a_verb_finds_what_does_so() -> None:
    made = Finder(
        Directory([catalogue("git", [listed("create_request"), listed("list_requests_of_all")])]),
        {},
    )
    assert made.find(["list open requests"]).rows[0].tool.name == "list_requests_of_all"
    assert made.find(["create an open request"]).rows[0].tool.name == "create_request"


def test_a_named_server_comes_first() -> None:
    made = Finder(
        Directory(catalogue(one, [listed("get_issue", "An issue.")]) for one in ("jira", "sentry")),
        {},
    )
    assert made.find(["details of a sentry issue"]).rows[0].tool.server == "sentry"
    assert made.find(["details of a jira issue"]).rows[0].tool.server == "jira"
