"""Open a ledger for a rebuild: the one that is there, or a new one in place of a damaged one."""

from __future__ import annotations

import os
from datetime import UTC, datetime

from tokenbudget.ledger.connection import check_tables
from tokenbudget.ledger.salvage import responses_in
from tokenbudget.ledger.store import Ledger
from tokenbudget.model.errors import LedgerDamaged, LedgerUnusable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_SIDE_FILES = ("", "-wal", "-shm")

FORGETFUL = ", the alerts forgot what is silenced, acknowledged or told already"
"""What to say where the state of the alerts could not be read."""

UNDOING_LESS = ", a part of what tokens undo could take back is unknown now"
"""What to say where the journal could not be read as a whole."""

UNMEASURED = ", what some actions of the controller freed is unknown now"
"""What to say where a receipt could not be read."""


def salvaged_ledger(
    path: str, thresholds: Sequence[int], now_ms: int, warn: Callable[[str], None]
) -> Ledger:
    """Open the ledger at `path`; if it is damaged, a new one with what could be saved.

    Raises:
        LedgerUnusable: the place cannot be written.
        LedgerTooNew: a newer program wrote it; that is no damage.
    """
    try:
        return _sound_ledger(path, thresholds)
    except LedgerDamaged as exc:
        aside = _move_aside(path, now_ms)
        ledger = Ledger(path, thresholds)
        try:
            saved = ledger.take_over(aside)
        except BaseException:
            ledger.close()
            raise
        cause = " ".join(str(exc.__cause__ or exc).split())  # a check's finding has several lines
        warn(
            f"the ledger was damaged ({cause}); {saved.responses:,} responses were saved"
            f"{_loss(responses_in(aside), saved.responses)}"
            f"{FORGETFUL if saved.is_memory_lost else ''}"
            f"{UNDOING_LESS if saved.is_journal_lost else ''}"
            f"{UNMEASURED if saved.are_receipts_lost else ''}, and the old file was kept as {aside}"
        )
        return ledger


def _loss(held: int | None, saved: int) -> str:
    """What to say of the responses that were not saved, of as many as the file `held`."""
    if held is None:
        return ", an unknown number could not be read"
    return f", up to {held - saved:,} could not be read" if held > saved else ""


def _sound_ledger(path: str, thresholds: Sequence[int]) -> Ledger:
    ledger = Ledger(path, thresholds)
    try:
        ledger.check()
        check_tables(path)
    except BaseException:
        ledger.close()  # an open connection would outlive the file's move
        raise
    return ledger


def _move_aside(path: str, now_ms: int) -> str:
    stamp = datetime.fromtimestamp(now_ms / 1000, UTC).strftime("%Y%m%d-%H%M%S")
    aside = f"{path}.damaged-{stamp}"
    try:
        for suffix in _SIDE_FILES:
            if os.path.exists(path + suffix):
                os.rename(path + suffix, aside + suffix)
    except OSError as exc:
        raise LedgerUnusable(f"cannot move {path} aside ({exc.strerror}); do it by hand") from exc
    return aside
