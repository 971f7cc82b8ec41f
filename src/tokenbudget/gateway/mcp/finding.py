"""Which tools a task needs, best first.

A task is several searches (`finding_query`). Each ranks the tools by words (`finding_index`); what
belongs to a good tool shares its score. The answer is then taken tool by tool: the one that is best
for what is still wanted, after which the searches that it answers count less. So ten results cover
a task's steps instead of showing ten ways to do its first.
"""

from __future__ import annotations

import math
from itertools import zip_longest
from typing import NamedTuple

from tokenbudget.gateway.mcp.finding_index import Index, index_of
from tokenbudget.gateway.mcp.finding_query import plan_of
from tokenbudget.gateway.mcp.finding_search import LEAST_SHARE, Search
from tokenbudget.gateway.mcp.finding_words import words

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from tokenbudget.gateway.mcp.directory import Directory
    from tokenbudget.gateway.mcp.finding_index import ServerIndex
    from tokenbudget.gateway.mcp.finding_query import Plan
    from tokenbudget.gateway.mcp.values import Catalogue, Tool
    from tokenbudget.model.protocols import Ranker

MOST_LIMIT, MOST_TASKS = 50, 12

LEAST_UNSAID_QUALITY = 0.45
"""A step that nobody named is looked for where a tool answers about half of its words."""
SAID_ENOUGH, SHORT_SAID_ENOUGH, SHORT_WORDS = 0.65, 0.9, 16
"""How much less unsaid steps count where the tools answer in full what was said: a short text is a
step of somebody who knows what it needs, a long one a task."""
ANSWERED = 0.6
"""How much less a search counts when its best tool was taken."""
TWIN = 0.3
"""How much less a tool counts when another server's of the same name was taken."""
DOUBT = 2.5
"""How much a step counts less that no tool answers well: its quality to this power."""
MEANT, MOST_PIECE_CHARS = 0.25, 600
"""How much a ranker's judgement weighs beside the words, and how much of a tool it reads."""
MOST_FOR_USE, MANY_USES = 0.2, 50
"""The most that past use adds to a tool's value, and how many uses earn it."""


class Row(NamedTuple):
    """One tool that was found."""

    tool: Tool
    alias: str
    score: float


class Found(NamedTuple):
    """What was found, and how many more have something to do with it."""

    rows: tuple[Row, ...]
    more: int


class _Wish:
    """One search that was carried out: how much it is worth, and each tool's share of the best."""

    __slots__ = ("shares", "weight")

    def __init__(self, weight: float, shares: Mapping[int, float]) -> None:
        self.weight = weight
        self.shares = shares


class Finder:
    """Finds tools of one directory."""

    def __init__(
        self,
        directory: Directory,
        uses: Mapping[str, int],
        ranker: Ranker | None = None,
        index: Callable[[Catalogue], ServerIndex | None] | None = None,
    ) -> None:
        """A finder over what a directory holds.

        Args:
            directory: The tools.
            uses: How often each was called, by alias.
            ranker: Judges tools by more than their words, if there is one.
            index: Gives the index that was kept of a catalogue; where there is none it is made.
        """
        self._directory = directory
        self._tools = directory.tools
        self._uses = uses
        self._ranker = ranker
        indexed = Index(
            [(index(one) if index else None) or index_of(one) for one in directory.catalogues]
        )
        self._search = Search(indexed, [tool.server for tool in self._tools])
        self._pieces: list[str] = []
        self._twins: dict[str, list[int]] = {}
        for number, tool in enumerate(self._tools):
            self._twins.setdefault(_bare(tool), []).append(number)

    def find(self, tasks: Sequence[str], limit: int = 10) -> Found:
        """The tools for these tasks (one text for each step, or one for all), best first."""
        plans = [plan_of(task) for task in tasks[:MOST_TASKS]]
        is_one_step = sum(len(plan.said) for plan in plans) == 1
        steps = [tuple(self._searches(plan, is_one_step=is_one_step)) for plan in plans]
        most = max(1, min(limit, MOST_LIMIT))
        joint, matching = self._taken([wish for step in steps for wish in step], most)
        if len(steps) > 1:
            own = math.ceil(most / (2 * len(steps)))
            joint = _fair(joint, [self._taken(step, own)[0] for step in steps], most)
        rows = tuple(
            Row(self._tools[number], self._directory.alias_of(self._tools[number]), value)
            for number, value in joint
        )
        return Found(rows, matching - len(rows))

    def _searches(self, plan: Plan, *, is_one_step: bool) -> Iterator[_Wish]:
        """What a task calls for, searched: what it says, then what it leaves unsaid."""
        qualities = []
        for text, weight in plan.said:
            shares, quality = self._search.said(text)
            qualities.append(quality)
            yield _Wish(weight if is_one_step else weight * quality**DOUBT, shares)
            if self._ranker is not None:
                yield _Wish(weight * MEANT, self._meant(self._ranker, text))
        is_short = len(plan.said[-1][0].split()) <= SHORT_WORDS
        enough = (SHORT_SAID_ENOUGH if is_short else SAID_ENOUGH) * sum(qualities) / len(qualities)
        for need in plan.unsaid:
            shares, quality = self._search.unsaid(need.text)
            if quality >= LEAST_UNSAID_QUALITY:
                yield _Wish(need.weight * quality * (1 - enough), shares)

    def _meant(self, ranker: Ranker, text: str) -> dict[int, float]:
        """Each tool's share of the best by a ranker that knows more than words."""
        if not self._pieces:
            self._pieces = [_piece(tool) for tool in self._tools]
        judged = ranker.relevance(text, self._pieces)
        if len(judged) != len(self._pieces) or not all(map(math.isfinite, judged)):
            return {}
        mean = sum(judged) / (len(judged) or 1)
        most = max(judged, default=0.0) - mean
        if most <= 0:
            return {}
        shares = {number: (value - mean) / most for number, value in enumerate(judged)}
        return {number: share for number, share in shares.items() if share >= LEAST_SHARE}

    def _taken(self, searches: Sequence[_Wish], limit: int) -> tuple[list[tuple[int, float]], int]:
        """The best tools one after the other, and how many matched at all."""
        values: dict[int, float] = {}
        for search in searches:
            for number, share in search.shares.items():
                values[number] = values.get(number, 0.0) + search.weight * share**3
        matching = len(values)
        factors = {number: self._used(number) for number in values}
        taken: list[tuple[int, float]] = []
        while values and len(taken) < limit:
            best = max(values, key=lambda number: (values[number] * factors[number], -number))
            taken.append((best, values.pop(best) * factors[best]))
            for twin in self._twins[_bare(self._tools[best])]:
                if twin in factors:
                    factors[twin] *= TWIN
            _count_less(searches, best, values)
        return taken, matching

    def _used(self, number: int) -> float:
        """What past use makes of a tool's value."""
        uses = max(0, self._uses.get(self._directory.alias_of(self._tools[number]), 0))
        return 1 + MOST_FOR_USE * min(1.0, math.log1p(uses) / math.log1p(MANY_USES))


def _fair(
    joint: Sequence[tuple[int, float]], steps: Sequence[Sequence[tuple[int, float]]], most: int
) -> list[tuple[int, float]]:
    """What is best for all steps, its end given up for what is best for a step and not in it."""
    known = {number for number, _ in joint}
    in_turn = [one for several in zip_longest(*steps) for one in several if one is not None]
    missing = {number: value for number, value in in_turn if number not in known}
    kept = {number for number, _ in in_turn}
    free = max(0, most - len(missing) - len(known & kept))
    found = []
    for number, value in joint:
        if number in kept or free:
            found.append((number, value))
            free -= number not in kept
    return [*found, *missing.items()][:most]


def _piece(tool: Tool) -> str:
    """A tool as one piece of text for a ranker."""
    name = tool.title or " ".join(words(tool.name))
    return f"{tool.server}. {name}: {' '.join(tool.description[:MOST_PIECE_CHARS].split())}"


def _bare(tool: Tool) -> str:
    """A tool's name as other servers may spell it."""
    return tool.name.lower().replace("-", "").replace("_", "")


def _count_less(searches: Sequence[_Wish], taken: int, values: dict[int, float]) -> None:
    """Let the searches that a taken tool answers count less from now on."""
    for search in searches:
        share = search.shares.get(taken)
        if share:
            lost = search.weight * ANSWERED * share * share
            search.weight -= lost
            for number, other in search.shares.items():
                if number in values:
                    values[number] -= lost * other**3
