"""`tokens profile`: who spends, tool by tool, file by file, week by week."""

from __future__ import annotations

from tokenbudget.app import open_workbench
from tokenbudget.app.profiling import (
    Limits,
    costs_in,
    efficiency_in,
    profile_in,
    project_folder,
    scene_of,
)
from tokenbudget.app.studies import studied
from tokenbudget.cli.choice import places, projects_named, session_named
from tokenbudget.cli.options import parser, settings, show, style, whole_number
from tokenbudget.cli.terminal import terminal, warn
from tokenbudget.collector.ingest import Want
from tokenbudget.model.errors import BadRequest, TokenBudgetError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Sequence
    from typing import NoReturn

    from tokenbudget.analysis.cost_analysis import CostAnalysis
    from tokenbudget.analysis.efficiency import Efficiency
    from tokenbudget.analysis.periods import Zone
    from tokenbudget.analysis.profile import Profile
    from tokenbudget.app import Workbench
    from tokenbudget.model.figures import Style

FILE_NAME = "token-profile.json"
PAGE_NAME = "token-profile.html"
BY = {
    "components": "component", "tools": "tool", "files": "file", "folders": "directory",
    "directories": "directory", "commands": "command", "servers": "mcp_server",
    "mcp": "mcp_tool", "skills": "skill", "subagents": "subagent", "memory": "memory_file",
    "prompts": "prompt", "weeks": "week", "projects": "project", "branches": "branch",
    "models": "model", "sessions": "session",
}  # fmt: skip
DEFAULT_TOP = 30


class Asked:
    """What was computed, and how it is wanted."""

    def __init__(self, bench: Workbench, options: Namespace) -> None:
        told = terminal()
        limits = _limits(bench, options)
        redactor = None
        if options.redact:
            from tokenbudget.app.redaction_key import redactor_of

            redactor = redactor_of(bench.settings.data_dir, told.warn)
        scene = scene_of(bench, studied(bench, told, session=limits.session), limits, redactor)
        self.options = options
        self.zone: Zone = bench.zone
        self.home = scene.home
        self.places = places(bench, options)
        self.profile: Profile = profile_in(bench, scene)
        self.efficiency: Efficiency = efficiency_in(scene)
        self.project = project_folder(
            bench.settings.working_dir, bench.settings.home_dir, bench.settings.claude_dirs
        )
        self.costs: CostAnalysis | None = None
        if options.costs or options.json or options.output is not None or self.is_saved_unasked:
            self.costs = costs_in(bench, scene, self.profile)

    @property
    def is_empty(self) -> bool:
        """Nothing was used within the limits."""
        return not self.profile.requests and not self.profile.unknown_requests

    @property
    def is_saved_unasked(self) -> bool:
        """Whether the figures go into the project that one is in, beside the whole screen."""
        options = self.options
        asked = (options.json, options.output, options.no_file, options.from_paths, options.by)
        return bool(self.project) and not (any(asked) or options.html or self.is_empty)

    def document(self) -> str:
        """As JSON."""
        from tokenbudget.reports.profile_json import profile_document

        return profile_document(
            self.profile,
            self.efficiency,
            self.costs,
            self.zone,
            self.options.top,
            BY[self.options.by or "components"],
        )


def run(arguments: Sequence[str]) -> int:
    """Carry the verb out."""
    options = options_of(arguments)
    with open_workbench(
        settings(), terminal(), Want.DETAIL, options.tz, options.from_paths
    ) as bench:
        asked = Asked(bench, options)
    if options.json or options.output == "-":
        show([asked.document()])
    elif options.html is None:
        show(_lines(asked))
    save(asked)
    return 0


def options_of(arguments: Sequence[str]) -> Namespace:
    """What was typed; raises BadRequest."""
    made = parser(
        "profile", "Who spends: tools, files, commands, servers, weeks (docs/profile.md)."
    )
    made.add_argument("--by", metavar="WHAT", help=f"one long list: {', '.join(sorted(BY))}")
    made.add_argument("--top", type=whole_number, metavar="N", help="so many rows of a list")
    made.add_argument("--tree", action="store_true", help="where it went, every box of it")
    made.add_argument("--costs", action="store_true", help="by kind of token, and done naively")
    made.add_argument("--efficiency", action="store_true", help="the score, part by part")
    made.add_argument("--session", metavar="ID", help="only this session; 'last'")
    made.add_argument("--project", action="append", metavar="PATH", help="only this project")
    made.add_argument(
        "--since", metavar="WHEN", help="from the local day of: 2026-11-01, today, 7d"
    )
    made.add_argument("--until", metavar="WHEN", help="to the local day of, included")
    made.add_argument("--html", metavar="FILE", help="an icicle of it as one page ('-': print it)")
    made.add_argument("--flame", metavar="FILE", dest="html", help="the same as --html")
    made.add_argument("--output", metavar="PATH", help=f"write {FILE_NAME} there ('-': print it)")
    made.add_argument("--no-file", action="store_true", help=f"write no {FILE_NAME}")
    made.add_argument("--redact", action="store_true", help="pseudonyms for paths, titles, names")
    options = made.parse_args(arguments)
    if options.by is not None and options.by not in BY:
        _refuse_by(options.by)
    if sum(map(bool, (options.by, options.tree, options.costs, options.efficiency))) > 1:
        raise BadRequest("--by, --tree, --costs and --efficiency are one screen each; choose one")
    if options.json and (options.html == "-" or options.output == "-"):
        raise BadRequest("--json prints already; give the other one a file")
    if options.html == "-" and options.output == "-":
        raise BadRequest("--html and --output cannot both be printed; give one of them a file")
    return options


def _refuse_by(text: str) -> NoReturn:
    raise BadRequest(f"cannot list by '{text}'; choose from {', '.join(sorted(BY))}")


def _limits(bench: Workbench, options: Namespace) -> Limits:
    zone = bench.zone
    projects = bench.ledger.names("project")
    ids = projects_named(projects, options.project)
    return Limits(
        None if options.since is None else zone.moment_ms(options.since, is_end=False),
        None if options.until is None else zone.moment_ms(options.until, is_end=True),
        "" if options.session is None else session_named(bench, options.session),
        None if ids is None else [projects.get(number, "unknown") for number in ids],
    )


def _lines(asked: Asked) -> list[str]:
    options = asked.options
    if asked.is_empty:
        from tokenbudget.reports.profile import nothing_lines

        is_limited = any((options.since, options.until, options.project, options.session))
        return nothing_lines(asked.places, is_limited, asked.home)
    from tokenbudget.reports.profile import note_lines, profile_lines

    out = style(options.no_color)
    part = _part_lines(asked, out)
    if part is not None:
        return [*part, *note_lines(asked.profile, out.width, is_whole=False)]
    return profile_lines(asked.profile, asked.efficiency, out, asked.zone, asked.home)


def _part_lines(asked: Asked, out: Style) -> list[str] | None:
    """The one part that was asked for; None for the whole screen."""
    options = asked.options
    if options.by is not None:
        from tokenbudget.reports.profile_lists import list_lines

        limit = options.top or DEFAULT_TOP
        return list_lines(asked.profile, BY[options.by], limit, out, asked.home)
    if options.tree:
        from tokenbudget.reports.profile_tree import tree_lines

        return tree_lines(asked.profile, out, is_whole=True)
    if options.costs and asked.costs is not None:
        from tokenbudget.reports.profile_costs import cost_lines

        return cost_lines(asked.costs, out)
    if options.efficiency:
        from tokenbudget.reports.profile_efficiency import efficiency_report

        return efficiency_report(asked.efficiency, out)
    return None


def save(asked: Asked) -> None:
    """The page, and the figures for whoever wants to read them by program."""
    options = asked.options
    if options.html is not None:
        _save_page(asked)
    from tokenbudget.cli.output_file import told_path, write_to

    if options.output not in (None, "-"):
        write_to(options.output, FILE_NAME, [asked.document(), "\n"])
    if not asked.is_saved_unasked:
        return
    try:
        path = write_to(None, FILE_NAME, [asked.document(), "\n"], project=asked.project)
    except TokenBudgetError as exc:  # nobody asked for it: the answer is on the screen
        warn(f"{exc}; --no-file leaves it out")
        return
    show([f"Saved {told_path(path)}"])


def _save_page(asked: Asked) -> None:
    from tokenbudget.cli.output_file import told_path, write_to
    from tokenbudget.reports.profile_icicle import icicle_page

    page = icicle_page(asked.profile, asked.efficiency, asked.zone)
    path = write_to(asked.options.html, PAGE_NAME, [page])
    if path and not asked.options.json and asked.options.output != "-":
        show([f"Saved {told_path(path)}"])
