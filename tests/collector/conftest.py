"""The tests of the collector start from what those of the ledger start from."""

from __future__ import annotations

from tests.ledger.fixtures import full_home, home, sample, truth

__all__ = ["full_home", "home", "sample", "truth"]
