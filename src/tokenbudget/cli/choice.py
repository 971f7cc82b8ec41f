"""Which model, project or session a person means by what was typed."""

from __future__ import annotations

import os

from tokenbudget.analysis.usage import UNKNOWN_PROJECT
from tokenbudget.model.errors import BadRequest

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Mapping, Sequence
    from typing import TypeVar

    from tokenbudget.app import Workbench
    from tokenbudget.ledger.inspection import SessionRow

    Key = TypeVar("Key", int, str)

AMBIGUOUS_SHOWN = 3
NOWHERE = "\0"
"""A directory in which no session was begun."""


def matching(known: Mapping[Key, str], wanted: Sequence[str] | None, kind: str) -> list[Key] | None:
    """Keys of the names that are meant: the whole name, a path's last part, or else a part of it.

    Raises:
        BadRequest: a wanted name matches nothing.
    """
    if wanted is None:
        return None
    found: set[Key] = set()
    for want in wanted:
        sought = want.rstrip("/").lower()
        exact = {
            i
            for i, name in known.items()
            if sought in (name.lower(), name.lower().rpartition("/")[2])
        }
        part = {i for i, name in known.items() if sought in name.lower()}
        if not exact and not part:
            raise BadRequest(f"no {kind} is named '{want}'; tokens usage --by {kind} lists them")
        found |= exact or part
    return sorted(found)


def projects_named(projects: Mapping[int, str], wanted: Sequence[str] | None) -> list[int] | None:
    """Ids of the projects that are meant, as `matching`; 'unknown', in full, means 0 as well."""
    known = dict(projects)
    if any(want.lower() == UNKNOWN_PROJECT for want in wanted or ()):
        known[0] = UNKNOWN_PROJECT
    return matching(known, wanted, "project")


def places(bench: Workbench, options: Namespace) -> Sequence[str]:
    """Where this command looked for sessions."""
    return options.from_paths or bench.settings.claude_dirs


def session_named(bench: Workbench, wanted: str) -> str:
    """The one session that an id, its beginning, or 'last' means.

    Raises:
        BadRequest: none is meant, or several are.
    """
    return facts_named(bench, wanted).session


def session_meant(bench: Workbench, options: Namespace) -> SessionRow:
    """The session that was named, or else the last one of this directory, or of all.

    A session without any answered request can be named as well. Raises as `facts_named`.
    """
    wanted = options.session or "last"
    if wanted != "last":
        found = bench.ledger.sessions_beginning(wanted, AMBIGUOUS_SHOWN + 1)
        meant = _only(found, wanted) if found else None
        return meant if meant and meant.agent else facts_named(bench, wanted)
    found = []
    if not options.session and not options.from_paths:
        found = bench.ledger.last_sessions(_working_directory())
    found = found or bench.ledger.last_sessions("")
    return found[0] if found else facts_named(bench, "last")


def facts_named(bench: Workbench, wanted: str) -> SessionRow:
    """The session that `session_named` names, with its facts; raises as it does."""
    rows = bench.ledger.sessions()
    if not rows:
        raise BadRequest("there is no session yet; name a file or folder of them with --from PATH")
    if wanted == "last":
        return rows[0]
    found = [row for row in rows if row.session == wanted]
    found = found or [row for row in rows if row.session.startswith(wanted)]
    if not found:
        raise BadRequest(f"no session begins with '{wanted}'; tokens sessions lists them")
    return _only(found, wanted)


def _working_directory() -> str:
    try:
        return os.getcwd()
    except OSError:  # somebody has removed it
        return NOWHERE


def _only(found: Sequence[SessionRow], wanted: str) -> SessionRow:
    exact = [row for row in found if row.session == wanted]
    found = exact or found
    if len(found) > 1:
        some = [row.session[: len(wanted) + 6] for row in found[:AMBIGUOUS_SHOWN]]
        more = ", …" if len(found) > AMBIGUOUS_SHOWN else ""
        raise BadRequest(
            f"{len(found)} sessions begin with '{wanted}' ({', '.join(some)}{more});"
            " give more of it"
        )
    return found[0]
