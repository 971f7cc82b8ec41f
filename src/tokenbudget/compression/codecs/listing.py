"""Lists of paths: a folder is named once, what lies in it stands under it.

Without loss, at any level, and in the order of the list: `src/` on a line, then ` cart.py`. What is
no path (`Found 12 files`) stays where it is. A test's name (`tests/a.py::TestCart::test_sum`) is a
path too.
"""

from __future__ import annotations

from os.path import commonprefix

from tokenbudget.compression.codec import Codec, Draft

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from tokenbudget.compression.marks import Marks
    from tokenbudget.compression.passage import Passage

FEWEST_PATHS = 8
LEAST_SHARE = 0.7
"""Of the lines that must be paths in a folder."""
LONGEST_PATH = 1_000
SHORTEST_FOLDER = 4
"""Characters: a shorter folder costs more on a line of its own than it saves."""


def detects(passage: Passage) -> bool:
    """Whether most lines of its beginning are nothing but paths."""
    lines = [line for line in passage.head.split("\n") if line]
    paths = sum(is_path(line) for line in lines)
    return paths >= FEWEST_PATHS and paths >= LEAST_SHARE * len(lines)


def is_path(line: str) -> bool:
    """Whether a line is one path in a folder, and nothing else."""
    return (
        "/" in line[:-1]
        and len(line) <= LONGEST_PATH
        and not line[0].isspace()
        and not any(mark in line for mark in (" ", "\t", "\r", "://", "//", "|", ">", "<", '"'))
    )


def shorten(passage: Passage, marks: Marks, level: str) -> Draft | None:
    """The list with its folders named once; None where the list could not be made of it again."""
    shown: list[str] = []
    start = 0
    lines = passage.lines
    while start < len(lines):
        end = start
        while end < len(lines) and is_path(lines[end]):
            end += 1
        shown.extend(_tree(lines[start:end]))
        if end < len(lines):
            shown.append(lines[end])
        start = end + 1
    text = "\n".join(shown)
    if len(text) >= len(passage.text) or decode(text, marks.opening) != passage.text:
        return None
    return Draft(text, is_lossless=True)


def decode(text: str, opening: str) -> str:
    """The list with whole paths again."""
    lines = text.split("\n")
    whole: list[str] = []
    folders: list[str] = []
    for number, line in enumerate(lines):
        depth = _depth(line)
        if depth > len(folders):
            depth = 0
        del folders[depth:]
        path = "".join(folders) + line[depth:]
        after = lines[number + 1] if number + 1 < len(lines) else ""
        if line.endswith(("/", "::")) and _depth(after) == depth + 1:
            folders.append(line[depth:])
        else:
            whole.append(path)
    return "\n".join(whole)


def _depth(line: str) -> int:
    return len(line) - len(line.lstrip(" "))


def _tree(paths: Sequence[str]) -> list[str]:
    """Neighbouring paths in the same folder under it; the folder of them all on top."""
    if len(paths) < FEWEST_PATHS:
        return list(paths)
    shown: list[str] = []
    base = _common_folder(paths[0], paths[-1])
    for path in paths:
        base = _common_folder(base, path)
    if len(base) >= SHORTEST_FOLDER:
        shown.append(base)
    else:
        base = ""
    inner = " " * bool(base)
    under = ""
    for number, path in enumerate(paths):
        name = path[len(base) :]
        after = paths[number + 1][len(base) :] if number + 1 < len(paths) else ""
        if not (under and name.startswith(under) and len(name) > len(under)):
            under = _common_folder(name, after)
            if len(under) < SHORTEST_FOLDER:
                under = ""
            else:
                shown.append(inner + under)
        shown.append(f"{inner} {name[len(under) :]}" if under else inner + name)
    return shown


def _common_folder(one: str, other: str) -> str:
    """The longest folder, with its slash or its colons, that both paths lie in."""
    same = commonprefix((one, other))  # noqa: RUF071 - by character, cut back to a folder below
    slash, colons = same.rfind("/"), same.rfind("::")
    return same[: max(slash + 1, colons + 2 if colons >= 0 else 0)]


CODEC = Codec("listing", detects, shorten)
