"""How a hook is wired into the agent's settings: as a command, or as an HTTP request.

Both name what they call in full, so that nothing depends on a PATH or on the agent's environment;
and both can be told from another tool's by what they say. docs/serve.md has the formats.
"""

from __future__ import annotations

import os
import shlex

from tokenbudget.gateway import hook_client

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

HOST = "127.0.0.1"
HOOK_ROUTE = "/v1/hook"
HTTP_SECONDS = 5
"""How long the agent waits for an answer over HTTP before it goes on without one."""

_MARK = "import hook_client"
_START = (
    "import sys; sys.path.insert(0, sys.argv.pop(1));"
    ' exec("try:\\n import hook_client\\nexcept Exception: sys.exit()");'
    " del sys.path[0]; hook_client.main()"
)
"""A package that is gone, or just being replaced, is no news for each event of every session."""


def hook_command(python: str, home: str) -> str:
    """The command of a hook for the agent's settings, quoted for its shell.

    As with the status line, an imported module is kept compiled and a script is not.
    """
    folder = os.path.dirname(os.path.abspath(hook_client.__file__))
    return shlex.join([python, "-IS", "-c", _START, folder, os.path.abspath(home)])


def is_our_hook_command(text: object) -> bool:
    """Whether a command is one that `hook_command` makes, of any version and any place."""
    if not isinstance(text, str) or _MARK not in text:
        return False
    try:
        parts = shlex.split(text)
    except ValueError:
        return False
    return len(parts) >= 6 and parts[1:3] == ["-IS", "-c"] and _MARK in parts[3]


def http_hook(port: int, secret: str) -> dict[str, object]:
    """A hook for the agent's settings that asks a running daemon over HTTP.

    It carries the secret, so the file that it stands in is for its owner's eyes alone. Nothing
    starts a daemon from there: SessionStart stays a command hook, which does.
    """
    return {
        "type": "http",
        "url": f"http://{HOST}:{port}{HOOK_ROUTE}",
        "headers": {"Authorization": f"Bearer {secret}"},
        "timeout": HTTP_SECONDS,
    }


def is_our_http_hook(hook: Mapping[str, object]) -> bool:
    """Whether a hook is one that `http_hook` makes, whatever its port and secret are."""
    url = hook.get("url")
    return (
        hook.get("type") == "http"
        and isinstance(url, str)
        and url.startswith(f"http://{HOST}:")
        and url.removeprefix(f"http://{HOST}:").partition("/")[0].isdecimal()
        and url.endswith(HOOK_ROUTE)
    )
