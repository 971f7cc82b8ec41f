"""What a live view says about a moment, in the words of every other place.

Each function gives one short text, cleaned for a terminal; what draws it decides where it stands.
"""

from __future__ import annotations

from tokenbudget.budget import health
from tokenbudget.model.figures import dollars, short_count
from tokenbudget.model.plain_text import one_line
from tokenbudget.model.spans import shown_span

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tokenbudget.analysis.window_budget import LimitState
    from tokenbudget.budget.forecast import Crossing
    from tokenbudget.dashboard.view_model import (
        AlertLine,
        Consumer,
        Frame,
        SessionLine,
        SessionView,
    )

MINUTE_MS = 60_000
DAY_MS = 86_400_000
DATE_DIGITS = 8
NAME_LENGTH = 200
"""Characters of a hostile name that are looked at; a title of 10 kB is not a title."""
ALERT_SYMBOLS = {"info": "●", "warning": "▲", "critical": "◆", "emergency": "✖"}


def clean(text: str) -> str:
    """A text from elsewhere, in one line and of a sane length."""
    return one_line(text[:NAME_LENGTH])


def project_name(project: str) -> str:
    """The last part of a project's folder."""
    return clean(project.rstrip("/").rpartition("/")[2])


def session_name(view: SessionView | SessionLine) -> str:
    """Title of a session, or the beginning of its id."""
    return clean(view.title) or clean(view.session[:8])


def model_name(model: str) -> str:
    """A model without vendor and date."""
    name, _, date = clean(model).rpartition("-")
    is_dated = name and len(date) == DATE_DIGITS and date.isdecimal()
    return (name if is_dated else clean(model)).removeprefix("claude-")


def clock(frame: Frame) -> str:
    """The time of day at which the frame was made."""
    return _time_of_day(frame.made_at_ms, frame, with_seconds=True)


def level_words(level: str | None) -> str:
    """`▲ warning`; a shape beside the word, so that no colour is needed."""
    return f"{health.SYMBOLS[level]} {level}" if level else "? no data"


def used_words(view: SessionView) -> str:
    """`58% of 200K`."""
    if view.total_tokens is None and view.window_tokens:
        return f"? of {short_count(view.window_tokens)}"
    if view.share is None or view.window_tokens is None:
        used = "" if view.total_tokens is None else f"{view.total_tokens:,} tokens, "
        return f"{used}window unknown"
    return f"{percent(view.share)} of {short_count(view.window_tokens)}"


def amount_words(view: SessionView) -> str:
    """`116,400 used · 83,600 free`."""
    if view.total_tokens is None:
        return "use unknown until the next request"
    used = f"{view.total_tokens:,} used"
    if not view.window_tokens:
        return used
    return f"{used} · {max(0, view.window_tokens - view.total_tokens):,} free"


def percent(share: float) -> str:
    """A share that is never rounded up over a threshold that it has not reached."""
    return f"{int(round(share * 100, 6))}%"


def next_words(view: SessionView) -> str:
    """What comes next and when: `critical in ~51m (38m-1h 10m)`."""
    if not view.ahead:
        return ""
    nearest = view.ahead[0]
    return f"{clean(nearest.name)} {when_words(nearest)}"


def when_words(crossing: Crossing) -> str:
    """`in ~51m of work (38m-1h 10m)`: the median, and P10 to P90; `far` is not foreseeable."""
    minutes = crossing.active_minutes
    if minutes is None:
        return "?"
    if minutes.p50 is None:
        return "far" if minutes.p10 is None else f"in {_span(minutes.p10)} or later"
    return f"in ~{_span(minutes.p50)} ({_span(minutes.p10)}-{_span(minutes.p90)})"


def burn_words(view: SessionView) -> str:
    """`1,640/min · 2.9K per request`, over the shortest span that has any."""
    for burn in view.burns:
        if burn.tokens_per_minute is not None:
            each = burn.tokens_per_request
            per_request = f" · {short_count(round(each))} per request" if each else ""
            return f"{burn.tokens_per_minute:,.0f}/min{per_request}"
    return "none in the last hour"


def cost_words(view: SessionView) -> str:
    """`$1.86 this session · $3.10/h`: so far, and an hour at the present pace."""
    spend = view.spend
    if spend.session_usd is None:
        return "cost unknown"
    mark = "?" if spend.unpriced_tokens else ""
    words = f"{dollars(spend.session_usd)}{mark} this session"
    return words if spend.hour_usd is None else f"{words} · {dollars(spend.hour_usd)}{mark}/h"


def cache_words(view: SessionView, now_ms: int) -> str:
    """`hit 96% · warm, cold in 2m`."""
    cache = view.cache
    hit = "hit ?" if cache.hit_share is None else f"hit {percent(cache.hit_share)}"
    if cache.cold_at_ms is None:
        return (
            f"{hit} · cold at ?" if cache.is_warm is None else f"{hit} · {_warmth(cache.is_warm)}"
        )
    if cache.cold_at_ms <= now_ms:
        return f"{hit} · cold"
    return f"{hit} · warm, cold in {shown_span(cache.cold_at_ms - now_ms)}"


def limit_words(limit: LimitState, frame: Frame) -> str:
    """`5-hour 38%, resets 16:40`; with the time at which it will be spent, where that is before."""
    forecast = limit.forecast
    if forecast.used_share is None:
        return f"{clean(limit.title)} ?"
    words = f"{clean(limit.title)} {percent(forecast.used_share)}"
    spent = forecast.exhausted_at_ms
    if spent is not None and spent.p50 is not None:
        words += f", spent in ~{shown_span(int(spent.p50) - frame.made_at_ms)}"
    if forecast.resets_at_ms is not None:
        words += f", resets {_moment(forecast.resets_at_ms, frame)}"
    return words


def consumer_words(consumer: Consumer) -> str:
    """`9 reads, 4.1K stale`: what stands behind the name."""
    parts = []
    if consumer.reads:
        parts.append("1 read" if consumer.reads == 1 else f"{consumer.reads} reads")
    if consumer.stale_tokens:
        parts.append(f"{short_count(consumer.stale_tokens)} stale")
    return ", ".join(parts) or clean(consumer.kind).lower()


def alert_words(alert: AlertLine, now_ms: int) -> str:
    """`▲ context window at 71%: webshop, firing for 12m`."""
    symbol = ALERT_SYMBOLS.get(alert.level, "●")
    lasted = shown_span(now_ms - alert.since_ms)
    return f"{symbol} {clean(alert.title)} · {clean(alert.status)} for {lasted}"


def age_words(at_ms: int, now_ms: int) -> str:
    """`12s ago`; `never` where nothing was."""
    return f"{shown_span(now_ms - at_ms)} ago" if at_ms else "never"


def _warmth(is_warm: bool) -> str:
    return "warm" if is_warm else "cold"


def _span(minutes: float | None) -> str:
    return "far" if minutes is None else shown_span(round(minutes * MINUTE_MS))


def _moment(at_ms: int, frame: Frame) -> str:
    """A time of day; with the day of the week where it is not within a day."""
    if at_ms - frame.made_at_ms < DAY_MS:
        return _time_of_day(at_ms, frame)
    days = ("Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed")  # 1970 began on a Thursday
    day = (at_ms + frame.utc_offset_seconds * 1000) // DAY_MS % 7
    return f"{days[day]} {_time_of_day(at_ms, frame)}"


def _time_of_day(at_ms: int, frame: Frame, *, with_seconds: bool = False) -> str:
    seconds = at_ms // 1000 + frame.utc_offset_seconds
    hours, minutes = seconds // 3600 % 24, seconds // 60 % 60
    return f"{hours:02}:{minutes:02}" + (f":{seconds % 60:02}" if with_seconds else "")


def soon_words(view: SessionView) -> str:
    """What comes next, without the spread: `critical in ~51m`."""
    if not view.ahead:
        return ""
    return f"{clean(view.ahead[0].name)} {when_words(view.ahead[0]).partition(' (')[0]}"


def left_words(crossing: Crossing) -> str:
    """`~51m (38m-1h 10m)`: the median, and P10 to P90."""
    return when_words(crossing).removeprefix("in ")


def countdown(milliseconds: int) -> str:
    """`2:10`, `1:02:10`: what is left, to the second."""
    seconds = max(0, milliseconds) // 1000
    hours, minutes = seconds // 3600, seconds // 60 % 60
    return f"{hours}:{minutes:02}:{seconds % 60:02}" if hours else f"{minutes}:{seconds % 60:02}"


def cold_words(view: SessionView, now_ms: int) -> str:
    """`hit 96% · cold in 2:10`: like `cache_words`, to the second."""
    cache = view.cache
    if cache.cold_at_ms is None or cache.cold_at_ms <= now_ms:
        return cache_words(view, now_ms)
    hit = "?" if cache.hit_share is None else percent(cache.hit_share)
    return f"hit {hit} · cold in {countdown(cache.cold_at_ms - now_ms)}"


def limit_forms(limit: LimitState, frame: Frame) -> tuple[str, ...]:
    """Use, forecast and reset, the fullest words first: `38%, ~83% at its reset 16:40`."""
    forecast = limit.forecast
    if forecast.used_share is None:
        return (f"? {clean(forecast.reason)}", "?")
    used = percent(forecast.used_share)
    if forecast.resets_at_ms is None:
        return (used,)
    resets = _moment(forecast.resets_at_ms, frame)
    spent = forecast.exhausted_at_ms
    if spent is not None and spent.p50 is not None:
        in_time = f"{used}, spent in ~{shown_span(int(spent.p50) - frame.made_at_ms)}"
        return (f"{in_time}, resets {resets}", f"{in_time} ({resets})", in_time, used)
    if forecast.share_at_reset is None or forecast.share_at_reset.p50 is None:
        return (f"{used}, resets {resets}", used)
    then = percent(forecast.share_at_reset.p50)
    return (f"{used}, ~{then} at its reset {resets}", f"{used}, ~{then} at {resets}", used)


def time_of_day(at_ms: int, frame: Frame) -> str:
    """`14:02`, in the zone of the frame."""
    return _time_of_day(at_ms, frame)
