"""Decisions and receipts of the controller as the columns of their tables, and back."""

from __future__ import annotations

import json
import sqlite3
from typing import Any, get_args

from tokenbudget.model.actions import Effect
from tokenbudget.model.control import Decision, Prediction, Receipt

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

DECISION = Decision._fields
"""The columns of `control_decision`, but for `id` and `project`, in the order of the value."""

RECEIPT = (
    *("session", "at_ms", "lever", "items", "level", "action", "predicted_tokens"),
    *("predicted_usd", "effect", "before_tokens", "request_key", "measured_tokens"),
    *("measured_usd", "settled_at_ms", "outcome"),
)
"""The columns of `control_receipt`, but for `id` and `project`, in the order of the value."""

_EFFECTS = frozenset(get_args(Effect))


def decision_values(decision: Decision) -> tuple[object, ...]:
    """A decision as the values of `DECISION`."""
    foretold = decision.prediction
    kept = decision._replace(
        items=items_text(decision.items),  # type: ignore[arg-type]
        prediction=None if foretold is None else json.dumps(foretold._asdict()),  # type: ignore[arg-type]
    )
    return tuple(storable(value) if isinstance(value, str) else value for value in kept)


def decision_of(row: Sequence[Any]) -> Decision:
    """The decision that stands in a row of `DECISION`.

    Raises:
        sqlite3.DatabaseError: it is none that we wrote, which is damage like any other.
    """
    found = Decision(*row)
    items, foretold = str(found.items), found.prediction
    prediction = None if foretold is None else _prediction(str(foretold))
    return found._replace(items=items_of(items), prediction=prediction)


def receipt_values(receipt: Receipt) -> tuple[object, ...]:
    """A receipt as the values of `RECEIPT`."""
    kept = receipt._replace(items=items_text(receipt.items))  # type: ignore[arg-type]
    return tuple(storable(value) if isinstance(value, str) else value for value in kept[1:])


def receipt_of(row: Sequence[Any]) -> Receipt:
    """The receipt that stands in a row of `id` and `RECEIPT`. Raises as `decision_of`."""
    found = Receipt(*row)
    if found.effect not in _EFFECTS:
        raise sqlite3.DatabaseError("malformed receipt: an effect that there is not")
    return found._replace(items=items_of(str(found.items)))


def items_text(items: Sequence[str]) -> str:
    """Ids as a JSON list; ASCII, for a name may hold what SQLite refuses."""
    return json.dumps(list(items), separators=(",", ":"))


def items_of(text: str) -> tuple[str, ...]:
    """The ids of a JSON list. Raises as `decision_of`."""
    found = _json(text)
    if not isinstance(found, list) or not all(isinstance(item, str) for item in found):
        raise sqlite3.DatabaseError("malformed control rows: ids that are none")
    return tuple(found)


def _prediction(text: str) -> Prediction:
    found = _json(text)
    if not isinstance(found, dict) or set(found) != set(Prediction._fields):
        raise sqlite3.DatabaseError("malformed decision: a prediction that is none")
    prediction = Prediction(**found)
    if prediction.effect not in _EFFECTS or type(prediction.tokens) is not int:
        raise sqlite3.DatabaseError("malformed decision: a prediction that is none")
    return prediction


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as wrong:
        raise sqlite3.DatabaseError(f"malformed control rows: {wrong}") from wrong


def storable(text: str) -> str:
    """The text as SQLite takes it: it refuses lone surrogates, which a name may hold."""
    return text.encode("utf-8", "backslashreplace").decode()
