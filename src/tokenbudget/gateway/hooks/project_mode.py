"""The mode that a project's own settings ask for: the compiled settings are for every session."""

import posix

from tokenbudget.gateway.hooks.small_files import content_of
from tokenbudget.gateway.mode_words import INSTRUCTIONS
from tokenbudget.gateway.statusline_values import parsed, table

MOST_BYTES = 1 << 20
NAMES = ("/.claude/settings.local.json", "/.claude/settings.json")
"""The nearer one first."""
MOST_STEPS = 64


def mode_of_project(folder: str, otherwise: str) -> str:
    """The mode of the project that a session begins in, else the one that holds everywhere.

    As `config.layers.project_dir` has it: the nearest folder with such a file within a repository;
    outside of one the folder itself.
    """
    if not folder.startswith("/"):
        return otherwise
    for here in folders_within(folder.rstrip("/")):
        texts = [content_of(here + name, MOST_BYTES) for name in NAMES]
        if any(texts):
            return next((mode for mode in map(_mode_in, texts) if mode), otherwise)
    return otherwise


def folders_within(folder: str) -> list[str]:
    """A folder and those above it, up to the top of its repository; outside of one it alone."""
    chain = [folder]
    while len(chain) < MOST_STEPS and not _is_there(chain[-1] + "/.git"):
        above = chain[-1].rpartition("/")[0]
        if not above:
            return [folder]
        chain.append(above)
    return chain if len(chain) < MOST_STEPS else [folder]


def _is_there(path: str) -> bool:
    try:
        posix.lstat(path)
    except (OSError, ValueError):
        return False
    return True


def _mode_in(data: bytes) -> str:
    if b"compressionMode" not in data:
        return ""
    mode = table(parsed(data), "tokenManagement").get("compressionMode")
    return mode if isinstance(mode, str) and mode in INSTRUCTIONS else ""
