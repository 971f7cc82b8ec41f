"""Draw what `tokens` shows on the sample sessions, as in a terminal: pictures for the README."""

from __future__ import annotations

import contextlib
import html
import io
import os
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from sample_sessions import generate
from tokenbudget.cli import main as tokens
from tokenbudget.model.figures import text_width

PICTURES = {
    Path("docs/overview.svg"): [],
    Path("docs/budget.svg"): ["budget", "last"],
    Path("docs/timeline.svg"): ["timeline", "last"],
    Path("docs/profile.svg"): ["profile", "--no-file"],
    Path("docs/optimize.svg"): ["optimize", "--no-file"],
}
COLUMNS = 92
CELL_WIDTH, LINE_HEIGHT, MARGIN = 8.4, 19, 18


def screen(arguments: list[str]) -> list[str]:
    """The lines that a command prints, on sample sessions that end now."""
    with tempfile.TemporaryDirectory() as folder:
        generate(Path(folder), end=datetime.now(UTC))
        os.environ |= {"HOME": folder, "TOKENS_HOME": folder, "COLUMNS": str(COLUMNS)}
        caught = io.StringIO()
        with contextlib.redirect_stdout(caught):
            tokens([*arguments, "--from", folder])
    return [" ".join(["$ tokens", *arguments]), "", *caught.getvalue().rstrip().splitlines()]


def drawn(lines: list[str]) -> str:
    """The lines as an SVG picture in any system's monospace face."""
    width = COLUMNS * CELL_WIDTH + 2 * MARGIN
    height = len(lines) * LINE_HEIGHT + 2 * MARGIN
    rows = [
        f'<text x="{MARGIN}" y="{MARGIN + (i + 0.8) * LINE_HEIGHT:.0f}"'
        f' textLength="{text_width(line) * CELL_WIDTH:.1f}" lengthAdjust="spacingAndGlyphs"'
        f' xml:space="preserve">{html.escape(line)}</text>'
        for i, line in enumerate(lines)
        if line
    ]
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height:.0f}"'
            ' font-family="ui-monospace, Menlo, Consolas, DejaVu Sans Mono, monospace"'
            ' font-size="14" fill="#e6edf3">',
            f'<rect width="{width:.0f}" height="{height:.0f}" rx="10" fill="#0d1117"/>',
            *rows,
            "</svg>",
        ]
    )


if __name__ == "__main__":
    for picture, arguments in PICTURES.items():
        picture.write_text(drawn(screen(arguments)) + "\n", encoding="utf-8")
        print(picture)
