"""Where the originals of what was shortened are, and how long they stay."""

from __future__ import annotations

import contextlib
from pathlib import Path

from tokenbudget.archive.spill import Pruned, Spill
from tokenbudget.model.errors import TokenBudgetError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tokenbudget.config.settings import Settings
    from tokenbudget.model.protocols import Clock

FOLDER = "spill"
DAY_MS = 86_400_000
MEGABYTE = 1_000_000
PRUNE_AGAIN_MS = 3_600_000
"""Days are what counts; whoever keeps the figures of the status line asks every few seconds."""


def spill_of(data_dir: str, clock: Clock) -> Spill:
    """The spill of a data folder; it is made when something is kept."""
    return Spill(Path(data_dir) / FOLDER, clock)


def prune_spill(settings: Settings, clock: Clock) -> Pruned:
    """Remove what `[spill]` says is kept no longer.

    Raises:
        ProjectUnusable: it cannot be written.
        BadConfig: `[spill]` cannot be meant.
    """
    limits = settings.spill_settings()
    oldest_ms = clock.now_ms() - limits.keep_days * DAY_MS
    return spill_of(settings.data_dir, clock).prune(oldest_ms, limits.most_mb * MEGABYTE)


def prune_spill_when_due(settings: Settings, clock: Clock) -> None:
    """The same where no daemon runs: once an hour, and a fault stays without words."""
    spill = spill_of(settings.data_dir, clock)
    if spill.folder.is_dir() and clock.now_ms() - spill.pruned_at_ms() >= PRUNE_AGAIN_MS:
        with contextlib.suppress(TokenBudgetError):
            prune_spill(settings, clock)
