"""What is remembered: bounded, believed with care, changed by one process at a time."""

from __future__ import annotations

import fcntl
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.gateway.hooks.hook_desk import SESSION

from tokenbudget.gateway.hooks import session_state
from tokenbudget.gateway.hooks.session_state import (
    FORMAT,
    IDLE_MS,
    MOST_BYTES,
    MOST_EVENTS,
    Held,
    SessionState,
    encoded,
    forget,
    seen,
    state_of,
)

WILD = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=15,
)
NAMES = [*SessionState.__slots__, "usage", "format"]
TAILS = st.dictionaries(st.sampled_from(session_state.Tail.__slots__), WILD)
TOLD = st.dictionaries(st.sampled_from(NAMES), WILD)


def stored(**fields: object) -> bytes:
    return json.dumps({"format": FORMAT, "session": SESSION, **fields}).encode()


@given(TOLD, TAILS)
def test_a_file_of_any_content_gives_a_state_that_can_be_stored(
    told: dict[str, object], tail: dict[str, object]
) -> None:
    own = {name: told[name] for name in told.keys() - {"session", "format"}}
    state = state_of(SESSION, stored(**{**own, "tail": tail}))
    again = state_of(SESSION, encoded(state))

    assert again.fields()["tail"] == state.tail.fields()
    assert encoded(again) == encoded(state)
    assert state.tail.tokens is None or state.tail.tokens >= 0


@given(st.binary(max_size=200))
def test_so_do_any_bytes(data: bytes) -> None:
    assert encoded(state_of(SESSION, data)) == encoded(SessionState(SESSION, {}))


def test_the_state_of_another_session_is_not_believed() -> None:
    other = encoded(SessionState("other", {"level": 2}))
    assert state_of("other", other).level == 2
    assert state_of(SESSION, other).level == 0


@given(st.text('a\u00e9\U0001f600\ud800"\\', min_size=1, max_size=4), st.integers(1, 1_000))
def test_a_state_that_is_full_of_the_worst_still_fits(signs: str, length: int) -> None:
    worst = (signs * length)[:1_024]
    many = {f"{n}{worst}"[:1_024]: [2**63, 2**63, 2**63, 2**63] for n in range(200)}
    state = SessionState(
        SESSION,
        {
            "reads": many, "pending": {k: v[:3] for k, v in many.items()},
            "agents": {k: v[:1] for k, v in many.items()},
            "outputs": {k: v[:1] for k, v in many.items()}, "largest": [[worst, 1]] * 99,
            "files": [worst] * 99, "failure": [worst[:200]] * 2, "snapshot": {worst: [worst] * 50},
            "events": {f"Event{n}": [2**63, 2**63] for n in range(99)},
            "denied_reads": [2**63] * 500, "denied_commands": [2**63] * 500,
            "compactions": [[worst[:64], 1, 1]] * 99, "last_fault": worst[:200],
            "tail": dict.fromkeys(("last_uuid", "usage_id", "model", "version"), worst[:200]),
        },
    )  # fmt: skip
    data = encoded(state)

    assert len(data) <= MOST_BYTES
    assert len(state.denied_reads) == session_state.MOST_KEYS  # what was denied stays known
    assert len(state.events) == MOST_EVENTS
    assert state_of(SESSION, data).events == state.events


def test_no_more_kinds_of_events_are_counted_than_there_is_room_for() -> None:
    state = SessionState(SESSION, {})
    for n in range(500):
        seen(state, f"Event{n % 100}", 1_000 + n)
    assert len(state.events) == MOST_EVENTS
    assert state.events["Event0"] == [5, 1_400]


def test_after_a_long_silence_nothing_read_counts_as_still_there() -> None:
    state = SessionState(SESSION, {"last_ms": 1_000, "reads": {"\n/a": [1, 2, 3, 4]}})
    seen(state, "Stop", 1_000 + IDLE_MS)
    assert state.reads
    seen(state, "Stop", 1_001 + 2 * IDLE_MS)
    assert not state.reads


def test_nor_does_it_after_the_clock_was_put_back() -> None:
    told = {"last_ms": 10 * IDLE_MS, "reads": {"\n/a": [1, 2, 3, 4]}}
    state = SessionState(SESSION, told)
    seen(state, "Stop", 10 * IDLE_MS - 5_000)  # hooks that ran at once
    assert state.reads
    seen(state, "Stop", 8 * IDLE_MS)
    assert not state.reads
    assert state.last_ms == 8 * IDLE_MS


def test_the_main_thread_may_lose_what_its_subagents_keep() -> None:
    state = SessionState(SESSION, {"reads": {"\n/a": [1, 2, 3, 4], "a1\n/a": [1, 2, 3, 4]}})
    forget(state, agents_too=False)
    assert list(state.reads) == ["a1\n/a"]
    forget(state)
    assert not state.reads


# ── the file ──────────────────────────────────────────────────────────────────────────────────────


def path_in(home: Path) -> Path:
    return home / "hooks/sessions" / f"{SESSION}.json"


def counted_once(home: Path) -> bool:
    held = Held(str(home), SESSION)
    seen(held.state, "Stop", 1)
    is_saved = held.save()
    held.release()
    return is_saved


def times(home: Path) -> int:
    state = state_of(SESSION, path_in(home).read_bytes())
    return state.events.get("Stop", [0])[0]


def test_what_is_saved_is_there_the_next_time_and_only_for_its_owner(tmp_path: Path) -> None:
    home = tmp_path / "home"
    assert counted_once(home)
    assert counted_once(home)
    assert times(home) == 2
    assert path_in(home).stat().st_mode & 0o777 == 0o600
    assert path_in(home).parent.stat().st_mode & 0o777 == 0o700
    assert sorted(one.name for one in path_in(home).parent.iterdir() if "tmp" in one.name) == []


def test_where_another_process_holds_the_lock_nothing_is_saved(tmp_path: Path) -> None:
    assert counted_once(tmp_path)
    (lock,) = path_in(tmp_path).parent.glob(".lock-*")
    with lock.open() as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        assert not counted_once(tmp_path)
    assert counted_once(tmp_path)
    assert times(tmp_path) == 2


def test_a_lock_is_let_go_where_the_state_cannot_be_taken_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object) -> None:
        raise MemoryError

    monkeypatch.setattr(session_state, "state_of", fails)
    with pytest.raises(MemoryError):
        Held(str(tmp_path), SESSION)
    monkeypatch.undo()
    assert counted_once(tmp_path)


def test_what_a_killed_process_left_over_does_no_harm(tmp_path: Path) -> None:
    assert counted_once(tmp_path)
    stray = path_in(tmp_path).parent / f".{SESSION}.tmp"
    stray.write_bytes(b"half a state" * 9_999)
    assert counted_once(tmp_path)
    assert times(tmp_path) == 2


COUNTING = """
import sys
from tokenbudget.gateway.hooks import session_state as s
s.PATIENCE_STEPS = 5_000  # a busy machine is no loss here
for _ in range(int(sys.argv[3])):
    held = s.Held(sys.argv[1], sys.argv[2])
    s.seen(held.state, "Stop", 1)
    assert held.save()
    held.release()
"""


def test_processes_that_come_at_once_lose_no_count(tmp_path: Path) -> None:
    command = [sys.executable, "-c", COUNTING, str(tmp_path), SESSION, "60"]
    environment = {"PYTHONPATH": os.pathsep.join(sys.path)}
    running = [subprocess.Popen(command, env=environment) for _ in range(3)]
    assert [process.wait(60) for process in running] == [0, 0, 0]
    assert times(tmp_path) == 180


@pytest.mark.parametrize("kind", ["file", "link to nowhere", "pipe", "folder"])
def test_whatever_stands_in_the_way_of_the_folder_is_left_alone(tmp_path: Path, kind: str) -> None:
    place = tmp_path / "hooks"
    if kind == "file":
        place.write_text("mine")
    elif kind == "pipe":
        os.mkfifo(place)
    elif kind == "folder":
        path_in(tmp_path).mkdir(parents=True)  # where the state should be
    else:
        place.symlink_to(tmp_path / "nowhere")
    assert not counted_once(tmp_path)
    assert kind != "file" or place.read_text() == "mine"


def test_a_linked_folder_is_used_and_a_linked_file_replaced(tmp_path: Path) -> None:
    real = tmp_path / "real"
    real.mkdir()
    (tmp_path / "hooks").symlink_to(real)
    assert counted_once(tmp_path)
    mine = tmp_path / "mine"
    mine.write_text("mine")
    path_in(tmp_path).unlink()
    path_in(tmp_path).symlink_to(mine)
    assert counted_once(tmp_path)
    assert mine.read_text() == "mine"
    assert times(tmp_path) == 1
