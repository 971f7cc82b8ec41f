"""The settings of one run: validated once, each with the place it came from.

Order of precedence, lowest first: built-in, `config.toml`, environment. Options of a verb are not
settings. `tokenManagement` has more layers (`layers`), which are read when it is asked for.

Annotations are not postponed here: `NamedTuple` compiles each one that comes as text, which took
every command a quarter of a millisecond.
"""

import os
from collections.abc import Callable, Mapping
from typing import NamedTuple

from tokenbudget.config import values
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
    VARIABLES,
    meant,
    shown,
)
from tokenbudget.config.values import LARGEST_WINDOW_TOKENS as LARGEST_WINDOW_TOKENS
from tokenbudget.model.errors import BadConfig

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tokenbudget.config.alerting import AlertSettings, MonitorSettings
    from tokenbudget.config.control import ControlSettings
    from tokenbudget.config.gateway import GatewaySettings
    from tokenbudget.config.hooking import HookSettings
    from tokenbudget.config.management import TokenManagement
    from tokenbudget.config.serving import ServeSettings
    from tokenbudget.config.spilling import SpillSettings
    from tokenbudget.config.trimming import TrimSettings

LONGEST_WIDTH = 6
"""Digits of the widest terminal that we believe in."""

PLACE_VARIABLES = ("HOME", "TOKENS_HOME", "TOKENS_CONFIG", "XDG_DATA_HOME", "XDG_CONFIG_HOME")
"""They say where things are, not how they are."""

_RESOLVED = (*PLACE_VARIABLES, "TOKENS_WORKERS", "TOKENS_BACKFILL", "CLAUDE_CONFIG_DIR")
"""What a helper is told as it was understood, or not at all; other variables go along as given."""


class Places:
    """Where the product's own files are; no tuple, which would take a tenth of a millisecond."""

    def __init__(self, home: str, data: str, path: str, origins: Mapping[str, str]) -> None:
        self.home_dir = home
        self.data_dir = data
        self.config_path = path
        self.origins = origins


class Settings(NamedTuple):
    """Everything that a run is told from outside."""

    home_dir: str
    data_dir: str
    config_path: str
    working_dir: str
    """Where the run was started, which says whose project settings hold; '' is nowhere."""
    claude_dirs: tuple[str, ...]
    timezone: str | None
    workers: int
    backfill: str
    prices: Mapping[str, Mapping[str, object]]
    windows: Mapping[str, int]
    autocompact_reserve_tokens: int | None
    allocation: Mapping[str, object]
    token_management: Mapping[str, object]
    """What config.toml says of it; `management()` is what holds."""
    alerts: Mapping[str, object]
    monitor: Mapping[str, object]
    hooks: Mapping[str, object]
    serve: Mapping[str, object]
    trim: Mapping[str, object]
    spill: Mapping[str, object]
    gateway: Mapping[str, object]
    control: Mapping[str, object]
    from_file: Mapping[str, object]
    """All that config.toml says, as it was read."""
    variables: Mapping[str, str]
    """What the environment says of any setting."""
    origins: Mapping[str, str]
    file_fault: str = ""
    """What is wrong with config.toml, where its last good text stands in for it."""
    on_fault: Callable[[str], None] | None = None
    """Is told of what the last good values bridge; None: nothing is bridged, a fault is raised."""

    def management(self) -> "TokenManagement":
        """`tokenManagement` from every layer, read now.

        Raises:
            BadConfig: it cannot be meant, and no last good values stand in.
        """
        from tokenbudget.config.resolving import token_management

        return token_management(self)

    def alert_settings(self) -> "AlertSettings":
        """How alerts behave; raises BadConfig."""
        from tokenbudget.config.alerting import alert_settings

        return alert_settings(self)

    def monitor_settings(self) -> "MonitorSettings":
        """How the live view starts; raises BadConfig."""
        from tokenbudget.config.alerting import monitor_settings

        return monitor_settings(self)

    def hook_settings(self) -> "HookSettings":
        """How hooks behave; raises BadConfig."""
        from tokenbudget.config.hooking import hook_settings

        return hook_settings(self)

    def serve_settings(self) -> "ServeSettings":
        """How the daemon runs; raises BadConfig."""
        from tokenbudget.config.serving import serve_settings

        return serve_settings(self)

    def trim_settings(self) -> "TrimSettings":
        """How tools' results are shortened; raises BadConfig."""
        from tokenbudget.config.trimming import trim_settings

        return trim_settings(self)

    def spill_settings(self) -> "SpillSettings":
        """How long originals are kept; raises BadConfig."""
        from tokenbudget.config.spilling import spill_settings

        return spill_settings(self)

    def gateway_settings(self) -> "GatewaySettings":
        """How the MCP gateway works; raises BadConfig."""
        from tokenbudget.config.gateway import gateway_settings

        return gateway_settings(self)

    def control_settings(self) -> "ControlSettings":
        """What the controller may do by itself; raises BadConfig."""
        from tokenbudget.config.control import control_settings

        return control_settings(self)


def settings_from(environment: Mapping[str, str], working_dir: str = "") -> Settings:
    """Read the environment and config.toml; nothing is bridged and nothing is kept.

    Raises:
        BadConfig: a value is impossible, or the file is no TOML.
    """
    text = config_text(places_from(environment).config_path)
    return settings_of(environment, working_dir, text)


def settings_of(environment: Mapping[str, str], working_dir: str, text: bytes | None) -> Settings:
    """The settings that these variables and this text of config.toml make; touches no file.

    Raises:
        BadConfig: a value is impossible, or the text is no TOML.
    """
    places = places_from(environment)
    home, path = places.home_dir, places.config_path
    from_file = {} if text is None else parsed(text, path)
    variables = {name: environment[name] for name in _all_variables() if environment.get(name)}
    given = dict(from_file)
    origins = dict.fromkeys(from_file, path) | dict(places.origins)
    for name, variable in VARIABLES.items():
        if variable in variables and "." not in name and name not in places.origins:
            given[name] = variables[variable]
            origins[name] = variable
    reserve = "autocompact_reserve_tokens"
    return Settings(
        home_dir=home,
        data_dir=places.data_dir,
        config_path=path,
        working_dir=working_dir,
        claude_dirs=values.claude_dirs(given.get("claude_dirs"), home, path),
        timezone=values.timezone(given.get("timezone"), path),
        workers=values.workers(given.get("workers", "auto"), origins.get("workers", "")),
        backfill=values.backfill(given.get("backfill", "detached"), origins.get("backfill", "")),
        prices=values.prices(given.get("prices", {}), path),
        windows=values.windows(given.get("windows", {}), path),
        autocompact_reserve_tokens=values.tokens(
            given.get(reserve), reserve, origins.get(reserve, "")
        ),
        allocation=values.table(given.get("allocation", {}), "allocation", path),
        token_management=values.table(given.get(MANAGEMENT, {}), MANAGEMENT, path),
        alerts=values.table(given.get(ALERTS, {}), ALERTS, path),
        monitor=values.table(given.get(MONITOR, {}), MONITOR, path),
        hooks=values.table(given.get(HOOKS, {}), HOOKS, path),
        serve=values.table(given.get(SERVE, {}), SERVE, path),
        trim=values.table(given.get(TRIM, {}), TRIM, path),
        spill=values.table(given.get(SPILL, {}), SPILL, path),
        gateway=values.table(given.get(GATEWAY, {}), GATEWAY, path),
        control=values.table(given.get(CONTROL, {}), CONTROL, path),
        from_file=from_file,
        variables=variables,
        origins=origins,
    )


def environment_settings() -> Settings:
    """The settings of this process; raises as `settings_from`."""
    return settings_from(os.environ, working_dir())


def working_dir() -> str:
    """Where this process stands; '' where that folder is gone."""
    try:
        return os.getcwd()
    except OSError:
        return ""


def process_environment() -> Mapping[str, str]:
    """The whole environment, for what a person has put there by name: secrets, the desktop."""
    return os.environ


def environment_for_child(settings: Settings) -> dict[str, str]:
    """What a detached helper of ours needs to know; nothing else of the environment goes along.

    Whoever starts it leaves it in the same working directory, so that it finds the same project.
    """
    told = {
        "HOME": settings.home_dir,
        "TOKENS_HOME": settings.data_dir,
        "TOKENS_CONFIG": settings.config_path,
        "TOKENS_WORKERS": "0",
    }
    told |= {name: text for name, text in settings.variables.items() if name not in _RESOLVED}
    if settings.origins.get("claude_dirs") == "CLAUDE_CONFIG_DIR":  # else the file names them
        told["CLAUDE_CONFIG_DIR"] = ",".join(settings.claude_dirs)
    return told


def places_from(environment: Mapping[str, str]) -> Places:
    """Where the product's own files are, and who says so."""
    home = environment.get("HOME") or os.path.expanduser("~")
    data, data_origin = _data_dir(environment, home)
    path, path_origin = _config_path(environment, home, data)
    return Places(home, data, path, {"home": data_origin, "config": path_origin})


def _all_variables() -> list[str]:
    return [*VARIABLES.values(), "TZ"]  # the zone of the machine, which helpers need as well


def _data_dir(environment: Mapping[str, str], home: str) -> tuple[str, str]:
    own = environment.get("TOKENS_HOME")
    if own:
        return os.path.abspath(own), "TOKENS_HOME"
    return _usual_data_dir(environment, home)


def _usual_data_dir(environment: Mapping[str, str], home: str) -> tuple[str, str]:
    """Where our data is unless somebody moves it: naming that place moves nothing else either.

    What runs beside the agent is told its data folder by name, and must find the same config.toml.
    """
    base = environment.get("XDG_DATA_HOME")
    if base:
        return os.path.join(base, "tokenbudget"), "XDG_DATA_HOME"
    return os.path.join(home, ".local", "share", "tokenbudget"), "default"


def _config_path(environment: Mapping[str, str], home: str, data: str) -> tuple[str, str]:
    own = environment.get("TOKENS_CONFIG")
    if own:
        return os.path.abspath(own), "TOKENS_CONFIG"
    if environment.get("TOKENS_HOME") and data != os.path.abspath(
        _usual_data_dir(environment, home)[0]
    ):
        return os.path.join(data, "config.toml"), "TOKENS_HOME"
    base = environment.get("XDG_CONFIG_HOME")
    if base:
        return os.path.join(base, "tokenbudget", "config.toml"), "XDG_CONFIG_HOME"
    return os.path.join(home, ".config", "tokenbudget", "config.toml"), "default"


def config_text(path: str) -> bytes | None:
    """The bytes of config.toml; None where there is none.

    Raises:
        BadConfig: it cannot be read.
    """
    if not os.path.lexists(path):  # then no command needs the module that reads one
        return None
    from tokenbudget.config.files import read_regular

    try:
        return read_regular(path)
    except OSError as exc:
        raise BadConfig(
            f"cannot read {path}: {exc.strerror}; make it readable or remove it"
        ) from exc


def parsed(text: bytes, path: str) -> dict[str, object]:
    """What config.toml says, with its tables still unchecked.

    Raises:
        BadConfig: it is no TOML, or a setting in it is unknown.
    """
    import tomllib

    try:
        found = tomllib.loads(text.decode())
    except (ValueError, RecursionError) as exc:
        raise BadConfig(f"{path} is not TOML: {exc}; correct that line") from exc
    unknown = sorted(set(found) - KNOWN_IN_FILE)
    if unknown:
        known = ", ".join(sorted(KNOWN_IN_FILE))
        hint = meant(unknown[0], KNOWN_IN_FILE)
        raise BadConfig(
            f"{path} has the unknown setting {shown(unknown[0])}{hint}; known are {known}"
        )
    return found


class TerminalWishes(NamedTuple):
    """What the environment says about output."""

    is_plain: bool
    columns: int
    is_dumb: bool
    """It cannot move its cursor."""


def terminal_wishes(environment: Mapping[str, str] | None = None) -> TerminalWishes:
    """NO_COLOR and TERM=dumb ask for plain text; COLUMNS sets a width, 0 where it is not set."""
    environment = os.environ if environment is None else environment
    columns = environment.get("COLUMNS", "")
    is_dumb = environment.get("TERM") == "dumb"
    return TerminalWishes(
        is_plain=bool(environment.get("NO_COLOR")) or is_dumb,
        columns=int(columns) if columns.isdecimal() and len(columns) <= LONGEST_WIDTH else 0,
        is_dumb=is_dumb,
    )
