"""Who has a file open: asked of the real system, with real processes."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.file_holders import Start, holders

from tokenbudget.system.open_files import OpenFiles, has_ended, process_domain

HOLD = "import sys; handle = open(sys.argv[1], 'a'); print('open', flush=True); sys.stdin.read()"


class StillClock:
    """Stands until it is moved."""

    def __init__(self) -> None:
        self.seconds = 100.0

    def now_ms(self) -> int:
        return 0

    def monotonic_seconds(self) -> float:
        return self.seconds

    def sleep(self, seconds: float) -> None:
        self.seconds += seconds


@pytest.fixture
def holder() -> Iterator[Start]:
    """Starts a process that has a file open; ended with the test."""
    with holders(HOLD) as start:
        yield start


@pytest.fixture
def path(tmp_path: Path) -> Path:
    made = tmp_path / "s1.jsonl"
    made.write_text("{}\n")
    return made


@pytest.mark.skipif(not os.path.isdir("/proc/self/fd"), reason="this system has no /proc")
class TestByProc:
    def test_the_holder_is_named(self, path: Path, holder: Start) -> None:
        process = holder(path)

        assert OpenFiles(StillClock()).holder_of(str(path)).startswith(f"process {process.pid} (")

    def test_by_any_name_that_leads_to_it(self, path: Path, holder: Start) -> None:
        holder(path)
        moved = path.with_name("moved.jsonl")
        path.rename(moved)

        assert OpenFiles(StillClock()).holder_of(str(moved)) != ""

    def test_another_file_of_the_same_name_is_not_meant(
        self, path: Path, holder: Start, tmp_path: Path
    ) -> None:
        holder(path)
        other = tmp_path / "other" / path.name
        other.parent.mkdir()
        other.write_text("{}\n")

        assert OpenFiles(StillClock()).holder_of(str(other)) == ""

    def test_our_own_handle_and_nobodys(self, path: Path) -> None:
        with path.open():
            assert OpenFiles(StillClock()).holder_of(str(path)) == ""
        assert OpenFiles(StillClock()).holder_of(str(path) + ".gone") == ""

    def test_what_was_seen_counts_for_a_moment(self, path: Path, holder: Start) -> None:
        clock = StillClock()
        open_files = OpenFiles(clock)
        assert open_files.holder_of(str(path)) == ""
        holder(path)

        assert open_files.holder_of(str(path)) == ""
        clock.sleep(1)
        assert open_files.holder_of(str(path)) != ""

    def test_or_until_it_is_looked_at_now(self, path: Path, holder: Start) -> None:
        open_files = OpenFiles(StillClock())
        assert open_files.holder_of(str(path)) == ""
        holder(path)
        open_files.look_now()

        assert open_files.holder_of(str(path)) != ""


def test_by_lsof(path: Path, tmp_path: Path) -> None:
    """A system without /proc; the program prints as lsof does with -F pn."""
    program = tmp_path / "lsof"
    program.write_text(f"#!/bin/sh\nprintf 'p4711\\nfcwd\\nn/\\nf3\\nn{path}\\np12\\nn/etc/x\\n'\n")
    program.chmod(0o755)
    open_files = OpenFiles(StillClock(), proc=str(tmp_path / "none"), lsof=str(program))

    assert open_files.can_see
    assert open_files.holder_of(str(path)) == "process 4711"
    assert open_files.holder_of(str(tmp_path / "lsof")) == ""


@pytest.mark.parametrize("script", ["exit 1", "echo garbage; echo p; echo n", "exec sleep 0"])
def test_an_lsof_that_says_nothing(path: Path, tmp_path: Path, script: str) -> None:
    program = tmp_path / "lsof"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)

    assert OpenFiles(StillClock(), str(tmp_path / "none"), str(program)).holder_of(str(path)) == ""


def test_a_system_that_tells_nothing(path: Path, tmp_path: Path) -> None:
    open_files = OpenFiles(StillClock(), proc=str(tmp_path / "none"), lsof="")

    assert not open_files.can_see
    assert open_files.holder_of(str(path)) == ""


def test_a_process_that_runs_and_one_that_has_ended() -> None:
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()

    assert not has_ended(os.getpid())
    assert has_ended(ended.pid)
    assert has_ended(0)
    assert not has_ended(10**12)  # what cannot be known counts as running


@pytest.mark.skipif(not os.path.isdir("/proc/self/fd"), reason="this system has no /proc")
def test_a_number_that_was_given_again_is_another_process() -> None:
    start = Path("/proc/self/stat").read_text().rpartition(")")[2].split()[19]

    assert not has_ended(os.getpid(), start)
    assert has_ended(os.getpid(), str(int(start) + 1))


def test_a_process_that_nobody_has_waited_for_has_ended_too() -> None:
    if not os.path.isdir("/proc/self/fd"):
        pytest.skip("this system has no /proc")
    process = subprocess.Popen([sys.executable, "-c", ""], stdout=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.read()  # it is at its end
    while not has_ended(process.pid):
        pass
    process.wait()
    process.stdout.close()


def test_the_domain_names_machine_and_namespace(tmp_path: Path) -> None:
    found = process_domain()

    assert found == "" or (found.startswith("linux:") and ":pid:[" in found)
    assert process_domain(str(tmp_path)) == ""
