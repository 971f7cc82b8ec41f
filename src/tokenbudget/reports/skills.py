"""The skills, commands and agents of a project as text: what to do first, then each by its tier."""

from __future__ import annotations

import os

from tokenbudget.model.figures import counted, wrapped
from tokenbudget.model.plain_text import one_line
from tokenbudget.reports.compact_words import weight_words
from tokenbudget.reports.table import Column, Marked, render
from tokenbudget.reports.window import WIDTH

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tokenbudget.model.actions import Weight
    from tokenbudget.model.figures import Style
    from tokenbudget.reports.table import Cell
    from tokenbudget.resources.skill_entry import Entry
    from tokenbudget.resources.skill_states import SkillsFound
    from tokenbudget.resources.skill_use import Used

MOST_ROWS = 24
"""That fit on a screen; those with something to do come first."""
MOST_TOLD = 5
"""Faults, and pairs that say the same."""
MOST_NAMED = 4
DAY_MS = 86_400_000
_TIERS = ("cold", "warm", "hot")
STATES = {
    "on": "",
    "name-only": "name only",
    "user-invocable-only": "typed only",
    "silent": "not listed",
    "broken": "not read",
}
_COLUMNS = (
    Column("Name", is_text=True, enough=20),
    Column("Kind", is_text=True, drop_rank=2, may_cut=False),
    Column("From", is_text=True, drop_rank=3, may_cut=False),
    Column("Tier", is_text=True, may_cut=False),
    Column("Line"),
    Column("Body"),
    Column("Files", drop_rank=4),
    Column("Uses"),
    Column("Last", is_text=True, drop_rank=1, may_cut=False),
    Column("State", is_text=True, may_cut=False),
)


def inventory_lines(
    found: SkillsFound, style: Style, home: str, *, is_whole: bool = False
) -> list[str]:
    """How it stands and what to do; `is_whole` folds nothing."""
    width = min(style.width, WIDTH)
    entries = found.inventory.entries
    if not entries and not found.inventory.plugins:
        return _nothing_lines(found, home)
    lines = [style.bold(line) for line in wrapped(verdict(found), width)]
    lines += [*wrapped(_place_words(found, home), width), ""]
    rows = ordered(found)
    shown = rows if is_whole else rows[:MOST_ROWS]
    table_style = style._replace(width=width)
    lines += render(_COLUMNS, [_row(one, found) for one in shown], None, table_style)
    if len(rows) > len(shown):
        lines.append(f"  … and {len(rows) - len(shown):,} more: tokens skills --all")
    lines += _plugin_lines(found, width)
    lines += _told("Says the same", list(_overlap_words(found)), width, is_whole=is_whole)
    lines += _told("Something is wrong", list(_fault_words(found, home)), width, is_whole=is_whole)
    for note in found.notes:
        lines += wrapped(f"! {one_line(note)}", width, "  ")
    return [*lines, "", *_next_lines(found, width)]


def verdict(found: SkillsFound) -> str:
    """How it stands, in one sentence."""
    chosen = found.states.chosen
    cold = sum(one.tiered.tier == "cold" for one in told(found))
    sent = sent_tokens(found)
    whole = "?" if sent is None else f"~{sent:,}"
    lead = f"{counted(len(told(found)), 'skill, command or agent')} in every request"
    lead = lead.replace("agents", "agent") if len(told(found)) == 1 else _plural(lead)
    if not chosen:
        calm = "nothing to take out" if not cold else f"{cold} cold, none of them sure enough"
        return f"● {lead}, {whole} tokens: {calm}"
    freed = weight_words(found.states.freed)
    return f"▲ {lead}, {whole} tokens; {counted(len(chosen), 'change')} would free {freed}"


def _plural(lead: str) -> str:
    return lead.replace("skill, command or agents", "skills, commands and agents")


def told(found: SkillsFound) -> list[Entry]:
    """Those that have a line in every request."""
    return [one for one in found.inventory.entries if one.state in ("on", "name-only")]


def sent_tokens(found: SkillsFound) -> int | None:
    """What their lines weigh in every request, of a full listing as much as is sent."""
    agents = [one for one in told(found) if one.definition.kind == "agent"]
    skills = [one for one in told(found) if one.definition.kind != "agent"]
    if any(one.line.tokens is None for one in told(found)):
        return None
    listing = found.inventory.listing
    lines = sum(one.line.tokens or 0 for one in skills)
    share = listing.sent_characters / max(1, listing.characters)
    return round(lines * share) + sum(one.line.tokens or 0 for one in agents)


def ordered(found: SkillsFound) -> list[Entry]:
    """What can be done something about first, then the cold, the dearest before the others."""
    wanted = found.states.wanted

    def key(one: Entry) -> tuple[bool, int, int, str]:
        change = wanted.get(one.definition.path) or wanted.get(one.plugin)
        is_chosen = change is not None and change.proposal.is_chosen and one.state == "on"
        tier = _TIERS.index(one.tiered.tier) if one.state in ("on", "name-only") else len(_TIERS)
        return not is_chosen, tier, -(one.line.tokens or 0), one.name

    return sorted(found.inventory.entries, key=key)


def _row(one: Entry, found: SkillsFound) -> list[Cell]:
    return [
        one.name,
        one.definition.kind,
        one.scope,
        one.tiered.tier if one.state != "broken" else "",
        _amount(one.line),
        _amount(one.body) if one.body.tokens else None,
        len(one.attached.paths) or None,
        one.used.ever or None,
        ago_words(one.used, found.evidence.until_ms),
        _state_words(one, found),
    ]


def _amount(weight: Weight) -> Cell:
    if weight.tokens is None:
        return "?"
    return weight.tokens if weight.basis == "exact" else Marked(weight.tokens)


def _state_words(one: Entry, found: SkillsFound) -> str:
    now = STATES.get(one.state, one.state)
    change = found.states.wanted.get(one.definition.path)
    plugin = found.states.wanted.get(one.plugin) if one.plugin else None
    meant = change or plugin
    if meant is None or one.state != "on":
        return now
    to = "plugin off" if plugin else STATES.get(meant.state, meant.state)
    return f"→ {to}" if meant.proposal.is_chosen else ""


def ago_words(used: Used, now_ms: int) -> str:
    """When it was used last."""
    if not used.ever:
        return "never"
    if not used.last_ms:
        return "some day"
    days = max(0, now_ms - used.last_ms) // DAY_MS
    return "today" if not days else f"{days}d ago"


def _place_words(found: SkillsFound, home: str) -> str:
    listing = found.inventory.listing
    version = found.evidence.client_version
    parts = [
        one_line(short_path(found.project, home)),
        f"Claude Code {version}" if version else "",
        f"{counted(found.evidence.sessions, 'session')} in {found.evidence.days} days",
        f"listing {listing.sent_characters:,} of {listing.most_characters:,} characters"
        + (", full" if listing.is_full else ""),
    ]
    return " · ".join(filter(None, parts))


def _plugin_lines(found: SkillsFound, width: int) -> list[str]:
    lines: list[str] = []
    for plugin in found.inventory.plugins:
        wanted = found.states.wanted.get(plugin.key)
        if wanted is None:
            continue
        sign = "→" if wanted.proposal.is_chosen else "·"
        said = f"{sign} {one_line(wanted.proposal.title)}: {one_line(wanted.proposal.reason)}"
        lines += [f"  {line}" for line in wrapped(said, width - 2, "  ")]
    return ["", *lines] if lines else []


def _overlap_words(found: SkillsFound) -> Iterator[str]:
    """Those that say the same together: a pair, or as many as are alike in a chain."""
    groups: list[tuple[str, set[str], float]] = []
    for one in found.inventory.overlaps:
        pair, share = {one.first, one.second}, one.share
        for group in [group for group in groups if group[0] == one.what and group[1] & pair]:
            pair, share = pair | group[1], min(share, group[2])
            groups.remove(group)
        groups.append((one.what, pair, share))
    for what, names, share in sorted(groups, key=lambda group: -group[2]):
        yield f"{_named(sorted(names))}: {share:.0%} of the {what}"


def _named(names: Sequence[str]) -> str:
    """The first of some names, and how many more there are."""
    more = f" and {len(names) - MOST_NAMED:,} more" if len(names) > MOST_NAMED else ""
    return f"{', '.join(map(one_line, names[:MOST_NAMED]))}{more}"


def _fault_words(found: SkillsFound, home: str) -> Iterator[str]:
    """Each fault once, with the names of all that have it."""
    names: dict[str, list[str]] = {}
    for one in found.inventory.entries:
        hidden = [f"hidden by {short_path(one.hidden_by, home)}"] if one.hidden_by else []
        for fault in (*hidden, *one.faults):
            names.setdefault(one_line(fault), []).append(one.name)
    for fault, them in names.items():
        yield f"{_named(them)}: {fault}"


def _told(title: str, said: Sequence[str], width: int, *, is_whole: bool) -> list[str]:
    if not said:
        return []
    lines = ["", title]
    for words in said if is_whole else said[:MOST_TOLD]:
        lines += [f"  {line}" for line in wrapped(words, width - 2, "  ")]
    if not is_whole and len(said) > MOST_TOLD:
        lines.append(f"  … and {len(said) - MOST_TOLD:,} more: tokens skills --all")
    return lines


def _next_lines(found: SkillsFound, width: int) -> list[str]:
    if found.states.chosen:
        return wrapped("tokens skills --apply does it; tokens undo takes it back", width)
    return wrapped('tokens skills match "what you want to do" finds the skill for a task', width)


def _nothing_lines(found: SkillsFound, home: str) -> list[str]:
    where = one_line(short_path(found.project, home))
    return [
        f"No skills, commands or agents of your own for {where} yet.",
        "They lie in .claude/skills, .claude/commands and .claude/agents, of the project or yours.",
        *(f"! {one_line(note)}" for note in found.notes),
    ]


def short_path(path: str, home: str) -> str:
    """A path below home as a person writes it."""
    is_below = bool(home) and path.startswith(home.rstrip("/") + "/")
    return os.path.join("~", os.path.relpath(path, home)) if is_below else path
