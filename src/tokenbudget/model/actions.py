"""What the product may change of a person's files: found, proposed, done, and taken back.

A resource looks (`Item`), proposes (`Proposal`) and never writes. A proposal's steps are the only
changes there are; each is plain data, written to the journal before it is done, so that whoever
finds the journal after a crash can tell what was meant and take it back.
"""

from __future__ import annotations

from typing import Literal, NamedTuple, TypeAlias

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"

Effect = Literal["now", "next compaction", "next start", "disk only"]
"""When a change reaches the window; "disk only" never does, for the thing was never sent."""

Basis = Literal["exact", "calibrated", "estimated", "unknown"]


class Weight(NamedTuple):
    """What something costs in every request; 0 exact tokens for what is never sent."""

    tokens: int | None
    error_tokens: int = 0
    """Half of the interval: `tokens` ± this."""
    basis: Basis = "unknown"


NEVER_SENT = Weight(0, 0, "exact")
UNKNOWN_WEIGHT = Weight(None)


class Item(NamedTuple):
    """One thing that a resource found."""

    resource: str
    """`scratch`, `memory-files`, `skills`, `agents`, `mcp-servers`, `ignore-rules`, `sessions`."""
    name: str
    """As a person calls it: a path inside the project, a skill's or a server's name."""
    path: str
    """Where it is defined; '' where that is no file."""
    size_bytes: int
    weight: Weight
    last_used_ms: int | None
    """None: not used as far as the ledger reaches, or nothing that is used."""
    uses: int | None
    """As far as the ledger reaches; None where uses cannot be seen."""


# ── steps ────────────────────────────────────────────────────────────────────────────────────────


class TrashFile(NamedTuple):
    """Take a file away, into the trash, if it is still the one that was looked at."""

    path: str
    size_bytes: int
    mtime_ns: int


class SettingEdit(NamedTuple):
    """One change in a JSON settings file: put a member into a list, set a key, or take it away."""

    keys: tuple[str, ...]
    """The way from the top, such as ("permissions", "deny")."""
    value: Json
    is_member: bool
    """True: `value` is added to the list there, unless it is in it. False: the key gets it."""
    is_gone: bool = False
    """True: the key is taken away with whatever stands there; `value` is None. The journal then
    holds no word of it: what it was is among the kept contents alone, for it may be a secret."""


class EditSettings(NamedTuple):
    """Change an agent's settings file; it is made where it is missing."""

    path: str
    edits: tuple[SettingEdit, ...]
    mode: int | None = None
    """The file's mode from then on, where it gets a secret; None leaves it as it is."""


class EditText(NamedTuple):
    """Give a text file new content, if it still has the old one; `before` is None to make it."""

    path: str
    before: str | None
    after: str


class ArchiveSession(NamedTuple):
    """Archive a session and take its files away into the trash."""

    session: str
    folder: str
    """The archive's folder."""
    size_bytes: int
    files: tuple[tuple[str, str], ...]
    """(name inside the session, absolute path), the transcript last."""


class RecoverSession(NamedTuple):
    """Put a session's files back from its archive."""

    session: str
    folder: str
    archive_file: str
    to: str
    """The folder that the names start from."""


class ClientServer(NamedTuple):
    """Have the agent's client take up an MCP server of the person's own, or let go of one.

    They stand in a file that the client alone may write, so its own command is run.
    """

    folder: str
    """Where the client is started: the project, or the home folder for scope `user`."""
    scope: str
    """`local` (the person's, in this project) or `user`."""
    server: str
    kept: str
    """The definition, by the hash under which it is kept: it may hold secrets."""
    change: str
    """`add` or `remove`."""


class RestoreText(NamedTuple):
    """Give a JSON file other content, of which the journal holds no word: it may be secret."""

    path: str
    old: str | None
    """What it holds, by the hash under which it is kept; None: it is not there."""
    new: str | None
    """What it will hold; None: it goes, into the trash."""
    folders: int = 0
    """So many folders above it go with it, where nothing else is in them."""


class GatewayRecord(NamedTuple):
    """Take servers out of the record of what is behind the gateway: the client has them again."""

    folder: str
    """The project; '' for the person's own servers everywhere."""
    kept: str
    """The record as it was, by the hash under which it is kept."""
    servers: tuple[str, ...]
    change: str
    """`some`, or `all` where none is behind the gateway then."""


Step: TypeAlias = (
    TrashFile
    | EditSettings
    | EditText
    | ArchiveSession
    | RecoverSession
    | ClientServer
    | RestoreText
    | GatewayRecord
)

State = Literal["planned", "done", "unchanged", "failed", "undone", "conflict"]
"""`planned`: it was meant; after a crash it may have been done. `unchanged`: it was so already."""


class Outcome(NamedTuple):
    """How a step went."""

    state: State
    message: str
    """One sentence for a person; '' where there is nothing to say."""
    result: Mapping[str, Json] = {}
    """What taking it back needs: the trash's id, the hash of a kept copy."""


class Proposal(NamedTuple):
    """Something that can be done about some items."""

    id: str
    """Stable between two runs on the same things, short enough to type: `mcp-servers/github`."""
    resource: str
    title: str
    """What is done, as an imperative: 'move 3 backups to the trash'."""
    reason: str
    """The evidence: 'not called in 41 sessions since 2026-09-01'."""
    freed: Weight
    """In every request, once it has taken effect."""
    freed_bytes: int
    """On disk."""
    effect: Effect
    is_chosen: bool
    """Whether it is done unless the person says otherwise; False for what has a price."""
    steps: tuple[Step, ...]
    """Empty for an advice, which only a person can follow."""
    command: str = ""
    """What the person would type to follow an advice."""
    weekly: Weight = NEVER_SENT
    """Tokens a week that are not part of every request: what reading there came to."""


# ── the journal ──────────────────────────────────────────────────────────────────────────────────


class StepRecord(NamedTuple):
    """A step as the journal has it."""

    number: int
    step: Step
    outcome: Outcome


class ActionRecord(NamedTuple):
    """One run of a verb that changed something."""

    id: int
    at_ms: int
    cause: str
    """The command that asked for it, such as `tokens compact`."""
    project: str
    """The project's folder; '' where it is none."""
    freed_tokens: int | None
    """As predicted, per request."""
    freed_bytes: int
    undone_at_ms: int | None
    steps: tuple[StepRecord, ...]
    undoes: int | None = None
    """The action that this one takes back; an undo has no steps of its own."""
