"""One hook over the socket: the payload until its end, and back a length and the reply.

    the client sends    the payload, then shuts its side down
    the daemon sends    eight digits and a line's end, then so many bytes: one JSON object or none

An empty payload has an empty reply: so a daemon is asked whether it answers.
"""

from __future__ import annotations

import json

TYPE_CHECKING = False
if TYPE_CHECKING:
    import socket
    from collections.abc import Callable

    from tokenbudget.model.protocols import Clock

PAYLOAD_BYTES = 1 << 23
"""As `hook_client` has it: it sends none that is longer."""
REPLY_BYTES = 1 << 18
READ_SECONDS = 3.0
WRITE_SECONDS = 1.0
MOST_HEAD = 16
EMPTY = b"00000000\n"
_READ_BYTES = 1 << 18
LONGEST_PATH = 4096


def framed(reply: bytes) -> bytes:
    """A reply as it is sent; one that is too long is none."""
    if len(reply) > REPLY_BYTES:
        return EMPTY
    return b"%08d\n%s" % (len(reply), reply)


def serve_one(connection: socket.socket, reply_to: Callable[[bytes], bytes], clock: Clock) -> bool:
    """Answer one hook; whether there was a whole one.

    Raises:
        OSError: the client is gone, or too slow.
    """
    payload = read_to_end(connection, clock)
    if payload is None:
        return False
    connection.settimeout(WRITE_SECONDS)
    connection.sendall(framed(reply_to(payload)) if payload else EMPTY)
    return True


def read_to_end(connection: socket.socket, clock: Clock) -> bytes | None:
    """What comes until the client has no more to say; None where that is too much or too late."""
    parts: list[bytes] = []
    room = PAYLOAD_BYTES
    end = clock.monotonic_seconds() + READ_SECONDS
    while True:
        left = end - clock.monotonic_seconds()
        if left <= 0:
            return None
        connection.settimeout(left)
        part = connection.recv(_READ_BYTES)
        if not part:
            return b"".join(parts)
        room -= len(part)
        if room < 0:
            return None
        parts.append(part)


def folder_in(payload: bytes) -> str:
    """Where the session works; '' where the payload does not say so."""
    try:
        folder = json.loads(payload).get("cwd")
    except (ValueError, AttributeError, RecursionError):
        return ""
    is_fit = isinstance(folder, str) and folder.startswith("/") and len(folder) < LONGEST_PATH
    return folder if is_fit and "\0" not in folder else ""
