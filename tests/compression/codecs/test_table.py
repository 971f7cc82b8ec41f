"""A ruled table without its padding turns back into the very lines."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.compression.codecs.facts import drafted, surely, true_draft

from tokenbudget.compression.codecs.table import CODEC, decode
from tokenbudget.compression.marks import opening_for
from tokenbudget.compression.passage import BALANCED, COMPRESSED, LEVELS, VERBOSE, Origin

PROPERTY = settings(deadline=None, max_examples=80, database=None)

PSQL = """\
 id |     name     | total{}
----+--------------+-------
  1 | Ada Lovelace |  9.50
 20 | Bob          | 12.00
  3 |              |  1.25
(3 rows)
""".format(" ")
BOX = """\
Report
┌─────────┬───────┐
│ name    │ count │
├─────────┼───────┤
│ errors  │     3 │
│ warnings│    12 │
└─────────┴───────┘
done
"""
ASCII = """\
+-----+--------+
| key | value  |
+-----+--------+
| a   | first  |
| bcd | second |
+-----+--------+
"""
MARKDOWN = """\
| Name   | Notes     |
| ------ | --------- |
| a      | the first |
| longer | second    |
| c      |           |
"""

CELLS = st.text(alphabet="ab 1.|│é[~]", max_size=8)


@st.composite
def tables(draw: st.DrawFn) -> str:
    """A table as a program would print it, with cells that try to break it."""
    columns = draw(st.integers(1, 4))
    rows = draw(
        st.lists(st.lists(CELLS, min_size=columns, max_size=columns), min_size=2, max_size=8)
    )
    widths = [max(len(row[n]) for row in rows) for n in range(columns)]
    bar, cross, fill = draw(st.sampled_from((("|", "+", "-"), ("|", "|", "-"), ("│", "┼", "─"))))
    lines = []
    for row in rows:
        cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=True)]
        lines.append(f"{bar} {f' {bar} '.join(cells)} {bar}")
    lines.insert(1, cross + cross.join(fill * (width + 2) for width in widths) + cross)
    before = draw(st.sampled_from(("", "some words\n", "[~ 5 table lines]\n")))
    return before + "\n".join(lines) + draw(st.sampled_from(("", "\n", "\nafter | it\n")))


@PROPERTY
@given(text=tables(), level=st.sampled_from(LEVELS))
def test_any_table_turns_back_or_is_left_alone(text: str, level: str) -> None:
    draft = drafted(CODEC, text, level)
    assert draft is None or decode(draft.text, opening_for((text,))) == text


def test_each_way_to_draw_a_table_is_known() -> None:
    for text in (PSQL, ASCII, MARKDOWN):
        draft = surely(drafted(CODEC, text, VERBOSE))
        assert draft.is_lossless
        assert decode(draft.text, "[~") == text
        assert len(draft.text) < len(text) + 30


def test_a_table_that_is_set_by_no_rule_is_left_alone() -> None:
    assert drafted(CODEC, BOX, BALANCED) is None


def test_only_the_padding_goes() -> None:
    draft = surely(drafted(CODEC, PSQL, VERBOSE))
    assert draft.text.startswith(
        "[~ 5 table lines, numbers right, heads centred]\n"
        "id|name|total\n--+--+--\n1|Ada Lovelace|9.50\n"
    )


def test_a_file_that_may_be_edited_is_left_alone() -> None:
    assert drafted(CODEC, MARKDOWN, BALANCED, Origin("Read", path="README.md")) is None


def test_compressed_leaves_out_the_middle_of_a_long_one_but_no_trouble() -> None:
    rows = "".join(f"| {n:4} | {'failed' if n == 50 else 'fine':6} |\n" for n in range(200))
    text = f"|    n | state  |\n|------|--------|\n{rows}"
    draft = surely(true_draft(CODEC, text, COMPRESSED))
    assert "|   50 | failed |" in draft.text.split("\n")
    assert sum(one.count for one in draft.removed) == 202 - 18 - 6 - 1 + 1 - 1


def test_a_line_without_end_does_not_become_a_table_without_end() -> None:
    wide = f"| {'x' * 100_000} | y |\n|---|---|\n" + "| a | b |\n" * 2_000
    assert drafted(CODEC, wide, BALANCED) is None


def test_lines_of_blanks_take_no_longer_than_their_length() -> None:
    for blanks in (" ", "\n", " \n", "\t", ":", "-", "|"):
        drafted(CODEC, blanks * 200_000 + "x", COMPRESSED)  # once tried, it would not end
