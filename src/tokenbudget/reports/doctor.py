"""The doctor's report, as text and as JSON."""

from __future__ import annotations

from typing import NamedTuple

from tokenbudget.reports.json import document
from tokenbudget.reports.sanitize import one_line
from tokenbudget.reports.table import Column, render, short_count
from tokenbudget.reports.usage import hanging

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from tokenbudget.analysis.usage import UsageTable
    from tokenbudget.ledger.inspection import FileReport, LowConfidence, ProblemRow
    from tokenbudget.reports.table import Cell, Style

BYTES_PER_TOKEN = 1.4
"""JSON bytes that responses with a final count wrote per output token: median of 33,000 responses
of clients 2.1.62 and later (docs/counting.md, paragraph 15)."""


class Report(NamedTuple):
    """What the doctor has to say."""

    ledger: str
    folders: Sequence[str]
    unreadable: Sequence[tuple[str, str]]
    files: FileReport
    problems: Sequence[ProblemRow]
    table: UsageTable
    low_confidence: Sequence[LowConfidence]
    prices: str


def estimated_output(row: LowConfidence) -> int:
    """What the output probably was, from the length of what was written; never below the count."""
    return max(row.output_tokens, round(row.written_bytes / BYTES_PER_TOKEN))


def doctor_lines(report: Report, style: Style) -> list[str]:
    """The report for a person."""
    files = report.files
    is_well = not (report.problems or report.unreadable or files.unknown_responses)
    verdict = (
        "All transcripts were read." if is_well else "Everything readable was read; see below."
    )
    lines = [
        style.bold(verdict),
        "",
        f"  Ledger       {one_line(report.ledger) or 'none (temporary)'}",
        f"  Looked in    {', '.join(one_line(folder) for folder in report.folders)}",
        f"  Prices       {report.prices}",
        "",
        *_counts(files),
        "",
    ]
    lines += _problem_lines(report, style)
    lines += _unpriced_lines(report, style)
    lines += _low_confidence_lines(report, style)
    return lines[:-1] if lines[-1] == "" else lines


def _counts(files: FileReport) -> list[str]:
    facts = [
        (files.files, "transcripts read", f"{files.size_bytes / 1e6:,.1f} MB"),
        (files.gone_files, "of them are gone", "their usage stays"),
        (files.rereads, "times a rewritten one", "was read afresh"),
        (files.lagging_files, "wait for the second pass", "tools, words, attachments"),
        (files.lines, "lines", ""),
        (files.repaired_lines, "of them repaired", "lone surrogate, NaN or an odd type"),
        (files.malformed_lines, "passed over", "no JSON, no object, or too long"),
        (files.blank_lines, "blank", ""),
        (files.synthetic_lines, "written by the client", "<synthetic>, never counted"),
        (files.responses, "responses", "each counted once"),
        (files.copied_responses, "stand in several files", "forks, resumes, replays"),
        (files.unknown_responses, "reported no usage", "not counted"),
        (files.low_confidence_responses, "without a final count", "output too low"),
        (files.unsplit_responses, "without a cache split", "taken as 5-minute writes"),
        (files.undated_responses, "without a time", "shown as day 'unknown'"),
    ]
    always = {"transcripts read", "lines", "responses", "passed over"}
    return [
        f"  {count:>12,}  {name:<25} {more}".rstrip()
        for count, name, more in facts
        if count or name in always
    ]


def _problem_lines(report: Report, style: Style) -> list[str]:
    if not report.problems and not report.unreadable:
        return []
    columns = [
        Column("Problem in", is_text=True),
        Column("At byte"),
        Column("Reason", is_text=True),
    ]
    rows: list[list[Cell]] = [[path, None, reason] for path, reason in report.unreadable]
    known = {path for path, _ in report.unreadable}
    more: list[list[Cell]] = [
        [p.path, p.byte_offset, p.reason] for p in report.problems if p.path not in known
    ]
    return [*render(columns, [*rows, *more], None, style), ""]


def _unpriced_lines(report: Report, style: Style) -> list[str]:
    table = report.table
    if not table.unpriced_models:
        return []
    note = (
        f"? {short_count(table.totals.unpriced_tokens)} tokens have no price:"
        f" {', '.join(one_line(name) for name in table.unpriced_models)}."
        " Give prices in config.toml (docs/prices.md)."
    )
    return [*hanging(note, style.width), ""]


def _low_confidence_lines(report: Report, style: Style) -> list[str]:
    if not report.low_confidence:
        return []
    columns = [
        Column("Output too low in", is_text=True),
        Column("Client", is_text=True),
        Column("Responses"),
        Column("Output tokens"),
        Column("Estimated"),
    ]
    rows: list[list[Cell]] = [
        [row.model, row.version, row.responses, row.output_tokens, f"~{estimated_output(row):,}"]
        for row in report.low_confidence
    ]
    return [*render(columns, rows, None, style), ""]


def doctor_document(report: Report) -> str:
    """The report as `tokenbudget/doctor/1`."""
    fields = {
        "ledger": report.ledger,
        "folders": list(report.folders),
        "prices": report.prices,
        "files": report.files._asdict(),
        "unreadable": [{"path": path, "reason": reason} for path, reason in report.unreadable],
        "problems": [problem._asdict() for problem in report.problems],
        "unpriced_tokens": report.table.totals.unpriced_tokens,
        "unpriced_models": report.table.unpriced_models,
        "low_confidence": [
            {**row._asdict(), "estimated_output_tokens": estimated_output(row)}
            for row in report.low_confidence
        ],
    }
    return document("doctor", 1, fields)
