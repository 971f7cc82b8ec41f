"""The distribution of sessions in a picture: what each strategy saved, against what it lost."""

from __future__ import annotations

import math

from tokenbudget.model.html_text import escaped
from tokenbudget.reports.backtest_words import signed
from tokenbudget.reports.report_words import MINUS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from tokenbudget.analysis.backtest_result import SessionResult, StrategyResult

_WIDTH, _HEIGHT = 460, 270
_LEFT, _RIGHT, _TOP, _BOTTOM = 46, 22, 28, 40
LEAST_SAVED, MOST_SAVED = -0.2, 0.8
"""Of the axis: a session beyond stands at its edge, and its title says where it belongs."""
MOST_LOST = 1.0
SMALLEST_DOT, LARGEST_DOT = 2.5, 13.0
MOST_DOTS = 400
"""The dearest sessions; more are a cloud."""


def picture_html(strategies: Sequence[StrategyResult]) -> str:
    """A small picture for each strategy, on the same axes."""
    top = max((session.was.usd.total for one in strategies for session in one.sessions), default=0)
    items = "".join(
        f"<figure><figcaption><b>{escaped(one.name)}</b> ({escaped(one.basis)})</figcaption>"
        f"{scatter_svg(one, top)}</figure>\n"
        for one in strategies
    )
    return f'<div class="pair">\n{items}</div>\n'


def scatter_svg(one: StrategyResult, top_usd: float) -> str:
    """A dot for each session: right is cheaper, up is more lost, large is dear."""
    sessions = [session for session in one.sessions if session.was.usd.total][:MOST_DOTS]
    dots = "".join(_dot(session, top_usd) for session in sessions)
    label = f"{len(sessions)} sessions under {escaped(one.name)}: saved cost against lost uses"
    return (
        f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="{label}">'
        f"{_axes()}{dots}</svg>"
    )


def lost_share(session: SessionResult) -> float:
    """Of what edits and later answers took from results, what was no longer told."""
    loss = session.fidelity
    needed = loss.edits + loss.uses
    return 1 - (loss.edits_verbatim + loss.uses_kept) / needed if needed else 0.0


def _x(saved: float) -> float:
    part = (min(MOST_SAVED, max(LEAST_SAVED, saved)) - LEAST_SAVED) / (MOST_SAVED - LEAST_SAVED)
    return _LEFT + part * (_WIDTH - _LEFT - _RIGHT)


def _y(lost: float) -> float:
    """By the root, so that one percent can be told from none."""
    part = math.sqrt(min(1.0, max(0.0, lost / MOST_LOST)))
    return _HEIGHT - _BOTTOM - part * (_HEIGHT - _BOTTOM - _TOP)


def _dot(session: SessionResult, top_usd: float) -> str:
    size = math.sqrt(session.was.usd.total / top_usd) if top_usd else 0.0
    radius = SMALLEST_DOT + (LARGEST_DOT - SMALLEST_DOT) * size
    lost = lost_share(session)
    paint = "dearer" if session.saved_share < -0.01 else "session"
    title = (
        f"{session.session[:8]}: {signed(session.saved_share)} of ${session.was.usd.total:,.2f},"
        f" {lost:.1%} of what was needed later lost"
    )
    return (
        f'<circle class="{paint}" cx="{_x(session.saved_share):.1f}" cy="{_y(lost):.1f}"'
        f' r="{radius:.1f}"><title>{escaped(title)}</title></circle>'
    )


def _tick(saved: float) -> str:
    return f"{MINUS if saved > 0 else '+'}{abs(saved):.0%}" if saved else "0%"


def _axes() -> str:
    parts = []
    for lost in (0.0, 0.01, 0.05, 0.2, 0.5, 1.0):
        y = _y(lost)
        parts.append(
            f'<line class="grid" x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>'
            f'<text x="{_LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{lost:.0%}</text>'
        )
    for saved in (-0.2, 0.0, 0.2, 0.4, 0.6, 0.8):
        x = _x(saved)
        kind = "zero" if saved == 0.0 else "grid"
        parts.append(
            f'<line class="{kind}" x1="{x:.1f}" x2="{x:.1f}" y1="{_TOP}"'
            f' y2="{_HEIGHT - _BOTTOM}"/>'
            f'<text x="{x:.1f}" y="{_HEIGHT - _BOTTOM + 16}" text-anchor="middle">'
            f"{_tick(saved)}</text>"
        )
    middle = (_LEFT + _WIDTH - _RIGHT) / 2
    parts.append(
        f'<text x="{middle:.0f}" y="{_HEIGHT - 6}" text-anchor="middle">change of the cost</text>'
        f'<text x="0" y="12">lost of what was needed later</text>'
    )
    return "".join(parts)
