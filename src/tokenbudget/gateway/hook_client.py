"""Answer one hook of the agent, in a process of its own; run by `hook_files.hook_command`.

    python -IS -c START FOLDER HOME [--refresh-with PROGRAM] [--serve-with PROGRAM]

The agent waits for this at every hook, so it is made as the status line is: this file imports
nothing but modules written in C, asks the daemon of HOME over its socket, prints the answer and
leaves without the interpreter's farewell. Where no daemon gives a whole answer in time, the same
decision is made here, which needs more of Python (`hooks.in_process`). Whatever happens it ends in
bounded time with exit code 0 and a silent stderr; stdout is one JSON object, words for a summary,
or nothing.
docs/serve.md describes the protocol.
"""

import _signal  # type: ignore[import-not-found]  # `signal` would import enum: 4 ms
import _socket
import posix
import sys
import time

SOCKET = "run/daemon.sock"
"""Seen from HOME: a socket's whole path may have no more than 107 bytes."""
RUN = "run"
SILENT = "run/silent.stamp"
SILENT_NS = 10_000_000_000

STDIN_SECONDS = 2.0
"""For the payload to be complete; a busy machine needs some room."""
DAEMON_SECONDS, DAEMON_SECONDS_PER_BYTE, MOST_DAEMON_SECONDS = 0.3, 1 / (1 << 19), 1.5
RESULT_BYTES = 4096
"""From here on it may hold a result that is shortened: that takes longer."""
IN_PROCESS_SECONDS = 2.0
PRINT_SECONDS = 1.0
PAYLOAD_BYTES = 1 << 23
"""A longer payload is read to its end and answered with nothing."""
REPLY_BYTES = 1 << 18
PLAIN_WORDS = b"Keep exactly:"
"""How a reply begins that is no JSON: `hooks.words.KEEP`."""
HEAD_BYTES = 9
"""Eight digits and a line's end; the reply follows."""


class TimeUp(BaseException):
    """The time for one step is over."""


class NoAnswer(Exception):
    """There is no whole answer: the daemon is absent, or silent, or answers as it should not."""

    def __init__(self, is_absent: bool = False, is_silent: bool = False) -> None:
        self.is_absent = is_absent
        self.is_silent = is_silent


def limit(seconds: float, action: object) -> None:
    """From now on this step has so many seconds; 0 lifts the limit."""
    _signal.signal(_signal.SIGALRM, action)
    _signal.setitimer(_signal.ITIMER_REAL, seconds)


def raise_time_up(*_: object) -> None:
    """End the step by an exception."""
    raise TimeUp


def leave(*_: object) -> None:
    """End the process, well and at once."""
    posix._exit(0)  # noqa: SLF001 - its public name is in os


# ── what the agent says ───────────────────────────────────────────────────────────────────────────


def read_payload() -> bytes:
    """All of stdin; nothing where it is too long, or has no end in time."""
    parts = []
    size = 0
    try:
        limit(STDIN_SECONDS, raise_time_up)
        while True:
            try:
                part = posix.read(0, 1 << 16)
            except BlockingIOError:
                posix.set_blocking(0, True)
                continue
            if not part:
                break
            size += len(part)
            if size <= PAYLOAD_BYTES:
                parts.append(part)
    except (OSError, TimeUp):
        return b""
    return b"".join(parts) if size <= PAYLOAD_BYTES else b""


# ── the daemon ────────────────────────────────────────────────────────────────────────────────────


def asked(payload: bytes, home: str) -> bytes:
    """The reply of the daemon of this home; raises NoAnswer."""
    try:
        posix.chdir(home)
    except (OSError, ValueError):
        raise NoAnswer(is_absent=True) from None
    if not _is_ours_alone():
        raise NoAnswer(is_absent=True)
    if _was_silent():
        raise NoAnswer
    try:
        seconds = DAEMON_SECONDS + len(payload) * DAEMON_SECONDS_PER_BYTE
        seconds += DAEMON_SECONDS if len(payload) >= RESULT_BYTES else 0
        limit(min(MOST_DAEMON_SECONDS, seconds), raise_time_up)
        return _exchanged(payload)
    except TimeUp:
        raise NoAnswer(is_silent=True) from None
    except (OSError, ValueError):
        raise NoAnswer from None
    finally:
        limit(0, raise_time_up)


def _is_ours_alone() -> bool:
    """Whether nobody else can have put a socket there."""
    try:
        found = posix.lstat(RUN)
    except OSError:
        return False
    return found.st_mode & 0o170077 == 0o040000 and found.st_uid == posix.getuid()


def _was_silent() -> bool:
    """Whether it has just kept another hook waiting in vain; then this one does not wait."""
    try:
        age = time.time_ns() - posix.lstat(SILENT).st_mtime_ns
    except OSError:
        return False
    return -SILENT_NS < age < SILENT_NS


def _exchanged(payload: bytes) -> bytes:
    connection = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM)
    try:
        connection.connect(SOCKET)
    except (FileNotFoundError, ConnectionRefusedError):
        raise NoAnswer(is_absent=True) from None
    connection.sendall(payload)
    connection.shutdown(_socket.SHUT_WR)
    data = b""
    wanted = HEAD_BYTES
    while len(data) < wanted:
        part = connection.recv(1 << 16)
        if not part:
            raise NoAnswer
        data += part
        if len(data) >= HEAD_BYTES:
            wanted = HEAD_BYTES + _length(data[:HEAD_BYTES])
    return _sound(data[HEAD_BYTES:wanted])


def _length(head: bytes) -> int:
    digits = head[:-1]
    if head[-1:] != b"\n" or not digits.isdigit() or int(digits) > REPLY_BYTES:
        raise NoAnswer
    return int(digits)


def _sound(reply: bytes) -> bytes:
    is_json = reply.startswith(b"{") and reply.endswith(b"}")
    if reply and not is_json and not reply.startswith(PLAIN_WORDS):
        raise NoAnswer
    return reply


# ── the run ───────────────────────────────────────────────────────────────────────────────────────


def put(reply: bytes) -> None:
    """Print it, whole; a reader that is gone is no fault."""
    limit(PRINT_SECONDS, leave)
    try:
        while reply:
            reply = reply[posix.write(1, reply) :]
    except OSError:
        pass


def answered_here(payload: bytes, home: str, given: list[str], reason: NoAnswer) -> None:
    """Decide without a daemon, print it, and have one started for the next hook."""
    limit(IN_PROCESS_SECONDS, leave)
    sys.path.append(__file__.rsplit("/", 3)[0])  # last: nothing there may shadow the library
    from tokenbudget.gateway.hooks import in_process

    done = in_process.answered(payload, home, time.time_ns() // 1_000_000)
    put(done.reply)
    limit(IN_PROCESS_SECONDS, leave)
    in_process.afterwards(done, home, given, reason.is_absent, reason.is_silent)


def main() -> None:
    """Answer; whatever happens, end well and silently."""
    try:
        _signal.pthread_sigmask(_signal.SIG_UNBLOCK, [_signal.SIGALRM])
        _run(sys.argv[1:])
    except BaseException:  # noqa: BLE001 - the agent's turn must not break, whatever it is
        pass
    finally:
        leave()


def _run(given: list[str]) -> None:
    payload = read_payload()
    limit(IN_PROCESS_SECONDS, leave)
    if not payload or not given:
        return
    home = given[0]
    try:
        reply = asked(payload, home)
    except NoAnswer as reason:
        answered_here(payload, home, given[1:], reason)
    else:
        put(reply)


if __name__ == "__main__":
    main()
