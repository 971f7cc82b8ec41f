"""How many requests a session still has before it, by how long the person's own sessions became.

The sessions that came as far as this one are asked how much further they went; the middle of their
answers is taken. A mean would be moved by the one session that went on for days.

A session that went further than nearly all others has nobody to ask. What has lasted so long will,
in the middle, last as long again (J. R. Gott, 1993, "Implications of the Copernican principle for
our future prospects"); half of that is taken, for too much costs more than too little: by it the
money is told that an action saves. Whether it is done goes by what nine of ten sessions still had,
which by the same rule is a ninth of what has passed. docs/backtest.md has what comes of both on
recorded sessions.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

LEAST_SESSIONS = 5
"""Fewer say nothing: a working week has about as many sessions."""
OWN_SHARE = 0.5
"""Of what a session has behind it, where too few others came as far."""
UNSURE_SHARE = 0.1
"""So many of the sessions may end before what is sure. docs/savings.md has its neighbours."""


def expected_requests(lengths: Sequence[int], requests: int) -> float | None:
    """The middle of what is still to come; None where the person has too few sessions.

    Args:
        lengths: Requests of each other session.
        requests: Those of the running one so far.
    """
    if len(lengths) < LEAST_SESSIONS:
        return None
    further = sorted(length - requests for length in lengths if length >= requests)
    if len(further) < LEAST_SESSIONS:
        return OWN_SHARE * requests
    half = len(further) // 2
    return (further[half] + further[-half - 1]) / 2


def sure_requests(lengths: Sequence[int], requests: int) -> float | None:
    """So many still came in nine of ten sessions; None where the person has too few.

    What costs something now and pays only if the session goes on is measured by this, not by the
    middle: half of all sessions end before that. Arguments as for `expected_requests`.
    """
    if len(lengths) < LEAST_SESSIONS:
        return None
    further = sorted(length - requests for length in lengths if length >= requests)
    if len(further) < LEAST_SESSIONS:
        return requests * UNSURE_SHARE / (1 - UNSURE_SHARE)  # nine of ten last a ninth longer
    return float(further[int(UNSURE_SHARE * (len(further) - 1))])
