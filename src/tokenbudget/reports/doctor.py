"""The doctor's report, as text and as JSON."""

from __future__ import annotations

from typing import NamedTuple

from tokenbudget.model.figures import counted, cut, wrapped
from tokenbudget.model.plain_text import one_line
from tokenbudget.reports.gateway_health import gateway_fields
from tokenbudget.reports.json import document
from tokenbudget.reports.table import Column, Marked, render
from tokenbudget.reports.usage import NOTE_WIDTH, nothing_lines, tilde, unpriced_note
from tokenbudget.reports.wiring import wiring_fields

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from tokenbudget.analysis.usage import UsageTable
    from tokenbudget.app.gateway_doctor import GatewayHealth
    from tokenbudget.ledger.inspection import FileReport, LowConfidence, ProblemRow
    from tokenbudget.model.figures import Style
    from tokenbudget.reports.table import Cell
    from tokenbudget.resources.effect import Wiring

BYTES_PER_TOKEN = 1.4
"""JSON bytes that responses with a final count wrote per output token: median of 33,000 responses
of clients 2.1.62 and later (docs/counting.md, paragraph 15)."""


class Report(NamedTuple):
    """What the doctor has to say."""

    ledger: str
    folders: Sequence[str]
    absent: Sequence[str]
    """Those of the folders that do not exist."""
    home: str
    unreadable: Sequence[tuple[str, str]]
    files: FileReport
    problems: Sequence[ProblemRow]
    table: UsageTable
    low_confidence: Sequence[LowConfidence]
    prices: str
    lost_reports: int = 0
    """Reports of the status line that nobody took in before there was no room left for them."""


def estimated_output(row: LowConfidence) -> int:
    """What the output probably was, from the length of what was written; never below the count."""
    return max(row.output_tokens, round(row.written_bytes / BYTES_PER_TOKEN))


def doctor_lines(report: Report, style: Style) -> list[str]:
    """The report for a person."""
    if report.files.files or report.unreadable:
        verdict = [style.bold(line) for line in wrapped(_verdict(report), style.width)]
    else:
        verdict = nothing_lines(report.folders, False, report.home)
    lines = [*verdict, "", *_places(report, style), ""]
    if report.files.files:
        lines += [*(cut(line, style.width) for line in _counts(report.files)), ""]
    lines += _lost_lines(report, style)
    lines += _problem_lines(report, style)
    lines += _unpriced_lines(report, style)
    lines += _low_confidence_lines(report, style)
    return lines[:-1] if lines[-1] == "" else lines


def _verdict(report: Report) -> str:
    files = report.files
    faults = [
        (len(_unreadable(report)), "file", "could not be read"),
        (files.malformed_lines, "line", "passed over"),
        (files.unknown_responses, "response", "without usage"),
        (files.low_confidence_responses, "response", "with too low an output"),
    ]
    doubts = [f"{counted(count, noun)} {what}" for count, noun, what in faults if count]
    read = f"{counted(files.files, 'transcript')} read, {counted(files.responses, 'response')}"
    return (
        f"{read}; {', '.join(doubts)}."
        if doubts
        else f"{read}: nothing in the transcripts is doubtful."
    )


def _places(report: Report, style: Style) -> list[str]:
    ledger = one_line(tilde(report.ledger, report.home)) or "none (a passing one)"
    facts = [("Ledger", ledger), ("Prices", report.prices)]
    for number, folder in enumerate(report.folders):
        missing = " (not there)" if folder in report.absent else ""
        facts.append(
            ("" if number else "Looked in", one_line(tilde(folder, report.home)) + missing)
        )
    return [cut(f"  {name:<12} {value}", style.width) for name, value in facts]


def _unreadable(report: Report) -> dict[str, str]:
    """Reason by path, from this reading and from those before."""
    remembered = {p.path: p.reason for p in report.problems if p.byte_offset is None}
    return remembered | dict(report.unreadable)


def _counts(files: FileReport) -> list[str]:
    facts = [
        (files.files, "transcripts read", f"{files.size_bytes / 1e6:,.1f} MB"),
        (files.gone_files, "of them are gone", "their usage stays"),
        (files.rereads, "rewritten ones", "read afresh"),
        (files.lagging_files, "await the second pass", "tools, words, attachments"),
        (files.lines, "lines", ""),
        (files.repaired_lines, "of them repaired", "lone surrogate, NaN or an odd type"),
        (files.malformed_lines, "passed over", "no JSON, no object, or too long"),
        (files.blank_lines, "blank", ""),
        (files.synthetic_lines, "written by the client", "<synthetic>, never counted"),
        (files.responses, "responses", "each counted once"),
        (files.copied_responses, "stand in several files", "forks, resumes, replays"),
        (files.unknown_responses, "reported no usage", "not counted"),
        (files.low_confidence_responses, "without a final count", "~ their output is too low"),
        (files.unsplit_responses, "without a cache split", "taken as 5-minute writes"),
        (files.undated_responses, "without a time", "shown as day 'unknown'"),
    ]
    always = {"transcripts read", "lines", "responses", "passed over"}
    return [
        f"  {count:>12,}  {name:<25} {more}".rstrip()
        for count, name, more in facts
        if count or name in always
    ]


def _lost_lines(report: Report, style: Style) -> list[str]:
    if not report.lost_reports:
        return []
    lost = counted(report.lost_reports, "report")
    told = f"Up to {lost} of the status line came to nothing: they were not taken in for too long."
    return [*wrapped(f"{told} Limits of that time are missing.", style.width), ""]


def _problem_lines(report: Report, style: Style) -> list[str]:
    lines = [problem for problem in report.problems if problem.byte_offset is not None]
    unreadable = _unreadable(report)
    if not lines and not unreadable:
        return []
    columns = [
        Column("Problem in", is_text=True),
        Column("At byte"),
        Column("Reason", is_text=True),
    ]
    files: list[list[Cell]] = [
        [tilde(path, report.home), "all", reason] for path, reason in unreadable.items()
    ]
    rows: list[list[Cell]] = [[tilde(p.path, report.home), p.byte_offset, p.reason] for p in lines]
    more = report.files.malformed_lines - len(lines)
    hint = [f"{more:,} more: tokens doctor --problems N"] if more > 0 else []
    return [*render(columns, [*files, *rows], None, style), *hint, ""]


def _unpriced_lines(report: Report, style: Style) -> list[str]:
    table = report.table
    if not table.unpriced_models:
        return []
    note = unpriced_note(table.totals, table.unpriced_models)
    return [*wrapped(note, min(style.width, NOTE_WIDTH), "  "), ""]


def _low_confidence_lines(report: Report, style: Style) -> list[str]:
    if not report.low_confidence:
        return []
    columns = [
        Column("Output too low in", is_text=True),
        Column("Client", is_text=True, drop_rank=1),
        Column("Responses"),
        Column("Output tokens"),
        Column("Probably"),
    ]
    rows: list[list[Cell]] = [
        [
            row.model,
            row.version,
            row.responses,
            row.output_tokens,
            Marked(estimated_output(row)),
        ]
        for row in report.low_confidence
    ]
    return [*render(columns, rows, None, style), ""]


def doctor_document(
    report: Report,
    wiring: Wiring,
    gateway: GatewayHealth | None = None,
    gateway_fault: str = "",
) -> str:
    """The report as `tokenbudget/doctor/1`, with what is wired, and the MCP gateway."""
    fields = {
        "ledger": report.ledger,
        "folders": list(report.folders),
        "prices": report.prices,
        "files": report.files._asdict(),
        "unreadable": [{"path": path, "reason": reason} for path, reason in report.unreadable],
        "problems": [problem._asdict() for problem in report.problems],
        "lost_statusline_reports": report.lost_reports,
        "unpriced_tokens": report.table.totals.unpriced_tokens,
        "unpriced_models": report.table.unpriced_models,
        "low_confidence": [
            {**row._asdict(), "estimated_output_tokens": estimated_output(row)}
            for row in report.low_confidence
        ],
        "wiring": wiring_fields(wiring),
        "gateway": gateway_fields(gateway, gateway_fault),
    }
    return document("doctor", 1, fields)
