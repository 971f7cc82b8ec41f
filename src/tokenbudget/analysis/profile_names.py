"""What a person calls the things that take tokens: components, parts of them, files and folders."""

from __future__ import annotations

from typing import NamedTuple

from tokenbudget.analysis.composition import TITLES
from tokenbudget.analysis.study import PREFIX, UNATTRIBUTED
from tokenbudget.analysis.window_pieces import READING_TOOLS, WRITING_TOOLS
from tokenbudget.model import window
from tokenbudget.model.window import mcp_server

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

COMPONENT_TITLES = {
    **TITLES,
    PREFIX: "System prompt and tools",
    UNATTRIBUTED: "Unattributed",
}

FILE_TOOLS = READING_TOOLS | WRITING_TOOLS
SHELLS = frozenset(("Bash", "PowerShell"))
AGENT_TOOLS = frozenset(("Task", "Agent"))
SKILL_TOOL = "Skill"
OF_TOOLS = frozenset((window.TOOL_USE, window.TOOL_RESULT, window.IMAGE))
"""Kinds of pieces that belong to a tool if they name one."""

_PARTS = {
    window.SYSTEM_PROMPT: "prompt",
    window.ENVIRONMENT: "environment",
    window.DEFERRED_NAMES: "names of tools to be loaded",
    window.MCP_INSTRUCTIONS: "instructions",
    window.SKILL_LISTING: "listing",
    window.AGENT_LISTING: "listing",
    window.PROMPT: "your prompts",
    window.TEXT: "assistant text",
    window.THINKING: "thinking",
    window.SUMMARY: "summaries of what was compacted",
    window.REMINDER: "reminders",
    window.FILE: "attached by the client",
    window.IMAGE: "images",
}
_OF_SERVERS = frozenset((window.MCP_TOOL, window.MCP_INSTRUCTIONS, window.DEFERRED_NAMES))
_SERVER_SIGNS = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-")
_WORKTREES = (".claude/worktrees/", ".worktrees/")
DIRECTORY_DEPTH = 2
"""Folders are told two levels deep: deep enough to say where, few enough to be compared."""


class What(NamedTuple):
    """What a spend was for, as studies key it."""

    component: str
    kind: str
    name: str
    target: str


def title_of(component: str) -> str:
    """A component as it is headed."""
    return COMPONENT_TITLES.get(component, component)


def tool_of(what: What) -> str:
    """The tool whose call or result it is; '' for everything else."""
    return what.name if what.kind in OF_TOOLS else ""


def server_of(what: What) -> str:
    """The MCP server that it belongs to; '' for none."""
    if what.kind in _OF_SERVERS:
        return typed_server(what.target)
    return mcp_server(tool_of(what))


def typed_server(name: str) -> str:
    """A server as its tools are called: the client puts _ for what no tool's name may hold."""
    if name.isascii() and name.replace("_", "").replace("-", "").isalnum():
        return name
    return "".join(sign if sign in _SERVER_SIGNS else "_" for sign in name)


def path_of(what: What) -> str:
    """The file that it is about; '' for none."""
    is_file = what.kind == window.FILE or tool_of(what) in FILE_TOOLS
    return what.target if is_file else ""


def part_of(what: What) -> str:
    """What it is within its component: the second level of the tree; '' where that has none."""
    if what.component in (PREFIX, UNATTRIBUTED):
        return ""
    if tool := tool_of(what):
        return mcp_server(tool) or tool
    if what.kind in _OF_SERVERS and what.target:
        return typed_server(what.target)
    return _PARTS.get(what.kind) or what.name


def leaf_of(what: What) -> str:
    """What it is within its part: the third level; '' where that has none."""
    if mcp_server(tool_of(what)):
        return what.name
    if tool_of(what) or what.kind == window.FILE:
        return what.target
    if what.kind in _OF_SERVERS and what.target:
        return _PARTS.get(what.kind) or what.name
    return what.name if what.kind == window.REMINDER else ""


def is_path(what: What) -> bool:
    """Whether the last of its names is a path."""
    return bool(path_of(what)) or what.kind == window.MEMORY_FILE


def shown_tool(name: str) -> str:
    """A tool for people: of an MCP server, its own name and the server's."""
    server = mcp_server(name)
    own = name.rpartition("__")[2]
    return f"{own} ({server})" if server and own else name


class Namer:
    """Names paths: those inside a project relative to it, those at home with ~.

    Where there are several projects, a path inside one begins with the project's own name.
    """

    def __init__(self, projects: Iterable[str], home: str) -> None:
        self._names = short_names(sorted({project for project in projects if project}))
        self._is_one = len(self._names) < 2
        self._home = home.rstrip("/")
        self._known: dict[tuple[str, str], str] = {}
        roots = ((slashed(project).rstrip("/"), project) for project in self._names)
        self._roots = sorted(roots, key=lambda pair: -len(pair[0]))

    def path(self, path: str, project: str) -> str:
        """A file's name, with / as in every system; one of a worktree is the project's own.

        `project` is that of the session; a file of another one that is known is told as its.
        """
        known = self._known.get((path, project))
        if known is None:
            known = self._known[path, project] = self._path(slashed(path), project)
        return known

    def _path(self, path: str, project: str) -> str:
        for root, owner in ((slashed(project).rstrip("/"), project), *self._roots):
            if root and path.startswith(f"{root}/"):
                inside = _own(path[len(root) + 1 :])
                return inside if self._is_one else f"{self._names.get(owner, root)}/{inside}"
        if self._home and path.startswith(f"{self._home}/"):
            return f"~{path[len(self._home) :]}"
        return path

    def directory(self, name: str) -> str:
        """The folder of a named file, at most `DIRECTORY_DEPTH` levels below where names begin."""
        depth = DIRECTORY_DEPTH + (not self._is_one)
        if name.startswith(("/", "~")) or name[1:2] == ":":
            depth += 1
        folders = name.split("/")[:-1][:depth]
        return "/".join(folders) + "/" if folders else "./"

    def project(self, project: str) -> str:
        """A project by the last part of its path, or two where one does not tell it apart."""
        return self._names.get(project) or project


def slashed(path: str) -> str:
    """A Windows path with / in place of its own separators; any other as it is."""
    is_windows = path[1:3] == ":\\" or ("\\" in path and "/" not in path)
    return path.replace("\\", "/") if is_windows else path


def _end(path: str, parts: int) -> str:
    return "/".join(slashed(path).rstrip("/").split("/")[-parts:])


def _own(inside: str) -> str:
    for mark in _WORKTREES:
        if inside.startswith(mark):
            return inside[len(mark) :].partition("/")[2] or inside
    return inside


def short_names(paths: Iterable[str]) -> dict[str, str]:
    """The last part of each path; of those that end alike, two parts, or the whole."""
    left = sorted(set(paths))
    found: dict[str, str] = {}
    for parts in (1, 2):
        ends = [_end(path, parts) for path in left]
        found |= {
            path: end for path, end in zip(left, ends, strict=True) if end and ends.count(end) == 1
        }
        left = [path for path in left if path not in found]
    return found | {path: path for path in left}
