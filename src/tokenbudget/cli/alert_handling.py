"""`tokens alert test`, `ack`, `silence`, `unsilence`: try the channels, answer what was told."""

from __future__ import annotations

import sys
from typing import NamedTuple

from tokenbudget.alerts.delivery import BELL, Delivery
from tokenbudget.alerts.hours import UNTIL_RESOLVED, parse_duration
from tokenbudget.alerts.notices import TEST, HistoryEntry, trial_notice
from tokenbudget.alerts.state import acked, silenced_for, silenced_until_resolved, unsilenced
from tokenbudget.alerts.store import entries_of
from tokenbudget.app.alert_channels import channels_of
from tokenbudget.app.alert_delivery import open_store
from tokenbudget.app.alert_rules import read_rules
from tokenbudget.app.alert_store import LedgerAlerts
from tokenbudget.cli.alert_words import document, rule_named
from tokenbudget.cli.options import show
from tokenbudget.cli.terminal import warn
from tokenbudget.config.settings import process_environment
from tokenbudget.model.errors import BadRequest
from tokenbudget.model.spans import shown_span
from tokenbudget.system.clock import SystemClock

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Callable

    from tokenbudget.alerts.state import State
    from tokenbudget.app.alert_rules import RuleBook
    from tokenbudget.config.settings import Settings

NOT_SO = 1
"""Exit code where a channel did not take its test."""


class Trial(NamedTuple):
    """How a test on one channel went."""

    channel: str
    delivery: Delivery
    is_tried: bool = True


def test(options: Namespace, settings: Settings) -> int:
    """Send a message marked TEST on the real channels, of all rules or one; once each."""
    book = _book(settings)
    rules = [rule_named(book, options.rule)] if options.rule else book.rules
    names = tuple(dict.fromkeys(name for rule in rules for name in rule.channels))
    if not names:
        raise BadRequest("there is no alert, so there is no channel to test; tokens alert sets one")
    clock = SystemClock()
    trials = [_tried(book, name, clock.now_ms()) for name in names]
    with open_store(settings) as ledger, LedgerAlerts(ledger).transaction() as transaction:
        transaction.record([_trial_entry(trial, clock.now_ms()) for trial in trials])
    failed = [trial for trial in trials if trial.is_tried and not trial.delivery.is_ok]
    if options.json:
        fields = ("channel", "is_ok", "is_tried", "detail")
        rows = [(t.channel, t.delivery.is_ok, t.is_tried, t.delivery.detail) for t in trials]
        show(document("test", {"rows": [dict(zip(fields, row, strict=True)) for row in rows]}))
    else:
        show([f"{trial.channel}: {_outcome(trial)}" for trial in trials])
    return NOT_SO if failed else 0


def ack(options: Namespace, settings: Settings) -> int:
    """Stop the reminders of what fires, until it rises."""
    rule_id = _rule_id(options, settings)
    _change(settings, "ack", rule_id, lambda state, now_ms: acked(state, rule_id))
    return _said(options, "ack", rule_id, "Acknowledged: no reminders until it rises.")


def silence(options: Namespace, settings: Settings) -> int:
    """Say nothing for a while, or until what fires now is over."""
    if options.for_ and options.until_resolved:
        raise BadRequest("--for and --until-resolved exclude each other; give one of them")
    if not options.for_ and not options.until_resolved:
        raise BadRequest("say how long: tokens alert silence [RULE] --for 2h, or --until-resolved")
    rule_id = _rule_id(options, settings)
    for_ms = parse_duration(options.for_) if options.for_ else None
    if for_ms is None:

        def until_resolved(state: State, now_ms: int) -> State:
            return silenced_until_resolved(state, rule_id)

        _change(settings, "silence", rule_id, until_resolved, "by you, until it is over")
        text = "Silent until it is over; that will be told."
        return _said(options, "silence", rule_id, text, {"for": UNTIL_RESOLVED})

    def silenced(state: State, now_ms: int) -> State:
        return silenced_for(state, rule_id, for_ms, now_ms)

    _change(settings, "silence", rule_id, silenced, f"by you, for {shown_span(for_ms)}")
    text = f"Silent for {shown_span(for_ms)}; what fires then is told then."
    return _said(options, "silence", rule_id, text, {"for": options.for_})


def unsilence(options: Namespace, settings: Settings) -> int:
    """Take the silences back."""
    rule_id = _rule_id(options, settings)
    counts: list[int] = []

    def without(state: State, now_ms: int) -> State:
        after = unsilenced(state, rule_id)
        counts.append(len(state.silences) - len(after.silences))
        return after

    _change(settings, "unsilence", rule_id, without)
    text = "Not silent any more." if counts[0] else "Nothing was silent."
    return _said(options, "unsilence", rule_id, text, {"removed": counts[0]})


def _book(settings: Settings) -> RuleBook:
    book = read_rules(settings.data_dir)
    if book.fault:
        warn(book.fault)
    return book


def _rule_id(options: Namespace, settings: Settings) -> str:
    """The rule that is meant; '' is every one."""
    if options.rule in (None, "all"):
        return ""
    return rule_named(_book(settings), options.rule).id


def _change(
    settings: Settings,
    event: str,
    rule_id: str,
    changed: Callable[[State, int], State],
    detail: str = "by you",
) -> None:
    now_ms = SystemClock().now_ms()
    with open_store(settings) as ledger, LedgerAlerts(ledger).transaction() as transaction:
        transaction.save(changed(transaction.load(), now_ms))
        transaction.record([HistoryEntry(now_ms, rule_id, "", event, detail)])


def _said(
    options: Namespace, action: str, rule_id: str, text: str, more: dict[str, object] | None = None
) -> int:
    if options.json:
        show(document(action, {"rule": rule_id or "all", **(more or {})}))
    else:
        show([text])
    return 0


def _tried(book: RuleBook, name: str, now_ms: int) -> Trial:
    spec = book.channel(name)
    if spec is None:  # a rule names only channels that are there
        return Trial(name, Delivery(False, "this channel is not set up"))
    ring = _bell()
    if spec.kind == BELL and ring is None:
        told = Delivery(False, "not tried: no terminal here; it rings in tokens monitor")
        return Trial(name, told, is_tried=False)
    channel = channels_of([spec], process_environment(), ring, now_ms)[name]
    [entry] = entries_of(trial_notice((name,), now_ms))
    return Trial(name, channel.deliver(entry))


def _bell() -> Callable[[str], object] | None:
    """What writes to this terminal; None where there is none."""
    if not sys.stderr.isatty():
        return None

    def ring(text: str) -> None:
        sys.stderr.write(text)
        sys.stderr.flush()

    return ring


def _trial_entry(trial: Trial, now_ms: int) -> HistoryEntry:
    return HistoryEntry(now_ms, "", "", TEST, f"{trial.channel}: {_outcome(trial)}")


def _outcome(trial: Trial) -> str:
    detail = trial.delivery.detail
    return f"failed: {detail}" if trial.is_tried and not trial.delivery.is_ok else detail
