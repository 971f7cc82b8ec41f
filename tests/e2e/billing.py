"""What the fake API billed, as a test compares it with what `tokens` counts."""

import dataclasses
import json
from collections.abc import Iterable
from pathlib import Path

from tests.e2e.conversation import RequestKind
from tests.e2e.scripted_answers import JsonObject


@dataclasses.dataclass(frozen=True, slots=True)
class Bill:
    """Token sums of one model, field for field as `tokens usage --json` names them."""

    input_tokens: int = 0
    output_tokens: int = 0
    cache_write_5m_tokens: int = 0
    cache_write_1h_tokens: int = 0
    cache_read_tokens: int = 0
    requests: int = 0

    def __add__(self, other: "Bill") -> "Bill":
        pairs = zip(dataclasses.astuple(self), dataclasses.astuple(other), strict=True)
        return Bill(*(mine + theirs for mine, theirs in pairs))


@dataclasses.dataclass(frozen=True, slots=True)
class Response:
    """One billed response."""

    id: str
    model: str
    bill: Bill


@dataclasses.dataclass(frozen=True, slots=True)
class Exchange:
    """One request for a message; an error answer has no response and costs nothing."""

    kind: RequestKind
    headers: dict[str, str]
    body: JsonObject
    response: Response | None


def read_exchanges(records: Path) -> list[Exchange]:
    """The requests for messages among the records, in the order of their answers."""
    written = [json.loads(path.read_bytes()) for path in sorted(records.glob("*.json"))]
    return [_exchange_of(record) for record in written if "kind" in record]


def responses_of(exchanges: Iterable[Exchange], *kinds: RequestKind) -> list[Response]:
    """The billed responses to requests of these kinds."""
    return [each.response for each in exchanges if each.response and each.kind in kinds]


def bill_by_model(responses: Iterable[Response]) -> dict[str, Bill]:
    """Token sums per model."""
    bills: dict[str, Bill] = {}
    for response in responses:
        bills[response.model] = bills.get(response.model, Bill()) + response.bill
    return bills


def _exchange_of(record: JsonObject) -> Exchange:
    billed = record.get("billed")
    response = billed and Response(billed["id"], billed["model"], _bill_of(billed["usage"]))
    return Exchange(RequestKind(record["kind"]), record["headers"], record["body"], response)


def _bill_of(usage: JsonObject) -> Bill:
    written = usage["cache_creation"]
    return Bill(
        input_tokens=usage["input_tokens"],
        output_tokens=usage["output_tokens"],
        cache_write_5m_tokens=written["ephemeral_5m_input_tokens"],
        cache_write_1h_tokens=written["ephemeral_1h_input_tokens"],
        cache_read_tokens=usage["cache_read_input_tokens"],
        requests=1,
    )
