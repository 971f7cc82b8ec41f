"""Where the boxes of a report's charts lie, for whoever draws them: HTML as SVG, PDF as shapes.

Places and sizes are shares of the chart's width and height, from its top left corner.
"""

from __future__ import annotations

from datetime import date
from typing import NamedTuple

from tokenbudget.model.figures import short_count
from tokenbudget.reports.profile_icicle import boxes_of
from tokenbudget.reports.profile_words import money
from tokenbudget.reports.report_words import KINDS, PICO_PER_USD, by_kind, percent

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from tokenbudget.analysis.profile import Profile
    from tokenbudget.analysis.report_data import DayRow, HeatCell

MOST_BARS = 62
"""Two months by day, a year by week; beyond, by month."""
HEAT_STEPS = 6
"""Shades of the heat map; 0 is for hours without use."""
LEAST_BOX_PERCENT = 0.4
"""Of the icicle's width: thinner boxes cannot be seen on paper and are left out."""
DEEPEST = 4
_BAR_FILL = 0.78
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_MOST_LABELS = 7
WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_STEPS_OF_TEN = (1, 2, 2.5, 5, 10)
PAINTS = 4
"""Of the icicle's top boxes: their turn decides."""


class Box(NamedTuple):
    """A filled rectangle."""

    x: float
    y: float
    width: float
    height: float
    paint: str
    label: str
    """What is written in it, where there is room."""
    title: str
    """What more there is to say of it."""


class Tick(NamedTuple):
    """A place on an axis, and its words."""

    at: float
    label: str


class Chart(NamedTuple):
    """Boxes with their axes."""

    boxes: tuple[Box, ...]
    x_ticks: tuple[Tick, ...]
    y_ticks: tuple[Tick, ...]
    unit: str
    """What the height means: 'USD a day'."""


class Bar(NamedTuple):
    """A day, a week or a month of the timeline."""

    first: date
    label: str
    values: tuple[int, ...]
    """By `KINDS`, pico-dollars or tokens."""


def has_money(days: Sequence[DayRow]) -> bool:
    """Whether the timeline can be told in money; else it is told in tokens."""
    return any(day.amount.cost_pico_usd for day in days) and all(day.kind_pico_usd for day in days)


def bars_of(days: Sequence[DayRow], in_money: bool, most: int = MOST_BARS) -> tuple[str, list[Bar]]:
    """The unit of time ('day', 'week', 'month') and a bar for each of them, `most` or fewer."""
    dated = [(date.fromisoformat(day.day), day) for day in days if day.day[:1].isdecimal()]
    unit = "day"
    if len(dated) > most:
        unit = "week" if len(dated) <= most * 7 else "month"
    found: dict[date, list[int]] = {}
    for when, day in dated:
        first = _begin(when, unit)
        values = by_kind(day.kind_pico_usd if in_money else day.amount[:5])
        sums = found.setdefault(first, [0] * len(KINDS))
        for place, value in enumerate(values):
            sums[place] += value
    return unit, [Bar(first, _day_words(first, unit), tuple(v)) for first, v in found.items()]


def _begin(day: date, unit: str) -> date:
    if unit == "week":
        return date.fromordinal(day.toordinal() - day.weekday())
    return day.replace(day=1) if unit == "month" else day


def _day_words(day: date, unit: str) -> str:
    month = _MONTHS[day.month - 1]
    if unit == "month":
        return f"{month} {day.year}"
    return f"{'week of ' if unit == 'week' else ''}{day.day} {month}"


def timeline(days: Sequence[DayRow]) -> Chart | None:
    """Stacked bars of money (without any, of tokens); None where there is nothing to draw."""
    in_money = has_money(days)
    unit, bars = bars_of(days, in_money)
    top = max((sum(bar.values) for bar in bars), default=0)
    if not top:
        return None
    step = nice_step(top / 4)
    ceiling = step * -(-top // step)
    boxes = [box for i, bar in enumerate(bars) for box in _stack(bar, i, len(bars), ceiling)]
    count = round(ceiling / step)
    y_ticks = tuple(
        Tick(1 - i / count, _money(i * step) if in_money else short_count(round(i * step)))
        for i in range(count + 1)
    )
    stride = -(-len(bars) // _MOST_LABELS)
    x_ticks = tuple(
        Tick((i + 0.5) / len(bars), bar.label.removeprefix("week of "))
        for i, bar in enumerate(bars)
        if i % stride == stride // 2
    )
    return Chart(tuple(boxes), x_ticks, y_ticks, f"{'USD' if in_money else 'tokens'} a {unit}")


def _stack(bar: Bar, place: int, count: int, ceiling: float) -> list[Box]:
    """One bar; what costs most, reading, lies at the bottom."""
    boxes, base = [], 1.0
    for kind in (2, 1, 0, 3):
        height = bar.values[kind] / ceiling
        if height > 0:
            base -= height
            x, width = (place + (1 - _BAR_FILL) / 2) / count, _BAR_FILL / count
            title = f"{bar.label}: {KINDS[kind]}"
            boxes.append(Box(x, base, width, height, f"kind-{kind}", "", title))
    return boxes


def nice_step(rough: float) -> float:
    """The next larger 1, 2, 2.5 or 5 times a power of ten: steps that one can count in."""
    power = 1.0
    while power * 10 <= rough:
        power *= 10
    return next(power * one for one in _STEPS_OF_TEN if power * one >= rough)


def _money(pico_usd: float) -> str:
    usd = pico_usd / PICO_PER_USD
    if usd == int(usd):
        return f"${int(usd):,}"
    return f"${usd:.2f}" if usd >= 0.01 else f"${usd:.4f}"


def heat_grid(cells: Sequence[HeatCell]) -> list[list[tuple[int, int]]]:
    """Seven rows of 24 (shade, tokens); shades are shares of the busiest hour."""
    grid = [[(0, 0)] * 24 for _ in range(7)]
    top = max((cell.tokens for cell in cells), default=0)
    for cell in cells:
        if cell.tokens and 0 <= cell.weekday < 7 and 0 <= cell.hour < 24:
            shade = min(HEAT_STEPS, 1 + cell.tokens * HEAT_STEPS // max(1, top))
            grid[cell.weekday][cell.hour] = (shade, cell.tokens)
    return grid


def heat_words(cells: Sequence[HeatCell]) -> str:
    """Where most of it happens, in a sentence."""
    whole = sum(cell.tokens for cell in cells)
    if not whole:
        return "No hour has any use."
    busiest = max(cells, key=lambda cell: cell.tokens)
    late = sum(c.tokens for c in cells if c.weekday > 4 or c.hour < 7 or c.hour >= 20)
    return (
        f"Busiest: {WEEKDAYS[busiest.weekday]} {busiest.hour:02}:00, with"
        f" {percent(busiest.tokens / whole)} of all tokens;"
        f" {percent(late / whole)} fall on weekends or between 20:00 and 07:00."
    )


def icicle(profile: Profile) -> tuple[Box, ...]:
    """The boxes of the profile's tree from the top down, as wide as their share of the bill."""
    found = [
        box
        for box in boxes_of(profile.tree, profile.totals)
        if box.width >= LEAST_BOX_PERCENT and box.depth < DEEPEST
    ]
    if not profile.totals.total_tokens or not found:
        return ()
    height = 1 / (1 + max(box.depth for box in found))
    return tuple(
        Box(
            box.x / 100,
            box.depth * height,
            box.width / 100,
            height,
            f"branch-{box.colour % PAINTS}" if box.depth else "whole",
            box.node.name,
            money(box.node.amount),
        )
        for box in found
    )
