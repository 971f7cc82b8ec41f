"""A report as JSON: what the schema promises, exact sums, and texts that come back as they were."""

import json
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import fastjsonschema
import pytest
from tests.hostile import PAYLOADS
from tests.reports.sample_report import empty_report, rich_report, said_by_others

from tokenbudget.analysis.report_data import ReportData
from tokenbudget.reports.report_json import report_json

SCHEMA = Path(__file__).parents[2] / "docs" / "report.schema.json"
DOCUMENTATION = SCHEMA.with_name("report.md")


def hostile_report() -> ReportData:
    return said_by_others(tuple(PAYLOADS.values()))


def schema() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(SCHEMA.read_text())
    return found


@pytest.mark.parametrize("made", [rich_report, empty_report, hostile_report])
def test_keeps_to_its_schema(made: Callable[[], ReportData]) -> None:
    fastjsonschema.compile(schema())(json.loads(report_json(made())))


def test_the_schema_lets_nothing_else_pass() -> None:
    check = fastjsonschema.compile(schema())
    report = json.loads(report_json(rich_report()))
    for name in list(report):
        with pytest.raises(fastjsonschema.JsonSchemaValueException):
            check({key: value for key, value in report.items() if key != name})
    with pytest.raises(fastjsonschema.JsonSchemaValueException):
        check({**report, "more": 1})
    with pytest.raises(fastjsonschema.JsonSchemaValueException):
        check({**report, "totals": {**report["totals"], "input_tokens": "12"}})


def test_every_field_is_documented() -> None:
    text = DOCUMENTATION.read_text()
    missing = [name for name in fields_of(schema()) if f"`{name}`" not in text]
    assert missing == []


def fields_of(part: Any) -> list[str]:
    """The names of every object in a schema."""
    if isinstance(part, list):
        return [name for one in part for name in fields_of(one)]
    if not isinstance(part, dict):
        return []
    names = list(part.get("properties", {}))
    return names + [name for one in part.values() for name in fields_of(one)]


def test_days_kinds_and_the_tree_add_up_to_the_totals() -> None:
    report = json.loads(report_json(rich_report()))
    totals = report["totals"]
    assert sum(day["total_tokens"] for day in report["days"]) == totals["total_tokens"]
    assert sum(Decimal(day["cost_usd"]) for day in report["days"]) == Decimal(totals["cost_usd"])
    kinds = report["costs"]["kinds"]
    assert sum(Decimal(kind["cost_usd"]) for kind in kinds) == Decimal(totals["cost_usd"])
    parts = report["tree"]["children"]
    assert sum(part["total_tokens"] for part in parts) == totals["total_tokens"]


def test_money_is_exact() -> None:
    report = json.loads(report_json(rich_report()))
    assert Decimal(report["totals"]["cost_usd"]) == rich_report().profile.totals.cost_usd


def test_hostile_text_comes_back_as_it_was_and_stays_within_its_string() -> None:
    hostile = hostile_report()
    text = report_json(hostile)
    assert text.isascii()
    report = json.loads(text)
    assert report["verdict"] == hostile.verdict
    assert [one["title"] for one in report["findings"]] == [one.title for one in hostile.findings]


def test_prompts_are_there_only_with_content() -> None:
    assert json.loads(report_json(rich_report()))["prompts"] == []
    with_content = rich_report()._replace(has_content=True, prompts=(("s1", "Fix it"),))
    report = json.loads(report_json(with_content))
    assert report["prompts"] == [{"session": "s1", "prompt": "Fix it"}]
