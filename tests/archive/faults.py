"""Make the k-th call that changes a disk fail, or end the process there."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

CHANGING = (
    "write",
    "fsync",
    "rename",
    "replace",
    "link",
    "unlink",
    "mkdir",
    "rmdir",
    "fchmod",
    "utime",
    "fdopen",
    "open",
)


MEMORY = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
"""Where a hundred points of a few syncs each cost no disk; None is the usual temporary folder."""


class Faults:
    """Counts the calls; at the chosen one `strike` is called instead, and once only."""

    def __init__(self, at: int, strike: Callable[[], None]) -> None:
        self.at, self.strike, self.calls = at, strike, 0

    @contextmanager
    def installed(self) -> Iterator[None]:
        with pytest.MonkeyPatch.context() as patch:
            for name in CHANGING:
                patch.setattr(os, name, self._wrapped(name, getattr(os, name)))
            yield

    def _wrapped(self, name: str, real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **named: Any) -> Any:
            if _changes(name, arguments):
                self.calls += 1
                if self.calls == self.at:
                    self.strike()
            return real(*arguments, **named)

        return call


def _changes(name: str, arguments: tuple[Any, ...]) -> bool:
    if name == "open":
        return bool(arguments[1] & os.O_CREAT)
    return name != "fdopen" or arguments[1] == "wb"


def failing(code: int) -> Callable[[], None]:
    def strike() -> None:
        raise OSError(code, os.strerror(code))

    return strike


def die() -> None:
    os._exit(77)


def every_failure(
    run: Callable[[], None], check: Callable[[int], None], code: int, stride: int = 1
) -> int:
    """Let the k-th call fail, for every k; `check(k)` looks at what is left. The number of points.

    `run` catches what it should have been translated to: the bare OSError is a failed test. With
    a `stride` only every so many calls fail.
    """
    at = 1
    while True:
        faults = Faults(at, failing(code))
        with faults.installed():
            run()
        check(at)
        if faults.calls < at:
            return (at - 1) // stride
        at += stride


def every_death(run: Callable[[], None], check: Callable[[int], None], stride: int = 1) -> int:
    """Run in a child that ends at its k-th call, for every k; `check(k)` looks at what is left."""
    at = 1
    while True:
        child = os.fork()
        if child == 0:  # pragma: no cover - the child never comes back
            status = 1
            try:
                with Faults(at, die).installed():
                    run()
                status = 0
            finally:
                os._exit(status)
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        assert code in (0, 77), f"the child failed at point {at}"
        check(at)
        if code == 0:
            return (at - 1) // stride
        at += stride
