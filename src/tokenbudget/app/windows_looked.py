"""The window of a session for whoever looks at it every minute, at a cost that does not grow.

`windows.window_in_ledger` follows a transcript from its beginning. Here the reader and the replay
are carried from one look to the next, and are fed what is new; where anything before is no longer
what it was, all begins anew. The answer is the same, but for the way there: samples and forecast,
for which nobody asks here.

What was learnt of a model's way of counting is gone by longer than elsewhere: with other counts
every piece of the session is another one, and the whole is replayed.
"""

from __future__ import annotations

import os
from typing import NamedTuple

from tokenbudget.app.live import SILENT
from tokenbudget.app.transcripts import transcript_of
from tokenbudget.app.windows import (
    FEW_STEPS,
    FRESH_MS,
    fits_for,
    measurer_of,
    own_figures,
    window_in_ledger,
)
from tokenbudget.metering.price_table import AS_OF

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection

    from tokenbudget.analysis.session_window import SessionWindow
    from tokenbudget.analysis.window_followed import FollowedWindow
    from tokenbudget.analysis.window_report import Followed, OwnFigures
    from tokenbudget.app import Workbench
    from tokenbudget.collector.measuring import Measurer
    from tokenbudget.ledger.windows import WindowFile
    from tokenbudget.sources.claude_code.window_kept import KeptTranscripts

LEARNT_MS = 86_400_000
"""What was learnt from enough steps is gone by so long; from few, `windows.FRESH_MS`."""


class _Made(NamedTuple):
    """What a carried window was made of; of anything else it would be another one."""

    file_id: int
    generation: tuple[int, int] | None
    counter: str
    prices: str


class _End(NamedTuple):
    """How far the pieces of a transcript went, and check sums of what stands before."""

    offset: int
    sums: tuple[int, int]


class _Carried:
    """A session's window between two looks."""

    def __init__(self, path: str, followed: FollowedWindow, made: _Made, now_ms: int) -> None:
        self.path = path
        self.followed = followed
        self.made = made
        self.learnt_ms = now_ms
        """When it was asked last whether there is more to learn of how the model counts."""
        self.end = _End(0, (0, 0))
        self.model = ""
        """The session's own, at the last look."""
        self.is_learnt = True
        """Whether that was asked when it was that model already."""


class LookedWindows:
    """What is carried of any number of sessions; one for each process."""

    def __init__(self) -> None:
        self._carried: dict[str, _Carried] = {}
        self._transcripts: tuple[str, KeptTranscripts] | None = None

    def keep_only(self, sessions: Collection[str]) -> None:
        """Forget all others."""
        for session in self._carried.keys() - sessions:
            del self._carried[session]
        if self._transcripts is not None:
            self._transcripts[1].keep_only([one.path for one in self._carried.values()])

    def window(self, bench: Workbench, session: str) -> SessionWindow:
        """The window of a session's main thread, without samples and forecast.

        Raises:
            LedgerUnusable: it cannot be written now. BadConfig: as `windows.limits_of`.
        """
        own = own_figures(bench.settings)  # before anything is let go of: they may be wrong
        transcripts = self._reader(bench.settings.home_dir)
        measurer = measurer_of(bench, transcripts)
        file, _ = transcript_of(bench, lambda: measurer, session, "")
        if file is None or file.is_gone or not os.path.lexists(file.path):
            return self._whole(bench, session)
        before = self._carried.pop(session, None)  # until this look has gone well
        carried = None
        if before is not None and not self._is_to_learn(bench, before):
            measurer.bring_up_to_date([file], SILENT.progress)
            if self._is_as_it_was(bench, before, file):
                carried = before
        way = None if carried is None else carried.followed.look(bench.ledger)
        if carried is None or way is None:
            carried = _begun(bench, session, file, measurer)
            way = carried.followed.look(bench.ledger)
        if way is None:
            return self._whole(bench, session)
        found = _window(bench, session, file, measurer, carried, own, way)
        carried.is_learnt = carried.model in ("", found.model)
        carried.model, carried.end = found.model, _end(bench, file)
        self._carried[session] = carried
        return found

    def _reader(self, home_dir: str) -> KeptTranscripts:
        from tokenbudget.sources.claude_code.window_kept import KeptTranscripts

        if self._transcripts is None or self._transcripts[0] != home_dir:
            self._transcripts = home_dir, KeptTranscripts(home_dir)
        return self._transcripts[1]

    def _whole(self, bench: Workbench, session: str) -> SessionWindow:
        self._carried.pop(session, None)
        return window_in_ledger(bench, session, "", SILENT)._replace(samples=(), crossings=())

    def _is_to_learn(self, bench: Workbench, carried: _Carried) -> bool:
        """Whether it is time to ask whether there is more to learn."""
        if not carried.is_learnt:
            return True
        steps = carried.followed.fit_of(carried.model).steps
        fresh_ms = LEARNT_MS if steps >= FEW_STEPS else FRESH_MS
        return not 0 <= bench.clock.now_ms() - carried.learnt_ms < fresh_ms

    def _is_as_it_was(self, bench: Workbench, carried: _Carried, file: WindowFile) -> bool:
        """Whether the transcript still begins with what was replayed."""
        if _made(bench, file) != carried.made:
            return False
        try:
            sums = self._reader(bench.settings.home_dir).fingerprint(file.path, carried.end.offset)
        except OSError:
            return False
        return sums == carried.end.sums and _end(bench, file).offset >= carried.end.offset


def _begun(bench: Workbench, session: str, file: WindowFile, measurer: Measurer) -> _Carried:
    from tokenbudget.analysis.calibrating import chooser
    from tokenbudget.analysis.window_followed import FollowedWindow

    fits = fits_for(bench, [file], SILENT, measurer)
    followed = FollowedWindow(session, file.file_id, chooser(fits), bench.book)
    return _Carried(file.path, followed, _made(bench, file), bench.clock.now_ms())


def _window(
    bench: Workbench,
    session: str,
    file: WindowFile,
    measurer: Measurer,
    carried: _Carried,
    own: OwnFigures,
    way: Followed,
) -> SessionWindow:
    from tokenbudget.analysis.window_report import window_where

    return window_where(
        bench.ledger,
        session,
        file,
        "",
        carried.followed.fit_of,
        own,
        lambda key: measurer.rebuilt(file, key),
        way,
    )


def _made(bench: Workbench, file: WindowFile) -> _Made:
    """Asked after the transcript was counted."""
    windows = bench.ledger.windows
    now = windows.file_of(file.file_id)
    counter = "" if now is None else now.counter
    prices = repr((AS_OF, bench.settings.prices))
    return _Made(file.file_id, windows.generation_of(file.file_id), counter, prices)


def _end(bench: Workbench, file: WindowFile) -> _End:
    now = bench.ledger.windows.file_of(file.file_id)
    return (
        _End(0, (0, 0)) if now is None else _End(now.measured_bytes, (now.head_sum, now.tail_sum))
    )
