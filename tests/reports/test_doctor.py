import json

import pytest
from tests.reports.conftest import table

from tokenbudget.ledger.inspection import FileReport, LowConfidence, ProblemRow
from tokenbudget.model.figures import Style, text_width
from tokenbudget.reports.doctor import Report, doctor_document, doctor_lines, estimated_output
from tokenbudget.resources.effect import Facts
from tokenbudget.resources.effect_parts import judged

NO_FILES = FileReport(*[0] * len(FileReport._fields))
NOTHING = Facts(now_ms=0, home="/h", files=())
FILES = NO_FILES._replace(files=3, responses=9, lines=20, size_bytes=1_500_000)


def report(**fields: object) -> Report:
    """Three files in which all is well."""
    plain = Report(
        ledger="/home/me/.local/share/tokenbudget/ledger.db",
        folders=["/home/me/.claude"],
        absent=[],
        home="/home/me",
        unreadable=[],
        files=FILES,
        problems=[],
        table=table("model", {}),
        low_confidence=[],
        prices="as of today",
    )
    return plain._replace(**fields)  # type: ignore[arg-type]


def lines_of(made: Report, width: int = 100) -> list[str]:
    """The report as plain text."""
    return doctor_lines(made, Style(width, is_styled=False))


@pytest.mark.parametrize(
    ("fields", "verdict"),
    [
        ({}, "3 transcripts read, 9 responses: nothing in the transcripts is doubtful."),
        (
            {"files": FILES._replace(malformed_lines=1, unknown_responses=2)},
            "3 transcripts read, 9 responses; 1 line passed over, 2 responses without usage.",
        ),
        (
            {"unreadable": [("/a", "Permission denied")]},
            "3 transcripts read, 9 responses; 1 file could not be read.",
        ),
        (
            {"files": FILES._replace(low_confidence_responses=4)},
            "3 transcripts read, 9 responses; 4 responses with too low an output.",
        ),
        ({"files": NO_FILES}, "No sessions under ~/.claude yet."),
    ],
)
def test_the_verdict_comes_first(fields: dict[str, object], verdict: str) -> None:
    assert lines_of(report(**fields))[0] == verdict


def test_places_are_shown_with_a_tilde() -> None:
    lines = lines_of(report(absent=["/home/me/.claude"]))

    assert "  Ledger       ~/.local/share/tokenbudget/ledger.db" in lines
    assert "  Looked in    ~/.claude (not there)" in lines


def test_a_passing_ledger_has_no_place() -> None:
    assert "  Ledger       none (a passing one)" in lines_of(report(ledger=""))


def test_counts_of_nothing_are_left_out_except_those_that_reassure() -> None:
    counts = [
        line.split(maxsplit=1)[1] for line in lines_of(report()) if line[:14].strip().isdigit()
    ]

    assert [count.split("  ")[0] for count in counts] == [
        "transcripts read",
        "lines",
        "passed over",
        "responses",
    ]


def test_an_unreadable_file_is_shown_once() -> None:
    made = report(
        unreadable=[("/home/me/a.jsonl", "Permission denied")],
        problems=[ProblemRow("/home/me/a.jsonl", None, "Permission denied")],
    )
    rows = [line.split() for line in lines_of(made) if "a.jsonl" in line]

    assert rows == [["~/a.jsonl", "all", "Permission", "denied"]]


def test_problems_that_are_not_shown_are_counted() -> None:
    made = report(
        files=FILES._replace(malformed_lines=1_234),
        problems=[ProblemRow("/a.jsonl", 10, "not JSON")],
    )

    assert "1,233 more: tokens doctor --problems N" in lines_of(made)


def test_what_is_too_low_is_estimated_and_marked() -> None:
    row = LowConfidence("claude-opus-5-5", "2.0.1", 3, 12, 14_000)
    line = next(line for line in lines_of(report(low_confidence=[row])) if "opus" in line)

    assert line.split() == ["claude-opus-5-5", "2.0.1", "3", "12", "~10,000"]


def test_an_estimate_is_never_below_what_was_counted() -> None:
    assert estimated_output(LowConfidence("m", "v", 1, 500, 14)) == 500


@pytest.mark.parametrize("width", [60, 80, 120])
def test_it_fits(width: int) -> None:
    made = report(
        ledger="/l" * 200,
        folders=["/f" * 200, "/home/me/" + "漢" * 100],
        absent=["/f" * 200],
        problems=[ProblemRow("/p" * 200, 10**9, "reason " * 30)],
        files=NO_FILES._replace(**dict.fromkeys(FileReport._fields, 10**12)),
        low_confidence=[LowConfidence("m" * 100, "v" * 100, 10**9, 10**12, 10**13)],
    )

    assert max(map(text_width, lines_of(made, width))) <= width


def test_json_holds_everything() -> None:
    document = json.loads(doctor_document(report(unreadable=[("/a", "gone")]), judged(NOTHING)))

    assert document["format"] == "tokenbudget/doctor/1"
    assert document["files"]["responses"] == 9
    assert document["unreadable"] == [{"path": "/a", "reason": "gone"}]
    assert document["wiring"]["is_effective"] is True
