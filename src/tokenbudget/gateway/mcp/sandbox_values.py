"""What a run of code is given, and what it gives back."""

from __future__ import annotations

from typing import NamedTuple, Protocol

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence


class Limits(NamedTuple):
    """How much a run may take; whatever is over ends that run only."""

    memory_mb: int = 256
    """Of all variables of a session together."""
    run_seconds: float = 20.0
    """Of computing; waiting for tools does not count."""
    whole_seconds: float = 900.0
    """Of a run with its waiting for tools; not counted is how long a person is asked."""
    calls: int = 2_000
    """Of tools, in one run."""
    concurrent_calls: int = 16
    output_chars: int = 2_000_000
    """Of what is printed, and of the value as text, each; the value itself is kept whole."""
    code_chars: int = 100_000
    kept_mb: int = 64
    """Of variables between two runs, and at most a quarter of the memory; the oldest are let go."""


class Outcome(NamedTuple):
    """What became of a run; texts are the code's and the servers', so hostile."""

    value: str
    """Of the last expression: a text as it is, all else as JSON; '' where there is none."""
    is_json: bool
    """Whether `value` is JSON."""
    value_chars: int
    """How long the value is as text; more than `len(value)` where it was cut."""
    printed: str
    error: str
    """Type, message and line in a few words; '' where the run went through."""
    calls: int
    took_ms: float
    kept: tuple[str, ...]
    """The variables that the next run finds, the newest last."""
    notes: tuple[str, ...]
    """Each one sentence for the agent: what was cut, let go or lost."""


class ToolFailed(Exception):
    """A tool said that it could not; the message is the server's own, to be caught by the code."""


class Functions(Protocol):
    """The tools that code can call by name. All of it runs in the loop of the sandbox."""

    def has(self, name: str) -> bool:
        """Whether there is a tool of exactly this name."""

    def near(self, name: str) -> Sequence[str]:
        """Names that look like one that is none."""

    def paused_seconds(self) -> float:
        """For how long a person has been asked; the question that is open now counts too."""

    async def call(self, name: str, args: Sequence[object], kwargs: dict[str, object]) -> object:
        """One call; the result is of plain JSON values.

        Raises:
            ToolFailed: the tool answered with an error.
            TypeError, ValueError: the arguments do not fit; the message holds the signature.
            PermissionError: a rule or the person said no.
            RuntimeError: the server broke down.
        """


class NoFunctions:
    """No tools at all: for what runs in the sandbox on our own behalf."""

    def has(self, name: str) -> bool:
        """No name is that of a tool."""
        return False

    def near(self, name: str) -> Sequence[str]:
        """Nothing looks like it."""
        return ()

    def paused_seconds(self) -> float:
        """Nobody is asked."""
        return 0.0

    async def call(self, name: str, args: Sequence[object], kwargs: dict[str, object]) -> object:
        """Never called."""
        raise TypeError(f"{name[:80]} is no tool")
