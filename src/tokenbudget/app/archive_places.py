"""Where archives are: in the project that a session belongs to, else beside the agent's settings.

<project>/.claude/sessions/archive/        the rule
<config folder>/sessions/archive/          where the project cannot or must not take it
"""

from __future__ import annotations

import os
import stat
from typing import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

INNER = (".claude", "sessions", "archive")
USER_INNER = INNER[1:]


class Destination(NamedTuple):
    """An archive's folder, and why it is not in the project ('' where it is)."""

    folder: str
    note: str = ""


def project_archive(project: str) -> str:
    """The archive's folder of a project."""
    return os.path.join(project, *INNER)


def user_archive(claude_dir: str) -> str:
    """The archive's folder beside an agent's settings, where a link of the person's own leads.

    (Many keep `~/.claude` among their dotfiles; below it no link is followed.)
    """
    return os.path.join(os.path.realpath(claude_dir), *USER_INNER)


def destination(project: str, claude_dir: str, home: str) -> Destination:
    """Where a session is archived: in its project, if that is one and takes it."""
    note = _why_not(project, home)
    return (
        Destination(user_archive(claude_dir), note)
        if note
        else Destination(project_archive(project))
    )


def project_of(folder: str, claude_dirs: Iterable[str]) -> str:
    """The project that an archive's folder lies in; '' for a user-level one."""
    if any(folder == user_archive(claude_dir) for claude_dir in claude_dirs):
        return ""
    inner = os.path.join("", *INNER)
    return folder.removesuffix(f"/{inner}") if folder.endswith(f"/{inner}") else ""


def existing(
    indexed: Iterable[str], projects: Iterable[str], claude_dirs: Iterable[str]
) -> list[str]:
    """Every archive folder that is there, once each: what the index names comes first."""
    candidates = [
        *indexed,
        *map(user_archive, claude_dirs),
        *(project_archive(project) for project in projects if os.path.isabs(project)),
    ]
    return [folder for folder in dict.fromkeys(candidates) if _is_plain_folder(folder)]


def _why_not(project: str, home: str) -> str:
    if not project:
        return "the project is not known"
    if not os.path.isabs(project):
        return "the project is no absolute path"
    try:
        facts = os.stat(project)
    except OSError:
        return "the project is gone"
    if reason := _why_no_project(project, facts, home):
        return reason
    for folder in _inner_folders(project):
        if reason := _objection(folder, os.path.relpath(folder, project)):
            return reason
    if not os.access(_deepest(project), os.W_OK | os.X_OK):
        return "the project cannot be written"
    return ""


def _why_no_project(project: str, facts: os.stat_result, home: str) -> str:
    if not stat.S_ISDIR(facts.st_mode):
        return "the project is no folder"
    if os.path.realpath(project) in (os.path.realpath(home), "/"):
        return "the home folder is no project"
    if facts.st_uid != os.geteuid():
        return "the project belongs to another user"
    if facts.st_mode & stat.S_IWOTH:  # a session that was begun in /tmp
        return "everybody may write in the project's folder"
    return ""


def _inner_folders(project: str) -> Iterator[str]:
    folder = project
    for part in INNER:
        folder = os.path.join(folder, part)
        yield folder


def _objection(folder: str, name: str) -> str:
    try:
        facts = os.lstat(folder)
    except OSError:
        return ""  # it will be made
    if stat.S_ISLNK(facts.st_mode):
        return f"{name} in the project is a link"
    if not stat.S_ISDIR(facts.st_mode):
        return f"{name} in the project is no folder"
    return "" if facts.st_uid == os.geteuid() else f"{name} in the project is another user's"


def _deepest(project: str) -> str:
    """The innermost of our folders that is there: it is what will be written to."""
    there = [folder for folder in _inner_folders(project) if os.path.isdir(folder)]
    return there[-1] if there else project


def _is_plain_folder(folder: str) -> bool:
    try:
        return stat.S_ISDIR(os.lstat(folder).st_mode)
    except (OSError, ValueError):
        return False
