"""`tokens skills`: what skills, commands and agents weigh, who uses them, which fits a task."""

from __future__ import annotations

import argparse

from tokenbudget.cli.options import (
    HELP_WIDTH,
    parser,
    refuse_dry_yes,
    settings,
    show,
    style,
    whole_number,
)
from tokenbudget.cli.terminal import terminal
from tokenbudget.model.errors import BadRequest

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Sequence

    from tokenbudget.app import Workbench
    from tokenbudget.model.actions import ActionRecord, Proposal
    from tokenbudget.resources.skill_states import SkillsFound

NOT_SO = 1
"""Exit code where nothing matches, or a change failed."""
SUB_VERBS = {"split": "skills_splitting", "extract": "skills_extracting"}
"""Sub-verbs with a module of their own, which has `run(arguments) -> int`."""
ACTIONS = ("match", "show", *SUB_VERBS)
MOST_MATCHES = 5

USAGE = """tokens skills [options]
       tokens skills show NAME | match "TASK" [options]
       tokens skills split FILE | extract FILE [options]"""

EPILOG = """\
examples:
  tokens skills                      what there is, by tier: hot, warm, cold
  tokens skills show deploy          one of them whole
  tokens skills match "fill a PDF"   which skill a task calls for
  tokens skills --apply --dry-run    exactly what would be changed
  tokens skills --apply deploy       change this one alone; tokens undo takes it back
"""


def run(arguments: Sequence[str]) -> int:
    """Carry the verb out."""
    if arguments and arguments[0] in SUB_VERBS:
        module = __import__(f"tokenbudget.cli.{SUB_VERBS[arguments[0]]}", fromlist=["run"])
        return int(module.run(arguments[1:]))
    options = options_of(arguments)
    from tokenbudget.app import open_workbench
    from tokenbudget.app.compacting_place import project_meant
    from tokenbudget.app.skills import skills_found
    from tokenbudget.collector.ingest import Want

    told, meant = terminal(), settings()
    project = project_meant(meant, options.project)
    with open_workbench(meant, told, Want.DETAIL, zone_name=options.tz) as bench:
        found = skills_found(bench, project, told)
        if options.action == "match":
            return _match(found, options)
        if options.action == "show":
            return _show(bench, found, options)
        if options.apply is not None:
            return _apply(bench, found, options)
        return _list(bench, found, options)


def options_of(arguments: Sequence[str]) -> Namespace:
    """What was typed; raises BadRequest."""
    made = parser(
        "skills",
        "Skills, commands and agents of a project, yours and of plugins: what they weigh in every\n"
        "request, how often they are used, what is wrong with them, what to take out.",
        reads_sessions=False,
    )
    made.usage, made.epilog = USAGE, EPILOG
    made.formatter_class = _formatter
    made.add_argument("action", nargs="?", metavar="ACTION", help="show or match; else the list")
    made.add_argument("words", nargs="*", metavar="WORDS", help="the name, or the task")
    made.add_argument("--project", metavar="PATH", help="this folder (else the project here)")
    made.add_argument("--tz", metavar="ZONE", help="IANA time zone of the times shown")
    made.add_argument("--all", action="store_true", help="everything, nothing folded")
    made.add_argument(
        "--apply", metavar="ID", nargs="*", help="make the changes (those named, else all '→')"
    )
    made.add_argument("--dry-run", action="store_true", help="with --apply: only show the changes")
    made.add_argument("--yes", action="store_true", help="with --apply: do it without asking")
    made.add_argument(
        "--limit", metavar="N", type=whole_number, default=MOST_MATCHES, help="with match: so many"
    )
    made.add_argument(
        "--said",
        metavar="TEXT",
        action="append",
        default=[],
        help="with match: what was said since the task, the oldest first",
    )
    made.add_argument(
        "--embed",
        metavar="FOLDER",
        help="with match: a model in this folder judges too, by meaning (extra: embed)",
    )
    options = made.parse_args(arguments)
    _refuse_what_does_not_go_together(options)
    return options


def _formatter(prog: str) -> argparse.HelpFormatter:
    return argparse.RawDescriptionHelpFormatter(prog, max_help_position=28, width=HELP_WIDTH)


def _refuse_what_does_not_go_together(options: Namespace) -> None:
    if options.action not in (None, "match", "show"):
        raise BadRequest(
            f"'{options.action}' is no action; choose from {', '.join(ACTIONS)}, or none"
        )
    if options.action == "show" and len(options.words) != 1:
        raise BadRequest("name one skill, command or agent: tokens skills show NAME")
    if options.action == "match" and not " ".join(options.words).strip():
        raise BadRequest('say what you want to do: tokens skills match "fill a PDF form"')
    refuse_dry_yes(options)
    if (options.dry_run or options.yes) and options.apply is None:
        raise BadRequest("--dry-run and --yes belong to --apply")
    if options.apply is not None and options.action:
        raise BadRequest("--apply stands alone; name what to change after it")


def _list(bench: Workbench, found: SkillsFound, options: Namespace) -> int:
    if options.json:
        from tokenbudget.reports.skills_json import inventory_document

        show([inventory_document(found, None, bench.zone)])
        return 0
    from tokenbudget.reports.skills import inventory_lines

    out = style(options.no_color)
    show(inventory_lines(found, out, bench.settings.home_dir, is_whole=options.all))
    return 0


def _show(bench: Workbench, found: SkillsFound, options: Namespace) -> int:
    from tokenbudget.app.skills import entry_named

    entry = entry_named(found, options.words[0])
    if options.json:
        from tokenbudget.reports.skills_json import inventory_document

        show([inventory_document(found, [entry], bench.zone)])
        return 0
    from tokenbudget.reports.skills_one import entry_lines

    show(entry_lines(entry, found, style(options.no_color), bench.settings.home_dir))
    return 0


def _match(found: SkillsFound, options: Namespace) -> int:
    from tokenbudget.app.skills import ranked_for

    task = " ".join(options.words)
    ranker = None
    if options.embed is not None:
        from tokenbudget.app.embedding_model import embedding_ranker

        ranker = embedding_ranker(options.embed)
    matches = ranked_for(found, [task, *options.said], ranker)
    abouts = {one.name: one.definition.about for one in found.inventory.entries}
    if options.json:
        from tokenbudget.reports.skills_json import match_document

        show([match_document(matches, task, abouts, options.limit)])
    else:
        from tokenbudget.reports.skills_one import match_lines

        show(match_lines(matches, task, abouts, style(options.no_color), options.limit))
    return 0 if any(one.words for one in matches) else NOT_SO


def _apply(bench: Workbench, found: SkillsFound, options: Namespace) -> int:
    """Show what applying means, ask, do it."""
    from tokenbudget.app.skills import applied, chosen_of
    from tokenbudget.cli.asking import is_wanted
    from tokenbudget.reports.skills_one import preview_lines
    from tokenbudget.reports.step_words import change_lines

    proposals = chosen_of(found, options.apply)
    texts = [[line for step in one.steps for line in change_lines(step)] for one in proposals]
    freed = found.states.freed_by(proposals)
    if not options.json:
        show(preview_lines(proposals, texts, freed, style(options.no_color)))
    action = None
    if proposals and not options.dry_run and is_wanted("\nDo this?", options.yes):
        action = applied(bench, found, proposals)
    if options.json:
        from tokenbudget.reports.skills_json import apply_document

        show([apply_document(proposals, texts, freed, action)])
    else:
        _tell(proposals, action, options)
    return 0 if action is None or _is_done(action) else NOT_SO


def _tell(proposals: Sequence[Proposal], action: ActionRecord | None, options: Namespace) -> None:
    if action is not None:
        from tokenbudget.reports.skills_one import done_lines

        show(["", *done_lines(action, style(options.no_color))])
        return
    dry = " (--dry-run)" if options.dry_run and proposals else ""
    show([f"Nothing was changed{dry}." if proposals else "Nothing to change."])


def _is_done(action: ActionRecord) -> bool:
    return all(step.outcome.state in ("done", "unchanged") for step in action.steps)
