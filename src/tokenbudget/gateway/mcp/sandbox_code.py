"""What code of the agent says before it runs: where its value is, which calls it awaits later.

Pure. The code is only parsed here, by Python's own parser, never run; code that this parser
refuses is handed on as it is, for the sandbox has a parser of its own and the last word.

A tool is called without `await` as well as with it: `x = tool()` waits for the answer,
`await tool()` and `gather(tool(), tool())` get something to wait for. Which of the two a call
gets is decided by where it stands (`Reading.awaited`). Answering the call so or so, in place of
rewriting the code, works inside of plain functions too, and keeps every line and column.

The value of the run is what its last expression, or a `return` outside of functions, gives. It
is put into the variable `VALUE`, so that it never has to leave the sandbox to be kept. Two things
that agents often write and that the sandbox lacks are mended on the way: `next()` of a generator
expression, which is a list there, and `gather(…, return_exceptions=True)`.
"""

from __future__ import annotations

import ast
import warnings
from typing import NamedTuple

from tokenbudget.gateway.mcp.sandbox_awaits import awaited_calls
from tokenbudget.gateway.mcp.sandbox_edits import Edits

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

VALUE = "_tb_value"
GATHER = "_tb_gather"
"""Stands for a `gather` that gives back exceptions."""
_OPEN, _CLOSE = f"{VALUE}=(\n", "\n)"


class Reading(NamedTuple):
    """What there is to know of code before it runs."""

    code: str
    """As written, with plain line ends."""
    fed: str
    """As it is handed to the sandbox."""
    awaited: frozenset[int]
    """Where in `fed` calls begin whose answer is awaited later; in bytes."""
    has_value: bool
    assigned: tuple[str, ...]
    """The variables that it gives a value to, outside of functions."""
    used: frozenset[str]
    """All names in it."""
    lines: tuple[int, ...]
    """For each line of `fed` its line in `code`, from 1."""
    is_read: bool = True
    """Whether Python's parser here could read it."""

    def line(self, fed_line: int) -> int:
        """The line of the code for one of what was fed."""
        return self.lines[min(max(fed_line, 1), len(self.lines)) - 1]

    def source(self, line: int) -> str:
        """One line of the code."""
        lines = self.code.split("\n")
        return lines[line - 1].strip() if 0 < line <= len(lines) else ""


def read(code: str) -> Reading:
    """Read code; never raises."""
    plain = code.replace("\r\n", "\n").replace("\r", "\n")
    raw = plain.encode("utf-8", "replace")
    plain = raw.decode()
    tree = _parsed(plain)
    if tree is None:
        lines = tuple(range(1, plain.count("\n") + 2))
        return Reading(plain, plain, frozenset(), False, (), frozenset(), lines, False)
    edits = Edits(raw)
    values = _values(tree)
    for statement in values:
        is_return = isinstance(statement, ast.Return)
        edits.replace(statement, _OPEN, len("return") if is_return else 0)
        edits.insert_after(statement, _CLOSE + (";return" if is_return else ""))
    nodes = list(ast.walk(tree))
    for node in nodes:
        if isinstance(node, ast.Call):
            _mend(node, edits)
    return Reading(
        plain,
        edits.text(),
        frozenset(edits.moved(edits.start(call)) for call in awaited_calls(tree)),
        bool(values),
        tuple(dict.fromkeys(_assigned(tree))),
        frozenset(one.id for one in nodes if isinstance(one, ast.Name)),
        tuple(edits.lines()),
    )


def _mend(call: ast.Call, edits: Edits) -> None:
    """What the sandbox would not take, in words that it takes."""
    name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    first = call.args[0] if call.args else None
    if name == "next" and isinstance(first, ast.GeneratorExp):
        is_alone = len(call.args) == 1  # its parentheses are those of the call
        edits.replace(first, "(iter" if is_alone else "iter", 0)
        edits.insert_after(first, ")" if is_alone else "")
    elif name == "gather" and any(one.arg == "return_exceptions" for one in call.keywords):
        edits.replace(call.func, GATHER, edits.length(call.func))


def _parsed(code: str) -> ast.Module | None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of an unknown escape: the code's affair
        try:
            return ast.parse(code)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return None


def _values(tree: ast.Module) -> list[ast.stmt]:
    """The statements that give the run its value, in their order."""
    found: list[ast.stmt] = [
        one for one in _outside_functions(tree) if isinstance(one, ast.Return) and one.value
    ]
    last = tree.body[-1] if tree.body else None
    if isinstance(last, ast.Expr):
        found.append(last)
    return sorted(found, key=lambda one: (one.lineno, one.col_offset))


def _outside_functions(tree: ast.AST) -> Iterator[ast.stmt]:
    """The statements that are in no function and no class."""
    waiting: list[ast.AST] = [tree]
    while waiting:
        for child in ast.iter_child_nodes(waiting.pop()):
            if isinstance(child, ast.stmt):
                yield child
            elif not isinstance(child, (ast.ExceptHandler, ast.match_case)):
                continue
            if not isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
                waiting.append(child)


def _assigned(tree: ast.Module) -> Iterator[str]:
    """The variables that statements outside of functions give a value to."""
    for statement in _outside_functions(tree):
        if isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            yield statement.name
            continue
        for node in ast.walk(statement):
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                yield node.id
