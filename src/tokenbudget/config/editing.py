"""Change one setting in config.toml or in the agent's settings, so that nothing else is lost.

Under a lock: read again, change the text, see that it says what was wanted and that the settings
still make sense, have what it said kept, replace it at once, read it back. Where somebody else
changed the file meanwhile, all of it is done again with what that one wrote.
"""

from __future__ import annotations

import os
import stat
from typing import NamedTuple

from tokenbudget.config.edit_json import parsed as json_parsed
from tokenbudget.config.edit_json import with_member, without_member
from tokenbudget.config.edit_toml import NotEditable, with_value, without
from tokenbudget.config.files import read_regular
from tokenbudget.config.layers import AGENT_FOLDER, LOCAL_NAME, SETTINGS_NAME, project_dir
from tokenbudget.config.management import LOCAL, OURS, PROJECT, USER
from tokenbudget.model.errors import BadConfig, BadRequest
from tokenbudget.system.atomic import write_atomic_at
from tokenbudget.system.locks import FileLock

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from tokenbudget.config.settings import Settings
    from tokenbudget.config.typed import Edit
    from tokenbudget.model.protocols import Clock

SCOPES = (OURS, USER, PROJECT, LOCAL)

NEW_MODES = {PROJECT: 0o644}
"""The project's file is shared by those who work on it; every other is one person's."""
LOCK_NAME = "config.lock"
LOCK_SECONDS = 3.0
"""An edit takes some milliseconds; whoever holds the lock longer is stuck."""
MOST_TRIES = 20
PAUSE_SECONDS = 0.05
"""Longer than a program takes between emptying a file and filling it."""
_FORBIDDEN = ".claude.json"
"""The client rewrites it all the time and loses what others write there."""


class _ChangedMeanwhile(Exception):
    """Somebody else changed the file between reading and replacing it."""


class Change(NamedTuple):
    """One edit, made or to be made."""

    path: str
    """The file, where links lead."""
    before: str
    after: str
    backup: str = ""
    """The kept copy of the old file; '' where there was none, or nothing was written."""
    was_there: bool = True
    """Whether there was a file."""

    @property
    def is_any(self) -> bool:
        """Whether something is different."""
        return self.before != self.after


def file_of(settings: Settings, scope: str) -> str:
    """The file of a scope.

    Raises:
        BadRequest: there is no project here.
    """
    if scope == OURS:
        return settings.config_path
    if scope == USER:
        return os.path.join(settings.claude_dirs[0], SETTINGS_NAME)
    project = project_dir(settings.working_dir, settings.home_dir)
    if not project:
        raise BadRequest(
            f"there is no project in {settings.working_dir or 'this place'};"
            " go into its folder, or use --scope user"
        )
    return os.path.join(project, AGENT_FOLDER, SETTINGS_NAME if scope == PROJECT else LOCAL_NAME)


def carry_out(
    settings: Settings,
    edit: Edit,
    clock: Clock,
    judge: Callable[[str, bytes], None],
    keep: Callable[[Change], str] | None = None,
) -> Change:
    """Make an edit, or find out what it would change.

    Args:
        settings: Of this run; they say which file is meant.
        edit: What to set or unset, and where.
        clock: For waiting.
        judge: Is handed the path and the new bytes and raises BadConfig where they would make no
            sense; then nothing is written.
        keep: Is told of the change before each writing, keeps what the file says, durably, and
            says where; what it raises stops the writing. Without it nothing is written.

    Raises:
        BadConfig: the file is not as it should be, or cannot be changed by us.
        BadRequest: there is no such file.
    """
    named_path = file_of(settings, edit.scope)
    path = os.path.realpath(named_path)
    _refuse_place(settings, edit.scope, named_path, path)
    if keep is None:
        return _changed(path, edit, named_path, judge)
    try:
        return _written(settings, path, edit, named_path, clock, judge, keep)
    except OSError as exc:
        raise BadConfig(f"cannot change {path}: {exc.strerror or exc}; nothing was lost") from exc


def _refuse_place(settings: Settings, scope: str, named_path: str, path: str) -> None:
    """A link may lead a settings file to where the person keeps it, but not anywhere."""
    if os.path.basename(path) == _FORBIDDEN:
        raise BadConfig(f"{named_path} leads to {path}, which only its client may write")
    if scope not in (PROJECT, LOCAL):
        return
    root = os.path.realpath(project_dir(settings.working_dir, settings.home_dir))
    if not path.startswith(root.rstrip("/") + "/"):
        raise BadConfig(
            f"{named_path} leads out of the project, to {path}; change that file by hand"
        )


def _written(
    settings: Settings,
    path: str,
    edit: Edit,
    named_path: str,
    clock: Clock,
    judge: Callable[[str, bytes], None],
    keep: Callable[[Change], str],
) -> Change:
    os.makedirs(settings.data_dir, 0o700, exist_ok=True)
    lock = FileLock(os.path.join(settings.data_dir, LOCK_NAME))
    _wait_for(lock, clock)
    try:
        made: Change | None = None
        for _ in range(MOST_TRIES):
            try:
                change = _replaced(path, edit, named_path, clock, judge, keep)
            except _ChangedMeanwhile:
                clock.sleep(PAUSE_SECONDS)
                continue
            made = change if change.is_any else made or change
            if read_regular(path) == made.after.encode() or not change.is_any:
                return made
        raise BadConfig(f"{path} is changed by somebody else all the time; try again")
    finally:
        lock.release()


def _replaced(
    path: str,
    edit: Edit,
    named_path: str,
    clock: Clock,
    judge: Callable[[str, bytes], None],
    keep: Callable[[Change], str],
) -> Change:
    """One try, which is given up where somebody else changes the file before it is replaced.

    The client takes no lock. So its last moment to be noticed is right before the rename.
    """
    seen = _identity(path)
    if seen and not seen[0] & 0o222:
        raise BadConfig(f"{path} is read-only; make it writable, or change it where it comes from")
    if seen and not seen[1]:
        clock.sleep(PAUSE_SECONDS)  # somebody may be about to fill it
    change = _changed(path, edit, named_path, judge)._replace(was_there=seen is not None)
    if not change.is_any:
        return change
    folder, name = os.path.split(path)
    os.makedirs(folder, 0o700, exist_ok=True)
    kept = keep(change)

    def refuse_another() -> None:
        if _identity(path) != seen:
            raise _ChangedMeanwhile

    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        mode = seen[0] if seen else NEW_MODES.get(edit.scope, 0o600)
        write_atomic_at(descriptor, name, change.after.encode(), mode, refuse_another)
    finally:
        os.close(descriptor)
    return change._replace(backup=kept)


def _wait_for(lock: FileLock, clock: Clock) -> None:
    started = clock.monotonic_seconds()
    while not lock.try_acquire():
        if clock.monotonic_seconds() - started > LOCK_SECONDS:
            raise BadConfig(f"another command has held {lock.path} for too long; try again")
        clock.sleep(0.02)


def _changed(path: str, edit: Edit, named_path: str, judge: Callable[[str, bytes], None]) -> Change:
    """The text before and after; the latter was judged."""
    before = _text_of(path)
    try:
        after = _edited(before, edit)
    except NotEditable as exc:
        raise BadConfig(f"{path} cannot be changed safely: {exc}") from exc
    except RecursionError as exc:
        raise BadConfig(f"{path} is nested too deeply; change it by hand") from exc
    except ValueError as exc:
        kind = "TOML" if edit.scope == OURS else "JSON"
        raise BadConfig(f"{path} is not {kind}: {exc}; correct that first") from exc
    if before != after:
        judge(named_path, after.encode())
    return Change(path, before, after)


def _edited(before: str, edit: Edit) -> str:
    if edit.scope == OURS:
        if edit.value is None:
            return without(before, edit.path)
        return with_value(before, edit.path, edit.value)
    mark = "\ufeff" if before.startswith("\ufeff") else ""
    text = before.removeprefix(mark)
    table, key = edit.path
    if edit.value is not None:
        return mark + with_member(text, table, key, edit.value)
    if not text.strip():
        return before
    json_parsed(text)
    return mark + without_member(text, table, key)


def _text_of(path: str) -> str:
    """The file's text; '' where there is none.

    Raises:
        BadConfig: it cannot be read, or is no text.
    """
    try:
        data = read_regular(path)
        return "" if data is None else data.decode()
    except OSError as exc:
        raise BadConfig(f"cannot read {path}: {exc.strerror}; nothing was changed") from exc
    except ValueError as exc:
        raise BadConfig(f"{path} is not UTF-8: {exc}; correct that first") from exc


def _identity(path: str) -> tuple[int, int, int, int] | None:
    """Mode, size, time and inode: another one, another file."""
    try:
        found = os.stat(path)
    except (FileNotFoundError, NotADirectoryError):
        return None
    return stat.S_IMODE(found.st_mode), found.st_size, found.st_mtime_ns, found.st_ino
