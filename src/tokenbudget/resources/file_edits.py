"""The steps that change a file: what it held is kept, it is replaced at once, and it is taken back.

Where nobody has written since, taking back gives every byte of before; a file that we made goes to
the trash. Where somebody has, `settings` and `text_merge` take out our own change alone.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
from typing import NamedTuple

from tokenbudget.config.edit_toml import NotEditable
from tokenbudget.model.actions import EditSettings, EditText, Outcome
from tokenbudget.model.errors import ProjectUnusable, Refused, SourceUnreadable
from tokenbudget.resources.settings import differences, edited, is_made, taken_out, without_secrets
from tokenbudget.resources.text_merge import MOST_LINES, without_ours
from tokenbudget.system.locks import FileLock
from tokenbudget.system.regular_file import is_still, quoted
from tokenbudget.system.rooted import missing_folders

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import TypeAlias

    from tokenbudget.model.actions import Json, State
    from tokenbudget.model.protocols import Clock
    from tokenbudget.system.kept import Kept
    from tokenbudget.system.rooted import Found, Rooted
    from tokenbudget.system.trash import Trash

    Edit: TypeAlias = EditSettings | EditText

LOCK_NAME = "config.lock"
"""The one that `tokens config` takes too: one of us at a time writes settings."""
LOCK_SECONDS = 10.0
PRIVATE = "settings.local.json"
"""One person's settings in a project; every other new file is made by the umask."""


class _Change(NamedTuple):
    """What is to be written over what was found; None is a file that is not there."""

    found: Found | None
    after: bytes | None
    message: str = ""
    is_conflict: bool = False
    left: tuple[int, ...] | None = ()
    """Which parts of ours stay, as `settings` and `text_merge` count them; None: all."""
    tried: tuple[int, ...] | None = None
    """Which parts were to be taken out; None: all."""
    mode: int | None = None
    """The mode that the file gets; None: it keeps its own."""

    @property
    def is_any(self) -> bool:
        if self.mode is not None and self.found is not None and self.mode != self.found.mode:
            return True
        return self.after != (None if self.found is None else self.found.content)


class FileEdits:
    """Every method but `look` and `verify` may raise TokenBudgetError and OSError."""

    def __init__(self, trash: Trash, kept: Kept, rooted: Rooted, clock: Clock, cause: str) -> None:
        self._trash = trash
        self._kept = kept
        self._rooted = rooted
        self._clock = clock
        self._cause = cause

    def prepare(self, step: Edit) -> Outcome:
        """Keep what the file holds; the outcome says what it will hold."""
        return self._prepared(step, self._to_make(step))

    def apply(self, step: Edit) -> Outcome:
        """Make the change."""
        with self.locked():
            change = self._to_make(step)
            prepared = self._prepared(step, change)
            if prepared.state == "planned":
                self._write(step.path, change)
                prepared = prepared._replace(state="done")
            return prepared

    def verify(self, step: Edit, outcome: Outcome) -> str:
        """'' where the file says what the step wants."""
        text = _text(self._rooted.read(step.path), step.path)
        if isinstance(step, EditSettings):
            is_so = text is not None and is_made(text, step.edits)
        else:
            is_so = text == step.after
        return "" if is_so else f"{quoted(step.path)} does not say what was written"

    def look(self, step: Edit, outcome: Outcome) -> Outcome:
        """Whether a step that was begun was done, also if somebody has edited the file since."""
        found = self._rooted.read(step.path)
        before, after = outcome.result.get("before"), outcome.result.get("after")
        now = None if found is None else _sha256(found.content)
        if not isinstance(after, str) or now == before:
            return Outcome("unchanged", "")
        if now == after or (isinstance(step, EditText) and found is not None):
            return outcome._replace(state="done")
        text = _text(found, step.path)
        is_ours = isinstance(step, EditSettings) and text and is_made(text, step.edits)
        return outcome._replace(state="done" if is_ours else "unchanged")

    def prepare_revert(self, step: Edit, outcome: Outcome) -> Outcome:
        """The outcome with what the file will hold once the change is taken back."""
        change = self._to_take_back(step, outcome)
        if change.after is None or not change.is_any:
            return outcome
        return outcome._replace(result={**outcome.result, "out": _out(change, is_done=False)})

    def revert(self, step: Edit, outcome: Outcome, *, is_dry_run: bool) -> Outcome:
        """Take the change back."""
        with contextlib.nullcontext() if is_dry_run else self.locked():
            change = _with_old_mode(self._to_take_back(step, outcome), step, outcome)
            if change.is_any and not is_dry_run:
                self._write(step.path, change)
            made = outcome.result.get("folders")
            if change.after is None and isinstance(made, int) and not is_dry_run:
                self._rooted.remove_empty_folders(step.path, made)
        state: State = "conflict" if change.is_conflict else "undone"
        if is_dry_run:
            return Outcome(state, change.message, {"difference": _difference(step, change)})
        return Outcome(state, change.message, {"out": _out(change, is_done=True)})

    # ── what is to be written ──────────────────────────────────────────────────────────────────

    def _to_make(self, step: Edit) -> _Change:
        found = self._rooted.read(step.path)
        text = _text(found, step.path)
        if isinstance(step, EditText):
            if text not in (step.before, step.after):
                raise Refused(f"{quoted(step.path)} was written since it was looked at")
            return _Change(found, _bytes(step.after, step.path))
        try:
            after = edited(text or "", step.edits)
        except (ValueError, NotEditable) as wrong:
            raise Refused(f"{quoted(step.path)} cannot be changed safely: {wrong}") from wrong
        return _Change(found, after.encode() if after or found else None, mode=step.mode)

    def _prepared(self, step: Edit, change: _Change) -> Outcome:
        if not change.is_any or change.after is None:
            return Outcome("unchanged", f"{quoted(step.path)} says so already")
        before = None if change.found is None else self._kept.put(change.found.content)
        result: dict[str, Json] = {"before": before, "after": _sha256(change.after)}
        if change.found is None:
            result["folders"] = missing_folders(step.path)
        elif change.mode is not None:
            result["mode"] = change.found.mode
        return Outcome("planned", "", result)

    def _to_take_back(self, step: Edit, outcome: Outcome) -> _Change:
        found = self._rooted.read(step.path)
        if found is None:
            return _Change(None, None, f"{quoted(step.path)} is not there any more")
        before = self._before(outcome)
        now = _sha256(found.content)
        if now == outcome.result.get("after") or found.content == before:
            return _Change(found, before)
        out = outcome.result.get("out")
        if not isinstance(out, dict):
            return self._merged(step, found, before, None)
        if out.get("is_done"):
            return self._merged(step, found, before, _numbers(out.get("left")))
        if now == out.get("target"):  # it was taken back, and then the process ended
            left = _numbers(out.get("left"))
            return _Change(found, found.content, str(out.get("said")), left != (), left)
        return self._merged(step, found, before, _numbers(out.get("tried")))

    def _before(self, outcome: Outcome) -> bytes | None:
        """What the file held; None where we made it."""
        name = outcome.result.get("before", "")
        if name is None:
            return None
        if not isinstance(name, str) or not name:
            raise SourceUnreadable("the journal does not say what the file held before")
        return self._kept.get(name)

    def _merged(
        self, step: Edit, found: Found, before: bytes | None, only: tuple[int, ...] | None
    ) -> _Change:
        """Somebody has edited since: our own change is taken out, or it is a conflict.

        `only` is what stayed an earlier time; the rest is out.
        """
        try:
            now = found.content.decode()
        except UnicodeDecodeError:
            said = f"{quoted(step.path)} is no UTF-8 text any more"
            return _Change(found, found.content, said, is_conflict=True, left=only)
        old = (before or b"").decode()
        if isinstance(step, EditSettings):
            text, conflicts, left = taken_out(now, old, step.edits, only)
        else:
            text, left = without_ours(now, step.after, old, only)
            conflicts = tuple(
                f"what we wrote at line {line} of {quoted(step.path)} was edited since; it stays"
                for line in left
            )
        if conflicts:
            return _Change(found, text.encode(), "; ".join(conflicts), True, left, only)
        after = None if before is None and not text else text.encode()
        said = "the file has changed since; only this change is taken out of it"
        return _Change(found, after, said, tried=only)

    # ── writing ────────────────────────────────────────────────────────────────────────────────

    def _write(self, path: str, change: _Change) -> None:
        if change.after is not None:
            is_new_private = change.found is None and os.path.basename(path) == PRIVATE
            mode = 0o600 if is_new_private else change.mode
            self._rooted.replace(path, change.found, change.after, mode)
            return
        with self._rooted.opened(path) as (folder, name):
            if change.found and not is_still(folder, name, change.found.version):
                raise Refused(f"{quoted(path)} is being written by others; try again")
            self._trash.move(path, self._cause, folder)

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Be the only one of us that writes settings."""
        with FileLock(os.path.join(self._kept.data_dir, LOCK_NAME)) as lock:
            self._wait_for(lock)
            yield

    def _wait_for(self, lock: FileLock) -> None:
        started = self._clock.monotonic_seconds()
        try:
            os.makedirs(self._kept.data_dir, mode=0o700, exist_ok=True)
            while not lock.try_acquire():
                if self._clock.monotonic_seconds() - started > LOCK_SECONDS:
                    raise Refused(f"another command has held {quoted(lock.path)} for too long")
                self._clock.sleep(0.02)
        except OSError as wrong:
            raise ProjectUnusable(f"cannot use {quoted(lock.path)}: {wrong.strerror}") from wrong


def _with_old_mode(change: _Change, step: Edit, outcome: Outcome) -> _Change:
    """The mode of before comes back with the rest, unless somebody has set another since."""
    before = outcome.result.get("mode")
    is_ours = isinstance(step, EditSettings) and change.found is not None
    if not is_ours or change.found.mode != step.mode or type(before) is not int:  # type: ignore[union-attr]
        return change
    return change._replace(mode=before)


def _difference(step: Edit, change: _Change) -> list[Json]:
    """The lines that a file would lose and get; of settings, our own edits alone."""
    from difflib import unified_diff

    texts = [
        (content or b"").decode(errors="replace")
        for content in (change.found and change.found.content, change.after)
    ]
    if isinstance(step, EditSettings):
        return [*differences(texts[0], texts[1], step.edits)]
    before, after = (text.splitlines() for text in texts)
    if max(len(before), len(after)) > MOST_LINES:
        return []
    lines = [*unified_diff(before, after, lineterm="", n=1)]
    return [without_secrets(line) for line in lines[2:]]


def _text(found: Found | None, path: str) -> str | None:
    if found is None:
        return None
    try:
        return found.content.decode()
    except UnicodeDecodeError as wrong:
        raise Refused(f"{quoted(path)} is no UTF-8 text; change it by hand") from wrong


def _out(change: _Change, *, is_done: bool) -> Json:
    """How far a change is taken back, for the journal: a second try takes nothing of theirs."""
    return {
        "target": None if change.after is None else _sha256(change.after),
        "left": None if change.left is None else [*change.left],
        "tried": None if change.tried is None else [*change.tried],
        "said": change.message,
        "is_done": is_done,
    }


def _numbers(value: Json) -> tuple[int, ...] | None:
    return tuple(one for one in value if type(one) is int) if isinstance(value, list) else None


def _bytes(text: str, path: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError as wrong:
        raise Refused(f"what is to be written into {quoted(path)} is no text") from wrong


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
