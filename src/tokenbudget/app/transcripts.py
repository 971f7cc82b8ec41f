"""Which transcript holds a thread, and whether it can be read: in its place, or in an archive."""

from __future__ import annotations

import os

from tokenbudget.model.errors import BadRequest

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from tokenbudget.app import Workbench
    from tokenbudget.collector.measuring import Measurer
    from tokenbudget.ledger.windows import WindowFile


def transcript_of(
    bench: Workbench, measurer: Callable[[], Measurer], session: str, agent: str
) -> tuple[WindowFile | None, str]:
    """The transcript of a thread, and the subagent's id in it ('' for the main thread).

    One that is archived, and can be read there where it has to be, counts as being there.

    Raises:
        BadRequest: the session has no such subagent, or several.
    """
    files = bench.ledger.windows.files_of_session(session)
    if not agent:
        main = next((file for file in files if not file.is_subagent), None)
        return None if main is None else where_it_is(bench, measurer, main), ""
    names = {file.path: agent_name(file.path) for file in files if file.is_subagent}
    found = [file for file in files if names.get(file.path, "").startswith(agent)]
    found = [file for file in found if names[file.path] == agent] or found
    if len({names[file.path] for file in found}) > 1:
        some = ", ".join(sorted(names[file.path] for file in found)[:3])
        raise BadRequest(f"{len(found)} subagents begin with '{agent}' ({some}); give more of it")
    if not found:
        some = ", ".join(sorted(names.values())[:3]) or "none"
        raise BadRequest(f"the session has no subagent '{agent}' (it has: {some})")
    return where_it_is(bench, measurer, found[0]), names[found[0].path]


def where_it_is(bench: Workbench, measurer: Callable[[], Measurer], file: WindowFile) -> WindowFile:
    """The file; as being there where an archive has it whole, or nothing of it is left to count."""
    if not file.is_gone or not bench.bodies.is_archived(file.path):
        return file
    archived = file._replace(is_gone=False)
    if measurer().is_fresh(archived):  # made where it is needed: it names the vocabulary
        return archived
    try:
        is_whole = os.stat(bench.bodies.place_of(file.path)).st_size == file.size_bytes
    except OSError:
        return file
    return archived if is_whole else file  # an archive from before its last words is not it


def agent_name(path: str) -> str:
    """The subagent's id in the name of its transcript: `agent-<id>.jsonl`."""
    name = path.rpartition("/")[2].removesuffix(".jsonl")
    return name.removeprefix("agent-")
