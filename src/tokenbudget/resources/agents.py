"""Custom agents: a line of each is in every request, its words only where it is started.

`permissions.deny: ["Agent(name)"]` in the project's local settings takes the line away in this
project. Measured with Claude Code 2.1.329: it takes effect at the next compaction; before that a
running session is sent a notice about it.
"""

from __future__ import annotations

import re

from tokenbudget.analysis import window_pieces
from tokenbudget.model.actions import NEVER_SENT, EditSettings, Item, Proposal, SettingEdit
from tokenbudget.resources.agent_settings import said_by
from tokenbudget.resources.definitions import agents_in
from tokenbudget.resources.kind import Kind, shown, typable
from tokenbudget.resources.mentions import Mentions
from tokenbudget.resources.unused import unused

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from tokenbudget.model.actions import Weight
    from tokenbudget.resources.agent_settings import Said
    from tokenbudget.resources.definitions import Definition

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._:-]{0,99}")
"""What can stand in a rule without being read as anything else."""


class Agents(Kind):
    """Custom agents that the project does not use."""

    name = "agents"
    _found: tuple[Definition, ...] = ()

    def inventory(self) -> Sequence[Item]:
        """Every custom agent, a person's and the project's, with what its line weighs."""
        self._said: Said = said_by(self.place)
        self.notes = (
            *self._said.notes,
            "agents of plugins are not judged here; tokens skills does",
        )
        self._found = tuple(agents_in(self.place))
        self._mentions = Mentions(self.place, self._said, self.evidence)
        return [self._item(agent) for agent in self._found]

    def plan(self, items: Sequence[Item]) -> Sequence[Proposal]:
        """Take the lines of those out that were not started."""
        wanted = {item.path for item in items}
        found = (self._proposal(agent) for agent in self._found if agent.path in wanted)
        return [one for one in found if one is not None]

    def _item(self, agent: Definition) -> Item:
        use = self.evidence.agents.get(agent.name)
        weight = NEVER_SENT if self._is_denied(agent) else self._line_weight(agent)
        last_ms, calls = (None, 0) if use is None else (use.last_ms, use.calls)
        return Item(
            self.name, shown(agent.name), agent.path, agent.size_bytes, weight, last_ms, calls
        )

    def _is_denied(self, agent: Definition) -> bool:
        rules = {f"Agent({agent.name})", f"Task({agent.name})", "Agent", "Task"}
        return not self._said.denied.isdisjoint(rules)

    def _line_weight(self, agent: Definition) -> Weight:
        return self.weights.of_line(window_pieces.AGENTS, agent.line)

    def _proposal(self, agent: Definition) -> Proposal | None:
        if self._is_denied(agent):
            return None
        verdict = unused(self.evidence, self.evidence.agents.get(agent.name), agent.changed_ms)
        if verdict is None:
            return None
        verdict = verdict.beside(self._mentions.where(agent.name))
        edit = SettingEdit(("permissions", "deny"), f"Agent({agent.name})", is_member=True)
        can_be = _NAME.fullmatch(agent.name) is not None and self._said.takes(edit)
        can_be = can_be and self.evidence.features.takes_agent_rules
        return Proposal(
            id=typable(self.name, agent.name),
            resource=self.name,
            title=f"take the agent {shown(agent.name)} out of the listing in this project",
            reason=verdict.reason,
            freed=self._line_weight(agent),
            freed_bytes=0,
            effect="next compaction",
            is_chosen=can_be and verdict.is_sure,
            steps=(EditSettings(self.place.local_settings, (edit,)),) if can_be else (),
            command="" if can_be else "/agents",
        )
