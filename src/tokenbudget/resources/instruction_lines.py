"""One line for the agent in the project's CLAUDE.md against a habit that costs tokens.

The lines are ours, word for word: nothing of a transcript is ever written into a file that an agent
obeys. A line is added at the end, and only where that is safe: a plain file of one's own inside the
project (or none yet), in UTF-8, that does not end within a comment or a code block.
"""

from __future__ import annotations

import os

from tokenbudget.model.actions import UNKNOWN_WEIGHT, EditText, Proposal
from tokenbudget.resources.git_index import tracked_in
from tokenbudget.resources.looking import facts_of, is_plainly_inside, text_at
from tokenbudget.resources.memory_loading import MEMORY_NAME

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from tokenbudget.model.protocols import TokenCounter

LINES: Mapping[str, str] = {
    "verbose-log": (
        "- Run tests, builds and installs with their quiet option (such as `-q` or `--silent`), or"
        " show only the end of their output (`2>&1 | tail -n 40`)."
    ),
    "re-read": (
        "- Do not read a file again that you have read in this conversation, unless it was changed"
        " since."
    ),
    "whole-file": (
        "- In a file of more than 300 lines, search for the place first (Grep) and read only the"
        " lines around it (Read with offset and limit)."
    ),
    "failing-command": (
        "- When a command fails twice in the same way, find out why, or ask, before you run it"
        " again."
    ),
    "polling": (
        "- Wait in one command that ends when the thing is done (such as `gh pr checks --watch`),"
        " instead of asking again and again."
    ),
    "subagent": (
        "- Do look-ups of one or two calls yourself; use a subagent only where much has to be"
        " read for a short answer."
    ),
    "small-commands": (
        "- Join small shell commands that belong together into one call with `&&`, and read several"
        " files in one step."
    ),
}
"""By the drain's id."""
RESOURCE = "instruction-lines"
MOST_BYTES = 1_000_000
_FENCES = ("```", "~~~")


def line_tokens(drain: str, counter: TokenCounter) -> int:
    """What the line against a drain takes in every request; 0 where there is none."""
    line = LINES.get(drain)
    return 0 if line is None else counter.count(line)


def line_proposal(project: str, drain: str) -> Proposal | None:
    """Add the line against a drain; None where there is none, it stands there, or is not safe.

    Args:
        project: The project's folder, by its real path.
        drain: The drain's id.
    """
    line = LINES.get(drain)
    path = os.path.join(project, MEMORY_NAME)
    if line is None or not _may_be_written(path, project):
        return None
    before = text_at(path, (project,), MOST_BYTES) if os.path.lexists(path) else None
    if before is not None and (line in before or _is_open_at_end(before)):
        return None
    git = "; git tracks it, so the edit is part of your next commit"
    is_tracked = before is not None and tracked_in(project).has(path)
    new = "" if before is not None else ", a new file that git will show"
    return Proposal(
        id=f"{RESOURCE}/{drain}",
        resource=RESOURCE,
        title=f"add one line to {MEMORY_NAME}{new}",
        reason=f"the agent reads it with every request{git if is_tracked else ''}",
        freed=UNKNOWN_WEIGHT,
        freed_bytes=0,
        effect="next start",
        is_chosen=False,
        steps=(EditText(path, before, _with_line(before or "", line)),),
    )


def has_line(project: str, drain: str) -> bool:
    """Whether the line against a drain stands in the project's memory file already."""
    line = LINES.get(drain)
    text = text_at(os.path.join(project, MEMORY_NAME), (project,), MOST_BYTES)
    return line is not None and text is not None and line in text


def _with_line(text: str, line: str) -> str:
    end = "\r\n" if "\r\n" in text else "\n"
    gap = ""
    if text:
        gap = "" if text.endswith("\n") else end
        is_list = text.rstrip("\r\n").rpartition("\n")[2].lstrip().startswith(("- ", "* "))
        gap += "" if is_list or text.endswith((end * 2,)) else end
    return f"{text}{gap}{line}{end}"


def _may_be_written(path: str, project: str) -> bool:
    """Whether the file is a plain one of one's own inside the project, or may become one."""
    if not os.path.lexists(path):
        return os.path.isdir(project) and os.access(project, os.W_OK)
    facts = facts_of(path)
    is_plain = facts is not None and facts.is_ours and facts.is_writable
    return is_plain and is_plainly_inside(path, project) and text_at(path, (project,)) is not None


def _is_open_at_end(text: str) -> bool:
    """Whether what is added at the end would be in a comment or in a code block."""
    if text.rfind("<!--") > text.rfind("-->"):
        return True
    marks = [line.lstrip()[:3] for line in text.splitlines() if line.lstrip()[:3] in _FENCES]
    return len(marks) % 2 == 1
