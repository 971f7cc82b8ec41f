"""What a shell command does, as far as its words tell: looks, takes a small step, or anything else.

Rather too little is recognised than too much: a loop, a substitution, a here-document or a program
that is not listed makes a command `None` or "anything else".
"""

from __future__ import annotations

import re
from functools import lru_cache

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

QUOTED = re.compile(r"'[^']*'|\"[^\"]*\"")
_HARMLESS_REDIRECTION = re.compile(r"\d?>&\d|[\d&]?>>?\s*/dev/null")
_SEPARATOR = re.compile(r"&&|\|\||;|\n")
_SPECIAL = re.compile(r"<<|\$\(|`|<\(|(?:^|[;&|\n]\s*)(?:for|while|until|if|case|function)\b|[{}]")
_ASSIGNMENT = re.compile(r"[A-Za-z_]\w*=\S*$")


def named(names: str) -> frozenset[str]:
    """The names in a line."""
    return frozenset(names.split())


LOOKS = named(
    "ls cat head tail wc pwd which whereis type file stat du df date whoami hostname uname echo"
    " printf readlink realpath basename dirname tree true id nproc sort uniq cut tr column nl"
    " md5sum sha256sum cd test"
)
"""Programs that show a little and change nothing."""
SEARCHES = named("grep egrep fgrep rg ag find fd awk jq diff cmp strings")
"""Programs that look for something: what to look for next depends on what was found."""
STEPS = named("mkdir cp mv touch chmod ln gofmt black ruff prettier isort rustfmt")
"""Programs that take one small step, the same whatever the one before it said."""
CHECKS = named("golangci-lint pyright mypy eslint tsc flake8 pylint vulture shellcheck")
"""Programs that say whether something is in order."""
WRAPPERS = (("uv", "run"), ("npx",), ("poetry", "run"), ("pnpm", "exec"), ("yarn", "run"))
"""What stands before a program and changes nothing of what it does."""
SUBCOMMANDS = {
    "git": named(
        "status diff log branch show rev-parse remote describe ls-files merge-base rev-list"
        " shortlog"
    ),
    "go": frozenset(("version", "env", "list")),
    "npm": frozenset(("--version", "-v", "ls")),
    "node": frozenset(("--version", "-v")),
    "python": frozenset(("--version", "-V")),
    "python3": frozenset(("--version", "-V")),
}
"""Of programs that do many things, what only shows."""
STEP_SUBCOMMANDS = {
    "git": named("add commit push fetch switch checkout tag"),
    "go": frozenset(("fmt", "vet")),
    "cargo": frozenset(("fmt",)),
}
"""The same, what takes one small step."""
CHECK_SUBCOMMANDS = {"go": frozenset(("build",)), "cargo": frozenset(("check", "clippy"))}
"""The same, what says whether something is in order."""
_CHANGING_FLAGS = re.compile(
    r"(?:^|\s)(?:-delete|-exec(?:dir)?|-ok(?:dir)?|-fprint\w*|--in-place|-i\.?\w*)(?=\s|$)"
)
_GIT_CHANGES = re.compile(
    r"\bgit (?:\S+ \S+ )?(?:branch (?:.* )?-[dDmMcCf]\b|remote (?:add|remove|rm|set)|branch \w)"
)


def heads(command: str) -> list[str] | None:
    """The programs of a command in order (`git status`); None where that cannot be told.

    What stands behind a pipe counts as a part of what stands before it.
    """
    found = _heads(command)
    return None if found is None else list(found)


@lru_cache(maxsize=4096)
def _heads(command: str) -> tuple[str, ...] | None:
    plain = _HARMLESS_REDIRECTION.sub(" ", QUOTED.sub(" Q ", command.replace("\\\n", " ")))
    if _SPECIAL.search(plain) or ">" in plain or re.search(r"&(?!&)", plain.replace("&&", "")):
        return None
    found = []
    for part in _SEPARATOR.split(plain):
        first, *filters = part.split("|")
        if any(_head(one) not in _FILTERS for one in filters):
            return None
        if head := _head(first):
            found.append(head)
    return tuple(found)


_FILTERS = (LOOKS | SEARCHES | {"sed"}) - {"cd"}


def _head(part: str) -> str:
    words = part.split()
    while words and _ASSIGNMENT.match(words[0]):
        words.pop(0)
    if not words:
        return ""
    for wrapper in WRAPPERS:
        if tuple(words[: len(wrapper)]) == wrapper and len(words) > len(wrapper):
            words = words[len(wrapper) :]
    program, rest = words[0], words[1:]
    if program not in SUBCOMMANDS and program not in STEP_SUBCOMMANDS:
        return program
    while program == "git" and len(rest) > 1 and rest[0] in ("-C", "-c"):
        rest = rest[2:]
    rest = [word for word in rest if word != "--no-pager"]
    return f"{program} {rest[0]}" if rest else program


def is_look(command: str) -> bool:
    """Whether it only shows or searches: nothing is another way after it."""
    found = heads(command)
    if not found or _CHANGING_FLAGS.search(command) or _GIT_CHANGES.search(command):
        return False
    return all(one in LOOKS or one in SEARCHES or _shows(one) for one in found)


def is_small_step(command: str) -> bool:
    """Whether it shows a little, or takes a small step that needs no thought."""
    found = heads(command)
    return bool(found) and not _CHANGING_FLAGS.search(command) and all(map(_is_small, found or ()))


def is_check(command: str) -> bool:
    """Whether it says if something is in order, beside small steps."""
    found = heads(command) or []
    checks = [one for one in found if one in CHECKS or _is_listed(one, CHECK_SUBCOMMANDS)]
    return bool(checks) and all(_is_small(one) for one in found if one not in checks)


def _is_small(head: str) -> bool:
    is_known = head in LOOKS or head in STEPS or _shows(head)
    return is_known or _is_listed(head, STEP_SUBCOMMANDS)


def _shows(head: str) -> bool:
    return _is_listed(head, SUBCOMMANDS)


def _is_listed(head: str, table: Mapping[str, frozenset[str]]) -> bool:
    program, _, subcommand = head.partition(" ")
    return subcommand in table.get(program, ())
