"""A scene under pseudonyms, before anything is made of it: so nothing that is made tells names."""

from __future__ import annotations

from tokenbudget.analysis.profile_names import OF_TOOLS, SHELLS, What, is_path, path_of
from tokenbudget.analysis.study import Spend
from tokenbudget.model import window

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tokenbudget.analysis.profile import Profile
    from tokenbudget.analysis.profile_bill import BillRow
    from tokenbudget.analysis.study import FileStudy, ThreadStudy
    from tokenbudget.app.profiling import Scene
    from tokenbudget.ledger.inspection import SessionRow
    from tokenbudget.model.redaction import Redactor

_OWN_WORDS = frozenset(("", window.REMINDER, window.FILE, window.ENVIRONMENT))
"""Kinds whose names are the client's words."""


def redacted_scene(scene: Scene, redactor: Redactor) -> Scene:
    """The scene without a path, a title, a branch or a name of one's own in it."""
    past = {file.file_id: _file(file, redactor) for file in scene.past}
    limits = scene.limits._replace(session=redactor.session(scene.limits.session))
    return scene._replace(
        limits=limits,
        files=tuple(past[file.file_id] for file in scene.files),
        past=tuple(past.values()),
        bill=[_bill_row(row, redactor) for row in scene.bill],
        facts=[_facts(row, redactor) for row in scene.facts],
        home=redactor.path(scene.home),
        folders={redactor.path(name): path for name, path in scene.folders.items()},
        redactor=redactor,
    )


def redacted_models(profile: Profile, redactor: Redactor) -> Profile:
    """The profile without an account's own names of models, by which sizes are still looked up."""
    return profile._replace(
        models=tuple(row._replace(name=redactor.word(row.name)) for row in profile.models),
        sessions=tuple(row._replace(model=redactor.word(row.model)) for row in profile.sessions),
    )


def _bill_row(row: BillRow, redactor: Redactor) -> BillRow:
    return row._replace(project=redactor.path(row.project), session=redactor.session(row.session))


def _facts(row: SessionRow, redactor: Redactor) -> SessionRow:
    return row._replace(
        session=redactor.session(row.session),
        title=redactor.title(row.title),
        git_branch=redactor.branch(row.git_branch),
        cwd=redactor.path(row.cwd),
        project=redactor.path(row.project),
    )


def _file(file: FileStudy, redactor: Redactor) -> FileStudy:
    return file._replace(
        path=redactor.path(file.path),
        session=redactor.session(file.session),
        project=redactor.path(file.project),
        branch=redactor.branch(file.branch),
        threads=tuple(_thread(thread, redactor) for thread in file.threads),
    )


def _thread(thread: ThreadStudy, redactor: Redactor) -> ThreadStudy:
    return thread._replace(
        spends=tuple(_spend(spend, redactor) for spend in thread.spends),
        tools=tuple(
            row._replace(name=redactor.tool(row.name), server=redactor.name(row.server))
            for row in thread.tools
        ),
        agent_type=redactor.name(thread.agent_type),
        agents=tuple((name, redactor.name(kind)) for name, kind in thread.agents),
        sightings=tuple(seen._replace(subject="") for seen in thread.sightings),
    )


def _spend(spend: Spend, redactor: Redactor) -> Spend:
    what = What(*spend[2:6])
    return Spend(*spend[:4], _name(what, redactor), _target(what, redactor), *spend[6:])


def _name(what: What, redactor: Redactor) -> str:
    if what.kind in OF_TOOLS or what.kind in (window.SYSTEM_TOOL, window.MCP_TOOL):
        return redactor.tool(what.name)
    if what.kind == window.MEMORY_FILE:
        return redactor.path(what.name)
    return what.name if what.kind in _OWN_WORDS else redactor.name(what.name)


def _target(what: What, redactor: Redactor) -> str:
    is_label = what.name in SHELLS
    if path_of(what) or is_path(what) or ("/" in what.target and not is_label):
        return redactor.path(what.target)
    return redactor.name(what.target)
