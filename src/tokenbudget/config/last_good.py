"""Keep the last settings that were good, so that a typo does not change what a program does.

Two files in the data folder, 0600, written only when something changed: the text of config.toml,
and the `tokenManagement` tables by the path of their file. Of the agent's files nothing else is
kept: the rest may hold secrets. Where the folder cannot be written nothing is kept, silently.
"""

from __future__ import annotations

import contextlib
import os
from typing import NamedTuple

from tokenbudget.config.files import read_regular

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tokenbudget.config.management import Layer

TEXT_NAME = "config.last-good.toml"
TEXT_FORMAT = "tokenbudget/config-last-good/1"
TABLES_NAME = "management.last-good.json"
TABLES_FORMAT = "tokenbudget/management-last-good/1"
MOST_TABLES = 100
"""Projects come and go: the oldest are dropped."""
_LATEST_MS = 253_402_300_800_000
"""The year 10000: what is said to be later was not written by us."""


class GoodText(NamedTuple):
    """config.toml as it was when it was last good."""

    at_ms: int
    text: bytes


class GoodTable(NamedTuple):
    """What one file said when it was last good."""

    at_ms: int
    table: Mapping[str, object]


def good_text(data_dir: str, path: str) -> GoodText | None:
    """The kept text of this config.toml; None where none is kept, or it is of another path."""
    data = _read(os.path.join(data_dir, TEXT_NAME))
    if data is None:
        return None
    head, _, text = data.partition(b"\n")
    parts = head.decode("ascii", "replace").split(" ", 3)
    if len(parts) != 4 or parts[:2] != ["#", TEXT_FORMAT] or parts[3] != ascii(path):
        return None
    return GoodText(_moment(parts[2]), text)


def keep_text(data_dir: str, path: str, text: bytes, now_ms: int) -> None:
    """Keep a text that is good."""
    head = f"# {TEXT_FORMAT} {now_ms} {path!a}\n".encode()
    _write(data_dir, TEXT_NAME, head + text)


def good_tables(data_dir: str) -> dict[str, GoodTable]:
    """The kept tables by the path of their file."""
    data = _read(os.path.join(data_dir, TABLES_NAME))
    if not data:
        return {}
    import json

    try:
        found = json.loads(data)
        if found["format"] != TABLES_FORMAT:
            return {}
        return {
            str(path): GoodTable(_moment(str(entry["at_ms"])), dict(entry["table"]))
            for path, entry in found["files"].items()
        }
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return {}  # somebody wrote into it: then nothing is kept


def keep_tables(
    data_dir: str, kept: Mapping[str, GoodTable], layers: Sequence[Layer], now_ms: int
) -> None:
    """Keep what these layers say, which is good; a layer with a fault keeps what it had."""
    now = dict(kept)
    for layer in layers:
        if layer.fault or not layer.where:  # the environment has no place to go back to
            continue
        if not isinstance(layer.table, dict) or not layer.table:
            now.pop(layer.where, None)
        elif layer.where not in now or now[layer.where].table != layer.table:
            now[layer.where] = GoodTable(now_ms, layer.table)
    if now == kept:
        return
    import json

    newest = sorted(now.items(), key=lambda item: item[1].at_ms)[-MOST_TABLES:]
    files = {path: good._asdict() for path, good in newest}
    document = json.dumps({"format": TABLES_FORMAT, "files": files}, indent=1)
    _write(data_dir, TABLES_NAME, document.encode() + b"\n")


def day_of(at_ms: int) -> str:
    """A moment as a person reads it, in the machine's own zone."""
    import time

    return time.strftime("%Y-%m-%d %H:%M", time.localtime(at_ms / 1000))


def _moment(text: str) -> int:
    at_ms = int(text) if text.isdecimal() and len(text) < 16 else 0
    return at_ms if at_ms < _LATEST_MS else 0


def _read(path: str) -> bytes | None:
    try:
        return read_regular(path)
    except OSError:
        return None


def _write(data_dir: str, name: str, data: bytes) -> None:
    from tokenbudget.system.atomic import write_atomic

    with contextlib.suppress(OSError):
        os.makedirs(data_dir, 0o700, exist_ok=True)
        write_atomic(os.path.join(data_dir, name), data)
