"""The seams between rooms. Each is small enough to be faked in a few lines."""

from __future__ import annotations

from typing import Protocol

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tokenbudget.model.actions import ActionRecord, Item, Outcome, Proposal, Step
    from tokenbudget.model.decisions import AlertDecision
    from tokenbudget.model.events import ReadPlan, Stretch
    from tokenbudget.model.files import Found
    from tokenbudget.model.replay import Change, Moment
    from tokenbudget.model.window import LineFacts, Placed, RebuiltRequest


class Clock(Protocol):
    """Time, as an argument."""

    def now_ms(self) -> int:
        """Milliseconds since 1970, UTC."""

    def monotonic_seconds(self) -> float:
        """For measuring; only differences mean anything."""

    def sleep(self, seconds: float) -> None:
        """Wait."""


class Source(Protocol):
    """One agent's transcripts."""

    agent: str

    def find(self, tops: Sequence[str]) -> Found:
        """Every transcript below these folders; a folder that does not exist holds none."""

    def session_of(self, path: str) -> str:
        """The session that a file belongs to by its place."""

    def is_subagent_file(self, path: str) -> bool:
        """Whether the file holds a subagent's thread."""

    def fingerprint(self, path: str, end: int) -> tuple[int, int]:
        """Check sums of the bytes at the edges of `[0, end)`. Raises OSError."""

    def prepare(self) -> None:
        """Load what reading needs: called once before this process multiplies."""

    def read(self, plan: ReadPlan) -> Iterator[Stretch]:
        """What stands in the file from `plan.start` on. Raises OSError."""

    def project_root(self, cwd: str) -> str:
        """The project that a working directory belongs to."""


class TokenCounter(Protocol):
    """Counts the tokens of a text by one vocabulary."""

    name: str

    def count(self, text: str) -> int:
        """Tokens of the text; any text, also with lone surrogates."""


class Walker(Protocol):
    """One strategy on its way through one thread."""

    def before(self, moment: Moment) -> Sequence[Change]:
        """What to change from this request on; asked once for each request, in order."""


class Strategy(Protocol):
    """A way to spend less that can be tried on a recorded session."""

    name: str
    basis: str
    """`applied`, `modelled`, `oracle` or `naive`: see `model.replay`."""
    said: str
    """What it does, in one sentence."""

    def walker(self) -> Walker:
        """One that begins at the beginning of a thread."""


class Ranker(Protocol):
    """Judges how much pieces of text have to do with a task: words, embeddings, anything."""

    name: str

    def relevance(self, task: str, pieces: Sequence[str]) -> Sequence[float]:
        """One figure for each piece: 0 for nothing, more for more, on any scale."""


class WindowSource(Protocol):
    """Reads what a transcript shows of the windows of its requests."""

    def window(self, path: str, since: int = 0) -> Iterator[Placed]:
        """Every piece and event of a transcript, in order, and at last where it ends.

        What stands before the offset `since` need not be told, and may be. Raises OSError.
        """

    def rebuilt(self, path: str, response_key: str) -> RebuiltRequest | None:
        """The request behind a response, if the agent recorded it. Raises OSError."""

    def fingerprint(self, path: str, end: int) -> tuple[int, int]:
        """Check sums of the bytes at the edges of `[0, end)`. Raises OSError."""


class StudySource(WindowSource, Protocol):
    """Reads also what the lines themselves tell."""

    def line_facts(self, path: str) -> LineFacts:
        """Where the lines begin, and how much of files was shown. Raises OSError."""


class BodyStore(Protocol):
    """Gives back the words that the ledger only knows by position."""

    def line(self, path: str, offset: int) -> bytes | None:
        """The line that begins at `offset`, without its end; None when it is not to be had."""


class Actor(Protocol):
    """Something that can act on a decision, reversibly and without asking."""

    name: str

    def consider(self, decision: AlertDecision) -> str | None:
        """Act on it, or not; what was done, in one sentence, or None."""


class Resource(Protocol):
    """One kind of thing that occupies a window, or a disk, and can leave it."""

    name: str

    def inventory(self) -> Sequence[Item]:
        """What there is of it; only looks."""

    def plan(self, items: Sequence[Item]) -> Sequence[Proposal]:
        """What could be done about it; only thinks."""

    def apply(self, step: Step) -> Outcome:
        """Do one step; an outcome in every case, also where it was refused or failed."""

    def verify(self, step: Step, outcome: Outcome) -> str:
        """Look whether it is as the step wants it; '' or what is wrong, in one sentence."""

    def revert(self, step: Step, outcome: Outcome) -> Outcome:
        """Take one step back; where somebody edited since, our own change alone."""


class Journal(Protocol):
    """The record of what the product changed. Every method raises LedgerUnusable."""

    def begin(
        self, cause: str, project: str, steps: Sequence[Step], freed_tokens: int | None
    ) -> int:
        """Write down what is about to be done, durably; the action's id."""

    def note(self, action: int, number: int, outcome: Outcome) -> None:
        """Write down how a step went, durably."""

    def note_undone(self, action: int) -> None:
        """Write down that an action was taken back as a whole."""

    def action(self, action: int) -> ActionRecord | None:
        """One action; None where there is none of this id."""

    def actions(self, limit: int, project: str = "") -> Sequence[ActionRecord]:
        """The latest first; of one project or ('') all."""
