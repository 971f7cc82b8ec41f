"""What a strategy took away, and what of it was needed."""

from typing import Any

from tests.analysis.backtest_threads import Part, thread

from tokenbudget.analysis.backtest_needs import Need
from tokenbudget.analysis.backtest_timeline import Timeline
from tokenbudget.analysis.backtest_walk import Version, Walked
from tokenbudget.analysis.fidelity_backtest import fidelity_of
from tokenbudget.analysis.fidelity_evidence import Kept, atoms_of, kept
from tokenbudget.analysis.fidelity_use import QUOTED, is_told_in, needs_in, read_as, uses_of
from tokenbudget.analysis.thread_view import Call
from tokenbudget.compression.handles import handle_of
from tokenbudget.compression.receipts import Receipt, Removed
from tokenbudget.model import window

FILE = """     1→def total(prices):
     2→    return sum(prices) * cart_factor
     3→
     4→def unused(prices):
     5→    return max(prices) - min(prices)"""
BARE = "\n".join(line.split("→", 1)[1] for line in FILE.split("\n"))
OLD = "def total(prices):\n    return sum(prices) * cart_factor"


def call(number: int, turn: int, name: str, **arguments: Any) -> Call:
    return Call(
        number, turn, name, "", "", "", "", arguments, number, 0, False, None, 0, 0, 0, None, None,
        None, None, None,
    )  # fmt: skip


def story(*more: Part, edits: str = OLD, before: tuple[Part, ...] = ()) -> Timeline:
    """A file is read before request 1, and edited by the answer to request 2."""
    parts = [
        Part(10, 0, window.PROMPT, "please fix the total"),
        Part(40, 1, window.TOOL_RESULT, FILE, name="Read"),
        *before,
        Part(20, 3, window.TOOL_USE, "", name="Edit"),
        *more,
    ]
    made = thread(parts, [0] * 12)
    place = 2 + len(before)
    edit = call(0, 2, "Edit", file_path="src/cart.py", old_string=edits, new_string="x = 1")
    edit = edit._replace(use=made.pieces[place])
    return made._replace(calls=[edit], call_of={place: edit})


def version(text: str | None, since: int = 1, is_said_so: bool = False) -> Version:
    return Version(since, text, 10.0, "text", False, is_said_so)


def under(text: str | None, line: Timeline | None = None, **more: Any) -> Walked:
    """The story with this text in the place of the file that was read."""
    return Walked(line or story(), {1: [version(text, **more)]})


class TestNeeds:
    def test_an_edit_needs_the_text_that_it_replaces(self) -> None:
        edits = [need for need in needs_in(story()) if need.kind == "edit"]

        assert [(need.request, need.span, need.holders) for need in edits] == [(2, OLD, (1,))]

    def test_what_nobody_had_shown_is_no_need(self) -> None:
        needs = needs_in(story(edits="nobody said this at all"))

        assert [need for need in needs if need.kind == "edit"] == []

    def test_lines_and_names_that_a_result_told_first_are_used(self) -> None:
        found = {(need.kind, need.span) for need in uses_of(story())}

        assert ("quoted", "return sum(prices) * cart_factor") in found
        assert ("named", "cart_factor") in found
        assert not any("unused" in span for _, span in found)

    def test_what_the_person_said_first_is_no_use(self) -> None:
        asked = story()
        pieces = list(asked.pieces)
        pieces[0] = pieces[0]._replace(text="see return sum(prices) * cart_factor")

        found = {need.span for need in uses_of(asked._replace(pieces=pieces))}

        assert "cart_factor" not in found

    def test_what_has_left_the_window_was_not_taken_from_it(self) -> None:
        gone = story()
        pieces = list(gone.pieces)
        pieces[1] = pieces[1]._replace(left=2)

        assert list(needs_in(gone._replace(pieces=pieces))) == []

    def test_the_numbers_of_lines_are_not_read_as_text(self) -> None:
        assert OLD in read_as(FILE, "Read")
        assert read_as("1\tone", "Bash") == "1\tone"


class TestTold:
    """The first line of a difference is made of the two below it, and of nothing less."""

    LINE = "diff --git a/src/cart.py b/src/cart.py"

    def told(self, text: str, kind: str = QUOTED) -> bool:
        return is_told_in(text, Need(2, kind, self.LINE, (1,), 0))

    def test_word_for_word(self) -> None:
        assert self.told(f"x\n{self.LINE}\ny", "edit")

    def test_by_the_names_of_both_sides(self) -> None:
        assert self.told("[~ 2 header lines]\n--- a/src/cart.py\n+++ b/src/cart.py\n@@ -1 +1 @@")

    def test_not_by_one_side_or_by_another_file(self) -> None:
        assert not self.told("--- a/src/cart.py\n+++ /dev/null")
        assert not self.told("--- a/src/cart.pyi\n+++ b/src/cart.py")
        assert not self.told("say --- a/src/cart.py and +++ b/src/cart.py")

    def test_an_edit_needs_the_very_line(self) -> None:
        assert not self.told("--- a/src/cart.py\n+++ b/src/cart.py", "edit")

    def test_no_other_line_is_told_by_its_parts(self) -> None:
        need = Need(2, QUOTED, "index aef7f98..af7820d 100644", (1,), 0)
        assert not is_told_in("index aef7f98\naf7820d 100644", need)


class TestFidelity:
    def test_nothing_is_lost_where_nothing_changed(self) -> None:
        found, cases = fidelity_of(Walked(story(), {}))

        assert (found.edits, found.edits_verbatim, found.edits_with_recall) == (1, 1, 1)
        assert found.uses == found.uses_kept > 0
        assert (found.results, found.shortened, cases) == (1, 0, ())

    def test_a_shorter_text_that_keeps_what_is_edited_loses_nothing(self) -> None:
        found, cases = fidelity_of(under("\n".join(FILE.split("\n")[:2]) + "\n[~ 3 lines]"))

        assert (found.edits_verbatim, found.shortened, found.refetches) == (1, 1, 0)
        assert cases == ()

    def test_an_edit_across_a_marker_is_lost(self) -> None:
        found, cases = fidelity_of(under("1→def total(prices):\n[~ 4 lines]"))

        assert (found.edits, found.edits_verbatim, found.edits_with_recall) == (1, 0, 0)
        assert found.refetches == 1
        assert (cases[0].kind, cases[0].by, cases[0].tool) == ("edit", "text", "Read")

    def test_a_handle_gives_it_back(self) -> None:
        handle = handle_of(FILE.encode())
        found, _ = fidelity_of(under(f"[~ all 5 lines: tokens recall {handle}]"))

        assert (found.edits_verbatim, found.edits_with_recall) == (0, 1)
        assert (found.handles, found.handles_true) == (1, 1)

    def test_a_handle_of_something_else_is_not_true(self) -> None:
        found, _ = fidelity_of(under("[~ all 5 lines: tokens recall 123456789012]"))

        assert (found.handles, found.handles_true) == (1, 0)

    def test_what_stands_elsewhere_in_the_window_is_not_lost(self) -> None:
        line = story(before=(Part(40, 2, window.TOOL_RESULT, FILE, name="Read"),))
        found, _ = fidelity_of(under("[~ 5 lines]", line))

        assert (found.edits_verbatim, found.refetches) == (1, 0)

    def test_what_is_taken_away_after_it_was_needed_is_not_lost(self) -> None:
        found, cases = fidelity_of(under("gone", since=3))

        assert (found.edits_verbatim, found.refetches, cases) == (1, 0, ())

    def test_a_line_that_is_quoted_long_after_is_not_fetched_again(self) -> None:
        near, _ = fidelity_of(under("gone", story(edits="a new text")))
        quoted = Part(5, 10, window.TEXT, "so return sum(prices) * cart_factor")
        whole = quoted._replace(text="    return sum(prices) * cart_factor")
        soon, _ = fidelity_of(under("gone", story(whole._replace(entered=4), edits="no")))
        late, _ = fidelity_of(under("gone", story(whole, edits="no")))

        assert (near.refetches, soon.refetches, late.refetches) == (0, 1, 0)
        assert late.uses_kept < late.uses

    def test_what_the_model_said_shorter_itself_is_said(self) -> None:
        found, _ = fidelity_of(under(None, is_said_so=True))

        assert found.edits_verbatim == 1


class TestReceipts:
    """What a text that came with a receipt asserts is checked while it stands there."""

    def pointing(self, earlier: list[Version]) -> Walked:
        """The file is read again before request 2, and told as seen."""
        again = Part(40, 2, window.TOOL_RESULT, FILE, name="Read")
        text = "     1→[~ 5 lines (1-5) seen: Read above]"
        kinds = (Removed("seen", 5, ((0, 5),)),)
        receipt = Receipt("seen", 200, 40, 60, 10, False, "[~", kinds)
        back = f"\n     2→[~ all 5 lines: tokens recall {handle_of(BARE.encode())}]"
        told = Version(2, text + back, 10.0, "seen", False, False, receipt)
        versions = {2: [told], 1: earlier} if earlier else {2: [told]}
        return Walked(story(before=(again,)), versions)

    def test_a_true_reference(self) -> None:
        found, _ = fidelity_of(self.pointing([]))

        assert found.assertions > 0
        assert found.false_facts == 0
        assert (found.handles, found.handles_true) == (1, 1)

    def test_a_reference_to_what_was_taken_away_later(self) -> None:
        found, _ = fidelity_of(self.pointing([version("gone", since=5)]))

        assert found.false_facts == 1

    def test_a_reference_to_what_was_gone_already(self) -> None:
        found, _ = fidelity_of(self.pointing([version("gone", since=1)]))

        assert found.false_facts > 0


class TestEvidence:
    def test_atoms_are_what_can_be_found_again(self) -> None:
        assert atoms_of("src/cart.py:41 error in read_all, exit 2") >= {
            "src/cart.py", "41", "read_all", "2", "src/cart.py:41 error in read_all, exit 2",
        }  # fmt: skip

    def test_the_whole_text_keeps_everything(self) -> None:
        text = "src/a.py 1\nsrc/b.py 2\nerror 3"

        found = kept(text, text, 1.0)

        assert found.atoms == found.kept == found.by_head > 5

    def test_a_good_cut_keeps_more_than_a_blind_one(self) -> None:
        noise = "\n".join(f"same {number}" for number in range(200))
        text = f"{noise}\nfatal error in src/cart.py\n{noise}"

        found = kept(text, "fatal error in src/cart.py", 0.01)

        assert found.kept >= 2
        assert found.by_head < found.atoms

    def test_sums(self) -> None:
        assert Kept(4, 3, 2, 1).plus(Kept(1, 1, 1, 1)) == Kept(5, 4, 3, 2)
