"""Names say what is a leftover, and of what."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tokenbudget.resources.clutter_names import folder_copy_of, named

BESIDE = frozenset(
    ("notes.md", "api.md", "CLAUDE.md", "app.py", "settings.json", "testing.md", "x")
)


@pytest.mark.parametrize(
    ("name", "original"),
    [
        ("notes.md.bak", "notes.md"),
        ("x.bak-2", "x"),
        ("x.bak2", "x"),
        ("x.bak.1", "x"),
        ("CLAUDE.md.bak-tokenbudget", "CLAUDE.md"),
        ("settings.json.20260101T101500Z.bak", "settings.json"),
        ("settings.json.20260101T101500Z-2.bak", "settings.json"),
        ("app.py.orig", "app.py"),
        ("app.py.rej", "app.py"),
        ("app.py~", "app.py"),
        ("app.py.backup", "app.py"),
        ("CLAUDE copy.md", "CLAUDE.md"),
        ("CLAUDE copy 2.md", "CLAUDE.md"),
        ("CLAUDE (1).md", "CLAUDE.md"),
        ("api.old.md", "api.md"),
        ("api-backup.md", "api.md"),
        ("testing-2026-03-01.bak.md", "testing.md"),
        ("gone.md.bak", "gone.md"),
    ],
)
def test_backups_name_what_they_are_of(name: str, original: str) -> None:
    assert named(name, BESIDE) == ("backup", original)


@pytest.mark.parametrize(
    "name",
    [
        *(
            "notes.md",
            "hard copy.txt",
            "bak",
            "~",
            ".bak",
            "a.bakery",
            "2026-01-01.md",
            "config.old",
        ),
        *("CLAUDE-20260101.md", "manuscript.orig.md", "copy.md", "backup.sh", "old", "a" * 300),
    ],
)
def test_what_may_be_anybodys_own_is_none(name: str) -> None:
    assert named(name, BESIDE) is None


def test_editors_and_programs_leave_files() -> None:
    assert named(".app.py.swp", BESIDE) == ("swap", "app.py")
    assert named("#app.py#", BESIDE) == ("swap", "app.py")
    assert named("a.tmp", BESIDE) == ("temporary", "")
    assert named(".DS_Store", BESIDE) == ("temporary", "")


def test_a_folder_is_a_copy_only_beside_its_original() -> None:
    beside = frozenset(("deploy", "deploy.bak", "deploy copy", "other.bak"))
    assert folder_copy_of("deploy.bak", beside) == "deploy"
    assert folder_copy_of("deploy copy", beside) == "deploy"
    assert folder_copy_of("other.bak", beside) == ""
    assert folder_copy_of("deploy", beside) == ""


@given(st.text("ab .-_~#()0123456789bakcopyold", min_size=1, max_size=255), st.data())
def test_nothing_is_a_leftover_of_itself(name: str, data: st.DataObject) -> None:
    found = named(name, frozenset((name,)))
    assert found is None or found.original != name
