"""Where every value comes from: each layer that was looked at, and what it says."""

from __future__ import annotations

from typing import NamedTuple

from tokenbudget.config.catalogue import SETTINGS, Setting
from tokenbudget.config.layers import layers_of
from tokenbudget.config.management import BUILT_IN, DEFAULT, ENVIRONMENT, LOCAL, OURS, PROJECT, USER
from tokenbudget.config.resolving import resolved
from tokenbudget.config.values import (
    ALERTS,
    CONTROL,
    GATEWAY,
    HOOKS,
    MANAGEMENT,
    SERVE,
    SPILL,
    TRIM,
    meant,
    shown,
)
from tokenbudget.model.errors import BadConfig, BadRequest

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tokenbudget.config.management import Layer, TokenManagement
    from tokenbudget.config.settings import Settings

IN_FORCE, OVERRIDDEN, NOT_USED = "in force", "overridden", "not used"
ABSENT, SILENT = "not there", "says nothing"
"""Values of `Said.state`; a clause of its own tells a fault."""

LAST_GOOD = "the last good one stands in"
"""How the state begins of a layer that has a fault and was good before."""

TITLES = {
    OURS: "config.toml",
    USER: "user settings",
    PROJECT: "project settings",
    LOCAL: "project settings, local",
    ENVIRONMENT: "environment",
}
BUILT_IN_TITLE = "built-in"

_LONGEST_VALUE = 200


class Said(NamedTuple):
    """What one layer says of one setting."""

    layer: str
    where: str
    """A path or a variable; '' for what is built in."""
    value: str
    """'' where it says nothing."""
    state: str


class Explanation(NamedTuple):
    """One setting, with every layer that was looked at, lowest first."""

    setting: Setting
    value: str
    origin: str
    said: tuple[Said, ...]


def named(name: str) -> list[Setting]:
    """The settings of a name: whole, a table, or the last part of one that is unique.

    Raises:
        BadRequest: there is none.
    """
    exact = [setting for setting in SETTINGS if setting.name == name]
    inside = [setting for setting in SETTINGS if name and setting.table == name]
    short = [setting for setting in SETTINGS if setting.name.rpartition(".")[2] == name]
    found = exact or inside or short
    if not found:
        known = [setting.name for setting in SETTINGS]
        hint = meant(name, [*known, *BUILT_IN])
        raise BadRequest(f"there is no setting {shown(name)}{hint}; tokens config lists them")
    return found


def explained(settings: Settings, wanted: Sequence[Setting] = SETTINGS) -> list[Explanation]:
    """These settings with their layers.

    Raises:
        BadConfig: `tokenManagement` cannot be meant.
    """
    needs_layers = any(setting.table == MANAGEMENT for setting in wanted)
    management, layers = resolved(settings) if needs_layers else (None, [])
    return [_explained(setting, settings, management, layers) for setting in wanted]


def _explained(
    setting: Setting,
    settings: Settings,
    management: TokenManagement | None,
    layers: Sequence[Layer],
) -> Explanation:
    key = setting.name.rpartition(".")[2]
    if management is not None and setting.table == MANAGEMENT:
        value = text_of(_managed(management)[key])
        said = _management_said(key, setting, settings, layers)
        return Explanation(setting, value, management.origins[key], _judged(said, value))
    if setting.table:
        return _tabled(setting, settings, key)
    value = _plain_values(settings)[setting.name]
    origin = settings.origins.get(setting.name, DEFAULT)
    return Explanation(setting, value, origin, _judged(_plain_said(setting, settings), value))


def _tabled(setting: Setting, settings: Settings, key: str) -> Explanation:
    """A key of `[alerts]` and its like, which only config.toml may name."""
    found, table = _table_of(setting.table, settings)
    value = text_of(found[key]) or setting.built_in
    own = text_of(table[key]) if key in table else ""
    said = [_built_in(setting), _of_file(settings, own)]
    origin = settings.config_path if key in table else DEFAULT
    return Explanation(setting, value, origin, _judged(said, value))


def _table_of(name: str, settings: Settings) -> tuple[Mapping[str, object], Mapping[str, object]]:
    """What holds of a table, and what config.toml says of it."""
    if name == ALERTS:
        return settings.alert_settings()._asdict(), settings.alerts
    if name == CONTROL:
        return settings.control_settings()._asdict(), settings.control
    if name == GATEWAY:
        return settings.gateway_settings()._asdict(), settings.gateway
    if name == HOOKS:
        return settings.hook_settings()._asdict(), settings.hooks
    if name == SERVE:
        return settings.serve_settings()._asdict(), settings.serve
    if name == SPILL:
        return settings.spill_settings()._asdict(), settings.spill
    if name == TRIM:
        return settings.trim_settings()._asdict(), settings.trim
    return settings.monitor_settings()._asdict(), settings.monitor


def _plain_said(setting: Setting, settings: Settings) -> list[Said]:
    said = [_built_in(setting)]
    if setting.name in ("home", "config"):
        origin = settings.origins.get(setting.name, DEFAULT)
        for variable in dict.fromkeys([origin, setting.variable]):
            if variable != DEFAULT:
                text = _plain_values(settings)[setting.name] if variable == origin else ""
                said.append(Said(TITLES[ENVIRONMENT], variable, text, IN_FORCE if text else SILENT))
        return said
    own = settings.from_file.get(setting.name)
    said.append(_of_file(settings, "" if own is None else text_of(own)))
    if setting.variable:
        text = settings.variables.get(setting.variable, "")
        said.append(Said(TITLES[ENVIRONMENT], setting.variable, text, "" if text else SILENT))
    return said


def _management_said(
    key: str, setting: Setting, settings: Settings, layers: Sequence[Layer]
) -> list[Said]:
    said = [_built_in(setting)]
    for layer in layers:
        table = layer.table if isinstance(layer.table, dict) else {}
        text = text_of(table[key]) if key in table else ""
        where = layer.where or setting.variable
        state = "" if text else SILENT if layer.is_there else ABSENT
        if layer.fault:
            state = f"{LAST_GOOD} ({layer.fault})" if layer.table is not None else layer.fault
        elif layer.kind == OURS and settings.file_fault:
            state = f"{LAST_GOOD} ({settings.file_fault})"
        said.append(Said(TITLES[layer.kind], where, text, state))
    return said


def _built_in(setting: Setting) -> Said:
    return Said(BUILT_IN_TITLE, "", setting.built_in, "")


def _of_file(settings: Settings, text: str) -> Said:
    """What config.toml says, or its last good text where it has a fault."""
    state = "" if text else SILENT if settings.from_file else ABSENT
    if settings.file_fault:
        state = f"{LAST_GOOD} ({settings.file_fault})"
    return Said(TITLES[OURS], settings.config_path, text, state)


def _judged(said: Sequence[Said], value: str) -> tuple[Said, ...]:
    """The last layer that speaks is in force, those below it are overridden."""
    speaking = [at for at, one in enumerate(said) if one.value]
    last = speaking[-1] if speaking else -1
    judged = []
    for at, one in enumerate(said):
        if one.value and not one.state:
            one = one._replace(state=IN_FORCE if at == last else OVERRIDDEN)
        judged.append(one)
    return tuple(judged)


def _managed(found: TokenManagement) -> dict[str, object]:
    """The values by their key in the files."""
    return {
        "autoOptimize": found.auto_optimize,
        "warningThreshold": found.warning_share,
        "criticalThreshold": found.critical_share,
        "emergencyThreshold": found.emergency_share,
        "autoCleanup": found.auto_cleanup,
        "compressionMode": found.compression_mode,
    }


def _plain_values(settings: Settings) -> dict[str, str]:
    reserve = settings.autocompact_reserve_tokens
    return {
        "home": settings.data_dir,
        "config": settings.config_path,
        "claude_dirs": ", ".join(settings.claude_dirs),
        "timezone": settings.timezone or "local",
        "workers": str(settings.workers),
        "backfill": settings.backfill,
        "prices": ", ".join(settings.prices) or "bundled",
        "windows": _pairs(settings.windows) or "published",
        "autocompact_reserve_tokens": "by client" if reserve is None else f"{reserve:,}",
        "allocation": _pairs(settings.allocation) or "standard",
    }


def _pairs(table: Mapping[str, object]) -> str:
    return ", ".join(f"{name} {value}" for name, value in table.items())


def text_of(value: object) -> str:
    """A value as a person writes it: `true`, `0.5`, `compressed`; a table by names and words."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return value if len(value) <= _LONGEST_VALUE else f"{value[:_LONGEST_VALUE]}…"
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, list | tuple):
        return ", ".join(map(text_of, value)) or "none"
    if isinstance(value, dict):
        pairs = [
            f"{key} {word}" if isinstance(word, str) else str(key) for key, word in value.items()
        ]
        return ", ".join(pairs) or "none"
    return shown(value)


def faults_of(settings: Settings) -> list[str]:
    """What is wrong with the files and tables now, a sentence each; `settings` is unbridged."""
    faults = [f"{layer.where} {layer.fault}" for layer in layers_of(settings) if layer.fault]
    try:
        settings.management()
    except BadConfig as exc:
        faults.append(str(exc))
    return faults
