"""The decision about a hook where no daemon makes it, and what a daemon would do after it.

Imported by `hook_client` on its second path, in a process that lives for this one hook: so it
imports as little as it can, and has whoever starts it end it in time.
"""

from __future__ import annotations

import _signal  # type: ignore[import-not-found]  # `signal` would import enum: 4 ms
import posix
import sys

from tokenbudget.gateway import statusline_spool
from tokenbudget.gateway.hooks.handler import Answer, answer
from tokenbudget.gateway.hooks.trim_question import NOTHING as NOTHING_TRIMMED
from tokenbudget.gateway.installed_libraries import reach_libraries
from tokenbudget.gateway.statusline_values import is_fit_session, parsed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tokenbudget.gateway.hooks.trim_question import Question, Trimmed

START_STAMP = "/run/start.stamp"
"""Its time says when a daemon was last started from here."""
SILENT_STAMP = "/run/silent.stamp"
"""Its time says when a daemon last kept a hook waiting in vain."""
START_AGAIN_MS = 60_000
SERVE = ("-PE", "-m", "tokenbudget", "serve", "--quiet")
"""Nothing of the agent's folder or its variables is imported; what the user installed for himself
is, which `-I` would leave out."""
SETTINGS = "/hooks/settings.json"
SETTINGS_BYTES = 1 << 16
AUTOSTART = "is_starting_daemon"
LEAST_SHORTENED_CHARS, MOST_SHORTENED_BYTES = 8_000, 1 << 20
"""What is imported for it takes a quarter of a second: less is not worth the wait, and what is
longer would not be done in time."""
SHORTEN_SECONDS = 1.4
NOTHING = Answer(b"", "", False)


def answered(payload: bytes, home: str, now_ms: int) -> Answer:
    """What `handler.answer` decides; nothing, should it ever fail."""
    try:
        return answer(payload, home, now_ms, _shorten)
    except Exception:  # noqa: BLE001 - the agent's turn must not break, whatever it is
        return NOTHING


def _shorten(question: Question) -> Trimmed:
    """Decide here about a result, which takes imports and a vocabulary; in time or not at all."""
    if len(question.payload) > MOST_SHORTENED_BYTES or len(question.text) < LEAST_SHORTENED_CHARS:
        return NOTHING_TRIMMED
    path = list(sys.path)
    reach_libraries()
    before = _signal.signal(_signal.SIGALRM, _raise_time_up)
    left, _ = _signal.setitimer(_signal.ITIMER_REAL, SHORTEN_SECONDS)
    try:
        from tokenbudget.gateway.hooks.trimming import Trimmer
        from tokenbudget.metering.tokenizer import BytePairCounter
        from tokenbudget.system.clock import SystemClock

        return Trimmer(SystemClock(), BytePairCounter).trimmed(question)
    except TimeUp:
        return NOTHING_TRIMMED
    finally:
        _signal.setitimer(_signal.ITIMER_REAL, max(0.2, left - SHORTEN_SECONDS) if left else 0)
        _signal.signal(_signal.SIGALRM, before)
        sys.path[:] = path


class TimeUp(BaseException):
    """It took too long; no Exception: a codec might take that for a fault of its own and go on."""


def _raise_time_up(*_: object) -> None:
    raise TimeUp


def afterwards(done: Answer, home: str, given: list[str], is_absent: bool, is_silent: bool) -> None:
    """Refresh the session's figures if asked to, and have a daemon there for the next hook."""
    if is_silent:
        _note_silence(home)
    now_ms = _now_ms()
    if done.wants_refresh and is_fit_session(done.session):
        try:  # noqa: SIM105 - contextlib is not written in C
            statusline_spool.refresh(home, done.session, _after(given, "--refresh-with"), now_ms)
        except (OSError, ValueError):  # another one is at it, or the home cannot be written
            pass
    if is_absent and _may_start(home):
        try:  # noqa: SIM105
            start_daemon(home, _after(given, "--serve-with"), now_ms)
        except (OSError, ValueError):
            pass


def _note_silence(home: str) -> None:
    """The next hooks do not wait for a daemon that hangs."""
    flags = posix.O_WRONLY | posix.O_CREAT | posix.O_CLOEXEC | posix.O_NOFOLLOW | posix.O_TRUNC
    try:
        posix.close(posix.open(home + SILENT_STAMP, flags, 0o600))
        posix.utime(home + SILENT_STAMP)
    except OSError:
        pass


def _now_ms() -> int:
    import time

    return time.time_ns() // 1_000_000


def _after(given: list[str], name: str) -> str:
    return given[given.index(name) + 1] if name in given[:-1] else ""


def _may_start(home: str) -> bool:
    """Whether the settings leave it to us to start one; without a word they do."""
    return parsed(_content(home + SETTINGS)).get(AUTOSTART) is not False


def _content(path: str) -> bytes:
    try:
        descriptor = posix.open(path, posix.O_RDONLY | posix.O_NONBLOCK | posix.O_CLOEXEC)
    except OSError:
        return b""
    try:
        return posix.read(descriptor, SETTINGS_BYTES)
    except OSError:
        return b""
    finally:
        posix.close(descriptor)


# ── starting a daemon ─────────────────────────────────────────────────────────────────────────────


def start_daemon(home: str, program: str, now_ms: int) -> bool:
    """Start one, unless that was tried in the last minute; whether it was started.

    Raises:
        OSError: another process decides the same at this moment, or the home cannot be written.
    """
    stamp = _opened_stamp(home)
    posix.lockf(stamp, posix.F_TLOCK, 0)
    found = posix.fstat(stamp)
    age_ms = now_ms - found.st_mtime_ns // 1_000_000
    if found.st_size and -START_AGAIN_MS < age_ms < START_AGAIN_MS:
        return False
    posix.pwrite(stamp, b"started\n", 0)
    command = [program] if program else [sys.executable, *SERVE]
    null = posix.open("/dev/null", posix.O_RDWR | posix.O_CLOEXEC)
    posix.posix_spawn(
        command[0],
        command,
        {**posix.environ, b"TOKENS_HOME": home.encode("utf-8", "surrogateescape")},
        file_actions=[(posix.POSIX_SPAWN_DUP2, null, n) for n in (0, 1, 2)],
        setsid=True,
    )
    return True


def _opened_stamp(home: str) -> int:
    flags = posix.O_RDWR | posix.O_CREAT | posix.O_CLOEXEC | posix.O_NONBLOCK | posix.O_NOFOLLOW
    try:
        return posix.open(home + START_STAMP, flags, 0o600)
    except FileNotFoundError:
        posix.mkdir(home + "/run", 0o700)
        return posix.open(home + START_STAMP, flags, 0o600)
