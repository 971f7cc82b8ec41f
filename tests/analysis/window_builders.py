"""A window's story told by hand: rows as the ledger gives them, and a model that counts plainly."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import strategies as st

from tokenbudget.analysis.composition import TITLES, Component, Item
from tokenbudget.analysis.session_window import SessionWindow
from tokenbudget.analysis.window_replay import Replay
from tokenbudget.analysis.window_size import WindowSize
from tokenbudget.ledger.windows import PieceRow, RequestRow
from tokenbudget.metering.calibration import FEATURES, STEP, Fit
from tokenbudget.model import window
from tokenbudget.model.window import Measure

MODEL = "claude-opus-5-5"
OLDER_MODEL = "claude-sonnet-4-5"
"""Of the generation that counts fewer tokens."""
TEXT_ERROR = 0.1
NOON_MS = 1_795_176_000_000

KINDS = (
    window.SYSTEM_PROMPT, window.ENVIRONMENT, window.SYSTEM_TOOL, window.MCP_TOOL,
    window.DEFERRED_NAMES, window.MCP_INSTRUCTIONS, window.SKILL_LISTING, window.AGENT_LISTING,
    window.MEMORY_FILE, window.PROMPT, window.TEXT, window.THINKING, window.TOOL_USE,
    window.TOOL_RESULT, window.SKILL_BODY, window.SUMMARY, window.REMINDER, window.FILE,
    window.IMAGE, window.OTHER,
)  # fmt: skip
SENT_KINDS = tuple(kind for kind in KINDS if kind not in window.WRITTEN)


def plain_fit(model: str = MODEL, ratio: float = 1.0, **pieces: float) -> Fit:
    """One token for each of the public vocabulary, none for a piece by itself."""
    weights = dict.fromkeys((*FEATURES, STEP, *KINDS), 0.0) | {"bpe": ratio} | pieces
    return Fit(weights, 100, 5, 0.02, 0.05, TEXT_ERROR, 0.0)


def words(tokens: int) -> Measure:
    """A text of so many tokens and nothing else of note."""
    return Measure(tokens, 0, 0, 0, 0, 0, 0, 0)


def request_row(
    key: str, prompt_tokens: int | None, output_tokens: int = 10, **fields: object
) -> RequestRow:
    """A finished request; `prompt_tokens` is everything that it sent, cached tokens included."""
    row = RequestRow(
        key=key,
        file_id=1,
        model=MODEL,
        started_at_ms=NOON_MS,
        input_tokens=None,
        cache_write_5m_tokens=0,
        cache_write_1h_tokens=0,
        cache_read_tokens=0,
        output_tokens=output_tokens,
        thinking_tokens=None,
        has_stop_reason=True,
        speed=0,
        service_tier=0,
        session="s1",
    )._replace(**fields)  # type: ignore[arg-type]
    if prompt_tokens is None:
        return row
    cached = row.cache_write_5m_tokens + row.cache_write_1h_tokens + row.cache_read_tokens
    return row._replace(input_tokens=prompt_tokens - cached)


class Story:
    """What stands in a transcript, in order; every row on a line of its own."""

    def __init__(self, thread: str = "") -> None:
        self.thread = thread
        self.rows: list[PieceRow] = []
        self.requests: dict[str, RequestRow] = {}

    def __repr__(self) -> str:
        """What Hypothesis shows of a story that went wrong."""
        rows = [f"{r.kind} {r.measure.bpe_tokens} {r.name} {r.target} {r.link}" for r in self.rows]
        told = [f"{key}: {row!r}" for key, row in self.requests.items()]
        return "\n".join(["Story", *rows, *told])

    def put(
        self, kind: str, tokens: int = 0, name: str = "", target: str = "", link: str = ""
    ) -> int:
        """A piece of so many tokens, or an event; returns the offset of its line."""
        offset = 100 * len(self.rows)
        names = (kind, name, target, link)
        self.rows.append(PieceRow(offset, 0, self.thread, *names, 4 * tokens, words(tokens)))
        return offset

    def request(
        self, key: str, prompt_tokens: int | None, output_tokens: int = 10, **fields: object
    ) -> None:
        """What the ledger knows of a request; its answer is put apart."""
        self.requests[key] = request_row(key, prompt_tokens, output_tokens, **fields)

    def turn(
        self, key: str, prompt_tokens: int | None, output_tokens: int = 10, **fields: object
    ) -> int:
        """A request whose answer is one text of the reported size; returns its offset."""
        self.request(key, prompt_tokens, output_tokens, **fields)
        return self.put(window.TEXT, output_tokens, link=key)

    def call(self, key: str, tokens: int, name: str = "Bash", target: str = "") -> int:
        """A tool call in the answer of a request."""
        return self.put(window.TOOL_USE, tokens, name, target, key)

    def replay(self, fit: Fit | None = None, until_key: str = "", thread: str = "") -> Replay:
        """Follow it to the end."""
        counted = fit or plain_fit()
        replay = Replay(self.requests, lambda model: counted, thread, "session")
        return replay.run(self.rows, until_key)


def tokens_of(replay: Replay, kind: str) -> list[float]:
    """Tokens of each piece of a kind that is in the window, in order."""
    return [piece.tokens for piece in replay.held if piece.kind == kind]


# ── any story at all ─────────────────────────────────────────────────────────────────────────────

amounts = st.integers(0, 30) | st.integers(0, 400) | st.integers(0, 2_000_000)
names = st.sampled_from(["", "Read", "Edit", "Bash", "mcp__git__log"])
targets = st.sampled_from(["", "/a.py", "/b.py"])
KEYS = tuple("abcdefgh")


@st.composite
def reported(draw: st.DrawFn, key: str) -> RequestRow:
    """Whatever a request may report: nothing, nought, less than before, more than can be."""
    return RequestRow(
        key=key,
        file_id=1,
        model=draw(st.sampled_from([MODEL, MODEL, OLDER_MODEL])),
        started_at_ms=NOON_MS,
        input_tokens=draw(st.none() | amounts),
        cache_write_5m_tokens=draw(st.just(0) | amounts),
        cache_write_1h_tokens=draw(st.just(0) | amounts),
        cache_read_tokens=draw(st.just(0) | amounts),
        output_tokens=draw(amounts),
        thinking_tokens=draw(st.none() | st.integers(0, 400)),
        has_stop_reason=draw(st.booleans()),
        speed=0,
        service_tier=0,
        session="s1",
    )


@st.composite
def sent(draw: st.DrawFn) -> PieceRow:
    """A piece that a request sends."""
    link = draw(st.sampled_from(["", "call1", "call2"]))
    kind = draw(st.sampled_from(SENT_KINDS))
    return PieceRow(0, 0, "", kind, draw(names), draw(targets), link, 9, words(draw(amounts)))


@st.composite
def answered(draw: st.DrawFn, key: str) -> PieceRow:
    """A block of the answer to a request."""
    kind = draw(st.sampled_from([*sorted(window.WRITTEN), window.OTHER]))
    return PieceRow(0, 0, "", kind, draw(names), draw(targets), key, 9, words(draw(amounts)))


@st.composite
def happened(draw: st.DrawFn) -> PieceRow:
    """An event; it may name lines that there are, and lines that there are not."""
    kind = draw(st.sampled_from(sorted(window.EVENTS)))
    lines = st.integers(0, 40).map(lambda line: str(100 * line))
    link = ""
    if kind == window.COMPACTED:
        link = " ".join(draw(st.lists(lines, max_size=3)))
    elif kind == window.REWOUND:
        link = draw(lines)
    elif kind == window.CLEARED:
        link = draw(st.sampled_from(["call1", "call2", "call3"]))
    return PieceRow(0, 0, "", kind, "auto", "", link, 0, words(0))


@st.composite
def plausible_stories(draw: st.DrawFn) -> Story:
    """Turns in order: pieces and events, then an answer whose blocks follow each other.

    Half of the requests report about what `plain_fit` counts, the others anything.
    """
    story = Story()
    window_tokens = 0
    for key in KEYS[: draw(st.integers(1, len(KEYS)))]:
        new: Sequence[PieceRow] = draw(st.lists(sent() | sent() | happened(), max_size=4))
        story.rows += [*new, *draw(st.lists(answered(key), min_size=1, max_size=4))]
        request = draw(reported(key))
        if draw(st.booleans()):
            grown = sum(row.measure.bpe_tokens for row in new) + draw(st.integers(-40, 40))
            request = request_row(key, max(1, window_tokens + grown), request.output_tokens)
        story.requests[key] = request
        window_tokens = (request.prompt_tokens or window_tokens) + request.output_tokens
    return _placed(story)


@st.composite
def any_stories(draw: st.DrawFn) -> Story:
    """Rows in any order whatever, answers torn apart and keys that come back among them."""
    story = Story()
    keys = KEYS[:4]
    story.requests = {key: draw(reported(key)) for key in keys[:3]}
    row = sent() | happened() | st.sampled_from(keys).flatmap(answered)
    story.rows = draw(st.lists(row, max_size=25))
    return _placed(story)


def _placed(story: Story) -> Story:
    story.rows = [row._replace(byte_offset=100 * place) for place, row in enumerate(story.rows)]
    return story


# ── what is shown of a window ────────────────────────────────────────────────────────────────────


def item(name: str, tokens: int, *children: Item, **fields: int) -> Item:
    """Something in a component."""
    plain = Item(name, tokens, 1, 4 * tokens, 0, 0, children)
    return plain._replace(**fields)  # type: ignore[arg-type]


def component(key: str, tokens: int, *items: Item, error_tokens: int = 0) -> Component:
    """A part of a window, exact unless an error is named."""
    provenance = "calibrated" if error_tokens else "exact"
    return Component(key, TITLES[key], tokens, error_tokens, provenance, items)


def session_window_of(
    *components: Component, size_tokens: int | None = 200_000, **fields: object
) -> SessionWindow:
    """A window that holds these components and nothing else."""
    size = WindowSize(None, "unknown", None, "unknown")
    if size_tokens is not None:
        size = WindowSize(size_tokens, "published", 33_000, "assumed")
    plain = SessionWindow(
        agent="",
        model=MODEL,
        size=size,
        calibration_steps=100,
        calibration_median_error=0.02,
        calibration_p90_error=TEXT_ERROR,
        prompt_tokens=sum(part.tokens for part in components),
        answer_tokens=0,
        waiting_tokens=0,
        at_ms=NOON_MS,
        changed_since="",
        called_servers=(),
        requests=3,
        unexplained_requests=0,
        record=None,
        components=components,
        samples=(),
        crossings=(),
        cost=None,
        notes=(),
        agents=(),
    )
    return plain._replace(**fields)  # type: ignore[arg-type]
