"""Which releases of the agent's client are in use: those that sessions tell of, and the installed.

A client updates itself about daily and keeps sessions of the release before open, so there may be
several at once; what is wired has to suit them all (`client_features.features_in_common`).
"""

from __future__ import annotations

import os
from datetime import datetime
from typing import NamedTuple

from tokenbudget.config.files import read_regular
from tokenbudget.resources.client_features import version_parts

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import IO

    from tokenbudget.ledger.inspection import SessionRow

RECENT_MS = 30 * 86_400_000
"""A release that nobody has used for longer is taken for gone."""
TIMEOUT_SECONDS = 3.0
"""`claude --version` takes 12 ms as a native program and 0.8 s under node on two busy cores."""
MOST_BYTES = 4096
_PROGRAM = "claude"
_PACKAGE_BYTES = 1 << 20
_LEVELS_UP = 3
"""How far above the program its package.json may stand: `bin/claude.exe` has it one above."""


class InstalledClient(NamedTuple):
    """The client that a shell would start."""

    path: str
    version: str
    """'' where it did not say in time."""


class ClientVersion(NamedTuple):
    """One release in use."""

    version: str
    sessions: int
    """Of the last 30 days, whose last line this release wrote."""
    last_at_ms: int | None
    """When the last of them was last written to; None where none is known."""
    is_installed: bool


def versions_in_use(
    sessions: Iterable[SessionRow], installed: InstalledClient | None, now_ms: int
) -> tuple[ClientVersion, ...]:
    """The releases of the last 30 days and the installed one, newest first.

    What is no version (an own build, a hostile line) is left out: nothing can be looked up by it.
    """
    counts: dict[str, int] = {}
    last: dict[str, int] = {}
    for row in sessions:
        at_ms = moment_of(row.last_at)
        if at_ms < now_ms - RECENT_MS or version_parts(row.version) is None:
            continue
        counts[row.version] = counts.get(row.version, 0) + 1
        last[row.version] = max(last.get(row.version, 0), at_ms)
    here = installed.version if installed else ""
    if version_parts(here) is not None:
        counts.setdefault(here, 0)
    found = [
        ClientVersion(version, count, last.get(version), version == here)
        for version, count in counts.items()
    ]
    return tuple(sorted(found, key=lambda one: version_parts(one.version) or (), reverse=True))


def installed_client(search_path: str, home: str) -> InstalledClient | None:
    """The client that this search path finds, or one of the places that the client itself uses.

    Its version is read beside it where that can be; else the program is asked, which has three
    seconds, no network errand and nothing of our environment but where home is.
    """
    for folder in [*search_path.split(os.pathsep), *_usual_folders(home)]:
        path = os.path.join(folder, _PROGRAM)
        # A relative entry would run what a project put there.
        if os.path.isabs(folder) and os.path.isfile(path) and os.access(path, os.X_OK):
            return InstalledClient(path, _version_beside(path) or _version_told(path, home))
    return None


def _usual_folders(home: str) -> Sequence[str]:
    if not home:
        return ()
    return (os.path.join(home, ".local", "bin"), os.path.join(home, ".claude", "local"))


def _version_beside(path: str) -> str:
    """From the place itself: `…/versions/2.1.329` of a native one, package.json of an npm one."""
    real = os.path.realpath(path)
    name = os.path.basename(real)
    if os.path.basename(os.path.dirname(real)) == "versions" and _is_version(name):
        return name
    folder = os.path.dirname(real)
    for _ in range(_LEVELS_UP):
        version = _package_version(os.path.join(folder, "package.json"))
        if version:
            return version
        folder = os.path.dirname(folder)
    return ""


def _package_version(path: str) -> str:
    import json

    try:
        told = json.loads(read_regular(path, _PACKAGE_BYTES) or b"null")
    except (OSError, ValueError, RecursionError):
        return ""
    if not isinstance(told, dict) or "claude-code" not in str(told.get("name")):
        return ""
    version = told.get("version")
    return version if isinstance(version, str) and _is_version(version) else ""


def _version_told(path: str, home: str) -> str:
    """What `claude --version` begins with: "2.1.329 (Claude Code)"."""
    import subprocess  # 2 ms, and most clients say so without

    environment = {
        "HOME": home,
        "PATH": os.pathsep.join([os.path.dirname(path), os.defpath]),
        "DISABLE_AUTOUPDATER": "1",
        "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
    }
    try:
        with subprocess.Popen(
            [path, "--version"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environment,
        ) as client:
            said = _first_words(client.stdout)
            client.kill()  # it has said it, or will not
    except (OSError, ValueError):
        return ""
    words = said.decode("utf-8", "replace").split()
    return words[0] if words and _is_version(words[0]) else ""


def _first_words(told: IO[bytes] | None) -> bytes:
    """What comes first, within the time; never more than a page, whatever it is that talks."""
    import select

    if told is None or not select.select([told], [], [], TIMEOUT_SECONDS)[0]:
        return b""
    return os.read(told.fileno(), MOST_BYTES)


def _is_version(text: str) -> bool:
    return version_parts(text) is not None


def moment_of(moment: str) -> int:
    """A moment as the agent wrote it, ISO 8601, in ms; 0 where it is none."""
    try:
        found = datetime.fromisoformat(moment)
    except ValueError:
        return 0
    return int(found.timestamp() * 1000) if found.tzinfo else 0
