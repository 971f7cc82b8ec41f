"""What is asked over HTTP by hooks, and by whoever asks how the daemon is; all else is refused."""

from __future__ import annotations

from typing import NamedTuple

from tokenbudget.gateway.hook_files import HOOK_ROUTE
from tokenbudget.gateway.http_head import (
    Refusal,
    body_bytes,
    parts_of,
    refuse_other_hosts,
    refuse_strangers,
)

HEALTH_ROUTE = "/v1/health"
ROUTES = {HOOK_ROUTE: "POST", HEALTH_ROUTE: "GET"}
"""All that there is. No route takes a command, a program or an environment."""


class Request(NamedTuple):
    """A request that may be answered."""

    route: str
    body_bytes: int
    is_last: bool
    """The client wants the connection closed after it."""
    wants_go_ahead: bool
    """The client waits to be told to send the body."""


def understood(head: bytes, port: int, secret: str) -> Request:
    """The request of this head, from somebody who knows the secret.

    Raises:
        Refusal: it is not one that is answered.
    """
    method, target, fields = parts_of(head)
    refuse_other_hosts(fields, port)
    if "origin" in fields or any(name.startswith("sec-fetch-") for name in fields):
        raise Refusal(403, "web pages are not answered")
    refuse_strangers(fields, secret)
    wanted = ROUTES.get(target)
    if wanted is None:
        raise Refusal(404, "there is no such route")
    if method != wanted:
        raise Refusal(405, f"{target} is for {wanted}", allow=wanted)
    return Request(
        target,
        body_bytes(fields, method),
        is_last=fields.get("connection", "").lower() == "close",
        wants_go_ahead=fields.get("expect", "").lower() == "100-continue",
    )
