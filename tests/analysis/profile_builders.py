"""Made-up studies and bills: of a few named sessions, and of anything at all (Hypothesis)."""

from collections.abc import Sequence

from hypothesis import strategies as st

from tokenbudget.analysis.amounts import Amount
from tokenbudget.analysis.profile import Profile
from tokenbudget.analysis.profile_bill import BillRow
from tokenbudget.analysis.profile_build import Asked, profile_from
from tokenbudget.analysis.profile_sums import Days
from tokenbudget.analysis.study import (
    PREFIX,
    UNATTRIBUTED,
    FileStudy,
    Sighting,
    Spend,
    ThreadStudy,
    ToolDay,
)
from tokenbudget.analysis.window_pieces import group_of
from tokenbudget.ledger.inspection import SessionRow
from tokenbudget.model import window

MONDAY = 20_773
"""2026-11-16, a Monday."""
OPUS = "claude-opus-5-5"
HAIKU = "claude-haiku-4-5"
SHOP = "/srv/shop"


def spend(
    kind: str = "",
    name: str = "",
    target: str = "",
    *,
    component: str = "",
    day: int = MONDAY,
    model: str = OPUS,
    pieces: int = 1,
    added: int = 100,
    read: int = 1_000,
    written: int = 0,
    cost: int = 1_000_000,
    **fields: int,
) -> Spend:
    """What a thing took: read from the cache, written by the model, its cost in pico-USD."""
    return Spend(
        day=day,
        model=model,
        component=component or group_of(kind, name, target),
        kind=kind,
        name=name,
        target=target,
        pieces=pieces,
        added_tokens=added,
        input_tokens=fields.get("input_tokens", 0),
        cache_write_5m_tokens=fields.get("write_5m", 0),
        cache_write_1h_tokens=fields.get("write_1h", 0),
        cache_read_tokens=read,
        output_tokens=written,
        cost_pico_usd=cost,
        unpriced_tokens=fields.get("unpriced", 0),
    )


def result(tool: str, target: str = "", **fields: int) -> Spend:
    """The result of a tool."""
    return spend(window.TOOL_RESULT, tool, target, **fields)  # type: ignore[arg-type]


def tool_day(name: str, calls: int, day: int = MONDAY, errors: int = 0, reruns: int = 0) -> ToolDay:
    """The calls of a tool, of 100 ms each."""
    server = window.mcp_server(name)
    return ToolDay(day, name, server, calls, errors, reruns, calls, calls * 100, 10, 90)


def sighting(drain: str, sent: int = 0, cost: int = 0, day: int = MONDAY) -> Sighting:
    """A place where tokens went down a drain."""
    return Sighting(drain, "", day, 0, 1, 1, sent, sent, 0, cost, 0, "")


def thread(
    *spends: Spend,
    name: str = "",
    tools: Sequence[ToolDay] = (),
    sightings: Sequence[Sighting] = (),
    requests: int = 30,
    **fields: int,
) -> ThreadStudy:
    """A thread that spent so."""
    return ThreadStudy(
        thread=name,
        requests=requests,
        first_ms=0,
        last_ms=0,
        peak_tokens=fields.get("peak", 50_000),
        last_window_tokens=fields.get("peak", 50_000),
        last_model=HAIKU,
        compactions=0,
        spends=spends,
        tools=tuple(tools),
        sightings=tuple(sightings),
        whole_file_tokens=fields.get("whole", 0),
        whole_file_sent_tokens=fields.get("whole_sent", 0),
        unsized_range_reads=fields.get("unsized", 0),
        deferred_tools=fields.get("deferred", 0),
    )


def study(
    *threads: ThreadStudy,
    session: str = "s1",
    project: str = SHOP,
    is_subagent: bool = False,
    file_id: int = 1,
) -> FileStudy:
    """A transcript of these threads."""
    return FileStudy(file_id, "/t.jsonl", session, project, "main", is_subagent, threads)


def bill_of_studies(files: Sequence[FileStudy], extra: Amount | None = None) -> list[BillRow]:
    """A bill that the studies explain, but for `extra`, on the first day of the first session."""
    sums: dict[tuple[int, str, str, str], Amount] = {}
    for file in files:
        for one in file.threads:
            for row in one.spends:
                key = (row.day, row.model, file.project, file.session)
                sums[key] = sums.get(key, Amount()).plus(Amount(*row[8:15]))
    if extra is not None:
        key = next(iter(sums), (MONDAY, OPUS, SHOP, "s1"))
        sums[key] = sums.get(key, Amount()).plus(extra)
    return [BillRow(*key, 1, 0, amount) for key, amount in sums.items()]


def facts(session: str, title: str = "", branch: str = "main", project: str = SHOP) -> SessionRow:
    """What the ledger knows of a session."""
    at = "2026-11-16T09:00:00.000Z"
    return SessionRow(session, title, branch, "", project, at, at, project, "claude_code", False)


def profile(
    *files: FileStudy,
    extra: Amount | None = None,
    days: Days = Days(),  # noqa: B008 (frozen)
    today: int = MONDAY + 4,
    home: str = "/home/ann",
    titles: Sequence[SessionRow] = (),
) -> Profile:
    """The profile of some studies and the bill that they explain."""
    bill = [row for row in bill_of_studies(files, extra) if days.holds(row.day)]
    return profile_from(files, bill, titles, Asked(days, today, home=home))


_NAMES = st.sampled_from(
    ["", "Read", "Edit", "Bash", "Task", "mcp__git__log", "Skill", "ünï 😀", "7 more"]
)
_TARGETS = st.sampled_from(
    ["", "/srv/shop/a.py", "/srv/shop/b/c.py", "/etc/x", "npm test", "git", "D:\\a\\b.py"]
)
_KINDS = st.sampled_from(
    [
        window.TOOL_USE, window.TOOL_RESULT, window.PROMPT, window.TEXT, window.THINKING,
        window.MEMORY_FILE, window.MCP_TOOL, window.SKILL_BODY, window.SKILL_LISTING,
        window.DEFERRED_NAMES, window.REMINDER, window.FILE, window.IMAGE, "never seen",
    ]
)  # fmt: skip
_TOKENS = st.integers(0, 10**7)


@st.composite
def spends(draw: st.DrawFn) -> Spend:
    """Any spend."""
    component = draw(st.sampled_from(["", "", "", PREFIX, UNATTRIBUTED]))
    return spend(
        "" if component else draw(_KINDS),
        "" if component else draw(_NAMES),
        "" if component else draw(_TARGETS),
        component=component,
        day=draw(st.sampled_from([0, MONDAY - 14, MONDAY - 1, MONDAY, MONDAY + 3])),
        model=draw(st.sampled_from([OPUS, HAIKU])),
        pieces=draw(st.integers(0, 9)),
        added=draw(_TOKENS),
        read=draw(_TOKENS),
        written=draw(_TOKENS),
        cost=draw(st.integers(0, 10**13)),
        input_tokens=draw(_TOKENS),
        write_5m=draw(_TOKENS),
        write_1h=draw(_TOKENS),
        unpriced=draw(st.sampled_from([0, 0, 5])),
    )


@st.composite
def threads(draw: st.DrawFn) -> ThreadStudy:
    """Any thread."""
    days = st.sampled_from([MONDAY - 14, MONDAY])
    calls = draw(st.integers(1, 500))
    return thread(
        *draw(st.lists(spends(), max_size=6)),
        name=draw(st.sampled_from(["", "", "a1"])),
        tools=[tool_day("Bash", calls, draw(days), draw(st.integers(0, calls)))],
        sightings=draw(
            st.lists(
                st.builds(
                    sighting,
                    st.sampled_from(["re-read", "stale-copy", "failing-command", "polling"]),
                    _TOKENS,
                    st.integers(0, 10**12),
                    days,
                ),
                max_size=3,
            )
        ),
        requests=draw(st.integers(0, 300)),
    )


@st.composite
def studies(draw: st.DrawFn) -> list[FileStudy]:
    """Any transcripts."""
    count = draw(st.integers(0, 4))
    return [
        study(
            *draw(st.lists(threads(), max_size=2)),
            session=draw(st.sampled_from(["s1", "s2", "s3"])),
            project=draw(st.sampled_from([SHOP, "/srv/api", "", "D:\\a"])),
            is_subagent=draw(st.booleans()),
            file_id=number,
        )
        for number in range(count)
    ]
