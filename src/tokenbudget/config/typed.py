"""What somebody typed as the value of a setting, as the kind of value that the setting has."""

from __future__ import annotations

from tokenbudget.config.alerting import AlertSettings, MonitorSettings
from tokenbudget.config.management import BUILT_IN
from tokenbudget.config.names import ALERTS, MANAGEMENT, MONITOR
from tokenbudget.config.words import shown
from tokenbudget.model.errors import BadRequest

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

LONGEST_VALUE = 4_000
_LONGEST_NUMBER = 24
_YES = ("true", "yes", "on")
_NO = ("false", "no", "off")
_COUNTS = ("workers", "autocompact_reserve_tokens")
_TABLES = ("prices", "windows", "allocation")


def typed_value(path: Sequence[str], text: str) -> bool | int | float | str | list[str]:
    """The value that a text means for the setting at this path.

    Raises:
        BadRequest: it is not of that kind.
    """
    name = ".".join(path)
    if len(text) > LONGEST_VALUE or not text.isprintable():
        raise BadRequest(f"the value of {shown(name)} is too long, or holds control characters")
    if name == "claude_dirs":
        return [part.strip() for part in text.split(",") if part.strip()]
    if path[0] in _TABLES:
        return _of_table(path, text)
    built_in = _built_in(path)
    if isinstance(built_in, bool):
        return _truth(text, name)
    if isinstance(built_in, int | float):
        return _number(text, name)
    if name in _COUNTS and text != "auto":
        return _number(text, name)
    return text


def _built_in(path: Sequence[str]) -> object:
    table = {
        MANAGEMENT: BUILT_IN,
        ALERTS: AlertSettings()._asdict(),
        MONITOR: MonitorSettings()._asdict(),
    }.get(path[0], {})
    return table.get(path[-1])


def _of_table(path: Sequence[str], text: str) -> int | float:
    if len(path) == 1 or (path[0] == "prices" and len(path) < 3):
        example = {"prices": "prices.my-model.input", "windows": "windows.my-model"}
        raise BadRequest(
            f"{'.'.join(path)} is a table; name what is in it, such as"
            f" {example.get(path[0], 'allocation.reserved')}"
        )
    return _number(text, ".".join(path))


def _truth(text: str, name: str) -> bool:
    lowered = text.strip().lower()
    if lowered not in _YES + _NO:
        raise BadRequest(f"{name} is true or false, not {shown(text)}")
    return lowered in _YES


def _number(text: str, name: str) -> int | float:
    """A whole number or a decimal one; a percent sign may follow it."""
    plain = text.strip().replace("_", "")
    digits = plain.removesuffix("%")
    whole, dot, rest = digits.partition(".")
    is_number = len(plain) <= _LONGEST_NUMBER and (whole + rest).isdecimal() and plain.isascii()
    if not is_number or (dot and not rest):
        raise BadRequest(f"{name} is a number, not {shown(text)}")
    if plain.endswith("%"):
        return float(digits) / 100
    return float(digits) if dot else int(digits)
