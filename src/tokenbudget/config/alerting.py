"""The tables `[alerts]` and `[monitor]` of config.toml: their shape, and what holds without them.

Only the kind of each value is looked at here; what a span or a level may be, `alerts` and
`dashboard` know.
"""

from __future__ import annotations

import os
from typing import NamedTuple

from tokenbudget.config.values import ALERTS, MONITOR, refuse_unknown, shown
from tokenbudget.model.errors import BadConfig

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from tokenbudget.config.settings import Settings

LONGEST_TEXT = 100
MOST_PER_HOUR = 10_000
_ZONES = "/zoneinfo/"


class AlertSettings(NamedTuple):
    """How alerts behave towards a person."""

    quiet_hours: str = ""
    """Such as `22:00-07:00`, on the wall clock of `zone`; '' is never."""
    repeat: str = "4h"
    rate_per_hour: int = 6
    passing_level: str = "critical"
    desktop: bool = False
    bell: bool = True
    zone: str = "UTC"
    """The IANA name of the person's zone; no key of the table."""


class MonitorSettings(NamedTuple):
    """How the live view starts."""

    interval: str = "30s"
    theme: str = "auto"


_ALERT_KEYS = {key: value for key, value in AlertSettings()._asdict().items() if key != "zone"}


def alert_settings(settings: Settings) -> AlertSettings:
    """What `[alerts]` says, with the zone of `timezone`, else of the machine.

    Raises:
        BadConfig: a key is unknown or of another kind.
    """
    given = _checked(settings.alerts, ALERTS, _ALERT_KEYS, settings.config_path)
    zone = settings.timezone
    if zone in (None, "local"):
        zone = system_zone(settings.variables.get("TZ", ""))
    return AlertSettings(**given, zone=zone or "UTC")  # type: ignore[arg-type]


def monitor_settings(settings: Settings) -> MonitorSettings:
    """What `[monitor]` says.

    Raises:
        BadConfig: a key is unknown or of another kind.
    """
    known = MonitorSettings()._asdict()
    given = _checked(settings.monitor, MONITOR, known, settings.config_path)
    return MonitorSettings(**given)  # type: ignore[arg-type]


def system_zone(variable: str, link: str = "/etc/localtime") -> str:
    """The IANA name of the machine's zone, from TZ, else from where the system's link leads."""
    name = variable.removeprefix(":")
    if _ZONES in name:
        name = name.partition(_ZONES)[2]
    if name and not name.startswith("/") and not _is_rule(name):
        return name
    _, found, name = os.path.realpath(link).partition(_ZONES)
    return name if found else "UTC"


def _is_rule(name: str) -> bool:
    """Whether it spells a zone's rules out, as in `CET-1CEST`, in place of naming it."""
    return "/" not in name and any(character.isdecimal() for character in name)


def _checked(
    table: Mapping[str, object], name: str, known: Mapping[str, object], path: str
) -> dict[str, object]:
    """The known keys of a table, each of the kind of its built-in value."""
    refuse_unknown(name, table, known, path)
    for key, given in table.items():
        wanted = _wanted(known[key], given)
        if wanted:
            raise BadConfig(f"{name}.{key} in {path} must be {wanted}, not {shown(given)}")
    return dict(table)


def _wanted(built_in: object, given: object) -> str:
    """What a value should have been; '' where it is that."""
    if isinstance(built_in, bool):
        return "" if isinstance(given, bool) else "true or false"
    if isinstance(built_in, int):
        is_count = isinstance(given, int) and not isinstance(given, bool)
        is_good = is_count and 0 <= given <= MOST_PER_HOUR  # type: ignore[operator]
        return "" if is_good else f"a number from 0 to {MOST_PER_HOUR:,}"
    is_text = isinstance(given, str) and len(given) <= LONGEST_TEXT
    return "" if is_text else f'a short text such as "{built_in or "22:00-07:00"}"'
