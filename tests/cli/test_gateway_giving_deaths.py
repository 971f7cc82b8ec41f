"""`tokens gateway uninstall SERVER` that ends anywhere: no server is lost, and it can go on."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.archive.faults import every_death
from tests.cli.gateway_desk import Desk
from tests.cli.test_gateway_giving import THREE, behind, kept

NAMES = ("github", "docs", "sql")
STRIDE = 5
"""Each point is some ten commands; each fifth is tried here, and all were once."""


def unreachable(desk: Desk) -> list[str]:
    """Servers that neither the client starts nor the gateway stands for."""
    shared = json.loads(desk.shared.read_text())["mcpServers"]
    said = json.loads(desk.local.read_text() or "{}") if desk.local.exists() else {}
    off = said.get("disabledMcpjsonServers", [])
    has_entry = "tokenbudget" in {**shared, **desk.own()}
    served = behind(desk) if has_entry else []
    return [one for one in NAMES if one not in served and (one not in shared or one in off)]


@pytest.mark.parametrize("way", ["--local", "--shared"])
@pytest.mark.parametrize("names", [("docs",), NAMES])
def test_wherever_it_ends_nothing_is_lost_and_it_goes_on(
    desk: Desk, tmp_path: Path, way: str, names: tuple[str, ...]
) -> None:
    desk.shared.write_text(THREE)
    before = kept(desk)
    desk.home.ask("gateway", "install", way, "--yes")
    reset = remembered(desk, tmp_path / "kept-aside")
    desk.home.ask("gateway", "uninstall", *names, "--yes")
    wanted = kept(desk)
    reset()

    def check(_: int) -> None:
        for path in desk.project.rglob(".*.tmp"):  # half of a file, beside the whole one
            path.unlink()
        assert unreachable(desk) == []
        left = [name for name in names if name in behind(desk)]
        if left:
            assert desk.home.ask("gateway", "uninstall", *left, "--yes")["faults"] == []
        assert kept(desk) == wanted
        desk.home.run("gateway", "uninstall", "--yes")
        assert kept(desk) == before
        reset()

    points = every_death(lambda: finished(desk, names), check, STRIDE)
    assert points > 5


def finished(desk: Desk, names: tuple[str, ...]) -> None:
    """The command, which has to come to its end where it is left alone."""
    assert desk.home.run("gateway", "uninstall", *names, "--yes").code == 0


def remembered(desk: Desk, aside: Path) -> Callable[[], None]:
    """Has the person's files and ours again as they are now, each time it is called."""
    folders = (desk.project, desk.home.path)
    for folder in folders:
        shutil.copytree(folder, aside / folder.name, symlinks=True)

    def reset() -> None:
        for folder in folders:
            for found in folder.iterdir():
                shutil.rmtree(found) if found.is_dir() else found.unlink()
            shutil.copytree(aside / folder.name, folder, symlinks=True, dirs_exist_ok=True)

    return reset
