"""The table `[trim]` of config.toml: whether tools' results are shortened, and which.

How hard is `tokenManagement.compressionMode`. Only the person's own file may say the rest: an agent
works in the project's files.
"""

from __future__ import annotations

from typing import NamedTuple

from tokenbudget.config.values import LARGEST_WINDOW_TOKENS, TRIM, refuse_unknown, shown
from tokenbudget.model.errors import BadConfig

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tokenbudget.config.settings import Settings

MOST_TOOLS = 64
LONGEST_TOOL = 128


class TrimSettings(NamedTuple):
    """How results are treated at the door."""

    on: bool = True
    """Whether any result is shortened."""
    min_tokens: int = 200
    """What is shorter goes on as it is."""
    allow: tuple[str, ...] = ("*",)
    """Tools whose results may be shortened, by name or as `mcp__github__*`."""
    deny: tuple[str, ...] = ()
    """Tools whose results never are."""
    wrap: bool = True
    """Whether tests, builds and listings are run so that their output can be shortened if they
    fail."""


def trim_settings(settings: Settings) -> TrimSettings:
    """What `[trim]` says.

    Raises:
        BadConfig: a key is unknown, or a value cannot be.
    """
    path = settings.config_path
    known = TrimSettings._fields
    refuse_unknown(TRIM, settings.trim, known, path)
    found = {key: _value(key, given, path) for key, given in settings.trim.items()}
    return TrimSettings(**found)  # type: ignore[arg-type]


def _value(key: str, given: object, path: str) -> object:
    if key == "min_tokens":
        is_count = isinstance(given, int) and not isinstance(given, bool)
        found: object = given if is_count and 0 <= given <= LARGEST_WINDOW_TOKENS else None  # type: ignore[operator]
        wanted = "a number of tokens"
    elif key in ("allow", "deny"):
        found, wanted = _tools(given), 'a list of tools such as ["Read", "mcp__github__*"]'
    else:
        found, wanted = given if isinstance(given, bool) else None, "true or false"
    if found is None:
        raise BadConfig(f"{TRIM}.{key} in {path} must be {wanted}, not {shown(given)}")
    return found


def _tools(given: object) -> tuple[str, ...] | None:
    if not isinstance(given, list) or len(given) > MOST_TOOLS:
        return None
    fit = [one.strip() for one in given if isinstance(one, str) and one.isprintable()]
    is_fit = len(fit) == len(given) and all(0 < len(one) <= LONGEST_TOOL for one in fit)
    return tuple(fit) if is_fit else None
