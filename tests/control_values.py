"""A controller's record made by hand: decisions, receipts, and how it stands with a session."""

from __future__ import annotations

from typing import Any

from tokenbudget.model.control import (
    ACT,
    HISTORY,
    LEVERS,
    SKILLS,
    WAIT,
    Decision,
    Prediction,
    Receipt,
)
from tokenbudget.model.control_standing import LeverStanding, Marked, Standing

NOON_MS = 1_795_176_000_000
"""2026-11-20 12:00 UTC."""
MINUTE_MS = 60_000
SESSION = "332633f4-730f-48aa-ac74-a8ae49494781"
HOSTILE = "\x1b]0;owned\x07 \x1b[2J \u202eevil\u2066 zero\u200bwidth\r\nnext\u2028line \ud800"


def decision(kind: str = WAIT, code: str = "warm", **fields: Any) -> Decision:
    """By default: the history is marked, and the cache is warm."""
    plain = Decision(
        at_ms=NOON_MS - 3 * MINUTE_MS,
        session=SESSION,
        kind=kind,
        level="warning",
        code=code,
        reason="about 12 requests are expected, and it takes 18 to be worth it",
        lever=HISTORY,
        items=("history/compact",),
        prediction=Prediction(52_800, 2_500, 0.31, 12.2, "now", "2.1.329 claude-opus-5-5 request"),
        next="when the cache is cold, in 2m",
        request_key="req_34",
    )
    return plain._replace(**fields)


def receipt(**fields: Any) -> Receipt:
    """By default: two skills were unloaded, and it was measured."""
    plain = Receipt(
        id=3,
        session=SESSION,
        at_ms=NOON_MS - 12 * MINUTE_MS,
        lever=SKILLS,
        items=("skills/slide-deck", "skills/deploy"),
        level="warning",
        action=31,
        predicted_tokens=1_240,
        predicted_usd=0.012,
        effect="next compaction",
        before_tokens=96_000,
        request_key="req_30",
        measured_tokens=1_198,
        measured_usd=0.011,
        settled_at_ms=NOON_MS - 8 * MINUTE_MS,
        outcome="measured",
    )
    return plain._replace(**fields)


OPEN = receipt(
    id=4,
    at_ms=NOON_MS - MINUTE_MS,
    lever=HISTORY,
    items=("history/compact",),
    action=32,
    predicted_tokens=52_800,
    predicted_usd=-0.02,
    effect="now",
    measured_tokens=None,
    measured_usd=None,
    settled_at_ms=None,
    outcome="",
)
"""The history is lent to the client, and nothing is seen of it yet."""

DONE = decision(
    ACT,
    "soft",
    at_ms=NOON_MS - 12 * MINUTE_MS,
    reason="two skills were not used in 14 sessions",
    lever=SKILLS,
    items=("skills/slide-deck", "skills/deploy"),
    prediction=Prediction(1_240, 60, 0.012, None, "next compaction", "a row"),
    next="the next compaction shows what it did",
)


def standing(**fields: Any) -> Standing:
    """`webshop` at 58% of its usable window: skills are out, the history is marked."""
    plain = Standing(
        session=SESSION,
        project="/srv/webshop",
        title="Round the cart",
        at_ms=NOON_MS,
        looked_at_ms=NOON_MS - 4_000,
        watcher="tokens serve (process 4242)",
        mode="auto",
        level="warning",
        used_tokens=97_400,
        usable_tokens=167_000,
        window_tokens=200_000,
        decisions=(decision(), DONE),
        receipts=(receipt(),),
        marks=(Marked(HISTORY, ("history/compact",), NOON_MS - 3 * MINUTE_MS),),
        pins=("skills/release*",),
        reloaded=("mcp-servers/github",),
        levers=tuple(
            LeverStanding(lever, "auto", "auto", 1.0, 1, 1_240, 1_198)
            if lever == SKILLS
            else LeverStanding(lever, "auto", "auto", 1.0, 0, 0, 0)
            for lever in LEVERS
        ),
    )
    return plain._replace(**fields)


def hostile(text: str = HOSTILE) -> Standing:
    """Every text that comes from elsewhere is this one."""
    items = (f"skills/{text}", text)
    return standing(
        project=f"/srv/{text}",
        title=text,
        watcher=text,
        decisions=(decision(items=items, lever=SKILLS, reason=text, next=text),),
        receipts=(receipt(items=items),),
        marks=(Marked(SKILLS, items, NOON_MS),),
        pins=items,
        reloaded=items,
    )
