from __future__ import annotations

from tests.alerts.builders import HOUR, MINUTE, SECOND, Engine, context_at
from tests.alerts.test_inert import HOSTILE

from tokenbudget.alerts.explain import status_word, why
from tokenbudget.alerts.hours import QuietHours
from tokenbudget.alerts.rules import CONTEXT, share_rule
from tokenbudget.alerts.state import Policy, acked, silenced_for, silenced_until_resolved


def said(engine: Engine) -> str:
    return "\n".join(why(engine.state, engine.rules[0], engine.policy, engine.now))


def test_nothing_seen_yet() -> None:
    assert said(Engine()) == (
        "context-80 tells of the context window at 80%, 90% (slack).\n"
        "Nothing that it watches has been seen yet."
    )


def test_the_life_of_an_alert_in_sentences() -> None:
    engine = Engine()
    engine.at(40)
    assert "webshop · fix-cart: 40%, below 80%, so nothing is said." in said(engine)
    engine.at(81, after=MINUTE)
    assert "81%, crossed 0s ago; told after 30s if it lasts." in said(engine)
    engine.at(81, after=30 * SECOND)
    engine.now += HOUR
    assert "firing for 1h; told 1h ago, again in 3h if nothing changes." in said(engine)
    assert "It is over once below 77% for 5m." in said(engine)
    engine.state = acked(engine.state, "")
    assert "acknowledged: no reminders." in said(engine)
    engine.at(60)
    engine.now += MINUTE
    assert "It has been below for 1m and counts as over after 5m." in said(engine)


def test_no_data_is_said_and_never_looks_calm() -> None:
    engine = Engine()
    engine.at(40)
    engine.sees(context_at(0, engine.now, is_known=False), after=HOUR)
    assert "No data for 1h: it stands still and is neither raised nor cleared." in said(engine)
    assert [status_word(a) for a in engine.state.alerts] == ["no data"]


def test_what_keeps_it_quiet_is_said() -> None:
    quiet = QuietHours(0, 23 * 60, "UTC")
    engine = Engine(policy=Policy(quiet=quiet, rate_per_hour=1))
    engine.at(85)
    engine.at(85, after=MINUTE)
    engine.state = silenced_for(engine.state, "context-80", HOUR, engine.now)
    text = said(engine)
    assert "Silenced for another 1h." in text
    assert "Quiet hours: only critical and worse goes out now." in text
    assert "slack has had its 1 of this hour; 0 held back so far." in text
    engine.state = silenced_until_resolved(engine.state, "")
    assert "Silenced until it is resolved; that will be told." in said(engine)


def test_what_waits_for_the_digest_was_not_told() -> None:
    engine = Engine(rules=(share_rule(CONTEXT, 50, ["slack"]),))
    engine.policy = Policy(quiet=QuietHours(0, 23 * 60, "UTC"))
    engine.at(55)
    engine.at(55, after=MINUTE)
    assert "firing for 1m; kept for the digest after the quiet hours." in said(engine)


def test_a_hostile_title_is_explained_inert() -> None:
    engine = Engine()
    engine.sees(context_at(85, engine.now, where=HOSTILE))
    assert all(line.isprintable() for line in said(engine).split("\n"))
