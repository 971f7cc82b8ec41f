"""`tokens archive`: keep old sessions compressed, look after what is kept."""

from __future__ import annotations

import argparse

from tokenbudget.app.archiving_plan import DEFAULT_DAYS
from tokenbudget.cli.options import HELP_WIDTH, parser, refuse_dry_yes, settings
from tokenbudget.model.errors import BadRequest

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Sequence

ACTIONS = ("list", "verify", "prune", "stats", "empty-trash", "rebuild-index")
LONGEST_DAYS = 5
"""Digits: 99,999 days are more than two centuries."""
THIS_SYSTEM = "auto"

USAGE = """tokens archive [DAYS] [options]
       tokens archive list|verify|prune|stats|empty-trash|rebuild-index [options]"""

EPILOG = """\
what it does:
  A session is archived when its files and its last line are both older than DAYS (30
  without; 0 is every session that has been at rest for an hour). It goes, compressed,
  into .claude/sessions/archive/ of its project, is read back and compared; only then
  its files are moved to the trash. What the ledger knows of it (usage, cost) stays.
  A session in use is never touched.

  Where the project is gone, read-only, the home folder or not yours, the archive is
  sessions/archive/ beside the agent's settings.

examples:
  tokens archive                     older than 30 days; shows the plan and asks
  tokens archive 7d --project .      those of this project that are older than a week
  tokens archive 14 --keep-last 5    but never the newest five of each project
  tokens archive --session 3f2a      this one now, however young
  tokens archive list                what is kept, and how to have it back
  tokens archive verify              read every byte; exit code 1 where one is wrong
  tokens archive prune --keep-days 365
                                     mark what is older; a week later delete it
  tokens archive empty-trash         give the space of last week's originals back
  tokens archive rebuild-index       list anew what lies in the archives
  tokens archive --timer             a timer that archives before the agent deletes

  tokens recover SESSION             have one back; tokens undo takes a run back
"""

_ONLY_WITH = {
    "keep_days": ("prune",),
    "most_bytes": ("prune",),
    "grace_days": ("prune",),
    "older_than": ("empty-trash",),
    "keep_last": ("", "prune"),
    "session": ("",),
    "timer": ("",),
    "install_timer": ("",),
    "remove_timer": ("",),
    "project": ("", "list", "verify", "prune", "stats"),
    "dry_run": ("", "prune", "empty-trash"),
    "yes": ("", "prune", "empty-trash"),
}


def run(arguments: Sequence[str]) -> int:
    """Carry the verb out."""
    options = options_of(arguments)
    if options.timer or options.install_timer or options.remove_timer:
        from tokenbudget.cli import archive_timer

        return archive_timer.run(options, settings())
    if options.action:
        from tokenbudget.cli import archive_keeping

        return archive_keeping.run(options, settings())
    from tokenbudget.cli import archive_doing

    return archive_doing.run(options, settings())


def options_of(arguments: Sequence[str]) -> Namespace:
    """What was typed; raises BadRequest."""
    made = parser(
        "archive",
        "Keep old sessions, compressed and verified, before the agent deletes them.",
        reads_sessions=False,
    )
    made.usage = USAGE
    made.epilog = EPILOG
    made.formatter_class = _formatter
    made.add_argument(
        "words", nargs="*", metavar="DAYS", help=f"days, as 7 or 7d; or {', '.join(ACTIONS)}"
    )
    made.add_argument("--dry-run", action="store_true", help="show the plan and change nothing")
    made.add_argument("--yes", action="store_true", help="do it without asking")
    made.add_argument("--project", metavar="PROJECT", help="only this project: a path, a name or .")
    made.add_argument(
        "--keep-last", type=_count, metavar="N", help="the newest N of each project stay"
    )
    made.add_argument("--session", metavar="ID", help="archive this one, whatever its age")
    kinds = f"{THIS_SYSTEM}, systemd, launchd or cron"
    for name, what in (("timer", "print"), ("install-timer", "install")):
        made.add_argument(
            f"--{name}",
            nargs="?",
            const=THIS_SYSTEM,
            metavar="KIND",
            help=f"{what} a daily timer ({kinds})",
        )
    made.add_argument("--remove-timer", action="store_true", help="take every timer of ours away")
    made.add_argument(
        "--keep-days", type=days, metavar="DAYS", help="prune: what was archived longer ago may go"
    )
    made.add_argument(
        "--most-bytes", type=size, metavar="SIZE", help="prune: of each folder, such as 500MB"
    )
    made.add_argument(
        "--grace-days", type=days, metavar="DAYS", help="prune: from mark to deletion (default 7)"
    )
    made.add_argument(
        "--older-than", type=days, metavar="DAYS", help="empty-trash: in it so long (default 7)"
    )
    options = made.parse_args(arguments)
    _sort_out(options)
    return options


def _formatter(prog: str) -> argparse.HelpFormatter:
    return argparse.RawDescriptionHelpFormatter(prog, max_help_position=28, width=HELP_WIDTH)


def _sort_out(options: Namespace) -> None:
    """What was typed, as an action with its sessions, or as a number of days."""
    first = options.words[0] if options.words else ""
    options.action = first if first in ACTIONS else ""
    options.sessions = options.words[1:] if options.action in ("list", "verify") else []
    options.days = None
    if options.action:
        if options.words[1:] and not options.sessions:
            raise BadRequest(f"{options.action} takes no {options.words[1]!r}; leave it out")
    elif first:
        if len(options.words) > 1:
            raise BadRequest(f"there is one number of days at most, not '{options.words[1]}' too")
        options.days = days(first)
    _refuse_mixture(options)


def _refuse_mixture(options: Namespace) -> None:
    for name, actions in _ONLY_WITH.items():
        if getattr(options, name) not in (None, False) and options.action not in actions:
            where = " or ".join(f"tokens archive {action}".rstrip() for action in actions)
            raise BadRequest(f"--{name.replace('_', '-')} goes with {where}; leave it out")
    refuse_dry_yes(options)
    if options.session and (options.days is not None or options.keep_last is not None):
        raise BadRequest(
            "--session is one session whatever its age; leave DAYS and --keep-last out"
        )


def days(text: str) -> int:
    """A number of days: 30 or 30d.

    Raises:
        BadRequest: it is none.
    """
    number = text.removesuffix("d")
    if not (number.isascii() and number.isdecimal()) or len(number) > LONGEST_DAYS:
        known = ", ".join(ACTIONS)
        raise BadRequest(
            f"'{text}' is no number of days; write {DEFAULT_DAYS} or {DEFAULT_DAYS}d, or one of"
            f" {known}"
        )
    return int(number)


def _count(text: str) -> int:
    if not (text.isascii() and text.isdecimal()) or len(text) > LONGEST_DAYS:
        raise BadRequest(f"'{text}' is no number of sessions; write 0 or more")
    return int(text)


_FACTORS = {"": 1, "b": 1, "kb": 10**3, "mb": 10**6, "gb": 10**9, "tb": 10**12}


def size(text: str) -> int:
    """An amount of bytes: 500MB, 2GB, 1000000.

    Raises:
        BadRequest: it is none.
    """
    number = text.rstrip("bBkKmMgGtT ")
    factor = _FACTORS.get(text[len(number) :].strip().lower())
    if factor is None or not (number.isascii() and number.isdecimal()) or len(number) > 15:
        raise BadRequest(f"'{text}' is no size; write 500MB or 2GB")
    return int(number) * factor
