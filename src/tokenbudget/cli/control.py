"""`tokens control`: the loop that keeps sessions healthy, what it did and why; take it back."""

from __future__ import annotations

import argparse

from tokenbudget.cli.options import HELP_WIDTH, Parser, parser, settings, whole_number
from tokenbudget.model.errors import BadRequest

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Sequence

ACTIONS = ("history", "why", "undo")
DEFAULT_ROWS = 20
USAGE = """tokens control [SESSION] [--once | --dry-run] [options]
       tokens control why|history [SESSION] [options]
       tokens control undo [N] [options]"""

EPILOG = """\
what it does:
  Every few seconds it looks at each session that lives, and does at most one thing:
  nothing below 50% of the usable window; a soft clean-up from 50%, a hard one from
  75%, everything reversible from 90%. A warm cache is rewritten only where that pays.
  It acts where tokenManagement.autoOptimize is on, else it says what it would do.
  The daemon (tokens serve) runs the same loop; only one of them acts.

examples:
  tokens control                   the loop in this terminal, a line per change
  tokens control --dry-run         one look with its arithmetic; changes nothing
  tokens control why               why nothing is done, or what comes next
  tokens control history           what was foretold, and what it really freed
  tokens control undo              take its last action back

  tokens config set autoOptimize true     let it act; more: docs/control.md
"""

_ONLY_WITH = {
    "once": ("",),
    "dry_run": ("", "undo"),
    "interval": ("",),
    "from_paths": ("",),
    "limit": ("history",),
    "yes": ("undo",),
}


def run(arguments: Sequence[str]) -> int:
    """Carry the verb out."""
    options = options_of(arguments)
    if options.action in ("why", "history"):
        from tokenbudget.cli import control_asking

        ask = control_asking.why if options.action == "why" else control_asking.history
        return ask(options)
    if options.action == "undo":
        from tokenbudget.cli import control_undoing

        return control_undoing.run(options, settings())
    if options.dry_run:
        from tokenbudget.cli import control_dry

        return control_dry.run(options)
    from tokenbudget.cli import control_running

    return control_running.once(options) if options.once else control_running.loop(options)


def options_of(arguments: Sequence[str]) -> Namespace:
    """What was typed; `action` is one of `ACTIONS` or ''. Raises BadRequest."""
    options = _parser().parse_args(arguments)
    words = [word for word in (options.what, options.more) if word is not None]
    options.action = words.pop(0) if words and words[0] in ACTIONS else ""
    if len(words) > 1:
        raise BadRequest(f"'{words[1]}' is one word too many; tokens control --help says more")
    options.session = words[0] if words else ""
    _refuse_strays(options)
    options.limit = options.limit or DEFAULT_ROWS
    return options


def _parser() -> Parser:
    made = parser("control", "Keep sessions healthy: look, decide, act, verify, every 5 seconds.")
    made.usage = USAGE
    made.epilog = EPILOG
    made.formatter_class = _formatter
    made.add_argument(
        "what",
        nargs="?",
        metavar="WHAT",
        help=f"only this session (id, or its beginning); or one of {', '.join(ACTIONS)}",
    )
    made.add_argument("more", nargs="?", metavar="SESSION|N", help="of which session, which action")
    made.add_argument("--once", action="store_true", help="look once at every session, and end")
    made.add_argument(
        "--dry-run", action="store_true", help="show all that one look rests on; change nothing"
    )
    made.add_argument("--interval", metavar="TIME", help="between two looks (control.interval: 5s)")
    made.add_argument(
        "--limit",
        type=whole_number,
        metavar="N",
        help=f"history: rows shown (default {DEFAULT_ROWS})",
    )
    made.add_argument("--yes", action="store_true", help="undo: do not ask")
    return made


def _formatter(prog: str) -> argparse.HelpFormatter:
    return argparse.RawDescriptionHelpFormatter(prog, max_help_position=28, width=HELP_WIDTH)


def _refuse_strays(options: Namespace) -> None:
    for name, actions in _ONLY_WITH.items():
        if getattr(options, name) and options.action not in actions:
            option = "--from" if name == "from_paths" else f"--{name.replace('_', '-')}"
            raise BadRequest(
                f"{option} does not go with tokens control {options.action or 'alone'}"
            )
    if options.from_paths and not options.dry_run:
        raise BadRequest("sessions that are only read are not controlled; add --dry-run")
    if options.once and options.dry_run:
        raise BadRequest("--dry-run looks once as well; leave --once out")
    if options.interval and (options.once or options.dry_run):
        raise BadRequest("--interval is for the loop; leave it out")
