"""Change one setting in config.toml or in the agent's settings, so that nothing else is lost.

Under a lock: read again, change the text, see that it says what was wanted and that the settings
still make sense, keep a copy beside the file, replace it at once, read it back.
"""

from __future__ import annotations

import os
import stat
from typing import NamedTuple

from tokenbudget.config.edit_json import parsed as json_parsed
from tokenbudget.config.edit_json import with_member, without_member
from tokenbudget.config.edit_toml import NotEditable, with_value, without
from tokenbudget.config.explain import named
from tokenbudget.config.files import read_regular
from tokenbudget.config.layers import AGENT_FOLDER, LOCAL_NAME, SETTINGS_NAME, project_dir
from tokenbudget.config.management import BUILT_IN, LOCAL, OURS, PROJECT, USER
from tokenbudget.config.names import KNOWN_IN_FILE, MANAGEMENT
from tokenbudget.config.typed import typed_value
from tokenbudget.model.errors import BadConfig, BadRequest
from tokenbudget.system.atomic import write_atomic
from tokenbudget.system.locks import FileLock

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from tokenbudget.config.settings import Settings
    from tokenbudget.model.protocols import Clock

SCOPES = (OURS, USER, PROJECT, LOCAL)

NEW_MODES = {PROJECT: 0o644}
"""The project's file is shared by those who work on it; every other is one person's."""
LOCK_NAME = "config.lock"
LOCK_SECONDS = 3.0
"""An edit takes some milliseconds; whoever holds the lock longer is stuck."""
_FREE_TABLES = ("allocation", "windows", "prices")
"""Tables of config.toml whose keys are a person's own names."""
_FORBIDDEN = ".claude.json"
"""The client rewrites it all the time and loses what others write there."""


class Change(NamedTuple):
    """One edit, made or to be made."""

    path: str
    """The file, where links lead."""
    before: str
    after: str
    backup: str = ""
    """The copy of the old file; '' where there was none, or nothing was written."""

    @property
    def is_any(self) -> bool:
        """Whether something is different."""
        return self.before != self.after


class Edit(NamedTuple):
    """What is to be changed: a path of names in a scope; `value` None takes the key away."""

    path: tuple[str, ...]
    value: object
    scope: str


def edit_of(name: str, text: str | None, scope: str) -> Edit:
    """The edit that a name and a value, as typed, mean; no text takes the key away.

    Raises:
        BadRequest: there is no such setting, or it stands in no file, or in no such file.
    """
    path = _path_of(name, is_removal=text is None)
    if scope != OURS and path[0] != MANAGEMENT:
        raise BadRequest(
            f"{'.'.join(path)} is no setting of the agent's files; leave --scope {scope} out"
        )
    return Edit(path, None if text is None else typed_value(path, text), scope)


def _path_of(name: str, is_removal: bool) -> tuple[str, ...]:
    table, dot, rest = name.partition(".")
    if dot and rest and table in _FREE_TABLES:
        if table != "prices":
            return table, rest
        model, _, field = rest.rpartition(".")
        return (table, model, field) if model else (table, rest)
    if is_removal and dot and rest and table == MANAGEMENT and rest not in BUILT_IN:
        return table, rest  # whoever mistyped a key wants to be rid of it
    found = named(name)
    if len(found) > 1:
        some = ", ".join(setting.name for setting in found[:2])
        raise BadRequest(f"{name} is a table; name one of its settings, such as {some}")
    setting = found[0]
    if setting.name.partition(".")[0] not in KNOWN_IN_FILE:
        raise BadRequest(f"{setting.name} stands in no file; set the variable {setting.variable}")
    return tuple(setting.name.split("."))


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
    is_dry_run: bool = False,
) -> Change:
    """Make an edit, or find out what it would change.

    `judge` is handed the path and the new bytes and raises BadConfig where they would make no
    sense; then nothing is written.

    Raises:
        BadConfig: the file is not as it should be, or cannot be changed by us.
        BadRequest: there is no such file.
    """
    named_path = file_of(settings, edit.scope)
    path = os.path.realpath(named_path)
    _refuse_place(settings, edit.scope, named_path, path)
    if is_dry_run:
        return _changed(path, edit, named_path, judge)
    try:
        return _written(settings, path, edit, named_path, clock, judge)
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
) -> Change:
    os.makedirs(settings.data_dir, 0o700, exist_ok=True)
    lock = FileLock(os.path.join(settings.data_dir, LOCK_NAME))
    _wait_for(lock, clock)
    try:
        seen = _identity(path)
        change = _changed(path, edit, named_path, judge)
        if not change.is_any:
            return change
        os.makedirs(os.path.dirname(path), 0o700, exist_ok=True)
        backup = _backed_up(path, change.before, clock) if seen else ""
        if _identity(path) != seen:
            raise BadConfig(f"{path} was changed by somebody else just now; try again")
        new = change.after.encode()
        write_atomic(path, new, seen[0] if seen else NEW_MODES.get(edit.scope, 0o600))
        if read_regular(path) != new:
            raise BadConfig(f"{path} does not hold what was written; the old one is {backup}")
        return change._replace(backup=backup)
    finally:
        lock.release()


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


def _backed_up(path: str, text: str, clock: Clock) -> str:
    """A copy beside the file, named by the time; several in one second each get their own."""
    import time

    stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(clock.now_ms() / 1000))
    backup = f"{path}.{stamp}.bak"
    number = 1
    while os.path.lexists(backup):
        number += 1
        backup = f"{path}.{stamp}-{number}.bak"
    write_atomic(backup, text.encode())
    return backup
