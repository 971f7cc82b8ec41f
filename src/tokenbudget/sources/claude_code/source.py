"""Claude Code as a `Source`: what `app` hands to the collector.

The reader, and msgspec with it, is imported when a file has to be read: a command that finds
nothing new must not pay for it.
"""

from __future__ import annotations

import os

from tokenbudget.sources.claude_code import paths

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tokenbudget.model.events import ReadPlan, Stretch
    from tokenbudget.model.files import Found
    from tokenbudget.model.window import LineFacts, Placed, RebuiltRequest


class ClaudeCode:
    """The transcripts of Claude Code 1.0.0 and later."""

    agent = "claude-code"

    def __init__(self, home: str) -> None:
        self._home = home
        self._roots: dict[str, str] = {}

    def find(self, tops: Sequence[str]) -> Found:
        """Every transcript below these folders."""
        return paths.find_transcripts(tops)

    def session_of(self, path: str) -> str:
        """The session that a file belongs to by its place."""
        return paths.session_of(path)

    def is_subagent_file(self, path: str) -> bool:
        """Whether the file holds a subagent's thread."""
        return paths.is_subagent_file(path)

    def fingerprint(self, path: str, end: int) -> tuple[int, int]:
        """Check sums of the bytes at the edges of `[0, end)`."""
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            return paths.fingerprint(descriptor, end)
        finally:
            os.close(descriptor)

    def prepare(self) -> None:
        """Import the reader, so that forked children find it loaded."""
        import tokenbudget.sources.claude_code.reader  # noqa: F401

    def read(self, plan: ReadPlan) -> Iterator[Stretch]:
        """What stands in the file from `plan.start` on."""
        from tokenbudget.sources.claude_code.reader import read_stretches

        return read_stretches(plan)

    def window(self, path: str, since: int = 0) -> Iterator[Placed]:
        """What the transcript shows of the windows of its requests, from its beginning on."""
        from tokenbudget.sources.claude_code.window import read_window

        return read_window(path)

    def rebuilt(self, path: str, response_key: str) -> RebuiltRequest | None:
        """The request behind a response, rebuilt from the client's own record."""
        from tokenbudget.sources.claude_code.last_request import rebuilt_request

        return rebuilt_request(path, response_key)

    def line_facts(self, path: str) -> LineFacts:
        """Where the lines of a transcript begin, and how much of files was shown."""
        from tokenbudget.sources.claude_code.line_facts import read_line_facts

        return read_line_facts(path)

    def project_root(self, cwd: str) -> str:
        """The repository of a working directory, worktrees folded."""
        known = self._roots.get(cwd)
        if known is None:
            known = self._roots[cwd] = paths.project_root(cwd, self._home)
        return known
