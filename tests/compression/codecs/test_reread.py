"""A changed file, read again."""

from __future__ import annotations

from tokenbudget.compression.codec import Draft
from tokenbudget.compression.codecs.reread import CODEC
from tokenbudget.compression.marks import Marks
from tokenbudget.compression.passage import BALANCED, VERBOSE, Earlier, Origin, Passage

OLD = [f"value_{n} = compute({n}, 'item {n}')" for n in range(60)]


def numbered(lines: list[str]) -> str:
    return "\n".join(f"{number:6}→{line}" for number, line in enumerate(lines, 1))


def reread(
    new: str, old: str, level: str = BALANCED, path: str = "cart.py", first_line: int = 0
) -> Draft | None:
    earlier = [
        Earlier("Read other.py above", "nothing", "other.py"),
        Earlier("Read cart.py above", old, "cart.py", first_line),
    ]
    passage = Passage(new, Origin("Read", path=path, first_line=first_line), earlier)
    return CODEC.shorten(passage, Marks(new, old), level) if CODEC.detects(passage) else None


def test_the_change_stands_between_two_markers_with_its_context() -> None:
    new = [*OLD[:30], "changed = True", *OLD[31:]]
    draft = reread(numbered(new), numbered(OLD))
    assert draft is not None
    assert draft.text.split("\n") == [
        "[~ 28 lines (1-28) unchanged since Read cart.py above]",
        *numbered(new).split("\n")[28:33],
        "[~ 27 lines (34-60) unchanged]",
    ]
    assert [(one.kind, one.count, one.ranges) for one in draft.removed] == [
        ("unchanged", 28, ((0, 28),)),
        ("unchanged", 27, ((33, 60),)),
    ]


def test_lines_that_have_moved_say_where_they_were() -> None:
    new = [*OLD[:10], *OLD[13:]]
    draft = reread(numbered(new), numbered(OLD))
    assert draft is not None
    assert draft.text.split("\n")[-1] == "[~ 45 lines (13-57) unchanged, then 16-60]"


def test_a_text_without_numbers_is_numbered_from_where_it_begins() -> None:
    new = [*OLD[:30], "changed = True", *OLD[31:]]
    draft = reread("\n".join(new), "\n".join(OLD), first_line=101)
    assert draft is not None
    assert draft.text.startswith("[~ 28 lines (101-128) unchanged since Read cart.py above]\n")


def test_an_unchanged_file_is_one_marker() -> None:
    draft = reread(numbered(OLD), numbered(OLD))
    assert draft is not None
    assert draft.text == "[~ 60 lines (1-60) unchanged since Read cart.py above]"


def test_another_file_a_new_text_and_verbose_are_left_alone() -> None:
    text = numbered(OLD)
    assert reread(text, text, path="new.py") is None
    assert reread(text, text, path="") is None
    assert reread(text, text, level=VERBOSE) is None
    assert reread(text.replace("value", "other"), text) is None


def test_a_short_stretch_between_two_changes_stays() -> None:
    new = [*OLD[:20], "first = 1", *OLD[21:27], "second = 2", *OLD[28:]]
    draft = reread(numbered(new), numbered(OLD))
    assert draft is not None
    assert "value_23" in draft.text
    assert len(draft.removed) == 2
