"""From a file to its structure: by its language's parser, its grammar, or its indentation."""

from __future__ import annotations

import re

from tokenbudget.compression.sections_grammar import LANGUAGES, grammar_structure
from tokenbudget.compression.sections_indented import indented_structure, keyed_structure
from tokenbudget.compression.sections_python import python_structure
from tokenbudget.compression.sections_text import markdown_structure, plain_structure
from tokenbudget.compression.structure import lines_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from tokenbudget.compression.structure import Structure

_PYTHON = frozenset(("py", "pyi", "pyw"))
_MARKDOWN = frozenset(("md", "mdx", "markdown", "mdc"))
_KEYED = frozenset(("json", "jsonc", "json5", "yaml", "yml", "toml", "ini", "cfg", "conf", "lock"))
_PLAIN = frozenset(("log", "txt", "out", "err", "csv", "tsv", "rst", "jsonl", "ndjson"))
_INDENTED_ENDINGS = (
    "sh bash zsh fish pl pm r jl hs ml clj dart vue svelte html htm xml css scss less sql tf "
    "gradle groovy zig nim v proto graphql m mm make mk cmake dockerfile"
)
_LOG_LINE = re.compile(r"\[?\d{4}-\d\d-\d\d[T ]\d\d:\d\d|\S{0,40}\b(?:ERROR|WARN|INFO|DEBUG)\b")
_LOOK_LINES = 50


def structure_of(path: str, text: str) -> Structure:
    """The structure of any file; `path` may be '' where only the text is known."""
    lines = lines_of(text)
    stem, _, ending = path.rsplit("/", 1)[-1].lower().rpartition(".")
    ending = ending if stem else ""
    if ending in _PYTHON:
        return python_structure(path, lines) or indented_structure(path, lines)
    if ending in LANGUAGES:
        found = grammar_structure(path, lines, LANGUAGES[ending])
        return found or indented_structure(path, lines)
    if ending in _MARKDOWN:
        return markdown_structure(path, lines)
    if ending in _KEYED:
        return keyed_structure(path, lines)
    if ending in _PLAIN:
        return plain_structure(path, lines)
    if ending in _INDENTED_ENDINGS.split():
        return indented_structure(path, lines)
    return _guessed(path, lines)


def _guessed(path: str, lines: Sequence[str]) -> Structure:
    """The structure of a text that its name tells nothing of."""
    filled = [line for line in lines if line.strip()][:_LOOK_LINES]
    entries = [line for line in filled if line[0] not in " \t"]
    if not entries or _share(entries, _LOG_LINE) > 0.4:
        return plain_structure(path, lines)
    if filled[0].lstrip()[:1] in ("{", "[") and not filled[0].rstrip().endswith(")"):
        return keyed_structure(path, lines)
    if any(line.startswith(("# ", "## ")) for line in filled) and not filled[0].startswith("#!"):
        return markdown_structure(path, lines)
    return indented_structure(path, lines)


def _share(lines: Sequence[str], pattern: re.Pattern[str]) -> float:
    return sum(pattern.match(line[:200]) is not None for line in lines) / len(lines)
