"""Which archives may go: rules as values, and a deletion in two steps, with time to think.

First a mark, days later the deletion, by rules that are asked again. No listing, no deletion: a
folder that is empty or unreadable is more often a mistake than a wish.
"""

from __future__ import annotations

import os
from typing import NamedTuple

from tokenbudget.archive.folder import archive_files, load, locked_archive, save
from tokenbudget.archive.manifest import ArchiveRecord, Manifest
from tokenbudget.archive.verify import problem_of
from tokenbudget.model.errors import Refused
from tokenbudget.system.regular_file import quoted

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

DAY_MS = 86_400_000
GRACE_DAYS = 7


class Rules(NamedTuple):
    """What may go: whatever breaks one of the limits, and is not among the newest `keep_last`.

    `keep_last` counts sessions, the other two look at archive files. None is no limit: empty rules
    let nothing go.
    """

    keep_days: int | None = None
    keep_last: int = 0
    most_bytes: int | None = None


class Pruned(NamedTuple):
    """Archive file names by what was done; after a dry run, by what would be done.

    The sessions are those of which, after it, no copy is left, or only marked ones, or which stay
    because they share an archive with one of the newest.
    """

    marked: tuple[str, ...] = ()
    unmarked: tuple[str, ...] = ()
    deleted: tuple[str, ...] = ()
    freed_bytes: int = 0
    deleted_sessions: tuple[str, ...] = ()
    marked_sessions: tuple[str, ...] = ()
    spared_sessions: tuple[str, ...] = ()


def prunable(records: Iterable[ArchiveRecord], rules: Rules, now_ms: int) -> frozenset[str]:
    """The file names of the archives that the rules let go: those all of whose sessions may go.

    An archive's age counts from when it was made; one from the future is new.
    """
    return _judged(records, rules, now_ms)[0]


def _judged(
    records: Iterable[ArchiveRecord], rules: Rules, now_ms: int
) -> tuple[frozenset[str], tuple[str, ...]]:
    """The archives that may go, and the sessions that may and stay for their company.

    A session that was archived again counts once, by its newest copy.
    """
    newest_first = sorted(records, key=lambda record: (-record.archived_at_ms, record.file))
    chosen, spared = set[str](), list[str]()
    kept_bytes, seen = 0, set[str]()
    for record in newest_first:
        is_old = (
            rules.keep_days is not None
            and now_ms - record.archived_at_ms > rules.keep_days * DAY_MS
        )
        is_over = rules.most_bytes is not None and kept_bytes + record.size_bytes > rules.most_bytes
        new = [session for session in _by_activity(record) if session not in seen]
        kept = set(new[: max(0, rules.keep_last - len(seen))])
        seen.update(new)
        if (is_old or is_over) and not kept:
            chosen.add(record.file)
            continue
        kept_bytes += record.size_bytes
        if is_old or is_over:
            spared += [session for session in record.sessions if session not in kept]
    return frozenset(chosen), tuple(spared)


def _by_activity(record: ArchiveRecord) -> list[str]:
    """The sessions of an archive, the one that was written last first."""
    latest_ns: dict[str, int] = {}
    for file in record.files:
        latest_ns[file.session] = max(file.mtime_ns, latest_ns.get(file.session, 0))
    return sorted(latest_ns, key=lambda session: (-latest_ns[session], session))


def planned(
    manifest: Manifest,
    present: frozenset[str],
    rules: Rules,
    now_ms: int,
    grace_days: int,
    held: frozenset[str] = frozenset(),
) -> Pruned:
    """What a run does: mark what may go now, unmark what may not, delete what was marked long ago.

    An archive file goes only when all its sessions may: one of the newest keeps the whole group.
    Only archives that are present count, so that missing ones protect no others from `keep_last`.
    What has a session of `held` stays, whatever the rules say.
    """
    there = [record for record in manifest.archives if record.file in present]
    chosen, spared = _judged(there, rules, now_ms)
    chosen -= {record.file for record in there if not held.isdisjoint(record.sessions)}
    ripe = [
        record
        for record in there
        if record.file in chosen
        and record.marked_at_ms is not None
        and now_ms - record.marked_at_ms >= grace_days * DAY_MS
    ]
    left = [record for record in there if record not in ripe]
    kept = _sessions(record for record in left if record.file not in chosen)
    fresh = [r for r in there if r.file in chosen and r.marked_at_ms is None]
    return Pruned(
        marked=_names(fresh),
        unmarked=_names(r for r in there if r.file not in chosen and r.marked_at_ms is not None),
        deleted=_names(ripe),
        freed_bytes=sum(record.size_bytes for record in ripe),
        deleted_sessions=_without(_sessions(ripe), _sessions(left)),
        marked_sessions=_without(_sessions(fresh), kept),
        spared_sessions=spared,
    )


def prune(
    folder_path: str,
    rules: Rules,
    now_ms: int,
    *,
    grace_days: int = GRACE_DAYS,
    dry_run: bool = False,
) -> Pruned:
    """Carry the plan out: first the manifest, which then says what is wanted, then the files.

    Killed in between, archives are left that nobody lists: `verify` names them, and nothing is
    lost. A copy of a session goes only where any other that stays was read
    and is whole.

    Raises:
        Refused: there is nothing listed, or nothing of it there; or another process is writing.
        SourceUnreadable: folder or manifest cannot be read.
        ProjectUnusable: it cannot be written.
    """
    with locked_archive(folder_path, may_make=False) as folder:
        manifest = load(folder, folder_path)
        present = frozenset(archive_files(folder))
        if not any(record.file in present for record in manifest.archives):
            raise Refused(f"no listed archive is in {quoted(folder_path)}; nothing is deleted")
        plan = planned(manifest, present, rules, now_ms, grace_days)
        if held := _damaged_elsewhere(folder, manifest, present, plan):
            plan = planned(manifest, present, rules, now_ms, grace_days, held)
        if not dry_run and (plan.marked or plan.unmarked or plan.deleted):
            save(folder, _after(manifest, plan, now_ms))
            for name in plan.deleted:
                os.unlink(name, dir_fd=folder)
            os.fsync(folder)
        return plan


def _damaged_elsewhere(
    folder: int, manifest: Manifest, present: frozenset[str], plan: Pruned
) -> frozenset[str]:
    """The sessions of which one copy is to go, while another that is to stay is not whole."""
    going = set(_sessions(record for record in manifest.archives if record.file in plan.deleted))
    left = [
        record
        for record in manifest.archives
        if record.file in present
        and record.file not in plan.deleted
        and not going.isdisjoint(record.sessions)
    ]
    return frozenset(_sessions(record for record in left if problem_of(folder, record))) & going


def _after(manifest: Manifest, plan: Pruned, now_ms: int) -> Manifest:
    marks = dict.fromkeys(plan.marked, now_ms) | dict.fromkeys(plan.unmarked)
    left = manifest.without(set(plan.deleted)).archives
    return Manifest(
        tuple(r._replace(marked_at_ms=marks[r.file]) if r.file in marks else r for r in left)
    )


def _names(records: Iterable[ArchiveRecord]) -> tuple[str, ...]:
    return tuple(record.file for record in records)


def _sessions(records: Iterable[ArchiveRecord]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(session for record in records for session in record.sessions))


def _without(sessions: Iterable[str], others: Iterable[str]) -> tuple[str, ...]:
    known = set(others)
    return tuple(session for session in sessions if session not in known)
