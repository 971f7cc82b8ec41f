"""Memory files: what the client reads into every request, twice or at great length."""

from __future__ import annotations

import os

from tokenbudget.model.actions import (
    NEVER_SENT,
    EditSettings,
    EditText,
    Item,
    Proposal,
    SettingEdit,
    Weight,
)
from tokenbudget.resources import duplicated_text, oversized_text
from tokenbudget.resources.agent_settings import said_by
from tokenbudget.resources.git_index import tracked_in
from tokenbudget.resources.kind import Kind, counted, shown, typable
from tokenbudget.resources.looking import facts_of, is_plainly_inside, names_in
from tokenbudget.resources.memory_loading import loaded
from tokenbudget.resources.weights import added

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from tokenbudget.model.actions import Step
    from tokenbudget.resources.agent_settings import Said
    from tokenbudget.resources.duplicated_text import Cut, Whole
    from tokenbudget.resources.git_index import Tracked
    from tokenbudget.resources.memory_loading import MemoryFile

MOVED_FOLDER = ".claude/context/memory"
_NO_PATTERN = frozenset("*?{}!()|\\")
"""Signs that would make a path a pattern; one with brackets was measured to be taken as it is."""
_MOST_TITLES = 4


class MemoryFiles(Kind):
    """Duplicated and oversized memory files."""

    name = "memory-files"
    _files: tuple[MemoryFile, ...] = ()

    def inventory(self) -> Sequence[Item]:
        """Every memory file that is loaded, the conditional ones with no weight per request."""
        said = said_by(self.place)
        found = loaded(self.place, said)
        self.notes = (*said.notes, *found.notes)
        self._said: Said = said
        self._files = found.files
        self._tracked: Tracked = tracked_in(self.place.project)
        if self._tracked.has(self.place.local_settings):
            name = self.place.name_of(self.place.local_settings)
            said_so = f"git tracks {name}: what is set there would be part of your next commit"
            self.notes = (*self.notes, said_so)
        return [self._item(file) for file in found.files]

    def plan(self, items: Sequence[Item]) -> Sequence[Proposal]:
        """Leave out what is loaded twice, remove repeated blocks, move what is very long."""
        wanted = {item.path for item in items}
        files = [f for f in self._files if f.path in wanted and not f.is_conditional]
        files = [f for f in files if not f.leftover_of]  # `scratch` takes those away as a whole
        wholes = duplicated_text.whole_duplicates(files)
        proposals = [self._left_out(whole) for whole in wholes]
        gone = {whole.path for whole in wholes}
        rest = [file for file in files if file.path not in gone]
        cuts = duplicated_text.cuts_by_path(rest, self._tokens_of)
        cuts = {path: found for path, found in cuts.items() if self._is_ours(path)}
        touched = set(cuts) | {cut.kept_in for found in cuts.values() for cut in found}
        by_path = {file.path: file for file in rest}
        proposals += [self._cut(by_path[path], found) for path, found in cuts.items()]
        proposals += [
            one
            for file in rest
            if file.path not in touched
            for one in [self._slimmed(file)]
            if one is not None
        ]
        return proposals

    def _item(self, file: MemoryFile) -> Item:
        weight = NEVER_SENT if file.is_conditional else self._weight(file)
        name = shown(self.place.name_of(file.path))
        size_bytes = len(file.text.encode("utf-8", "surrogateescape"))
        return Item(self.name, name, file.path, size_bytes, weight, None, None)

    def _weight(self, file: MemoryFile) -> Weight:
        return self.weights.of_memory_file(file.path, file.sent)

    def _tokens_of(self, text: str) -> int:
        weight = self.weights.of_text(text)
        known = weight if weight.tokens is not None else self.weights.of_bytes(len(text))
        return known.tokens or 0

    def _is_ours(self, path: str) -> bool:
        """Whether a file of the project may be edited: its own, no link on the way to it."""
        facts = facts_of(path)
        is_inside = is_plainly_inside(path, self.place.project)
        return facts is not None and facts.is_ours and facts.is_writable and is_inside

    # ── loaded twice ───────────────────────────────────────────────────────────────────────────

    def _left_out(self, whole: Whole) -> Proposal:
        file = next(file for file in self._files if file.path == whole.path)
        name, kept = (shown(self.place.name_of(path)) for path in whole)
        edit = SettingEdit(("claudeMdExcludes",), whole.path, is_member=True)
        can_be = self._said.takes(edit) and not _NO_PATTERN.intersection(whole.path)
        steps: tuple[Step, ...] = (EditSettings(self.place.local_settings, (edit,)),)
        return Proposal(
            id=typable(f"{self.name}/twice", self.place.name_of(whole.path)),
            resource=self.name,
            title=f"leave {name} out of the requests (claudeMdExcludes in settings.local.json)",
            reason=f"it says word for word what {kept} says, and both are sent; no text is changed",
            freed=self._weight(file),
            freed_bytes=0,
            effect="next compaction",
            is_chosen=can_be,
            steps=steps if can_be else (),
            command="" if can_be else f"remove one of {name} and {kept}",
        )

    # ── repeated blocks ────────────────────────────────────────────────────────────────────────

    def _cut(self, file: MemoryFile, cuts: Sequence[Cut]) -> Proposal:
        name = shown(self.place.name_of(file.path))
        after = duplicated_text.without(file.text, cuts)
        is_tracked = self._tracked.has(file.path)
        kept = sorted({shown(self.place.name_of(cut.kept_in)) for cut in cuts})
        where = "there already" if kept == [name] else "in " + ", ".join(kept[:_MOST_TITLES])
        reason = f"{_titles(cuts)}: word for word {where}, and both are sent"
        if is_tracked:
            reason += "; git tracks the file, so the edit would be part of your next commit"
        return Proposal(
            id=typable(f"{self.name}/repeated", self.place.name_of(file.path)),
            resource=self.name,
            title=f"remove {counted(len(cuts), 'repeated block')} from {name}",
            reason=reason,
            freed=added(self.weights.of_text(file.text[cut.start : cut.end]) for cut in cuts),
            freed_bytes=len(file.text.encode()) - len(after.encode()),
            effect="next compaction",
            is_chosen=not is_tracked,
            steps=(EditText(file.path, file.text, after),),
        )

    # ── very long ──────────────────────────────────────────────────────────────────────────────

    def _slimmed(self, file: MemoryFile) -> Proposal | None:
        tokens = self._weight(file).tokens
        if tokens is None or tokens <= oversized_text.LARGEST_TOKENS:
            return None
        folder = os.path.join(self.place.project, MOVED_FOLDER)
        place = os.path.relpath(file.path, self.place.project)
        found = oversized_text.slimmed(
            file.text, place, MOVED_FOLDER, names_in(folder), self._tokens_of
        )
        is_ours = file.scope in ("project", "local") and self._is_ours(file.path)
        name = shown(self.place.name_of(file.path))
        allowed = f"{oversized_text.LARGEST_TOKENS:,} tokens"
        if found is None or not is_ours or not _is_free(folder, self.place.project):
            return self._shorten(file, name, tokens, allowed)
        steps: list[Step] = [
            EditText(os.path.join(folder, one.name), None, one.text) for one in found.moved
        ]
        steps.append(EditText(file.path, file.text, found.after))
        before = self.weights.of_text(file.text)
        left = self.weights.of_text(found.after)
        reason = (
            f"it is {tokens:,} tokens in every request, and {allowed} are what a window allots to"
            f" such words; every word stays, and is read when it is needed"
        )
        if self._tracked.has(file.path):
            reason += f". Git tracks {name} and ignores {MOVED_FOLDER}: add that for your team"
        return Proposal(
            id=typable(f"{self.name}/long", self.place.name_of(file.path)),
            resource=self.name,
            title=f"move {counted(len(found.moved), 'long section')} of {name} to {MOVED_FOLDER}",
            reason=reason,
            freed=_difference(before, left),
            freed_bytes=0,
            effect="next compaction",
            is_chosen=False,
            steps=tuple(steps),
        )

    def _shorten(self, file: MemoryFile, name: str, tokens: int, allowed: str) -> Proposal:
        return Proposal(
            id=typable(f"{self.name}/long", self.place.name_of(file.path)),
            resource=self.name,
            title=f"shorten {name}",
            reason=f"it is {tokens:,} tokens in every request; {allowed} are what a window allots",
            freed=Weight(None),
            freed_bytes=0,
            effect="next compaction",
            is_chosen=False,
            steps=(),
            command=f"move what is rarely needed out of {name}, into files that it names",
        )


def _titles(cuts: Sequence[Cut]) -> str:
    named = [f"'{shown(cut.title)}'" for cut in cuts if cut.title]
    others = len(cuts) - len(named)
    words = named[:_MOST_TITLES]
    if len(named) > _MOST_TITLES:
        words.append(counted(len(named) - _MOST_TITLES, "other section"))
    if others:
        words.append(counted(others, "paragraph"))
    return ", ".join(words)


def _difference(before: Weight, after: Weight) -> Weight:
    if before.tokens is None or after.tokens is None:
        return Weight(None)
    error = before.error_tokens - after.error_tokens
    return Weight(max(0, before.tokens - after.tokens), max(0, error), "estimated")


def _is_free(folder: str, project: str) -> bool:
    """Whether nothing on the way to a folder of the project is a link or a file."""
    while folder != project:
        if os.path.lexists(folder):
            return is_plainly_inside(folder, project) and os.path.isdir(folder)
        folder = os.path.dirname(folder)
    return True
