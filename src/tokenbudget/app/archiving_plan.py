"""Which sessions are archived, decided from facts alone: no file is touched here.

A session is old when both say so: the newest time of its files, and the last time that its lines
name. A time in the future is no age at all, so such a session stays.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

from tokenbudget.model.figures import counted

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tokenbudget.sources.claude_code.cleanup import Cleanup
    from tokenbudget.sources.claude_code.session_files import FoundSession

DEFAULT_DAYS = 30
DAY_MS = 86_400_000
REST_MS = 3_600_000
"""Written within the last hour is live, whatever else is asked for."""
SKEW_MS = 300_000
"""Clocks of two machines that share a folder differ by less."""
TIMER_MARGIN_DAYS = 7
"""A timer runs daily, and machines are off for a week at times."""

Reason = Literal["young", "newest", "live", "future", "fault", "unread", "other"]


class Rules(NamedTuple):
    """What is asked for."""

    older_than_days: int = DEFAULT_DAYS
    keep_last: int = 0
    """The newest of each project that stay, however old they are."""
    projects: frozenset[str] | None = None
    """Only sessions of these; None is all."""
    session: str = ""
    """Only this one, whatever its age."""


class SessionFacts(NamedTuple):
    """A session as the disk and the ledger show it."""

    found: FoundSession
    project: str
    """The repository or folder that it belongs to; '' unknown."""
    title: str
    last_ms: int
    """The later of its files' newest time and of the last time that its lines name."""

    @property
    def session(self) -> str:
        """Its id."""
        return self.found.session


class Left(NamedTuple):
    """A session that stays, and why."""

    session: str
    project: str
    reason: Reason
    message: str


class Decision(NamedTuple):
    """The sessions that go, oldest first, and those that stay."""

    chosen: tuple[SessionFacts, ...]
    left: tuple[Left, ...]


def decided(
    sessions: Sequence[SessionFacts],
    rules: Rules,
    now_ms: int,
    obstacle: Callable[[SessionFacts], tuple[Reason, str] | None],
) -> Decision:
    """Sort sessions by what is to become of them.

    Args:
        sessions: All that were found; `keep_last` counts over them.
        rules: What is asked for.
        now_ms: The time.
        obstacle: What speaks against archiving an old session; asked only where age does not.
    """
    newest = _newest(sessions, rules.keep_last)
    chosen: list[SessionFacts] = []
    left: list[Left] = []
    for facts in sessions:
        why = _why_it_stays(facts, rules, now_ms, facts in newest) or obstacle(facts)
        if why is None:
            chosen.append(facts)
        elif why[0] != "other":
            left.append(Left(facts.session, facts.project, *why))
    chosen.sort(key=lambda facts: (facts.last_ms, facts.session))
    return Decision(tuple(chosen), tuple(left))


def _newest(sessions: Sequence[SessionFacts], keep_last: int) -> set[SessionFacts]:
    if not keep_last:
        return set()
    by_project: dict[str, list[SessionFacts]] = {}
    for facts in sessions:
        by_project.setdefault(facts.project, []).append(facts)
    return {
        facts
        for group in by_project.values()
        for facts in sorted(group, key=lambda facts: -facts.last_ms)[:keep_last]
    }


def _why_it_stays(
    facts: SessionFacts, rules: Rules, now_ms: int, is_newest: bool
) -> tuple[Reason, str] | None:
    is_meant = rules.projects is None or facts.project in rules.projects
    if rules.session:
        is_meant = facts.session == rules.session
    if not is_meant:
        return "other", ""
    age_ms = now_ms - facts.last_ms
    if age_ms < -SKEW_MS:
        return "future", "its last activity lies in the future"
    if age_ms < REST_MS:
        return "live", "it was used within the last hour"
    if rules.session:
        return None
    if age_ms <= rules.older_than_days * DAY_MS:
        return "young", f"it was used within the last {counted(rules.older_than_days, 'day')}"
    return ("newest", "it is among the newest of its project") if is_newest else None


def timer_days(cleanup: Cleanup) -> int:
    """After how many days a daily timer archives, so that the agent does not delete first."""
    if cleanup.days is None:
        return DEFAULT_DAYS
    return max(0, cleanup.days - max(1, min(TIMER_MARGIN_DAYS, cleanup.days // 4)))


def cleanup_warning(cleanup: Cleanup, older_than_days: int) -> str:
    """What to say where the agent deletes sessions before they are old enough here; else ''."""
    if cleanup.days is None or older_than_days < cleanup.days:
        return ""
    who = cleanup.path or "its own default"
    days = timer_days(cleanup)
    return (
        f"the agent deletes transcripts after {counted(cleanup.days, 'day')} ({who}), before they"
        f" are archived; to be first: tokens archive {days}"
    )


def future_warning(left: Sequence[Left]) -> str:
    """What to say of sessions whose time cannot be right; '' where there is none."""
    found = [one for one in left if one.reason == "future"]
    if not found:
        return ""
    told = "1 session has" if len(found) == 1 else f"{len(found):,} sessions have"
    return f"{told} a time in the future, such as {found[0].session}: look at the clock; they stay"
