"""The commands that an answer names, as a person would type them where it is read."""

from __future__ import annotations

import json
import os
import re

from tokenbudget.cli.options import settings
from tokenbudget.model.errors import TokenBudgetError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

TYPED = "/tokens"
TYPED_OF_PLUGIN = "/tokenbudget:tokens"
_FILE = ("commands", "tokens.md")
_FILES_OF_SETTINGS = ("settings.json", "settings.local.json")
_LONGEST_BYTES = 1 << 20


def as_typed(line: str, actions: Iterable[str]) -> str:
    """A sentence of a verb with the commands that it advises as they are typed inside the agent.

    Only those that stand where advice does: `tokens monitor` is also the name of a screen.
    """
    names = "|".join(map(re.escape, actions))
    return re.sub(rf"(^|[:;,(] ?|`)tokens (?=(?:{names})\b)", rf"\1{TYPED} ", line)


def with_name(text: str, name: str) -> str:
    """A text of ours with the name under which our command is known here."""
    return text if name == TYPED else re.sub(rf"(?<![\w/.:]){TYPED}(?= )", name, text)


def typed_name() -> str:
    """What a person types: a plugin's commands have a longer name, and no other."""
    from tokenbudget.gateway.command_files import PLUGIN

    try:
        found = settings(is_silent=True)
    except TokenBudgetError:
        return TYPED
    folders = [*found.claude_dirs, os.path.join(found.working_dir or ".", ".claude")]
    if any(os.path.exists(os.path.join(folder, *_FILE)) for folder in folders):
        return TYPED
    return TYPED_OF_PLUGIN if _is_enabled(PLUGIN, folders) else TYPED


def _is_enabled(plugin: str, folders: Sequence[str]) -> bool:
    paths = [os.path.join(folder, name) for folder in folders for name in _FILES_OF_SETTINGS]
    return any(_plugins(path).get(plugin) is True for path in paths)


def _plugins(path: str) -> dict[str, object]:
    """What a settings file says of plugins; nothing where it cannot be read."""
    try:
        with open(path, "rb") as handle:
            found = json.loads(handle.read(_LONGEST_BYTES))
    except (OSError, ValueError, RecursionError):
        return {}
    told = found.get("enabledPlugins") if isinstance(found, dict) else None
    return told if isinstance(told, dict) else {}
