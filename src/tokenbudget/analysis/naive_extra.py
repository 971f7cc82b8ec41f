"""What the naive way would have added to each thread: schemas, whole files, skills.

It is priced as the thread's own window was, at the cache rates that applied.
"""

from __future__ import annotations

from decimal import Decimal
from math import sqrt
from typing import NamedTuple

from tokenbudget.analysis.profile_sums import is_subagent, threads_of
from tokenbudget.analysis.study import PICO_USD, PREFIX
from tokenbudget.analysis.window_pieces import CONTEXT_FILES, MCP_TOOLS, SYSTEM_TOOLS
from tokenbudget.analysis.window_size import window_size
from tokenbudget.model import window

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from tokenbudget.analysis.profile_sums import Days
    from tokenbudget.analysis.study import FileStudy, ThreadStudy

KEYS = ("tool_schemas", "whole_files", "skills", "verbose")

PUBLISHED_SCHEMA_TOKENS = 477_933 / 1_606
"""Mean size of a tool's schema: 40 MCP servers with 1,606 tools, counted with o200k_base in
November 2026."""
PUBLISHED_ERROR = 0.6
"""Their servers' own means lie between 150 (a quarter below) and 490 (a quarter above)."""
ENOUGH_SCHEMAS = 8
"""Of one's own, to go by them instead."""
LEAST_ERROR = 0.05


class Schema(NamedTuple):
    """The mean size of a tool's schema, and how that is known."""

    tokens: float
    error_share: float
    is_measured: bool
    said: str


class ThreadExtra(NamedTuple):
    """What one strategy would have added to one thread."""

    key: str
    session: str
    is_main: bool
    window_tokens: int
    sent_tokens: int
    usd: Decimal
    times: int
    """Tools that were offered by name; range reads that could not be sized."""


def schema_size(files: Iterable[FileStudy]) -> Schema:
    """From the schemas that one's own transcripts show, else the published mean."""
    sums: dict[str, list[int]] = {}
    for _, thread in threads_of(files):
        for spend in thread.spends:
            if spend[3] in (window.MCP_TOOL, window.SYSTEM_TOOL) and spend[6]:
                known = sums.setdefault(spend[4], [0, 0])
                known[0] += spend[7]
                known[1] += spend[6]
    sizes = [tokens / pieces for tokens, pieces in sums.values()]
    if len(sizes) < ENOUGH_SCHEMAS or not sum(sizes):
        said = f"a schema is taken as {PUBLISHED_SCHEMA_TOKENS:.0f} tokens, the mean of 1,606 tools"
        return Schema(PUBLISHED_SCHEMA_TOKENS, PUBLISHED_ERROR, False, f"{said} of 40 servers.")
    mean = sum(sizes) / len(sizes)
    spread = sqrt(sum((size - mean) ** 2 for size in sizes) / (len(sizes) - 1))
    error = max(LEAST_ERROR, 1.96 * spread / sqrt(len(sizes)) / mean)
    said = f"the {len(sizes)} schemas that were loaded have {mean:.0f} tokens on average."
    return Schema(mean, min(1.0, error), True, said)


def thread_extras(
    files: Iterable[FileStudy],
    days: Days,
    schema: Schema,
    skill_tokens: Mapping[str, int] | None,
    windows: Mapping[str, int],
) -> list[ThreadExtra]:
    """What each strategy would have added to each thread, for its part that lies in the period.

    `windows` are the person's own window sizes by model.
    """
    found: list[ThreadExtra] = []
    for file, thread in threads_of(files):
        scene = _Scene(thread, days)
        if not scene.share:
            continue
        is_main = not is_subagent(file, thread)
        bodies = (skill_tokens or {}).get(file.project, 0) if is_main else 0
        for key, extra in (
            ("tool_schemas", _schemas(thread, scene, schema)),
            ("whole_files", _whole_files(thread, scene, windows)),
            ("skills", _inline(bodies, thread, scene)),
        ):
            room, sent, usd, times = extra
            if sent or times:
                found.append(ThreadExtra(key, file.session, is_main, room, sent, usd, times))
    return found


class _Scene:
    """What a thread's spends say of its prices, and which part of it lies in a period."""

    def __init__(self, thread: ThreadStudy, days: Days) -> None:
        self._money: dict[str, list[int]] = {}
        self.names_sent_tokens = self.names_tokens = 0
        self.skills_sent_tokens = self.skills_tokens = 0
        self.has_listing = False
        inside = whole = 0
        for spend in thread.spends:
            sent = spend[8] + spend[9] + spend[10] + spend[11]
            whole += sent
            inside += sent if days.holds(spend[0]) else 0
            if not spend[12]:
                sums = self._money.setdefault(spend[2], [0, 0])
                sums[0] += spend[13]
                sums[1] += sent
            if spend[3] == window.DEFERRED_NAMES:
                self.names_tokens += spend[7]
                self.names_sent_tokens += sent
            elif spend[3] == window.SKILL_BODY:
                self.skills_tokens += spend[7]
                self.skills_sent_tokens += sent
            elif spend[3] == window.SKILL_LISTING:
                self.has_listing = True
        self.share = inside / whole if whole else 0.0

    def usd(self, sent_tokens: float, *components: str) -> Decimal:
        """What it would have cost to send these tokens beside those components."""
        for some in (components, tuple(self._money)):
            known = [self._money[name] for name in some if name in self._money]
            sent = sum(tokens for _, tokens in known)
            if sent:
                return (
                    Decimal(round(sent_tokens * sum(cost for cost, _ in known) / sent)) / PICO_USD
                )
        return Decimal(0)


def _schemas(thread: ThreadStudy, scene: _Scene, schema: Schema) -> tuple[int, int, Decimal, int]:
    """Schemas instead of names, in every request."""
    room = max(0.0, thread.deferred_tools * schema.tokens - scene.names_tokens)
    sent = thread.deferred_tools * schema.tokens * thread.requests - scene.names_sent_tokens
    sent = max(0.0, sent) * scene.share
    usd = scene.usd(sent, PREFIX, SYSTEM_TOOLS, MCP_TOOLS)
    return round(room), round(sent), usd, thread.deferred_tools


def _whole_files(
    thread: ThreadStudy, scene: _Scene, windows: Mapping[str, int]
) -> tuple[int, int, Decimal, int]:
    """No more than the window had room for: the client would have compacted."""
    wanted = thread.whole_file_tokens
    window_tokens = window_size(thread.last_model, windows, None, thread.peak_tokens, ()).tokens
    room = wanted if window_tokens is None else max(0, window_tokens - thread.peak_tokens)
    fits = min(1.0, room / wanted) if wanted else 0.0
    sent = thread.whole_file_sent_tokens * scene.share * fits
    usd = scene.usd(sent, CONTEXT_FILES)
    return round(wanted * fits), round(sent), usd, thread.unsized_range_reads


def _inline(tokens: int, thread: ThreadStudy, scene: _Scene) -> tuple[int, int, Decimal, int]:
    """The bodies of skills that were listed, in every request; those that were loaded are there."""
    if not scene.has_listing:
        return 0, 0, Decimal(0), 0
    room = max(0, tokens - scene.skills_tokens)
    sent = max(0, tokens * thread.requests - scene.skills_sent_tokens) * scene.share
    return room, round(sent), scene.usd(sent, PREFIX, SYSTEM_TOOLS, MCP_TOOLS), 0
