"""The table `[gateway]` of config.toml: how the MCP gateway works, and what it lets through.

Only the person's own file may say it: an agent works in the project's files, and a rule that it
could lift there would be none.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

from tokenbudget.config.values import GATEWAY, refuse_unknown, shown
from tokenbudget.model.errors import BadConfig

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from tokenbudget.config.settings import Settings

Mode = Literal["code", "compact", "direct"]
CODE, COMPACT, DIRECT = MODES = ("code", "compact", "direct")

MOST_RULES = 512
MOST_SERVERS = 256
LONGEST_RULE = 256
_RANGES = {
    "find_limit": (1, 100),
    "call_seconds": (1, 3_600),
    "idle_seconds": (0, 86_400),
    "run_seconds": (1, 3_600),
    "memory_mb": (16, 8_192),
    "answer_tokens": (200, 100_000),
}
_RULES = ("allow", "ask", "deny")


class GatewaySettings(NamedTuple):
    """How `tokens gateway` works."""

    find_limit: int = 10
    """Tools that one search names unless the agent asks for another number."""
    call_seconds: int = 600
    """How long a server may be silent in one call; its progress begins the time anew."""
    idle_seconds: int = 600
    """A server that nobody calls for so long is stopped; 0 is never."""
    run_seconds: int = 120
    """How long one piece of code may run, its calls included."""
    memory_mb: int = 256
    """What the sandbox may hold."""
    answer_tokens: int = 2_000
    """A longer answer is shortened, with a handle for the whole of it."""
    skills: bool = False
    """Whether skills are found and loaded through the gateway as well."""
    allow: tuple[str, ...] = ()
    """Calls that go through unasked, destructive or not: `github.*`, `*.delete_branch`."""
    ask: tuple[str, ...] = ()
    """Calls for which the person is asked each time."""
    deny: tuple[str, ...] = ()
    """Calls that are refused; it has the last word."""
    modes: Mapping[str, Mode] = {}
    """How a server's tools are offered; one that is not named is reached by code."""


def gateway_settings(settings: Settings) -> GatewaySettings:
    """What `[gateway]` says.

    Raises:
        BadConfig: a key is unknown, or a value cannot be.
    """
    path, known = settings.config_path, GatewaySettings._fields
    refuse_unknown(GATEWAY, settings.gateway, known, path)
    found = {key: _value(key, given, path) for key, given in settings.gateway.items()}
    return GatewaySettings(**found)  # type: ignore[arg-type]


def _value(key: str, given: object, path: str) -> object:
    if key in _RANGES:
        least, most = _RANGES[key]
        is_count = isinstance(given, int) and not isinstance(given, bool)
        found: object = given if is_count and least <= given <= most else None  # type: ignore[operator]
        wanted = f"a number from {least} to {most:,}"
    elif key in _RULES:
        found, wanted = rules_of(given), 'a list of calls such as ["github.*", "*.delete_*"]'
    elif key == "modes":
        found, wanted = _modes(given), f"a table of servers, each {', '.join(MODES)}"
    else:
        found, wanted = given if isinstance(given, bool) else None, "true or false"
    if found is None:
        raise BadConfig(f"{GATEWAY}.{key} in {path} must be {wanted}, not {shown(given)}")
    return found


def rules_of(given: object) -> tuple[str, ...] | None:
    """A list of globs over `server.tool`; None where it cannot be meant as one.

    A word without a dot would match no call at all, and a deny that never denies is worse than a
    refusal: it is taken as the server's name, `github` as `github.*`.
    """
    if not isinstance(given, list) or len(given) > MOST_RULES:
        return None
    fit = [one.strip() for one in given if isinstance(one, str) and one.isprintable()]
    if len(fit) != len(given) or not all(0 < len(one) <= LONGEST_RULE for one in fit):
        return None
    return tuple(one if "." in one or one == "*" else f"{one}.*" for one in fit)


def _modes(given: object) -> Mapping[str, Mode] | None:
    if not isinstance(given, dict) or len(given) > MOST_SERVERS:
        return None
    return given if all(mode in MODES for mode in given.values()) else None
