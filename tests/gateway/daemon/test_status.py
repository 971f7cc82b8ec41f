"""What is known of a daemon from outside, whatever its files hold."""

from __future__ import annotations

import fcntl
import json
import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.gateway.daemon.test_chores import FakeClock
from tests.gateway.daemons import pretended, read_all

from tokenbudget.gateway.daemon.about import FORMAT, About, read_about, write_about
from tokenbudget.gateway.daemon.instance import Instance, holder_of
from tokenbudget.gateway.daemon.status import status_of
from tokenbudget.gateway.daemon.stopping import stop_daemon
from tokenbudget.model.errors import ProjectUnusable, Refused


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "run").mkdir(mode=0o700)
    return tmp_path


@pytest.fixture
def held(home: Path) -> Iterator[Instance]:
    """This process is the daemon."""
    instance = Instance(str(home))
    assert instance.try_acquire()
    yield instance
    instance.release()


def test_without_a_folder_nothing_runs(tmp_path: Path) -> None:
    assert status_of(str(tmp_path / "missing")) == (False, 0, 0, 0, "", False, "", 0, 0, 0, 0, 0)
    assert stop_daemon(str(tmp_path / "missing"), FakeClock()) == 0


def test_who_holds_the_lock_is_named_by_it(home: Path, held: Instance) -> None:
    assert holder_of(str(home)) == (True, os.getpid())
    assert not Instance(str(home)).try_acquire()
    held.release()
    assert holder_of(str(home)) == (False, 0)


def test_to_look_keeps_nobody_from_looking_or_beginning(home: Path) -> None:
    (home / "run/daemon.lock").write_text("1234".ljust(20))
    with (home / "run/daemon.lock").open() as looking:
        fcntl.flock(looking, fcntl.LOCK_SH)
        assert not holder_of(str(home)).is_there


@pytest.mark.parametrize("text", ["", "1", "0", "-5", "x" * 20, "99999999999999999999"])
def test_a_lock_that_names_no_process_is_stopped_by_nobody(
    home: Path, held: Instance, text: str
) -> None:
    (home / "run/daemon.lock").write_text(text)
    assert holder_of(str(home)).is_there
    with pytest.raises((Refused, ProjectUnusable)):
        stop_daemon(str(home), FakeClock())


def test_a_lock_whose_file_is_another_one_is_lost(home: Path, held: Instance) -> None:
    assert not held.is_lost()
    (home / "run/daemon.lock").unlink()
    assert held.is_lost()
    (home / "run/daemon.lock").write_text("")
    assert held.is_lost()


def test_what_it_says_of_itself_is_believed_only_of_the_holder(home: Path, held: Instance) -> None:
    about = About(pid=os.getpid(), port=27_100, version="1.2", answered=7)
    write_about(str(home), about)
    assert status_of(str(home)).answered == 7
    write_about(str(home), about._replace(pid=os.getpid() + 1))
    found = status_of(str(home))
    assert (found.pid, found.answered, found.version) == (os.getpid(), 0, "")


def test_whether_it_answers_is_found_out(home: Path, held: Instance) -> None:
    assert status_of(str(home)).trouble == "it does not answer on its socket"
    for reply, trouble in ((b"00000000\n", ""), (b"garbage", "not as it should")):

        def behave(connection: socket.socket, reply: bytes = reply) -> None:
            read_all(connection)
            connection.sendall(reply)

        with pretended(home, behave):
            assert trouble in status_of(str(home)).trouble
            assert bool(trouble) == bool(status_of(str(home)).trouble)
        (home / "run/daemon.sock").unlink()


def test_what_stands_in_the_sockets_place_is_named(home: Path) -> None:
    (home / "run/daemon.sock").write_text("")
    assert "is no socket, so none can start" in status_of(str(home)).trouble


@pytest.mark.parametrize(
    "change",
    [
        {"format": "tokenbudget/daemon/2"},
        {"pid": "7"},
        {"pid": True},
        {"port": -1},
        {"port": 1 << 60},
        {"version": None},
        {"is_persistent": 1},
        {"unknown": "x"},
    ],
)
def test_a_field_of_another_kind_is_unknown(home: Path, change: dict[str, object]) -> None:
    document = {"format": FORMAT, **About(pid=5)._asdict(), **change}
    (home / "run/daemon.json").write_text(json.dumps(document))
    found = read_about(str(home))
    [name] = change
    if name == "format":
        assert found == About()
    elif name in About._fields:
        assert getattr(found, name) == About._field_defaults[name]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=200))
def test_any_bytes_are_read_as_something_or_nothing(home: Path, data: bytes) -> None:
    (home / "run/daemon.json").write_bytes(data)
    assert read_about(str(home)) == About()
    assert not status_of(str(home)).is_running
