from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import pytest
from tests.archive.sessions import FILES, OTHER, OTHERS_FILES, FakeClock, bundle_of, write_tree

from tokenbudget.archive.pack import Bundle
from tokenbudget.system.trash import Trash


class Place(NamedTuple):
    """A session's folder with a session in it, an archive folder and a trash, all apart."""

    source: Path
    project: Path
    folder: str
    bundle: Bundle
    clock: FakeClock
    trash: Trash

    @property
    def group(self) -> list[Bundle]:
        """The session and another one, which is written when it is asked for."""
        write_tree(self.source, OTHERS_FILES)
        return [self.bundle, bundle_of(self.source, OTHERS_FILES, OTHER)]


def make_place(root: Path) -> Place:
    source, project = root / "agent", root / "project"
    project.mkdir()
    write_tree(source, FILES)
    clock = FakeClock()
    folder = str(project / ".claude" / "sessions" / "archive")
    trash = Trash(str(root / "data"), clock)
    return Place(source, project, folder, bundle_of(source, FILES), clock, trash)


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return make_place(tmp_path)
