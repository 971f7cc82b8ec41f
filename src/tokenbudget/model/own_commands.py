"""The slash commands that are ours, as a client names them where it credits a request to one.

Their requests may be answered by a small model that the command names: then they say nothing of
the session's own model, nor of how its tokens are counted.
"""

_PLUGIN = "tokenbudget:"
_TYPED = ("tokens", "sc:optimize-tokens", "sc:cleanup-context", "sc:mode")
OWN_COMMANDS = frozenset((*_TYPED, *(_PLUGIN + name for name in _TYPED)))
