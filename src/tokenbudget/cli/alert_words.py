"""What the actions of `tokens alert` share: names of rules, and how rules are shown."""

from __future__ import annotations

from tokenbudget.alerts import words
from tokenbudget.alerts.inert import one_line
from tokenbudget.alerts.rules import COSTS
from tokenbudget.model.errors import BadRequest

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from tokenbudget.alerts.rules import Rule
    from tokenbudget.app.alert_rules import RuleBook

EVALUATED = "evaluated by tokens monitor and by the status line"


def rule_named(book: RuleBook, wanted: str) -> Rule:
    """The rule that a name, or a beginning or a percent of it, means.

    Raises:
        BadRequest: none is meant, or several are.
    """
    exact = [rule for rule in book.rules if rule.id == wanted]
    part = [r for r in book.rules if r.id.startswith(wanted) or r.id.endswith(f"-{wanted}")]
    found = exact or part
    if len(found) == 1:
        return found[0]
    if found:
        some = ", ".join(rule.id for rule in found[:3])
        raise BadRequest(f"{len(found)} alerts are named so ({some}); give more of the name")
    if not book.rules:
        raise BadRequest(f"there is no alert '{one_line(wanted, 60)}', and no other either")
    import difflib

    near = difflib.get_close_matches(wanted, [rule.id for rule in book.rules], 1, 0.4)
    hint = f" (did you mean '{near[0]}'?)" if near else ""
    raise BadRequest(
        f"there is no alert '{one_line(wanted, 60)}'{hint}; tokens alert list names them"
    )


def watched(rule: Rule) -> str:
    """What a rule looks at."""
    name = words.NAMES[rule.scope]
    return f"{name} of {one_line(rule.scope_id[:8])}" if rule.scope_id else name


def steps_shown(rule: Rule) -> str:
    """The steps of a rule's ladder."""
    return ", ".join(words.shown_value(rule.scope, step.at) for step in rule.steps)


def rule_fields(rule: Rule) -> dict[str, object]:
    """A rule as JSON has it; money is a decimal string."""
    is_money = rule.scope in COSTS
    steps = [
        {"at": f"{step.at:f}" if is_money else float(step.at), "level": step.level}
        for step in rule.steps
    ]
    return {
        "rule": rule.id,
        "scope": rule.scope,
        "session": rule.scope_id,
        "steps": steps,
        "channels": list(rule.channels),
    }


def document(action: str, fields: Mapping[str, object]) -> list[str]:
    """The JSON object of an action."""
    from tokenbudget.reports.json import document as made

    return [made("alert", 1, {"action": action, **fields})]
