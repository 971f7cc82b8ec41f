"""Whose sessions and which days `tokens optimize` looks at, and which rule keeps a file out."""

from __future__ import annotations

import errno
import os
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from tests.analysis.drains.studies import DAY_MS, FIRST_DAY, SHOP, at, seen, session

from tokenbudget.analysis.drains.catalogue import DRAINS, drain_of
from tokenbudget.analysis.drains.found import Findings, LineCost
from tokenbudget.analysis.drains.project_drains import Pace, drain_of_proposal, weekly_price
from tokenbudget.analysis.drains.ranking import Days, findings_from
from tokenbudget.analysis.findings import Price
from tokenbudget.analysis.periods import Zone
from tokenbudget.app.optimizing import told_first
from tokenbudget.app.optimizing_file import write_recommendations
from tokenbudget.app.optimizing_fixes import _covers, in_made_folders, with_fixes
from tokenbudget.app.optimizing_listing import LISTING_ID, joined
from tokenbudget.app.optimizing_scope import (
    files_of,
    local_day,
    observed_days,
    project_here,
    project_named,
    use_in,
)
from tokenbudget.model.actions import EditSettings, Proposal, SettingEdit, Weight
from tokenbudget.model.errors import BadRequest, ProjectUnusable
from tokenbudget.reports.optimize import split

UTC = Zone("UTC", at(FIRST_DAY + 10))
ORDER = (
    *("re-read", "stale-copy", "image", "verbose-log", "failing-command", "polling"),
    *("small-commands", "large-output", "whole-file", "read-unused", "subagent", "thinking"),
    *("costly-model", "cache-ttl", "cache-prefix", "cache-model-switch", "late-compaction"),
    *("early-compaction", "mcp-server", "skill", "memory-file", "duplicate-instruction"),
)


@dataclass
class Settings:
    """As much of them as is asked for."""

    home_dir: str
    working_dir: str


def bench(home: Path, here: Path) -> Any:
    return SimpleNamespace(settings=Settings(str(home), str(here)), token_counter=lambda: None)


def test_the_order_of_charging_is_the_documented_one() -> None:
    assert [drain.id for drain in DRAINS] == list(ORDER)
    assert {drain.id for drain in DRAINS if drain.detect is None} == set(ORDER[-4:])


def test_a_place_in_the_list_is_a_place_among_all() -> None:
    """What has no price is ranked below any cent, and is told before what is small."""
    sightings = [
        seen(subject="dear", sent=50_000), seen(subject="cheap", sent=20),
        seen(subject="unpriced", sent=90_000, cost=0),
    ]  # fmt: skip
    rows = findings_from(
        [session("s1", FIRST_DAY, *sightings)], Days(FIRST_DAY, FIRST_DAY), drain_of
    )
    assert [one.subject for one in rows] == ["dear", "cheap", "unpriced"]
    told = told_first(rows)
    assert [one.subject for one in told] == ["dear", "unpriced", "cheap"]
    assert split(told) == (told[:2], told[2:])


def test_the_period_is_the_last_thirty_days_up_to_the_last_use() -> None:
    files = [session(f"s{n}", FIRST_DAY + day) for n, day in enumerate((0, 5, 40, 60))]
    assert observed_days(files, UTC, None, None) == Days(FIRST_DAY + 40, FIRST_DAY + 60)
    assert observed_days(files, UTC, 0, None) == Days(FIRST_DAY, FIRST_DAY + 60)
    until = at(FIRST_DAY + 41, 0)  # the moment after the 40th day
    assert observed_days(files, UTC, None, until) == Days(FIRST_DAY + 40, FIRST_DAY + 40)
    assert observed_days(files, UTC, at(FIRST_DAY + 61), None).length == 0
    assert observed_days([], UTC, None, None).length == 0


def test_a_day_begins_where_the_person_is() -> None:
    late = at(FIRST_DAY, 23)
    assert local_day(late, UTC) == FIRST_DAY
    assert local_day(late, Zone("Asia/Tokyo", late)) == FIRST_DAY + 1
    assert local_day(at(FIRST_DAY, 1), Zone("America/New_York", late)) == FIRST_DAY - 1


def test_use_counts_each_session_once_with_its_subagents() -> None:
    files = [
        session("s1", FIRST_DAY),
        session("s1", FIRST_DAY, thread="agent-1", requests=3),
        session("s2", FIRST_DAY + 9),
    ]
    assert use_in(files, Days(FIRST_DAY, FIRST_DAY), UTC) == (1, 23)


def test_the_project_here_is_the_one_that_sessions_name(tmp_path: Path) -> None:
    shop = tmp_path / "shop"
    (shop / ".git").mkdir(parents=True)
    (shop / "src" / "deep").mkdir(parents=True)
    files = [session("s1", FIRST_DAY, project=str(shop))]
    assert project_here(bench(tmp_path, shop / "src" / "deep"), files) == str(shop)
    assert project_here(bench(tmp_path, tmp_path), files) is None
    assert project_here(bench(tmp_path, Path()), []) is None
    link = tmp_path / "link"
    link.symlink_to(shop)
    assert project_here(bench(tmp_path, link), files) == str(shop)
    assert [one.session for one in files_of(files, str(link))] == ["s1"]
    assert files_of(files, None) == files


def test_a_project_can_be_named_by_a_part_of_its_path(tmp_path: Path) -> None:
    names = ("/srv/shop", "/srv/shop-api", "/home/kim/docs")
    files = [session(name, FIRST_DAY, project=name) for name in names]
    here = bench(tmp_path, tmp_path)
    assert project_named(here, files, "shop") == "/srv/shop"  # the whole last part wins
    assert project_named(here, files, "api") == "/srv/shop-api"
    assert project_named(here, files, "/home/kim/docs/") == "/home/kim/docs"
    for wanted in ("srv", "nothing", ""):
        with pytest.raises(BadRequest):
            project_named(here, files, wanted)


@pytest.mark.parametrize(
    ("rule", "inside", "is_covered"),
    [
        ("Read(./node_modules/**)", "node_modules/a/b.js", True),
        ("Read(./node_modules/**)", "web/node_modules/a.js", True),
        ("Read(./node_modules/**)", "my_node_modules/a.js", False),
        ("Read(/dist/**)", "dist/app.js", True),
        ("Read(/dist/**)", "web/dist/app.js", False),
        ("Read(/web/app.min.js)", "web/app.min.js", True),
        ("Read(/web/app.min.js)", "web/app.min.js.map", False),
        ("Bash(rm *)", "rm", False),
    ],
)
def test_which_files_a_rule_covers(rule: str, inside: str, is_covered: bool) -> None:
    assert _covers(rule, inside) is is_covered


def rule_for(folder: str) -> Proposal:
    edit = SettingEdit(("permissions", "deny"), f"Read(./{folder}/**)", is_member=True)
    step = EditSettings(f"{SHOP}/.claude/settings.local.json", (edit,))
    return Proposal(
        f"ignore-rules/{folder}", "ignore-rules", f"deny reading in {folder}", "", Weight(0), 0,
        "now", False, (step,),
    )  # fmt: skip


def test_a_file_that_a_program_made_is_kept_out_by_a_rule(tmp_path: Path) -> None:
    made, own = f"{SHOP}/node_modules/x/index.js", f"{SHOP}/src/index.js"
    sightings = [seen("read-unused", path) for path in (made, own)]
    days = Days(FIRST_DAY, FIRST_DAY)
    found = findings_from([session("s1", FIRST_DAY, *sightings)], days, drain_of)
    assert in_made_folders(found) == {SHOP}
    here = bench(tmp_path, tmp_path)
    done, proposals, _ = with_fixes(here, found, {SHOP: (rule_for("node_modules"),)}, {})
    kinds = {one.subject: one.fix.kind for one in done}
    assert kinds == {made: "apply", own: "advice"}
    ids = [one.id for one in done if one.subject == made]
    assert list(proposals) == ids
    untouched = with_fixes(here, found, {}, {})  # a project that was not looked at
    assert untouched == (found, {}, {})


def test_a_line_is_offered_only_where_it_saves_more_than_it_costs(tmp_path: Path) -> None:
    sightings = [seen("re-read", f"{tmp_path}/{n}.py", sent=1_000) for n in range(2)]
    days = Days(FIRST_DAY, FIRST_DAY)
    file = session("s1", FIRST_DAY, *sightings, project=str(tmp_path))
    found = findings_from([file], days, drain_of)
    here = bench(tmp_path, tmp_path)
    here.token_counter = lambda: SimpleNamespace(count=lambda text: 20)
    rules: dict[str, tuple[Proposal, ...]] = {str(tmp_path): ()}
    worth = with_fixes(here, found, rules, {str(tmp_path): 50.0})  # 2,000 against 1,000
    assert {one.fix.kind for one in worth.findings} == {"apply"}
    assert set(worth.lines.values()) == {LineCost(20, 1_000)}
    dear = with_fixes(here, found, rules, {str(tmp_path): 51.0})
    assert {one.fix.kind for one in dear.findings} == {"advice"}
    assert "would cost about as much" in dear.findings[0].fix.text
    assert (dear.proposals, dear.lines) == ({}, {})


def test_what_every_request_carries_is_read_by_each_and_written_by_each_session() -> None:
    pace = Pace(200.0, 5.0, 20, 30, cast("Any", 2), cast("Any", 50))
    one = rule_for("x")._replace(resource="mcp-servers", freed=Weight(1_000, 100, "calibrated"))
    price = weekly_price(one, pace)
    assert price is not None
    assert (price.tokens, price.error_tokens) == (200_000, 20_000)
    assert price.usd is not None
    assert float(price.usd) == pytest.approx(1_000 * (195 * 2 + 5 * 50) / 1e6)
    assert float(price.error_usd or 0) == pytest.approx(0.064)
    unpriced = weekly_price(one, pace._replace(read_usd=None))
    assert unpriced is not None
    assert unpriced.usd is None
    assert weekly_price(one._replace(freed=Weight(None)), pace) is None


def test_proposals_belong_to_the_drain_that_they_are_the_fix_of() -> None:
    one = rule_for("x")
    kinds = {
        ("mcp-servers", "mcp-servers/github"): "mcp-server",
        ("skills", "skills/chart"): "skill",
        ("agents", "agents/critic"): "skill",
        ("memory-files", "memory-files/long/CLAUDE.md"): "memory-file",
        ("memory-files", "memory-files/twice/CLAUDE.md"): "duplicate-instruction",
        ("memory-files", "memory-files/repeated/CLAUDE.md"): "duplicate-instruction",
        ("scratch", "scratch/x.bak"): "",
        ("ignore-rules", "ignore-rules/dist"): "",
    }
    for (resource, identity), drain in kinds.items():
        assert drain_of_proposal(one._replace(resource=resource, id=identity)) == drain
    assert DAY_MS == 86_400_000


@pytest.mark.parametrize("call", ["fsync", "replace", "open"])
def test_a_full_disk_leaves_the_old_file_whole_and_nothing_beside_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    path = tmp_path / "OPTIMIZATION-RECOMMENDATIONS.md"
    none = Findings((), Price(0, 0, None, None), ())
    write_recommendations(none, str(path), "2026-11-20", "/home/kim")
    before = path.read_bytes()
    real_call = getattr(os, call)

    def full(*arguments: Any, **more: Any) -> Any:
        if call == "open" and not arguments[1] & os.O_CREAT:
            return real_call(*arguments, **more)
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, call, full)
    with pytest.raises(ProjectUnusable):
        write_recommendations(none, str(path), "2026-11-21", "/home/kim")
    monkeypatch.undo()
    assert path.read_bytes() == before
    assert [one.name for one in tmp_path.iterdir()] == [path.name]


def line_of(name: str, kind: str = "skills", *, is_chosen: bool = True) -> Proposal:
    keys = ("skillOverrides", name) if kind == "skills" else ("permissions", "deny")
    edit = SettingEdit(keys, "off" if kind == "skills" else f"Agent({name})", kind != "skills")
    steps = (EditSettings(f"{SHOP}/.claude/settings.local.json", (edit,)),)
    return Proposal(
        f"{kind}/{name}", kind, "take it out", "not used", Weight(60, 9, "estimated"), 0,
        "next compaction", is_chosen, steps,
    )  # fmt: skip


def test_unused_lines_of_the_listings_are_one_proposal_that_does_them_all() -> None:
    lines = [line_of("pdf"), line_of("seo"), line_of("critic", "agents")]
    (one,) = joined(lines)
    assert one.id == LISTING_ID
    assert one.title == "take 2 skills and 1 agent out of the listing in this project"
    assert one.freed == Weight(180, 27, "estimated")
    (step,) = one.steps
    assert isinstance(step, EditSettings)
    assert [edit.keys for edit in step.edits] == [
        ("skillOverrides", "pdf"), ("skillOverrides", "seo"), ("permissions", "deny"),
    ]  # fmt: skip
    assert drain_of_proposal(one) == "skill"


def test_what_is_not_sure_or_alone_stays_by_itself() -> None:
    unsure, other = line_of("maybe", is_chosen=False), line_of("x", "memory-files")
    alone = [line_of("pdf"), unsure, other]
    assert joined(alone) == alone
    both = joined([line_of("seo"), *alone])
    assert [one.id for one in both] == [LISTING_ID, "skills/maybe", "memory-files/x"]
    unknown = line_of("big")._replace(freed=Weight(None))
    assert joined([unknown, line_of("pdf")]) == [unknown, line_of("pdf")]
    assert joined([]) == []
