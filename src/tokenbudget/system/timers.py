"""A daily timer of the system that runs one command: systemd (user), launchd or cron.

What is written is made here as text, so that a person can look at it first. Installing writes it
and tells the system; nothing here decides when or whether.
"""

from __future__ import annotations

import contextlib
import os
import shlex
import subprocess
from typing import Literal, NamedTuple, get_args

from tokenbudget.model.errors import BadRequest, ProjectUnusable
from tokenbudget.model.plain_text import one_line

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

Kind = Literal["systemd", "launchd", "cron"]
KINDS: tuple[Kind, ...] = get_args(Kind)

NAME = "tokenbudget-archive"
LABEL = "tokenbudget.archive"
MARK = "# tokenbudget archive"
"""Ends the line of ours in a crontab, by which it is found again."""
_NONE_YET = (b"no crontab", b"No such file")
HOUR, MINUTE = 3, 17
"""Not on the hour, when everybody's jobs begin."""
TIMEOUT_SECONDS = 20


class Job(NamedTuple):
    """What is to be run once a day."""

    command: tuple[str, ...]
    """An absolute program and its arguments."""
    variables: Mapping[str, str]
    """Of the environment; only what is not the default."""


class Unit(NamedTuple):
    """One file of a timer: where it belongs, and what stands in it."""

    path: str
    text: str


class Places(NamedTuple):
    """Where this user's timers live."""

    home: str
    config: str
    """XDG_CONFIG_HOME, or `~/.config`."""
    program_path: str
    """Where programs are looked for, as PATH has it."""


def kind_here(platform: str, places: Places) -> Kind:
    """What this system has: launchd on a Mac, systemd where its program is, else cron."""
    if platform == "darwin":
        return "launchd"
    return "systemd" if _program("systemctl", places) else "cron"


def units(kind: Kind, job: Job, places: Places) -> list[Unit]:
    """The files of a timer; of cron it is the one line, with no path.

    Raises:
        BadRequest: a path holds a character that this kind of file cannot.
    """
    for word in (*job.command, *job.variables.values()):
        if not word.isprintable():
            raise BadRequest(f"no timer can run {one_line(word)!r}: it holds control characters")
    if kind == "systemd":
        folder = os.path.join(places.config, "systemd", "user")
        return [
            Unit(os.path.join(folder, f"{NAME}.service"), _service(job)),
            Unit(os.path.join(folder, f"{NAME}.timer"), _timer()),
        ]
    if kind == "launchd":
        path = os.path.join(places.home, "Library", "LaunchAgents", f"{LABEL}.plist")
        return [Unit(path, _plist(job))]
    return [Unit("", _crontab_line(job))]


def _service(job: Job) -> str:
    variables = [
        f"Environment={_systemd_quoted(f'{name}={value}')}"
        for name, value in sorted(job.variables.items())
    ]
    lines = [
        "[Unit]",
        "Description=Archive old sessions of coding agents, before the agents delete them",
        "",
        "[Service]",
        "Type=oneshot",
        *variables,
        # Only here variables are replaced; in Environment= two signs would stay two.
        f"ExecStart={' '.join(map(_systemd_quoted, job.command)).replace('$', '$$')}",
        "Nice=10",
        "IOSchedulingClass=idle",
    ]
    return "\n".join(lines) + "\n"


def _timer() -> str:
    return f"""[Unit]
Description=Archive old sessions of coding agents once a day

[Timer]
OnCalendar=*-*-* {HOUR:02}:{MINUTE:02}:00
RandomizedDelaySec=1h
Persistent=true

[Install]
WantedBy=timers.target
"""


def _systemd_quoted(word: str) -> str:
    """One word of a unit file: quoted, with no specifier in it."""
    escaped = word.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%")
    return f'"{escaped}"'


def _plist(job: Job) -> str:
    import plistlib

    told = {
        "Label": LABEL,
        "ProgramArguments": list(job.command),
        "EnvironmentVariables": dict(job.variables),
        "StartCalendarInterval": {"Hour": HOUR, "Minute": MINUTE},
        "ProcessType": "Background",
        "LowPriorityIO": True,
    }
    return plistlib.dumps(told).decode()


def _crontab_line(job: Job) -> str:
    variables = [f"{name}={value}" for name, value in sorted(job.variables.items())]
    words = ["env", *variables, *job.command] if variables else list(job.command)
    command = " ".join(map(shlex.quote, words))
    # A percent sign ends the command there, also between quotes.
    escaped = command.replace("%", "\\%")
    # What goes wrong is for cron to mail.
    return f"{MINUTE} {HOUR} * * * {escaped} >/dev/null {MARK}\n"


# ── the system itself ────────────────────────────────────────────────────────────────────────────


def is_installed(places: Places) -> bool:
    """Whether a timer of ours is there, of any kind; cron is asked only where it may be used."""
    systemd, launchd = (
        units(kind, Job(("/",), {}), places)[-1].path for kind in ("systemd", "launchd")
    )
    if os.path.lexists(systemd) or os.path.lexists(launchd):
        return True
    return any(_is_ours(line) for line in (crontab(places) or "").splitlines())


def start(kind: Kind, places: Places) -> None:
    """Have the system use what was written.

    Raises:
        ProjectUnusable: it does not want to.
    """
    if kind == "launchd":  # it takes no label twice
        with contextlib.suppress(ProjectUnusable):
            stop(kind, places)
    for command in _commands(kind, places, is_start=True):
        _run(command, places)


def stop(kind: Kind, places: Places) -> None:
    """Have the system forget it, before its files are removed; raises as `start`."""
    for command in _commands(kind, places, is_start=False):
        _run(command, places)


def _commands(kind: Kind, places: Places, *, is_start: bool) -> list[list[str]]:
    if kind == "systemd":
        program = _needed("systemctl", places)
        verb = "enable" if is_start else "disable"
        told = [[program, "--user", verb, "--now", f"{NAME}.timer"]]
        return [[program, "--user", "daemon-reload"], *told] if is_start else told
    if kind == "launchd":
        verb = "bootstrap" if is_start else "bootout"
        [unit] = units(kind, Job(("/",), {}), places)
        target = [f"gui/{os.getuid()}", unit.path] if is_start else [f"gui/{os.getuid()}/{LABEL}"]
        return [[_needed("launchctl", places), verb, *target]]
    return []


def crontab(places: Places) -> str | None:
    """This user's crontab, '' where it is empty; None where there is no cron, or it says no."""
    program = _program("crontab", places)
    if not program:
        return None
    try:
        done = subprocess.run(
            [program, "-l"],
            check=False,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=TIMEOUT_SECONDS,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    if done.returncode == 0:
        return done.stdout.decode("utf-8", "surrogateescape")
    # It fails where there is none yet; what fails otherwise must not be written over.
    is_none_yet = any(words in done.stderr for words in _NONE_YET)
    return "" if is_none_yet else None


def crontab_with(before: str, line: str) -> str:
    """A crontab with this line of ours at its end ('' none), and every other line as it was."""
    kept = "".join(part for part in before.splitlines(keepends=True) if not _is_ours(part))
    if line and kept and not kept.endswith("\n"):
        kept += "\n"
    return kept + line


def write_crontab(text: str, places: Places) -> None:
    """Replace the crontab; raises ProjectUnusable where cron does not take it."""
    command = [_needed("crontab", places), "-"]
    _run(command, places, text.encode("utf-8", "surrogateescape"))


def _is_ours(line: str) -> bool:
    return line.rstrip().endswith(MARK)


def _run(command: list[str], places: Places, given: bytes = b"") -> None:
    try:
        done = subprocess.run(
            command, check=False, input=given, capture_output=True, timeout=TIMEOUT_SECONDS
        )
    except (OSError, subprocess.TimeoutExpired) as exc:
        raise ProjectUnusable(f"{os.path.basename(command[0])} cannot be run: {exc}") from exc
    if done.returncode != 0:
        said = one_line(done.stderr.decode("utf-8", "replace").strip())[:200]
        name = os.path.basename(command[0])
        raise ProjectUnusable(f"{name} refused ({said or f'exit {done.returncode}'})")


def _needed(name: str, places: Places) -> str:
    found = _program(name, places)
    if not found:
        raise ProjectUnusable(f"there is no {name} here; choose another kind of timer")
    return found


def _program(name: str, places: Places) -> str:
    for folder in places.program_path.split(os.pathsep):
        path = os.path.join(folder, name)
        if os.path.isabs(folder) and os.access(path, os.X_OK) and os.path.isfile(path):
            return path
    return ""
