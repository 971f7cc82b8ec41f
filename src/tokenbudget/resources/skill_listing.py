"""What the lines of all skills come to together: the client sends no more of them than a share.

Measured with Claude Code 2.1.329 under a window of 200,000 tokens: of lines of 11,665 characters
about 8,000 are sent (1 % of the window at four characters a token); without one of 285 it is as
many, for the others get the room, and without 5,365 it is 1,759 less. So what a change frees is a
matter of all that are changed together, and is reckoned of the sums. Other lists were cut at 7,000
(2.1.329) and at 5,050 (2.1.270) already; what is reckoned near the end has that much doubt.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from tokenbudget.analysis import window_pieces
from tokenbudget.model.actions import NEVER_SENT, UNKNOWN_WEIGHT, Weight
from tokenbudget.resources.skills import (
    BUNDLED_CHARACTERS,
    CHARACTERS_PER_TOKEN,
    LISTING_SHARE,
    USUAL_WINDOW_TOKENS,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from tokenbudget.resources.weights import Weights


EARLIEST_CUT = 0.6
"""Of the share that is sent by rule, the least from which lines were seen to be cut."""


class Listing(NamedTuple):
    """The lines of skills and commands in every request."""

    characters: int
    """Of all lines, sent or not, those of the client's own skills (about) among them."""
    most_characters: int
    """That the client sends."""
    sample: Weight
    """What the lines below weigh,"""
    sample_characters: int
    """and how many characters they are."""

    @property
    def sent_characters(self) -> int:
        """What is sent of it."""
        return min(self.characters, self.most_characters)

    @property
    def is_full(self) -> bool:
        """Whether there are more lines than the client sends."""
        return self.characters > self.most_characters

    def without(self, characters: int) -> int:
        """By how many characters the requests shrink where so many leave the lines."""
        left = max(0, self.characters - characters)
        return self.sent_characters - min(left, self.most_characters)

    def freed(self, characters: int) -> Weight:
        """What the requests lose where so many characters leave the lines."""
        likely = self.without(characters)
        cut_early = self._replace(most_characters=round(EARLIEST_CUT * self.most_characters))
        doubt = max(likely - cut_early.without(characters), 0)
        if self.characters > cut_early.most_characters:
            doubt = max(doubt, characters - likely)
        doubt = min(doubt, max(likely, self.sent_characters - likely))  # no more than is sent
        found, more = self.weight(likely), self.weight(doubt)
        return found._replace(error_tokens=found.error_tokens + (more.tokens or 0))

    def weight(self, characters: int) -> Weight:
        """What so many characters of it weigh."""
        if self.sample.tokens is None or not self.sample_characters:
            return UNKNOWN_WEIGHT if characters else NEVER_SENT
        share = characters / self.sample_characters
        return Weight(
            round(self.sample.tokens * share),
            math.ceil(self.sample.error_tokens * share),
            self.sample.basis,
        )


def listing_of(
    lines: Iterable[str],
    share: float | None,
    weights: Weights,
    *,
    is_wide: bool = True,
    is_whole: bool = False,
) -> Listing:
    """The listing of these lines.

    Args:
        lines: Those that would be sent if there were room.
        share: `skillListingBudgetFraction`, where it is set.
        weights: What lines weigh, and how large the window is.
        is_wide: Whether a window beyond the usual one makes more room.
        is_whole: Whether the lines of the client's own skills are among them.
    """
    text = "".join(lines)
    window_tokens = weights.window_tokens or USUAL_WINDOW_TOKENS
    window_tokens = window_tokens if is_wide else min(window_tokens, USUAL_WINDOW_TOKENS)
    most = round((share or LISTING_SHARE) * CHARACTERS_PER_TOKEN * window_tokens)
    return Listing(
        len(text) + (0 if is_whole else BUNDLED_CHARACTERS),
        most,
        weights.of_line(window_pieces.SKILLS, text) if text else NEVER_SENT,
        len(text),
    )
