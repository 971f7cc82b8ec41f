"""What the controller sees, decides and is told: words between optimizer, hands and record.

All of it is plain values. Tokens are of the provider's count where a transcript reports them and
predictions else; shares are of the *usable* window, from empty to where the client compacts by
itself; times are milliseconds since 1970 unless a name says otherwise.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from tokenbudget.model.actions import Effect

Mode = Literal["off", "advise", "auto"]

SKILLS, SERVERS, MEMORY, SCRATCH = "skills", "mcp-servers", "memory-files", "scratch"
TRIMMING, TERSENESS, HISTORY = "trimming", "terseness", "history"
MODEL, DELEGATION, RESERVE = "model", "delegation", "reserve"
LEVERS = (
    *(SKILLS, SERVERS, MEMORY, SCRATCH, TRIMMING, TERSENESS, HISTORY),
    *(MODEL, DELEGATION, RESERVE),
)
"""What can be pulled. `MODEL` and `DELEGATION` are only ever advised; `RESERVE` is what the client
keeps free before it compacts, given to the session in an emergency."""
ADVICE_ONLY = (MODEL, DELEGATION)

ACT, ADVISE, MARK, WAIT, RESTORE = "act", "advise", "mark", "wait", "restore"
"""What a decision is. `MARK`: chosen, and done when it costs nothing; `WAIT`: nothing is done, and
`Decision.reason` says why; `RESTORE`: something that was lent is put back."""


class Cache(NamedTuple):
    """How the provider's prompt cache stands for the session."""

    is_cold: bool | None
    """Whether what was cached is gone; None is unknown."""
    cold_in_ms: int | None
    """Until it will be, without another request; 0 when it is, None where unknown."""
    read: float | None
    """Price of a cache read as a multiple of plain input; None: the model has no price."""
    write: float | None
    """The same of a write, of the lifetime in use."""
    output: float | None
    """The same of a token that the model writes."""
    input_usd: float | None
    """A token of plain input, in USD."""


UNKNOWN_CACHE = Cache(None, None, None, None, None, None)


class Held(NamedTuple):
    """Something that occupies the window, or makes it grow, and a lever that would change that."""

    id: str
    """The proposal's id, such as `skills/slide-deck`; `history/compact`, `trimming/compressed`."""
    lever: str
    title: str
    """What pulling the lever does, as an imperative; whoever shows it cleans it."""
    reason: str
    """The evidence, in one clause."""
    tokens: int
    """What leaves every later request once it has taken effect."""
    error_tokens: int = 0
    last_used_ms: int | None = None
    """None: never, as far as the ledger reaches, or nothing that is used."""
    uses: int | None = None
    is_essential: bool = False
    """Never touched: the session uses it, or the person said so."""
    is_pinned: bool = False
    """By the person, or because it was loaded again after it had been unloaded."""
    is_reversible: bool = True
    kept_tokens: int = 0
    """What stands behind it in the window and is written anew when it leaves a warm cache."""
    replacement_tokens: int = 0
    """What comes to stand in its place: a summary and what is attached to it."""
    production_input_tokens: int = 0
    production_output_tokens: int = 0
    """What it costs to make that."""
    reread_requests: float = 0.0
    """Of what leaves, how many things are expected to be asked for again, each by a request."""
    reread_tokens: float = 0.0
    """What they are expected to bring back."""


class Signals(NamedTuple):
    """One look at a session."""

    session: str
    project: str
    client: str
    """The agent's version, such as `2.1.329`; '' is unknown."""
    model: str
    has_tool_search: bool | None
    """Whether tools are deferred; None is unknown."""
    observed_at_ms: int
    """When this was looked at, by the clock that the tick is given too."""
    request_key: str
    """Of the last completed request; '' where there is none."""
    request_at_ms: int
    """When it began."""
    requests: int
    """Completed ones of the main thread."""
    used_tokens: int | None
    """Its prompt and its answer; None is unknown."""
    usable_tokens: int | None
    """The window but for what the client keeps free."""
    window_tokens: int | None
    compactions: int
    """Boundaries in the transcript so far."""
    is_between_turns: bool
    """The agent waits for the person."""
    is_over: bool
    """The session has ended."""
    cache: Cache = UNKNOWN_CACHE
    expected_requests: float | None = None
    """Still to come, by this person's own sessions at this depth; None is unknown."""
    sure_requests: float | None = None
    """So many at least came in nine of ten of them; None: nobody tells more than the middle."""
    burn_tokens_per_minute: float | None = None
    full_in_ms: int | None = None
    """Until the usable window is full, at the middle of the forecast."""
    composition: Mapping[str, int] = {}
    """Tokens by component, as `analysis.composition` names them."""
    held: tuple[Held, ...] = ()
    """What could leave. May be left out while the window is healthy: looking costs time."""
    reloaded: tuple[str, ...] = ()
    """Ids of what the controller had taken out and was used or asked for since."""
    alerts: tuple[str, ...] = ()
    """Levels of the alerts that fire for this session."""
    neighbours: tuple[int, ...] = ()
    """Tokens in the windows of other live sessions that read the same settings. May be left out
    where nothing that was changed for this session reaches them."""

    @property
    def share(self) -> float | None:
        """Of the usable window; None is unknown. May be above 1."""
        if self.used_tokens is None or not self.usable_tokens:
            return None
        return self.used_tokens / self.usable_tokens


class Prediction(NamedTuple):
    """What an action is expected to do."""

    tokens: int
    """Freed from every later request, once it has taken effect."""
    error_tokens: int
    usd: float | None
    """Saved over the requests that are expected; negative: it costs. None is unknown."""
    break_even_requests: float | None
    """After so many it has paid for itself; None: never, or unknown."""
    effect: Effect
    """When it reaches the window, by the table of levers."""
    known_by: str
    """The row of that table, such as `2.1.329 claude-sonnet-4-5 next request`."""


class Decision(NamedTuple):
    """What one tick came to."""

    at_ms: int
    session: str
    kind: str
    """`ACT`, `ADVISE`, `MARK`, `WAIT` or `RESTORE`."""
    level: str
    """Of `budget.health.LEVELS`, by the usable window."""
    code: str
    """Why, as a word that is stable: `healthy`, `grace`, `cooldown`, `stale`, `warm`, ..."""
    reason: str
    """Why, in one sentence."""
    lever: str = ""
    items: tuple[str, ...] = ()
    """Ids of what leaves; at most one lever's."""
    prediction: Prediction | None = None
    next: str = ""
    """What comes next, and when, in one clause; '' where nothing is foreseen."""
    request_key: str = ""
    """Of the request that it rests on."""


class Receipt(NamedTuple):
    """What an action was to do, and what it did: written when done, settled when seen."""

    id: int
    """0 before it is recorded."""
    session: str
    at_ms: int
    lever: str
    items: tuple[str, ...]
    level: str
    action: int | None
    """The journal's: `tokens undo` takes it back. None: nothing was changed (advice)."""
    predicted_tokens: int
    predicted_usd: float | None
    effect: Effect
    before_tokens: int
    """Of the window, at the request before it."""
    request_key: str = ""
    """Of that request."""
    measured_tokens: int | None = None
    """Freed, by the first request after it took effect; None: not seen yet, or never."""
    measured_usd: float | None = None
    settled_at_ms: int | None = None
    outcome: str = ""
    """'' while open; `measured`, `unmeasured` (it took effect; what it freed cannot be told),
    `ended` (the session did first), `undone`, `failed`, `expired`."""

    @property
    def error_share(self) -> float | None:
        """By how much of the prediction the measurement differs; None while it is open."""
        if self.measured_tokens is None or self.predicted_tokens <= 0:
            return None
        return abs(self.measured_tokens - self.predicted_tokens) / self.predicted_tokens


class Wishes(NamedTuple):
    """What the person wants of the controller; `config.control` reads it."""

    modes: Mapping[str, Mode] = {}
    """By lever; every lever of `LEVERS` is in it."""
    critical_modes: Mapping[str, Mode] = {}
    """By lever, from critical on, where it differs from `modes`: `tokenManagement.autoCleanup`."""
    warning_share: float = 0.50
    critical_share: float = 0.75
    emergency_share: float = 0.90
    interval_ms: int = 5_000
    cooldown_ms: int = 300_000
    """Between two actions of one lever."""
    lease_ms: int = 86_400_000
    """After so long what was lent is put back, used or not."""
    pins: tuple[str, ...] = ()
    """Ids, or beginnings of ids that end with `*`, that are never touched."""
    stop_share: float | None = None
    """Where the turn is stopped in an emergency; None: nowhere."""

    def mode_of(self, lever: str, level: str = "healthy") -> Mode:
        """How far a lever may go at a level of health; `off` where nobody speaks of it."""
        if level in ("critical", "emergency") and lever in self.critical_modes:
            return self.critical_modes[lever]
        return self.modes.get(lever, "off")
