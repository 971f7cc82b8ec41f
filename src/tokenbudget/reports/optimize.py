"""What `tokens optimize` finds, as text: the sum first, then each finding with its next command."""

from __future__ import annotations

from tokenbudget.analysis.drains.catalogue import DRAINS, drain_of
from tokenbudget.analysis.drains.ranking import is_small, price_sum
from tokenbudget.analysis.drains.wording import project_name, shown_subject
from tokenbudget.model.figures import counted, cut, padded, text_width, wrapped
from tokenbudget.model.plain_text import one_line
from tokenbudget.reports.optimize_words import (
    carried_words,
    cost_words,
    drain_words,
    is_rare,
    outcome_words,
    period_words,
    place_words,
    share_words,
    short_path,
    spent_whole_words,
    spent_words,
    token_words,
    usd_words,
)
from tokenbudget.reports.window import WIDTH

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from tokenbudget.analysis.drains.found import Findings
    from tokenbudget.analysis.findings import Finding
    from tokenbudget.analysis.periods import Zone
    from tokenbudget.model.figures import Style

MOST_SHOWN = 12
"""Findings of a list: more are not read, and come again when these are done."""
MOST_OUTCOMES = 5
_LABEL = 12
_NUMBER = 4


def findings_lines(
    found: Findings, style: Style, home: str, *, is_whole: bool = False
) -> list[str]:
    """How much goes where; `is_whole` folds nothing."""
    width = min(style.width, WIDTH)
    if not found.sessions:
        return _nothing_lines(found, home)
    shown, folded = split(found.rows, is_whole=is_whole)
    lines = wrapped(verdict(found), width)
    lines = [style.bold(line) for line in lines]
    lines += [*wrapped(one_line(place_words(found, home)), width), style.faint("─" * width)]
    if not found.rows:
        lines = lines[:-1]
    told: set[int] = set()  # one fix may be about several findings; what it saved is said once
    for number, finding in enumerate(shown, 1):
        lines += _row(number, finding, found, width, style)
        if finding.applied is not None and finding.applied.action not in told:
            told.add(finding.applied.action)
            said = f"action {finding.applied.action}: {outcome_words(finding.applied)}"
            lines += [f"{' ' * _NUMBER}{line}" for line in wrapped(said, width - _NUMBER)]
    if folded:
        lines += ["", *(f"  {line}" for line in wrapped(_folded_words(folded), width - 2))]
    lines += _outcome_lines(found, width, home)
    for note in found.notes:
        lines += wrapped(f"! {one_line(note)}", width, "  ")
    if shown:
        lines += ["", *wrapped(_next(shown), width)]
    return lines


def split(
    rows: Sequence[Finding], *, is_whole: bool = False
) -> tuple[list[Finding], list[Finding]]:
    """Those that are listed one by one, and those that are folded."""
    if is_whole:
        return list(rows), []
    large = [one for one in rows if not is_small(one, drain_of(one.drain))][:MOST_SHOWN]
    ids = {one.id for one in large}
    return large, [one for one in rows if one.id not in ids]


def _nothing_lines(found: Findings, home: str) -> list[str]:
    where = "" if found.project is None else f" of {one_line(short_path(found.project, home))}"
    return [
        f"No sessions{where} to look at yet.",
        "Try: tokens optimize --from PATH (a folder with sessions), or --since 2020-01-01",
        *(f"! {one_line(note)}" for note in found.notes),
    ]


def verdict(found: Findings) -> str:
    """How much goes down the drain, in a sentence."""
    if not found.rows:
        return "No token drain was found. Nothing to do."
    share = share_words(found)
    of_bill = f", {share}" if share else ""
    money = found.weekly_total.usd is not None
    amount = usd_words(found.weekly_total) if money else token_words(found.weekly_total)
    count = counted(len(found.rows), "finding")
    return f"{amount} a week goes down the drain{of_bill}: {count}"


def _row(number: int, finding: Finding, found: Findings, width: int, style: Style) -> list[str]:
    price = price_words(finding)
    room = width - _NUMBER - text_width(price) - 2
    title = padded(title_words(finding, room), room)
    lines = [f"{number:>2}  {style.bold(title)}  {price}"]
    facts = [finding.id, f"{finding.confidence} confidence"]
    if carried := carried_words(finding):
        facts.append(carried)
    if finding.spent is not None and is_rare(finding.weekly):
        facts.append(spent_words(finding.spent, found.days))
    if finding.weekly.usd is not None and finding.weekly.tokens:
        facts.append(token_words(finding.weekly))
    if found.project is None and finding.project:
        facts.append(project_name(finding.project))
    if finding.fix.kind == "apply":
        facts.append("--apply does it")
    for least in (token_words(finding.weekly), carried):  # known from the price, more or less
        if least in facts and text_width(" · ".join(facts)) > width - _NUMBER:
            facts.remove(least)
    said = cut(one_line(" · ".join(facts)), width - _NUMBER, keeps_start=True)
    return [*lines, f"{' ' * _NUMBER}{style.faint(said)}"]


def title_words(finding: Finding, room: int) -> str:
    """The title in so many columns; of a long path in it the folders go first."""
    title = one_line(finding.title)
    named = one_line(shown_subject(finding.subject, finding.project))
    last = project_name(named)
    if text_width(title) > room and last and len(last) + 2 < len(named):
        title = title.replace(named, f"…/{last}", 1)
    return cut(title, room)


def price_words(finding: Finding) -> str:
    """Money; tokens where there is no price; a question mark where nothing is known."""
    if finding.weekly.usd is not None:
        return usd_words(finding.weekly)
    return token_words(finding.weekly) if finding.weekly.tokens else "?"


def _folded_words(folded: Sequence[Finding]) -> str:
    total = price_sum([one.weekly for one in folded])
    small = all(is_small(one, drain_of(one.drain)) for one in folded)
    which = " (each below a cent a week)" if small and total.usd is not None else ""
    return (
        f"and {counted(len(folded), 'smaller finding')}{which}, {cost_words(total)} a week"
        " together: tokens optimize --all"
    )


def _outcome_lines(found: Findings, width: int, home: str) -> list[str]:
    """Applied fixes whose finding is not listed: it is gone, or was never as large."""
    listed = {one.applied.action for one in found.rows if one.applied is not None}
    lines: list[str] = []
    for one in [a for a in found.applied if a.outcome.action not in listed][:MOST_OUTCOMES]:
        about = drain_words(one.drain, one.subject, one.project, home)
        told = f"action {one.outcome.action}, {about}: {outcome_words(one.outcome)}"
        lines += [f"  {line}" for line in wrapped(told, width - 2, "  ")]
    return ["", "Applied before", *lines] if lines else []


def _holds(finding: Finding) -> bool:
    """Whether a fix of it was applied and not taken back."""
    return finding.applied is not None and not finding.applied.is_undone


def _next(shown: Sequence[Finding]) -> str:
    best = next((one for one in shown if one.fix.kind == "apply" and not _holds(one)), None)
    first = f"Next: tokens optimize {shown[0].id} shows where it was seen and what to do"
    if best is None:
        return f"{first}."
    return f"{first}; tokens optimize --apply {best.id} --dry-run shows a change before it is made."


# ── one finding ──────────────────────────────────────────────────────────────────────────────────


def finding_lines(
    finding: Finding, found: Findings, style: Style, zone: Zone, home: str
) -> list[str]:
    """One finding whole."""
    width = min(style.width, WIDTH)
    drain = drain_of(finding.drain)
    weekly = finding.weekly
    seen = f"{finding.times:,}x in {finding.sessions:,} of {counted(found.sessions, 'session')}"
    parts = [
        ("Finding", finding.id),
        ("Costs", f"{cost_words(weekly)} a week"),
        ("So far", "" if finding.spent is None else spent_whole_words(finding.spent, found.days)),
        ("Seen", f"{seen}, {period_words(found.days)}"),
        ("In a window", _room(finding)),
        ("Confidence", f"{finding.confidence}: {finding.confidence_reason}"),
        ("Rule", drain.rule if drain else ""),
        ("Instead", finding.alternative),
        ("Tip", finding.tip),
        ("Fix", finding.fix.text),
    ]
    if finding.project and found.project is None:
        parts.insert(1, ("Project", short_path(finding.project, home)))
    lines = [*map(style.bold, wrapped(one_line(finding.title), width)), style.faint("─" * width)]
    for label, text in parts:
        lines += _labelled(label, text, width) if text else []
    if finding.fix.command:
        lines.append(" " * _LABEL + style.bold(one_line(finding.fix.command)))
    if finding.fix.undo:
        lines += _labelled("Undo", f"{finding.fix.undo} takes it back", width)
    if finding.applied is not None:
        done = finding.applied
        lines += _labelled("Applied", f"action {done.action}: {outcome_words(done)}", width)
        if not done.is_undone:
            lines += _labelled("", f"tokens undo {done.action} takes it back", width)
    return [*lines, *_evidence_lines(finding, width, zone, home)]


def _room(finding: Finding) -> str:
    if not finding.window_tokens:
        return ""
    if carried := carried_words(finding):
        return carried
    return f"{finding.window_tokens:,} tokens, on average where it occurs"


def _labelled(label: str, text: str, width: int) -> list[str]:
    found = wrapped(one_line(text), max(20, width - _LABEL))
    return [f"{label if n == 0 else '':<{_LABEL}}{line}".rstrip() for n, line in enumerate(found)]


def _evidence_lines(finding: Finding, width: int, zone: Zone, home: str) -> list[str]:
    lines = ["", "Where it was seen, the dearest first"]
    for one in finding.evidence:
        when = f"{zone.local(one.at_ms):%Y-%m-%d %H:%M}  " if one.at_ms else ""
        who = f"session {one.session[:8]}  " if one.session else ""
        told = wrapped(f"{one_line(when + who)}{one_line(one.detail)}", width - 2, "  ")
        lines += [f"  {line}" for line in told]
        if one.path:  # whole, however long: it is there to be copied
            line = f":{one.line}" if one.line else ""
            lines.append(f"    {one_line(short_path(one.path, home))}{line}")
    return lines if finding.evidence else []


# ── all drains ───────────────────────────────────────────────────────────────────────────────────


def drain_lines(style: Style) -> list[str]:
    """Every drain with its rule."""
    width = min(style.width, WIDTH)
    lines: list[str] = []
    for drain in DRAINS:
        lines += map(style.bold, wrapped(f"{drain.id}: {drain.title}", width))
        lines += [f"  {line}" for line in wrapped(drain.rule, max(20, width - 2))]
    return lines
