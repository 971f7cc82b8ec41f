"""One module per verb: parse, call, print, exit code.

The list of verbs below is the whole command line. `main` imports the one that is asked for, so that
`tokens --help` and a warm `tokens usage` stay a matter of milliseconds.
"""

from __future__ import annotations

import gc
import sys
from typing import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence


class Verb(NamedTuple):
    """A verb, what it does in a few words, and the module that carries it out."""

    name: str
    summary: str
    module: str
    is_hidden: bool = False


VERBS = (
    Verb("overview", "how it stands today and this week (what `tokens` alone shows)", "overview"),
    Verb(
        "usage",
        "tokens and cost by day, week, month, session, model, project, agent, block",
        "usage",
    ),
    Verb("sessions", "list the sessions, or show one whole", "sessions"),
    Verb(
        "doctor",
        "what was read, skipped, malformed, unpriced; --rebuild reads it all again",
        "doctor",
    ),
    Verb("config", "the settings and where each one comes from", "config"),
    Verb("completion", "shell completion for bash, zsh or fish", "completion"),
    Verb(
        "backfill", "read what a quick first pass left (runs by itself)", "backfill", is_hidden=True
    ),
)

INTERRUPTED = 130
"""Exit code after Ctrl-C, as shells have it."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command line; returns the exit code."""
    gc.disable()  # a command ends before garbage matters, and millions of small values pass through
    given = list(sys.argv[1:] if arguments is None else arguments)
    is_debugging = "--debug" in given
    if is_debugging:
        given.remove("--debug")
    try:
        return _run(given)
    except KeyboardInterrupt:
        print("\ntokens: stopped; what was read so far is kept", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:
        return _leave_pipe()
    except Exception as exc:
        from tokenbudget.model.errors import TokenBudgetError

        if is_debugging or not isinstance(exc, TokenBudgetError):
            raise
        from tokenbudget.reports.sanitize import one_line

        print(f"tokens: {one_line(str(exc))}", file=sys.stderr)
        return exc.exit_code


def _run(given: list[str]) -> int:
    name = given[0] if given else ""
    if name in ("-h", "--help", "help"):
        print(help_text())
        return 0
    if name in ("-V", "--version"):
        from tokenbudget import __version__

        print(f"tokens {__version__}")
        return 0
    if name.startswith("-") or not name:
        name, given = "overview", ["overview", *given]
    for verb in VERBS:
        if verb.name == name:
            module = __import__(f"tokenbudget.cli.{verb.module}", fromlist=["run"])
            return int(module.run(given[1:]))
    from tokenbudget.model.errors import BadRequest

    raise BadRequest(f"there is no verb '{name}'{_nearest(name)}; tokens --help lists them")


def _nearest(name: str) -> str:
    import difflib

    near = difflib.get_close_matches(name, [verb.name for verb in VERBS], 1)
    return f", did you mean '{near[0]}'" if near else ""


def help_text() -> str:
    """What `tokens --help` prints."""
    lines = [
        "tokens: the budget of a coding agent's context window",
        "",
        "usage: tokens [VERB] [options]        tokens VERB --help says more",
        "",
    ]
    lines += [f"  {verb.name:<12}{verb.summary}" for verb in VERBS if not verb.is_hidden]
    lines += [
        "",
        "options that every verb takes",
        "  --json         one JSON object instead of text",
        "  --from PATH    read these sessions instead of the ledger (file or folder, repeatable)",
        "  --no-color     plain text, as NO_COLOR and a pipe give it",
        "  --debug        a traceback instead of one sentence when something breaks",
        "  --version      the version",
        "",
        "exit codes: 0 done, 1 not so (--check), 2 usage, 3 unreadable input, 4 refused",
    ]
    return "\n".join(lines)


def _leave_pipe() -> int:
    """The reader has seen enough: end quietly, without Python's complaint at exit."""
    import os

    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0
