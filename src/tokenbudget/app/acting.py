"""As much of a workbench as changing files needs: the journal's ledger, and nothing read afresh.

Prices, a zone and a look at every transcript would take longer than what is done.
"""

from __future__ import annotations

import contextlib
import os
from typing import NamedTuple, cast

from tokenbudget.app import LEDGER_NAME

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from tokenbudget.app import Workbench
    from tokenbudget.config.settings import Settings
    from tokenbudget.ledger.store import Ledger
    from tokenbudget.model.protocols import Clock


class _Bench(NamedTuple):
    settings: Settings
    ledger: Ledger
    clock: Clock


@contextlib.contextmanager
def acting_bench(
    settings: Settings, clock: Clock, ledger: Ledger | None = None
) -> Iterator[Workbench]:
    """A bench for `journal.carry_out`: over this ledger, or else the one there is, or a new one.

    Raises:
        LedgerUnusable, LedgerDamaged, LedgerTooNew: there is no journal to be had.
    """
    if ledger is not None:
        yield cast("Workbench", _Bench(settings, ledger, clock))
        return
    from tokenbudget.ledger.store import Ledger as Opened

    with contextlib.suppress(OSError):  # then opening says what is wrong
        os.makedirs(settings.data_dir, mode=0o700, exist_ok=True)
    with Opened(os.path.join(settings.data_dir, LEDGER_NAME), (), clock) as opened:
        yield cast("Workbench", _Bench(settings, opened, clock))
