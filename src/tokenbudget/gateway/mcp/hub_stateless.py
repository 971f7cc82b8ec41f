"""The revision of the protocol without a handshake, where a request says all of itself. No I/O.

A server that speaks no older one is not greeted but asked what it is; it asks nothing by itself:
an answer may say that input is required, and the request is repeated with it.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

VERSION = "2026-07-28"
MOST_ROUNDS = 10
MOST_INPUTS = 16
"""Questions of one answer."""
EVER_SECONDS = 3e7
"""A year: how long the server is listened to."""

_KEY = "io.modelcontextprotocol/"
_NAMED_BY = {"tools/call": "name", "prompts/get": "name", "resources/read": "uri"}


def stamped(
    params: Mapping[str, object], client: Mapping[str, object], capabilities: Mapping[str, object]
) -> dict[str, object]:
    """The parameters of a request with what a handshake would have said once."""
    meta = params.get("_meta")
    own = {
        f"{_KEY}protocolVersion": VERSION,
        f"{_KEY}clientInfo": dict(client),
        f"{_KEY}clientCapabilities": dict(capabilities),
    }
    return {**params, "_meta": {**(meta if isinstance(meta, dict) else {}), **own}}


def headers_of(message: Mapping[str, object]) -> dict[str, str]:
    """What a message over HTTP says of itself in its head."""
    method, params = message.get("method"), message.get("params")
    if not isinstance(method, str):
        return {}
    headers = {"mcp-method": method}
    name = params.get(_NAMED_BY.get(method, "")) if isinstance(params, dict) else None
    if isinstance(name, str):
        headers["mcp-name"] = name
    return headers


def hello_in(discovered: Mapping[str, object]) -> dict[str, object] | None:
    """What `server/discover` says, as `initialize` would say it; None: not in this revision."""
    versions = discovered.get("supportedVersions")
    if not isinstance(versions, list) or VERSION not in versions:
        return None
    meta = discovered.get("_meta")
    info = meta.get(f"{_KEY}serverInfo") if isinstance(meta, dict) else None
    kept = {name: discovered.get(name) for name in ("capabilities", "instructions")}
    return {**kept, "serverInfo": info, "protocolVersion": VERSION}


def asked_in(result: Mapping[str, object]) -> dict[str, dict[str, object]] | None:
    """The questions of a result by their keys; None where it is the answer."""
    if result.get("resultType") != "input_required":
        return None
    asked = result.get("inputRequests")
    found = asked.items() if isinstance(asked, dict) else ()
    return {k: one for k, one in list(found)[:MOST_INPUTS] if isinstance(one, dict)}


def repeated(
    params: Mapping[str, object], result: Mapping[str, object], inputs: Mapping[str, object]
) -> dict[str, object]:
    """The parameters of the same request with what was asked for."""
    again = {k: v for k, v in params.items() if k not in ("inputResponses", "requestState")}
    if inputs:
        again["inputResponses"] = dict(inputs)
    if "requestState" in result:
        again["requestState"] = result["requestState"]
    return again


LISTEN = "subscriptions/listen"
WANTED: Mapping[str, object] = {
    "notifications": {
        "toolsListChanged": True, "promptsListChanged": True, "resourcesListChanged": True,
    }
}  # fmt: skip
