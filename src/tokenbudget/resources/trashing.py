"""The step that takes a file away, into the trash, and gives it back."""

from __future__ import annotations

import os

from tokenbudget.model.actions import Outcome
from tokenbudget.model.errors import Refused, SourceUnreadable
from tokenbudget.system.regular_file import quoted

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tokenbudget.model.actions import TrashFile
    from tokenbudget.system.rooted import Rooted
    from tokenbudget.system.trash import Trash
    from tokenbudget.system.trash_origin import Discarded


class Trashing:
    """Every method but `look` and `verify` may raise TokenBudgetError and OSError."""

    def __init__(self, trash: Trash, rooted: Rooted, cause: str) -> None:
        self._trash = trash
        self._rooted = rooted
        self._cause = cause

    def apply(self, step: TrashFile) -> Outcome:
        """Take the file away, if it is still the one that was looked at."""
        try:
            with self._rooted.opened(step.path) as (folder, name):
                facts = _facts(folder, name)
                if facts is None:
                    return Outcome("unchanged", f"{quoted(step.path)} is not there any more")
                if not _is_of(facts, step):
                    raise Refused(f"{quoted(step.path)} was written since it was looked at")
                found = self._trash.move(step.path, self._cause, folder)
        except FileNotFoundError:
            return Outcome("unchanged", f"{quoted(step.path)} is not there any more")
        return Outcome("done", "", {"trash": found.id})

    def verify(self, step: TrashFile, outcome: Outcome) -> str:
        """'' where the file is not in its place, and in the trash."""
        if self._facts(step) is not None:
            return f"{quoted(step.path)} is there again"
        if outcome.state == "done" and self._entry(step, outcome) is None:
            return f"the trash does not hold {quoted(step.path)}"
        return ""

    def look(self, step: TrashFile, outcome: Outcome) -> Outcome:
        """Whether a step that was begun was done."""
        if self._facts(step) is not None:
            return Outcome("unchanged", "")
        entry = self._entry(step, outcome)
        if entry is None:
            return Outcome("unchanged", f"{quoted(step.path)} is not there any more")
        return Outcome("done", "", {"trash": entry})

    def revert(self, step: TrashFile, outcome: Outcome, *, is_dry_run: bool) -> Outcome:
        """Give it back; where another file has its place by now, both stay where they are."""
        entry = self._entry(step, outcome)
        facts = self._facts(step)
        if entry is None:
            if facts is not None and _is_of(facts, step):
                return Outcome("undone", "it is in its place already")
            raise SourceUnreadable(f"the trash does not hold {quoted(step.path)} any more")
        if is_dry_run:
            is_free = facts is None or _is_of(facts, step)  # the latter: ended while given back
            return Outcome("undone", "") if is_free else _taken(step, entry)
        with self._rooted.opened(step.path, may_make=True) as (folder, _):
            try:
                self._trash.give_back(entry, step.path, folder)
            except Refused:
                if self._facts(step) is None:
                    raise
                return _taken(step, entry)
        return Outcome("undone", "")

    def _facts(self, step: TrashFile) -> os.stat_result | None:
        try:
            with self._rooted.opened(step.path) as (folder, name):
                return _facts(folder, name)
        except FileNotFoundError:
            return None

    def _entry(self, step: TrashFile, outcome: Outcome) -> str | None:
        """The trash's id: as the outcome has it, else of the last such file that went there."""
        told = outcome.result.get("trash")
        if isinstance(told, str):
            return told if self._trash.find(told) else None
        ids = [found.id for found in self._trash.listing().discarded if _is_same(found, step)]
        return ids[-1] if ids else None


def _is_same(found: Discarded, step: TrashFile) -> bool:
    return (found.path, found.size_bytes, found.mtime_ns) == (
        *(os.path.abspath(step.path), step.size_bytes, step.mtime_ns),
    )


def _facts(folder: int, name: str) -> os.stat_result | None:
    try:
        return os.stat(name, dir_fd=folder, follow_symlinks=False)
    except FileNotFoundError:
        return None


def _is_of(facts: os.stat_result, step: TrashFile) -> bool:
    return (facts.st_size, facts.st_mtime_ns) == (step.size_bytes, step.mtime_ns)


def _taken(step: TrashFile, entry: str) -> Outcome:
    return Outcome(
        "conflict",
        f"another {quoted(step.path)} is there by now; both are kept, ours in the trash as {entry}",
    )
