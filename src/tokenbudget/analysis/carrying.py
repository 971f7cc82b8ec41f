"""Who was charged for what: every owned request's tokens and money, down to the pieces it carried.

The cache holds a beginning of the window, so a request is cut into ranges: what it read, what it
wrote for an hour, for five minutes, and plain input, in this order. While nothing is dropped or
counted in another way, pieces are only ever appended: a range is then remembered by its two ends,
and settled to the pieces when the window changes. That takes time for requests plus pieces, not
for their product.

The remainder that no piece explains is `PREFIX` as far as it stood before the first prompt already
(system prompt and tools of a client that does not record them), and `UNATTRIBUTED` beyond.
"""

from __future__ import annotations

from tokenbudget.analysis.carrying_accounts import (
    ADDED,
    COST,
    INPUT,
    NOBODY,
    OUTPUT,
    PIECES,
    PREFIX_CONSUMER,
    READ,
    WRITE_1H,
    WRITE_5M,
    Account,
    Carried,
    Consumer,
    Sent,
)
from tokenbudget.analysis.carrying_ranges import Covered, Row
from tokenbudget.analysis.carrying_shares import Shares
from tokenbudget.analysis.window_replay import Replay
from tokenbudget.model import window

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from tokenbudget.analysis.carrying_accounts import Owner
    from tokenbudget.analysis.study_bill import Biller, Group, Tag
    from tokenbudget.analysis.window_pieces import Held
    from tokenbudget.ledger.windows import PieceRow, RequestRow
    from tokenbudget.metering.calibration import Fit

_SEARCHES = frozenset(("websearch", "servertooluse"))


class Carrying(Replay):
    """Follows a thread's window like `Replay`, and charges what its owned requests were billed.

    `shares` are tokens and USD, not rounded, by group and consumer; `sent` and `accounts` tell of
    every request and every piece. It keeps no `moments`.
    """

    def __init__(
        self,
        requests: Mapping[str, RequestRow],
        fit_of: Callable[[str], Fit],
        biller: Biller,
        owner: Owner,
        thread: str = "",
        session: str = "",
    ) -> None:
        super().__init__(requests, fit_of, thread, session)
        self._biller = biller
        self._owner = owner
        self.sent: list[Sent] = []
        self.accounts: list[Account] = []
        self._charged = Shares(biller)
        self.shares = self._charged.by_group
        self.written: dict[str, list[tuple[Account, float]]] = {}
        """The blocks of each answer, by the request's key, and what each is of it."""
        self.compacted_before: list[int] = []
        """The number of the first request after each of `compactions`."""
        self._rows = (Row(), Row())
        self._is_changed = False
        self._pending: dict[Tag, dict[int, tuple[Covered, Covered]]] = {}
        self._dropped: dict[object, list[Account]] = {}
        self._prefix_tokens: float | None = None
        self._late_tokens = 0.0
        self._consumers: dict[Consumer, Consumer] = {}
        self._unadded: list[Account] = []

    def finish(self) -> Carrying:
        """Settle what is open; call it once, after `run`."""
        self._settle()
        for sent in self.sent:
            if sent.is_owned:
                self._charge_answer(sent.request)
        self.accounts += [
            account for parts in self.written.values() for account, _ in parts if account.number < 0
        ]
        for number, account in enumerate(self.accounts):
            account.number = number
        return self

    def charge(self, tag: Tag, consumer: Consumer, billed: Sequence[tuple[int, float]]) -> None:
        """Charge (class, tokens) to one consumer."""
        self._charged.charge(tag, consumer, billed)

    def charge_search(self, request: RequestRow, usd: float) -> None:
        """Charge web searches to the tool that asked for them, where the answer shows it."""
        parts = self.written.get(request.key, ())
        seen = (account.consumer for account, _ in parts)
        asked = (who for who in seen if who.name.lower().replace("_", "") in _SEARCHES)
        share = self._charged.share(self._biller.tag(request).group, next(asked, NOBODY))
        share[COST] += usd

    # ── what the replay tells ──────────────────────────────────────────────────────────────────

    def _made(self, row: PieceRow) -> Held:
        return Carried(row)

    def _sent(
        self,
        request: RequestRow,
        fresh: list[Held],
        older: Mapping[str, float],
        unexplained: float,
        band: float,
    ) -> None:
        is_owned = self._owner.is_charged(request)
        number = len(self.sent)
        self.sent.append(Sent(request, self._cause, is_owned, self.hidden_tokens))
        tag = self._biller.tag(request)
        for piece in fresh:
            self._enter(piece, number)  # type: ignore[arg-type]
        self._dropped.clear()
        if is_owned:
            self._add(tag.group)
        if self._is_changed:
            self._lay_out(self.held)
        else:
            self._lay_out(fresh, afresh=False)
        if request.prompt_tokens:
            self._split_hidden()
            if is_owned:
                self._charge(request, tag)
            self._late_tokens = max(0.0, self.hidden_tokens - (self._prefix_tokens or 0.0))

    def _wrote(self, request: RequestRow, answer: list[Held]) -> None:
        parts: list[tuple[Account, float]] = []
        for piece in answer:
            account = self._account(piece)  # type: ignore[arg-type]
            parts.append((account, piece.tokens))
        self.written[request.key] = parts

    def _before_change(self) -> None:
        self._settle()
        self._is_changed = True

    def _event(self, row: PieceRow) -> None:
        super()._event(row)
        if len(self.compactions) > len(self.compacted_before):
            self.compacted_before.append(len(self.sent))

    def _drop(self, is_gone: Callable[[Held], bool]) -> None:
        for piece in (*self.held, *self._answered):
            account = piece.account  # type: ignore[attr-defined]
            if account is not None and is_gone(piece):
                account.left = len(self.sent)
                self._dropped.setdefault((piece.identity, piece.link), []).append(account)
        super()._drop(is_gone)

    def _rescale(self, prompt_tokens: int, pieces: list[Held]) -> None:
        before = self.hidden_tokens
        super()._rescale(prompt_tokens, pieces)
        if self._prefix_tokens is not None and before > 0:
            factor = self.hidden_tokens / before
            self._prefix_tokens *= factor
            self._late_tokens *= factor

    # ── pieces ─────────────────────────────────────────────────────────────────────────────────

    def _account(self, piece: Carried) -> Account:
        if piece.account is None:
            target = self._owner.targets.get((piece.offset, piece.position)) or piece.target
            if not target and piece.name.startswith(window.MCP_PREFIX):
                target = window.mcp_server(piece.name)
            consumer = Consumer(piece.group, piece.kind, piece.name, target)
            consumer = self._consumers.setdefault(consumer, consumer)
            piece.account = Account(consumer, piece, len(self.sent))
        return piece.account

    def _enter(self, piece: Carried, number: int) -> None:
        """A piece is sent for the first time, or told again with nothing new in it."""
        if piece.account is None and (told := self._dropped.get((piece.identity, piece.link))):
            piece.account = told.pop()
            piece.account.left = None
            return
        account = self._account(piece)
        account.entered, account.tokens = number, piece.tokens
        account.is_exact = piece.is_exact
        account.number = len(self.accounts)
        self.accounts.append(account)
        self._unadded.append(account)

    def _add(self, group: Group) -> None:
        """What the window was added since the last owned request, and still holds.

        A session that goes on from another one's copy begins with all of that: its window is its
        own, though the copied requests are not.
        """
        for account in self._unadded:
            if account.left is None:
                share = self._charged.share(group, account.consumer)
                share[PIECES] += 1
                share[ADDED] += account.tokens
        self._unadded.clear()

    def _lay_out(self, pieces: Sequence[Held], *, afresh: bool = True) -> None:
        """Put pieces behind those that are laid out, each kind where it stands in a request."""
        if afresh:
            self._rows = (Row(), Row())
            self._is_changed = False
        for piece in pieces:
            row = self._rows[piece.kind not in window.PREFIX]
            row.append(piece)  # type: ignore[arg-type]

    def _split_hidden(self) -> None:
        hidden = self.hidden_tokens
        if self._prefix_tokens is None:
            self._prefix_tokens = hidden
        self._prefix_tokens = min(self._prefix_tokens, hidden)

    # ── charging ───────────────────────────────────────────────────────────────────────────────

    def _charge(self, request: RequestRow, tag: Tag) -> None:
        """Cut the window of a request into what it read, wrote and sent plainly."""
        prefix = self._prefix_tokens or 0.0
        late = max(0.0, self.hidden_tokens - prefix)
        known_late = min(late, self._late_tokens)
        front, rest = (row.size for row in self._rows)
        sizes = (prefix, front, known_late, rest, late - known_late)
        billed = (
            (READ, request.cache_read_tokens),
            (WRITE_1H, request.cache_write_1h_tokens),
            (WRITE_5M, request.cache_write_5m_tokens),
            (INPUT, request.input_tokens or 0),
        )
        total = sum(sizes)
        if total <= 0:
            self.charge(tag, NOBODY, billed)
            return
        factor = total / (request.prompt_tokens or 1)
        begin = 0.0
        for kind, tokens in billed:
            if tokens:
                end = begin + tokens * factor
                self._cover(tag, kind, begin, end, sizes)
                begin = end

    def _cover(
        self, tag: Tag, kind: int, begin: float, end: float, sizes: tuple[float, ...]
    ) -> None:
        """Charge one range of the window to what stands in it."""
        start = 0.0
        for place, size in enumerate(sizes):
            low, high = max(begin - start, 0.0), min(end - start, size)
            start += size
            if high <= low:
                continue
            if place in (1, 3):
                kinds = self._pending.setdefault(tag, {})
                if kind not in kinds:
                    kinds[kind] = (Covered(), Covered())
                kinds[kind][place == 3].add(self._rows[place == 3].ends, low, high)
            else:
                who = NOBODY if place else PREFIX_CONSUMER
                self.charge(tag, who, ((kind, high - low),))

    def _settle(self) -> None:
        """Charge the pieces with what was remembered by ranges."""
        pending, self._pending = self._pending, {}
        for tag, kinds in pending.items():
            for kind, covered in kinds.items():
                for row, one in zip(self._rows, covered, strict=True):
                    self._charged.charge_pieces(tag, kind, row, one)

    def _charge_answer(self, request: RequestRow) -> None:
        tag = self._biller.tag(request)
        usd = self._biller.rates(tag).output
        parts = self.written.get(request.key, [])
        total = sum(tokens for _, tokens in parts)
        if total <= 0:
            self.charge(tag, NOBODY, ((OUTPUT, request.output_tokens),))
            return
        for account, part in parts:
            tokens = request.output_tokens * part / total
            self.charge(tag, account.consumer, ((OUTPUT, tokens),))
            account.written_usd += tokens * (usd or 0.0)
