"""Two names that a file system takes for one are noticed before anything is written."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from tests.archive.conftest import Place
from tests.archive.sessions import NOW_MS, SESSION, bundle_of, tree, write_tree

from tokenbudget.archive.clashes import PROBE, refuse_clashes, remove_probe
from tokenbudget.archive.pack import pack
from tokenbudget.archive.recover import recover
from tokenbudget.archive.verify import verify
from tokenbudget.model.errors import Refused
from tokenbudget.system.regular_file import opened_folder


@contextmanager
def blind_to_case() -> Iterator[None]:
    """A file system where `foo` leads to `Foo`, as macOS and Windows have it."""

    def there(name: str, folder: int | None) -> str:
        if folder is None or "/" in name:
            return name
        return next((it for it in os.listdir(folder) if it.casefold() == name.casefold()), name)

    def patched(real: Any, folder_key: str, at: int) -> Any:
        def call(*arguments: Any, **named: Any) -> Any:
            changed = [*arguments]
            changed[at] = there(arguments[at], named.get(folder_key))
            return real(*changed, **named)

        return call

    with pytest.MonkeyPatch.context() as patch:
        for name in ("open", "stat", "mkdir", "unlink", "rmdir"):
            patch.setattr(os, name, patched(getattr(os, name), "dir_fd", 0))
        patch.setattr(os, "link", patched(os.link, "dst_dir_fd", 1))
        yield


CLASHING = [
    ("Foo", "foo"),
    ("a/B/c", "a/b/c"),
    ("A/one", "a/two"),
    ("Grün", "grün"),
]


@pytest.mark.parametrize("names", CLASHING)
def test_names_are_one_only_where_the_file_system_says_so(
    tmp_path: Path, names: tuple[str, str]
) -> None:
    with opened_folder(str(tmp_path)) as folder:
        refuse_clashes(folder, names)
        with blind_to_case(), pytest.raises(Refused, match="one name on this file system"):
            refuse_clashes(folder, names)
    assert list(tmp_path.iterdir()) == []


def test_composed_letters_are_asked_about_too(tmp_path: Path) -> None:
    with opened_folder(str(tmp_path)) as folder:
        refuse_clashes(folder, ["\u00e9", "e\u0301"])
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(os, "stat", lambda *arguments, **named: None)
            with pytest.raises(Refused, match="one name"):
                refuse_clashes(folder, ["\u00e9", "e\u0301"])


def test_names_that_no_fold_makes_equal_are_not_even_asked_about(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def asked(*arguments: Any, **named: Any) -> None:
        raise AssertionError("nothing to ask")

    monkeypatch.setattr(os, "mkdir", asked)
    with opened_folder(str(tmp_path)) as folder:
        refuse_clashes(folder, ["a", "b", "a.jsonl", "a/b" + "c"])


def test_a_name_that_the_system_does_not_take_is_its_error(tmp_path: Path) -> None:
    too_long = os.strerror(errno.ENAMETOOLONG)
    with opened_folder(str(tmp_path)) as folder, pytest.raises(OSError, match=too_long):
        refuse_clashes(folder, ["x" * 300, "X" * 300])
    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_one_left_is_removed(tmp_path: Path) -> None:
    (tmp_path / PROBE / "Foo").mkdir(parents=True)
    with opened_folder(str(tmp_path)) as folder:
        remove_probe(folder)
        remove_probe(folder)
    assert list(tmp_path.iterdir()) == []


def test_a_session_with_such_names_is_archived_and_overwrites_nothing(
    place: Place, tmp_path: Path
) -> None:
    files = {"Foo.jsonl": b"large\n", "foo.jsonl": b"small\n"}
    write_tree(place.source, files)
    pack(place.folder, [bundle_of(place.source, files)], NOW_MS)
    assert verify(place.folder).problems == ()
    to = tmp_path / "to"
    with blind_to_case(), pytest.raises(Refused, match="one name on this file system"):
        recover(place.folder, SESSION, str(to))
    assert tree(to) == {}
    recover(place.folder, SESSION, str(to))
    assert {name: data for name, (data, _) in tree(to).items()} == files


def test_a_session_whose_name_differs_by_case_from_one_that_is_there(
    place: Place, tmp_path: Path
) -> None:
    """Each of them alone is fine; the second one must not be taken for the first."""
    one, two = {"Foo.jsonl": b"large\n"}, {"foo.jsonl": b"small\n"}
    for session, files in (("Foo", one), ("foo", two)):
        write_tree(place.source, files)
        pack(place.folder, [bundle_of(place.source, files, session)], NOW_MS)
    to = tmp_path / "to"
    with blind_to_case():
        recover(place.folder, "Foo", str(to))
        with pytest.raises(Refused, match="other content"):
            recover(place.folder, "foo", str(to))
    assert {name: data for name, (data, _) in tree(to).items()} == one
