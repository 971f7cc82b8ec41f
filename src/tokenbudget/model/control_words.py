"""What the controller decided and did, in the words of every place that shows it.

Ids hold names of files, skills and servers that anybody may have chosen: they are cleaned here.
"""

from __future__ import annotations

from tokenbudget.model.control import (
    ACT,
    ADVISE,
    DELEGATION,
    HISTORY,
    MARK,
    MEMORY,
    MODEL,
    RESERVE,
    RESTORE,
    SCRATCH,
    SERVERS,
    SKILLS,
    TERSENESS,
    TRIMMING,
    WAIT,
)
from tokenbudget.model.plain_text import one_line

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from tokenbudget.model.control import Decision, Receipt, Wishes

OLD_MS = 15_000
"""What says the same as before is not written down again: the figures in an older one are old."""
NAMES_SHOWN = 2
LONGEST_NAME = 60
LONGEST_SENTENCE = 400

LEVER_NAMES = {
    SKILLS: "skills",
    SERVERS: "MCP servers",
    MEMORY: "memory files",
    SCRATCH: "temporary context",
    TRIMMING: "trimming",
    TERSENESS: "terseness",
    HISTORY: "history",
    MODEL: "model",
    DELEGATION: "delegation",
    RESERVE: "reserve",
}
"""As a person calls them."""

_VERBS = {ACT: "done", ADVISE: "advised", MARK: "marked", RESTORE: "put back", WAIT: "nothing done"}
_WOULD = {ACT: "pull", ADVISE: "advise", MARK: "mark", RESTORE: "put back"}
_ENDED = {
    "ended": "the session ended first",
    "undone": "taken back",
    "failed": "failed",
    "expired": "put back unused",
    "unmeasured": "took effect, not measurable",
}

_SHORT = {
    "healthy": "all is well",
    "grace": "it has to hold for longer",
    "recovering": "recovering",
    "nothing": "nothing that may leave makes room",
    "off": "every lever is off",
    "warm": "not worth it yet",
    "cold-no-pay": "the cache is cold, and it would not pay for itself",
    "in-use": "too much of it is being worked on",
    "small": "a summary would free too little yet",
    "open": "the last action is not seen yet",
    "cooldown": "cooling down",
    "feedback": "waiting for the next request",
    "gave-up": "gave up, what is left cannot leave",
    "stale": "no fresh look",
    "unknown": "the use is not known",
    "clock": "the clock jumped",
    "config": "the settings cannot be meant",
    "over": "the session is over",
}
"""By code: why nothing is done."""


def lever_name(lever: str) -> str:
    """`MCP servers`."""
    return LEVER_NAMES.get(lever, one_line(lever[:LONGEST_NAME]))


def names_of(items: Sequence[str]) -> str:
    """`slide-deck, deploy and 3 more`: ids without what they begin with."""
    names = [one_line(item.partition("/")[2] or item)[:LONGEST_NAME] for item in items]
    more = len(names) - NAMES_SHOWN
    return ", ".join(names[:NAMES_SHOWN]) + (f" and {more} more" if more > 0 else "")


def deed(lever: str, items: Sequence[str]) -> str:
    """`skills: slide-deck`; the history and its like are one thing and have no names."""
    is_whole = lever in (HISTORY, TRIMMING, TERSENESS, RESERVE, MODEL, DELEGATION)
    return lever_name(lever) if is_whole or not items else f"{lever_name(lever)}: {names_of(items)}"


def decision_words(decision: Decision) -> str:
    """`done, skills: slide-deck` or `nothing done`; its reason says why."""
    verb = _VERBS.get(decision.kind, one_line(decision.kind[:LONGEST_NAME]))
    return f"{verb}, {deed(decision.lever, decision.items)}" if decision.lever else verb


def would_words(decision: Decision) -> str:
    """`would do nothing`, `would mark history`: of a decision that is not carried out."""
    if not decision.lever or decision.kind == WAIT:
        return "would do nothing"
    verb = _WOULD.get(decision.kind, one_line(decision.kind))
    return f"would {verb} {deed(decision.lever, decision.items)}"


def reason_words(decision: Decision) -> str:
    """Why, as a clause: without the full stop of a sentence."""
    return one_line(decision.reason[:LONGEST_SENTENCE]).rstrip(".")


def short_reason(decision: Decision) -> str:
    """Why, in a few words that hold no figures of the window; else the whole reason."""
    short = _SHORT.get(decision.code)
    if short and decision.kind == WAIT:
        return short
    foretold = decision.prediction
    if foretold is not None and foretold.tokens:
        return f"{foretold.tokens:,} tokens foretold"
    return reason_words(decision)


def next_words(decision: Decision, is_old: bool = False, level: str = "") -> str:
    """What comes next, with what it comes to; '' where nothing is foreseen.

    A decision that `is_old` told a time to come that is another one now: it is left out. `level` is
    the one of now, where that is known: the same wait may have begun at a worse one.
    """
    said = one_line(decision.next[:LONGEST_SENTENCE]).rstrip(".")
    if is_old:
        said = "again soon" if said.startswith("again in ") else said.partition(", in ")[0]
    if not said or decision.kind != WAIT:
        return said
    if decision.lever:
        return f"{lever_name(decision.lever)} {said}"
    at = one_line((level or decision.level)[:LONGEST_NAME])
    before = {"healthy": "clean-up", "grace": f"{at} counts", "recovering": f"{at} ends"}
    return f"{before[decision.code]} {said}" if decision.code in before else said


def receipt_words(receipt: Receipt) -> str:
    """`freed 1,198 tokens, 1,240 foretold`, or what is known instead."""
    if receipt.measured_tokens is not None:
        foretold = f", {receipt.predicted_tokens:,} foretold" if receipt.predicted_tokens else ""
        return f"freed {receipt.measured_tokens:,} tokens{foretold}"
    if not receipt.outcome:
        return f"{receipt.predicted_tokens:,} tokens foretold, not seen yet"
    return _ENDED.get(receipt.outcome, one_line(receipt.outcome[:LONGEST_NAME]))


def is_back(receipt: Receipt, undone: Collection[int]) -> bool:
    """Whether nothing of it is left to be taken back; `undone` are actions of the journal."""
    return receipt.outcome == "undone" or receipt.action in undone


def state_words(receipt: Receipt, undone: Collection[int]) -> str:
    """`measured`, `open`, ...; a lent setting is given back as planned, the rest is taken back."""
    if is_back(receipt, undone):
        is_lent = receipt.lever == HISTORY and receipt.outcome != "undone"
        return "given back" if is_lent else "taken back"
    return one_line(receipt.outcome[:LONGEST_NAME]) or "open"


def mode_words(wishes: Wishes) -> str:
    """`off`, `advise`, `auto`, or which levers act: `auto for skills, history`."""
    modes = set(wishes.modes.values()) or {"off"}
    acting = [lever for lever, mode in wishes.modes.items() if mode == "auto"]
    able = [lever for lever in LEVER_NAMES if lever not in (MODEL, DELEGATION)]
    if acting and all(lever in acting for lever in able):
        return "auto"
    late = [lever for lever, mode in wishes.critical_modes.items() if mode == "auto"]
    later = [lever for lever in late if lever not in acting]
    parts = [f"auto for {_listed(acting)}"] if acting else []
    parts += [f"auto from critical on for {_listed(later)}"] if later else []
    if parts:
        return "; ".join(parts)
    return "off" if modes == {"off"} else "advise"


def _listed(levers: Iterable[str]) -> str:
    return ", ".join(map(lever_name, levers))


def percent(share: float) -> str:
    """A share, never rounded up over a threshold that it has not reached."""
    return f"{int(share * 100 + 1e-9)}%"


def usable_words(share: float | None, used: int | None, window: int | None) -> str:
    """`58% of the usable window (49% of the whole)`; `?` for what is unknown."""
    if share is None:
        return "? of the usable window"
    whole = f" ({percent(used / window)} of the whole)" if used is not None and window else ""
    return f"{percent(share)} of the usable window{whole}"
