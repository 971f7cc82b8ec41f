"""How large a model's context window is, as far as that is published.

What a client really uses may be smaller (a plan, a setting, an older version), so that a person's
own figure and what a session shows go first: see `analysis.window_size`.
"""

from __future__ import annotations

AS_OF = "2026-11-20"
SOURCE = "genai-prices 0.2.3"

_WINDOWS = (
    # The first that the id begins with decides.
    ("claude-opus-4-5", 200_000),
    ("claude-opus-4-1", 200_000),
    ("claude-opus-4-0", 200_000),
    ("claude-opus-4-2", 200_000),
    ("claude-opus-4@", 200_000),
    ("claude-opus-", 1_000_000),
    ("claude-sonnet-4-6", 1_000_000),
    ("claude-sonnet-4", 200_000),
    ("claude-sonnet-", 1_000_000),
    ("claude-haiku-5", 1_000_000),
    ("claude-haiku-", 200_000),
    ("claude-fable-", 1_000_000),
    ("claude-mythos-", 1_000_000),
    ("claude-3", 200_000),
    ("claude-2", 200_000),
)
MILLION_SUFFIX = "[1m]"
"""Claude Code's own sign in a model's name for its largest window."""


def own_name(model: str) -> str:
    """A model's own name, in lower case, without the names of who serves it."""
    name = model.lower()
    return name[name.find("claude-") :] if "claude-" in name else name


def published_window_tokens(model: str) -> int | None:
    """The published window of a model in tokens; None for a model that is not known."""
    name = model.lower()
    if name.endswith(MILLION_SUFFIX):
        return 1_000_000
    name = own_name(name)
    if name == "claude-opus-4":
        return 200_000
    return next((tokens for start, tokens in _WINDOWS if name.startswith(start)), None)
