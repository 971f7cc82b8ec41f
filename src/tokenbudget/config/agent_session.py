"""Whether an agent has started this process, and in which session."""

import os

VARIABLE = "CLAUDE_CODE_SESSION_ID"
"""Releases from 2.1 set it for the commands that they run; 2.0.76 does not."""
MARKS = ("CLAUDECODE", VARIABLE)
"""The first is there since 1.0."""
_LONGEST = 64


def agent_session() -> str:
    """The id of the session; '' outside of one, and for what is no id."""
    found = os.environ.get(VARIABLE, "")
    is_word = found.isascii() and found.replace("-", "").isalnum() and not found.startswith("-")
    return found if is_word and len(found) <= _LONGEST else ""


def is_in_agent() -> bool:
    """Whether an agent's shell runs this.

    A mark counts whatever it holds: before a command a variable can be set, and not be taken away.
    """
    return any(mark in os.environ for mark in MARKS)
