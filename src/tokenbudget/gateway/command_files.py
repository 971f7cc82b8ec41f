"""The commands and the skill as files: those of the plugin, and the same for a person without it.

The plugin's own files are the original. They call `tokens` by its name, which the plugin's `bin`
finds where no PATH does; what `rendered` gives back calls one program in full and is the same
otherwise, but for a mark. docs/slash.md tells what the clients make of them.
"""

from __future__ import annotations

import hashlib
import os
import re
import shlex

from tokenbudget.model.errors import BadRequest
from tokenbudget.model.plain_text import one_line

PLUGIN = "tokenbudget@tokenbudget"
"""The plugin at its marketplace, as the agent's settings name them; both lie in one folder."""

COMMANDS = (
    "commands/tokens.md",
    "commands/sc/optimize-tokens.md",
    "commands/sc/cleanup-context.md",
    "commands/sc/mode.md",
)
SKILL = "skills/token-budget/SKILL.md"

_NAMED = "tokens slash"
"""How the plugin's files call us."""
_ALLOWED = "allowed-tools: "
_OURS = re.compile(r"^made-by: tokens ([0-9a-f]{12})\n", re.MULTILINE)
"""Says who made a file, and of which words without this line: so an older version's is known."""
_MODEL = re.compile(r"^model: .*\n", re.MULTILINE)
_UNFIT = re.compile(r"[()`$!\\\x00-\x1f]")
"""A client reads a rule up to its bracket, a command up to its backtick, and refuses variables."""


def plugin_folder() -> str:
    """Where the plugin lies: a folder that is a marketplace as well, with this one plugin."""
    return os.path.join(os.path.dirname(os.path.abspath(__file__)), "plugin")


def is_fit_program(program: str) -> bool:
    """Whether the agent's client can be told, in a command file, to run this and nothing else."""
    try:
        words = shlex.split(program)
    except ValueError:
        return False
    return bool(words) and all(words) and not any(_UNFIT.search(word) for word in words)


def rendered(program: str, with_model: bool) -> dict[str, str]:
    """The command files, by their path below the agent's folder.

    Args:
        program: Command of `tokens`, quoted for a shell; `is_fit_program` says of which ones the
            client lets itself be told. `tokens` alone is what a PATH leads to.
        with_model: Whether they name a small model to answer.

    Raises:
        BadRequest: the program is none that they can name.
    """
    program = _fit(program)
    return {path: _marked(_command(_text(path), program, with_model)) for path in COMMANDS}


def rendered_skill(program: str) -> dict[str, str]:
    """The skill, by its path below the agent's folder; `program` as for `rendered`."""
    return {SKILL: _marked(_text(SKILL).replace("`tokens ", f"`{_fit(program)} "))}


def is_our_file(path: str, text: str) -> bool:
    """Whether a text is, word for word, what some version of ours made for this path.

    A person's own edit makes it theirs.
    """
    found = _OURS.search(text) if path in (*COMMANDS, SKILL) else None
    return found is not None and found[1] == _digest(text.replace(found[0], "", 1))


def has_our_mark(text: str) -> bool:
    """Whether we made a file, whatever somebody has written into it since."""
    return _OURS.search(text) is not None


def _marked(text: str) -> str:
    """With a last line of front matter that tells us by itself; no client sends it to the model."""
    head, end, body = text.partition("\n---\n")
    return f"{head}\nmade-by: tokens {_digest(text)}{end}{body}"


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:12]


def _command(text: str, program: str, with_model: bool) -> str:
    lines = []
    for line in text.split("\n"):
        called = line.replace(_NAMED, f"{program} slash")
        if line.startswith(_ALLOWED):
            called = _ALLOWED + _yaml(called.removeprefix(_ALLOWED))
        lines.append(called)
    made = "\n".join(lines)
    return made if with_model else _MODEL.sub("", made, count=1)


def _fit(program: str) -> str:
    if not is_fit_program(program):
        raise BadRequest(
            f"the path of this program ({one_line(program)[:200]}) holds a sign that the agent's"
            " rules cannot; install it where no bracket, backtick or $ is in the path"
        )
    return program


def _yaml(value: str) -> str:
    """A value of the front matter: as it is, and in quotes only where it would end as a comment.

    Release 2.0.76 reads no YAML and would take the quotes for a part of the rule.
    """
    return value if " #" not in value else "'" + value.replace("'", "''") + "'"


def _text(path: str) -> str:
    with open(os.path.join(plugin_folder(), path), encoding="utf-8") as handle:
        return handle.read()
