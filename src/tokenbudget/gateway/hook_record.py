"""The hook command, written down for the plugin: its files are the same everywhere, a path is not.

`plugin/hooks/run-hook.sh` runs it; without it every hook would start `tokens hook`, which takes
twice as long.
"""

from __future__ import annotations

import os
import shlex

from tokenbudget.gateway.hooks.small_files import make_folders
from tokenbudget.system.atomic import write_atomic

RUN_FOLDER, NAME = "run", "hook-command"


def record_path(home: str) -> str:
    """Where it stands."""
    return os.path.join(home, RUN_FOLDER, NAME)


def record_hook_command(home: str, command: str) -> bool:
    """Write it down, a word in each line, unless it stands there; whether it does now.

    A line break in a word (a folder may be called so) cannot be written.

    Args:
        home: Our data folder.
        command: As `hook_files.hook_command` makes it, quoted for a shell. The plugin's script
            takes the words as they are: no shell ever reads what stands in a file.
    """
    path, words = record_path(home), shlex.split(command)
    if any("\n" in word or "\0" in word for word in words):
        return False
    wanted = "".join(f"{word}\n" for word in words).encode("utf-8", "surrogateescape")
    try:
        with open(path, "rb") as handle:
            if handle.read(len(wanted) + 1) == wanted:
                return True
    except OSError:
        pass
    try:
        os.makedirs(home, mode=0o700, exist_ok=True)
        make_folders(os.path.dirname(path))
        write_atomic(path, wanted)
    except OSError:
        return False  # a home that cannot be written: the plugin goes the slower way
    return True
