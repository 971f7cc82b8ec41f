"""What was edited lately, for `tokens select`: by the recorded sessions, and by the files' times.

No version control is asked: a repository's own settings may name programs that it would run.
"""

from __future__ import annotations

import os
from itertools import islice

from tokenbudget.app import LEDGER_NAME, open_workbench
from tokenbudget.collector.ingest import Want
from tokenbudget.compression.ranking_recent import NOTHING_RECENT, Recent, edit_of
from tokenbudget.model.errors import TokenBudgetError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from tokenbudget.app import Terminal, Workbench
    from tokenbudget.compression.ranking_recent import Edit
    from tokenbudget.config.settings import Settings

STDIN = "-"
MOST_CALLS = 200
"""The last ones; each costs the reading of a line."""
MOST_EDITS = 400
"""A call may make many; each is looked for in the whole file."""
MOST_DAYS = 30
MILLISECONDS_PER_DAY = 86_400_000


def recent_edits(settings: Settings, paths: Sequence[str], terminal: Terminal) -> Recent:
    """What is known of edits to these files; nothing where that cannot be had, never an error.

    Sessions are only looked at where there is a ledger: a selection does not begin one.
    """
    named = [path for path in paths if path != STDIN]
    return NOTHING_RECENT._replace(
        edits=_edits(settings, named, terminal), written_at=_written_at(named)
    )


def _written_at(paths: Sequence[str]) -> Mapping[str, float]:
    found = {}
    for path in paths:
        try:
            found[path] = os.stat(path).st_mtime
        except (OSError, ValueError):
            continue  # whoever reads it will tell
    return found


def _edits(settings: Settings, paths: Sequence[str], terminal: Terminal) -> Sequence[Edit]:
    if not os.path.exists(os.path.join(settings.data_dir, LEDGER_NAME)):
        return ()
    try:
        with open_workbench(settings, terminal, Want.DETAIL) as bench:
            return list(islice(_edits_in(bench, paths), MOST_EDITS))
    except (TokenBudgetError, OSError):
        return ()  # `tokens doctor` tells what is wrong with the ledger; this answer needs it not


def _edits_in(bench: Workbench, paths: Sequence[str]) -> Iterator[Edit]:
    from tokenbudget.sources.claude_code.written import written_by

    by_name = {name: path for path in paths for name in _names(path)}
    since_ms = bench.clock.now_ms() - MOST_DAYS * MILLISECONDS_PER_DAY
    for call in bench.ledger.work.writes_to(list(by_name), since_ms, MOST_CALLS):
        path = by_name[call.target]
        line = bench.bodies.line(call.transcript, call.offset)
        written = () if line is None else written_by(line, call.tool_use_id)
        yield from (edit_of(path, one.old, one.new) for one in reversed(written))
        if not written:
            yield edit_of(path)


def _names(path: str) -> set[str]:
    """How an agent may have named the file: absolute, with links or without."""
    return {os.path.abspath(path), os.path.realpath(path)}
