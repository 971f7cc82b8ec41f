"""Where it went, as a tree with bars in the terminal."""

from __future__ import annotations

from tokenbudget.analysis.profile_tree import told_together
from tokenbudget.model.figures import bar, cut, padded, text_width
from tokenbudget.model.plain_text import one_line
from tokenbudget.reports.profile_words import money, percent, share, tokens

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from tokenbudget.analysis.amounts import Amount
    from tokenbudget.analysis.profile import Node, Profile
    from tokenbudget.model.figures import Style

SHOWN = (None, 4, 3)
"""Children of a box at each depth, where not all are wanted."""
SMALLEST = 0.01
"""Of the whole: what is smaller is told together."""
BAR_CELLS = 16
_FIGURES_WIDTH = 24
"""Share, tokens and cost, with their gaps."""
_NAME_ENOUGH = 28


def tree_lines(profile: Profile, style: Style, is_whole: bool = False) -> list[str]:
    """The boxes of a profile; `is_whole`: every one of them, not the largest alone."""
    if not profile.totals.total_tokens:
        return []
    rows = list(_rows(profile.tree, profile.totals, "", 0, is_whole))
    cells = max(0, min(BAR_CELLS, style.width - _FIGURES_WIDTH - _NAME_ENOUGH - 2))
    longest = max(text_width(branch + name) for branch, name, _ in rows)
    room = max(12, min(longest, style.width - _FIGURES_WIDTH - cells - 2))
    lines = []
    for branch, name, amount in rows:
        part = share(amount, profile.totals)
        label = branch + cut(name, max(4, room - text_width(branch)))
        drawn = f"  {bar(part, cells)}" if cells else ""
        figures = f"{percent(part):>5}  {tokens(amount):>6} {money(amount):>10}"
        lines.append(f"{padded(label, room)}{drawn}{figures}")
    return lines


def _rows(
    node: Node, whole: Amount, indent: str, depth: int, is_whole: bool
) -> Iterator[tuple[str, str, Amount]]:
    """(branch, name, amount) of everything below a box."""
    children = node.children if is_whole else _kept(node, whole, depth)
    for place, child in enumerate(children):
        is_last = place == len(children) - 1
        yield f"{indent}{'└─' if is_last else '├─'} ", one_line(child.name), child.amount
        below = indent + ("   " if is_last else "│  ")
        yield from _rows(child, whole, below, depth + 1, is_whole)


def _kept(node: Node, whole: Amount, depth: int) -> tuple[Node, ...]:
    """The children worth a line; the others in one line, if they are worth one together."""
    limit = SHOWN[min(depth, len(SHOWN) - 1)]
    large = [
        child
        for child in node.children
        if share(child.amount, whole) >= SMALLEST and not child.folded
    ][:limit]
    rest = [child for child in node.children if child not in large]
    if not rest or not large:
        return tuple(large)
    others = rest[0] if len(rest) == 1 else told_together(rest)
    if share(others.amount, whole) < SMALLEST and depth:
        return tuple(large)
    return (*large, others)
