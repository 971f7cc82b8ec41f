"""`tokens`: the one-screen overview."""

from __future__ import annotations

from tokenbudget.analysis.overview import overview
from tokenbudget.app import Workbench, open_workbench
from tokenbudget.cli.choice import places
from tokenbudget.cli.options import parser, settings, show, style
from tokenbudget.cli.terminal import terminal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Sequence

    from tokenbudget.analysis.overview import Latest
    from tokenbudget.analysis.periods import Zone


def run(arguments: Sequence[str]) -> int:
    """Carry the verb out."""
    options = parser("overview", "How it stands today, this week and so far.").parse_args(arguments)
    with open_workbench(
        settings(), terminal(), zone_name=options.tz, from_paths=options.from_paths
    ) as bench:
        lines = _json(bench) if options.json else _text(bench, options)
    show(lines)
    return 0


def _text(bench: Workbench, options: Namespace) -> list[str]:
    from tokenbudget.app.worth_doing import worth_doing
    from tokenbudget.reports.overview import overview_lines
    from tokenbudget.reports.usage import nothing_lines

    seen = overview(bench.ledger, bench.book, bench.zone)
    if not seen.everything.requests and not seen.everything.unknown_requests:
        return nothing_lines(places(bench, options), False, bench.settings.home_dir)
    seen = seen._replace(worth=worth_doing(bench))
    return overview_lines(seen, style(options.no_color), bench.clock.now_ms())


def _json(bench: Workbench) -> list[str]:
    from tokenbudget.app.worth_doing import worth_doing
    from tokenbudget.reports.json import document, sums_fields, usage_fields

    seen = overview(bench.ledger, bench.book, bench.zone)
    latest = seen.latest
    fields: dict[str, object] = {
        "timezone": bench.zone.name,
        "today": {**sums_fields(seen.today), "sessions": seen.sessions_today},
        "week": sums_fields(seen.week),
        "week_before": sums_fields(seen.week_before),
        "month": sums_fields(seen.month),
        "totals": sums_fields(seen.everything),
        "daily_total_tokens": seen.daily_tokens,
        "models": usage_fields(seen.models)["rows"],
        "projects": usage_fields(seen.projects)["rows"],
        "unpriced_models": seen.unpriced_models,
        "latest": None if latest is None else _latest_fields(latest, bench.zone),
        "worth_doing": [
            {**one._asdict(), "weekly_usd": one.weekly_usd or None} for one in worth_doing(bench)
        ],
    }
    return [document("overview", 1, fields)]


def _latest_fields(latest: Latest, zone: Zone) -> dict[str, object]:
    fields = latest._asdict()
    del fields["at_ms"]
    return {**fields, "at": zone.stamp(latest.at_ms)}
