import re
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tokenbudget.resources.client_features import (
    LOOKED_AT,
    NEWEST_TESTED,
    features_in_common,
    features_of,
    is_newer_than_tested,
    version_parts,
)
from tokenbudget.resources.wiring_hooks import EVENTS

ROOT = Path(__file__).parents[2]
EN_DASH = "\N{EN DASH}"
VERSIONS = st.builds(
    lambda parts: ".".join(map(str, parts)),
    st.lists(st.integers(0, 999), min_size=2, max_size=4),
)


@pytest.mark.parametrize("one", LOOKED_AT, ids=lambda one: one.version)
def test_a_release_that_was_looked_at_is_known(one) -> None:  # type: ignore[no-untyped-def]
    assert features_of(one.version) == one
    assert one.is_known
    assert one.observed <= one.events


def test_the_releases_stand_oldest_first_and_only_gain() -> None:
    versions = [version_parts(one.version) or () for one in LOOKED_AT]

    assert versions == sorted(set(versions))
    for older, newer in pairwise(LOOKED_AT):
        assert older.events <= newer.events


@pytest.mark.parametrize(
    ("version", "stands_in"),
    [
        ("2.1.400", "2.1.329"),
        ("3.0.0", "2.1.329"),
        ("2.1.300", "2.1.270"),
        ("2.1.100", "2.0.76"),
        ("2.0.76.1", "2.0.76"),
        ("1.0.0", "2.0.76"),
    ],
)
def test_one_that_nobody_looked_at_is_the_nearest_older(version: str, stands_in: str) -> None:
    found = features_of(version)

    assert (found.version, found.is_known, found.looked_at) == (version, False, stands_in)
    assert found.events == features_of(stands_in).events


WIDE = "".join(chr(0xFF10 + int(c)) if c.isdecimal() else c for c in "1.2")


@pytest.mark.parametrize("text", ["", "newest", "2", "2.1.x", "-1.2", "2.1.1.1.1", WIDE, "9" * 99])
def test_what_is_no_version_gets_the_least(text: str) -> None:
    found = features_of(text)

    assert (found.version, found.is_known) == ("", False)
    assert found.events == LOOKED_AT[0].events
    assert not found.has_http_hooks


def test_what_follows_the_numbers_is_left_aside() -> None:
    assert version_parts(" 2.1.329-beta.1+build ") == (2, 1, 329)
    assert features_of("2.1.329-beta.1").is_known


@given(VERSIONS)
def test_an_old_client_is_never_told_of_an_event_that_it_may_not_know(version: str) -> None:
    newest = LOOKED_AT[-1].events
    found = features_of(version)

    assert found.events <= newest
    parts = version_parts(version) or ()
    if parts < (2, 1, 270):
        assert found.events == LOOKED_AT[0].events


@given(st.lists(VERSIONS, min_size=1, max_size=5))
def test_what_several_clients_take_every_one_of_them_takes(versions: list[str]) -> None:
    common = features_in_common(versions)

    for version in versions:
        one = features_of(version)
        assert common.events <= one.events
        assert common.has_http_hooks <= one.has_http_hooks
        assert common.ignores_unknown_events <= one.ignores_unknown_events
    assert common.is_known == all(features_of(version).is_known for version in versions)


@pytest.mark.parametrize(
    ("versions", "is_cheap"),
    [
        (["2.1.329"], True),
        (["2.1.400"], True),
        (["2.1.300"], False),
        (["2.1.270"], False),
        (["2.0.76"], False),
        (["2.1.329", "2.1.270"], False),
        ([], True),
    ],
)
def test_haiku_is_cheap_and_a_plugin_there_at_once_only_where_that_was_seen(
    versions: list[str], is_cheap: bool
) -> None:
    common = features_in_common(versions)
    assert (common.has_cheap_haiku, common.loads_plugins_at_once) == (is_cheap, is_cheap)


def test_without_a_client_it_is_the_newest_that_was_tested() -> None:
    assert features_in_common([]).version == NEWEST_TESTED


def test_newer_than_tested() -> None:
    assert is_newer_than_tested("2.1.400")
    assert not is_newer_than_tested(NEWEST_TESTED)
    assert not is_newer_than_tested("who knows")


def test_the_page_shows_the_same_events_and_releases() -> None:
    page = (ROOT / "docs" / "hooks.md").read_text(encoding="utf-8")
    versions = re.findall(r"^\| Event \| ([\d. |]+) \| What we do", page, re.MULTILINE)[0]
    assert versions.split(" | ") == [one.version for one in LOOKED_AT]
    rows = {
        event: marks.split(" | ")
        for event, marks in re.findall(r"^\| `(\w+)` \| ([●○\u2013| ]+) \| ", page, re.MULTILINE)
    }
    assert rows == {
        event: [
            "●" if event in one.observed else "○" if event in one.events else EN_DASH
            for one in LOOKED_AT
        ]
        for event in EVENTS
    }
