"""Carry out what `tokens install` planned: through the journal, and each file old or new."""

from __future__ import annotations

import contextlib
import os
from typing import NamedTuple

from tokenbudget.app.acting import acting_bench
from tokenbudget.app.installing import plan_of
from tokenbudget.app.installing_client import marks, python
from tokenbudget.app.installing_files import our_files
from tokenbudget.app.installing_journal import (
    INSTALL,
    UNINSTALL,
    folders_ours,
    live_settings,
    remove_folders,
    settle,
    take_back,
)
from tokenbudget.app.journal import carry_out
from tokenbudget.app.undoing import journal_ledger
from tokenbudget.config.edit_toml import NotEditable
from tokenbudget.gateway.daemon.secret import known_secret, secret_of
from tokenbudget.gateway.daemon.status import status_of
from tokenbudget.gateway.hook_files import hook_command
from tokenbudget.gateway.hook_record import record_hook_command
from tokenbudget.model.actions import (
    NEVER_SENT,
    EditSettings,
    EditText,
    Proposal,
    TrashFile,
    Weight,
)
from tokenbudget.model.errors import Refused, TokenBudgetError
from tokenbudget.resources import wiring
from tokenbudget.resources.settings import edited
from tokenbudget.resources.steps import Workshop
from tokenbudget.resources.wiring import part_of, seen_in, wiring_edits
from tokenbudget.resources.wiring_sweep import swept
from tokenbudget.system.kept import Kept
from tokenbudget.system.regular_file import quoted
from tokenbudget.system.trash import Trash

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from tokenbudget.app.installing import InstallPlan
    from tokenbudget.app.installing_place import Target
    from tokenbudget.config.settings import Settings
    from tokenbudget.ledger.store import Ledger
    from tokenbudget.model.actions import ActionRecord, SettingEdit, Step
    from tokenbudget.model.protocols import Clock


@contextlib.contextmanager
def wiring_ledger(settings: Settings, clock: Clock, *, is_only_read: bool) -> Iterator[Ledger]:
    """The ledger for its journal, made where there is none yet.

    Raises:
        LedgerUnusable, LedgerDamaged, LedgerTooNew: it cannot be opened.
    """
    if not is_only_read:
        with contextlib.suppress(OSError):  # then opening says what is wrong
            os.makedirs(settings.data_dir, mode=0o700, exist_ok=True)
    with journal_ledger(settings, clock, is_only_read=is_only_read) as ledger:
        yield ledger


class Installed(NamedTuple):
    """What came of it."""

    record: ActionRecord | None
    """None where nothing had to be done."""
    faults: tuple[str, ...]


def installed(settings: Settings, ledger: Ledger, clock: Clock, plan: InstallPlan) -> Installed:
    """Do what the plan says; a component that fails keeps no other from being done.

    What an earlier `tokens install` wrote into the settings file is taken back first, so that the
    journal keeps the way to the very bytes of before.

    Raises:
        LedgerUnusable: the journal cannot be written; nothing was changed, or nothing more.
        Refused, SourceUnreadable, ProjectUnusable: the settings file has changed since it was
            looked at, and cannot be edited any more.
    """
    target = plan.target
    steps: list[Step] = []
    faults: list[str] = []
    if plan.mode is not None and not known_secret(settings.data_dir):
        raise ValueError("hooks over HTTP without a secret; see `with_secret`")
    made = folders_ours(ledger, target)
    if plan.is_settings_due:
        steps += _settings_steps(settings, ledger, clock, plan)
    if plan.has_leaving:
        faults += _files_gone(settings, ledger, clock, target)
    remove_folders(target, made)  # so that the journal has it again that we made them
    steps += [edit for _, edit in plan.texts]
    if not steps:
        return Installed(None, tuple(faults))
    record = carried_out(settings, ledger, clock, target, INSTALL, steps, plan.cost.listing_tokens)
    return Installed(record, (*faults, *_faults(record), *_prepared(settings, clock, plan)))


def _files_gone(settings: Settings, ledger: Ledger, clock: Clock, target: Target) -> Iterator[str]:
    """Take our commands and skill away, for the plugin has them too; what stays of them."""
    whole = {one.path for one in our_files(ledger, target) if not one.is_edited}
    stays = take_back(
        *(settings, ledger, clock, target),
        lambda one: isinstance(one.step, EditText) and one.step.path in whole,
    )
    yield from (one.outcome.message for _, one in stays)
    yield from trash_ours(settings, ledger, clock, target)


def _prepared(settings: Settings, clock: Clock, plan: InstallPlan) -> Iterator[str]:
    """Have our hooks find what they need when they are run; what keeps them from it."""
    if plan.wanted.plugin:  # without it they would be slower
        record_hook_command(settings.data_dir, hook_command(python(), settings.data_dir))
    if plan.wanted.hooks or plan.wanted.plugin:
        from tokenbudget.app.hook_settings import write_hook_settings

        try:
            write_hook_settings(settings)
        except (TokenBudgetError, OSError) as wrong:
            yield f"hooks go by their built-in settings: {wrong}"
    if plan.wanted.hooks and plan.errand.is_http:
        yield from _daemon_started(settings, clock)


def kept_up(settings: Settings, clock: Clock, plan: InstallPlan) -> Installed | None:
    """Start the daemon that hooks over HTTP ask, which are there already; None: it runs."""
    if not (plan.errand.is_http and plan.events) or status_of(settings.data_dir).is_running:
        return None
    return Installed(None, tuple(_daemon_started(settings, clock)))


def _daemon_started(settings: Settings, clock: Clock) -> Iterator[str]:
    """Running sessions ask it as soon as their settings are written; else a new one starts it."""
    from tokenbudget.app import serving

    status = serving.started(settings, is_persistent=True, clock=clock)
    if not status.is_running or status.trouble:
        why = f": {status.trouble}" if status.trouble else ""
        yield f"hooks over HTTP find no daemon yet{why}; tokens serve --status says more"


def with_secret(settings: Settings, ledger: Ledger, clock: Clock, plan: InstallPlan) -> InstallPlan:
    """The plan once the secret is made that its hooks show; for who was asked and wants it.

    Raises:
        ProjectUnusable, Refused: the secret cannot be made.
    """
    if not plan.errand.is_http:
        return plan
    secret_of(settings.data_dir)
    return plan_of(settings, ledger, clock, plan.target, plan.errand)


def carried_out(
    settings: Settings,
    ledger: Ledger,
    clock: Clock,
    target: Target,
    cause: str,
    steps: Sequence[Step],
    tokens: int = 0,
) -> ActionRecord:
    """Steps in one scope, as one action of the journal; `tokens` are added to every request."""
    workshop = Workshop(
        Trash(settings.data_dir, clock), Kept(settings.data_dir), target.roots, clock, cause=cause
    )
    proposal = Proposal(
        id="wiring/agent",
        resource="wiring",
        title="wire tokens into the agent" if cause == INSTALL else "take the wiring out",
        reason="asked for",
        freed=Weight(-tokens, 0, "estimated") if tokens else NEVER_SENT,
        freed_bytes=0,
        effect="next start",
        is_chosen=True,
        steps=tuple(steps),
    )
    with acting_bench(settings, clock, ledger) as bench:
        return carry_out(bench, workshop, cause, target.project, [proposal])


def _settings_steps(
    settings: Settings, ledger: Ledger, clock: Clock, plan: InstallPlan
) -> list[Step]:
    """One edit of the settings file, from the text without anything that it replaces."""
    target = plan.target
    replaced = (*plan.wanted.parts, *plan.dropped)
    kept, mode = _kept(live_settings(ledger, target), replaced)
    if not _allows_recall(target):  # a person who took the rule out does not get it back
        kept = [edit for edit in kept if part_of(edit) != wiring.RECALL]
    stays = take_back(
        *(settings, ledger, clock, target), lambda one: isinstance(one.step, EditSettings)
    )
    sweep(settings, ledger, clock, target, (*replaced, *map(part_of, kept)))
    for action, one in stays:
        settle(ledger, action, one)
    text = target.text_at(target.settings_path) or ""
    kept = _that_fit(text, kept)
    try:
        edits = (*kept, *wiring_edits(text, plan.wanted, marks()))
    except (ValueError, NotEditable) as wrong:
        raise Refused(f"{quoted(target.named_path)} cannot be changed safely: {wrong}") from wrong
    mode = plan.mode if plan.mode is not None else mode
    return [EditSettings(target.settings_path, edits, mode)] if edits else []


def _allows_recall(target: Target) -> bool:
    try:
        return seen_in(target.text_at(target.settings_path) or "", marks()).has_recall
    except (ValueError, NotEditable):  # what follows says so
        return False


def _kept(
    live: Sequence[EditSettings], replaced: Collection[str]
) -> tuple[list[SettingEdit], int | None]:
    """What is in place and stays, oldest first; and the file's mode, where that wants one."""
    steps = list(reversed(live))
    kept = [edit for step in steps for edit in step.edits if part_of(edit) not in replaced]
    has_hooks = any(part_of(edit) == wiring.HOOKS for edit in kept)
    modes = [step.mode for step in steps if step.mode is not None and has_hooks]
    return kept, modes[-1] if modes else None


def _that_fit(text: str, edits: Sequence[SettingEdit]) -> list[SettingEdit]:
    """Without the parts for which there is no place any more: somebody wrote something else there.

    One of them would keep the others from being written.
    """
    fitting: list[SettingEdit] = []
    for part in wiring.SETTINGS_PARTS:
        own = [edit for edit in edits if part_of(edit) == part]
        try:
            edited(text, own)
        except (ValueError, NotEditable):
            continue
        fitting += own
    return fitting


def sweep(
    settings: Settings,
    ledger: Ledger,
    clock: Clock,
    target: Target,
    parts: Sequence[str] = wiring.MARKED_PARTS,
) -> ActionRecord | None:
    """Take out of the settings file what the journal knows nothing of, found by its mark.

    Raises:
        Refused, SourceUnreadable: it cannot be read, or not be edited safely.
    """
    path = target.settings_path
    text = target.text_at(path)
    if text is None:
        return None
    known = marks()
    try:
        if not set(seen_in(text, known).parts) & set(parts):
            return None
        bare = swept(text, known, parts)
    except (ValueError, NotEditable) as wrong:
        raise Refused(f"{quoted(target.named_path)} cannot be changed safely: {wrong}") from wrong
    step = EditText(path, text, bare)
    return carried_out(settings, ledger, clock, target, UNINSTALL, [step])


def trash_ours(settings: Settings, ledger: Ledger, clock: Clock, target: Target) -> Iterator[str]:
    """Take away commands and skill that are ours by their words alone; what stays of them."""
    steps = []
    for one in our_files(ledger, target):
        if not one.is_edited:
            facts = os.lstat(one.path)
            steps.append(TrashFile(one.path, facts.st_size, facts.st_mtime_ns))
    if steps:
        record = carried_out(settings, ledger, clock, target, UNINSTALL, steps)
        yield from _faults(record)


def _faults(record: ActionRecord) -> Iterator[str]:
    for one in record.steps:
        if one.outcome.state not in ("done", "unchanged"):
            yield one.outcome.message or f"step {one.number} is {one.outcome.state}"
        elif one.outcome.message and one.outcome.state == "done":
            yield one.outcome.message  # it does not hold, as looking at it afterwards showed
