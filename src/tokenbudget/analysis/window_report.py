"""Follow a thread's window through its transcript and sum up where it stands now."""

from __future__ import annotations

from typing import NamedTuple

from tokenbudget.analysis.composition import components
from tokenbudget.analysis.rebuilt import rebuilt_window, record_notes, record_of
from tokenbudget.analysis.session_window import ComponentCost, Sample, SessionWindow, ThreadCost
from tokenbudget.analysis.window_pieces import answer_keys
from tokenbudget.analysis.window_replay import Replay
from tokenbudget.analysis.window_size import window_size
from tokenbudget.analysis.window_tally import Tally
from tokenbudget.budget import burn, forecast
from tokenbudget.budget.experience import experience_of
from tokenbudget.metering.calibration import prior
from tokenbudget.metering.cost import format_usd
from tokenbudget.model.window import mcp_server

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from tokenbudget.analysis.composition import Component
    from tokenbudget.analysis.window_replay import Moment
    from tokenbudget.analysis.window_size import WindowSize
    from tokenbudget.budget.health import Thresholds
    from tokenbudget.collector.measuring import CountedRequest
    from tokenbudget.ledger.store import Ledger
    from tokenbudget.ledger.windows import RequestRow, WindowFile
    from tokenbudget.metering.calibration import Fit
    from tokenbudget.metering.rates import PriceBook

HISTORY_REQUESTS = 4_000
"""The requests before the session that a forecast learns from."""


class OwnFigures(NamedTuple):
    """What the person says of windows, in tokens."""

    windows: Mapping[str, int]
    reserve_tokens: int | None
    limits: Thresholds
    """Shares of the window at which its health changes."""


def followed(
    ledger: Ledger,
    session: str,
    file: WindowFile | None,
    agent: str,
    fit_of: Callable[[str], Fit],
    until_key: str = "",
) -> Replay:
    """The window of a thread through the session, to its end or to the request `until_key`.

    The pieces of `file` must be counted.
    """
    if file is None:
        return Replay({}, fit_of)
    rows = ledger.windows.pieces(file.file_id)
    requests = ledger.windows.requests(file.file_id)
    threads = {row.thread for row in rows}
    thread = agent if agent in threads else max(threads, default="") if agent else ""
    own = answer_keys(row for row in rows if row.thread == thread)
    here = [request for key, request in requests.items() if key in own]
    until = until_key or ("" if agent else _last_own(here, session))
    return Replay(requests, fit_of, thread, session).run(rows, until)


def _last_own(requests: Sequence[RequestRow], session: str) -> str:
    """A session's last request in a file that another session goes on in; '' where none does."""
    own = [request for request in requests if request.session == session]
    last = max(own, key=lambda request: request.started_at_ms, default=None)
    if last is None:
        return ""
    is_followed = any(
        request.session != session and request.started_at_ms > last.started_at_ms
        for request in requests
    )
    return last.key if is_followed else ""


class Followed(NamedTuple):
    """A thread followed through a session."""

    replay: Replay
    """To its end."""
    tally: Tally
    """Of its requests."""
    here: Replay
    """To the last request that tells of the window: what came later was not part of it."""


def session_window(
    ledger: Ledger,
    session: str,
    file: WindowFile | None,
    agent: str,
    fit_of: Callable[[str], Fit],
    own: OwnFigures,
    book: PriceBook,
    rebuilt: Callable[[str], CountedRequest | None],
) -> SessionWindow:
    """The window of a thread as it stands: after the last request and its answer.

    `rebuilt` gives the client's record of the request behind a response, if it kept one.
    """
    replay = followed(ledger, session, file, agent, fit_of)
    tally = Tally(book, has_way=True)
    for moment in replay.moments:
        tally.add(moment)
    here, last = replay, tally.told.known
    if last is not None and last is not tally.last and not replay.changed_since:
        here = followed(ledger, session, file, agent, fit_of, last.key)
    way = Followed(replay, tally, here)
    return window_where(ledger, session, file, agent, fit_of, own, rebuilt, way)


def window_where(
    ledger: Ledger,
    session: str,
    file: WindowFile | None,
    agent: str,
    fit_of: Callable[[str], Fit],
    own: OwnFigures,
    rebuilt: Callable[[str], CountedRequest | None],
    way: Followed,
) -> SessionWindow:
    """The window at the end of the way that it was followed; the rest as `session_window`.

    Without the way of the tally there are no samples, and nothing is foretold from them.
    """
    replay, tally, here = way
    told, model = tally.told, tally.model
    samples = _samples(told.way or ())
    last = told.known
    told_tokens = None if agent else ledger.windows.told_window(session)
    ours = frozenset() if agent else ledger.session_signals.own_boundaries(session)
    size = _size(replay, tally, own, told_tokens, ours)
    fit = fit_of(model) if model else prior("")
    counted = rebuilt(last.key) if last is not None and last is told.last else None
    parts: tuple[Component, ...] = ()
    if last is not None and not replay.changed_since:
        parts = _parts(here, counted, last, fit)
    notes = [] if counted is None else record_notes(counted)
    notes += [*_file_notes(file, session, replay, tally), *_model_notes(tally, size.tokens)]
    tools = replay.called_tools.union(tool.tool for tool in ledger.tools_of(session))
    called = sorted({mcp_server(tool) for tool in tools} - {""})
    return SessionWindow(
        agent=agent,
        model=model,
        size=size,
        calibration_steps=fit.steps,
        calibration_median_error=fit.median_error,
        calibration_p90_error=fit.p90_text_error,
        prompt_tokens=None if last is None else last.prompt_tokens,
        answer_tokens=0 if last is None else last.output_tokens,
        waiting_tokens=round(sum(piece.tokens for piece in replay.waiting)),
        at_ms=0 if last is None else last.started_at_ms,
        changed_since=replay.changed_since,
        called_servers=tuple(called),
        requests=tally.requests,
        unexplained_requests=told.unexplained_requests,
        record=None if counted is None else record_of(counted),
        components=parts,
        samples=samples,
        crossings=() if replay.changed_since else _crossings(ledger, samples, size, own.limits),
        cost=_cost(tally),
        notes=tuple(notes),
        agents=() if agent else tuple(ledger.windows.agents_of(session)),
    )


def _size(
    replay: Replay,
    tally: Tally,
    own: OwnFigures,
    told_tokens: int | None,
    ours: frozenset[int],
) -> WindowSize:
    """`ours`: tokens before compactions of ours, which are not where the client compacts itself."""
    return window_size(
        tally.model,
        own.windows,
        own.reserve_tokens,
        tally.told.largest_prompt_tokens,
        [
            tokens
            for trigger, tokens in replay.compactions
            if trigger == "auto" and tokens not in ours
        ],
        told_tokens,
    )


def _parts(
    replay: Replay, counted: CountedRequest | None, last: RequestRow, fit: Fit
) -> tuple[Component, ...]:
    """The components, by the client's record where it is whole, else by the lines."""
    prompt = last.prompt_tokens or 0
    held, hidden = replay.held, replay.hidden_tokens
    if counted is not None and counted.request.is_whole:
        held, hidden = rebuilt_window(counted, replay, prompt, fit)
    errors = (fit.p90_text_error, fit.median_error or 0.0)
    return tuple(components(held, hidden, prompt + last.output_tokens, errors))


def _samples(known: Sequence[Moment]) -> tuple[Sample, ...]:
    return tuple(
        Sample(
            moment.request.started_at_ms,
            (moment.request.prompt_tokens or 0) + moment.request.output_tokens,
            moment.request.model,
            moment.cause in ("compaction", "rewound", "cleared"),
        )
        for moment in known
    )


def _crossings(
    ledger: Ledger, samples: Sequence[Sample], size: WindowSize, limits: Thresholds
) -> tuple[forecast.Crossing, ...]:
    """When the thresholds of a window will be reached, by what earlier sessions did."""
    if size.tokens is None or not samples:
        return ()
    goals = [
        forecast.Threshold("warning", round(size.tokens * limits.warning_share)),
        forecast.Threshold("critical", round(size.tokens * limits.critical_share)),
        forecast.Threshold("auto-compaction", size.usable_tokens or size.tokens),
        forecast.Threshold("full", size.tokens),
    ]
    earlier = ledger.windows.recent_requests(HISTORY_REQUESTS, samples[0].at_ms)
    history = [
        [
            burn.Sample(request.started_at_ms, (request.prompt_tokens or 0) + request.output_tokens)
            for request in session
        ]
        for session in earlier.values()
    ]
    walked = [burn.Sample(sample.at_ms, sample.window_tokens) for sample in samples]
    return tuple(forecast.crossings(walked, goals, experience_of(history)))


def _cost(tally: Tally) -> ThreadCost | None:
    if not tally.requests:
        return None
    cost = tally.cost.cost()
    by_size = sorted(cost.by_component.items(), key=lambda pair: -pair[1])
    return ThreadCost(
        format_usd(cost.input_usd),
        format_usd(cost.cache_write_usd),
        format_usd(cost.cache_read_usd),
        format_usd(cost.output_usd),
        format_usd(cost.total_usd),
        cost.unpriced_tokens,
        tuple(ComponentCost(name, format_usd(usd)) for name, usd in by_size),
    )


_CHANGES = {
    "compaction": "the history was compacted",
    "rewound": "the person went back",
    "cleared": "results were cleared",
}


def _file_notes(file: WindowFile | None, session: str, replay: Replay, tally: Tally) -> list[str]:
    if file is None:
        return ["the main thread sent no request: only subagents did"]
    notes: list[str] = []
    last = tally.told.last
    if file.is_gone and not file.measured_bytes:
        notes.append("the transcript is gone, and nothing of it had been counted")
    elif last is None:
        notes.append("no request has been answered yet: nothing is known of the window")
    elif not tally.has_usage:
        notes.append("no request reported its usage: how full the window is, is not known")
    elif not last.prompt_tokens:
        notes.append("the last request reported no usage: these are the figures of the one before")
    if replay.changed_since and last is not None:
        what = _CHANGES.get(replay.changed_since, "the window changed")
        notes.append(f"{what} since the last request: the next one will tell what is left")
    if file.is_gone and file.measured_bytes:
        notes.append("the transcript is gone: these are the figures of what had been counted of it")
    if file.session != session and not file.is_subagent:
        notes.append(f"its transcript is that of session {file.session}, which goes on in it")
    return notes


def _model_notes(tally: Tally, size_tokens: int | None) -> list[str]:
    notes: list[str] = []
    model, models = tally.model, tally.models
    if model and size_tokens is None:
        notes.append(f'the window of {model} is not known: set windows."{model}" in config.toml')
    if len(models) > 1:
        notes.append(f"the model changed ({', '.join(models)}): this is the window of the last one")
    return notes
