"""What is known of a lever under one client and model: looked up in what was measured, not assumed.

The table (`lever_table`, written by `tools/lever_bytes.py`) holds what the requests of real clients
showed. It answers for exactly the releases that were measured: one between two of them, or a newer
one, is unknown. A model goes by its own name, without who serves it, its date and the sign of its
window (`us.anthropic.claude-sonnet-4-5-20250929-v1:0` is `claude-sonnet-4-5`); one that was not
measured in full stands for another only where the table says that its requests came out the same
(`ALIKE`). Everything else has no fact, and without a fact nothing is done: it is advised at most.
"""

from __future__ import annotations

import functools
import re
from typing import NamedTuple, cast

from tokenbudget.metering.windows import MILLION_SUFFIX, own_name
from tokenbudget.model.control import MEMORY, SCRATCH
from tokenbudget.optimizer.lever_table import ALIKE, MEASURED_ON, ROWS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tokenbudget.model.actions import Effect

READ_AT_COMMAND_ALONE = {"2.1.270": (MEMORY, SCRATCH), "2.0.76": (MEMORY, SCRATCH)}
"""Releases that read memory files and rules anew after a person's /compact, as the table has it,
and not after a compaction of their own: every byte is the same before and after that
(`tests/e2e/test_control_session.py`). The controller's compactions are of the second kind."""

_DECORATION = re.compile(r"(-20\d{6})?(@[\w-]*)?(-v\d+(:\d+)?)?$")
"""What follows a model's own name: a date, and how those who serve it number it."""
_ORDER: tuple[Effect, ...] = ("now", "next compaction", "next start", "disk only")
_MOMENTS: dict[Effect, str] = {
    "now": "next request",
    "next compaction": "next compaction",
    "next start": "next start",
    "disk only": "never",
}


class Fact(NamedTuple):
    """What one way of pulling a lever did to the requests of one release under one model.

    Bytes are those of the request's JSON in the cluttered project that it was measured in, against
    the same request where nothing was pulled; below 0 is freed, above is added. What something else
    weighs is for its own weight to say: the fact says when, and whether all of it.
    """

    lever: str
    """One of `model.control.LEVERS`."""
    means: str
    """How it was pulled, such as `skillOverrides` or `permissions.deny`."""
    client: str
    model: str
    """The one that was measured; it may stand for the one that was asked about."""
    has_tool_search: bool | None
    """None where the release has no such thing."""
    effect: Effect
    """When it reaches a running session; "disk only": it never does."""
    start_bytes: int
    """The first request of a session that begins afterwards."""
    next_bytes: int
    """The next request of a session that runs."""
    compacted_bytes: int
    """The first one after a compaction."""
    rewrites: str
    """From where on the next request is another one than the cache holds: `tools`, `system`,
    `messages`; '' where nothing but its end changes."""
    is_measured: bool
    """Whether what it frees was measured; False where only what it adds could be."""

    @property
    def row(self) -> str:
        """The row of the table, as `Prediction.known_by` has it."""
        return f"{self.client} {self.model} {_MOMENTS[self.effect]}"

    @property
    def freed_bytes(self) -> int:
        """Once it has taken effect; never below 0."""
        by_effect = {
            "now": self.next_bytes,
            "next compaction": self.compacted_bytes,
            "next start": self.start_bytes,
        }
        return max(0, -by_effect.get(self.effect, 0))

    @property
    def notice_bytes(self) -> int:
        """What it adds to the next request, until it takes effect: that something is gone."""
        return 0 if self.effect == "now" else max(0, self.next_bytes)


def fact(
    client: str, model: str, has_tool_search: bool | None, lever: str, means: str = ""
) -> Fact | None:
    """The best known way of pulling a lever by itself, or the one that `means` names.

    Best is what takes effect soonest, then what frees most; None is unknown. `client` is a release
    (`2.1.329`). "Next compaction" is one that the client begins by itself.
    """
    found = facts(client, model, has_tool_search, lever)
    best = next((one for one in found if means in ("", one.means)), None)
    is_late = lever in READ_AT_COMMAND_ALONE.get(client, ())
    if best is not None and is_late and best.effect == "next compaction":
        return best._replace(effect="next start")
    return best


@functools.lru_cache(maxsize=256)
def facts(client: str, model: str, has_tool_search: bool | None, lever: str) -> tuple[Fact, ...]:
    """Every known way of pulling a lever as it was measured, best first.

    Where it is not known whether tools are deferred, only what is so either way is a fact: the
    smaller of both savings.
    """
    name = measured_model(client, model)
    rows = [one for one in _FACTS if (one.client, one.model, one.lever) == (client, name, lever)]
    if has_tool_search is not None:
        found = [one for one in rows if one.has_tool_search in (None, has_tool_search)]
    else:
        found = [one for one in rows if _holds_either_way(one, rows)]
    return tuple(sorted(found, key=lambda one: (_ORDER.index(one.effect), -one.freed_bytes)))


def measured_model(client: str, model: str) -> str | None:
    """The model whose rows hold for this one under this release; None: nobody looked."""
    name = plain_name(model)
    if any((one.client, one.model) == (client, name) for one in _FACTS):
        return name
    return next(
        (like for release, other, like in ALIKE if (release, other) == (client, name)), None
    )


def plain_name(model: str) -> str:
    """A model's name without who serves it, its date and its window."""
    name = own_name(model.strip()).removesuffix(MILLION_SUFFIX)
    return _DECORATION.sub("", name)


def measured_on() -> str:
    """The day of the measurements, such as `2026-11-22`."""
    return MEASURED_ON


def _holds_either_way(one: Fact, rows: list[Fact]) -> bool:
    """Whether the tool search makes no difference to when it works, and this row frees less."""
    same = [other for other in rows if other.means == one.means]
    if len({other.effect for other in same}) > 1:
        return False
    return one == min(same, key=lambda other: other.freed_bytes)


_FACTS = tuple(Fact(*row[:5], cast("Effect", row[5]), *row[6:]) for row in ROWS)
