import json
from typing import Any

import pytest
from tests.reports.test_window import AT_MS, FACTS, SIZE, UNKNOWN_SIZE, window

from tokenbudget.analysis.composition import Component, Item
from tokenbudget.analysis.periods import Zone
from tokenbudget.analysis.session_window import ComponentCost, Record, SessionWindow, ThreadCost
from tokenbudget.model.figures import Style, text_width
from tokenbudget.reports.context import context_document, context_lines

ZONE = Zone("Europe/Berlin", AT_MS)
COST = ThreadCost("0", "0.02", "0.001", "0.0005", "0.0215", 0, (ComponentCost("messages", "0.02"),))
RECORD = Record("every part found", True, False, 5_000, 200, (("messages", 4_800),))


def item(name: str, tokens: int, *children: Item, **fields: int) -> Item:
    """Something in a component."""
    plain = Item(name, tokens, 1, tokens * 4, 0, 0, children)
    return Item._make((plain._asdict() | fields).values())


def messages(*items: Item, tokens: int = 10_000, error: int = 300) -> Component:
    """The messages of a window."""
    return Component("messages", "Messages", tokens, error, "calibrated", items)


def lines_of(shown: SessionWindow, width: int = 100, shows_all: bool = False) -> list[str]:
    """The window as plain text."""
    style = Style(width, is_styled=False)
    return context_lines(shown, FACTS, style, ZONE, "/home/me", shows_all)


def text_of(shown: SessionWindow, **given: Any) -> str:
    """The same as one text without line breaks."""
    return " ".join(" ".join(lines_of(shown, **given)).split())


class TestState:
    def test_tells_how_full_it_is_and_what_is_left(self) -> None:
        text = text_of(window())

        assert "Window 40,000 of 200,000 tokens (20.0%)" in text
        assert "Free 160,000 of the window · 127,000 until auto-compaction" in text
        assert "39,000 sent with the last request + 1,000 answered" in text

    def test_times_are_local(self) -> None:
        assert "answered, 2026-11-20 13:00" in text_of(window())

    def test_a_time_that_is_not_known_is_a_question_mark(self) -> None:
        assert "answered, ?" in text_of(window(at_ms=0))

    def test_an_unknown_use_is_unknown(self) -> None:
        shown = window(prompt_tokens=None, waiting_tokens=20)

        assert "Window unknown of 200,000 tokens Waiting ~20 new since then" in text_of(shown)
        assert "%" not in text_of(shown)
        assert "Free" not in text_of(shown)

    def test_after_a_compaction_only_what_was_sent_before_is_known(self) -> None:
        text = text_of(window(changed_since="compaction"))

        assert "Window unknown of 200,000 tokens Reported 39,000 sent with the last" in text
        assert "Free" not in text

    def test_an_unknown_window_has_no_share(self) -> None:
        text = text_of(window(size=UNKNOWN_SIZE))

        assert "Window 40,000 tokens, of a window that is not known" in text
        assert "%" not in text
        assert "Free" not in text

    def test_what_is_full_has_nothing_left(self) -> None:
        text = text_of(window(prompt_tokens=250_000))

        assert "251,000 of 200,000 tokens (125.5%)" in text
        assert "0 of the window · 0 until auto-compaction" in text


class TestTable:
    def test_an_exact_component_has_neither_tilde_nor_error(self) -> None:
        exact = Component("messages", "Messages", 10_000, 0, "exact", ())
        (row,) = (line for line in lines_of(window(components=(exact,))) if "  Messages" in line)

        assert row.split() == ["Messages", "10,000", "5.0%"]

    def test_a_counted_one_has_both(self) -> None:
        (row,) = (x for x in lines_of(window(components=(messages(),))) if "  Messages" in x)

        assert row.split() == ["Messages", "~10,000", "5.0%", "300"]

    def test_what_is_in_an_exact_component_is_exact(self) -> None:
        held = (item("a.py", 6_000), item("b.py", 4_000))
        exact = Component("context_files", "Context files", 10_000, 0, "exact", held)

        assert "~" not in text_of(window(components=(exact,))).partition("Total")[0]

    def test_a_cost_stands_beside_its_component(self) -> None:
        shown = window(components=(messages(),), cost=COST)
        (row,) = (line for line in lines_of(shown) if "  Messages" in line)

        assert row.endswith("$0.02")
        assert "Cost of this thread so far: $0.02 = input $0.00 + cache writes" in text_of(shown)

    def test_tokens_without_a_price_are_told(self) -> None:
        shown = window(components=(messages(),), cost=COST._replace(unpriced_tokens=1_234))

        assert "without 1,234 tokens that have no price" in text_of(shown)

    def test_five_items_are_shown_and_the_rest_summed(self) -> None:
        items = [item(f"file{number}", 100 - number) for number in range(8)]
        text = text_of(window(components=(messages(*items),)))

        assert "file4 ~96 and 3 more ~282" in text
        assert "file5" not in text

    def test_all_of_them_if_that_is_asked_for(self) -> None:
        items = [item(f"file{number}", 100 - number) for number in range(8)]
        text = text_of(window(components=(messages(*items),)), shows_all=True)

        assert "file7 ~93" in text
        assert "more" not in text.partition("Total")[0]

    def test_the_home_folder_is_a_tilde(self) -> None:
        text = text_of(window(components=(messages(item("/home/me/shop/a.py", 9), item("b", 8)),)))

        assert "~/shop/a.py" in text
        assert "/home/me" not in text

    @pytest.mark.parametrize(
        ("found", "note"),
        [
            (item("a.py", 90, reads=2, stale_tokens=40), "a.py 2x, 40 stale ~90"),
            (item("a.py", 90, stale_tokens=40), "a.py stale ~90"),
            (item("a.py", 90, reads=3, pieces=3), "a.py 3x read ~90"),
            (item("a.py", 90, reads=1, pieces=2), "a.py ~90"),
            (item("Bash", 90, pieces=7), "Bash 7x ~90"),
            (item("Bash", 90), "Bash ~90"),
        ],
    )
    def test_what_is_special_is_noted(self, found: Item, note: str) -> None:
        assert note in text_of(window(components=(messages(found, item("b", 8)),)))

    def test_what_holds_nothing_is_left_out(self) -> None:
        assert "empty" not in text_of(window(components=(messages(item("empty", 0)),)))

    def test_hostile_names_are_cleaned(self) -> None:
        bad = item("\x1b[2Jname\u202e", 90, item("\x9b31m", 50), item("b\nc", 40))
        lines = lines_of(window(components=(messages(bad, item("d", 3)),)))

        assert all(line.isprintable() for line in lines)

    @pytest.mark.parametrize("width", [60, 72, 80, 100, 160])
    @pytest.mark.parametrize("name", ["購物車" * 40, "x" * 300, "/a/b.py"])
    def test_fits(self, width: int, name: str) -> None:
        found = item(name, 9_000, item(name, 5_000), item(name, 4_000), reads=2, stale_tokens=9)
        shown = window(components=(messages(found, item(name, 7)),), cost=COST, agent=name)

        assert max(map(text_width, lines_of(shown, width))) <= width

    @pytest.mark.parametrize("width", [60, 80, 100])
    @pytest.mark.parametrize("folder", ["/home/me/", "/srv/", "C:\\srv\\", "/購物車/"])
    def test_a_path_keeps_its_end(self, folder: str, width: int) -> None:
        found = item(f"{folder}{'deep' * 40}/cart.py", 9_000, reads=12, stale_tokens=4_500)
        shown = window(components=(messages(found, item("b", 7)),), cost=COST)
        (row,) = (line for line in lines_of(shown, width) if "cart.py" in line)

        assert row.strip().startswith("…")
        assert "/cart.py 12x, 4.50K stale" in row
        assert text_width(row) <= width

    def test_what_is_no_path_keeps_its_beginning(self) -> None:
        found = item("mcp__tickets__" + "x" * 90, 9_000)

        assert "mcp__tickets__x" in text_of(window(components=(messages(found, item("b", 7)),)))

    @pytest.mark.parametrize(
        ("width", "columns"),
        [
            (60, ["Component", "Tokens", "Of window"]),
            (70, ["Component", "Tokens", "Of window", "±"]),
            (80, ["Component", "Tokens", "Of window", "±", "Cost so far"]),
        ],
    )
    def test_a_narrow_screen_drops_the_costs_then_the_errors(
        self, width: int, columns: list[str]
    ) -> None:
        shown = window(components=(messages(item("a", 5), item("b", 4)),), cost=COST)
        (head,) = (line for line in lines_of(shown, width) if "Of window" in line)

        assert [title.strip() for title in head.split("  ") if title.strip()] == columns

    def test_what_has_no_price_at_all_has_a_question_mark(self) -> None:
        free = ThreadCost("0", "0", "0", "0", "0", 1_234, (ComponentCost("messages", "0"),))
        shown = window(components=(messages(),), cost=free)
        (row,) = (line for line in lines_of(shown) if "  Messages" in line)

        assert row.split()[-1] == "?"
        assert "Cost of this thread so far: ? (1,234 tokens have no price)" in text_of(shown)
        assert "$" not in text_of(shown)

    def test_what_has_a_price_in_part_has_one_too(self) -> None:
        shown = window(components=(messages(),), cost=COST._replace(unpriced_tokens=1_234))
        (row,) = (line for line in lines_of(shown) if "  Messages" in line)

        assert row.endswith("$0.02?")


class TestMethod:
    @pytest.mark.parametrize(
        ("fields", "said"),
        [
            ({}, "not learnt yet: the built-in rule"),
            ({"calibration_steps": 30}, "learnt from 30 requests, none held out to check it"),
            (
                {"calibration_steps": 1_200, "calibration_median_error": 0.0123},
                "learnt from 1,200 requests, median error 1.2% of a request's growth, P90 15%",
            ),
            ({"unexplained_requests": 1}, "1 request of 4 changed by what is not seen"),
            ({"size": SIZE._replace(origin="observed")}, "is observed in this session"),
            ({"record": RECORD}, "own record, every part found: 5,000 bytes."),
        ],
    )
    def test_says_how_the_figures_are_known(self, fields: dict[str, Any], said: str) -> None:
        assert said in text_of(window(components=(messages(),), **fields))

    def test_says_only_that_an_assumed_reserve_is_assumed(self) -> None:
        observed = SIZE._replace(reserve_origin="observed")

        assert "The reserve of 33,000 is assumed" in text_of(window(components=(messages(),)))
        assert "reserve" not in text_of(window(components=(messages(),), size=observed))

    def test_says_nothing_where_there_is_nothing(self) -> None:
        assert "calibrated" not in text_of(window(prompt_tokens=None))


class TestSubagents:
    AGENTS = tuple((f"/p/s/subagents/agent-a{n}.jsonl", n, 1_000 * n) for n in range(1, 8))

    def test_are_listed_with_the_command_that_shows_one(self) -> None:
        head, *rest = lines_of(window(agents=self.AGENTS[:2]))[-3:]

        assert head.startswith("  2 subagents have windows of ")
        assert head.endswith(" own: tokens context 332633f4 --agent ID")
        assert rest == ["    a1  1,000 tokens, 1 request", "    a2  2,000 tokens, 2 requests"]

    def test_several_have_windows_of_their_own(self) -> None:
        assert "windows of their own" in text_of(window(agents=self.AGENTS[:2]))

    def test_the_rest_is_counted(self) -> None:
        assert "and 2 more" in text_of(window(agents=self.AGENTS))

    def test_one_is_one(self) -> None:
        assert "1 subagent has a window of its own" in text_of(window(agents=self.AGENTS[:1]))

    def test_stand_before_the_words_on_how_it_is_known(self) -> None:
        text = text_of(window(components=(messages(),), agents=self.AGENTS[:1]))

        assert text.index("1 subagent") < text.index("The total is exact")

    @pytest.mark.parametrize("width", [60, 80, 100])
    def test_fit_and_are_clean_whatever_they_are_called(self, width: int) -> None:
        bad = f"/p/agent-{'購物車' * 40}\x1b[2J\u202e.jsonl"
        lines = lines_of(window(agents=((bad, 1, 10**9),)), width)

        assert max(map(text_width, lines)) <= width
        assert all(line.isprintable() for line in lines)


class TestDocument:
    def test_has_a_row_for_each_component_item_and_part(self) -> None:
        held = item("tools", 60, item("Bash", 40), item("Read", 20))
        made = json.loads(context_document(window(components=(messages(held),)), FACTS, ZONE))

        names = ("level", "component", "item", "part", "tokens")
        assert [tuple(row[name] for name in names) for row in made["rows"]] == [
            (0, "messages", None, None, 10_000),
            (1, "messages", "tools", None, 60),
            (2, "messages", "tools", "Bash", 40),
            (2, "messages", "tools", "Read", 20),
        ]

    def test_an_unknown_window_claims_nothing(self) -> None:
        empty = window(prompt_tokens=None, at_ms=0, size=UNKNOWN_SIZE)
        made = json.loads(context_document(empty, FACTS, ZONE))

        assert (made["rows"], made["at"], made["cost"], made["record"]) == ([], None, None, None)
        assert made["totals"] == {"tokens": None, "provenance": "unknown"}

    def test_names_subagents_and_the_record(self) -> None:
        shown = window(agents=(("/p/agent-a.jsonl", 2, 900),), record=RECORD)
        made = json.loads(context_document(shown, FACTS, ZONE))

        assert made["subagents"] == [
            {"transcript": "/p/agent-a.jsonl", "requests": 2, "total_tokens": 900}
        ]
        assert made["record"]["bytes_by_component"] == {"messages": 4_800}
