"""Print one line for the agent's status bar; run by path, in a process of its own.

    python -IS statusline.py TOKENS_HOME [--width N] [--plain] [--ascii] [--refresh-with PROGRAM]
        [--then COMMAND]

`statusline_files.statusline_command` says how it is wired: imported, and so kept compiled.

The agent runs this often and waits for it. So it is made of four files that import nothing of ours
but each other, by plain name from their own folder, and nothing but modules written in C (`json`
only where `_json` lacks its scanner, and for the name of a fault in damaged JSON); it never opens
the ledger, and has a time limit for every step. It reads the agent's JSON from stdin and one
snapshot that the collector keeps (this file), prints (`statusline_line`), then appends what it was
told to a spool that the collector takes, and starts at most one refresh (`statusline_spool`). Any
fault makes the line shorter; it always ends with exit code 0 and a silent stderr. Behind its own
line it may run another tool's (`--then`). The formats are in docs/statusline.md; `statusline_files`
and `statusline_reports` are their other side.
"""

import _signal  # type: ignore[import-not-found]  # `signal` would import enum: 4 ms
import posix
import sys
import time

TYPE_CHECKING = False
if TYPE_CHECKING or __package__:
    from tokenbudget.gateway import statusline_line, statusline_spool
    from tokenbudget.gateway.statusline_values import Table, clean, is_fit_session, number, parsed
else:
    if __name__ == "__main__":
        sys.path.insert(0, __file__.rpartition("/")[0] or ".")
    import statusline_line
    import statusline_spool
    from statusline_values import Table, clean, is_fit_session, number, parsed

FORMAT = "tokenbudget/statusline/1"
FOLDER = "/statusline"
TEMPLATE = "/statusline.template"

STDIN_BYTES = 1 << 20
STDIN_SECONDS = 0.15
STEP_SECONDS = 0.3
"""For building the line, and again for what follows; a busy machine needs some room."""
SNAPSHOT_BYTES = 1 << 16
TEMPLATE_BYTES = 1 << 11
THEN_SECONDS = 4.0
"""For another tool's line, after ours is out; the agent itself waits a little longer."""
OLD_MS = 300_000
"""A snapshot behind its transcript for longer than this no longer says how fast it burns."""


class TimeUp(BaseException):
    """The time for one step is over."""


class Options(statusline_line.Look):
    """How the line is to look: from the arguments, else from the environment."""

    def __init__(self, arguments: list[str], environment: dict[bytes, bytes]) -> None:
        self.home = arguments[0] if arguments else ""
        given, self.then = _without_then(arguments[1:])
        self.width = _width(
            _after(given, "--width"), environment.get(b"COLUMNS", b"").decode("ascii", "replace")
        )
        self.is_plain = (
            "--plain" in given
            or bool(environment.get(b"NO_COLOR"))
            or environment.get(b"TERM") == b"dumb"
        )
        self.is_ascii = "--ascii" in given or _names_no_utf8(environment)
        self.refresh_with = _after(given, "--refresh-with")


def _after(given: list[str], name: str) -> str:
    return given[given.index(name) + 1] if name in given[:-1] else ""


def _without_then(given: list[str]) -> tuple[list[str], str]:
    """The other arguments, and the other tool's command, whatever is written in it."""
    if "--then" not in given[:-1]:
        return given, ""
    at = given.index("--then")
    return given[:at] + given[at + 2 :], given[at + 1]


def _width(*candidates: str) -> int:
    for text in candidates:
        if text.isascii() and text.isdecimal() and len(text) < 5 and int(text):
            return int(text)
    return 80


def _names_no_utf8(environment: dict[bytes, bytes]) -> bool:
    for name in (b"LC_ALL", b"LC_CTYPE", b"LANG"):
        locale = environment.get(name)
        if locale:
            has_other = b"." in locale and b"utf" not in locale.lower()
            return has_other or locale in (b"C", b"POSIX")
    return False


# ── time and files ────────────────────────────────────────────────────────────────────────────────


def limit(seconds: float, action: object) -> None:
    """From now on this step has so many seconds; 0 lifts the limit."""
    _signal.signal(_signal.SIGALRM, action)
    _signal.setitimer(_signal.ITIMER_REAL, seconds)


def raise_time_up(*_: object) -> None:
    """End the step by an exception."""
    raise TimeUp


def leave(*_: object) -> None:
    """End the process, well and at once: nothing here needs the interpreter's own farewell."""
    posix._exit(0)  # noqa: SLF001 - its public name is in os


def read_stdin() -> bytes:
    """What comes until the end, the size limit or the time limit, whichever is first."""
    parts = []
    room = STDIN_BYTES
    try:
        limit(STDIN_SECONDS, raise_time_up)
        while room:
            try:
                part = posix.read(0, min(room, 1 << 16))
            except BlockingIOError:
                posix.set_blocking(0, True)
                continue
            if not part:
                break
            parts.append(part)
            room -= len(part)
    except (OSError, TimeUp):
        pass
    limit(STEP_SECONDS, raise_time_up)
    return b"".join(parts)


def read_file(path: str, most_bytes: int) -> bytes:
    """The beginning of a file; nothing where there is none. Does not wait for a named pipe."""
    try:
        descriptor = posix.open(path, posix.O_RDONLY | posix.O_NONBLOCK | posix.O_CLOEXEC)
    except (OSError, ValueError):
        return b""
    try:
        return posix.read(descriptor, most_bytes)
    except OSError:
        return b""
    finally:
        posix.close(descriptor)


# ── what is known of the session ──────────────────────────────────────────────────────────────────


def snapshot_of(told: Table, home: str) -> Table:
    """The collector's snapshot of this session, with `is_fresh` and `is_old` added."""
    session = told.get("session_id")
    if not home or not is_fit_session(session):
        return {"is_fresh": True}  # nobody could refresh it
    snapshot = parsed(read_file(f"{home}{FOLDER}/{session}.json", SNAPSHOT_BYTES))
    if snapshot.get("format") != FORMAT or snapshot.get("session") != session:
        snapshot = {}
    is_fresh = _is_fresh(snapshot, told.get("transcript_path"))
    made_at_ms = number(snapshot, "made_at_ms") or 0
    snapshot["is_fresh"] = is_fresh
    snapshot["is_old"] = not is_fresh and time.time_ns() // 1_000_000 - made_at_ms > OLD_MS
    return snapshot


def _is_fresh(snapshot: Table, transcript: object) -> bool:
    """Whether it was made from the transcript as it is; without one there is nothing to make."""
    if not isinstance(transcript, str):
        return bool(snapshot)
    try:
        found = posix.stat(transcript)
    except (OSError, ValueError):
        return True
    return (
        snapshot.get("transcript_bytes") == found.st_size
        and snapshot.get("transcript_mtime_ms") == found.st_mtime_ns // 1_000_000
    )


# ── the run ───────────────────────────────────────────────────────────────────────────────────────


def line_of(told: Table, snapshot: Table, options: Options, now_ms: int) -> str:
    """The line as it is printed, without its end; by the person's own template, if there is one."""
    if options.home:
        own = read_file(options.home + TEMPLATE, TEMPLATE_BYTES).decode("utf-8", "replace")
        own = clean(own.partition("\n")[0], TEMPLATE_BYTES).strip()
        options.template = own or options.template
    return statusline_line.drawn(told, snapshot, options, now_ms)


def hand_on(told: Table, snapshot: Table, options: Options, now_ms: int) -> None:
    """Tell the collector, and wake it when the snapshot is behind; faults stay here."""
    if not options.home:
        return
    try:
        line = statusline_spool.spool_line(told, now_ms)
        if line:
            statusline_spool.append(options.home, line)
    except (OSError, ValueError):
        pass
    if not snapshot["is_fresh"]:
        statusline_spool.refresh(
            options.home, str(told["session_id"]), options.refresh_with, now_ms
        )


# ── another tool's line ───────────────────────────────────────────────────────────────────────────


def run_other(command: str, told: bytes) -> None:
    """Run another tool's status line with the same JSON; it writes to our standard output.

    It is not waited for longer than `THEN_SECONDS`, and it ends when we are told to end.
    """
    child = _started(command, told)

    def end_both(*_: object) -> None:
        try:  # noqa: SIM105 - contextlib is not written in C
            posix.kill(-child, _signal.SIGKILL)
        except OSError:
            pass
        leave()

    _signal.signal(_signal.SIGTERM, end_both)
    _signal.signal(_signal.SIGINT, end_both)
    limit(THEN_SECONDS, end_both)
    posix.waitpid(child, 0)


def _started(command: str, told: bytes) -> int:
    """Start it in a group of its own, so that all of it can be ended; what it complains of is lost.

    The JSON is a file without a name: a pipe would have to be filled while it is read.
    """
    held = _nameless_file()
    posix.write(held, told)
    posix.lseek(held, 0, 0)
    null = posix.open("/dev/null", posix.O_WRONLY | posix.O_CLOEXEC)
    return posix.posix_spawn(
        "/bin/sh",
        ["/bin/sh", "-c", command],
        posix.environ,
        file_actions=[(posix.POSIX_SPAWN_DUP2, held, 0), (posix.POSIX_SPAWN_DUP2, null, 2)],
        setpgroup=0,
        setsigdef=[_signal.SIGPIPE],
    )


def _nameless_file() -> int:
    if hasattr(posix, "memfd_create"):
        return posix.memfd_create("statusline")
    path = f"/tmp/.statusline-{posix.getpid()}-{time.time_ns()}"  # macOS
    flags = posix.O_RDWR | posix.O_CREAT | posix.O_EXCL | posix.O_NOFOLLOW | posix.O_CLOEXEC
    descriptor = posix.open(path, flags, 0o600)
    posix.unlink(path)
    return descriptor


# ── all of it ─────────────────────────────────────────────────────────────────────────────────────


def main() -> None:
    """Print the line, then do the rest; whatever happens, end well and silently."""
    try:
        _signal.pthread_sigmask(_signal.SIG_UNBLOCK, [_signal.SIGALRM])
        _run(Options(sys.argv[1:], posix.environ), time.time_ns() // 1_000_000)
    finally:
        leave()


def _run(options: Options, now_ms: int) -> None:
    data = b""
    told: Table = {}
    snapshot: Table = {"is_fresh": True}
    try:
        data = read_stdin()
        told = parsed(data)
        snapshot = snapshot_of(told, options.home)
        text = line_of(told, snapshot, options, now_ms)
    except BaseException:  # noqa: BLE001 - the agent's bar must not break, whatever it is
        text = _least(told, options)
    limit(STEP_SECONDS, leave)
    try:  # noqa: SIM105
        posix.write(1, text.encode("utf-8", "replace") + b"\n")
    except OSError:  # nobody listens; the collector still wants to know
        pass
    limit(STEP_SECONDS, raise_time_up if options.then else leave)
    try:
        hand_on(told, snapshot, options, now_ms)
    except (OSError, ValueError, TimeUp):
        if not options.then:
            raise
    if options.then:
        run_other(options.then, data)


def _least(told: Table, options: Options) -> str:
    try:
        name = statusline_line.cut(statusline_line.model_name(told, {}), options.width)
    except BaseException:  # noqa: BLE001 - as above
        return ""
    return statusline_line.ascii_only(name) if options.is_ascii else name


if __name__ == "__main__":
    main()
