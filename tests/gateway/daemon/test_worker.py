"""The worker as a real process: what it is told, what it says, how it ends."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys

import pytest
from tests.gateway.daemons import until

from tokenbudget.gateway.daemon.chores import CONTROL, REFRESH, Job
from tokenbudget.gateway.daemon.worker import (
    END_SECONDS,
    KILLED_SECONDS,
    Worker,
    job_of,
    work,
)

JOB = Job(REFRESH, "5d0c1f5e", "/srv/\u202eweb\nshop")


def worker(code: str) -> Worker:
    return Worker([sys.executable, "-IS", "-c", code], {"PATH": "/usr/bin:/bin"})


def heard(one: Worker) -> list[str]:
    told: list[str] = []

    def is_there() -> bool:
        told.extend(one.heard())
        return bool(told) or one.is_gone

    until(is_there)
    return told


def test_a_job_goes_there_and_its_end_comes_back() -> None:
    one = worker("import sys\nfor line in sys.stdin: print('Fault' * ('x' in line), flush=True)")
    try:
        one.send(JOB)
        assert heard(one) == [""]
        one.send(JOB._replace(session="x"))
        assert heard(one) == ["Fault"]
        assert one.sent == 2
    finally:
        one.end()


def test_a_worker_that_ends_is_seen_to_be_gone() -> None:
    one = worker("raise SystemExit(3)")
    assert heard(one) == []
    assert one.is_gone
    one.end()


def test_a_worker_that_does_not_want_to_end_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tokenbudget.gateway.daemon.worker.END_SECONDS", 0.1)
    code = "import signal, time\nsignal.signal(15, signal.SIG_IGN)\nprint(flush=True)\n"
    one = worker(code + "while True: time.sleep(1)")
    heard(one)
    pid = one._process.pid
    one.end()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_a_worker_whose_disk_hangs_is_waited_for_no_longer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Not even SIGKILL ends it; the daemon has hooks to answer."""
    one = worker("import time; time.sleep(60)")
    process, waited = one._process, []

    def wait(seconds: float | None = None) -> int:
        assert seconds is not None
        waited.append(seconds)
        raise subprocess.TimeoutExpired("worker", seconds)

    with monkeypatch.context() as patch:
        patch.setattr(process, "wait", wait)
        one.end()
    assert waited == [END_SECONDS, KILLED_SECONDS]
    process.wait()


def test_a_worker_that_babbles_is_cut_short() -> None:
    one = worker("import sys; sys.stdout.write('x' * 300_000 + chr(10)); sys.stdout.flush()")
    told: list[str] = []

    def has_ended() -> bool:
        told.extend(one.heard())
        return one.is_gone

    until(has_ended)
    one.end()
    assert all(len(line) <= 80 for line in told)


def test_the_workers_own_side_goes_on_after_a_fault_and_names_it_alone() -> None:
    done: list[Job] = []

    def do(job: Job) -> str:
        done.append(job)
        if job.session == "bad":
            raise ValueError("what a person wrote")
        return "5,waits" if job.kind == CONTROL else ""

    asked = (JOB, JOB._replace(session="bad"), JOB._replace(kind=CONTROL))
    lines = [json.dumps(job._asdict()) for job in asked]
    take = io.BytesIO("\n".join([*lines, "no json", "[]"]).encode())
    tell = io.BytesIO()
    work(take, tell, do)
    assert done == list(asked)
    assert tell.getvalue() == b"\nValueError\n\t5,waits\nJSONDecodeError\nAttributeError\n"


def test_a_job_survives_its_line() -> None:
    assert job_of(json.dumps(JOB._asdict()).encode()) == JOB
