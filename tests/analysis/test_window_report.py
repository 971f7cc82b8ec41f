from collections.abc import Collection
from types import SimpleNamespace
from typing import cast

import pytest
from tests.analysis.window_builders import (
    MODEL,
    OLDER_MODEL,
    TEXT_ERROR,
    Story,
    plain_fit,
    request_row,
    words,
)

from tokenbudget.analysis.session_window import SessionWindow
from tokenbudget.analysis.window_replay import Replay
from tokenbudget.analysis.window_report import OwnFigures, followed, session_window
from tokenbudget.budget.health import STANDARD
from tokenbudget.collector.measuring import CountedRequest
from tokenbudget.ledger.store import Ledger
from tokenbudget.ledger.windows import PieceRow, RequestRow, WindowFile
from tokenbudget.metering.calibration import Fit, prior
from tokenbudget.metering.rates import PriceBook
from tokenbudget.model import window
from tokenbudget.model.window import Piece, RebuiltRequest

BOOK = PriceBook.bundled({MODEL: {"input": 5, "output": 25}})
FILE = WindowFile(
    file_id=1,
    path="/t/s1.jsonl",
    session="s1",
    is_subagent=False,
    size_bytes=900,
    mtime_ns=5,
    is_gone=False,
    measured_bytes=900,
    measured_size_bytes=900,
    measured_mtime_ns=5,
    head_sum=0,
    tail_sum=0,
    counter="plain/1",
)


class Shelf:
    """One counted transcript, and what the ledger knows around it."""

    def __init__(self, story: Story) -> None:
        self._story = story

    def pieces(self, file_id: int) -> list[PieceRow]:
        return self._story.rows

    def requests(self, file_id: int) -> dict[str, RequestRow]:
        return self._story.requests

    def recent_requests(self, limit: int, before_ms: int) -> dict[int, list[RequestRow]]:
        return {7: [request_row(f"old{n}", 1_000 * n) for n in range(1, 9)]}

    def told_window(self, session: str) -> int | None:
        return None

    def agents_of(self, session: str) -> list[tuple[str, int, int]]:
        return [("/t/agent-1.jsonl", 4, 9_000)]


def ledger_of(story: Story, *elsewhere: str, ours: Collection[int] = ()) -> Ledger:
    """A ledger of one story; `elsewhere` are tools that subagents called.

    `ours` are the tokens before compactions that our controller has brought about.
    """
    tools = [SimpleNamespace(tool=tool) for tool in elsewhere]
    signals = SimpleNamespace(own_boundaries=lambda session: frozenset(ours))
    shelf = Shelf(story)
    found = SimpleNamespace(windows=shelf, tools_of=lambda session: tools, session_signals=signals)
    return cast("Ledger", found)


def fit_of(model: str) -> Fit:
    return plain_fit()


def report(
    story: Story,
    file: WindowFile | None = FILE,
    agent: str = "",
    windows: dict[str, int] | None = None,
) -> SessionWindow:
    own = OwnFigures(windows or {}, None, STANDARD)
    return session_window(ledger_of(story), "s1", file, agent, fit_of, own, BOOK, lambda key: None)


def two_turns() -> Story:
    """Two requests of 1,000 and 1,150 tokens; 70 tokens wait for the next."""
    story = Story()
    story.put(window.PROMPT, 100)
    story.turn("a", 1_000, 50)
    story.put(window.PROMPT, 100)
    story.turn("b", 1_150, 20, started_at_ms=9_000)
    story.put(window.TOOL_RESULT, 70, "Bash", "ls", "call1")
    return story


class TestFigures:
    def test_the_window_is_that_of_the_last_request_and_its_answer(self) -> None:
        found = report(two_turns())

        assert (found.prompt_tokens, found.answer_tokens, found.waiting_tokens) == (1_150, 20, 70)
        assert (found.at_ms, found.requests, found.model) == (9_000, 2, MODEL)
        assert sum(part.tokens for part in found.components) == found.total_tokens == 1_170
        assert found.notes == ()

    def test_it_says_how_well_it_is_counted(self) -> None:
        found = report(two_turns())

        assert (found.calibration_steps, found.calibration_median_error) == (100, 0.02)
        assert found.calibration_p90_error == TEXT_ERROR

    def test_every_reported_request_is_a_sample(self) -> None:
        story = two_turns()
        story.turn("c", None, 30)
        story.put(window.COMPACTED, name="manual")
        story.turn("d", 400, 30)

        found = report(story)

        told = [(sample.window_tokens, sample.is_reset) for sample in found.samples]
        assert told == [(1_050, False), (1_170, False), (430, True)]

    def test_tools_told_anew_are_no_reset(self) -> None:
        story = two_turns()
        story.put(window.RESHAPED)
        story.turn("c", 1_300, 30)

        assert [sample.is_reset for sample in report(story).samples] == [False] * 3

    def test_requests_that_nothing_explains_are_counted(self) -> None:
        story = two_turns()
        story.turn("c", 90_000, 30)

        assert report(story).unexplained_requests == 1

    def test_the_cost_is_written_as_decimals(self) -> None:
        cost = report(two_turns()).cost

        assert cost is not None
        assert (cost.input_usd, cost.output_usd) == ("0.01075", "0.00175")
        assert cost.total_usd == "0.0125"
        assert cost.by_component[0].key == "hidden"

    def test_an_automatic_compaction_shows_the_reserve_and_a_manual_one_does_not(self) -> None:
        story = Story()
        story.turn("a", 160_000, 1_000, model=OLDER_MODEL)
        story.put(window.COMPACTED, name="auto")
        story.turn("b", 180_000, 0, model=OLDER_MODEL)
        story.put(window.COMPACTED, name="manual")
        story.turn("c", 20_000, 0, model=OLDER_MODEL)

        size = report(story).size

        assert (size.reserve_tokens, size.reserve_origin) == (39_000, "observed")

    def test_a_compaction_that_we_brought_about_is_not_where_the_client_compacts(self) -> None:
        story = Story()
        story.turn("a", 160_000, 1_000, model=OLDER_MODEL)
        story.put(window.COMPACTED, name="auto")
        story.turn("b", 20_000, 0, model=OLDER_MODEL)
        ledger = ledger_of(story, ours=[161_000])
        own = OwnFigures({}, None, STANDARD)

        size = session_window(ledger, "s1", FILE, "", fit_of, own, BOOK, lambda key: None).size

        assert (size.reserve_tokens, size.reserve_origin) == (33_000, "assumed")
        assert report(story).size.reserve_tokens == 39_000

    def test_thresholds_are_foretold_once_there_are_a_few_requests(self) -> None:
        story = two_turns()

        few = report(story).crossings
        story.turn("c", 1_300, 30)
        enough = report(story).crossings

        names = [crossing.name for crossing in enough]
        assert names == ["warning", "critical", "auto-compaction", "full"]
        assert {crossing.reason for crossing in few} == {"2 requests so far; a forecast needs 3"}
        assert [c.threshold_tokens for c in enough] == [500_000, 750_000, 967_000, 1_000_000]

    def test_the_clients_own_number_shows_the_reserve_as_well(self) -> None:
        story = Story()
        story.turn("a", 160_000, 1_000, model=OLDER_MODEL)
        story.put(window.COMPACTED, name="auto", target="167000")
        story.turn("b", 20_000, 0, model=OLDER_MODEL)

        size = report(story).size

        assert (size.reserve_tokens, size.reserve_origin) == (33_000, "observed")

    def compacted(self) -> Story:
        """A large window that was compacted, and nothing was sent since."""
        story = Story()
        story.put(window.SYSTEM_PROMPT, 5_000)
        story.put(window.PROMPT, 100_000)
        story.turn("a", 106_000, 50)
        story.put(window.COMPACTED, name="manual")
        story.put(window.SUMMARY, 2_000)
        return story

    def test_after_a_compaction_the_next_request_decides_not_the_one_before(self) -> None:
        found = report(self.compacted())

        assert (found.changed_since, found.total_tokens) == ("compaction", None)
        assert (found.components, found.crossings) == ((), ())
        assert (found.prompt_tokens, found.waiting_tokens) == (106_000, 2_000)

    def test_the_next_request_after_a_compaction_tells_what_is_left(self) -> None:
        story = self.compacted()
        story.turn("b", 8_000, 20)

        found = report(story)

        assert (found.changed_since, found.total_tokens) == ("", 8_020)
        assert {part.key: part.tokens for part in found.components} == {
            "system_prompt": 5_000,
            "messages": 2_020,
            "hidden": 1_000,
        }

    def test_the_servers_that_were_called_are_named_once_and_in_order(self) -> None:
        story = two_turns()
        story.request("c", 1_300, 60)
        for name in ("mcp__web__get", "Bash", "mcp__git__log", "mcp__git__diff"):
            story.call("c", 15, name)

        assert report(story).called_servers == ("git", "web")

    def test_a_server_that_a_subagent_called_was_called(self) -> None:
        own = OwnFigures({}, None, STANDARD)
        ledger = ledger_of(two_turns(), "mcp__git__log", "Bash")
        found = session_window(ledger, "s1", FILE, "", fit_of, own, BOOK, lambda key: None)
        assert found.called_servers == ("git",)


class TestNotes:
    def test_without_a_transcript_of_its_own_only_subagents_are_told(self) -> None:
        found = report(Story(), None)

        assert found.notes == ("the main thread sent no request: only subagents did",)
        assert found.agents == (("/t/agent-1.jsonl", 4, 9_000),)
        assert (found.total_tokens, found.cost, found.components) == (None, None, ())
        assert found.calibration_p90_error == prior("").p90_text_error

    def test_before_the_first_answer_nothing_is_known(self) -> None:
        story = Story()
        story.put(window.PROMPT, 100)

        found = report(story)

        assert found.notes == ("no request has been answered yet: nothing is known of the window",)
        assert (found.prompt_tokens, found.size.tokens, found.samples) == (None, None, ())

    def test_without_any_usage_nothing_is_known(self) -> None:
        story = Story()
        story.turn("a", None, 50)

        found = report(story)

        assert found.notes == (
            "no request reported its usage: how full the window is, is not known",
        )
        assert (found.total_tokens, found.components) == (None, ())

    def test_figures_of_the_request_before_are_called_so(self) -> None:
        story = two_turns()
        story.turn("c", None, 50)

        found = report(story)

        assert found.total_tokens == 1_170
        assert "the figures of the one before" in found.notes[0]

    def test_what_came_after_the_last_known_figures_is_not_squeezed_into_them(self) -> None:
        story = two_turns()
        story.put(window.TOOL_RESULT, 5_000, "Read", "/a.py", "call2")
        story.turn("c", None, 50)

        found = report(story)

        assert "context_files" not in {part.key for part in found.components}

    def test_a_transcript_that_is_gone_is_called_so(self) -> None:
        (note,) = report(two_turns(), FILE._replace(is_gone=True)).notes

        assert note.startswith("the transcript is gone")

    def test_a_model_without_a_window_says_what_to_set(self) -> None:
        story = Story()
        story.turn("a", 1_000, model="mystery-1")

        found = report(story)

        assert 'set windows."mystery-1" in config.toml' in found.notes[0]
        assert (found.crossings, found.free_tokens) == ((), None)

    def test_the_persons_own_window_answers_that(self) -> None:
        story = Story()
        story.turn("a", 1_000, 0, model="mystery-1")

        found = report(story, windows={"mystery-*": 64_000})

        assert (found.notes, found.free_tokens) == ((), 63_000)

    def test_a_change_of_model_is_told(self) -> None:
        story = two_turns()
        story.turn("c", 1_300, model="claude-sonnet-5")

        found = report(story)

        assert found.model == "claude-sonnet-5"
        assert found.notes == (
            "the model changed (claude-opus-5-5, claude-sonnet-5): this is the window of the last"
            " one",
        )

    @pytest.mark.parametrize(
        ("kind", "link", "said"),
        [
            (window.COMPACTED, "", "the history was compacted since the last request"),
            (window.REWOUND, "0", "the person went back since the last request"),
            (window.CLEARED, "call1", "results were cleared since the last request"),
        ],
    )
    def test_what_changed_the_window_since_is_told(self, kind: str, link: str, said: str) -> None:
        story = two_turns()
        story.put(kind, name="manual", link=link)

        (note,) = report(story).notes

        assert note == f"{said}: the next one will tell what is left"

    def test_a_compaction_behind_the_last_known_figures_does_not_blow_up_the_rest(self) -> None:
        story = Story()
        story.put(window.SYSTEM_PROMPT, 5_000)
        story.put(window.PROMPT, 100_000)
        story.turn("a", 106_000, 50)
        story.put(window.COMPACTED, name="auto")
        story.turn("b", None, 30)

        system = [part.tokens for part in report(story).components if part.key == "system_prompt"]

        assert system in ([], [5_000])


class TestRecord:
    """The client's own record of the last request."""

    def counted(self, *, is_whole: bool = True, missing: int = 0) -> CountedRequest:
        pieces = [
            Piece(window.SYSTEM_PROMPT, "", "", "", 4_000),
            Piece(window.PROMPT, "", "", "", 600),
            Piece(window.FRAME, "", "", "", 9),
        ]
        measures = [words(tokens) for tokens in (1_000, 150, 0)]
        return CountedRequest(RebuiltRequest(pieces, is_whole, False, missing, 0), measures)

    def report(
        self, story: Story, counted: CountedRequest | None
    ) -> tuple[SessionWindow, list[str]]:
        """The window, and the responses whose requests were asked for."""
        asked: list[str] = []

        def rebuilt(key: str) -> CountedRequest | None:
            asked.append(key)
            return counted

        own = OwnFigures({}, None, STANDARD)
        found = session_window(ledger_of(story), "s1", FILE, "", fit_of, own, BOOK, rebuilt)
        return found, asked

    def test_a_whole_record_says_what_is_in_the_window(self) -> None:
        found, asked = self.report(two_turns(), self.counted())

        assert asked == ["b"]
        assert {part.key: part.tokens for part in found.components} == {
            "system_prompt": 1_000,
            "messages": 170,
        }
        assert found.record is not None
        assert (found.record.words, found.record.size_bytes) == ("every part found", 4_609)
        assert found.notes == ()

    def test_of_a_record_in_part_only_its_state_is_told(self) -> None:
        counted = self.counted(is_whole=False, missing=2)

        found, _ = self.report(two_turns(), counted)

        assert found.components == report(two_turns()).components
        assert found.record is not None
        assert found.record.words == "in part"
        assert found.notes[0].startswith("the client's record of the last request lacks 2 parts")

    def test_without_a_record_there_is_none(self) -> None:
        found, _ = self.report(two_turns(), None)

        assert (found.record, found.components) == (None, report(two_turns()).components)

    def test_a_request_without_usage_is_not_asked_for(self) -> None:
        story = two_turns()
        story.turn("c", None, 50)

        found, asked = self.report(story, self.counted())

        assert (found.record, asked) == (None, [])

    def test_a_record_does_not_say_what_a_compaction_left(self) -> None:
        story = two_turns()
        story.put(window.COMPACTED, name="manual")

        found, _ = self.report(story, self.counted())

        assert (found.components, found.total_tokens) == ((), None)


class TestFollowing:
    def follow(self, story: Story, file: WindowFile, agent: str = "", until: str = "") -> Replay:
        return followed(ledger_of(story), "s1", file, agent, fit_of, until)

    def shared(self, *sessions: str) -> Story:
        """Requests a, b, c … of these sessions, one after the other."""
        story = Story()
        for number, (key, session) in enumerate(zip("abcdef", sessions, strict=False), 1):
            story.turn(key, 1_000 * number, started_at_ms=number, session=session)
        return story

    @pytest.mark.parametrize(
        ("sessions", "keys"),
        [
            (["s1", "s2"], "a"),
            (["s1", "s1", "s2", "s3"], "ab"),
            (["s0", "s1", "s2"], "ab"),
            (["s2", "s1"], "ab"),
            (["s1", "s2", "s1"], "abc"),
            (["s1", "s1"], "ab"),
            (["s2", "s3"], "ab"),
        ],
    )
    def test_a_session_in_a_shared_file_ends_with_its_own_last_request(
        self, sessions: list[str], keys: str
    ) -> None:
        replay = self.follow(self.shared(*sessions), FILE._replace(session="s2"))

        assert [moment.request.key for moment in replay.moments] == list(keys)

    def test_a_session_that_ended_in_a_subagent_ends_with_the_main_threads_last(self) -> None:
        story = Story()
        story.turn("a", 1_000, started_at_ms=1)
        story.thread = "agent-1"
        story.turn("z", 300, started_at_ms=2)
        story.thread = ""
        story.turn("b", 2_000, started_at_ms=3, session="s2")

        replay = self.follow(story, FILE._replace(session="s2"))

        assert [moment.request.key for moment in replay.moments] == ["a"]

    def test_it_ends_with_the_request_that_is_named(self) -> None:
        replay = self.follow(self.shared("s1", "s1", "s1", "s2"), FILE, until="b")

        assert [moment.request.key for moment in replay.moments] == ["a", "b"]

    def test_a_subagent_is_followed_whoever_goes_on_in_its_file(self) -> None:
        story = self.shared("s1", "s2")
        story.rows = [row._replace(thread="agent-1") for row in story.rows]

        assert len(self.follow(story, FILE, "agent-1").moments) == 2

    def test_a_session_in_its_own_file_goes_to_the_end(self) -> None:
        assert len(self.follow(two_turns(), FILE).moments) == 2

    def test_a_resumed_session_is_told_whose_transcript_it_is(self) -> None:
        (note,) = report(two_turns(), FILE._replace(session="s2")).notes

        assert note == "its transcript is that of session s2, which goes on in it"

    @pytest.mark.parametrize("agent", ["agent-1", "by another name"])
    def test_a_subagents_own_file_holds_its_thread(self, agent: str) -> None:
        story = Story("agent-1")
        story.put(window.PROMPT, 10)
        story.turn("z", 300)

        file = FILE._replace(is_subagent=True)

        assert len(self.follow(story, file, agent).moments) == 1

    def test_the_main_thread_of_a_file_of_subagents_is_empty(self) -> None:
        story = Story("agent-1")
        story.turn("z", 300)

        assert self.follow(story, FILE).moments == []
