"""Which commands and skill of ours lie in the agent's folders, and whether their program is."""

from __future__ import annotations

import os
import re
import shlex

from tokenbudget.config.files import read_regular
from tokenbudget.config.layers import project_dir
from tokenbudget.gateway.command_files import COMMANDS as COMMAND_FILES
from tokenbudget.gateway.command_files import SKILL as SKILL_FILE
from tokenbudget.resources.effect import COMMANDS, SKILL, OwnFile
from tokenbudget.resources.settings_said import PROJECT, USER

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from tokenbudget.config.settings import Settings

_PROGRAM = re.compile(r"^(?:!|- )`(.+?) slash\b", re.MULTILINE)


def own_files(settings: Settings) -> Iterator[OwnFile]:
    """Commands and the skill, where they are ours, changed by hand or not."""
    folders = [(USER, folder) for folder in settings.claude_dirs[:1]]
    project = project_dir(settings.working_dir, settings.home_dir)
    if project:
        folders.append((PROJECT, os.path.join(project, ".claude")))
    for scope, folder in folders:
        for name in (*COMMAND_FILES, SKILL_FILE):
            path = os.path.join(folder, name)
            program = _program_in(path)
            if program is not None:
                is_skill = name == SKILL_FILE
                missing = program if program and not os.access(program, os.X_OK) else ""
                typed = _typed(name)
                yield OwnFile(SKILL if is_skill else COMMANDS, scope, path, typed, missing)


def _program_in(path: str) -> str | None:
    """The program that a file of ours calls, '' where a PATH finds it; None: it is none of ours."""
    try:
        text = (read_regular(path) or b"").decode("utf-8", "replace")
    except OSError:
        return None
    found = _PROGRAM.search(text)
    if found is None:
        return None
    try:
        words = shlex.split(found[1])
    except ValueError:
        return ""
    return words[0] if words and os.path.isabs(words[0]) else ""


def _typed(name: str) -> str:
    """`commands/sc/mode.md` as it is typed: `/sc:mode`."""
    if name == SKILL_FILE:
        return f"the skill {name.split('/')[1]}"
    return "/" + name.removeprefix("commands/").removesuffix(".md").replace("/", ":")
