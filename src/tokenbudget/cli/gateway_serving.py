"""`tokens gateway`: serve an agent over standard input and output, or over HTTP on this machine.

An agent waits for this: no argument parser, no settings that are not needed, before it is served.
"""

from __future__ import annotations

import gc
import sys
from typing import NamedTuple

from tokenbudget.config.current import bare_settings, current_settings
from tokenbudget.config.settings import process_environment
from tokenbudget.model.errors import BadConfig, BadRequest
from tokenbudget.system.clock import SystemClock

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from tokenbudget.config.settings import Settings
    from tokenbudget.gateway.mcp.backroom import Backroom
    from tokenbudget.gateway.mcp.opening import Gateway, Parts

CONFIG, HTTP, PRINT_CLIENT = "--config", "--http", "--print-client"


class Wish(NamedTuple):
    """What was asked for."""

    config_file: str = ""
    is_http: bool = False
    port: int = 0
    """0 is the one that belongs to this user."""
    prints_client: bool = False


def run(arguments: Sequence[str]) -> int:
    """Carry the verb out."""
    wish = wish_of(arguments)
    settings = _settings()
    if wish.is_http:
        return _serve_http(wish, settings)
    from tokenbudget.gateway.mcp.front import Front
    from tokenbudget.gateway.mcp.stdio_door import serve_stdio

    gateway = _gateway(wish, settings)
    if sys.stdin is not None and sys.stdin.isatty():
        _warn("waits for an agent's messages on standard input; tokens gateway --help says more")
    gc.freeze()
    gc.enable()  # this process lives as long as the agent's session
    serve_stdio(lambda send: Front(gateway.desk, gateway.engine, send), gateway.engine)
    return 0


def wish_of(arguments: Sequence[str]) -> Wish:
    """What these arguments ask for. Raises BadRequest."""
    wish = Wish()
    rest = list(arguments)
    while rest:
        word, equals, value = rest.pop(0).partition("=")
        if word == CONFIG:
            value = value if equals else (rest.pop(0) if rest else "")
            if not value:
                raise BadRequest("--config needs a file: write --config FILE")
            wish = wish._replace(config_file=value)
        elif word == HTTP:
            if not equals and rest and rest[0][:1].isdecimal():
                value = rest.pop(0)
            wish = wish._replace(is_http=True, port=_port(value) if value else 0)
        elif word == PRINT_CLIENT and not equals:
            wish = wish._replace(prints_client=True)
        else:
            raise BadRequest(f"tokens gateway knows no '{word}'; tokens gateway --help says more")
    if wish.prints_client and not wish.is_http:
        raise BadRequest("--print-client goes with --http")
    return wish


def _port(text: str) -> int:
    from tokenbudget.config.serving import FIRST_PORT, LAST_PORT

    port = int(text) if text.isascii() and text.isdecimal() and len(text) < 6 else 0
    if not FIRST_PORT <= port <= LAST_PORT:
        raise BadRequest(f"'{text}' is no port; write --http {FIRST_PORT} to {LAST_PORT}")
    return port


def _settings() -> Settings:
    """The settings; where config.toml is impossible that is told, and every call asks."""
    try:
        return current_settings(_warn, _refuse_impossible)
    except BadConfig as exc:
        _warn(f"{exc}; until then every call asks first")
        return bare_settings()._replace(gateway={"ask": ["*"]})


def _refuse_impossible(found: Settings) -> None:
    from tokenbudget.app import settings_check

    settings_check.refuse_impossible(found)


def _warn(sentence: str) -> None:
    from tokenbudget.model.plain_text import one_line

    print(f"tokens: {one_line(sentence)}", file=sys.stderr)


def _gateway(wish: Wish, settings: Settings) -> Gateway:
    from tokenbudget.gateway.mcp.opening import gateway_of

    return gateway_of(settings, process_environment(), SystemClock(), _furnished, wish.config_file)


def _furnished(parts: Parts) -> Backroom:
    from tokenbudget.app.gateway_serving import furnished

    return furnished(parts)


def _serve_http(wish: Wish, settings: Settings) -> int:
    from tokenbudget.app.gateway_http import client_command, serve_http

    if wish.prints_client:
        print(client_command(settings, wish.port))
        return 0
    gc.enable()
    serve_http(_gateway(wish, settings), settings, wish.port, SystemClock(), _warn)
    return 0
