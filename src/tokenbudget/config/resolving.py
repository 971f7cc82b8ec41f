"""`tokenManagement` as it holds for this run: the layers read, and a typo bridged.

Where a table cannot be meant, the last good one of the same file takes its place and a sentence
says so; where none is kept, the fault is raised. A file of the agent that is no JSON never stops
anybody. The last good tables are kept in the data folder, by the path of their file. Of the agent's
files nothing else is kept: the rest may hold secrets.
"""

from __future__ import annotations

import os
from typing import NamedTuple

from tokenbudget.config.files import day_of, keep_bytes, kept_bytes, moment_ms
from tokenbudget.config.layers import layers_of
from tokenbudget.config.management import BadLayer, Layer, TokenManagement, resolve

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from tokenbudget.config.settings import Settings

TABLES_NAME = "management.last-good.json"
TABLES_FORMAT = "tokenbudget/management-last-good/1"
MOST_TABLES = 100
"""Projects come and go: the oldest are dropped."""


class GoodTable(NamedTuple):
    """What one file said when it was last good."""

    at_ms: int
    table: Mapping[str, object]


def token_management(settings: Settings) -> TokenManagement:
    """Read the layers and resolve them.

    Raises:
        BadConfig: a table cannot be meant, and no last good one stands in for it.
    """
    return resolved(settings)[0]


def resolved(settings: Settings) -> tuple[TokenManagement, list[Layer]]:
    """The values, and the layers that they were made of; raises as `token_management`."""
    layers = layers_of(settings)
    if settings.on_fault is None:
        return resolve(layers), layers
    kept = good_tables(settings.data_dir)
    layers = [_readable(layer, kept, settings.on_fault) for layer in layers]
    found, held = bridged(layers, kept, settings.on_fault)
    from tokenbudget.system.clock import SystemClock

    keep_tables(settings.data_dir, kept, sound(held), SystemClock().now_ms())
    return found, held


def sound(layers: Sequence[Layer]) -> list[Layer]:
    """Layers that are good on those below them: good wherever else they hold, too.

    The user's settings that only a project's make whole would be no help in the next project.
    """
    found: list[Layer] = []
    for at, layer in enumerate(layers):
        try:
            resolve(layers[: at + 1])
        except BadLayer:
            continue
        found.append(layer)
    return found


def bridged(
    layers: Sequence[Layer], kept: Mapping[str, GoodTable], tell: Callable[[str], None]
) -> tuple[TokenManagement, list[Layer]]:
    """The values, and the layers that they were made of: a replaced one is marked by a fault.

    Raises:
        BadLayer: no last good table helps.
    """
    current = list(layers)
    told: list[str] = []
    first: BadLayer | None = None
    while True:
        try:
            found = resolve(current)
        except BadLayer as exc:
            first = first or exc
            at = _replaceable(current, exc.suspects, kept)
            if at is None:
                raise first from None
            good = kept[current[at].where]
            told.append(
                f"{exc}; the values of {day_of(good.at_ms)} are used until that is corrected"
            )
            current[at] = current[at]._replace(table=good.table, fault=str(exc))
        else:
            for sentence in told:
                tell(sentence)
            return found, current


def _replaceable(
    layers: Sequence[Layer], suspects: Sequence[Layer], kept: Mapping[str, GoodTable]
) -> int | None:
    """Which layer has a last good table that is another one; suspects in their order."""
    for suspect in suspects:
        good = kept.get(suspect.where)
        if good is not None and good.table != suspect.table:
            return layers.index(suspect)
    return None


def _readable(layer: Layer, kept: Mapping[str, GoodTable], tell: Callable[[str], None]) -> Layer:
    """A layer whose file cannot be understood says what it said when it last could, or nothing."""
    if not layer.fault:
        return layer
    good = kept.get(layer.where)
    if good is None:
        tell(f"{layer.where} {layer.fault}; this run goes on without it")
        return layer
    then = day_of(good.at_ms)
    tell(f"{layer.where} {layer.fault}; its values of {then} are used until that is corrected")
    return layer._replace(table=good.table)


def good_tables(data_dir: str) -> dict[str, GoodTable]:
    """The kept tables by the path of their file."""
    data = kept_bytes(os.path.join(data_dir, TABLES_NAME))
    if not data:
        return {}
    import json

    try:
        found = json.loads(data)
        if found["format"] != TABLES_FORMAT:
            return {}
        return {
            str(path): GoodTable(moment_ms(str(entry["at_ms"])), dict(entry["table"]))
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
    keep_bytes(data_dir, TABLES_NAME, document.encode() + b"\n")
