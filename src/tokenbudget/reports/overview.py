"""The first screen: one line per question, then where it went and what to type next."""

from __future__ import annotations

from tokenbudget.reports.sanitize import one_line
from tokenbudget.reports.table import cut, dollars, short_count, sparkline, text_width
from tokenbudget.reports.usage import hanging, notes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tokenbudget.analysis.overview import Latest, Overview
    from tokenbudget.analysis.usage import Sums, UsageTable
    from tokenbudget.reports.table import Style

_BAR_CELLS = 20
_TOP = 5


def overview_lines(overview: Overview, style: Style, now_ms: int) -> list[str]:
    """The screen, 80 columns or more."""
    width = min(style.width, 100)
    lines = []
    if overview.latest is not None:
        lines += [style.bold(_latest_line(overview.latest, now_ms, width))]
    lines += [
        style.faint("─" * width),
        _period("Today", overview.today, f"{overview.sessions_today} sessions"),
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
    lines += [line for note in notes(overview.models) for line in hanging(note, width)]
    lines += ["", "  Next   tokens usage --by day   tokens sessions   tokens doctor"]
    return lines


def _latest_line(latest: Latest, now_ms: int, width: int) -> str:
    where = latest.project.rstrip("/").rpartition("/")[2] or "?"
    name = latest.title or latest.git_branch
    what = " · ".join(one_line(part) for part in (where, name, latest.model) if part)
    state = f"{latest.context_tokens:,} tokens in the window, {ago(now_ms - latest.at_ms)}"
    room = width - text_width(state) - 2
    shown = cut(what, room)
    return shown + " " * (width - text_width(shown) - text_width(state)) + state


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
    cost = dollars(sums.cost_usd) + ("?" if sums.unpriced_tokens else "")
    tokens = f"{short_count(sums.total_tokens)} tokens"
    return f"  {name:<11}{tokens:>14}  {cost:>12}   {more}".rstrip()


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
    label_width = width - _BAR_CELLS - 36
    lines = [style.bold(f"  {title}")]
    by_size = sorted(table.rows, key=lambda row: -row[1].total_tokens)
    for labels, sums in by_size[:_TOP]:
        label = one_line(labels[0])
        if "/" in label:
            label = label.rstrip("/").rpartition("/")[2]
        share = sums.total_tokens / whole
        bar = ("█" * round(share * _BAR_CELLS)).ljust(_BAR_CELLS, "░")
        is_unpriced = sums.unpriced_tokens == sums.total_tokens
        cost = "?" if is_unpriced else dollars(sums.cost_usd)
        shown = cut(label, label_width)
        padded = shown + " " * (label_width - text_width(shown))
        lines.append(
            f"  {padded}  {bar} {share:>4.0%}  {short_count(sums.total_tokens):>7}  {cost:>12}"
        )
    rest = len(table.rows) - _TOP
    if rest > 0:
        lines.append(style.faint(f"  and {rest} more"))
    return lines
