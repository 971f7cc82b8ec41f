"""Who can be charged: consumers, the pieces that make them up, and the requests that pay."""

from __future__ import annotations

from typing import NamedTuple

from tokenbudget.analysis.study import PREFIX, UNATTRIBUTED
from tokenbudget.analysis.window_pieces import Held

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import TypeAlias

    from tokenbudget.ledger.windows import PieceRow, RequestRow

    Place: TypeAlias = tuple[int, int]
    """Byte offset of a line and position in it."""

INPUT, WRITE_5M, WRITE_1H, READ, OUTPUT, COST, UNPRICED, PIECES, ADDED = range(9)
"""Places in a share: the first seven are those of `Amount`."""


class Consumer(NamedTuple):
    """What a charge goes to; see `study.Spend`."""

    component: str
    kind: str
    name: str
    target: str


PREFIX_CONSUMER = Consumer(PREFIX, "", "", "")
NOBODY = Consumer(UNATTRIBUTED, "", "", "")


class Account:
    """One piece through all the requests that carried it."""

    __slots__ = (
        "consumer", "entered", "is_exact", "left", "link", "number", "offset", "position",
        "sent_tokens", "sent_usd", "tokens", "written_usd",
    )  # fmt: skip

    def __init__(self, consumer: Consumer, piece: Held, entered: int) -> None:
        self.consumer = consumer
        self.link = piece.link
        self.offset = piece.offset
        self.position = piece.position
        self.entered = entered
        self.left: int | None = None
        self.number = -1
        self.tokens = piece.tokens
        self.is_exact = piece.is_exact
        self.sent_tokens = self.sent_usd = self.written_usd = 0.0


class Carried(Held):
    """A piece in the window and its account."""

    __slots__ = ("account",)

    def __init__(self, row: PieceRow) -> None:
        super().__init__(row)
        self.account: Account | None = None


class Sent(NamedTuple):
    """One request of the thread, as the replay came by."""

    request: RequestRow
    cause: str
    is_owned: bool
    hidden_tokens: float


class Owner(NamedTuple):
    """The transcript whose requests are charged."""

    file_id: int
    taken: frozenset[str]
    """Keys of requests that another thread of the file was charged for."""
    targets: Mapping[Place, str]
    """What pieces act on where that is known better than by their rows: labels of commands."""

    def is_charged(self, request: RequestRow) -> bool:
        """Whether a request is charged in this thread of this file, and nowhere else."""
        return request.file_id == self.file_id and request.key not in self.taken
