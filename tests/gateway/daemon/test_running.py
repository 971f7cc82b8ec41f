"""A daemon in this process, with a clock that the test moves: its doors, its end, its manners."""

from __future__ import annotations

import json
import os
import socket
import stat
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.gateway.daemon.test_chores import FakeClock
from tests.gateway.daemons import asked, free_port, until

from tokenbudget.gateway.daemon.about import read_about
from tokenbudget.gateway.daemon.chores import WAITING_SECONDS, Chores
from tokenbudget.gateway.daemon.exchange import EMPTY, framed
from tokenbudget.gateway.daemon.log import Log
from tokenbudget.gateway.daemon.running import Daemon, Wishes
from tokenbudget.gateway.daemon.secret import remove_secret, secret_of
from tokenbudget.gateway.daemon.status import status_of
from tokenbudget.gateway.hooks.handler import Answer
from tokenbudget.model.errors import Refused

IDLE_SECONDS = 900.0
PAYLOAD = json.dumps({"session_id": "s", "hook_event_name": "Stop", "cwd": "/srv/shop"}).encode()


class QuietChores(Chores):
    """Notes what is wished for."""

    def __init__(self) -> None:
        self.notes: list[tuple[str, str]] = []
        self.is_working = False
        self.is_closed = False
        self.more_patience = 0.0
        self.refreshed = 0
        self.faults = 0

    def note(self, session: str, folder: str) -> None:
        self.notes.append((session, folder))

    def descriptor(self) -> int | None:
        return None

    @property
    def is_busy(self) -> bool:
        return self.is_working

    @property
    def patience_seconds(self) -> float:
        return self.more_patience

    def turn(self) -> None:
        pass

    def close(self) -> None:
        self.is_closed = True


class TickingClock(FakeClock):
    """Waits for no one, but lets the others run."""

    def sleep(self, seconds: float) -> None:
        self.now += seconds
        threading.Event().wait(0.001)


class House:
    """A home, and a daemon for it."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.clock = TickingClock()
        self.chores = QuietChores()
        self.port = free_port()
        self.code = home / "code.py"
        self.code.write_text("1")
        self.payloads: list[bytes] = []
        self.daemon = self.another()
        self._thread: threading.Thread | None = None
        self.reason = ""

    def another(self, **wishes: object) -> Daemon:
        given = Wishes(self.port, IDLE_SECONDS, version="9.9", code_files=[str(self.code)])
        return Daemon(
            str(self.home),
            given._replace(**wishes),  # type: ignore[arg-type]
            self.answer,
            self.chores,
            self.clock,
            Log(str(self.home), self.clock),
        )

    def answer(self, payload: bytes, home: str, now_ms: int) -> Answer:
        self.payloads.append(payload)
        if payload == b"raise":
            raise RuntimeError("what a person wrote")
        return Answer(b'{"n":%d}' % len(payload), "s", b"Stop" in payload)

    def run(self) -> None:
        """Have it run in a thread."""

        def go() -> None:
            self.reason = self.daemon.run()

        self._thread = threading.Thread(target=go)
        self._thread.start()

    def stop(self) -> None:
        if self._thread is not None:
            self.daemon.stop("the test is over")
            self._thread.join(10)


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    made = House(tmp_path)
    yield made
    made.stop()


# ── answering ─────────────────────────────────────────────────────────────────────────────────────


def test_hooks_are_answered_and_counted_and_what_they_wish_is_noted(house: House) -> None:
    assert house.daemon.open()
    house.run()
    assert asked(house.home, PAYLOAD) == framed(b'{"n":%d}' % len(PAYLOAD))
    assert asked(house.home, b"x") == framed(b'{"n":1}')
    assert house.chores.notes == [("s", "/srv/shop")]
    house.clock.now += 6
    until(lambda: read_about(str(house.home)).answered == 2)
    status = status_of(str(house.home))
    assert (status.is_running, status.pid, status.version) == (True, os.getpid(), "9.9")
    assert status.trouble == ""


def test_an_empty_question_has_an_empty_answer_and_is_no_hook(house: House) -> None:
    assert house.daemon.open()
    house.run()
    assert asked(house.home, b"") == EMPTY
    assert house.payloads == []


def test_a_decision_that_fails_is_an_empty_answer_and_logged_by_name_alone(house: House) -> None:
    assert house.daemon.open()
    house.run()
    assert asked(house.home, b"raise") == EMPTY
    log = (house.home / "run/daemon.log").read_text()
    assert "a hook failed: RuntimeError" in log
    assert "what a person wrote" not in log


def test_a_payload_that_is_too_long_gets_no_answer(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tokenbudget.gateway.daemon.exchange.PAYLOAD_BYTES", 1000)
    assert house.daemon.open()
    house.run()
    assert asked(house.home, b"x" * 500_000) == b""
    assert asked(house.home, b"x" * 1000) == framed(b'{"n":1000}')


def test_clients_that_never_close_keep_no_other_one_waiting(house: House) -> None:
    assert house.daemon.open()
    house.run()
    before = os.getcwd()
    idle = []
    for _ in range(100):
        connection = socket.socket(socket.AF_UNIX)
        os.chdir(house.home)
        connection.connect("run/daemon.sock")
        os.chdir(before)
        connection.sendall(b"{")
        idle.append(connection)
    assert asked(house.home, b"xy") == framed(b'{"n":2}')
    for connection in idle:
        connection.close()


def test_many_clients_at_once_are_all_answered(house: House) -> None:
    assert house.daemon.open()
    house.run()
    found: list[bytes] = []

    def ask(size: int) -> None:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(str(house.home / "run/daemon.sock"))
            connection.sendall(b"x" * size)
            connection.shutdown(socket.SHUT_WR)
            found.append(connection.recv(100))

    threads = [threading.Thread(target=ask, args=(size,)) for size in range(1, 25)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(found) == sorted(framed(b'{"n":%d}' % size) for size in range(1, 25))


# ── its doors ─────────────────────────────────────────────────────────────────────────────────────


def test_the_socket_is_for_its_owner_alone_whatever_the_umask(house: House) -> None:
    before = os.umask(0)
    try:
        assert house.daemon.open()
    finally:
        os.umask(before)
    found = (house.home / "run/daemon.sock").stat()
    assert stat.S_ISSOCK(found.st_mode)
    assert found.st_mode & 0o777 == 0o600
    house.run()


def test_a_second_daemon_of_the_same_home_does_not_begin(house: House) -> None:
    assert house.daemon.open()
    assert not house.another().open()
    house.run()
    assert asked(house.home, b"x") == framed(b'{"n":1}')


def test_a_socket_that_a_killed_daemon_left_is_replaced(house: House) -> None:
    (house.home / "run").mkdir(mode=0o700)
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(house.home / "run/daemon.sock"))
    (house.home / "run/daemon.sock.new").write_text("left as well")
    assert house.daemon.open()
    house.run()
    assert asked(house.home, b"x") == framed(b'{"n":1}')


@pytest.mark.parametrize("kind", ["file", "link", "dangling link", "folder"])
def test_what_is_no_socket_is_left_alone_and_named(house: House, kind: str) -> None:
    (house.home / "run").mkdir(mode=0o700)
    path, other = house.home / "run/daemon.sock", house.home / "other"
    if kind == "file":
        path.write_text("mine")
    elif kind == "folder":
        path.mkdir()
    else:
        path.symlink_to(other)
        if kind == "link":
            other.write_text("mine")
    with pytest.raises(Refused, match=r"daemon\.sock is no socket"):
        house.daemon.open()
    assert path.is_symlink() or path.is_dir() or path.read_text() == "mine"
    assert not status_of(str(house.home)).is_running


def test_a_socket_that_somebody_removes_is_there_again(house: House) -> None:
    assert house.daemon.open()
    house.run()
    (house.home / "run/daemon.sock").unlink()
    until((house.home / "run/daemon.sock").exists)
    assert asked(house.home, b"x") == framed(b'{"n":1}')


def test_http_is_served_while_there_is_a_secret(house: House) -> None:
    assert house.daemon.open()
    house.run()
    assert status_of(str(house.home)).port == 0
    secret = secret_of(str(house.home))
    until(lambda: read_about(str(house.home)).port == house.port)
    assert status_of(str(house.home)).is_persistent
    assert http_status(house.port, secret) == 200
    assert http_status(house.port, "other") == 401
    remove_secret(str(house.home))
    until(lambda: read_about(str(house.home)).port == 0)
    with pytest.raises(ConnectionRefusedError):
        http_status(house.port, secret)


def test_a_port_that_is_taken_is_told_and_the_socket_is_served(house: House) -> None:
    secret = secret_of(str(house.home))
    with socket.create_server(("127.0.0.1", house.port)):
        assert house.daemon.open()
        house.run()
        status = status_of(str(house.home))
        assert (status.is_running, status.port) == (True, 0)
        assert status.trouble.startswith(f"port {house.port} of 127.0.0.1 cannot be had (Address")
        assert "command hooks are served" in status.trouble
        assert asked(house.home, b"x") == framed(b'{"n":1}')
    house.clock.now += 11
    until(lambda: read_about(str(house.home)).port == house.port)
    assert status_of(str(house.home)).trouble == ""
    assert http_status(house.port, secret) == 200


def http_status(port: int, secret: str) -> int:
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        head = f"GET /v1/health HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n"
        connection.sendall(f"{head}Authorization: Bearer {secret}\r\n\r\n".encode())
        return int(connection.recv(1000).split(b" ")[1])


# ── its end ───────────────────────────────────────────────────────────────────────────────────────


def test_it_ends_when_nobody_has_asked_for_long_and_leaves_nothing_open(house: House) -> None:
    assert house.daemon.open()
    house.clock.now += IDLE_SECONDS - 1
    house.daemon.turn()
    house.run()
    assert asked(house.home, b"x") == framed(b'{"n":1}')  # and so it stays for longer
    house.clock.now += IDLE_SECONDS - 1
    assert asked(house.home, b"") == EMPTY
    house.clock.now += 2
    until(lambda: bool(house.reason))
    assert house.reason == "nobody asked for long"
    assert house.chores.is_closed
    assert sorted(os.listdir(house.home / "run")) == ["daemon.lock", "daemon.log"]
    assert not status_of(str(house.home)).is_running
    house.daemon = house.another()
    assert house.daemon.open()
    house.run()


def test_it_stays_for_what_the_controller_lent_and_not_for_ever(house: House) -> None:
    assert house.daemon.open()
    house.chores.more_patience = WAITING_SECONDS
    house.run()
    house.clock.now += IDLE_SECONDS + WAITING_SECONDS - 60
    assert asked(house.home, b"") == EMPTY
    house.clock.now += 120
    until(lambda: house.reason == "nobody asked for long")


def test_it_does_not_end_while_its_worker_is_at_something(house: House) -> None:
    assert house.daemon.open()
    house.chores.is_working = True
    house.run()
    house.clock.now += 2 * IDLE_SECONDS
    assert asked(house.home, b"") == EMPTY
    house.chores.is_working = False
    until(lambda: house.reason == "nobody asked for long")


def test_a_persistent_one_stays(house: House) -> None:
    secret_of(str(house.home))
    assert house.daemon.open()
    house.clock.now += 1000 * IDLE_SECONDS
    house.run()
    assert asked(house.home, b"x") == framed(b'{"n":1}')
    assert house.reason == ""


def test_it_ends_when_its_folder_is_taken_away(house: House) -> None:
    assert house.daemon.open()
    house.run()
    (house.home / "run").rename(house.home / "away")
    until(lambda: house.reason == "its folder was taken away")


def test_it_ends_when_the_program_was_changed(house: House) -> None:
    assert house.daemon.open()
    house.run()
    house.code.write_text("22")
    until(lambda: house.reason == "the program was changed")


def test_whoever_has_asked_before_the_end_is_answered(house: House) -> None:
    assert house.daemon.open()
    connection = socket.socket(socket.AF_UNIX)
    connection.connect(str(house.home / "run/daemon.sock"))
    connection.sendall(b"xyz")
    connection.shutdown(socket.SHUT_WR)
    house.daemon.stop("now")
    house.run()
    assert connection.recv(100) == framed(b'{"n":3}')
    connection.close()


# ── its diary ─────────────────────────────────────────────────────────────────────────────────────


def test_the_log_cannot_grow_and_holds_no_control_characters(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    log = Log(str(tmp_path), FakeClock())
    for _ in range(3000):
        log("an event \x1b[31m\nwith a break " + "x" * 500)
    files = [tmp_path / "run/daemon.log", tmp_path / "run/daemon.old.log"]
    assert all(0 < path.stat().st_size <= 1 << 16 for path in files)
    line = files[0].read_text().splitlines()[0]
    assert line.startswith("1970-01-01T00:16:40Z an event [31m with a break xx")
    assert len(line) < 300
    assert files[0].stat().st_mode & 0o777 == 0o600


def test_a_log_that_cannot_be_written_costs_lines_and_nothing_else(tmp_path: Path) -> None:
    log = Log(str(tmp_path / "missing"), FakeClock())
    log("an event")
    (tmp_path / "run").mkdir()
    (tmp_path / "run/daemon.log").symlink_to(tmp_path / "other")
    Log(str(tmp_path), FakeClock())("an event")
    assert not (tmp_path / "other").exists()


def test_no_further_thread_costs_one_connection_and_not_the_daemon(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert house.daemon.open()
    house.run()

    def fail(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", fail)
        assert asked(house.home, b"x") == b""
    assert asked(house.home, b"x") == framed(b'{"n":1}')
