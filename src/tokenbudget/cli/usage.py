"""`tokens usage`: totals and cost by any grouping."""

from __future__ import annotations

from tokenbudget.analysis.usage import GROUPINGS, Names, active_hours, query_for, tabulate
from tokenbudget.app import Workbench, open_workbench
from tokenbudget.cli.choice import matching, places, projects_named, session_named
from tokenbudget.cli.options import file_style, parser, settings, show, style
from tokenbudget.cli.terminal import terminal, warn
from tokenbudget.model.errors import BadRequest

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Sequence
    from decimal import Decimal

    from tokenbudget.analysis.usage import UsageTable

EXIT_OVER_LIMIT = 1


def run(arguments: Sequence[str]) -> int:
    """Carry the verb out."""
    options = _options(arguments)
    by = _groupings(options.by)
    limit = limit_of(options.check)
    with open_workbench(
        settings(), terminal(), zone_name=options.tz, from_paths=options.from_paths
    ) as bench:
        table = _table(bench, by, options)
        text = _text(bench, table, options)
    _deliver(text, options.output)
    if limit is not None and _is_over(table, limit):
        return EXIT_OVER_LIMIT
    return 0


def _options(arguments: Sequence[str]) -> Namespace:
    made = parser("usage", "Tokens and cost, each response counted once (docs/counting.md).")
    made.add_argument(
        "--by",
        default="day",
        metavar="WHAT",
        help=f"grouping, or several with commas: {', '.join(GROUPINGS)} (default: day)",
    )
    made.add_argument("--since", metavar="WHEN", help="first day or moment: 2026-11-01, today, 7d")
    made.add_argument("--until", metavar="WHEN", help="last day, included, or moment, excluded")
    made.add_argument("--project", action="append", metavar="NAME", help="only this project")
    made.add_argument("--model", action="append", metavar="NAME", help="only models named so")
    made.add_argument("--agent", action="append", metavar="NAME", help="only this coding agent")
    made.add_argument("--session", metavar="ID", help="only this session")
    made.add_argument(
        "--check",
        metavar="LIMIT",
        help="exit 1 if the total is over 25usd (or $25), or over 2000000 tokens (or 2M)",
    )
    made.add_argument("--compare", action="store_true", help="say why another counter may differ")
    made.add_argument("--output", metavar="PATH", help="write there instead ('-': standard output)")
    return made.parse_args(arguments)


def _groupings(text: str) -> list[str]:
    by = [name.strip() for name in text.split(",") if name.strip()]
    for name in by:
        if name not in GROUPINGS:
            raise BadRequest(f"cannot group by '{name}'; choose from {', '.join(GROUPINGS)}")
    if "block" in by and {"day", "week", "month"} & set(by):
        raise BadRequest("a block may span two days; group by block or by day, not by both")
    if not by or len(by) != len(set(by)):
        raise BadRequest("--by takes one or more different groupings, such as day,model")
    return by


def _table(bench: Workbench, by: Sequence[str], options: Namespace) -> UsageTable:
    names = Names(bench.ledger.names("model"), bench.ledger.names("project"))
    since, until = options.since, options.until
    query = query_for(
        by,
        bench.zone,
        since_ms=None if since is None else bench.zone.moment_ms(since, is_end=False),
        until_ms=None if until is None else bench.zone.moment_ms(until, is_end=True),
        model_ids=matching(names.models, options.model, "model"),
        project_ids=projects_named(names.projects, options.project),
        agents=_agents(bench, options.agent),
        session=None if options.session is None else session_named(bench, options.session),
    )
    rows, hours = bench.ledger.usage(query), active_hours(bench.ledger, by)
    return tabulate(rows, by, names, bench.book, bench.zone, hours)


def _agents(bench: Workbench, wanted: Sequence[str] | None) -> list[str] | None:
    if wanted is None:
        return None
    rows = bench.ledger.usage(query_for(["agent"], bench.zone))
    return matching({row.agent or "": row.agent or "" for row in rows}, wanted, "agent")


def limit_of(text: str | None) -> tuple[str, Decimal] | None:
    """What `--check` says: ('usd' or 'tokens', the amount); None for nothing."""
    if text is None:
        return None
    from decimal import Decimal

    plain = text.strip().lower().replace(",", "").replace("_", "")
    is_money = plain.startswith("$") or plain.endswith("usd")
    number = plain.removeprefix("$").removesuffix("usd").removesuffix("tokens").strip()
    factor = {"k": 10**3, "m": 10**6, "b": 10**9}.get(number[-1:], 1)
    try:
        value = Decimal(number[:-1] if factor > 1 else number) * factor
    except ArithmeticError:  # no number, or one beyond all bounds
        value = Decimal(-1)
    if not value.is_finite() or value < 0:
        raise BadRequest(f"--check takes an amount such as 25usd, $25, 2000000 or 2M, not '{text}'")
    return ("usd" if is_money else "tokens"), value


def _is_over(table: UsageTable, limit: tuple[str, Decimal]) -> bool:
    from tokenbudget.metering.cost import format_usd

    kind, allowed = limit
    totals = table.totals
    if kind == "usd" and totals.unpriced_tokens:
        warn(f"{totals.unpriced_tokens:,} tokens have no price and are not in the check")
    used = totals.cost_usd if kind == "usd" else totals.total_tokens
    if used <= allowed:
        return False
    if kind == "usd":  # exact, so that an excess of a fraction of a cent shows
        warn(f"over the limit: ${format_usd(totals.cost_usd)} of ${format_usd(allowed)}")
    else:
        warn(f"over the limit: {used:,} of {allowed:,f} tokens")
    return True


def _text(bench: Workbench, table: UsageTable, options: Namespace) -> str:
    if options.json:
        from tokenbudget.reports.json import document, usage_fields

        limits = {name: getattr(options, name) for name in ("since", "until", "session")}
        filters = {name: getattr(options, name) for name in ("project", "model", "agent")}
        fields: dict[str, object] = {"timezone": bench.zone.name, **limits, "filters": filters}
        fields |= usage_fields(table)
        if "model" in table.by:
            fields["price_origins"] = _price_origins(bench, table)
        if options.compare:
            fields["compare"] = _comparison(bench)
        return document("usage", 1, fields) + "\n"
    from tokenbudget.model.figures import wrapped
    from tokenbudget.reports.usage import NOTE_WIDTH, nothing_lines, usage_lines

    device = style(options.no_color) if options.output in (None, "-") else file_style()
    home = bench.settings.home_dir
    lines = usage_lines(table, device, home)
    if not lines:
        lines = nothing_lines(places(bench, options), _is_limited(options), home)
    if options.compare:
        lines += ["", *wrapped(_comparison(bench), min(device.width, NOTE_WIDTH))]
    return "\n".join(lines) + "\n"


def _price_origins(bench: Workbench, table: UsageTable) -> list[dict[str, object]]:
    """Which price entry each model of the table was priced by, from where and of which day."""
    column = table.by.index("model")
    models = sorted({labels[column] for labels, _ in table.rows})
    found = [(model, bench.book.origin(model)) for model in models]
    return [{"model": model, **origin._asdict()} for model, origin in found if origin is not None]


def _is_limited(options: Namespace) -> bool:
    limits = ("since", "until", "project", "model", "agent", "session")
    return any(getattr(options, name) is not None for name in limits)


def _comparison(bench: Workbench) -> str:
    from tokenbudget.analysis.comparison import why_others_differ

    return why_others_differ(bench.ledger.file_report(), bench.ledger.copy_sums())


def _deliver(text: str, output: str | None) -> None:
    if output in (None, "-"):
        show(text.removesuffix("\n").split("\n"))
        return
    try:
        _write(str(output), text.encode("utf-8", "replace"))
    except OSError as exc:
        raise BadRequest(
            f"cannot write {output} ({exc.strerror}); choose another --output"
        ) from exc


def _write(path: str, data: bytes) -> None:
    """Whole or not at all; a device or a pipe is written to, never replaced by a file."""
    import os

    if os.path.exists(path) and not os.path.isfile(path) and not os.path.isdir(path):
        with open(path, "wb") as handle:
            handle.write(data)
        return
    from tokenbudget.system.atomic import write_atomic

    write_atomic(os.path.realpath(path), data)
