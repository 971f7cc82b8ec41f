"""Desks for the tests of hooks."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.gateway.hooks.hook_desk import OLD, HookDesk


@pytest.fixture
def desk(tmp_path: Path) -> HookDesk:
    """A session of a new client, with a window of 200,000 tokens, in which nothing has happened."""
    return HookDesk(tmp_path)


@pytest.fixture
def old_desk(tmp_path: Path) -> HookDesk:
    """The same of a client that does not say which subagent calls a tool."""
    return HookDesk(tmp_path, version=OLD)


@pytest.fixture
def big_file(tmp_path: Path) -> Path:
    """A file worth 5,000 tokens."""
    path = tmp_path / "cart.py"
    path.write_text("line of code\n" * 1_600)
    return path
