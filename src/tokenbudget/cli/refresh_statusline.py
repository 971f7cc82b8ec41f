"""`tokens refresh-statusline SESSION`: started by the status line where its figures are old."""

from __future__ import annotations

from tokenbudget.app import Terminal
from tokenbudget.app.statusline import refresh
from tokenbudget.cli.options import settings
from tokenbudget.model.errors import BadRequest
from tokenbudget.system.process import be_polite

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence


def run(arguments: Sequence[str]) -> int:
    """Carry the verb out, silently: nobody looks at what it says."""
    if len(arguments) != 1:
        raise BadRequest("refresh-statusline takes the id of one session")
    be_polite()
    silent = Terminal(warn=lambda text: None, progress=lambda done, total: None)
    refresh(settings(), silent, arguments[0])
    return 0
