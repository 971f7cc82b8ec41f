"""Alerts put together: rules kept, things seen, decisions made once, and the sender's work."""

from __future__ import annotations

import json
import os
import stat
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from types import ModuleType

import pytest
from tests.cli.conftest import PRICES, Home, response
from tests.cli.window_sessions import BEGIN, Talk, filled_session, rich_session, words
from tests.gateway.status_bar import told
from tests.test_app_windows import Desk

from tokenbudget.alerts.channels import RemoteChannel
from tokenbudget.alerts.delivery import Delivery
from tokenbudget.alerts.rules import (
    CONTEXT,
    FIVE_HOUR,
    Observation,
    Rule,
    burn_rule,
    cost_rule,
    share_rule,
)
from tokenbudget.alerts.state import Policy, acked
from tokenbudget.alerts.store import OutboxEntry
from tokenbudget.app import alert_channels, alert_delivery, alert_sender, alert_steps
from tokenbudget.app.alert_channels import BELL_WAIT_MS, UNWATCHED, Given, with_channel
from tokenbudget.app.alert_delivery import deliver, last_look_ms, ring_bells, wake_sender
from tokenbudget.app.alert_rules import (
    DAMAGED_NAME,
    GOOD_NAME,
    NAME,
    ChannelSpec,
    RuleBook,
    changing_rules,
    read_rules,
    text_of,
)
from tokenbudget.app.alert_sender import LONGEST_MS, send_until_done
from tokenbudget.app.alert_steps import AlertsAfter, AlertStep
from tokenbudget.app.alert_store import LedgerAlerts
from tokenbudget.app.alerts import IN_A_COPY, AlertOutcome, evaluate, policy_of
from tokenbudget.app.live import LiveSource
from tokenbudget.app.observations import observations
from tokenbudget.app.statusline import refresh, take_reports
from tokenbudget.app.watched import LIVE_MS
from tokenbudget.app.windows import window_of
from tokenbudget.config.settings import Settings
from tokenbudget.gateway import statusline_spool
from tokenbudget.ledger.store import TEMPORARY
from tokenbudget.model.decisions import AlertDecision
from tokenbudget.model.errors import BadConfig, LedgerUnusable
from tokenbudget.system.clock import SystemClock
from tokenbudget.system.locks import FileLock
from tokenbudget.system.process import start_detached

MINUTE, HOUR = 60_000, 3_600_000
BEGIN_MS = round(BEGIN.timestamp() * 1000)
NOW_MS = BEGIN_MS + 5 * MINUTE
"""Four minutes after the last request of a short session."""
CANARY = "CANARY7c21CANARY7c21"
BELL = ChannelSpec("bell", "bell")


class Watch(Desk):
    """A desk that alerts look at."""

    def __init__(self, home: Home) -> None:
        super().__init__(home)
        self.clock.ms = NOW_MS

    @property
    def data_dir(self) -> str:
        return str(self.ledger.parent)

    def sets(self, *rules: Rule, channels: tuple[ChannelSpec, ...] = (BELL,)) -> None:
        with changing_rules(self.data_dir, self.clock) as change:
            change.book = RuleBook(rules, channels)

    def looks(self, after_ms: int = 0, session: str = "") -> AlertOutcome:
        """An evaluation, so much later."""
        self.clock.ms += after_ms
        with self.open() as bench:
            take_reports(bench)
            return evaluate(bench, {}, self.clock.ms)

    def sees(self, *rules: Rule) -> list[Observation]:
        with self.open() as bench:
            take_reports(bench)
            return observations(
                bench, rules, {}, LedgerAlerts(bench.ledger).state().alerts, self.clock.ms
            )

    def history(self) -> list[tuple[str, str]]:
        with self.open() as bench:
            return [(e.event, e.detail) for e in LedgerAlerts(bench.ledger).history(99)][::-1]

    def report(
        self, percent: float, resets_at_ms: int, name: str = FIVE_HOUR, ago_ms: int = 0
    ) -> None:
        """Have the status line spool what an agent said of a limit."""
        limits = {
            name.replace("-", "_"): {"used_percentage": percent, "resets_at": resets_at_ms // 1000}
        }
        said = told(session_id="s1", rate_limits=limits)
        statusline_spool.append(
            self.data_dir, statusline_spool.spool_line(said, self.clock.ms - ago_ms)
        )


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "home")


@pytest.fixture
def watch(home: Home, monkeypatch: pytest.MonkeyPatch) -> Watch:
    made = Watch(home)
    monkeypatch.setattr("tokenbudget.system.clock.SystemClock.now_ms", lambda _: made.clock.ms)
    monkeypatch.setattr("os.environ", dict(home.environment))
    Path(made.data_dir).mkdir()
    return made


CONTEXT_80 = share_rule(CONTEXT, 80, ["bell"])


class TestRules:
    RULES = (
        CONTEXT_80,
        share_rule(CONTEXT, 50, ["slack"], "s1"),
        cost_rule("day-cost", "12.50", ["slack", "bell"]),
        burn_rule(["bell"]),
    )
    BOOK = RuleBook(RULES, (BELL, ChannelSpec("slack", "slack", "env:SLACK")))

    def test_a_book_is_read_as_it_was_written(self, watch: Watch) -> None:
        watch.sets(*self.BOOK.rules, channels=self.BOOK.channels)
        assert read_rules(watch.data_dir) == self.BOOK
        assert stat.S_IMODE(os.stat(Path(watch.data_dir, NAME)).st_mode) == 0o600

    def test_without_a_file_there_is_no_rule(self, watch: Watch) -> None:
        assert read_rules(watch.data_dir) == RuleBook()

    @pytest.mark.parametrize(
        "damage",
        [
            b"", b"{", b"[]", b"null", b"\xff\xfe", b"[" * 100_000, b'{"format": "other/9"}',
            b'{"format": "tokenbudget/alerts/1"}',
            text_of(BOOK).replace(b'"percent": 80', b'"percent": 81'),
            text_of(BOOK).replace(b'"percent": 80', b'"percent": "80"'),
            text_of(BOOK).replace(b'"usd": "12.50"', b'"usd": "NaN"'),
            text_of(BOOK).replace(b'"kind": "bell"', b'"kind": "pager"'),
            text_of(BOOK).replace(b'"env:SLACK"', b'"https://hooks.slack.com/CANARY"'),
            text_of(BOOK).replace(b'"bell"', b'"bell2"', 1),
        ],
    )  # fmt: skip
    def test_of_a_damaged_file_the_last_good_one_holds(self, watch: Watch, damage: bytes) -> None:
        watch.sets(*self.BOOK.rules, channels=self.BOOK.channels)
        Path(watch.data_dir, NAME).write_bytes(damage)

        book = read_rules(watch.data_dir)

        assert book._replace(fault="") == self.BOOK
        assert "the last good rules hold" in book.fault
        assert "CANARY" not in book.fault

    def test_without_a_good_one_it_says_so_and_watches_nothing(self, watch: Watch) -> None:
        Path(watch.data_dir, NAME).write_bytes(b"{")
        book = read_rules(watch.data_dir)
        assert book.rules == ()
        assert book.fault.endswith("it is no JSON from line 1 on; set the alerts again")

    def test_what_a_person_has_written_by_hand_is_the_good_one_from_then_on(
        self, watch: Watch
    ) -> None:
        watch.sets(*self.RULES, channels=self.BOOK.channels)
        own = RuleBook((CONTEXT_80,), (BELL,))
        Path(watch.data_dir, NAME).write_bytes(text_of(own))
        read_rules(watch.data_dir)
        Path(watch.data_dir, NAME).write_bytes(b"{")
        assert read_rules(watch.data_dir).rules == (CONTEXT_80,)

    def test_a_change_repairs_a_damaged_file_and_keeps_what_stood_there(self, watch: Watch) -> None:
        watch.sets(CONTEXT_80)
        Path(watch.data_dir, NAME).write_bytes(b"{typed by hand")
        with changing_rules(watch.data_dir, watch.clock) as change:
            change.book = change.book.with_rule(burn_rule(["bell"]))
        assert [rule.id for rule in read_rules(watch.data_dir).rules] == ["context-80", "burn"]
        assert Path(watch.data_dir, DAMAGED_NAME).read_bytes() == b"{typed by hand"

    def test_nothing_is_written_where_nothing_was_changed_or_it_was_broken_off(
        self, watch: Watch
    ) -> None:
        with changing_rules(watch.data_dir, watch.clock):
            pass
        change = changing_rules(watch.data_dir, watch.clock)
        change.__enter__().book = self.BOOK
        assert not change.__exit__(RuntimeError, RuntimeError(), None)
        assert not Path(watch.data_dir, NAME).exists()
        assert not Path(watch.data_dir, GOOD_NAME).exists()

    def test_changes_at_once_are_all_kept(self, watch: Watch) -> None:
        def add(number: int) -> None:
            with changing_rules(watch.data_dir, SystemClock()) as change:
                rule = cost_rule("day-cost", str(number), ["bell"])
                change.book = change.book.with_rule(rule)._replace(channels=(BELL,))

        threads = [threading.Thread(target=add, args=(number,)) for number in range(1, 13)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(read_rules(watch.data_dir).rules) == 12

    def test_whoever_waits_in_vain_is_told(self, watch: Watch) -> None:
        with FileLock(os.path.join(watch.data_dir, "alerts.lock")) as other:
            assert other.try_acquire()
            with (
                pytest.raises(BadConfig, match="another command is changing the alerts"),
                changing_rules(watch.data_dir, watch.clock),
            ):
                raise AssertionError

    def test_a_channel_that_no_rule_uses_is_dropped(self, watch: Watch) -> None:
        watch.sets(CONTEXT_80, channels=self.BOOK.channels)
        assert read_rules(watch.data_dir).channels == (BELL,)


class FakeKeyring(ModuleType):
    """A keyring that works, or whose backend fails."""

    def __init__(self, works: bool = True) -> None:
        super().__init__("keyring")
        self.kept: dict[tuple[str, str], str] = {}
        self.works = works

    def set_password(self, service: str, name: str, secret: str) -> None:
        if not self.works:
            raise RuntimeError(f"no backend for {secret}")
        self.kept[service, name] = secret

    def get_password(self, service: str, name: str) -> str | None:
        return self.kept.get((service, name))

    def delete_password(self, service: str, name: str) -> None:
        del self.kept[service, name]


class TestSecrets:
    URL = f"json://127.0.0.1:9/{CANARY}"
    GIVEN = Given("url", URL)

    def kept(self, watch: Watch, given: Given = GIVEN) -> ChannelSpec:
        return with_channel(RuleBook(), given, set(), watch.data_dir, {})[1]

    def test_an_address_lies_in_a_file_that_nobody_else_can_read(
        self, watch: Watch, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setitem(sys.modules, "keyring", None)
        before = os.umask(0)
        try:
            spec = self.kept(watch)
        finally:
            os.umask(before)
        path = Path(spec.target.removeprefix("file:"))
        assert path.read_text() == f"{self.URL}\n"
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700

    def test_a_keyring_goes_before_a_file(
        self, watch: Watch, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        keyring = FakeKeyring()
        monkeypatch.setitem(sys.modules, "keyring", keyring)
        spec = self.kept(watch)
        assert spec.target.startswith("keyring:tokens-alerts/url-")
        assert list(keyring.kept.values()) == [self.URL]
        assert not Path(watch.data_dir, "secrets").exists()
        alert_channels.forget([spec], watch.data_dir)
        assert keyring.kept == {}

    def test_where_no_keyring_runs_it_is_a_file(
        self, watch: Watch, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setitem(sys.modules, "keyring", FakeKeyring(works=False))
        assert self.kept(watch).target.startswith("file:")

    def test_a_reference_is_kept_as_it_is(self, watch: Watch) -> None:
        for reference in ("env:HOOK", "keyring:mine/hook", f"file:{watch.data_dir}/own"):
            assert self.kept(watch, given=Given("url", reference)).target == reference

    def test_the_same_address_is_the_same_channel_and_another_one_another(
        self, watch: Watch, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setitem(sys.modules, "keyring", None)
        book, spec = with_channel(RuleBook(), self.GIVEN, set(), watch.data_dir, {})
        assert with_channel(book, self.GIVEN, set(), watch.data_dir, {})[1] == spec
        other = Given("url", f"{self.URL}2")
        assert with_channel(book, other, set(), watch.data_dir, {})[1].name == "url-2"
        assert with_channel(book, other, {"url"}, watch.data_dir, {})[1].name == "url"

    def test_only_what_we_kept_is_forgotten(
        self, watch: Watch, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setitem(sys.modules, "keyring", None)
        own = Path(watch.data_dir, "own")
        own.write_text(self.URL)
        ours = self.kept(watch)
        alert_channels.forget(
            [ours, ours, ChannelSpec("url", "url", f"file:{own}"), BELL], watch.data_dir
        )
        assert own.exists()
        assert list(Path(watch.data_dir, "secrets").iterdir()) == []


class TestWindows:
    def test_a_live_session_is_seen_with_its_share_and_its_name(self, watch: Watch) -> None:
        filled_session(0.3).titled("fix the cart").write(watch.home)
        [seen] = watch.sees(CONTEXT_80)
        assert (seen.scope, seen.scope_id, seen.window_id) == (CONTEXT, "s1", "")
        assert seen.value == pytest.approx(0.3, abs=0.01)
        assert seen.where == "shop · fix the cart"
        assert seen.is_known
        assert seen.items == (), "nothing is taken apart that no alert speaks of"

    def test_near_the_threshold_it_is_named_what_would_free_most(self, watch: Watch) -> None:
        talk = rich_session()
        talk.read("/srv/shop/big.py", 90_000).read("/srv/shop/big.py", 34_000).answer("ok")
        talk.write(watch.home)
        watch.clock.ms = round(talk.at.timestamp() * 1000) + MINUTE
        [seen] = watch.sees(CONTEXT_80)
        names = [item.name for item in seen.items]
        tokens = [item.tokens or 0 for item in seen.items]
        assert names[:2] == ["old copies of big.py", "big.py"]
        assert tokens == sorted(tokens, reverse=True)
        assert seen.outlook.startswith("auto-compaction in about")
        assert seen.outlook.endswith("of work (estimated)")

    def test_servers_that_were_never_called_and_results_of_tools_are_named(
        self, watch: Watch
    ) -> None:
        talk = Talk().shape(words(100), {"Read": words(50), "mcp__mail__send": words(4_000)})
        talk.ask().call("Bash", words(9_000), command="make test").answer("Done.").write(watch.home)
        with watch.open() as bench:
            window = window_of(bench, "s1", "", alert_sender._SILENT)
        from tokenbudget.app.observations import freeing_items

        names = [item.name for item in freeing_items(window)]
        assert names[0] == "results of Bash"
        assert "MCP server mail, never called" in names

    def test_a_compaction_is_no_data_until_the_next_request(self, watch: Watch) -> None:
        filled_session(0.85).compact().write(watch.home)
        [seen] = watch.sees(CONTEXT_80)
        assert not seen.is_known

    def test_a_model_whose_window_nobody_knows_is_no_data(self, watch: Watch) -> None:
        Talk(model="mystery-1").ask().answer().write(watch.home)
        [seen] = watch.sees(CONTEXT_80)
        assert not seen.is_known

    def test_a_session_that_nobody_uses_any_more_is_over(self, watch: Watch) -> None:
        filled_session(0.85).write(watch.home)
        watch.sets(CONTEXT_80)
        watch.looks()
        [notice] = watch.looks(31_000).notices
        assert notice.kind == "fire"
        watch.clock.ms += LIVE_MS
        [seen] = watch.sees(CONTEXT_80)
        assert (seen.is_over, seen.scope_id) == (True, "s1")
        assert [n.kind for n in watch.looks().notices] == ["resolve"]

    def test_a_session_that_the_ledger_does_not_know_is_no_data(self, watch: Watch) -> None:
        filled_session(0.85).write(watch.home)
        watch.sets(CONTEXT_80)
        watch.looks()
        watch.looks(31_000)
        with watch.open() as bench:
            lost = LedgerAlerts(bench.ledger).state().alerts[0]._replace(scope_id="lost")
            seen = observations(bench, [CONTEXT_80], {}, [lost], watch.clock.ms)
        assert [(one.scope_id, one.is_known, one.is_over) for one in seen] == [
            ("s1", True, False),
            ("lost", False, False),
        ]

    def test_only_what_a_rule_asks_for_is_looked_at(self, watch: Watch) -> None:
        filled_session(0.85).write(watch.home)
        assert watch.sees(burn_rule()) == []


class TestCosts:
    @pytest.fixture(autouse=True)
    def priced(self, watch: Watch) -> None:
        watch.home.config.write_text(PRICES)
        watch.home.write_session(
            "s1",
            response(1, at="2026-11-20T11:00:10.000Z", usage={"input_tokens": 1_000_000}),
            response(2, at="2026-11-19T11:00:10.000Z", usage={"input_tokens": 2_000_000}),
            response(3, at="2026-11-13T11:00:10.000Z", usage={"input_tokens": 4_000_000}),
        )

    def test_day_week_and_session_are_exact(self, watch: Watch) -> None:
        watch.home.variables["TOKENS_TZ"] = "UTC"
        rules = [cost_rule(scope, "1") for scope in ("session-cost", "day-cost", "week-cost")]
        by_scope = {seen.scope: seen for seen in watch.sees(*rules)}
        answers = Decimal("0.0002")
        assert by_scope["day-cost"].value == 4 + answers
        assert by_scope["week-cost"].value == 12 + 2 * answers
        assert by_scope["session-cost"].value == 28 + 3 * answers
        assert by_scope["day-cost"].window_id == "2026-11-20"
        assert by_scope["week-cost"].window_id == "2026-11-16"
        assert by_scope["session-cost"].scope_id == "s1"

    def test_the_day_is_that_of_the_person(self, watch: Watch) -> None:
        watch.home.variables["TOKENS_TZ"] = "Pacific/Auckland"
        [seen] = watch.sees(cost_rule("day-cost", "1"))
        assert seen.window_id == "2026-11-21"

    def test_what_has_no_price_makes_it_a_lower_bound_that_is_told(self, watch: Watch) -> None:
        watch.home.write_session(
            "s2", response(9, at="2026-11-20T11:01:00.000Z", model="mystery-1")
        )
        [seen] = watch.sees(cost_rule("day-cost", "1"))
        assert seen.is_known
        assert seen.value > 4
        assert seen.outlook == "it is more than that: 110 tokens have no price"
        watch.sets(cost_rule("day-cost", "1", ["bell"]))
        watch.looks()
        [notice] = watch.looks(31_000).notices
        assert "it is more than that" in notice.body


class TestLimits:
    RULE = share_rule(FIVE_HOUR, 80, ["bell"])
    RESET_MS = NOW_MS + HOUR

    def test_without_a_report_there_is_nothing_to_see(self, watch: Watch) -> None:
        assert watch.sees(self.RULE, burn_rule()) == []

    def test_the_share_is_what_the_agent_reported(self, watch: Watch) -> None:
        watch.report(83, self.RESET_MS)
        [seen] = watch.sees(self.RULE)
        assert (seen.value, seen.is_known, seen.is_over) == (0.83, True, False)
        assert seen.outlook == "resets in 1h"

    def test_a_lower_report_of_the_same_window_is_a_late_one(self, watch: Watch) -> None:
        watch.report(83, self.RESET_MS, ago_ms=MINUTE)
        watch.report(70, self.RESET_MS + 2_000)
        [seen] = watch.sees(self.RULE)
        assert seen.value == 0.83

    def test_reports_whose_reset_wavers_are_of_one_window(self, watch: Watch) -> None:
        reset = (self.RESET_MS // (30 * MINUTE)) * 30 * MINUTE + 15 * MINUTE  # where the grid turns
        ids = set()
        for number, waver in enumerate((-1_000, 1_000, -2_000, 3_000)):
            watch.clock.ms += number * 1_000
            watch.report(81 + number, reset + waver)
            [seen] = watch.sees(self.RULE)
            ids.add(seen.window_id)
        assert len(ids) == 1

    def test_an_old_report_says_nothing_about_now(self, watch: Watch) -> None:
        watch.report(83, self.RESET_MS, ago_ms=16 * MINUTE)
        [seen] = watch.sees(self.RULE)
        assert not seen.is_known

    def test_a_window_that_has_been_reset_is_over(self, watch: Watch) -> None:
        watch.report(83, self.RESET_MS)
        watch.sets(self.RULE)
        watch.looks()
        assert [n.kind for n in watch.looks(31_000).notices] == ["fire"]
        assert [n.kind for n in watch.looks(HOUR).notices] == ["resolve"]

    def test_a_limit_that_burns_is_told_and_one_at_rest_is_not(self, watch: Watch) -> None:
        rule = burn_rule(["bell"])
        reset = NOW_MS + 3 * HOUR
        for minute in range(0, 61, 2):
            watch.report(10 + 1.1 * minute, reset, ago_ms=(60 - minute) * MINUTE)
        [seen] = watch.sees(rule)
        assert seen.scope_id == "account/five-hour"
        assert seen.value == 3, (
            "66 % in an hour: more than three times even use, and so it still is"
        )
        assert "before the reset (estimated)" in seen.outlook
        watch.clock.ms += 10 * MINUTE
        watch.report(76, reset)
        [rested] = watch.sees(rule)
        assert rested.value < 2

    def test_two_reports_are_no_rate(self, watch: Watch) -> None:
        for ago in (20, 0):
            watch.report(90 - ago, self.RESET_MS, ago_ms=ago * MINUTE)
        [seen] = watch.sees(burn_rule())
        assert not seen.is_known

    def test_the_week_is_measured_in_active_hours(self, watch: Watch) -> None:
        day, reset = 24 * HOUR, NOW_MS + 3 * 24 * HOUR
        lines = [
            response(
                number,
                at=(BEGIN - timedelta(days=number % 28 + 1, hours=number // 28)).isoformat(),
            )
            for number in range(1, 113)
        ]
        watch.home.write_session("old", *lines)
        for hour in range(24, -1, -1):
            watch.report(60 - hour, reset, "seven-day", ago_ms=hour * HOUR)
        [seen] = watch.sees(burn_rule())
        assert seen.scope_id == "account/seven-day"
        assert seen.is_known
        with watch.open() as bench:
            from tokenbudget.app.alert_limits import (
                _active_hours,
                _active_week_ms,
                _active_within_ms,
            )

            hours = _active_hours(bench, watch.clock.ms)
        assert hours is not None
        assert _active_week_ms(hours, watch.clock.ms) == pytest.approx(28 * HOUR, rel=0.1)
        assert _active_within_ms(hours, watch.clock.ms, day) <= 6 * HOUR


class TestEvaluating:
    @pytest.fixture(autouse=True)
    def full(self, watch: Watch) -> None:
        filled_session(0.85).titled("fix-cart").write(watch.home)

    def test_a_crossing_is_told_once_it_has_lasted(self, watch: Watch) -> None:
        watch.sets(CONTEXT_80)
        first = watch.looks()
        assert first.notices == ()
        assert [line.status for line in first.lines] == ["pending"]
        assert first.next_work_ms == NOW_MS + 30_500
        second = watch.looks(31_000)
        [notice] = second.notices
        assert notice.title == "context window at 84%: shop · fix-cart"
        assert [line.level for line in second.lines] == ["critical"]
        assert watch.looks(31_000).notices == ()
        assert (first.marks("s1"), second.marks("s1"), second.marks("s2")) == (0, 1, 0)

    def test_without_a_rule_nothing_is_even_looked_at(
        self, watch: Watch, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("tokenbudget.app.alerts.observations", None)
        assert watch.looks() == AlertOutcome()

    def test_what_was_acknowledged_is_marked_no_more(self, watch: Watch) -> None:
        watch.sets(CONTEXT_80)
        watch.looks()
        watch.looks(31_000)
        with watch.open() as bench, LedgerAlerts(bench.ledger).transaction() as transaction:
            transaction.save(acked(transaction.load(), ""))
        outcome = watch.looks(1_000)
        assert [line.status for line in outcome.lines] == ["firing, acked"]
        assert outcome.marks("s1") == 0

    def test_of_two_rules_on_one_window_the_higher_one_is_shown(self, watch: Watch) -> None:
        watch.sets(share_rule(CONTEXT, 50, ["bell"]), CONTEXT_80)
        watch.looks()
        outcome = watch.looks(31_000)
        assert [line.rule_id for line in outcome.lines] == ["context-80"]
        assert [n.rule_id for n in outcome.notices if not n.withheld] == ["context-80"]

    def test_a_crossing_of_two_rules_is_shown_once_from_the_beginning(self, watch: Watch) -> None:
        watch.sets(share_rule(CONTEXT, 50, ["bell"]), CONTEXT_80)
        assert [line.rule_id for line in watch.looks().lines] == ["context-80"]

    def test_a_crossing_that_has_yet_to_last_has_the_level_that_it_will_have(
        self, watch: Watch
    ) -> None:
        watch.sets(share_rule(CONTEXT, 50, ["bell"]))
        [line] = watch.looks().lines
        assert (line.status, line.level) == ("pending", "critical")

    def test_a_passing_copy_decides_nothing(self, watch: Watch) -> None:
        watch.sets(CONTEXT_80)
        path = str(watch.home.claude / "projects")
        with watch.open(path) as bench:
            assert bench.ledger.path == TEMPORARY
            assert evaluate(bench, {}, NOW_MS) == AlertOutcome(faults=(IN_A_COPY,))

    def test_damaged_rules_are_told_and_the_last_good_ones_hold(self, watch: Watch) -> None:
        watch.sets(CONTEXT_80)
        Path(watch.data_dir, NAME).write_bytes(b"{")
        outcome = watch.looks()
        assert [line.rule_id for line in outcome.lines] == ["context-80"]
        assert len(outcome.faults) == 1

    def test_manners_come_from_the_settings(self, watch: Watch) -> None:
        watch.home.config.write_text(
            'timezone = "Europe/Paris"\n[alerts]\nquiet_hours = "22:00-07:00"\nrepeat = "2h"\n'
            'rate_per_hour = 3\npassing_level = "emergency"\n'
        )
        policy = policy_of(watch.settings())
        assert policy == Policy(
            repeat_ms=2 * HOUR, rate_per_hour=3, passing_level="emergency",
            quiet=(22 * 60, 7 * 60, "Europe/Paris"),  # type: ignore[arg-type]
        )  # fmt: skip

    @pytest.mark.parametrize(
        "line",
        ['repeat = "often"', 'repeat = "until-resolved"', 'passing_level = "loud"',
         'quiet_hours = "late"', "rate_per_hour = 0"],
    )  # fmt: skip
    def test_manners_that_cannot_be_are_told_and_the_defaults_hold(
        self, watch: Watch, line: str
    ) -> None:
        watch.sets(CONTEXT_80)
        watch.home.config.write_text(f"[alerts]\n{line}\n")
        outcome = watch.looks()
        assert len(outcome.lines) == 1
        assert "defaults until then" in outcome.faults[0]

    def test_where_another_one_writes_for_long_it_is_for_the_next_to_decide(
        self, watch: Watch, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        import sqlite3

        watch.sets(CONTEXT_80)
        monkeypatch.setattr("tokenbudget.ledger.store.SHORT_PATIENCE_MS", 20)
        with watch.open() as bench:
            other = sqlite3.connect(watch.ledger)
            other.execute("BEGIN IMMEDIATE")
            store_init = LedgerAlerts.__init__
            monkeypatch.setattr(
                LedgerAlerts, "__init__", lambda self, ledger: store_init(self, ledger, 20)
            )
            with pytest.raises(LedgerUnusable):
                evaluate(bench, {}, NOW_MS)
            other.close()
            assert len(evaluate(bench, {}, NOW_MS).lines) == 1


class Recorder:
    """An actor that remembers what it was asked."""

    name = "recorder"

    def __init__(self, outcome: str | None = "shortened 2 results") -> None:
        self.outcome = outcome
        self.asked: list[AlertDecision] = []

    def consider(self, decision: AlertDecision) -> str | None:
        self.asked.append(decision)
        if self.outcome == "boom":
            raise RuntimeError(CANARY)
        return self.outcome


class TestActors:
    @pytest.fixture(autouse=True)
    def full(self, watch: Watch) -> None:
        filled_session(0.92).write(watch.home)
        watch.sets(CONTEXT_80)

    def decided(self, watch: Watch, actor: Recorder, wanted: str) -> AlertOutcome:
        watch.home.config.write_text(f"[tokenManagement]\nautoOptimize = {wanted}\n")
        watch.looks()
        watch.clock.ms += 31_000
        with watch.open() as bench:
            return evaluate(bench, {}, watch.clock.ms, [actor])

    def test_the_list_of_actors_is_empty(self) -> None:
        from tokenbudget.app.alert_decisions import ACTORS

        assert ACTORS == ()

    def test_an_actor_gets_the_decision_and_its_outcome_is_recorded(self, watch: Watch) -> None:
        actor = Recorder()
        outcome = self.decided(watch, actor, "true")
        [asked] = actor.asked
        assert (asked.kind, asked.scope, asked.scope_id, asked.level) == (
            "fire", CONTEXT, "s1", "emergency",
        )  # fmt: skip
        assert asked.recommendation.startswith("Compact now (/compact)")
        assert [(d.title, d.outcome) for d in outcome.decisions] == [
            ("context-80: recorder", "shortened 2 results")
        ]
        assert ("acted", "recorder: shortened 2 results") in watch.history()

    def test_without_auto_optimize_nobody_acts(self, watch: Watch) -> None:
        actor = Recorder()
        assert self.decided(watch, actor, "false").decisions == ()
        assert actor.asked == []

    @pytest.mark.parametrize(
        ("place", "is_asked"),
        [("settings.json", False), ("settings.local.json", True), ("user", True), ("env", True)],
    )
    def test_a_file_that_comes_with_a_repository_lets_nobody_act(
        self, watch: Watch, place: str, is_asked: bool
    ) -> None:
        project = watch.home.path / "cloned"
        (project / ".claude").mkdir(parents=True)
        (project / ".git").mkdir()
        wanted = json.dumps({"tokenManagement": {"autoOptimize": True}})
        if place == "user":
            (watch.home.claude / "settings.json").write_text(wanted)
        elif place != "env":
            (project / ".claude" / place).write_text(wanted)
        variables = {"TOKENS_AUTO_OPTIMIZE": "true"} if place == "env" else {}
        actor = Recorder()
        watch.looks()
        watch.clock.ms += 31_000
        with watch.open(**variables) as bench:
            bench.settings = bench.settings._replace(working_dir=str(project / "src"))
            assert bench.settings.management().auto_optimize
            evaluate(bench, {}, watch.clock.ms, [actor])
        assert bool(actor.asked) is is_asked

    def test_one_that_declines_leaves_no_trace(self, watch: Watch) -> None:
        actor = Recorder(None)
        assert self.decided(watch, actor, "true").decisions == ()
        assert "acted" not in {event for event, _ in watch.history()}

    def test_one_that_fails_is_told_by_the_kind_of_its_error(self, watch: Watch) -> None:
        outcome = self.decided(watch, Recorder("boom"), "true")
        assert [d.outcome for d in outcome.decisions] == ["failed (RuntimeError)"]
        assert CANARY not in repr(watch.history())


class TestBell:
    @pytest.fixture(autouse=True)
    def crossed(self, watch: Watch) -> None:
        filled_session(0.85).write(watch.home)
        watch.sets(CONTEXT_80)
        watch.looks()
        watch.looks(31_000)

    def rung(self, watch: Watch) -> list[str]:
        got: list[str] = []
        with watch.open() as bench:
            ring_bells(bench, got.append, watch.clock)
        return got

    def test_a_sender_leaves_it_to_the_monitor(self, watch: Watch) -> None:
        assert deliver(watch.settings(), watch.clock) == []
        [text] = self.rung(watch)
        assert text.startswith("\a\x1b]9;context window at 84%")
        assert self.rung(watch) == [], "once"

    def test_it_is_no_work_for_a_sender(self, watch: Watch) -> None:
        assert watch.looks(1_000).next_work_ms is None

    def test_after_ten_minutes_nobody_was_watching(self, watch: Watch) -> None:
        watch.looks(BELL_WAIT_MS + 1_000)
        assert watch.history()[-1] == ("failed", f"bell: attempt 1: {UNWATCHED}; given up")
        assert self.rung(watch) == []

    def test_a_monitor_that_comes_too_late_does_not_ring(self, watch: Watch) -> None:
        watch.clock.ms += BELL_WAIT_MS + 1_000
        assert self.rung(watch) == []
        assert watch.history()[-1][0] == "failed"


class TestSender:
    @pytest.fixture(autouse=True)
    def apprise(self, watch: Watch, monkeypatch: pytest.MonkeyPatch) -> list[OutboxEntry]:
        """Everything that would be sent; a channel named `down` fails."""
        self.sent: list[OutboxEntry] = []
        self.answers: dict[str, Delivery] = {}

        def send(channel: RemoteChannel, entry: OutboxEntry) -> Delivery:
            self.sent.append(entry)
            return self.answers.get(entry.channel, Delivery(True, "delivered"))

        monkeypatch.setattr(RemoteChannel, "deliver", send)
        filled_session(0.85).write(watch.home)
        slack = ChannelSpec("slack", "slack", "env:SLACK")
        watch.sets(share_rule(CONTEXT, 80, ["slack"]), channels=(slack,))
        return self.sent

    def runs(self, watch: Watch) -> bool:
        return send_until_done(watch.settings, watch.clock)

    def test_it_waits_until_a_crossing_has_lasted_and_tells_of_it(self, watch: Watch) -> None:
        watch.looks()
        assert self.runs(watch)
        assert [entry.title for entry in self.sent] == ["context window at 84%: shop"]
        assert 30_000 <= watch.clock.ms - NOW_MS <= 45_000
        assert [event for event, _ in watch.history()] == ["fire", "sent"]

    def test_a_status_line_that_nothing_else_refreshes_gets_its_mark(self, watch: Watch) -> None:
        refresh(watch.settings(), alert_sender._SILENT, "s1", AlertsAfter("s1"))
        snapshot = Path(watch.data_dir, "statusline", "s1.json")
        assert json.loads(snapshot.read_text())["alerts"] == 0
        self.runs(watch)
        assert json.loads(snapshot.read_text())["alerts"] == 1

    def test_it_ends_at_once_where_nothing_is_to_be_done(self, watch: Watch) -> None:
        assert self.runs(watch)
        assert (self.sent, watch.clock.ms) == ([], NOW_MS)

    def test_there_is_only_one(self, watch: Watch) -> None:
        watch.looks()
        with FileLock(os.path.join(watch.data_dir, alert_delivery.SENDER_LOCK)) as other:
            assert other.try_acquire()
            assert not self.runs(watch)
        assert self.sent == []

    def test_a_channel_that_is_down_is_tried_again_while_it_lives(self, watch: Watch) -> None:
        self.answers["slack"] = Delivery(False, "answered 503", is_retryable=True)
        watch.looks()
        assert self.runs(watch)
        assert len(self.sent) == 6, "two rounds of three; the next is an hour away"
        assert [event for event, _ in watch.history()] == ["fire", "failed", "failed"]
        assert watch.clock.ms - NOW_MS < LONGEST_MS

    def test_what_falls_back_is_never_told(self, watch: Watch) -> None:
        watch.looks()
        filled_session(0.85).compact(words(50)).answer().write(watch.home)
        assert self.runs(watch)
        assert self.sent == []

    def test_what_has_no_data_any_more_does_not_keep_it_busy(self, watch: Watch) -> None:
        watch.looks()
        filled_session(0.85).compact().write(watch.home)
        before = watch.clock.ms
        assert self.runs(watch)
        assert watch.clock.ms - before < 40_000
        assert self.sent == []

    def test_a_crash_between_deciding_and_sending_loses_nothing(
        self, watch: Watch, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        watch.looks()
        with monkeypatch.context() as patch:
            patch.setattr(alert_sender, "deliver", lambda *_: (_ for _ in ()).throw(SystemExit))
            with pytest.raises(SystemExit):
                self.runs(watch)
        assert [event for event, _ in watch.history()] == ["fire"]
        assert self.runs(watch)
        assert len(self.sent) == 1

    def test_without_a_rule_what_was_pending_does_not_keep_it_busy(self, watch: Watch) -> None:
        self.answers["slack"] = Delivery(False, "answered 503", is_retryable=True)
        watch.looks()
        watch.looks(31_000)
        assert len(deliver(watch.settings(), watch.clock)) == 3, "again in 5 minutes"
        filled_session(0.85, "s2").write(watch.home)
        watch.looks()
        with changing_rules(watch.data_dir, watch.clock) as change:
            change.book = change.book._replace(rules=())
        looked: list[int] = []
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(alert_sender, "_look_again", lambda *_: looked.append(watch.clock.ms))
            assert self.runs(watch)
        assert len(looked) == 1, "when the message that waits is due"

    def test_what_was_decided_while_it_ended_is_sent_as_well(
        self, watch: Watch, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        watch.looks()
        ends = alert_sender._work
        rounds: list[int] = []

        def ends_early(*given: object) -> None:
            rounds.append(watch.clock.ms)
            if len(rounds) > 1:
                ends(*given)  # type: ignore[arg-type]

        monkeypatch.setattr(alert_sender, "_work", ends_early)
        assert self.runs(watch)
        assert len(rounds) == 2
        assert len(self.sent) == 1

    def test_it_works_on_until_the_last_message_is_out_without_a_rule(self, watch: Watch) -> None:
        watch.looks()
        watch.looks(31_000)
        with changing_rules(watch.data_dir, watch.clock) as change:
            change.book = RuleBook()
        assert self.runs(watch)
        assert watch.history()[-1][1].endswith("this channel is not set up any more; given up")


class TestWaking:
    @pytest.fixture
    def started(self, monkeypatch: pytest.MonkeyPatch) -> list[tuple[list[str], dict[str, str]]]:
        found: list[tuple[list[str], dict[str, str]]] = []

        def start(command: list[str], environment: dict[str, str]) -> int:
            found.append((command, environment))
            return 4711

        monkeypatch.setattr(alert_delivery, "start_detached", start)
        return found

    def test_it_is_started_with_the_whole_environment(
        self, watch: Watch, started: list[tuple[list[str], dict[str, str]]]
    ) -> None:
        os.environ["MY_HOOK"] = "json://127.0.0.1/x"  # noqa: TID251
        assert wake_sender(watch.settings(), NOW_MS + 30_000, NOW_MS) == 4711
        [(command, environment)] = started
        assert command == [sys.executable, "-P", "-m", "tokenbudget", "send-alerts"]
        assert environment["MY_HOOK"] == "json://127.0.0.1/x"
        assert environment["TOKENS_HOME"] == watch.data_dir

    @pytest.mark.parametrize("due_ms", [None, NOW_MS + HOUR])
    def test_not_for_nothing_and_not_long_before(
        self, watch: Watch, started: list[object], due_ms: int | None
    ) -> None:
        assert not wake_sender(watch.settings(), due_ms, NOW_MS)
        assert started == []

    def test_not_while_one_is_at_it(self, watch: Watch, started: list[object]) -> None:
        with FileLock(os.path.join(watch.data_dir, alert_delivery.SENDER_LOCK)) as other:
            assert other.try_acquire()
            assert not wake_sender(watch.settings(), NOW_MS, NOW_MS)
        assert started == []


class TestSteps:
    @pytest.fixture(autouse=True)
    def full(self, watch: Watch) -> None:
        filled_session(0.85).titled("fix-cart").write(watch.home)
        watch.sets(CONTEXT_80)

    def refreshed(self, watch: Watch) -> dict[str, object]:
        quiet = alert_sender._SILENT
        after = AlertsAfter("s1")
        assert refresh(watch.settings(), quiet, "s1", after)
        found = json.loads(Path(watch.data_dir, "statusline", "s1.json").read_text())
        assert isinstance(found, dict)
        return found

    def test_a_refresh_counts_what_is_open(self, watch: Watch) -> None:
        assert self.refreshed(watch)["alerts"] == 0
        watch.clock.ms += 31_000
        assert self.refreshed(watch)["alerts"] == 1
        assert last_look_ms(watch.data_dir) == watch.clock.ms

    def test_a_fault_of_the_alerts_never_breaks_the_refresh(
        self, watch: Watch, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(alert_steps, "evaluate", lambda *_: 1 / 0)
        found = self.refreshed(watch)
        assert (found["session"], found["alerts"]) == ("s1", 0)

    @pytest.mark.parametrize("failure", [OSError, NotImplementedError])
    def test_nor_does_a_sender_that_cannot_be_started(
        self, watch: Watch, monkeypatch: pytest.MonkeyPatch, failure: type[Exception]
    ) -> None:
        def fails(*_: object) -> int:
            raise failure

        monkeypatch.setattr(alert_steps, "wake_sender", fails)
        after = AlertsAfter("s1")
        assert not after.wake(), "nothing was looked at"
        refresh(watch.settings(), alert_sender._SILENT, "s1", after)
        assert not after.wake()

    @contextmanager
    def source(self, watch: Watch, step: AlertStep) -> Iterator[LiveSource]:
        source = LiveSource(lambda _: watch.settings(), 30.0, clock=watch.clock, steps=[step])
        yield source
        source.close()

    def test_the_monitor_shows_them_rings_and_wakes_the_sender(self, watch: Watch) -> None:
        rung: list[str] = []
        woken: list[int | None] = []

        def wake(settings: Settings, due_ms: int | None, now_ms: int) -> int:
            woken.append(due_ms)
            return 0

        with self.source(watch, AlertStep(rung.append, wake)) as source:
            assert [line.status for line in source.next_frame().alerts] == ["pending"]
            watch.clock.ms += 31_000
            frame = source.next_frame()
        assert [line.title for line in frame.alerts] == ["context window at 84%: shop · fix-cart"]
        assert len(rung) == 1
        assert woken == [NOW_MS + 30_500, None]
        assert frame.faults == ()

    def test_a_sender_that_has_ended_leaves_nothing_behind(self, watch: Watch) -> None:
        started: list[int] = []

        def wake(*_: object) -> int:
            started.append(start_detached([sys.executable, "-c", ""], {}))
            return started[-1]

        with self.source(watch, AlertStep(wake=wake)) as source:
            source.next_frame()
            first = started[0]
            os.waitid(os.P_PID, first, os.WEXITED | os.WNOWAIT)
            source.next_frame()
        with pytest.raises(ChildProcessError):
            os.waitpid(first, os.WNOHANG)
        os.waitpid(started[1], 0)

    def test_a_fault_is_told_in_the_frame(
        self, watch: Watch, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def fails(*_: object) -> None:
            raise RuntimeError(CANARY)

        monkeypatch.setattr(alert_steps, "evaluate", fails)
        with self.source(watch, AlertStep()) as source:
            frame = source.next_frame()
        assert frame.faults == ("the alerts could not be looked at: RuntimeError",)
        assert frame.chosen is not None


def test_a_message_out_of_a_transcript_is_concrete(
    watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At every level: what to do, and the names of what would free most."""
    wanted = {
        50: "Nothing has to be done yet. Largest: ",
        70: "Prefer knowledge search over reading whole files. Would free most: ",
        80: "Delegate searches and test runs to a subagent. Would free most: ",
        90: "Compact now (/compact) or start a new session. Would free most: ",
    }
    bodies = {}
    for percent in wanted:
        talk = Talk(f"s{percent}").shape(words(90), {"Read": "x", "mcp__mail__send": words(3_000)})
        talk.ask().read("/srv/shop/src/cart.py", 9_000).read("/srv/shop/src/cart.py", 9_000)
        talk.call("Bash", words(12_000), command="make test")
        room = (percent + 4) / 100 * 200_000 - talk.window_tokens
        talk.read("/srv/shop/rest.py", int(room / 1.16)).answer("Full.").write(watch.home)
        watch.clock.ms = round(talk.at.timestamp() * 1000) + 1_000
    watch.sets(share_rule(CONTEXT, 50, ["bell"]))
    watch.looks()
    for notice in watch.looks(31_000).notices:
        bodies[notice.fingerprint.split("|")[2]] = notice.recommendation
    for percent, lead in wanted.items():
        said = bodies[f"s{percent}"]
        assert said.startswith(lead)
        for name in ("rest.py", "results of Bash (13.", "src/cart.py (1"):
            assert name in said
