"""What every request should have read from the cache and written to it, by a model of the cache.

The model knows when requests began, how long what they write lives, and what their windows held:
not what they reported to have read or written. It is the check of everything that a backtest says
about money (`tools/backtest_check.py` prints it beside what was reported).

The cache of a model holds the window of each thread's last request with that model. A request reads
the beginning that its window has in common with it, as long as it lives, and writes the rest. Where
the client changed words that a transcript does not show (a clock in the system prompt, a tool that
connected), the API says so in its answer, and what stands behind system prompt and tools is
written anew.

System prompt and tools are the same for all sessions of a person: a thread that begins, or goes on
after a pause, is taken to find them kept alive by the others.
"""

from __future__ import annotations

from typing import NamedTuple

from tokenbudget.analysis.backtest_layout import Layout
from tokenbudget.model import window

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Container, Iterator, Sequence

    from tokenbudget.analysis.backtest_timeline import Sending, Timeline

STATIC_SHARE = 0.75
"""Of what is sent before the conversation and not recorded, what is the same in every session: the
rest tells directory, date, memory and skills."""
INPUT_TOKENS = 16
"""Plain input of a request behind its last breakpoint: a handful, whatever it sends."""
UNCHANGED = float("inf")


class Foretold(NamedTuple):
    """One request: its prompt as the model of the cache divides it."""

    timeline: Timeline
    sending: Sending
    read_tokens: float
    write_tokens: float
    why: str
    """warm, changed (something left), rewritten (by the client), cold or first."""


class _Entry:
    """What the cache holds of one thread for one model."""

    __slots__ = ("at_ms", "tokens", "ttl_ms")

    def __init__(self, tokens: float, at_ms: int, ttl_ms: int) -> None:
        self.tokens = tokens
        self.at_ms = at_ms
        self.ttl_ms = ttl_ms


class _Step(NamedTuple):
    sending: Sending
    same_tokens: float
    """How far this window is the same as that of the request before."""
    static_tokens: float
    """Of system prompt and tools."""


def foretold(threads: Sequence[Timeline], rewritten: Container[str] = ()) -> list[Foretold]:
    """Every owned request of these threads, in their order.

    `rewritten` are the keys of responses before which the client changed words that no transcript
    shows.
    """
    return [one for thread in threads for one in _of_thread(thread, rewritten)]


def _of_thread(thread: Timeline, rewritten: Container[str]) -> Iterator[Foretold]:
    held: dict[str, _Entry] = {}
    for step in _steps(thread):
        request = step.sending.request
        is_rewritten = request.key in rewritten
        same = min(step.same_tokens, step.static_tokens) if is_rewritten else step.same_tokens
        for entry in held.values():
            entry.tokens = min(entry.tokens, same)
        prompt, at_ms = float(request.prompt_tokens or 0), request.started_at_ms
        read, why = _read(held.get(request.model), step, at_ms)
        if why == "warm" and same != UNCHANGED:
            why = "rewritten" if is_rewritten else "changed"
        read = min(read, max(0.0, prompt - INPUT_TOKENS))
        if step.sending.is_owned:
            write = max(0.0, prompt - read - INPUT_TOKENS)
            yield Foretold(thread, step.sending, read, write, why)
        held[request.model] = _Entry(prompt, at_ms, step.sending.ttl_ms)


def _read(entry: _Entry | None, step: _Step, at_ms: int) -> tuple[float, str]:
    if entry is None:
        return step.static_tokens, "first"
    if at_ms - entry.at_ms > entry.ttl_ms:
        return min(entry.tokens, step.static_tokens), "cold"
    return entry.tokens, "warm"


def _steps(thread: Timeline) -> Iterator[_Step]:
    layout = Layout(thread)
    leaving: dict[int, list[int]] = {}
    for piece in thread.pieces:
        leaving.setdefault(piece.left, []).append(piece.number)
    front = [piece for piece in thread.pieces if piece.kind in window.PREFIX]
    hidden = thread.sendings[0].hidden_tokens
    for sending in thread.sendings:
        gone = [one for one in leaving.get(sending.number, ()) if layout.has(one)]
        same = min((layout.start(one) for one in gone), default=UNCHANGED)
        layout.to(sending)
        if sending.request.prompt_tokens:
            static = STATIC_SHARE * min(hidden, sending.hidden_tokens) + sum(
                piece.tokens for piece in front if piece.entered <= sending.number < piece.left
            )
            yield _Step(sending, same, static)
