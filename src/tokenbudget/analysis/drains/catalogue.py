"""Every drain there is, in the order in which they charge: what one has charged, none after does.

The order decides whose finding a piece belongs to where several rules fit, so that findings can be
added up: the narrow rules come first, and what is said of a whole thread comes last.
"""

from __future__ import annotations

from tokenbudget.analysis.drains.cache_misses import CACHE_MODEL_SWITCH, CACHE_PREFIX, CACHE_TTL
from tokenbudget.analysis.drains.compactions import EARLY_COMPACTION, LATE_COMPACTION
from tokenbudget.analysis.drains.costly_models import COSTLY_MODEL
from tokenbudget.analysis.drains.failing_commands import FAILING_COMMAND
from tokenbudget.analysis.drains.images import IMAGE
from tokenbudget.analysis.drains.large_outputs import LARGE_OUTPUT
from tokenbudget.analysis.drains.polling import POLLING
from tokenbudget.analysis.drains.project_drains import PROJECT_DRAINS
from tokenbudget.analysis.drains.re_reads import RE_READ
from tokenbudget.analysis.drains.small_commands import SMALL_COMMANDS
from tokenbudget.analysis.drains.stale_copies import STALE_COPY
from tokenbudget.analysis.drains.subagents import SUBAGENT
from tokenbudget.analysis.drains.thinking import THINKING
from tokenbudget.analysis.drains.unused_reads import READ_UNUSED
from tokenbudget.analysis.drains.verbose_logs import VERBOSE_LOG
from tokenbudget.analysis.drains.whole_files import WHOLE_FILE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tokenbudget.analysis.drains.drain import Drain

DRAINS: tuple[Drain, ...] = (
    RE_READ,
    STALE_COPY,
    IMAGE,
    VERBOSE_LOG,
    FAILING_COMMAND,
    POLLING,
    SMALL_COMMANDS,
    LARGE_OUTPUT,
    WHOLE_FILE,
    READ_UNUSED,
    SUBAGENT,
    THINKING,
    COSTLY_MODEL,
    CACHE_TTL,
    CACHE_PREFIX,
    CACHE_MODEL_SWITCH,
    LATE_COMPACTION,
    EARLY_COMPACTION,
    *PROJECT_DRAINS,
)

_BY_ID = {drain.id: drain for drain in DRAINS}


def drain_of(identity: str) -> Drain | None:
    """The drain of this id; None where there is none."""
    return _BY_ID.get(identity)
