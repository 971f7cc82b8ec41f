"""Carry a cleanup out through the journal, then look whether everything is as it should be."""

from __future__ import annotations

import contextlib
import json
import os

from tokenbudget.analysis.compact_plan import Receipt
from tokenbudget.app.archive_upkeep import adopt
from tokenbudget.app.archiving import archive_steps
from tokenbudget.app.archiving_run import tools_of
from tokenbudget.app.archiving_steps import Archiver
from tokenbudget.app.compacting import looked, plan_of, resources_for, scene_of
from tokenbudget.app.compacting_proof import CAUSE
from tokenbudget.app.journal import carry_out
from tokenbudget.app.session_hands import archive_hands
from tokenbudget.config.files import read_regular
from tokenbudget.model.actions import ArchiveSession, EditSettings
from tokenbudget.model.errors import LedgerUnusable
from tokenbudget.resources.steps import Workshop
from tokenbudget.sources.claude_code.source import ClaudeCode
from tokenbudget.system.kept import Kept
from tokenbudget.system.trash import Trash

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from tokenbudget.analysis.compact_plan import CompactPlan, Wish
    from tokenbudget.app import Terminal, Workbench
    from tokenbudget.app.archiving import ArchivePlan
    from tokenbudget.app.compacting import Look, Scene
    from tokenbudget.ledger.inspection import SessionRow
    from tokenbudget.model.actions import ActionRecord, Outcome, SettingEdit, Step

PROJECTS = "projects"


class Cleanup:
    """One look at a project, and the hands that do what is chosen of it."""

    def __init__(
        self,
        bench: Workbench,
        scene: Scene,
        workshop: Workshop,
        archive: ArchivePlan | None,
        notes: Sequence[str],
    ) -> None:
        self._bench = bench
        self._scene = scene
        self._workshop = workshop
        self._archive = archive
        self._notes = tuple(notes)

    def plan(self, wish: Wish) -> CompactPlan:
        """What could be done, and what of it is chosen.

        Raises:
            BadRequest: the wish names what is not there.
        """
        return plan_of(self._bench, self._scene, self._look(), wish)

    def carried_out(
        self, plan: CompactPlan, told: Callable[[Step, Outcome], None] | None = None
    ) -> Receipt:
        """Do what is chosen, whatever single steps come to, and look again.

        Raises:
            LedgerUnusable: the journal cannot be written; nothing was changed, or nothing more.
            Refused: another command is changing files.
        """
        proposals = plan.joined
        steps = [step for one in proposals for step in one.steps]
        folders = {step.folder for step in steps if isinstance(step, ArchiveSession)}
        adopt(sorted(folders), self._bench.ledger.archives)
        project = os.path.realpath(plan.project)
        record = carry_out(self._bench, self._workshop, CAUSE, project, proposals, told)
        faults = tuple(dict.fromkeys(_faults(record, self._workshop)))
        after = self._look()
        sent_tokens = (plan.sent_tokens, after.sent_tokens)
        return Receipt(record, plan.kinds, after.kinds, sent_tokens, faults)

    def _look(self) -> Look:
        more = [] if self._archive is None else self._archive.proposals()
        found = looked(resources_for(self._bench, self._scene, self._workshop), more)
        return found._replace(notes=(*self._notes, *found.notes))


@contextlib.contextmanager
def cleanup_of(
    bench: Workbench,
    project: str,
    facts: SessionRow | None,
    terminal: Terminal,
    *,
    has_archive: bool,
) -> Iterator[Cleanup]:
    """A project looked at; while the block lasts, what is chosen can be done.

    Args:
        bench: With every event read, not usage alone.
        project: Its folder.
        facts: The session whose window is shown, and that things are weighed by.
        terminal: For progress.
        has_archive: Whether old sessions are looked at as well.
    """
    scene = scene_of(bench, project, facts, terminal)
    archive, notes = _archive_of(bench, project) if has_archive else (None, [])
    steps = [] if archive is None else archive.steps
    with Archiver(steps, tools_of(bench, terminal.progress)) as archiver:
        workshop = _workshop(bench, project, archiver)
        yield Cleanup(bench, scene, workshop, archive, notes)


def _archive_of(bench: Workbench, project: str) -> tuple[ArchivePlan | None, list[str]]:
    """The old sessions of the project, and why none of them is looked at."""
    root = ClaudeCode(bench.settings.home_dir).project_root(os.path.realpath(project))
    try:
        return archive_steps(bench, root), []
    except LedgerUnusable as wrong:
        return None, [str(wrong)]


def _workshop(bench: Workbench, project: str, archiver: Archiver) -> Workshop:
    """Hands for the project and the transcripts, and for nothing else."""
    settings = bench.settings
    trash = Trash(settings.data_dir, bench.clock)
    roots = [os.path.realpath(project)]
    roots += [os.path.join(folder, PROJECTS) for folder in settings.claude_dirs]
    return Workshop(
        trash,
        Kept(settings.data_dir),
        roots,
        bench.clock,
        archive=archive_hands(archiver),
        cause=CAUSE,
    )


# ── looking afterwards ───────────────────────────────────────────────────────────────────────────


def _faults(record: ActionRecord, workshop: Workshop) -> Iterator[str]:
    for one in record.steps:
        if one.outcome.state not in ("done", "unchanged"):
            yield one.outcome.message or f"step {one.number} is {one.outcome.state}"
            continue
        if one.outcome.state == "unchanged" and isinstance(one.step, ArchiveSession):
            continue  # another command has archived it meanwhile
        told = one.outcome.message if one.outcome.state == "done" else ""
        if wrong := workshop.verify(one.step, one.outcome) or told:
            yield wrong
        if isinstance(one.step, EditSettings):
            yield from settings_faults(one.step)


def settings_faults(step: EditSettings) -> Iterator[str]:
    """What is wrong with a settings file after its edits, read as the agent reads it."""
    try:
        data = read_regular(step.path)
        found = json.loads((data or b"").decode("utf-8-sig"))
    except (OSError, ValueError, RecursionError) as wrong:
        yield f"{step.path} cannot be read as JSON any more: {wrong}"
        return
    for edit in step.edits:
        if not _says(found, edit):
            yield f"{step.path} does not say {'.'.join(edit.keys)}: {json.dumps(edit.value)}"


def _says(found: object, edit: SettingEdit) -> bool:
    for key in edit.keys:
        if not isinstance(found, dict) or key not in found:
            return False
        found = found[key]
    if edit.is_member:
        return isinstance(found, list) and edit.value in found
    return found == edit.value
