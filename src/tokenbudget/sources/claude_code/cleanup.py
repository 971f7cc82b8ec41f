"""When the agent deletes its own transcripts: `cleanupPeriodDays` of its settings, 30 without.

Claude Code 2.1.329 deletes, when it starts, every file below `projects` whose mtime is older than
the period. The period comes from its settings as merged where it was started, so a project's own
settings hold for the transcripts of all projects; the shortest that is found anywhere is what
counts here. 0 switches the deletion off (newer clients refuse to take it).
"""

from __future__ import annotations

import json
import os
from typing import NamedTuple

from tokenbudget.config.files import read_regular

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

DEFAULT_DAYS = 30
KEY = "cleanupPeriodDays"
MANAGED = (
    "/etc/claude-code/managed-settings.json",
    "/Library/Application Support/ClaudeCode/managed-settings.json",
)
NAMES = ("settings.json", "settings.local.json")


class Cleanup(NamedTuple):
    """How long the agent keeps a transcript, and who says so ('' is its own default)."""

    days: int | None
    """None: it deletes nothing."""
    path: str = ""


def cleanup_of(
    claude_dirs: Iterable[str], projects: Iterable[str] = (), managed: Sequence[str] = MANAGED
) -> Cleanup:
    """The shortest period that any of these settings gives; the agent's default where none does.

    What an administrator manages holds whatever the others say.
    """
    ruled = [found for path in managed if (found := _said(path)) is not None]
    if ruled:
        return min(ruled, key=_length)
    user = [os.path.join(folder, NAMES[0]) for folder in claude_dirs]
    own = [os.path.join(folder, ".claude", name) for folder in projects for name in NAMES]
    users = [found for path in user if (found := _said(path)) is not None]
    others = [found for path in own if (found := _said(path)) is not None]
    return min([*(users or [Cleanup(DEFAULT_DAYS)]), *others], key=_length)


def _length(found: Cleanup) -> float:
    return float("inf") if found.days is None else found.days


def _said(path: str) -> Cleanup | None:
    try:
        data = read_regular(path)
        found = None if data is None else json.loads(data.decode("utf-8-sig"))
    except (OSError, ValueError, RecursionError):
        return None
    days = found.get(KEY) if isinstance(found, dict) else None
    if isinstance(days, bool) or not isinstance(days, int) or days < 0:
        return None
    return Cleanup(days or None, path)
