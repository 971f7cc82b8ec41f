"""`tokens slash ACTION`: what `/tokens ACTION` shows inside the agent; nobody types it themselves.

Every action does what the verb of its name does, with all its options, and says it shortly. Nothing
is ever asked: what changes files is shown as a plan until `--yes` is typed. Always ends with 0 and
says on standard output what went wrong: the client drops a command that fails, with its turn.
"""

from __future__ import annotations

import contextlib
import io
from typing import NamedTuple

from tokenbudget.cli.slash_told import Told
from tokenbudget.cli.slash_words import as_typed, typed_name, with_name

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


class Action(NamedTuple):
    """One word after `/tokens`."""

    name: str
    summary: str


ACTIONS = (
    Action("monitor", "this session now: use, burn, forecast, largest parts"),
    Action("alert", "alerts, or set one: 50, 70, 80, 90"),
    Action("profile", "who spends"),
    Action("optimize", "token drains with price; --apply ID --yes mends one"),
    Action("report", "write a report: text, json, html, pdf"),
    Action("archive", "keep old sessions, of 7, 14, 30, 90 days; --yes does it"),
    Action("compact", "emergency cleanup, as a plan; --yes does it"),
    Action("export", "write csv, json, sql and more"),
    Action("mode", "verbose, balanced, compressed"),
)
_NAMES = tuple(one.name for one in ACTIONS)
HELP = ("", "help", "-h", "--help")
_NOTES_SHOWN = 2
_PRINTING = ("--json", "--output=-", "--html=-")


def run(arguments: Sequence[str]) -> int:
    """Carry the verb out; always 0."""
    told = _named_as_here(_answered(list(arguments)))
    try:
        from tokenbudget.metering.tokenizer import BytePairCounter
        from tokenbudget.reports.slash import fitted

        lines = fitted(told.lines, told.next_words, BytePairCounter())
    except Exception as fault:  # noqa: BLE001 (whatever it is: uncounted, but told)
        lines = [*told.lines[:1], f"not counted: {type(fault).__name__}"]
    from tokenbudget.cli.options import show

    show(lines)
    return 0


def _answered(arguments: list[str]) -> Told:
    """The answer, with what was printed by the way, and warnings last."""
    out, complaints = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(complaints):
        told = _told(arguments)
    said = [line.removeprefix("tokens: ") for line in complaints.getvalue().splitlines()]
    notes = [f"! {line}" for line in said if line.strip()][:_NOTES_SHOWN]
    printed = [as_typed(line, _NAMES) for line in (*out.getvalue().splitlines(), *notes)]
    return told._replace(lines=[*told.lines, *printed] or ["Done; there is nothing to say."])


def _named_as_here(told: Told) -> Told:
    name = typed_name()
    return Told([with_name(line, name) for line in told.lines], with_name(told.next_words, name))


def _told(arguments: list[str]) -> Told:
    """What the action says; a sentence where it cannot."""
    from tokenbudget.model.errors import TokenBudgetError

    try:
        return _carried_out(arguments)
    except SystemExit:  # --help: it has been printed
        return Told([])
    except KeyboardInterrupt:
        return Told(["Stopped; tokens undo takes back what was done."])
    except TokenBudgetError as reason:
        return Told([as_typed(_sentence(str(reason)), _NAMES)])
    except Exception as fault:  # noqa: BLE001 (a failure would cost the person the whole turn)
        return Told(
            [f"A fault of tokens ({type(fault).__name__}: {fault}); nothing else happened."]
        )


def _carried_out(arguments: list[str]) -> Told:
    name, rest = (arguments[0], arguments[1:]) if arguments else ("", [])
    if name in HELP:
        return _help()
    refusal = _unfit(rest)
    if refusal:
        return Told([refusal])
    found = _action(name)
    if found is None:
        return Told([f"There is no action '{name[:40]}'; {_nearest(name)}"], "Next: /tokens help")
    return found(rest)


def _action(name: str) -> Callable[[list[str]], Told] | None:
    from tokenbudget.cli import slash_doing, slash_looking

    known: dict[str, Callable[[list[str]], Told]] = {
        "monitor": slash_looking.monitor,
        "alert": slash_looking.alert,
        "profile": slash_looking.profile,
        "optimize": slash_looking.optimize,
        "report": slash_looking.report,
        "export": slash_looking.export,
        "archive": slash_doing.archive,
        "compact": slash_doing.compact,
        "mode": slash_doing.mode,
    }
    return known.get(name)


def _help() -> Told:
    lines = ["/tokens ACTION [options], with the options of the verb of that name:"]
    return Told([*lines, *(f"{one.name}: {one.summary}" for one in ACTIONS)])


def _unfit(rest: Sequence[str]) -> str:
    """Why it cannot be answered here; '' where it can."""
    for word in rest:
        if word in _PRINTING or word == "-":
            return (
                f"{word} prints everything, which would fill the window; run it in a terminal, or"
                " write a file with --output PATH."
            )
    return ""


def _nearest(name: str) -> str:
    import difflib

    near = difflib.get_close_matches(name.lower(), [one.name for one in ACTIONS], 1)
    if near:
        return f"did you mean {near[0]}?"
    return f"there are {', '.join(one.name for one in ACTIONS)}."


def _sentence(text: str) -> str:
    first = text.partition(" ")[0]
    begun = text[:1].upper() if first.isalpha() else text[:1]  # an id or a path stays as it is
    return begun + text[1:] + ("" if text.endswith((".", "?", "!")) else ".")
