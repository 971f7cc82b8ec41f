"""A recovered session as a step of the journal: done, looked at, and taken back.

It is taken back by moving the files that were placed to the trash, as long as nobody has gone on
with them; the archive has them anyway.
"""

from __future__ import annotations

import os

from tokenbudget.app.archived import archived_files, holds
from tokenbudget.archive.recover import NotRecovered, recover, recover_together
from tokenbudget.model.actions import Outcome, RecoverSession
from tokenbudget.model.errors import Refused, TokenBudgetError
from tokenbudget.resources.steps import SessionHands
from tokenbudget.system.regular_file import quoted

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tokenbudget.app.liveness import Liveness
    from tokenbudget.archive.manifest import FileRecord
    from tokenbudget.archive.recover import Recovered
    from tokenbudget.config.settings import Settings
    from tokenbudget.model.actions import Json
    from tokenbudget.model.protocols import Clock
    from tokenbudget.resources.steps import SessionStep

REASON = "archived"
"""Why what is taken back is in the trash: the archive holds it, as with any original there."""


class Recoverer:
    """Gives sessions back, and takes that back."""

    def __init__(
        self,
        settings: Settings,
        clock: Clock,
        *,
        keep_times: bool = False,
        despite_damage: bool = False,
        known: Mapping[RecoverSession, Sequence[FileRecord]] | None = None,
    ) -> None:
        """Make one.

        Args:
            settings: Where the trash is, and who may work with a session.
            clock: The time.
            keep_times: Give files their old times.
            despite_damage: Give back what is whole of an archive that is damaged.
            known: What the archives hold of the sessions, where that was just read: a manifest of
                a thousand sessions takes 9 ms.
        """
        self._settings = settings
        self._clock = clock
        self._keep_times = keep_times
        self._despite_damage = despite_damage
        self._known = known or {}
        self._outcomes: dict[RecoverSession, Outcome] = {}

    def hands(self) -> SessionHands:
        """For `tokens recover`."""
        return SessionHands(self._apply, self._problem, self._look, self._foresee, self._revert)

    def hands_for_undo(self) -> SessionHands:
        """For whoever takes steps back, or looks at them: they are not done anew."""
        return self.hands()._replace(apply=_not_anew)

    def _apply(self, given: SessionStep) -> Outcome:
        """Give a session back; an outcome in every case.

        With it come the others of its archive that are known to be wanted: they are unpacked once
        for all, and have their outcomes when it is their turn.
        """
        step = _checked(given)
        if step not in self._outcomes:
            together = [other for other in self._known if _place(other) == _place(step)]
            if self._despite_damage:  # what is damaged of one keeps no other from coming back
                self._outcomes[step] = self._given_back_alone(step)
            else:
                self._outcomes |= self._given_back(together or [step])
        return self._outcomes[step]

    def _given_back_alone(self, step: RecoverSession) -> Outcome:
        folder, file, to = _place(step)
        try:
            done = recover(
                folder,
                step.session,
                to,
                archive_file=file,
                keep_mtime=self._keep_times,
                despite_damage=True,
            )
        except TokenBudgetError as wrong:
            return _failed(wrong)
        return _outcome(done)

    def _given_back(self, steps: Sequence[RecoverSession]) -> dict[RecoverSession, Outcome]:
        folder, file, to = _place(steps[0])
        sessions = [step.session for step in steps]
        try:
            done = recover_together(folder, file, sessions, to, keep_mtime=self._keep_times)
        except TokenBudgetError as wrong:
            return dict.fromkeys(steps, _failed(wrong))
        outcomes = {one.session: _outcome(one) for one in done}
        return {step: outcomes[step.session] for step in steps}

    def _problem(self, given: SessionStep, outcome: Outcome) -> str:
        """What is not as the step wants it; '' where every file is in its place."""
        step = _checked(given)
        for file in self._files(step):
            path = os.path.join(step.to, file.name)
            try:
                is_whole = os.lstat(path).st_size == file.size_bytes
            except OSError:
                return f"{quoted(path)} is not there"
            if not is_whole:
                return f"{quoted(path)} has another size than in the archive"
        return ""

    def _look(self, given: SessionStep, outcome: Outcome) -> Outcome:
        """Whether a run that was killed had placed anything."""
        step = _checked(given)
        there = [
            file for file in self._files(step) if os.path.lexists(os.path.join(step.to, file.name))
        ]
        if not there:
            return outcome._replace(state="unchanged")
        placed: list[Json] = [file.name for file in there]
        return outcome._replace(state="done", result={**outcome.result, "placed": placed})

    def _foresee(self, given: SessionStep, outcome: Outcome) -> Outcome:
        """What taking the files away again would meet."""
        step, liveness = _checked(given), self._liveness()
        if sign := liveness.agent_of(step.session):
            return Outcome("conflict", f"{sign}; it stays")
        for file in self._placed(step, outcome):
            path = os.path.join(step.to, file.name)
            if os.path.lexists(path) and not holds(path, file.sha256):
                return Outcome("conflict", f"{quoted(path)} was written since; it stays")
            if liveness.is_open(path):
                return Outcome("conflict", f"{quoted(path)} is in use; it stays")
        return Outcome("undone", "")

    def _revert(self, given: SessionStep, outcome: Outcome) -> Outcome:
        """Move what was placed to the trash; all of it or, where somebody went on, nothing."""
        from tokenbudget.app.archiving_steps import remove_empty_folders
        from tokenbudget.system.trash import Trash

        foreseen = self._foresee(given, outcome)
        if foreseen.state != "undone":
            return foreseen
        step, trash = _checked(given), Trash(self._settings.data_dir, self._clock)
        for file in self._placed(step, outcome):
            path = os.path.join(step.to, file.name)
            if os.path.lexists(path):
                trash.move(path, REASON)
        remove_empty_folders(step.to, step.session)
        return foreseen

    def _liveness(self) -> Liveness:
        from tokenbudget.app.liveness import Liveness as Signs

        return Signs(self._settings.claude_dirs, self._clock)

    def _files(self, step: RecoverSession) -> Sequence[FileRecord]:
        found = self._known.get(step)
        return found or archived_files(step.folder, step.session, step.archive_file)

    def _placed(self, step: RecoverSession, outcome: Outcome) -> list[FileRecord]:
        """The files that this step put there, the transcript last as in the archive."""
        told = outcome.result.get("placed")
        names = {str(name) for name in told} if isinstance(told, list) else set()
        return [file for file in self._files(step) if file.name in names]


def _checked(step: SessionStep) -> RecoverSession:
    if not isinstance(step, RecoverSession):
        raise TypeError("a step of another kind")
    return step


def _place(step: RecoverSession) -> tuple[str, str, str]:
    return step.folder, step.archive_file, step.to


def _outcome(done: Recovered | NotRecovered) -> Outcome:
    if isinstance(done, NotRecovered):
        return _failed(done.reason)
    told: dict[str, Json] = {"placed": [*done.placed], "were_there": [*done.were_there]}
    if not done.placed:
        return Outcome("unchanged", "every file was there already, byte for byte", told)
    return Outcome("done", "", told)


def _failed(wrong: TokenBudgetError) -> Outcome:
    return Outcome("failed", str(wrong), {"exit_code": wrong.exit_code})


def _not_anew(step: SessionStep) -> Outcome:
    raise Refused(f"the session {quoted(step.session)} is only taken back here")
