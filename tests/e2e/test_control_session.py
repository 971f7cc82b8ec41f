"""A session grows until its window is full: what the controller does about it in the real client.

The same script is played with every mode. What was freed is measured in the requests that the
client really sent, and the controller's own receipts are held against it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator

import pytest
from tests.e2e.ahead import played_ahead
from tests.e2e.claude_client import Sandbox
from tests.e2e.control_bed import BYTES_PER_TOKEN, Sent, unfreed_share
from tests.e2e.control_play import (
    GROWS_TO_SHARE,
    Played,
    play_advise,
    play_auto,
    play_off,
    played,
    search_of,
    staged,
)
from tests.e2e.control_watch import (
    controlling,
    has_begun,
    is_given_back,
    is_seen,
    settings_path,
    wait_until,
)
from tests.e2e.install_clients import NEWEST, Release
from tests.e2e.matrix import EVERY, OPUS, SONNET, runnable

from tokenbudget.model.control import ACT, ADVISE, HISTORY, LEVERS, MEMORY, SCRATCH
from tokenbudget.optimizer.lever_facts import fact

pytestmark = pytest.mark.e2e

Await = Callable[[Release, str], Played]
LEAST_WARNING_TOKENS, LEAST_CRITICAL_TOKENS = 2_000, 15_000
MOST_ERROR = 0.25
"""A prediction that is off by more costs the lever its trust."""
SAME_BYTES = 64
"""By so much requests of two sessions may differ: ids, and the date."""
NEWEST_ONLY = pytest.mark.parametrize(
    ("release", "model"), [(NEWEST, OPUS), (NEWEST, SONNET)], ids=[OPUS, SONNET]
)


@pytest.fixture(scope="module")
def controlled(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    install_outcomes: dict[str, str],
) -> Iterator[Await]:
    name = test_a_controlled_session_never_runs_full_and_goes_on_working.__name__
    with played_ahead(request, tmp_path_factory, name, play_auto) as found:
        yield found


@pytest.fixture(scope="module")
def left_alone(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    install_outcomes: dict[str, str],
) -> Iterator[Await]:
    name = test_the_same_session_left_alone_runs_into_the_compaction_of_the_client.__name__
    with played_ahead(request, tmp_path_factory, name, play_off) as found:
        yield found


@pytest.fixture(scope="module")
def advised(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    install_outcomes: dict[str, str],
) -> Iterator[Await]:
    name = test_advice_changes_nothing_and_is_told.__name__
    with played_ahead(request, tmp_path_factory, name, play_advise) as found:
        yield found


@EVERY
def test_a_controlled_session_never_runs_full_and_goes_on_working(
    release: Release, model: str, controlled: Await
) -> None:
    session = controlled(runnable(release), model)
    show(release, model, "auto", session)
    assert unfreed_share(session.sent) >= GROWS_TO_SHARE
    assert {one.lever for one in session.record.receipts} <= working(release, model)
    if HISTORY in working(release, model):
        assert max(one.share for one in session.conversation) < 0.9
        assert_history_freed(session, "critical")
        assert session.were_edited == [True, True, True]
    else:
        assert HISTORY in advised_levers(session)
    if MEMORY in working(release, model):
        assert_memory_freed(session, "warning")
    else:
        assert MEMORY in advised_levers(session)
        assert abs(freed(session)[0]) <= SAME_BYTES
    assert_comes_back(session)


@EVERY
def test_the_same_session_left_alone_runs_into_the_compaction_of_the_client(
    release: Release, model: str, left_alone: Await
) -> None:
    session = left_alone(runnable(release), model)
    show(release, model, "off", session)
    assert session.compacted, "no window is without an end"
    assert session.compacted[0].share >= GROWS_TO_SHARE - 0.05
    assert not session.record.decisions
    assert not session.record.receipts
    assert session.before == session.after


@NEWEST_ONLY
def test_advice_changes_nothing_and_is_told(release: Release, model: str, advised: Await) -> None:
    session = advised(runnable(release), model)
    show(release, model, "advise", session)
    assert session.compacted, "the client does it, as if nobody had looked"
    assert_nothing_changed(session)
    assert {MEMORY, SCRATCH, HISTORY} <= advised_levers(session)
    [standing] = session.why["rows"]
    said = [one["reason"] for one in standing["decisions"] if one["kind"] == ADVISE]
    assert any("compact the conversation" in one for one in said)
    assert "advised, " in session.monitor, "whatever it was that came last"


def test_a_controller_that_is_killed_disturbs_nobody_and_the_next_one_goes_on(
    newest_client: Release, sandbox: Sandbox
) -> None:
    """Killed while its first action is being done; the window then runs to 95 % and beyond."""
    with (
        staged(newest_client, SONNET, sandbox, "auto") as stage,
        controlling(stage.bed.machine) as controller,
    ):
        machine, path = stage.bed.machine, settings_path(stage.bed.machine)

        def watch() -> None:
            last = stage.bed.sent()[-1]
            if not controller.is_running and last.share >= GROWS_TO_SHARE:
                controller.start()
            if controller.is_running and not controller.was_killed and last.share >= 0.5:
                wait_until(
                    lambda: (
                        has_begun(machine, stage.session) or is_seen(machine, stage.session, last)
                    ),
                    f"{last.response} is seen",
                )
                if has_begun(machine, stage.session):
                    controller.kill()
            elif controller.is_running:
                stage.look()

        stage.bed.work(watch)
        assert controller.was_killed
        wait_until(lambda: is_given_back(machine), "the setting comes back")
        was_edited = stage.bed.edit()
        wait_until(lambda: "env" not in json.loads(path.read_text("utf-8")), "it is cleared up")
        controller.kill()
        session = played(stage, [stage.was_edited, was_edited])
    show(newest_client, SONNET, "killed", session)
    assert max(one.share for one in session.conversation) >= GROWS_TO_SHARE
    assert_history_freed(session, "emergency")
    assert_memory_freed(session, "warning", "emergency")
    assert session.were_edited == [True, True]
    assert session.undone == session.before
    assert all(one.outcome for one in session.record.receipts)


# ── what is asserted ─────────────────────────────────────────────────────────────────────────────


def working(release: Release, model: str) -> set[str]:
    """The levers that were measured there, and reach a session that is running."""
    has_search = search_of(model)["ENABLE_TOOL_SEARCH"] == "true"
    known = {lever: fact(release.version, model, has_search, lever) for lever in LEVERS}
    effects = ("now", "next compaction")
    return {lever for lever, one in known.items() if one and one.effect in effects}


def advised_levers(session: Played) -> set[str]:
    return {one.lever for one in session.record.decisions if one.kind == ADVISE}


def assert_nothing_changed(session: Played) -> None:
    assert session.before == session.after
    assert not [one for one in session.record.decisions if one.kind == ACT]
    assert not [one for one in session.record.receipts if one.action is not None]


def freed(session: Played) -> tuple[float, float]:
    """Tokens that left by the soft actions, and by the hard ones, as the requests show it."""
    assert session.compacted
    last, first = session.compacted
    soft = (last.memory_bytes - first.memory_bytes) / BYTES_PER_TOKEN
    return soft, (last.size_bytes - first.size_bytes) / BYTES_PER_TOKEN - soft


def assert_history_freed(session: Played, level: str) -> None:
    """The window falls below a half, and the receipt says by how much."""
    _, hard = freed(session)
    assert hard >= LEAST_CRITICAL_TOKENS
    assert session.compacted
    assert session.compacted[1].share < 0.5
    [receipt] = [one for one in session.record.receipts if one.lever == HISTORY]
    assert receipt.level == level
    assert receipt.measured_tokens == pytest.approx(hard, rel=MOST_ERROR)
    assert (receipt.error_share or 0) <= MOST_ERROR


def assert_memory_freed(session: Played, *levels: str) -> None:
    """What the project's memory files and rules say less, and what the receipts say of it."""
    assert session.next_start
    start = (session.sent[0].memory_bytes - session.next_start.memory_bytes) / BYTES_PER_TOKEN
    assert start >= LEAST_WARNING_TOKENS
    receipts = [one for one in session.record.receipts if one.lever in (MEMORY, SCRATCH)]
    assert receipts
    assert {one.level for one in receipts} <= set(levels)
    told, (soft, _) = sum(one.measured_tokens or 0 for one in receipts), freed(session)
    assert {one.lever for one in receipts} == {MEMORY, SCRATCH}
    assert soft == pytest.approx(start, abs=SAME_BYTES)
    assert told == pytest.approx(soft, rel=MOST_ERROR)
    assert all((one.error_share or 0) <= MOST_ERROR for one in receipts)


def assert_comes_back(session: Played) -> None:
    """What was taken out is there again, to the byte, and the next start sends it."""
    lent = str(settings_path(session.machine))
    there, was = (
        {k: v for k, v in one.items() if k != lent} for one in (session.undone, session.before)
    )
    assert there == was
    assert set(session.undone) - set(session.before) <= {lent}
    assert is_given_back(session.machine)
    if session.again is not None:
        assert abs(session.again.memory_bytes - session.sent[0].memory_bytes) <= SAME_BYTES


def show(release: Release, model: str, mode: str, session: Played) -> None:
    """The course of the session, in a few lines."""
    print(f"\n{release.name}, {model}, {mode}: {len(session.conversation)} requests")
    print(f"  fullest {max(one.share for one in session.conversation):.0%}")
    if session.compacted:
        last, first = session.compacted
        print(f"  compacted from {row(last)} to {row(first)}; freed {freed(session)}")
    for one in session.record.receipts:
        print(
            f"  {one.level} {one.lever}: predicted {one.predicted_tokens:,}, measured"
            f" {one.measured_tokens or 0:,} ({one.outcome or 'open'})"
        )


def row(sent: Sent) -> str:
    return f"{sent.size_bytes:,} bytes, {sent.used_tokens:,} tokens ({sent.share:.0%})"
