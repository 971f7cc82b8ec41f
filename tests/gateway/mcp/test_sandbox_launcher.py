"""The script that starts the worker: what it says, where it is, what happens without it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from tests.gateway.mcp.sandboxes import LIMITS, Room

from tokenbudget.gateway.mcp import sandbox_starting
from tokenbudget.gateway.mcp.sandbox_launcher import keep_descriptors, launcher, strength
from tokenbudget.system.clock import SystemClock

ECHO = "/bin/echo"


def test_the_script_starts_the_program_with_its_arguments(tmp_path: Path) -> None:
    folder = tmp_path / "a folder with 'quotes' and $HOME"
    folder.mkdir()
    program = folder / "the program"
    program.write_text('#!/bin/sh\npwd -P; ulimit -c; ulimit -n; env; echo "$@"\n')
    program.chmod(0o700)
    script = launcher(str(folder), str(program), LIMITS)
    assert script is not None
    assert oct(os.stat(script).st_mode & 0o777) == "0o700"
    ran = subprocess.run([script, "one two", "three"], capture_output=True, text=True, check=True)
    said = ran.stdout.splitlines()
    assert said[0] == os.path.realpath(folder / "empty")
    assert said[1:3] == ["0", "64"]
    assert said[-1] == "one two three"
    assert not any(line.startswith(("HOME=", "PATH=", "USER=")) for line in said[3:-1])


def test_the_script_is_written_once_and_mended(tmp_path: Path) -> None:
    script = launcher(str(tmp_path), ECHO, LIMITS)
    assert script is not None
    before = os.stat(script)
    assert launcher(str(tmp_path), ECHO, LIMITS) == script
    assert os.stat(script).st_ino == before.st_ino
    Path(script).write_text("#!/bin/sh\necho damaged\n")
    assert launcher(str(tmp_path), ECHO, LIMITS) == script
    assert "damaged" not in Path(script).read_text()
    assert launcher(str(tmp_path), ECHO, LIMITS._replace(memory_mb=7)) != script


def test_where_nothing_can_be_written_there_is_no_script(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert launcher(str(tmp_path / "file"), ECHO, LIMITS) is None


def test_the_strength_is_what_was_tried(tmp_path: Path) -> None:
    told = strength(launcher(str(tmp_path), ECHO, LIMITS))
    assert told[:2] == ("process", "limits")
    assert set(told) <= {"process", "limits", "memory", "network", "privileges"}


def test_without_a_script_there_is_still_the_process(tmp_path: Path) -> None:
    assert strength(None) == ("process",)
    assert strength(str(tmp_path / "missing")) == ("process",)
    broken = tmp_path / "broken"
    broken.write_text("#!/bin/sh\nexit 3\n")
    broken.chmod(0o700)
    assert strength(str(broken)) == ("process",)


def test_a_script_that_cannot_run_does_not_keep_code_from_running(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sandbox_starting, "launcher", lambda *_: str(tmp_path / "missing"))
    room = Room(tmp_path)
    assert room.value("1 + 1") == "2"
    assert room.sandbox.strength() == ("process",)
    room.close()


LOOPING = """
import sys
from pathlib import Path
from tests.gateway.mcp.sandboxes import LIMITS, Room
room = Room(Path(sys.argv[1]), LIMITS._replace(run_seconds=60.0))
room.value("1")
print(room.worker(), flush=True)
room.run("while True: pass")
"""


def test_a_worker_that_computes_dies_with_a_gateway_that_is_killed(tmp_path: Path) -> None:
    if "privileges" not in strength(launcher(str(tmp_path), ECHO, LIMITS)):
        pytest.skip("the system has no way to tie one process to another")
    gateway = subprocess.Popen(
        [sys.executable, "-c", LOOPING, str(tmp_path)],
        stdout=subprocess.PIPE,
        text=True,
        env={"PYTHONPATH": os.pathsep.join(sys.path), "HOME": str(tmp_path)},
    )
    with gateway:
        assert gateway.stdout is not None
        worker = int(gateway.stdout.readline())
        assert is_running(worker)
        gateway.kill()
    clock = SystemClock()
    for _ in range(100):
        if not is_running(worker):
            return
        clock.sleep(0.05)
    os.kill(worker, signal.SIGKILL)
    pytest.fail("the worker went on alone")


def is_running(process: int) -> bool:
    """Whether a process runs; one that ended and that nobody has waited for does not."""
    try:
        return " Z " not in Path(f"/proc/{process}/stat").read_text()
    except OSError:
        return False


def test_what_was_inherited_is_not_handed_on() -> None:
    reading, writing = os.pipe()
    os.set_inheritable(writing, True)
    keep_descriptors()
    assert not os.get_inheritable(writing)
    os.close(reading)
    os.close(writing)
