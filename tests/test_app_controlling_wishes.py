"""What a person wants of the controller is read again where it may be something else."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.controlling_house import House, opened_house

from tokenbudget.app.controlling_wishes import KeptWishes


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    with opened_house(tmp_path) as made:
        yield made


def test_wishes_are_read_again_when_a_file_of_the_project_changes(house: House) -> None:
    wishes = KeptWishes()
    settings = house.settings()._replace(working_dir=str(house.project))
    first = wishes(settings)
    assert wishes(settings) is first
    house.write(".claude/settings.local.json", '{"tokenManagement": {"warningThreshold": 0.6}}')
    assert wishes(settings) is not first
