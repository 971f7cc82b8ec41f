"""The sections and statements of Python source, by Python's own parser."""

from __future__ import annotations

import ast
import warnings

from tokenbudget.compression.structure import (
    BLANK,
    CLASS,
    CODE,
    COMMENT,
    DOC,
    FILE,
    FUNCTION,
    HEAD,
    IMPORT,
    Section,
    Structure,
    blocks_between,
    innermost,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

LONG_STATEMENT = 8
"""A statement of more lines than this may be shown in part: a table, a docstring."""

_QUOTES = ('"""', "'''")

_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


def python_structure(path: str, lines: Sequence[str]) -> Structure | None:
    """The structure of Python source; None where this Python cannot parse it."""
    source = "\n".join(line.removesuffix("\r").replace("\r", " ") for line in lines)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of the file's own escapes, which are not our matter
            tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    reader = _Reader(lines)
    try:
        reader.read_body(tree.body, 0)
        reader.read_docstring(tree.body)
    except RecursionError:
        return None
    return reader.structure(path)


class _Reader:
    """Collects where sections lie and where statements begin."""

    def __init__(self, lines: Sequence[str]) -> None:
        self.lines = lines
        self.sections = [Section(FILE, "", 0, len(lines), -1)]
        self.cuts: set[int] = set()
        self.kinds: dict[int, str] = {}

    def structure(self, path: str) -> Structure:
        self._cut_comments()
        owners = innermost(self.sections, len(self.lines))
        blocks = blocks_between(
            sorted(self.cuts), len(self.lines), self._kind_of, owners.__getitem__
        )
        return Structure(path, self.lines, self.sections, blocks)

    def read_body(self, body: Sequence[ast.stmt], section: int) -> None:
        for node in body:
            first = _first_line(node)
            end = node.end_lineno or first + 1
            self.cuts.update((first, end))
            if isinstance(node, _DEFINITIONS):
                self._read_definition(node, first, end, section)
                continue
            if isinstance(node, ast.Import | ast.ImportFrom):
                self._mark(first, end, IMPORT)
            inner = _bodies(node)
            if not inner and end - first > LONG_STATEMENT:
                self.cuts.update(range(first, end))
            for part in inner:
                self.read_body(part, section)

    def _read_definition(
        self,
        node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef,
        first: int,
        end: int,
        section: int,
    ) -> None:
        kind = CLASS if isinstance(node, ast.ClassDef) else FUNCTION
        self.sections.append(Section(kind, node.name, first, end, section))
        own = len(self.sections) - 1
        body_first = _first_line(node.body[0])
        self._mark(first, max(body_first, first + 1), HEAD)
        self.cuts.update(one.lineno - 1 for one in node.decorator_list)
        if body_first - first > LONG_STATEMENT:  # twenty decorators, twenty parameters
            self.cuts.update(range(first, body_first))
        self.read_body(node.body, own)
        self.read_docstring(node.body)

    def read_docstring(self, body: Sequence[ast.stmt]) -> None:
        """The text in front of a body: in paragraphs, where it is long."""
        node = body[0] if body else None
        if not isinstance(node, ast.Expr) or not isinstance(node.value, ast.Constant):
            return
        if not isinstance(node.value.value, str):
            return
        first, end = node.lineno - 1, node.end_lineno or node.lineno
        if self.kinds.get(first) == HEAD:  # `def f(): "text"`
            return
        self.cuts.difference_update(range(first + 1, end))
        self._mark(first, end, DOC)
        if self.lines[end - 1].strip() in _QUOTES:
            self.cuts.add(end - 1)  # cheap to show, and where code is put in front of the rest
        if end - first > LONG_STATEMENT:
            blank = {at for at in range(first, end) if not self.lines[at].strip()}
            self.cuts.update(at + 1 for at in blank if at + 1 < end)

    def _mark(self, first: int, end: int, kind: str) -> None:
        for at in range(first, end):
            self.kinds[at] = kind

    def _cut_comments(self) -> None:
        """A run of whole-line comments outside of statements is a block of its own."""
        was_comment = False
        for at, line in enumerate(self.lines):
            is_comment = line.lstrip().startswith("#") and at not in self.kinds
            if is_comment != was_comment and (is_comment or line.strip()):
                self.cuts.add(at)
            was_comment = is_comment or (was_comment and not line.strip())

    def _kind_of(self, first: int, end: int) -> str:
        for at in range(first, end):
            line = self.lines[at].strip()
            if line:
                return self.kinds.get(at) or (COMMENT if line.startswith("#") else CODE)
        return BLANK


def _first_line(node: ast.stmt) -> int:
    decorators = getattr(node, "decorator_list", [])
    return int(min([node.lineno, *(one.lineno for one in decorators)])) - 1


def _bodies(node: ast.stmt) -> list[list[ast.stmt]]:
    """The statements inside a compound statement, branch by branch."""
    found = [getattr(node, name, []) for name in ("body", "orelse", "finalbody")]
    found += [one.body for one in getattr(node, "handlers", [])]
    found += [one.body for one in getattr(node, "cases", [])]
    return [body for body in found if body]
