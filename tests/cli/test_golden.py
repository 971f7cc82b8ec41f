"""Whole screens at several widths, with a fixed sample, a fixed clock and fixed prices.

To accept a change: delete the file under `golden`, run the test (it writes the new one and fails),
and look at the difference before you commit it.
"""

from pathlib import Path

import pytest
from tests.cli.conftest import Sample

from tokenbudget.metering.price_table import AS_OF, SOURCE
from tokenbudget.model.figures import text_width

GOLDEN = Path(__file__).parent / "golden"
SCREENS = {
    "overview": ["overview"],
    "usage-day": ["usage", "--by", "day"],
    "usage-day-model": ["usage", "--by", "day,model", "--since", "2026-11-15"],
    "sessions": ["sessions"],
    "session": ["sessions", "last"],
    "doctor": ["doctor"],
}


@pytest.mark.parametrize("width", [80, 100, 120, 160])
@pytest.mark.parametrize("screen", SCREENS)
def test_screen(sample: Sample, screen: str, width: int) -> None:
    done = sample.home.run(*SCREENS[screen], "--tz", "UTC", COLUMNS=str(width))

    assert (done.code, done.err) == (0, "")
    assert max(map(text_width, done.lines)) <= width
    shown = done.out.replace(f"{SOURCE}, compiled {AS_OF}", "as bundled")
    assert shown == accepted(screen, width, shown)


def accepted(screen: str, width: int, shown: str) -> str:
    """The stored screen; a missing one is written, for a person to look at."""
    path = GOLDEN / f"{screen}-{width}.txt"
    if not path.exists():
        path.write_text(shown)
        pytest.fail(f"wrote {path.name}: look at it, then run again")
    return path.read_text()
