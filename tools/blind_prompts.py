"""Recorded threads as they would look to somebody who never saw how large a prompt was.

For `backtest_check --blind`: every size is foretold from words alone. What the model wrote takes
the output that was billed for it; every other piece takes its count by a public vocabulary, at the
rate at which prompts of OTHER sessions with that model grew; and what no transcript shows (system
prompt and tools) takes what it took in other sessions, of the same project if there are any. The
sizes of a session's own prompts, read, written or whole, are used for the other sessions alone.
"""

from __future__ import annotations

from collections import defaultdict
from itertools import pairwise
from statistics import median
from typing import TYPE_CHECKING, NamedTuple

from tokenbudget.analysis.backtest_cache import INPUT_TOKENS
from tokenbudget.model import window

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from tokenbudget.analysis.backtest_timeline import Timeline
    from tokenbudget.analysis.thread_view import Seen
    from tokenbudget.model.protocols import TokenCounter

USUAL_RATE, USUAL_FRAME = 1.2, 10.0
"""Tokens for each counted one, and beside each piece, where no other session tells."""
LEAST_RATE, MOST_RATE = 0.5, 4.0
"""Growth beyond it has another reason than the words that are seen."""
LEAST_COUNT = 50


class Growth(NamedTuple):
    """Sums over steps from one request to the next, for a line through them: by least squares."""

    count_count: float = 0.0
    count_pieces: float = 0.0
    pieces_pieces: float = 0.0
    count_grown: float = 0.0
    pieces_grown: float = 0.0

    def plus(self, other: Growth, sign: int = 1) -> Growth:
        """Both together, or one without the other."""
        return Growth._make(a + sign * b for a, b in zip(self, other, strict=True))

    def line(self) -> tuple[float, float]:
        """(tokens for each counted one, tokens beside each piece)."""
        area = self.count_count * self.pieces_pieces - self.count_pieces**2
        if area <= 1e-6 * self.count_count * self.pieces_pieces or not area:
            return USUAL_RATE, USUAL_FRAME
        rate = self.count_grown * self.pieces_pieces - self.pieces_grown * self.count_pieces
        frame = self.pieces_grown * self.count_count - self.count_grown * self.count_pieces
        return rate / area, frame / area


def blinded(threads: Sequence[Timeline], counter: TokenCounter) -> list[Timeline]:
    """The same threads with foretold sizes, in their order."""
    counts = [[counter.count(piece.text) for piece in line.pieces] for line in threads]
    sizes = _Sizes(threads, counts)
    fronts = _Fronts(threads, sizes.by_own())
    sized = sizes.by_others()
    return [fronts.put_before(line) for line in sized]


# ── pieces ───────────────────────────────────────────────────────────────────────────────────────


class _Sizes:
    """Sizes of pieces, by what other sessions tell of their words."""

    def __init__(self, threads: Sequence[Timeline], counts: Sequence[Sequence[int]]) -> None:
        self._threads = threads
        self._counts = counts
        self._growths: dict[tuple[str, str], Growth] = defaultdict(Growth)
        for line, count in zip(threads, counts, strict=True):
            for model, growth in _growths(line, count):
                for key in ((line.session, model), ("", model), (line.session, ""), ("", "")):
                    self._growths[key] = self._growths[key].plus(growth)

    def by_others(self) -> list[Timeline]:
        """Every thread with pieces of foretold sizes."""
        return self._all(self._of_others)

    def by_own(self) -> list[Timeline]:
        """Every thread by what it tells itself: for the others to learn from, and from it alone."""
        return self._all(self._of_itself)

    def _all(self, line_of: Callable[[str, str], tuple[float, float]]) -> list[Timeline]:
        return [
            line._replace(pieces=_sized(line, count, line_of))
            for line, count in zip(self._threads, self._counts, strict=True)
        ]

    def _of_itself(self, session: str, model: str) -> tuple[float, float]:
        return self._growths.get((session, model), Growth()).line()

    def _of_others(self, session: str, model: str) -> tuple[float, float]:
        """Of other sessions with this model, else of other sessions."""
        for one in (model, ""):
            own = self._growths.get((session, one), Growth())
            others = self._growths.get(("", one), Growth()).plus(own, -1)
            if others.count_count >= LEAST_COUNT**2:
                return others.line()
        return USUAL_RATE, USUAL_FRAME


def _sized(
    line: Timeline, counts: Sequence[int], line_of: Callable[[str, str], tuple[float, float]]
) -> list[Seen]:
    last = len(line.sendings) - 1
    answers: dict[str, list[Seen]] = defaultdict(list)
    sizes: dict[int, float] = {}
    for piece in line.pieces:
        model = line.sendings[min(piece.entered, last)].request.model
        rate, frame = line_of(line.session, model)
        sizes[piece.number] = rate * counts[piece.number] + frame
        if piece.kind in window.WRITTEN:
            answers[piece.link].append(piece)
        elif not piece.text:
            sizes[piece.number] = float(piece.tokens)  # a picture: by its measures
    outputs = {one.request.key: one.request.output_tokens for one in line.sendings}
    for key, pieces in answers.items():
        sizes |= _shared_out(pieces, sizes, float(outputs.get(key, 0)))
    return [piece._replace(tokens=round(sizes[piece.number])) for piece in line.pieces]


def _shared_out(
    pieces: Sequence[Seen], sizes: Mapping[int, float], output: float
) -> dict[int, float]:
    """An answer's billed output: to what is seen of it by its words, to thinking the rest."""
    thought = [piece.number for piece in pieces if piece.kind == window.THINKING]
    said = {piece.number: sizes[piece.number] for piece in pieces if piece.number not in thought}
    whole = sum(said.values())
    if whole > output or (whole and not thought):
        said = {number: size * output / whole for number, size in said.items()}
        whole = output
    return said | {number: (output - whole) / len(thought) for number in thought}


def _growths(line: Timeline, counts: Sequence[int]) -> Iterator[tuple[str, Growth]]:
    """What each plain step tells: (the model, its sums)."""
    fresh: dict[int, list[Seen]] = defaultdict(list)
    for piece in line.pieces:
        if piece.kind not in window.WRITTEN:
            fresh[piece.entered].append(piece)
    left = {piece.left for piece in line.pieces}
    for before, after in pairwise(line.sendings):
        was, now = before.request, after.request
        is_plain = after.is_owned and not after.cause and was.model == now.model
        pieces = fresh.get(after.number, [])
        if not is_plain or after.number in left or not was.prompt_tokens or not now.prompt_tokens:
            continue
        count = float(sum(counts[piece.number] for piece in pieces))
        grown = float(now.prompt_tokens - was.prompt_tokens - was.output_tokens)
        if count >= LEAST_COUNT and LEAST_RATE * count <= grown <= MOST_RATE * count:
            many = float(len(pieces))
            sums = (count * count, count * many, many * many, count * grown, many * grown)
            yield now.model, Growth._make(sums)


# ── what stands before them ──────────────────────────────────────────────────────────────────────


class _Fronts:
    """What no piece explains of the first prompts of threads, by whom it may be told to."""

    def __init__(self, threads: Iterable[Timeline], sized: Iterable[Timeline]) -> None:
        self._known: dict[tuple[str, ...], list[tuple[str, str, float]]] = defaultdict(list)
        for line, by_own in zip(threads, sized, strict=True):
            first = line.sendings[0].request
            if first.prompt_tokens:
                hidden = max(0.0, first.prompt_tokens - _window_tokens(by_own, 0))
                for key in _keys(line, first.model):
                    self._known[key].append((line.session, first.key, hidden))

    def put_before(self, line: Timeline) -> Timeline:
        """The thread with foretold prompts."""
        sendings = []
        for one in line.sendings:
            hidden = self._hidden(line, one.request.model)
            prompt = round(hidden + _window_tokens(line, one.number))
            request = one.request._replace(
                input_tokens=INPUT_TOKENS,
                cache_write_5m_tokens=0,
                cache_write_1h_tokens=0,
                cache_read_tokens=max(0, prompt - INPUT_TOKENS),
            )
            if one.request.prompt_tokens:
                sendings.append(one._replace(request=request, hidden_tokens=hidden))
            else:
                sendings.append(one)
        return line._replace(sendings=sendings)

    def _hidden(self, line: Timeline, model: str) -> float:
        """By the nearest of the sessions that are not its own, nor begin with a copy of it."""
        own = line.sendings[0].request.key
        for key in _keys(line, model):
            others = [
                hidden
                for session, first, hidden in self._known[key]
                if session != line.session and first != own
            ]
            if others:
                return median(others)
        return 0.0


def _keys(line: Timeline, model: str) -> tuple[tuple[str, ...], ...]:
    """The nearest first: project and model, project, model, any."""
    role = "subagent" if line.is_subagent else "main"
    folder = line.path.rpartition("/")[0]
    if line.is_subagent and "/subagents" in folder:
        folder = folder.partition("/subagents")[0].rpartition("/")[0]
    return (role, model, folder), (role, "", folder), (role, model), (role,)


def _window_tokens(line: Timeline, number: int) -> float:
    return sum(piece.tokens for piece in line.pieces if piece.entered <= number < piece.left)
