"""Where `tokens install` wires: the settings file of a scope, and the folder of commands."""

from __future__ import annotations

import os
from typing import NamedTuple

from tokenbudget.app.compacting_place import project_meant
from tokenbudget.config.editing import file_of
from tokenbudget.config.management import LOCAL, PROJECT, USER
from tokenbudget.model.errors import BadRequest, Refused, SourceUnreadable
from tokenbudget.system.regular_file import quoted
from tokenbudget.system.rooted import Rooted

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from tokenbudget.config.settings import Settings
    from tokenbudget.system.rooted import Found

SCOPES = (USER, PROJECT, LOCAL)


class Target(NamedTuple):
    """One scope, as files."""

    scope: str
    named_path: str
    """The settings file as a person calls it."""
    settings_path: str
    """The same, of a project where links lead."""
    folder: str
    """The agent's: commands and skills lie below it."""
    project: str
    """'' for the user's."""

    @property
    def roots(self) -> tuple[str, ...]:
        """What may be touched."""
        if self.project:
            return (self.project,)
        top = self.folder
        while not os.path.lexists(top):  # of an agent that never ran: made with the first file
            top = os.path.dirname(top)
        return (self.settings_path, top, *linked_folders(self.folder))

    def path_of(self, name: str) -> str:
        """Where a command or skill of this name lies; a person's own folders may be links."""
        kind, _, rest = name.partition("/")
        top = os.path.join(self.folder, kind)
        is_linked = not self.project and os.path.islink(top)
        return os.path.join(os.path.realpath(top) if is_linked else top, rest)

    def holds(self, path: str) -> bool:
        """Whether a path is one of this scope: its settings file, or a command or skill of it."""
        if os.path.basename(path).startswith("settings."):
            return path == self.settings_path
        if self.scope == LOCAL:
            return False
        tops = (self.folder, *(() if self.project else linked_folders(self.folder)))
        return any(path.startswith(top.rstrip("/") + "/") for top in tops)

    def read(self, path: str) -> Found | None:
        """A file of this scope; None where there is none. Raises as `Rooted.read`."""
        return Rooted(self.roots).read(path)

    def text_at(self, path: str) -> str | None:
        """The text of a file of this scope; None where there is none.

        Raises:
            Refused: it is a link, special, another's, no text, or lies outside.
            SourceUnreadable: it may not be read.
        """
        found = self.read(path)
        try:
            return None if found is None else found.content.decode()
        except UnicodeDecodeError as wrong:
            raise Refused(f"{quoted(path)} is no UTF-8 text; change it by hand") from wrong


def linked_folders(folder: str) -> list[str]:
    """Where the agent's folders of commands and skills lead, if a person has made them links."""
    tops = (os.path.join(folder, kind) for kind in ("commands", "skills"))
    return [os.path.realpath(top) for top in tops if os.path.islink(top)]


def target_of(settings: Settings, scope: str) -> Target:
    """The files of a scope.

    Raises:
        BadRequest: there is no such scope, or no project here.
        Refused: what is here is no project, or its settings lie outside of it.
    """
    if scope not in SCOPES:
        raise BadRequest(f"'{scope}' is no scope; write {', '.join(SCOPES)}")
    named = os.path.abspath(file_of(settings, scope))
    if scope == USER:
        return Target(scope, named, named, os.path.dirname(named), "")
    project = os.path.realpath(project_meant(settings, None))
    real = os.path.realpath(named)
    if not real.startswith(project.rstrip("/") + "/"):
        raise Refused(f"{named} leads out of the project, to {real}; change that file by hand")
    return Target(scope, named, real, os.path.join(project, ".claude"), project)


def targets_here(settings: Settings) -> Iterator[Target]:
    """Every scope that there is here; one that cannot be used is passed over."""
    for scope in SCOPES:
        try:
            yield target_of(settings, scope)
        except (BadRequest, Refused, SourceUnreadable):
            if scope == USER:
                raise
