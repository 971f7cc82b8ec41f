import json

import pytest
from tests.reports.conftest import sums, table

from tokenbudget.analysis.periods import Zone
from tokenbudget.analysis.sessions import SessionUsage, SessionWhole
from tokenbudget.ledger.inspection import SessionRow, ToolRow
from tokenbudget.model.figures import Style, text_width
from tokenbudget.reports.sessions import (
    session_document,
    session_lines,
    sessions_document,
    sessions_lines,
)

NOW = 1_795_176_000_000
ZONE = Zone("Europe/Berlin", NOW)
FACTS = SessionRow(
    session="332633f4-730f-48aa-ac74-a8ae49494781",
    title="",
    git_branch="fix-cart",
    version="2.1.329",
    cwd="/home/me/shop",
    first_at="2026-11-20T09:00:00Z",
    last_at="2026-11-20T10:00:00.500Z",
    project="/home/me/shop",
    agent="claude-code",
    is_gone=False,
)


def whole(**fields: object) -> SessionWhole:
    """A session that used one tool."""
    plain = SessionWhole(
        facts=FACTS,
        models=table("model", {"claude-opus-5-5": sums()}),
        days=table("day", {"2026-11-20": sums()}),
        subagent_tokens=0,
        tools=[ToolRow("Read", None, 2, 1, 300, 40_000, 1500)],
        compactions=[],
        last_context=("claude-opus-5-5", 84_120, NOW),
    )
    return plain._replace(**fields)  # type: ignore[arg-type]


def lines_of(session: SessionWhole, width: int = 100, opening: str | None = None) -> list[str]:
    """The session as plain text."""
    return session_lines(session, opening, Style(width, is_styled=False), ZONE, "/home/me")


class TestList:
    @pytest.mark.parametrize(
        ("last_at", "shown"),
        [
            ("2026-11-20T10:00:00.500Z", "2026-11-20 11:00"),
            ("2026-07-20T10:00:00+00:00", "2026-07-20 12:00"),
            ("2026-11-20T10:00:00", "2026-11-20 11:00"),
            ("once upon a time", "once upon a time"),
            ("", "?"),
        ],
    )
    def test_times_are_local(self, last_at: str, shown: str) -> None:
        found = [SessionUsage(FACTS._replace(last_at=last_at), sums())]

        assert shown in sessions_lines(found, None, Style(100, is_styled=False), ZONE)[2]

    @pytest.mark.parametrize("width", [80, 100, 120])
    def test_a_title_is_shortened_before_it_is_left_out(self, width: int) -> None:
        found = [SessionUsage(FACTS._replace(title="Round the cart " * 20), sums(10**10))]
        lines = sessions_lines(found, None, Style(width, is_styled=False), ZONE)

        assert "Round the c" in lines[2]
        assert max(map(text_width, lines)) <= width

    def test_json_holds_every_field_and_the_count(self) -> None:
        found = [SessionUsage(FACTS, sums())] * 3
        document = json.loads(sessions_document(found, 1))

        assert (len(document["rows"]), document["sessions"]) == (1, 3)
        assert document["rows"][0]["cost_usd"] == "1.5"


class TestOne:
    def test_its_facts(self) -> None:
        lines = lines_of(whole(subagent_tokens=400))

        assert lines[2:7] == [
            "  Session    332633f4-730f-48aa-ac74-a8ae49494781",
            "  Project    ~/shop   branch fix-cart",
            "  Time       2026-11-20 10:00 to 2026-11-20 11:00   claude-code 2.1.329",
            "  Usage      1,000 tokens, 400 of them by subagents; 1 request, $1.50",
            "  Window     84,120 tokens after the last response (claude-opus-5-5)",
        ]

    @pytest.mark.parametrize(
        ("title", "opening", "first"),
        [
            ("Cart", "Please fix", "Cart"),
            ("", "Please fix", "Please fix"),
            ("", None, "332633f4-730f-48aa-ac74-a8ae49494781"),
        ],
    )
    def test_its_headline(self, title: str, opening: str | None, first: str) -> None:
        session = whole(facts=FACTS._replace(title=title))

        assert lines_of(session, opening=opening)[0] == first

    @pytest.mark.parametrize("width", [60, 80, 120])
    def test_it_fits(self, width: int) -> None:
        long = FACTS._replace(
            title="漢字" * 200, project="/p" * 200, session="i" * 300, git_branch="b" * 300
        )
        session = whole(facts=long, tools=[ToolRow("t" * 200, None, 1, 1, 1, 10**12, 10**9)])

        assert max(map(text_width, lines_of(session, width))) <= width

    def test_compactions_in_local_time(self) -> None:
        compactions = [(NOW, "compact", "auto", 160_000), (0, "microcompact", "manual", None)]
        lines = lines_of(whole(compactions=compactions))

        assert "  Compact    2026-11-20 13:00 auto at 160,000 tokens" in lines
        assert "  Microcompact ? manual" in lines

    def test_a_window_that_is_not_known_is_left_out(self) -> None:
        assert not [line for line in lines_of(whole(last_context=None)) if "Window" in line]

    def test_no_tools_are_said_to_be_none(self) -> None:
        assert lines_of(whole(tools=[]))[-1] == "No tool was used."

    def test_further_tools_are_counted(self) -> None:
        tools = [ToolRow(f"t{n}", None, 1, 0, 0, 0, 0) for n in range(14)]

        assert lines_of(whole(tools=tools))[-1] == "and 2 more tools"

    def test_json_has_aware_times_and_bare_numbers(self) -> None:
        session = whole(compactions=[(NOW, "compact", "auto", None), (0, "compact", "auto", None)])
        document = json.loads(session_document(session, ZONE))

        assert [c["at"] for c in document["compactions"]] == ["2026-11-20T13:00:00.000+01:00", None]
        assert document["context_tokens"] == 84_120
        assert document["tools"][0]["result_bytes"] == 40_000
