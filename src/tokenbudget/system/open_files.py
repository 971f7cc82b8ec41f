"""Who has a file open, and which processes have ended: what the system says of others' work.

On Linux /proc tells it; elsewhere `lsof` does, if it is installed. Where neither does, nobody is
seen: whoever asks must have other signs, and say that this one is missing.
"""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TypeAlias

    from tokenbudget.model.protocols import Clock

    Handle: TypeAlias = "tuple[int, str]"

PROC = "/proc"
FRESH_SECONDS = 0.25
"""A look at all processes takes about 20 ms; a thousand sessions are not worth a thousand looks."""
LSOF_FRESH_SECONDS = 2.0
LSOF_TIMEOUT_SECONDS = 20
LSOF_FOLDERS = ("/usr/sbin", "/usr/bin", "/opt/homebrew/bin", "/usr/local/bin")
_MACHINE_ID = ("/etc/machine-id", "/var/lib/dbus/machine-id")
_ZOMBIE = "Z"
_START_FIELD = 19
"""Of /proc/<pid>/stat behind the name: clock ticks after boot at which the process began."""


class OpenFiles:
    """Which files other processes have open, as of a moment ago.

    Only processes that this user may look into are seen; nobody else's can open a file that is
    private to the user, except root's.
    """

    def __init__(self, clock: Clock, proc: str = PROC, lsof: str | None = None) -> None:
        self._clock = clock
        self._proc = proc
        self._lsof = _lsof_path() if lsof is None else lsof
        self._seen: dict[str, list[Handle]] = {}
        self._seen_at: float | None = None

    @property
    def can_see(self) -> bool:
        """Whether there is any way to know here."""
        return self._has_proc or bool(self._lsof)

    @property
    def _has_proc(self) -> bool:
        return os.path.isdir(os.path.join(self._proc, "self", "fd"))

    def holder_of(self, path: str) -> str:
        """Who has this very file open, such as `process 4711 (node)`; '' for nobody that is seen.

        The file is known by device and inode: whatever it was called when it was opened.
        """
        try:
            wanted = os.stat(path, follow_symlinks=False)
        except OSError:
            return ""
        self._look_again()
        for pid, handle in self._seen.get(_key(path), []):
            if self._is_same(handle, path, wanted):
                return f"process {pid}{self._name_of(pid)}"
        return ""

    def look_now(self) -> None:
        """Forget what was seen: the next answer is of now."""
        self._seen_at = None

    def _look_again(self) -> None:
        now = self._clock.monotonic_seconds()
        fresh = FRESH_SECONDS if self._has_proc else LSOF_FRESH_SECONDS
        if self._seen_at is not None and 0 <= now - self._seen_at < fresh:
            return
        self._seen = self._by_proc() if self._has_proc else _by_lsof(self._lsof)
        self._seen_at = self._clock.monotonic_seconds()

    def _by_proc(self) -> dict[str, list[Handle]]:
        """Handles by the last part of what they lead to; only those are looked at more closely.

        (To ask for every handle's inode would wait for a network drive that does not answer.)
        """
        seen: dict[str, list[Handle]] = {}
        own = str(os.getpid())
        for pid in os.listdir(self._proc):
            if not pid.isdecimal() or pid == own:
                continue
            folder = os.path.join(self._proc, pid, "fd")
            try:
                numbers = os.listdir(folder)
            except OSError:
                continue  # it has ended, or is another user's
            for number in numbers:
                handle = f"{folder}/{number}"
                try:
                    target = os.readlink(handle)
                except OSError:
                    continue
                if target.startswith("/"):
                    seen.setdefault(_key(target), []).append((int(pid), handle))
        return seen

    def _is_same(self, handle: str, path: str, wanted: os.stat_result) -> bool:
        if not self._has_proc:
            return os.path.realpath(handle) == os.path.realpath(path)
        try:
            return os.path.samestat(os.stat(handle), wanted)
        except OSError:
            return False

    def _name_of(self, pid: int) -> str:
        try:
            with open(os.path.join(self._proc, str(pid), "comm"), encoding="utf-8") as handle:
                name = handle.read(64).strip()
        except (OSError, ValueError):
            return ""
        return f" ({name})" if name.isprintable() and name else ""


def _key(path: str) -> str:
    return os.path.basename(path)


def _lsof_path() -> str:
    found = (os.path.join(folder, "lsof") for folder in LSOF_FOLDERS)
    return next((path for path in found if os.access(path, os.X_OK)), "")


def _by_lsof(program: str) -> dict[str, list[Handle]]:
    """Names of open files by their last part, as `lsof -F pn` prints them."""
    if not program:
        return {}
    import subprocess  # 2 ms, and Linux never needs it

    command = [program, "-n", "-P", "-w", "-u", str(os.geteuid()), "-F", "pn"]
    try:
        done = subprocess.run(
            command,
            check=False,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=LSOF_TIMEOUT_SECONDS,
        )
    except (OSError, subprocess.TimeoutExpired):
        return {}
    seen: dict[str, list[Handle]] = {}
    pid = 0
    for line in os.fsdecode(done.stdout).splitlines():
        if line.startswith("p") and line[1:].isdecimal():
            pid = int(line[1:])
        elif line.startswith("n/") and pid != os.getpid():
            seen.setdefault(_key(line[1:]), []).append((pid, line[1:]))
    return seen


def process_domain(proc: str = PROC) -> str:
    """Which processes' numbers mean something here, as Claude Code writes it; '' unknown.

    `linux:<machine id>:pid:[<namespace>]`: a container shares a home folder, and not its numbers.
    """
    try:
        namespace = os.readlink(os.path.join(proc, "self", "ns", "pid"))
    except OSError:
        return ""
    for path in _MACHINE_ID:
        try:
            with open(path, encoding="ascii") as handle:
                return f"linux:{handle.read(64).strip()}:{namespace}"
        except (OSError, ValueError):
            continue
    return ""


def has_ended(pid: int, start: str = "", proc: str = PROC) -> bool:
    """Whether this process is gone; one of its number that began at another time is another one.

    What cannot be known counts as running.

    Args:
        pid: Its number.
        start: Clock ticks after boot at which it began, '' where that is unknown.
        proc: Where the system tells of processes.
    """
    if pid <= 1:
        return True
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    except (OSError, OverflowError):
        pass  # another user's: it is there
    state, began = _state_of(pid, proc)
    return state == _ZOMBIE or bool(start and began and start != began)


def _state_of(pid: int, proc: str) -> tuple[str, str]:
    """State and start of a process, as the system tells them; '' where it does not."""
    try:
        with open(os.path.join(proc, str(pid), "stat"), encoding="utf-8", errors="replace") as file:
            fields = file.read(4096).rpartition(")")[2].split()
    except OSError:
        return "", ""
    return (fields[0], fields[_START_FIELD]) if len(fields) > _START_FIELD else ("", "")
