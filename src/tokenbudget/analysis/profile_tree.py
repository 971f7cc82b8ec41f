"""The tree of a period: component, tool or kind, file or command; it adds up to the bill."""

from __future__ import annotations

from tokenbudget.analysis.amounts import NOTHING
from tokenbudget.analysis.profile import Node
from tokenbudget.analysis.profile_consumers import by_size
from tokenbudget.analysis.profile_names import is_path, leaf_of, part_of, title_of
from tokenbudget.analysis.profile_sums import Cell
from tokenbudget.analysis.study import UNATTRIBUTED
from tokenbudget.analysis.window_pieces import CONTEXT_FILES, MCP_TOOLS, MESSAGES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from tokenbudget.analysis.amounts import Amount
    from tokenbudget.analysis.profile import Profile
    from tokenbudget.analysis.profile_names import Namer
    from tokenbudget.analysis.profile_sums import Sums

MOST_PARTS, MOST_LEAVES = 24, 40
"""Boxes of a level; the smaller ones become one. More would be hairlines."""
WHOLE = "everything"
THE_REST = "without a name"
"""Stands beside named boxes of a level for what names none."""


def tree_of(sums: Sums, unattributed: Amount, namer: Namer) -> Node:
    """Everything that was billed, in boxes."""
    tree: dict[str, dict[str, dict[str, Cell]]] = {}
    for (project, what), cell in sums.cells.items():
        leaf = leaf_of(what)
        if leaf and is_path(what):
            leaf = namer.path(leaf, project)
        part = part_of(what)
        if part and part == what.name and is_path(what):
            part = namer.path(part, project)
        parts = tree.setdefault(title_of(what.component), {})
        parts.setdefault(part, {}).setdefault(leaf, Cell()).take(cell)
    if any(unattributed):
        parts = tree.setdefault(title_of(UNATTRIBUTED), {})
        parts.setdefault("", {}).setdefault("", Cell()).take_amount(unattributed)
    return _box(WHOLE, [_component(title, parts) for title, parts in tree.items()])


def _component(title: str, parts: Mapping[str, Mapping[str, Cell]]) -> Node:
    boxes = [
        folded(_box(name, [_leaf(leaf, cell) for leaf, cell in leaves.items()]), MOST_LEAVES)
        for name, leaves in parts.items()
    ]
    return folded(_box(title, boxes), MOST_PARTS)


def _leaf(name: str, cell: Cell) -> Node:
    return Node(name, cell.amount, cell.added_tokens, ())


def _box(name: str, children: Iterable[Node]) -> Node:
    """A box of its children, the dearest first; one without a name alone needs no box."""
    inside = sorted(children, key=lambda child: (*by_size(child.amount), child.name))
    amount, added = _sum(inside)
    if [child.name for child in inside] == [""]:
        return Node(name, amount, added, inside[0].children)
    named = tuple(child if child.name else child._replace(name=THE_REST) for child in inside)
    return Node(name, amount, added, named)


def folded(node: Node, most: int) -> Node:
    """The node with at most so many children; the smallest are one, named by how many they are."""
    if len(node.children) <= most:
        return node
    kept, rest = node.children[: most - 1], node.children[most - 1 :]
    return node._replace(children=(*kept, told_together(rest)))


def told_together(nodes: Sequence[Node]) -> Node:
    """Several boxes of a level as one."""
    amount, added = _sum(nodes)
    count = sum(node.folded or 1 for node in nodes)
    return Node(f"{count} more", amount, added, (), count)


def _sum(nodes: Iterable[Node]) -> tuple[Amount, int]:
    amount, added = NOTHING, 0
    for node in nodes:
        amount = amount.plus(node.amount)
        added += node.added_tokens
    return amount, added


def spenders_of(profile: Profile) -> tuple[tuple[str, Amount], ...]:
    """Who spends, in a word each: tools, servers, kinds of text; they add up to the bill."""
    tools = {row.name for row in profile.consumers.get("tool", ())}
    servers = {row.name for row in profile.consumers.get("mcp_server", ())}
    found: dict[str, Amount] = {}
    for component in profile.tree.children:
        is_talk = component.name in (title_of(MESSAGES), title_of(CONTEXT_FILES))
        for part in (is_talk and component.children) or (component,):
            name = "others" if part.folded else part.name
            if not is_talk:
                name = name[:1].lower() + name[1:] if name != title_of(MCP_TOOLS) else name
            elif name in servers and name not in tools:
                name = f"{name} (MCP)"
            found[name] = found.get(name, NOTHING).plus(part.amount)
    return tuple(sorted(found.items(), key=lambda pair: (*by_size(pair[1]), pair[0])))
