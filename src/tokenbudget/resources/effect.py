"""What is wired into the agent, and whether it takes effect: the words for it, as plain values.

`app.wired` gathers the facts, `effect_parts` and `effect_troubles` judge them, `reports.wiring`
tells them. "Effective" is only what was seen to be: a hook that fired, a line that was drawn, a
daemon that answers. What leaves no trace (a command that nobody typed) is "wired", no more.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from tokenbudget.resources.client_versions import ClientVersion
    from tokenbudget.resources.settings_said import Said

STATUSLINE, HOOKS, COMMANDS, SKILL = "statusline", "hooks", "commands", "skill"
PLUGIN, RECALL, DAEMON = "plugin", "recall", "daemon"
PARTS = (STATUSLINE, HOOKS, COMMANDS, SKILL, PLUGIN, RECALL, DAEMON)
BESIDE = (RECALL, DAEMON)
"""What alone is no wiring."""

State = Literal["effective", "unseen", "wired", "broken", "absent"]
"""Seen at work; could be seen and was not yet; leaves no trace; cannot work; not wired."""


# ── facts ─────────────────────────────────────────────────────────────────────────────────────────


class HookEvidence(NamedTuple):
    """What hooks have left behind, all sessions together."""

    sessions: int = 0
    events: Mapping[str, tuple[int, int]] = {}
    """By event: how often it was seen, and when last (ms)."""
    by_version: Mapping[str, int] = {}
    """Events seen by client version; '' is one that does not tell."""
    faults: int = 0
    last_fault: str = ""
    trimmed: int = 0
    """Results that were shortened at the door, and the tokens that this kept out of windows."""
    saved_tokens: int = 0

    @property
    def total(self) -> int:
        """Events seen."""
        return sum(seen for seen, _ in self.events.values())

    @property
    def last_ms(self) -> int:
        """When the last one was seen; 0 never."""
        return max((last_ms for _, last_ms in self.events.values()), default=0)


class Drawn(NamedTuple):
    """The status line, drawn last."""

    at_ms: int
    version: str
    """'' is unknown."""


class Daemon(NamedTuple):
    """What is known of the daemon; 0 and '' are unknown."""

    is_running: bool = False
    pid: int = 0
    port: int = 0
    started_at_ms: int = 0
    version: str = ""
    is_persistent: bool = False
    answered: int = 0
    last_hook_ms: int = 0
    faults: int = 0
    trouble: str = ""


class OwnFile(NamedTuple):
    """A command or skill file of ours that is there."""

    part: str
    scope: str
    path: str
    name: str
    """As a person types it: `/sc:mode`."""
    missing: str = ""
    """The program that it calls, where that is gone."""


class LoosePath(NamedTuple):
    """A file or folder that others than its owner may read or enter."""

    path: str
    mode: int
    wanted: int
    why: str


class GatewayWired(NamedTuple):
    """What the answer says of the MCP gateway; neither here nor elsewhere: it cannot be told."""

    is_here: bool
    """Whether it is wired in this project, or for the person everywhere."""
    servers: int
    """Behind it here."""
    elsewhere: int
    """Other projects that it is wired in."""
    is_sound: bool
    """Whether nothing is wrong with it here."""


class Facts(NamedTuple):
    """Everything that was looked at, at one moment."""

    now_ms: int
    home: str
    """The product's own folder."""
    files: tuple[Said, ...]
    """Settings files that are there, lowest scope first."""
    own_files: tuple[OwnFile, ...] = ()
    clients: tuple[ClientVersion, ...] = ()
    """In use, newest first."""
    hooks: HookEvidence = HookEvidence()
    drawn: Drawn | None = None
    daemon: Daemon = Daemon()
    missing: frozenset[str] = frozenset()
    """Paths of commands of ours that are not there."""
    marketplace: str = ""
    """The folder that our plugin comes from, where settings name one."""
    is_marketplace_there: bool = True
    is_autostarting: bool = False
    """Whether a hook that is a command starts a daemon where none runs."""
    knows_secret: bool = True
    """Whether hooks over HTTP carry the secret that the daemon asks for."""
    loose: tuple[LoosePath, ...] = ()
    session_starts: tuple[int, ...] = ()
    """When sessions of the ledger began (ms), for what should have been seen since."""
    names: Mapping[str, str] = {}
    """Paths of settings files as a person calls them: `~/.claude/settings.json`."""
    gateway: GatewayWired | None = None
    """None: it is nowhere."""

    def name_of(self, path: str) -> str:
        """A path as a person calls it."""
        return self.names.get(path, path)

    @property
    def good(self) -> tuple[Said, ...]:
        """The settings files that the client takes."""
        return tuple(file for file in self.files if file.counts)

    @property
    def disabling(self) -> Said | None:
        """The file whose word on `disableAllHooks` holds, if that word is yes."""
        said = [file for file in self.good if file.disables_all is not None]
        return said[-1] if said and said[-1].disables_all else None


# ── findings ──────────────────────────────────────────────────────────────────────────────────────


class Trouble(NamedTuple):
    """Something that keeps a part from working, or that is not safe."""

    kind: str
    """A short name that stays: `all-hooks-disabled`, `paths-gone`."""
    part: str
    """Of `PARTS`; '' is about the whole."""
    says: str
    """One sentence: what, and in which file."""
    do: str
    """What to do about it: a command, or a sentence."""
    is_blocking: bool = True
    """Whether the part does not work for it."""


class Overlap(NamedTuple):
    """Another tool beside us."""

    tool: str
    where: str
    """`status line`, `PreToolUse`, `plugin`, …"""
    scope: str
    says: str
    """What that means for both."""


class Part(NamedTuple):
    """One part of the wiring, judged."""

    name: str
    state: State
    scopes: tuple[str, ...]
    """Where it is wired, lowest first."""
    detail: str
    """How much of it: `9 events`, `4 files`."""
    evidence: str
    """How the state is known."""
    seen: int = 0
    last_seen_ms: int = 0
    version: str = ""
    """The client that it was seen in last."""

    @property
    def is_wired(self) -> bool:
        """Whether it is there at all."""
        return self.state != "absent"


class EventLine(NamedTuple):
    """One event that is wired or was seen."""

    event: str
    is_wired: bool
    clients: tuple[str, ...]
    """Versions in use that know it."""
    seen: int
    last_ms: int


class ClientLine(NamedTuple):
    """One client in use, and how well it is known."""

    version: str
    is_known: bool
    is_newer: bool
    """Than every one that was tested."""
    stands_in: str
    """The tested release that its features are taken from."""
    is_installed: bool
    sessions: int
    last_at_ms: int | None
    hooks_seen: int
    says: str


class Wiring(NamedTuple):
    """The whole answer."""

    at_ms: int
    answer: str
    """One or two sentences."""
    do: str
    """The command to go on with, where nothing is wired; else ''."""
    is_effective: bool
    """No part that is wired is known not to work."""
    parts: tuple[Part, ...]
    clients: tuple[ClientLine, ...]
    events: tuple[EventLine, ...]
    troubles: tuple[Trouble, ...]
    overlaps: tuple[Overlap, ...]
    daemon: Daemon
    newest_tested: str
    gateway: GatewayWired | None = None

    @property
    def is_anything_wired(self) -> bool:
        """Whether there is anything to judge."""
        return any(part.is_wired for part in self.parts if part.name not in BESIDE)
