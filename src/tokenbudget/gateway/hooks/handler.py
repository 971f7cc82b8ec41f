"""The answer to one hook event: the same in the daemon and in the hook's own process."""

import posix

from tokenbudget.gateway.hooks import compaction, telling
from tokenbudget.gateway.hooks.hook_settings import wishes_in
from tokenbudget.gateway.hooks.moment import Moment
from tokenbudget.gateway.hooks.payload import event_of, text
from tokenbudget.gateway.hooks.replies import joined, reply_bytes
from tokenbudget.gateway.hooks.session_state import (
    FOLDER,
    WRAPPED_FOLDER,
    Held,
    fault_in,
    fault_words,
    forget,
    seen,
)
from tokenbudget.gateway.hooks.stored_values import LONGEST_LABEL
from tokenbudget.gateway.hooks.transcript_tail import read_on
from tokenbudget.gateway.hooks.window import snapshot_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tokenbudget.gateway.hooks.moment import Shorten
    from tokenbudget.gateway.hooks.payload import HookEvent
    from tokenbudget.gateway.hooks.session_state import SessionState
    from tokenbudget.gateway.hooks.trim_question import Trimmed

REFRESHES = frozenset({"Stop", "SubagentStop", "SessionEnd"})
"""After these the session's accounts are settled."""
LOOKS = frozenset({*telling.ANSWERS, "Stop", "SessionEnd"})
"""At these the transcript is read on; the others are only counted."""

KEPT_MS = 30 * 86_400_000
LEAST_PAYLOAD_BYTES = 512
"""A smaller event holds no result that is worth a look: nothing is imported for it."""
WRAPPED_KEPT_MS = 86_400_000
"""Output of commands that were ended from outside, and that nobody was told of."""
MOST_SESSIONS = 500
"""Of old sessions so many files are looked at, when one begins, to remove what nobody asks for."""


class Answer:
    """What goes back to the agent, and what is to be done behind it."""

    __slots__ = ("reply", "session", "wants_refresh")

    def __init__(self, reply: bytes, session: str, wants_refresh: bool) -> None:
        self.reply = reply
        """b"" or one JSON object."""
        self.session = session
        """'' where the event names none that may name a file."""
        self.wants_refresh = wants_refresh
        """Whether the session's snapshot should be brought up to date."""


def answer(payload: bytes, home: str, now_ms: int, shorten: "Shorten | None" = None) -> Answer:
    """Decide all about one event; never raises, whatever the payload and the files hold.

    `home` is the folder of our own data. `shorten` is asked about results of tools that are worth
    a look; it may take its time, for nothing is locked meanwhile.
    """
    try:
        event = event_of(payload)
        if not event.session or not event.name:
            return Answer(b"", "", False)
        trimmed = _trimmed(event, payload, home, shorten)
        held = Held(home, event.session)
        try:
            return _answered(event, home, now_ms, held, trimmed)
        finally:
            held.release()
    except Exception:  # noqa: BLE001 - the agent's turn goes on, whatever it is
        return Answer(b"", "", False)


def _trimmed(
    event: "HookEvent", payload: bytes, home: str, shorten: "Shorten | None"
) -> "Trimmed | None":
    """What is decided about a result; where that fails it stays, and the fault is told."""
    if shorten is None or event.name != "PostToolUse" or len(payload) < LEAST_PAYLOAD_BYTES:
        return None
    from tokenbudget.gateway.hooks.trim_question import Trimmed, question_for

    try:
        question = question_for(event, payload, home)
        return None if question is None else shorten(question)
    except Exception as fault:  # noqa: BLE001 - the result goes on as it is
        return Trimmed({"fault": fault_words(fault)})


def _answered(
    event: "HookEvent", home: str, now_ms: int, held: Held, trimmed: "Trimmed | None"
) -> Answer:
    state = held.state
    seen(state, event.name, now_ms)
    wants_refresh = event.name in REFRESHES
    said = telling.Said()
    try:
        if event.name in LOOKS:
            moment = _moment(event, state, home, trimmed)
            said = telling.said_to(moment)
            wants_refresh = wants_refresh or _is_spending(moment)
        if event.name == "SessionStart":
            remove_old(home + FOLDER, now_ms - KEPT_MS)
            remove_old(home + WRAPPED_FOLDER, now_ms - WRAPPED_KEPT_MS)
    except Exception as fault:  # noqa: BLE001 - counted, for `tokens doctor`
        said = telling.Said()
        fault_in(state, fault)
    # What is to be said once is not said where nobody will know that it was.
    reply = joined(said.always, said.once) if held.save() else said.always
    try:
        data = reply_bytes(reply)
    except (TypeError, ValueError, RecursionError):  # whoever shortens gave what is no JSON
        data = b""
    return Answer(data, event.session, wants_refresh)


def _moment(
    event: "HookEvent", state: "SessionState", home: str, trimmed: "Trimmed | None"
) -> Moment:
    if event.transcript:
        news = read_on(state.tail, event.transcript)
        if news.is_lost:
            forget(state, agents_too=False)
        compaction.told_of(state, news)
        state.tail.model = model_told(event) or state.tail.model
        state.largest_tokens = max(state.largest_tokens, sum(state.tail.usage[:3]))
    return Moment(event, state, wishes_in(home), snapshot_of(home, event.session), trimmed, home)


def model_told(event: "HookEvent") -> str:
    """The model that the session goes on with, where the event itself says so."""
    if event.name == "SessionStart":
        return text(event.told, "model", LONGEST_LABEL)
    return text(event.told, "to_model", LONGEST_LABEL) if event.name == "PostModelSwitch" else ""


def _is_spending(moment: Moment) -> bool:
    """Whether a limit in money has to be looked at while the turn goes on."""
    return moment.event.name == "PostToolUse" and moment.wishes.stop_at_usd is not None


def remove_old(folder: str, before_ms: int) -> None:
    """Remove what was last written before this moment, of sessions that nobody asks for."""
    try:
        names = posix.listdir(folder)
    except OSError:
        return
    begin = before_ms % len(names) if len(names) > MOST_SESSIONS else 0  # others every time
    for name in names[begin : begin + MOST_SESSIONS]:
        path = f"{folder}/{name}"
        try:
            is_old = posix.stat(path).st_mtime_ns < before_ms * 1_000_000
            if is_old and not name.startswith(".lock"):
                posix.unlink(path)
        except OSError:
            continue
