"""What `tokens install` was asked for, and how a plan tells what becomes of each component."""

from __future__ import annotations

from typing import Literal, NamedTuple, TypeAlias

from tokenbudget.model.errors import BadRequest
from tokenbudget.resources import wiring

COMMANDS, SKILL = "commands", "skill"
COMPONENTS = (wiring.STATUSLINE, wiring.HOOKS, COMMANDS, SKILL, wiring.PLUGIN, wiring.RECALL)
USUAL = COMPONENTS[:4]
IN_PLUGIN = (wiring.HOOKS, COMMANDS, SKILL)
"""What the plugin brings along; both at once would do everything twice."""
PRIVATE_MODE = 0o600

Change: TypeAlias = Literal["add", "replace", "remove", "there", "skip", "refused"]


class Errand(NamedTuple):
    """What was asked for."""

    components: tuple[str, ...] = USUAL
    is_http: bool = False
    has_model: bool | None = None
    """Whether commands name a small model; None: where every client in use means a cheap one."""
    client_version: str | None = None


class Row(NamedTuple):
    """One component, and what becomes of it."""

    component: str
    change: Change
    path: str
    what: str
    """The key in the settings file, or the command."""
    note: str = ""
    """What is kept, chained, or in the way; one sentence or ''."""


def components_meant(only: str | None, is_recall_allowed: bool = False) -> tuple[str, ...]:
    """The components of a `--only`, the usual ones without it, and a rule for recall if wanted.

    Raises:
        BadRequest: one is unknown, or the plugin is named beside what it brings along.
    """
    more = (wiring.RECALL,) if is_recall_allowed else ()
    if only is None:
        return (*USUAL, *more)
    named = tuple(filter(None, map(str.strip, only.split(","))))
    for name in named:
        if name not in COMPONENTS:
            raise BadRequest(f"'{name}' is nothing to install; write {', '.join(COMPONENTS)}")
    double = [name for name in IN_PLUGIN if name in named]
    if wiring.PLUGIN in named and double:
        raise BadRequest(f"the plugin brings {double[0]} along; leave one of them out")
    if not named:
        raise BadRequest(f"--only wants at least one of {', '.join(COMPONENTS)}")
    return tuple(name for name in COMPONENTS if name in (*named, *more))


def said(wrong: Exception) -> str:
    """The sentence of an error; the system's own are told by their reason."""
    return wrong.strerror or str(wrong) if isinstance(wrong, OSError) else str(wrong)
