from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import pytest
from tests.archive.sessions import FILES, FakeClock, bundle_of, write_tree

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
