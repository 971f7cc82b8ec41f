"""What the tests of the ledger, and of what fills it, start from."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from tests.ledger.builders import END, Home

from sample_sessions import Truth, generate


@pytest.fixture(scope="session")
def sample(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Truth]:
    """Generated sessions and what is true of them."""
    folder = tmp_path_factory.mktemp("sample")
    return folder, generate(folder, end=END)


@pytest.fixture
def truth(sample: tuple[Path, Truth]) -> Truth:
    return sample[1]


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """An empty home."""
    return Home(tmp_path)


@pytest.fixture
def full_home(home: Home, sample: tuple[Path, Truth]) -> Home:
    """A home with the sample, nothing of it read."""
    shutil.copytree(sample[0], home.config, dirs_exist_ok=True)
    return home
