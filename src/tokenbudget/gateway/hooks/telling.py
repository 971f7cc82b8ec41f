"""What is said to an event: words for the agent, a denial, a stop."""

from tokenbudget.gateway.hooks import compaction, recording, replies, words
from tokenbudget.gateway.hooks.guards import (
    chars_put_out,
    command_key,
    gives_files_again,
    is_whole_read,
    sum_of,
    tokens_read_again,
    version_of,
)
from tokenbudget.gateway.hooks.moment import is_in_window, is_new
from tokenbudget.gateway.hooks.payload import text
from tokenbudget.gateway.hooks.project_mode import mode_of_project
from tokenbudget.gateway.hooks.session_state import (
    MOST_KEYS,
    fault_named,
    forget,
    forget_results,
)
from tokenbudget.gateway.hooks.small_files import stamp_of
from tokenbudget.gateway.hooks.thresholds import crossed, level_after
from tokenbudget.gateway.mode_words import instruction
from tokenbudget.gateway.statusline_values import Table, number, table

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tokenbudget.gateway.hooks.moment import Moment

DEAR_TOKENS = 50_000
"""A cold start with fewer tokens is not worth a word."""


class Said:
    """What is said whatever happens, and what only where it is remembered that it was said."""

    __slots__ = ("always", "once")

    def __init__(self, always: Table | None = None, once: Table | None = None) -> None:
        self.always: Table = always or {}
        self.once: Table = once or {}


def said_to(moment: "Moment") -> Said:
    """What is said to this event; what is to be remembered of it is in the state then."""
    answer = ANSWERS.get(moment.event.name)
    return Said() if answer is None else answer(moment)


# ── the session ───────────────────────────────────────────────────────────────────────────────────


def _session_starts(moment: "Moment") -> Said:
    state, wishes = moment.state, moment.wishes
    source = text(moment.event.told, "source", 16)
    if source == "compact":
        compaction.is_over(state)
        said = compaction.words_after(state)
        state.level = 0  # what was freed has been told: no prompt need say "healthy"
    else:
        if source == "clear":
            forget_results(state)
        forget(state)
        said = words.session_begins(moment.used, moment.size, wishes.thresholds, stop_words(moment))
        if moment.share is not None:  # what is said here need not be said with the prompt
            state.level = level_after(state.level, moment.share, _level_shares(moment))
    mode = mode_of_project(moment.event.cwd, wishes.mode)
    shown = [said if wishes.is_telling else "", instruction(mode)]
    told = replies.context("SessionStart", " ".join(part for part in shown if part))
    return Said(replies.joined(told, _cold_resume(moment)))


def _cold_resume(moment: "Moment") -> Table:
    """Words for the person where the first prompt of a resumed session is dear."""
    told = moment.event.told
    tokens = number(told, "context_tokens")
    is_cold = told.get("prompt_cache_likely_expired") is True
    if not (tokens and is_cold and tokens >= DEAR_TOKENS and moment.wishes.is_telling):
        return {}
    return replies.message(words.resumed_cold(tokens, number(told, "estimated_cache_write_usd")))


def _compaction_begins(moment: "Moment") -> Said:
    if moment.event.is_of_agent:  # its own window, not the session's
        forget(moment.state)
        return Said()
    return Said(replies.plain(compaction.begins(moment)))


def _compaction_ends(moment: "Moment") -> Said:
    if not moment.event.is_of_agent:
        compaction.is_over(moment.state)
    return Said()


def _model_switches(moment: "Moment") -> Said:
    event = moment.event
    from_model, to_model = (text(event.told, name, 100) for name in ("from_model", "to_model"))
    tokens = number(event.told, "context_tokens")
    state, switch = moment.state, f"{from_model} {to_model}"
    is_done = event.name == "PostModelSwitch"
    was_told = is_done and state.switched == switch
    state.switched = "" if is_done else switch
    is_lost = event.told.get("prompt_cache_warm") is True and from_model != to_model
    if was_told or not (tokens and is_lost and moment.wishes.is_telling):
        return Said()
    usd = number(event.told, "estimated_cache_write_usd")
    return Said(replies.message(words.switched(from_model, to_model, tokens, usd)))


# ── the window ────────────────────────────────────────────────────────────────────────────────────


def _prompt_comes(moment: "Moment") -> Said:
    moment.state.tail.is_continued = False
    stop = stopped(moment)
    return Said(stop) if stop else Said(once=_health(moment, says_level=True))


def stopped(moment: "Moment") -> Table:
    """The hard stop, where the person has set one and it is reached."""
    if not moment.is_main or not is_stop_reached(moment):
        return {}
    return replies.stopped(words.stopped(moment.used, moment.size, stop_words(moment)))


def is_stop_reached(moment: "Moment") -> bool:
    """Whether the window or the session is at its limit, or beyond."""
    wishes, share = moment.wishes, moment.share
    cost = moment.cost_usd
    return bool(
        (wishes.stop_at_share and share is not None and share >= wishes.stop_at_share)
        or (wishes.stop_at_tokens and (moment.used or 0) >= wishes.stop_at_tokens)
        or (wishes.stop_at_usd and cost is not None and cost >= wishes.stop_at_usd)
    )


def stop_words(moment: "Moment") -> str:
    """The hard stop as the person wrote it; '' where there is none."""
    wishes = moment.wishes
    if wishes.stop_at_share:
        return f"{100 * wishes.stop_at_share:g}%"
    if wishes.stop_at_tokens:
        return f"{wishes.stop_at_tokens:.0f}"
    return f"{wishes.stop_at_usd:g}usd" if wishes.stop_at_usd else ""


def _health(moment: "Moment", says_level: bool) -> Table:
    """A threshold that was crossed, else a level that has changed; nothing is said twice."""
    state, share = moment.state, moment.share
    used, size = moment.used, moment.size
    if share is None or used is None or size is None:
        return {}
    if not (moment.is_main and moment.wishes.is_telling):
        return {}
    state.told, threshold = crossed(share, moment.wishes.thresholds, state.told)
    level = level_after(state.level, share, _level_shares(moment))
    is_other = level != state.level
    if threshold is not None:
        state.level = level
        largest = [(str(row[0]), int(row[1])) for row in state.largest]
        return replies.context(moment.event.name, words.crossing(used, size, largest))
    if says_level and is_other:
        state.level = level
        return replies.context(moment.event.name, words.level_changed(used, size, level))
    return {}


def _level_shares(moment: "Moment") -> "Sequence[float]":
    given = moment.snapshot.get("threshold_shares")
    shares = given if isinstance(given, list) and len(given) == 3 else []
    if all(isinstance(one, float | int) and 0 < one <= 1 for one in shares) and shares:
        return sorted(shares)
    return moment.wishes.level_shares


# ── the calls ─────────────────────────────────────────────────────────────────────────────────────


def _call_comes(moment: "Moment") -> Said:
    reason = ""
    if moment.wishes.is_guarding:
        reason = _reason_against_output(moment) or _reason_against_read(moment)
    if reason:
        return Said(once=replies.denied(reason))
    recording.call_begins(moment)
    return Said(_wrapped(moment))


def _wrapped(moment: "Moment") -> Table:
    """Another input in the place of this one, so that its failure can be shortened."""
    wishes = moment.wishes
    if not (wishes.is_trimming and wishes.is_wrapping and moment.event.command):
        return {}
    from tokenbudget.gateway.hooks import wrapping  # one process in many needs it

    return wrapping.wrapped(moment)


def _reason_against_output(moment: "Moment") -> str:
    event, state = moment.event, moment.state
    if not event.command or event.input.get("run_in_background") is True:
        return ""
    key = command_key(event)
    known = state.outputs.get(key)
    version = version_of(state.tail.version)
    known_chars = known[0] if known else None
    chars = chars_put_out(event.command, event.cwd, known_chars, version, stamp_of)
    return words.huge_output(chars) if chars and _is_first(state.denied_commands, key) else ""


def _reason_against_read(moment: "Moment") -> str:
    event, state = moment.event, moment.state
    if event.tool != "Read" or not event.path or not is_whole_read(event.input):
        return ""
    gives_again = gives_files_again(version_of(state.tail.version))
    if state.is_client_guarding or not (gives_again and is_in_window(event, state)):
        return ""
    key = recording.read_key(event)
    found = stamp_of(event.path)
    tokens = tokens_read_again(state.reads.get(key), found, moment.wishes.guard_tokens)
    is_denied = tokens and _is_first(state.denied_reads, f"{key}\n{found}")
    return words.read_again(event.path, tokens) if is_denied else ""


def _is_first(denied: list[int], key: str) -> bool:
    """Whether this call was never denied; then it now was."""
    number_of_key = sum_of(key)
    if number_of_key in denied or len(denied) >= MOST_KEYS:
        return False
    denied.append(number_of_key)
    return True


def _call_is_done(moment: "Moment") -> Said:
    shown = _shortened(moment) or _going_on(moment)
    recording.call_succeeds(moment, is_shortened=replies.is_replaced(shown))
    # What refers to an earlier place holds only where the memory of the window can be trusted.
    is_reference = moment.trimmed is not None and bool(moment.trimmed.used)
    sure, unsure = ({}, shown) if is_reference else (shown, {})
    stop = stopped(moment)
    if stop:
        return Said(replies.joined(sure, stop), unsure)
    return Said(sure, replies.joined(unsure, _health(moment, says_level=False)))


def _shortened(moment: "Moment") -> Table:
    """What takes a result's place; nothing where it stays, or where that cannot be remembered."""
    trimmed, event, state = moment.trimmed, moment.event, moment.state
    if trimmed is None:
        return {}
    from tokenbudget.gateway.hooks import window_rows

    if trimmed.fault:
        fault_named(state, trimmed.fault)
    if not window_rows.still_stand(event, state, trimmed.used):
        return {}
    window_rows.note(event, state, trimmed)
    if trimmed.response is None:
        return {}
    state.trimmed = [state.trimmed[0] + 1, state.trimmed[1] + trimmed.saved_tokens]
    beside = replies.context(event.name, trimmed.beside)
    replaced = replies.replaced(trimmed.response, is_old=not is_new(event, state))
    return replies.joined(replaced, beside)


def _going_on(moment: "Moment") -> Table:
    """A word on a command that was begun in our words of shell and goes on in the background."""
    event = moment.event
    is_behind = bool(table({"": event.response}, "").get("backgroundTaskId"))
    if not (is_behind and event.command and event.tool_use):
        return {}
    from tokenbudget.gateway.hooks import wrapping

    return replies.context(event.name, wrapping.going_on(moment))


def _call_failed(moment: "Moment") -> Said:
    recording.call_fails(moment)
    if not (moment.event.command and moment.event.tool_use):
        return Said()
    from tokenbudget.gateway.hooks import wrapping

    said = wrapping.rescued(moment)
    return Said(replies.said_after_failure(said)) if said else Said()


ANSWERS: "dict[str, Callable[[Moment], Said]]" = {
    "SessionStart": _session_starts,
    "UserPromptSubmit": _prompt_comes,
    "PreToolUse": _call_comes,
    "PostToolUse": _call_is_done,
    "PostToolUseFailure": _call_failed,
    "PreCompact": _compaction_begins,
    "PostCompact": _compaction_ends,
    "PreModelSwitch": _model_switches,
    "PostModelSwitch": _model_switches,
}
