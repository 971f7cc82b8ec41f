"""Keep the archives in order: let go what rules let go, empty the trash, list anew."""

from __future__ import annotations

import contextlib
from typing import NamedTuple

from tokenbudget.app.archived import records_in
from tokenbudget.app.archiving_steps import index_rows
from tokenbudget.archive.folder import opened_archive
from tokenbudget.archive.retention import GRACE_DAYS, Pruned, prune
from tokenbudget.archive.retire import REASON
from tokenbudget.archive.verify import problem_of
from tokenbudget.model.errors import Refused, TokenBudgetError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from tokenbudget.app.archived import FolderRecords
    from tokenbudget.archive.manifest import ArchiveRecord
    from tokenbudget.archive.rebuild import Rebuilt
    from tokenbudget.archive.retention import Rules
    from tokenbudget.ledger.archive_index import ArchiveRows
    from tokenbudget.system.trash import Emptied, Trash
    from tokenbudget.system.trash_origin import Discarded

TRASH_DAYS = 30
"""So long originals stay in the trash, beside their verified archive, if nobody empties it."""
EMPTY_DAYS = 7
"""What emptying by hand leaves without being told otherwise: last week's."""


class FolderPruned(NamedTuple):
    """What pruning one folder did, or would do; or why it did not."""

    folder: str
    pruned: Pruned
    fault: str = ""
    exit_code: int = 0


def prune_folders(
    folders: Sequence[str],
    rules: Rules,
    now_ms: int,
    *,
    grace_days: int = GRACE_DAYS,
    dry_run: bool,
    index: ArchiveRows | None = None,
) -> list[FolderPruned]:
    """Prune each folder by itself; one that cannot be pruned never keeps the others from it.

    Raises:
        Refused: there is no archive folder at all.
    """
    if not folders:
        raise Refused("no archive is known, so nothing is deleted; tokens archive list shows them")
    return [_pruned(folder, rules, now_ms, grace_days, dry_run, index) for folder in folders]


def _pruned(
    folder: str,
    rules: Rules,
    now_ms: int,
    grace_days: int,
    dry_run: bool,
    index: ArchiveRows | None,
) -> FolderPruned:
    try:
        pruned = prune(folder, rules, now_ms, grace_days=grace_days, dry_run=dry_run)
        if index is not None and not dry_run:
            for name in pruned.deleted:
                index.remove(folder, name)
    except TokenBudgetError as wrong:
        return FolderPruned(folder, Pruned((), (), (), 0), str(wrong), wrong.exit_code)
    return FolderPruned(folder, pruned)


class TrashPlan(NamedTuple):
    """What emptying the trash would remove for good, and what it would leave."""

    ripe: tuple[Discarded, ...]
    """Originals whose archive was read just now, and is whole."""
    unsafe: tuple[tuple[Discarded, str], ...]
    """Originals that stay, and why."""
    young: int
    """Originals that were moved there later."""

    @property
    def ripe_bytes(self) -> int:
        """What it would give back."""
        return sum(found.size_bytes for found in self.ripe)


def originals_in(trash: Trash) -> list[Discarded]:
    """What archiving moved to the trash, oldest first."""
    return [found for found in trash.listing().discarded if found.reason == REASON]


def trash_plan(
    trash: Trash,
    folders: Sequence[str],
    older_than_days: int,
    now_ms: int,
    progress: Callable[[int, int], None],
) -> TrashPlan:
    """Look at each original that is old enough, and read the archive that holds it.

    Only an archive that lists the very bytes, was read whole now, and is not to be deleted counts.
    """
    listing = trash.listing()
    originals = [found for found in listing.discarded if found.reason == REASON]
    latest_ms = now_ms - older_than_days * 86_400_000
    old = [found for found in originals if found.moved_at_ms < latest_ms]
    holders = _holders([records_in(folder) for folder in folders]) if old else {}
    faults: dict[tuple[str, str], str] = {}
    ripe, unsafe = [], []
    for number, found in enumerate(old):
        if found.id in listing.written_since:
            why = "somebody wrote to it in the trash"
        else:
            why = _why_unsafe(holders.get((found.path, found.sha256), ()), faults)
        if why:
            unsafe.append((found, why))
        else:
            ripe.append(found)
        progress(number + 1, len(old))
    return TrashPlan(tuple(ripe), tuple(unsafe), len(originals) - len(old))


def empty_trash(trash: Trash, plan: TrashPlan) -> Emptied:
    """Remove for good what the plan names, and nothing else.

    Raises:
        ProjectUnusable: something cannot be removed; the rest is still there.
    """
    named = {found.id for found in plan.ripe}
    return trash.empty(-1, lambda found: found.id in named)


def _holders(
    folders: Sequence[FolderRecords],
) -> dict[tuple[str, str], list[tuple[str, ArchiveRecord]]]:
    """The archives that list a file of this path and hash."""
    found: dict[tuple[str, str], list[tuple[str, ArchiveRecord]]] = {}
    for one in folders:
        for record in one.records:
            if record.marked_at_ms is None:
                for file in record.files:
                    found.setdefault((file.path, file.sha256), []).append((one.folder, record))
    return found


def _why_unsafe(
    holders: Sequence[tuple[str, ArchiveRecord]], faults: dict[tuple[str, str], str]
) -> str:
    """Why no archive can stand in for an original; '' where one can."""
    if not holders:
        return "no archive holds it"
    for folder, record in holders:
        key = (folder, record.file)
        if key not in faults:
            faults[key] = _fault_of(folder, record)
        if not faults[key]:
            return ""
    return f"its archive is not whole: {faults[holders[0][0], holders[0][1].file]}"


def _fault_of(folder: str, record: ArchiveRecord) -> str:
    try:
        with opened_archive(folder) as opened:
            problem = problem_of(opened, record)
    except TokenBudgetError as wrong:
        return str(wrong)
    return "" if problem is None else problem.message


class Relisted(NamedTuple):
    """What listing a folder anew did, or why it could not."""

    folder: str
    archives: int
    sessions: int
    adopted: tuple[str, ...]
    damaged: tuple[str, ...]
    fault: str = ""
    exit_code: int = 0


def rebuild_indexes(folders: Sequence[str], index: ArchiveRows) -> list[Relisted]:
    """Have every manifest list what is in its folder, and the ledger's index what they say."""
    from tokenbudget.archive.rebuild import rebuild

    def relisted(folder: str) -> Relisted:
        try:
            rebuilt: Rebuilt = rebuild(folder)
            found = records_in(folder)
            rows = [row for record in found.records for row in index_rows(folder, record)]
            index.replace(folder, rows)
        except TokenBudgetError as wrong:
            return Relisted(folder, 0, 0, (), (), str(wrong), wrong.exit_code)
        return Relisted(folder, len(found.records), len(rows), rebuilt.adopted, rebuilt.damaged)

    return [relisted(folder) for folder in folders]


def adopt(folders: Iterable[str], index: ArchiveRows) -> int:
    """List what a run that was killed left unlisted in these folders; the number of sessions.

    It ended between an archive and its manifest, or between the manifest and the index. A manifest
    that is damaged stays as it is: that is for a person to see.
    """
    known = {(one.folder, one.archive_file) for one in index.all()}
    rows = [
        row
        for folder in folders
        for record in _relisted_records(folder)
        if (folder, record.file) not in known
        for row in index_rows(folder, record)
    ]
    if rows:
        index.put(rows)
    return len(rows)


def _relisted_records(folder: str) -> tuple[ArchiveRecord, ...]:
    found = records_in(folder)
    if found.unlisted:
        from tokenbudget.archive.rebuild import rebuild

        with contextlib.suppress(TokenBudgetError):  # somebody else is writing there
            rebuild(folder)
        found = records_in(folder)
    return found.records
