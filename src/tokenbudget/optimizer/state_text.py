"""A state as text, and back: what `state_text` wrote is read as it was, and nothing else is."""

from __future__ import annotations

import json
from typing import Any

from tokenbudget.budget.health import LEVELS, HealthState
from tokenbudget.model.control import Receipt
from tokenbudget.optimizer.state import Mark, Pulled, State

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TypeAlias

    from tokenbudget.model.actions import Effect

    Table: TypeAlias = "dict[str, Any]"

FORMAT = "tokenbudget/control-state/1"
MOST_CHARACTERS = 1 << 20
"""No state is that long: lists in it have an end."""

_MOST_MS = 1 << 53  # what other readers of JSON can hold as a whole number
_EFFECTS: tuple[Effect, ...] = ("now", "next compaction", "next start", "disk only")


class _Unreadable(Exception):
    """What stands there is no state."""


def state_text(state: State) -> str:
    """The state as one line of JSON, with its format."""
    told = {"format": FORMAT, **state._asdict()}
    told["health"] = state.health._asdict()
    told["marks"] = [mark._asdict() for mark in state.marks]
    told["pulled"] = [{**one._asdict(), "receipt": one.receipt._asdict()} for one in state.pulled]
    return json.dumps(told, separators=(",", ":"))


def state_of(text: str) -> State | None:
    """The state that `state_text` wrote; None: it is damaged, or another version's."""
    if len(text) > MOST_CHARACTERS:
        return None
    try:
        told = json.loads(text)
        return _state(_table(told))
    except (_Unreadable, ValueError, RecursionError):
        return None


def _state(told: Table) -> State:
    if told.get("format") != FORMAT:
        raise _Unreadable
    met = tuple(_number_or_none(one) for one in _list(told, "met"))
    if len(met) != 3:
        raise _Unreadable
    return State(
        session=_text(told, "session"),
        now_ms=_number(told, "now_ms"),
        health=_health(_table(told.get("health"))),
        request_key=_text(told, "request_key"),
        request_at_ms=_number(told, "request_at_ms"),
        requests=_number(told, "requests"),
        used_tokens=_number(told, "used_tokens"),
        usable_tokens=_number(told, "usable_tokens"),
        parts=_pairs(told, "parts"),
        compactions=_number(told, "compactions"),
        boundary_key=None if told.get("boundary_key") is None else _text(told, "boundary_key"),
        met=(met[0], met[1], met[2]),
        marks=tuple(_mark(_table(one)) for one in _list(told, "marks")),
        tried=_pairs(told, "tried"),
        edited_key=_text(told, "edited_key"),
        said=_texts(told, "said"),
        pulled=tuple(_pulled(_table(one)) for one in _list(told, "pulled")),
        pinned=_texts(told, "pinned"),
        poor_passes=_number(told, "poor_passes"),
        restore_after_ms=_number(told, "restore_after_ms"),
    )


def _health(told: Table) -> HealthState:
    level = _text(told, "level")
    if level not in LEVELS:
        raise _Unreadable
    return HealthState(level, _number(told, "calm_requests"), _number(told, "calm_since_ms"))


def _mark(told: Table) -> Mark:
    return Mark(_text(told, "lever"), _texts(told, "items"), _number(told, "at_ms"))


def _pulled(told: Table) -> Pulled:
    return Pulled(
        _receipt(_table(told.get("receipt"))),
        _number(told, "since_ms"),
        _number(told, "compactions"),
        _number_or_none(told.get("part_tokens")),
        _number(told, "missed_requests"),
        _text(told, "back"),
    )


def _receipt(told: Table) -> Receipt:
    return Receipt(
        id=_number(told, "id"),
        session=_text(told, "session"),
        at_ms=_number(told, "at_ms"),
        lever=_text(told, "lever"),
        items=_texts(told, "items"),
        level=_text(told, "level"),
        action=_number_or_none(told.get("action")),
        predicted_tokens=_number(told, "predicted_tokens"),
        predicted_usd=_money(told, "predicted_usd"),
        effect=_effect(told),
        before_tokens=_number(told, "before_tokens"),
        request_key=_text(told, "request_key"),
        measured_tokens=_number_or_none(told.get("measured_tokens")),
        measured_usd=_money(told, "measured_usd"),
        settled_at_ms=_number_or_none(told.get("settled_at_ms")),
        outcome=_text(told, "outcome"),
    )


def _effect(told: Table) -> Effect:
    for effect in _EFFECTS:
        if told.get("effect") == effect:
            return effect
    raise _Unreadable


def _table(value: object) -> Table:
    if not isinstance(value, dict):
        raise _Unreadable
    return value


def _list(told: Table, key: str) -> list[Any]:
    value = told.get(key)
    if not isinstance(value, list):
        raise _Unreadable
    return value


def _text(told: Table, key: str) -> str:
    return _is_text(told.get(key))


def _texts(told: Table, key: str) -> tuple[str, ...]:
    return tuple(_is_text(one) for one in _list(told, key))


def _pairs(told: Table, key: str) -> tuple[tuple[str, int], ...]:
    pairs = []
    for pair in _list(told, key):
        if not isinstance(pair, list) or len(pair) != 2:
            raise _Unreadable
        pairs.append((_is_text(pair[0]), _is_number(pair[1])))
    return tuple(pairs)


def _number(told: Table, key: str) -> int:
    return _is_number(told.get(key))


def _number_or_none(value: object) -> int | None:
    return None if value is None else _is_number(value)


def _money(told: Table, key: str) -> float | None:
    value = told.get(key)
    if value is None or (isinstance(value, float) and abs(value) < _MOST_MS):
        return value
    return float(_is_number(value))


def _is_text(value: object) -> str:
    if not isinstance(value, str):
        raise _Unreadable
    return value


def _is_number(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or abs(value) > _MOST_MS:
        raise _Unreadable
    return value
