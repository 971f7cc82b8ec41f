"""One skill whole, the skills for a task, and a change before and after it was made, as text."""

from __future__ import annotations

from tokenbudget.model.figures import counted, wrapped
from tokenbudget.model.plain_text import one_line
from tokenbudget.reports.compact_words import WHEN, weight_words
from tokenbudget.reports.skills import STATES, ago_words, short_path
from tokenbudget.reports.window import WIDTH

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from tokenbudget.model.actions import ActionRecord, Proposal, Weight
    from tokenbudget.model.figures import Style
    from tokenbudget.resources.skill_entry import Entry
    from tokenbudget.resources.skill_matching import Match
    from tokenbudget.resources.skill_states import SkillsFound
    from tokenbudget.resources.skill_use import Used


def entry_lines(one: Entry, found: SkillsFound, style: Style, home: str) -> list[str]:
    """One skill, command or agent whole."""
    width = min(style.width, WIDTH)
    definition = one.definition
    is_read = one.state != "broken"
    tier = f" · {one.tiered.tier}" if is_read else ""
    title = wrapped(f"{one_line(one.name)} · {definition.kind}{tier}", width)
    is_file = one.scope != "client"
    place = short_path(definition.path, home) if is_file else "the client's own, in no file"
    lines = [*map(style.bold, title), *wrapped(one_line(place), width), ""]
    attached = one.attached
    more = " and more" if attached.is_cut else ""
    files = f"{attached.size_bytes:,} bytes in {counted(len(attached.paths), 'file')}{more}"
    by = f", by {one_line(one.hidden_by)}" if one.hidden_by else ""
    rows = [
        ("About", one_line(definition.about)),
        ("Triggers", " · ".join(map(one_line, one.triggers))),
        ("Line", f"{weight_words(one.line)} in every request"),
        ("Body", f"{weight_words(one.body)}, when it is used" if is_file and is_read else ""),
        ("Resources", f"{weight_words(one.attached_weight)}, {files}" if attached.paths else ""),
        ("Uses", _use_words(one.used, found.evidence.until_ms)),
        ("Tier", f"{one.tiered.tier}: {one_line(one.tiered.reason)}" if is_read else ""),
        ("State", (STATES.get(one.state) or one.state) + by),
        ("Wanted", _wanted_words(one, found)),
    ]
    for label, words in rows:
        lines += _labelled(label, words, width) if words else []
    for fault in one.faults:
        lines += wrapped(f"! {one_line(fault)}", width, "  ")
    return lines


def _labelled(label: str, words: str, width: int) -> list[str]:
    first, *rest = wrapped(words, width - 12) or [""]
    return [f"{label:<12}{first}", *(f"{'':<12}{line}" for line in rest)]


def _use_words(used: Used, now_ms: int) -> str:
    if not used.ever:
        return "never, as far as the ledger reaches"
    here = f"{used.here} here in 30 days" if used.here else "none here in 30 days"
    return f"{used.ever} in all, {here}, last {ago_words(used, now_ms)}"


def _wanted_words(one: Entry, found: SkillsFound) -> str:
    wanted = found.states.wanted.get(one.definition.path) or found.states.wanted.get(one.plugin)
    if wanted is None or one.state != "on":
        return ""
    proposal = wanted.proposal
    when = f"{weight_words(proposal.freed)} {WHEN[proposal.effect]}"
    return f"{one_line(proposal.title)} ({one_line(proposal.reason)}): frees {when}"


def match_lines(
    matches: Sequence[Match], task: str, abouts: dict[str, str], style: Style, most: int
) -> list[str]:
    """The skills for a task, the best first; those without a word of it are not shown."""
    width = min(style.width, WIDTH)
    shown = [one for one in matches if one.words][:most]
    if not shown:
        return [
            *wrapped(f"No skill shares a word with: {one_line(task)}", width),
            "tokens skills lists what there is.",
        ]
    lines: list[str] = []
    for number, one in enumerate(shown, 1):
        lines.append(style.bold(f"{number:>2}  {one_line(one.name)}"))
        about = one_line(abouts.get(one.name, ""))
        lines += [f"    {line}" for line in wrapped(about, width - 4)[:2]]
        lines.append(style.faint(f"    by {', '.join(map(one_line, one.words))}"))
    left = sum(bool(one.words) for one in matches) - len(shown)
    return [*lines, *([f"{left:,} more share a word with the task; --limit N"] if left else [])]


def preview_lines(
    proposals: Sequence[Proposal],
    texts: Sequence[Sequence[str]],
    freed: Weight | None,
    style: Style,
) -> list[str]:
    """What would be changed, line by line."""
    width = min(style.width, WIDTH)
    lines: list[str] = []
    said = ""
    for one, changes in zip(proposals, texts, strict=True):
        reason = one.reason.partition(";")[0]
        lines += [style.bold(line) for line in wrapped(one_line(one.title), width, "  ")]
        if reason != said:  # most are told for one reason
            lines += [f"  {line}" for line in wrapped(one_line(one.reason), width - 2)]
        said = reason
        lines += [f"  {line}" for change in changes for line in wrapped(change, width - 2, "    ")]
    if freed is not None and lines:
        lines += ["", *wrapped(f"All of it frees {weight_words(freed)} in every request.", width)]
    return lines


def done_lines(action: ActionRecord, style: Style) -> list[str]:
    """What was done, and how it is taken back."""
    width = min(style.width, WIDTH)
    done = sum(step.outcome.state == "done" for step in action.steps)
    lines = [f"Done: {counted(done, 'change')}. Take it back: tokens undo {action.id}"]
    for step in action.steps:
        if step.outcome.message and step.outcome.state != "unchanged":
            lines += wrapped(f"! {one_line(step.outcome.message)}", width, "  ")
    lines += wrapped(
        "A running session has it after /compact, plugins in a new one; tokens compact --measure"
        " tells what the first requests say.",
        width,
    )
    return lines
