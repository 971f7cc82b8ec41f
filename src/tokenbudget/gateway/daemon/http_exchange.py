"""Hooks over HTTP: requests of one connection, one after the other, each answered as a whole."""

from __future__ import annotations

import json
from typing import NamedTuple

from tokenbudget.gateway.daemon.http_routes import Request, understood
from tokenbudget.gateway.hook_files import HOOK_ROUTE
from tokenbudget.gateway.http_connection import JSON, HttpConnection, Patience, response_head
from tokenbudget.gateway.http_head import Refusal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tokenbudget.gateway.daemon.crew import Guest
    from tokenbudget.model.protocols import Clock

HEALTH_FORMAT = "tokenbudget/health/1"
PATIENCE = Patience(request_seconds=3.0, rest_seconds=300.0, write_seconds=2.0)


class Service(NamedTuple):
    """What a connection is served with."""

    port: int
    secret: Callable[[], str]
    """The secret as it is now; '' lets nobody in."""
    reply_to: Callable[[bytes], bytes]
    health: Callable[[], Mapping[str, object]]
    clock: Clock


def serve_connection(guest: Guest, service: Service) -> None:
    """Answer requests until the client has had enough, or was too slow.

    Raises:
        OSError: the client is gone, or does not read its answer.
    """
    connection = HttpConnection(guest.connection, service.clock, PATIENCE)
    try:
        while _answer_next(guest, connection, service):
            pass
    except Refusal as refusal:
        connection.refuse(refusal)


def _answer_next(guest: Guest, connection: HttpConnection, service: Service) -> bool:
    """Read one request and answer it; whether there may be another one."""
    head = connection.next_head()
    if head is None:
        return False
    request = understood(head, service.port, service.secret())
    guest.is_known = guest.is_busy = True
    try:
        body = connection.body(request.body_bytes, wants_go_ahead=request.wants_go_ahead)
        content = _content(request, body, service)
        more = ["Connection: close"] if request.is_last else []
        connection.send(response_head(200, JSON, len(content), more) + content)
    finally:
        guest.is_busy = False
    return not request.is_last


def _content(request: Request, body: bytes, service: Service) -> bytes:
    if request.route == HOOK_ROUTE:
        reply = service.reply_to(body)
        return reply if reply.startswith(b"{") else b""  # plain words reach nobody over HTTP
    return json.dumps({"format": HEALTH_FORMAT, **service.health()}).encode()
