"""`tokens alert 80`, `tokens alert remove`: what is watched, and who is told."""

from __future__ import annotations

import sys

from tokenbudget.alerts import words
from tokenbudget.alerts.delivery import BELL, DESKTOP, REMOTE_KINDS
from tokenbudget.alerts.inert import one_line
from tokenbudget.alerts.notices import FIRE, HistoryEntry
from tokenbudget.alerts.rules import (
    BURN,
    CONTEXT,
    COSTS,
    DEFAULT_PERCENT,
    SCOPES,
    SESSION_COST,
    burn_rule,
    cost_rule,
    share_rule,
)
from tokenbudget.alerts.secret import is_reference
from tokenbudget.alerts.state import CALM
from tokenbudget.app import open_workbench
from tokenbudget.app.alert_channels import (
    Given,
    checked,
    forget,
    shown_channel,
    with_channel,
)
from tokenbudget.app.alert_delivery import last_look_ms, open_store, wake_sender
from tokenbudget.app.alert_rules import changing_rules
from tokenbudget.app.alert_store import LedgerAlerts
from tokenbudget.app.alerts import evaluate
from tokenbudget.app.statusline import take_reports
from tokenbudget.cli.alert_words import (
    EVALUATED,
    document,
    rule_fields,
    rule_named,
    steps_shown,
    watched,
)
from tokenbudget.cli.choice import session_named
from tokenbudget.cli.options import show
from tokenbudget.cli.terminal import terminal, warn
from tokenbudget.config.settings import process_environment
from tokenbudget.model.errors import BadRequest
from tokenbudget.model.spans import shown_span
from tokenbudget.system.clock import SystemClock

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace

    from tokenbudget.alerts.rules import Rule
    from tokenbudget.alerts.state import Alert
    from tokenbudget.app import Workbench
    from tokenbudget.app.alert_rules import RuleBook
    from tokenbudget.app.alerts import AlertOutcome
    from tokenbudget.config.settings import Settings

RARELY_MS = 86_400_000
"""Nobody has looked for so long: then nobody will, it seems."""
LONGEST_LINE = 16_384


def set_rule(options: Namespace, percent: int | None, settings: Settings) -> int:
    """Set a rule on its channels, look at once, and say how it stands."""
    rule = rule_of(options, percent, "")
    given = [checked(one) for one in _channels_given(options, settings)]
    with open_workbench(settings, terminal()) as bench:
        if options.session:
            rule = rule_of(options, percent, session_named(bench, options.session))
        book, rule, before = _kept(bench, rule, given)
        take_reports(bench)
        now_ms = bench.clock.now_ms()
        outcome = evaluate(bench, {}, now_ms)
        seen = [a for a in LedgerAlerts(bench.ledger).state().alerts if a.rule_id == rule.id]
    looked_ms = last_look_ms(settings.data_dir)
    _wake(settings, outcome, now_ms)
    for fault in outcome.faults:
        warn(fault)
    if options.json:
        show(document("set", _fields(rule, book, before, seen, looked_ms)))
        return 0
    show([_sentence(rule, book, seen, _evaluated(looked_ms, now_ms))])
    if before and before != rule.channels:
        show([f"It was told on {', '.join(before)} before."])
    return 0


def rule_of(options: Namespace, percent: int | None, session: str) -> Rule:
    """The rule that was asked for, without its channels.

    Raises:
        BadRequest: scope, percent and amount do not fit together.
    """
    scope = options.scope or CONTEXT
    if scope not in SCOPES:
        known = ", ".join(SCOPES)
        raise BadRequest(f"'{one_line(scope, 40)}' is no scope{_near(scope)}; use {known}")
    if options.usd is not None and scope not in COSTS:
        raise BadRequest(f"--usd goes with {', '.join(COSTS)}, not with {scope}")
    if options.session and scope not in (CONTEXT, SESSION_COST):
        raise BadRequest(f"--session goes with {CONTEXT} and {SESSION_COST}, not with {scope}")
    if scope not in COSTS and scope != BURN:
        return share_rule(scope, percent or DEFAULT_PERCENT, (), session)
    if percent is not None:
        raise BadRequest(f"{scope} takes no percent; tokens alert --scope {scope} …")
    if scope == BURN:
        return burn_rule()
    if options.usd is None:
        raise BadRequest(f"{scope} needs an amount: tokens alert --scope {scope} --usd 10")
    return cost_rule(scope, options.usd, (), session)


def remove(options: Namespace, settings: Settings) -> int:
    """Take rules away, and the addresses that no other rule needs."""
    clock = SystemClock()
    with changing_rules(settings.data_dir, clock) as change:
        before = change.book
        gone = before.rules if options.rule == "all" else (rule_named(before, options.rule),)
        change.book = before.without({rule.id for rule in gone}).pruned()
        forget([s for s in before.channels if s not in change.book.channels], settings.data_dir)
    _note(settings, clock.now_ms(), "remove", [rule.id for rule in gone])
    names = [rule.id for rule in gone]
    if options.json:
        show(document("remove", {"removed": names}))
    else:
        show([f"Removed: {', '.join(names)}." if names else "There was no alert to remove."])
    return 0


# ── channels ─────────────────────────────────────────────────────────────────────────────────────


def _channels_given(options: Namespace, settings: Settings) -> list[Given]:
    found = [Given(BELL)] if options.bell else []
    found += [Given(DESKTOP)] if options.desktop else []
    texts = [(kind, text) for kind in REMOTE_KINDS for text in getattr(options, kind) or []]
    if sum(text == "-" for _, text in texts) > 1:
        raise BadRequest("standard input holds one address; give the others by a reference")
    found += [Given(kind, _typed() if text == "-" else text) for kind, text in texts]
    if any(not one.text.strip() for one in found if one.kind in REMOTE_KINDS):
        raise BadRequest("an address is empty; give a URL, or env:NAME, file:PATH, keyring:S/N")
    if found:
        return found
    wanted = settings.alert_settings()
    found = [Given(BELL)] if wanted.bell else []
    found += [Given(DESKTOP)] if wanted.desktop else []
    if not found:
        raise BadRequest("config.toml has neither bell nor desktop; name a channel: --slack URL")
    return found


def _typed() -> str:
    if sys.stdin.isatty():
        import getpass

        return getpass.getpass("URL (it is not shown): ").strip()
    return sys.stdin.readline(LONGEST_LINE).strip()


def _kept(
    bench: Workbench, rule: Rule, given: list[Given]
) -> tuple[RuleBook, Rule, tuple[str, ...]]:
    """Write it down; the book, the rule with its channels, and those that it had before."""
    data_dir = bench.settings.data_dir
    environment = process_environment()
    with changing_rules(data_dir, bench.clock) as change:
        before = book = change.book
        names: list[str] = []
        for one in given:
            others = {name for r in book.rules if r.id != rule.id for name in r.channels}
            free = {spec.name for spec in book.channels} - others - set(names)
            book, spec = with_channel(book, one, free, data_dir, environment)
            names.append(spec.name)
        rule = rule._replace(channels=tuple(dict.fromkeys(names)))
        change.book = book = book.with_rule(rule).pruned()
        forget([spec for spec in before.channels if spec not in book.channels], data_dir)
    old = next((one.channels for one in before.rules if one.id == rule.id), ())
    _tell_unreadable(book, rule)
    return book, rule, old


def _tell_unreadable(book: RuleBook, rule: Rule) -> None:
    from tokenbudget.alerts.secret import SecretSources
    from tokenbudget.model.errors import BadConfig

    for spec in book.channels:
        if spec.name in rule.channels and is_reference(spec.target):
            try:
                SecretSources(process_environment()).resolve(spec.target)
            except BadConfig as reason:
                warn(f"{spec.name}: {reason}")


def _reach(book: RuleBook, name: str) -> dict[str, str]:
    spec = book.channel(name)
    return {
        "channel": name,
        "where": "" if spec is None else shown_channel(spec, process_environment()),
    }


# ── how it stands ────────────────────────────────────────────────────────────────────────────────


def _sentence(rule: Rule, book: RuleBook, seen: list[Alert], evaluated: str) -> str:
    """What is watched, from where on, where it is told, what would be said now, what comes next."""
    begin = steps_shown(rule).partition(",")[0]
    places = [(one["channel"], one["where"]) for one in (_reach(book, n) for n in rule.channels)]
    told = ", ".join(f"{name} ({where})" if where else name for name, where in places)
    return (
        f"{rule.id}: the {watched(rule)} from {begin} on, told on {told}; {_now(seen)};"
        f" {evaluated}. Next: tokens alert test"
    )


def _fields(
    rule: Rule, book: RuleBook, before: tuple[str, ...], seen: list[Alert], looked_ms: int
) -> dict[str, object]:
    return {
        **rule_fields(rule),
        "replaced_channels": list(before),
        "reach": [_reach(book, name) for name in rule.channels],
        "now": [_standing(alert) for alert in seen],
        "is_evaluated": bool(looked_ms),
    }


def _now(seen: list[Alert]) -> str:
    """What would be said now."""
    open_ones = [alert for alert in seen if alert.status != CALM]
    if open_ones:
        titles = "; ".join(words.title(FIRE, alert) for alert in open_ones[:2])
        more = f" and {len(open_ones) - 2} more" if len(open_ones) > 2 else ""
        return f"now: {titles}{more}"
    known = [alert for alert in seen if alert.value]
    if not known:
        return "nothing that it watches is known now"
    top = max(known, key=_amount)
    where = one_line(top.where or top.scope_id, 60)
    return f"nothing to tell now: {where + ' is at ' if where else 'it is at '}{top.value}"


def _amount(alert: Alert) -> float:
    digits = "".join(char for char in alert.value if char in "0123456789.")
    return float(digits) if digits.strip(".") else 0.0


def _standing(alert: Alert) -> dict[str, object]:
    return {
        "session": alert.scope_id,
        "where": alert.where,
        "value": alert.value,
        "status": alert.status,
        "would_say": words.title(FIRE, alert) if alert.status != CALM else "",
    }


def _evaluated(looked_ms: int, now_ms: int) -> str:
    """Who looks, and truthfully whether anybody does."""
    if not looked_ms:
        return f"{EVALUATED}, and neither has run yet"
    if now_ms - looked_ms > RARELY_MS:
        return f"{EVALUATED}, and neither has for {shown_span(now_ms - looked_ms)}"
    return EVALUATED


def _wake(settings: Settings, outcome: AlertOutcome, now_ms: int) -> None:
    try:
        wake_sender(settings, outcome.next_work_ms, now_ms)
    except (OSError, NotImplementedError) as failure:
        warn(f"what is to be sent waits for the next evaluation ({type(failure).__name__})")


def _note(settings: Settings, now_ms: int, event: str, rule_ids: list[str]) -> None:
    with open_store(settings) as ledger, LedgerAlerts(ledger).transaction() as transaction:
        transaction.record([HistoryEntry(now_ms, one, "", event, "by you") for one in rule_ids])


def _near(scope: str) -> str:
    import difflib

    near = difflib.get_close_matches(scope.lower(), SCOPES, 1)
    return f" (did you mean '{near[0]}'?)" if near else ""
