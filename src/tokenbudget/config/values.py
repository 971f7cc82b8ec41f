"""What may stand in config.toml and in variables: the names, and what each value must be.

Each refusal says what to write; how faulty values and names are told is here as well. Every
command needs this; the meanings of settings stand apart, in `catalogue`, for those that show them.
"""

from __future__ import annotations

import os

from tokenbudget.model.errors import BadConfig

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

MANAGEMENT = "tokenManagement"
ALERTS = "alerts"
CONTROL = "control"
GATEWAY = "gateway"
MONITOR = "monitor"
HOOKS = "hooks"
SERVE = "serve"
SPILL = "spill"
TRIM = "trim"

VARIABLES = {
    "home": "TOKENS_HOME",
    "config": "TOKENS_CONFIG",
    "claude_dirs": "CLAUDE_CONFIG_DIR",
    "timezone": "TOKENS_TZ",
    "workers": "TOKENS_WORKERS",
    "backfill": "TOKENS_BACKFILL",
    "autocompact_reserve_tokens": "TOKENS_AUTOCOMPACT_RESERVE",
    "tokenManagement.autoOptimize": "TOKENS_AUTO_OPTIMIZE",
    "tokenManagement.warningThreshold": "TOKENS_WARNING_THRESHOLD",
    "tokenManagement.criticalThreshold": "TOKENS_CRITICAL_THRESHOLD",
    "tokenManagement.emergencyThreshold": "TOKENS_EMERGENCY_THRESHOLD",
    "tokenManagement.autoCleanup": "TOKENS_AUTO_CLEANUP",
    "tokenManagement.compressionMode": "TOKENS_COMPRESSION_MODE",
}
"""The environment variable of a setting, where it has one."""

KNOWN_IN_FILE = frozenset(
    {
        "alerts",
        "allocation",
        "autocompact_reserve_tokens",
        "backfill",
        "claude_dirs",
        "control",
        "gateway",
        "hooks",
        "monitor",
        "prices",
        "serve",
        "spill",
        "timezone",
        "tokenManagement",
        "trim",
        "windows",
        "workers",
    }
)
"""What may stand at the top of config.toml."""

BACKFILLS = ("detached", "inline", "off")
MOST_WORKERS = 64
LARGEST_WINDOW_TOKENS = 10**9
LONGEST_SHOWN = 60


def claude_dirs(given: object, home: str, path: str) -> tuple[str, ...]:
    """Named folders first, then the two default places; each once."""
    if given is None:
        named: list[str] = []
    elif isinstance(given, str):
        named = [part.strip() for part in given.split(",") if part.strip()]
    elif isinstance(given, list) and all(isinstance(part, str) for part in given):
        named = given
    else:
        raise BadConfig(
            f'claude_dirs in {path} must be a list of folders; write claude_dirs = ["…"]'
        )
    defaults = [os.path.join(home, ".claude"), os.path.join(home, ".config", "claude")]
    folders = [os.path.abspath(os.path.expanduser(part)) for part in named]
    return tuple(dict.fromkeys([*folders, *defaults]))


def timezone(given: object, path: str) -> str | None:
    """A name; whether there is such a zone is asked when it is used."""
    if given is None:
        return None
    if not isinstance(given, str):
        raise BadConfig(f"timezone in {path} must be an IANA name such as Europe/Berlin")
    return given


def workers(given: object, origin: str) -> int:
    """A number of processes; `auto` is up to 4."""
    if given == "auto":
        return min(4, os.cpu_count() or 1)
    try:
        count = int(str(given))
    except ValueError:
        count = -1
    if not 0 <= count <= MOST_WORKERS:
        raise BadConfig(
            f"workers (from {origin}) must be a number from 0 to {MOST_WORKERS}, not {shown(given)}"
        )
    return count


def backfill(given: object, origin: str) -> str:
    """One of `BACKFILLS`."""
    if given not in BACKFILLS:
        known = ", ".join(BACKFILLS)
        raise BadConfig(f"backfill (from {origin}) must be one of {known}, not {shown(given)}")
    return str(given)


def prices(given: object, path: str) -> Mapping[str, Mapping[str, object]]:
    """Tables by model; `metering` knows what may stand in them."""
    if not isinstance(given, dict) or not all(isinstance(entry, dict) for entry in given.values()):
        raise BadConfig(f'prices in {path} must be tables; write [prices."model-name"]')
    return given


def table(given: object, name: str, path: str) -> Mapping[str, object]:
    """A table as it is."""
    if not isinstance(given, dict):
        raise BadConfig(f"{name} in {path} must be a table; write [{name}]")
    return given


def windows(given: object, path: str) -> Mapping[str, int]:
    """Sizes by model; a size of 0 is none."""
    found: dict[str, int] = {}
    for model, size in table(given, "windows", path).items():
        count = tokens(size, f'windows."{model}"', path)
        if count:
            found[model] = count
    return found


def tokens(given: object, name: str, origin: str) -> int | None:
    """A number of tokens, also written as text."""
    if given is None:
        return None
    count = -1
    if isinstance(given, int) and not isinstance(given, bool):
        count = given
    elif isinstance(given, str):
        text = given.replace("_", "")
        count = int(text) if text.isdecimal() and len(text) < 12 else -1
    if not 0 <= count <= LARGEST_WINDOW_TOKENS:
        raise BadConfig(f"{name} (from {origin}) must be a number of tokens, not {shown(given)}")
    return count


def shown(value: object) -> str:
    """A value as it was given, cut where it is long, in ASCII: it may hold anything."""
    try:
        text = ascii(value)
    except (ValueError, RecursionError):  # an integer of more than 4,300 digits, a deep list
        return "a value too large to show"
    return text if len(text) <= LONGEST_SHOWN else f"{text[:LONGEST_SHOWN]}…"


def meant(name: str, known: Iterable[str]) -> str:
    """` (did you mean 'x'?)` for a name that is almost a known one, else nothing."""
    import difflib

    spelled = {word.lower().replace("_", ""): word for word in known}
    near = difflib.get_close_matches(name[:LONGEST_SHOWN].lower().replace("_", ""), spelled, 1)
    return f" (did you mean '{spelled[near[0]]}'?)" if near else ""


def refuse_unknown(name: str, keys: Iterable[str], known: Collection[str], path: str) -> None:
    """Every key of a table of config.toml is one that it knows.

    Raises:
        BadConfig: one is not; what was meant, if that can be told, and all that there are.
    """
    for key in keys:
        if key not in known:
            raise BadConfig(
                f"{name} in {path} has no {shown(key)}{meant(key, known)};"
                f" it knows {', '.join(known)}"
            )
