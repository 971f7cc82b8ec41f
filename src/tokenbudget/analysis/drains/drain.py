"""What every detector is: a name, a rule, and what to do instead."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple, TypeAlias

from tokenbudget.analysis.study import Sighting
from tokenbudget.analysis.thread_view import ThreadView

Detector: TypeAlias = Callable[[ThreadView, set[int]], Iterable[Sighting]]
"""Takes a thread and the numbers of the pieces (`Seen.number`) that detectors before it have
charged: it charges none of them again, and adds those that it charges. So findings can be added
up."""


class Drain(NamedTuple):
    """One kind of loss."""

    id: str
    """As it begins the ids of findings: `re-read`."""
    title: str
    """In the plural, for a heading: 'Files read again unchanged'."""
    rule: str
    """What is looked for, with its thresholds, in one or two sentences for the documentation."""
    alternative: str
    """What would have done the same for less."""
    tip: str
    """How to keep it out of a window from the start."""
    fix: str
    """An imperative; `{subject}` stands for what it is about."""
    detect: Detector | None
    """None: it is seen in a project's files and settings, not in a thread."""
    least_tokens_per_week: int = 5_000
    """Without a price, less is not told by itself: of input, a cent buys about as many."""
