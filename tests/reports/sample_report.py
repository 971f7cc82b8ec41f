"""Hand-made reports: a rich one, an empty one, and one whose every text is somebody else's."""

import itertools
import random
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from tokenbudget.analysis.amounts import NOTHING, Amount
from tokenbudget.analysis.cost_analysis import (
    Comparison,
    CostAnalysis,
    KindCost,
    SessionCost,
    Strategy,
)
from tokenbudget.analysis.efficiency import Efficiency, Part, PastScore
from tokenbudget.analysis.findings import AppliedFix, Evidence, Finding, Fix, Price
from tokenbudget.analysis.profile import (
    CONSUMER_KINDS,
    Consumer,
    Node,
    Profile,
    SessionRow,
    SplitRow,
    ToolRow,
    WeekRow,
)
from tokenbudget.analysis.report_data import (
    ActionRow,
    AlertRow,
    CleanupRow,
    DayRow,
    HeatCell,
    ReportData,
)

LAST_DAY = date(2026, 11, 20)
MADE_AT_MS = round(datetime(2026, 11, 20, 18, 5, tzinfo=UTC).timestamp() * 1000)
DAY_MS = 86_400_000
PROJECTS = ("/home/kim/shop", "/home/kim/api-gateway", "/home/kim/docs-site", "/srv/infra")
TITLES = (
    "Fix the rounding of cart totals",
    "Move the gateway to async handlers",
    "Rewrite the install page",
    "Find out why the nightly build fails",
    "Add rate limits per tenant",
    "Upgrade the test runner",
)
_PRICES = (4_000_000, 5_000_000, 8_000_000, 400_000, 20_000_000)
"""Pico-dollars per token: input, write (5 min), write (1 h), read, output."""


def amount(scale: float, unpriced: int = 0) -> Amount:
    """A usual mixture: almost everything was read from the cache."""
    tokens = [round(scale * share) for share in (9e3, 5.1e4, 2.2e4, 1.31e6, 1.9e4)]
    plain, short, long, read, written = tokens
    return Amount(plain, short, long, read, written, sum(kind_money(tokens)), unpriced)


def part(total: Amount, share: float) -> Amount:
    """A share of an amount, in whole tokens."""
    return Amount(*(round(value * share) for value in total[:6]))


def kind_money(tokens: list[int]) -> tuple[int, ...]:
    """Pico-dollars of each kind."""
    return tuple(count * usd for count, usd in zip(tokens, _PRICES, strict=True))


def day_rows() -> tuple[DayRow, ...]:
    """Thirty days with weekends, a holiday and a burst."""
    dice = random.Random(5)
    rows = []
    for back in range(29, -1, -1):
        day = LAST_DAY - timedelta(days=back)
        scale = 0.0 if back in (16, 17) else dice.uniform(0.6, 6) * (0.15, 1)[day.weekday() < 5]
        scale *= 3 if back == 4 else 1
        one = amount(scale)
        sessions = round(scale * 1.5)
        money = kind_money(list(one[:5]))
        rows.append(DayRow(day.isoformat(), one, round(scale * 21), sessions, money))
    return tuple(rows)


def heat_cells() -> tuple[HeatCell, ...]:
    """Office hours, some evenings; cells without use are missing."""
    dice = random.Random(7)
    cells = []
    for weekday in range(7):
        for hour in range(24):
            load = max(0.0, 1 - abs(hour - 14) / 6) * (0.1, 1)[weekday < 5] * dice.random()
            if load > 0.04:
                tokens = round(load * 9e6)
                requests = round(load * 120) + 1
                cells.append(HeatCell(weekday, hour, tokens, requests, tokens * 700_000))
    return tuple(cells)


def session_rows() -> tuple[SessionRow, ...]:
    """Twenty-four sessions, the latest first."""
    dice = random.Random(3)
    rows = []
    for number in range(24):
        last = MADE_AT_MS - round((number * 1.2 + dice.random()) * DAY_MS)
        scale = dice.uniform(0.2, 5)
        rows.append(
            SessionRow(
                session=f"{number:08x}-5d5e-4c1b-9a77-0242ac1300{number:02x}",
                title=TITLES[number % 6] if number % 7 else "",
                project=PROJECTS[number % 4],
                branch="main" if number % 3 else "feature/cart",
                model="claude-opus-5-5" if number % 4 else "claude-haiku-5",
                first_ms=last - round(scale * 1.7e6),
                last_ms=last,
                requests=round(scale * 22),
                peak_tokens=min(198_000, round(scale * 41_000)),
                window_tokens=200_000,
                compactions=int(number % 3 == 0 and scale > 2),
                amount=amount(scale, unpriced=4100 if number == 5 else 0),
            )
        )
    return tuple(rows)


def _consumers(*rows: tuple[str, float]) -> tuple[Consumer, ...]:
    total = totals()
    return tuple(
        Consumer(name, round(share * 2_400) + 1, round(share * 60) + 1,
                 round(share * 61_000 / (1 + number)), part(total, share / 100))
        for number, (name, share) in enumerate(rows)
    )  # fmt: skip


def consumers() -> dict[str, tuple[Consumer, ...]]:
    """Of every kind some."""
    found = dict.fromkeys(CONSUMER_KINDS, ())
    return found | {
        "component": _consumers(
            ("messages", 37.2),
            ("context", 33.1),
            ("prefix", 14.4),
            ("mcp", 9.5),
            ("skills", 1.6),
            ("unattributed", 4.2),
        ),
        "tool": _consumers(("Read", 18.9), ("Bash", 14.2), ("Edit", 6.1), ("Grep", 2.3)),
        "file": _consumers(
            ("src/cart.py", 7.7),
            ("src/checkout/totals.py", 4.1),
            ("docs/api.md", 2.2),
            ("tests/test_cart.py", 1.4),
        ),
        "directory": _consumers(("src", 12.9), ("tests", 3.1), ("docs", 2.9)),
        "command": _consumers(("npm test", 7.4), ("git diff", 2.9), ("pytest", 1.8)),
        "mcp_server": _consumers(("playwright", 7.3), ("github", 2.2)),
        "mcp_tool": _consumers(("browser_snapshot", 4.2), ("search_code", 1.5)),
        "skill": _consumers(("pdf-forms", 0.5), ("release-notes", 0.3)),
        "subagent": _consumers(("Explore", 5.7), ("general-purpose", 1.9)),
        "memory_file": _consumers(("CLAUDE.md", 3.9), ("~/.claude/CLAUDE.md", 1.3)),
        "prompt": _consumers(("prompts", 0.9)),
    }


def tool_rows() -> tuple[ToolRow, ...]:
    """Tools of the agent and of a server."""
    rows = (
        ("Read", "", 812, 9, 118, 0.38), ("Bash", "", 640, 71, 92, 0.27),
        ("Edit", "", 402, 22, 3, 0.11), ("Grep", "", 233, 4, 8, 0.07),
        ("browser_snapshot", "playwright", 77, 5, 12, 0.12), ("Task", "", 31, 0, 0, 0.05),
    )  # fmt: skip
    calls = sum(row[2] for row in rows)
    return tuple(
        ToolRow(name, server, count, count / calls, errors, reruns, count - 4, count * 810,
                count * 120, round(share * 3.1e6), share, part(totals(), share * 0.4))
        for name, server, count, errors, reruns, share in rows
    )  # fmt: skip


def tree(total: Amount) -> Node:
    """Component, tool, target; the boxes add up."""

    def box(name: str, percent: float, *inside: Node) -> Node:
        own = part(total, percent / 100)
        for one in inside:
            own = own if one is not inside[0] else NOTHING
            own = own.plus(one.amount)
        return Node(name, own, round(percent * 18_000), inside)

    files = (box("src/cart.py", 7.7), box("src/checkout/totals.py", 4.1), box("docs/api.md", 2.2),
             box("17 more", 4.9))  # fmt: skip
    runs = box("npm test", 7.4), box("git diff", 2.9), box("31 more", 3.9)
    talk = box("text", 17.1), box("thinking", 12.1), box("prompts", 8.0)
    parts = (
        box("messages", 0, *talk),
        box("context", 0, box("Read", 0, *files), box("Bash", 0, *runs)),
        box("prefix", 14.4),
        box("mcp", 0, box("playwright", 7.3), box("github", 2.2)),
        box("skills", 1.6),
    )
    named = NOTHING
    for one in parts:
        named = named.plus(one.amount)
    rest = Node("unattributed", total.minus(named), 0, ())
    return Node("everything", total, 1_800_000, (*parts, rest))


def week_rows() -> tuple[WeekRow, ...]:
    """Five weeks, the last one going on."""
    rows = (("2026-10-19", 12.0, None), ("2026-10-26", 17.2, None), ("2026-11-02", 15.1, -0.122),
            ("2026-11-09", 21.4, 0.417), ("2026-11-16", 13.3, None))  # fmt: skip
    return tuple(
        WeekRow(begins, 0 < i < 4, round(scale * 1.4), round(scale * 22), amount(scale), change,
                "src/cart.py")
        for i, (begins, scale, change) in enumerate(rows)
    )  # fmt: skip


def totals() -> Amount:
    """Of all days."""
    total = NOTHING
    for day in day_rows():
        total = total.plus(day.amount)
    return total._replace(unpriced_tokens=4100)


def profile() -> Profile:
    """All of it together; totals are those of the days."""
    total = totals()

    def split(*rows: tuple[str, float]) -> tuple[SplitRow, ...]:
        return tuple(
            SplitRow(name, round(s * 24), round(s * 1641), part(total, s)) for name, s in rows
        )

    return Profile(
        since_ms=MADE_AT_MS - 30 * DAY_MS,
        until_ms=MADE_AT_MS,
        session="",
        requests=1641,
        unknown_requests=3,
        totals=total,
        unattributed=part(total, 0.042),
        consumers=consumers(),
        tools=tool_rows(),
        weeks=week_rows(),
        projects=split(*zip(PROJECTS, (0.57, 0.28, 0.11, 0.04), strict=True)),
        branches=(
            split(("main", 0.68))[0]._replace(project=PROJECTS[0]),
            *split(("feature/cart", 0.32)),
        ),
        models=split(("claude-opus-5-5", 0.82), ("claude-haiku-5", 0.18)),
        sessions=session_rows(),
        tree=tree(total),
        notes=("3 requests reported no usage and are counted nowhere.",),
    )


def price(tokens: int, error: int, usd: str | None) -> Price:
    """An amount per week."""
    if usd is None:
        return Price(tokens, error, None, None)
    return Price(tokens, error, Decimal(usd), Decimal(usd) * error / tokens)


def finding(
    number: int, drain: str, title: str, weekly: Price, fix: Fix, **more: object
) -> Finding:
    """One, with evidence in two sessions."""
    sessions = session_rows()
    evidence = tuple(
        Evidence(one.session, f"/home/kim/.claude/projects/-home-kim-shop/{one.session}.jsonl",
                 120 + number * 7, one.last_ms, "read 4 times, unchanged")
        for one in sessions[number : number + 2]
    )  # fmt: skip
    made = Finding(
        f"{drain}/{number:06x}", drain, title, "src/cart.py", PROJECTS[number % 4], 9 + number, 2,
        evidence, 8_400, weekly, "a range, or the copy that is in the window already",
        "Name the function; the agent then reads its lines.", "high",
        "the file did not change between the reads", fix,
    )  # fmt: skip
    return made._replace(**more)  # type: ignore[arg-type]


def findings() -> tuple[Finding, ...]:
    """Ranked by money; one applied a week ago, one without a price."""
    applies = Fix("apply", "switch the playwright server off for this project",
                  "tokens optimize --apply mcp-server/000002", "tokens undo 12",
                  "mcp-servers/playwright")  # fmt: skip
    habit = Fix("advice", "tell the agent in CLAUDE.md to read ranges", "", "", "")
    types = Fix("command", "move the long section of CLAUDE.md into a skill",
                "$EDITOR CLAUDE.md", "git checkout CLAUDE.md", "")  # fmt: skip
    applied = AppliedFix(11, MADE_AT_MS - 9 * DAY_MS, price(410_000, 60_000, "0.31"), 9.2,
                         520_000, 130_000, price(390_000, 70_000, "0.29"), False)  # fmt: skip
    return (
        finding(2, "mcp-server", "playwright: 3,914 tokens on every request, last used 6 days ago",
                price(6_420_000, 510_000, "2.57"), applies, subject="playwright"),
        finding(1, "re-read", "src/cart.py read 9 times unchanged",
                price(3_980_000, 640_000, "1.84"), habit),
        finding(3, "cache-ttl", "the cache ran cold 14 times between prompts",
                price(1_310_000, 90_000, "1.22"), habit, subject="", confidence="high"),
        finding(4, "verbose-log", "npm test prints 11,200 tokens of passing tests",
                price(1_120_000, 160_000, "0.71"), habit, subject="npm test",
                confidence="medium"),
        finding(5, "memory-file", "CLAUDE.md is 9,800 tokens, in every request",
                price(980_000, 40_000, "0.39"), types, subject="CLAUDE.md"),
        finding(6, "skill", "pdf-forms was listed in 61 sessions and used in none",
                price(120_000, 30_000, "0.05"), applies, subject="pdf-forms", applied=applied),
        finding(7, "thinking", "thinking on one-line answers", price(61_000, 22_000, None), habit,
                subject="", confidence="low"),
    )  # fmt: skip


def efficiency() -> Efficiency:
    """A good one with room."""
    return Efficiency(
        78, 3, "B",
        (
            Part("useful_share", "Useful share", 0.71, "71% of the window was used again",
                 21.3, 30, "Read ranges, not whole files."),
            Part("cache_hit", "Cache hits", 0.94, "94% of the prompt came from the cache",
                 23.5, 25, "Answer within five minutes, or keep the one-hour cache."),
            Part("re_reads", "Re-reads", 0.06, "6% of what files added was there already",
                 12.8, 15, "Tell the agent to trust its copy."),
            Part("errors", "Errors", 0.04, "4% of tool calls failed", 13.9, 15, ""),
            Part("carrying", "Carrying", 18.2, "a token was sent 18.2 times on average",
                 6.5, 15, "Compact at pauses; use subagents for searches."),
        ),
        (PastScore("2026-10-26", 71, 380), PastScore("2026-11-02", 74, 331),
         PastScore("2026-11-09", 76, 466)), 4,
        "78 of 100 (B), 4 above your own past weeks; carrying less would raise it most.",
    )  # fmt: skip


def costs() -> CostAnalysis:
    """The bill of the profile, and the naive one."""
    total = totals()
    titles = ("Input", "Cache write, 5 min", "Cache write, 1 h", "Cache read", "Output")
    keys = ("input", "cache_write_5m", "cache_write_1h", "cache_read", "output")
    money = kind_money(list(total[:5]))
    kinds = tuple(
        KindCost(key, title, tokens, Decimal(usd) / 10**12, usd / sum(money))
        for key, title, tokens, usd in zip(keys, titles, total[:5], money, strict=True)
    )
    strategies = (
        Strategy("skills", "All skills loaded", "measured", 31_000, 210_400_000, 9_000_000,
                 Decimal("84.16"), "the bodies of 14 installed skills, counted"),
        Strategy("tool_schemas", "All tool schemas inline", "estimated", 18_400, 124_000_000,
                 31_000_000, Decimal("49.60"), "46 deferred tools at 400 tokens each"),
        Strategy("whole_files", "Whole files instead of ranges", "measured", 4_100, 22_800_000,
                 800_000, Decimal("10.91"), "where the client says how long the file is"),
        Strategy("verbose", "Verbose answers", "not measured", None, None, None, None,
                 "needs a week with and one without; tokens mode is not there yet"),
    )  # fmt: skip
    comparison = Comparison(24, 5_120_000, Decimal("3.41"), 19_900_000, Decimal("9.44"),
                            Decimal(100), 29.3, 10.6, 88_000, 21_000)  # fmt: skip
    sessions = tuple(
        SessionCost(row.session, row.title, row.amount, row.amount.total_tokens * 3,
                    row.amount.cost_usd * 2)
        for row in sorted(session_rows(), key=lambda row: -row.amount.cost_pico_usd)[:10]
    )  # fmt: skip
    return CostAnalysis(kinds, total.cost_usd, total.unpriced_tokens, strategies, comparison,
                        sessions)  # fmt: skip


def alerts() -> tuple[AlertRow, ...]:
    """The latest first."""
    rows = (("budget.cost", "warning", "fire", "$12.10 of $15 for the day"),
            ("budget.cost", "critical", "escalate", "$14.02 of $15 for the day"),
            ("window.use", "warning", "resolve", "41% of the window"),
            ("window.use", "warning", "fire", "82% of the window"))  # fmt: skip
    return tuple(
        AlertRow(MADE_AT_MS - number * DAY_MS - 4_000_000, *row) for number, row in enumerate(rows)
    )


def actions() -> tuple[ActionRow, ...]:
    """The latest first."""
    day = DAY_MS
    return (
        ActionRow(13, MADE_AT_MS - day, "compact", PROJECTS[0], "move 3 backups to the trash",
                  0, 410_000, None, False),
        ActionRow(12, MADE_AT_MS - 6 * day, "optimize", PROJECTS[1],
                  "switch the github server off", 2_718, 0, None, True),
        ActionRow(11, MADE_AT_MS - 9 * day, "optimize", PROJECTS[0],
                  "switch the pdf-forms skill off", 180, 0, 390_000, False),
    )  # fmt: skip


def cleanups() -> tuple[CleanupRow, ...]:
    """The latest first: one is not seen yet."""
    at_ms = MADE_AT_MS - DAY_MS
    return (
        CleanupRow(at_ms, "s4", "critical", "mcp-servers", 3, 20_442, None, None, ""),
        CleanupRow(at_ms - 60_000, "s4", "critical", "history", 1, 58_019, 57_457,
                   1.66, "measured"),
        CleanupRow(at_ms - 90_000, "s4", "warning", "memory-files", 1, 6_053, 6_006,
                   None, "measured"),
    )  # fmt: skip


METHOD = (
    "Tokens are those that the API reported for each request, each counted once: exact.",
    "Money is tokens at the price of their day (prices as of 2026-11-18); tokens without a price"
    " are shown and cost nothing here.",
    "What a consumer was billed is its share of each request's bill by the pieces in the window;"
    " pieces are counted with a tokenizer calibrated on your own usage (P90 error 4%).",
)


def rich_report() -> ReportData:
    """A month of four projects."""
    return ReportData(
        title="Token report",
        made_at_ms=MADE_AT_MS,
        zone_name="UTC",
        version="0.6.0",
        prices_as_of="2026-11-18",
        period="2026-10-22 to 2026-11-20",
        verdict="$95.51 for 98.3M tokens in 24 sessions, 10% less than in the 30 days before;"
        " start with the playwright server: ~$2.57 a week.",
        profile=profile(),
        efficiency=efficiency(),
        costs=costs(),
        findings=findings(),
        days=day_rows(),
        heat=heat_cells(),
        alerts=alerts(),
        actions=actions(),
        previous=amount(77.4),
        has_content=False,
        prompts=(),
        method=METHOD,
        findings_period="2026-10-22 to 2026-11-20",
        cleanups=cleanups(),
    )


def empty_report() -> ReportData:
    """Nothing was used yet."""
    nobody = Profile(None, None, "", 0, 0, NOTHING, NOTHING, dict.fromkeys(CONSUMER_KINDS, ()),
                     (), (), (), (), (), (), Node("all", NOTHING, 0, ()), ())  # fmt: skip
    return ReportData(
        title="Token report",
        made_at_ms=MADE_AT_MS,
        zone_name="UTC",
        version="0.6.0",
        prices_as_of="2026-11-18",
        period="no sessions yet",
        verdict="No sessions yet: let the agent work once, or name some with --from PATH.",
        profile=nobody,
        efficiency=Efficiency(None, 0, "", (), (), None, "Too little was used to tell."),
        costs=CostAnalysis((), Decimal(0), 0, (), None, ()),
        findings=(),
        days=(),
        heat=(),
        alerts=(),
        actions=(),
        previous=None,
        has_content=False,
        prompts=(),
        method=METHOD,
    )


_OURS = frozenset(
    ("day", "key", "basis", "confidence", "kind", "zone_name", "begins", "version",
     "prices_as_of", "session")
)  # fmt: skip
"""Fields whose words are never somebody else's, or decide the layout."""


def said_by_others(payloads: Sequence[str]) -> ReportData:
    """The rich report with the payloads, in turn, in place of every text."""
    turn = itertools.cycle(payloads)
    changed = _replaced(rich_report(), turn)
    assert isinstance(changed, ReportData)
    return changed._replace(
        has_content=True, prompts=tuple((row.session, next(turn)) for row in session_rows())
    )


def _replaced(value: Any, turn: Iterator[str]) -> Any:
    if isinstance(value, str):
        return next(turn) if value else ""
    if isinstance(value, dict):
        return {key: _replaced(one, turn) for key, one in value.items()}
    if not isinstance(value, tuple):
        return value
    names = getattr(value, "_fields", None)
    if names is None:
        return tuple(_replaced(one, turn) for one in value)
    return type(value)(
        *(
            one if name in _OURS and isinstance(one, str) else _replaced(one, turn)
            for name, one in zip(names, value, strict=True)
        )
    )
