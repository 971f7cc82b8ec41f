"""Titles of sessions that say what a person wrote: a report without content leaves them out."""

from __future__ import annotations

from tokenbudget.app import opening_words

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from tokenbudget.app import Workbench
    from tokenbudget.ledger.inspection import SessionRow

_CUT_MARKS = " .\N{HORIZONTAL ELLIPSIS}"
"""What a client ends a title with that it has cut."""


def without_prompt_titles(
    bench: Workbench, facts: Iterable[SessionRow], shown: frozenset[str]
) -> list[SessionRow]:
    """The sessions, a title empty where it is the beginning of the session's first prompt.

    A client that finds no better name takes the prompt's words. Only sessions that are `shown` are
    looked at; of those whose transcript is gone nobody can tell, and their titles stay.
    """
    return [
        row._replace(title="")
        if row.title
        and row.session in shown
        and is_of_prompt(row.title, opening_words(bench, row.session) or "")
        else row
        for row in facts
    ]


def is_of_prompt(title: str, prompt: str) -> bool:
    """Whether a title is a prompt, or how it begins, whatever the case and the spaces."""
    begin = _plain(title).rstrip(_CUT_MARKS)
    return bool(begin) and _plain(prompt).startswith(begin)


def _plain(text: str) -> str:
    return " ".join(text.casefold().split())
