"""From a notice to whatever can act on it: an alert decides, and does nothing itself."""

from __future__ import annotations

from tokenbudget.alerts.notices import HistoryEntry
from tokenbudget.alerts.rules import fingerprint
from tokenbudget.dashboard.view_model import Decision
from tokenbudget.model.decisions import AlertDecision, Candidate

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from tokenbudget.alerts.notices import Notice
    from tokenbudget.alerts.rules import Observation, Rule
    from tokenbudget.app import Workbench
    from tokenbudget.app.alert_store import LedgerAlerts
    from tokenbudget.config.settings import Settings
    from tokenbudget.model.protocols import Actor

ACTORS: tuple[Actor, ...] = ()
"""Whatever can act on an alert's decision when `tokenManagement.autoOptimize` is on."""

ACTED = "acted"
"""The event of the history under which an actor's outcome stands."""


def decisions_of(
    notices: Sequence[Notice], rules: Sequence[Rule], seen: Sequence[Observation]
) -> list[AlertDecision]:
    """The notices as whatever can act gets to know them; a digest or a test is none."""
    about = {
        fingerprint(rule, one.scope_id, one.window_id): one
        for rule in rules
        for one in seen
        if one.scope == rule.scope
    }
    return [
        AlertDecision(
            notice.kind,
            notice.rule_id,
            notice.scope,
            one.scope_id,
            notice.level,
            notice.recommendation,
            tuple(Candidate(item.name, item.tokens) for item in one.items),
            notice.at_ms,
        )
        for notice in notices
        if (one := about.get(notice.fingerprint)) is not None
    ]


def acted_on(
    bench: Workbench,
    store: LedgerAlerts,
    decisions: Sequence[AlertDecision],
    actors: Sequence[Actor],
    now_ms: int,
) -> tuple[Decision, ...]:
    """Carry decisions to whatever can act, where the person wants that; what came of it."""
    if not actors or not decisions or not may_act(bench.settings):
        return ()
    done: list[Decision] = []
    entries: list[HistoryEntry] = []
    for decision in decisions:
        for actor in actors:
            outcome = _considered(actor, decision)
            if outcome is None:
                continue
            done.append(Decision(now_ms, f"{decision.rule_id}: {actor.name}", outcome))
            told = f"{actor.name}: {outcome}"
            entries.append(HistoryEntry(now_ms, decision.rule_id, "", ACTED, told))
    if entries:
        with store.transaction() as transaction:
            transaction.record(entries)
    return tuple(done)


def may_act(settings: Settings) -> bool:
    """Whether `autoOptimize` is on, and by the person's own word."""
    return settings.management().auto_optimize and is_own_word(settings, "autoOptimize")


def is_own_word(settings: Settings, key: str) -> bool:
    """Whether the value of a key of `tokenManagement` that wins is not a repository's.

    A project's `settings.json` comes with the repository: it may have been written by anybody.
    """
    from tokenbudget.config.layers import places_of
    from tokenbudget.config.management import PROJECT

    shared = {place.path for place in places_of(settings) if place.kind == PROJECT}
    return settings.management().origins[key] not in shared


def _considered(actor: Actor, decision: AlertDecision) -> str | None:
    try:
        return actor.consider(decision)
    except Exception as failure:  # noqa: BLE001  an actor must not stop the alerts
        return f"failed ({type(failure).__name__})"
