"""The seams between rooms. Each is small enough to be faked in a few lines."""

from __future__ import annotations

from typing import Protocol

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tokenbudget.model.decisions import AlertDecision
    from tokenbudget.model.events import ReadPlan, Stretch
    from tokenbudget.model.files import Found
    from tokenbudget.model.window import Placed, RebuiltRequest


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


class WindowSource(Protocol):
    """Reads what a transcript shows of the windows of its requests."""

    def window(self, path: str) -> Iterator[Placed]:
        """Every piece and event of a transcript, in order. Raises OSError."""

    def rebuilt(self, path: str, response_key: str) -> RebuiltRequest | None:
        """The request behind a response, if the agent recorded it. Raises OSError."""

    def fingerprint(self, path: str, end: int) -> tuple[int, int]:
        """Check sums of the bytes at the edges of `[0, end)`. Raises OSError."""


class BodyStore(Protocol):
    """Gives back the words that the ledger only knows by position."""

    def line(self, path: str, offset: int) -> bytes | None:
        """The line that begins at `offset`, without its end; None when it is not to be had."""


class Actor(Protocol):
    """Something that can act on a decision, reversibly and without asking."""

    name: str

    def consider(self, decision: AlertDecision) -> str | None:
        """Act on it, or not; what was done, in one sentence, or None."""
