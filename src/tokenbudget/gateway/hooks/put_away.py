"""An output that the client has put into a file, because it is longer than it shows.

The agent would see the beginning alone, and the file's name: of nine such outputs in recorded
sessions five were read whole afterwards. So what stands in its place may be better chosen.
"""

import posix

from tokenbudget.gateway.hooks.payload import HookEvent
from tokenbudget.gateway.hooks.small_files import content_of
from tokenbudget.gateway.statusline_values import Table, table

PATH, SIZE = "persistedOutputPath", "persistedOutputSize"
FOLDER = "/tool-results/"
MOST_BYTES = 1 << 20
"""What is longer would not be shortened in the time that a hook has."""
COMPARED_CHARS = 400
_OTHER = ("isImage", "interrupted", "backgroundTaskId")


def path_of(event: HookEvent) -> str:
    """The file that holds the whole output; '' where the response holds it, or none."""
    told = table({"": event.response}, "")
    path = told.get(PATH)
    is_so = event.tool == "Bash" and isinstance(path, str) and not any(map(told.get, _OTHER))
    return str(path) if is_so and _is_fit(str(path)) else ""


def _is_fit(path: str) -> bool:
    is_whole = path.startswith("/") and len(path) <= 4_096 and path.isprintable()
    return is_whole and FOLDER in path and "/../" not in path


def text_put_away(event: HookEvent) -> "str | None":
    """The whole output, out of its file; None where it is not surely that."""
    path = path_of(event)
    if not path:
        return None
    try:
        found = posix.lstat(path)
    except (OSError, ValueError):
        return None
    if (found.st_mode & 0o170000) != 0o100000 or found.st_uid != posix.getuid():
        return None
    try:
        text = content_of(path, MOST_BYTES).decode()
    except UnicodeDecodeError:
        return None
    shown = table({"": event.response}, "").get("stdout")
    begin = shown[:COMPARED_CHARS].strip() if isinstance(shown, str) else ""
    return text if begin and text.lstrip().startswith(begin) else None


def without_file(response: object) -> Table:
    """The response as of an output that no file holds, so that its text goes in whole."""
    told = table({"": response}, "")
    return {name: value for name, value in told.items() if name not in (PATH, SIZE)}
