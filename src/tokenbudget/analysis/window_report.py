"""Follow a thread's window through its transcript and sum up where it stands now."""

from __future__ import annotations

from typing import NamedTuple

from tokenbudget.analysis.composition import components
from tokenbudget.analysis.rebuilt import rebuilt_window, record_notes, record_of
from tokenbudget.analysis.session_window import ComponentCost, Sample, SessionWindow, ThreadCost
from tokenbudget.analysis.window_aside import own_moments, telling_moments
from tokenbudget.analysis.window_cost import window_cost
from tokenbudget.analysis.window_replay import Replay
from tokenbudget.analysis.window_size import window_size
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
    own = {row.link for row in rows if row.thread == thread}
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
    moments = replay.moments
    telling = telling_moments(moments)
    known = [moment for moment in telling if moment.request.prompt_tokens]
    last = known[-1].request if known else None
    model = own_moments(moments)[-1].request.model if moments else ""
    told_tokens = None if agent else ledger.windows.told_window(session)
    ours = frozenset() if agent else ledger.session_signals.own_boundaries(session)
    size = _size(replay, known, model, own, told_tokens, ours)
    fit = fit_of(model) if model else prior("")
    samples = _samples(known)
    counted = rebuilt(last.key) if last is not None and last is telling[-1].request else None
    parts: tuple[Component, ...] = ()
    if last is not None and not replay.changed_since:
        here = replay
        if last is not moments[-1].request:  # what came later is not part of what it reported
            here = followed(ledger, session, file, agent, fit_of, last.key)
        parts = _parts(here, counted, last, fit)
    notes = [] if counted is None else record_notes(counted)
    notes += [*_file_notes(file, session, replay), *_model_notes(moments, model, size.tokens)]
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
        requests=len(moments),
        unexplained_requests=sum(_is_unexplained(moment) for moment in known),
        record=None if counted is None else record_of(counted),
        components=parts,
        samples=samples,
        crossings=() if replay.changed_since else _crossings(ledger, samples, size, own.limits),
        cost=_cost(moments, book),
        notes=tuple(notes),
        agents=() if agent else tuple(ledger.windows.agents_of(session)),
    )


def _size(
    replay: Replay,
    known: Sequence[Moment],
    model: str,
    own: OwnFigures,
    told_tokens: int | None,
    ours: frozenset[int],
) -> WindowSize:
    """`ours`: tokens before compactions of ours, which are not where the client compacts itself."""
    return window_size(
        model,
        own.windows,
        own.reserve_tokens,
        max((moment.request.prompt_tokens or 0 for moment in known), default=0),
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


def _is_unexplained(moment: Moment) -> bool:
    return not moment.cause and abs(moment.unexplained_tokens) > moment.band_tokens


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


def _cost(moments: Sequence[Moment], book: PriceBook) -> ThreadCost | None:
    if not moments:
        return None
    cost = window_cost(moments, book)
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


def _file_notes(file: WindowFile | None, session: str, replay: Replay) -> list[str]:
    if file is None:
        return ["the main thread sent no request: only subagents did"]
    notes: list[str] = []
    moments = replay.moments
    if file.is_gone and not file.measured_bytes:
        notes.append("the transcript is gone, and nothing of it had been counted")
    elif not moments:
        notes.append("no request has been answered yet: nothing is known of the window")
    elif not any(moment.request.prompt_tokens for moment in moments):
        notes.append("no request reported its usage: how full the window is, is not known")
    elif not telling_moments(moments)[-1].request.prompt_tokens:
        notes.append("the last request reported no usage: these are the figures of the one before")
    if replay.changed_since and moments:
        what = _CHANGES.get(replay.changed_since, "the window changed")
        notes.append(f"{what} since the last request: the next one will tell what is left")
    if file.is_gone and file.measured_bytes:
        notes.append("the transcript is gone: these are the figures of what had been counted of it")
    if file.session != session and not file.is_subagent:
        notes.append(f"its transcript is that of session {file.session}, which goes on in it")
    return notes


def _model_notes(moments: Sequence[Moment], model: str, size_tokens: int | None) -> list[str]:
    notes: list[str] = []
    if model and size_tokens is None:
        notes.append(f'the window of {model} is not known: set windows."{model}" in config.toml')
    models = list(dict.fromkeys(moment.request.model for moment in own_moments(moments)))
    if len(models) > 1:
        notes.append(f"the model changed ({', '.join(models)}): this is the window of the last one")
    return notes
