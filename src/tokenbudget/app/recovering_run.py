"""Give archived sessions back through the journal, and say where else their words may be."""

from __future__ import annotations

from typing import NamedTuple

from tokenbudget.app.acting import acting_bench
from tokenbudget.app.journal import carry_out
from tokenbudget.app.recover_hands import REASON, Recoverer
from tokenbudget.model.actions import NEVER_SENT, Proposal, RecoverSession
from tokenbudget.model.errors import (
    LedgerDamaged,
    LedgerTooNew,
    LedgerUnusable,
    ProjectUnusable,
    SourceUnreadable,
    TokenBudgetError,
)
from tokenbudget.resources.steps import Workshop
from tokenbudget.system.kept import Kept
from tokenbudget.system.trash import Trash

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tokenbudget.app.recovering import Return
    from tokenbudget.config.settings import Settings
    from tokenbudget.ledger.store import Ledger
    from tokenbudget.model.actions import Json, Outcome, Step
    from tokenbudget.model.protocols import Clock


class Returned(NamedTuple):
    """What became of one session."""

    wanted: Return
    placed: tuple[str, ...]
    were_there: tuple[str, ...]
    fault: str = ""
    exit_code: int = 0


def give_back_journalled(
    settings: Settings,
    ledger: Ledger | None,
    clock: Clock,
    cause: str,
    wanted: Sequence[Return],
    *,
    keep_times: bool,
    despite_damage: bool = False,
    tell: Callable[[str], None],
) -> list[Returned]:
    """Give sessions back, written down before and after each, so that `tokens undo` can undo it.

    Where there is no ledger that can be written they are given back all the same, after a warning:
    this adds files, and takes none away.

    Raises:
        Refused: another command is changing files.
    """
    known = {one.step: one.place.record.files_of(one.session) for one in wanted}
    hands = Recoverer(
        settings, clock, keep_times=keep_times, despite_damage=despite_damage, known=known
    ).hands()
    outcomes: dict[Step, Outcome] = {}
    steps = [one.step for one in wanted]
    try:
        with acting_bench(settings, clock, ledger) as bench:
            workshop = Workshop(
                Trash(settings.data_dir, clock),
                Kept(settings.data_dir),
                (),
                clock,
                recover=hands,
                cause=cause,
            )
            proposal = _proposal(steps)
            carry_out(bench, workshop, cause, "", [proposal], outcomes.__setitem__)
    except (LedgerUnusable, LedgerDamaged, LedgerTooNew, ProjectUnusable) as wrong:
        tell(f"{wrong}; tokens undo will not know of this")
    for step in steps:
        if step not in outcomes:
            outcomes[step] = hands.apply(step)
    return [_returned(one, outcomes[one.step]) for one in wanted]


def _proposal(steps: Sequence[RecoverSession]) -> Proposal:
    return Proposal(
        id="sessions/recover",
        resource="sessions",
        title=f"recover {len(steps)} sessions",
        reason="asked for",
        freed=NEVER_SENT,
        freed_bytes=0,
        effect="disk only",
        is_chosen=True,
        steps=tuple(steps),
    )


def _returned(wanted: Return, outcome: Outcome) -> Returned:
    told = outcome.result
    if outcome.state not in ("done", "unchanged"):
        code = told.get("exit_code")
        return Returned(wanted, (), (), outcome.message, code if isinstance(code, int) else 1)
    return Returned(wanted, _names(told.get("placed")), _names(told.get("were_there")))


def _names(told: Json) -> tuple[str, ...]:
    return tuple(map(str, told)) if isinstance(told, list) else ()


def advice_on(
    settings: Settings, clock: Clock, done: Sequence[Returned], *, despite_damage: bool
) -> list[str]:
    """What can still be done for sessions whose archive is damaged; nothing where none is."""
    damaged = [one.wanted for one in done if one.exit_code == SourceUnreadable.exit_code]
    if not damaged:
        return []
    told = [] if despite_damage else ["what is whole of a damaged archive: add --despite-damage"]
    paths = {file.path for one in damaged for file in one.place.record.files_of(one.session)}
    try:
        discarded = Trash(settings.data_dir, clock).listing().discarded
    except TokenBudgetError:
        return told
    if any(found.reason == REASON and found.path in paths for found in discarded):
        told.append("the originals are still in the trash: tokens undo ID puts them back (--list)")
    return told
