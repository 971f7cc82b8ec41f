"""What the agent is asked for by `tokenManagement.compressionMode`, in words for the agent.

The standard library is not even needed: hooks import this in every process.
"""

from __future__ import annotations

VERBOSE, BALANCED, COMPRESSED = "verbose", "balanced", "compressed"

_KEPT = "Code, errors, numbers, names: unchanged."

INSTRUCTIONS = {
    VERBOSE: "Write fully: explain each step, choice and risk.",
    BALANCED: "",
    COMPRESSED: f"Write tersely: no preamble, no recap, short clauses, lists over prose. {_KEPT}",
}
"""In full, as a session begins with them; '' asks for nothing."""

AS_USUAL = "Write as usual; an earlier request to be terse or detailed is over."
"""For a session that was asked for something else before."""


def instruction(mode: str) -> str:
    """What to ask the agent for in this mode; '' for balanced, and for a word that is no mode."""
    return INSTRUCTIONS.get(mode, "")


def instruction_now(mode: str) -> str:
    """What to tell an agent whose mode has just been set to this one; never ''."""
    return instruction(mode) or AS_USUAL
