"""`tokens mode`: how tersely the agent writes, and how hard its tools' results are shortened."""

from __future__ import annotations

from functools import partial

from tokenbudget.cli.config import correctable, judge, overruled
from tokenbudget.cli.options import parser, refuse_impossible, settings, show
from tokenbudget.config.editing import SCOPES, carry_out
from tokenbudget.config.explain import explained, named
from tokenbudget.config.management import COMPRESSION_MODES, OURS
from tokenbudget.config.typed import edit_of
from tokenbudget.gateway.mode_words import instruction, instruction_now
from tokenbudget.model.errors import BadRequest
from tokenbudget.model.plain_text import one_line

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Mapping, Sequence

FORMAT = 1
SETTING = "tokenManagement.compressionMode"
EFFECTS = {
    "verbose": "the agent is asked to explain in full; results lose nothing",
    "balanced": "nothing is asked of the agent; results lose what is hardly ever used",
    "compressed": "the agent is asked to write tersely, code, errors, numbers and names stay;"
    " results lose whatever tokens recall gives back",
}


def run(arguments: Sequence[str]) -> int:
    """Carry the verb out."""
    options = _options(arguments)
    if options.mode is None:
        if options.dry_run or options.scope != OURS:
            raise BadRequest("--scope and --dry-run go with a mode; name one, or leave them out")
        return _show(options)
    return _set(options)


def _options(arguments: Sequence[str]) -> Namespace:
    made = parser(
        "mode",
        "How tersely the agent is asked to write, and how hard results of its tools are shortened;"
        " without MODE, as it is.",
        False,
    )
    made.add_argument(
        "mode", nargs="?", metavar="MODE", help=f"one of {', '.join(COMPRESSION_MODES)}"
    )
    made.add_argument(
        "--scope",
        choices=SCOPES,
        default=OURS,
        help="the file to change: ours is config.toml (default); user, project and local are the"
        " agent's settings files",
    )
    made.add_argument("--dry-run", action="store_true", help="say what would be, change nothing")
    options = made.parse_args(arguments)
    if options.mode is not None and options.mode not in COMPRESSION_MODES:
        raise BadRequest(_no_mode(options.mode))
    return options


def _no_mode(word: str) -> str:
    import difflib

    near = difflib.get_close_matches(word.lower(), COMPRESSION_MODES, 1)
    hint = f" (did you mean {near[0]}?)" if near else ""
    return f"'{word}' is no mode{hint}; choose from {', '.join(COMPRESSION_MODES)}"


def _show(options: Namespace) -> int:
    mode, origin = _standing()
    lines = [f"{mode} ({one_line(origin)}): {EFFECTS[mode]}."]
    if instruction(mode):
        lines.append(f"Asked at the start of a session: {instruction(mode)}")
    other = next(one for one in reversed(COMPRESSION_MODES) if one != mode)
    return _answer(options, {}, [*lines, f"Change it: tokens mode {other}"])


def _set(options: Namespace) -> int:
    from tokenbudget.app.hook_settings import renew_hook_settings
    from tokenbudget.app.journal_config import edit_setting
    from tokenbudget.system.clock import SystemClock

    current, wanted = correctable(), options.mode
    edit = edit_of(SETTING, wanted, options.scope)
    fitting = partial(judge, current, edit.scope)
    if options.dry_run:
        change = carry_out(current, edit, SystemClock(), fitting)
        would = "would be set" if change.is_any else "is set already"
        lines = [f"{wanted} {would} in {one_line(change.path)}: {EFFECTS[wanted]}."]
        return _answer(options, {"would_change": change.is_any}, lines)
    before, _ = _standing()
    change, action = edit_setting(current, edit, SystemClock(), fitting)
    renew_hook_settings(refuse_impossible)
    mode, _ = _standing()
    lines = [f"{wanted} ({before} before): {EFFECTS[wanted]}."]
    if action is not None:
        lines.append(f"Set in {one_line(change.path)}; take it back: tokens undo {action}")
    lines += overruled(edit, SETTING)
    lines.append(f"From now on: {instruction_now(mode)}")
    return _answer(options, {"before": before, "action": action}, lines)


def _standing() -> tuple[str, str]:
    """The mode that holds here, and who says so."""
    found = settings(is_silent=True)
    [said] = explained(found, named(SETTING))
    return found.management().compression_mode, said.origin


def _answer(options: Namespace, fields: Mapping[str, object], lines: list[str]) -> int:
    if options.json:
        from tokenbudget.reports.json import document

        mode, origin = _standing()
        told = {"mode": mode, "origin": origin, "instruction": instruction(mode), **fields}
        show([document("mode", FORMAT, told)])
    else:
        show(lines)
    return 0
