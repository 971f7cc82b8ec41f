"""Every file that belongs to a session, so that the session can be kept or moved as a whole.

    projects/<slug>/<session>.jsonl          the transcript
    projects/<slug>/agent-<id>.jsonl         an old subagent, whose lines name the session
    projects/<slug>/<session>/**             subagents, their meta.json, large tool results, all

Nothing is followed: a link, a special file or a second name (a hard link) below `projects` makes
its session one that is left alone, for its bytes may be somebody else's.
"""

from __future__ import annotations

import json
import os
import re
import stat
from typing import NamedTuple

from tokenbudget.model.plain_text import one_line

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

SUFFIX = ".jsonl"
LOCK_SUFFIX = ".lock"
LOCKS = ("lock", LOCK_SUFFIX)
"""What locks a folder; anything else locks what is named so without its suffix."""
OLD_AGENT = "agent-"
_SESSION = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}")
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_NAMED = re.compile(rb'"sessionId"\s*:\s*"([^"\\]{1,128})"')
_STEP_BYTES = 1 << 20
_OPEN = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


class SessionFile(NamedTuple):
    """One file of a session, as it was found."""

    name: str
    """From the folder of the project on: `<session>.jsonl`, `<session>/subagents/…`."""
    path: str
    size_bytes: int
    mtime_ns: int
    inode: int


class FoundSession(NamedTuple):
    """A session on disk."""

    session: str
    root: str
    """The folder below `projects` that the names start from."""
    files: tuple[SessionFile, ...]
    """The transcript last, where there is one: what makes a session a session goes last."""
    fault: str = ""
    """Why it has to be left as it is; '' where nothing speaks against it."""
    lock: str = ""
    """A lock file beside it: somebody works with it."""

    @property
    def size_bytes(self) -> int:
        """All its files together."""
        return sum(file.size_bytes for file in self.files)

    @property
    def newest_ns(self) -> int:
        """When one of its files was written last."""
        return max((file.mtime_ns for file in self.files), default=0)


class SessionsFound(NamedTuple):
    """All sessions below some folders, and the folders that could not be looked into, and why."""

    sessions: list[FoundSession]
    unreadable: list[tuple[str, str]]


def sessions_below(tops: Sequence[str]) -> SessionsFound:
    """Every session below these `projects` folders; one that does not exist holds none."""
    found = SessionsFound([], [])
    seen: set[tuple[int, int]] = set()
    for top in tops:
        for root in _roots(top, seen, found.unreadable):
            try:
                found.sessions.extend(sessions_in(root))
            except OSError as exc:
                found.unreadable.append((root, exc.strerror or str(exc)))
    return found


def sessions_in(root: str) -> list[FoundSession]:
    """The sessions of one project's folder, by name; raises OSError where it cannot be listed."""
    with os.scandir(root) as entries:
        by_name = {entry.name: entry for entry in entries}
    transcripts = {
        name.removesuffix(SUFFIX)
        for name in by_name
        if name.endswith(SUFFIX) and not name.startswith(OLD_AGENT)
    }
    # A folder without its transcript is a session's only by its name: `memory` is none.
    folders = {
        name
        for name, entry in by_name.items()
        if (name in transcripts or _UUID.fullmatch(name)) and not _is_file(entry)
    }
    # Old subagents may have outlived their transcript, which the agent deletes by itself.
    agents = _old_agents(root, [name for name in by_name if name.startswith(OLD_AGENT)])
    return [
        found
        for session in sorted(transcripts | folders | agents.keys())
        for found in [_session(root, session, by_name, session in folders, agents)]
        if found.files or found.fault
    ]


def _roots(
    top: str, seen: set[tuple[int, int]], unreadable: list[tuple[str, str]]
) -> Iterator[str]:
    """The folders of projects below `top`; a link among them is passed over, and said."""
    try:
        with os.scandir(top) as entries:
            found = sorted(entries, key=lambda entry: entry.name)
    except FileNotFoundError:
        return
    except OSError as exc:
        unreadable.append((top, exc.strerror or str(exc)))
        return
    for entry in found:
        if entry.is_symlink():
            unreadable.append((entry.path, "it is a link"))
        elif entry.is_dir(follow_symlinks=False):
            facts = entry.stat(follow_symlinks=False)
            if (facts.st_dev, facts.st_ino) not in seen:  # one folder by two names of its parent
                seen.add((facts.st_dev, facts.st_ino))
                yield entry.path


def _session(
    root: str,
    session: str,
    by_name: dict[str, os.DirEntry[str]],
    has_folder: bool,
    agents: dict[str, list[str]],
) -> FoundSession:
    listing = _Listing(root)
    if has_folder:
        listing.folder(session)
    for name in agents.get(session, []):
        listing.file(name)
    if session + SUFFIX in by_name:
        listing.file(session + SUFFIX)
    fault = listing.fault
    if not _SESSION.fullmatch(session):
        fault = "its name is none that an archive can have"
    locks = (f"{session}{LOCK_SUFFIX}", f"{session}{SUFFIX}{LOCK_SUFFIX}")
    lock = next((os.path.join(root, name) for name in locks if name in by_name), listing.lock)
    return FoundSession(session, root, tuple(listing.files), fault, lock)


class _Listing:
    """Files as they are found, and the first thing that speaks against touching them."""

    def __init__(self, root: str) -> None:
        self._root = root
        self._owner = os.geteuid()
        self.files: list[SessionFile] = []
        self.fault = ""
        self.lock = ""

    def folder(self, name: str) -> None:
        """Everything below a folder; a lock in it is noted, and belongs to it as well."""
        path = os.path.join(self._root, name)
        try:
            facts = os.lstat(path)
            if not stat.S_ISDIR(facts.st_mode):
                self._object(name, "is a link" if stat.S_ISLNK(facts.st_mode) else "is no folder")
                return
            inner = sorted(os.listdir(path))
        except OSError as exc:
            self._object(name, f"cannot be read ({exc.strerror})")
            return
        for part in inner:
            below = f"{name}/{part}"
            if part in LOCKS or (part.endswith(LOCK_SUFFIX) and part[: -len(LOCK_SUFFIX)] in inner):
                self.lock = self.lock or os.path.join(self._root, below)
            if stat.S_ISDIR(_mode(os.path.join(path, part))):
                self.folder(below)
            else:
                self.file(below)

    def file(self, name: str) -> None:
        """One file, which must be a plain one of our own."""
        path = os.path.join(self._root, name)
        try:
            facts = os.lstat(path)
        except FileNotFoundError:
            return  # it vanished since the folder was listed
        except OSError as exc:
            self._object(name, f"cannot be read ({exc.strerror})")
            return
        if stat.S_ISLNK(facts.st_mode):
            self._object(name, "is a link")
        elif not stat.S_ISREG(facts.st_mode):
            self._object(name, "is no regular file")
        elif facts.st_uid != self._owner:
            self._object(name, "belongs to another user")
        elif facts.st_nlink > 1:
            self._object(name, "has a second name (a hard link)")
        else:
            found = SessionFile(name, path, facts.st_size, facts.st_mtime_ns, facts.st_ino)
            self.files.append(found)

    def _object(self, name: str, why: str) -> None:
        self.fault = self.fault or f"{one_line(name)} {why}"


def _mode(path: str) -> int:
    try:
        return os.lstat(path).st_mode
    except OSError:
        return 0


def _is_file(entry: os.DirEntry[str]) -> bool:
    return entry.is_file(follow_symlinks=False)


def _old_agents(root: str, names: Sequence[str]) -> dict[str, list[str]]:
    """Old subagent files by the one session that their lines name; of several they are nobody's."""
    found: dict[str, list[str]] = {}
    for name in sorted(names):
        sessions = sessions_named_in(os.path.join(root, name)) if name.endswith(SUFFIX) else set()
        if len(sessions) == 1:
            found.setdefault(sessions.pop(), []).append(name)
    return found


def sessions_named_in(path: str) -> set[str]:
    """The sessions that the lines of a transcript name; none where it cannot be read.

    A quick look first: only where the text shows several is every line decoded, for a tool's
    result may hold other transcripts.
    """
    try:
        descriptor = os.open(path, _OPEN)
    except OSError:
        return set()
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            return set()
        with os.fdopen(descriptor, "rb", closefd=False) as handle:
            shown = {name for line in handle for name in _NAMED.findall(line)}
            if len(shown) <= 1:
                return {name.decode("utf-8", "replace") for name in shown}
            handle.seek(0)
            return {name for line in handle if (name := _session_of_line(line))}
    except OSError:
        return set()
    finally:
        os.close(descriptor)


def _session_of_line(line: bytes) -> str:
    try:
        found = json.loads(line)
    except (ValueError, RecursionError):
        return ""
    named = found.get("sessionId") if isinstance(found, dict) else None
    return named if isinstance(named, str) else ""
