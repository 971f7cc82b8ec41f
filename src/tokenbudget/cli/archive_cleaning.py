"""`tokens archive prune`, `empty-trash`, `rebuild-index`: what may go, and what is listed anew."""

from __future__ import annotations

import os

from tokenbudget.app.archive_upkeep import (
    EMPTY_DAYS,
    empty_trash,
    prune_folders,
    rebuild_indexes,
    trash_plan,
)
from tokenbudget.app.archived import records_in
from tokenbudget.archive.retention import GRACE_DAYS, Rules
from tokenbudget.cli.archive_desk import Desk, rows_meant, rows_of
from tokenbudget.cli.asking import is_wanted
from tokenbudget.cli.options import show
from tokenbudget.cli.terminal import warn
from tokenbudget.model.errors import BadRequest, Refused
from tokenbudget.reports.archive_pruned import (
    PruneView,
    prune_document,
    prune_lines,
    rebuilt_document,
    rebuilt_lines,
    trash_document,
    trash_plan_lines,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Sequence

NOT_SO = 1
"""Exit code where something is not as it should be."""


def prune(options: Namespace, desk: Desk) -> int:
    """Let go what rules let go: marked first, deleted by a later run."""
    rules = Rules(options.keep_days, options.keep_last or 0, options.most_bytes)
    if rules.keep_days is None and rules.most_bytes is None:
        raise BadRequest(
            "without a rule nothing is old: say --keep-days DAYS or --most-bytes SIZE"
            " (--keep-last N protects the newest N of each folder)"
        )
    folders = _folders_of(options, desk)
    grace = GRACE_DAYS if options.grace_days is None else options.grace_days
    now_ms = desk.clock.now_ms()
    plan = prune_folders(folders, rules, now_ms, grace_days=grace, dry_run=True)
    home, is_dry = desk.settings.home_dir, options.dry_run
    is_any = any(any(one.pruned[:3]) for one in plan)
    planned = PruneView(plan, grace, is_done=False, home=home)
    if not options.json:
        show(prune_lines(planned))
    is_deleting = any(one.pruned.deleted for one in plan)
    question = "\nDo it?" + (" What is deleted is gone for good." if is_deleting else "")
    if is_dry or not is_any or not is_wanted(question, options.yes):
        if options.json:
            show([prune_document(planned)])
        elif is_any:
            show(["", "Nothing was changed."])
        return _gravest(plan)
    index = None if desk.ledger is None else desk.ledger.archives
    done = prune_folders(folders, rules, now_ms, grace_days=grace, dry_run=False, index=index)
    view = PruneView(done, grace, is_done=True, home=home)
    show([prune_document(view)] if options.json else ["", *prune_lines(view)])
    return _gravest(done)


def _folders_of(options: Namespace, desk: Desk) -> Sequence[str]:
    if options.project is None:
        return desk.folders
    rows = rows_meant(options, desk, [records_in(folder) for folder in desk.folders])
    meant = {row.folder for row in rows}
    shared = {
        row.folder
        for row in rows_of(desk, [records_in(f) for f in meant])
        if row.project not in {other.project for other in rows}
    }
    if shared:
        raise Refused("sessions of other projects lie in the same archive; leave --project out")
    return [folder for folder in desk.folders if folder in meant]


def _gravest(found: Sequence[object]) -> int:
    return max((int(getattr(one, "exit_code", 0)) for one in found), default=0)


def clear_trash(options: Namespace, desk: Desk) -> int:
    """Remove originals for good whose archives are whole."""
    older = EMPTY_DAYS if options.older_than is None else options.older_than
    plan = trash_plan(desk.trash, desk.folders, older, desk.clock.now_ms(), _unheard)
    is_dry = options.dry_run
    if not options.json:
        show(trash_plan_lines(plan, older, desk.settings.home_dir))
    is_meant = bool(plan.ripe) and not is_dry
    is_done = is_meant and is_wanted("\nRemove them for good?", options.yes)
    if is_done and not options.yes:  # an archive may be gone since the person began to think
        again = trash_plan(desk.trash, desk.folders, older, desk.clock.now_ms(), _unheard)
        plan = plan._replace(ripe=tuple(one for one in plan.ripe if one in again.ripe))
    freed = empty_trash(desk.trash, plan).bytes if is_done else 0
    if options.json:
        show([trash_document(plan, older, freed, is_done=is_done)])
    elif is_done:
        from tokenbudget.reports.archive_words import size

        show(["", f"Removed for good: {size(freed)}. The archives hold every byte of it."])
    elif is_meant:
        show(["Nothing was changed."])
    return NOT_SO if plan.unsafe else 0


def _unheard(done: int, total: int) -> None:
    """Files, not bytes: no bar."""


def rebuild_index(options: Namespace, desk: Desk) -> int:
    """Have manifests and the ledger's index list what lies in the archives."""
    from tokenbudget.app import LEDGER_NAME
    from tokenbudget.ledger.store import Ledger as Opened

    if desk.ledger is None:
        os.makedirs(desk.settings.data_dir, mode=0o700, exist_ok=True)
        with Opened(os.path.join(desk.settings.data_dir, LEDGER_NAME)) as ledger:
            found = rebuild_indexes(desk.folders, ledger.archives)
    else:
        found = rebuild_indexes(desk.folders, desk.ledger.archives)
    for one in found:
        if one.fault:
            warn(one.fault)
    home = desk.settings.home_dir
    show([rebuilt_document(found)] if options.json else rebuilt_lines(found, home))
    is_damaged = any(one.damaged for one in found)
    return _gravest(found) or (NOT_SO if is_damaged else 0)
