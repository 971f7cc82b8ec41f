"""How likely each block of some files is to be changed by a task: a weighted sum of few signals.

The weights come from a logistic regression over lines that real fixes changed;
`tools/bench_select.py` measures them on repositories that they were not learnt from.
"""

from __future__ import annotations

import math
from operator import mul

from tokenbudget.compression.ranking_features import Features, features_of
from tokenbudget.compression.ranking_recent import NOTHING_RECENT
from tokenbudget.compression.ranking_task import read_task
from tokenbudget.compression.selection_telling import UNTOLD

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from tokenbudget.compression.ranking_recent import Recent
    from tokenbudget.compression.selection_telling import Teller
    from tokenbudget.compression.structure import Structure
    from tokenbudget.model.protocols import Ranker

BIAS = -5.0
WEIGHTS = Features(
    unit_lexical=1.6,
    unit_rank=0.3,
    unit_named=0.9,
    unit_parts=0.6,
    class_named=0.7,
    framed=1.5,
    neighbour=0.2,
    extra=0.3,  # what the fit gave the same figure by words, `unit_rank`
    window=1.0,
    window_rank=0.5,
    own=0.6,
    mentions=0.4,
    quoted=0.4,
    near_line=1.5,
    short_unit=1.8,
    is_doc=-1.5,
    is_comment=-1.1,
    is_import=0.5,
    is_head=-0.3,
    is_blank=-0.6,
    is_in_class=-0.4,
    is_in_file=0.2,
    is_last=0.3,
    hit_in_unit=0.3,
    edited=1.5,
    edited_file=0.2,
)


def likelihoods(
    task: str,
    structures: Sequence[Structure],
    ranker: Ranker | None = None,
    weights: Sequence[float] = WEIGHTS,
    bias: float = BIAS,
    recent: Recent = NOTHING_RECENT,
    tell: Teller = UNTOLD,
) -> list[list[float]]:
    """For every block of every file how likely a line of it is among those to be changed.

    A further `ranker` (embeddings, say) judges the functions and adds to the other signals.
    """
    extra: Sequence[float] = ()
    if ranker is not None:
        pieces = [one.text(unit.first, unit.end) for one in structures for unit in one.units]
        extra = ranker.relevance(task, pieces)
    features = features_of(read_task(task), structures, extra, recent, tell)
    return [[_likelihood(row, weights, bias) for row in rows] for rows in features]


def _likelihood(row: Features, weights: Sequence[float], bias: float) -> float:
    total = bias + sum(map(mul, row, weights))
    return 1 / (1 + math.exp(-total))
