"""Whether files are still the ones that they were."""

from __future__ import annotations

import os
import stat

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence


def marks_of(paths: Sequence[str]) -> list[tuple[int, int, int] | None]:
    """Another value when one of the files is another one; to be gone is a value as well."""
    return [_mark(path) for path in paths]


def _mark(path: str) -> tuple[int, int, int] | None:
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino


def socket_mark(path: str) -> tuple[int, int] | None:
    """Which socket has this name; None where it is none."""
    try:
        found = os.lstat(path)
    except OSError:
        return None
    return (found.st_dev, found.st_ino) if stat.S_ISSOCK(found.st_mode) else None
