"""Which commands are known to print much and to end with an error all the same.

A listing of a whole tree meets a folder that it may not read, `npm ls` a version that does not fit:
the exit code tells of a failure, and the output is as long as ever. What only looks is meant, and
nothing else. `find`, `grep`, `rg` and `diff` are left alone: a client knows that their 1 is no
failure, but only while it sees their own words. What prints much and succeeds needs no words of
ours before it (`put_away`).
"""

from tokenbudget.gateway.hooks.plain_commands import plain_words

_ALWAYS = ("du", "tree")
_LISTS = {
    "npm": ("ls", "list", "ll", "la", "audit", "outdated"),
    "pnpm": ("ls", "list", "audit", "outdated"),
    "yarn": ("list", "audit", "outdated"),
    "pip": ("check",),
    "pip3": ("check",),
}
_DOING = ("-o", "--output", "fix", "--fix", "-R")
"""With such a word a program of these does more than look: beginnings, quotes left out."""


def is_huge(command: str) -> bool:
    """Whether it only looks, in plain words, and is known to print much."""
    words = plain_words(command)
    if not words or "=" in words[0] or "'" in command or '"' in command:
        return False
    program, verb = words[0].rpartition("/")[2], words[1] if len(words) > 1 else ""
    if program == "ls":
        return any(_goes_deep(word) for word in words[1:])
    if any(word.startswith(_DOING) for word in words[1:]):
        return False
    return program in _ALWAYS or verb in _LISTS.get(program, ())


def _goes_deep(word: str) -> bool:
    is_short = word.startswith("-") and not word.startswith("--")
    return word == "--recursive" or (is_short and "R" in word)
