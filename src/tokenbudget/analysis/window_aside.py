"""Which requests tell of a session's own model, and of its window.

A slash command whose front matter names a model (ours do) has one turn answered by it. The next
turn is the session's own model's again: its window and its cache are what they were.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from tokenbudget.analysis.window_replay import Moment


def own_moments(moments: Sequence[Moment]) -> list[Moment]:
    """The requests to the session's own model; all of them where only commands have asked yet."""
    return [one for one in moments if not one.aside] or list(moments)


def telling_moments(moments: Sequence[Moment]) -> list[Moment]:
    """The requests that say how full the window is.

    A single request to another model, which counts in its own way, adds nothing worth telling;
    several of one command may have filled the window.
    """
    after = [one.aside for one in moments[1:]] + [0]
    pairs = zip(moments, after, strict=False)  # of none there is none after
    return [one for one, then in pairs if one.aside != 1 or then == 2] or list(moments)
