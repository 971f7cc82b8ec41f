"""`tokens gateway --http`: who is let in, and what a client over HTTP is told in which form."""

from __future__ import annotations

import asyncio
import http.client
import json
import os
import signal
import socket
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from tests.gateway.mcp.gateways import ACCEPTED, Place

from tokenbudget.gateway.mcp.http_door import Session, Stream, _meant

BOTH = "application/json, text/event-stream"
HELLO = {
    "jsonrpc": "2.0",
    "id": 0,
    "method": "initialize",
    "params": {
        "protocolVersion": "2025-11-25",
        "capabilities": {"elicitation": {"form": {}}},
        "clientInfo": {"name": "web", "version": "1"},
    },
}


class Web:
    """A gateway over HTTP and a client of it."""

    def __init__(self, port: int, secret: str) -> None:
        self.port = port
        self.secret = secret
        self.session = ""

    def headers(self, **changed: str | None) -> dict[str, str]:
        usual: dict[str, str | None] = {
            "Host": f"127.0.0.1:{self.port}",
            "Authorization": f"Bearer {self.secret}",
            "Content-Type": "application/json",
            "Accept": BOTH,
            "Mcp-Session-Id": self.session or None,
        }
        usual |= {name.replace("_", "-"): value for name, value in changed.items()}
        return {name: value for name, value in usual.items() if value is not None}

    @contextmanager
    def opened(
        self, method: str, body: object = None, path: str = "/mcp", **changed: str | None
    ) -> Iterator[http.client.HTTPResponse]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=15)
        try:
            connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
            data = body if isinstance(body, bytes) else json.dumps(body).encode()
            if body is not None:
                changed = {"Content_Length": str(len(data)), **changed}
            for name, value in self.headers(**changed).items():
                connection.putheader(name, value)
            connection.endheaders(data if body is not None else None)
            yield connection.getresponse()
        finally:
            connection.close()

    def status(self, method: str = "POST", body: object = HELLO, **more: Any) -> int:
        with self.opened(method, body, **more) as response:
            response.read()
            return response.status

    def posted(self, body: object) -> Any:
        with self.opened("POST", body) as response:
            assert response.status == 200
            assert response.getheader("Content-Type") == "application/json"
            return json.loads(response.read())

    def greet(self) -> Any:
        with self.opened("POST", HELLO) as response:
            self.session = response.getheader("Mcp-Session-Id") or ""
            return json.loads(response.read())["result"]

    def called(self, tool: str, **arguments: Any) -> str:
        params = {"name": tool, "arguments": arguments}
        body = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}
        text: str = self.posted(body)["result"]["content"][0]["text"]
        return text


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Place:
    return Place(tmp_path_factory.mktemp("gateway"))


@pytest.fixture(scope="module")
def served(place: Place) -> Iterator[Web]:
    port = free_port()
    process = subprocess.Popen(
        place.command("--http", str(port)),
        stdin=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        env=place.environment,
        cwd=place.folder,
    )
    try:
        assert process.stderr is not None
        assert f"http://127.0.0.1:{port}/mcp".encode() in process.stderr.readline()
        secret = (place.data / "gateway" / "run" / "secret").read_text().strip()
        yield Web(port, secret)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(10)
        assert process.stderr is not None
        process.stderr.close()


@pytest.fixture
def web(served: Web) -> Web:
    one = Web(served.port, served.secret)
    one.greet()
    return one


# ── who is let in ─────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("changed", "status"),
    [
        ({"Host": "evil.example"}, 421),
        ({"Host": "127.0.0.1"}, 421),
        ({"Host": "127.0.0.1:1"}, 421),
        ({"Host": "localhost.evil.example:{port}"}, 421),
        ({"Host": "[::1]:{port}"}, 421),
        ({"Host": None}, 421),
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": "http://127.0.0.1:{port}"}, 403),
        ({"Sec_Fetch_Site": "same-origin"}, 403),
        ({"Authorization": None}, 401),
        ({"Authorization": "Bearer "}, 401),
        ({"Authorization": "Bearer wrong"}, 401),
        ({"Authorization": "Basic {secret}"}, 401),
        ({"Authorization": "Bearer {secret}x"}, 401),
        ({"Content_Type": "text/plain"}, 415),
        ({"Content_Type": "application/x-www-form-urlencoded"}, 415),
        ({"Content_Type": None}, 415),
        ({"Content_Length": "999999999999"}, 413),
        ({"Content_Length": "-1"}, 400),
        ({"Transfer_Encoding": "chunked"}, 411),
        ({"Mcp_Session_Id": "0" * 32}, 404),
        ({"Mcp_Protocol_Version": "1999-01-01"}, 400),
    ],
)
def test_strangers_and_whatever_could_be_a_web_page_are_refused(
    served: Web, changed: Mapping[str, str | None], status: int
) -> None:
    filled: dict[str, Any] = {
        name: value and value.format(port=served.port, secret=served.secret)
        for name, value in changed.items()
    }
    assert served.status(**filled) == status


@pytest.mark.parametrize("method", ["GET", "DELETE", "OPTIONS", "PUT", "HEAD"])
def test_no_method_works_without_the_secret(served: Web, method: str) -> None:
    assert served.status(method, None, Authorization="Bearer x") == 401


def test_other_routes_and_methods_are_not_there(served: Web) -> None:
    assert served.status(path="/") == 404
    assert served.status(path="/mcp?x=1") == 404
    assert served.status("PUT", None) == 405
    assert served.status("GET", None) == 400  # no session


def test_a_library_that_sends_what_fetch_sends_is_served(served: Web) -> None:
    assert served.status(Sec_Fetch_Mode="cors", Host=f"localhost:{served.port}") == 200


@pytest.mark.parametrize("body", [b"", b"junk", b"[]", b"7", b"[" * 100_000, b"\xff"])
def test_a_body_that_is_no_message_is_refused(web: Web, body: bytes) -> None:
    assert web.status(body=body) == 400


@pytest.mark.parametrize(
    "message",
    [
        {"id": [1], "method": "ping"},
        {"id": True, "method": "x"},
        {"id": None, "method": "ping"},
        {"id": 1, "method": 7},
    ],
)
def test_a_request_that_could_not_be_answered_is_refused(web: Web, message: Any) -> None:
    assert web.status(body=message) == 400


def test_a_greeting_that_wants_no_answer_opens_no_session(served: Web) -> None:
    assert served.status(body={"jsonrpc": "2.0", "method": "initialize"}) == 400


def test_the_secret_is_for_its_owner_and_printed_only_on_request(place: Place, served: Web) -> None:
    secret = place.data / "gateway" / "run" / "secret"
    assert secret.stat().st_mode & 0o777 == 0o600
    told = subprocess.run(
        place.command("--http", str(served.port), "--print-client"),
        capture_output=True, text=True, env=place.environment, check=True, timeout=20,
    ).stdout  # fmt: skip
    assert told.startswith("claude mcp add-json tokenbudget -s user '")
    entry = json.loads(told.split("'")[1])
    assert entry["url"] == f"http://127.0.0.1:{served.port}/mcp"
    assert entry["headers"] == {"Authorization": f"Bearer {served.secret}"}


def test_a_port_that_is_taken_is_told_in_one_sentence(place: Place, served: Web) -> None:
    done = subprocess.run(
        place.command("--http", str(served.port)),
        capture_output=True, text=True, env=place.environment, check=False, timeout=20,
    )  # fmt: skip
    assert done.returncode > 0
    assert done.stderr.count("\n") == 1
    assert "cannot be had" in done.stderr


# ── what is told ──────────────────────────────────────────────────────────────────────────────────


def test_a_task_over_http(web: Web) -> None:
    assert web.called("find_tools", task="read one note").startswith("notes_get_note(name)")
    assert (
        web.called("run_code", code="x = await notes_get_note(name='one')\nx") == "the first note"
    )
    assert web.called("run_code", code="len(x)") == "14"


def test_variables_belong_to_one_session(served: Web, web: Web) -> None:
    other = Web(served.port, served.secret)
    other.greet()
    assert other.session != web.session
    web.called("run_code", code="mine = 1")
    assert "NameError" in other.called("run_code", code="mine")


def test_notifications_are_accepted_without_words(web: Web) -> None:
    told = {"jsonrpc": "2.0", "method": "notifications/initialized"}
    assert web.status(body=told) == 202


def test_an_ended_session_is_gone(web: Web) -> None:
    assert web.status("DELETE", None) == 200
    assert web.status(body={"jsonrpc": "2.0", "id": 1, "method": "ping"}) == 404


def _events(response: http.client.HTTPResponse) -> Iterator[Any]:
    while line := response.readline():
        if line.startswith(b"data: "):
            yield json.loads(line[6:])


def test_a_question_to_the_person_comes_as_an_event_before_the_answer(web: Web) -> None:
    params = {"name": "run_code", "arguments": {"code": "await notes_ask_person(text='sure?')"}}
    asked = {"jsonrpc": "2.0", "id": 5, "method": "tools/call", "params": params}
    with web.opened("POST", asked) as response:
        assert response.getheader("Content-Type") == "text/event-stream"
        events = _events(response)
        question = next(events)
        assert question["method"] == "elicitation/create"
        answer = {"jsonrpc": "2.0", "id": question["id"], "result": ACCEPTED}
        assert web.status(body=answer) == 202
        text = next(events)["result"]["content"][0]["text"]
        assert json.loads(text)["said"] == ACCEPTED
        assert list(events) == []


def test_who_reads_no_events_is_not_asked(web: Web) -> None:
    params = {"name": "run_code", "arguments": {"code": "await notes_delete_note(name='one')"}}
    asked = {"jsonrpc": "2.0", "id": 5, "method": "tools/call", "params": params}
    with web.opened("POST", asked, Accept="application/json") as response:
        result = json.loads(response.read())["result"]
    assert result["isError"]
    assert "the client cannot be reached" in result["content"][0]["text"]


def test_a_client_that_listens_is_shown_that_the_stream_lives(web: Web) -> None:
    with web.opened("GET") as response:
        assert response.status == 200
        assert response.readline() == b": \n"
    assert web.status("GET", None, Accept="application/json") == 406


@pytest.mark.parametrize("mode", ["legacy", "auto"])
def test_the_official_client_finds_runs_is_asked_and_hears_of_progress(
    served: Web, mode: Any
) -> None:
    sdk = pytest.importorskip("mcp")
    import httpx2
    from mcp.client.streamable_http import streamable_http_client
    from mcp.types import ElicitResult

    heard: list[object] = []
    headers = {"Authorization": f"Bearer {served.secret}"}

    async def asked(_: object, params: Any) -> Any:
        heard.append(params.message)
        return ElicitResult(action="accept", content={"allow": True})

    async def progressed(progress: float, total: float | None, message: str | None) -> None:
        heard.append((progress, message))

    async def talk() -> list[Any]:
        async with httpx2.AsyncClient(headers=headers) as web:
            way = streamable_http_client(f"http://127.0.0.1:{served.port}/mcp", http_client=web)
            async with sdk.Client(way, mode=mode, elicitation_callback=asked) as client:
                code = {"code": "await notes_delete_note(name='x')\nawait notes_steps()"}
                tools = await client.list_tools()
                done = await client.call_tool("run_code", code, progress_callback=progressed)
                return [tools.tools[2].name, done.content[0].text]

    assert asyncio.run(asyncio.wait_for(talk(), 15)) == ["run_code", "done"]
    assert heard[0] == 'tokenbudget: allow notes.delete_note(name="x")?'
    assert heard[1:] == [(1, "notes.steps goes on"), (2, "notes.steps goes on")]


def test_messages_go_to_the_stream_that_they_belong_to() -> None:
    first = Stream(takes_events=True, number=1, token="a")
    second = Stream(takes_events=True, number=2, token="b")
    plain = Stream(takes_events=False, number=3, token="c")
    ear = Stream(takes_events=True, number=None, token=None)
    streams = [ear, first, second, plain]
    progress: dict[str, Any] = {
        "method": "notifications/progress",
        "params": {"progressToken": "a"},
    }
    assert _meant({"id": 3, "result": {}}, streams) is plain
    assert _meant({"id": None, "error": {}}, streams) is None
    assert _meant(progress, streams) is first
    assert _meant({"method": "notifications/tools/list_changed"}, streams) is ear
    assert _meant({"method": "x"}, [first]) is None
    assert _meant({"id": "q", "method": "elicitation/create"}, streams) is second
    assert _meant({"id": "q", "method": "elicitation/create"}, [plain]) is None


def test_a_stream_that_nobody_reads_does_not_grow_for_ever() -> None:
    stream = Stream(takes_events=True, number=1, token=None)
    assert all(stream.put({"n": n}) for n in range(1_000))
    assert not stream.put({"n": 1_000})


def test_names_of_sessions_cannot_be_guessed() -> None:
    class Deaf:
        def close(self) -> None:
            return

    names = {Session(lambda send: Deaf()).name for _ in range(100)}  # type: ignore[arg-type, return-value]
    assert len(names) == 100
    assert all(len(name) == 32 for name in names)


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="looks into /proc")
def test_the_port_is_open_on_this_machine_alone(served: Web) -> None:
    wanted = f":{served.port:04X}"
    lines = Path("/proc/net/tcp").read_text().splitlines()[1:]
    places = [line.split()[1] for line in lines if line.split()[3] == "0A"]
    assert [one for one in places if one.endswith(wanted)] == [f"0100007F{wanted}"]
    assert os.path.exists("/proc/net/tcp")
