"""Pseudonyms for what would tell a stranger who worked on what: paths, titles, prompts, names.

A pseudonym is a keyed hash: the same text gets the same one in every report and export of one
machine, so that rows can still be joined and followed, and nobody without the key can try out
whether a guess is right. A path keeps its shape: its depth, and the ending of a well-known kind of
file. What lies below a folder still lies below that folder's pseudonym.

    /home/ann/shop/src/pay.py   ->   /p52c01f9a3e/p0d.../p83.../p1a.../p6be27c9f04.py
"""

from __future__ import annotations

import hashlib
import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

KEY_BYTES = 32
DIGEST_BYTES = 5
"""40 bits: among 100,000 paths two are alike once in 200 such sets."""
ID_BYTES = 8
MOST_REMEMBERED = 20_000

_AGENT_TOOLS = (
    "Agent AskUserQuestion Bash BashOutput Edit EnterPlanMode ExitPlanMode Glob Grep KillShell"
    " KillBash LS ListMcpResourcesTool LSP MultiEdit NotebookEdit NotebookRead Read"
    " ReadMcpResourceTool SendMessage Skill SlashCommand StructuredOutput Task TaskCreate TaskGet"
    " TaskList TaskOutput TaskStop TaskUpdate TodoRead TodoWrite ToolSearch WebFetch WebSearch"
    " Write PowerShell"
)
AGENT_TOOLS = frozenset(_AGENT_TOOLS.split())
"""Tools that everybody has; any other name says something about its user."""

_KNOWN_ENDINGS = (
    "bash c cc cfg conf cpp cs css csv cxx db dart env ex exs gif go gradle h hpp hs html htm ico"
    " ini ipynb java jpeg jpg js json jsonl jsx kt kts less lock log lua m md mdx mjs ml mov mp3"
    " mp4 mts pdf php pl png po proto ps1 py pyi r rb rs rst sass scala scss sh sql sqlite svelte"
    " svg swift tar tex tf toml ts tsv tsx ttf txt vue wasm webp woff woff2 xls xlsx xml yaml yml"
    " zig zip zst"
)
KNOWN_ENDINGS = frozenset(_KNOWN_ENDINGS.split())
_SEPARATOR = re.compile(r"([/\\])")
_SCHEME = re.compile(r"(?i)(?:https?|file|ftp|ssh|git|data|mcp):/*")
_PLAIN_WORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9._\[\]-]{0,63}")
"""A model or a version as their makers name them; an account's own address of one is none."""
_PLAIN_BRANCHES = frozenset(("", "HEAD", "main", "master", "trunk"))


class Redactor:
    """Gives pseudonyms under one key; '' stays ''."""

    def __init__(self, key: bytes) -> None:
        """Take the key of this machine; raises ValueError for one that could be guessed."""
        if len(key) < KEY_BYTES:
            raise ValueError(f"a key has {KEY_BYTES} bytes or more")
        self._key = key[:64]  # all that the hash takes
        self._known: dict[tuple[str, str], str] = {}

    def path(self, text: str) -> str:
        """A file, a folder or an address, part by part; `.`, `..` and `~` stay."""
        return self._remembered("path", text, self._path)

    def title(self, text: str) -> str:
        """What a session is called."""
        return self._named("title", text)

    def prompt(self, text: str) -> str:
        """What a person wrote."""
        return self._named("prompt", text)

    def name(self, text: str) -> str:
        """A server, a skill, a kind of subagent."""
        return self._named("name", text)

    def word(self, text: str) -> str:
        """A model or a version; one that looks like neither is hidden."""
        return text if _PLAIN_WORD.fullmatch(text) else self.name(text)

    def branch(self, text: str) -> str:
        """A branch; those that everybody has stay."""
        return text if text in _PLAIN_BRANCHES else self._named("branch", text)

    def session(self, text: str) -> str:
        """The id of a session."""
        return self._named("session", text)

    def key(self, text: str) -> str:
        """The id of a request or a call; not remembered, for there are millions."""
        return f"id-{self._digest('key', text, ID_BYTES)}" if text else ""

    def tool(self, text: str) -> str:
        """A tool: the agent's own stay, of an MCP server's the name and the server's are hidden."""
        if text in AGENT_TOOLS:
            return text
        mark, _, rest = text.partition("__")
        server, middle, name = rest.partition("__")
        if mark == "mcp" and server:
            return f"mcp__{self.name(server)}{middle}{self.name(name)}"
        return self.name(text)

    def _named(self, kind: str, text: str) -> str:
        return self._remembered(
            kind, text, lambda one: f"{kind}-{self._digest(kind, one, DIGEST_BYTES)}"
        )

    def _remembered(self, kind: str, text: str, made: Callable[[str], str]) -> str:
        if not text:
            return ""
        found = self._known.get((kind, text))
        if found is None:
            if len(self._known) >= MOST_REMEMBERED:
                self._known.clear()
            found = self._known[kind, text] = made(text)
        return found

    def _path(self, text: str) -> str:
        scheme = _SCHEME.match(text)
        begun = scheme[0] if scheme else ""
        parts = []
        for part in _SEPARATOR.split(text[len(begun) :]):
            begun += part
            parts.append(self._part(part, begun))
        return (scheme[0].lower() if scheme else "") + "".join(parts)

    def _part(self, part: str, begun: str) -> str:
        """One part of a path, hashed with all before it: two `src` need not be the same."""
        if part in ("", "/", "\\", ".", "..", "~"):
            return part
        _, dot, ending = part.rpartition(".")
        kept = f".{ending.lower()}" if dot and ending.lower() in KNOWN_ENDINGS else ""
        return f"p{self._digest('path', begun, DIGEST_BYTES)}{kept}"

    def _digest(self, kind: str, text: str, size: int) -> str:
        data = text.encode("utf-8", "surrogatepass")
        return hashlib.blake2b(
            data, digest_size=size, key=self._key, person=kind.encode()
        ).hexdigest()
