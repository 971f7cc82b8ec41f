"""The window of a session that is looked at again and again: as if it were followed whole."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.cli.window_sessions import Talk, recorded, words
from tests.control_desk import MINUTE_MS, SESSION, Desk

from tokenbudget.analysis import window_followed
from tokenbudget.analysis.session_window import SessionWindow
from tokenbudget.analysis.window_report import session_window
from tokenbudget.app import Workbench, windows_looked
from tokenbudget.app.live import SILENT
from tokenbudget.app.windows import (
    FRESH_MS,
    calibration_of_everything,
    measurer_of,
    own_figures,
    window_of,
)
from tokenbudget.app.windows_looked import LookedWindows
from tokenbudget.model.errors import BadConfig
from tokenbudget.sources.claude_code import window_kept

OTHER = "claude-opus-5-5"


def whole(bench: Workbench, looked: LookedWindows) -> SessionWindow:
    """The same session followed from its beginning, counted by what the look counted by."""
    carried = looked._carried.get(SESSION)
    if carried is None:
        return window_of(bench, SESSION, "", SILENT)._replace(samples=(), crossings=())
    file = next(f for f in bench.ledger.windows.files_of_session(SESSION) if not f.is_subagent)
    measurer = measurer_of(bench)
    found = session_window(
        bench.ledger,
        SESSION,
        file,
        "",
        carried.followed.fit_of,
        own_figures(bench.settings),
        bench.book,
        lambda key: measurer.rebuilt(file, key),
    )
    return found._replace(samples=(), crossings=())


def switched(talk: Talk) -> None:
    talk.model = OTHER if talk.model != OTHER else "claude-sonnet-4-5"
    talk.ask().answer()


def gone_back(talk: Talk) -> None:
    place = talk.lines[len(talk.lines) // 2]["uuid"]
    talk.ask("Rather this.", parentUuid=place).answer()


def resumed(talk: Talk) -> None:
    talk.line("user", message={"role": "user", "content": "Go on."}, sessionId="s2")
    talk.answer("Well.", sessionId="s2")


def cleared(talk: Talk) -> None:
    ids = {"compactedToolIds": [f"tool_s1_{talk._calls}"]}
    talk.line("system", subtype="microcompact_boundary", microcompactMetadata=ids)


def shortened(talk: Talk) -> None:
    del talk.lines[max(2, len(talk.lines) - 3) :]


def rewritten(talk: Talk) -> None:
    talk.lines[1] = {**talk.lines[1], "message": {"role": "user", "content": "Else."}}


PARTIAL, REPLACED, NOTHING = "partial", "replaced", "nothing"
STEPS: Mapping[str, Callable[[Talk], object]] = {
    "ask": lambda talk: talk.ask("And the next one?").answer("Yes."),
    "call": lambda talk: talk.call("Bash", words(300), command="make").answer(),
    "read": lambda talk: talk.read("/srv/shop/a.py", 200),
    "again": lambda talk: talk.lines.append(talk.lines[len(talk.lines) // 2]),
    "compact": lambda talk: talk.compact("We rounded the totals.", trigger="manual"),
    "unread": lambda talk: talk.ask().answer("No figures.", usage=None),
    "cleared": cleared,
    "gone back": gone_back,
    "switched": switched,
    "resumed": resumed,
    "shortened": shortened,
    "rewritten": rewritten,
    PARTIAL: lambda talk: None,
    REPLACED: lambda talk: None,
    NOTHING: lambda talk: None,
}


class Writer:
    """A session that goes on, step by step, in whatever way a transcript may."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.talk = desk.talk().ask().answer()
        self.path = desk.keep(self.talk)

    def do(self, step: str) -> None:
        """Write it, as the client or somebody else would."""
        STEPS[step](self.talk)
        self.write(is_partial=step == PARTIAL, is_replaced=step == REPLACED)

    def write(self, *, is_partial: bool, is_replaced: bool) -> None:
        text = "".join(json.dumps(line) + "\n" for line in self.talk.lines)
        other = self.path.with_suffix(".new") if is_replaced else self.path
        other.write_text(text + '{"type": "user", "mess' * is_partial)
        self.desk.clock.ms += 1_000
        at_ns = self.desk.clock.ms * 1_000_000
        os.utime(other, ns=(at_ns, at_ns))
        os.replace(other, self.path)


@settings(
    max_examples=12,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(st.lists(st.sampled_from(sorted(STEPS)), min_size=3, max_size=12), st.integers(0, 3))
def test_every_look_is_equal_to_a_whole_replay(
    tmp_path_factory: pytest.TempPathFactory, steps: list[str], tail: int
) -> None:
    writer = Writer(Desk(tmp_path_factory.mktemp("looked")))
    looked = LookedWindows()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(window_followed, "FIRST_TAIL_REQUESTS", tail + 1)
        patch.setattr(window_kept, "RECENT_CALLS", tail)
        for step in [NOTHING, *steps]:
            writer.do(step)
            with writer.desk.bench() as bench:
                found = looked.window(bench, SESSION)
                assert found == whole(bench, looked)


def grown(desk: Desk) -> Talk:
    talk = desk.talk().ask("Please round the totals.")
    for number in range(40):
        talk.call("Bash", words(100 + number), command="make")
    desk.keep(talk.answer())
    return talk


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def begun_again(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The sessions that were replayed from their beginning, one entry for each time."""
    found: list[str] = []
    begun = windows_looked._begun

    def counting(bench: Workbench, session: str, *rest: object) -> object:
        found.append(session)
        return begun(bench, session, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(windows_looked, "_begun", counting)
    return found


def test_only_what_is_new_is_read_and_replayed(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    talk, looked = grown(desk), LookedWindows()
    begun = begun_again(monkeypatch)
    with desk.bench() as bench:
        looked.window(bench, SESSION)
    rows: list[int] = []
    feed = window_followed.FollowedReplay.feed

    def counting(self: object, some: list[object], *rest: object) -> object:
        rows.append(len(some))
        return feed(self, some, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(window_followed.FollowedReplay, "feed", counting)
    for number in range(30):
        desk.keep(talk.call("Bash", words(90 + number), command="make").answer())
        with desk.after(MINUTE_MS).bench() as bench:
            found = looked.window(bench, SESSION)
            assert found == whole(bench, looked)
    assert begun == [SESSION]
    assert max(rows) < 12


def test_a_rewritten_transcript_is_followed_from_its_beginning(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    talk, looked = grown(desk), LookedWindows()
    begun = begun_again(monkeypatch)
    with desk.bench() as bench:
        before = looked.window(bench, SESSION)
    talk.lines[3]["uuid"] = "another"
    del talk.lines[-8:]
    desk.keep(talk)
    with desk.after(MINUTE_MS).bench() as bench:
        after = looked.window(bench, SESSION)
        assert after == whole(bench, looked)
    assert after.requests < before.requests
    assert begun == [SESSION, SESSION]


def test_a_transcript_that_is_written_anew_after_the_ledger_has_read_it(desk: Desk) -> None:
    """Counting sees it at once; the ledger hears of it with the next refresh."""
    talk, looked = grown(desk), LookedWindows()
    with desk.bench() as bench:
        looked.window(bench, SESSION)
    with desk.after(MINUTE_MS).bench() as bench:
        [file] = bench.ledger.windows.files_of_session(SESSION)
        before = bench.ledger.windows.generation_of(file.file_id)
        talk.lines[1]["message"]["content"] = "Something else altogether: " + words(400)
        desk.keep(talk.ask().answer())
        measurer_of(bench).bring_up_to_date([file._replace(mtime_ns=0)], SILENT.progress)
        assert bench.ledger.windows.generation_of(file.file_id) == before
        assert looked.window(bench, SESSION) == whole(bench, looked)


def test_wrong_settings_cost_nothing_that_is_carried(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    talk, looked = grown(desk), LookedWindows()
    begun = begun_again(monkeypatch)
    with desk.bench() as bench:
        looked.window(bench, SESSION)
    desk.keep(talk.ask().answer())
    desk.home.config.write_text("tokenManagement.warningThreshold = -5")
    with desk.after(MINUTE_MS).bench() as bench, pytest.raises(BadConfig):
        looked.window(bench, SESSION)
    desk.home.config.unlink()
    with desk.after(MINUTE_MS).bench() as bench:
        assert looked.window(bench, SESSION) == whole(bench, looked)
    assert begun == [SESSION]


def test_another_price_is_a_price_for_all_that_was_sent(desk: Desk) -> None:
    talk, looked = grown(desk), LookedWindows()
    with desk.bench() as bench:
        before = looked.window(bench, SESSION)
    desk.home.config.write_text(f'[prices."{talk.model}"]\ninput = 900\noutput = 900\n')
    with desk.after(MINUTE_MS).bench() as bench:
        after = looked.window(bench, SESSION)
        assert after == whole(bench, looked)
    assert before.cost is not None
    assert after.cost is not None
    assert after.cost.output_usd != before.cost.output_usd


@pytest.mark.parametrize("place", ["_take", "_keep", "feed", "branch"])
def test_a_look_that_breaks_off_leaves_nothing_half_done(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    talk, looked = grown(desk), LookedWindows()
    with desk.bench() as bench:
        looked.window(bench, SESSION)
    real = getattr(window_followed.FollowedReplay, place)
    for calls in range(1, 4):
        desk.keep(talk.call("Bash", words(90 + calls), command="make").answer())
        left = iter(range(calls))

        def broken(*given: object, left: Iterator[int] = left) -> object:
            if next(left, None) is None:
                raise MemoryError
            return real(*given)

        with monkeypatch.context() as patch, desk.after(MINUTE_MS).bench() as bench:
            patch.setattr(window_followed.FollowedReplay, place, broken)
            with contextlib.suppress(MemoryError):
                looked.window(bench, SESSION)
        with desk.bench() as bench:
            assert looked.window(bench, SESSION) == whole(bench, looked)


def test_what_was_learnt_since_counts_after_a_while(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    talk, looked = grown(desk), LookedWindows()
    begun = begun_again(monkeypatch)
    with desk.bench() as bench:
        steps = looked.window(bench, SESSION).calibration_steps
    desk.past(3, turns=20)
    with desk.after(MINUTE_MS).bench() as bench:
        calibration_of_everything(bench, SILENT)
    desk.keep(talk.ask().answer())
    with desk.after(MINUTE_MS).bench() as bench:
        assert looked.window(bench, SESSION).calibration_steps == steps
    assert begun == [SESSION]
    with desk.after(FRESH_MS).bench() as bench:
        assert looked.window(bench, SESSION).calibration_steps > steps


def test_a_model_that_is_new_is_counted_in_its_own_way_at_the_next_look(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    talk, looked = grown(desk), LookedWindows()
    with desk.bench() as bench:
        looked.window(bench, SESSION)
    begun = begun_again(monkeypatch)
    talk.model = OTHER
    for _ in range(3):
        desk.keep(talk.ask().answer())
        with desk.after(MINUTE_MS).bench() as bench:
            assert looked.window(bench, SESSION).model == OTHER
    assert begun == [SESSION]


def test_a_transcript_that_is_gone_is_what_was_counted_of_it(desk: Desk) -> None:
    grown(desk)
    looked = LookedWindows()
    with desk.bench() as bench:
        before = looked.window(bench, SESSION)
    for path in desk.home.claude.rglob("*.jsonl"):
        path.unlink()
    with desk.bench() as bench:
        after = looked.window(bench, SESSION)
        assert after == whole(bench, looked)
    assert after.components == before.components
    assert any("is gone" in note for note in after.notes)


def test_a_request_that_the_client_recorded_is_told_by_its_record(desk: Desk) -> None:
    looked = LookedWindows()
    talk = recorded(SESSION)
    for _ in range(2):
        desk.keep(talk)
        with desk.after(MINUTE_MS).bench() as bench:
            found = looked.window(bench, SESSION)
            assert found == whole(bench, looked)
            assert found.record is not None
            assert found.record.is_whole


def test_sessions_that_nobody_looks_at_are_forgotten(desk: Desk) -> None:
    grown(desk)
    path = desk.keep(desk.filled(0.3, "s2"))
    looked = LookedWindows()
    with desk.bench() as bench:
        looked.window(bench, SESSION)
        looked.window(bench, "s2")
    looked.keep_only(["s2"])
    assert set(looked._carried) == {"s2"}
    assert looked._transcripts is not None
    transcripts = looked._transcripts[1]
    assert (set(transcripts._readers), set(transcripts._unrecorded)) == ({str(path)}, {str(path)})
    looked.keep_only([])
    assert (looked._carried, transcripts._readers, transcripts._unrecorded) == ({}, {}, {})
