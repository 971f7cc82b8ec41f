"""Hand-made studies: sessions of which it is known what went down which drain."""

from __future__ import annotations

from tokenbudget.analysis.study import FileStudy, Sighting, Spend, ThreadStudy

DAY_MS = 86_400_000
MODEL = "claude-opus-5-5"
SHOP = "/srv/shop"
FIRST_DAY = 20_770
"""2026-11-13."""


def at(day: int, hour: int = 9) -> int:
    """A moment of a day, in UTC."""
    return day * DAY_MS + hour * 3_600_000


def seen(
    drain: str = "re-read",
    subject: str = f"{SHOP}/src/cart.py",
    day: int = FIRST_DAY,
    sent: int = 10_000,
    *,
    error: int | None = None,
    cost: int | None = None,
    times: int = 1,
    line: int = 7,
    window: int = 500,
) -> Sighting:
    """A sighting; a token costs a millionth of a dollar unless told otherwise."""
    cost = sent * 1_000_000 if cost is None else cost
    error = sent // 10 if error is None else error
    return Sighting(
        drain, subject, day, at(day), line, times, window, sent, error, cost, error * 1_000_000,
        f"read {times + 1} times, unchanged",
    )  # fmt: skip


def spent(day: int = FIRST_DAY, tokens: int = 100_000, cost: int = 10**12) -> Spend:
    """What a day took."""
    return Spend(
        day, MODEL, "messages", "tool_result", "Read", "", 1, tokens, 0, 0, 0, tokens, 0, cost, 0
    )


def session(
    name: str = "s1",
    day: int = FIRST_DAY,
    *sightings: Sighting,
    project: str = SHOP,
    requests: int = 20,
    hours: int = 1,
    thread: str = "",
) -> FileStudy:
    """A session of one thread that began on a day at nine, UTC."""
    threads = (
        ThreadStudy(
            thread, requests, at(day), at(day, 9 + hours), 50_000, 40_000, MODEL, 0,
            (spent(day),), (), sightings, 0, 0, 0, 0,
        ),
    )  # fmt: skip
    path = f"/home/kim/.claude/projects/-srv-shop/{name}.jsonl"
    return FileStudy(len(name), path, name, project, "main", bool(thread), threads)
