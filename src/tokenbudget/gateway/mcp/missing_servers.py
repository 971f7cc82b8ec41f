"""What the agent has to know of servers whose tools are not there: each told once, then counted."""

from __future__ import annotations

import re

from tokenbudget.gateway.mcp.signature_text import cut, quoted

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tokenbudget.gateway.mcp.shelf import Known

MOST_NAMED, MOST_REASON_CHARS = 6, 120
_DIGITS = re.compile(r"\d+")
"""Seconds and process numbers differ from one try to the next, and say nothing new."""


class MissingServers:
    """What one client was told of servers that cannot be used.

    A search tells the agent what is missing. Told at each one it would fill the window with what
    the agent knows already; so a server and why it cannot be used are told when they are new.
    """

    def __init__(self) -> None:
        self._told: dict[str, str] = {}

    def words(self, known: Known, servers: int) -> str:
        """What is to be told now; '' where all is there, of `servers` in all."""
        said = [_waiting_words(known.waiting, servers)] if known.waiting else []
        troubles = _unusable(known)
        new = [
            name for name, why in troubles.items() if self._told.get(name) != _DIGITS.sub("", why)
        ]
        shown = new[:MOST_NAMED]
        said += [_unusable_words(quoted(name), quoted(troubles[name])) for name in shown]
        if len(troubles) > len(shown):
            said.append(_counted_words(len(troubles) - len(shown), servers, is_more=bool(shown)))
        self._told = {
            name: _DIGITS.sub("", why)
            for name, why in troubles.items()
            if name in shown or name not in new
        }
        return "\n".join(said)


def _unusable(known: Known) -> Mapping[str, str]:
    """Servers that could not be started and whose tools nobody knows, and why."""
    listed = {one.server for one in known.directory.catalogues}
    return {name: why for name, why in known.troubles.items() if name not in listed}


def _waiting_words(waiting: Sequence[str], servers: int) -> str:
    verb = "is" if len(waiting) == 1 else "are"
    return (
        f"{len(waiting)} of {servers} servers {verb} still starting ({_names(waiting)}): their"
        " tools are missing here, ask again"
    )


def _counted_words(count: int, servers: int, *, is_more: bool) -> str:
    return f"{count} more cannot be used" if is_more else f"{count} of {servers} cannot be used"


def _unusable_words(name: str, reason: str) -> str:
    """A server and why it cannot be used; the reason may begin with its name, said once then."""
    if reason.startswith(f"{name} "):
        return cut(reason, MOST_REASON_CHARS + 40)
    shown = cut(reason.removeprefix(f"{name}: "), MOST_REASON_CHARS)
    return f"{cut(name, 40)} cannot be used: {shown}"


def _names(servers: Sequence[str]) -> str:
    shown = ", ".join(cut(quoted(name), 40) for name in servers[:MOST_NAMED])
    return shown + (", …" if len(servers) > MOST_NAMED else "")
