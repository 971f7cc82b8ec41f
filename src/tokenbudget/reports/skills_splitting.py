"""What splitting a skill means: what stays, what moves where, and what is read at once then."""

from __future__ import annotations

import os
from difflib import unified_diff

from tokenbudget.model.figures import wrapped
from tokenbudget.model.plain_text import one_line
from tokenbudget.reports.json import document
from tokenbudget.reports.window import WIDTH
from tokenbudget.resources.skill_splitting import FOLDER, NothingToSplit

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tokenbudget.app.skill_splitting import Planned
    from tokenbudget.model.actions import ActionRecord, EditText
    from tokenbudget.model.figures import Style

FORMAT = 1
MOST_NOTES, MOST_TITLES = 5, 4


def planned_lines(planned: Planned, style: Style) -> list[str]:
    """The preview: figures first, then each file, then the core as it would read."""
    return [one_line(line) for line in _planned(planned, style)]


def _planned(planned: Planned, style: Style) -> Iterator[str]:
    split = planned.split
    width = min(style.width, WIDTH)
    if isinstance(split, NothingToSplit):
        yield from wrapped(f"Nothing to split in {planned.path}: {split.why}.", width)
        return
    line = split.listing_tokens
    figures = (
        f"{line + split.before_tokens:,} → {line + split.core_tokens:,} tokens"
        f" ({split.share:.0%}) are read when the skill is loaded: its line in the listing {line:,},"
        f" its text {split.before_tokens:,} → {split.core_tokens:,}"
    )
    yield from wrapped(figures, width)
    yield ""
    yield f"  {split.core_tokens:>6,}  SKILL.md: the core"
    for one in split.references:
        titles = ", ".join(one.titles[:MOST_TITLES])
        said = f"{one.tokens:>6,}  {FOLDER}/{one_line(one.name)}: {one_line(titles)}"
        yield from (f"  {row}" for row in _hung(said, width - 2))
    yield ""
    core = planned.steps[-1]
    for change in _changes(core):
        yield f"  {change}"
    for note in planned.notes[:MOST_NOTES]:
        yield from wrapped(f"! {one_line(note)}", width, "  ")
    yield "Every line stays, in the core or in exactly one reference (checked)."


def _hung(said: str, width: int) -> Iterator[str]:
    """Words behind a figure, wrapped beside it."""
    figure, words = said[:8], said[8:]
    for line in wrapped(words, width - len(figure)):
        yield figure + line
        figure = " " * len(figure)


def _changes(step: EditText) -> Iterator[str]:
    """The core as it would read: what it loses with `-`, what is new with `+`."""
    before, after = (step.before or "").splitlines(), step.after.splitlines()
    is_long = len(before) > 5_000
    changes = [] if is_long else [*unified_diff(before, after, lineterm="", n=1)][2:]
    removed = 0
    for line in changes:
        if line.startswith("-"):
            removed += 1
            continue
        if removed:
            yield f"- {removed:,} line{'' if removed == 1 else 's'} to a reference"
            removed = 0
        if line.strip() and line != "+" and not line.startswith("@@"):
            yield line
    if removed:
        yield f"- {removed:,} lines to a reference"
    if is_long:
        yield f"{len(before):,} lines would become {len(after):,}"


def done_lines(action: ActionRecord) -> list[str]:
    """What was done, and how it is taken back."""
    wrong = [one.outcome for one in action.steps if one.outcome.state == "failed"]
    lines = [f"! {one_line(one.message)}" for one in wrong]
    if any(one.outcome.state == "done" for one in action.steps):
        word = "Done" if not wrong else "Not finished; nothing was taken out"
        lines.append(f"{word}. Take it back: tokens undo {action.id}")
    return lines


def split_document(planned: Planned, action: ActionRecord | None) -> str:
    """The same as `tokenbudget/skills-split/1`."""
    split = planned.split
    fields: dict[str, object] = {"path": planned.path, "notes": [*planned.notes]}
    if isinstance(split, NothingToSplit):
        fields |= {"is_split": False, "why": split.why, "rows": []}
    else:
        fields |= {
            "is_split": True,
            "listing_tokens": split.listing_tokens,
            "before_tokens": split.before_tokens,
            "core_tokens": split.core_tokens,
            "share": round(split.share, 4),
            "rows": [
                {
                    "reference": f"{FOLDER}/{one.name}",
                    "tokens": one.tokens,
                    "titles": [*one.titles],
                    "text": one.text,
                }
                for one in split.references
            ],
            "core": split.core,
        }
    return document("skills-split", FORMAT, fields | action_fields(action))


def action_fields(action: ActionRecord | None) -> dict[str, object]:
    """How it went; nothing was done where there is no action."""
    if action is None:
        return {"action": None, "steps": []}
    steps: Sequence[dict[str, str]] = [
        {
            "file": os.path.basename(getattr(one.step, "path", "")),
            "state": one.outcome.state,
            "message": one.outcome.message,
        }
        for one in action.steps
    ]
    return {"action": action.id, "steps": [*steps]}
