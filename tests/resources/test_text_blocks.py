"""Text is cut at whole lines, and what was cut can be put together again."""

from hypothesis import given
from hypothesis import strategies as st

from tokenbudget.resources.text_blocks import blocks_of, words_of

LINES = st.sampled_from(
    ["# One", "## Two", "## Two", "### Three", "words of a rule", "- item one", "", "", "```",
     "~~~", "# in code", "<tag>", "@import.md", "<!-- c -->", "other words\r", "    code", "---"]
)  # fmt: skip
TEXTS = st.lists(LINES, max_size=30).map("\n".join)


def test_sections_hold_what_is_below_their_heading() -> None:
    text = "# A\n\none\n\n## B\n\ntwo\n\n## C\nthree\n"
    found = [(b.level, b.title, text[b.start : b.end]) for b in blocks_of(text)]
    assert found == [
        (1, "A", text),
        (0, "", "one\n\n"),
        (2, "B", "## B\n\ntwo\n\n"),
        (0, "", "two\n\n"),
        (2, "C", "## C\nthree\n"),
        (0, "", "three\n"),
    ]


def test_code_is_one_paragraph_whatever_is_in_it() -> None:
    text = "```sh\n# no heading\n\nmake\n```\n\nafter\n"
    assert [text[b.start : b.end] for b in blocks_of(text)] == [
        "```sh\n# no heading\n\nmake\n```\n\n",
        "after\n",
    ]


def test_what_belongs_to_something_else_is_not_loose() -> None:
    for words in ("@a.md", "<rule>\nx", "x <!-- y", "-->", "```\nopen"):
        [block] = blocks_of(words)
        assert not block.is_loose
    [block] = blocks_of("plain `@a.md` words")
    assert block.is_loose


def test_the_same_words_below_another_heading_are_another_block() -> None:
    text = "# S\n## Back\n### Run\nmake\n## Front\n### Run\nmake\n"
    runs = [b for b in blocks_of(text) if b.title == "Run"]
    assert runs[0].key == runs[1].key
    assert runs[0].under != runs[1].under


@given(TEXTS)
def test_blocks_are_whole_lines_in_order(text: str) -> None:
    blocks = blocks_of(text)
    starts = [block.start for block in blocks]
    assert starts == sorted(starts)
    for block in blocks:
        assert 0 <= block.start < block.end <= len(text)
        assert block.start == 0 or text[block.start - 1] == "\n"
        assert block.end == len(text) or text[block.end - 1] == "\n"
        assert block.key == words_of(text[block.start : block.end])


@given(TEXTS)
def test_paragraphs_do_not_overlap(text: str) -> None:
    end = 0
    for block in blocks_of(text):
        if not block.level:
            assert block.start >= end
            end = block.end
