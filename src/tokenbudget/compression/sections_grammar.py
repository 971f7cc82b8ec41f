"""The sections of source in other languages, by their grammars (extra `code`: ast-grep).

The grammars lie inside the package, so nothing is loaded from anywhere. Without the package, or for
a language that it does not know, sections are found by indentation.
"""

from __future__ import annotations

from tokenbudget.compression.sections_indented import structure_with
from tokenbudget.compression.structure import CLASS, FILE, FUNCTION, Section

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ast_grep_py import SgNode

    from tokenbudget.compression.structure import Structure

LANGUAGES = {
    "js": "javascript", "jsx": "javascript", "mjs": "javascript", "cjs": "javascript",
    "ts": "typescript", "mts": "typescript", "cts": "typescript", "tsx": "tsx",
    "go": "go", "rs": "rust", "java": "java", "kt": "kotlin", "c": "c", "h": "c",
    "cc": "cpp", "cpp": "cpp", "cxx": "cpp", "hpp": "cpp", "hh": "cpp", "cs": "csharp",
    "rb": "ruby", "php": "php", "swift": "swift", "scala": "scala", "lua": "lua",
    "ex": "elixir", "exs": "elixir",
}  # fmt: skip
"""By the ending of a file's name."""

_CLASS_KINDS = (
    "class_declaration abstract_class_declaration interface_declaration enum_declaration "
    "struct_item enum_item trait_item impl_item mod_item type_declaration class_specifier "
    "struct_specifier namespace_definition struct_declaration record_declaration class module "
    "object_declaration protocol_declaration trait_declaration class_definition object_definition "
    "trait_definition internal_module"
)
_FUNCTION_KINDS = (
    "function_declaration generator_function_declaration method_definition method_declaration "
    "function_item function_definition constructor_declaration method singleton_method "
    "init_declaration local_function_statement"
)
_CLASSES, _FUNCTIONS = frozenset(_CLASS_KINDS.split()), frozenset(_FUNCTION_KINDS.split())
_VALUES = frozenset(("arrow_function", "function_expression", "function"))
MOST_CHARS = 2_000_000
LEAST_LINES = 2


def grammar_structure(path: str, lines: Sequence[str], language: str) -> Structure | None:
    """The structure by the language's grammar; None where it cannot be had."""
    text = "\n".join(lines)
    if len(text) > MOST_CHARS or "\x00" in text:
        return None
    try:
        from ast_grep_py import SgRoot

        root = SgRoot(text.encode("utf-8", "replace").decode(), language).root()
        found = [one for one in _definitions(root) if one[3] - one[2] >= LEAST_LINES]
    except (ImportError, RuntimeError, ValueError, RecursionError):
        return None
    sections = [Section(FILE, "", 0, len(lines), -1)]
    opened = [0]
    for kind, name, first, end in found:
        while first >= sections[opened[-1]].end:
            opened.pop()
        end = min(end, sections[opened[-1]].end)
        if end - first >= LEAST_LINES:
            sections.append(Section(kind, name, first, end, opened[-1]))
            opened.append(len(sections) - 1)
    return structure_with(path, lines, sections)


def _definitions(root: SgNode) -> Iterator[tuple[str, str, int, int]]:
    """What is defined, in document order: kind, name, first line, line after the last."""
    waiting = [root]
    while waiting:
        node = waiting.pop()
        kind = _kind(node)
        if kind:
            place = node.range()
            yield kind, _name(node), place.start.line, place.end.line + 1
        waiting.extend(reversed([child for child in node.children() if child.is_named()]))


def _kind(node: SgNode) -> str:
    kind = node.kind()
    if kind in _CLASSES:
        return CLASS
    if kind in _FUNCTIONS:
        return FUNCTION
    if kind == "variable_declarator":
        value = node.field("value")
        return FUNCTION if value is not None and value.kind() in _VALUES else ""
    return ""


def _name(node: SgNode) -> str:
    for field in ("name", "type", "declarator"):
        found = node.field(field)
        if found is not None:
            return found.text().split("(")[0].split("\n")[0].strip()[:80]
    inner = next((child for child in node.children() if child.field("name") is not None), None)
    named = inner.field("name") if inner is not None else None
    return named.text()[:80] if named is not None else ""
