"""`tokens control` beside a session, as an outside process, and what it wrote down of it."""

from __future__ import annotations

import contextlib
import hashlib
import json
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple, TypeVar

from tests.e2e.control_bed import CLOCK, Sent
from tests.e2e.control_script import WORKED_ON
from tests.e2e.installed import Machine

from tokenbudget.ledger.store import Ledger
from tokenbudget.model.control import Decision, Receipt
from tokenbudget.optimizer.state import State
from tokenbudget.optimizer.state_text import state_of
from tokenbudget.resources.history import EMPTY, VARIABLE

WAIT_SECONDS = 60

Found = TypeVar("Found")
Tree = dict[str, str]
"""By path, what a file holds: a hash, or for the project's own settings every word."""


class Record(NamedTuple):
    """What the controller wrote down of a session, the oldest first."""

    decisions: list[Decision]
    receipts: list[Receipt]
    state: State | None


class Controller:
    """The outside process."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine
        self._process: subprocess.Popen[bytes] | None = None
        self.was_killed = False
        self._log = machine.sandbox.root / "control.log"

    def start(self) -> None:
        """Begin to look."""
        sandbox = self._machine.sandbox
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [str(self._machine.program), "control"],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=sandbox.project,
                env={**sandbox.environment(), **self._machine.variables},
            )

    def kill(self) -> None:
        """End it as a crash would: nothing of it runs any more."""
        if self._process is not None:
            self._process.send_signal(signal.SIGKILL)
            self._process.wait()
            self._process, self.was_killed = None, True

    def said(self) -> str:
        """All that it printed."""
        return self._log.read_text("utf-8")

    @property
    def is_running(self) -> bool:
        """Whether it has not ended by itself."""
        return self._process is not None and self._process.poll() is None


@contextlib.contextmanager
def controlling(machine: Machine) -> Iterator[Controller]:
    """`tokens control` beside the block, which may kill it and start it again.

    The hooks have no daemon then, and decide by themselves.
    """
    controller = Controller(machine)
    controller.start()
    try:
        yield controller
    finally:
        controller.kill()


def record_of(machine: Machine, session: str) -> Record:
    """What stands in the ledger of a session."""
    with _ledger(machine) as ledger:
        return Record(
            ledger.control.decisions(session, 500)[::-1],
            ledger.control.receipts(session)[::-1],
            _state(ledger, session),
        )


def _ledger(machine: Machine) -> Ledger:
    return Ledger(str(machine.home / "ledger.db"))


def _state(ledger: Ledger, session: str) -> State | None:
    text = ledger.control.state(session)
    return state_of(text) if text else None


def wait_until(is_so: Callable[[], bool], what: str) -> None:
    """Until something is so; it fails with `what` where it takes too long."""
    until = CLOCK.monotonic_seconds() + WAIT_SECONDS
    while not is_so():
        assert CLOCK.monotonic_seconds() < until, what
        CLOCK.sleep(0.1)


def has_begun(machine: Machine, session: str) -> bool:
    """Whether the controller has written down that it does something."""
    with _ledger(machine) as ledger:
        return bool(ledger.control.receipts(session))


def is_seen(machine: Machine, session: str, last: Sent) -> bool:
    """Whether the controller has looked since this request was answered, and done what it would."""
    with _ledger(machine) as ledger:
        state = _state(ledger, session)
        receipts = ledger.control.receipts(session)
    is_done = all(one.action is not None or one.outcome for one in receipts)
    return is_done and state is not None and state.request_key == last.response


def settings_path(machine: Machine) -> Path:
    """Where the controller changes settings of the project."""
    return machine.sandbox.project / ".claude" / "settings.local.json"


def is_given_back(machine: Machine) -> bool:
    """Whether no window is lent to the client any more."""
    path = settings_path(machine)
    if not path.exists():
        return True
    variables = json.loads(path.read_text("utf-8")).get("env", {})
    return bool(variables.get(VARIABLE, EMPTY) == EMPTY)


def files_of(machine: Machine) -> Tree:
    """Everything that the product may change, but for what the session edits itself."""
    sandbox = machine.sandbox
    paths = [path for path in sandbox.project.rglob("*") if path.is_file()]
    paths += [sandbox.config / "settings.json", machine.home / "config.toml"]
    own = sandbox.project / WORKED_ON
    return {str(path): _held_by(path) for path in sorted(paths) if path != own}


def _held_by(path: Path) -> str:
    if path.name == "settings.local.json":
        return path.read_text("utf-8")
    return hashlib.sha256(path.read_bytes()).hexdigest()
