"""Carry out one step, look whether it holds, and take it back: `Workshop`, for every resource.

An outcome comes back in every case. Whatever fails, a file is as it was or as it was to be, for
each is replaced at once, and what it held is kept durably before. A step that was begun when the
process ended is looked at (`look`) and is then done or not done.
"""

from __future__ import annotations

from typing import Any, Generic, NamedTuple, TypeAlias, TypeVar

from tokenbudget.model.actions import (
    ArchiveSession,
    ClientServer,
    EditSettings,
    EditText,
    GatewayRecord,
    Outcome,
    RecoverSession,
    RestoreText,
    TrashFile,
)
from tokenbudget.model.errors import TokenBudgetError
from tokenbudget.resources.file_edits import FileEdits
from tokenbudget.resources.trashing import Trashing
from tokenbudget.resources.whole_texts import WholeTexts
from tokenbudget.system.rooted import Rooted

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tokenbudget.model.actions import Step
    from tokenbudget.model.protocols import Clock
    from tokenbudget.system.kept import Kept
    from tokenbudget.system.trash import Trash

SessionStep: TypeAlias = ArchiveSession | RecoverSession
_Done = TypeVar("_Done")


class StepHands(NamedTuple, Generic[_Done]):
    """What `app` hands in for one kind of step that is no edit: of a session, by the client."""

    apply: Callable[[_Done], Outcome]
    verify: Callable[[_Done, Outcome], str]
    look: Callable[[_Done, Outcome], Outcome]
    """Whether a step that was begun was done."""
    foresee: Callable[[_Done, Outcome], Outcome]
    """What `revert` would come to; nothing is changed."""
    revert: Callable[[_Done, Outcome], Outcome]


SessionHands = StepHands[SessionStep]
ClientHands = StepHands[ClientServer]
RecordHands = StepHands[GatewayRecord]


class Workshop:
    """Does and undoes steps below a few places, and nowhere else."""

    def __init__(
        self,
        trash: Trash,
        kept: Kept,
        roots: Sequence[str],
        clock: Clock,
        *,
        archive: SessionHands | None = None,
        recover: SessionHands | None = None,
        client: ClientHands | None = None,
        record: RecordHands | None = None,
        cause: str = "tokens",
    ) -> None:
        """Build a workshop.

        Args:
            trash: Where files go that are taken away.
            kept: Where contents are kept before they are changed.
            roots: The folders and single files that may be touched; see `system.rooted`.
            clock: For waiting.
            archive: Does the steps that archive a session; without it they fail.
            recover: The same for those that recover one.
            client: The same for those that the agent's client carries out.
            record: The same for those of the gateway's record.
            cause: The command; the trash tells it.
        """
        rooted = Rooted(roots)
        self._trashing = Trashing(trash, rooted, cause)
        self._edits = FileEdits(trash, kept, rooted, clock, cause)
        self._whole = whole = WholeTexts(trash, kept, rooted, self._edits.locked, cause)
        self._by_others: dict[type, StepHands[Any] | None] = {
            ArchiveSession: archive,
            RecoverSession: recover,
            ClientServer: client,
            RestoreText: StepHands(
                whole.apply, whole.verify, whole.look, whole.foresee, whole.revert
            ),
            GatewayRecord: record,
        }

    def prepare(self, step: Step) -> Outcome:
        """What has to be written down before a step is done, so that it can be taken back.

        `planned`, with a result where there is anything to write down; any other state says that
        the step will not be done.
        """
        if not isinstance(step, EditSettings | EditText | RestoreText):
            return Outcome("planned", "")
        try:
            if isinstance(step, RestoreText):
                return self._whole.prepare(step)
            return self._edits.prepare(step)
        except (TokenBudgetError, OSError) as wrong:
            return _failed(wrong)

    def apply(self, step: Step) -> Outcome:
        """Do it; where something fails, the outcome says whether it is done all the same."""
        prepared = self.prepare(step)
        if prepared.state != "planned":
            return prepared
        try:
            if isinstance(step, TrashFile):
                return self._trashing.apply(step)
            if isinstance(step, EditSettings | EditText):
                return self._edits.apply(step)
            return self._hands(step).apply(step)
        except (TokenBudgetError, OSError) as wrong:
            seen = self.look(step, prepared)
            return seen._replace(message=_said(wrong)) if seen.state == "done" else _failed(wrong)

    def verify(self, step: Step, outcome: Outcome) -> str:
        """Look whether it is as the step wants it; '' or what is wrong, in one sentence."""
        try:
            if isinstance(step, TrashFile):
                return self._trashing.verify(step, outcome)
            if isinstance(step, EditSettings | EditText):
                return self._edits.verify(step, outcome)
            return self._hands(step).verify(step, outcome)
        except (TokenBudgetError, OSError) as wrong:
            return _said(wrong)

    def look(self, step: Step, outcome: Outcome) -> Outcome:
        """A step that was begun, and whose outcome nobody wrote down: `done` or `unchanged`.

        `planned` again where it cannot be seen.
        """
        try:
            if isinstance(step, TrashFile):
                return self._trashing.look(step, outcome)
            if isinstance(step, EditSettings | EditText):
                return self._edits.look(step, outcome)
            return self._hands(step).look(step, outcome)
        except (TokenBudgetError, OSError) as wrong:
            return outcome._replace(state="planned", message=_said(wrong))

    def prepare_revert(self, step: Step, outcome: Outcome) -> Outcome:
        """The outcome with what has to be written down before `revert`, so that it can be repeated.

        Without it, somebody who has written the same as we did could lose it to a second try.
        """
        try:
            if isinstance(step, EditSettings | EditText):
                return self._edits.prepare_revert(step, outcome)
        except (TokenBudgetError, OSError):
            return outcome  # `revert` will meet the same, and tell it
        return outcome

    def foresee(self, step: Step, outcome: Outcome) -> Outcome:
        """What `revert` would come to; nothing is changed."""
        return self._reverted(step, outcome, is_dry_run=True)

    def revert(self, step: Step, outcome: Outcome) -> Outcome:
        """Take one step back; where somebody edited since, our own change alone.

        `undone`, `conflict` (what can be taken out is, theirs stays) or `failed`, and doing it
        again is safe in each case. The result is the outcome's own, so that it can be.
        """
        return self._reverted(step, outcome, is_dry_run=False)

    def _reverted(self, step: Step, outcome: Outcome, *, is_dry_run: bool) -> Outcome:
        try:
            if isinstance(step, TrashFile):
                found = self._trashing.revert(step, outcome, is_dry_run=is_dry_run)
            elif isinstance(step, EditSettings | EditText):
                found = self._edits.revert(step, outcome, is_dry_run=is_dry_run)
            else:
                hands = self._hands(step)
                found = (hands.foresee if is_dry_run else hands.revert)(step, outcome)
        except (TokenBudgetError, OSError) as wrong:
            found = _failed(wrong)
        return found._replace(result={**outcome.result, **found.result})

    def _hands(
        self, step: SessionStep | ClientServer | RestoreText | GatewayRecord
    ) -> StepHands[Any]:
        hands = self._by_others[type(step)]
        if hands is None:
            what = getattr(step, "session", "") or getattr(step, "server", "the gateway's record")
            raise TokenBudgetError(f"{what} cannot be handled here")
        return hands


def _failed(wrong: Exception) -> Outcome:
    return Outcome("failed", _said(wrong))


def _said(wrong: Exception) -> str:
    """The sentence of an error; the system's own are told by their reason."""
    return wrong.strerror or str(wrong) if isinstance(wrong, OSError) else str(wrong)
