"""Who spent it, as text: the answer first, then tools, consumers, weeks, and where it went."""

from __future__ import annotations

from tokenbudget.analysis.profile_names import shown_tool, slashed
from tokenbudget.analysis.profile_tree import spenders_of
from tokenbudget.model.figures import (
    counted,
    cut,
    dollars,
    short_count,
    sparkline,
    wrapped,
)
from tokenbudget.model.plain_text import one_line
from tokenbudget.reports.profile_efficiency import ROOMY_FROM, efficiency_lines
from tokenbudget.reports.profile_tree import tree_lines
from tokenbudget.reports.profile_words import (
    KIND_TITLES,
    missing_notes,
    money,
    per_call,
    percent,
    rate,
    share,
    signed,
    state_words,
    tokens,
)
from tokenbudget.reports.table import Column, render
from tokenbudget.reports.usage import tilde

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tokenbudget.analysis.efficiency import Efficiency
    from tokenbudget.analysis.periods import Zone
    from tokenbudget.analysis.profile import Consumer, Profile, SplitRow, WeekRow
    from tokenbudget.model.figures import Style
    from tokenbudget.reports.table import Cell

WIDTH = 120
TOP_TOOLS = 8
TOP_WEEKS = 6
SPARK_WEEKS = 26
SPENDERS = 6
SMALL = 0.01
"""Of the bill: below it, a name in the headline is noise."""
TOP_OF = (
    ("file", 4), ("directory", 2), ("command", 4), ("mcp_server", 2), ("mcp_tool", 2),
    ("skill", 2), ("subagent", 2), ("memory_file", 2), ("prompt", 1),
)  # fmt: skip
_INDENT = "  "

TOOL_COLUMNS = (
    Column("Tool", is_text=True, enough=16),
    Column("Calls"),
    Column("Errors", drop_rank=2),
    Column("Re-runs", drop_rank=3),
    Column("Mean time", drop_rank=4),
    Column("In", drop_rank=5),
    Column("Out", drop_rank=1),
    Column("Share"),
    Column("Cost"),
)
CONSUMER_COLUMNS = (
    Column("Kind", is_text=True, drop_rank=1, may_cut=False),
    Column("Name", is_text=True, enough=20),
    Column("Added", drop_rank=3),
    Column("Sent", drop_rank=2),
    Column("Times", drop_rank=4),
    Column("Share"),
    Column("Cost"),
)
WEEK_COLUMNS = (
    Column("Week of", is_text=True, may_cut=False),
    Column("Sessions", drop_rank=2),
    Column("Tokens"),
    Column("Cost"),
    Column("Change"),
    Column("Most", is_text=True, drop_rank=1),
)


def profile_lines(
    profile: Profile, efficiency: Efficiency, style: Style, zone: Zone, home: str
) -> list[str]:
    """One screen, or two: what took the most of everything."""
    width = min(style.width, WIDTH)
    inner = style._replace(width=width - len(_INDENT))
    lines = [*(style.bold(line) for line in _headline(profile, width))]
    lines += [cut(state_words(profile, zone), width, keeps_start=True), style.faint("─" * width)]
    lines += efficiency_lines(efficiency, width)
    lines += _headed("Tools", tool_lines(profile, inner, TOP_TOOLS), style)
    lines += _headed("Top consumers", _top_lines(profile, inner), style)
    lines += _headed("Weeks", _week_lines(profile, inner), style)
    lines += _headed("Where it went", tree_lines(profile, inner), style)
    lines += _split_lines(profile, width, home)
    lines += note_lines(profile, width)
    lines += ["", *_next_lines(width)]
    return [line.rstrip() for line in lines]


def nothing_lines(places: Sequence[str], is_limited: bool, home: str) -> list[str]:
    """What to do where there is nothing to show: `places` were looked in."""
    if is_limited:
        return ["No usage within these limits.", "Try: tokens profile, without them."]
    where = " or ".join(one_line(tilde(place, home)) for place in places)
    return [
        f"No sessions under {where} yet.",
        "Try: tokens profile --from PATH, with a session file or a folder of sessions.",
    ]


def _headline(profile: Profile, width: int) -> list[str]:
    """'Read 20%, Bash 15%, thinking 12% of $124.50'."""
    known = [(name, share(amount, profile.totals)) for name, amount in spenders_of(profile)]
    some = [f"{one_line(name)} {percent(part)}" for name, part in known[:SPENDERS] if part >= SMALL]
    return wrapped(f"Who spends: {', '.join(some) or 'nobody yet'}", width, " " * 12)


def tool_lines(profile: Profile, style: Style, limit: int | None) -> list[str]:
    """Calls, errors, re-runs, time, what calls and results added, and what all of it cost."""
    rows: list[list[Cell]] = [
        [
            one_line(shown_tool(row.name)),
            row.calls,
            rate(row.errors, row.calls),
            rate(row.reruns, row.calls),
            per_call(row.duration_ms, row.timed_calls),
            short_count(row.input_tokens),
            short_count(row.result_tokens),
            percent(share(row.amount, profile.totals)),
            money(row.amount),
        ]
        for row in profile.tools[:limit]
    ]
    return _table(TOOL_COLUMNS, rows, style, len(profile.tools), limit, "--by tools")


def consumer_cells(row: Consumer, profile: Profile) -> list[Cell]:
    """The figures of a consumer: what it added, what was sent of it and how often, its cost."""
    times = f"{row.carries:,.0f}\N{MULTIPLICATION SIGN}" if row.carries >= 0.5 else ""
    return [
        short_count(row.added_tokens),
        short_count(row.amount.prompt_tokens),
        times,
        percent(share(row.amount, profile.totals)),
        money(row.amount),
    ]


def consumer_name(kind: str, row: Consumer, profile: Profile) -> str:
    """How a consumer is called in text: the prompts of a session by its title."""
    if kind in ("tool", "mcp_tool"):
        return one_line(shown_tool(row.name))
    if kind != "prompt":
        return one_line(row.name)
    titles = {session.session: session.title for session in profile.sessions}
    title = titles.get(row.name, "")
    return one_line(f"{row.name[:8]} {title}".strip())


def _top_lines(profile: Profile, style: Style) -> list[str]:
    rows: list[list[Cell]] = []
    for kind, limit in TOP_OF:
        for place, row in enumerate(profile.consumers.get(kind, ())[:limit]):
            label = KIND_TITLES[kind] if not place else ""
            name = consumer_name(kind, row, profile)
            rows.append([label, name, *consumer_cells(row, profile)])
    return [*render(CONSUMER_COLUMNS, rows, None, style), *legend(style)] if rows else []


def legend(style: Style) -> list[str]:
    """What the columns of a consumer say, where there is room for them."""
    if style.width < ROOMY_FROM:
        return []
    text = (
        "Added: tokens that entered windows. Sent: the same over all requests that carried them;"
        " their price is in the cost. The bill is exact; what each took of it is counted and"
        " calibrated."
    )
    return [style.faint(line) for line in wrapped(text, style.width)]


def _week_lines(profile: Profile, style: Style) -> list[str]:
    weeks = profile.weeks
    if len(weeks) < 2:
        return []
    values = [week.amount.cost_pico_usd or week.amount.total_tokens for week in weeks]
    rows = [week_cells(week) for week in weeks[-TOP_WEEKS:]]
    recent = values[-SPARK_WEEKS:]
    said = f"  {counted(len(recent), 'week')}, {weeks[-len(recent)].begins} on"
    drawn = cut(sparkline(recent) + said, style.width, keeps_start=True)
    return [drawn, *render(WEEK_COLUMNS, rows, None, style)]


def week_cells(week: WeekRow) -> list[Cell]:
    """The figures of a week."""
    return [
        week.begins,
        week.sessions,
        tokens(week.amount),
        money(week.amount),
        signed(week.change) if week.is_whole else "in part",
        one_line(week.top),
    ]


def _split_lines(profile: Profile, width: int, home: str) -> list[str]:
    """Projects, branches and models in a line each, where there is more than one."""
    found = []
    for title, rows in (
        ("Projects", profile.projects),
        ("Branches", profile.branches),
        ("Models", profile.models),
    ):
        if len(rows) > 1:
            found.append(_split_line(title, rows, profile, width, home))
    return ["", *found] if found else []


def _split_line(
    title: str, rows: Sequence[SplitRow], profile: Profile, width: int, home: str
) -> str:
    is_alone = len({row.project for row in rows}) < 2
    some = [
        f"{_short_name(title, row, home, is_alone)} {percent(share(row.amount, profile.totals))}"
        for row in rows[:SPENDERS]
    ]
    return cut(f"{title:<10}{' · '.join(some)}", width, keeps_start=True)


def _short_name(title: str, row: SplitRow, home: str, is_alone: bool) -> str:
    """A path by its last part; a branch with its project, where there are several."""
    if title == "Projects":
        return _last_part(row.name, home)
    if title == "Branches" and not is_alone:
        return f"{_last_part(row.project, home)}:{one_line(row.name)}"
    return one_line(row.name)


def _last_part(path: str, home: str) -> str:
    return slashed(one_line(tilde(path, home))).rstrip("/").rpartition("/")[2] or "/"


def note_lines(profile: Profile, width: int, *, is_whole: bool = True) -> list[str]:
    """What is not known, or not named; without `is_whole`, only what makes figures too small."""
    notes = [*(_unnamed_notes(profile) if is_whole else ()), *missing_notes(profile)]
    lines = [line for note in notes for line in wrapped(f"! {one_line(note)}", width, "  ")]
    return ["", *lines] if lines else []


def _unnamed_notes(profile: Profile) -> Iterator[str]:
    part = share(profile.unattributed, profile.totals)
    if part >= SMALL:
        cost = dollars(profile.unattributed.cost_usd)
        yield f"{percent(part)} of the bill ({cost}) cannot be told from the transcripts."
    if profile.unknown_requests:
        requests = counted(profile.unknown_requests, "request")
        yield f"{requests} reported no usage: unknown, and not counted."


def _next_lines(width: int) -> list[str]:
    hints = "tokens profile --by files, --tree, --costs, --efficiency, --html FILE; tokens optimize"
    return wrapped(f"Next  {hints}", width, " " * 6)


def _headed(title: str, body: Sequence[str], style: Style) -> list[str]:
    if not body:
        return []
    return ["", style.bold(title), *(_INDENT + line for line in body)]


def _table(
    columns: Sequence[Column],
    rows: Sequence[Sequence[Cell]],
    style: Style,
    count: int,
    limit: int | None,
    more: str,
) -> list[str]:
    if not rows:
        return []
    lines = render(columns, rows, None, style)
    if limit is not None and count > limit:
        lines.append(style.faint(f"and {count - limit} more: tokens profile {more}"))
    return lines
