"""A step and its result as JSON text and back; what is not exactly that is refused.

The text is ASCII: a path may hold lone surrogates, which SQLite would refuse and JSON can escape.
"""

from __future__ import annotations

import json
from typing import Any

from tokenbudget.model.actions import (
    ArchiveSession,
    ClientServer,
    EditSettings,
    EditText,
    GatewayRecord,
    Json,
    RecoverSession,
    RestoreText,
    SettingEdit,
    Step,
    TrashFile,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import NoReturn

KINDS: Mapping[str, type[Step]] = {
    "trash-file": TrashFile,
    "edit-settings": EditSettings,
    "edit-text": EditText,
    "archive-session": ArchiveSession,
    "recover-session": RecoverSession,
    "client-server": ClientServer,
    "restore-text": RestoreText,
    "gateway-record": GatewayRecord,
}
_NAMES = {kind: name for name, kind in KINDS.items()}

_TEXTS = (str,)
_COUNTS = (int,)
_MAYBE_TEXTS = (str, type(None))
_PLAIN: Mapping[str, tuple[type, ...]] = {
    "path": _TEXTS,
    "size_bytes": _COUNTS,
    "mtime_ns": _COUNTS,
    "before": _MAYBE_TEXTS,
    "after": _TEXTS,
    "session": _TEXTS,
    "folder": _TEXTS,
    "archive_file": _TEXTS,
    "to": _TEXTS,
    "mode": _COUNTS,
    "scope": _TEXTS,
    "server": _TEXTS,
    "kept": _TEXTS,
    "change": _TEXTS,
    "old": _MAYBE_TEXTS,
    "new": _MAYBE_TEXTS,
    "folders": _COUNTS,
}
"""What can stand in each field that is one value; `edits`, `files` and `servers` are lists."""


def step_text(step: Step) -> str:
    """A step as one JSON object.

    Raises:
        ValueError: a value in it is no JSON (NaN, or nested too deeply).
    """
    fields: dict[str, object] = {"kind": _NAMES[type(step)], **step._asdict()}
    if isinstance(step, EditSettings):
        fields["edits"] = [_edit_fields(edit) for edit in step.edits]
        if step.mode is None:
            del fields["mode"]  # older programs do not know it
    return _written(fields)


def result_text(result: Mapping[str, Json]) -> str:
    """An outcome's result as one JSON object. Raises ValueError as above."""
    return _written(dict(result))


def step_of(text: str) -> Step:
    """The step that `step_text` wrote.

    Raises:
        ValueError: it wrote no such text.
    """
    fields = _object(text)
    kind = KINDS.get(str(fields.pop("kind", None)))
    if kind is None or not set(kind._fields) - set(kind._field_defaults) <= set(fields) <= set(
        kind._fields
    ):
        raise ValueError("no step that this program knows")
    return kind(**{name: _field(name, value) for name, value in fields.items()})


def result_of(text: str) -> dict[str, Json]:
    """The result that `result_text` wrote. Raises ValueError as above."""
    return _object(text)


def _field(name: str, value: Json) -> Any:
    many = _LISTS.get(name)
    if many is not None:
        if not isinstance(value, list):
            raise ValueError(f"{name} is no list")
        return tuple(map(many, value))
    if isinstance(value, bool) or not isinstance(value, _PLAIN[name]):
        raise ValueError(f"{name} cannot be {type(value).__name__}")
    return value


def _edit_fields(edit: SettingEdit) -> dict[str, object]:
    fields: dict[str, object] = edit._asdict()
    if not edit.is_gone:
        del fields["is_gone"]  # older programs do not know it
    return fields


def _edit(value: Json) -> SettingEdit:
    fields = set(SettingEdit._fields)
    if not isinstance(value, dict) or not fields - {"is_gone"} <= set(value) <= fields:
        raise ValueError("no edit of a setting")
    keys, is_member, is_gone = value["keys"], value["is_member"], value.get("is_gone", False)
    if not (isinstance(keys, list) and isinstance(is_member, bool) and isinstance(is_gone, bool)):
        raise ValueError("no edit of a setting")
    return SettingEdit(tuple(map(_text, keys)), value["value"], is_member, is_gone)


def _pair(value: Json) -> tuple[str, str]:
    if not isinstance(value, list) or len(value) != 2:
        raise ValueError("no name and path")
    return _text(value[0]), _text(value[1])


def _text(value: Json) -> str:
    if not isinstance(value, str):
        raise ValueError("no text")
    return value


_LISTS: Mapping[str, Callable[[Json], object]] = {"edits": _edit, "files": _pair, "servers": _text}


def _written(fields: Mapping[str, object]) -> str:
    try:
        return json.dumps(fields, allow_nan=False, separators=(",", ":"))
    except (RecursionError, TypeError) as wrong:
        raise ValueError("it cannot be written as JSON") from wrong


def _object(text: str) -> dict[str, Json]:
    try:
        found = json.loads(text, parse_constant=_refuse)
    except RecursionError as wrong:
        raise ValueError("it is nested too deeply") from wrong
    if not isinstance(found, dict):
        raise ValueError("it is no object")
    return found


def _refuse(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")
