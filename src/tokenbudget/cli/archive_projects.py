"""Which project is meant by what follows `--project`: a path, `.`, or a part of a known name."""

from __future__ import annotations

import os

from tokenbudget.cli.choice import matching
from tokenbudget.model.errors import BadRequest
from tokenbudget.sources.claude_code.source import ClaudeCode

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tokenbudget.config.settings import Settings
    from tokenbudget.ledger.store import Ledger


def project_at(settings: Settings, path: str) -> str:
    """The project that a folder belongs to.

    Raises:
        BadRequest: it is said from here, and this folder is gone.
    """
    if not os.path.isabs(path) and not settings.working_dir:
        raise BadRequest(f"'{path}' is nowhere, for this folder is gone; write a whole path")
    return ClaudeCode(settings.home_dir).project_root(os.path.abspath(path))


def one_project(settings: Settings, ledger: Ledger | None, wanted: str) -> str:
    """The one project that is meant; without a ledger only a path can mean one.

    Raises:
        BadRequest: none is meant, or several are.
    """
    if ledger is None:
        return project_at(settings, wanted)
    found = sorted(projects_meant(settings, ledger, wanted) or ())
    if len(found) > 1:
        raise BadRequest(f"{len(found)} projects are named '{wanted}'; give more of the path")
    return found[0]


def projects_meant(settings: Settings, ledger: Ledger, wanted: str | None) -> frozenset[str] | None:
    """The folders of the projects that are meant; None for all.

    Raises:
        BadRequest: a name matches no project.
    """
    if wanted is None:
        return None
    known = ledger.names("project")
    if wanted in known.values():
        return frozenset({wanted})
    if wanted == "." or "/" in wanted:
        return frozenset({project_at(settings, wanted)})
    return frozenset(known[number] for number in matching(known, [wanted], "project") or [])
