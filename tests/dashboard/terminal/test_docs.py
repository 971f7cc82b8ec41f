"""The documentation names the keys as they are, and its picture is the one that is drawn."""

import asyncio
from pathlib import Path

import make_monitor_picture
import monitor_frames
from tokenbudget.dashboard.terminal.keys import APP_KEYS

DOCS = Path(__file__).parents[3] / "docs"


def test_the_page_names_every_key() -> None:
    rows = (DOCS / "monitor.md").read_text(encoding="utf-8").splitlines()
    named = [row for row in rows if row.startswith("| `")]
    assert named == [f"| `{key.shown}` | {key.help} |" for key in APP_KEYS]


def test_the_picture_is_what_is_drawn() -> None:
    drawn = asyncio.run(make_monitor_picture.picture(monitor_frames.frame(), (120, 40), "dark", []))
    assert (DOCS / "monitor.svg").read_text(encoding="utf-8") == drawn, (
        "python tools/make_monitor_picture.py"
    )
    assert "http" not in drawn.replace("http://www.w3.org/2000/svg", "")
