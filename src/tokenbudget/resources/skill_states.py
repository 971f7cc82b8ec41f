"""The state that each skill, command, agent and plugin should have, and what that comes to.

Only what was measured to make requests smaller is proposed (docs/levers.md): `skillOverrides` for
skills and commands of a person or a project, `permissions.deny: ["Agent(name)"]` for agents, and
`enabledPlugins` for a plugin as a whole. On a client that does not know a setting it is none.
"""

from __future__ import annotations

from typing import NamedTuple

from tokenbudget.model.actions import NEVER_SENT, EditSettings, Proposal, SettingEdit, Weight
from tokenbudget.resources.evidence import server_key
from tokenbudget.resources.kind import counted, shown, typable
from tokenbudget.resources.skill_entry import NAME_ONLY, OFF, TYPED_ONLY, name_line
from tokenbudget.resources.unused import unused
from tokenbudget.resources.weights import added

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from tokenbudget.resources.evidence import Evidence
    from tokenbudget.resources.kind import Place
    from tokenbudget.resources.plugins import Plugin
    from tokenbudget.resources.skill_entry import Entry, Inventory
    from tokenbudget.resources.weights import Weights

PLUGINS = "plugins"


class Wanted(NamedTuple):
    """The state that something should have."""

    state: str
    """`user-invocable-only`, `off`, `name-only`."""
    proposal: Proposal


class States(NamedTuple):
    """What to change, and what all of it frees."""

    wanted: Mapping[str, Wanted]
    """By path of the definition, or key of the plugin."""
    freed: Weight
    """In every request, once all that is chosen has taken effect."""
    freed_bytes: int
    """What the requests shrink by then."""

    @property
    def chosen(self) -> tuple[Proposal, ...]:
        """What is done unless the person says otherwise."""
        return tuple(one.proposal for one in self.wanted.values() if one.proposal.is_chosen)

    def freed_by(self, proposals: Sequence[Proposal]) -> Weight:
        """What some of the changes free; of a full listing a few free less than their share."""
        if {one.id for one in proposals} == {one.id for one in self.chosen}:
            return self.freed
        return added(one.freed for one in proposals)


class SkillsFound(NamedTuple):
    """All that is told of a project's skills, commands, agents and plugins."""

    project: str
    inventory: Inventory
    states: States
    evidence: Evidence
    notes: tuple[str, ...]
    past_uses: Mapping[str, int]
    """Of skills by name, those here counting twice."""


def states_of(
    place: Place,
    inventory: Inventory,
    evidence: Evidence,
    weights: Weights,
    proposed: Iterable[Proposal],
) -> States:
    """The states that should be; `proposed` is what the resources propose for skills and agents."""
    by_id = {one.id: one for one in proposed}
    wanted: dict[str, Wanted] = {}
    for entry in inventory.entries:
        if entry.state != "on" or entry.plugin:
            continue
        if entry.scope == "client":
            named = _clients_own(place, inventory, evidence, entry)
            if named is not None:
                wanted[entry.definition.path] = Wanted(NAME_ONLY, named)
            continue
        kind = "agents" if entry.definition.kind == "agent" else "skills"
        proposal = by_id.get(typable(kind, entry.name))
        if proposal is not None and proposal.steps:
            wanted[entry.definition.path] = _wanted(place, inventory, evidence, entry, proposal)
    for plugin in inventory.plugins:
        found = _plugin_off(place, inventory, evidence, weights, plugin)
        if found is not None:
            wanted[plugin.key] = Wanted(OFF, found)
    return _weighed(inventory, wanted)


def _wanted(
    place: Place, inventory: Inventory, evidence: Evidence, entry: Entry, proposal: Proposal
) -> Wanted:
    """As proposed; of what a text names the name is kept, for the text tells when to use it."""
    verdict = unused(evidence, None, entry.definition.changed_ms)
    is_named = bool(entry.mention) and verdict is not None and verdict.is_sure
    if proposal.is_chosen or not is_named or entry.definition.kind == "agent":
        return Wanted(_value(proposal), proposal)
    edit = SettingEdit(("skillOverrides", entry.name), NAME_ONLY, is_member=False)
    if not inventory.said.takes(edit):
        return Wanted(_value(proposal), proposal)
    named = proposal._replace(
        title=f"tell only the name of the skill {shown(entry.name)} in this project",
        steps=(EditSettings(place.local_settings, (edit,)),),
        is_chosen=True,
    )
    return Wanted(NAME_ONLY, named)


def _clients_own(
    place: Place, inventory: Inventory, evidence: Evidence, entry: Entry
) -> Proposal | None:
    """Tell only the name of a skill of the client that nobody used here; see `skill_listed`."""
    verdict = None if entry.used.here else unused(evidence, None, 0)
    edit = SettingEdit(("skillOverrides", entry.name), NAME_ONLY, is_member=False)
    can_be = evidence.features.takes_skill_overrides and inventory.said.takes(edit)
    if verdict is None or not entry.definition.about or not can_be:
        return None
    return Proposal(
        id=typable("skills", entry.name),
        resource="skills",
        title=f"tell only the name of the client's own skill {shown(entry.name)} in this project",
        reason=f"{verdict.reason}; it can still be used by its name",
        freed=NEVER_SENT,  # `_weighed` says it
        freed_bytes=0,
        effect="next compaction",
        is_chosen=verdict.is_sure,
        steps=(EditSettings(place.local_settings, (edit,)),),
    )


def _value(proposal: Proposal) -> str:
    """The state that a proposal's edit sets; a rule against an agent switches it off."""
    for step in proposal.steps:
        for edit in step.edits if isinstance(step, EditSettings) else ():
            if edit.value in (OFF, TYPED_ONLY, NAME_ONLY):
                return str(edit.value)
    return OFF


def _plugin_off(
    place: Place, inventory: Inventory, evidence: Evidence, weights: Weights, plugin: Plugin
) -> Proposal | None:
    """Switch a plugin off that nobody used any part of; None where some part was, or may be."""
    entries = [one for one in inventory.entries if one.plugin == plugin.key]
    if not plugin.is_on or not (entries or plugin.servers):
        return None
    is_used = any(one.used.here for one in entries)
    is_used |= any(_is_called(evidence, server) for server in plugin.servers)
    changed_ms = max((one.definition.changed_ms for one in entries), default=0)
    verdict = None if is_used else unused(evidence, None, changed_ms)
    if verdict is None:
        return None
    mention = next((one.mention for one in entries if one.mention), "")
    verdict = verdict.beside(mention)
    edit = SettingEdit(("enabledPlugins", plugin.key), False, is_member=False)
    can_be = inventory.said.takes(edit)
    reason = f"{_parts(entries, plugin)} {verdict.reason}"
    if plugin.unseen:
        reason += f"; whether its {' and '.join(plugin.unseen)} are used cannot be seen"
    return Proposal(
        id=typable(PLUGINS, plugin.key),
        resource=PLUGINS,
        title=f"switch the plugin {shown(plugin.key)} off in this project",
        reason=reason,
        freed=added(_server_weights(weights, plugin)),  # its lines are added by `_weighed`
        freed_bytes=0,
        effect="next start",
        is_chosen=can_be and verdict.is_sure and not plugin.unseen,
        steps=(EditSettings(place.local_settings, (edit,)),) if can_be else (),
        command="" if can_be else "/plugin",
    )


def _is_called(evidence: Evidence, server: str) -> bool:
    use = evidence.servers.get(server_key(server))
    return use is not None and use.calls > 0


def _server_weights(weights: Weights, plugin: Plugin) -> list[Weight]:
    """What its servers weigh; what no window shows is not added, for it may be nothing."""
    found = [weights.of_server(server) for server in plugin.servers]
    return [one for one in found if one.tokens is not None]


def _parts(entries: Sequence[Entry], plugin: Plugin) -> str:
    counts = {
        kind: sum(one.definition.kind == kind for one in entries)
        for kind in ("skill", "command", "agent")
    }
    words = [counted(count, kind) for kind, count in counts.items() if count]
    words += [counted(len(plugin.servers), "MCP server")] if plugin.servers else []
    return ", ".join(words)


def _weighed(inventory: Inventory, wanted: Mapping[str, Wanted]) -> States:
    """With what each frees of all together: of a full listing less than the lines that leave it."""
    lost = {key: _lost(inventory, key, one) for key, one in wanted.items()}
    chosen = [key for key, one in wanted.items() if one.proposal.is_chosen]
    lines = sum(lost[key].characters for key in chosen)
    freed_characters = inventory.listing.without(lines)
    share = freed_characters / lines if lines else 1.0
    found = {
        key: one._replace(proposal=_freeing(inventory, one.proposal, lost[key], share))
        for key, one in wanted.items()
    }
    others = added(lost[key].others for key in chosen)
    freed = added([inventory.listing.freed(lines), others])
    return States(found, freed, freed_characters + sum(lost[key].other_bytes for key in chosen))


class _Lost(NamedTuple):
    """What leaves the requests by one change."""

    characters: int
    """Of the listing of skills."""
    others: Weight
    """Lines of agents, and MCP servers."""
    other_bytes: int


def _lost(inventory: Inventory, key: str, one: Wanted) -> _Lost:
    entries = [e for e in inventory.entries if key in (e.definition.path, e.plugin)]
    skills = [e for e in entries if e.definition.kind != "agent" and e.state == "on"]
    agents = [e for e in entries if e.definition.kind == "agent" and e.state == "on"]
    kept = sum(len(name_line(e)) for e in skills) if one.state == NAME_ONLY else 0
    servers = one.proposal.freed if one.proposal.resource == PLUGINS else NEVER_SENT
    return _Lost(
        sum(len(e.definition.line) for e in skills) - kept,
        added([*(e.line for e in agents), servers]),
        sum(len(e.definition.line.encode("utf-8", "replace")) for e in agents),
    )


def _freeing(inventory: Inventory, proposal: Proposal, lost: _Lost, share: float) -> Proposal:
    listed = inventory.listing.weight(round(lost.characters * share))
    return proposal._replace(freed=added([listed, lost.others]))
