"""What can be known of the daemon from outside."""

from __future__ import annotations

import os
from typing import NamedTuple

from tokenbudget.gateway.daemon.about import About, read_about
from tokenbudget.gateway.daemon.exchange import EMPTY, MOST_HEAD
from tokenbudget.gateway.daemon.instance import connected, holder_of
from tokenbudget.gateway.daemon.places import SOCKET, place

ANSWER_SECONDS = 1.0


class DaemonStatus(NamedTuple):
    """Whether one runs, and what it says of itself; 0 and '' are unknown."""

    is_running: bool
    pid: int = 0
    port: int = 0
    """Of 127.0.0.1, where it serves HTTP; 0 is nowhere."""
    started_at_ms: int = 0
    version: str = ""
    is_persistent: bool = False
    trouble: str = ""
    """What is wrong, in a sentence; it may run all the same."""
    answered: int = 0
    """Hooks that it has answered."""
    last_hook_ms: int = 0
    refreshed: int = 0
    """Sessions whose figures it brought up to date."""
    faults: int = 0
    idle_seconds: int = 0
    """Time without hooks after which it ends; 0 is never."""


def status_of(home: str) -> DaemonStatus:
    """The daemon of this home; never raises."""
    try:
        holder = holder_of(home)
    except OSError as exc:
        return DaemonStatus(False, trouble=f"its lock cannot be looked at ({exc.strerror})")
    if not holder.is_there:
        return DaemonStatus(False, trouble=_in_the_way(home))
    about = read_about(home)
    if about.pid != holder.pid:  # it has not written anything down yet
        about = About(pid=holder.pid)
    silence = _silence(home)
    return _status(about._replace(trouble=silence or about.trouble))


def written_status(home: str) -> DaemonStatus:
    """The same as the daemon has written it down, without asking it: for itself."""
    return _status(read_about(home))


def _status(about: About) -> DaemonStatus:
    return DaemonStatus(True, **about._asdict())


def _in_the_way(home: str) -> str:
    path = place(home, SOCKET)
    if os.path.islink(path) or os.path.isfile(path) or os.path.isdir(path):
        return f"{path} is no socket, so none can start; remove it"
    return ""


def _silence(home: str) -> str:
    """Why it does not answer; '' where it does. An empty question has an empty answer."""
    try:
        with connected(home, ANSWER_SECONDS) as connection:
            connection.shutdown(1)
            told = connection.recv(MOST_HEAD)
    except OSError:
        return "it does not answer on its socket"
    return "" if told == EMPTY else "it answers on its socket, but not as it should"
