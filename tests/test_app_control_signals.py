"""One look at a session for the controller: what it says, what it does not know, what it costs."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from tests.cli.window_sessions import Talk, words
from tests.control_desk import MINUTE_MS, NOON_MS, SESSION, USABLE, Desk, of_lever

from tokenbudget.app import Workbench, control_signals, control_told
from tokenbudget.app.alerts import evaluate
from tokenbudget.app.control_held import Ground, Offer, offers_of
from tokenbudget.app.control_moments import SILENT_MS
from tokenbudget.app.control_signals import REST_MS, STILL_MS, Memory, look
from tokenbudget.app.live import SILENT
from tokenbudget.app.windows import window_of
from tokenbudget.cli import alert_setting
from tokenbudget.model.control import HISTORY, SERVERS, SKILLS, Receipt, Signals
from tokenbudget.model.errors import LedgerUnusable

HOUR_MS = 60 * MINUTE_MS


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def counted_looks(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The sessions whose project was looked through, one entry for each time."""
    found: list[str] = []

    def counting(bench: Workbench, ground: Ground) -> tuple[Offer, ...]:
        found.append(ground.scene.facts.session if ground.scene.facts else "")
        return offers_of(bench, ground)

    monkeypatch.setattr(control_signals, "offers_of", counting)
    return found


def receipt(at_ms: int, lever: str, *items: str, action: int | None = None) -> Receipt:
    return Receipt(0, SESSION, at_ms, lever, items, "warning", action, 500, None, "now", 90_000)


def acted(desk: Desk, *receipts: Receipt) -> None:
    """These were opened; each stands for an action of the journal."""
    with desk.bench() as bench:
        for one in receipts:
            action = bench.ledger.journal.begin("tokens control", "", [], None, 0)
            bench.ledger.let_go()
            with bench.ledger.control.transaction() as writing:
                writing.open_receipt(one._replace(action=action), str(desk.project))


# ── what it says ─────────────────────────────────────────────────────────────────────────────────


def test_a_session_is_told_as_the_ledger_has_it(desk: Desk) -> None:
    talk = desk.filled(0.3)
    desk.keep(talk)
    seen = desk.look()

    assert (seen.session, seen.project) == (SESSION, str(desk.project))
    assert (seen.client, seen.model) == ("2.1.329", talk.model)
    assert (seen.used_tokens, seen.usable_tokens) == (talk.window_tokens, USABLE)
    assert seen.window_tokens == 200_000
    assert seen.requests == 13
    assert seen.request_key == "msg_s1__13"
    assert seen.request_at_ms == round(talk.at.timestamp() * 1000)
    assert seen.observed_at_ms == NOON_MS
    assert seen.compactions == 0
    assert seen.has_tool_search is True
    assert not seen.is_over
    assert (seen.cache.read, seen.cache.write, seen.cache.output) == (0.1, 1.25, 5.0)
    assert seen.cache.input_usd == pytest.approx(1e-6)


def test_an_unknown_session_is_none(desk: Desk) -> None:
    desk.keep(desk.filled(0.1))
    with desk.bench() as bench:
        for name in ("nobody", "s", "", "s1\udcff"):
            assert look(bench, name, NOON_MS, desk.memory) is None
    assert not desk.memory.sessions


def test_a_session_without_any_answer_has_no_figures(desk: Desk) -> None:
    desk.keep(desk.talk().ask())
    seen = desk.look()
    assert (seen.used_tokens, seen.share, seen.request_key, seen.requests) == (None, None, "", 0)
    assert not seen.held


def test_an_answer_without_usage_is_no_completed_request(desk: Desk) -> None:
    talk = desk.filled(0.3)
    used = talk.window_tokens
    desk.keep(talk.ask("And now?").answer("Well.", usage=None))
    seen = desk.look()
    assert (seen.used_tokens, seen.requests, seen.request_key) == (used, 13, "msg_s1__13")


def test_between_two_turns_it_is_the_persons_turn(desk: Desk) -> None:
    talk = desk.filled(0.2)
    desk.keep(talk)
    assert desk.look().is_between_turns
    desk.keep(talk.call("Bash", "ok", command="make"))
    assert not desk.after(5_000).look().is_between_turns


def test_time_alone_makes_the_cache_cold(desk: Desk) -> None:
    talk = desk.filled(0.2)
    desk.keep(talk)
    desk.clock.ms = round(talk.at.timestamp() * 1000) + MINUTE_MS
    warm = desk.look().cache
    assert (warm.is_cold, warm.cold_in_ms) == (False, 4 * MINUTE_MS)
    cold = desk.after(4 * MINUTE_MS).look().cache
    assert (cold.is_cold, cold.cold_in_ms) == (True, 0)


def test_a_model_without_a_price_has_a_cache_without_one(desk: Desk) -> None:
    desk.keep(desk.talk(model="somebodys-model").ask().answer())
    cache = desk.look().cache
    assert cache.is_cold is not None
    assert (cache.read, cache.write, cache.output, cache.input_usd) == (None, None, None, None)


def test_what_is_still_to_come_is_the_median_of_the_persons_own_sessions(desk: Desk) -> None:
    desk.past(6, turns=20)
    desk.keep(desk.filled(0.2))
    seen = desk.look()
    assert seen.expected_requests == 7.0  # 20 less the 13 so far
    assert seen.sure_requests == 7.0, "all of them became as long"


def test_with_few_sessions_nobody_knows_what_is_still_to_come(desk: Desk) -> None:
    desk.past(4, turns=20)
    desk.keep(desk.filled(0.2))
    seen = desk.look()
    assert (seen.expected_requests, seen.sure_requests) == (None, None)


# ── over or not ──────────────────────────────────────────────────────────────────────────────────


def test_a_session_is_over_when_its_hook_says_so_last(desk: Desk) -> None:
    desk.keep(desk.filled(0.2))
    desk.hook("SessionEnd", NOON_MS - 1)
    assert desk.look().is_over
    desk.hook("SessionStart", NOON_MS)
    assert not desk.look().is_over


def test_a_request_after_the_hook_says_that_it_goes_on(desk: Desk) -> None:
    talk = desk.filled(0.2)
    desk.keep(talk)
    desk.hook("SessionEnd", round(talk.at.timestamp() * 1000) - 1)
    assert not desk.look().is_over


def test_a_session_that_nobody_has_heard_of_for_hours_is_over(desk: Desk) -> None:
    talk = desk.filled(0.2)
    desk.keep(talk)
    desk.clock.ms = round(talk.at.timestamp() * 1000) + SILENT_MS
    assert not desk.look().is_over
    assert desk.after(1).look().is_over


# ── compactions ──────────────────────────────────────────────────────────────────────────────────


def test_after_a_compaction_nobody_knows_what_is_in_the_window_until_the_next_answer(
    desk: Desk,
) -> None:
    talk = desk.filled(0.8)
    desk.keep(talk)
    assert desk.look().compactions == 0
    desk.keep(talk.compact("We rounded the totals."))
    seen = desk.after(MINUTE_MS).look()
    assert (seen.compactions, seen.used_tokens, seen.share) == (1, None, None)

    desk.keep(talk.ask().answer())
    seen = desk.after(MINUTE_MS).look()
    assert (seen.compactions, seen.used_tokens) == (1, talk.window_tokens)
    assert seen.share is not None
    assert seen.share < 0.2


def test_a_compaction_that_was_ours_does_not_make_the_usable_window_smaller(desk: Desk) -> None:
    talk = desk.filled(0.8)
    before_ms = round(talk.at.timestamp() * 1000)
    compacted_at = talk.window_tokens
    desk.keep(talk.compact("We rounded the totals.").ask().answer())
    theirs = desk.look()
    assert theirs.usable_tokens is not None
    assert theirs.usable_tokens < USABLE  # so far it came, and the client compacted by itself

    acted(desk, receipt(before_ms, HISTORY, "history/compact"))
    assert desk.after(MINUTE_MS).look().usable_tokens == USABLE
    with desk.bench() as bench:
        assert bench.ledger.session_signals.own_boundaries(SESSION) == {compacted_at}
    desk.keep(talk.ask().answer())  # what was kept of the window is of before the receipt
    with desk.bench() as bench:
        assert window_of(bench, SESSION, "", SILENT).size.usable_tokens == USABLE


# ── the usable window ────────────────────────────────────────────────────────────────────────────


def test_a_person_who_told_the_client_a_smaller_window_has_a_smaller_one(desk: Desk) -> None:
    desk.keep(desk.filled(0.5))
    assert desk.look().usable_tokens == USABLE
    told = {"env": {"CLAUDE_CODE_AUTO_COMPACT_WINDOW": "150000"}}
    (desk.home.claude / "settings.json").write_text(json.dumps(told))
    assert desk.after(5_000).look().usable_tokens == 117_000
    told = {"env": {"CLAUDE_CODE_AUTO_COMPACT_WINDOW": "1000000"}}
    desk.write(".claude/settings.local.json", json.dumps(told))  # the nearer one holds
    assert desk.after(5_000).look().usable_tokens == USABLE


# ── what could leave ─────────────────────────────────────────────────────────────────────────────


def test_a_healthy_window_is_not_taken_apart(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    looks = counted_looks(monkeypatch)
    desk.keep(desk.filled(0.4))
    seen = desk.look()
    assert (seen.held, dict(seen.composition), looks) == ((), {}, [])


def test_the_warning_of_the_sessions_own_project_holds(desk: Desk) -> None:
    desk.keep(desk.filled(0.4))
    told = {"tokenManagement": {"warningThreshold": 0.3}}
    desk.write(".claude/settings.local.json", json.dumps(told))
    assert desk.look().composition


def test_a_warning_that_cannot_be_meant_is_the_usual_one(desk: Desk) -> None:
    desk.keep(desk.filled(0.6))
    desk.keep(desk.filled(0.4, "s2"))
    told = {"tokenManagement": {"warningThreshold": 0.95}}
    desk.write(".claude/settings.local.json", json.dumps(told))
    assert desk.look().composition
    assert not desk.look("s2").composition


def test_a_window_near_the_warning_is_taken_apart(desk: Desk) -> None:
    desk.servers("tickets", "wiki")
    desk.past(6)
    desk.keep(desk.filled(0.6))
    seen = desk.look()
    assert sum(seen.composition.values()) == seen.used_tokens
    assert [one.id for one in of_lever(seen, SERVERS)] == [
        "mcp-servers/tickets",
        "mcp-servers/wiki",
    ]
    assert of_lever(seen, HISTORY)


def test_what_is_dear_is_looked_at_once_a_minute_and_less_at_rest(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks = counted_looks(monkeypatch)
    talk = desk.filled(0.6)
    desk.keep(talk)
    held = desk.look().held
    for _ in range(5):
        assert desk.after(5_000).look().held == held
    assert len(looks) == 1

    desk.keep(talk.ask().answer())
    desk.after(5_000).look()
    assert len(looks) == 1  # a new request, and less than a minute
    desk.after(REST_MS).look()
    assert len(looks) == 2
    desk.after(REST_MS).look()
    assert len(looks) == 2  # no new request since
    desk.after(STILL_MS).look()
    assert len(looks) == 3


def test_a_window_that_grows_fast_is_looked_at_at_once(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks = counted_looks(monkeypatch)
    talk = desk.filled(0.6)
    desk.keep(talk)
    [before] = of_lever(desk.look(), HISTORY)
    desk.keep(talk.call("Bash", words(9_000), command="make").answer())
    [after] = of_lever(desk.after(5_000).look(), HISTORY)
    assert len(looks) == 2
    assert after.tokens - before.tokens == pytest.approx(9_000 * 1.16, rel=0.1)


def test_a_look_at_rest_asks_the_transcript_nothing(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.keep(desk.filled(0.6))
    with desk.bench() as bench:
        first = look(bench, SESSION, NOON_MS, desk.memory)

        def refuse(*_: object) -> object:
            raise AssertionError("nothing was written, and it is read again")

        for name in ("turn_of", "pace_of", "reloaded_ids", "told_window"):
            monkeypatch.setattr(control_told, name, refuse)
        monkeypatch.setattr(control_signals, "offers_of", refuse)
        monkeypatch.setattr(desk.memory.windows, "window", refuse)
        again = look(bench, SESSION, NOON_MS + 5_000, desk.memory)
    assert first is not None
    assert again is not None
    assert again.observed_at_ms == NOON_MS + 5_000
    assert again._replace(observed_at_ms=0, cache=first.cache) == first._replace(observed_at_ms=0)


def test_where_something_was_done_the_next_request_is_looked_at_at_once(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    talk = desk.filled(0.6)
    desk.keep(talk)
    desk.look()
    acted(desk, receipt(NOON_MS, SERVERS, "mcp-servers/wiki"))
    desk.after(5_000).look()
    looks = counted_looks(monkeypatch)
    desk.keep(talk.ask().answer())
    desk.after(5_000).look()
    assert looks == [SESSION]


def test_what_the_next_compaction_shows_makes_no_request_before_it_dear(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    talk = desk.filled(0.6)
    desk.keep(talk)
    desk.look()
    later = receipt(NOON_MS, SKILLS, "skills/slides")._replace(effect="next compaction")
    acted(desk, later, receipt(NOON_MS, HISTORY, "history/compact"))
    desk.after(5_000).look()
    looks = counted_looks(monkeypatch)
    desk.keep(talk.ask().answer())
    desk.after(5_000).look()
    assert looks == []
    desk.keep(talk.compact(trigger="auto").ask().answer())
    desk.after(5_000)
    assert desk.look().composition
    assert desk.memory.sessions[SESSION].looked_compactions == 1


def test_neighbours_are_told_where_servers_were_taken_out(desk: Desk) -> None:
    desk.keep(desk.filled(0.3))
    desk.keep(desk.filled(0.2, "s2"))
    assert desk.look().neighbours == ()  # nobody needs to know
    acted(desk, receipt(NOON_MS, SERVERS, "mcp-servers/wiki"))
    [tokens] = desk.look().neighbours
    assert tokens > 20_000


def test_neighbours_are_told_while_a_history_is_to_be_compacted(desk: Desk) -> None:
    desk.keep(desk.filled(0.3))
    desk.keep(desk.filled(0.2, "s2"))
    acted(desk, receipt(NOON_MS, HISTORY, "history/compact"))
    assert desk.look().neighbours
    with desk.bench() as bench:
        [one] = bench.ledger.control.receipts(session=SESSION)
        with bench.ledger.control.transaction() as writing:
            writing.settle(one._replace(outcome="measured", settled_at_ms=NOON_MS))
    assert desk.look().neighbours == ()


def test_what_was_done_is_measured_below_the_warning_too(desk: Desk) -> None:
    talk = desk.filled(0.3)
    desk.keep(talk)
    assert not desk.look().composition
    acted(desk, receipt(NOON_MS, SKILLS, "skills/slides"))
    desk.keep(talk.ask().answer())
    seen = desk.after(5_000).look()
    assert sum(seen.composition.values()) == seen.used_tokens
    assert not seen.held


def test_a_window_that_cannot_be_taken_apart_keeps_its_size(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.keep(desk.filled(0.6))

    def fails(*_: object) -> object:
        raise LedgerUnusable("the ledger is busy")

    monkeypatch.setattr(desk.memory.windows, "window", fails)
    seen = desk.look()
    assert seen.share == pytest.approx(0.6, abs=0.05)
    assert (seen.held, dict(seen.composition)) == ((), {})


def test_a_project_that_is_gone_has_nothing_that_could_leave(desk: Desk) -> None:
    desk.keep(desk.filled(0.6))
    os.rename(desk.project, desk.project.with_name("moved"))
    seen = desk.look()
    assert seen.held == ()
    assert seen.composition


# ── what came back ───────────────────────────────────────────────────────────────────────────────


def test_what_was_taken_out_and_is_used_since_is_told(desk: Desk) -> None:
    talk = desk.filled(0.3)
    desk.keep(talk)
    at_ms = round(talk.at.timestamp() * 1000) + 1
    acted(
        desk,
        receipt(at_ms, SKILLS, "skills/slides", "skills/poems"),
        receipt(at_ms, SERVERS, "mcp-servers/tickets", "mcp-servers/wiki"),
        receipt(at_ms, "memory-files", "memory-files/twice/.claude/CLAUDE.md"),
    )
    desk.keep(
        talk.call("Skill", "ok", skill="slides")
        .call("mcp__wiki__find", "ok", query="x")
        .read(str(desk.project / ".claude/CLAUDE.md"), 40)
    )
    assert desk.after(MINUTE_MS).look().reloaded == (
        "mcp-servers/wiki",
        "memory-files/twice/.claude/CLAUDE.md",
        "skills/slides",
    )


def test_what_was_used_before_it_was_taken_out_is_not_told(desk: Desk) -> None:
    talk = desk.filled(0.3).call("Skill", "ok", skill="slides")
    desk.keep(talk)
    acted(desk, receipt(round(talk.at.timestamp() * 1000), SKILLS, "skills/slides"))
    assert desk.look().reloaded == ()


# ── tool search ──────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("version", "kinds", "told"),
    [
        ("2.1.329", ("environment", "deferred_tools_delta"), True),
        ("2.1.329", ("environment",), False),
        ("2.1.329", (), None),
        ("2.1.270", ("environment",), False),
        ("2.1.200", ("environment",), None),
        ("2.0.76", (), False),
        ("", (), None),
    ],
)
def test_tool_search_is_known_by_what_the_client_puts_in(
    desk: Desk, version: str, kinds: tuple[str, ...], told: bool | None
) -> None:
    talk = Talk(SESSION, cwd=str(desk.project))
    for kind in kinds:
        talk.attach(kind, words(5), addedNames=["mcp__a__b"])
    talk.ask().answer()
    for line in talk.lines:
        line["version"] = version
    desk.keep(talk)
    assert desk.look().has_tool_search is told


# ── memory ───────────────────────────────────────────────────────────────────────────────────────


def test_memory_forgets_the_sessions_that_are_gone(desk: Desk) -> None:
    for name in ("s1", "s2", "s3"):
        desk.keep(desk.filled(0.2, name))
        desk.look(name)
    desk.memory.keep_only(["s2"])
    assert set(desk.memory.sessions) == {"s2"}


def test_a_day_of_looks_grows_nothing(desk: Desk) -> None:
    desk.keep(desk.filled(0.2))
    memory = Memory()
    with desk.bench() as bench:
        for hour in range(24):
            seen = look(bench, SESSION, NOON_MS + hour * HOUR_MS, memory)
            assert isinstance(seen, Signals)
    assert (len(memory.sessions), len(memory.evidence)) == (1, 0)


@pytest.mark.parametrize("text", ["{", "[]", '{"permissions": 5, "env": []}', "\udcff"])
def test_hostile_settings_of_the_project_fail_no_look(desk: Desk, text: str) -> None:
    (desk.project / ".claude/settings.local.json").write_bytes(
        text.encode("utf-8", "surrogateescape")
    )
    desk.keep(desk.filled(0.8))
    seen = desk.look()
    assert all(not one.is_reversible for one in of_lever(seen, HISTORY))


def test_alerts_that_fire_for_the_session_are_told_by_level(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Else a process of its own would evaluate too, by the machine's clock, days after the session.
    monkeypatch.setattr(alert_setting, "wake_sender", lambda *_: 0)
    desk.keep(desk.filled(0.85))
    desk.keep(desk.filled(0.1, "s2"))
    assert desk.home.run("alert", "50").code == 0
    assert desk.look().alerts == ()
    for _ in range(3):
        with desk.after(MINUTE_MS).bench() as bench:
            evaluate(bench, {}, desk.clock.ms)
    assert desk.look().alerts == ("warning",)
    assert desk.look("s2").alerts == ()
