"""Whether the program that the client starts for the gateway runs: our own program, and no other.

A project's files are other people's words, and so is whatever stands in its folder: nothing that
they name is run. Of a person's own entries only those are that `install` writes.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess

from tokenbudget.app.gateway_place import shared_entry
from tokenbudget.config.settings import process_environment

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tokenbudget.config.settings import Settings
    from tokenbudget.model.protocols import Clock

MOST_STARTED = 4
"""Programs that are tried: all entries that `install` writes name the same one."""
START_SECONDS = 4.0
"""For all of them together: nobody waits longer for a doctor. It takes a fifth of a second."""
OWN_WAYS = frozenset({("gateway",), ("-P", "-m", "tokenbudget", "gateway")})
"""Arguments that `install` writes, now or before."""


class Trial:
    """Tries programs, each once."""

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self._home = settings.home_dir
        self._clock = clock
        self._until_seconds: float | None = None
        self._path = _whole_folders(process_environment().get("PATH") or os.defpath)
        self._tried: dict[tuple[str, ...], bool | None] = {}

    def program_of(self, definition: Mapping[str, object] | None) -> str:
        """The program's file; '' where there is none, or it depends on where one stands."""
        command = definition.get("command") if definition else None
        if not isinstance(command, str) or (
            os.path.dirname(command) and not os.path.isabs(command)
        ):
            return ""
        return shutil.which(command, path=self._path) or ""

    def does_start(
        self, definition: Mapping[str, object] | None, program: str, others_project: str = ""
    ) -> bool | None:
        """Whether it runs; None where it was not tried, or said nothing in time.

        Where others write the file (that of `others_project`) only our own entry is tried, as this
        person's PATH has it, and not from that project's folder.
        """
        command = _command(definition, program)
        if not command or (others_project and not _is_safe(definition, program, others_project)):
            return None
        if command not in self._tried and len(self._tried) < MOST_STARTED:
            self._tried[command] = self._ran(command)
        return self._tried.get(command)

    def is_silent(self, definition: Mapping[str, object] | None, program: str) -> bool:
        """Whether it was tried, and did not answer in time."""
        command = _command(definition, program)
        return command in self._tried and self._tried[command] is None

    def _ran(self, command: Sequence[str]) -> bool | None:
        now = self._clock.monotonic_seconds()
        self._until_seconds = self._until_seconds or now + START_SECONDS
        try:
            process = subprocess.Popen(
                list(command),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                cwd=os.sep,
                env={"HOME": self._home, "PATH": self._path},
                start_new_session=True,
            )
        except OSError:
            return False
        try:
            return process.wait(max(0.0, self._until_seconds - now)) == 0
        except subprocess.TimeoutExpired:
            return None
        finally:
            if process.returncode is None:
                _end(process)


def _end(process: subprocess.Popen[bytes]) -> None:
    """End it, with all that it started."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _command(definition: Mapping[str, object] | None, program: str) -> tuple[str, ...]:
    """What is run; nothing where it is not what `install` writes."""
    given = definition.get("args") if definition else None
    args = tuple(given) if isinstance(given, list) else ()
    is_text = all(isinstance(one, str) for one in args)
    return (program, *args, "--help") if program and is_text and args in OWN_WAYS else ()


def _is_safe(definition: Mapping[str, object] | None, program: str, project: str) -> bool:
    top = os.path.join(os.path.realpath(project), "")
    is_inside = any(one.startswith(top) for one in (program, os.path.realpath(program)))
    return dict(definition or {}) == shared_entry() and not is_inside


def _whole_folders(path: str) -> str:
    """The folders of a PATH that mean the same wherever one stands: not `.`, which is a project."""
    return os.pathsep.join(one for one in path.split(os.pathsep) if os.path.isabs(one))
