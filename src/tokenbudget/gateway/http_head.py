"""The head of an HTTP request: bytes to its parts, or the reason why not. Touches no socket.

Stricter than the standard wherever that leaves a choice: what two readers could understand in two
ways is refused. The rules are in docs/serve.md.
"""

from __future__ import annotations

import hmac

from tokenbudget.gateway.hook_files import HOST

HEAD_BYTES = 1 << 14
HEAD_LINES = 64
LINE_BYTES = 1 << 13
BODY_BYTES = 1 << 23
_TOKEN = frozenset(b"!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")
_ONCE = (
    *("host", "authorization", "content-length", "content-type", "transfer-encoding"),
    *("connection", "expect", "origin"),
)
"""Headers that may not come twice."""


class Refusal(Exception):
    """The request is not answered; `status` and `reason` say why, and `allow` what would do."""

    def __init__(self, status: int, reason: str, allow: str = "") -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason
        self.allow = allow


def head_end(data: bytes | bytearray) -> int:
    """Where the head ends and the body begins; -1 while it is not there.

    Raises:
        Refusal: it is too long already.
    """
    end = data.find(b"\r\n\r\n")
    if end < 0 and len(data) <= HEAD_BYTES:
        return -1
    if end < 0 or end + 4 > HEAD_BYTES:
        raise Refusal(431, "the head is too long")
    return end + 4


def parts_of(head: bytes) -> tuple[str, str, dict[str, str]]:
    """Method, target and headers of a head; names of headers in lower case. Raises Refusal."""
    lines = head[:-4].split(b"\r\n")
    if len(lines) > HEAD_LINES:
        raise Refusal(431, "the head has too many lines")
    method, target = _request_line(lines[0])
    return method, target, _fields(lines[1:])


def _request_line(line: bytes) -> tuple[str, str]:
    parts = line.split(b" ")
    if len(line) > LINE_BYTES or len(parts) != 3 or not all(parts):
        raise Refusal(400, "the request line is malformed")
    method, target, version = parts
    if not _TOKEN.issuperset(method) or any(not 0x21 <= sign <= 0x7E for sign in target):
        raise Refusal(400, "the request line is malformed")
    if version != b"HTTP/1.1":
        raise Refusal(505, "only HTTP/1.1 is spoken here")
    return method.decode(), target.decode()


def _fields(lines: list[bytes]) -> dict[str, str]:
    found: dict[str, str] = {}
    for line in lines:
        name, colon, value = line.partition(b":")
        if not colon or not name or not _TOKEN.issuperset(name) or len(line) > LINE_BYTES:
            raise Refusal(400, "a header is malformed")
        if any((sign < 0x20 and sign != 0x09) or sign == 0x7F for sign in value):
            raise Refusal(400, "a header holds a control character")
        key = name.decode().lower()
        if key in found and key in _ONCE:
            raise Refusal(400, f"{key} comes twice")
        found[key] = value.strip(b" \t").decode("latin-1")
    return found


def refuse_other_hosts(fields: dict[str, str], port: int) -> None:
    """Other names for this machine, as a page has them that was resolved to it. Raises Refusal."""
    if fields.get("host") not in (f"{HOST}:{port}", f"localhost:{port}"):
        raise Refusal(421, "this host is not served here")


def refuse_strangers(fields: dict[str, str], secret: str) -> None:
    """Whoever does not know the secret. Raises Refusal."""
    scheme, _, given = fields.get("authorization", "").partition(" ")
    is_known = hmac.compare_digest(given.encode("latin-1"), secret.encode())
    if scheme.lower() != "bearer" or not secret or not is_known:
        raise Refusal(401, "the secret is missing or wrong")


def body_bytes(fields: dict[str, str], method: str) -> int:
    """How long the body is that comes with a request. Raises Refusal."""
    if "transfer-encoding" in fields:
        raise Refusal(411, "the length of the body must be told")
    length = fields.get("content-length")
    if method == "GET":
        if length not in (None, "0"):
            raise Refusal(400, "a GET has no body")
        return 0
    if fields.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise Refusal(415, "the body must be application/json")
    if length is None:
        raise Refusal(411, "the length of the body must be told")
    if not (length.isascii() and length.isdecimal()):
        raise Refusal(400, "the length of the body is malformed")
    if len(length) > 12 or int(length) > BODY_BYTES:
        raise Refusal(413, "the body is too long")
    return int(length)
