"""The gateway over HTTP: its port, its secret, and the command that tells a client of both."""

from __future__ import annotations

import json
import os
import shlex

from tokenbudget.gateway.daemon.listening import http_listener
from tokenbudget.gateway.daemon.secret import secret_of
from tokenbudget.gateway.hook_files import HOST
from tokenbudget.gateway.mcp.front import Front
from tokenbudget.gateway.mcp.http_door import HttpDoor
from tokenbudget.gateway.mcp.http_wire import ROUTE
from tokenbudget.gateway.mcp.stdio_door import stopped_by_signals
from tokenbudget.gateway.mcp.taken import FOLDER
from tokenbudget.model.errors import ProjectUnusable
from tokenbudget.system.private_folder import make_private

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from tokenbudget.config.settings import Settings
    from tokenbudget.gateway.mcp.opening import Gateway
    from tokenbudget.model.protocols import Clock

NAME = "tokenbudget"


def default_port(user: int) -> int:
    """The port of 127.0.0.1 that belongs to a user: beside the daemon's, and as steady."""
    return 28_100 + user % 900


def secret_home(settings: Settings) -> str:
    """The folder whose `run/secret` is the gateway's: another one than that of hooks.

    Raises:
        ProjectUnusable: it cannot be made.
    """
    folder = os.path.join(settings.data_dir, FOLDER)
    try:
        make_private(folder)
    except OSError as exc:
        raise ProjectUnusable(f"cannot make {folder} ({exc.strerror})") from exc
    return folder


def client_command(settings: Settings, port: int) -> str:
    """The command that tells Claude Code of the gateway; it holds the secret.

    Raises:
        ProjectUnusable, Refused: the secret cannot be made.
    """
    server = {
        "type": "http",
        "url": f"http://{HOST}:{port or default_port(os.getuid())}{ROUTE}",
        "headers": {"Authorization": f"Bearer {secret_of(secret_home(settings))}"},
    }
    return f"claude mcp add-json {NAME} -s user {shlex.quote(json.dumps(server))}"


def serve_http(
    gateway: Gateway, settings: Settings, port: int, clock: Clock, tell: Callable[[str], None]
) -> None:
    """Serve until a signal ends it.

    Raises:
        ProjectUnusable, Refused: the secret cannot be made, or the port is taken.
    """
    wanted = port or default_port(os.getuid())
    secret = secret_of(secret_home(settings))
    try:
        listener = http_listener(wanted)
    except OSError as exc:
        raise ProjectUnusable(
            f"port {wanted} of {HOST} cannot be had ({exc.strerror}); free it, or name another:"
            " tokens gateway --http PORT"
        ) from exc
    door = HttpDoor(wanted, secret, lambda send: Front(gateway.desk, gateway.engine, send), clock)
    with stopped_by_signals(gateway.engine), listener:
        tell(
            f"serves http://{HOST}:{wanted}{ROUTE}; tokens gateway --http {wanted} --print-client"
            " prints the command that tells Claude Code of it"
        )
        try:
            door.serve(listener)
        finally:
            door.close()
            gateway.engine.close()
