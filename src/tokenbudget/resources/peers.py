"""Other tools that are wired into the same agent, known by what stands in their commands.

What each does was read in its source or its documents; where a tool is not known, its program's
name is told and nothing is claimed. A command is somebody else's text and may hold a secret: of it
only the program's name is ever shown.
"""

from __future__ import annotations

import os
import shlex
from typing import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

_LONGEST_NAME = 40
_STARTERS = frozenset(
    (
        *("sh", "bash", "zsh", "dash", "env", "exec", "sudo", "nice", "timeout"),
        *("node", "bun", "bunx", "npx", "deno", "pnpm", "yarn", "dlx", "run"),
        *("python", "python3", "uv", "uvx", "tool"),
    )
)
"""Words before the program that is meant."""


class Peer(NamedTuple):
    """A tool that does some of what we do."""

    name: str
    marks: tuple[str, ...]
    """Any of these in a command, an address or a plugin's name is it."""
    does: str
    rewrites: bool = False
    """Whether its hooks change a tool's input or output."""


PEERS: tuple[Peer, ...] = (
    Peer("ccstatusline", ("ccstatusline",), "draws a status line"),
    Peer("claude-hud", ("claude-hud",), "draws a status line"),
    Peer("ccusage", ("ccusage",), "counts the same transcripts, and draws a status line"),
    Peer("claude-monitor", ("claude-monitor", "claude_monitor"), "counts the same transcripts"),
    Peer("rtk", ("rtk",), "rewrites Bash commands before they run", True),
    Peer("headroom", ("headroom",), "rewrites requests in a proxy, or results in hooks", True),
    Peer("context-mode", ("context-mode",), "redirects tools, and keeps a snapshot as well", True),
    Peer("lean-ctx", ("lean-ctx", "lean_ctx"), "rewrites results", True),
    Peer("caveman", ("caveman",), "rewrites requests, and asks for terse words", True),
    Peer("claude-mem", ("claude-mem",), "asks a model about every tool call, which spends tokens"),
    Peer("codeburn", ("codeburn",), "keeps budgets in hooks of its own"),
)


class Tool(NamedTuple):
    """What a command belongs to."""

    name: str
    peer: Peer | None


def tool_of(command: str) -> Tool:
    """The tool behind a command or an address."""
    parts = _parts(command)
    names = [os.path.basename(part) for part in parts] or [command]
    for peer in PEERS:
        if any(_is_named(mark, part) for mark in peer.marks for part in (*parts, *names)):
            return Tool(peer.name, peer)
    if "://" in command:
        host = command.split("://", 1)[1].split("/")[0].rpartition("@")[2]
        return Tool(host[:_LONGEST_NAME], None)
    meant = (name for name in names if name not in _STARTERS and not name.startswith(("-", "$")))
    return Tool(next(meant, names[0])[:_LONGEST_NAME], None)


def _is_named(mark: str, part: str) -> bool:
    """Whether a word is that tool: whole, with more behind a dash, or a folder on the way."""
    return any(
        step == mark or (step.startswith(mark) and not step[len(mark)].isalnum())
        for step in part.replace("\\", "/").split("/")
    )


def _parts(command: str) -> Sequence[str]:
    try:
        parts = shlex.split(command)
    except ValueError:  # an odd quote
        parts = command.split()
    return [part for part in parts if "=" not in part.partition("/")[0]]  # VARIABLE=… before it
