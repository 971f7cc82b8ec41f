"""Whether what is ours is for its owner's eyes alone: folders 0700, files 0600."""

from __future__ import annotations

import os
import stat

from tokenbudget.gateway.daemon import places
from tokenbudget.model.plain_text import one_line
from tokenbudget.resources.effect import LoosePath

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

_OTHERS = 0o077


def loose_paths(home: str) -> Iterator[LoosePath]:
    """What of ours others than its owner may read, write or enter; links are not followed."""
    from tokenbudget.app import LEDGER_NAME

    run = places.run_folder(home)
    spots = [
        (home, 0o700, "holds your sessions' figures, and others may look into it"),
        (run, 0o700, "holds the daemon's socket, and others may look into it"),
        (os.path.join(home, "hooks"), 0o700, "holds what hooks remember, open to others"),
        (places.place(home, places.SECRET), 0o600, "is the daemon's secret"),
        (places.place(home, places.SOCKET), 0o600, "is the daemon's socket"),
        (os.path.join(home, LEDGER_NAME), 0o600, "is the ledger, and others may read it"),
    ]
    for path, wanted, why in spots:
        try:
            facts = os.lstat(path)
        except OSError:
            continue
        mode = stat.S_IMODE(facts.st_mode)
        if mode & _OTHERS and not stat.S_ISLNK(facts.st_mode):
            yield LoosePath(one_line(path), mode, wanted, why)
