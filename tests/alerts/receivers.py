"""Real receivers on the loopback: a web server with scripted answers, and a mail server."""

from __future__ import annotations

import socket
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes, policy
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import NamedTuple


class Request(NamedTuple):
    path: str
    headers: dict[str, str]
    body: bytes


class WebReceiver:
    """Records what is posted; answers with `answers` in order, the last one for ever."""

    def __init__(self, *answers: int) -> None:
        self.answers = list(answers)
        self.requests: list[Request] = []
        self.port = 0
        self.stops = threading.Event()

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    def answer(self) -> int:
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


CANARY = "CANARY9f31CANARY9f31CANA"
"""A secret in the address of every channel: nobody may ever show it."""
SLACK_URL = f"https://hooks.slack.com/services/T1JJ3T3L2/A1BRTD4JD/{CANARY}"
DISCORD_URL = f"https://discord.com/api/webhooks/4174216298/{CANARY}JHXBvDsd"
HANGS, REDIRECTS = -1, 302


@contextmanager
def web_receiver(*answers: int) -> Iterator[WebReceiver]:
    receiver = WebReceiver(*answers)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            length = int(self.headers.get("Content-Length", 0))
            receiver.requests.append(
                Request(self.path, dict(self.headers.items()), self.rfile.read(length))
            )
            code = receiver.answer()
            if code == HANGS:
                receiver.stops.wait(30)
                return
            self.send_response(code)
            if code == REDIRECTS:
                self.send_header("Location", f"http://{receiver.address}/elsewhere")
            body = b"ok" if code == 200 else self.path.encode()  # hostile: says the secret
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    with _served(server):
        receiver.port = server.server_address[1]
        yield receiver
        receiver.stops.set()


class MailReceiver:
    """Records what is delivered."""

    def __init__(self, refusal: str) -> None:
        self.refusal = refusal
        self.messages: list[EmailMessage] = []
        self.receivers: list[list[str]] = []
        self.port = 0


@contextmanager
def mail_receiver(refusal: str = "") -> Iterator[MailReceiver]:
    """A mail server; with a refusal such as `451 later` it gives that instead of taking a mail."""
    receiver = MailReceiver(refusal)

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            self.say("220 test")
            to: list[str] = []
            for line in self.rfile:
                verb = line.strip().upper()
                if verb.startswith((b"EHLO", b"HELO", b"MAIL", b"RSET")):
                    self.say("250 ok")
                elif verb.startswith(b"RCPT"):
                    to.append(line.decode().strip()[8:].strip("<> "))
                    self.say(receiver.refusal or "250 ok")
                elif verb == b"DATA":
                    self.say("354 go on")
                    self.keep(to)
                elif verb == b"QUIT":
                    self.say("221 bye")
                    return

        def keep(self, to: list[str]) -> None:
            lines = []
            while (line := self.rfile.readline()) not in (b".\r\n", b""):
                lines.append(line[1:] if line.startswith(b"..") else line)
            receiver.messages.append(
                message_from_bytes(b"".join(lines), _class=EmailMessage, policy=policy.default)
            )
            receiver.receivers.append(to)
            self.say("250 taken")

        def say(self, answer: str) -> None:
            self.wfile.write(f"{answer}\r\n".encode())

    server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
    with _served(server):
        receiver.port = server.server_address[1]
        yield receiver


@contextmanager
def dripping_receiver(begin: bytes) -> Iterator[int]:
    """A server that says this, and then a byte now and then for ever; the port of it."""
    stops = threading.Event()

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            try:
                self.request.sendall(begin)
                while not stops.wait(0.05):
                    self.request.sendall(b"x")
            except OSError:
                return

    server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
    with _served(server):
        yield server.server_address[1]
        stops.set()


@contextmanager
def _served(server: socketserver.TCPServer) -> Iterator[None]:
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    if isinstance(server, socketserver.ThreadingMixIn):
        server.daemon_threads, server.block_on_close = True, False
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def closed_port() -> int:
    """A port at which nobody listens."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    assert isinstance(port, int)
    return port
