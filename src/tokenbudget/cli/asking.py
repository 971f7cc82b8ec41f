"""Ask a person before something is done that takes more than a look."""

from __future__ import annotations

import sys

from tokenbudget.model.errors import Refused

YES = ("y", "yes")


def can_ask() -> bool:
    """Whether somebody is there who could answer."""
    return sys.stdin is not None and sys.stdin.isatty() and sys.stderr.isatty()


def is_wanted(question: str, is_yes: bool) -> bool:
    """Whether to go on: by `--yes`, or by what the person answers; no answer, and Ctrl-C, is a no.

    Raises:
        Refused: there is nobody to ask.
    """
    if is_yes:
        return True
    if not can_ask():
        raise Refused(
            "nothing was changed, for there is nobody to ask; --yes does it, --dry-run only shows"
            " it"
        )
    print(f"{question} [y/N] ", end="", file=sys.stderr, flush=True)
    try:
        return sys.stdin.readline().strip().lower() in YES
    except KeyboardInterrupt:
        print(file=sys.stderr)
        return False
