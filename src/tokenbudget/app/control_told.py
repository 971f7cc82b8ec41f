"""What a session's transcript tells the controller; asked again only when it has changed."""

from __future__ import annotations

from typing import NamedTuple

from tokenbudget.analysis.window_size import SETTING, window_size
from tokenbudget.app.control_figures import pace_of
from tokenbudget.app.control_held import told_window
from tokenbudget.app.control_moments import file_stamp, has_tool_search, reloaded_ids
from tokenbudget.config.layers import project_dir
from tokenbudget.model.control import HISTORY, Signals
from tokenbudget.resources.agent_settings import settings_files
from tokenbudget.resources.history import KEPT_FREE_TOKENS
from tokenbudget.resources.kind import Place
from tokenbudget.sources.claude_code.turns import turn_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from tokenbudget.analysis.window_size import WindowSize
    from tokenbudget.app import Workbench
    from tokenbudget.app.control_figures import Experiences
    from tokenbudget.ledger.inspection import SessionRow
    from tokenbudget.ledger.session_signals import Boundary, Extent
    from tokenbudget.ledger.windows import RequestRow, WindowFile
    from tokenbudget.model.control import Receipt

RECENT_REQUESTS = 128
"""As many as a forecast gives any weight."""


class Subject(NamedTuple):
    """What is looked at."""

    bench: Workbench
    facts: SessionRow
    project: str
    """The folder whose settings hold for the session."""
    receipts: Sequence[Receipt]
    """Of the session."""
    now_ms: int

    @property
    def is_awaiting(self) -> bool:
        """Whether something was done, and the next request tells what came of it."""
        return any(one.settled_at_ms is None and one.action is not None for one in self.receipts)

    @property
    def is_next_awaited(self) -> bool:
        """Whether its parts tell, and not the next compaction, after which all is looked at."""
        return any(
            one.settled_at_ms is None
            and one.action is not None
            and one.effect == "now"
            and one.lever != HISTORY
            for one in self.receipts
        )


class Told(NamedTuple):
    """What follows from the transcript as it stands."""

    made_of: tuple[object, ...]
    """Everything that it depends on."""
    rows: Sequence[RequestRow]
    """The last requests of the main thread that reported their usage, oldest first."""
    signals: Signals
    """But for what passes with time alone."""


def project_of(bench: Workbench, facts: SessionRow) -> str:
    """The project of a session, as `tokens compact` calls it; '' where nobody knows it."""
    return project_dir(facts.cwd, bench.settings.home_dir) or facts.cwd or facts.project


def told_of(subject: Subject, before: Told | None, experiences: Experiences) -> Told:
    """The same as before, where nothing was written, set or done since."""
    bench, facts = subject.bench, subject.facts
    files = bench.ledger.windows.files_of_session(facts.session)
    file = next((one for one in files if not one.is_subagent), None)
    reported = bench.ledger.windows.told_window(facts.session)
    made_of = _made_of(subject, file, reported)
    if before is not None and before.made_of == made_of:
        return before
    rows = bench.ledger.last_requests(facts.session, 0, RECENT_REQUESTS)
    rows = [row for row in rows if row.prompt_tokens is not None]
    path = "" if file is None or file.is_gone else file.path
    known = None if before is None else before.signals.has_tool_search
    signals = _signals(subject, path, rows, reported, experiences)
    if known is None:
        known = has_tool_search(bench, facts)
    return Told(made_of, rows, signals._replace(has_tool_search=known))


def _made_of(subject: Subject, file: WindowFile | None, reported: int | None) -> tuple[object, ...]:
    settings = subject.bench.settings
    state = None if file is None else (file.size_bytes, file.mtime_ns, file.is_gone)
    own = (settings.windows, settings.autocompact_reserve_tokens)
    stamps: tuple[object, ...] = ()
    if subject.project:
        clock = subject.bench.clock
        place = Place(subject.project, settings.claude_dirs, settings.home_dir, clock)
        stamps = tuple(file_stamp(path) for path, _ in settings_files(place))
    return (subject.facts, state, reported, own, len(subject.receipts), stamps)


def _signals(
    subject: Subject,
    path: str,
    rows: Sequence[RequestRow],
    reported: int | None,
    experiences: Experiences,
) -> Signals:
    bench, facts, now_ms = subject.bench, subject.facts, subject.now_ms
    session = facts.session
    boundaries = bench.ledger.session_signals.boundaries(session)
    extent = bench.ledger.session_signals.extent(session)
    model, used, last = _last_request(bench, session, rows, boundaries)
    size = _size(subject, model, extent, boundaries, reported)
    pace = pace_of(rows, size.usable_tokens, experiences.experience(bench, now_ms), now_ms)
    return Signals(
        session=session,
        project=subject.project,
        client=facts.version,
        model=model,
        has_tool_search=None,
        observed_at_ms=now_ms,
        request_key="" if last is None else last.key,
        request_at_ms=0 if last is None else last.started_at_ms,
        requests=extent.requests,
        used_tokens=used,
        usable_tokens=size.usable_tokens,
        window_tokens=size.tokens,
        compactions=len(boundaries),
        is_between_turns=turn_of(path) == "person" if path else False,
        is_over=False,
        expected_requests=experiences.expected_requests(bench, session, extent.requests, now_ms),
        sure_requests=experiences.sure_requests(bench, session, extent.requests, now_ms),
        burn_tokens_per_minute=pace.tokens_per_minute,
        full_in_ms=pace.full_in_ms,
        reloaded=reloaded_ids(bench, session, subject.receipts),
    )


def _last_request(
    bench: Workbench, session: str, rows: Sequence[RequestRow], boundaries: Sequence[Boundary]
) -> tuple[str, int | None, RequestRow | None]:
    """The model, what is in the window, and the request that says so.

    (A command of ours may be answered by another model; that is not the session's own.) After a
    compaction nobody knows what is in the window until the next request tells.
    """
    context = bench.ledger.last_context(session)
    if context is None or not rows:
        return "", None, None
    model, used, at_ms = context
    found = (row for row in reversed(rows) if (row.started_at_ms, row.model) == (at_ms, model))
    last = next(found, rows[-1])
    is_changed = bool(boundaries) and boundaries[-1].at_ms >= last.started_at_ms
    return model, None if is_changed else used, last


def _size(
    subject: Subject,
    model: str,
    extent: Extent,
    boundaries: Sequence[Boundary],
    reported: int | None,
) -> WindowSize:
    """The window; where a compaction was ours, it does not tell where the client's own limit is."""
    ours = subject.bench.ledger.session_signals.own_boundaries(subject.facts.session)
    compacted = [
        one.before_tokens
        for one in boundaries
        if one.trigger == "auto" and one.before_tokens and one.before_tokens not in ours
    ]
    settings = subject.bench.settings
    size = window_size(
        model,
        settings.windows,
        settings.autocompact_reserve_tokens,
        extent.largest_prompt_tokens,
        compacted,
        reported,
    )
    told = told_window(subject.bench, subject.project) if subject.project else None
    if told is None or size.tokens is None or size.reserve_origin == SETTING:
        return size
    usable = min(told, size.tokens) - KEPT_FREE_TOKENS
    return size._replace(reserve_tokens=size.tokens - usable, reserve_origin=SETTING)
