"""What a file's name says of it: a backup, an editor's or a program's leftover; and of what."""

from __future__ import annotations

import re
from typing import Literal, NamedTuple, TypeAlias

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection

Leftover: TypeAlias = Literal["backup", "swap", "temporary"]

_DATE = r"(?:[-_. ]?(?:\d{4}-\d\d-\d\d|\d{8})(?:[T_-]?\d{4,6}Z?)?(?:-\d+)?)?"
_WORD = r"(?:bak|backup|orig|old|copy)"
_ENDING = re.compile(
    rf"(?P<original>.+?){_DATE}(?:\.(?:bak(?:[-_][A-Za-z0-9]+)?|orig|rej|backup)(?:[-_.]?\d+)?|~)$",
    re.IGNORECASE,
)
"""`notes.md.bak`, `x.bak-2`, `settings.json.20260101T101500Z.bak`, `app.py.orig`, `app.py~`."""
_INNER = re.compile(
    rf"(?P<original>.+?){_DATE}(?:[-_. ]{_WORD}(?: ?\(?\d+\)?)?| ?\(\d+\)){_DATE}"
    r"(?P<suffix>\.[A-Za-z0-9]+)?$",
    re.IGNORECASE,
)
"""`CLAUDE copy.md`, `api.old.md`, `testing-2026-03-01.bak.md`: only beside the original."""
_SWAP = re.compile(r"\.(?P<original>.+)\.sw[a-p]$")
_AUTOSAVE = re.compile(r"#(?P<original>.+)#$")
_TEMPORARY = re.compile(r".+\.(?:tmp|temp)$", re.IGNORECASE)
_SYSTEM_NAMES = frozenset((".ds_store", "thumbs.db"))


class Named(NamedTuple):
    """What a name says."""

    leftover: Leftover
    original: str
    """The name of what it was made of; '' where it stands for itself."""


def named(name: str, beside: Collection[str]) -> Named | None:
    """What a name says, given the names beside it; None for what is no leftover.

    Names such as `CLAUDE copy.md` may also be somebody's own: they count only beside the original.
    """
    if len(name) > 255:
        return None
    swap = _SWAP.match(name) or _AUTOSAVE.match(name)
    if swap:
        return Named("swap", swap["original"])
    if name.lower() in _SYSTEM_NAMES:
        return Named("temporary", "")
    temporary = _TEMPORARY.match(name)
    if temporary:
        return Named("temporary", "")
    ending = _ENDING.match(name)
    if ending:
        return Named("backup", ending["original"])
    inner = _INNER.match(name)
    if inner:
        original = inner["original"] + (inner["suffix"] or "")
        if original in beside and original != name:
            return Named("backup", original)
    return None


def folder_copy_of(name: str, beside: Collection[str]) -> str:
    """The folder that a folder of this name is a copy of; '' if it is none."""
    for pattern in (_ENDING, _INNER):
        found = pattern.match(name) if len(name) <= 255 else None
        if found and found["original"] in beside and found["original"] != name:
            return found["original"]
    return ""
