"""Nothing outside of the places is read or written, however a path leads there."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tokenbudget.model.errors import ProjectUnusable, Refused, TokenBudgetError
from tokenbudget.system.rooted import MOST_BYTES, Rooted


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    folder = tmp_path / "shop"
    (folder / ".claude").mkdir(parents=True)
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "secret").write_text("theirs")
    return folder


def change(rooted: Rooted, path: Path | str, content: bytes) -> None:
    rooted.replace(str(path), rooted.read(str(path)), content, None)


def test_a_file_keeps_its_mode_and_a_new_one_is_made_with_its_folders(shop: Path) -> None:
    rooted = Rooted([str(shop)])
    old, new = shop / "CLAUDE.md", shop / "a" / "b" / "c.md"
    old.write_text("old")
    old.chmod(0o640)
    change(rooted, old, b"new")
    assert (old.read_bytes(), old.stat().st_mode & 0o777) == (b"new", 0o640)
    assert rooted.read(str(new)) is None
    change(rooted, new, b"made")
    assert new.read_bytes() == b"made"
    assert [entry.name for entry in new.parent.iterdir()] == ["c.md"]


@pytest.mark.parametrize(
    "path",
    [
        "/etc/passwd", "{top}/outside/secret", "{top}/shopping/x", "{shop}", "{shop}/",
        "{shop}/../outside/secret", "{shop}/./x", "shop/x", "", "{shop}/x\0y", "{shop}/\ud800",
        "{shop}/.claude.json", "{shop}/.Claude.JSON", "{shop}/a/.claude.json",
    ],
)  # fmt: skip
def test_what_lies_outside_or_is_the_clients_is_refused(shop: Path, path: str) -> None:
    named = path.format(top=shop.parent, shop=shop)
    rooted = Rooted([str(shop)])
    with pytest.raises(Refused):
        rooted.read(named)
    with pytest.raises(Refused):
        rooted.replace(named, None, b"x", None)


@pytest.mark.parametrize("place", ["", "/", "//", "/tmp/.."])
def test_the_root_of_all_is_no_place(shop: Path, place: str) -> None:
    with pytest.raises(Refused):
        Rooted([place]).read(str(shop / "x"))


def test_no_link_leads_out_or_anywhere(shop: Path) -> None:
    outside = shop.parent / "outside"
    (shop / "folder").symlink_to(outside)
    (shop / "file").symlink_to(outside / "secret")
    (shop / "inner").symlink_to(shop / ".claude")
    rooted = Rooted([str(shop)])
    for path in ("folder/secret", "file", "inner/settings.json"):
        with pytest.raises(Refused):
            rooted.read(str(shop / path))
        with pytest.raises(Refused):
            rooted.replace(str(shop / path), None, b"x", None)
    assert (outside / "secret").read_text() == "theirs"
    assert sorted(os.listdir(outside)) == ["secret"]


def test_a_place_may_be_reached_through_links_by_both_names(shop: Path) -> None:
    link = shop.parent / "link"
    link.symlink_to(shop)
    rooted = Rooted([str(link)])
    change(rooted, link / "a", b"one")
    change(rooted, shop / "b", b"two")
    assert ((shop / "a").read_bytes(), (shop / "b").read_bytes()) == (b"one", b"two")


def test_a_single_file_may_be_a_link_to_where_a_person_keeps_it(shop: Path) -> None:
    kept = shop.parent / "outside" / "settings.json"
    kept.write_text("{}")
    named = shop / "settings.json"
    named.symlink_to(kept)
    rooted = Rooted([str(named)])
    change(rooted, named, b"[]")
    assert named.is_symlink()
    assert kept.read_text() == "[]"
    with pytest.raises(Refused):
        rooted.read(str(kept.parent / "secret"))


def test_a_single_file_that_leads_to_the_clients_is_refused(shop: Path) -> None:
    (shop.parent / "outside" / ".claude.json").write_text("{}")
    named = shop / "settings.json"
    named.symlink_to(shop.parent / "outside" / ".claude.json")
    with pytest.raises(Refused, match="only its client"):
        Rooted([str(named)]).read(str(named))


def test_a_single_file_of_an_agent_that_never_ran_is_made(tmp_path: Path) -> None:
    named = tmp_path / ".claude" / "settings.json"
    rooted = Rooted([str(named)])
    assert rooted.read(str(named)) is None
    change(rooted, named, b"{}")
    assert named.read_bytes() == b"{}"


def test_odd_files_are_refused(shop: Path) -> None:
    rooted = Rooted([str(shop)])
    (shop / "twin").write_text("x")
    os.link(shop / "twin", shop.parent / "outside" / "twin")
    os.mkfifo(shop / "pipe")
    (shop / "large").write_bytes(b"x" * (MOST_BYTES + 1))
    for name in ("twin", "pipe", "large", ".claude"):
        with pytest.raises(Refused):
            rooted.read(str(shop / name))


def test_a_file_that_was_written_since_is_not_replaced(shop: Path) -> None:
    rooted, path = Rooted([str(shop)]), shop / "x"
    path.write_text("one")
    found = rooted.read(str(path))
    path.write_text("two")
    with pytest.raises(Refused, match="written by others"):
        rooted.replace(str(path), found, b"ours", None)
    with pytest.raises(Refused, match="written by others"):
        rooted.replace(str(path), None, b"ours", None)
    path.unlink()
    with pytest.raises(Refused, match="written by others"):
        rooted.replace(str(path), found, b"ours", None)
    assert sorted(os.listdir(shop)) == [".claude"]


def test_what_killed_processes_left_is_cleared_when_it_is_old(shop: Path) -> None:
    rooted, path = Rooted([str(shop)]), shop / "x"
    path.write_text("one")
    old, new = shop / f".x.{'a' * 16}.tmp", shop / f".x.{'b' * 16}.tmp"
    theirs = [shop / name for name in (f".y.{'a' * 16}.tmp", ".x.mine.tmp", f".x.{'A' * 16}.tmp")]
    for stray in (old, new, *theirs):
        stray.write_text("half")
    for stray in (old, *theirs):
        os.utime(stray, (1, 1))
    change(rooted, path, b"two")
    assert [stray.exists() for stray in (old, new, *theirs)] == [False, *[True] * 4]


def test_a_read_only_file_is_left_alone(shop: Path) -> None:
    rooted, path = Rooted([str(shop)]), shop / "x"
    path.write_text("one")
    path.chmod(0o444)
    with pytest.raises(Refused, match="read-only"):
        change(rooted, path, b"ours")


def test_a_file_in_the_way_of_a_folder_is_told(shop: Path) -> None:
    (shop / "file").write_text("x")
    with pytest.raises(Refused, match="no folder of its own"):
        Rooted([str(shop)]).read(str(shop / "file" / "inner"))


def test_a_place_that_is_gone_holds_nothing_and_cannot_be_written(tmp_path: Path) -> None:
    rooted = Rooted([str(tmp_path / "gone")])
    assert rooted.read(str(tmp_path / "gone" / "x")) is None
    with pytest.raises(ProjectUnusable):
        rooted.replace(str(tmp_path / "gone" / "x"), None, b"x", None)
    assert os.listdir(tmp_path) == []


PARTS = st.sampled_from(["..", ".", "", "a", "link", "shop", "outside", "secret", ".claude.json"])


@settings(
    max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(PARTS, max_size=5))
def test_no_path_leads_out(shop: Path, parts: list[str]) -> None:
    outside = shop.parent / "outside"
    if not (shop / "link").is_symlink():
        (shop / "link").symlink_to(outside)
    rooted = Rooted([str(shop)])
    path = "/".join([str(shop), *parts])
    try:
        found = rooted.read(path)
        rooted.replace(path, found, b"ours", None)
    except TokenBudgetError:
        pass
    assert (outside / "secret").read_text() == "theirs"
    assert os.listdir(outside) == ["secret"]
    assert set(os.listdir(shop.parent)) == {"shop", "outside"}
