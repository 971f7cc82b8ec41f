"""What the controller believes of its levers is what the real clients do, and what it predicts.

For every release and model of the matrix all levers are pulled that the policy may pull: when each
takes effect is what the table says that ships (`optimizer.lever_table`), and so are its bytes. What
the product predicted of each, before it was pulled, is compared with what was billed less.
"""

import statistics
from collections.abc import Callable, Iterator

import pytest
from tests.e2e.ahead import played_ahead
from tests.e2e.install_clients import RELEASES as EVERY_RELEASE
from tests.e2e.install_clients import Release
from tests.e2e.lever_bed import (
    CHAIN,
    DISABLED,
    GATEWAY,
    Played,
    Weighed,
    expected_of,
    names,
    play,
    shipped,
)
from tests.e2e.matrix import EVERY, MATRIX, OPUS, SONNET, runnable

from lever_rows import HARDLY, NEVER
from levers import PULLED
from tokenbudget.model.control import HISTORY, RESERVE, SERVERS, TERSENESS, TRIMMING
from tokenbudget.optimizer.lever_table import ROWS

pytestmark = [pytest.mark.e2e, pytest.mark.usefixtures("install_outcomes")]

Await = Callable[[Release, str], Played]
SAME_BYTES, SAME_SHARE = 128, 0.03
"""By so much a saving may differ from the shipped one: the length of a path, a date, a remark."""
MEDIAN_ERROR = 0.15
RELEASES = pytest.mark.parametrize("release", EVERY_RELEASE, ids=lambda one: one.version)


@pytest.fixture(scope="module")
def played(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Await]:
    with played_ahead(
        request, tmp_path_factory, test_each_lever_works_when_the_table_says.__name__, play
    ) as awaited:
        yield awaited


@EVERY
def test_each_lever_works_when_the_table_says(release: Release, model: str, played: Await) -> None:
    found = of(played, release, model)

    expected = expected_of(found.about)
    assert set(expected) == {lever.name for lever in CHAIN}
    for link, lever in zip(found.links, CHAIN, strict=True):
        known = shipped(found.about, *names(lever))
        assert link.effect == expected[lever.name], link
        if link.effect == NEVER:
            assert abs(link.next_bytes) + abs(link.compacted_bytes) <= SAME_BYTES, link
            continue
        assert is_as_shipped(-link.grown_bytes, known.freed_bytes), (link, known)
        assert is_as_shipped(link.next_bytes, known.next_bytes), (link, known)
        assert link.rewrites == known.rewrites, (link, known)


@EVERY
def test_a_session_that_begins_afterwards_has_all_of_it(
    release: Release, model: str, played: Await
) -> None:
    found = of(played, release, model)

    rows = [lever for lever in CHAIN if names(lever) != (SERVERS, "permissions.deny")]
    assert DISABLED in rows  # it takes away what the rule does, and the servers' instructions
    known = sum(shipped(found.about, *names(lever)).start_bytes for lever in rows)
    assert is_as_shipped(found.start_bytes, known), (found.start_bytes, known)


@EVERY
def test_the_history_is_compacted_when_asked_and_not_when_given_room(
    release: Release, model: str, played: Await
) -> None:
    found = of(played, release, model)

    small, large = found.compactions
    history, reserve = (shipped(found.about, lever) for lever in (HISTORY, RESERVE))
    assert (history.effect == "now") == (small > 0)
    if small:
        assert history.rewrites == "messages"
        assert (reserve.effect == "now") == (large == 0)


@RELEASES
def test_results_and_words_follow_the_mode(release: Release, played: Await) -> None:
    found = of(played, release, OPUS)

    trimming, terseness = (shipped(found.about, lever) for lever in (TRIMMING, TERSENESS))
    assert (trimming.effect == "now") == (found.results_bytes < -HARDLY)
    assert is_as_shipped(found.results_bytes, trimming.next_bytes), found.results_bytes
    assert is_as_shipped(found.words_bytes, terseness.start_bytes), found.words_bytes
    assert not terseness.is_measured


@RELEASES
def test_servers_go_behind_the_gateway(release: Release, played: Await) -> None:
    found = of(played, release, SONNET)

    known = shipped(found.about, SERVERS, "gateway")
    assert known.effect == "next start"
    assert is_as_shipped(found.gateway_bytes, known.start_bytes), found.gateway_bytes


def test_every_lever_that_ships_is_pulled_here() -> None:
    here = {lever.row for lever in (*CHAIN, GATEWAY)}
    live = {lever.row for lever in PULLED if lever.kind not in ("clutter", "gateway")}
    assert {(row[0], row[1]) for row in ROWS} == here | live


def test_what_is_predicted_is_what_is_billed_less(played: Await) -> None:
    """Show 4: the median error over all levers, releases and models."""
    everything = [of(played, *case) for case in MATRIX]

    print(f"\n{'predicted and measured tokens':58} {'predicted':>16} {'measured':>9} {'off':>6}")
    errors = []
    for found in everything:
        for name, weighed in found.weighed.items():
            assert weighed.measured > 0, (found.about, name)
            errors.append(weighed.error_share)
            print(line(found, name, weighed))
    print(f"median {statistics.median(errors):.1%} of {len(errors)}, largest {max(errors):.1%}")
    assert statistics.median(errors) <= MEDIAN_ERROR


def of(played: Await, release: Release, model: str) -> Played:
    """What a case came to; it was begun with the first test."""
    return played(runnable(release), model)


def is_as_shipped(measured: int, known: int) -> bool:
    """Whether a number of bytes agrees with that of the table."""
    return abs(measured - known) <= max(SAME_BYTES, SAME_SHARE * abs(known))


def line(found: Played, name: str, weighed: Weighed) -> str:
    """A row of what Show 4 prints."""
    search = f", search {'on' if found.about.search == 'true' else 'off'}" * bool(
        found.about.search
    )
    case = f"{found.about.release.version} {found.about.model}{search}"
    predicted = f"{weighed.predicted:,} ± {weighed.error:,}"
    return f"{case:40} {name:17} {predicted:>16} {weighed.measured:>9,} {weighed.error_share:>6.1%}"
