"""A backtest as text, JSON and a page: the same figures, and hostile words in their places."""

import json
from collections.abc import Sequence

import pytest
from tests.hostile import PAYLOADS
from tests.reports.test_report_html import TAGS, Seen

from tokenbudget.analysis.backtest_result import (
    Backtest,
    Bill,
    Case,
    Classes,
    Fidelity,
    SessionResult,
    Shortening,
    StrategyResult,
)
from tokenbudget.model.figures import Style, text_width
from tokenbudget.model.plain_text import one_line
from tokenbudget.model.replay import APPLIED, MODELLED, NAIVE
from tokenbudget.reports.backtest import backtest_lines, binned
from tokenbudget.reports.backtest_json import backtest_document
from tokenbudget.reports.backtest_tables import sessions_table
from tokenbudget.reports.backtest_words import chosen, signed, verdict, worst_session
from tokenbudget.reports.html.backtest_page import backtest_html
from tokenbudget.reports.html.backtest_picture import lost_share, scatter_svg

LOSS = Fidelity(
    edits=200, edits_verbatim=196, edits_with_recall=200, results=1_000, shortened=300,
    refetches=4, uses=500, uses_kept=480, uses_with_recall=499, atoms=4_000, atoms_kept=3_000,
    atoms_by_head=1_000, atoms_by_ends=1_500, handles=250, handles_true=250,
    assertions=90_000, false_facts=0,
)  # fmt: skip


def bill(usd: float) -> Bill:
    return Bill(Classes(cache_read=usd * 1e6), Classes(cache_read=usd))


def session(name: str, was: float, now: float, loss: Fidelity = LOSS) -> SessionResult:
    return SessionResult(name, "", "s.jsonl", 10, bill(was), bill(now), 9e5, 3e5, 1, 0.01, (), loss)


def strategy(
    name: str,
    basis: str,
    sessions: Sequence[SessionResult],
    cases: Sequence[Case] = (),
    said: str = "it shortens results",
) -> StrategyResult:
    was = sum(one.was.usd.total for one in sessions)
    now = sum(one.now.usd.total for one in sessions)
    rows = (
        Shortening("Bash", "tool_result", "logs", 40, 9e4, 2e4, 9e6, 2e6, 1.5),
        Shortening("Read", "tool_result", "", 10, 5e4, 5e4, 5e6, 5e6, 0.0),
    )
    return StrategyResult(
        name, basis, said, bill(was), bill(now), 9e6, 4e6, 4, 0.02, rows, LOSS, tuple(sessions),
        tuple(cases),
    )  # fmt: skip


def case(text: str = "def total():\n    return 1") -> Case:
    return Case(text[:40], "", 7, "edit", text, text, text, text)


def made(text: str = "plain", cases: int = 1) -> Backtest:
    """Three sessions under three strategies; `text` is what others wrote."""
    as_was = [session("aaaaaaaa-1", 60, 60), session("bbbbbbbb-2", 30, 30), session(text, 10, 10)]
    trim = [one._replace(now=bill(one.was.usd.total * 0.8)) for one in as_was]
    both = [session("aaaaaaaa-1", 60, 30), session("bbbbbbbb-2", 30, 20), session(text, 10, 10.5)]
    return Backtest(
        (
            strategy("as it was", NAIVE, as_was),
            strategy("trim", APPLIED, trim),
            strategy("combined", MODELLED, both, [case(text)] * cases),
        ),
        sessions=3,
        threads=4,
        requests=50,
        unread=(text,),
    )


EMPTY = Backtest((), 0, 0, 0)


class TestTheAnswer:
    def test_comes_first(self) -> None:
        lines = backtest_lines(made(), Style(100, False))

        said = "'combined' (modelled) would have cost $60.50 instead of $100.00: 39.5% less."
        assert lines[2].startswith(said)
        assert "98.0% of the edits" in " ".join(lines[2:5])

    def test_is_about_the_combined_strategy_and_never_about_a_comparison(self) -> None:
        found = chosen(made())

        assert found is not None
        assert found.name == "combined"
        assert chosen(EMPTY) is None

    def test_teaches_where_there_is_nothing(self) -> None:
        assert "tokens backtest --from PATH" in verdict(EMPTY)
        assert backtest_lines(EMPTY, Style(80, False))
        assert "tokens backtest --from PATH" in backtest_html(EMPTY)

    def test_a_dearer_outcome_is_called_more(self) -> None:
        dear = Backtest((strategy("trim", APPLIED, [session("a", 10, 11)]),), 1, 1, 1)

        assert "10.0% more" in verdict(dear)

    def test_signs(self) -> None:
        assert [signed(0.123), signed(-0.02), signed(0.0)] == [
            "\N{MINUS SIGN}12.3%",
            "+2.0%",
            "0.0%",
        ]


class TestText:
    @pytest.mark.parametrize("width", [60, 80, 160])
    def test_fits_its_width(self, width: int) -> None:
        lines = backtest_lines(made(), Style(width, False))

        assert max(text_width(line) for line in lines) <= width

    def test_tells_cases_that_a_person_can_read(self) -> None:
        text = "\n".join(backtest_lines(made(cases=12), Style(100, False)))

        assert "an edit needed what" in text
        assert "and 2 more" in text

    def test_every_session_stands_in_the_distribution_once(self) -> None:
        sessions = [session("a", 10, now) for now in (11, 10.05, 10, 9.9, 5, 1)]

        assert sum(binned(sessions)) == 6
        assert binned(sessions)[:3] == [1, 1, 2]
        assert binned(sessions)[-1] == 1


class TestJson:
    def test_has_a_row_for_everything(self) -> None:
        found = json.loads(backtest_document(made()))

        assert found["format"] == "tokenbudget/backtest/1"
        assert [row["strategy"] for row in found["rows"]] == ["as it was", "trim", "combined"]
        assert len(found["session_rows"]) == 9
        assert found["rows"][2]["cost_usd_now"] == "60.5"
        assert found["rows"][2]["fidelity"]["edits_verbatim"] == 196
        assert found["case_rows"][0]["by"] == "plain"


class TestPage:
    def test_shows_a_dot_for_each_session(self) -> None:
        page = backtest_html(made())

        assert page.count("<circle") == 9
        assert "default-src 'none'" in page
        assert "<script" not in page

    def test_a_dearer_session_is_told_by_more_than_its_place(self) -> None:
        one = strategy("trim", APPLIED, [session("a", 10, 11)])

        assert 'class="dearer"' in scatter_svg(one, 10)
        assert "+10.0% of $10.00" in scatter_svg(one, 10)

    def test_loss_is_of_everything_that_was_needed(self) -> None:
        assert lost_share(session("a", 1, 1)) == pytest.approx(24 / 700)
        assert lost_share(session("a", 1, 1, Fidelity())) == 0.0


BATCH = 10
BATCHES = [list(PAYLOADS.values())[at : at + BATCH] for at in range(0, len(PAYLOADS), BATCH)]


def hostile(batch: list[str]) -> Backtest:
    """Cases, sessions and strategies that are named by hostile words; each is shown."""
    sessions = [session(text, 10, 9) for text in batch]
    found = [strategy(text, APPLIED, sessions, [], text) for text in batch[:2]]
    found.append(strategy("combined", MODELLED, sessions, [case(text) for text in batch]))
    return Backtest(tuple(found), len(batch), 1, 1, tuple(batch))


@pytest.mark.parametrize("batch", BATCHES, ids=lambda batch: str(BATCHES.index(batch)))
class TestHostileWords:
    def test_in_a_page(self, batch: list[str]) -> None:
        seen = Seen(backtest_html(hostile(batch)))

        assert seen.tags <= TAGS | {"circle"}
        assert all(not attribute.startswith("on") for _, attribute, _ in seen.attributes)

    def test_in_a_terminal(self, batch: list[str]) -> None:
        for line in backtest_lines(hostile(batch), Style(100, False)):
            assert line == one_line(line)

    def test_in_json(self, batch: list[str]) -> None:
        text = backtest_document(hostile(batch))

        assert text.isascii()
        assert json.loads(text)["sessions"] == len(batch)


class TestWhatIsNoModel:
    def test_stands_beside_what_is_modelled(self) -> None:
        assert verdict(made()).endswith("What the product does today, 'trim', comes to 20.0% less.")

    def test_is_not_said_again_where_it_is_the_answer(self) -> None:
        alone = Backtest((strategy("trim", APPLIED, [session("a", 10, 9)]),), 1, 1, 1)

        assert "today" not in verdict(alone)


class TestSessionsWithoutAPrice:
    free = session("free", 0, 0)
    dear = session("dear", 10, 8)
    some = Backtest((strategy("trim", APPLIED, [free, dear]),), 2, 2, 2)

    def test_are_not_the_worst(self) -> None:
        [one] = self.some.strategies

        assert worst_session(one) == self.dear
        assert [row[0] for row in sessions_table(one).rows] == ["dear"]
        assert "\N{MINUS SIGN}20.0%" in backtest_html(self.some).partition("Worst session")[2][:99]

    def test_alone_have_no_worst(self) -> None:
        none = strategy("trim", APPLIED, [self.free])

        assert worst_session(none) is None
        assert backtest_lines(Backtest((none,), 1, 1, 1), Style(100, False))
