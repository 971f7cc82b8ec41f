"""docs/control.md says what the controller does: settings, levers, codes, figures and fields."""

from __future__ import annotations

import json
import re
from pathlib import Path

from tests.control_values import NOON_MS, decision, receipt, standing

from tokenbudget.analysis.periods import Zone
from tokenbudget.config.catalogue import SETTINGS
from tokenbudget.model.control import Receipt
from tokenbudget.model.control_words import LEVER_NAMES, short_reason
from tokenbudget.model.figures import Style
from tokenbudget.optimizer import policy, trust
from tokenbudget.reports.control_history import history_lines
from tokenbudget.reports.control_json import history_document, standing_document

DOCS = Path(__file__).parents[2] / "docs"
PAGE = (DOCS / "control.md").read_text(encoding="utf-8")
FLAT = " ".join(PAGE.split())
ZONE = Zone("UTC", NOON_MS)
TOLD = ("lever", "level", "effect", "predicted_tokens", "measured_tokens", "outcome")


COLUMNS = 62
"""Of the terminal in which the page shows what was done: wider ones have dates and money, which the
recorded session has not."""


def recorded() -> list[Receipt]:
    """The receipts of the session in the picture, the latest first; numbered as they came."""
    told = json.loads((DOCS / "control-session.json").read_text(encoding="utf-8"))["runs"]["auto"]
    requests = {one["number"]: one for one in told["requests"]}
    found = [
        receipt(
            id=number,
            action=number,
            at_ms=NOON_MS + requests[one["request"]]["at_ms"],
            before_tokens=requests[one["request"]]["used_tokens"],
            items=tuple(one["items"]),
            predicted_usd=None,
            measured_usd=None,
            **{name: one[name] for name in TOLD},
        )
        for number, one in enumerate(told["actions"], 1)
    ]
    return found[::-1]


def test_what_history_shows_is_what_was_recorded() -> None:
    """Where this fails, the block below `tokens control history` is to be these lines."""
    lines = history_lines(recorded(), ZONE, Style(COLUMNS, is_styled=False))
    assert "```\n" + "\n".join(lines) + "\n```\n" in PAGE


def names(value: object) -> set[str]:
    if isinstance(value, dict):
        return set(value).union(*map(names, value.values()))
    return set().union(*map(names, value)) if isinstance(value, list) else set()


def test_every_setting_of_the_controller_stands_there() -> None:
    wanted = {one.name for one in SETTINGS if one.name.startswith("control.")}
    assert {name for name in wanted if f"`{name}`" not in PAGE} == {"control.levers"}
    assert "`[control.levers]`" in PAGE


def test_every_lever_has_its_row() -> None:
    section = PAGE.split("## Levers")[1].split("\n## ")[0]
    rows = ", ".join(re.findall(r"(?m)^\| ([^|]+) \|", section))
    assert [name for name in LEVER_NAMES.values() if name not in rows] == []


def test_every_field_is_named() -> None:
    told = names(json.loads(standing_document([standing()], ZONE)))
    told |= names(json.loads(history_document([receipt()], ZONE)))
    assert {name for name in told if f"`{name}`" not in PAGE} == {"format", "sessions"}


def test_every_code_that_has_words_is_in_the_list_of_codes() -> None:
    codes = PAGE.split("The codes of a decision:")[1]
    waits = re.search(r"\| `wait` \| (.*) \|", codes)
    assert waits
    known = re.findall("`([a-z-]+)`", waits[1])
    plain = decision(prediction=None)
    told = {code for code in known if short_reason(plain._replace(code=code)) != plain.reason}
    assert told == set(known)


def test_figures_are_those_of_the_program() -> None:
    for level, aim in policy.AIM_TOKENS.items():
        assert re.search(rf"{level} \|.*\| {aim:,} tokens \|", PAGE)
    times = "\N{MULTIPLICATION SIGN}"
    assert f"at {policy.WARM_FACTOR:g} {times} the break-even" in FLAT
    assert policy.HISTORY_LEAST_SHARE == 0.25
    assert "has to free a quarter of the usable window" in FLAT
    assert f"less than {policy.LEAST_TOKENS} tokens" in FLAT
    assert f"less than {policy.POOR_SHARE:.0%}".replace("%", " %") in FLAT
    assert f"more than {trust.BAD_SHARE:.0%}".replace("%", " %") in FLAT
