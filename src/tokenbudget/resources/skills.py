"""Skills and commands: a line of each is in every request, the body only where it is used.

`skillOverrides` in the project's local settings takes the line away in this project, and nothing
else: with `user-invocable-only` a person can still type the skill's name. Measured with Claude Code
2.1.329: both values free the same bytes, and they take effect at the next compaction.
"""

from __future__ import annotations

import math

from tokenbudget.analysis import window_pieces
from tokenbudget.model.actions import (
    NEVER_SENT,
    EditSettings,
    Item,
    Proposal,
    SettingEdit,
    Weight,
)
from tokenbudget.resources.agent_settings import said_by
from tokenbudget.resources.definitions import DESCRIPTION_CHARACTERS, lines_of, skills_in
from tokenbudget.resources.evidence import Use
from tokenbudget.resources.kind import Kind, shown, typable
from tokenbudget.resources.mentions import Mentions
from tokenbudget.resources.unused import unused

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from tokenbudget.resources.agent_settings import Said
    from tokenbudget.resources.definitions import Definition

LISTING_SHARE, CHARACTERS_PER_TOKEN, USUAL_WINDOW_TOKENS = 0.01, 4, 200_000
"""The client's budget for all lines: this share of the window, in characters."""
BUNDLED_CHARACTERS = 6_300
"""About what the lines of the skills that come with the client take, 2.1.329."""
NEARLY_FULL = 0.95
CAPPED_SHARE = 1 / 3
"""Where the listing is full, others get the room. Measured: of 20 lines that were 1,150 tokens, one
freed nothing and all of them 390."""


class Skills(Kind):
    """Skills that the project does not use."""

    name = "skills"
    _found: tuple[Definition, ...] = ()

    def inventory(self) -> Sequence[Item]:
        """Every skill, a person's and the project's, with what its line weighs."""
        self._said: Said = said_by(self.place)
        self.notes = (
            *self._said.notes,
            "skills of plugins are not judged here; tokens skills does",
        )
        characters = self._said.description_characters
        most = DESCRIPTION_CHARACTERS if characters is None else characters
        self._found = tuple(skills_in(self.place, most))
        self._is_capped = self._listing_is_full()
        self._mentions = Mentions(self.place, self._said, self.evidence)
        return [self._item(skill) for skill in self._found]

    def plan(self, items: Sequence[Item]) -> Sequence[Proposal]:
        """Take the lines of those out that were not used."""
        wanted = {item.path for item in items}
        found = (self._proposal(skill) for skill in self._found if skill.path in wanted)
        return [one for one in found if one is not None]

    def _item(self, skill: Definition) -> Item:
        use = self._use(skill)
        weight = NEVER_SENT if self._is_silent(skill) else self._line_weight(skill)
        last_ms, calls = (None, 0) if use is None else (use.last_ms, use.calls)
        return Item(
            self.name, shown(skill.name), skill.path, skill.size_bytes, weight, last_ms, calls
        )

    def _is_silent(self, skill: Definition) -> bool:
        override = self._said.skill_overrides.get(skill.name, "on")
        return not skill.line or override in ("off", "user-invocable-only")

    def _use(self, skill: Definition) -> Use | None:
        """By its own name, its title, or with something in front (`plugin:name`)."""
        names = {skill.name, *skill.other_names}
        uses = [
            use
            for name, use in self.evidence.skills.items()
            if name in names or name.rpartition(":")[2] in names
        ]
        if not uses:
            return None
        last_ms = max((use.last_ms or 0 for use in uses), default=0)
        return Use(sum(u.calls for u in uses), max(u.sessions for u in uses), last_ms or None)

    def _proposal(self, skill: Definition) -> Proposal | None:
        if self._is_silent(skill) or skill.leftover_of:
            return None
        verdict = unused(self.evidence, self._use(skill), skill.changed_ms)
        if verdict is None:
            return None
        verdict = verdict.beside(self._mentions.where(skill.name, *skill.other_names))
        value = "user-invocable-only" if skill.is_typed else "off"
        edit = SettingEdit(("skillOverrides", skill.name), value, is_member=False)
        can_be = self._said.takes(edit) and self.evidence.features.takes_skill_overrides
        reason = verdict.reason
        if skill.is_typed:
            reason += f"; it can still be typed as /{shown(skill.name)}"
        if self._is_capped:
            reason += "; the listing is full, so that others may get the room"
        return Proposal(
            id=typable(self.name, skill.name),
            resource=self.name,
            title=f"take the skill {shown(skill.name)} out of the listing in this project",
            reason=reason,
            freed=self._line_weight(skill),
            freed_bytes=0,
            effect="next compaction",
            is_chosen=can_be and verdict.is_sure,
            steps=(EditSettings(self.place.local_settings, (edit,)),) if can_be else (),
            command="" if can_be else "/skills",
        )

    def _line_weight(self, skill: Definition) -> Weight:
        whole = self.weights.of_line(window_pieces.SKILLS, skill.line)
        if not self._is_capped or whole.tokens is None:
            return whole
        tokens = round(whole.tokens * CAPPED_SHARE)
        error = max(tokens, math.ceil(whole.error_tokens * CAPPED_SHARE))
        return Weight(tokens, error, "estimated")

    def _listing_is_full(self) -> bool:
        share = self._said.listing_share or LISTING_SHARE
        window_tokens = self.weights.window_tokens or USUAL_WINDOW_TOKENS
        most = share * CHARACTERS_PER_TOKEN * window_tokens
        seen = self.weights.listing(window_pieces.SKILLS)
        if seen is not None and seen.size_bytes:
            return seen.size_bytes >= NEARLY_FULL * most
        sent = [skill for skill in self._found if not self._is_silent(skill)]
        return len(lines_of(sent)) + BUNDLED_CHARACTERS >= NEARLY_FULL * most
