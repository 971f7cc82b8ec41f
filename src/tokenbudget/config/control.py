"""The table `[control]` of config.toml: what the controller may do by itself, and how often.

Only the person's own file may say it: an agent works in the project's files. Where the levels of
health begin is `tokenManagement`, and where a turn is stopped is `hooks.stop_at`.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

from tokenbudget.config.serving import span_seconds
from tokenbudget.config.values import CONTROL, meant, refuse_unknown, shown
from tokenbudget.model.control import ADVICE_ONLY, LEVERS
from tokenbudget.model.errors import BadConfig

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from tokenbudget.config.settings import Settings
    from tokenbudget.model.control import Mode

MODES = ("off", "advise", "auto")
MOST_PINS = 256
LONGEST_PIN = 256
KINDS = (*LEVERS, "agents")
"""What an id begins with, before its slash."""

_SPANS = {"interval": (1, 600), "cooldown": (1, 86_400), "lease": (300, 7 * 86_400)}
"""Seconds, least and most. A look each second is as often as anything can change; something that
was lent for less than five minutes could be put back before the client has taken notice of it."""
_SAID = {
    "interval": 'a time from 1s to 10m such as "5s"',
    "cooldown": 'a time from 1s to 1d such as "5m"',
    "lease": 'a time from 5m to 7d such as "24h"',
}


class ControlSettings(NamedTuple):
    """How `tokens control` and the daemon's loop behave."""

    mode: Mode | Literal[""] = ""
    """`off`, `advise` or `auto`; '' is by `tokenManagement`: see `app.control_wishes`."""
    levers: Mapping[str, Mode] = {}
    """By lever, where it is to be another than `mode`; `off` of the whole has the last word."""
    interval: str = "5s"
    """Between two looks."""
    cooldown: str = "5m"
    """Between two actions of one lever."""
    lease: str = "24h"
    """After so long what was lent is put back."""
    pins: tuple[str, ...] = ()
    """Ids that are never touched: `skills/deploy`, `mcp-servers/git*`."""

    @property
    def interval_seconds(self) -> int:
        """Between two looks."""
        return span_seconds(self.interval) or 0

    @property
    def cooldown_seconds(self) -> int:
        """Between two actions of one lever."""
        return span_seconds(self.cooldown) or 0

    @property
    def lease_seconds(self) -> int:
        """Until what was lent is put back."""
        return span_seconds(self.lease) or 0


def control_settings(settings: Settings) -> ControlSettings:
    """What `[control]` says.

    Raises:
        BadConfig: a key is unknown, a value cannot be, or two of them contradict each other.
    """
    path, known = settings.config_path, ControlSettings._fields
    refuse_unknown(CONTROL, settings.control, known, path)
    found = {key: _value(key, given, path) for key, given in settings.control.items()}
    wanted = ControlSettings(**found)  # type: ignore[arg-type]
    _refuse_contradiction(wanted, path)
    return wanted


def _value(key: str, given: object, path: str) -> object:
    if key == "levers":
        return _levers(given, path)
    if key == "pins":
        return _pins(given, path)
    if key == "mode":
        is_fit = isinstance(given, str) and given in MODES
        wanted = f"one of {', '.join(MODES)}"
    else:
        seconds, (least, most) = span_seconds(given), _SPANS[key]
        is_fit, wanted = seconds is not None and least <= seconds <= most, _SAID[key]
    if not is_fit:
        raise BadConfig(f"{CONTROL}.{key} in {path} must be {wanted}, not {shown(given)}")
    return given


def _levers(given: object, path: str) -> Mapping[str, Mode]:
    """A mode by lever."""
    if not isinstance(given, dict):
        raise BadConfig(
            f"{CONTROL}.levers in {path} must be a table such as [{CONTROL}.levers] with"
            f' skills = "off", not {shown(given)}'
        )
    for lever, mode in given.items():
        if lever not in LEVERS:
            raise BadConfig(
                f"{CONTROL}.levers in {path} has no {shown(lever)}{meant(lever, LEVERS)};"
                f" levers are {', '.join(LEVERS)}"
            )
        if not isinstance(mode, str) or mode not in MODES:
            raise BadConfig(
                f"{CONTROL}.levers.{lever} in {path} must be one of {', '.join(MODES)},"
                f" not {shown(mode)}"
            )
        if mode == "auto" and lever in ADVICE_ONLY:
            raise BadConfig(
                f"{CONTROL}.levers.{lever} in {path} cannot be auto, for only you can follow it;"
                f" write advise or off"
            )
    return given


def _pins(given: object, path: str) -> tuple[str, ...]:
    if not isinstance(given, list) or len(given) > MOST_PINS:
        raise BadConfig(
            f'{CONTROL}.pins in {path} must be a list of ids such as ["skills/deploy"],'
            f" not {shown(given)}"
        )
    for one in given:
        fault = _pin_fault(one)
        if fault:
            raise BadConfig(f"{CONTROL}.pins in {path} has {shown(one)}, {fault}")
    return tuple(one.strip() for one in given)


def _pin_fault(given: object) -> str:
    """Why it pins nothing, or too much; '' for one that can be meant.

    A pin that matches nothing would be believed to protect something, so it is refused.
    """
    example = 'write an id such as "mcp-servers/github", as tokens control --dry-run lists them'
    if not isinstance(given, str) or not given.isprintable() or len(given) > LONGEST_PIN:
        return f"which is no id; {example}"
    start = given.strip().removesuffix("*")
    if not start:
        return f"which is everything or nothing; {example}, or set {CONTROL}.mode to advise"
    if "*" in start:
        return "which has * before its end; it can only end a beginning"
    kind, slash, name = start.partition("/")
    is_open = given.strip().endswith("*")
    if slash and kind in KINDS and (name or is_open):
        return ""
    if is_open and not slash and any(f"{known}/".startswith(start) for known in KINDS):
        return ""
    return f"which begins like no id ({', '.join(KINDS)}); {example}"


def _refuse_contradiction(wanted: ControlSettings, path: str) -> None:
    if wanted.cooldown_seconds < wanted.interval_seconds:
        raise BadConfig(
            f"{CONTROL}.cooldown {wanted.cooldown} in {path} is shorter than"
            f" {CONTROL}.interval {wanted.interval}, so it would hold nothing back;"
            " write the longer time for cooldown"
        )
    if wanted.lease_seconds < wanted.cooldown_seconds:
        raise BadConfig(
            f"{CONTROL}.lease {wanted.lease} in {path} is shorter than {CONTROL}.cooldown"
            f" {wanted.cooldown}; what is lent would be put back before it may be lent again"
        )
