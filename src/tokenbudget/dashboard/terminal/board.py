"""Panels at places that are worked out, not styled: a resize moves them all in one step."""

from __future__ import annotations

from textual.geometry import NULL_OFFSET, Region, Size, Spacing
from textual.layout import ArrangeResult, Layout, WidgetPlacement
from textual.widget import Widget

from tokenbudget.dashboard.terminal.panel import Panel

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from textual.app import ComposeResult

Spot = tuple[int, int, int, int]
"""Left, top, width, height."""


class _Spots(Layout):
    """Each child at its spot; the first lies below the others."""

    name = "spots"

    def arrange(
        self, parent: Widget, children: list[Widget], size: Size, greedy: bool = True
    ) -> ArrangeResult:
        """The placements of the children that have a spot."""
        spots = parent.spots if isinstance(parent, Board) else {}
        return [
            WidgetPlacement(
                Region(*spots[child.id or ""]),
                NULL_OFFSET,
                Spacing(),
                child,
                order=0 if not i else 1,
            )
            for i, child in enumerate(children)
            if child.id in spots
        ]


class Board(Widget):
    """Panels side by side over the drawing of their borders."""

    DEFAULT_CSS = "Board { width: 100%; height: 100%; background: $background; }"

    def __init__(self, panels: Sequence[Panel]) -> None:
        super().__init__()
        self.ground = Panel("ground")
        self.panels: Mapping[str, Panel] = {panel.id or "": panel for panel in panels}
        self.spots: dict[str, Spot] = {}
        self._spots_layout = _Spots()

    @property
    def layout(self) -> Layout:
        """By spots: what style sheets can name does not fit."""
        return self._spots_layout

    def compose(self) -> ComposeResult:
        """The borders first: they lie below."""
        yield self.ground
        yield from self.panels.values()

    def arrange_spots(self, spots: Mapping[str, Spot]) -> None:
        """Put each panel where it belongs now; those without a spot are away."""
        wanted: dict[str, Spot] = {"ground": (0, 0, *self.app.size), **spots}
        if wanted == self.spots:
            return
        self.spots = wanted
        for name, panel in self.panels.items():
            panel.display = name in wanted
        self.refresh(layout=True)
