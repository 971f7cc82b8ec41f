"""The table `[hooks]` of config.toml: what hooks tell the agent, and what they keep it from.

Only the person's own file may say it: an agent works in the project's files.
"""

from __future__ import annotations

from typing import NamedTuple

from tokenbudget.config.values import HOOKS, LARGEST_WINDOW_TOKENS, refuse_unknown, shown
from tokenbudget.model.errors import BadConfig

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tokenbudget.config.settings import Settings

MOST_THRESHOLDS = 8
LARGEST_USD = 1e6
_LONGEST_NUMBER = 16


class HookSettings(NamedTuple):
    """How hooks behave in a session."""

    thresholds: tuple[float, ...] = (0.5, 0.7, 0.8, 0.9)
    """Shares of the window at which the agent is told, ascending; empty is never."""
    tell: bool = True
    """Whether the agent is told anything at all."""
    guard: bool = True
    """Whether a call that would fetch again what is there is denied, once."""
    guard_tokens: int = 2_000
    """What a read has to be worth for that."""
    stop_at: str = ""
    """Where the turn is stopped: `95%`, `180000` or `5usd`; '' is nowhere."""


class StopAt(NamedTuple):
    """A hard stop; one of the three, or none."""

    share: float | None = None
    tokens: int | None = None
    usd: float | None = None


def hook_settings(settings: Settings) -> HookSettings:
    """What `[hooks]` says.

    Raises:
        BadConfig: a key is unknown, or a value cannot be.
    """
    path = settings.config_path
    known = HookSettings()._asdict()
    refuse_unknown(HOOKS, settings.hooks, known, path)
    found = {key: _value(key, given, path) for key, given in settings.hooks.items()}
    return HookSettings(**found)  # type: ignore[arg-type]


def stop_at(text: str, path: str) -> StopAt:
    """The hard stop that a text means.

    Raises:
        BadConfig: it means none.
    """
    plain = text.strip().lower().replace("_", "").replace(" ", "")
    if not plain:
        return StopAt()
    usd = plain.removesuffix("usd").removeprefix("$")
    if usd != plain:
        amount = _number(usd)
        if amount is not None and 0 < amount <= LARGEST_USD:
            return StopAt(usd=amount)
    elif plain.endswith("%"):
        percent = _number(plain[:-1])
        if percent is not None and 0 < percent <= 100:
            return StopAt(share=percent / 100)
    else:
        tokens = _number(plain) if "." not in plain else None
        if tokens is not None and 100 < tokens <= LARGEST_WINDOW_TOKENS:  # 95 is meant as a share
            return StopAt(tokens=int(tokens))
    raise BadConfig(
        f'{HOOKS}.stop_at in {path} must be a share, tokens or money, such as "95%", "180000" or'
        f' "5usd", not {shown(text)}'
    )


def _value(key: str, given: object, path: str) -> object:
    if key == "thresholds":
        found: object = _thresholds(given)
        wanted = f"up to {MOST_THRESHOLDS} ascending shares such as [0.5, 0.7, 0.8, 0.9]"
    elif key == "guard_tokens":
        is_count = isinstance(given, int) and not isinstance(given, bool)
        found = given if is_count and 0 <= given <= LARGEST_WINDOW_TOKENS else None  # type: ignore[operator]
        wanted = "a number of tokens"
    elif key == "stop_at":
        if isinstance(given, str):
            stop_at(given, path)
            return given.strip()
        found, wanted = None, 'a text such as "95%", "180000" or "5usd"'
    else:
        found, wanted = given if isinstance(given, bool) else None, "true or false"
    if found is None:
        raise BadConfig(f"{HOOKS}.{key} in {path} must be {wanted}, not {shown(given)}")
    return found


def _thresholds(given: object) -> tuple[float, ...] | None:
    """Shares, also written as percent from 2 on; None where they cannot be meant."""
    if not isinstance(given, list) or len(given) > MOST_THRESHOLDS:
        return None
    shares = []
    for one in given:
        if isinstance(one, bool) or not isinstance(one, int | float):
            return None
        if not (0 < one <= 1 or 2 <= one <= 100):  # NaN compares false with everything
            return None
        shares.append(one / 100 if one > 1 else float(one))
    return tuple(shares) if shares == sorted(set(shares)) else None


def _number(text: str) -> float | None:
    is_plain = text.isascii() and text.replace(".", "", 1).isdecimal()
    return float(text) if is_plain and len(text) <= _LONGEST_NUMBER else None
