"""Where Claude Code keeps its transcripts, and what a file's place says about it.

Layouts (`docs/counting.md`): `projects/<slug>/<session>.jsonl`, beside it `agent-<id>.jsonl` (old
subagents) or `<session>/subagents/**/agent-<id>.jsonl` (new ones, `workflows/` included).
"""

from __future__ import annotations

import os
import stat
import zlib

from tokenbudget.model.files import Found, FoundFile

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

SUFFIX = ".jsonl"
FINGERPRINT_BYTES = 4096


def find_transcripts(tops: Sequence[str]) -> Found:
    """Every `*.jsonl` below these folders, in a stable order."""
    walk = _Walk()
    files = [found for top in tops for found in walk.files(top)]
    return Found(files, walk.unreadable)


class _Walk:
    """All transcripts under some folders, and the folders that could not be listed.

    Links to folders are followed, once each: a folder is known by device and inode, so that a loop
    or a second way to the same place ends there.
    """

    def __init__(self) -> None:
        self.unreadable: list[tuple[str, str]] = []
        self._visited: set[tuple[int, int]] = set()

    def files(self, top: str) -> Iterator[FoundFile]:
        """Every `*.jsonl` below `top`, or `top` itself if it is a file."""
        try:
            status = os.stat(top)
            if stat.S_ISREG(status.st_mode):
                yield FoundFile(top, status.st_size, status.st_mtime_ns, status.st_ino)
                return
            if not stat.S_ISDIR(status.st_mode):  # a pipe would be waited for without end
                self.unreadable.append((top, "neither a file nor a folder"))
                return
        except FileNotFoundError:
            return
        except OSError as exc:
            self.unreadable.append((top, exc.strerror or str(exc)))
            return
        if (status.st_dev, status.st_ino) in self._visited:
            return
        self._visited.add((status.st_dev, status.st_ino))
        pending = [top]
        while pending:
            yield from self._folder(pending.pop(), pending)

    def _folder(self, folder: str, pending: list[str]) -> Iterator[FoundFile]:
        try:
            with os.scandir(folder) as entries:
                for entry in entries:
                    if entry.name.endswith(SUFFIX):
                        found = self._file(entry)
                        if found is not None:
                            yield found
                    elif self._is_new_folder(entry):
                        pending.append(entry.path)
        except OSError as exc:
            self.unreadable.append((folder, exc.strerror or str(exc)))

    def _file(self, entry: os.DirEntry[str]) -> FoundFile | None:
        try:
            status = entry.stat()
        except OSError:
            return None  # vanished, or a link to nowhere
        if not entry.is_file():
            return None
        return FoundFile(entry.path, status.st_size, status.st_mtime_ns, status.st_ino)

    def _is_new_folder(self, entry: os.DirEntry[str]) -> bool:
        try:
            if not entry.is_dir():
                return False
            status = entry.stat()
        except OSError as exc:  # a link to itself, or into a folder that may not be entered
            self.unreadable.append((entry.path, exc.strerror or str(exc)))
            return False
        identity = (status.st_dev, status.st_ino)
        if identity in self._visited:
            return False
        self._visited.add(identity)
        return True


def fingerprint(descriptor: int, end: int) -> tuple[int, int]:
    """Check sums of the first and the last bytes before `end`.

    A file that grew by appending shows the same pair for the same `end`. Clients only append (111
    of 112 version pairs are byte prefixes); other tools may rewrite, and then a piece near an edge
    has changed.
    """
    head = os.pread(descriptor, min(FINGERPRINT_BYTES, end), 0)
    tail_bytes = min(FINGERPRINT_BYTES, end)
    tail = os.pread(descriptor, tail_bytes, end - tail_bytes)
    return zlib.crc32(head), zlib.crc32(tail)


def session_of(path: str) -> str:
    """The session that a file belongs to by its place; lines that name another one win."""
    before, found, _ = path.rpartition("/subagents/")
    return os.path.basename(before if found else path.removesuffix(SUFFIX))


def is_subagent_file(path: str) -> bool:
    """Whether the file holds a subagent's thread."""
    return "/subagents/" in path or os.path.basename(path).startswith("agent-")


WORKTREE_MARKS = ("/.claude/worktrees/", "/.worktrees/", "/.git/worktrees/")


def project_root(cwd: str, home: str) -> str:
    """The repository that a working directory belongs to: worktrees fold into their main one.

    A directory that is gone is folded by the shape of its path alone; one outside any repository
    is its own project.
    """
    folder = cwd
    while folder not in ("", "/", home):
        root = _repository_at(folder)
        if root is not None:
            return root
        folder = os.path.dirname(folder)
    for mark in WORKTREE_MARKS:
        before, found, _ = cwd.partition(mark)
        if found and before not in ("", home):
            return before
    return cwd


def _repository_at(folder: str) -> str | None:
    git = os.path.join(folder, ".git")
    try:
        if os.path.isdir(git):
            return folder
        with open(git, encoding="utf-8", errors="replace") as handle:
            pointer = handle.read(4096)
    except (OSError, ValueError):  # nothing there, or no path at all: a null byte
        return None
    target = os.path.normpath(os.path.join(folder, pointer.removeprefix("gitdir:").strip()))
    shared, found, _ = target.rpartition("/worktrees/")
    return _main_checkout(shared) if found else folder


def _main_checkout(shared: str) -> str:
    """Where the repository with this git folder is checked out; a bare one is its own place.

    A submodule's git folder lies inside its parent's, and its configuration says where it is.
    """
    if shared.endswith("/.git"):
        return shared.removesuffix("/.git")
    if "/.git/modules/" in shared:
        try:
            with open(os.path.join(shared, "config"), encoding="utf-8", errors="replace") as handle:
                settings = [line.partition("=") for line in handle]
        except OSError:
            return shared
        for name, _, value in settings:
            if name.strip() == "worktree":
                return os.path.normpath(os.path.join(shared, value.strip()))
    return shared
