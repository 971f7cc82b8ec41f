"""`tokens config`: the settings, where each one comes from, and how to change one."""

from __future__ import annotations

from functools import partial

from tokenbudget.cli.options import parser, refuse_impossible, settings, show, style
from tokenbudget.config.current import bare_settings
from tokenbudget.config.editing import SCOPES, carry_out
from tokenbudget.config.explain import explained, faults_of, named, text_of
from tokenbudget.config.judging import refuse_senseless
from tokenbudget.config.management import OURS
from tokenbudget.config.settings import environment_settings
from tokenbudget.config.typed import edit_of
from tokenbudget.model.errors import BadConfig, BadRequest
from tokenbudget.model.plain_text import one_line
from tokenbudget.reports.config import (
    FORMAT,
    change_fields,
    change_lines,
    explanation_lines,
    layered_rows_of,
    rows_of,
    settings_lines,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Mapping, Sequence

    from tokenbudget.config.editing import Change
    from tokenbudget.config.settings import Settings
    from tokenbudget.config.typed import Edit

USAGE = "tokens config [get NAME | set NAME VALUE | unset NAME] [options]"
IMPOSSIBLE = BadConfig.exit_code
ALL = ""
"""What `--explain` without a name means."""


def run(arguments: Sequence[str]) -> int:
    """Carry the verb out."""
    options = _options(arguments)
    action, *words = options.words or ["list"]
    _refuse_mixture(options, action, len(words))
    if options.check:
        return _check(options)
    if action == "get":
        return _get(words[0], options)
    if action in ("set", "unset"):
        return _edit(
            edit_of(words[0], words[1] if action == "set" else None, options.scope), options
        )
    if options.explain is not None:
        found = explained(settings(), *([named(options.explain)] if options.explain else []))
        _answer(options, {"rows": layered_rows_of(found)}, explanation_lines(found))
        return 0
    found = explained(settings())
    _answer(options, {"rows": rows_of(found)}, settings_lines(found, style(options.no_color)))
    return 0


def _options(arguments: Sequence[str]) -> Namespace:
    made = parser(
        "config", "The settings, where each one comes from, and changes.", reads_sessions=False
    )
    made.usage = USAGE
    made.add_argument(
        "words",
        nargs="*",
        metavar="ACTION",
        help="get NAME, set NAME VALUE or unset NAME; without one, every setting",
    )
    made.add_argument(
        "--explain",
        nargs="?",
        const=ALL,
        metavar="NAME",
        help="every layer that was looked at, what it says and what overrides it",
    )
    made.add_argument(
        "--check", action="store_true", help="exit with 2 where a file has a fault, and name it"
    )
    made.add_argument(
        "--scope",
        choices=SCOPES,
        default=OURS,
        help="the file to change: ours is config.toml (default); user, project and local are the"
        " agent's settings files",
    )
    made.add_argument("--dry-run", action="store_true", help="show the change and make none")
    return made.parse_args(arguments)


def _refuse_mixture(options: Namespace, action: str, count: int) -> None:
    wanted = {"list": 0, "get": 1, "set": 2, "unset": 1}.get(action)
    if wanted is None or count != wanted:
        raise BadRequest(
            f"this is not {USAGE}{_meant(options.words)}; tokens config --help says more"
        )
    is_edit = action in ("set", "unset")
    if (options.dry_run or options.scope != OURS) and not is_edit:
        raise BadRequest("--scope and --dry-run go with set and unset; leave them out")
    if action != "list" and (options.check or options.explain is not None):
        raise BadRequest(f"--check and --explain do not go with {action}; leave them out")


def _meant(words: Sequence[str]) -> str:
    """What somebody may have meant who left the action out, or wrote NAME=VALUE."""
    from tokenbudget.config.catalogue import SETTINGS

    action, *rest = words if words[0] in ("get", "set") else ["", *words]
    name, _, value = " ".join(rest).replace("=", " ", 1).partition(" ")
    if not name or not any(name in (one.name, one.name.rpartition(".")[2]) for one in SETTINGS):
        return ""
    value = value.strip()
    if " " in value or (action == "set" and not value):
        return ""
    told = f"set {name} {value}" if value else f"get {name}"
    return f" (did you mean tokens config {one_line(told)}?)"


def _answer(options: Namespace, fields: Mapping[str, object], lines: list[str]) -> None:
    if options.json:
        from tokenbudget.reports.json import document

        show([document("config", FORMAT, fields)])
    else:
        show(lines)


def _get(name: str, options: Namespace) -> int:
    found = explained(settings(), named(name))
    if len(found) == 1:
        lines = [one_line(found[0].value)]
    else:
        lines = [f"{one.setting.name} = {one_line(one.value)}" for one in found]
    _answer(options, {"rows": rows_of(found)}, lines)
    return 0


def _check(options: Namespace) -> int:
    """Every fault that stands in a file now; the last good values help nobody here."""
    try:
        strict = environment_settings()
        refuse_impossible(strict)
        faults = faults_of(strict)
    except BadConfig as exc:
        faults = [str(exc)]
    if options.json:
        _answer(options, {"is_good": not faults, "faults": faults}, [])
    elif not faults:
        show(["The settings are good."])
    else:
        from tokenbudget.cli.terminal import warn

        for fault in faults:
            warn(fault)
    return IMPOSSIBLE if faults else 0


def _edit(edit: Edit, options: Namespace) -> int:
    from tokenbudget.system.clock import SystemClock

    current = correctable()
    fitting = partial(judge, current, edit.scope)
    action = None
    if options.dry_run:
        change = carry_out(current, edit, SystemClock(), fitting)
    else:
        from tokenbudget.app.hook_settings import renew_hook_settings
        from tokenbudget.app.journal_config import edit_setting

        change, action = edit_setting(current, edit, SystemClock(), fitting)
        renew_hook_settings(refuse_impossible)
    fields = {"change": change_fields(change, action)}
    _answer(options, fields, _told(edit, change, action, options.dry_run))
    return 0


def correctable() -> Settings:
    """The settings; where config.toml has a fault, as if it said nothing: it may be mended now."""
    try:
        return settings(is_silent=True)
    except BadConfig:
        return bare_settings()


def judge(current: Settings, scope: str, path: str, new: bytes) -> None:
    """Pass a new text of a settings file that can be meant; raises BadConfig."""
    refuse_senseless(current, scope, path, new, refuse_impossible)


def _told(edit: Edit, change: Change, action: int | None, is_dry_run: bool) -> list[str]:
    name = ".".join(edit.path)
    if not change.is_any:
        return [f"Nothing to change: {change.path} says so already."]
    if is_dry_run:
        return [*change_lines(change), "", "Nothing was written (--dry-run)."]
    did = "is no longer set" if edit.value is None else f"is set to {text_of(edit.value)}"
    lines = [f"{name} {did} in {change.path}.", f"Take it back: tokens undo {action}"]
    return lines + overruled(edit, name)


def overruled(edit: Edit, name: str) -> list[str]:
    """A higher layer that says something else makes the change void, which a person must know."""
    from tokenbudget.config.editing import file_of

    try:
        now = settings(is_silent=True)
        [found] = explained(now, named(name))
    except (BadConfig, BadRequest, ValueError):
        return []
    if edit.value is None or found.origin == file_of(now, edit.scope):
        return []
    return [f"It has no effect here: {found.origin} says {found.value}, and comes first."]
