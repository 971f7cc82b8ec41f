"""What lies about in a project: stale context files, backups, editors' and programs' leftovers.

Nearly all of it is never sent: taking it away frees disk, not tokens. What is sent nonetheless is a
copy that stands where the agent reads everything (`sent_copies`). Files go into the trash, and
unasked only those that nobody would miss: git does not track them, they are older than a day, and
what they are a copy of is there.
"""

from __future__ import annotations

import os

from tokenbudget.model.actions import NEVER_SENT, Item, Proposal, TrashFile, Weight
from tokenbudget.resources.agent_settings import said_by
from tokenbudget.resources.evidence import DAY_MS
from tokenbudget.resources.git_index import tracked_in
from tokenbudget.resources.kind import Kind, counted, shown, typable
from tokenbudget.resources.leftovers import YOUNG_DAYS, agents_texts, leftovers, mentions_of
from tokenbudget.resources.looking import Walk, is_inside
from tokenbudget.resources.memory_loading import loaded
from tokenbudget.resources.sent_copies import sent_copies

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from tokenbudget.resources.git_index import Tracked
    from tokenbudget.resources.leftovers import Group, Hold, Leftover
    from tokenbudget.resources.looking import FileFacts, Folder
    from tokenbudget.resources.sent_copies import SentCopy

MOST_STEPS = 2_000
"""Of one proposal; what is left is found the next time."""
_KEPT_FOLDERS = ("sessions", "worktrees", "projects")
"""Below `.claude`: what other parts of the product and the client keep there."""
_NAMES_SHOWN = 3
_NOUNS: dict[Group, str] = {
    "backups": "backup",
    "swap-files": "editor swap file",
    "temporary-files": "temporary file",
    "stale-context": "stale context file",
}
_NEVER = "never sent: frees disk, not tokens"
_HOLDS: dict[Hold, str] = {
    "": _NEVER,
    "tracked": f"git tracks what is named here; {_NEVER}",
    "young": f"changed within a day; {_NEVER}",
    "alone": f"what it is a copy of is not there, so it may be all that is left; {_NEVER}",
    "unsaved": f"newer than its file, so it may hold words that were never saved; {_NEVER}",
}


class Scratch(Kind):
    """Stale context files, backups, swap and temporary files of a project."""

    name = "scratch"
    _leftovers: tuple[Leftover, ...] = ()
    _copies: tuple[SentCopy, ...] = ()

    def inventory(self) -> Sequence[Item]:
        """Everything of the kind in the project, also what will not be proposed."""
        said = said_by(self.place)
        memory = loaded(self.place, said).files
        self._tracked: Tracked = tracked_in(self.place.project)
        walk = Walk(self.place.project, self.place.clock)
        folders = self._entered(walk)
        self._copies = tuple(sent_copies(self.place, memory, self.weights))
        texts = (said.text, *(file.text for file in memory), *agents_texts(self.place, folders))
        mentions = mentions_of(texts, self.evidence)
        taken = {file.path for copy in self._copies for file in copy.files}
        taken |= {copy.path for copy in self._copies}
        found = leftovers(self.place, folders, self._tracked, mentions, taken)
        self._leftovers = tuple(found)
        self.notes = (f"{walk.cut}: not every folder was looked at",) if walk.cut else ()
        return [
            *map(self._copy_item, self._copies),
            *(self._item(one.facts) for one in self._leftovers),
        ]

    def plan(self, items: Sequence[Item]) -> Sequence[Proposal]:
        """Move what nobody would miss to the trash; offer the rest."""
        wanted = {item.path for item in items}
        copies = [copy for copy in self._copies if copy.path in wanted]
        by_kind: dict[tuple[Group, Hold], list[FileFacts]] = {}
        for one in self._leftovers:
            if one.facts.path in wanted and one.facts.is_ours and one.hold != "in-use":
                by_kind.setdefault((one.group, one.hold), []).append(one.facts)
        return [
            *map(self._copy_proposal, copies),
            *(self._proposal(*kind, files) for kind, files in sorted(by_kind.items())),
        ]

    def _entered(self, walk: Walk) -> list[Folder]:
        kept = [os.path.join(self.place.agent_folder, name) for name in _KEPT_FOLDERS]
        return [folder for folder in walk.folders() if not is_inside(folder.path, kept)]

    def _item(self, facts: FileFacts) -> Item:
        name = shown(self.place.name_of(facts.path))
        return Item(self.name, name, facts.path, facts.size_bytes, NEVER_SENT, None, None)

    def _proposal(self, group: Group, hold: Hold, files: Sequence[FileFacts]) -> Proposal:
        files = files[:MOST_STEPS]
        names = [shown(self.place.name_of(file.path)) for file in files[:_NAMES_SHOWN]]
        more = f" and {len(files) - _NAMES_SHOWN:,} more" if len(files) > _NAMES_SHOWN else ""
        return Proposal(
            id=f"{self.name}/{group}" + (f"-{hold}" if hold else ""),
            resource=self.name,
            title=f"move {counted(len(files), _NOUNS[group])} to the trash",
            reason=f"{', '.join(names)}{more}: {_HOLDS[hold]}",
            freed=NEVER_SENT,
            freed_bytes=sum(file.size_bytes for file in files),
            effect="disk only",
            is_chosen=not hold,
            steps=_steps(files),
        )

    # ── copies that are sent ───────────────────────────────────────────────────────────────────

    def _copy_item(self, copy: SentCopy) -> Item:
        size_bytes = sum(file.size_bytes for file in copy.files)
        name = shown(self.place.name_of(copy.path))
        return Item(self.name, name, copy.path, size_bytes, copy.weight, None, None)

    def _copy_proposal(self, copy: SentCopy) -> Proposal:
        name = shown(self.place.name_of(copy.path))
        reason = f"a copy of {shown(copy.original)} where the agent reads everything: it is sent"
        hold = self._why_kept(copy.files)
        return Proposal(
            id=typable(f"{self.name}/sent", self.place.name_of(copy.path)),
            resource=self.name,
            title=f"move {name} to the trash",
            reason=f"{reason}; {hold}" if hold else reason,
            freed=copy.weight if copy.files else Weight(None),
            freed_bytes=sum(file.size_bytes for file in copy.files),
            effect=copy.effect,
            is_chosen=bool(copy.files) and not hold,
            steps=_steps(copy.files),
            command="" if copy.files else f"look at {name}, and remove it if it is a copy",
        )

    def _why_kept(self, files: Sequence[FileFacts]) -> str:
        now_ms = self.place.clock.now_ms()
        if any(self._tracked.has(file.path) for file in files):
            return "but git tracks it, so its removal would be part of your next commit"
        if any(now_ms - file.mtime_ns / 1_000_000 < YOUNG_DAYS * DAY_MS for file in files):
            return "but it was changed within a day"
        return ""


def _steps(files: Sequence[FileFacts]) -> tuple[TrashFile, ...]:
    return tuple(TrashFile(file.path, file.size_bytes, file.mtime_ns) for file in files)
