"""`tokens skills extract`: rarely needed sections of a memory file become skills."""

from __future__ import annotations

from tokenbudget.app import open_workbench
from tokenbudget.cli.asking import is_wanted
from tokenbudget.cli.options import parser, refuse_dry_yes, settings, show, style
from tokenbudget.cli.skills_ending import exit_code_of, tell_ending
from tokenbudget.cli.terminal import terminal
from tokenbudget.collector.ingest import Want
from tokenbudget.model.errors import BadRequest

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Sequence

    from tokenbudget.app.memory_extracting import Candidates
    from tokenbudget.resources.memory_extracting import Section


def run(arguments: Sequence[str]) -> int:
    """Carry the verb out."""
    from tokenbudget.app.memory_extracting import CAUSE, candidates, made
    from tokenbudget.app.skill_splitting import carried_out
    from tokenbudget.metering.tokenizer import BytePairCounter
    from tokenbudget.reports.skills_extracting import candidate_lines, extract_document

    options = _options(arguments)
    meant, counter = settings(), BytePairCounter()
    with open_workbench(meant, terminal(), Want.DETAIL) as bench:
        found = candidates(bench, options.file, counter)
        clock = bench.clock
    all_of, _ = made(found, found.sections, counter)
    worth = {one.section for one in all_of.extracts if one.saved_tokens > 0}
    chosen = _chosen(found, options.only, worth)
    if not options.json:
        show(candidate_lines(found, all_of, chosen, style(options.no_color)))
    action = None
    wanted = bool(chosen) and not options.dry_run
    if wanted and is_wanted(f"\nMake {len(chosen)} of them skills?", options.yes):
        done, steps = made(found, chosen, counter)
        action = carried_out(
            meant,
            clock,
            steps,
            cause=CAUSE,
            title=f"make {len(chosen)} sections skills",
            freed_tokens=sum(one.saved_tokens for one in done.extracts),
        )
    if options.json:
        show([extract_document(found, all_of, chosen, action)])
    else:
        tell_ending(action, options, has_steps=bool(found.sections))
    return exit_code_of(action)


def _chosen(found: Candidates, only: str | None, worth: set[Section]) -> list[Section]:
    """The sections that are meant: those with these numbers, else those that are recommended."""
    if only is None:
        return [one for one in found.sections if one.is_recommended and one in worth]
    if only == "all":
        return [*found.sections]
    numbers = only.split(",")
    if not all(one.strip().isdecimal() and len(one) < 6 for one in numbers):
        raise BadRequest(f"'{only[:60]}' are no numbers; write --only 1,3 or --only all")
    wanted = {int(one) for one in numbers}
    missing = [one for one in sorted(wanted) if not 0 < one <= len(found.sections)]
    if missing:
        raise BadRequest(f"there is no section {missing[0]}; there are {len(found.sections)}")
    return [one for number, one in enumerate(found.sections, 1) if number in wanted]


def _options(arguments: Sequence[str]) -> Namespace:
    made = parser(
        "skills extract",
        "Move sections of a memory file that are rarely needed into skills, which cost a line each"
        " until they are loaded. Shows which and why, asks, and can be undone.",
        reads_sessions=False,
    )
    made.add_argument("file", metavar="FILE", help="a CLAUDE.md of the project here, or your own")
    made.add_argument("--only", metavar="N[,N]", help="these sections, by number, or all")
    made.add_argument("--dry-run", action="store_true", help="show it and change nothing")
    made.add_argument("--yes", action="store_true", help="do it without asking")
    options = made.parse_args(arguments)
    refuse_dry_yes(options)
    return options
