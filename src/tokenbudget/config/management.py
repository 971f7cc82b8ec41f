"""`tokenManagement`: how the layers that speak of it become one set of values.

A layer is a table and the place where it was found. They are resolved key by key, the last layer
that names a key wins. Nothing here touches a file; `layers` finds and reads them.
"""

from __future__ import annotations

from typing import NamedTuple

from tokenbudget.config.values import MANAGEMENT, VARIABLES, meant, shown
from tokenbudget.model.errors import BadConfig

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

OURS, USER, PROJECT, LOCAL, ENVIRONMENT = "ours", "user", "project", "local", "environment"
"""Kinds of layers, lowest first; the middle three are the agent's own settings files."""

VERBOSE, BALANCED, COMPRESSED = "verbose", "balanced", "compressed"
COMPRESSION_MODES = (VERBOSE, BALANCED, COMPRESSED)

DEFAULT = "default"
"""The origin of what nobody says."""

BUILT_IN: Mapping[str, bool | float | str] = {
    "autoOptimize": False,
    "warningThreshold": 0.5,
    "criticalThreshold": 0.75,
    "emergencyThreshold": 0.9,
    "autoCleanup": False,
    "compressionMode": BALANCED,
}
THRESHOLDS = ("warningThreshold", "criticalThreshold", "emergencyThreshold")

_YES = ("1", "true", "yes", "on")
_NO = ("0", "false", "no", "off")
_LONGEST_NUMBER = 24


class TokenManagement(NamedTuple):
    """What a person wants of the controller; every value with the place that it came from."""

    auto_optimize: bool
    """Reversible recommendations are carried out without asking."""
    warning_share: float
    """Shares of the window, 0 to 1, at which the levels of health begin; they ascend."""
    critical_share: float
    emergency_share: float
    auto_cleanup: bool
    """From critical on, the reversible part of the cleanup runs by itself."""
    compression_mode: str
    """One of `COMPRESSION_MODES`."""
    origins: Mapping[str, str]
    """By key as it stands in the files: a path, a variable, or `default`."""


class Layer(NamedTuple):
    """One place that may speak of `tokenManagement`."""

    kind: str
    where: str
    """The path of a file; '' for the environment."""
    table: object = None
    """What it says, as it was found; None where it says nothing."""
    fault: str = ""
    """Why the file could not be understood, as a clause; '' where it could, or is not there."""
    is_there: bool = True

    def origin(self, key: str) -> str:
        """Where a person finds this key."""
        return self.where or variable_of(key)


class BadLayer(BadConfig):
    """A value that cannot be, and the layers that may have to change."""

    def __init__(self, text: str, suspects: Sequence[Layer]) -> None:
        super().__init__(text)
        self.suspects = tuple(suspects)


def variable_of(key: str) -> str:
    """The environment variable of a key."""
    return VARIABLES[f"{MANAGEMENT}.{key}"]


def resolve(layers: Sequence[Layer]) -> TokenManagement:
    """The values that hold, lowest layer first.

    Raises:
        BadLayer: a table is none, a key is unknown, a value is impossible, the thresholds do not
            ascend.
    """
    values = dict(BUILT_IN)
    sources: dict[str, Layer] = {}
    for layer in layers:
        for key, value in checked(layer).items():
            values[key] = value
            sources[key] = layer
    _refuse_disorder(values, sources)
    return TokenManagement(
        auto_optimize=bool(values["autoOptimize"]),
        warning_share=float(values["warningThreshold"]),
        critical_share=float(values["criticalThreshold"]),
        emergency_share=float(values["emergencyThreshold"]),
        auto_cleanup=bool(values["autoCleanup"]),
        compression_mode=str(values["compressionMode"]),
        origins={key: sources[key].origin(key) if key in sources else DEFAULT for key in BUILT_IN},
    )


def checked(layer: Layer) -> dict[str, bool | float | str]:
    """What one layer says, each value as it is meant.

    Raises:
        BadLayer: it cannot be meant.
    """
    if layer.table is None:
        return {}
    if not isinstance(layer.table, dict):
        raise BadLayer(
            f"{MANAGEMENT} in {layer.where} must be a table, not {shown(layer.table)};"
            f' write {{"warningThreshold": 0.5}} or remove it',
            [layer],
        )
    return {key: _value(key, given, layer) for key, given in layer.table.items()}


def _value(key: str, given: object, layer: Layer) -> bool | float | str:
    known = BUILT_IN.get(key)
    if known is None:
        raise BadLayer(
            f"{MANAGEMENT} in {layer.where} has no {shown(key)}{meant(key, BUILT_IN)};"
            f" it knows {', '.join(BUILT_IN)}",
            [layer],
        )
    if isinstance(known, bool):
        found: bool | float | str | None = _truth(given, layer)
        wanted = "true or false"
    elif isinstance(known, float):
        found = _share(given, layer)
        wanted = "a number such as 0.75 or 75"
    else:
        found = given if isinstance(given, str) and given in COMPRESSION_MODES else None
        wanted = "one of " + ", ".join(COMPRESSION_MODES)
    if found is None:
        place = f" in {layer.where}" if layer.where else f" (from {variable_of(key)})"
        raise BadLayer(f"{MANAGEMENT}.{key}{place} must be {wanted}, not {shown(given)}", [layer])
    return found


def _truth(given: object, layer: Layer) -> bool | None:
    if layer.kind == ENVIRONMENT:
        text = str(given).strip().lower()
        return True if text in _YES else False if text in _NO else None
    return given if isinstance(given, bool) else None


def _share(given: object, layer: Layer) -> float | None:
    """A share, also written as percent from 2 on.

    What is a little above 1 is refused: 1.5 may be meant as 1.5 % or, by mistake, as 150 %.
    """
    if layer.kind == ENVIRONMENT:
        given = _number(str(given))
    if isinstance(given, bool) or not isinstance(given, int | float):
        return None
    if not (0 < given <= 1 or 2 <= given <= 100):  # NaN compares false with everything
        return None
    return given / 100 if given > 1 else float(given)


def _number(text: str) -> float | None:
    """A plain number of a variable, with or without a percent sign; `1%` stays a share of 0.01."""
    plain = text.strip()
    digits = plain.removesuffix("%")
    if len(plain) > _LONGEST_NUMBER or not digits.replace(".", "", 1).isdecimal():
        return None
    if not plain.endswith("%"):
        return float(digits)
    return float(digits) / 100 if float(digits) <= 100 else None


def _refuse_disorder(
    values: Mapping[str, bool | float | str], sources: Mapping[str, Layer]
) -> None:
    warning, critical, emergency = THRESHOLDS
    for lower, upper in ((warning, critical), (critical, emergency)):
        if float(values[lower]) < float(values[upper]):
            continue
        named = [
            f"{key} {values[key]:g} ({sources[key].origin(key) if key in sources else DEFAULT})"
            for key in (lower, upper)
        ]
        raise BadLayer(
            f"{MANAGEMENT}: {named[0]} is not below {named[1]}, and thresholds have to ascend;"
            " write shares such as 0.5, 0.75 and 0.9",
            [sources[key] for key in (upper, lower) if key in sources],
        )
