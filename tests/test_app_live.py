"""The frames of a live view, made from real transcripts that grow while they are watched."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from tests.cli.conftest import Home
from tests.cli.window_sessions import BEGIN, Talk, filled_session, plain_session
from tests.test_app_windows import NOON_MS, Desk

from tokenbudget.app import Workbench
from tokenbudget.app.live import LiveSource, Tick
from tokenbudget.app.watched import LIVE_MS
from tokenbudget.config.current import lasting_settings
from tokenbudget.config.settings import Settings, settings_from
from tokenbudget.dashboard.view_model import Frame
from tokenbudget.model.errors import BadConfig, BadRequest, SourceUnreadable
from tokenbudget.system.clock import SystemClock

MINUTE_MS = 60_000
JUST_NOW = datetime(2026, 11, 20, 11, 58, tzinfo=UTC)


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    """A home whose clock stands still at noon."""
    made = Desk(Home(tmp_path / "home"))
    monkeypatch.setattr(SystemClock, "now_ms", lambda _: made.clock.ms)
    return made


@pytest.fixture
def source(desk: Desk) -> Iterator[LiveSource]:
    """Frames of that home, somewhere outside of any project."""
    made = LiveSource(lambda _: desk_settings(desk), 30.0, clock=desk.clock, zone_name="UTC")
    yield made
    made.close()


def desk_settings(desk: Desk, working_dir: str = "") -> Settings:
    return settings_from(desk.home.environment, working_dir)


def append(talk: Talk, path: Path, since: int) -> None:
    """Write what was said since then behind what stands in the transcript."""
    with path.open("a") as transcript:
        transcript.writelines(json.dumps(line) + "\n" for line in talk.lines[since:])


def test_without_any_session_there_is_a_frame_that_says_so(source: LiveSource) -> None:
    frame = source.next_frame()
    assert (frame.chosen, frame.sessions, frame.alerts) == (None, (), ())
    assert frame.made_at_ms == NOON_MS


def test_a_session_is_shown_with_everything_that_is_known(desk: Desk, source: LiveSource) -> None:
    talk = filled_session(0.58)
    talk.write(desk.home)
    view = source.next_frame().chosen
    assert view is not None
    assert view.total_tokens == talk.window_tokens
    assert (view.level, view.window_tokens) == ("warning", 200_000)
    assert view.spend.session_usd is not None
    assert view.spend.session_usd > 0
    assert view.cache.hit_share is not None
    assert sum(row.tokens or 0 for row in view.rows) == view.total_tokens


def test_new_lines_are_in_the_next_frame(desk: Desk, source: LiveSource) -> None:
    talk = plain_session()
    path = talk.write(desk.home)
    before = source.next_frame().chosen
    written = len(talk.lines)
    append(
        talk.ask("And the tax, please.").read("/srv/shop/src/tax.py", 3_000).answer(), path, written
    )
    after = source.next_frame().chosen
    assert before is not None
    assert after is not None
    assert before.total_tokens != after.total_tokens == talk.window_tokens
    assert "src/tax.py" in [one.name for one in after.consumers]


def test_files_are_named_as_seen_from_their_project(desk: Desk, source: LiveSource) -> None:
    plain_session().write(desk.home)
    view = source.next_frame().chosen
    assert view is not None
    assert view.consumers[0].name == "src/cart.py"
    assert view.consumers[0].reads == 2


def test_every_session_of_the_last_hour_is_listed_the_chosen_one_first(
    desk: Desk, source: LiveSource
) -> None:
    for number, minutes in enumerate((50, 20, 90)):
        begin = datetime.fromtimestamp(NOON_MS / 1000, UTC) - timedelta(minutes=minutes)
        plain_session(f"s{number}", cwd=f"/srv/{number}", begin=begin).write(
            desk.home, f"-srv-{number}"
        )
    assert [line.session for line in source.next_frame().sessions] == ["s1", "s0"]
    frame = source.next_frame("s2")
    assert [line.session for line in frame.sessions] == ["s2", "s1", "s0"]
    assert frame.chosen is not None
    assert frame.chosen.session == "s2"
    assert {line.project for line in frame.sessions} == {"/srv/0", "/srv/1", "/srv/2"}


def test_a_session_leaves_the_list_an_hour_after_its_last_request(
    desk: Desk, source: LiveSource
) -> None:
    plain_session("old").write(desk.home)
    plain_session("new", begin=JUST_NOW).write(desk.home)
    assert len(source.next_frame().sessions) == 2
    desk.clock.ms += LIVE_MS - 30 * MINUTE_MS
    assert [line.session for line in source.next_frame().sessions] == ["new"]


def test_here_comes_before_elsewhere(desk: Desk) -> None:
    plain_session("here", cwd="/srv/shop").write(desk.home)
    plain_session("newer", cwd="/srv/blog", begin=JUST_NOW).write(desk.home, "-srv-blog")
    shop = LiveSource(lambda _: desk_settings(desk, "/srv/shop"), 5.0, clock=desk.clock)
    away = LiveSource(lambda _: desk_settings(desk, "/srv/none"), 5.0, clock=desk.clock)
    chosen = [one.next_frame().chosen for one in (shop, away)]
    assert [view.session for view in chosen if view] == ["here", "newer"]
    shop.close()
    away.close()


def test_a_beginning_that_names_none_or_several_is_refused(desk: Desk, source: LiveSource) -> None:
    plain_session("abc1").write(desk.home)
    plain_session("abc2").write(desk.home)
    with pytest.raises(BadRequest, match="no session begins"):
        source.next_frame("xyz")
    with pytest.raises(BadRequest, match="several"):
        source.next_frame("abc")
    view = source.next_frame("abc2").chosen
    assert view is not None
    assert view.session == "abc2"


def test_the_cost_of_the_last_hour_is_part_of_the_whole(desk: Desk, source: LiveSource) -> None:
    talk = plain_session(begin=BEGIN - timedelta(hours=3))
    talk.at = BEGIN + timedelta(minutes=30)
    talk.ask("Still there?").answer().write(desk.home)
    view = source.next_frame().chosen
    assert view is not None
    assert view.spend.session_usd is not None
    assert view.spend.hour_usd is not None
    assert 0 < view.spend.hour_usd < view.spend.session_usd


@pytest.mark.parametrize(("minutes", "pace"), [(5, None), (30, 2), (60, 1)])
def test_the_cost_of_an_hour_is_that_of_its_pace(
    desk: Desk, source: LiveSource, minutes: int, pace: int | None
) -> None:
    began = datetime.fromtimestamp(NOON_MS / 1000, UTC) - timedelta(minutes=minutes, seconds=20)
    plain_session(begin=began).write(desk.home)
    view = source.next_frame().chosen
    assert view is not None
    assert view.spend.session_usd is not None
    assert view.spend.hour_usd == (None if pace is None else view.spend.session_usd * pace)


def test_thresholds_that_change_take_effect_at_the_next_tick(
    desk: Desk, source: LiveSource
) -> None:
    filled_session(0.58).write(desk.home)
    before = source.next_frame().chosen
    desk.home.config.parent.mkdir(exist_ok=True)
    desk.home.config.write_text(
        "[tokenManagement]\nwarningThreshold = 0.2\ncriticalThreshold = 0.3\n"
    )
    after = source.next_frame().chosen
    assert before is not None
    assert after is not None
    assert (before.level, after.level) == ("warning", "critical")


def test_a_step_changes_the_frame_and_its_fault_is_told(desk: Desk) -> None:
    def broken(bench: Workbench, tick: Tick) -> Frame:
        raise OSError("no room left for the tracker")

    def seen(bench: Workbench, tick: Tick) -> Frame:
        return tick.frame._replace(interval_seconds=7.0)

    source = LiveSource(lambda _: desk_settings(desk), 5.0, clock=desk.clock, steps=[broken, seen])
    frame = source.next_frame()
    assert frame.faults == ("no room left for the tracker",)
    assert frame.interval_seconds == 7.0
    source.close()


def test_a_folder_of_any_layout_is_watched_without_a_ledger(desk: Desk, tmp_path: Path) -> None:
    talk = plain_session("far")
    path = talk.write(Home(tmp_path / "elsewhere"))
    source = LiveSource(
        lambda _: desk_settings(desk), 5.0, clock=desk.clock, from_paths=[str(path.parent)]
    )
    first = source.next_frame().chosen
    written = len(talk.lines)
    append(talk.ask("More.").answer(), path, written)
    later = source.next_frame().chosen
    assert first is not None
    assert later is not None
    assert first.total_tokens != later.total_tokens == talk.window_tokens
    assert not os.path.exists(desk.ledger)
    source.close()


def test_what_is_missing_is_an_error_and_the_next_tick_tries_again(
    desk: Desk, tmp_path: Path
) -> None:
    path = tmp_path / "later.jsonl"
    source = LiveSource(
        lambda _: desk_settings(desk), 5.0, clock=desk.clock, from_paths=[str(path)]
    )
    with pytest.raises(SourceUnreadable):
        source.next_frame()
    path.write_bytes(plain_session().write(desk.home).read_bytes())
    assert source.next_frame().chosen is not None
    source.close()


@pytest.mark.parametrize(
    ("zone_name", "seconds"),
    [("UTC", 0), ("Asia/Tokyo", 32_400), ("America/St_Johns", -12_600), ("Europe/Berlin", 3_600)],
)
def test_times_are_those_of_the_zone(desk: Desk, zone_name: str, seconds: int) -> None:
    plain_session().write(desk.home)
    source = LiveSource(lambda _: desk_settings(desk), 30.0, clock=desk.clock, zone_name=zone_name)
    assert source.next_frame().utc_offset_seconds == seconds
    source.close()


def test_a_ledger_that_was_removed_is_made_anew(desk: Desk, source: LiveSource) -> None:
    talk = plain_session()
    talk.write(desk.home)
    assert source.next_frame().chosen is not None
    ledger = desk.home.config.parent / "ledger.db"
    for path in ledger.parent.glob("ledger.db*"):
        path.unlink()
    again = source.next_frame().chosen
    assert again is not None
    assert again.total_tokens == talk.window_tokens
    assert ledger.exists()


def test_a_typo_in_the_agents_settings_is_told_in_every_frame(desk: Desk) -> None:
    plain_session().write(desk.home)
    (desk.home.claude / "settings.json").write_text('{"tokenManagement": {"warningThreshold": ')
    source = LiveSource(
        lambda tell: lasting_settings(desk.home.environment, "", tell, lambda found: None),
        5.0,
        clock=desk.clock,
    )
    for frame in (source.next_frame(), source.next_frame()):
        assert [fault for fault in frame.faults if "settings.json is no JSON" in fault]
    source.close()


def test_settings_that_become_impossible_leave_those_before_in_force(desk: Desk) -> None:
    filled_session(0.58).write(desk.home)
    fault = BadConfig("config.toml is not TOML: line 3")
    answers: Iterator[Settings | BadConfig] = iter([desk_settings(desk), fault])

    def settings_of(tell: object) -> Settings:
        found = next(answers)
        if isinstance(found, Settings):
            return found
        raise found

    source = LiveSource(settings_of, 5.0, clock=desk.clock)
    assert source.next_frame().faults == ()
    frame = source.next_frame()
    assert frame.chosen is not None
    assert frame.faults == (
        "config.toml is not TOML: line 3; until then the settings stay as they were",
    )
    source.close()
