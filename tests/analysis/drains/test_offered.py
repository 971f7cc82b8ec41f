"""What was offered in every session and never used, as transcripts alone can tell."""

from __future__ import annotations

from decimal import Decimal

from tests.analysis.drains.studies import FIRST_DAY, SHOP, at, session

from tokenbudget.analysis.drains.catalogue import drain_of
from tokenbudget.analysis.drains.offered import ALL_SKILLS, as_in_tools, offered_in
from tokenbudget.analysis.drains.ranking import Days, findings_from
from tokenbudget.analysis.findings import Finding
from tokenbudget.analysis.study import FileStudy, Spend, ToolDay

WEEK = Days(FIRST_DAY, FIRST_DAY + 6)
BLOG = "/srv/blog"
READ, WRITE = Decimal("0.5"), Decimal("6.25")


def spend(component: str, kind: str, target: str = "", name: str = "") -> Spend:
    """100 tokens that were written once and read nine times."""
    return Spend(
        FIRST_DAY, "claude-opus-5-5", component, kind, name, target, 1, 100, 0, 100, 0, 900, 0, 9, 0
    )  # fmt: skip


def names(server: str) -> Spend:
    return spend("mcp_tools", "deferred_names", server)


def called(name: str, server: str = "", day: int = FIRST_DAY) -> ToolDay:
    return ToolDay(day, name, server, 1, 0, 0, 0, 0, 10, 20)


def offering(
    number: int, *spends: Spend, project: str = SHOP, tools: tuple[ToolDay, ...] = ()
) -> FileStudy:
    made = session(f"s{number}", FIRST_DAY, project=project)
    threads = tuple(one._replace(spends=spends, tools=tools) for one in made.threads)
    return made._replace(threads=threads)


def prices(model: str, day: int) -> tuple[Decimal, Decimal] | None:
    assert day == FIRST_DAY
    return (READ, WRITE) if "opus" in model else None


def found(*files: FileStudy, looked: tuple[str, ...] = ()) -> list[Finding]:
    return findings_from(offered_in(files, WEEK, prices, looked), WEEK, drain_of)


def test_a_server_that_five_sessions_never_called_is_a_finding_with_its_price() -> None:
    (finding,) = found(*(offering(n, names("wiki")) for n in range(5)))
    assert (finding.drain, finding.subject, finding.project) == ("mcp-server", "wiki", SHOP)
    assert finding.title == "the MCP server wiki was offered 5 times and never called"
    assert (finding.times, finding.sessions, finding.window_tokens) == (5, 5, 100)
    assert finding.weekly.tokens == 5_000
    each = (900 * READ + 100 * WRITE) / 1_000_000
    assert finding.weekly.usd == 5 * each
    assert finding.spent is not None
    assert finding.spent.error_usd == 5 * each * Decimal("0.2")
    assert (finding.fix.kind, finding.fix.command) == ("command", "/mcp")
    assert finding.evidence[0].at_ms == at(FIRST_DAY)


def test_four_sessions_are_no_pattern() -> None:
    assert found(*(offering(n, names("wiki")) for n in range(4))) == []


def test_one_call_in_any_session_is_a_use() -> None:
    files = [offering(n, names("wiki")) for n in range(9)]
    assert found(*files, offering(9, tools=(called("mcp__wiki__find", "wiki"),))) == []
    before = offering(9, tools=(called("mcp__wiki__find", "wiki", FIRST_DAY - 40),))
    assert len(found(*files, before)) == 1


def test_a_server_has_one_name_in_its_tools_and_in_its_instructions() -> None:
    assert as_in_tools("claude.ai Linear") == "claude_ai_Linear"
    files = [
        offering(
            n, names("claude_ai_Linear"), spend("mcp_tools", "mcp_instructions", "claude.ai Linear")
        )
        for n in range(5)
    ]
    (finding,) = found(*files)
    assert finding.weekly.tokens == 10_000
    user = offering(5, tools=(called("mcp__claude_ai_Linear__get", "claude_ai_Linear"),))
    assert found(*files, user) == []


def test_what_no_project_called_is_one_matter_of_all() -> None:
    files = [offering(n, names("wiki"), project=SHOP if n % 2 else BLOG) for n in range(5)]
    (finding,) = found(*files)
    assert (finding.project, finding.sessions) == ("", 5)
    more = [offering(n, names("wiki"), project=BLOG) for n in range(5, 10)]
    user = offering(11, names("wiki"), tools=(called("mcp__wiki__x", "wiki"),))
    (finding,) = found(*files, *more, user)
    assert (finding.project, finding.sessions) == (BLOG, 8)  # the shop uses it


def test_a_project_whose_files_were_looked_at_is_left_to_them() -> None:
    files = [offering(n, names("wiki")) for n in range(5)]
    assert found(*files, looked=(SHOP,)) == []


def test_a_listing_of_skills_is_in_vain_where_none_was_used() -> None:
    files = [offering(n, spend("skills", "skill_listing")) for n in range(5)]
    (finding,) = found(*files)
    assert (finding.drain, finding.subject) == ("skill", ALL_SKILLS)
    assert found(*files, offering(5, tools=(called("Skill"),))) == []
    typed = offering(5, spend("skills", "skill_body", name="deploy"))
    assert found(*files, typed) == []


def test_without_a_price_there_are_tokens_alone() -> None:
    plain = [
        offering(n, names("wiki")._replace(model="some-other-model"), names("other"))
        for n in range(5)
    ]
    by_name = {one.subject: one for one in found(*plain)}
    assert by_name["wiki"].weekly.usd is None
    assert by_name["wiki"].weekly.tokens == 5_000
    assert by_name["other"].weekly.usd is not None


def test_what_lies_outside_of_the_period_is_not_offered() -> None:
    old = names("wiki")._replace(day=FIRST_DAY - 1)
    assert found(*(offering(n, old) for n in range(9))) == []
    assert found() == []
