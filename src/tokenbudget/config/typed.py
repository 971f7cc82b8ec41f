"""What somebody typed as the name and the value of a setting: which edit is meant by it."""

from __future__ import annotations

from typing import NamedTuple

from tokenbudget.config.alerting import AlertSettings, MonitorSettings
from tokenbudget.config.control import ControlSettings
from tokenbudget.config.explain import named
from tokenbudget.config.gateway import GatewaySettings
from tokenbudget.config.hooking import HookSettings
from tokenbudget.config.management import BUILT_IN, OURS
from tokenbudget.config.serving import ServeSettings
from tokenbudget.config.spilling import SpillSettings
from tokenbudget.config.trimming import TrimSettings
from tokenbudget.config.values import (
    ALERTS,
    CONTROL,
    GATEWAY,
    HOOKS,
    KNOWN_IN_FILE,
    MANAGEMENT,
    MONITOR,
    SERVE,
    SPILL,
    TRIM,
    shown,
)
from tokenbudget.model.errors import BadRequest

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

LONGEST_VALUE = 4_000
_LONGEST_NUMBER = 24
_YES = ("true", "yes", "on")
_NO = ("false", "no", "off")
_COUNTS = ("workers", "autocompact_reserve_tokens")
_LISTS = (
    *("claude_dirs", "trim.allow", "trim.deny", "control.pins"),
    *("gateway.allow", "gateway.ask", "gateway.deny"),
)
_FREE_TABLES = ("allocation", "windows", "prices")
"""Tables of config.toml whose keys are a person's own names."""
_MODES = ((GATEWAY, "modes"), (CONTROL, "levers"))
"""Tables in tables whose keys are names and whose values are words."""


class Edit(NamedTuple):
    """What is to be changed: a path of names in a scope; `value` None takes the key away."""

    path: tuple[str, ...]
    value: object
    scope: str


def edit_of(name: str, text: str | None, scope: str) -> Edit:
    """The edit that a name and a value, as typed, mean; no text takes the key away.

    Raises:
        BadRequest: there is no such setting, or it stands in no file, or in no such file.
    """
    path = _path_of(name, is_removal=text is None)
    if scope != OURS and path[0] != MANAGEMENT:
        raise BadRequest(
            f"{'.'.join(path)} is no setting of the agent's files; leave --scope {scope} out"
        )
    return Edit(path, None if text is None else typed_value(path, text), scope)


def _path_of(name: str, is_removal: bool) -> tuple[str, ...]:
    table, dot, rest = name.partition(".")
    if dot and rest and table in _FREE_TABLES:
        if table != "prices":
            return table, rest
        model, _, field = rest.rpartition(".")
        return (table, model, field) if model else (table, rest)
    for outer, inner in _MODES:
        if name.startswith(f"{outer}.{inner}."):
            return outer, inner, name.removeprefix(f"{outer}.{inner}.")
    if is_removal and dot and rest and table == MANAGEMENT and rest not in BUILT_IN:
        return table, rest  # whoever mistyped a key wants to be rid of it
    found = named(name)
    if len(found) > 1:
        some = ", ".join(setting.name for setting in found[:2])
        raise BadRequest(f"{name} is a table; name one of its settings, such as {some}")
    setting = found[0]
    if setting.name.partition(".")[0] not in KNOWN_IN_FILE:
        raise BadRequest(f"{setting.name} stands in no file; set the variable {setting.variable}")
    return tuple(setting.name.split("."))


def typed_value(
    path: Sequence[str], text: str
) -> bool | int | float | str | list[str] | list[int | float]:
    """The value that a text means for the setting at this path.

    Raises:
        BadRequest: it is not of that kind.
    """
    name = ".".join(path)
    if len(text) > LONGEST_VALUE or not text.isprintable():
        raise BadRequest(f"the value of {shown(name)} is too long, or holds control characters")
    if name in _LISTS:
        return [part.strip() for part in text.split(",") if part.strip()]
    if path[0] in _FREE_TABLES:
        return _of_table(path, text)
    if tuple(path[:2]) in _MODES:
        if len(path) == 3:
            return text
        example = {CONTROL: "skills", GATEWAY: "github"}[path[0]]
        raise BadRequest(f"{name} is a table; name what is in it, such as {name}.{example}")
    if name == "hooks.thresholds":
        return [_number(part, name) for part in text.split(",") if part.strip()]
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
        CONTROL: ControlSettings()._asdict(),
        GATEWAY: GatewaySettings()._asdict(),
        HOOKS: HookSettings()._asdict(),
        SERVE: ServeSettings()._asdict(),
        TRIM: TrimSettings()._asdict(),
        SPILL: SpillSettings()._asdict(),
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
        if float(digits) > 100:
            raise BadRequest(f"{name} is at most 100%, not {shown(text)}")
        return float(digits) / 100
    return float(digits) if dot else int(digits)
