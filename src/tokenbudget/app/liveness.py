"""Whether somebody works with a session: asked before it is archived, and again before it moves."""

from __future__ import annotations

import os

from tokenbudget.app.archiving_plan import REST_MS
from tokenbudget.sources.claude_code.running import running_sessions
from tokenbudget.system.open_files import OpenFiles, has_ended, process_domain

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from tokenbudget.model.protocols import Clock

BLIND = (
    "this system does not tell which files are open (no /proc, no lsof): only times, locks and the"
    " agent's own word say who works with a session"
)


class Liveness:
    """The signs of life that a session can show, as of now."""

    def __init__(
        self, claude_dirs: Sequence[str], clock: Clock, open_files: OpenFiles | None = None
    ) -> None:
        self._claude_dirs = claude_dirs
        self._clock = clock
        self._open_files = open_files or OpenFiles(clock)

    @property
    def blindness(self) -> str:
        """What cannot be seen here, as a sentence; '' where nothing is hidden."""
        return "" if self._open_files.can_see else BLIND

    def sign_of(self, session: str, paths: Sequence[str], *, is_now: bool = False) -> str:
        """Why a session counts as live, as a sentence; '' where it is at rest.

        `is_now` has every process looked at again, not as of a moment ago.
        """
        if is_now:
            self._open_files.look_now()
        return self.agent_of(session) or next(
            (sign for path in paths if (sign := self.sign_of_file(path))), ""
        )

    def agent_of(self, session: str) -> str:
        """Which agent has it as its current session, by the agent's own word."""
        for told in running_sessions(self._claude_dirs, has_ended, process_domain()):
            if told.session != session:
                continue
            if told.is_certain:
                return f"an agent works with it (process {told.pid})"
            return (
                f"an agent on another machine or in a container works with it; if that is gone,"
                f" remove {told.path}"
            )
        return ""

    def sign_of_file(self, path: str) -> str:
        """Why a single file counts as live; '' where it is at rest."""
        if holder := self._open_files.holder_of(path):
            return f"{holder} has {os.path.basename(path)} open"
        try:
            written_ms = os.stat(path, follow_symlinks=False).st_mtime_ns // 1_000_000
        except OSError:
            return ""
        if self._clock.now_ms() - written_ms < REST_MS:
            return f"{os.path.basename(path)} was written within the last hour"
        return ""

    def is_open(self, path: str) -> bool:
        """Whether another process has this file open; whatever its time says."""
        return self._open_files.holder_of(path) != ""

    def is_live(self, path: str) -> bool:
        """Whether it counts as live, as a yes or no."""
        return self.sign_of_file(path) != ""
