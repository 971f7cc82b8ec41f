"""The checker must find every kind of lie, and let the truth pass."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tokenbudget.analysis.fidelity_facts import Before, Shortened, facts_of
from tokenbudget.analysis.fidelity_marks import Claimed

RUN = """collected 6 items
test_a.py::test_one PASSED [ 16%]
test_a.py::test_two PASSED [ 33%]
test_a.py::test_three PASSED [ 50%]
test_a.py::test_four FAILED [ 66%]
E   assert 3 == 4
src/cart.py:41: AssertionError
test_a.py::test_five PASSED [ 83%]
done in 0.12s"""

LOG = "\n".join(
    ["start 1.2.3"]
    + [f"2026-01-0{day} INFO request {day * 7} served in {day} ms" for day in range(1, 6)]
    + ["2026-01-06 ERROR refused by db7", "end"]
)


def check(original: str, text: str, *removed: Claimed, **more: object) -> list[str]:
    """The rules that a shortened text breaks."""
    shortened = Shortened(original, text, "[~", removed, **more)  # type: ignore[arg-type]
    return [fault.rule for fault in facts_of(shortened).faults]


def lines(count: int, *ranges: tuple[int, int]) -> Claimed:
    return Claimed("lines", count, ranges)


class TestTruthPasses:
    def test_the_text_itself(self) -> None:
        assert check(RUN, RUN) == []

    def test_lines_behind_a_marker(self) -> None:
        text = RUN.replace("\n".join(RUN.split("\n")[1:4]), "[~ 3 lines]")

        assert check(RUN, text, lines(3, (1, 4))) == []

    def test_a_marker_that_tells_its_line_numbers(self) -> None:
        text = RUN.replace("\n".join(RUN.split("\n")[1:4]), "[~ 3 lines (2-4)]")

        assert check(RUN, text, lines(3, (1, 4))) == []

    def test_passed_tests_that_are_counted_at_the_first(self) -> None:
        kept = RUN.split("\n")
        text = "\n".join([kept[0], "[~ 4 passed lines]", *kept[4:7], kept[8]])

        assert check(RUN, text, Claimed("passed", 4, ((1, 4), (7, 8)))) == []

    def test_similar_lines_with_what_differs(self) -> None:
        kept = LOG.split("\n")
        rows = [f"0{day} {day * 7} {day}" for day in range(2, 6)]
        text = "\n".join([*kept[:2], "[~ 4 similar, with]", *rows, *kept[6:]])

        assert check(LOG, text, Claimed("similar", 4, ((2, 6),))) == []

    def test_a_block_that_is_repeated(self) -> None:
        text = "a\nb\n[~ 2 lines above 2 more times]\nc"

        assert check("a\nb\na\nb\na\nb\nc", text, Claimed("repeated", 2, ((2, 6),))) == []

    def test_colours_that_are_gone(self) -> None:
        told = Claimed("codes", 2, ((0, 1),))

        assert check("\x1b[31mred\x1b[0m wall", "[~ 2 terminal codes]\nred wall", told) == []

    def test_progress_that_was_overwritten(self) -> None:
        told = Claimed("rewrites", 2, ((0, 1),))

        assert check("10%\r20%\r100%\nok", "[~ 2 overwritten]\n100%\nok", told) == []

    def test_matches_grouped_under_their_path(self) -> None:
        grouped = "src/a.py\n:1:x = 1\n:9:y = 2\nsrc/b.py\n:3:z"

        assert check("src/a.py:1:x = 1\nsrc/a.py:9:y = 2\nsrc/b.py:3:z", grouped) == []

    def test_a_tree_of_paths(self) -> None:
        tree = "src/\n app/\n  x.py\n  y.py\n z.py"

        assert check("src/app/x.py\nsrc/app/y.py\nsrc/z.py", tree) == []

    def test_a_long_string_that_is_folded(self) -> None:
        original = f'{{"name":"{"abcdefghij" * 9}","n":1}}'
        text = '{"name":"abcdefghij[~ 70 chars]abcdefghij","n":1}'

        assert check(original, text, Claimed("folded", 70, ((0, 1),))) == []

    def test_a_list_whose_middle_is_gone(self) -> None:
        original = json.dumps(list(range(100, 200)))
        told = Claimed("items", 97, ((0, 1),))

        assert check(original, "[100, 101,[~ 97 items], 199]", told) == []

    def test_a_page_as_its_words(self) -> None:
        page = "<html><head><title>T</title></head><body><p>Big &amp; small 42</p></body></html>"

        assert (
            check(page, "[~ HTML as text]\nBig & small 42", Claimed("markup", 0, ((0, 1),))) == []
        )

    def test_the_way_back(self) -> None:
        text = "a\n[~ 2 lines]\nd\n[~ all 4 lines: tokens recall 123456789012]"

        assert check("a\nb\nc\nd", text, lines(2, (1, 3)), handle="123456789012") == []

    def test_lines_that_stand_in_the_window_already(self) -> None:
        copy = Before("Read src/a.py above", "x\nfirst\nsecond\ny", 41)
        text = "new\n[~ 2 lines seen: Read src/a.py above, lines 42-43]"
        told = Claimed("seen", 2, ((1, 3),))

        assert check("new\nfirst\nsecond", text, told, earlier=[copy]) == []

    def test_a_lossless_text_that_can_be_turned_back(self) -> None:
        shortened = Shortened("a,a,a", "a", "[~", (), is_lossless=True)

        assert facts_of(shortened, lambda text, _: ",".join(text * 3)).faults == ()

    def test_a_text_that_imitates_us_has_markers_of_another_opening(self) -> None:
        original = "[~ 40 lines]\na\nb\nc"
        shortened = Shortened(original, "[~ 40 lines]\n[~~ 2 lines]\nc", "[~~", [lines(2, (1, 3))])

        assert facts_of(shortened).faults == ()


class TestLiesAreFound:
    @pytest.mark.parametrize(
        ("text", "rule"),
        [
            (RUN.replace("assert 3 == 4", "assert 3 == 5"), "invented line"),
            (RUN.replace("src/cart.py:41", "src/card.py:41"), "word"),
            (RUN.replace(":41:", ":42:"), "word"),
            (RUN.replace("0.12s", "0.16s"), "invented line"),
            (RUN.replace("E   assert 3 == 4\n", ""), "missing line"),
            (RUN + "\ntest_a.py::test_five PASSED [ 83%]", "invented line"),
            (RUN + "\nno error", "word"),
        ],
        ids=["number", "path", "line number", "decimal", "dropped", "told twice", "negation"],
    )
    def test_outside_the_markers(self, text: str, rule: str) -> None:
        assert rule in check(RUN, text)

    def test_a_count_that_is_too_high(self) -> None:
        text = RUN.replace("\n".join(RUN.split("\n")[1:4]), "[~ 4 lines]")

        assert "lines marker" in check(RUN, text, lines(4, (1, 4)))

    def test_a_marker_that_tells_another_number_than_its_receipt(self) -> None:
        text = RUN.replace("\n".join(RUN.split("\n")[1:4]), "[~ 5 lines]")

        assert "lines marker" in check(RUN, text, lines(3, (1, 4)))

    def test_line_numbers_of_another_place(self) -> None:
        text = RUN.replace("\n".join(RUN.split("\n")[1:4]), "[~ 3 lines (5-7)]")

        assert "lines marker" in check(RUN, text, lines(3, (1, 4)))

    def test_a_claim_beside_the_count(self) -> None:
        text = RUN.replace("\n".join(RUN.split("\n")[1:4]), "[~ 3 lines, no errors]")

        assert "lines marker" in check(RUN, text, lines(3, (1, 4)))

    def test_a_failure_among_the_passed(self) -> None:
        kept = RUN.split("\n")
        text = "\n".join([kept[0], "[~ 4 passed lines]", *kept[5:]])

        assert "passed marker" in check(RUN, text, Claimed("passed", 4, ((1, 5),)))

    def test_a_line_that_does_not_say_that_it_passed(self) -> None:
        text = "\n".join(["[~ 2 passed lines]", *RUN.split("\n")[2:]])

        assert "passed marker" in check(RUN, text, Claimed("passed", 2, ((0, 2),)))

    def test_an_error_among_the_similar(self) -> None:
        kept = LOG.split("\n")
        text = "\n".join([*kept[:2], "[~ 5 similar]", kept[7]])

        assert "similar marker" in check(LOG, text, Claimed("similar", 5, ((2, 7),)))

    def test_a_value_that_its_line_does_not_have(self) -> None:
        kept = LOG.split("\n")
        rows = ["02 14 2", "03 21 3", "04 21 3", "05 35 5"]
        text = "\n".join([*kept[:2], "[~ 4 similar, with]", *rows, *kept[6:]])

        assert "similar marker" in check(LOG, text, Claimed("similar", 4, ((2, 6),)))

    def test_a_value_that_is_not_told(self) -> None:
        kept = LOG.split("\n")
        rows = ["02 14", "03 21 3", "04 28 4", "05 35 5"]
        text = "\n".join([*kept[:2], "[~ 4 similar, with]", *rows, *kept[6:]])

        assert "similar marker" in check(LOG, text, Claimed("similar", 4, ((2, 6),)))

    def test_a_repetition_that_is_none(self) -> None:
        text = "a\n[~ line above 2 more times]\nc"

        assert "repeated marker" in check("a\na\nb\nc", text, Claimed("repeated", 2, ((1, 3),)))

    def test_a_repetition_counted_wrong(self) -> None:
        text = "a\n[~ line above 3 more times]\nc"

        assert "repeated marker" in check("a\na\na\nc", text, Claimed("repeated", 3, ((1, 3),)))

    def test_a_match_under_the_wrong_path(self) -> None:
        grouped = "src/a.py\n:1:x = 1\nsrc/b.py\n:9:y = 2\n:3:z"

        assert check("src/a.py:1:x = 1\nsrc/a.py:9:y = 2\nsrc/b.py:3:z", grouped) != []

    def test_a_file_in_the_wrong_folder(self) -> None:
        tree = "src/\n app/\n  x.py\n  y.py\n  z.py"

        assert check("src/app/x.py\nsrc/app/y.py\nsrc/z.py", tree) != []

    def test_lines_in_another_order(self) -> None:
        assert "order" in check("one 1\ntwo 2\nthree 3", "two 2\none 1\nthree 3")

    def test_a_marker_at_another_place(self) -> None:
        text = "a\nb\nf\n[~ 3 lines]"

        assert "place" in check("a\nb\nc\nd\ne\nf", text, lines(3, (2, 5)))

    def test_a_line_that_two_markers_stand_for(self) -> None:
        text = "a\n[~ 3 lines]\n[~ 2 lines]\nf"

        assert "range" in check("a\nb\nc\nd\ne\nf", text, lines(3, (1, 4)), lines(2, (3, 5)))

    def test_a_range_outside_the_text(self) -> None:
        assert "range" in check("a\nb", "a\n[~ 3 lines]", lines(3, (1, 4)))

    def test_a_marker_that_is_not_in_the_receipt(self) -> None:
        assert "markers" in check("a\nb", "a\n[~ 1 line]\nb")

    def test_a_kind_that_nobody_counts(self) -> None:
        assert "bugs marker" in check("a\nb", "a\n[~ 1 bugs]", Claimed("bugs", 1, ((1, 2),)))

    def test_a_fold_that_hides_more_than_it_says(self) -> None:
        original = f'{{"name":"{"abcdefghij" * 9}","n":1}}'
        text = '{"name":"abcdefghij[~ 60 chars]abcdefghij","n":1}'

        assert "folded marker" in check(original, text, Claimed("folded", 60, ((0, 1),)))

    def test_a_list_that_is_not_so_long(self) -> None:
        told = Claimed("items", 107, ((0, 1),))

        assert "items marker" in check(json.dumps(list(range(100))), "[0,[~ 107 items],99]", told)

    def test_rows_that_are_not_so_many(self) -> None:
        original = json.dumps([{"a": one, "b": 2} for one in range(5)])

        assert "rows marker" in check(
            original, "[~ 6 rows]\na,b\n0,2\n1,2", Claimed("rows", 6, ((0, 1),))
        )

    def test_a_word_of_a_page_that_is_not_told(self) -> None:
        page = "<html><body><p>never do 42</p></body></html>"

        assert "missing word" in check(
            page, "[~ HTML as text]\ndo 42", Claimed("markup", 0, ((0, 1),))
        )

    def test_lines_that_were_never_seen(self) -> None:
        copy = Before("Read src/a.py above", "first\nother")
        text = "new\n[~ 2 lines seen: Read src/a.py above]"
        told = Claimed("seen", 2, ((1, 3),))

        assert "seen marker" in check("new\nfirst\nsecond", text, told, earlier=[copy])

    def test_lines_that_were_seen_elsewhere(self) -> None:
        copy = Before("Read src/a.py above", "x\nfirst\nsecond\ny", 41)
        text = "new\n[~ 2 lines seen: Read src/a.py above, lines 52-53]"
        told = Claimed("seen", 2, ((1, 3),))

        assert "seen marker" in check("new\nfirst\nsecond", text, told, earlier=[copy])

    @pytest.mark.parametrize(
        "way_back",
        [
            "[~ all 5 lines: tokens recall 123456789012]",
            "[~ all 4 lines: tokens recall 999999999999]",
            "",
        ],
        ids=["lines", "handle", "none"],
    )
    def test_a_way_back_that_does_not_lead_there(self, way_back: str) -> None:
        text = f"a\n[~ 2 lines]\nd\n{way_back}"

        assert "way back" in check("a\nb\nc\nd", text, lines(2, (1, 3)), handle="123456789012")

    def test_a_lossless_text_that_comes_back_different(self) -> None:
        shortened = Shortened("a,b", "a", "[~", (), is_lossless=True)

        assert [one.rule for one in facts_of(shortened, lambda text, _: text).faults] == [
            "lossless"
        ]

    def test_a_lossless_text_that_nothing_turns_back(self) -> None:
        shortened = Shortened("a,b", "a", "[~", (), is_lossless=True)

        assert [one.rule for one in facts_of(shortened).faults] == ["lossless"]

    def test_markers_that_the_text_itself_could_hold(self) -> None:
        assert "opening" in check("x [~ 1 lines]", "x [~ 1 lines]")

    def test_more_terminal_codes_than_there_were(self) -> None:
        told = Claimed("codes", 3, ((0, 1),))

        assert "codes marker" in check("\x1b[31mred\x1b[0m", "[~ 3 terminal codes]\nred", told)

    def test_a_failing_step_of_a_build(self) -> None:
        text = "[~ 2 build lines]\nend"
        told = Claimed("steps", 2, ((0, 2),))

        assert "steps marker" in check("compiling a\nERROR in b\nend", text, told)


DIFF = """diff --git a/src/a.py b/src/a.py
index 11aa22b..33cc44d 100644
--- a/src/a.py
+++ b/src/a.py
@@ -1,5 +1,5 @@
 one
 two
-old
+new
 four
 five"""
LOCK = """name = "left-pad"
integrity sha512-aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa
version = 1.2.3"""
TABLE = "| name | size |\n| ---- | ---- |\n| a    |   12 |\n| b    |    3 |"
TRACE = """Traceback (most recent call last):
  File "lib/a.py", line 1, in f
    g()
  File "lib/b.py", line 2, in g
    h()
ValueError: no"""


def without(text: str, start: int, end: int, said: str) -> str:
    """The text with a marker in the place of these lines."""
    kept = text.split("\n")
    return "\n".join([*kept[:start], f"[~ {said}]", *kept[end:]])


CASES = [
    ("headers", DIFF, 0, 2, "2 header lines", 2, ((0, 2),), ""),
    ("headers", DIFF, 2, 4, "2 header lines", 2, ((2, 4),), "headers marker"),
    ("context", DIFF, 5, 7, "2 context lines at hunk edges", 2, ((5, 7),), ""),
    ("context", DIFF, 6, 7, "1 context lines at hunk edges", 1, ((6, 7),), "context marker"),
    ("context", DIFF, 7, 8, "1 context lines", 1, ((7, 8),), "context marker"),
    ("checksums", LOCK, 1, 2, "1 checksum lines", 1, ((1, 2),), ""),
    ("checksums", LOCK, 2, 3, "1 checksum lines", 1, ((2, 3),), "checksums marker"),
    ("frames", TRACE, 3, 5, "2 frame lines", 2, ((3, 5),), ""),
    ("frames", TRACE, 5, 6, "1 frame lines", 1, ((5, 6),), "frames marker"),
    ("again", "x y\nz\nx y", 2, 3, "1 lines as above", 1, ((2, 3),), ""),
    ("again", "x y\nz\nx v", 2, 3, "1 lines as above", 1, ((2, 3),), "again marker"),
    ("blank", "a\n\n \nb", 1, 3, "2 blank lines", 2, ((1, 3),), ""),
    ("blank", "a\n\n.\nb", 1, 3, "2 blank lines", 2, ((1, 3),), "blank marker"),
    ("files", "d:\nx.py\ny.py", 1, 3, "2 files", 2, ((1, 3),), ""),
    ("files", "d:\nx.py\n\ny.py", 1, 4, "3 files", 3, ((1, 4),), "files marker"),
    ("messages", "commit 1\n    a\n    b", 2, 3, "1 message lines", 1, ((2, 3),), ""),
    ("messages", "commit 1\n    a\nD: b", 2, 3, "1 message lines", 1, ((2, 3),), "messages marker"),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "text", "start", "end", "said", "count", "ranges", "rule"), CASES)
def test_each_kind_is_counted_again(
    kind: str, text: str, start: int, end: int, said: str, count: int,
    ranges: tuple[tuple[int, int], ...], rule: str,
) -> None:  # fmt: skip
    found = check(text, without(text, start, end, said), Claimed(kind, count, ranges))

    assert found == ([rule] if rule else [])


def test_a_table_without_padding_is_the_same_table() -> None:
    rows = "|name|size|\n|--|--|\n|a|12|\n|b|3|"
    told = Claimed("table", 4, ((0, 4),))

    assert check(TABLE, f"[~ 4 table lines]\n{rows}", told) == []
    assert "table marker" in check(TABLE, f"[~ 4 table lines]\n{rows.replace('12', '3')}", told)


def test_lines_of_a_shape_are_counted_where_a_stream_leaves_them_out() -> None:
    text = "job 1\n[~ 2 like this]\n[~ 3 lines]\nend"
    like = Claimed("like", 2, ((1, 4),))

    assert check("job 1\njob 2\nother\njob 3\nend", text, like, lines(3, (1, 4))) == []
    assert check("job 1\njob 2\nother\nbob 3\nend", text, like, lines(3, (1, 4))) == ["like marker"]


ANY_LINES = st.lists(st.text(st.characters(blacklist_characters="\n"), max_size=12), min_size=1)


class TestAnyText:
    @given(ANY_LINES)
    def test_any_text_is_true_of_itself(self, some: list[str]) -> None:
        text = "\n".join(some).replace("[~", "(~")

        assert check(text, text) == []

    @given(ANY_LINES, st.data())
    def test_any_lines_behind_a_true_marker_are_true(
        self, some: list[str], data: st.DataObject
    ) -> None:
        clean = "\n".join(some).replace("[~", "(~").split("\n")
        start = data.draw(st.integers(0, len(clean) - 1))
        end = data.draw(st.integers(start + 1, len(clean)))
        text = "\n".join([*clean[:start], f"[~ {end - start} lines]", *clean[end:]])

        assert check("\n".join(clean), text, lines(end - start, (start, end))) == []

    @given(ANY_LINES, st.data())
    def test_a_word_from_elsewhere_is_always_found(
        self, some: list[str], data: st.DataObject
    ) -> None:
        clean = "\n".join(some).replace("[~", "(~").split("\n")
        at = data.draw(st.integers(0, len(clean)))
        text = "\n".join([*clean[:at], "zq9 zq8", *clean[at:]])

        assert "word" in check("\n".join(clean), text)

    @given(ANY_LINES, st.data())
    def test_a_line_that_is_gone_is_always_missed(
        self, some: list[str], data: st.DataObject
    ) -> None:
        clean = [f"line {number} {one}".replace("[~", "(~") for number, one in enumerate(some)]
        at = data.draw(st.integers(0, len(clean) - 1))

        assert check("\n".join(clean), "\n".join(clean[:at] + clean[at + 1 :])) != []
