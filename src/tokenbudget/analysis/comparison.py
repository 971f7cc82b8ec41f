"""Why another counter may show other numbers for the same sessions, by this ledger's facts."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tokenbudget.ledger.inspection import CopySums, FileReport


def why_others_differ(files: FileReport, sums: CopySums) -> str:
    """One paragraph; every number in it is measured on this ledger."""
    share = sums.sidechain_tokens / sums.total_tokens if sums.total_tokens else 0.0
    parts = [
        f"Here {files.responses:,} responses are counted once each, by message id and over all"
        f" files; {files.copied_responses:,} of them also stand in further files (forks, resumes,"
        " subagent replays), so a tool that adds lines or files counts those again.",
        "Clients write a response as several lines with growing counts: a tool that keeps the"
        " first line shows too few output tokens.",
        f"Subagents are included: {share:.0%} of all tokens.",
        f"{sums.hour_write_tokens:,} tokens were written to the 1-hour cache at twice the input"
        " price; at the 5-minute price they would seem 37.5 % cheaper.",
    ]
    if sums.iteration_tokens:
        parts.append(
            f"{sums.iteration_tokens:,} tokens belong to earlier attempts of responses that fell"
            " back to another model, which most tools leave out."
        )
    if files.synthetic_lines:
        parts.append(
            f"{files.synthetic_lines:,} lines that the client wrote itself (<synthetic>) are not"
            " counted."
        )
    if sums.low_confidence_tokens:
        parts.append(
            f"{sums.low_confidence_tokens:,} output tokens are marked as too low, because their"
            " final count was never written."
        )
    parts.append(
        "Not in any transcript, and so in no such tool: compaction calls and some side calls. Days"
        " are those of the chosen time zone; prices are those of each request's own date."
    )
    return " ".join(parts)
