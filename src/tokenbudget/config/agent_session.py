"""Which session of an agent this process was started in."""

import os

VARIABLE = "CLAUDE_CODE_SESSION_ID"
"""Releases from 2.1 set it for the commands that they run; 2.0.76 does not."""
_LONGEST = 64


def agent_session() -> str:
    """The id of the session; '' outside of one, and for what is no id."""
    found = os.environ.get(VARIABLE, "")
    is_word = found.isascii() and found.replace("-", "").isalnum() and not found.startswith("-")
    return found if is_word and len(found) <= _LONGEST else ""
