"""Draw one real session, played twice: with the controller, and left alone.

    python tools/make_control_picture.py                 writes docs/control.svg
    python tools/make_control_picture.py SERIES PICTURE  reads and writes other files

docs/control-session.json is what `control_session.py` recorded with the real client; the same
series always gives the same picture, to the byte.
"""

from __future__ import annotations

import html
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from chart_labels import Box, Point, Text, raised, spread
from control_series import SERIES, Action, Run, Series, series_of
from tokenbudget.budget.health import LEVELS, STANDARD, SYMBOLS
from tokenbudget.dashboard.terminal.palette import DARK, styles
from tokenbudget.model.control_words import lever_name, percent

PICTURE = Path("docs/control.svg")
WIDTH, HEIGHT = 860, 580
PLOT = Box(128, 104, 744, 482)
"""Where the lines are; the words of the levels stand left of it, those of the lines right of it."""
SPARE_SHARE = 0.11
"""Of the usable window, above what was used at most: room for what is said of it."""
ROW = 16
BANDS = tuple(zip(LEVELS, (0.0, *STANDARD), (*STANDARD, 1.0), strict=True))
"""Name of a level, and where it begins and ends."""
CONTROLLED, ALONE = "controlled", "left alone"


# ── where things are ─────────────────────────────────────────────────────────────────────────────


def paint(role: str) -> str:
    """The colour that the monitor's dark theme has for it."""
    color = styles(DARK)[role].color
    assert color is not None
    return color.name


def back() -> str:
    """What everything stands on: dark, on whatever page it is."""
    color = styles(DARK)["plain"].bgcolor
    assert color is not None
    return color.name


def height_of(series: Series, share: float) -> float:
    """Of a share of the usable window, in the picture."""
    used = max(*series.auto.used_tokens, *series.off.used_tokens, series.usable_tokens)
    top_share = used / series.usable_tokens + SPARE_SHARE
    return PLOT.bottom - share / top_share * (PLOT.bottom - PLOT.top)


def line_of(series: Series, run: Run) -> list[Point]:
    """The corners of a run's line."""
    step = (PLOT.right - PLOT.left) / series.requests
    shares = series.shares(run)
    return [(PLOT.left + step * n, height_of(series, share)) for n, share in enumerate(shares, 1)]


# ── what is said ─────────────────────────────────────────────────────────────────────────────────


def heading(series: Series) -> list[Text]:
    """What came of it, and of what this is the picture."""
    auto, off = series.shares(series.auto), series.shares(series.off)
    after = min(auto[series.auto.compacted_after[-1] :])
    title = f"Controlled: {percent(max(auto))} of the usable window at most, then {percent(after)}."
    told = f"{title} Left alone: full at {percent(max(off))}."
    sizes = f"{series.usable_tokens:,} of {series.window_tokens:,} tokens"
    under = f"Claude Code {series.release}, {series.model}; the usable window is {sizes}"
    return [
        Text(24, 36, told, 16, paint=paint("strong"), is_bold=True),
        Text(24, 58, under, 12, paint=paint("faint")),
    ]


def key() -> tuple[list[str], list[Text]]:
    """What the lines and marks are: their shapes, and the words."""
    words = (
        (24, f"{CONTROLLED} (auto)"),
        (214, f"{ALONE} (off)"),
        (396, "clean-up: tokens that it freed, and that were foretold"),
    )
    shapes = [
        f'<path d="M24 82h26" {_stroke("strong", 2.5)}/>',
        f'<path d="M214 82h26" {_stroke("faint", 1.5)} stroke-dasharray="5 3"/>',
        f'<circle cx="409" cy="82" r="4.5" fill="{paint("warning")}"/>',
    ]
    return shapes, [Text(x + 34, 86, each, 12, paint=paint("plain")) for x, each in words]


def scale(series: Series) -> tuple[list[str], list[Text]]:
    """The levels as bands with their names, and the shares at which they begin."""
    shapes, texts = [], []
    for level, low, high in BANDS:
        top, bottom = height_of(series, high), height_of(series, low)
        place = f'x="{PLOT.left}" y="{top:.1f}" width="{PLOT.right - PLOT.left}"'
        color = paint(level)
        shapes.append(
            f'<rect {place} height="{bottom - top:.1f}" fill="{color}" fill-opacity="0.11"/>'
        )
        name, middle = f"{SYMBOLS[level]} {level}", (top + bottom) / 2 + 4
        texts.append(Text(PLOT.left - 40, middle, name, 11, "end", color))
    for share in (*(low for _, low, _ in BANDS), 1.0):
        y = height_of(series, share)
        shapes.append(f'<path d="M{PLOT.left} {y:.1f}H{PLOT.right}" {_stroke("rule", 1)}/>')
        texts.append(Text(PLOT.left - 6, y + 4, percent(share), 11, "end", paint("faint")))
    of_what = Text(
        24, height_of(series, 1.0) - 16, "of the usable window", 11, paint=paint("faint")
    )
    return shapes, [*texts, of_what]


def requests_axis(series: Series) -> list[Text]:
    """Numbers of requests below the plot, and what they are."""
    step = (PLOT.right - PLOT.left) / series.requests
    every = next(n for n in (5, 10, 20, 50, 100, 200) if series.requests / n <= 12)
    numbers = range(every, series.requests + 1, every)
    faint = paint("faint")
    texts = [
        Text(PLOT.left + n * step, PLOT.bottom + 17, f"{n}", 11, "middle", faint) for n in numbers
    ]
    middle = (PLOT.left + PLOT.right) / 2
    said = "requests of the session; each point is what stands in the window after one"
    return [*texts, Text(middle, PLOT.bottom + 36, said, 11, "middle", faint)]


def callouts(series: Series) -> Iterator[tuple[Point, list[Text]]]:
    """Two lines for each action, and for where the session left alone is full, with their place.

    Their last line stands at the place; who draws them moves them to where there is room.
    """
    line = line_of(series, series.auto)
    for action in series.auto.actions:
        name = f"{SYMBOLS[action.level]} {lever_name(action.lever)}"
        x, y = line[action.request - 1]
        yield (x, y), _block(x, y, name, freed_words(action), paint(action.level))
    for number in series.off.compacted_after:
        x, y = line_of(series, series.off)[number - 1]
        full = f"{ALONE}: full at {percent(series.shares(series.off)[number - 1])}"
        is_refused = number in series.off.refused_after
        then = "refused as too long" if is_refused else "the client compacts it"
        fall = f"{then}, {fall_words(series.off, number)}"
        yield (x, y), _block(x, y, full, fall, paint("faint"))


def freed_words(action: Action) -> str:
    """`5,500 freed, 5,694 foretold`."""
    foretold = f"{action.predicted_tokens:,} foretold"
    if action.measured_tokens is None:
        return f"{foretold}, not measurable"
    return f"{action.measured_tokens:,} freed, {foretold}"


def fall_words(run: Run, number: int) -> str:
    """`137,816 → 22,749`: what stood in the window before a compaction, and after it."""
    return f"{run.used_tokens[number - 1]:,} → {run.used_tokens[number]:,}"


def _block(x: float, y: float, first: str, second: str, color: str) -> list[Text]:
    return [
        Text(x - 6, y - ROW, first, 12, "end", color, True, back()),
        Text(x - 6, y, second, 12, "end", paint("plain"), halo=back()),
    ]


def falls(series: Series) -> Iterator[list[Text]]:
    """What each compaction of the controlled session came to, left of where its line falls."""
    line = line_of(series, series.auto)
    for number in series.auto.compacted_after:
        x = line[number - 1][0] - 4
        y = height_of(series, series.shares(series.auto)[number] + 0.06)
        yield [
            Text(
                x,
                y - ROW,
                fall_words(series.auto, number),
                12,
                "end",
                paint("strong"),
                is_bold=True,
            ),
            Text(x, y, "tokens in the window", 12, "end", paint("plain")),
        ]


def endings(series: Series) -> list[Text]:
    """Which line is which, where they end."""
    auto, off = line_of(series, series.auto)[-1], line_of(series, series.off)[-1]
    heights = spread(auto[1] + 4, off[1] + 4, ROW)
    runs = ((CONTROLLED, "strong"), (ALONE, "faint"))
    return [
        Text(PLOT.right + 12, y, name, 12, paint=paint(role), is_bold=role == "strong")
        for y, (name, role) in zip(heights, runs, strict=True)
    ]


def footing(series: Series) -> list[Text]:
    """How it was made, and what is not plain to see."""
    said = [
        "One script, played twice by the real client against an API on the same machine that counts"
        " four bytes as a token."
    ]
    late = {each.lever: 0 for each in series.auto.actions if each.effect == "next compaction"}
    if late:
        names = " and ".join(map(lever_name, late))
        said.insert(0, f"What {names} free leaves the window with the next compaction.")
    last = HEIGHT - 18
    return [
        Text(24, last - ROW * (len(said) - n - 1), each, 11, paint=paint("faint"))
        for n, each in enumerate(said)
    ]


# ── the picture ──────────────────────────────────────────────────────────────────────────────────


def picture(series: Series) -> str:
    """The whole of it, as SVG."""
    lines: list[Sequence[Point]] = [line_of(series, run) for run in (series.off, series.auto)]
    shapes, texts = scale(series)
    key_shapes, key_texts = key()
    texts += [*heading(series), *key_texts, *requests_axis(series), *footing(series)]
    texts += endings(series)
    shapes += key_shapes
    for (x, y), block in callouts(series):
        placed = raised(block, texts, lines, PLOT.top)
        texts += placed
        leader = [(x, y), (x, placed[0].box.top)]
        lines.append(leader)
        shapes.append(f'<path d="{_path(leader)}" {_stroke("faint", 1)}/>')
    for block in falls(series):
        texts += raised(block, texts, lines, PLOT.top)
    shapes += _lines(series)
    return _framed(series, [*shapes, *(text.drawn() for text in texts)])


def _lines(series: Series) -> Iterator[str]:
    off, auto = line_of(series, series.off), line_of(series, series.auto)
    yield f'<path d="{_path(off)}" {_stroke("faint", 1.5)} stroke-dasharray="5 3"/>'
    yield f'<path d="{_path(auto)}" {_stroke("strong", 2.5)}/>'
    for action in series.auto.actions:
        x, y = auto[action.request - 1]
        place = f'cx="{x:.1f}" cy="{y:.1f}" r="4.5"'
        yield f'<circle {place} fill="{paint(action.level)}" stroke="{back()}" stroke-width="1.5"/>'


def _path(corners: Sequence[Point]) -> str:
    return "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in corners)


def _stroke(role: str, width: float) -> str:
    return f'fill="none" stroke="{paint(role)}" stroke-width="{width:g}" stroke-linejoin="round"'


def _framed(series: Series, parts: Sequence[str]) -> str:
    title = html.escape(heading(series)[0].words)
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img"'
            ' font-family="ui-monospace, Menlo, Consolas, DejaVu Sans Mono, monospace">',
            f"<title>{title}</title>",
            f'<rect width="{WIDTH}" height="{HEIGHT}" rx="10" fill="{back()}"/>',
            *parts,
            "</svg>\n",
        ]
    )


def main(arguments: Sequence[str]) -> int:
    """Draw."""
    series, out = map(Path, arguments) if arguments else (SERIES, PICTURE)
    out.write_text(picture(series_of(series.read_text(encoding="utf-8"))), encoding="utf-8")
    print(out)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
