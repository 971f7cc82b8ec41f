"""Children bring their values home, end with their parent, and leave no zombie."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from threading import Event, Thread

import pytest
from tests.children import children

from tokenbudget.system import process
from tokenbudget.system.clock import SystemClock
from tokenbudget.system.process import (
    WorkerLost,
    be_polite,
    can_fork,
    fan_out,
    start_detached,
)

SOURCES = str(Path(__file__).parents[2] / "src")


@pytest.fixture(autouse=True)
def _no_zombies() -> Iterator[None]:
    """Whatever a test does, no child of it may be left, neither running nor unburied.

    Tests of other modules ran in this process before, and may have started a detached helper.
    """
    before = children()
    yield
    assert children() <= before


def squares(share: Sequence[int]) -> Iterable[object]:
    return (n * n for n in share)


def test_every_value_of_every_share_arrives() -> None:
    assert sorted(fan_out(squares, [[1, 2], [3], [4, 5, 6]])) == [1, 4, 9, 16, 25, 36]


def test_values_of_one_share_keep_their_order() -> None:
    assert list(fan_out(squares, [range(500)])) == [n * n for n in range(500)]


def test_no_share_is_no_value() -> None:
    assert list(fan_out(squares, [])) == []


def test_values_of_any_shape_and_size_arrive_as_they_were() -> None:
    value = ("ü\ud800", -1, 1 << 70, None, [(), b"\x00" * 3_000_000], 0.5, {"a": True})
    assert list(fan_out(lambda share: [value] * 3, [[1]])) == [value] * 3


def test_the_work_is_done_in_other_processes() -> None:
    pids = set(fan_out(lambda share: [os.getpid()], [[1], [2]]))
    assert len(pids) == 2
    assert os.getpid() not in pids


def test_a_child_that_is_killed_is_reported_after_what_it_sent() -> None:
    def dying(share: Sequence[int]) -> Iterator[int]:
        yield from share
        if share[0] == 1:
            os.kill(os.getpid(), signal.SIGKILL)

    arrived: list[int] = []
    with pytest.raises(WorkerLost, match="1 of 2 reading processes"):
        arrived.extend(fan_out(dying, [[1], [2, 3]]))
    assert {2, 3} <= set(arrived)


def test_a_child_that_fails_is_reported(capfd: pytest.CaptureFixture[str]) -> None:
    def failing(share: Sequence[int]) -> Iterator[int]:
        raise ValueError(share)

    with pytest.raises(WorkerLost):
        list(fan_out(failing, [[1]]))
    assert capfd.readouterr().err == ""


def test_children_end_when_nobody_reads_them_any_more() -> None:
    def endless(share: Sequence[int]) -> Iterator[bytes]:
        while True:
            yield bytes(100_000)

    values = fan_out(endless, [[1], [2]])
    assert next(values) == bytes(100_000)
    values.close()  # type: ignore[attr-defined]


def test_children_end_when_the_reading_fails() -> None:
    def endless(share: Sequence[int]) -> Iterator[bytes]:
        while True:
            yield bytes(100_000)

    with pytest.raises(ZeroDivisionError):
        any(1 // 0 for _ in fan_out(endless, [[1], [2]]))


KILLED_PARENT = """
import os, sys
from tokenbudget.system.process import fan_out

def endless(share):
    os.write(1, b"%d " % os.getpid())
    while True:
        yield bytes(100_000)

for value in fan_out(endless, [[1], [2]]):
    pass
"""


def test_children_of_a_killed_parent_end_by_themselves(tmp_path: Path) -> None:
    child = subprocess.Popen(
        [sys.executable, "-c", KILLED_PARENT],
        stdout=subprocess.PIPE,
        env={"PYTHONPATH": SOURCES, "HOME": str(tmp_path), "TOKENS_HOME": str(tmp_path)},
    )
    assert child.stdout is not None
    told = b""
    while told.count(b" ") < 2:
        told += os.read(child.stdout.fileno(), 100)
    child.send_signal(signal.SIGKILL)
    child.wait(10)
    # The grandchildren hold the other end of this pipe: it ends when they have ended.
    ready, _, _ = select.select([child.stdout], [], [], 10)
    assert ready
    assert child.stdout.read() == b""
    child.stdout.close()


def test_no_descriptor_is_left_open() -> None:
    before = len(os.listdir("/dev/fd"))
    list(fan_out(squares, [[1], [2], [3]]))
    assert len(os.listdir("/dev/fd")) == before


def test_where_no_process_can_be_had_nothing_is_left_open(monkeypatch: pytest.MonkeyPatch) -> None:
    real, forked = os.fork, []

    def refused() -> int:
        forked.append(1)
        if len(forked) == 2:
            raise BlockingIOError(11, "Resource temporarily unavailable")
        return real()

    before = len(os.listdir("/dev/fd"))
    monkeypatch.setattr(os, "fork", refused)
    with pytest.raises(BlockingIOError):
        list(fan_out(squares, [[1], [2], [3]]))
    assert len(os.listdir("/dev/fd")) == before


def test_frames_cut_anywhere_are_put_together() -> None:
    import marshal

    body = marshal.dumps(("a", 1))
    stream = (len(body).to_bytes(4, "big") + body) * 3
    for step in (1, 3, 7, len(stream)):
        buffer, found = bytearray(), []
        for at in range(0, len(stream), step):
            buffer += stream[at : at + step]
            found += list(process._complete(buffer))
        assert found == [("a", 1)] * 3
        assert not buffer


def test_beside_a_running_thread_nobody_forks() -> None:
    assert can_fork()
    end = Event()
    thread = Thread(target=end.wait, args=(10,))
    thread.start()
    try:
        assert not can_fork()
    finally:
        end.set()
        thread.join()
    assert can_fork()


def wait_for(path: Path) -> str:
    clock = SystemClock()
    for _ in range(500):
        if path.exists() and path.read_text().endswith("\n"):
            return path.read_text()
        clock.sleep(0.01)
    raise AssertionError(f"{path.name} never came")


def test_a_detached_command_has_its_own_session_no_terminal_and_only_its_environment(
    tmp_path: Path,
) -> None:
    script = (
        "import os, sys; f = open(sys.argv[1], 'w');"
        "print(os.getsid(0) == os.getpid(), os.ttyname(0) if os.isatty(0) else 'none',"
        " os.readlink('/dev/fd/1') if os.path.islink('/dev/fd/1') else '/dev/null',"
        " sorted(set(os.environ) - {'LC_CTYPE', '__CF_USER_TEXT_ENCODING'}), file=f, flush=True)"
    )
    out = tmp_path / "told"
    pid = start_detached([sys.executable, "-c", script, str(out)], {"HOME": str(tmp_path)})
    assert wait_for(out) == "True none /dev/null ['HOME']\n"
    os.waitpid(pid, 0)


def test_a_program_that_is_not_there_is_told_and_leaves_nothing(tmp_path: Path) -> None:
    before = len(os.listdir("/dev/fd"))
    with pytest.raises(FileNotFoundError):
        start_detached([str(tmp_path / "none")], {})
    assert len(os.listdir("/dev/fd")) == before


def test_a_polite_process_gives_way(monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[int] = []
    monkeypatch.setattr(os, "nice", given.append)
    be_polite()
    assert given == [10]
