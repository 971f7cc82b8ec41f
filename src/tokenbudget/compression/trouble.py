"""Which lines tell of something that went wrong: they are never cut."""

from __future__ import annotations

_WORDS = (
    *("error", "fail", "warn", "not ", "n't", "cannot", "no such", "unable", "exception"),
    *("traceback", "fatal", "panic", "denied", "refuse", "reject", "undefined", "unresolved"),
    *("unknown", "missing", "invalid", "illegal", "unexpected", "expected", "killed", "segm"),
    *("segfault", "abort", "timeout", "timed out", "time out", "assert", "critical", "severe"),
    *("conflict", "deprecat", "vulnerab", "crash", "leak", "overflow", "corrupt", "mismatch"),
    *("caused by", "exit code", "exit status", "exited", "rollback", "rolled back", "permission"),
    *("forbidden", "unauthori", "never ", "errno", "err:", "err=", " err ", "[err", "stack trace"),
    *("✕", "✗", "✘", "✖", "❌", "⚠", "\xd7", "\u2a2f"),
)

PYTEST_SAYS = "E   "
"""How each line begins by which pytest tells why a test failed."""


def is_trouble(line: str) -> bool:
    """Whether the line may tell of an error, a failure or a warning; wrong on the safe side."""
    if line.startswith(PYTEST_SAYS):
        return True
    low = line.lower()
    for word in _WORDS:  # noqa: SIM110 - asked for every line: `any` takes six times as long
        if word in low:
            return True
    return False
