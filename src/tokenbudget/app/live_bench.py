"""The ledger kept open from one tick to the next, each time with everything that was written since.

It is opened anew where its file is another one, and where a tick had to go on in a passing copy.
"""

from __future__ import annotations

import os

from tokenbudget.app import Terminal, Workbench, bring_up_to_date, open_workbench
from tokenbudget.app import transcript_folders as transcript_tops
from tokenbudget.app.statusline import take_reports
from tokenbudget.collector.ingest import Want
from tokenbudget.ledger.store import TEMPORARY
from tokenbudget.model.errors import BadConfig

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tokenbudget.config.settings import Settings
    from tokenbudget.model.protocols import Clock

SILENT = Terminal(warn=lambda text: None, progress=lambda done, total: None)


class LiveBench:
    """A workbench that is fresh at each tick; used in the thread in which it was made.

    Args:
        settings_of: Reads the settings, and tells what last good values had to bridge; asked every
            tick, so that a change takes effect.
        from_paths: Read these instead of the ledger.
        zone_name: Whose times are meant.
        clock: Tells the time.
    """

    def __init__(
        self,
        settings_of: Callable[[Callable[[str], None]], Settings],
        from_paths: Sequence[str] = (),
        zone_name: str | None = None,
        clock: Clock | None = None,
    ) -> None:
        self._settings_of = settings_of
        self._from_paths = from_paths
        self._zone_name = zone_name
        self._clock = clock
        self._bench: Workbench | None = None
        self._file_id: tuple[int, int] | None = None
        self.warnings: list[str] = []
        """What was told since the last tick began."""

    def fresh(self, tops: Sequence[str] | None = None) -> Workbench:
        """The workbench, with everything that was written since, held still; `rest` follows.

        `tops` says where to look for what is new, if not everywhere; nowhere if it is empty.

        Raises:
            TokenBudgetError: there is nothing to read from; the next call tries again.
        """
        self.warnings = []
        told = SILENT._replace(warn=self.warnings.append)
        settings = self._settings()
        if self._bench is not None and _file_id(self._bench.ledger.path) != self._file_id:
            self.close()  # it was removed, or moved aside: nobody would read what is written there
        if self._bench is None:
            self._bench = open_workbench(
                settings, told, Want.USAGE, self._zone_name, self._from_paths, self._clock
            )
            self._file_id = _file_id(self._bench.ledger.path)
        else:
            self._take_in(self._bench, settings, tops, told)
        take_reports(self._bench)
        self._bench.ledger.hold_still()
        return self._bench

    def _take_in(
        self, bench: Workbench, settings: Settings, tops: Sequence[str] | None, told: Terminal
    ) -> None:
        bench.settings = settings
        if tops is None:
            tops = [os.path.abspath(path) for path in self._from_paths] or transcript_tops(settings)
        if tops:
            is_kept = bench.ledger.path != TEMPORARY
            bring_up_to_date(bench, tops, Want.USAGE, told, is_kept)

    def rest(self) -> None:
        """End the tick: the ledger can be written to, and what was a copy is left.

        Where the ledger was busy for a moment the tick went on in a copy; the next need not.
        """
        if self._bench is None:
            return
        self._bench.ledger.let_go()
        if self._bench.ledger.path == TEMPORARY and not self._from_paths:
            self.close()

    def close(self) -> None:
        """Close the ledger; harmless when it is closed."""
        if self._bench is not None:
            self._bench.ledger.close()
            self._bench = None

    def _settings(self) -> Settings:
        """The settings now; those of the tick before where they cannot be meant any more."""
        try:
            return self._settings_of(self.warnings.append)
        except BadConfig as fault:
            if self._bench is None:
                raise
            self.warnings.append(f"{fault}; until then the settings stay as they were")
            return self._bench.settings


def _file_id(path: str) -> tuple[int, int] | None:
    """What tells a file from another one of the same name; None where there is none."""
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_dev, found.st_ino
