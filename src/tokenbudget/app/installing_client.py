"""What `tokens install` has to know of the agent's client, and of ourselves as a program."""

from __future__ import annotations

import os
import shlex
import shutil
import sys

from tokenbudget.config.settings import process_environment
from tokenbudget.gateway.command_files import plugin_folder
from tokenbudget.gateway.daemon.secret import known_secret
from tokenbudget.gateway.hook_files import http_hook, is_our_hook_command, is_our_http_hook
from tokenbudget.gateway.statusline_files import chained_command, is_our_statusline
from tokenbudget.model.errors import BadRequest
from tokenbudget.resources.client_features import features_in_common, version_parts
from tokenbudget.resources.client_versions import installed_client, versions_in_use
from tokenbudget.resources.wiring import Marks

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from tokenbudget.config.settings import Settings
    from tokenbudget.ledger.store import Ledger
    from tokenbudget.model.actions import Json
    from tokenbudget.model.protocols import Clock
    from tokenbudget.resources.client_features import ClientFeatures

PLUGIN = "tokenbudget@tokenbudget"
"""The plugin, and the marketplace that its folder is as well."""
PROGRAM = "tokens"


def marks() -> Marks:
    """How our own entries in a settings file are known."""
    return Marks(is_our_statusline, chained_command, is_our_hook, PLUGIN)


def is_our_hook(hook: Mapping[str, Json]) -> bool:
    """Whether a hook of a settings file is ours, as a command or over HTTP."""
    return is_our_hook_command(hook.get("command")) or is_our_http_hook(hook)


def python() -> str:
    """The interpreter that runs us."""
    return sys.executable


def http_hook_for(settings: Settings) -> Mapping[str, object]:
    """A hook over HTTP with the secret of this home; with none where none was made yet.

    Raises:
        ProjectUnusable, Refused: the secret cannot be read.
    """
    from tokenbudget.app.serving import port_of  # with all that a daemon is made of

    return http_hook(port_of(settings), known_secret(settings.data_dir))


def plugin_place() -> str:
    """The folder of the marketplace."""
    return plugin_folder()


def features_wanted(
    settings: Settings, ledger: Ledger, clock: Clock, version: str | None
) -> ClientFeatures:
    """What every client in use takes, or the one that was named; no version where none is known.

    Raises:
        BadRequest: what was named is no version.
    """
    if version is not None:
        if version_parts(version) is None:
            raise BadRequest(f"'{version}' is no version of a client; write one such as 2.1.329")
        return features_in_common([version])
    search_path = process_environment().get("PATH") or os.defpath
    found = versions_in_use(
        ledger.sessions(), installed_client(search_path, settings.home_dir), clock.now_ms()
    )
    features = features_in_common([one.version for one in found])
    return features if found else features._replace(version="")


def program() -> str:
    """The command of this very `tokens`, quoted for a shell: its script, by its full path."""
    started = os.path.abspath(sys.argv[0]) if sys.argv and sys.argv[0] else ""
    beside = os.path.join(os.path.dirname(sys.executable), PROGRAM)
    for path in (started, beside, shutil.which(PROGRAM) or ""):
        if os.path.basename(path) == PROGRAM and os.access(path, os.X_OK) and os.path.isfile(path):
            return shlex.quote(path)
    return shlex.join([sys.executable, "-P", "-m", "tokenbudget"])
