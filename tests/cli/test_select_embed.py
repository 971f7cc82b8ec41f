"""`tokens select --embed`: by a model in a folder, and what is refused."""

from pathlib import Path

import pytest
from tests.cli.conftest import Home
from tests.compression.test_selection import SHOP
from tests.compression.tiny_model import tiny_model

TASK = "apply_voucher takes a voucher twice"


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    path = tmp_path / "shop.py"
    path.write_text(SHOP)
    return path


@pytest.fixture
def model(tmp_path: Path) -> Path:
    folder = tmp_path / "model"
    folder.mkdir()
    for name, content in tiny_model().items():
        (folder / name).write_bytes(content)
    return folder


def test_a_model_ranks_beside_the_words(home: Home, shop: Path, model: Path) -> None:
    """The words still lead: the function that the task names is shown."""
    document = home.ask(
        "select", "--task", TASK, "--budget", "40%", "--embed", str(model), str(shop)
    )
    assert "def apply_voucher():" in document["text"].split("\n")
    assert document["totals"]["tokens"] <= document["totals"]["budget_tokens"]


def test_a_folder_without_a_model_is_said_in_one_sentence(home: Home, shop: Path) -> None:
    done = home.run("select", "--task", TASK, "--embed", str(shop.parent), str(shop))
    assert done.code == 3
    assert "config.json" in done.err
    assert done.err.count("\n") == 1
    assert done.out == ""
