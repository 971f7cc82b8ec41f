"""Folders and files of a project that programs made: nothing there was written to be read."""

from __future__ import annotations

import os
from typing import NamedTuple

from tokenbudget.resources.looking import MADE_FOLDERS, facts_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from tokenbudget.resources.kind import Place
    from tokenbudget.resources.looking import Folder, Walk

DEEPEST = 4
"""Folders on the way; a workspace keeps its packages less deep."""
MOST_FOLDERS, MOST_FILES = 40, 20
SMALLEST_BUNDLE_BYTES = 50_000
_BUILDERS = {
    "dist": ("package.json", "pyproject.toml", "setup.py"),
    "build": (
        *("package.json", "pyproject.toml", "setup.py", "CMakeLists.txt"),
        *("build.gradle", "build.gradle.kts"),
    ),
    "target": ("Cargo.toml", "pom.xml", "build.sbt"),
    "coverage": ("package.json",),
    "htmlcov": ("pyproject.toml", "setup.py", "setup.cfg", "tox.ini"),
}
"""Names that are a builder's only beside its own file: elsewhere they may be anybody's."""
_BUNDLES = (".min.js", ".min.css", ".bundle.js", ".js.map", ".css.map")


class Made(NamedTuple):
    """A folder that a program made, all folders of one name, or a bundle."""

    name: str
    """As the project knows it; of folders that are meant wherever they are, their name alone."""
    paths: tuple[str, ...]
    is_folder: bool
    is_anywhere: bool
    """Whoever has a folder of this name has it from a program."""

    @property
    def rule(self) -> str:
        """What denies reading it.

        Measured with Claude Code 2.1.329: `./name/**` means every folder of this name, wherever it
        is; `/name/**` the one in the project's own folder.
        """
        start = "./" if self.is_anywhere else "/"
        return f"Read({start}{self.name}/**)" if self.is_folder else f"Read(/{self.name})"

    @property
    def ignore_line(self) -> str:
        """The same for an ignore file, which every tool reads as git does."""
        start = "" if self.is_anywhere else "/"
        return f"{start}{self.name}/" if self.is_folder else f"/{self.name}"


def made_folders(place: Place, walk: Walk, folders: Sequence[Folder]) -> list[Made]:
    """What programs made, the least deep first; folders of one plain name are one."""
    by_name: dict[str, list[str]] = {}
    single = _built(folders)
    for path in walk.made:
        name = os.path.basename(path)
        if name in MADE_FOLDERS:
            by_name.setdefault(name, []).append(path)
        else:
            single.append(path)
    found = [Made(name, tuple(sorted(some)), True, True) for name, some in sorted(by_name.items())]
    for path in sorted(single, key=lambda path: (path.count("/"), path)):
        name = os.path.relpath(path, place.project)
        if name.count("/") < DEEPEST and not any(_is_in(path, one) for one in found):
            found.append(Made(name, (path,), True, False))
    return found[:MOST_FOLDERS]


def bundles(place: Place, folders: Sequence[Folder], outside: Sequence[Made]) -> list[Made]:
    """Minified files of some size that lie in none of these folders."""
    found: list[Made] = []
    for folder in folders:
        if any(_is_in(folder.path + "/", one) for one in outside):
            continue
        for name in folder.files:
            path = os.path.join(folder.path, name)
            facts = facts_of(path) if name.endswith(_BUNDLES) else None
            if facts is not None and facts.size_bytes >= SMALLEST_BUNDLE_BYTES:
                found.append(Made(os.path.relpath(path, place.project), (path,), False, False))
    return found[:MOST_FILES]


def _built(folders: Sequence[Folder]) -> list[str]:
    """Folders with a builder's name beside the builder's own file."""
    paths = [
        os.path.join(folder.path, name)
        for folder in folders
        for name, builders in _BUILDERS.items()
        if name in folder.names and not folder.names.isdisjoint(builders)
    ]
    return [path for path in paths if os.path.isdir(path) and not os.path.islink(path)]


def _is_in(path: str, made: Made) -> bool:
    return any(path.startswith(one + "/") for one in made.paths)
