"""Whole screens as pictures, with a fixed frame and a stopped clock.

To accept a change: delete the file under `golden`, run the test (it writes the new one and fails),
and look at the picture before you commit it.
"""

import asyncio
from pathlib import Path

import pytest
from tests.control_values import decision, receipt, standing
from tests.dashboard.terminal.stage import Stage, staged

from make_monitor_picture import photograph
from monitor_frames import empty_frame, frame
from tokenbudget.dashboard.view_model import Frame
from tokenbudget.model.errors import LedgerUnusable

GOLDEN = Path(__file__).parent / "golden"
SIZES = ((80, 24), (120, 40), (200, 60))
LOCKED = LedgerUnusable("cannot open the ledger: it is locked; try again")


@pytest.mark.parametrize("size", SIZES, ids=str)
@pytest.mark.parametrize("level", ["healthy", "warning", "critical", "emergency"])
def test_every_level_at_every_size(level: str, size: tuple[int, int], tmp_path: Path) -> None:
    compare(f"{level}-{size[0]}x{size[1]}", frame(level), size, tmp_path)


@pytest.mark.parametrize("size", SIZES, ids=str)
def test_no_data_at_every_size(size: tuple[int, int], tmp_path: Path) -> None:
    async def shot() -> str:
        async with staged(frame("healthy"), size) as stage:
            await stage.tell(LOCKED)
            return photograph(stage.app)

    accept(f"no-data-{size[0]}x{size[1]}", asyncio.run(shot()), tmp_path)


@pytest.mark.parametrize(
    ("name", "keys"),
    [
        ("sessions", ["s", "down"]),
        ("help", ["question_mark"]),
        ("alerts", ["a"]),
        ("decisions", ["d"]),
        ("recommendation", ["1"]),
        ("consumer", ["tab", "enter"]),
        ("found", ["slash", *"src", "enter", "down"]),
        ("finding", ["slash", *"cart"]),
    ],
)
def test_other_screens(name: str, keys: list[str], tmp_path: Path) -> None:
    compare(f"{name}-80x24", frame("critical"), (80, 24), tmp_path, keys=keys)


@pytest.mark.parametrize("theme", ["auto", "light", "contrast", "plain"])
def test_themes(theme: str, tmp_path: Path) -> None:
    compare(f"theme-{theme}-100x30", frame("critical"), (100, 30), tmp_path, theme=theme)


def test_without_colour(tmp_path: Path) -> None:
    compare("no-colour-80x24", frame("emergency"), (80, 24), tmp_path, is_plain=True)


def test_without_any_session(tmp_path: Path) -> None:
    compare("empty-80x24", empty_frame(), (80, 24), tmp_path)


@pytest.mark.parametrize("size", [(40, 10), (60, 16)], ids=str)
def test_small_terminals(size: tuple[int, int], tmp_path: Path) -> None:
    compare(f"small-{size[0]}x{size[1]}", frame("warning"), size, tmp_path)


def compare(
    name: str,
    shown: Frame,
    size: tuple[int, int],
    tmp_path: Path,
    *,
    keys: list[str] | None = None,
    theme: str = "dark",
    is_plain: bool = False,
) -> None:
    """Take the picture after these keys and hold it against the stored one."""

    async def shot() -> str:
        async with staged(shown, size, theme=theme, is_plain=is_plain) as stage:
            return await after(stage, keys or [])

    accept(name, asyncio.run(shot()), tmp_path)


async def after(stage: Stage, keys: list[str]) -> str:
    """The picture once these keys were pressed."""
    if keys:
        await stage.press(*keys)
    return photograph(stage.app)


def accept(name: str, picture: str, tmp_path: Path) -> None:
    """The stored picture must be the same; a missing one is written, for a person to look at."""
    path = GOLDEN / f"{name}.svg"
    if not path.exists():
        path.parent.mkdir(exist_ok=True)
        path.write_text(picture, encoding="utf-8")
        pytest.fail(f"wrote {path.name}: look at it, then run again")
    if picture != path.read_text(encoding="utf-8"):
        new = tmp_path / path.name
        new.write_text(picture, encoding="utf-8")
        pytest.fail(f"{path.name} looks different; the new picture is {new}")


@pytest.mark.parametrize("size", SIZES, ids=str)
def test_what_the_controller_does(size: tuple[int, int], tmp_path: Path) -> None:
    shown = frame("critical")
    told = standing(
        at_ms=shown.made_at_ms,
        looked_at_ms=shown.made_at_ms - 4_000,
        decisions=(decision(level="critical", lever="", items=()),),
        receipts=(receipt(at_ms=shown.made_at_ms - 720_000),),
    )
    compare(f"control-{size[0]}x{size[1]}", shown._replace(control=told), size, tmp_path)
