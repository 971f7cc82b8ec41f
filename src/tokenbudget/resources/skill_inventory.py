"""Every skill, command and custom agent that the client may load: what it weighs, who uses it.

Of a person, a project and plugins; those too that are switched off, hidden by another of the name,
or passed over by the client because something is wrong with them. Only looks.
"""

from __future__ import annotations

import os
from typing import NamedTuple

from tokenbudget.analysis import window_pieces
from tokenbudget.model.actions import NEVER_SENT, UNKNOWN_WEIGHT, Weight
from tokenbudget.resources.definitions import (
    DESCRIPTION_CHARACTERS,
    MOST_BYTES,
    Definition,
    agent_files,
    skill_files,
)
from tokenbudget.resources.front_matter import front_matter
from tokenbudget.resources.looking import names_in, text_at
from tokenbudget.resources.mentions import Mentions
from tokenbudget.resources.plugins import plugins_in
from tokenbudget.resources.skill_checks import (
    Attached,
    attached_to,
    faults_in,
    reference_faults,
    references_of,
    unread_skills,
)
from tokenbudget.resources.skill_entry import (
    NAME_ONLY,
    OFF,
    TYPED_ONLY,
    Entry,
    Inventory,
    name_line,
)
from tokenbudget.resources.skill_listed import clients_own
from tokenbudget.resources.skill_listing import listing_of
from tokenbudget.resources.skill_matching import rarity_of, triggers
from tokenbudget.resources.skill_overlaps import Text, overlaps_in
from tokenbudget.resources.skill_use import Used, tiered

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from tokenbudget.resources.agent_settings import Said
    from tokenbudget.resources.evidence import Evidence
    from tokenbudget.resources.kind import Place
    from tokenbudget.resources.plugins import Plugin
    from tokenbudget.resources.skill_checks import NotRead
    from tokenbudget.resources.skill_entry import Scope, State
    from tokenbudget.resources.skill_use import Uses
    from tokenbudget.resources.weights import Weights

MOST_ENTRIES = 2_000


class Known(NamedTuple):
    """What is known beside the files."""

    evidence: Evidence
    weights: Weights
    skills: Uses
    agents: Uses
    listing: str = ""
    """The lines of skills as the last session was sent them; '' for not known."""


class _Found(NamedTuple):
    """A definition, and whose it is."""

    definition: Definition
    scope: Scope
    plugin: str = ""
    hidden_by: str = ""
    is_on: bool = True


def inventory_of(place: Place, said: Said, known: Known) -> Inventory:
    """Look at everything."""
    characters = said.description_characters
    most = DESCRIPTION_CHARACTERS if characters is None else characters
    plugins = tuple(plugins_in(place, said, most))
    found = [*_own(place, most), *_of_plugins(plugins)][:MOST_ENTRIES]
    names = {one.definition.name for one in found}
    found += [_Found(one, "client") for one in clients_own(known.listing, names)]
    rarity = rarity_of([one.definition.about for one in found])
    looker = _Looker(place, said, known, {one.definition.name for one in found if one.plugin})
    texts: list[Text] = []
    entries: list[Entry] = []
    for one in found:
        text = looker.text_of(one)
        entries.append(
            looker.entry(one, text)._replace(triggers=triggers(one.definition.about, rarity))
        )
        if not one.hidden_by and one.scope != "client":
            body = text[front_matter(text).body_at :]
            texts.append(Text(one.definition.name, one.definition.about, body))
    entries += looker.broken()
    lines = [_sent_line(one) for one in entries if one.definition.kind != "agent"]
    return Inventory(
        tuple(entries),
        plugins,
        tuple(overlaps_in(texts)),
        listing_of(
            lines,
            said.listing_share,
            known.weights,
            is_wide=known.evidence.features.has_wide_listing,
            is_whole=any(one.scope == "client" for one in entries),
        ),
        said,
        said.notes,
    )


def _sent_line(entry: Entry) -> str:
    if entry.state == "on":
        return entry.definition.line
    return name_line(entry) if entry.state == NAME_ONLY else ""


def _own(place: Place, characters: int) -> list[_Found]:
    """The person's and the project's, each with what hides it."""
    skills, agents = [*skill_files(place, characters)], [*agent_files(place)]
    told = {one.name: one.path for one in skills}  # the last of a name is the one that is told
    told_agents: dict[str, Definition] = {}
    for one in agents:
        was = told_agents.get(one.name)
        if was is None or was.is_users != one.is_users or was.leftover_of:
            told_agents[one.name] = one
    found = [_found(one, told[one.name]) for one in skills]
    return [*found, *(_found(one, told_agents[one.name].path) for one in agents)]


def _found(one: Definition, told_path: str) -> _Found:
    hidden_by = "" if one.path == told_path else told_path
    return _Found(one, "user" if one.is_users else "project", "", hidden_by)


def _of_plugins(plugins: Sequence[Plugin]) -> Iterator[_Found]:
    for plugin in plugins:
        seen: set[tuple[str, str]] = set()
        for one in plugin.definitions:
            if (one.kind, one.name) not in seen:
                seen.add((one.kind, one.name))
                yield _Found(one, "plugin", plugin.key, "", plugin.is_on)


class _Looker:
    """Looks at one after the other."""

    def __init__(self, place: Place, said: Said, known: Known, of_plugins: Collection[str]) -> None:
        self._place = place
        self._said = said
        self._known = known
        self._of_plugins = of_plugins
        self._mentions = Mentions(place, said, known.evidence)

    def text_of(self, one: _Found) -> str:
        """Its words, as the client would read them."""
        path = one.definition.path
        if one.scope == "client":
            return ""
        tops = (self._place.project, self._place.home, *self._place.claude_dirs)
        if one.plugin:
            tops = (*tops, os.path.dirname(path))
        return text_at(path, tops, MOST_BYTES) or ""

    def entry(self, one: _Found, text: str) -> Entry:
        """All that is to be said of it, but for its triggers."""
        definition, weights = one.definition, self._known.weights
        whole = self._line_weight(definition, definition.line)
        state = self._state(one)
        line = whole if state == "on" else NEVER_SENT
        if state == NAME_ONLY:
            line = self._line_weight(definition, f"- {definition.name}\n")
        attached = Attached()
        is_file = one.scope != "client"
        faults = faults_in(definition, text) if is_file else []
        if definition.kind == "skill" and is_file:
            folder = os.path.dirname(definition.path)
            attached = attached_to(folder)
            faults += reference_faults(references_of(folder, text))
        if definition.leftover_of:
            faults.append(f"by its name a copy of {definition.leftover_of}")
        used = self._used(one)
        mention = self._mentions.where(definition.name, *definition.other_names)
        return Entry(
            definition,
            one.scope,
            one.plugin,
            state,
            line,
            whole,
            weights.of_text(text[front_matter(text).body_at :]) if is_file else UNKNOWN_WEIGHT,
            attached,
            weights.of_bytes(attached.size_bytes) if attached.paths else NEVER_SENT,
            (),
            used,
            tiered(used, self._known.evidence, definition.changed_ms, mention),
            mention,
            tuple(faults),
            one.hidden_by,
        )

    def broken(self) -> Iterator[Entry]:
        """Folders of skills that are not read, by the client or here."""
        place = self._place
        own = (os.path.join(place.agent_folder, "skills"), (place.project,), False)
        tops: list[tuple[str, tuple[str, ...], bool]] = [own]
        tops += [
            (os.path.join(top, "skills"), (top, place.home or top), True)
            for top in place.claude_dirs
        ]
        for top, allowed, is_users in tops:
            for one in unread_skills(top, allowed, names_in(top)):
                yield self._broken(one, is_users)

    def _broken(self, one: NotRead, is_users: bool) -> Entry:
        name = os.path.basename(os.path.dirname(one.path))
        line = UNKNOWN_WEIGHT if one.is_clients else NEVER_SENT
        evidence = self._known.evidence
        return Entry(
            Definition(name, one.path, "", is_users, False, 0, 0, ""),
            "user" if is_users else "project",
            "",
            "broken",
            line,
            line,
            UNKNOWN_WEIGHT,
            Attached(),
            NEVER_SENT,
            (),
            Used(),
            tiered(Used(), evidence, evidence.until_ms),
            "",
            (one.why,),
            "",
        )

    def _line_weight(self, definition: Definition, line: str) -> Weight:
        is_agent = definition.kind == "agent"
        group = window_pieces.AGENTS if is_agent else window_pieces.SKILLS
        return self._known.weights.of_line(group, line) if line else NEVER_SENT

    def _state(self, one: _Found) -> State:
        definition = one.definition
        if one.hidden_by:
            return "hidden"
        if not one.is_on:
            return "off"
        if definition.kind == "agent":
            rules = {f"Agent({definition.name})", f"Task({definition.name})", "Agent", "Task"}
            works = self._known.evidence.features.takes_agent_rules
            return "off" if works and not self._said.denied.isdisjoint(rules) else "on"
        if not definition.line:
            return "silent"
        override = self._said.skill_overrides.get(definition.name, "on")
        if one.plugin or not self._known.evidence.features.takes_skill_overrides:
            return "on"  # there it does nothing
        if override in (NAME_ONLY, TYPED_ONLY, OFF):
            return override  # type: ignore[return-value] # one of three words
        return "on"

    def _used(self, one: _Found) -> Used:
        """By its name, its title, or with a plugin in front that is no plugin's of here."""
        definition = one.definition
        uses = self._known.agents if definition.kind == "agent" else self._known.skills
        names = {definition.name, *definition.other_names}
        if not one.plugin and definition.kind != "agent":
            names |= {
                name
                for name in uses.names
                if name.rpartition(":")[2] in names and name not in self._of_plugins
            }
        return uses.of(names)
