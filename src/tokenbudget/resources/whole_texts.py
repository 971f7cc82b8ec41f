"""The step that gives a JSON file other content, of which the journal holds no word.

Both contents are kept under their hashes. Where nobody has written since, taking it back gives
every byte of before; where somebody has, member by member what is ours alone.
"""

from __future__ import annotations

import os
from typing import NamedTuple

from tokenbudget.config.edit_json import dotted, with_item, with_value, without_item, without_key
from tokenbudget.config.edit_toml import NotEditable, same
from tokenbudget.config.json_text import is_blank, last, scanned
from tokenbudget.model.actions import Outcome
from tokenbudget.model.errors import Refused
from tokenbudget.resources.file_edits import PRIVATE
from tokenbudget.resources.settings import BOM
from tokenbudget.system.regular_file import is_still, quoted

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    from tokenbudget.config.json_text import Node
    from tokenbudget.model.actions import Json, RestoreText
    from tokenbudget.system.kept import Kept
    from tokenbudget.system.rooted import Found, Rooted
    from tokenbudget.system.trash import Trash

DEEPEST = 8
"""Below so many names a value is one: no settings file says more of itself."""


class Merged(NamedTuple):
    """A text without what we made of it, as far as that could be taken out."""

    text: str
    conflicts: tuple[str, ...]
    """Ways to values that somebody has changed since; they stay."""


class WholeTexts:
    """Every method but `look` and `verify` may raise TokenBudgetError and OSError."""

    def __init__(
        self,
        trash: Trash,
        kept: Kept,
        rooted: Rooted,
        locked: Callable[[], AbstractContextManager[None]],
        cause: str,
    ) -> None:
        self._trash = trash
        self._kept = kept
        self._rooted = rooted
        self._locked = locked
        self._cause = cause

    def prepare(self, step: RestoreText) -> Outcome:
        """Whether the file is still as it was looked at; both contents are kept already."""
        return self._prepared(step, self._rooted.read(step.path))

    def apply(self, step: RestoreText) -> Outcome:
        """Make the change, if the file is still as it was looked at."""
        with self._locked():
            found = self._rooted.read(step.path)
            prepared = self._prepared(step, found)
            if prepared.state == "planned":
                self._write(step, found, self._held(step.new))
                prepared = prepared._replace(state="done")
            return prepared

    def _prepared(self, step: RestoreText, found: Found | None) -> Outcome:
        now = _content(found)
        if now == self._held(step.new):
            return Outcome("unchanged", f"{quoted(step.path)} says so already")
        if now != self._held(step.old):
            raise Refused(f"{quoted(step.path)} was written since it was looked at")
        return Outcome("planned", "")

    def verify(self, step: RestoreText, outcome: Outcome) -> str:
        """'' where the file says what the step wants."""
        is_so = _content(self._rooted.read(step.path)) == self._held(step.new)
        return "" if is_so else f"{quoted(step.path)} does not say what was written"

    def look(self, step: RestoreText, outcome: Outcome) -> Outcome:
        """Whether a step that was begun was done, also if somebody has edited the file since."""
        now = _content(self._rooted.read(step.path))
        return outcome._replace(state="unchanged" if now == self._held(step.old) else "done")

    def foresee(self, step: RestoreText, outcome: Outcome) -> Outcome:
        """What `revert` would come to; nothing is changed."""
        return self._back(step, is_dry_run=True)

    def revert(self, step: RestoreText, outcome: Outcome) -> Outcome:
        """Take the change back."""
        with self._locked():
            return self._back(step, is_dry_run=False)

    def _back(self, step: RestoreText, *, is_dry_run: bool) -> Outcome:
        found = self._rooted.read(step.path)
        now, old, new = _content(found), self._held(step.old), self._held(step.new)
        after, said, is_conflict = old, "", False
        if now is None and new is not None:
            return Outcome("undone", f"{quoted(step.path)} is not there any more")
        if now not in (old, new):
            said = "the file has changed since; only this change is taken out of it"
            merged = without_ours(*((one or b"").decode() for one in (now, new, old)))
            after = merged.text.encode()
            if merged.conflicts:
                is_conflict = True
                said = f"{', '.join(merged.conflicts)} was written anew since; it is left"
        if after != now and not is_dry_run:
            self._write(step, found, after)
        return Outcome("conflict" if is_conflict else "undone", said)

    def _held(self, name: str | None) -> bytes | None:
        return None if name is None else self._kept.get(name)

    def _write(self, step: RestoreText, found: Found | None, content: bytes | None) -> None:
        path = step.path
        if content is not None:
            is_private = found is None and os.path.basename(path) == PRIVATE
            self._rooted.replace(path, found, content, 0o600 if is_private else None)
            return
        with self._rooted.opened(path) as (folder, name):
            if found and not is_still(folder, name, found.version):
                raise Refused(f"{quoted(path)} is being written by others; try again")
            self._trash.move(path, self._cause, folder)
        self._rooted.remove_empty_folders(path, step.folders)


def _content(found: Found | None) -> bytes | None:
    return None if found is None else found.content


# ── member by member ─────────────────────────────────────────────────────────────────────────────


def without_ours(now: str, ours: str, before: str) -> Merged:
    """`now` without what we did when we made `ours` of `before`; what somebody changed stays.

    Raises:
        Refused: one of them is no JSON object.
    """
    mark = BOM if now.startswith(BOM) else ""
    plain = [text.removeprefix(BOM) for text in (now, ours, before)]
    conflicts: list[str] = []
    try:
        text = _taken_out(plain[0], plain[1], plain[2], (), conflicts)
    except (ValueError, NotEditable) as wrong:
        raise Refused(f"it was written since, and cannot be changed safely: {wrong}") from wrong
    return Merged(mark + text, tuple(conflicts))


def _taken_out(
    now: str, ours: str, before: str, keys: tuple[str, ...], conflicts: list[str]
) -> str:
    mine, old = _node(ours, keys), _node(before, keys)
    if mine is not None and old is not None and same(mine.value, old.value):
        return now
    is_table = all(node is None or node.kind == "{" for node in (mine, old))
    if is_table and len(keys) < DEEPEST and ((mine is not None and old is not None) or not keys):
        names = [item.key for node in (mine, old) if node for item in node.items]
        for name in dict.fromkeys(names):
            now = _taken_out(now, ours, before, (*keys, name), conflicts)
        return now
    there = _node(now, keys)
    if _is_same(there, old):
        return now
    if not _is_same(there, mine):
        if _is_list(mine) and _is_list(old) and _is_list(there):
            return _list_taken_out(now, mine, old, keys)
        conflicts.append(dotted(keys))
        return now
    if old is None:
        return without_key(now, keys)
    return with_value(now, keys, old.value, raw=before[old.start : old.end])


def _list_taken_out(now: str, mine: Node | None, old: Node | None, keys: tuple[str, ...]) -> str:
    """What we put into a list leaves it, and what we took out of it is in it again."""
    added, gone = _beyond(mine, old), _beyond(old, mine)
    for value in added:
        members = _members(_node(now, keys))
        at = [n for n, one in enumerate(members) if same(one, value)]
        now = without_item(now, keys, at[-1]) if at else now
    for value in gone:
        if not any(same(one, value) for one in _members(_node(now, keys))):
            now = with_item(now, keys, value)
    if old is None and not _members(_node(now, keys)) and _node(now, keys) is not None:
        return without_key(now, keys)
    return now


def _beyond(one: Node | None, other: Node | None) -> list[Json]:
    known = _members(other)
    return [value for value in _members(one) if not any(same(value, at) for at in known)]


def _members(node: Node | None) -> list[Json]:
    return node.value if node is not None and isinstance(node.value, list) else []


def _is_list(node: Node | None) -> bool:
    return node is None or node.kind == "["


def _is_same(one: Node | None, other: Node | None) -> bool:
    if one is None or other is None:
        return one is other
    return same(one.value, other.value)


def _node(text: str, keys: tuple[str, ...]) -> Node | None:
    """The value at the end of the way; None where it is not there."""
    if is_blank(text):
        return None
    node = scanned(text)
    if node.kind != "{":
        raise ValueError("it is no object")
    for key in keys:
        item = last(node, key) if node.kind == "{" else None
        if item is None:
            return None
        node = item.node
    return node
