"""Whether settings can be meant, asked of those who know: prices, plan, zone, alerts, live view."""

from __future__ import annotations

from tokenbudget.model.errors import BadConfig, BadRequest

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tokenbudget.config.alerting import MonitorSettings
    from tokenbudget.config.settings import Settings

SHORTEST_SECONDS, LONGEST_SECONDS = 1.0, 86_400.0
"""Between two frames of the live view."""
THEMES = ("auto", "dark", "light", "contrast", "plain")
"""Of the live view."""


def refuse_impossible(settings: Settings) -> None:
    """Pass settings that can be meant; `tokenManagement` is judged with its other layers.

    Raises:
        BadConfig: a value cannot be.
    """
    settings.alert_settings()
    if settings.monitor:
        _refuse_monitor(settings.monitor_settings(), settings.config_path)
    settings.hook_settings()
    settings.serve_settings()
    settings.trim_settings()
    settings.spill_settings()
    settings.gateway_settings()
    settings.control_settings()
    if settings.prices:
        from tokenbudget.app import price_book

        price_book(settings)
    if settings.allocation:
        from tokenbudget.app.windows import shares_of

        shares_of(settings)
    if settings.timezone:
        _refuse_zone(settings.timezone, settings.config_path)
    if settings.alerts:
        from tokenbudget.app.alerts import policy_of

        policy_of(settings)


def _refuse_zone(name: str, path: str) -> None:
    from tokenbudget.analysis.periods import Zone

    try:
        Zone(name, 0)
    except BadRequest as exc:
        raise BadConfig(f"timezone in {path}: {exc}") from exc


def _refuse_monitor(wanted: MonitorSettings, path: str) -> None:
    try:
        interval_seconds(wanted.interval)
    except BadRequest as exc:
        raise BadConfig(f"monitor.interval in {path}: {exc}") from exc
    if wanted.theme not in THEMES:
        from tokenbudget.config.values import shown

        known = ", ".join(THEMES)
        raise BadConfig(
            f"monitor.theme in {path} must be one of {known}, not {shown(wanted.theme)}"
        )


def interval_seconds(text: str) -> float:
    """The seconds of `5s`, `1m30s`, `2h` or a bare `45`.

    Raises:
        BadRequest: it is none of these, or not between a second and a day.
    """
    from tokenbudget.alerts.hours import parse_duration

    try:
        milliseconds = parse_duration(f"{text}s" if text.strip().isdecimal() else text)
    except BadRequest as wrong:
        raise BadRequest(f"'{text}' is no interval; write 5s, 30s, 1m") from wrong
    seconds = (milliseconds or 0) / 1000
    if not SHORTEST_SECONDS <= seconds <= LONGEST_SECONDS:
        raise BadRequest(f"an interval of '{text}' is not between 1s and 1d; write 5s, 30s, 1m")
    return seconds
