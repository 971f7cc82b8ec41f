"""Which sessions share an archive file: those that are archived together, up to a size.

Sessions quote the same files and the same prompts, so together they are a quarter smaller than
apart: of 61 MB of real sessions 15.4 % are kept, 20.6 % where each is alone or each file is (which
is why the layout is solid; `tools/bench_archive.py` ends with an error where that is not so). What
it costs is that a session is reached through those before it, at a gigabyte a second.
"""

from __future__ import annotations

from tokenbudget.archive.manifest import CAPS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from tokenbudget.archive.pack import Bundle

GROUP_BYTES = 64 << 20
"""Kept of 61 MB, and the time until the last session of a group is back: 8 MB 18.4 %, 10 ms; 16 MB
17.5 %, 16 ms; 32 MB 15.5 %, 21 ms; 64 MB 15.4 %, 55 ms, half of what `tokens recover` takes in all.
More would find little more to repeat, and a damaged archive takes what is behind the damage along.
"""


def grouped(
    sized: Sequence[tuple[Bundle, int]], most_bytes: int = GROUP_BYTES
) -> list[list[Bundle]]:
    """Groups of bundles, each to be given to `pack`; `sized` are bundles and their raw bytes.

    All of them belong into one archive folder. The order is kept, so whoever gives the sessions by
    age has sessions of like age in a group. A group holds more than `most_bytes` only where one
    session alone does, and never two sessions of one name: the archive of projects that are gone
    has sessions from many folders.
    """
    found: list[list[Bundle]] = []
    group_bytes = 0
    for bundle, size_bytes in sized:
        if not found or not _has_room(found[-1], bundle, group_bytes + size_bytes, most_bytes):
            found.append([])
            group_bytes = 0
        found[-1].append(bundle)
        group_bytes += size_bytes
    return found


def _has_room(group: list[Bundle], bundle: Bundle, bytes_then: int, most_bytes: int) -> bool:
    names = {member.name for other in group for member in other.members}
    is_new = all(other.session != bundle.session for other in group)
    has_new_names = names.isdisjoint(member.name for member in bundle.members)
    is_small = bytes_then <= most_bytes and len(names) + len(bundle.members) <= CAPS.files
    return is_new and has_new_names and is_small
