"""Check that every billed token and cent has one place: consumers, components, or unattributed.

    python tools/attribution.py [--from PATH ...] [--all]

For each session, what its studies say (tools, files, components, what stood unrecorded before the
first prompt, and `unattributed`) is added up and compared with what `tokens usage` says, exactly.
Then it prints the unattributed share of all sessions, and of those whose transcripts record how
their requests were made (`api-request-shape` lines) or what the client attached. Exit code 1 where
a sum is off.
"""

from __future__ import annotations

import argparse
import re
import sys
import time
from typing import NamedTuple

from tokenbudget.analysis.amounts import NOTHING, Amount, amount_of
from tokenbudget.analysis.periods import day_label
from tokenbudget.analysis.profile_sums import threads_of
from tokenbudget.analysis.study import PICO_USD, PREFIX, UNATTRIBUTED
from tokenbudget.analysis.usage import Names, query_for, tabulate
from tokenbudget.app import open_workbench
from tokenbudget.app.studies import studied
from tokenbudget.cli.options import settings
from tokenbudget.cli.terminal import terminal
from tokenbudget.collector.ingest import Want

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tokenbudget.analysis.study import FileStudy, Spend
    from tokenbudget.analysis.usage import Sums
    from tokenbudget.app import Workbench
    from tokenbudget.app.studies import Studied

REQUEST_LINE = re.compile(rb'"type": ?"api-request-shape"')
ATTACHMENT = re.compile(rb'"type": ?"attachment"')
MOST_UNATTRIBUTED = 0.15
"""What the recorded sessions are to stay below."""


class Checked(NamedTuple):
    """One session: what it was billed, and what of that nobody can be named for."""

    session: str
    bill: Amount
    prefix: Amount
    unattributed: Amount
    has_request_lines: bool
    has_attachments: bool
    problem: str


def main(arguments: Sequence[str]) -> int:
    """Check everything; returns the exit code."""
    made = argparse.ArgumentParser(description="Does every billed token have its place?")
    made.add_argument("--from", dest="from_paths", action="append", default=[], metavar="PATH")
    made.add_argument("--all", action="store_true", help="a line for every session")
    options = made.parse_args(arguments)
    told = terminal()
    with open_workbench(settings(), told, Want.DETAIL, from_paths=options.from_paths) as bench:
        begin = time.perf_counter()
        found = studied(bench, told)
        seconds = time.perf_counter() - begin
        rows = checked(bench, found)
        days = days_off(bench, found)
    for note in found.notes:
        print(f"note: {note}")
    for row in rows:
        if options.all or row.problem:
            share = row.unattributed.total_tokens / max(row.bill.total_tokens, 1)
            print(
                f"{row.session:36}  {row.bill.total_tokens:>14,} tokens  {share:7.2%} unattributed"
                f"  {row.problem or 'exact'}"
            )
    wrong = sum(bool(row.problem) for row in rows)
    print(f"{len(rows)} sessions studied in {seconds:.2f} s, {wrong} where a sum is off")
    for title, some in (
        ("all sessions", rows),
        ("with request lines or attachments", [row for row in rows if _is_recorded(row)]),
        ("with request lines", [row for row in rows if row.has_request_lines]),
        (
            "with attachments alone",
            [r for r in rows if _is_recorded(r) and not r.has_request_lines],
        ),
        ("with neither", [row for row in rows if not _is_recorded(row)]),
    ):
        print(share_line(title, some))
    for day, model, rest in days:
        print(f"{day} {model}: billed and charged differ by {rest}")
    return 1 if wrong or days else 0


def share_line(title: str, rows: Sequence[Checked]) -> str:
    """What of these sessions is unattributed, and what stood before the first prompt."""
    bill, prefix, nobody = NOTHING, NOTHING, NOTHING
    for row in rows:
        bill, prefix = bill.plus(row.bill), prefix.plus(row.prefix)
        nobody = nobody.plus(row.unattributed)
    tokens, usd = max(bill.total_tokens, 1), max(bill.cost_pico_usd, 1)
    above = sum(
        row.unattributed.total_tokens > MOST_UNATTRIBUTED * row.bill.total_tokens for row in rows
    )
    return (
        f"{title}: {len(rows)} sessions, {bill.total_tokens:,} tokens, ${bill.cost_usd:.2f};"
        f" unattributed {nobody.total_tokens / tokens:.2%} of tokens,"
        f" {nobody.cost_pico_usd / usd:.2%} of cost ({above} sessions above"
        f" {MOST_UNATTRIBUTED:.0%});"
        f" {PREFIX} {prefix.total_tokens / tokens:.2%}, {prefix.cost_pico_usd / usd:.2%}"
    )


def checked(bench: Workbench, found: Studied) -> list[Checked]:
    """Every session with usage."""
    by_session: dict[str, list[FileStudy]] = {}
    for study in found.files:
        by_session.setdefault(study.session, []).append(study)
    names = Names(bench.ledger.names("model"), bench.ledger.names("project"))
    usage = bench.ledger.usage(query_for(("session",), bench.zone))
    table = tabulate(usage, ("session",), names, bench.book, bench.zone)
    rows: list[Checked] = []
    for (session,), sums in table.rows:
        files = by_session.pop(session, [])
        rows.append(_checked(session, sums, files, bench))
    for session in by_session:
        rows.append(
            Checked(session, NOTHING, NOTHING, NOTHING, False, False, "not in usage at all")
        )
    return rows


def days_off(bench: Workbench, found: Studied) -> list[tuple[str, str, Amount]]:
    """Local days and models whose bill is not what was charged, and by how much.

    Where a transcript has no study, only what was charged beyond the bill is wrong.
    """
    charged: dict[tuple[str, str], list[Spend]] = {}
    for _, thread in threads_of(found.files):
        for spend in thread.spends:
            charged.setdefault((day_label(spend.day), spend.model), []).append(spend)
    with_study = {study.file_id for study in found.files}
    is_whole = all(one.file.file_id in with_study for one in bench.ledger.studies.files())
    names = Names(bench.ledger.names("model"), bench.ledger.names("project"))
    usage = bench.ledger.usage(query_for(("day", "model"), bench.zone))
    table = tabulate(usage, ("day", "model"), names, bench.book, bench.zone)
    bills = {(day, model): _bill(sums) for (day, model), sums in table.rows}
    off: list[tuple[str, str, Amount]] = []
    for day, model in sorted({*bills, *charged}):
        told = amount_of(charged.get((day, model), []))
        rest = bills.get((day, model), NOTHING).minus(told)
        if any(part < 0 for part in rest) or (is_whole and any(rest)):
            off.append((day, model, rest))
    return off


def _checked(session: str, sums: Sums, files: Sequence[FileStudy], bench: Workbench) -> Checked:
    spends = [spend for _, thread in threads_of(files) for spend in thread.spends]
    bill = _bill(sums)
    rest = bill.minus(amount_of(spends))
    nobody = amount_of(_of(spends, UNATTRIBUTED)).plus(rest)
    problem = ""
    if any(part < 0 for part in rest):
        problem = f"more was charged than billed: {rest}"
    elif files and any(rest):
        problem = f"billed and not charged: {rest}"
    elif any(part < 0 for spend in spends for part in spend[6:]):
        problem = "a consumer was charged less than nothing"
    texts = [_text(bench, file.path) for file in files]
    has_lines, has_attachments = (
        any(sign.search(text) for text in texts) for sign in (REQUEST_LINE, ATTACHMENT)
    )
    prefix = amount_of(_of(spends, PREFIX))
    return Checked(session, bill, prefix, nobody, has_lines, has_attachments, problem)


def _bill(sums: Sums) -> Amount:
    return Amount(
        sums.input_tokens,
        sums.cache_write_5m_tokens,
        sums.cache_write_1h_tokens,
        sums.cache_read_tokens,
        sums.output_tokens,
        round(sums.cost_usd * PICO_USD),
        sums.unpriced_tokens,
    )


def _of(spends: Iterable[Spend], component: str) -> Iterable[Spend]:
    return (spend for spend in spends if spend.component == component)


def _is_recorded(row: Checked) -> bool:
    return row.has_request_lines or row.has_attachments


def _text(bench: Workbench, path: str) -> bytes:
    """The bytes of a transcript; none where it is gone."""
    try:
        with open(bench.bodies.place_of(path), "rb") as handle:
            return handle.read()
    except OSError:
        return b""


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
