"""Which sections of a memory file could be skills, what that changes, and what was done."""

from __future__ import annotations

import os

from tokenbudget.model.figures import wrapped
from tokenbudget.model.plain_text import one_line
from tokenbudget.reports.json import document
from tokenbudget.reports.skills_splitting import action_fields
from tokenbudget.reports.window import WIDTH

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tokenbudget.app.memory_extracting import Candidates
    from tokenbudget.model.actions import ActionRecord
    from tokenbudget.model.figures import Style
    from tokenbudget.resources.memory_extracting import Extract, Extracted, Section

FORMAT = 1
MOST_TITLE = 40


def candidate_lines(
    found: Candidates, all_of: Extracted, chosen: Sequence[Section], style: Style
) -> list[str]:
    """The sections with their numbers; those that are chosen have a mark."""
    return [one_line(line) for line in _candidates(found, all_of, chosen, style)]


def _candidates(
    found: Candidates, all_of: Extracted, chosen: Sequence[Section], style: Style
) -> Iterator[str]:
    width = min(style.width, WIDTH)
    if not found.sections:
        yield from wrapped(
            f"Nothing to extract from {found.path}: no section is long and about one thing; rules"
            " that always hold stay where they are.",
            width,
        )
        return
    taken = [one for one in all_of.extracts if one.section in chosen]
    saved = sum(one.saved_tokens for one in taken)
    yield f"{len(taken)} of {len(found.sections)} sections chosen: {saved:,} tokens less a request"
    yield ""
    for number, one in enumerate(all_of.extracts, 1):
        mark = "*" if one.section in chosen else " "
        title = one.section.title[:MOST_TITLE]
        yield (
            f" {mark}{number:>2}  {title:<{MOST_TITLE}} {one.section.tokens:>6,} -"
            f" {one.cost_tokens:,} = {one.saved_tokens:,}  {_evidence(one.section, found.sessions)}"
        )
    for one in taken:
        yield ""
        yield f"{os.path.join(found.skills, one.name, 'SKILL.md')} (a new file)"
        yield from (f"  + {line}" for line in one.skill.splitlines()[:4])
        yield f"  + the section word by word; in {os.path.basename(found.path)} stays:"
        yield f"  + {one.pointer}"
    yield ""
    yield from wrapped(
        "A section's tokens, less its pointer and its line in the listing of skills, which stay in"
        " every request; where a skill is loaded, its section is paid once in that session.",
        width,
    )


def _evidence(section: Section, sessions: int) -> str:
    if section.sessions is None:
        return "how often it is needed is not known"
    return f"touched in {section.sessions:,} of {sessions:,} sessions"


def extract_document(
    found: Candidates,
    all_of: Extracted,
    chosen: Sequence[Section],
    action: ActionRecord | None,
) -> str:
    """The same as `tokenbudget/skills-extract/1`."""
    fields: dict[str, object] = {
        "path": found.path,
        "sessions": found.sessions,
        "rows": [
            _row(number, one, one.section in chosen)
            for number, one in enumerate(all_of.extracts, 1)
        ],
        "saved_tokens": sum(one.saved_tokens for one in all_of.extracts if one.section in chosen),
    }
    return document("skills-extract", FORMAT, fields | action_fields(action))


def _row(number: int, one: Extract, is_chosen: bool) -> dict[str, object]:
    return {
        "number": number,
        "title": one.section.title,
        "skill": one.name,
        "tokens": one.section.tokens,
        "cost_tokens": one.cost_tokens,
        "saved_tokens": one.saved_tokens,
        "sessions": one.section.sessions,
        "paths": [*one.section.paths],
        "is_recommended": one.section.is_recommended,
        "is_chosen": is_chosen,
        "text": one.skill,
    }
