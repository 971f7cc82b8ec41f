"""From a seed to a folder of transcripts: plays every planned session and keeps the truth."""

from __future__ import annotations

import random
from datetime import UTC, datetime
from pathlib import Path

from sample_sessions.conversation import Conversation, World
from sample_sessions.metering import Window
from sample_sessions.plan import SessionPlan, plan_sessions
from sample_sessions.subagents import run_agent
from sample_sessions.texts import build_library
from sample_sessions.transcript import (
    BYTE_ORDER_MARK,
    Ids,
    Seat,
    SessionClock,
    Transcript,
    encoded,
)
from sample_sessions.truth import Tally, Truth


def generate(
    out: Path, *, end: datetime, days: int = 21, seed: int = 1, megabytes: float | None = None
) -> Truth:
    """Write transcripts below `out` (a `CLAUDE_CONFIG_DIR`) and return their exact totals.

    The same arguments give the same bytes. Without `megabytes` the folder is a small, varied one
    of a single developer; with it, one of that size with the file sizes of a real home directory.
    `end` must be aware: the sample may not depend on the time zone of the machine.
    """
    if end.tzinfo is None:
        raise ValueError("end has no time zone; pass an aware datetime")
    rng = random.Random(seed)
    large_files = (9_000, 16_000) if megabytes is None else (20_000, 70_000)
    world = World(rng, Ids(rng), build_library(rng, large_files), Tally(), out)
    previous: Transcript | None = None
    for plan in plan_sessions(rng, end.astimezone(UTC), days, megabytes):
        previous = play(world, plan, previous)
    return world.tally.truth()


def play(world: World, plan: SessionPlan, previous: Transcript | None) -> Transcript:
    """One session from its first line to its saved file."""
    part = plan.part
    talk = begin(world, plan, previous)
    if part.has_byte_order_mark:
        talk.respond("Picking up where we left off.")  # so that the marked line tells usage
    else:
        talk.open()
    talk.turn(world.rng.choice(part.project.prompts), until=plan.bytes // 3)
    for agent, size in zip(part.agents, plan.agent_bytes, strict=True):
        run_agent(talk, agent, size)
    for scene in part.scenes:
        scene(talk)
    while wants_more(talk, plan):
        talk.rest(pause(world.rng, is_live=plan.is_live))
        talk.turn(talk.next_prompt(), until=plan.bytes)
    finish(world, plan, talk)
    return talk.transcript


def begin(world: World, plan: SessionPlan, previous: Transcript | None) -> Conversation:
    """The session's seat and clock; a fork starts with lines of the one before."""
    rng, part = world.rng, plan.part
    cwd, branch = part.project.home, rng.choice(part.project.branches)
    if part.worktree:
        cwd, branch = f"{cwd}/.claude/worktrees/{part.worktree}", part.worktree
    seat = Seat(world.ids.uuid(), cwd, branch, part.client)
    forked = previous if part.forks_previous else None
    start = forked.clock.now() if forked else plan.start
    path = f"projects/{seat.slug}/{seat.session}.jsonl"
    clock = SessionClock(start, plan.limit)
    transcript = Transcript(path, seat, clock, world.ids, world.tally)
    if forked:
        transcript.copy_head(forked, min(forked.size, plan.bytes) // 2)
        clock.advance(15 * 60)
    window = Window(base=rng.randint(16_000, 31_000), long_cache=rng.random() < 0.6)
    talk = Conversation(world, transcript, part.project, part.model, window)
    talk.has_request_ids = part.has_request_ids
    return talk


def wants_more(talk: Conversation, plan: SessionPlan) -> bool:
    """Sessions end when they are large enough; the live one goes on until its limit."""
    if plan.is_live:
        return talk.clock.seconds_left > 90
    return talk.transcript.size < plan.bytes


def pause(rng: random.Random, *, is_live: bool) -> float:
    """Seconds between two turns: mostly reading, now and then a meeting."""
    if is_live:
        return rng.uniform(40, 160)
    if rng.random() < 0.12:
        return rng.uniform(7, 95) * 60
    return rng.uniform(5, 100)


def finish(world: World, plan: SessionPlan, talk: Conversation) -> None:
    """Save the file with the oddities that concern its bytes."""
    part, transcript = plan.part, talk.transcript
    half = encoded(transcript.line("user", {"message": {"role": "user", "content": "And then"}}))
    transcript.save(
        world.out,
        start=BYTE_ORDER_MARK if part.has_byte_order_mark else b"",
        line_end=b"\r\n" if part.has_crlf else b"\n",
    )
    if plan.is_live:
        transcript.append_half_line(world.out, half)
