"""OPTIMIZATION-RECOMMENDATIONS.md: ranked findings with boxes to tick and room for notes.

A person edits this file, and it is written again at every run: see `optimize_old` for how it is
told whose each line is.
"""

from __future__ import annotations

from tokenbudget.model.figures import counted
from tokenbudget.model.markdown import cell
from tokenbudget.reports.optimize import split
from tokenbudget.reports.optimize_old import DONE, GONE, OWN, TITLE, TO_DO, mark_of, sum_of
from tokenbudget.reports.optimize_words import (
    carried_words,
    cost_words,
    is_rare,
    outcome_words,
    period_words,
    share_words,
    short_path,
    spent_words,
    token_words,
    usd_words,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tokenbudget.analysis.drains.found import Findings
    from tokenbudget.analysis.findings import Finding
    from tokenbudget.reports.optimize_old import Entry, Old

MARKS_PER_LINE = 8


class _Page:
    """The lines of a new file, and which of them are ours."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self._marks: list[str] = []

    def ours(self, *lines: str) -> None:
        for line in lines:
            self.lines.append(line)
            mark = mark_of(line)
            if line.strip() and mark not in self._marks:
                self._marks.append(mark)

    def once(self, line: str) -> None:
        """A line that says the same of each finding of a drain: only under the first of them."""
        if mark_of(line) not in self._marks:
            self.ours(line)

    def theirs(self, lines: Sequence[str]) -> None:
        self.lines += lines

    def gap(self) -> None:
        if self.lines and self.lines[-1].strip():
            self.lines.append("")

    def text(self) -> str:
        marks = self._marks
        self.gap()
        for number, start in enumerate(range(0, len(marks), MARKS_PER_LINE), 1):
            said = " ".join(marks[start : start + MARKS_PER_LINE])
            self.lines.append(f'[tokens-{number}]: # "{said}"')
        self.lines.append(f'[tokens-end]: # "{sum_of(marks)}"')
        return "\n".join(self.lines) + "\n"


def page_of(found: Findings, old: Old, made_on: str, home: str) -> str:
    """The file anew: our findings of now, a person's ticks and notes of before.

    Args:
        found: The findings.
        old: What stands in the file so far.
        made_on: The day.
        home: The person's home folder, to shorten paths.
    """
    page = _Page()
    page.ours(TITLE)
    page.gap()
    page.ours(*_head(found, made_on, home))
    shown, folded = split(found.rows)
    by_id = _merged(old.entries)
    page.gap()
    page.ours(TO_DO)
    page.gap()
    if not shown:
        page.ours("Nothing: no token drain of a size worth a word was found.")
    for number, finding in enumerate(shown, 1):
        _write_finding(page, number, finding, by_id.pop(finding.id, None), found, home)
    if folded:
        page.gap()
        page.ours(f"{len(folded):,} smaller ones are not listed: `tokens optimize --all`")
    rest = list(by_id.values())
    _write_kept(page, DONE, [one for one in rest if one.is_ticked])
    _write_kept(page, GONE, [one for one in rest if not one.is_ticked and one.notes])
    if old.loose:
        page.gap()
        page.ours(OWN)
        page.gap()
        page.theirs(old.loose)
    return page.text()


def _merged(entries: Iterable[Entry]) -> dict[str, Entry]:
    """By id; what stands there twice is one, ticked if either is."""
    found: dict[str, Entry] = {}
    for one in entries:
        was = found.get(one.identity)
        if was is not None:
            one = was._replace(
                is_ticked=was.is_ticked or one.is_ticked,
                notes=(*was.notes, *one.notes),
                edited=(*was.edited, *one.edited),
            )
        found[one.identity] = one
    return found


def _head(found: Findings, made_on: str, home: str) -> list[str]:
    where = "all projects" if found.project is None else cell(short_path(found.project, home))
    total = found.weekly_total
    money = f"{_prose(usd_words(total))}, " if total.usd is not None else ""
    share = share_words(found)
    of_bill = f", {_prose(share)}" if share else ""
    seen = f"{counted(found.sessions, 'session')}, {counted(found.requests, 'request')}"
    period = period_words(found.days)
    count = counted(len(found.rows), "finding")
    sum_of_all = f"**{money}{token_words(total)} a week{of_bill}**: {count} in {where}."
    return [
        sum_of_all if found.rows else f"**No token drain was found** in {where}.",
        "",
        f"Made by `tokens optimize` on {made_on}"
        + (f" from {seen} of {period}." if period else " without a session to look at."),
        "An amount's interval holds nine of ten: ± 0.30, or (0 to 4.30) where so little was seen"
        " that it may not come again.",
        "Run it again at any time: your ticks and what you write under a recommendation stay.",
        "The rule behind each kind of finding: `tokens optimize --list-drains`.",
    ]


def _write_finding(
    page: _Page, number: int, finding: Finding, old: Entry | None, found: Findings, home: str
) -> None:
    tick = "x" if old is not None and old.is_ticked else " "
    weekly = finding.weekly
    cost = _prose(cost_words(weekly))
    fix = finding.fix
    page.ours(
        f"- [{tick}] **{number}.** {cell(finding.title)}: {cost} a week `{finding.id}`",
        f"  - Confidence {finding.confidence}: {cell(finding.confidence_reason)}",
    )
    if found.project is None and finding.project:
        page.ours(f"  - Project: {cell(short_path(finding.project, home))}")
    if carried := carried_words(finding):
        page.ours(f"  - Carried: {carried}")
    page.ours(f"  - Do: {cell(fix.text)}{_command(fix.command)}{_undo(fix.undo)}")
    if finding.spent is not None and is_rare(finding.weekly):
        spent = spent_words(finding.spent, found.days)
        page.ours(f"  - So far: {_prose(spent)}; seen too seldom to say what a week will bring")
    page.once(f"  - Instead of it: {finding.alternative}")  # these two are words of ours
    page.once(f"  - Tip: {finding.tip}")
    for seen in finding.evidence:
        line = f", line {seen.line}" if seen.line else ""
        who = f"session {cell(seen.session)}{line}: " if seen.session else ""
        page.ours(f"  - Seen: {who}{cell(seen.detail)}")
    if finding.applied is not None:
        done = finding.applied
        undo = "" if done.is_undone else _undo(f"tokens undo {done.action}")
        page.ours(f"  - Applied as action {done.action}: {cell(outcome_words(done))}{undo}")
    if old is not None:
        page.theirs((*old.edited, *old.notes))


def _write_kept(page: _Page, heading: str, entries: Sequence[Entry]) -> None:
    """What is not found any more: its line and what was written under it, word for word."""
    if not entries:
        return
    page.gap()
    page.ours(heading)
    page.gap()
    for one in entries:
        page.ours(one.header)
        page.theirs(one.notes)


def _command(command: str) -> str:
    """A command as code: nothing in it is obeyed, and no backtick ends it."""
    plain = command.replace("`", "'")
    return f": `{cell_code(plain)}`" if plain else ""


def _undo(undo: str) -> str:
    return f" (taken back by `{undo}`)" if undo else ""


def cell_code(text: str) -> str:
    """Text inside backticks: one line, without any backtick."""
    from tokenbudget.model.plain_text import one_line

    return one_line(text).replace("`", "'")


def _prose(text: str) -> str:
    """A sum of money as Markdown: two dollar signs would be a formula."""
    return text.replace("$", "\\$")
