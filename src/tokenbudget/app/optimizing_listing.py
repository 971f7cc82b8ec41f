"""Unused skills and agents as one finding: each line is little, and all of them are much."""

from __future__ import annotations

from tokenbudget.model.actions import EditSettings, Proposal, SettingEdit, Weight
from tokenbudget.resources.kind import counted

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

KIND = "skills-and-agents"
LISTING_ID = f"{KIND}/unused"
MOST_NAMES = 5
_SKILLS = "skillOverrides"


def joined(proposals: Iterable[Proposal]) -> list[Proposal]:
    """The proposals, those against unused lines of the listings as one; one alone stays itself."""
    them = list(proposals)
    lines = [one for one in them if _is_line(one)]
    if len(lines) < 2:
        return them
    return [_joined(lines), *(one for one in them if not _is_line(one))]


def words_of(one: Proposal) -> str:
    """`20 skills and 8 agents`."""
    edits = [edit for step in one.steps if isinstance(step, EditSettings) for edit in step.edits]
    skills = sum(edit.keys[0] == _SKILLS for edit in edits)
    agents = len(edits) - skills
    parts = (counted(skills, "skill") if skills else "", counted(agents, "agent") if agents else "")
    return " and ".join(filter(None, parts))


def _is_line(one: Proposal) -> bool:
    """Whether it surely takes an unused line out, and nothing else."""
    is_listed = one.resource in ("skills", "agents") and one.is_chosen
    has_weight = one.freed.tokens is not None
    is_edit = all(isinstance(step, EditSettings) for step in one.steps)
    return is_listed and has_weight and bool(one.steps) and is_edit


def _joined(lines: Sequence[Proposal]) -> Proposal:
    edits: dict[str, list[SettingEdit]] = {}
    for one in lines:
        for step in one.steps:
            if isinstance(step, EditSettings):
                edits.setdefault(step.path, []).extend(step.edits)
    steps = tuple(EditSettings(path, tuple(them)) for path, them in edits.items())
    made = Proposal(
        id=LISTING_ID,
        resource="skills",
        title="",
        reason=_reason(lines),
        freed=Weight(
            sum(one.freed.tokens or 0 for one in lines),
            sum(one.freed.error_tokens for one in lines),
            "estimated",
        ),
        freed_bytes=0,
        effect="next compaction",
        is_chosen=True,
        steps=steps,
    )
    title = f"take {words_of(made)} out of the listing in this project"
    return made._replace(title=title)


def _reason(lines: Sequence[Proposal]) -> str:
    heaviest = sorted(lines, key=lambda one: (-(one.freed.tokens or 0), one.id))
    names = [one.id.partition("/")[2] for one in heaviest[:MOST_NAMES]]
    more = f" and {len(lines) - len(names):,} more" if len(lines) > len(names) else ""
    return f"{', '.join(names)}{more}; tokens compact lists them one by one"
