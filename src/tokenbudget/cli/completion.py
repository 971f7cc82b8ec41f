"""`tokens completion SHELL`: a script for the shell to load, made from the parsers themselves."""

from __future__ import annotations

import argparse

from tokenbudget.alerts.rules import PERCENTS
from tokenbudget.cli.alert import ACTIONS
from tokenbudget.cli.control import ACTIONS as CONTROLS
from tokenbudget.cli.options import parser, show
from tokenbudget.model.errors import BadRequest

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

SHELLS = ("bash", "zsh", "fish")
WORDS = {
    "alert": (*map(str, PERCENTS), *ACTIONS),
    "completion": SHELLS,
    "control": CONTROLS,
    "config": ("get", "set", "unset"),
    "gateway": ("install", "uninstall", "status", "stats"),
    "sessions": ("last",),
    "skills": ("show", "match", "split", "extract"),
}
"""What may stand behind a verb beside its options."""


def run(arguments: Sequence[str]) -> int:
    """Carry the verb out."""
    made = parser("completion", "Print a completion script.", reads_sessions=False)
    made.add_argument("shell", metavar="SHELL", help=", ".join(SHELLS))
    options = made.parse_args(arguments)
    shell = options.shell
    if shell not in SHELLS:
        raise BadRequest(f"no completion for '{shell}'; choose from {', '.join(SHELLS)}")
    if options.json:
        from tokenbudget.reports.json import document

        show([document("completion", 1, {"shell": shell, "script": script(shell)})])
    else:
        show(script(shell).splitlines())
    return 0


def words() -> dict[str, list[str]]:
    """The options of every verb, asked of its own parser, or told by a module without one."""
    from tokenbudget.cli import VERBS

    return {verb.name: _options_of(verb.module) for verb in VERBS if not verb.is_hidden}


class _Stop(Exception):
    """Raised in place of parsing, to get hold of the parser."""

    def __init__(self, made: argparse.ArgumentParser) -> None:
        super().__init__()
        self.parser = made


def _options_of(module_name: str) -> list[str]:
    module = __import__(f"tokenbudget.cli.{module_name}", fromlist=["run"])
    if hasattr(module, "OPTIONS"):
        return [*WORDS.get(module_name, ()), *module.OPTIONS]
    original = argparse.ArgumentParser.parse_args

    def stop(self: argparse.ArgumentParser, *_: object) -> argparse.Namespace:
        raise _Stop(self)

    argparse.ArgumentParser.parse_args = stop  # type: ignore[assignment,method-assign]
    try:
        module.run([])
    except _Stop as caught:
        actions = caught.parser._actions  # noqa: SLF001 (argparse has no public list)
        known = sorted(o for a in actions for o in a.option_strings if o.startswith("--"))
        return [*WORDS.get(module_name, ()), *known]
    finally:
        argparse.ArgumentParser.parse_args = original  # type: ignore[method-assign]
    return []


def script(shell: str) -> str:
    """The script for one shell."""
    from tokenbudget.analysis.usage import GROUPINGS

    known = words()
    groupings = " ".join(GROUPINGS)
    if shell == "fish":
        lines = ["complete -c tokens -f"]
        for verb, options in known.items():
            lines.append(f"complete -c tokens -n __fish_use_subcommand -a {verb}")
            seen = f"complete -c tokens -n '__fish_seen_subcommand_from {verb}'"
            lines += [
                f"{seen} -l {word[2:]}" if word.startswith("--") else f"{seen} -a {word}"
                for word in options
            ]
        lines.append(f"complete -c tokens -l by -xa '{groupings}'")
        lines.append("complete -c tokens -l from -rF")
        return "\n".join(lines)
    cases = "\n".join(
        f"    {verb}) words='{' '.join(options)}' ;;" for verb, options in known.items()
    )
    head = "autoload -U +X bashcompinit && bashcompinit\n" if shell == "zsh" else ""
    return f"""{head}_tokens() {{
  local current=${{COMP_WORDS[COMP_CWORD]}} previous=${{COMP_WORDS[COMP_CWORD-1]}} words=''
  case $previous in
    --by) COMPREPLY=($(compgen -W '{groupings}' -- "$current")); return ;;
    --from|--output) COMPREPLY=($(compgen -f -- "$current")); return ;;
  esac
  case ${{COMP_WORDS[1]}} in
{cases}
    *) words='{" ".join(known)} --help --version' ;;
  esac
  [ "$COMP_CWORD" = 1 ] && words='{" ".join(known)} --help --version'
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}}
complete -o default -F _tokens tokens"""
