"""How hard results are shortened, and how tersely the agent is asked to write, in one project.

Both are `tokenManagement.compressionMode`. In the project's local settings hooks read it live: the
next result of a tool is shortened by it. The sentence that asks the agent to be terse is said as a
session begins, so it comes with the next compaction or start. As it is one setting, only one of the
two is ever proposed: terseness where results are not shortened anyway.
"""

from __future__ import annotations

from typing import NamedTuple

from tokenbudget.model.actions import (
    NEVER_SENT,
    UNKNOWN_WEIGHT,
    EditSettings,
    Item,
    Proposal,
    SettingEdit,
    Weight,
)
from tokenbudget.resources.agent_settings import said_by
from tokenbudget.resources.kind import Kind

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from tokenbudget.model.actions import Effect
    from tokenbudget.resources.agent_settings import Said
    from tokenbudget.resources.evidence import Evidence
    from tokenbudget.resources.kind import Hands, Place
    from tokenbudget.resources.weights import Weights

KEYS = ("tokenManagement", "compressionMode")
HARDEST = "compressed"
CARRIED_SHARE = {"verbose": 0.017, "balanced": 0.050, HARDEST: 0.056}
"""What shortening takes out of what results carry from request to request: docs/trim.md, of 113
recorded sessions."""


class Flow(NamedTuple):
    """What tools put into the window of a session."""

    mode: str
    """The compression mode that holds in the project now."""
    results_per_request_tokens: float
    requests: float
    """That are looked ahead."""
    is_hooked: bool
    """Whether our hooks hear of this session: without them nothing is said or shortened."""
    is_trimming: bool = True
    """Whether results are shortened at all."""


class _Mode(Kind):
    """A lever that is the compression mode; `name` says which side of it."""

    effect: Effect = "now"
    title = ""
    is_of_results = False

    def __init__(
        self,
        place: Place,
        evidence: Evidence,
        weights: Weights,
        hands: Hands,
        flow: Flow | None = None,
    ) -> None:
        """As every kind; without a flow there is nothing to tune."""
        super().__init__(place, evidence, weights, hands)
        self._flow = flow

    def inventory(self) -> Sequence[Item]:
        """The mode that holds; nothing where no hook hears of the session."""
        self._said: Said = said_by(self.place)
        self.notes = self._said.notes
        flow = self._flow
        if flow is None or not flow.is_hooked or flow.is_trimming != self.is_of_results:
            return []
        return [Item(self.name, flow.mode, "", 0, NEVER_SENT, None, None)]

    def plan(self, items: Sequence[Item]) -> Sequence[Proposal]:
        """The hardest mode, where it is not the one that holds."""
        flow = self._flow
        if flow is None or not items or flow.mode == HARDEST:
            return []
        edit = SettingEdit(KEYS, HARDEST, is_member=False)
        can_be = self._said.takes(edit)
        return [
            Proposal(
                id=f"{self.name}/{HARDEST}",
                resource=self.name,
                title=self.title,
                reason=self.reason(flow),
                freed=self.freed(flow),
                freed_bytes=0,
                effect=self.effect,
                is_chosen=can_be,
                steps=(EditSettings(self.place.local_settings, (edit,)),) if can_be else (),
                command=f"tokens mode {HARDEST} --scope local",
            )
        ]

    def reason(self, flow: Flow) -> str:
        """The evidence, as a clause."""
        raise NotImplementedError

    def freed(self, flow: Flow) -> Weight:
        """What every request lacks by the end of what is looked ahead."""
        raise NotImplementedError


class Trimming(_Mode):
    """How hard the results of tools are shortened."""

    name = "trimming"
    effect: Effect = "now"
    title = "shorten results of tools harder, and ask for terse answers, in this project"
    is_of_results = True

    def reason(self, flow: Flow) -> str:
        """What results add, and what the level takes of that."""
        share = _extra_share(flow.mode)
        return (
            f"results add {flow.results_per_request_tokens:,.0f} tokens a request;"
            f" {HARDEST} instead of {flow.mode} takes {share:.1%} of that out"
        )

    def freed(self, flow: Flow) -> Weight:
        """Of the results that are still to come; those in the window stay as they are."""
        tokens = _extra_share(flow.mode) * flow.results_per_request_tokens * flow.requests
        return Weight(round(tokens), round(tokens), "estimated")


class Terseness(_Mode):
    """How tersely the agent is asked to write."""

    name = "terseness"
    effect: Effect = "next compaction"
    title = "ask the agent to write tersely in this project"

    def reason(self, flow: Flow) -> str:
        """What it costs; what it saves depends on how the model takes it."""
        return "asked in 28 tokens; what an answer is shorter by cannot be told beforehand"

    def freed(self, flow: Flow) -> Weight:
        """Nobody knows it beforehand."""
        return UNKNOWN_WEIGHT


def _extra_share(mode: str) -> float:
    return CARRIED_SHARE[HARDEST] - CARRIED_SHARE.get(mode, CARRIED_SHARE[HARDEST])
