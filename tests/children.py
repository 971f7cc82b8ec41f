"""Processes that a test has started and not buried."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path


def children() -> set[int]:
    """Those of this process, running or unburied; where there is no /proc, a sign of any."""
    tasks = Path("/proc/self/task")
    if tasks.is_dir():
        return {pid for task in tasks.glob("*/children") for pid in _named_in(task)}
    try:
        return {os.waitpid(-1, os.WNOHANG)[0]}
    except ChildProcessError:
        return set()


def _named_in(task: Path) -> list[int]:
    try:
        return [int(pid) for pid in task.read_text().split()]
    except OSError:  # a thread that has just ended
        return []


def bury(pids: set[int]) -> None:
    """Let those of them go that have ended."""
    for pid in pids:
        with contextlib.suppress(ChildProcessError):
            os.waitpid(pid, os.WNOHANG)
