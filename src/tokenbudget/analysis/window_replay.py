"""Follow one window through a session: what every request held, to the token that it reported.

Each request reports how much it sent. What stands in the transcript between two requests is counted
(calibrated), and the reported growth corrects the count where it lies within the calibration's own
error: a step with one new piece is then exact. What the transcript does not show is the remainder:
everything before the first prompt that this client version does not record, and whatever was added
unseen since. Pieces and remainder always add up to what the request reported.
"""

from __future__ import annotations

from typing import NamedTuple

from tokenbudget.analysis.window_cache import read_groups
from tokenbudget.analysis.window_contents import RETOLD, WindowContents
from tokenbudget.analysis.window_pieces import ANSWERS, Held, label_of, share_out
from tokenbudget.metering.calibration import Step
from tokenbudget.model import window
from tokenbudget.model.window import Measure

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from typing import Protocol

    from tokenbudget.ledger.windows import PieceRow, RequestRow
    from tokenbudget.metering.calibration import Fit

    class Keys(Protocol):
        """The requests that have begun, by key."""

        def __contains__(self, key: str, /) -> bool: ...

        def add(self, key: str, /) -> None:
            """One more."""


MODEL_COMMAND = "/model"
"""By it a person says what the session's own model is from then on."""


class Moment(NamedTuple):
    """One request: what its window held, and what it cost to send."""

    request: RequestRow
    groups: Mapping[str, float]
    """Tokens by component; they add up to what the request reported, where it did."""
    added: Mapping[str, float]
    """Of them, what is new since the request before."""
    added_labels: Mapping[str, float]
    """The same by kind and name of the pieces."""
    cause: str
    """compaction, rewound, cleared, retold or model switch; '' for a plain turn."""
    unexplained_tokens: float
    """By how much the reported growth differs from everything that is visible."""
    band_tokens: float
    """By how much it may, by the calibration's own error."""
    read_groups: Mapping[str, float]
    """Of `groups`, what was read from the cache."""
    raw_remainder_tokens: float
    """Reported tokens less every visible piece as first counted, nothing corrected."""
    aside: int = 0
    """Its number among the requests of a slash command that named another model; 0: it is none."""


class Replay(WindowContents):
    """Takes the pieces of one thread in order; `moments` and `steps` tell what came of it."""

    def __init__(
        self,
        requests: Mapping[str, RequestRow],
        fit_of: Callable[[str], Fit],
        thread: str = "",
        session: str = "",
    ) -> None:
        super().__init__()
        self._requests = requests
        self._fit_of = fit_of
        self._thread = thread
        self._session = session
        self.moments: list[Moment] = []
        self.steps: list[tuple[RequestRow, Step]] = []
        """What calibration can learn from, with the request that tells it."""
        self.compactions: list[tuple[str, int]] = []
        """(trigger, tokens in the window before it) of every compaction."""
        self.called_tools: set[str] = set()
        """The tools that the model called, whether or not that is still in the window."""
        self._answer: list[Held] = []
        self._command = ""
        self._own_model = ""
        self._aside = 0
        self._begun: Keys = set()

    def run(self, rows: Iterable[PieceRow], until_key: str = "") -> Replay:
        """Take all pieces in; up to and with the request `until_key`, if one is named."""
        for row in rows:
            if row.thread != self._thread:
                continue
            if until_key and self._is_past(row, until_key):
                break
            self._take(row)
        self._finish()
        return self

    def _finish(self) -> None:
        """Nothing comes after: the last answer stands in the window, and the rest waits."""
        self._settle_answer()
        self.held += self._answered
        for piece in self._answered:
            self._totals[piece.group] += piece.tokens
        if self._request is not None:
            self._estimate(self.waiting, self._fit_of(self._request.model))

    @property
    def changed_since(self) -> str:
        """What was taken out of the window since the last request; '' for nothing."""
        return "" if self._cause == RETOLD else self._cause

    def _is_past(self, row: PieceRow, until_key: str) -> bool:
        """Whether the next request or event begins: an answer may go on behind its results."""
        if self._request is None or self._request.key != until_key:
            return False
        request = self._answered_by(row)
        return row.kind in window.EVENTS or (request is not None and request.key != until_key)

    def _answered_by(self, row: PieceRow) -> RequestRow | None:
        """The request whose answer this is part of; what is sent may bear any link."""
        return self._requests.get(row.link) if row.kind in ANSWERS and row.link else None

    def _take(self, row: PieceRow) -> None:
        if row.kind in window.EVENTS:
            self._event(row)
            return
        request = self._answered_by(row)
        if request is None:
            if row.kind == window.PROMPT:
                self._turn_begins(row.link)
            self.waiting.append(self._made(row))
            return
        if row.kind == window.TOOL_USE:
            self.called_tools.add(row.name)
        if self._request is None or request.key != self._request.key:
            if request.key in self._begun:
                return  # a copy of an earlier answer: it was sent then
            self._begin(request)
        self._answer.append(self._made(row))

    # ── a request ──────────────────────────────────────────────────────────────────────────────

    def _turn_begins(self, command: str) -> None:
        """A person said something, or typed this slash command."""
        self._command, self._aside = command, 0
        if command == MODEL_COMMAND:
            self._own_model = ""

    def _note_model(self, model: str) -> None:
        """Whether this model is the session's own, or one that a command named for one turn."""
        if self._command and self._own_model not in ("", model):
            self._aside += 1
        else:
            self._own_model, self._aside = model, 0

    def _begin(self, request: RequestRow) -> None:
        self._settle_answer()
        self._note_model(request.model)
        self._begun.add(request.key)
        fit = self._fit_of(request.model)
        older = self.groups()
        new, self.waiting = self.waiting, []
        self._estimate(new, fit)
        unexplained = band = 0.0
        prompt_tokens = request.prompt_tokens
        if prompt_tokens:
            self._note_step(request, new, prompt_tokens)
            unexplained, band = self._reconcile(request, prompt_tokens, new, fit)
        fresh = self._answered + new
        self._answered = []
        self._hold(fresh)
        self._sent(request, fresh, older, unexplained, band)
        self._request = request
        if prompt_tokens:
            self._last_known = request
        self._cause = ""

    def _settle_answer(self) -> None:
        """Share out what the last answer reported among its blocks."""
        answer, self._answer = self._answer, []
        request = self._request
        if not answer or request is None:
            return
        answer = [piece for piece in self._answered if piece.link == request.key] + answer
        self._estimate(answer, self._fit_of(request.model))
        self._answered = [piece for piece in self._answered if piece.link != request.key]
        if request.has_stop_reason and request.input_tokens is not None:
            share_out(answer, request)
        self._answered += answer
        self._wrote(request, answer)

    # ── for whoever follows more than the groups ───────────────────────────────────────────────

    def _made(self, row: PieceRow) -> Held:
        """The piece that a row tells of."""
        return Held(row)

    def _sent(
        self,
        request: RequestRow,
        fresh: list[Held],
        older: Mapping[str, float],
        unexplained: float,
        band: float,
    ) -> None:
        """A request was sent: `held` is its window, and `fresh` what is new in it."""
        now = self.groups()
        read = read_groups(request, older, now, self.held) if request.prompt_tokens else {}
        self._note_moment(request, fresh, unexplained, band, read)

    def _wrote(self, request: RequestRow, answer: list[Held]) -> None:
        """An answer is known as far as it is told; told again, with more, where it goes on."""

    # ── what changes the window ────────────────────────────────────────────────────────────────

    def _event(self, row: PieceRow) -> None:
        self._settle_answer()
        if row.kind == window.COMPACTED:
            kept = set(row.link.split())
            self._drop(lambda p: p.kind not in window.PREFIX and str(p.offset) not in kept)
            self._cause = "compaction"
            if row.target.isdecimal():
                self.compactions.append((row.name, int(row.target)))
            elif self._last_known is not None:
                before = (self._last_known.prompt_tokens or 0) + self._last_known.output_tokens
                self.compactions.append((row.name, before))
        elif row.kind == window.REWOUND:
            place = int(row.link)
            self._drop(lambda p: p.kind not in window.PREFIX and p.offset > place)
            self._cause = "rewound"
        elif row.kind == window.CLEARED:
            gone = (window.TOOL_RESULT, window.IMAGE)
            self._drop(lambda p: p.kind in gone and p.link == row.link)
            self._cause = "cleared"
        elif row.kind == window.RESHAPED:
            self._drop(lambda p: p.kind in window.PREFIX)
            if self._request is not None:
                self._cause = self._cause or RETOLD

    # ── telling ────────────────────────────────────────────────────────────────────────────────

    def _note_moment(
        self,
        request: RequestRow,
        fresh: list[Held],
        unexplained: float,
        band: float,
        read: Mapping[str, float],
    ) -> None:
        added: dict[str, float] = {}
        labels: dict[str, float] = {}
        for piece in fresh:
            added[piece.group] = added.get(piece.group, 0.0) + piece.tokens
            label = f"{piece.kind} {piece.name}".rstrip()
            labels[label] = labels.get(label, 0.0) + piece.tokens
        remainder = (request.prompt_tokens or 0) - self._raw_tokens
        moment = Moment(
            request=request,
            groups=self.groups(),
            added=added,
            added_labels=labels,
            cause=self._cause,
            unexplained_tokens=unexplained,
            band_tokens=band,
            read_groups=read,
            raw_remainder_tokens=remainder,
            aside=self._aside,
        )
        self._keep(moment)

    def _keep(self, moment: Moment) -> None:
        """A request has been told of whole."""
        self.moments.append(moment)

    def _note_step(self, request: RequestRow, new: list[Held], prompt_tokens: int) -> None:
        """Keep the growth for calibration, where everything that is new can be seen."""
        last = self._request
        if last is None or last is not self._last_known or last.model != request.model:
            return
        if self._cause or not last.has_stop_reason or not last.prompt_tokens:
            return
        if any(piece.kind in (window.IMAGE, window.OTHER) for piece in new):
            return
        pieces: dict[str, int] = {}
        for piece in new:
            label = label_of(piece.kind, piece.name)
            pieces[label] = pieces.get(label, 0) + 1
        sums = map(sum, zip(*(piece.measure for piece in new), strict=True)) if new else [0] * 8
        measure = Measure._make(sums)
        growth = prompt_tokens - last.prompt_tokens
        step = Step(self._session, growth, last.output_tokens, measure, pieces)
        self.steps.append((request, step))
