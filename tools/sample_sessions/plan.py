"""Which sessions there are: how large, when, by whom, and what happens in them."""

from __future__ import annotations

import math
import random
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Final

from sample_sessions import scenes
from sample_sessions.projects import DATA_PIPELINE, MOBILE_APP, PROJECTS, WEBSHOP, Project
from sample_sessions.scenes import Scene
from sample_sessions.subagents import AgentPlan, Layout
from sample_sessions.transcript import Client

CURRENT: Final = Client("2.1.329")
RECENT: Final = Client("2.1.315")
WITH_PROGRESS: Final = Client("2.1.76", renders_attachments=False, reports_agent_progress=True)
OLD: Final = Client("2.0.76", renders_attachments=False)

OPUS: Final = "claude-opus-5-5"
SONNET: Final = "claude-sonnet-5-5"
HAIKU: Final = "claude-haiku-5-5"
UNPRICED: Final = "acme-coder-2"
ORDINARY_MODELS: Final = {OPUS: 10, SONNET: 7, HAIKU: 2}

SMALL_SIZES: Final = ((0.0, 9e3), (0.5, 26e3), (0.9, 80e3), (1.0, 200e3))
REAL_SIZES: Final = (
    (0.0, 6e3),
    (0.5, 100e3),
    (0.75, 230e3),
    (0.9, 650e3),
    (0.95, 1.5e6),
    (0.99, 5e6),
    (1.0, 25e6),
)
"""File sizes by quantile: as found in a home directory with some 3,000 transcripts."""

SMALL_FILES: Final = 46
LARGEST_AGENT: Final = 3_000_000
BYTES_PER_SECOND: Final = 250
"""How fast a simulated session grows, roughly: enough to start it early enough."""


@dataclass(frozen=True, slots=True)
class Part:
    """The role that a session plays."""

    project: Project
    model: str
    client: Client = CURRENT
    scenes: tuple[Scene, ...] = ()
    agents: tuple[AgentPlan, ...] = ()
    worktree: str | None = None
    has_byte_order_mark: bool = False
    has_crlf: bool = False
    forks_previous: bool = False
    has_request_ids: bool = True


@dataclass(frozen=True, slots=True)
class SessionPlan:
    """A part with its size and time; `is_live` ends at its limit with a half-written line."""

    part: Part
    bytes: int
    start: datetime
    limit: datetime
    agent_bytes: tuple[int, ...] = field(default=())
    is_live: bool = False


PARTS: Final = {
    1: Part(WEBSHOP, OPUS, scenes=(scenes.specialists,)),
    2: Part(WEBSHOP, OPUS, forks_previous=True),
    4: Part(DATA_PIPELINE, SONNET, RECENT, (scenes.lunch, scenes.next_morning)),
    6: Part(
        MOBILE_APP,
        "claude-opus-4-6",
        WITH_PROGRESS,
        agents=(AgentPlan(model="claude-sonnet-4-5-20250929"),),
    ),
    7: Part(
        MOBILE_APP,
        "claude-opus-4-6",
        WITH_PROGRESS,
        agents=(AgentPlan(is_saved=False, model="claude-sonnet-4-5-20250929"),),
    ),
    8: Part(
        DATA_PIPELINE,
        "claude-sonnet-4-5-20250929",
        OLD,
        agents=(AgentPlan(Layout.BESIDE, model="claude-sonnet-4-5-20250929"),),
    ),
    10: Part(WEBSHOP, OPUS, worktree="fix-1", agents=(AgentPlan(),)),
    11: Part(WEBSHOP, OPUS, RECENT, (scenes.compact_by_hand,)),
    13: Part(DATA_PIPELINE, OPUS, agents=(AgentPlan(Layout.WORKFLOW, model=SONNET),)),
    14: Part(MOBILE_APP, SONNET, has_crlf=True),
    15: Part(DATA_PIPELINE, SONNET, scenes=(scenes.api_error, scenes.usage_missing)),
    17: Part(WEBSHOP, "claude-opus-4-8", RECENT, (scenes.hurry,)),
    18: Part(MOBILE_APP, OPUS, agents=(AgentPlan(replays_parent=True),)),
    19: Part(DATA_PIPELINE, UNPRICED, RECENT, has_request_ids=False),
    21: Part(WEBSHOP, OPUS, scenes=(scenes.refusal,)),
    22: Part(MOBILE_APP, SONNET, has_byte_order_mark=True),
    24: Part(DATA_PIPELINE, OPUS, scenes=(scenes.compact_by_itself, scenes.lunch)),
    25: Part(MOBILE_APP, HAIKU, scenes=(scenes.awkward_lines,)),
}
"""The special parts by their number in a cycle; all others are ordinary sessions."""

CYCLE: Final = 28


def part_of(rng: random.Random, index: int) -> Part:
    """The part of the session with this number."""
    special = PARTS.get(index % CYCLE)
    if special:
        return special
    (model,) = rng.choices(list(ORDINARY_MODELS), weights=list(ORDINARY_MODELS.values()))
    agents = (AgentPlan(model=rng.choice((HAIKU, HAIKU, SONNET))),) if rng.random() < 0.5 else ()
    return Part(rng.choice(PROJECTS), model, agents=agents)


def file_sizes(rng: random.Random, megabytes: float | None) -> list[int]:
    """Target sizes of all files, in random order, evenly drawn from the quantiles."""
    quantiles = SMALL_SIZES if megabytes is None else REAL_SIZES
    count = SMALL_FILES
    if megabytes is not None:
        mean = sum(size_at(quantiles, (at + 0.5) / 1000) for at in range(1000)) / 1000
        count = max(1, round(megabytes * 1e6 / mean))
    sizes = [size_at(quantiles, (at + 0.5) / count) for at in range(count)]
    scale = 1.0 if megabytes is None else megabytes * 1e6 / sum(sizes)
    rng.shuffle(sizes)
    return [round(size * scale) for size in sizes]


def size_at(quantiles: Sequence[tuple[float, float]], share: float) -> float:
    """The size below which `share` of the files lie; between two points on a log scale."""
    for (low, small), (high, large) in pairwise(quantiles):
        if share <= high:
            return math.exp(
                math.log(small) + math.log(large / small) * (share - low) / (high - low)
            )
    return quantiles[-1][1]


def plan_sessions(
    rng: random.Random, end: datetime, days: int, megabytes: float | None
) -> list[SessionPlan]:
    """Every session, oldest first; the last one is still running at `end`."""
    cast = assigned(rng, deque(file_sizes(rng, megabytes)))
    plans = []
    for index, (part, size, agents) in enumerate(cast):
        age = timedelta(days=days * (1 - (index + rng.random()) / len(cast)))
        needed = timedelta(hours=1, seconds=(size + sum(agents)) / BYTES_PER_SECOND)
        start = max(end - timedelta(days=days), min(at_work(rng, end - age), end - needed))
        plans.append(SessionPlan(part, size, start, end - timedelta(minutes=8), agents))
    part = Part(WEBSHOP, OPUS, scenes=(scenes.specialists,), agents=(AgentPlan(),))
    begin, limit = end - timedelta(minutes=26), end - timedelta(minutes=3)
    return [*plans, SessionPlan(part, 500_000, begin, limit, (30_000,), is_live=True)]


def assigned(rng: random.Random, sizes: deque[int]) -> list[tuple[Part, int, tuple[int, ...]]]:
    """Deal the sizes out to sessions and their subagents; the largest stay with sessions."""
    cast: list[tuple[Part, int, tuple[int, ...]]] = []
    while sizes:
        part, size = part_of(rng, len(cast)), sizes.popleft()
        agents: list[int] = []
        for _ in part.agents:
            small = next((s for s in sizes if s < LARGEST_AGENT), None)
            if small is not None:
                sizes.remove(small)
            agents.append(small or 20_000)
        cast.append((part, size, tuple(agents)))
    return cast


def at_work(rng: random.Random, moment: datetime) -> datetime:
    """A moment on the same day when people work; most weekends move to the Friday before."""
    if moment.weekday() >= 5 and rng.random() < 0.7:
        moment -= timedelta(days=moment.weekday() - 4)
    return moment.replace(hour=rng.randint(7, 18), minute=rng.randrange(60), microsecond=0)
