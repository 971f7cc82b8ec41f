"""What the controller has to know of a session's history before it has it compacted."""

from __future__ import annotations

import os

from tokenbudget.analysis.compact_plan import SUMMARY_TOKENS
from tokenbudget.analysis.window_pieces import CONTEXT_FILES, READING_TOOLS, WRITING_TOOLS
from tokenbudget.app.compacting_talk import CONVERSATION, SUMMARIES, talk_of
from tokenbudget.app.watched import AHEAD_MS, LIVE_MS, MOST_SESSIONS
from tokenbudget.config.layers import project_dir
from tokenbudget.model.actions import Weight
from tokenbudget.optimizer.working_set import AGAIN_CHANCE, FileInUse, brought_back, missed
from tokenbudget.resources.history import Conversation

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Container, Mapping, Sequence

    from tokenbudget.analysis.session_window import SessionWindow
    from tokenbudget.app import Workbench
    from tokenbudget.ledger.inspection import SessionRow
    from tokenbudget.ledger.session_signals import Call
    from tokenbudget.model.control import Held

CLIENT_BYTES_PER_TOKEN = 4
"""As the client estimates a file, to see whether it is small enough to be brought back."""
TOLD_CHANCE = AGAIN_CHANCE / 2
"""Files that are likelier than this to be worked on again are named."""
SUMMARY_ERROR_TOKENS = 2_500
"""What a summary alone may be off, where no earlier one tells."""


def conversation_of(
    bench: Workbench,
    facts: SessionRow,
    window: SessionWindow,
    project: str,
    files: Sequence[FileInUse],
    now_ms: int,
) -> Conversation | None:
    """The conversation and what compacting it frees; None where there is nothing to free."""
    used = window.total_tokens
    talk = talk_of(bench, facts, window, project, now_ms)
    if used is None or talk is None:
        return None
    tokens = sum(part.tokens for part in window.components if part.key in CONVERSATION)
    freed = talk.freed
    if not bench.ledger.work.summary_tokens(SUMMARIES):
        freed = _freed(tokens, files)
    return Conversation(
        used,
        window.size.tokens,
        tokens,
        freed,
        talk.command,
        neighbours(bench, facts, project, now_ms),
    )


def neighbours(bench: Workbench, facts: SessionRow, project: str, now_ms: int) -> tuple[int, ...]:
    """What the windows of other live sessions hold that read the same settings, in tokens."""
    live = bench.ledger.active_sessions(now_ms - LIVE_MS, now_ms + AHEAD_MS, MOST_SESSIONS)
    here = {project, os.path.realpath(project), facts.cwd, facts.project} - {""}
    home = bench.settings.home_dir
    return tuple(
        one.window_tokens
        for one in live
        if one.session != facts.session
        and {one.cwd, one.project, project_dir(one.cwd, home)} & here
    )


def files_in_use(
    window: SessionWindow, calls: Sequence[Call], asked_at_ms: Sequence[int]
) -> list[FileInUse]:
    """The files in the window as they are on the disk, with the time of their last change there.

    So the client sees them: it brings back those that were changed last, whoever has read or
    changed them, and tells a file's tokens by its bytes. How long ago the session used them is told
    in requests, of which `asked_at_ms` has the last ones, oldest first.
    """
    edited = _last_calls(calls, WRITING_TOOLS)
    used = _last_calls(calls, READING_TOOLS | WRITING_TOOLS)
    items = [item for part in window.components if part.key == CONTEXT_FILES for item in part.items]
    found = [(item, facts) for item in items if (facts := _facts_of(item.name)) is not None]
    return [
        FileInUse(
            item.name,
            size_bytes / CLIENT_BYTES_PER_TOKEN,
            changed_ms,
            min(size_bytes / CLIENT_BYTES_PER_TOKEN, item.tokens),
            _requests_since(used.get(item.name, 0), asked_at_ms),
            _requests_since(edited[item.name], asked_at_ms) if item.name in edited else None,
        )
        for item, (size_bytes, changed_ms) in found
    ]


def with_rereads(held: Held, files: Sequence[FileInUse], name_of: Callable[[str], str]) -> Held:
    """The history with what of it would have to be read again."""
    again = missed(files)
    named = ", ".join(name_of(one.path) for one in again[:2] if one.chance >= TOLD_CHANCE)
    said = f"; {named} may have to be read again" if named else ""
    return held._replace(
        reason=f"{held.reason}{said}",
        reread_requests=sum(one.chance for one in again),
        reread_tokens=sum(one.expected_tokens for one in again),
    )


def _freed(tokens: int, files: Sequence[FileInUse]) -> Weight:
    """By what the client brings back of the files, and a usual summary."""
    left = SUMMARY_TOKENS[0] + round(sum(one.tokens for one in brought_back(files)))
    freed = max(0, tokens - left)
    return Weight(freed, min(freed, SUMMARY_ERROR_TOKENS), "estimated")


def _last_calls(calls: Sequence[Call], tools: Container[str]) -> Mapping[str, int]:
    """When each file was last called for, by path."""
    return {one.target: one.at_ms for one in calls if one.tool in tools and one.target}


def _requests_since(at_ms: int, asked_at_ms: Sequence[int]) -> int:
    return sum(one > at_ms for one in asked_at_ms)


def _facts_of(path: str) -> tuple[int, int] | None:
    """Bytes and last change of a file; None where there is none any more."""
    try:
        found = os.stat(path)
    except (OSError, ValueError):
        return None
    return found.st_size, found.st_mtime_ns // 1_000_000
