"""The settings of one run: validated once, each with the place it came from.

Order of precedence, lowest first: built-in, `config.toml`, environment. Options of a verb are not
settings. The table `SETTINGS` is the documentation: `tokens config` prints it.
"""

from __future__ import annotations

import os
from typing import NamedTuple

from tokenbudget.model.errors import BadConfig

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping


class Setting(NamedTuple):
    """One setting: its name in config.toml, its variable, what it is for."""

    name: str
    variable: str
    meaning: str


SETTINGS = (
    Setting("home", "TOKENS_HOME", "folder of the product's own data (ledger, locks)"),
    Setting("config", "TOKENS_CONFIG", "path of config.toml"),
    Setting(
        "claude_dirs", "CLAUDE_CONFIG_DIR", "further folders of Claude Code, separated by commas"
    ),
    Setting("timezone", "TOKENS_TZ", "IANA name of the zone whose days are shown"),
    Setting(
        "workers",
        "TOKENS_WORKERS",
        "processes that read transcripts; 0 reads in the command itself",
    ),
    Setting(
        "backfill", "TOKENS_BACKFILL", "detail after a large first read: detached, inline or off"
    ),
    Setting("prices", "", "your own prices, by model: see docs/prices.md"),
    Setting("windows", "", "your own window sizes in tokens, by model; `*` ends a beginning"),
    Setting(
        "autocompact_reserve_tokens",
        "TOKENS_AUTOCOMPACT_RESERVE",
        "tokens that the client keeps free before it compacts by itself",
    ),
    Setting("allocation", "", "your own shares of the window: see docs/window.md"),
    Setting(
        "tokenManagement", "", "warning-, critical- and emergencyThreshold: see docs/window.md"
    ),
)

BACKFILLS = ("detached", "inline", "off")
LONGEST_WIDTH = 6
"""Digits of the widest terminal that we believe in."""

_KNOWN_IN_FILE = {setting.name for setting in SETTINGS} - {"home", "config"}
LARGEST_WINDOW_TOKENS = 10**9


class Settings(NamedTuple):
    """Everything that a run is told from outside."""

    home_dir: str
    data_dir: str
    config_path: str
    claude_dirs: tuple[str, ...]
    timezone: str | None
    workers: int
    backfill: str
    prices: Mapping[str, Mapping[str, object]]
    windows: Mapping[str, int]
    autocompact_reserve_tokens: int | None
    allocation: Mapping[str, object]
    token_management: Mapping[str, object]
    origins: Mapping[str, str]


def settings_from(environment: Mapping[str, str]) -> Settings:
    """Read the environment and config.toml.

    Raises:
        BadConfig: a value is impossible, or the file is no TOML.
    """
    home = environment.get("HOME") or os.path.expanduser("~")
    data, data_origin = _data_dir(environment, home)
    path, path_origin = _config_path(environment, home, data)
    given = _from_file(path)
    origins = dict.fromkeys(given, path) | {"home": data_origin, "config": path_origin}
    for setting in SETTINGS:
        value = environment.get(setting.variable) if setting.variable else None
        if value and setting.name not in ("home", "config"):
            given[setting.name] = value
            origins[setting.name] = setting.variable
    return Settings(
        home_dir=home,
        data_dir=data,
        config_path=path,
        claude_dirs=_claude_dirs(given.get("claude_dirs"), home, path),
        timezone=_timezone(given.get("timezone"), path),
        workers=_workers(given.get("workers", "auto"), origins.get("workers", "")),
        backfill=_backfill(given.get("backfill", "detached"), origins.get("backfill", "")),
        prices=_prices(given.get("prices", {}), path),
        windows=_windows(given.get("windows", {}), path),
        autocompact_reserve_tokens=_tokens(
            given.get("autocompact_reserve_tokens"),
            "autocompact_reserve_tokens",
            origins.get("autocompact_reserve_tokens", ""),
        ),
        allocation=_table(given.get("allocation", {}), "allocation", path),
        token_management=_table(given.get("tokenManagement", {}), "tokenManagement", path),
        origins=origins,
    )


def environment_settings() -> Settings:
    """The settings of this process."""
    return settings_from(os.environ)


def environment_for_child(settings: Settings) -> dict[str, str]:
    """What a detached helper of ours needs to know; nothing else of the environment goes along."""
    told = {
        "HOME": settings.home_dir,
        "TOKENS_HOME": settings.data_dir,
        "TOKENS_CONFIG": settings.config_path,
        "TOKENS_WORKERS": "0",
    }
    if settings.origins.get("claude_dirs") == "CLAUDE_CONFIG_DIR":  # else the file names them
        told["CLAUDE_CONFIG_DIR"] = ",".join(settings.claude_dirs)
    return told


def _data_dir(environment: Mapping[str, str], home: str) -> tuple[str, str]:
    own = environment.get("TOKENS_HOME")
    if own:
        return os.path.abspath(own), "TOKENS_HOME"
    base = environment.get("XDG_DATA_HOME")
    if base:
        return os.path.join(base, "tokenbudget"), "XDG_DATA_HOME"
    return os.path.join(home, ".local", "share", "tokenbudget"), "default"


def _config_path(environment: Mapping[str, str], home: str, data: str) -> tuple[str, str]:
    own = environment.get("TOKENS_CONFIG")
    if own:
        return os.path.abspath(own), "TOKENS_CONFIG"
    if environment.get("TOKENS_HOME"):
        return os.path.join(data, "config.toml"), "TOKENS_HOME"
    base = environment.get("XDG_CONFIG_HOME")
    if base:
        return os.path.join(base, "tokenbudget", "config.toml"), "XDG_CONFIG_HOME"
    return os.path.join(home, ".config", "tokenbudget", "config.toml"), "default"


def _from_file(path: str) -> dict[str, object]:
    try:
        with open(path, "rb") as handle:
            data = handle.read()
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except OSError as exc:
        raise BadConfig(
            f"cannot read {path}: {exc.strerror}; make it readable or remove it"
        ) from exc
    import tomllib

    try:
        found = tomllib.loads(data.decode())
    except (ValueError, RecursionError) as exc:
        raise BadConfig(f"{path} is not TOML: {exc}; correct that line") from exc
    unknown = sorted(set(found) - _KNOWN_IN_FILE)
    if unknown:
        known = ", ".join(sorted(_KNOWN_IN_FILE))
        raise BadConfig(f"{path} has the unknown setting '{unknown[0]}'; known are {known}")
    return found


def _claude_dirs(given: object, home: str, path: str) -> tuple[str, ...]:
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


def _timezone(given: object, path: str) -> str | None:
    if given is None:
        return None
    if not isinstance(given, str):
        raise BadConfig(f"timezone in {path} must be an IANA name such as Europe/Berlin")
    return given


def _workers(given: object, origin: str) -> int:
    if given == "auto":
        return min(4, os.cpu_count() or 1)
    try:
        count = int(str(given))
    except ValueError:
        count = -1
    if not 0 <= count <= 64:
        raise BadConfig(f"workers (from {origin}) must be a number from 0 to 64, not {given!r}")
    return count


def _backfill(given: object, origin: str) -> str:
    if given not in BACKFILLS:
        known = ", ".join(BACKFILLS)
        raise BadConfig(f"backfill (from {origin}) must be one of {known}, not {given!r}")
    return str(given)


def _prices(given: object, path: str) -> Mapping[str, Mapping[str, object]]:
    if not isinstance(given, dict) or not all(isinstance(entry, dict) for entry in given.values()):
        raise BadConfig(f'prices in {path} must be tables; write [prices."model-name"]')
    return given


def _table(given: object, name: str, path: str) -> Mapping[str, object]:
    if not isinstance(given, dict):
        raise BadConfig(f"{name} in {path} must be a table; write [{name}]")
    return given


def _windows(given: object, path: str) -> Mapping[str, int]:
    table = _table(given, "windows", path)
    found: dict[str, int] = {}
    for model, tokens in table.items():
        count = _tokens(tokens, f'windows."{model}"', path)
        if count:
            found[model] = count
    return found


def _tokens(given: object, name: str, origin: str) -> int | None:
    """A number of tokens, also written as text."""
    if given is None:
        return None
    text = str(given).replace("_", "")
    count = int(text) if text.isdecimal() and len(text) < 12 else -1
    if isinstance(given, bool) or not 0 <= count <= LARGEST_WINDOW_TOKENS:
        raise BadConfig(f"{name} (from {origin}) must be a number of tokens, not {given!r}")
    return count


class TerminalWishes(NamedTuple):
    """What the environment says about output."""

    is_plain: bool
    columns: int


def terminal_wishes(environment: Mapping[str, str] | None = None) -> TerminalWishes:
    """NO_COLOR and TERM=dumb ask for plain text; COLUMNS sets a width, 0 where it is not set."""
    environment = os.environ if environment is None else environment
    columns = environment.get("COLUMNS", "")
    return TerminalWishes(
        is_plain=bool(environment.get("NO_COLOR")) or environment.get("TERM") == "dumb",
        columns=int(columns) if columns.isdecimal() and len(columns) <= LONGEST_WIDTH else 0,
    )
