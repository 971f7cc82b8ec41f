"""`tokens export`: requests, tool calls, sessions and days, for other programs."""

from __future__ import annotations

import argparse
import os
from typing import NamedTuple

from tokenbudget.app import open_workbench
from tokenbudget.cli.options import HELP_WIDTH, parser, settings, show
from tokenbudget.cli.output_file import STDOUT, opened_output, settle_format, told_path, write_to
from tokenbudget.cli.rows_bar import RowsBar
from tokenbudget.cli.terminal import terminal, warn
from tokenbudget.collector.ingest import Want
from tokenbudget.model.errors import BadRequest
from tokenbudget.reports.exporters.tables import COLUMNS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Iterator, Sequence

    from tokenbudget.app import Workbench
    from tokenbudget.app.exporting_rows import Source
    from tokenbudget.reports.exporters.tables import Batch, Spelling, Table

ENDINGS = {
    "csv": "csv",
    "json": "json",
    "jsonl": "jsonl",
    "sql": "sql",
    "parquet": "parquet",
    "prometheus": "prom",
}
FILE_PER_TABLE = ("csv", "parquet")
ALL = "all"

EPILOG = """\
formats:
  csv         a file per table; without --tables the requests alone, in one file
  json        one object with all tables; jsonl: an object a line
  sql         loads as it is: sqlite3 FILE < token-export.sql, psql -f token-export.sql
  parquet     a file per table, as csv; needs pip install 'tokenbudget[parquet]'
  prometheus  totals by agent, project and model, for a textfile collector

examples:
  tokens export                                the requests of all time, as CSV
  tokens export csv --tables all --since 30d   token-export-requests.csv and three more
  tokens export sql --output - | sqlite3 tokens.db
  tokens export json --redact --project .      for a colleague: no path, title or name

docs/export.md describes every table and column.
"""


class _Place(NamedTuple):
    output: str | None
    project: str
    """Whose folder it is where no output is named; '' is the one that we are in."""
    ending: str


class Done(NamedTuple):
    """A file that was written."""

    path: str
    """'' is standard output."""
    what: str
    rows: int | None
    """None in totals, which have none."""


def run(arguments: Sequence[str]) -> int:
    """Carry the verb out."""
    told = [
        f"{told_path(one.path)}: {one.what}" for one in written(options_of(arguments)) if one.path
    ]
    if told:
        show(told)
    return 0


def written(options: Namespace) -> list[Done]:
    """Write what was asked for; raises BadRequest, ProjectUnusable, Refused."""
    tables = _tables(options)
    if options.format == "parquet":
        from tokenbudget.reports.exporters.parquet_file import pyarrow_or_refusal

        pyarrow_or_refusal()  # before anything is read
    bar = RowsBar()
    with open_workbench(
        settings(), terminal(), _want(tables), options.tz, options.from_paths
    ) as bench:
        source = _source(bench, options, bar)
        place = _Place(options.output, _folder(bench), ENDINGS[options.format])
        try:
            return list(_write(bench, source, tables, place, options))
        finally:
            bar.clear()


def options_of(arguments: Sequence[str]) -> Namespace:
    """What was typed; raises BadRequest."""
    made = parser("export", "Requests, tool calls, sessions and days, for other programs.")
    made.epilog = EPILOG
    made.formatter_class = _formatter
    made.add_argument(
        "format",
        nargs="?",
        choices=tuple(ENDINGS),
        help="csv where none is given",
        metavar="FORMAT",
    )
    made.add_argument(
        "--tables", metavar="NAMES", help=f"with commas: {', '.join(COLUMNS)}, or {ALL}"
    )
    made.add_argument("--since", metavar="WHEN", help="first day or moment: 2026-11-01, 7d, 'all'")
    made.add_argument("--until", metavar="WHEN", help="last day, included, or moment, excluded")
    made.add_argument(
        "--project", action="append", metavar="PATH", help="only this project: path or name"
    )
    made.add_argument("--session", metavar="ID", help="only this session")
    made.add_argument(
        "--redact", action="store_true", help="stable pseudonyms for paths, titles and names"
    )
    made.add_argument(
        "--output",
        metavar="PATH",
        help="write there ('-': standard output) instead of .claude/context/token-export.*",
    )
    options = made.parse_args(arguments)
    settle_format(options, "csv")
    return options


def _formatter(prog: str) -> argparse.HelpFormatter:
    return argparse.RawDescriptionHelpFormatter(prog, max_help_position=28, width=HELP_WIDTH)


def _tables(options: Namespace) -> list[str]:
    """The tables that are wanted, in our order; none for totals."""
    if options.format == "prometheus":
        if options.tables is not None:
            raise BadRequest("prometheus has totals and no tables; leave --tables out")
        return []
    if options.tables is None:
        return ["requests"] if options.format in FILE_PER_TABLE else list(COLUMNS)
    wanted = {name.strip().replace("-", "_") for name in options.tables.split(",")} - {""}
    unknown = sorted(wanted - {*COLUMNS, ALL})
    if unknown or not wanted:
        raise BadRequest(f"--tables takes {', '.join(COLUMNS)} or {ALL}, not '{options.tables}'")
    found = [name for name in COLUMNS if ALL in wanted or name in wanted]
    if len(found) > 1 and options.output == STDOUT and options.format in FILE_PER_TABLE:
        raise BadRequest(
            f"standard output takes one table of {options.format}; name one with --tables"
        )
    return found


def _want(tables: Sequence[str]) -> Want:
    return Want.DETAIL if {"tool_calls", "sessions"} & set(tables) else Want.USAGE


def _source(bench: Workbench, options: Namespace, bar: RowsBar) -> Source:
    from tokenbudget.app.exporting_rows import Source
    from tokenbudget.cli.choice import projects_named, session_named
    from tokenbudget.ledger.export_rows import Limits

    since, until, redactor = options.since, options.until, None
    if options.redact:
        from tokenbudget.app.redaction_key import redactor_of

        redactor = redactor_of(bench.settings.data_dir, warn)
    since_ms = None if since in (None, ALL) else bench.zone.moment_ms(since, is_end=False)
    until_ms = None if until is None else bench.zone.moment_ms(until, is_end=True)
    if since_ms is not None and until_ms is not None and since_ms >= until_ms:
        raise BadRequest(f"--since {since} is not before --until {until}")
    limits = Limits(
        since_ms=since_ms,
        until_ms=until_ms,
        project_ids=projects_named(
            bench.ledger.names("project"), options.project and [*map(_as_path, options.project)]
        ),
        session=None if options.session is None else session_named(bench, options.session),
    )
    return Source(bench.ledger, bench.book, bench.zone, limits, redactor, bar.add)


def _as_path(wanted: str) -> str:
    """What begins as a path is one; anything else is a name."""
    if wanted.startswith((".", "~", "/")):
        return os.path.abspath(os.path.expanduser(wanted))
    return wanted


def _folder(bench: Workbench) -> str:
    """The project that one is in, as for `tokens report`."""
    from tokenbudget.app.profiling import project_folder

    found = bench.settings
    return project_folder(found.working_dir, found.home_dir, found.claude_dirs)


def _write(
    bench: Workbench, source: Source, names: Sequence[str], place: _Place, options: Namespace
) -> Iterator[Done]:
    from tokenbudget.app.exporting import tables_of

    count = _Count()
    tables = [count.counting(table) for table in tables_of(source, names)]
    if options.format in FILE_PER_TABLE:
        for table in tables:
            count.rows = 0
            part = "" if len(tables) == 1 else f"-{table.name.replace('_', '-')}"
            yield Done(_write_table(table, part, bench, place), table.name, count.rows)
        return
    path = write_to(
        place.output,
        f"token-export.{place.ending}",
        _chunks(bench, source, tables, options),
        project=place.project,
    )
    yield Done(
        path,
        ", ".join(names) or "totals by agent, project and model",
        count.rows if names else None,
    )


class _Count:
    """How many rows have been written."""

    def __init__(self) -> None:
        self.rows = 0

    def counting(self, table: Table) -> Table:
        """The table, whose rows are counted as they are asked for."""

        def batches(spelling: Spelling) -> Iterator[Batch]:
            for batch in table.batches(spelling):
                self.rows += len(batch)
                yield batch

        return table._replace(batches=batches)


def _write_table(table: Table, part: str, bench: Workbench, place: _Place) -> str:
    """One file; `part` is what its name has besides."""
    name, output = f"token-export{part}.{place.ending}", place.output
    if output not in (None, STDOUT):
        stem, ending = os.path.splitext(str(output))
        output = f"{stem}{part}{ending}"
    if place.ending == "parquet":
        from tokenbudget.reports.exporters.parquet_file import write_parquet

        with opened_output(output, name, project=place.project, is_binary=True) as (sink, path):
            write_parquet(table, sink, bench.zone.name)
        return path
    from tokenbudget.reports.exporters.csv_text import csv_chunks

    return write_to(output, name, csv_chunks(table), project=place.project)


def _chunks(
    bench: Workbench, source: Source, tables: Sequence[Table], options: Namespace
) -> Iterator[str]:
    now_ms = bench.clock.now_ms()
    made_at = bench.zone.stamp(now_ms, "seconds")
    if options.format == "prometheus":
        from tokenbudget.app.exporting import totals_of
        from tokenbudget.reports.exporters.prometheus_text import prometheus_chunks

        return prometheus_chunks(totals_of(source), now_ms)
    if options.format == "sql":
        from tokenbudget import __version__
        from tokenbudget.reports.exporters.sql_dump import sql_chunks

        return sql_chunks(tables, f"tokens export sql, tokenbudget {__version__}, {made_at}")
    from tokenbudget.reports.exporters.json_text import json_chunks, jsonl_chunks

    if options.format == "jsonl":
        return jsonl_chunks(tables)
    facts = {
        "made_at": made_at,
        "timezone": bench.zone.name,
        "since": options.since,
        "until": options.until,
        "is_redacted": bool(options.redact),
    }
    return json_chunks(tables, facts)
