"""What hooks remember of one session: a small file, read and replaced under a lock.

Every list in it has an end, and the whole never takes more than 64 KB. Nothing in the file is
believed: what is not of its kind is as if it were not there. Killed anywhere, a process leaves the
file as it was or as it was to be.
"""

import fcntl
import posix

from tokenbudget.gateway.hooks.small_files import kept_content, make_folders, replace
from tokenbudget.gateway.hooks.stored_values import (
    LONGEST_KEY,
    LONGEST_LABEL,
    count,
    counts,
    label,
    labels,
    rows,
    shares,
    stamps,
    wholes,
)
from tokenbudget.gateway.statusline_values import Table, is_fit_session, parsed, table, written
from tokenbudget.system.clock import SystemClock

FORMAT = "tokenbudget/hook-session/1"
FOLDER = "/hooks/sessions"
WRAPPED_FOLDER = "/run/wrapped"
"""Where the output of commands goes that stand in our words of shell (`wrapping`)."""
MOST_BYTES = 1 << 16

PATIENCE_STEPS, STEP_SECONDS = 25, 0.002
"""A lock is waited for 50 ms in all."""
LOCKS = 16
"""Lock files, shared by all sessions, so that none ever has to be removed."""

MOST_READS = 64
MOST_KEYS = 128
MOST_OUTPUTS = 16
MOST_LARGEST = 6
MOST_EVENTS = 48
MOST_RECENT = 32
MOST_SHOWN = 48
MOST_FILES = 8
MOST_COMPACTIONS = 8
LONGEST_NAME = 64
IDLE_MS = 30 * 60_000
"""After this long a client may clear old results from the window without a word."""


class Tail:
    """How far a transcript has been read, and what it said last of the main thread."""

    __slots__ = ("aside", "inode", "is_continued", "last_uuid", "mark", "model", "offset",
                 "usage", "usage_id", "uses", "version")  # fmt: skip

    def __init__(self, told: Table) -> None:
        self.offset = count(told, "offset")
        self.inode = count(told, "inode")
        self.mark = count(told, "mark")
        """A sum of what stands before the offset: a transcript may be written anew."""
        self.last_uuid = label(told.get("last_uuid"))
        self.is_continued = told.get("is_continued") is True
        """Whether the last prompt is known to go on where the conversation was."""
        self.usage_id = label(told.get("usage_id"))
        self.usage = counts(told.get("usage"), 4)
        """Input, cache written, cache read, output of the last response; empty is unknown."""
        self.model = label(told.get("model"))
        self.aside = label(told.get("aside"))
        """The slash command that is answered now, then the id of its first response: it may be
        another model's, for this one turn."""
        self.version = label(told.get("version"))
        self.uses = list(filter(is_fit_session, labels(told.get("uses"), MOST_RECENT)))
        """Ids of the main thread's last calls, kept for clients that do not name subagents."""

    @property
    def tokens(self) -> int | None:
        """What is in the window, as reported: the last request and its answer."""
        return sum(self.usage) if self.usage else None

    def fields(self) -> Table:
        """As it is stored."""
        return {name: getattr(self, name) for name in self.__slots__}


class SessionState:
    """All that is remembered of a session."""

    __slots__ = ("agents", "compacted", "compacting", "compactions", "denied_commands",
                 "denied_reads", "events", "failure", "faults", "files", "is_boundary_due",
                 "is_client_guarding", "largest",
                 "largest_tokens", "last_fault", "last_ms", "level", "outputs", "pending", "reads",
                 "session", "shown", "snapshot", "switched", "tail", "told",
                 "trimmed")  # fmt: skip

    def __init__(self, session: str, told: Table) -> None:
        self.session = session
        self.tail = Tail(table(told, "tail"))
        self.told = shares(told.get("told"), MOST_RECENT)
        """Thresholds that the agent has been told of and has not fallen below since."""
        self.level = min(count(told, "level"), 8)
        """The level of health that the agent knows of."""
        self.reads = stamps(told.get("reads"), MOST_READS, 4)
        """By agent and path: the file's stamp when it was read whole, and its characters."""
        self.pending = stamps(told.get("pending"), MOST_RECENT, 3)
        """By call: the stamp of a file that is being read."""
        self.agents = stamps(told.get("agents"), MOST_RECENT, 1)
        """By subagent: the characters that its calls have given it."""
        self.denied_reads = wholes(told.get("denied_reads"), MOST_KEYS)
        """Calls that were denied once, by a sum of their key: a clash means one denial less."""
        self.denied_commands = wholes(told.get("denied_commands"), MOST_KEYS)
        self.outputs = stamps(told.get("outputs"), MOST_OUTPUTS, 1)
        """Commands with a huge output, by a sum of them and their folder: the characters."""
        self.largest = rows(told.get("largest"), MOST_LARGEST, 1, 1)
        """The largest results in the window: what they are, and their characters."""
        self.shown = rows(told.get("shown"), MOST_SHOWN, 5, 2)
        """Results that stand in a window, as `window_rows` has them, the latest last."""
        self.trimmed = counts(told.get("trimmed"), 2) or [0, 0]
        """How many results were shortened, and the tokens that this saved."""
        self.files = labels(told.get("files"), MOST_FILES, LONGEST_KEY)
        """In use, the latest last."""
        self.failure = labels(told.get("failure"), 2)
        """What failed last and has not succeeded since, and how."""
        self.snapshot = table(told, "snapshot")
        """Taken before a compaction."""
        self.compacting = counts(told.get("compacting"), 1)
        """Tokens before a compaction that the transcript has not told of yet."""
        self.compactions = rows(told.get("compactions"), MOST_COMPACTIONS, 1, 2, LONGEST_NAME)
        """Why, and the tokens before and after; 0 is unknown."""
        self.compacted = count(told, "compacted")
        self.is_boundary_due = told.get("is_boundary_due") is True
        """The last of them was counted by its hook, and is still to come in the transcript."""
        self.largest_tokens = count(told, "largest_tokens")
        self.switched = label(told.get("switched"), 2 * LONGEST_LABEL + 1)
        """From which model to which a switch was begun."""
        self.is_client_guarding = told.get("is_client_guarding") is True
        """The client itself answers a repeated read without the text."""
        events = stamps(told.get("events"), MOST_EVENTS, 2)
        self.events = {name: times for name, times in events.items() if is_fit_session(name)}
        """By name: how often, and when last."""
        self.faults = count(told, "faults")
        self.last_fault = label(told.get("last_fault"))
        self.last_ms = count(told, "last_ms")

    def fields(self) -> Table:
        """As it is stored."""
        found: Table = {"format": FORMAT}
        for name in self.__slots__:
            found[name] = getattr(self, name)
        found["tail"] = self.tail.fields()
        return found


# ── what is kept, and for how long ────────────────────────────────────────────────────────────────


def remember(kept: dict[str, list[int]], key: str, value: list[int], most: int) -> None:
    """Put it last; the first go where there are too many. A key too long is not remembered."""
    kept.pop(key, None)
    if len(key) <= LONGEST_KEY:
        kept[key] = value
    while len(kept) > most:
        del kept[next(iter(kept))]


def seen(state: SessionState, name: str, now_ms: int) -> None:
    """Count an event; a session that nobody has heard of for long may have lost old results."""
    if abs(now_ms - state.last_ms) > IDLE_MS:  # a clock that was put back tells nothing
        forget(state)
    if name in state.events or len(state.events) < MOST_EVENTS:
        times = state.events.get(name, [0, 0])[0]
        state.events[name] = [times + 1, now_ms]
    state.last_ms = now_ms


def forget(state: SessionState, agents_too: bool = True) -> None:
    """No read counts as still in the window any more; `agents_too`: in no window."""
    for kept in (state.reads, state.pending):
        for key in list(kept):
            if agents_too or key.startswith("\n"):
                del kept[key]
    state.shown[:] = [row for row in state.shown if row[0] and not agents_too]
    state.denied_reads.clear()


def forget_results(state: SessionState) -> None:
    """The window is another one: nothing of the old is in it."""
    forget(state)
    state.agents.clear()
    state.largest.clear()


def fault_in(state: SessionState, fault: BaseException) -> None:
    """Record what went wrong in our own parts, and where."""
    fault_named(state, fault_words(fault))


def fault_words(fault: BaseException) -> str:
    """What went wrong and where, by name: its own words may hold what a session says."""
    trace, where = fault.__traceback__, ""
    while trace is not None:
        where = str(trace.tb_frame.f_globals.get("__name__", ""))
        trace = trace.tb_next
    return f"{type(fault).__name__} in {where}"


def fault_named(state: SessionState, name: str) -> None:
    """The same of a fault that happened elsewhere."""
    state.faults += 1
    state.last_fault = name[:LONGEST_LABEL]


# ── the file ──────────────────────────────────────────────────────────────────────────────────────


class Held:
    """A session's state, locked against other processes as long as `release` is not called."""

    def __init__(self, home: str, session: str) -> None:
        folder = home + FOLDER
        self.path = f"{folder}/{session}.json"
        self._temporary = f"{folder}/.{session}.tmp"
        self._lock = -1
        try:  # noqa: SIM105 - contextlib takes as long as all the rest
            self._lock = _locked(home, f"{folder}/.lock-{sum(session.encode()) % LOCKS}")
        except (OSError, ValueError):
            pass
        is_held = self._lock >= 0
        try:
            kept = kept_content(self.path, self._temporary, MOST_BYTES, is_held)
            self.state = state_of(session, kept)
        except BaseException:
            self.release()  # nobody else could: a daemon would keep the lock for ever
            raise

    def save(self) -> bool:
        """Put the state in the file's place; False where that cannot be, or another one has it."""
        if self._lock < 0:
            return False
        try:
            replace(self.path, self._temporary, encoded(self.state))
        except (OSError, ValueError, RecursionError):
            return False
        return True

    def release(self) -> None:
        """Let others have it."""
        if self._lock >= 0:
            posix.close(self._lock)
            self._lock = -1


def peeked(home: str, session: str) -> SessionState:
    """A session's state as it is now, to look at only."""
    path, temporary = f"{home}{FOLDER}/{session}.json", f"{home}{FOLDER}/.{session}.tmp"
    return state_of(session, kept_content(path, temporary, MOST_BYTES, is_held=False))


def _locked(home: str, path: str) -> int:
    """A descriptor that holds the lock; -1 where somebody else holds it for too long."""
    flags = posix.O_RDWR | posix.O_CREAT | posix.O_CLOEXEC | posix.O_NOFOLLOW | posix.O_NONBLOCK
    try:
        descriptor = posix.open(path, flags, 0o600)
    except FileNotFoundError:
        make_folders(home, home + "/hooks", home + FOLDER)
        descriptor = posix.open(path, flags, 0o600)
    for step in range(PATIENCE_STEPS + 1):
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if step < PATIENCE_STEPS:
                SystemClock().sleep(STEP_SECONDS)
        except OSError:
            break
        else:
            return descriptor
    posix.close(descriptor)
    return -1


def state_of(session: str, data: bytes) -> SessionState:
    """The state that these bytes hold; an empty one where they hold none of this session."""
    told = parsed(data) if data else {}
    is_ours = told.get("format") == FORMAT and told.get("session") == session
    return SessionState(session, told if is_ours else {})


def encoded(state: SessionState) -> bytes:
    """The state as it is stored; what is oldest goes until it fits."""
    data = written(state.fields()).encode() + b"\n"
    while len(data) > MOST_BYTES and _shorten(state):
        data = written(state.fields()).encode() + b"\n"
    return data


def _shorten(state: SessionState) -> bool:
    """Take the older half out of what is long; False where nothing is left of that."""
    is_shorter = False
    for kept in (state.reads, state.pending, state.agents, state.outputs):
        for key in list(kept)[: (len(kept) + 1) // 2]:
            del kept[key]
            is_shorter = True
    for rest in (state.largest, state.files, state.shown):
        is_shorter = is_shorter or bool(rest)
        del rest[: (len(rest) + 1) // 2]
    if not is_shorter and (state.snapshot or state.failure):
        state.snapshot, state.failure = {}, []
        return True
    return is_shorter
