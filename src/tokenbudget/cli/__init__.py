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
    Verb("monitor", "a live view: window, burn, limits, cost, alerts", "monitor"),
    Verb("usage", "tokens and cost by day, model, project, session and more", "usage"),
    Verb("sessions", "list the sessions, or show one whole", "sessions"),
    Verb("context", "what fills the window of a session now", "context"),
    Verb("budget", "the window against its plan: use, health, forecast, what to do", "budget"),
    Verb("timeline", "what filled the window over the life of a session", "timeline"),
    Verb("profile", "who spends: tools, files, commands, servers, weeks", "profile"),
    Verb("optimize", "token drains with their price, evidence and fix; --apply, undo", "optimize"),
    Verb("report", "a report to read, send on or print: text, JSON, HTML or PDF", "report"),
    Verb("export", "requests, tool calls, sessions and days as CSV, JSON, SQL and more", "export"),
    Verb("statusline", "one line for the agent's status bar", "statusline"),
    Verb("alert", "be told when something runs out: set, list, test, silence", "alert"),
    Verb("control", "the 5-second loop that keeps sessions healthy: history, why, undo", "control"),
    Verb("compact", "emergency cleanup of a project: shown, done, measured, undone", "compact"),
    Verb("skills", "skills, commands, agents: weight, use, tiers; the one for a task", "skills"),
    Verb("backtest", "past sessions again, strategy by strategy: saved, and lost", "backtest"),
    Verb("select", "show what a task needs of some files, under a token budget", "select"),
    Verb("archive", "keep old sessions compressed, before the agent deletes them", "archive"),
    Verb("recover", "have archived sessions back, byte for byte", "recover"),
    Verb("compress", "a text in fewer tokens: results of tools, prose", "compress"),
    Verb("recall", "the original of a shortened result, byte for byte", "recall"),
    Verb("install", "wire status line, hooks and commands into Claude Code", "install"),
    Verb("uninstall", "take them out again, to the byte", "uninstall"),
    Verb("undo", "take back what was changed; your own edits since then stay", "undo"),
    Verb("doctor", "what was read and what is doubtful; --rebuild reads it all again", "doctor"),
    Verb("mode", "how tersely the agent writes: verbose, balanced, compressed", "mode"),
    Verb("config", "the settings and where each one comes from", "config"),
    Verb("serve", "answer the agent's hooks from one process that is there already", "serve"),
    Verb("gateway", "one MCP server in front of all others: find, describe, run code", "gateway"),
    Verb("completion", "shell completion for bash, zsh or fish", "completion"),
    Verb("refresh-statusline", "figures for the status line", "refresh_statusline", is_hidden=True),
    Verb("send-alerts", "what alerts have to tell", "send_alerts", is_hidden=True),
    Verb("slash", "what /tokens shows inside the agent", "slash", is_hidden=True),
    Verb("hook", "answer one hook of the agent", "hook", is_hidden=True),
    Verb("backfill", "read what a quick first pass left", "backfill", is_hidden=True),
)

INTERRUPTED = 130
"""Exit code after Ctrl-C, as shells have it."""

OUTPUT_LOST = 3
"""Exit code where standard output cannot be written: a full disk."""

FAULT = 70
"""Exit code of a fault in this program, as sysexits.h has it."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command line; returns the exit code."""
    gc.disable()  # a command ends before garbage matters, and millions of small values pass through
    _open_closed_streams()
    given = list(sys.argv[1:] if arguments is None else arguments)
    is_debugging = "--debug" in given
    if is_debugging:
        given.remove("--debug")
    try:
        code = _run(given)
        sys.stdout.flush()  # here, where a reader that is gone can still be left quietly
        return code
    except KeyboardInterrupt:
        print("\ntokens: stopped; what was read so far is kept", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:
        _forget_output()  # the reader has seen enough
        return 0
    except Exception as exc:
        if is_debugging:
            raise
        return _tell(exc)


def _tell(exc: Exception) -> int:
    """Say in one sentence what went wrong; returns the exit code."""
    from tokenbudget.model.errors import TokenBudgetError
    from tokenbudget.model.plain_text import one_line

    if isinstance(exc, TokenBudgetError):
        text, code = str(exc), exc.exit_code
    elif isinstance(exc, OSError) and exc.filename is None:
        text, code = f"cannot write the output ({exc.strerror}); give it more room", OUTPUT_LOST
        _forget_output()
    else:
        text = f"a fault of this program ({type(exc).__name__}: {exc}); --debug shows where"
        code = FAULT
    print(f"tokens: {one_line(text)}", file=sys.stderr)
    return code


def _open_closed_streams() -> None:
    """Whoever started us may have closed them: what goes there is lost, and no error."""
    import os

    if sys.stdout is None:
        sys.stdout = open(os.devnull, "w")  # noqa: SIM115 (until the process ends)
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w")  # noqa: SIM115


def _run(given: list[str]) -> int:
    name = given[0] if given else ""
    if name == "help" and len(given) > 1:
        name, given = given[1], [given[1], "--help"]
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
    return f" (did you mean '{near[0]}'?)" if near else ""


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
        "options that most verbs take",
        "  --json         one JSON object instead of text",
        "  --from PATH    read this file or folder of sessions instead of the ledger",
        "  --no-color     plain text, as NO_COLOR and a pipe give it",
        "  --debug        a traceback instead of one sentence when something breaks",
        "  --version      the version",
        "",
        "exit codes: 0 done, 1 not so (--check), 2 usage, 3 unreadable input, 4 refused",
        "            70 a fault of this program, 130 stopped by Ctrl-C",
    ]
    return "\n".join(lines)


def _forget_output() -> None:
    """Spare the person Python's own complaint at exit, when it tries to write once more."""
    import os

    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
