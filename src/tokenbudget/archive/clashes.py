"""Names that are two where a session was archived and one where it is given back.

What a file system calls the same (case, composed letters) only the file system knows. So it is
asked, with empty folders of these names: whether the one is found by the name of the other.
"""

from __future__ import annotations

import contextlib
import os
import unicodedata

from tokenbudget.model.errors import Refused
from tokenbudget.system.regular_file import OPEN_FOLDER, quoted

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

PROBE = "probe"


def refuse_clashes(folder: int, names: Iterable[str]) -> None:
    """Make sure that these names lead to different files, where this open folder lies.

    Raises:
        Refused: two of them are one name there.
        OSError: the system does not take one of the names at all.
    """
    seen: dict[str, str] = {}
    for way in sorted({way for name in names for way in _ways(name)}):
        other = seen.setdefault(unicodedata.normalize("NFC", way).casefold(), way)
        if other != way and _is_one_here(folder, other, way):
            raise Refused(
                f"{quoted(other)} and {quoted(way)} are one name on this file system; "
                "recover to a folder on another one"
            )


def _ways(name: str) -> Iterator[str]:
    """A name and the folders on the way to it."""
    parts = name.split("/")
    return ("/".join(parts[:count]) for count in range(1, len(parts) + 1))


def _is_one_here(folder: int, one: str, other: str) -> bool:
    pairs = zip(one.split("/"), other.split("/"), strict=True)
    os.mkdir(PROBE, 0o700, dir_fd=folder)
    try:
        with _opened_probe(folder) as probe:
            return all(_is_one_name(probe, *pair) for pair in pairs)
    finally:
        os.rmdir(PROBE, dir_fd=folder)


def _is_one_name(probe: int, one: str, other: str) -> bool:
    os.mkdir(one, 0o700, dir_fd=probe)
    try:
        os.stat(other, dir_fd=probe, follow_symlinks=False)
    except FileNotFoundError:
        return False
    finally:
        os.rmdir(one, dir_fd=probe)
    return True


def remove_probe(folder: int) -> None:
    """Take away what a process that was killed while asking has left in this folder."""
    with contextlib.suppress(FileNotFoundError):
        with _opened_probe(folder) as probe:
            for left in os.listdir(probe):
                os.rmdir(left, dir_fd=probe)
        os.rmdir(PROBE, dir_fd=folder)


@contextlib.contextmanager
def _opened_probe(folder: int) -> Iterator[int]:
    probe = os.open(PROBE, OPEN_FOLDER | os.O_NOFOLLOW, dir_fd=folder)
    try:
        yield probe
    finally:
        os.close(probe)
