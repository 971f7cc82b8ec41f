"""Every decision of the engine as a value."""

from __future__ import annotations

from typing import NamedTuple

FIRE, ESCALATE, REPEAT, RESOLVE = "fire", "escalate", "repeat", "resolve"
DIGEST, TEST = "digest", "test"

SILENCED, QUIET, HELD_BACK = "silenced", "quiet hours", "rate limit"
UNHEARD, COVERED, LATE = "never told", "told by a higher rule", "over long ago"
SPENT = "what was spent is spent"
"""Why a notice was not sent; see `Notice.withheld`."""


class Notice(NamedTuple):
    """One decision: what to say, or what was kept back and why."""

    kind: str
    fingerprint: str
    version: int
    """Of this decision; see `store.AlertStore`."""
    rule_id: str
    scope: str
    level: str
    title: str
    body: str
    recommendation: str
    channels: tuple[str, ...]
    """Where it is to be sent; empty when it is withheld."""
    at_ms: int
    withheld: str = ""
    held_back: tuple[tuple[str, int], ...] = ()
    """Per channel, how many messages the rate limit kept back before this one."""


class HistoryEntry(NamedTuple):
    """One line of `tokens alert history`."""

    at_ms: int
    rule_id: str
    fingerprint: str
    event: str
    """A notice's kind, or `sent`, `failed`."""
    detail: str


def history_entry(notice: Notice) -> HistoryEntry:
    """What the history keeps of a decision."""
    reach = (
        f"not sent: {notice.withheld}" if notice.withheld else f"to {', '.join(notice.channels)}"
    )
    return HistoryEntry(
        notice.at_ms,
        notice.rule_id,
        notice.fingerprint,
        notice.kind,
        f"{notice.title} ({reach if notice.withheld or notice.channels else 'no channel'})",
    )


def trial_notice(channels: tuple[str, ...], now_ms: int) -> Notice:
    """A notice that says it is one: `tokens alert test` sends it on the real channels."""
    return Notice(
        TEST,
        "test|" + ",".join(channels),
        now_ms,
        "",
        "",
        "info",
        "TEST: alerts reach you here",
        "This is a test of tokens alert. Nothing has happened.",
        "",
        channels,
        now_ms,
    )
