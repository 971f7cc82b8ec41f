"""What there is to archive, as a plan that a person can be shown; `archiving_run` does it.

Nothing is archived that the ledger has not read to its end, so that every figure stays when the
files go.
"""

from __future__ import annotations

import os
from datetime import UTC, datetime
from typing import NamedTuple

from tokenbudget.app import transcript_folders
from tokenbudget.app.archive_places import Destination, destination, existing
from tokenbudget.app.archived import records_in
from tokenbudget.app.archiving_plan import (
    DEFAULT_DAYS,
    Left,
    Rules,
    SessionFacts,
    cleanup_warning,
    decided,
    future_warning,
)
from tokenbudget.app.liveness import Liveness
from tokenbudget.model.actions import NEVER_SENT, ArchiveSession, Proposal
from tokenbudget.model.errors import BadRequest, LedgerUnusable
from tokenbudget.sources.claude_code.cleanup import Cleanup, cleanup_of
from tokenbudget.sources.claude_code.session_files import sessions_below

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tokenbudget.app import Workbench
    from tokenbudget.app.archiving_plan import Reason
    from tokenbudget.ledger.files import FileState
    from tokenbudget.ledger.inspection import SessionRow
    from tokenbudget.sources.claude_code.session_files import FoundSession, SessionFile

EXPECTED_SHARE = 0.16
"""Of raw: what a group of sessions takes in the archive (`tools/bench_archive.py`, 15.4 %)."""
ENOUGH_BYTES = 4 << 20
"""From so much archived text on, this person's own share says more."""
RESOURCE = "sessions"
AMBIGUOUS_SHOWN = 3


class Planned(NamedTuple):
    """A session that will be archived."""

    step: ArchiveSession
    project: str
    title: str
    last_ms: int
    note: str
    """Why it does not go into its project; '' where it does."""


class ArchivePlan(NamedTuple):
    """What a run would do, for a person to look at."""

    rules: Rules
    now_ms: int
    sessions: tuple[Planned, ...]
    """In the order in which they are archived."""
    left: tuple[Left, ...]
    warnings: tuple[str, ...]
    share: float
    """Expected size in the archive, of raw."""
    cleanup: Cleanup
    home: str
    """The person's home folder, as reports shorten it."""

    @property
    def steps(self) -> list[ArchiveSession]:
        """The steps alone."""
        return [planned.step for planned in self.sessions]

    @property
    def raw_bytes(self) -> int:
        """What the sessions hold now."""
        return sum(step.size_bytes for step in self.steps)

    @property
    def expected_bytes(self) -> int:
        """What they will take in the archive, about."""
        return round(self.raw_bytes * self.share)

    def proposals(self) -> list[Proposal]:
        """The plan in the words that every change is proposed in; none where there is nothing."""
        if not self.sessions:
            return []
        days = self.rules.older_than_days
        return [
            Proposal(
                id=f"{RESOURCE}/archive",
                resource=RESOURCE,
                title=f"archive {len(self.sessions)} old sessions",
                reason=f"not used for more than {days} days",
                freed=NEVER_SENT,
                freed_bytes=self.raw_bytes - self.expected_bytes,
                effect="disk only",
                is_chosen=True,
                steps=tuple(self.steps),
            )
        ]


def archive_steps(
    bench: Workbench,
    project: str | None = None,
    older_than_days: int = DEFAULT_DAYS,
    keep_last: int = 0,
    session: str = "",
) -> ArchivePlan:
    """What there is to archive, of one project or (None) of all; nothing is changed.

    Raises:
        LedgerUnusable: the ledger is a passing copy, which must not be the only one that knows.
    """
    projects = None if project is None else frozenset({project})
    return archive_plan(bench, Rules(older_than_days, keep_last, projects, session))


def archive_plan(bench: Workbench, rules: Rules) -> ArchivePlan:
    """The same, by rules."""
    refuse_passing_ledger(bench)
    settings, now_ms = bench.settings, bench.clock.now_ms()
    found = sessions_below(transcript_folders(settings))
    rows = {row.session: row for row in bench.ledger.sessions_beginning("", -1)}
    sessions = [_facts(one, rows.get(one.session)) for one in found.sessions]
    liveness = Liveness(settings.claude_dirs, bench.clock)
    look = _Look(liveness, bench.ledger.file_states())
    decision = decided(sessions, rules, now_ms, look.obstacle)
    planned = _planned(decision.chosen, settings.home_dir)
    projects = bench.ledger.names("project").values()
    cleanup = cleanup_of(settings.claude_dirs, projects)
    warnings = [
        *([liveness.blindness] if liveness.blindness else []),
        *([warning] if (warning := future_warning(decision.left)) else []),
        *(f"cannot look into {path}: {reason}" for path, reason in found.unreadable),
    ]
    if not rules.session and (warning := cleanup_warning(cleanup, rules.older_than_days)):
        warnings.append(warning)
    share = _own_share(existing((), projects, settings.claude_dirs))
    return ArchivePlan(
        rules,
        now_ms,
        planned,
        decision.left,
        tuple(warnings),
        share,
        cleanup,
        settings.home_dir,
    )


def refuse_passing_ledger(bench: Workbench) -> None:
    """Go on only with a ledger that stays; raises LedgerUnusable."""
    from tokenbudget.ledger.store import TEMPORARY

    if bench.ledger.path == TEMPORARY:
        raise LedgerUnusable(
            "nothing is archived while the ledger cannot be written: the figures of the sessions"
            " would go with them; make its folder writable or set TOKENS_HOME"
        )


def _facts(found: FoundSession, row: SessionRow | None) -> SessionFacts:
    last_ms = found.newest_ns // 1_000_000
    if row is None:
        return SessionFacts(found, "", "", last_ms)
    return SessionFacts(found, row.project, row.title, max(last_ms, moment_ms(row.last_at)))


def moment_ms(stamp: str) -> int:
    """A time as the agent wrote it; 0 where it is none."""
    try:
        when = datetime.fromisoformat(stamp)
        return int((when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp() * 1000)
    except (ValueError, OverflowError):
        return 0


class _Look:
    """What speaks against archiving an old session: looked at only when its age does not."""

    def __init__(self, liveness: Liveness, states: Mapping[str, FileState]) -> None:
        self._liveness = liveness
        self._states = states

    def obstacle(self, facts: SessionFacts) -> tuple[Reason, str] | None:
        """The first one there is."""
        found = facts.found
        if found.fault:
            return "fault", found.fault
        if found.lock:
            return "live", f"there is a lock: {found.lock}"
        if sign := self._liveness.sign_of(found.session, [file.path for file in found.files]):
            return "live", sign
        for file in found.files:
            if file.path.endswith(".jsonl") and not is_read(file, self._states.get(file.path)):
                return "unread", f"{os.path.basename(file.path)} is not read to its end"
        return None


def is_read(file: SessionFile, state: FileState | None) -> bool:
    """Whether the ledger has everything of a transcript: usage and all other events.

    A last line without an end is nothing that could still be read: its writer is long gone.
    """
    if state is None or state.detail_offset < state.usage_offset:
        return False
    if state[2:5] != (file.size_bytes, file.mtime_ns, file.inode):
        return False
    if state.usage_offset >= file.size_bytes:
        return True
    try:
        with open(file.path, "rb") as handle:
            handle.seek(state.usage_offset)
            return b"\n" not in handle.read(file.size_bytes - state.usage_offset)
    except OSError:
        return False


def _planned(chosen: Sequence[SessionFacts], home: str) -> tuple[Planned, ...]:
    """Oldest first, and those of one archive folder together."""
    known: dict[tuple[str, str], Destination] = {}
    planned = []
    for facts in chosen:
        claude_dir = os.path.dirname(os.path.dirname(facts.found.root))
        key = (facts.project, claude_dir)
        if key not in known:
            known[key] = destination(*key, home)
        step = ArchiveSession(
            session=facts.session,
            folder=known[key].folder,
            size_bytes=facts.found.size_bytes,
            files=tuple((file.name, file.path) for file in facts.found.files),
        )
        planned.append(Planned(step, facts.project, facts.title, facts.last_ms, known[key].note))
    folders = list(dict.fromkeys(one.step.folder for one in planned))
    roots = {folder: number for number, folder in enumerate(folders)}
    return tuple(sorted(planned, key=lambda one: (roots[one.step.folder], _root(one.step))))


def _root(step: ArchiveSession) -> str:
    name, path = step.files[0]
    return path.removesuffix(name)


def _own_share(folders: Sequence[str]) -> float:
    """What the archives that are there take of their raw size, once there is enough of them."""
    raw = kept = 0
    for folder in folders:
        for record in records_in(folder).records:
            raw += record.raw_bytes
            kept += record.size_bytes
    return kept / raw if raw >= ENOUGH_BYTES else EXPECTED_SHARE


def session_on_disk(bench: Workbench, wanted: str) -> str:
    """The one session in the agent's folders that an id, its beginning or 'last' means.

    Raises:
        BadRequest: none is meant, or several are.
    """
    found = sessions_below(transcript_folders(bench.settings)).sessions
    if wanted == "last" and found:
        return max(found, key=lambda one: one.newest_ns).session
    names = {one.session for one in found if one.session.startswith(wanted)}
    if wanted in names or len(names) == 1:
        return wanted if wanted in names else names.pop()
    if names:
        some = ", ".join(sorted(names)[:AMBIGUOUS_SHOWN])
        raise BadRequest(f"{len(names)} sessions begin with '{wanted}' ({some}); give more of it")
    if any(one.session.startswith(wanted) for one in bench.ledger.archives.all()):
        raise BadRequest(f"the session '{wanted}' is archived already; tokens archive list")
    raise BadRequest(f"no session on disk begins with '{wanted}'; tokens sessions lists them")
