"""A transcript studied: threads, bills, calls and tools, each where it belongs."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from tests.analysis.window_builders import (
    MODEL,
    NOON_MS,
    Story,
    any_stories,
    plain_fit,
    plausible_stories,
    request_row,
)

from tokenbudget.analysis.amounts import amount_of
from tokenbudget.analysis.drains.drain import Drain
from tokenbudget.analysis.study import UNATTRIBUTED, FileStudy, Sighting, ThreadStudy, ToolDay
from tokenbudget.analysis.study_bill import Biller
from tokenbudget.analysis.study_build import Material, Rules, study_file
from tokenbudget.analysis.study_view import Words, standing_at_once
from tokenbudget.analysis.thread_view import ThreadView
from tokenbudget.ledger.queries import ZoneSpan
from tokenbudget.ledger.studies import BilledRequest, StudiedFile
from tokenbudget.ledger.thread_calls import CallRow
from tokenbudget.ledger.windows import WindowFile
from tokenbudget.metering.rates import PriceBook
from tokenbudget.model import window
from tokenbudget.model.window import LineFacts, ShownFile

DAY = NOON_MS // 86_400_000
HOUR_MS = 3_600_000
BOOK = PriceBook.bundled({})
FILE = WindowFile(1, "/s1.jsonl", "s1", False, 900, 5, False, 900, 900, 5, 7, 8, "words/1")
ANY = settings(max_examples=60, deadline=None)


class Case:
    """A transcript told by hand: a story, the words of its rows, and what the ledger says."""

    def __init__(self, story: Story | None = None) -> None:
        self.story = story or Story()
        self.texts: dict[tuple[int, int], str] = {}
        self.calls: list[CallRow] = []
        self.shown: dict[str, ShownFile] = {}
        self.agents: dict[str, tuple[str, str]] = {}
        self.agent_type = ""
        self.more: list[BilledRequest] = []
        self.searches: dict[str, int] = {}
        self.attempts: dict[str, tuple[Any, ...]] = {}
        self.views: list[ThreadView] = []
        self.faults: list[str] = []
        self.sightings: list[Sighting] = []
        self.file = FILE
        self.ours: frozenset[int] = frozenset()

    def call(
        self,
        key: str,
        name: str,
        arguments: dict[str, Any],
        result: str = "",
        tokens: int = 40,
        is_error: bool = False,
        duration_ms: int | None = None,
    ) -> str:
        """A call in the answer of a request, and its result; its id."""
        call_id = f"t{len(self.calls)}"
        text = json.dumps(arguments)
        target = str(arguments.get("file_path", ""))
        offset = self.story.call(key, 10, name, target)
        self.texts[offset, 0] = f"{name} {text}"
        at = self.story.put(window.TOOL_RESULT, tokens, name, target, call_id)
        self.texts[at, 0] = result
        hashes = (hash(text) & 0xFFFF, NOON_MS, 1, offset, hash(result) & 0xFFFF)
        row = CallRow(call_id, key, name, "", *hashes, is_error, duration_ms, NOON_MS + 9)
        self.calls.append(row)
        return call_id

    def study(self, *drains: Drain) -> tuple[FileStudy, ...]:
        """Study it."""
        story = self.story
        billed = [
            BilledRequest(row, self.searches.get(key, 0), self.attempts.get(key, ()))
            for key, row in story.requests.items()
            if row.file_id == FILE.file_id
        ]
        starts = sorted({row.byte_offset for row in story.rows})
        studied = StudiedFile(self.file, 900, "/srv/shop", "", (1,))
        words = Words(self.texts, LineFacts(starts, self.shown, self.agents, self.agent_type))
        material = Material(
            *(studied, story.rows, story.requests, [*billed, *self.more], self.calls, words),
            self.ours,
        )
        zone = [ZoneSpan(0, 1, 0), ZoneSpan(1, 1 << 60, HOUR_MS)]
        looking = Drain("look", "", "", "", "", "", self._look)
        return study_file(
            material,
            Rules(
                Biller(BOOK, zone),
                lambda model: plain_fit(),
                {},
                [looking, *drains],
                lambda name, exc: self.faults.append(name),
            ),
        )

    def _look(self, view: ThreadView, claimed: set[int]) -> list[Sighting]:
        self.views.append(view)
        return [one for one in self.sightings if not view.thread]

    def thread(self) -> ThreadStudy:
        """The only thread of the only study."""
        ((file),) = self.study()
        (thread,) = file.threads
        return thread

    def view(self) -> ThreadView:
        """What the detectors saw of the only thread."""
        self.study()
        (view,) = self.views
        return view


def begun(**fields: Any) -> Case:
    case = Case()
    case.story.put(window.PROMPT, 100)
    case.story.turn("a", 1_000, 50, **fields)
    return case


# ── bills ────────────────────────────────────────────────────────────────────────────────────────


def bill_of(studies: Sequence[FileStudy]) -> Any:
    return amount_of(s for f in studies for t in f.threads for s in t.spends)


def test_requests_that_no_piece_belongs_to_are_nobodys() -> None:
    case = begun()
    case.more.append(BilledRequest(request_row("lost", 400, 30), 0, ()))

    nobody = [s for s in case.thread().spends if s.component == UNATTRIBUTED]

    assert amount_of(nobody).total_tokens == 430


def test_earlier_attempts_are_nobodys_and_have_their_own_model() -> None:
    case = begun()
    case.attempts["a"] = (request_row("a", 70, 7, model="claude-haiku-4-5"),)

    (attempt,) = (s for s in case.thread().spends if s.model == "claude-haiku-4-5")

    assert (attempt.component, attempt.input_tokens, attempt.output_tokens) == (UNATTRIBUTED, 70, 7)


def test_searches_are_the_money_of_the_tool_that_asked() -> None:
    case = begun()
    case.call("a", "WebSearch", {"query": "x"})
    without = bill_of(case.study()).cost_pico_usd
    case.searches["a"] = 3

    found = case.study()

    assert bill_of(found).cost_pico_usd == without + 3 * 10**10
    nobody = [s for s in found[0].threads[0].spends if s.component == UNATTRIBUTED]
    assert amount_of(nobody).cost_pico_usd == 0


def test_a_request_in_two_threads_is_charged_in_the_first() -> None:
    case = begun()
    copies = [row._replace(thread="a7") for row in case.story.rows]
    case.story.rows += [row._replace(byte_offset=row.byte_offset + 500) for row in copies]

    (file,) = case.study()

    assert [thread.thread for thread in file.threads] == [""]
    assert bill_of([file]).total_tokens == 1_050
    assert [view.thread for view in case.views] == [""]


def test_threads_are_told_apart() -> None:
    case = begun()
    side = Story("a7")
    side.put(window.PROMPT, 10)
    side.turn("b", 500, 5)
    case.story.rows += [row._replace(byte_offset=row.byte_offset + 500) for row in side.rows]
    case.story.requests |= side.requests

    (file,) = case.study()

    assert [(t.thread, t.requests, t.peak_tokens) for t in file.threads] == [
        ("", 1, 1_050),
        ("a7", 1, 505),
    ]
    assert [view.is_subagent for view in case.views] == [False, True]


def test_sessions_in_one_file_are_told_apart_with_what_was_seen_in_them() -> None:
    case = begun()
    case.story.put(window.PROMPT, 20)
    case.story.turn("b", 1_070, 30, session="s2", started_at_ms=NOON_MS + 9)
    plain = Sighting("look", "", DAY, 0, 2, 1, 0, 0, 0, 0, 0, "")
    case.sightings = [plain, plain._replace(line=4)]

    first, second = case.study()

    assert (first.session, second.session) == ("s1", "s2")
    assert [len(file.threads[0].sightings) for file in (first, second)] == [1, 1]
    assert second.threads[0].sightings[0].line == 4
    assert bill_of([first]).total_tokens == 1_050
    assert bill_of([second]).total_tokens == 1_100
    assert (second.threads[0].first_ms, second.threads[0].last_window_tokens) == (
        NOON_MS + 9,
        1_100,
    )


def test_a_file_that_owns_nothing_has_no_study() -> None:
    assert begun(file_id=2).study() == ()


def test_a_file_without_pieces_is_nobodys() -> None:
    case = Case()
    case.more.append(BilledRequest(request_row("lost", 400, 30), 0, ()))

    ((spend,),) = (thread.spends for file in case.study() for thread in file.threads)

    assert (spend.component, spend.day, spend.pieces) == (UNATTRIBUTED, DAY, 0)


@ANY
@given(plausible_stories() | any_stories())
def test_whatever_happened_the_spends_are_the_bill(story: Story) -> None:
    case = Case(story)

    found = case.study()

    billed = [BilledRequest(row, 0, ()) for row in story.requests.values()]
    bills = Biller(BOOK, [ZoneSpan(0, 1 << 60, HOUR_MS)]).amounts(billed)
    for group, bill in bills.items():
        own = [
            spend
            for file in found
            for thread in file.threads
            for spend in thread.spends
            if spend.model == group.model
        ]
        assert amount_of(own) == bill
    assert all(value >= 0 for f in found for t in f.threads for s in t.spends for value in s[6:])
    assert case.faults == []


@ANY
@given(plausible_stories() | any_stories())
def test_views_hang_together(story: Story) -> None:
    case = Case(story)
    case.study()
    for view in case.views:
        turns = len(view.turns)
        assert [turn.number for turn in view.turns] == list(range(turns))
        assert [piece.number for piece in view.seen] == list(range(len(view.seen)))
        assert all(0 <= piece.entered <= piece.left <= turns for piece in view.seen)
        assert all(call.turn < turns for call in view.calls)
        assert all(number <= turns for number, _, _ in view.compactions)
        carried = sum(piece.sent_usd + piece.written_usd for piece in view.seen)
        assert carried <= sum(turn.cost_usd for turn in view.turns if turn.is_owned) * (1 + 1e-9)


# ── what the detectors see ───────────────────────────────────────────────────────────────────────


def test_a_turn_is_what_was_reported_and_priced() -> None:
    case = begun(cache_read_tokens=600, cache_write_1h_tokens=100, thinking_tokens=7)

    (turn,) = case.view().turns

    assert turn[:11] == (0, "a", MODEL, NOON_MS, 2, 1_000, 300, 0, 100, 600, 50)
    assert turn.thinking_tokens == 7
    usd = (turn.read_usd, turn.write_usd, turn.output_usd)
    assert all(price > 0 for price in usd)
    plain = turn.cost_usd - 600 * usd[0] - 100 * usd[1] - 50 * usd[2]
    assert 0 < plain < 300 * usd[1]
    assert turn.is_owned


def test_the_price_of_writing_is_that_of_the_cache_that_was_written() -> None:
    hour = begun(cache_write_1h_tokens=100).view().turns[0].write_usd
    minutes = begun(cache_write_5m_tokens=100).view().turns[0].write_usd

    assert hour == pytest.approx(1.6 * minutes)


def test_thinking_that_was_not_reported_is_told_by_its_block() -> None:
    case = Case()
    case.story.put(window.PROMPT, 100)
    case.story.request("a", 1_000, 60)
    case.story.put(window.THINKING, 40, link="a")
    case.story.put(window.TEXT, 20, link="a")

    assert case.view().turns[0].thinking_tokens == 40


def test_a_piece_is_seen_with_its_words_and_its_line() -> None:
    case = begun()
    case.texts[0, 0] = "Please."
    case.story.turn("b", 1_050, 10)

    prompt, answer, last = case.view().seen

    assert (prompt.kind, prompt.text, prompt.line) == (window.PROMPT, "Please.", 1)
    assert (prompt.tokens, prompt.sent_tokens, prompt.entered, prompt.left) == (100, 200, 0, 2)
    assert (answer.entered, answer.left, answer.sent_tokens) == (1, 2, 50)
    assert (last.entered, last.left, last.sent_tokens) == (2, 2, 0)
    assert answer.written_usd > 0 == prompt.written_usd


def test_a_compaction_is_told_with_the_request_after_it() -> None:
    case = begun()
    case.story.put(window.COMPACTED, name="auto", target="900")
    case.story.turn("b", 950, 10)

    view = case.view()

    assert view.compactions == [(1, "auto", 900)]
    assert view.turns[1].cause == "compaction"
    assert case.thread().compactions == 1


@pytest.mark.parametrize(
    ("ours", "expected"), [((), 200_000), ((900,), 1_000_000), ((901,), 200_000)]
)
def test_a_compaction_that_we_brought_about_is_not_where_the_window_ends(
    ours: tuple[int, ...], expected: int
) -> None:
    case = begun()
    case.ours = frozenset(ours)
    case.story.put(window.COMPACTED, name="auto", target="900")
    case.story.turn("b", 950, 10)
    assert case.view().window_tokens == expected


def test_a_call_is_told_with_its_pieces() -> None:
    case = begun()
    case.shown["t0"] = ShownFile(400, 20, 11)
    case.call("a", "Read", {"file_path": "/a.py", "offset": 11}, "    11→x", is_error=True)
    case.story.turn("b", 1_100, 10)

    (call,) = case.view().calls

    assert (call.name, call.target, call.turn, call.is_error) == ("Read", "/a.py", 0, True)
    assert call.arguments == {"file_path": "/a.py", "offset": 11}
    assert (call.file_lines, call.shown_lines, call.first_line) == (400, 20, 11)
    assert call.use is not None
    assert call.use.kind == window.TOOL_USE
    assert call.result is not None
    assert (call.result.text, call.result.entered) == ("    11→x", 1)
    assert call.answered_at_ms - call.called_at_ms == 9


def test_the_numbering_helps_where_the_client_says_nothing() -> None:
    case = begun()
    case.call("a", "Read", {"file_path": "/a.py"}, "    11→x\n    12→y")
    case.story.turn("b", 1_100, 10)

    (call,) = case.view().calls

    assert (call.file_lines, call.shown_lines, call.first_line) == (None, 2, 11)


def test_an_answer_that_was_never_sent_is_none() -> None:
    case = begun()
    case.call("a", "Bash", {"command": "ls"}, "a.py")

    (call,) = case.view().calls

    assert call.result is None
    assert call.label == "ls"


def test_days_are_local() -> None:
    case = begun(started_at_ms=86_400_000 * 20_000 - 1)

    view = case.view()

    assert view.shift_ms == HOUR_MS
    assert view.day_of(view.turns[0].at_ms) == 20_000
    assert {spend.day for spend in case.thread().spends} == {20_000}


def test_the_window_is_the_models() -> None:
    assert begun().view().window_tokens == 1_000_000
    assert begun(model="unheard-of").view().window_tokens == 0


# ── tools ────────────────────────────────────────────────────────────────────────────────────────


def test_tools_are_counted_by_day() -> None:
    case = begun()
    case.call("a", "Bash", {"command": "ls"}, "x", duration_ms=30)
    case.call("a", "Bash", {"command": "ls"}, "x", is_error=True)
    case.call("a", "Bash", {"command": "pwd"}, "y")
    case.story.turn("b", 1_050 + 30 + 120, 10)

    (tool,) = case.thread().tools

    assert tool[:8] == (DAY, "Bash", "", 3, 1, 1, 1, 30)
    assert tool.input_tokens == pytest.approx(30, abs=25)
    assert tool.result_tokens > 0


def test_calls_of_another_files_request_are_not_counted() -> None:
    case = begun(file_id=2)
    case.call("a", "Bash", {"command": "ls"}, "x")
    case.story.turn("b", 1_200, 10)
    case.call("b", "Bash", {"command": "ls"}, "x")

    (tool,) = case.thread().tools

    assert (tool.calls, tool.reruns) == (1, 1)
    assert isinstance(tool, ToolDay)


def test_a_range_would_have_been_a_whole_file() -> None:
    case = begun()
    case.shown |= {"t0": ShownFile(400, 20, 11), "t1": ShownFile(400, 400, 1)}
    case.call("a", "Read", {"file_path": "/a", "offset": 11, "limit": 20}, tokens=40)
    case.call("a", "Read", {"file_path": "/b"}, tokens=40)
    case.call("a", "Read", {"file_path": "/c", "limit": 5}, tokens=40)
    case.story.turn("b", 1_000 + 50 + 120, 10)
    case.story.turn("c", 1_180, 10)

    thread = case.thread()

    assert thread.whole_file_tokens == pytest.approx(19 * 40, rel=0.1)
    assert thread.whole_file_sent_tokens == 2 * thread.whole_file_tokens
    assert thread.unsized_range_reads == 1


def test_tools_that_were_only_named_are_counted_where_most_stood() -> None:
    case = Case()
    for names in ("a\nb\nc\n", "mcp__x__y\nThe following tools are\n- d\n"):
        offset = case.story.put(window.DEFERRED_NAMES, 10)
        case.texts[offset, 0] = names
    case.story.turn("a", 100, 5)
    case.story.put(window.COMPACTED)
    offset = case.story.put(window.DEFERRED_NAMES, 10)
    case.texts[offset, 0] = "a\nb\n"
    case.story.turn("b", 100, 5)

    assert case.thread().deferred_tools == 5


def test_subagents_are_told_with_their_type() -> None:
    case = begun()
    case.agents |= {"t0": ("a7", "Explore"), "t1": ("a8", ""), "t9": ("a9", "lost")}
    case.call("a", "Agent", {"prompt": "x"})
    case.call("a", "Task", {"prompt": "x", "file_path": "reviewer"})  # a target of any kind
    case.agent_type = "Explore"

    thread = case.thread()

    assert thread.agents == (("a7", "Explore"), ("a8", "reviewer"))
    assert thread.agent_type == ""  # it is the main thread
    case.file = FILE._replace(is_subagent=True)
    assert case.thread().agent_type == "Explore"


@pytest.mark.parametrize(
    ("pieces", "most"),
    [([], 0), ([(0, 2, 3), (2, 4, 5)], 5), ([(0, 3, 3), (2, 4, 5)], 8), ([(1, 1, 9)], 0)],
)
def test_what_stands_at_once(pieces: list[tuple[int, int, int]], most: int) -> None:
    assert standing_at_once(pieces) == most
