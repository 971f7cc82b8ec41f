"""What the status line leaves behind: a line in the spool, and at most one refresh.

One of the files that `statusline` is made of; what it says there of imports holds here too.
"""

import posix
import sys

TYPE_CHECKING = False
if TYPE_CHECKING or __package__:
    from tokenbudget.gateway.statusline_values import (
        Table,
        clean,
        is_fit_session,
        number,
        table,
        written,
    )
else:
    from statusline_values import Table, clean, is_fit_session, number, table, written

FORMAT = "tokenbudget/statusline-spool/1"
FOLDER = "/spool"
SPOOL = "/spool/statusline.jsonl"
FULL = "/spool/statusline.full.jsonl"
LOCK_FOLDER = "/statusline"
LOCK = "/statusline/refresh.lock"

LINE_BYTES = 4000  # below the 4 KB that one write puts down whole on any file system
MOST_BYTES = 1 << 20
ROOM_BYTES = MOST_BYTES - (1 << 16)  # writers that come at once still end below 1 MB
DROPPED = b'{"format":"tokenbudget/statusline-spool/1","dropped_lines":%d}\n'
"""Stands in a spool that took the place of another: how many lines went with that one."""
REFRESH_MS = 5_000
REFRESH_LOST_MS = 60_000
"""After this a refresh that still runs no longer keeps others from starting."""

KEPT = (  # what of the agent's JSON goes to the spool, all of it numbers or yes and no
    (
        "context_window",
        "total_input_tokens total_output_tokens context_window_size used_percentage",
    ),
    (
        "cost",
        "total_cost_usd total_duration_ms total_api_duration_ms total_lines_added"
        " total_lines_removed",
    ),
    (
        "prompt_cache",
        "warm caching_observed expires_at requests misses expected_rebuilds hit_ratio"
        " cache_write_tokens miss_recache_tokens last_miss_at recache_tokens_if_cold",
    ),
)
USAGE = "input_tokens output_tokens cache_creation_input_tokens cache_read_input_tokens"
MOST_LIMITS = 8


def spool_line(told: Table, at_ms: int) -> bytes:
    """The compact record of what the agent said; nothing when it said nothing of use."""
    session = told.get("session_id")
    if not is_fit_session(session):
        return b""
    transcript = told.get("transcript_path")
    kept: Table = {"format": FORMAT, "at_ms": at_ms, "session_id": session}
    kept["model"] = clean(table(told, "model").get("id"), 64)
    kept["version"] = clean(told.get("version"), 32)
    for name, fields in KEPT:
        part = _plain(table(told, name), fields)
        usage = _plain(table(table(told, name), "current_usage"), USAGE)
        if usage:
            part["current_usage"] = usage
        if part:
            kept[name] = part
    limits = {
        name: _plain(table(table(told, "rate_limits"), name), "used_percentage resets_at")
        for name in list(table(told, "rate_limits"))[:MOST_LIMITS]
        if is_fit_session(name) and len(name) <= 32
    }
    if limits:
        kept["rate_limits"] = limits
    if isinstance(transcript, str) and len(transcript) <= 1024:
        kept["transcript_path"] = transcript
    line = written(kept).encode() + b"\n"
    if len(line) > LINE_BYTES:
        kept.pop("transcript_path", None)
        line = written(kept).encode() + b"\n"
    return line if len(line) <= LINE_BYTES else b""


def _plain(told: Table, fields: str) -> Table:
    """Those fields that are numbers or yes and no."""
    kept: Table = {}
    for name in fields.split():
        value = told.get(name)
        if isinstance(value, bool) or number(told, name) is not None:
            kept[name] = value
    return kept


def append(home: str, line: bytes) -> None:
    """Add a line to the spool, in one write, so that lines of many processes stay whole."""
    path = home + SPOOL
    descriptor = _opened(home, path)
    if posix.fstat(descriptor).st_size > ROOM_BYTES:
        _set_aside(descriptor, path, home + FULL)
        posix.close(descriptor)
        descriptor = _opened(home, path)
    if posix.fstat(descriptor).st_size <= MOST_BYTES - LINE_BYTES:
        posix.write(descriptor, line)  # else it can be neither moved nor added to
    posix.close(descriptor)  # where something fails the process ends soon enough


def _opened(home: str, path: str) -> int:
    flags = posix.O_RDWR | posix.O_APPEND | posix.O_CREAT | posix.O_CLOEXEC | posix.O_NONBLOCK
    try:
        return posix.open(path, flags, 0o600)
    except FileNotFoundError:
        _make_folders(home, FOLDER)
        return posix.open(path, flags, 0o600)


def _set_aside(descriptor: int, path: str, full: str) -> None:
    """Make room: the full spool takes the place of the one before it. Only one process does so.

    How many lines that costs is written down first, so that an interruption counts them twice
    rather than not at all.
    """
    try:
        posix.lockf(descriptor, posix.F_TLOCK, 0)
        if posix.stat(path).st_ino != posix.fstat(descriptor).st_ino:
            return
        dropped = dropped_lines(_content(full))
        if dropped:
            posix.write(descriptor, DROPPED % dropped)
        posix.rename(path, full)
    except OSError:  # another one is at it
        pass


def _content(path: str) -> bytes:
    try:
        descriptor = posix.open(path, posix.O_RDONLY | posix.O_NONBLOCK | posix.O_CLOEXEC)
    except FileNotFoundError:
        return b""
    try:
        return posix.read(descriptor, MOST_BYTES)
    finally:
        posix.close(descriptor)


def dropped_lines(data: bytes) -> int:
    """How many lines are lost with this content of a spool: its own, and those that it counts."""
    lost = data.count(b"\n")
    head, tail = DROPPED.split(b"%d")
    for part in data.split(head)[1:]:
        digits = part.partition(tail)[0]
        lost += int(digits) - 1 if digits.isdigit() and len(digits) < 16 else 0
    return lost


def _make_folders(home: str, *names: str) -> None:
    for path in (home, *[home + name for name in names]):
        try:  # noqa: SIM105 - contextlib is not written in C
            posix.mkdir(path, 0o700)
        except FileExistsError:
            pass


# ── the refresh ───────────────────────────────────────────────────────────────────────────────────


def refresh(home: str, session: str, program: str, now_ms: int) -> None:
    """Start one refresh, unless one runs or has begun in the last 5 seconds.

    The lock is the kernel's, so that it ends with its holder; the file's time says when the last
    refresh began, its content which process that is.
    """
    flags = posix.O_RDWR | posix.O_CREAT | posix.O_CLOEXEC | posix.O_NONBLOCK
    try:
        lock = posix.open(home + LOCK, flags, 0o600)
    except FileNotFoundError:
        _make_folders(home, LOCK_FOLDER)
        lock = posix.open(home + LOCK, flags, 0o600)
    posix.lockf(lock, posix.F_TLOCK, 0)  # raises where another one is deciding
    found = posix.fstat(lock)
    age_ms = now_ms - found.st_mtime_ns // 1_000_000
    pid = posix.read(lock, 20)
    is_recent = bool(pid) and -REFRESH_MS < age_ms < REFRESH_MS
    if is_recent or (0 <= age_ms < REFRESH_LOST_MS and _is_alive(pid)):
        return
    posix.pwrite(lock, b"0".ljust(20), 0)
    posix.pwrite(lock, str(_start(home, session, program)).encode().ljust(20), 0)


def _is_alive(pid: bytes) -> bool:
    text = pid.strip()
    if not text.isdigit() or int(text) <= 1:
        return False
    try:
        posix.kill(int(text), 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True


def _start(home: str, session: str, program: str) -> int:
    """Start the refresh: its own session, no terminal, nothing of the agent's folder imported.

    Not `-I`: that would pass over a `pip install --user`.
    """
    command = [program] if program else [sys.executable, "-PE", "-m", "tokenbudget"]
    command += [] if program else ["refresh-statusline"]
    null = posix.open("/dev/null", posix.O_RDWR)
    return posix.posix_spawn(
        command[0],
        [*command, session],
        {**posix.environ, b"TOKENS_HOME": home.encode("utf-8", "surrogateescape")},
        file_actions=[(posix.POSIX_SPAWN_DUP2, null, n) for n in (0, 1, 2)],
        setsid=True,
    )
