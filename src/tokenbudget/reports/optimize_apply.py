"""What `tokens optimize --apply` would change, line by line, and what it did."""

from __future__ import annotations

from tokenbudget.model.figures import cut, short_count, text_width, wrapped
from tokenbudget.model.plain_text import one_line
from tokenbudget.reports.optimize_words import short_path, token_words, usd_words
from tokenbudget.reports.window import WIDTH

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from tokenbudget.analysis.drains.found import Application, Done
    from tokenbudget.model.figures import Style


def preview_lines(
    applications: Sequence[Application], texts: Sequence[Sequence[str]], style: Style, home: str
) -> list[str]:
    """What would be changed, line by line; `texts` are the changes of each."""
    width = min(style.width, WIDTH)
    lines: list[str] = []
    for one, changes in zip(applications, texts, strict=True):
        if lines:
            lines.append("")
        lines += map(
            style.bold, wrapped(f"{one.finding.id}: {one_line(one.proposal.title)}", width)
        )
        where = short_path(one.finding.project, home)
        lines += _indented(f"in {one_line(where)}; {one_line(one.proposal.reason)}", width)
        for change in changes:  # whole: whoever agrees to it has seen all of it
            lines += [f"  {line}" for line in _change(one_line(change), width - 2)]
        lines += _indented(_forecast(one), width)
    return lines


def _change(change: str, width: int) -> list[str]:
    """A line with its sign, over several lines where it is long; its own spaces stay."""
    rest, lines = change, []
    while text_width(rest) > width:
        head = cut(rest, width + 1, keeps_start=True).removesuffix("…")
        lines.append(head)
        rest = "    " + rest[len(head) :]
    return [*lines, rest]


def _indented(text: str, width: int) -> list[str]:
    return [f"  {line}" for line in wrapped(text, max(20, width - 2))]


def _forecast(one: Application) -> str:
    money = f" ({usd_words(one.predicted)})" if one.predicted.usd is not None else ""
    amount = f"{token_words(one.predicted)} a week{money}"
    if one.line is not None:
        several = f", for all {one.findings} findings of its kind" if one.findings > 1 else ""
        cost = short_count(one.line.weekly_tokens)
        return (
            f"at best it saves {amount}{several}, the {cost} of the line itself (its"
            f" {one.line.tokens} tokens in every request) taken off; whether the agent heeds it is"
            " measured after a week of use"
        )
    return f"it should save {amount}; what it really saved is measured after a week of use"


def done_lines(done: Sequence[Done], style: Style) -> list[str]:
    """What was done, and how it is taken back."""
    width = min(style.width, WIDTH)
    lines: list[str] = []
    for one in done:
        title = one_line(one.application.proposal.title)
        states = {step.outcome.state for step in one.action.steps}
        word = "Done" if one.is_done else "Not done"
        if states == {"unchanged"}:
            word = "It was so already"
        lines += wrapped(f"{word}: {title}", width, "  ")
        for step in one.action.steps:
            if step.outcome.message and step.outcome.state != "unchanged":
                lines += _indented(f"! {one_line(step.outcome.message)}", width)
        if "done" in states:
            lines.append(f"  Take it back: tokens undo {one.action.id}")
    if any(one.is_done for one in done):
        lines.append("A week of use later tokens optimize tells what it really saved.")
    return lines
