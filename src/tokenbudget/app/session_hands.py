"""An archived session as a step of the journal: done, looked at, and taken back.

It is taken back by giving its files back: out of the trash, else out of the archive, which keeps
its copy. `recover_hands` are for the other way.
"""

from __future__ import annotations

import os
from typing import NamedTuple

from tokenbudget.app.archived import archived_files, holds
from tokenbudget.app.recover_hands import Recoverer
from tokenbudget.archive.recover import recover
from tokenbudget.model.actions import ArchiveSession, Outcome
from tokenbudget.model.errors import Refused, SourceUnreadable, TokenBudgetError
from tokenbudget.resources.steps import SessionHands
from tokenbudget.system.regular_file import quoted
from tokenbudget.system.trash import Trash

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from tokenbudget.app.archiving_steps import Archiver
    from tokenbudget.config.settings import Settings
    from tokenbudget.model.protocols import Clock
    from tokenbudget.resources.steps import SessionStep
    from tokenbudget.system.trash_origin import Discarded


REASON = "archived"
"""Why these files are in the trash: `archive.retire` says so of its own."""


class BothHands(NamedTuple):
    """What a workshop is handed for sessions."""

    archive: SessionHands
    recover: SessionHands


def hands_for_undo(settings: Settings, clock: Clock) -> BothHands:
    """For whoever takes steps back, or looks at them: they are not done anew."""
    archive = _archive_hands(_not_anew, Trash(settings.data_dir, clock))
    return BothHands(archive, Recoverer(settings, clock).hands_for_undo())


def archive_hands(archiver: Archiver) -> SessionHands:
    """For `tokens archive`, and for whatever archives beside other things."""

    def apply(step: SessionStep) -> Outcome:
        if not any(os.path.lexists(path) for _, path in _as_archive(step).files):
            said = f"the session {quoted(step.session)} is not in its place any more"
            return Outcome("unchanged", said)  # another command archived it, as a rule
        outcome = archiver.apply(_as_archive(step))
        if outcome.state != "failed":
            return outcome
        # What failed after a file was away (a disk that is full, or broken) can be taken back.
        seen = look_at_archive(_as_archive(step), outcome)
        return outcome._replace(state="done") if seen.state == "done" else outcome

    return _archive_hands(apply, archiver.trash)


def _not_anew(step: SessionStep) -> Outcome:
    raise Refused(f"the session {quoted(step.session)} is only taken back here")


def _as_archive(step: SessionStep) -> ArchiveSession:
    if not isinstance(step, ArchiveSession):
        raise TypeError("a step of another kind")
    return step


# ── archiving ────────────────────────────────────────────────────────────────────────────────────


def _archive_hands(apply: Callable[[SessionStep], Outcome], trash: Trash) -> SessionHands:
    return SessionHands(
        apply=apply,
        verify=lambda step, outcome: archive_problem(_as_archive(step), outcome),
        look=lambda step, outcome: look_at_archive(_as_archive(step), outcome),
        foresee=lambda step, outcome: foresee_archive(_as_archive(step), outcome, trash),
        revert=lambda step, outcome: revert_archive(_as_archive(step), outcome, trash),
    )


def archive_problem(step: ArchiveSession, outcome: Outcome) -> str:
    """What is not as the step wants it; '': the originals are away, and the archive is there."""
    still = [path for _, path in step.files if os.path.lexists(path)]
    if still:
        return f"{quoted(still[0])} is still there"
    file = outcome.result.get("archive_file")
    if not isinstance(file, str) or not os.path.lexists(os.path.join(step.folder, file)):
        return f"the archive of the session {quoted(step.session)} is not in {quoted(step.folder)}"
    return ""


def look_at_archive(step: ArchiveSession, outcome: Outcome) -> Outcome:
    """Whether a run that was killed had begun to take the originals away."""
    away = [path for _, path in step.files if not os.path.lexists(path)]
    if not away:
        return outcome._replace(state="unchanged")
    if len(away) == len(step.files):
        return outcome._replace(state="done")
    told = f"{len(away)} of {len(step.files)} files were taken away when it was stopped"
    return outcome._replace(state="done", message=told)


def foresee_archive(step: ArchiveSession, outcome: Outcome, trash: Trash) -> Outcome:
    """What giving the files back would meet.

    The trash alone is enough: an archive may have been removed with its project's folder.
    """
    told = outcome.result.get("archive_file")
    fault, archived = "", {}
    try:
        found = archived_files(step.folder, step.session, told if isinstance(told, str) else None)
        archived = {file.name: file.sha256 for file in found}
    except TokenBudgetError as wrong:
        fault = str(wrong)
    discarded = _discarded(step, outcome, trash)
    for name, path in step.files:
        known = {archived.get(name), discarded[path].sha256 if path in discarded else None}
        if os.path.lexists(path):
            if not any(sha256 and holds(path, sha256) for sha256 in known):
                return Outcome("conflict", f"{quoted(path)} is there with other content; it stays")
        elif known == {None}:
            gone = f"neither the trash nor an archive has {quoted(path)}"
            return Outcome("failed", f"{gone}: {fault}" if fault else gone)
    return Outcome("undone", "")


def revert_archive(step: ArchiveSession, outcome: Outcome, trash: Trash) -> Outcome:
    """Put a session's files back where they were: out of the trash, else out of the archive.

    What lies in place already is left; where that is something else, the outcome is a conflict.
    The step alone is enough, so it also heals a run that was killed.
    """
    discarded = _discarded(step, outcome, trash)
    try:
        missing = [path for _, path in step.files if not _is_back(path, discarded.get(path), trash)]
        if missing:
            _give_back_from_archive(step, outcome)
    except Refused as wrong:
        return Outcome("conflict", str(wrong))
    except TokenBudgetError as wrong:
        return Outcome("failed", str(wrong))
    return Outcome("undone", "")


def _discarded(step: ArchiveSession, outcome: Outcome, trash: Trash) -> dict[str, Discarded]:
    """What the trash has, by path: what this step moved there, else (killed before) the newest.

    By name where it is known: to list the trash for each of a thousand sessions takes a minute.
    """
    named = {path: trash.find(identity) for identity, path in _moved(outcome)}
    known = {path: found for path, found in named.items() if found is not None}
    if all(path in named for _, path in step.files):
        return known
    listed = trash.listing().discarded  # oldest first
    return {found.path: found for found in listed if found.reason == REASON} | known


def _moved(outcome: Outcome) -> list[tuple[str, str]]:
    """(id in the trash, path) as a step's outcome tells them."""
    told = outcome.result.get("trash")
    pairs = told if isinstance(told, list) else []
    return [(str(p[0]), str(p[1])) for p in pairs if isinstance(p, list) and len(p) == 2]


def _is_back(path: str, discarded: Discarded | None, trash: Trash) -> bool:
    if discarded is None:
        return os.path.lexists(path)
    try:
        trash.give_back(discarded.id, path)
    except SourceUnreadable:
        return os.path.lexists(path)  # the trash was emptied, or it was given back before
    return True


def _give_back_from_archive(step: ArchiveSession, outcome: Outcome) -> None:
    name, path = step.files[-1]
    file = outcome.result.get("archive_file")
    if not path.endswith(f"/{name}"):
        raise SourceUnreadable(f"{quoted(path)} does not say where the session belongs")
    recover(
        step.folder,
        step.session,
        path.removesuffix(f"/{name}"),
        archive_file=file if isinstance(file, str) else None,
        keep_mtime=True,
    )
