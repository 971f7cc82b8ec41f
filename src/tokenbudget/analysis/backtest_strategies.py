"""Every strategy that a backtest knows, by name; each says what it rests on."""

from __future__ import annotations

from tokenbudget.analysis.backtest_compacting import Compacting
from tokenbudget.analysis.backtest_pruning import (
    AT_ONCE,
    COLD,
    MARKER_TOKENS,
    PAYS,
    Pruning,
    handle_text,
)
from tokenbudget.analysis.backtest_result import AS_IT_WAS
from tokenbudget.analysis.backtest_trimming import Trimming, Truncating
from tokenbudget.analysis.backtest_walk import worth
from tokenbudget.model import window
from tokenbudget.model.replay import APPLIED, MODELLED, NAIVE, ORACLE, PREFIX_PIECE, Change

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Container, Sequence

    from tokenbudget.compression.policy import Wishes
    from tokenbudget.model.protocols import Strategy, TokenCounter, Walker
    from tokenbudget.model.replay import Moment, Stood

TERSE_SHARE = 0.70
"""Of the model's prose and thinking, what is left; its calls stay. Independent trials of terse
instructions found 8.5 % of the cost (`docs/savings.md`); this share gives less than that."""
BASE_SHARE = 0.60
"""Of what stands before the conversation, what is left: the issue's estimate."""


class AsItWas:
    """Nothing is changed."""

    name = AS_IT_WAS
    basis = NAIVE
    said = "the session as it was billed"

    def walker(self) -> Walker:
        """One that changes nothing."""
        return _Nothing()


class _Nothing:
    def before(self, moment: Moment) -> Sequence[Change]:
        """Nothing."""
        return ()


class SmallerBase:
    """Less stands before the conversation, from the first request on."""

    name = "base"
    basis = MODELLED
    said = (
        f"what stands before the conversation takes {1 - BASE_SHARE:.0%} less:"
        " deferred tools, fewer skills and servers, shorter memory files"
    )

    def walker(self) -> Walker:
        """One for the beginning of a thread."""
        return _BaseWalker()


BASE_KINDS = frozenset(
    (
        *(window.SYSTEM_PROMPT, window.SYSTEM_TOOL, window.MCP_TOOL, window.MCP_INSTRUCTIONS),
        *(window.SKILL_LISTING, window.AGENT_LISTING, window.MEMORY_FILE, window.DEFERRED_NAMES),
    )
)


class _BaseWalker:
    def before(self, moment: Moment) -> Sequence[Change]:
        """With the first request that sends it."""
        name = SmallerBase.name
        changes = [
            Change(piece.number, None, name, share=BASE_SHARE)
            for piece in moment.fresh
            if piece.kind in BASE_KINDS
        ]
        if moment.number == 0:
            changes.append(Change(PREFIX_PIECE, None, name, share=BASE_SHARE))
        return changes


class Terse:
    """The model thinks and says less beside its calls."""

    name = "terse"
    basis = MODELLED
    said = f"the agent's prose and thinking take {1 - TERSE_SHARE:.0%} less; its calls the same"

    def walker(self) -> Walker:
        """One for the beginning of a thread."""
        return _TerseWalker()


class _TerseWalker:
    def before(self, moment: Moment) -> Sequence[Change]:
        """What the model said since is shorter, as if it had said it so."""
        return [
            Change(piece.number, None, Terse.name, TERSE_SHARE, is_said_so=True)
            for piece in moment.fresh
            if piece.kind in (window.TEXT, window.THINKING)
        ]


class Combined:
    """Several strategies, each of which sees what those before it have made of a piece."""

    def __init__(
        self, name: str, said: str, parts: Sequence[Strategy], counter: TokenCounter
    ) -> None:
        self.name, self.said = name, said
        self.basis = MODELLED if any(one.basis != APPLIED for one in parts) else APPLIED
        self._parts = tuple(parts)
        self._counter = counter

    def walker(self) -> Walker:
        """One for the beginning of a thread."""
        return _CombinedWalker([one.walker() for one in self._parts], self._counter)


class _CombinedWalker:
    def __init__(self, walkers: Sequence[Walker], counter: TokenCounter) -> None:
        self._walkers = walkers
        self._counter = counter
        self._changed_last: list[int] = []

    def before(self, moment: Moment) -> Sequence[Change]:
        """What has been changed since it came in is gone, for whoever would refer to it."""
        told = moment._replace(gone=(*moment.gone, *self._changed_last))
        fresh = {piece.number: piece for piece in moment.fresh}
        found: list[Change] = []
        for walker in self._walkers:
            changes = walker.before(told)
            found += changes
            for change in changes:
                if change.piece in fresh:
                    fresh[change.piece] = self._after(fresh[change.piece], change)
            told = told._replace(fresh=tuple(fresh.values()))
        self._changed_last = [change.piece for change in found if change.piece not in fresh]
        return found

    def _after(self, piece: Stood, change: Change) -> Stood:
        if change.text is None:
            return piece._replace(tokens=piece.tokens * change.share)
        tokens = worth(change.text, piece.text, piece.tokens, self._counter)
        original = piece.original or piece.text
        return piece._replace(text=change.text, tokens=tokens, original=original)


class Oracle:
    """Nothing of a result comes in that will not be taken from it word for word: a bound."""

    name = "oracle"
    basis = ORACLE
    said = "results come in only where a later answer takes something from them word for word"

    def __init__(self, needed: Container[int]) -> None:
        self._needed = needed
        """The numbers of the pieces that something is taken from."""

    def walker(self) -> Walker:
        """One for the beginning of a thread."""
        return _OracleWalker(self._needed)


class _OracleWalker:
    def __init__(self, needed: Container[int]) -> None:
        self._needed = needed

    def before(self, moment: Moment) -> Sequence[Change]:
        """Keep out what nothing will be taken from."""
        return [
            Change(piece.number, handle_text(piece), Oracle.name)
            for piece in moment.fresh
            if piece.kind == window.TOOL_RESULT
            and piece.number not in self._needed
            and piece.tokens > MARKER_TOKENS
        ]


def strategies(
    counter: TokenCounter, wishes: Wishes, needed: Container[int] = ()
) -> tuple[Strategy, ...]:
    """All of them, in the order in which they are shown; `needed` is what the oracle knows."""
    trim = Trimming(counter, wishes)
    base, terse = SmallerBase(), Terse()
    reads_whole = wishes._replace(deny=(*wishes.deny, "Read"))
    return (
        AsItWas(),
        trim,
        base,
        terse,
        Pruning(COLD),
        Pruning(PAYS),
        Compacting(),
        Combined(
            "combined",
            "base, terse, trim (files that are read stay whole) and prune together",
            (base, terse, Trimming(counter, reads_whole), Pruning(PAYS)),
            counter,
        ),
        Truncating(counter, wishes),
        Pruning(AT_ONCE),
        Oracle(needed),
    )
