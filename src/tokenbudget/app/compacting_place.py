"""Which project `tokens compact` works on, and which of its sessions it shows."""

from __future__ import annotations

import os

from tokenbudget.config.layers import project_dir
from tokenbudget.model.errors import BadRequest, Refused

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tokenbudget.app import Workbench
    from tokenbudget.config.settings import Settings
    from tokenbudget.ledger.inspection import SessionRow

SHOWN_SESSIONS = 3


def project_meant(settings: Settings, named: str | None) -> str:
    """The folder that is worked on: the one that was named, or the project of this directory.

    Raises:
        BadRequest: it is no folder.
        Refused: it is no project: the home folder, one above it, an agent's own folder.
    """
    wanted = os.path.abspath(named if named is not None else settings.working_dir or ".")
    if not os.path.isdir(wanted):
        raise BadRequest(f"there is no folder {wanted}; name a project with --project PATH")
    found = wanted if named is not None else project_dir(wanted, settings.home_dir)
    _refuse_foreign(found or wanted, settings, is_project=bool(found))
    return found


def _refuse_foreign(folder: str, settings: Settings, *, is_project: bool) -> None:
    real, home = os.path.realpath(folder), os.path.realpath(settings.home_dir)
    is_above = (home.rstrip("/") + "/").startswith(real.rstrip("/") + "/")
    if is_above or not is_project:
        raise Refused(
            f"{folder} holds your home folder and is no project, so nothing is changed there;"
            " go into a project or name one with --project PATH"
        )
    for agent_folder in map(os.path.realpath, settings.claude_dirs):
        if (real + "/").startswith(agent_folder.rstrip("/") + "/"):
            raise Refused(
                f"{folder} belongs to the agent itself and is no project; name one with"
                " --project PATH"
            )
    if os.stat(real).st_uid != os.geteuid():
        raise Refused(f"{folder} belongs to another user, so nothing is changed there")


def spellings(project: str) -> tuple[str, ...]:
    """The ways in which transcripts may name the folder."""
    return tuple(dict.fromkeys((project, os.path.realpath(project))))


def session_shown(bench: Workbench, project: str, named: str | None) -> SessionRow | None:
    """The session that was named, else the last one that was begun in the project.

    Raises:
        BadRequest: none is named so, or several are.
    """
    if named and named != "last":
        found = bench.ledger.sessions_beginning(named, SHOWN_SESSIONS + 1)
        exact = [row for row in found if row.session == named] or found
        if len(exact) == 1:
            return exact[0]
        what = f"{len(found)} sessions begin" if found else "no session begins"
        raise BadRequest(f"{what} with '{named}'; tokens sessions lists them")
    here = bench.settings.working_dir
    found = bench.ledger.last_sessions(here) if (here + "/").startswith(project + "/") else []
    last = "" if found else bench.ledger.work.last_session(spellings(project))
    found = found or (bench.ledger.sessions_beginning(last, 1) if last else [])
    return found[0] if found else None
