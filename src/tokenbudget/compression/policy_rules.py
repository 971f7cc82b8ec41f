"""Which codecs may touch the results of which tool: what an agent must not lose stays out of reach.

A file that is read is a file that may be edited, and an edit needs the very text, spaces and all.
So of what may be edited only that is left out which stands in the window already; and whole kinds
of files that nobody edits by hand (logs, lockfiles, rows of data) are shortened like any output.
`docs/trim.md` has these rules as a table.
"""

from __future__ import annotations

import re

from tokenbudget.compression.codecs import CODECS
from tokenbudget.compression.passage import BALANCED, COMPRESSED, VERBOSE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tokenbudget.compression.codec import Codec
    from tokenbudget.compression.passage import Origin
    from tokenbudget.compression.receipts import Receipt

OF_THE_WINDOW = ("reread", "seen")
"""They leave out what the agent has before its eyes already."""
OUTLINE = "source"
"""It leaves out bodies of a source file and says where each one stands."""
LEAST_OUTLINED_LINES = 800
"""Bodies of shorter files are edited and quoted so often that the outline costs more than it saves
(`docs/trim.md` has the figures)."""
LEAST_DATA_CHARS = 12_000
"""A smaller JSON file is somebody's configuration: it is edited; a larger one may be, too."""
SMALL_SEARCH_CHARS = 2_400
"""A short list of finds was asked for to be read: about 600 tokens."""

_MADE_BY_PROGRAMS = re.compile(
    r"\.(?:log|out|err|trace|lock|map|csv|tsv|jsonl|ndjson|min\.js|min\.css|har|sarif|lcov)$"
    r"|(?:^|[/\\])(?:package-lock\.json|npm-shrinkwrap\.json|pnpm-lock\.yaml|bun\.lockb?|go\.sum"
    r"|Cargo\.lock|Gemfile\.lock|composer\.lock|poetry\.lock|uv\.lock|yarn\.lock|flake\.lock)$",
    re.IGNORECASE,
)
_DATA = re.compile(r"\.(?:json|geojson)$", re.IGNORECASE)

_JOINTS = re.compile(r"&&|\|\||[;\n]")
_SHOW_FILES = frozenset({"cat", "head", "tail", "sed", "nl", "bat", "batcat", "less", "more"})
_SEARCHES = frozenset({"grep", "rg", "egrep", "fgrep", "ag", "ack"})
_UNTOUCHED = (("git", "status"), ("git", "stash"), ("git", "branch"), ("tokens",),
              ("python", "-m", "tokenbudget"), ("python3", "-m", "tokenbudget"))  # fmt: skip
"""What is short, or was asked for to the letter; what our own commands say is short already."""
_MOST_LOOKED_AT = 4_000

_TOLD_LINE_BY_LINE = re.compile(
    r"\b(?:diff|show|log|blame|annotate|format-patch|awk|base64|xxd|Get-Content|Select-String)\b"
)
"""Of what such a command prints, an agent takes lines word for word."""
_HEADING = re.compile(r"^#{1,4} +\w", re.MULTILINE)
"""A written report has some. A comment of a script looks the same; it is spared too."""


def codecs_for(
    tool: str, told: Mapping[str, object], text: str, origin: Origin, level: str
) -> Sequence[Codec]:
    """The codecs that are asked for this result, in their order; none leaves it alone."""
    if tool == "Read":
        return _of_file(origin.path, text, level, is_whole=not _is_part(told))
    return _of_command(origin.command, text) if tool == "Bash" else codecs_for_any()


def level_for(tool: str, text: str, origin: Origin, level: str) -> str:
    """How hard this result may be shortened.

    Of a short list of finds nothing is left out. What a program says of its own work is read once
    and almost never quoted (`docs/trim.md` has the figures): at `balanced` it keeps as much as
    other results do at `compressed`. A written report keeps more at either.
    """
    is_search = tool in ("Grep", "Glob") or _searches(origin)
    if is_search and len(text) < SMALL_SEARCH_CHARS:
        return VERBOSE
    if level == VERBOSE or is_search or tool == "Read":
        return level
    if _HEADING.search(text):
        return BALANCED
    return COMPRESSED if _is_program_talk(origin) else level


def _is_program_talk(origin: Origin) -> bool:
    """Whether a result is neither a file, a difference nor a failure."""
    if origin.has_failed or _TOLD_LINE_BY_LINE.search(origin.command):
        return False
    return not _shown_files(origin.command)


def is_all_known(text: str, receipt: Receipt) -> bool:
    """Whether every line that says something stands in the window already."""
    known = bytearray(text.count("\n") + 1)
    for one in receipt.removed:
        for start, end in one.ranges:
            known[start:end] = b"\1" * (end - start)
    return all(
        is_known or not line.strip() for is_known, line in zip(known, text.split("\n"), strict=True)
    )


def _searches(origin: Origin) -> bool:
    parts = _JOINTS.split(origin.command[:_MOST_LOOKED_AT])
    return any(words[0] in _SEARCHES for part in parts if (words := _words(part)))


def codecs_for_any() -> Sequence[Codec]:
    """All but the outline, which is for files."""
    return tuple(one for one in CODECS if one.name != OUTLINE)


def _named(names: Sequence[str]) -> tuple[Codec, ...]:
    return tuple(one for one in CODECS if one.name in names)


def _is_part(told: Mapping[str, object]) -> bool:
    """Whether a part of a file was asked for by its lines: that is wanted to the letter."""
    return any(told.get(name) is not None for name in ("offset", "limit", "pages"))


def _of_file(path: str, text: str, level: str, is_whole: bool) -> Sequence[Codec]:
    if not is_whole:
        return _named(OF_THE_WINDOW)
    if _MADE_BY_PROGRAMS.search(path):
        return codecs_for_any()
    if level == COMPRESSED and len(text) >= LEAST_DATA_CHARS and _DATA.search(path):
        return codecs_for_any()
    if level == COMPRESSED and text.count("\n") >= LEAST_OUTLINED_LINES:
        return _named((*OF_THE_WINDOW, OUTLINE))
    return _named(OF_THE_WINDOW)


def _of_command(command: str, text: str) -> Sequence[Codec]:
    """What may touch the output of a command line: of its parts the most careful rule holds."""
    parts = [words for part in _JOINTS.split(command[:_MOST_LOOKED_AT]) if (words := _words(part))]
    if any(words[: len(one)] == one for words in parts for one in _UNTOUCHED):
        return ()
    if all(_MADE_BY_PROGRAMS.search(path) for path in _shown_files(command)):
        return codecs_for_any()
    return _named(OF_THE_WINDOW)


def _shown_files(command: str) -> list[str]:
    """The files that a command line prints, as far as its words tell."""
    parts = [words for part in _JOINTS.split(command[:_MOST_LOOKED_AT]) if (words := _words(part))]
    return [words[-1] for words in parts if words[0] in _SHOW_FILES]


def _words(part: str) -> tuple[str, ...]:
    """The words of the first program of a pipe; what comes behind it chooses from its output."""
    words = part.partition("|")[0].split()
    while words and "=" in words[0] and not words[0].startswith("-"):
        del words[0]  # a variable before the program
    return (words[0].rpartition("/")[2], *words[1:]) if words else ()
