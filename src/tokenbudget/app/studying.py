"""Study transcripts: count them, read them once more for their words, and keep what came of it."""

from __future__ import annotations

import os
from typing import NamedTuple

from tokenbudget.analysis.calibrating import chooser
from tokenbudget.analysis.study_bill import Biller
from tokenbudget.analysis.study_build import NO_WORDS, Material, Rules, study_file
from tokenbudget.analysis.study_view import Words
from tokenbudget.app import Terminal
from tokenbudget.app.archived_bodies import ArchivedWindows
from tokenbudget.app.study_bytes import decoded, encoded
from tokenbudget.app.transcripts import where_it_is
from tokenbudget.app.windows import fits_for, measurer_of
from tokenbudget.model import window
from tokenbudget.sources.claude_code.source import ClaudeCode

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import TypeAlias

    from tokenbudget.analysis.study import FileStudy
    from tokenbudget.app import Workbench
    from tokenbudget.ledger.studies import StudiedFile
    from tokenbudget.metering.calibration import Fit

    Kept: TypeAlias = Mapping[int, tuple[str, bytes]]
    Studies: TypeAlias = tuple[FileStudy, ...]

KEPT_AT_ONCE = 16
"""So many new studies are kept in one commit: what an interruption can cost."""


class _Made(NamedTuple):
    studies: Studies
    is_whole: bool
    """Whether its words could be read; what is not is tried again the next time."""


def study_files(
    bench: Workbench,
    stale: Sequence[StudiedFile],
    kept: Kept,
    made_of: Callable[[StudiedFile], str],
    terminal: Terminal,
    notes: list[str],
) -> dict[int, Studies]:
    """Study these transcripts and keep the studies; what is to be said of it goes to `notes`.

    Raises:
        LedgerUnusable: the ledger cannot be written.
    """
    here = [_where(bench, one) for one in stale]
    total = sum(one.file.size_bytes for one in here if not one.file.is_gone) or 1
    study = _Studying(bench, _fits(bench, here, total, terminal))
    found: dict[int, Studies] = {}
    waiting: list[tuple[int, str, bytes]] = []
    done = 0
    for one, asked in zip(here, stale, strict=True):
        old = kept.get(one.file.file_id)
        made = study.made(one, None if old is None else decoded(old[1]))
        done += 0 if one.file.is_gone else one.file.size_bytes
        terminal.progress(total + done, 2 * total)
        if made is None:
            continue
        found[one.file.file_id] = made.studies
        body = encoded(made.studies) if made.is_whole else None
        if body is not None:
            waiting.append((one.file.file_id, made_of(asked), body))
        if len(waiting) >= KEPT_AT_ONCE:
            _keep(bench, waiting)
    _keep(bench, waiting)
    notes += study.notes()
    return found


def _where(bench: Workbench, studied: StudiedFile) -> StudiedFile:
    """The transcript as being there, where it is or an archive has it, else as gone.

    The ledger does not know of one that went with a folder which is no longer looked into.
    """
    file = studied.file._replace(is_gone=not os.path.lexists(studied.file.path))
    file = where_it_is(bench, lambda: measurer_of(bench), file)
    return studied._replace(file=file)


def _fits(
    bench: Workbench, here: Sequence[StudiedFile], total: int, terminal: Terminal
) -> Mapping[str, Fit]:
    """Count what is new; the first half of the progress, which never goes back."""
    most = 0

    def progress(done: int, size: int) -> None:
        nonlocal most  # files of a sample to learn from are counted behind these
        most = max(most, round(total * done / max(size, 1)))
        terminal.progress(most, 2 * total)

    files = [one.file for one in here if not one.file.is_gone]
    return fits_for(bench, files, Terminal(terminal.warn, progress))


def _keep(bench: Workbench, waiting: list[tuple[int, str, bytes]]) -> None:
    if not waiting:
        return
    bench.ledger.let_go()
    try:
        bench.ledger.studies.keep(waiting)
    finally:
        bench.ledger.hold_still()
    waiting.clear()


class _Studying:
    """Studies one transcript after the other, and remembers what went wrong."""

    def __init__(self, bench: Workbench, fits: Mapping[str, Fit]) -> None:
        from tokenbudget.analysis.drains.catalogue import DRAINS

        self._bench = bench
        self._source = ArchivedWindows(ClaudeCode(bench.settings.home_dir), bench.bodies)
        self._faults: dict[str, list[str]] = {}
        self._unread: list[str] = []
        self._rules = Rules(
            Biller(bench.book, bench.zone.spans()),
            chooser(fits),
            bench.settings.windows,
            DRAINS,
            self._note_fault,
        )

    def made(self, one: StudiedFile, old: Studies | None) -> _Made | None:
        """The study of a transcript; None where nothing is known of it but its bill.

        Where the words are gone for good, what was seen in them before is kept.
        """
        store, file_id = self._bench.ledger.studies, one.file.file_id
        rows = self._bench.ledger.windows.pieces(file_id)
        if one.file.is_gone and not rows and old is None:
            return None
        words = None if one.file.is_gone else self._words(one.file.path)
        signals = self._bench.ledger.session_signals
        material = Material(
            one,
            rows,
            self._bench.ledger.windows.requests(file_id),
            store.billed(file_id, one.session_ids),
            store.calls(file_id),
            words or NO_WORDS,
            signals.own_boundaries(one.file.session),
        )
        studies = study_file(material, self._rules)
        if one.file.is_gone:
            return _Made(_with_sightings(studies, old or ()), is_whole=True)
        return _Made(studies, is_whole=words is not None)

    def notes(self) -> list[str]:
        """What went wrong, a sentence each."""
        notes = [
            f"the detector {name} failed in {_transcripts(len(reasons))} ({reasons[0]}):"
            " its findings there are missing"
            for name, reasons in self._faults.items()
        ]
        if self._unread:
            them = "it" if len(self._unread) == 1 else "them"
            notes.append(
                f"{_transcripts(len(self._unread))} could not be read ({self._unread[0]}):"
                f" what was counted of {them} before is told"
            )
        return [*notes, *self._bench.bodies.faults]

    def _note_fault(self, drain: str, exc: Exception) -> None:
        self._faults.setdefault(drain, []).append(type(exc).__name__)

    def _words(self, path: str) -> Words | None:
        try:
            texts = {
                (placed.offset, placed.position): placed.piece.text
                for placed in self._source.window(path)
                if placed.piece.kind != window.END
            }
            return Words(texts, self._source.line_facts(path))
        except OSError as exc:
            self._unread.append(exc.strerror or type(exc).__name__)
            return None


def _transcripts(count: int) -> str:
    return f"{count} transcript" if count == 1 else f"{count} transcripts"


def _with_sightings(studies: Studies, old: Studies) -> Studies:
    """Studies made without the words, with what was seen while they were there."""
    seen = {(one.session, thread.thread): thread for one in old for thread in one.threads}
    return tuple(
        one._replace(
            threads=tuple(
                thread._replace(
                    sightings=before.sightings,
                    whole_file_tokens=before.whole_file_tokens,
                    whole_file_sent_tokens=before.whole_file_sent_tokens,
                    unsized_range_reads=before.unsized_range_reads,
                    deferred_tools=before.deferred_tools,
                    agent_type=before.agent_type,
                    agents=before.agents,
                )
                if (before := seen.get((one.session, thread.thread))) is not None
                else thread
                for thread in one.threads
            )
        )
        for one in studies
    )
