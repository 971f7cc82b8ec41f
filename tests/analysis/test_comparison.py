from tests.analysis.conftest import TWO_ATTEMPTS, Bench, response

from tokenbudget.analysis.comparison import why_others_differ
from tokenbudget.ledger.inspection import CopySums, FileReport

QUIET = FileReport(*[0] * len(FileReport._fields))
NOTHING = CopySums(0, 0, 0, 0, 0)


def test_every_number_is_of_this_ledger() -> None:
    files = QUIET._replace(responses=1234, copied_responses=56, synthetic_lines=7)
    sums = CopySums(
        low_confidence_tokens=8_000,
        iteration_tokens=9_000,
        hour_write_tokens=10_000,
        sidechain_tokens=25,
        total_tokens=100,
    )

    text = why_others_differ(files, sums)

    for fact in (
        "1,234 responses",
        "56 of them",
        "25% of all",
        "10,000",
        "9,000",
        "7 lines",
        "8,000",
    ):
        assert fact in text


def test_what_is_not_there_is_not_said() -> None:
    text = why_others_differ(QUIET, NOTHING)

    for word in ("<synthetic>", "attempts", "too low"):
        assert word not in text


def test_an_empty_ledger_is_no_error() -> None:
    assert "Subagents are included: 0%" in why_others_differ(QUIET, NOTHING)


def test_it_is_one_paragraph() -> None:
    assert "\n" not in why_others_differ(QUIET, NOTHING)


def test_earlier_attempts_are_in_every_sum(bench_of: Bench) -> None:
    bench = bench_of(
        response(1, "2026-11-20T10:00:00Z", usage=TWO_ATTEMPTS, isSidechain=True),
        response(2, "2026-11-20T11:00:00Z"),
    )

    assert bench.ledger.copy_sums() == CopySums(
        low_confidence_tokens=0,
        iteration_tokens=2057,
        hour_write_tokens=2000,
        sidechain_tokens=110 + 2057,
        total_tokens=110 + 2057 + 110,
    )
