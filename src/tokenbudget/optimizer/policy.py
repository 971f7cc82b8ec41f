"""The rules of the controller, as data: which lever at which level, and where figures come from.

    level      of the usable window   grace       what is done                          aim (tokens)
    healthy    below 50 %             -           nothing
    warning    50 % to 75 %           1 request   skills, memory files, scratch,               2,000
                                                  trimming, terseness; history MARKed;
                                                  model and delegation advised
    critical   75 % to 90 %           2 requests  history, scratch, servers, then             15,000
                                                  what warning does
    emergency  from 90 %              none        history at once, the reserve, and           15,000
                                                  everything else that is reversible

    a lever that rewrites a warm cache    waits until the cache is cold, or the requests that nine
                                          sessions of ten still had are 1.5 times its break-even;
                                          history at warning also waits for the pause between two
                                          turns, unless they are 3 times its break-even
    a cold cache                          it is done when these requests reach the break-even, or
                                          nothing is known of them
    a compaction                          is to free a quarter of the window, with what waits for
                                          it, and waits while more of it would be read again than
                                          the room is worth; in an emergency neither counts
    one lever                             once in 5 minutes, and not while its last receipt is open
    one request                           one action; in an emergency one a tick, of other levers
    servers of a warm window              after the history: denied before a compaction that is to
                                          come, they would cost its request the cache
    recovery                              believed 3 points below a boundary, 3 requests or 5 min
    what was loaded again                 is pinned, and put back
    two passes below 10 %                 the controller gives up and says what a person can do
    two predictions off by 25 %           halve the lever's trust; below one half it is only advised
    an unknown client, model or lever     is only advised

Sources: kubelet eviction (soft and hard thresholds, grace, transition period, minimum reclaim,
ranking); G1 and other collectors (an overhead limit, giving up); levels and margins are
`budget.health`'s. Aims, cool-down, lease and the factor of 1.5 are the product's own.
"""

from __future__ import annotations

from tokenbudget.budget.health import CRITICAL, EMERGENCY, HEALTHY, WARNING
from tokenbudget.model.control import (
    DELEGATION,
    HISTORY,
    MEMORY,
    MODEL,
    RESERVE,
    SCRATCH,
    SERVERS,
    SKILLS,
    TERSENESS,
    TRIMMING,
)

GRACE_REQUESTS = {WARNING: 1, CRITICAL: 2, EMERGENCY: 0}
"""Requests for which a level must have been held before anything is done (soft thresholds)."""

AIM_TOKENS = {WARNING: 2_000, CRITICAL: 15_000, EMERGENCY: 15_000}
"""What an action is to free at least, where there is that much (minimum reclaim)."""

LEAST_TOKENS = 500
"""A smaller thing is left alone, unless all of its kind together reach the aim."""

WARM_FACTOR = 1.5
"""As many times the break-even as requests must be counted on before a warm cache is rewritten."""

WORK_FACTOR = 3.0
"""The same at warning while the agent is at work; between two turns `WARM_FACTOR` is enough. In the
backtest over recorded sessions (docs/backtest.md) it made none of them dearer, and long loops of
tools, which have no pause, are not left to fill the window."""

HISTORY_LEAST_SHARE = 0.25
"""Of the usable window: a compaction that frees less is not worth its summary below an emergency,
for the window would be full again soon. In the backtest 0.2 and 0.3 do nearly as well, and nothing
of the kind compacts again and again (docs/backtest.md)."""

LEAST_PRESSURE = 1.0
"""What costs less to read again than one request takes to carry it is not waited for: in a window
of 1,000,000 tokens each request of waiting is dearer than most files. From critical on more may
have to be read again, the fuller the window (`worth.pressure`). docs/savings.md has 0, 0.5 and 2
beside it."""

STALE_INTERVALS, STALE_MS = 3, 30_000
"""A look is too old after so many intervals, and not before so long."""

JUMP_MS = 3_600_000
"""A clock that is this much further than at the last tick may have been set."""

POOR_SHARE, POOR_PASSES = 0.10, 2
"""A pass that frees less of what was used is a poor one; after so many in a row it ends."""

NEIGHBOUR_SHARE = 0.98
"""Another session of the project with so much of what this one had when its history was lent a
window would be compacted with it (`resources.history`): the loan ends, used or not."""

RETRY_MS = 60_000
"""Until putting something back is tried again after it failed."""

MISSED_REQUESTS = 2
"""Requests without the compaction that was to come before the next one: it will not come."""

HEARD_MS = 2_000
"""A running client reads its settings again within 1.6 s (measured with 2.1.270 and 2.1.329); what
it sends sooner says nothing about them."""

MOST_ITEMS = 128
"""Of one action."""

_SOFT = (SKILLS, MEMORY, SCRATCH, TRIMMING, TERSENESS)
LEVERS_AT = {
    HEALTHY: (),
    WARNING: (*_SOFT, HISTORY, DELEGATION, MODEL),
    CRITICAL: (HISTORY, SCRATCH, SERVERS, SKILLS, MEMORY, TRIMMING, TERSENESS, DELEGATION, MODEL),
    EMERGENCY: (
        *(HISTORY, RESERVE, SCRATCH, SERVERS, SKILLS, MEMORY, TRIMMING, TERSENESS),
        *(DELEGATION, MODEL),
    ),
}
"""What may be pulled at a level, in the order in which it is thought of. History comes before the
servers: taking a server out of a warm window makes everything behind it be written anew."""

SLOWING = (TRIMMING, TERSENESS)
"""Levers that take nothing out: the window grows more slowly. Both are the compression mode, so
that one of them is enough."""

SIZELESS = (*SLOWING, DELEGATION, MODEL)
"""No least size holds for them."""
