"""Studies of all transcripts, brought up to date and kept.

A warm command decodes what is kept: it opens no transcript and loads no vocabulary. A transcript is
studied again when its bytes, its bill or the rules change, not when calibration learns more: what
an old session spent stays as it was told, and learning does not cost a second reading of it all.
"""

from __future__ import annotations

import os
from typing import NamedTuple

from tokenbudget import __version__
from tokenbudget.app import COPIED, work_in_a_copy
from tokenbudget.app.study_bytes import decoded
from tokenbudget.ledger.store import TEMPORARY
from tokenbudget.metering.price_table import AS_OF
from tokenbudget.model.errors import LedgerUnusable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from tokenbudget.analysis.periods import Zone
    from tokenbudget.analysis.study import FileStudy
    from tokenbudget.app import Terminal, Workbench
    from tokenbudget.ledger.studies import StudiedFile
    from tokenbudget.ledger.windows import WindowFile

STUDY_RULES = 8
"""Raised when a study of the same transcript would come out otherwise: all are made again then."""


class Studied(NamedTuple):
    """Every study there is, and what must be said of them."""

    files: tuple[FileStudy, ...]
    zone: Zone
    notes: tuple[str, ...]


def studied(bench: Workbench, terminal: Terminal, *, session: str = "") -> Studied:
    """The studies of all transcripts, or those of one session, up to date.

    The workbench is to be opened with `Want.DETAIL`: tool calls are a part of a study. Where the
    ledger cannot be written, the answer is computed in a passing copy of it.
    """
    try:
        return _studied(bench, terminal, session)
    except LedgerUnusable as exc:
        if bench.ledger.path == TEMPORARY:
            raise
        terminal.warn(f"{exc}. {COPIED}")
        work_in_a_copy(bench)
        return _studied(bench, terminal, session)


def _studied(bench: Workbench, terminal: Terminal, session: str) -> Studied:
    store = bench.ledger.studies
    files = store.files(session)
    kept = store.kept(session)
    makers = _Makers(bench)
    parts: dict[int, tuple[FileStudy, ...]] = {}
    stale: list[StudiedFile] = []
    for one in files:
        old = kept.get(one.file.file_id)
        known = None if old is None or makers.is_stale(one, old[0]) else decoded(old[1])
        if known is not None:
            parts[one.file.file_id] = known
        elif old is not None or not _is_lost(bench, one.file):
            stale.append(one)
    notes: list[str] = []
    if stale:
        from tokenbudget.app.studying import study_files

        parts |= study_files(bench, stale, kept, makers.made_of, terminal, notes)
    branches = bench.ledger.studies.branches()
    found = [
        _placed(part, one, branches) for one in files for part in parts.get(one.file.file_id, ())
    ]
    lost = len(files) - len(parts)
    if lost:
        notes.append(_lost_note(lost))
    if session:
        found = [study for study in found if study.session == session]
    return Studied(tuple(found), bench.zone, tuple(notes))


def _lost_note(count: int) -> str:
    what, them, their = (
        ("1 transcript is", "it", "its")
        if count == 1
        else (f"{count} transcripts are", "them", "their")
    )
    return f"{what} gone, and nothing of {them} had been counted: {their} tokens are unattributed"


def _is_lost(bench: Workbench, file: WindowFile) -> bool:
    """Whether nothing of a transcript can be known: gone, not counted before, not archived."""
    is_there = os.path.lexists(file.path) or bench.bodies.is_archived(file.path)
    return not file.measured_bytes and not is_there


class _Makers:
    """What each study is made of, as text: another text, another study.

    It begins with a line for what decides days and money, and goes on with one for the rest.
    """

    def __init__(self, bench: Workbench) -> None:
        from tokenbudget.collector.measuring import RULES
        from tokenbudget.metering.tokenizer import VOCABULARY

        settings = bench.settings
        self._spans = bench.zone.spans()
        self._prices = (AS_OF, settings.prices)
        self._rules = (__version__, STUDY_RULES, f"{VOCABULARY}/{RULES}", settings.windows)

    def made_of(self, studied: StudiedFile) -> str:
        """Everything that the study of this file depends on, but for calibration."""
        file = studied.file
        last_ms = file.mtime_ns // 1_000_000
        zone = [(span.begin_ms, span.shift_ms) for span in self._spans if span.begin_ms <= last_ms]
        state = (file.size_bytes, file.mtime_ns, studied.detail_offset)
        return f"{(zone, self._prices, studied.bill)!r}\n{(self._rules, state)!r}"

    def is_stale(self, studied: StudiedFile, kept: str) -> bool:
        """Whether a file is to be studied again, whose study was made of `kept`.

        One that is gone keeps its study while its money and days are right: its words cannot be
        had again, or stand in an archive that nobody wants to unpack for a better rule.
        """
        made_of = self.made_of(studied)
        if studied.file.is_gone:
            return kept.partition("\n")[0] != made_of.partition("\n")[0]
        return kept != made_of


def _placed(study: FileStudy, studied: StudiedFile, branches: Mapping[str, str]) -> FileStudy:
    """A study as it is kept, with what the ledger knows of its file now."""
    return study._replace(
        file_id=studied.file.file_id,
        path=studied.file.path,
        project=studied.project,
        is_subagent=studied.file.is_subagent,
        branch=branches.get(study.session, ""),
    )
