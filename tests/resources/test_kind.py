"""Ids that can be typed, and words that can be shown."""

import re

from hypothesis import given
from hypothesis import strategies as st

from tokenbudget.resources.kind import counted, shown, typable

ID = re.compile(r"skills/[A-Za-z0-9._-][A-Za-z0-9._/-]*")


def test_plain_names_are_their_own_ids() -> None:
    assert typable("skills", "deploy") == "skills/deploy"
    assert typable("skills", ".claude/rules/a.md") == "skills/.claude/rules/a.md"


def test_ids_stay_the_same_between_runs() -> None:
    assert typable("skills", "a b") == "skills/a-b-c8687a"


@given(st.text(st.characters(), max_size=90))
def test_any_name_has_an_id_that_can_be_typed(name: str) -> None:
    found = typable("skills", name)
    assert ID.fullmatch(found)
    assert ".." not in found
    assert len(found) < 80


@given(st.lists(st.text("ab -/.\x1b", max_size=8), max_size=20, unique=True))
def test_two_names_never_share_an_id(names: list[str]) -> None:
    assert len({typable("skills", name) for name in names}) == len(names)


def test_words_are_cleaned_and_short() -> None:
    assert shown("\x1b[31mred\u202e" + "x" * 999) == "[31mred" + "x" * 191
    assert counted(1, "file") == "1 file"
    assert counted(1200, "file") == "1,200 files"
