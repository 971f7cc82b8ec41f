"""The settings that hooks need, compiled into the file that they read: HOME/hooks/settings.json."""

from __future__ import annotations

import json
import os

from tokenbudget.app.windows import limits_of
from tokenbudget.config.current import lasting_settings
from tokenbudget.config.hooking import stop_at
from tokenbudget.config.settings import places_from, process_environment
from tokenbudget.gateway.hooks.hook_settings import FILE, FORMAT, MOST_BYTES
from tokenbudget.gateway.hooks.small_files import content_of, make_folders
from tokenbudget.model.errors import TokenBudgetError
from tokenbudget.system.atomic import write_atomic

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from tokenbudget.config.settings import Settings


def write_hook_settings(settings: Settings) -> None:
    """Replace the file where it says something else; every session's next event goes by it.

    Raises:
        BadConfig: a setting cannot be meant.
        OSError: it cannot be written; the file before still stands.
    """
    path = settings.data_dir + FILE
    data = hook_settings_text(settings)
    if content_of(path, MOST_BYTES) == data:
        return
    os.makedirs(settings.data_dir, mode=0o700, exist_ok=True)
    make_folders(os.path.dirname(path))
    write_atomic(path, data)


def renew_hook_settings(refuse_impossible: Callable[[Settings], None]) -> None:
    """Have hooks go by what was just changed, where there are any; never raises.

    What holds in the present folder alone is left out: the file is for every session.
    """
    try:
        places = places_from(process_environment())
        if os.path.isdir(os.path.dirname(places.data_dir + FILE)):
            found = lasting_settings(process_environment(), "", _say_nothing, refuse_impossible)
            write_hook_settings(found)
    except (OSError, TokenBudgetError):  # the old ones hold
        return


def _say_nothing(sentence: str) -> None:
    """Whoever changed the settings has been told."""


def hook_settings_text(settings: Settings) -> bytes:
    """What the file is to say; raises BadConfig."""
    wished = settings.hook_settings()
    stop = stop_at(wished.stop_at, settings.config_path)
    trim = settings.trim_settings()
    document = {
        "format": FORMAT,
        "thresholds": wished.thresholds,
        "level_shares": tuple(limits_of(settings)),
        "is_telling": wished.tell,
        "is_guarding": wished.guard,
        "guard_tokens": wished.guard_tokens,
        "stop_at_share": stop.share,
        "stop_at_tokens": stop.tokens,
        "stop_at_usd": stop.usd,
        "mode": settings.management().compression_mode,
        "is_trimming": trim.on,
        "trim_min_tokens": trim.min_tokens,
        "trim_allow": trim.allow,
        "trim_deny": trim.deny,
        "is_wrapping": trim.wrap,
        "windows": dict(settings.windows),
        "is_starting_daemon": settings.serve_settings().autostart,
    }
    return json.dumps(document, indent=1).encode() + b"\n"
