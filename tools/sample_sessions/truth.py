"""What a correct reader must find in the sample: every copy of every response, counted once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, TypeAlias, TypeVar

Key = TypeVar("Key")


@dataclass(frozen=True, slots=True)
class Tokens:
    """Tokens of one response, or of many; `requests` includes those whose usage is unknown."""

    input_tokens: int = 0
    output_tokens: int = 0
    cache_write_5m_tokens: int = 0
    cache_write_1h_tokens: int = 0
    cache_read_tokens: int = 0
    requests: int = 0
    requests_without_usage: int = 0

    def plus(self, other: Tokens) -> Tokens:
        """The field-wise sum."""
        return Tokens(
            self.input_tokens + other.input_tokens,
            self.output_tokens + other.output_tokens,
            self.cache_write_5m_tokens + other.cache_write_5m_tokens,
            self.cache_write_1h_tokens + other.cache_write_1h_tokens,
            self.cache_read_tokens + other.cache_read_tokens,
            self.requests + other.requests,
            self.requests_without_usage + other.requests_without_usage,
        )

    def largest(self, other: Tokens) -> Tokens:
        """The field-wise maximum: how two copies of one response become one."""
        return Tokens(
            max(self.input_tokens, other.input_tokens),
            max(self.output_tokens, other.output_tokens),
            max(self.cache_write_5m_tokens, other.cache_write_5m_tokens),
            max(self.cache_write_1h_tokens, other.cache_write_1h_tokens),
            max(self.cache_read_tokens, other.cache_read_tokens),
            max(self.requests, other.requests),
            min(self.requests_without_usage, other.requests_without_usage),
        )


UNKNOWN_USAGE = Tokens(requests=1, requests_without_usage=1)

Attempts: TypeAlias = tuple[tuple[str, Tokens], ...]
"""One (model, tokens) per API attempt; the request itself is counted with the last one."""


@dataclass(frozen=True, slots=True)
class Copy:
    """One line that tells the usage of a response."""

    key: str
    attempts: Attempts
    stamp: str
    is_sidechain: bool
    path: str
    session: str
    cwd: str
    is_fast: bool = False

    @property
    def rank(self) -> tuple[bool, str, str]:
        """Smallest of all copies owns: main thread before sidechain, then time, then path."""
        return (self.is_sidechain, self.stamp, self.path)


@dataclass(frozen=True, slots=True)
class Truth:
    """Exact totals of a generated folder; each table adds up to `total`, except `fast_by_model`."""

    total: Tokens
    by_model: Mapping[str, Tokens]
    by_utc_day: Mapping[str, Tokens]
    by_utc_day_and_model: Mapping[tuple[str, str], Tokens]
    by_session: Mapping[str, Tokens]
    by_project: Mapping[str, Tokens]
    fast_by_model: Mapping[str, Tokens]
    files: int
    bytes: int

    def as_json(self) -> dict[str, Any]:
        """The tables with plain keys; day and model become two levels."""
        flat = {
            name: {key: asdict(row) for key, row in sorted(table.items())}
            for name, table in (
                ("by_model", self.by_model),
                ("by_utc_day", self.by_utc_day),
                ("by_session", self.by_session),
                ("by_project", self.by_project),
                ("fast_by_model", self.fast_by_model),
            )
        }
        nested: dict[str, dict[str, Any]] = {}
        for (day, model), row in sorted(self.by_utc_day_and_model.items()):
            nested.setdefault(day, {})[model] = asdict(row)
        return {
            "format": "tokenbudget/sample-truth/1",
            "files": self.files,
            "bytes": self.bytes,
            "total": asdict(self.total),
            **flat,
            "by_utc_day_and_model": nested,
        }


@dataclass(slots=True)
class Tally:
    """Collects copies while they are written; `truth` closes the account."""

    owners: dict[str, Copy] = field(default_factory=dict)
    attempts: dict[str, Attempts] = field(default_factory=dict)
    fast: set[str] = field(default_factory=set)
    files: int = 0
    bytes: int = 0

    def add(self, copy: Copy) -> None:
        """Merge one copy: the best rank owns, every field keeps its maximum."""
        owner = self.owners.get(copy.key)
        if owner is None or copy.rank < owner.rank:
            self.owners[copy.key] = copy
        known = self.attempts.get(copy.key)
        self.attempts[copy.key] = merged(known, copy.attempts) if known else copy.attempts
        if copy.is_fast:
            self.fast.add(copy.key)

    def add_file(self, size: int) -> None:
        """Count a transcript file and its bytes."""
        self.files += 1
        self.bytes += size

    def truth(self) -> Truth:
        """The tables over all responses seen so far."""
        rows = [
            (self.owners[key], model, tokens)
            for key, attempts in self.attempts.items()
            for model, tokens in attempts
        ]
        return Truth(
            total=sum_of(tokens for _, _, tokens in rows),
            by_model=table((model, tokens) for _, model, tokens in rows),
            by_utc_day=table((owner.stamp[:10], tokens) for owner, _, tokens in rows),
            by_utc_day_and_model=table(
                ((owner.stamp[:10], model), tokens) for owner, model, tokens in rows
            ),
            by_session=table((owner.session, tokens) for owner, _, tokens in rows),
            by_project=table((owner.cwd, tokens) for owner, _, tokens in rows),
            fast_by_model=table((m, tokens) for owner, m, tokens in rows if owner.key in self.fast),
            files=self.files,
            bytes=self.bytes,
        )


def merged(known: Attempts, new: Attempts) -> Attempts:
    """Copies of one response always tell the same attempts, so they merge by position."""
    return tuple(
        (model, mine.largest(theirs)) for (model, mine), (_, theirs) in zip(known, new, strict=True)
    )


def sum_of(rows: Iterable[Tokens]) -> Tokens:
    """All rows added up."""
    total = Tokens()
    for row in rows:
        total = total.plus(row)
    return total


def table(rows: Iterable[tuple[Key, Tokens]]) -> dict[Key, Tokens]:
    """Rows added up per key."""
    sums: dict[Key, Tokens] = {}
    for key, tokens in rows:
        sums[key] = sums.get(key, Tokens()).plus(tokens)
    return sums
