"""Which calls in code are awaited later, and which must give their answer at once.

`await f()`, `gather(f(), *[f(i) for i in ids])`, `tasks.append(f())` where `tasks` is awaited
or gathered somewhere: awaited later. Everything else, `f()["id"]` as well as `x = f()`: at once.
Names are followed by their spelling, without scopes: good enough to tell the two apart in the
code that agents write, and what is told apart wrongly fails with a clear error, not silently.
"""

from __future__ import annotations

import ast

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_GATHERS = frozenset({"gather", "wait", "wait_for", "as_completed", "shield", "ensure_future",
                      "create_task", "run"})  # fmt: skip
_CONTAINERS = frozenset({"list", "tuple", "set", "sorted", "reversed", "zip", "enumerate", "dict"})
_VIEWS = frozenset({"values", "items", "copy", "pop", "get"})
_FILLERS = frozenset({"append", "add", "insert", "extend", "appendleft", "setdefault", "update"})
_MOST_ROUNDS = 10
_Comprehension = (ast.ListComp, ast.SetComp, ast.GeneratorExp)


def awaited_calls(tree: ast.Module) -> list[ast.Call]:
    """The calls whose answer is awaited later."""
    nodes = list(ast.walk(tree))
    flow = _Flow(nodes)
    calls = [one for one in nodes if isinstance(one, ast.Call)]
    return [call for call in calls if flow.is_awaited(call)]


class _Flow:
    """Where values go, as far as names tell."""

    def __init__(self, nodes: list[ast.AST]) -> None:
        self._parent = {child: one for one in nodes for child in ast.iter_child_nodes(one)}
        self._names: set[str] = set()
        """Variables that hold what is awaited."""
        self._functions: set[str] = set()
        """Plain functions whose result is awaited."""
        for node in nodes:
            for value in _awaited_in(node):
                self._follow(value)
        self._spread(nodes)

    def is_awaited(self, call: ast.Call) -> bool:
        """Whether what a call gives goes, unused, to where it is awaited."""
        node: ast.AST = call
        while True:
            above = self._parent.get(node)
            if above is None:
                return False
            if any(node is value for value in _awaited_in(above)):
                return True
            if _passes(above, node):
                node = above
            else:
                return self._is_kept(above, node)

    def _is_kept(self, above: ast.AST, node: ast.AST) -> bool:
        """Whether a statement or a method keeps the value where something awaited is kept."""
        if isinstance(above, (ast.Assign, ast.AnnAssign, ast.AugAssign, ast.NamedExpr)):
            return any(name in self._names for name in _targets(above))
        if isinstance(above, ast.Call) and isinstance(above.func, ast.Attribute):
            is_filled = above.func.attr in _FILLERS and node in above.args
            return is_filled and any(one in self._names for one in _base(above.func.value))
        if isinstance(above, ast.Return):
            inside = self._function_of(above)
            return isinstance(inside, ast.FunctionDef) and inside.name in self._functions
        return False

    def _function_of(self, node: ast.AST) -> ast.AST | None:
        at: ast.AST | None = node
        while at is not None and not isinstance(at, (ast.FunctionDef, ast.AsyncFunctionDef)):
            at = self._parent.get(at)
        return at

    def _follow(self, value: ast.AST) -> None:
        """What stands where it is awaited: remember the names that it comes from."""
        waiting = [value]
        while waiting:
            node = waiting.pop()
            if isinstance(node, ast.Name):
                self._names.add(node.id)
            elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                self._functions.add(node.func.id)
            waiting += _sources(node)

    def _spread(self, nodes: Iterable[ast.AST]) -> None:
        """Follow the names through assignments and loops until no new one comes."""
        steps = [(set(_bound(one)), one) for one in nodes]
        steps = [(names, one) for names, one in steps if names]
        for _ in range(_MOST_ROUNDS):
            before = len(self._names) + len(self._functions)
            for names, node in steps:
                if names & self._names:
                    for value in _bound_values(node):
                        self._follow(value)
            if len(self._names) + len(self._functions) == before:
                return


def _awaited_in(node: ast.AST) -> Iterator[ast.AST]:
    """The expressions that a node awaits or hands to what awaits them."""
    if isinstance(node, ast.Await):
        if not (isinstance(node.value, ast.Call) and _is_gather(node.value)):
            yield node.value
    elif isinstance(node, ast.Call) and _is_gather(node):
        yield from node.args


def _is_gather(call: ast.Call) -> bool:
    func = call.func
    name = func.attr if isinstance(func, ast.Attribute) else getattr(func, "id", "")
    return name in _GATHERS


def _passes(above: ast.AST, node: ast.AST) -> bool:
    """Whether a node only passes on what the one below it gives."""
    return node in _sources(above)


def _sources(node: ast.AST) -> list[ast.AST]:
    """The expressions below one from which its value, or its items, come unchanged."""
    if isinstance(node, ast.Starred):
        return [node.value]
    if isinstance(node, (ast.List, ast.Tuple, ast.Set)):
        return list(node.elts)
    if isinstance(node, ast.Dict):
        return list(node.values)
    if isinstance(node, _Comprehension):
        return [node.elt]
    if isinstance(node, ast.DictComp):
        return [node.value]
    if isinstance(node, ast.IfExp):
        return [node.body, node.orelse]
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        return [node.left, node.right]
    if isinstance(node, (ast.Subscript, ast.NamedExpr)):
        return [node.value]
    return list(_call_sources(node))


def _call_sources(node: ast.AST) -> Iterator[ast.AST]:
    if not isinstance(node, ast.Call):
        return
    if isinstance(node.func, ast.Name) and node.func.id in _CONTAINERS:
        yield from node.args
    elif isinstance(node.func, ast.Attribute) and node.func.attr in _VIEWS:
        yield node.func.value


def _bound(node: ast.AST) -> Iterator[str]:
    """The names that a node binds."""
    if isinstance(node, (ast.For, ast.AsyncFor, ast.comprehension)):
        yield from _stored(node.target)
    else:
        yield from _targets(node)


def _bound_values(node: ast.AST) -> Iterator[ast.AST]:
    if isinstance(node, (ast.For, ast.AsyncFor, ast.comprehension)):
        yield node.iter
    elif isinstance(node, ast.AnnAssign):
        yield from [node.value] if node.value else []
    elif isinstance(node, (ast.Assign, ast.AugAssign, ast.NamedExpr)):
        yield node.value


def _targets(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Assign):
        for target in node.targets:
            yield from _stored(target)
    elif isinstance(node, (ast.AnnAssign, ast.AugAssign, ast.NamedExpr)):
        yield from _stored(node.target)


def _stored(target: ast.AST) -> Iterator[str]:
    """The variables of a target: `a`, `a, b`, `a[i]`, `a.b`."""
    if isinstance(target, (ast.Tuple, ast.List)):
        for one in target.elts:
            yield from _stored(one)
    elif isinstance(target, ast.Starred):
        yield from _stored(target.value)
    else:
        yield from _base(target)


def _base(node: ast.AST) -> Iterator[str]:
    while isinstance(node, (ast.Subscript, ast.Attribute)):
        node = node.value
    if isinstance(node, ast.Name):
        yield node.id
