"""Folders that are nobody else's, also where the umask lets others in."""

from __future__ import annotations

import contextlib
import os

PRIVATE = 0o700
_MOST_LEVELS = 64


def make_private(path: str) -> None:
    """Have a folder there; every level that has to be made for it is for its owner alone.

    `os.makedirs` gives its mode to the last level only. Levels that are there are left as they are.

    Raises:
        OSError: it cannot be made, or what has its name is no folder.
    """
    missing: list[str] = []
    level = path
    while level and not os.path.isdir(level) and len(missing) < _MOST_LEVELS:
        missing.append(level)
        level = os.path.dirname(level)
    for level in reversed(missing):
        with contextlib.suppress(FileExistsError):  # another process was first
            os.mkdir(level, PRIVATE)
    if missing and not os.path.isdir(path):
        raise NotADirectoryError(f"{path} is no folder")
