"""What a file of a person held before we changed it, kept under the hash of its bytes.

    <data_dir>/kept/<sha256>

Durable before the change is made, checked when it is read, and the same bytes are kept once.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import re

from tokenbudget.model.errors import ProjectUnusable, Refused, SourceUnreadable
from tokenbudget.system.atomic import write_atomic_at
from tokenbudget.system.regular_file import OPEN_FOLDER, opened_file, opened_folder, quoted

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

FOLDER = "kept"
MOST_BYTES = 4_000_000
"""No file that a person writes is larger."""

_NAME = re.compile(r"[0-9a-f]{64}")


class Kept:
    """The kept contents below one data folder."""

    def __init__(self, data_dir: str) -> None:
        self.data_dir = data_dir

    def put(self, content: bytes) -> str:
        """Keep these bytes, durably; the name to get them by.

        Raises:
            Refused: they are too many, or another's file or a link is in the way.
            ProjectUnusable: they cannot be written.
        """
        if len(content) > MOST_BYTES:
            raise Refused(f"more than {MOST_BYTES:,} bytes are not kept, so nothing was changed")
        name = hashlib.sha256(content).hexdigest()
        try:
            with self._opened() as folder:
                if _held(folder, name) != content:
                    write_atomic_at(folder, name, content)
        except OSError as wrong:
            raise ProjectUnusable(
                f"cannot keep a copy in {quoted(self._path())}: {wrong.strerror}"
            ) from wrong
        return name

    def get(self, name: str) -> bytes:
        """The bytes that `put` was given.

        Raises:
            SourceUnreadable: they are not there, cannot be read, or are not what was kept.
            Refused: a link or another's file is in their place.
        """
        if not _NAME.fullmatch(name):
            raise SourceUnreadable(f"nothing is kept under {quoted(name)}")
        try:
            with self._opened() as folder:
                found = _held(folder, name)
        except (OSError, ProjectUnusable) as wrong:
            raise SourceUnreadable(f"cannot read {quoted(self._path(name))}") from wrong
        if found is None:
            raise SourceUnreadable(
                f"the kept copy {quoted(self._path(name))} is missing or damaged"
            )
        return found

    def _path(self, name: str = "") -> str:
        return os.path.join(self.data_dir, FOLDER, name) if name else self.data_dir

    @contextlib.contextmanager
    def _opened(self) -> Iterator[int]:
        os.makedirs(self.data_dir, mode=0o700, exist_ok=True)
        with opened_folder(self.data_dir) as data:
            with contextlib.suppress(FileExistsError):
                os.mkdir(FOLDER, 0o700, dir_fd=data)
                os.fsync(data)
            try:
                folder = os.open(FOLDER, OPEN_FOLDER | os.O_NOFOLLOW, dir_fd=data)
            except OSError as wrong:
                if wrong.errno not in (errno.ELOOP, errno.ENOTDIR):
                    raise
                raise Refused(
                    f"{quoted(os.path.join(self.data_dir, FOLDER))} is no folder; remove it"
                ) from wrong
            try:
                yield folder
            finally:
                os.close(folder)


def _held(folder: int, name: str) -> bytes | None:
    """What is kept under this name; None where it is missing or not what its name says."""
    try:
        with opened_file(folder, name, name, may_have_links=True) as found:
            content = os.pread(found, MOST_BYTES + 1, 0)
    except SourceUnreadable:
        return None
    return content if hashlib.sha256(content).hexdigest() == name else None
