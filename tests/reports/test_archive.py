"""What the archive's verbs print, at several widths, with fixed figures.

To accept a change: delete the file under `golden`, run the test (it writes the new one and fails),
and look at the difference before you commit it.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tokenbudget.analysis.periods import Zone
from tokenbudget.model.figures import Style, text_width
from tokenbudget.reports.archive import (
    DoneView,
    LeftRow,
    PlanRow,
    PlanView,
    archive_document,
    done_lines,
    plan_lines,
)
from tokenbudget.reports.archive_kept import (
    KeptRow,
    ListView,
    StatsView,
    TrashView,
    list_lines,
    stats_lines,
)
from tokenbudget.reports.archive_verified import ProblemRow, VerifyView, verify_lines
from tokenbudget.reports.archive_words import age, place, share, size

GOLDEN = Path(__file__).parent / "golden"
DAY_MS = 86_400_000
NOW_MS = 1_795_176_000_000
ZONE = Zone("UTC", NOW_MS)
HOME = "/home/dev"


def plan_row(number: int, **changes: Any) -> PlanRow:
    row = PlanRow(
        session=f"{number:08x}-1d2c-4b3a-9f8e-7d6c5b4a3f2e",
        title="Checkout: taxes of mixed baskets, and a second opinion on rounding",
        project=f"{HOME}/src/webshop",
        last_ms=NOW_MS - (40 + number) * DAY_MS,
        files=1 + number % 3,
        raw_bytes=1_234_567 * (number + 1),
        expected_bytes=198_765 * (number + 1),
        folder=f"{HOME}/src/webshop/.claude/sessions/archive",
        note="",
    )
    return row._replace(**changes)


def plan_view(rows: int = 3) -> PlanView:
    gone = {"folder": f"{HOME}/.claude/sessions/archive", "note": "the project is gone"}
    return PlanView(
        older_than_days=30,
        now_ms=NOW_MS,
        rows=[plan_row(n, **(gone if n == 1 else {})) for n in range(rows)],
        left=[
            LeftRow("young", "/p", "young", "it was used within the last 30 days"),
            LeftRow("busy\x1b[2J", "/p", "live", "process 4711 (node) has busy.jsonl open"),
            LeftRow("odd", "/p", "fault", "odd/out.txt is a link"),
        ],
        warnings=[],
        home=HOME,
        cleanup_days=30,
    )


def done_view(**changes: Any) -> DoneView:
    view = DoneView(
        action=7,
        packed_raw_bytes=3_703_701,
        archive_bytes=570_370,
        trash_bytes=3_703_701,
        emptied_bytes=0,
    )
    return view._replace(**changes)


def after(view: PlanView) -> PlanView:
    rows = [row._replace(state="done") for row in view.rows]
    rows[0] = rows[0]._replace(state="failed", message="it was written since; archive it again")
    return view._replace(rows=rows)


def kept_rows() -> list[KeptRow]:
    row = KeptRow(
        session="0b4e6f5a-1d2c-4b3a-9f8e-7d6c5b4a3f2e",
        title="Checkout: taxes of mixed baskets, and a second opinion on rounding",
        project=f"{HOME}/src/webshop",
        last_ms=NOW_MS - 61 * DAY_MS,
        archived_ms=NOW_MS - 20 * DAY_MS,
        files=4,
        raw_bytes=12_345_678,
        size_bytes=1_876_543,
        folder=f"{HOME}/src/webshop/.claude/sessions/archive",
        archive_file="0b4e6f5a-1d2c-4b3a-9f8e-7d6c5b4a3f2e-0011223344556677.zst",
        is_in_place=False,
        is_newest=True,
        marked_ms=None,
    )
    return [
        row,
        row._replace(session="1c4e", project="", title="\x1b]0;x\x07", is_in_place=True),
        row._replace(session="2d4e", is_newest=False, raw_bytes=999, size_bytes=210),
        row._replace(session="3e4e", marked_ms=NOW_MS - DAY_MS, last_ms=NOW_MS - 5 * DAY_MS),
    ]


TRASH = TrashView(files=5, bytes=2_500_000)

SCREENS: dict[str, Callable[[Style], list[str]]] = {
    "archive-plan": lambda style: plan_lines(plan_view(), style, ZONE),
    "archive-long-plan": lambda style: plan_lines(plan_view(25), style, ZONE),
    "archive-nothing": lambda style: plan_lines(plan_view(0), style, ZONE),
    "archive-done": lambda style: done_lines(after(plan_view()), done_view()),
    "archive-stopped": lambda style: done_lines(
        plan_view(), done_view(is_interrupted=True, action=None)
    ),
    "archive-list": lambda style: list_lines(
        ListView(kept_rows(), ["a\x1b[2J is damaged"], TRASH, HOME), style, ZONE
    ),
    "archive-stats": lambda style: stats_lines(
        StatsView(kept_rows(), 5_000_000, [], TRASH, 30, NOW_MS, HOME), style, ZONE
    ),
    "archive-verify": lambda style: verify_lines(
        VerifyView(
            3,
            41,
            9_000_000,
            60_000_000,
            [
                ProblemRow(f"{HOME}/a", "x-1.zst", "damaged", "its hash differs", ["s1", "s2"]),
                ProblemRow("/srv/b", "y-2.zst", "unlisted", "no manifest lists it", []),
            ],
            HOME,
        )
    ),
}


@pytest.mark.parametrize("width", [80, 100, 160])
@pytest.mark.parametrize("screen", SCREENS)
def test_screen(screen: str, width: int) -> None:
    lines = SCREENS[screen](Style(width, is_styled=False))

    shown = "\n".join(lines) + "\n"
    assert "\x1b" not in shown
    table = [line for line in lines if "  " in line and not line.startswith("  ")]
    assert max(map(text_width, table), default=0) <= width
    assert shown == accepted(screen, width, shown)


def accepted(screen: str, width: int, shown: str) -> str:
    """The stored screen; a missing one is written, for a person to look at."""
    path = GOLDEN / f"{screen}-{width}.txt"
    if not path.exists():
        path.parent.mkdir(exist_ok=True)
        path.write_text(shown)
        pytest.fail(f"wrote {path.name}: look at it, then run again")
    return path.read_text()


def test_the_documents_fields_stay() -> None:
    told = json.loads(archive_document(after(plan_view()), done_view(), ZONE))

    assert told["format"] == "tokenbudget/archive/1"
    assert list(told) == [
        "format",
        "is_dry_run",
        "is_interrupted",
        "older_than_days",
        "agent_deletes_after_days",
        "rows",
        "totals",
        "left",
        "warnings",
        "action",
    ]
    assert list(told["rows"][0]) == [
        "session",
        "title",
        "project",
        "last_activity",
        "age_days",
        "files",
        "raw_bytes",
        "expected_bytes",
        "folder",
        "note",
        "state",
        "message",
    ]
    assert told["totals"]["archived_sessions"] == 2
    assert told["totals"]["archived_raw_bytes"] == sum(
        row["raw_bytes"] for row in told["rows"] if row["state"] == "done"
    )


@pytest.mark.parametrize(
    ("amount", "words"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1.00 KB"),
        (99_949, "99.9 KB"),
        (999_499, "999 KB"),
        (999_500, "1.00 MB"),
        (10**16, "10000 TB"),
    ],
)
def test_sizes(amount: int, words: str) -> None:
    assert size(amount) == words


def test_shares_places_and_ages() -> None:
    assert (share(1, 8), share(1, 0)) == ("12.5%", "")
    assert (place(HOME, HOME), place(f"{HOME}/a", HOME)) == ("~", "~/a")
    assert place(f"{HOME}-other/\x1ba", HOME) == f"{HOME}-other/a"
    assert age(NOW_MS - DAY_MS, NOW_MS) == "1 day"
    assert (age(NOW_MS, NOW_MS), age(NOW_MS + 1, NOW_MS)) == ("today", "in the future")
