"""The plan of a cleanup on a screen: every figure with its unit, its time and its doubt."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest
from tests.cli.test_hostile_text import HOSTILE, harmful

from tokenbudget.analysis.cache_state import UNKNOWN
from tokenbudget.analysis.compact_plan import (
    CompactPlan,
    KindWeight,
    PastAction,
    Receipt,
    Talk,
    Wish,
    chosen_ids,
)
from tokenbudget.analysis.first_requests import Proof
from tokenbudget.analysis.periods import Zone
from tokenbudget.model.actions import (
    NEVER_SENT,
    UNKNOWN_WEIGHT,
    ActionRecord,
    Outcome,
    Proposal,
    StepRecord,
    TrashFile,
    Weight,
)
from tokenbudget.model.figures import Style, text_width
from tokenbudget.reports.compact import measure_lines, plan_lines, receipt_lines
from tokenbudget.reports.compact_json import compact_document, measure_document
from tokenbudget.reports.compact_words import size_words

NOW_MS = 1_790_000_000_000
ZONE = Zone("UTC", NOW_MS)
WIDE = Style(100, is_styled=False)
STEP = TrashFile("/srv/shop/a.bak", 3, 4)
PROPOSALS = (
    Proposal(
        "mcp-servers/wiki", "mcp-servers", "switch off the MCP server wiki",
        "not called in 41 sessions", Weight(6_800, 500, "calibrated"), 0, "next start", True,
        (STEP,),
    ),
    Proposal(
        "mcp-servers/mail", "mcp-servers", "switch off the MCP server mail", "called twice",
        UNKNOWN_WEIGHT, 0, "next start", False, (STEP,),
    ),
    Proposal(
        "memory-files/copy", "memory-files", "exclude .claude/CLAUDE.md, a copy of CLAUDE.md",
        "the same text", Weight(5_800, 300, "calibrated"), 0, "next compaction", True, (STEP,),
    ),
    Proposal(
        "memory-files/long", "memory-files", "shorten CLAUDE.md", "it is long",
        Weight(2_000, 400, "estimated"), 0, "next compaction", False, (), "open CLAUDE.md",
    ),
    Proposal(
        "scratch/backups", "scratch", "move 5 backups to the trash", "older than 30 days",
        NEVER_SENT, 1_234_567, "disk only", True, (STEP,),
    ),
)  # fmt: skip
KINDS = {
    "mcp-servers": KindWeight("mcp-servers", 3, 13_600, 1, 0),
    "scratch": KindWeight("scratch", 5, 0, 0, 1_234_567),
}
PROOF = Proof("claude-opus-5-5", 38_214, 120, 3, 21_377, "s9", NOW_MS, 16_400)


def plan(proposals: tuple[Proposal, ...] = PROPOSALS, **fields: object) -> CompactPlan:
    made = CompactPlan(
        project="/srv/shop",
        facts=None,
        window=None,
        level=None,
        proposals=proposals,
        chosen=chosen_ids(proposals, Wish()),
        kinds=KINDS,
        sent_tokens=13_600,
        talk=None,
        weekly_requests=300.0,
        model="claude-opus-5-5",
        read_usd=Decimal("0.2"),
        past=None,
        notes=(),
    )
    return made._replace(**fields)  # type: ignore[arg-type]


def receipt(*faults: str) -> Receipt:
    steps = (
        StepRecord(0, STEP, Outcome("done", "")),
        StepRecord(1, STEP, Outcome("failed", "the disk is full")),
    )
    record = ActionRecord(7, NOW_MS, "tokens compact", "/srv/shop", 12_600, 9, None, steps)
    after = {"mcp-servers": KindWeight("mcp-servers", 3, 6_800, 1, 0)}
    return Receipt(record, KINDS, after, (13_600, 6_800), faults)


def text(made: CompactPlan, style: Style = WIDE) -> str:
    return "\n".join(plan_lines(made, style, ZONE))


def test_each_item_says_what_it_frees_when_and_why() -> None:
    said = text(plan())
    assert "[x] switch off the MCP server wiki" in said
    assert "~6,800 ± 500 tokens in a new session" in said
    assert "~5,800 ± 300 tokens after /compact" in said
    assert "never sent: disk only, 1.2 MB" in said
    assert "[ ] switch off the MCP server mail" in said
    assert "an unknown number of tokens in a new session" in said
    assert " >  shorten CLAUDE.md" in said
    assert "not called in 41 sessions · 2.04M tokens a week ($0.41) · id mcp-servers/wiki" in said
    assert "type: open CLAUDE.md" in said


def test_the_kind_that_frees_most_comes_first_and_says_what_is_there() -> None:
    said = text(plan())
    places = [said.index(title) for title in ("Memory files", "MCP servers", "Backups")]
    assert places == sorted(places)
    assert (
        "MCP servers (3 found, ~13,600 tokens in every request, 1 of unknown weight, 0 B)" in said
    )


def test_the_totals_add_up_by_when_they_take_effect() -> None:
    said = text(plan())
    assert "Chosen: 3 of 4, which free" in said
    assert "after /compact       ~5,800 ± 300 tokens" in said
    assert "in a new session     ~6,800 ± 500 tokens" in said
    assert "all in a new session ~12,600 ± 800 tokens" in said
    assert "every week           3.78M tokens a week ($0.76): 300 requests a week here, at" in said
    assert "disk                 1.2 MB" in said
    assert "[ ] is not chosen: --include mcp-servers/mail takes it in" in said


def test_what_is_said_of_many_in_the_same_words_is_folded() -> None:
    many = tuple(
        Proposal(
            f"skills/skill-{n}", "skills", f"take skill-{n} out of the listing",
            f"not used; type /skill-{n}", Weight(60 + n, 10, "estimated"), 0, "next compaction",
            True, (STEP,),
        )
        for n in range(5)
    )  # fmt: skip
    said = text(plan(many, kinds={}))
    assert "[x] 5 times: take … out of the listing" in said
    assert "~310 ± 50 tokens after /compact" in said
    assert "not used; type /…" in said
    listed = "skills/… with: skill-4 ~64, skill-3 ~63, skill-2 ~62, skill-1 ~61, skill-0 ~60"
    assert listed in " ".join(said.split())
    whole = "\n".join(plan_lines(plan(many, kinds={}), WIDE, ZONE, is_whole=True))
    assert whole.count("[x] take skill-") == 5
    half = plan(many, kinds={})._replace(chosen=frozenset(one.id for one in many[:2]))
    assert text(half).count("[x]") == 2
    assert text(half).count("[ ] take skill-") == 3


def test_without_evidence_or_a_price_there_is_no_week() -> None:
    assert "a week" not in text(plan(weekly_requests=None))
    said = text(plan(read_usd=None))
    assert "2.04M tokens a week ·" in said
    assert "$" not in said


def test_nothing_to_do_is_one_line() -> None:
    assert text(plan(())) == (
        "Nothing to do: no backup, duplicate or unused part was found in /srv/shop."
    )


def test_the_agents_own_command_stands_whole_on_its_line() -> None:
    command = "/compact Keep the edited files " + ", ".join(f'"{"x" * 50}{n}.py"' for n in range(4))
    talk = Talk(command, Weight(87_500, 7_500, "estimated"), UNKNOWN)
    assert f"  {command}" in plan_lines(plan(talk=talk), WIDE, ZONE)


@pytest.mark.parametrize(
    ("is_warm", "said"), [(True, "warm until"), (False, "cold"), (None, "is not known")]
)
def test_it_says_whether_the_cache_is_warm(is_warm: bool | None, said: str) -> None:
    cache = UNKNOWN._replace(is_warm=is_warm, cold_at_ms=NOW_MS)
    talk = Talk("/compact", Weight(87_500, 7_500, "estimated"), cache)
    assert said in text(plan(talk=talk))


@pytest.mark.parametrize("width", [40, 80, 100, 160])
def test_no_line_is_wider_than_the_screen(width: int) -> None:
    for line in plan_lines(plan(notes=("a note " * 40,)), Style(width, False), ZONE):
        assert text_width(line) <= max(width, 40)


def test_the_receipt_says_what_was_done_and_how_to_take_it_back() -> None:
    said = "\n".join(receipt_lines(receipt("the disk is full"), WIDE))
    assert "Done: 1 of 2 steps." in said
    assert "MCP servers                ~13,600 → ~6,800 tokens" in said
    assert "Backups and scratch files  5 → 0 found, 1.2 MB → 0 B" in said
    assert "! the disk is full" in said
    assert "Checked" not in said
    assert "tokens undo 7" in said
    assert "Checked: every file is as it should be" in "\n".join(receipt_lines(receipt(), WIDE))


def test_the_measure_stands_beside_the_prediction() -> None:
    assert measure_lines(PastAction(7, NOW_MS, PROOF)) == [
        "Action 7, measured: 38,214 → 21,377 tokens at the first request (freed 16,837, predicted"
        " ~16,400), claude-opus-5-5, beside 3 sessions before, which differ by 120."
    ]
    assert "not measured yet" in measure_lines(PastAction(7, NOW_MS, None))[0]
    assert measure_lines(None) == ["tokens compact has not changed anything here yet."]


def test_the_document_has_the_same_figures() -> None:
    found = json.loads(compact_document(plan(past=PastAction(7, NOW_MS, PROOF)), ZONE, receipt()))
    assert found["format"] == "tokenbudget/compact/1"
    by_id = {row["id"]: row for row in found["rows"]}
    assert by_id["mcp-servers/wiki"]["freed_tokens"] == 6_800
    assert by_id["mcp-servers/wiki"]["freed_tokens_error"] == 500
    assert by_id["mcp-servers/wiki"]["usd_per_week"] == "0.408"
    assert by_id["mcp-servers/mail"]["freed_tokens"] is None
    assert by_id["mcp-servers/mail"]["tokens_per_week"] is None
    assert by_id["mcp-servers/mail"]["is_chosen"] is False
    assert by_id["scratch/backups"]["effect"] == "disk only"
    assert found["totals"]["freed_tokens"] == 12_600
    assert found["totals"]["by_effect"]["next start"]["freed_tokens"] == 6_800
    assert found["last_action"]["measured_freed_tokens"] == 16_837
    assert found["receipt"]["action"] == 7
    assert json.loads(measure_document("/srv/shop", None, ZONE))["last_action"] is None


@pytest.mark.parametrize("bad", HOSTILE.values(), ids=HOSTILE.keys())
def test_whatever_a_name_holds_the_screen_stays_ours(bad: str) -> None:
    evil = Proposal(
        f"skills/{bad}", bad, bad, bad, Weight(5, 1, "estimated"), 9, "next start", True, (STEP,),
        bad,
    )  # fmt: skip
    made = plan((evil,), project=f"/srv/{bad}", notes=(bad,), model=bad, kinds={})
    made = made._replace(
        talk=Talk(bad, Weight(5, 1, "estimated"), UNKNOWN),
        past=PastAction(7, NOW_MS, PROOF._replace(model=bad)),
    )
    lines = [*plan_lines(made, WIDE, ZONE), *receipt_lines(receipt(bad), WIDE)]
    assert not harmful("\n".join(lines))
    assert json.loads(compact_document(made, ZONE, receipt(bad)))["rows"][0]["title"] == bad


def test_sizes_are_read_in_the_unit_that_fits() -> None:
    assert [size_words(n) for n in (0, 999, 1_000, 1_500_000, 10**15)] == [
        "0 B", "999 B", "1.0 KB", "1.5 MB", "1000.0 TB",
    ]  # fmt: skip
