"""The rules of the alerts and their channels, in `alerts.json`: read, changed one at a time, kept.

The file says what a person wants to be told, and where the address of each channel is kept. It
never holds an address: that is a secret. Beside it lies the last good one, which stands in while
the file is damaged.
"""

from __future__ import annotations

import json
import os
from contextlib import contextmanager
from typing import NamedTuple

from tokenbudget.alerts.delivery import BELL, DESKTOP, KINDS
from tokenbudget.alerts.rules import (
    BURN,
    COSTS,
    SHARES,
    Rule,
    burn_rule,
    cost_rule,
    share_rule,
)
from tokenbudget.alerts.secret import is_reference
from tokenbudget.model.errors import BadConfig, TokenBudgetError
from tokenbudget.system.atomic import write_atomic
from tokenbudget.system.locks import FileLock

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Any

    from tokenbudget.model.protocols import Clock

FORMAT = "tokenbudget/alerts/1"
NAME = "alerts.json"
GOOD_NAME = "alerts.good.json"
DAMAGED_NAME = "alerts.damaged.json"
LOCK_NAME = "alerts.lock"

PATIENCE_SECONDS = 5.0
_PAUSE_SECONDS = 0.02
MOST_BYTES = 1 << 20
MOST_RULES = 200


class ChannelSpec(NamedTuple):
    """A way to a person, by name."""

    name: str
    kind: str
    """One of `delivery.KINDS`."""
    target: str = ""
    """Where its address is kept, as `secret.is_reference` has it; '' for bell and desktop."""


class RuleBook(NamedTuple):
    """Everything that `alerts.json` says."""

    rules: tuple[Rule, ...] = ()
    channels: tuple[ChannelSpec, ...] = ()
    fault: str = ""
    """What is wrong with the file, a sentence; the rest is then the last good one."""

    def channel(self, name: str) -> ChannelSpec | None:
        """The channel of this name."""
        return next((spec for spec in self.channels if spec.name == name), None)

    def with_rule(self, rule: Rule) -> RuleBook:
        """The book with this rule in place of one of the same id."""
        others = tuple(one for one in self.rules if one.id != rule.id)
        return self._replace(rules=(*others, rule))

    def without(self, rule_ids: set[str]) -> RuleBook:
        """The book without these rules."""
        return self._replace(rules=tuple(one for one in self.rules if one.id not in rule_ids))

    def pruned(self) -> RuleBook:
        """The book without channels that no rule uses."""
        used = {name for rule in self.rules for name in rule.channels}
        return self._replace(channels=tuple(spec for spec in self.channels if spec.name in used))


def read_rules(data_dir: str) -> RuleBook:
    """The rules as they stand; of a damaged file the last good one, and what is wrong."""
    path = os.path.join(data_dir, NAME)
    try:
        text = _bytes_of(path)
        book = book_from(text)
    except FileNotFoundError:
        return RuleBook()
    except (OSError, ValueError) as damage:
        return _last_good(data_dir, str(damage))
    _keep_good(data_dir, text)
    return book


@contextmanager
def changing_rules(data_dir: str, clock: Clock) -> Iterator[RuleChange]:
    """Change the rules while nobody else does; kept when the block ends, if they were changed.

    Raises:
        BadConfig: somebody else has been changing them for long, or they cannot be written.
    """
    try:
        os.makedirs(data_dir, mode=0o700, exist_ok=True)
        with FileLock(os.path.join(data_dir, LOCK_NAME)) as lock:
            _acquire(lock, clock)
            change = RuleChange(read_rules(data_dir))
            before = change.book
            yield change
            if change.book != before:
                _write(data_dir, change.book.pruned(), is_damaged=bool(before.fault))
    except OSError as failure:
        raise BadConfig(
            f"the alerts cannot be written in {data_dir} ({failure.strerror});"
            " make room there, or set TOKENS_HOME"
        ) from failure


class RuleChange:
    """The book that `changing_rules` will keep."""

    def __init__(self, book: RuleBook) -> None:
        self.book = book


def book_from(text: bytes) -> RuleBook:
    """The rules that a file holds.

    Raises:
        ValueError: it is no such file, or anything in it cannot be meant. Nothing of it is in the
            words: somebody may have written an address into it.
    """
    try:
        fields = json.loads(text)
        if not isinstance(fields, dict) or fields.get("format") != FORMAT:
            raise ValueError(f"it is not of the format {FORMAT}")
        channels = tuple(_channel(one) for one in fields["channels"])
        names = {spec.name for spec in channels}
        rules = tuple(_rule(one, names) for one in fields["rules"])
    except (KeyError, TypeError, RecursionError, UnicodeDecodeError) as wrong:
        raise ValueError("a part of it is missing or of another kind") from wrong
    except json.JSONDecodeError as wrong:
        raise ValueError(f"it is no JSON from line {wrong.lineno} on") from wrong
    if len(rules) > MOST_RULES or len({rule.id for rule in rules}) < len(rules):
        raise ValueError("it holds a rule twice, or too many")
    if len(names) < len(channels):
        raise ValueError("it holds a channel twice")
    return RuleBook(rules, channels)


def text_of(book: RuleBook) -> bytes:
    """The file of these rules; `book_from` is its inverse."""
    fields = {
        "format": FORMAT,
        "rules": [_rule_fields(rule) for rule in book.rules],
        "channels": [spec._asdict() for spec in book.channels],
    }
    return json.dumps(fields, indent=1).encode() + b"\n"


def _rule_fields(rule: Rule) -> dict[str, object]:
    fields: dict[str, object] = {"scope": rule.scope}
    if rule.scope in SHARES:
        fields["percent"] = round(float(rule.steps[0].at) * 100)
    elif rule.scope in COSTS:
        fields["usd"] = f"{rule.steps[0].at:f}"
    return {**fields, "session": rule.scope_id, "channels": list(rule.channels)}


def _rule(fields: Mapping[str, Any], known: set[str]) -> Rule:
    channels = [name for name in fields["channels"] if isinstance(name, str)]
    scope, session = fields["scope"], fields.get("session", "")
    if not set(channels) <= known or len(channels) < len(fields["channels"]):
        raise ValueError("a rule names a channel that is not in it")
    if not isinstance(session, str) or not isinstance(scope, str):
        raise ValueError("a part of it is missing or of another kind")
    try:
        if scope == BURN:
            return burn_rule(channels)
        if scope in COSTS:
            return cost_rule(scope, str(fields["usd"]), channels, session)
        if type(fields["percent"]) is not int:
            raise ValueError("a percent in it is no whole number")
        return share_rule(scope, fields["percent"], channels, session)
    except TokenBudgetError as wrong:
        raise ValueError("a rule in it cannot be meant") from wrong


def _channel(fields: Mapping[str, Any]) -> ChannelSpec:
    spec = ChannelSpec(fields["name"], fields["kind"], fields.get("target", ""))
    if not all(isinstance(part, str) for part in spec) or spec.kind not in KINDS:
        raise ValueError("a channel in it is of no known kind")
    if spec.kind in (BELL, DESKTOP):
        return spec._replace(target="")
    if not is_reference(spec.target):
        raise ValueError("a channel in it is an address instead of a place where one is kept")
    return spec


def _bytes_of(path: str) -> bytes:
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb") as handle:
        return handle.read(MOST_BYTES)


def _last_good(data_dir: str, damage: str) -> RuleBook:
    shown = os.path.join(data_dir, NAME)
    try:
        good = book_from(_bytes_of(os.path.join(data_dir, GOOD_NAME)))
    except (OSError, ValueError):
        return RuleBook(fault=f"{shown} cannot be used: {damage}; set the alerts again")
    return good._replace(
        fault=f"{shown} cannot be used: {damage}; the last good rules hold until it is repaired"
    )


def _keep_good(data_dir: str, text: bytes) -> None:
    path = os.path.join(data_dir, GOOD_NAME)
    try:
        if not os.path.exists(path) or _bytes_of(path) != text:
            write_atomic(path, text)
    except OSError:  # a folder that cannot be written: the file itself is good
        return


def _write(data_dir: str, book: RuleBook, is_damaged: bool) -> None:
    path = os.path.join(data_dir, NAME)
    if is_damaged:  # what a person wrote there is not lost
        os.replace(path, os.path.join(data_dir, DAMAGED_NAME))
    text = text_of(book)
    write_atomic(path, text)
    _keep_good(data_dir, text)


def _acquire(lock: FileLock, clock: Clock) -> None:
    begun = clock.monotonic_seconds()
    while not lock.try_acquire():
        if clock.monotonic_seconds() - begun > PATIENCE_SECONDS:
            raise BadConfig("another command is changing the alerts; try again when it has ended")
        clock.sleep(_PAUSE_SECONDS)
