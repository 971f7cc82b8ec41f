"""Long sections move word for word, and a line says where they are."""

from hypothesis import given
from hypothesis import strategies as st

from tokenbudget.resources.oversized_text import LARGEST_TOKENS, slimmed

FOLDER = ".claude/context/memory"


def tokens_of(text: str) -> int:
    return len(text.split())


def section(title: str, count: int) -> str:
    return f"## {title}\n\n{'word ' * count}\n\n"


def test_the_longest_sections_move_until_the_rest_is_small_enough() -> None:
    text = "# T\n\n" + section("Small", 300) + section("Large", 4000) + section("Mid", 1500)
    found = slimmed(text, "CLAUDE", FOLDER, (), tokens_of)

    assert found is not None
    assert [one.name for one in found.moved] == ["claude-large.md"]
    assert found.moved[0].text == section("Large", 4000)
    assert "## Large\n\nRead `.claude/context/memory/claude-large.md` before" in found.after
    assert section("Small", 300) in found.after
    assert tokens_of(found.after) <= LARGEST_TOKENS


def test_what_is_small_or_has_one_section_stays() -> None:
    assert slimmed("words " * 100, "a", FOLDER, (), tokens_of) is None
    assert slimmed("words " * 9000, "a", FOLDER, (), tokens_of) is None
    assert slimmed(section("Only", 9000), "a", FOLDER, (), tokens_of) is None


def test_what_imports_stays() -> None:
    text = "# T\n\n" + section("Plain", 1000) + section("Importing", 6000) + "@more.md\n"
    found = slimmed(text, "CLAUDE", FOLDER, (), tokens_of)
    assert found is not None
    assert [one.title for one in found.moved] == ["Plain"]


def test_names_are_plain_and_free() -> None:
    text = "# T\n\n" + section("../../Äh: x/y", 6000) + section("../../Äh: x/y", 6000)
    found = slimmed(text, "CLAUDE", FOLDER, ("claude-h-x-y.md",), tokens_of)
    assert found is not None
    assert [one.name for one in found.moved] == ["claude-h-x-y-2.md", "claude-h-x-y-3.md"]


SECTIONS = st.lists(st.tuples(st.sampled_from("ABC"), st.integers(0, 4000)), min_size=2, max_size=6)


@given(SECTIONS, st.booleans())
def test_every_word_is_in_the_rest_or_in_what_moved(
    sections: list[tuple[str, int]], has_windows_ends: bool
) -> None:
    text = "# T\n\n" + "".join(section(title, count) for title, count in sections)
    text = text.replace("\n", "\r\n") if has_windows_ends else text
    found = slimmed(text, "M", FOLDER, (), tokens_of)
    if found is None:
        return
    rest = found.after
    for one in found.moved:
        assert one.text in text
        line = f"Read `{FOLDER}/{one.name}` before you work on this."
        assert rest.count(line) == 1
    moved = sum(tokens_of(one.text) for one in found.moved)
    left = len(found.moved) * tokens_of("Read `x` before you work on this. ## A")
    assert tokens_of(rest) == tokens_of(text) - moved + left
    assert len({one.name for one in found.moved}) == len(found.moved)
