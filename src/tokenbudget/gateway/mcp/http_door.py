"""Streamable HTTP on 127.0.0.1: several clients, each with a session of its own.

A request is answered with JSON. Where something else has to be said before the answer (progress, a
question to the person), the answer becomes a stream of events. Sessions, like everything else, are
for those who know the secret.
"""

from __future__ import annotations

import json
import os
import queue
import threading

from tokenbudget.gateway.daemon.crew import Crew
from tokenbudget.gateway.http_head import Refusal
from tokenbudget.gateway.mcp.front_answers import VERSIONS
from tokenbudget.gateway.mcp.http_wire import SESSION_HEADER, Asked, Wire

TYPE_CHECKING = False
if TYPE_CHECKING:
    import socket
    from collections.abc import Callable

    from tokenbudget.gateway.daemon.crew import Guest
    from tokenbudget.gateway.mcp.client import Message, Told
    from tokenbudget.gateway.mcp.front import Front
    from tokenbudget.model.protocols import Clock

MOST_SESSIONS = 64
MOST_AT_ONCE = 96
LOOK_SECONDS = 5.0
"""So often a stream shows that it lives, and a waiting request looks whether its client does."""
MOST_QUEUED = 1_000
INITIALIZE = "initialize"


class Stream:
    """What is to be said in answer to one request, in order."""

    def __init__(self, *, takes_events: bool, number: object, token: object) -> None:
        self.takes_events = takes_events
        self.number = number
        """The id of the request; None for a stream that a client opened to listen."""
        self.token = token
        self.messages: queue.Queue[Message | None] = queue.Queue(MOST_QUEUED)

    def put(self, message: Message | None) -> bool:
        """Have it said; False where the client reads too slowly."""
        try:
            self.messages.put_nowait(message)
        except queue.Full:
            return False
        return True


class Session:
    """One client: its conversation, and the streams that it has open."""

    def __init__(self, make_front: Callable[[Told], Front]) -> None:
        self.name = os.urandom(16).hex()
        self._turn = threading.Lock()
        self._streams: list[Stream] = []
        self.front = make_front(self.send)

    def opened(self, stream: Stream) -> Stream:
        """A stream is there to be written to."""
        with self._turn:
            self._streams.append(stream)
        return stream

    def closed(self, stream: Stream) -> None:
        """It is not any more."""
        with self._turn:
            self._streams.remove(stream)

    @property
    def is_idle(self) -> bool:
        """Whether no request and no listener is open."""
        with self._turn:
            return not self._streams

    def send(self, message: Message) -> bool:
        """Say a message where it belongs: to its request, else to whoever listens."""
        with self._turn:
            streams = list(self._streams)
        stream = _meant(message, streams)
        return stream is not None and stream.put(message)

    def end(self) -> None:
        """The client is gone, or has to go."""
        self.front.close()
        with self._turn:
            streams = list(self._streams)
        for stream in streams:
            stream.put(None)


def _meant(message: Message, streams: list[Stream]) -> Stream | None:
    """The stream on which a message is said."""
    if "method" not in message:
        number = message.get("id")
        return next((one for one in streams if number is not None and one.number == number), None)
    params = message.get("params")
    token = params.get("progressToken") if isinstance(params, dict) else None
    able = [one for one in streams if one.takes_events]
    of_request = [one for one in able if token is not None and one.token == token]
    listening = [one for one in able if one.number is None]
    if "id" in message:  # a question: beside the request that is running
        return able[-1] if able else None
    return next(iter([*of_request, *listening]), None)


class HttpDoor:
    """Serves the clients of one port."""

    def __init__(
        self, port: int, secret: str, make_front: Callable[[Told], Front], clock: Clock
    ) -> None:
        self._port = port
        self._secret = secret
        self._make_front = make_front
        self._clock = clock
        self._turn = threading.Lock()
        self._sessions: dict[str, Session] = {}
        self._crew = Crew(self._serve, MOST_AT_ONCE, "http")

    def serve(self, listener: socket.socket) -> None:
        """Take connections until the listener is closed."""
        listener.setblocking(True)
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            self._crew.take(connection)

    def close(self) -> None:
        """End all sessions and connections."""
        with self._turn:
            sessions, self._sessions = list(self._sessions.values()), {}
        for session in sessions:
            session.end()
        self._crew.dismiss_all()

    def _serve(self, guest: Guest) -> None:
        wire = Wire(guest, self._port, self._secret, self._clock)
        try:
            while (asked := wire.request()) is not None:
                self._answer(wire, asked)
                wire.over()
                if asked.is_last:
                    return
        except Refusal as refusal:
            wire.refuse(refusal)

    def _answer(self, wire: Wire, asked: Asked) -> None:
        version = asked.fields.get("mcp-protocol-version", VERSIONS[-1])
        if version not in VERSIONS:
            raise Refusal(400, "this version of the protocol is not spoken here")
        if asked.method == "POST":
            self._posted(wire, asked)
        elif asked.method == "GET":
            self._listened(wire, self._session(asked), takes_events=asked.takes_events)
        else:
            session = self._session(asked)
            with self._turn:
                self._sessions.pop(session.name, None)
            session.end()
            wire.answer(200, None)

    # ── sessions ──────────────────────────────────────────────────────────────────────────────────

    def _session(self, asked: Asked) -> Session:
        name = asked.fields.get(SESSION_HEADER, "")
        if not name:
            raise Refusal(400, "the session is missing; initialize first")
        with self._turn:
            session = self._sessions.get(name)
        if session is None:
            raise Refusal(404, "there is no such session; initialize again")
        return session

    def _new_session(self) -> Session:
        session = Session(self._make_front)
        gone = None
        with self._turn:
            if len(self._sessions) >= MOST_SESSIONS:
                gone = next((one for one in self._sessions.values() if one.is_idle), None)
                if gone is None:
                    raise Refusal(429, "too many sessions are open")
                del self._sessions[gone.name]
            self._sessions[session.name] = session
        if gone is not None:
            gone.end()
        return session

    # ── requests ──────────────────────────────────────────────────────────────────────────────────

    def _posted(self, wire: Wire, asked: Asked) -> None:
        try:
            message = json.loads(asked.body)
        except (ValueError, RecursionError):
            raise Refusal(400, "the body is not JSON") from None
        if not isinstance(message, dict):
            raise Refusal(400, "the body is one message; batches are not taken")
        number = message.get("id")
        is_told = "method" not in message or "id" not in message
        if not is_told and (isinstance(number, bool) or not isinstance(number, (str, int))):
            raise Refusal(400, "the id of a request is a text or a number")
        if "method" in message and not isinstance(message["method"], str):
            raise Refusal(400, "a method is a text")
        is_hello = message.get("method") == INITIALIZE and not is_told
        is_new = is_hello and SESSION_HEADER not in asked.fields
        session = self._new_session() if is_new else self._session(asked)
        if is_told:
            session.front.take(message)
            wire.answer(202, None)
        else:
            self._asked(wire, asked, session, message, session.name if is_new else "")

    def _asked(
        self, wire: Wire, asked: Asked, session: Session, message: Message, name: str
    ) -> None:
        """A request: its answer, and what comes before it."""
        params = message.get("params")
        meta = params.get("_meta") if isinstance(params, dict) else None
        token = meta.get("progressToken") if isinstance(meta, dict) else None
        stream = Stream(takes_events=asked.takes_events, number=message["id"], token=token)
        session.opened(stream)
        try:
            session.front.take(message)
            self._told(wire, session, stream, name)
        finally:
            session.closed(stream)

    def _told(self, wire: Wire, session: Session, stream: Stream, name: str) -> None:
        """Say what comes until the answer is there; where the client is gone, it is cancelled."""
        has_begun = False
        try:
            while True:
                message = _next(stream)
                if message is None and has_begun:
                    return wire.end_events()
                if message is None:
                    raise Refusal(404, "the session was ended")
                if message is _NOTHING:
                    if wire.is_gone():
                        raise ConnectionResetError
                    continue
                is_answer = "method" not in message
                if is_answer and not has_begun:
                    wire.answer(200, message, name)
                    return None
                wire.event(message, name)
                has_begun = True
                if is_answer:
                    wire.end_events()
                    return None
        except OSError:
            cancelled = {"requestId": stream.number, "reason": "the connection was closed"}
            told: Message = {"jsonrpc": "2.0", "method": "notifications/cancelled"}
            session.front.take({**told, "params": cancelled})
            raise

    def _listened(self, wire: Wire, session: Session, *, takes_events: bool) -> None:
        """A stream for what belongs to no request; it ends with the connection or the session."""
        if not takes_events:
            raise Refusal(406, "a GET takes text/event-stream")
        stream = session.opened(Stream(takes_events=True, number=None, token=None))
        try:
            wire.event(None)
            while (message := _next(stream)) is not None:
                wire.event(None if message is _NOTHING else message)
            wire.end_events()
        finally:
            session.closed(stream)


_NOTHING: Message = {}


def _next(stream: Stream) -> Message | None:
    """The next message; `_NOTHING` where none came for a while, None at the end."""
    try:
        return stream.messages.get(timeout=LOOK_SECONDS)
    except queue.Empty:
        return _NOTHING
