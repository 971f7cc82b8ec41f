"""The first screen: one line per question, then where it went and what to type next."""

from __future__ import annotations

from decimal import Decimal

from tokenbudget.model.figures import (
    counted,
    cut,
    dollars,
    padded,
    short_count,
    sparkline,
    text_width,
)
from tokenbudget.model.plain_text import one_line
from tokenbudget.reports.table import shown
from tokenbudget.reports.usage import NOTE_WIDTH, cost_cell, note_lines

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from tokenbudget.analysis.overview import Latest, Overview, Worth
    from tokenbudget.analysis.usage import Sums, UsageTable
    from tokenbudget.model.figures import Style

_BAR_CELLS = 20
_FIGURES_WIDTH = 36
_LABEL_ENOUGH = 24
_TOP = 5
_COST_WIDTH = 12
_NARROW = 80


def overview_lines(overview: Overview, style: Style, now_ms: int) -> list[str]:
    """The screen; under 80 columns it loses its bars, then the ends of its lines."""
    width = min(style.width, NOTE_WIDTH)
    lines = []
    if overview.latest is not None:
        lines += [style.bold(_latest_line(overview.latest, now_ms, width))]
    lines += [
        style.faint("─" * width),
        _period("Today", overview.today, counted(overview.sessions_today, "session")),
        _period("This week", overview.week, _change(overview)),
        _period("This month", overview.month, ""),
        _period("All time", overview.everything, _hit_ratio(overview.everything)),
        "",
        f"  Last {len(overview.daily_tokens)} days  {sparkline(overview.daily_tokens)}"
        f"  peak {short_count(max(overview.daily_tokens))} a day",
        "",
    ]
    is_week = overview.week.total_tokens > 0
    when = "this week" if is_week else "so far"
    lines += _shares(f"Models {when}", overview.models, width, style)
    lines += _shares(f"Projects {when}", overview.projects, width, style)
    lines += _worth(overview.worth, width, style)
    noted = note_lines(overview.everything, overview.unpriced_models, width - 2)
    lines += ["", *(f"  {line}" for line in noted)] if noted else []
    lines += ["", "  Next   tokens sessions last   tokens profile   tokens optimize"]
    return lines if width >= _NARROW else [cut(line, width, keeps_start=True) for line in lines]


def _worth(worth: Sequence[Worth], width: int, style: Style) -> list[str]:
    """What to change, what that is worth, and the id by which more can be asked."""
    if not worth:
        return []
    lines = ["", style.bold("  Worth doing") + style.faint("   tokens optimize ID says more")]
    wide = max(text_width(one_line(one.id)) for one in worth)
    for one in worth:
        price = f"~{dollars(Decimal(one.weekly_usd))} a week" if one.weekly_usd else ""
        said = f"{price:>16}  {padded(one_line(one.id), wide)}"
        title = padded(one_line(one.title), max(0, width - 4 - text_width(said)))
        lines.append(f"  {title}  {said}".rstrip())
    return lines


def _latest_line(latest: Latest, now_ms: int, width: int) -> str:
    where = latest.project.rstrip("/").rpartition("/")[2] or "?"
    name = latest.title or latest.git_branch
    what = " · ".join(one_line(part) for part in (where, name, latest.model) if part)
    state = f"{latest.context_tokens:,} tokens in the window"
    if latest.at_ms:
        state += f", {ago(now_ms - latest.at_ms)}"
    return padded(what, max(0, width - text_width(state) - 2)) + "  " + state


def ago(elapsed_ms: int) -> str:
    """How long ago, in the largest unit that says enough."""
    minutes = max(0, elapsed_ms) // 60_000
    if minutes < 1:
        return "now"
    if minutes < 60:
        return f"{minutes} min ago"
    if minutes < 48 * 60:
        return f"{minutes // 60} h ago"
    return f"{minutes // (24 * 60)} days ago"


def _period(name: str, sums: Sums, more: str) -> str:
    tokens = f"{short_count(sums.total_tokens)} tokens"
    return f"  {name:<11}{tokens:>14}  {_cost(sums)}  {more}".rstrip()


def _cost(sums: Sums) -> str:
    """Right-aligned, with room for the mark of a cost that is known in part."""
    text = shown(cost_cell(sums))
    return f"{text if text.endswith('?') else text + ' ':>{_COST_WIDTH + 1}}"


def _change(overview: Overview) -> str:
    before, now = overview.week_before.total_tokens, overview.week.total_tokens
    if not before:
        return ""
    change = (now - before) / before
    sign = "+" if change >= 0 else "\N{MINUS SIGN}"
    return f"{sign}{abs(change):.0%} on the same days last week"


def _hit_ratio(sums: Sums) -> str:
    prompt = sums.prompt_tokens
    return f"cache hit {sums.cache_read_tokens / prompt:.0%} of all input" if prompt else ""


def _shares(title: str, table: UsageTable, width: int, style: Style) -> list[str]:
    """A bar per row: its share of all tokens."""
    whole = table.totals.total_tokens
    if not whole:
        return []
    lines = [style.bold(f"  {title}")]
    by_size = sorted(table.rows, key=lambda row: -row[1].total_tokens)[:_TOP]
    names = _short_names([labels[0] for labels, _ in by_size])
    cells = max(0, min(_BAR_CELLS, width - _FIGURES_WIDTH - _LABEL_ENOUGH))
    label_width = max(_LABEL_ENOUGH // 2, width - cells - _FIGURES_WIDTH)
    for name, (_, sums) in zip(names, by_size, strict=True):
        share = sums.total_tokens / whole
        bar = ("█" * round(share * cells)).ljust(cells, "░")
        lines.append(
            f"  {padded(name, label_width)}  {bar} {share:>4.0%}"
            f"  {short_count(sums.total_tokens):>7}  {_cost(sums)}".rstrip()
        )
    rest = len(table.rows) - _TOP
    if rest > 0:
        lines.append(style.faint(f"  and {rest} more"))
    return lines


def _short_names(labels: Sequence[str]) -> list[str]:
    """The last part of each path; two parts where one is not enough to tell them apart."""
    names = [one_line(label).rstrip("/") or "/" for label in labels]
    last = ["/".join(name.split("/")[-1:]) for name in names]
    return [
        short if last.count(short) == 1 else "/".join(name.split("/")[-2:])
        for name, short in zip(names, last, strict=True)
    ]
