"""Whether settings can be meant, asked of the rooms that know: prices, plan, zone, alerts."""

from __future__ import annotations

from tokenbudget.model.errors import BadConfig, BadRequest

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tokenbudget.config.settings import Settings


def refuse_impossible(settings: Settings) -> None:
    """Pass settings that can be meant; `tokenManagement` is judged with its other layers.

    Raises:
        BadConfig: a value cannot be.
    """
    settings.alert_settings()
    settings.monitor_settings()
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
