"""Our folder in somebody's project, `.claude/context`: the only place that we write to unasked.

A project may have been cloned from anywhere and may lie where others can write. So every step goes
through the descriptor of the folder before it, follows no link, and takes nothing for granted that
was true a moment ago. What is there already keeps its mode and content.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat

from tokenbudget.model.errors import ProjectUnusable, Refused
from tokenbudget.model.plain_text import one_line
from tokenbudget.system.atomic import remove_strays, write_atomic_at

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import BinaryIO

AGENT_FOLDER, FOLDER = ".claude", "context"
IGNORE_NAME, IGNORE_ALL = ".gitignore", b"*\n"
TRACKER = "token-tracker.json"

_NAME_LETTERS = frozenset("abcdefghijklmnopqrstuvwxyz0123456789-.")
_OPEN_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC | os.O_NONBLOCK


def context_folder(project: str) -> str:
    """The path of a project's `.claude/context`, which is there afterwards.

    Raises:
        ProjectUnusable: the project is not there, or cannot be written.
        Refused: what is in the way is a link, no folder or another user's; or the project is `/`.
    """
    os.close(_open_context(project))
    return os.path.join(project, AGENT_FOLDER, FOLDER)


def write_context_file(project: str, name: str, data: bytes) -> None:
    """Replace a file of ours in a project's context folder; a reader sees the old one or the new.

    Args:
        project: The project's folder.
        name: One of our own: `token-` and plain small letters; never anything from elsewhere.
        data: What it will hold.

    Raises:
        ProjectUnusable: it cannot be written; the file before still stands.
        Refused: as by `context_folder`.
        ValueError: the name is not one of ours.
    """
    _refuse_foreign_name(name)
    folder = _open_context(project)
    try:
        write_atomic_at(folder, name, data)
        remove_strays(folder, name)
    except OSError as wrong:
        raise _unusable(os.path.join(project, AGENT_FOLDER, FOLDER, name), wrong) from wrong
    finally:
        os.close(folder)


@contextlib.contextmanager
def replaced_context_file(project: str, name: str) -> Iterator[BinaryIO]:
    """The same for a file too large to be held: written into piece by piece, whole at the end.

    Where the block raises, the file before still stands. Raises as `write_context_file`.
    """
    from tokenbudget.system.streamed_file import replaced_file_at

    _refuse_foreign_name(name)
    folder = _open_context(project)
    try:
        with replaced_file_at(folder, name) as handle:
            yield handle
    except OSError as wrong:
        raise _unusable(os.path.join(project, AGENT_FOLDER, FOLDER, name), wrong) from wrong
    finally:
        os.close(folder)


def _refuse_foreign_name(name: str) -> None:
    if not name.startswith("token-") or not _NAME_LETTERS.issuperset(name):
        raise ValueError(f"{name!r} is no name of a file of ours")


def _open_context(project: str) -> int:
    """A descriptor of the context folder, made where it is missing."""
    root = _open_project(project)
    try:
        agent = _open_or_make(root, AGENT_FOLDER, project)
    finally:
        os.close(root)
    try:
        return _open_or_make(agent, FOLDER, os.path.join(project, AGENT_FOLDER))
    finally:
        os.close(agent)


def _open_project(project: str) -> int:
    """The project itself may be reached through links: the agent works there all the same."""
    if not os.path.isabs(project):
        raise Refused(f"the project {_quoted(project)} is no absolute path; nothing is written")
    try:
        root = os.open(project, _OPEN_FOLDER)
    except (OSError, ValueError) as wrong:  # a null byte, or letters that no file name has
        raise _unusable(project, wrong) from wrong
    if os.path.samestat(os.fstat(root), os.stat("/")):
        os.close(root)
        raise Refused("the session's folder is /, which is no project; nothing is written there")
    return root


def _open_or_make(parent: int, name: str, where: str) -> int:
    path = os.path.join(where, name)
    try:
        try:
            folder = os.open(name, _OPEN_FOLDER | os.O_NOFOLLOW, dir_fd=parent)
        except FileNotFoundError:
            (_make_context if name == FOLDER else _make_agent_folder)(parent)
            folder = os.open(name, _OPEN_FOLDER | os.O_NOFOLLOW, dir_fd=parent)
    except OSError as wrong:
        if wrong.errno in (errno.ELOOP, errno.ENOTDIR):
            raise Refused(_not_a_folder(parent, name, path)) from wrong
        raise _unusable(path, wrong) from wrong
    if os.fstat(folder).st_uid != os.geteuid():
        os.close(folder)
        raise Refused(f"{_quoted(path)} belongs to another user; nothing is written there")
    return folder


def _make_agent_folder(project: int) -> None:
    # The agent's own folder, which teams share: made as the agent would, by the umask, and without
    # a .gitignore, for what is in it is often meant to be committed.
    try:
        os.mkdir(AGENT_FOLDER, dir_fd=project)
    except FileExistsError:
        return  # another monitor was quicker


def _make_context(agent: int) -> None:
    """Made aside and moved, so that nobody ever sees it without its `.gitignore`."""
    temporary = f".{FOLDER}.{os.urandom(8).hex()}.tmp"
    os.mkdir(temporary, 0o700, dir_fd=agent)
    folder = os.open(temporary, _OPEN_FOLDER | os.O_NOFOLLOW, dir_fd=agent)
    try:
        write_atomic_at(folder, IGNORE_NAME, IGNORE_ALL)
        os.rename(temporary, FOLDER, src_dir_fd=agent, dst_dir_fd=agent)
    except OSError as wrong:
        if IGNORE_NAME in os.listdir(folder):
            os.unlink(IGNORE_NAME, dir_fd=folder)
        os.rmdir(temporary, dir_fd=agent)
        if wrong.errno not in (errno.EEXIST, errno.ENOTEMPTY):  # another monitor was quicker
            raise
    finally:
        os.close(folder)


def _not_a_folder(parent: int, name: str, path: str) -> str:
    try:
        is_link = stat.S_ISLNK(os.stat(name, dir_fd=parent, follow_symlinks=False).st_mode)
    except OSError:  # gone again
        is_link = False
    what = "a link" if is_link else "no folder"
    return f"{_quoted(path)} is {what}; make it a folder of your own, nothing is written there"


def _unusable(path: str, wrong: OSError | ValueError) -> ProjectUnusable:
    reason = wrong.strerror if isinstance(wrong, OSError) else "no file has such a name"
    return ProjectUnusable(f"cannot write in the project: {_quoted(path)}: {reason}")


def _quoted(path: str) -> str:
    return f"'{one_line(path[:500])}'"
