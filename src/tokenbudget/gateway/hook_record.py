"""The hook command, written down for the plugin: its files are the same everywhere, a path is not.

`plugin/hooks/run-hook.sh` runs it; without it every hook would start `tokens hook`, which takes
twice as long.
"""

from __future__ import annotations

import os

from tokenbudget.system.atomic import write_atomic

RUN_FOLDER, NAME = "run", "hook-command"


def record_path(home: str) -> str:
    """Where it stands."""
    return os.path.join(home, RUN_FOLDER, NAME)


def record_hook_command(home: str, command: str) -> bool:
    """Write it down, unless it stands there; whether it does now.

    A line break in it (a folder may be called so) cannot be written: the plugin reads one line.
    """
    path, wanted = record_path(home), f"{command}\n".encode("utf-8", "surrogateescape")
    if "\n" in command:
        return False
    try:
        with open(path, "rb") as handle:
            if handle.read(len(wanted) + 1) == wanted:
                return True
    except OSError:
        pass
    try:
        os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
        write_atomic(path, wanted)
    except OSError:
        return False  # a home that cannot be written: the plugin goes the slower way
    return True
