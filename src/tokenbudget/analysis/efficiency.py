"""How well tokens were used, as a score from 0 to 100; `docs/efficiency.md` has the formula."""

from __future__ import annotations

from typing import NamedTuple


class Part(NamedTuple):
    """One ingredient of the score."""

    key: str
    """useful_share, cache_hit, re_reads, errors, carrying."""
    title: str
    value: float | None
    """As a share or ratio, in the unit that `said` writes; None: cannot be told."""
    said: str
    """'94% of the prompt came from the cache'."""
    points: float
    most_points: float
    advice: str
    """How to raise it; '' where it is full."""


class PastScore(NamedTuple):
    """The score of one earlier week of one's own."""

    begins: str
    score: int
    requests: int


class Efficiency(NamedTuple):
    """The score with everything that it is made of."""

    score: int | None
    """None: too little was used to tell."""
    error: int
    """Half of its interval, by how few sessions it stands on."""
    grade: str
    """A to F; '' without a score."""
    parts: tuple[Part, ...]
    past: tuple[PastScore, ...]
    """Oldest first."""
    change: int | None
    """Against the median of one's own past weeks."""
    sentence: str
    """How it stands and what would raise it most."""
