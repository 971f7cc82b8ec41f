"""Which type each subagent is, as the studies of its session tell."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from tokenbudget.analysis.study import FileStudy


def agent_types(files: Iterable[FileStudy]) -> dict[tuple[str, str], str]:
    """The type of each subagent that is known, by its session and thread.

    As its own transcript has it; else as the call that started it did.
    """
    own: dict[tuple[str, str], str] = {}
    called: dict[tuple[str, str], str] = {}
    for file in files:
        for thread in file.threads:
            if thread.agent_type:
                own[file.session, thread.thread] = thread.agent_type
            called |= {(file.session, name): kind for name, kind in thread.agents if kind}
    return called | own
