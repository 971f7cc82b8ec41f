"""A skill, command or custom agent, and what is known of it: values, and nothing else."""

from __future__ import annotations

from typing import Literal, NamedTuple, TypeAlias

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tokenbudget.model.actions import Weight
    from tokenbudget.resources.agent_settings import Said
    from tokenbudget.resources.definitions import Definition
    from tokenbudget.resources.plugins import Plugin
    from tokenbudget.resources.skill_checks import Attached
    from tokenbudget.resources.skill_listing import Listing
    from tokenbudget.resources.skill_overlaps import Overlap
    from tokenbudget.resources.skill_use import Tiered, Used

Scope: TypeAlias = Literal["user", "project", "plugin", "client"]
State: TypeAlias = Literal[
    "on", "name-only", "user-invocable-only", "off", "silent", "hidden", "broken"
]
"""`silent`: it has no line by its own front matter. `hidden`: another of its name is told instead.
`broken`: it is not read, by the client or here."""

NAME_ONLY, TYPED_ONLY, OFF = "name-only", "user-invocable-only", "off"


class Entry(NamedTuple):
    """One skill, command or agent."""

    definition: Definition
    scope: Scope
    plugin: str
    """`name@marketplace`; '' for none."""
    state: State
    line: Weight
    """What its line weighs in every request now."""
    whole_line: Weight
    """What it weighs, or would, with its description."""
    body: Weight
    attached: Attached
    attached_weight: Weight
    triggers: tuple[str, ...]
    used: Used
    tiered: Tiered
    mention: str
    """Where a text of the project names it; '' for nowhere."""
    faults: tuple[str, ...]
    hidden_by: str
    """Where the other of its name lies."""

    @property
    def name(self) -> str:
        """What settings know it by."""
        return self.definition.name


class Inventory(NamedTuple):
    """All that was found."""

    entries: tuple[Entry, ...]
    plugins: tuple[Plugin, ...]
    overlaps: tuple[Overlap, ...]
    listing: Listing
    said: Said
    notes: tuple[str, ...]


def name_line(entry: Entry) -> str:
    """The line of a skill of which only the name is told."""
    return f"- {entry.name}\n"
