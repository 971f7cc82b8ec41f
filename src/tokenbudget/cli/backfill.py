"""`tokens backfill`: the second pass, started by the program itself."""

from __future__ import annotations

from tokenbudget.app import backfill
from tokenbudget.cli.options import settings

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence


def run(arguments: Sequence[str]) -> int:
    """Carry the verb out."""
    backfill(settings())
    return 0
