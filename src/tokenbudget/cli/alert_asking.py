"""`tokens alert list`, `why`, `history`: how the alerts stand, and what they have done."""

from __future__ import annotations

from typing import NamedTuple

from tokenbudget.alerts import explain
from tokenbudget.alerts.delivery import BELL, DESKTOP
from tokenbudget.alerts.hours import is_quiet
from tokenbudget.alerts.inert import one_line
from tokenbudget.alerts.state import Policy
from tokenbudget.analysis.periods import Zone
from tokenbudget.app.alert_channels import shown_channel
from tokenbudget.app.alert_delivery import last_look_ms, open_store
from tokenbudget.app.alert_rules import read_rules
from tokenbudget.app.alert_store import LedgerAlerts
from tokenbudget.app.alerts import lines_of, open_alerts, policy_of
from tokenbudget.cli.alert_words import (
    EVALUATED,
    document,
    rule_fields,
    rule_named,
    steps_shown,
    watched,
)
from tokenbudget.cli.options import show, style
from tokenbudget.cli.terminal import warn
from tokenbudget.config.settings import process_environment
from tokenbudget.model.errors import BadConfig, BadRequest
from tokenbudget.model.spans import shown_span
from tokenbudget.reports.table import Column, render
from tokenbudget.system.clock import SystemClock

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Sequence

    from tokenbudget.alerts.notices import HistoryEntry
    from tokenbudget.alerts.state import Silence, State
    from tokenbudget.app.alert_rules import RuleBook
    from tokenbudget.app.alert_store import Waiting
    from tokenbudget.config.settings import Settings
    from tokenbudget.dashboard.view_model import AlertLine
    from tokenbudget.model.figures import Style

DEFAULT_ROWS = 20
FAILED = "failed"
FAILURES_AMONG = 200
"""So many last lines of the history are looked through for failed deliveries."""
FAILURES_SHOWN = 3
LONGEST = 2_000
"""Of one line of the history; a title or a path in it is cut long before."""
_LOCAL = {BELL: "rings in tokens monitor", DESKTOP: "a notification of the desktop"}


class Standing(NamedTuple):
    """Everything that `tokens alert list` tells."""

    book: RuleBook
    state: State
    lines: Sequence[AlertLine]
    waiting: Sequence[Waiting]
    failed: Sequence[HistoryEntry]
    policy: Policy
    looked_ms: int
    now_ms: int


def show_list(options: Namespace, settings: Settings) -> int:
    """Rules, channels, what fires, what waits, what failed, what is silent."""
    standing = _standing(settings)
    zone = Zone(settings.timezone, standing.now_ms)
    if options.json:
        show(document("list", _fields(standing, zone)))
    else:
        show(_list_lines(standing, zone, style(options.no_color)))
    return 0


def why(options: Namespace, settings: Settings) -> int:
    """What a rule waits for, in sentences."""
    standing = _standing(settings)
    rules = standing.book.rules
    if options.rule:
        rules = (rule_named(standing.book, options.rule),)
    if not rules:
        raise BadRequest("there is no alert yet; tokens alert 80 sets one")
    said = {
        rule.id: explain.why(standing.state, rule, standing.policy, standing.now_ms)
        for rule in rules
    }
    if options.json:
        rows = [{"rule": name, "sentences": sentences} for name, sentences in said.items()]
        show(document("why", {"rows": rows}))
    else:
        lines = [line for sentences in said.values() for line in (*sentences, "")]
        show(lines[:-1])
    return 0


def history(options: Namespace, settings: Settings) -> int:
    """Every decision, also what was withheld, and every delivery; the newest last."""
    now_ms = SystemClock().now_ms()
    zone = Zone(settings.timezone, now_ms)
    rule_id = rule_named(_book(settings), options.rule).id if options.rule else ""
    with open_store(settings) as ledger:
        entries = LedgerAlerts(ledger).history(options.n or DEFAULT_ROWS, rule_id)[::-1]
    if options.json:
        show(document("history", {"rows": [_entry_fields(entry, zone) for entry in entries]}))
        return 0
    if not entries:
        show(["Nothing has been told yet."])
        return 0
    show(_history_lines(entries, zone, style(options.no_color).width))
    return 0


def _history_lines(entries: Sequence[HistoryEntry], zone: Zone, width: int) -> list[str]:
    """Nothing is cut: why a delivery failed stands at the end of its line."""
    import textwrap

    lines = []
    for entry in entries:
        head = f"{_moment(entry.at_ms, zone)}  {entry.event:<9}  "
        rule = f"{one_line(entry.rule_id)}: " if entry.rule_id else ""
        room = max(20, width - len(head))
        first, *rest = textwrap.wrap(f"{rule}{one_line(entry.detail, LONGEST)}", room) or [""]
        lines += [head + first, *(" " * len(head) + line for line in rest)]
    return lines


def _standing(settings: Settings) -> Standing:
    book = _book(settings)
    try:
        policy = policy_of(settings)
    except BadConfig as reason:
        warn(str(reason))
        policy = Policy()
    with open_store(settings) as ledger:
        store = LedgerAlerts(ledger)
        state = store.state()
        failed = [e for e in store.history(FAILURES_AMONG) if e.event == FAILED]
        waiting = store.waiting()
    looked_ms = last_look_ms(settings.data_dir)
    lines = lines_of(open_alerts(state, book.rules), book)
    now_ms = SystemClock().now_ms()
    return Standing(book, state, lines, waiting, failed, policy, looked_ms, now_ms)


def _book(settings: Settings) -> RuleBook:
    book = read_rules(settings.data_dir)
    if book.fault:
        warn(book.fault)
    return book


# ── as text ──────────────────────────────────────────────────────────────────────────────────────


def _list_lines(standing: Standing, zone: Zone, look: Style) -> list[str]:
    book = standing.book
    if not book.rules:
        return ["There is no alert yet; tokens alert 80 sets one for the context window."]
    columns = [
        Column("Rule", is_text=True, may_cut=False),
        Column("Watches", is_text=True, enough=20),
        Column("Tells at", is_text=True, drop_rank=1),
        Column("On", is_text=True),
        Column("Now", is_text=True),
    ]
    rows = [
        [
            rule.id,
            watched(rule),
            steps_shown(rule),
            ", ".join(rule.channels),
            _state_of(standing, rule.id),
        ]
        for rule in book.rules
    ]
    lines = render(columns, rows, None, look)
    lines += ["", look.bold("Channels"), *_channel_lines(book)]
    lines += ["", look.bold("Open alerts"), *_alert_lines(standing)]
    lines += ["", look.bold("Messages waiting"), *_waiting_lines(standing)]
    if standing.failed:
        lines += ["", look.bold("Failed deliveries"), *_failed_lines(standing, zone)]
    if standing.state.silences:
        lines += ["", look.bold("Silences"), *_silence_lines(standing)]
    return [*lines, "", *_closing_lines(standing)]


def _state_of(standing: Standing, rule_id: str) -> str:
    words = [explain.status_word(a) for a in standing.state.alerts if a.rule_id == rule_id]
    loud = sorted(word for word in set(words) if word != "calm")
    return ", ".join(loud) or ("calm" if words else "nothing seen yet")


def _channel_lines(book: RuleBook) -> list[str]:
    environment = process_environment()
    shown = ((spec, shown_channel(spec, environment)) for spec in book.channels)
    return [f"  {one_line(spec.name)}  {where or _LOCAL[spec.kind]}" for spec, where in shown]


def _alert_lines(standing: Standing) -> list[str]:
    return [
        f"  {line.level}: {one_line(line.title)} ({line.status},"
        f" since {shown_span(standing.now_ms - line.since_ms)})"
        for line in standing.lines
    ] or ["  none"]


def _waiting_lines(standing: Standing) -> list[str]:
    return [
        f"  {one_line(one.entry.channel)}: {one_line(one.entry.title)}"
        f" ({_attempts(one, standing.now_ms)})"
        for one in standing.waiting
    ] or ["  none"]


def _attempts(one: Waiting, now_ms: int) -> str:
    if one.entry.channel == BELL:
        return "for tokens monitor"
    when = f"again in {shown_span(one.due_ms - now_ms)}" if one.due_ms > now_ms else "due now"
    rounds = one.entry.rounds
    return f"{when}, failed {rounds} time{'' if rounds == 1 else 's'}" if rounds else when


def _failed_lines(standing: Standing, zone: Zone) -> list[str]:
    shown = standing.failed[:FAILURES_SHOWN]
    lines = [f"  {_moment(e.at_ms, zone)}  {one_line(e.detail)}" for e in shown]
    more = len(standing.failed) - len(shown)
    return [*lines, f"  and {more} more: tokens alert history"] if more else lines


def _silence_lines(standing: Standing) -> list[str]:
    return [f"  {_silence_words(one, standing.now_ms)}" for one in standing.state.silences]


def _silence_words(silence: Silence, now_ms: int) -> str:
    rule = one_line(silence.rule_id) or "every rule"
    if silence.until_ms is None:
        return f"{rule}, until it is resolved"
    return f"{rule}, for another {shown_span(silence.until_ms - now_ms)}"


def _closing_lines(standing: Standing) -> list[str]:
    policy = standing.policy
    quiet = "no quiet hours"
    if policy.quiet is not None:
        start, end = (f"{m // 60:02}:{m % 60:02}" for m in policy.quiet[:2])
        quiet = f"quiet from {start} to {end} ({policy.quiet.zone}) below {policy.passing_level}"
    ago = shown_span(standing.now_ms - standing.looked_ms)
    last = f"last {ago} ago" if standing.looked_ms else "neither has run yet"
    return [
        f"At most {policy.rate_per_hour} messages per hour and channel; {quiet}.",
        f"Alerts are {EVALUATED}: {last}.",
    ]


def _moment(at_ms: int, zone: Zone) -> str:
    return f"{zone.local(at_ms):%Y-%m-%d %H:%M:%S}"


# ── as JSON ──────────────────────────────────────────────────────────────────────────────────────


def _fields(standing: Standing, zone: Zone) -> dict[str, object]:
    environment = process_environment()
    return {
        "rows": [rule_fields(rule) for rule in standing.book.rules],
        "channels": [
            {"channel": s.name, "kind": s.kind, "where": shown_channel(s, environment)}
            for s in standing.book.channels
        ],
        "alerts": [
            {
                "rule": line.rule_id,
                "level": line.level,
                "title": line.title,
                "status": line.status,
                "since": zone.stamp(line.since_ms),
            }
            for line in standing.lines
        ],
        "waiting": [
            {
                "channel": one.entry.channel,
                "title": one.entry.title,
                "failed_rounds": one.entry.rounds,
                "due": zone.stamp(one.due_ms),
            }
            for one in standing.waiting
        ],
        "failed": [_entry_fields(entry, zone) for entry in standing.failed],
        "silences": [
            {
                "rule": one.rule_id or "all",
                "until": None if one.until_ms is None else zone.stamp(one.until_ms),
            }
            for one in standing.state.silences
        ],
        "quiet_now": is_quiet(standing.policy.quiet, standing.now_ms),
        "evaluated_last": zone.stamp(standing.looked_ms),
        "fault": standing.book.fault,
    }


def _entry_fields(entry: HistoryEntry, zone: Zone) -> dict[str, object]:
    return {
        "at": zone.stamp(entry.at_ms),
        "rule": entry.rule_id,
        "event": entry.event,
        "detail": entry.detail,
    }
