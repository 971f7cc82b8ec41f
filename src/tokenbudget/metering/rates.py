"""Say what a model's tokens cost: which price, as of which time, in which variant and tier.

Prices come from the generated `price_table` and from the user's overrides. A price that neither of
them states is not known: it is `None`, never 0 and never the price of a similar model.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping
from datetime import date
from decimal import Context, Decimal, InvalidOperation
from typing import NamedTuple

from tokenbudget.metering import price_table
from tokenbudget.metering.price_table import Clause, Model, Period

_ALWAYS = -(2**63)  # ms since 1970, before any request: the start of a price that always held
_DAY_MS = 86_400_000
_EPOCH_DAY = date(1970, 1, 1).toordinal()

# Claude Code adds this to an id to ask for the 1M window and takes it off before it sends the
# request (a header carries the wish). It names no other model; the prompt's size picks the tier.
_WINDOW_SUFFIX = "[1m]"

# Bounds on a user's numbers: within them every product is exact in 100 digits.
_MOST = Decimal(1_000_000)
_MOST_DECIMALS = 30
_EXACT = Context(prec=100)

_OVERRIDE_VARIANTS = {"fast": ("fast", "standard"), "batch": ("standard", "batch")}


class Rate(NamedTuple):
    """Prices of one model at one time, in USD per million tokens; `None` is not known."""

    input: Decimal | None
    output: Decimal | None
    cache_write_5m: Decimal | None
    cache_write_1h: Decimal | None
    cache_read: Decimal | None
    web_search: Decimal | None
    """In USD per 1,000 requests."""


class Origin(NamedTuple):
    """Where the prices of a model come from."""

    entry: str
    """The row of the bundled table, or the override's key as the user wrote it."""
    source: str
    """Name and version of the bundled data, or `override`."""
    as_of: str | None
    """ISO date of the bundled data; an override has none."""


class PriceOverrideError(ValueError):
    """One sentence: which key of which model is wrong, and what is allowed there."""


_Tiers = tuple[tuple[int, Rate], ...]  # prompt tokens above which it holds; ascending from 0
_Periods = tuple[tuple[int, _Tiers], ...]  # first ms since 1970 (UTC); newest first
_Schedule = tuple[tuple[int, Rate], ...]  # a period's tier, chosen
_Variant = tuple[str, str]  # speed, service tier


def prompt_bucket(prompt_tokens: int, thresholds: tuple[int, ...]) -> int:
    """Return the largest threshold that a prompt has crossed, or 0.

    A prompt is input + cache writes + cache reads. It crosses a threshold when it is strictly
    greater (200,000 tokens do not cross 200,000), as genai-prices compares. In SQL:
    `CASE WHEN prompt > t2 THEN t2 WHEN prompt > t1 THEN t1 ELSE 0 END`, largest threshold first.
    """
    crossed = bisect_left(thresholds, prompt_tokens)
    return thresholds[crossed - 1] if crossed else 0


class PriceBook:
    """Every price we know; the answer to the same question is remembered."""

    def __init__(self, overrides: Mapping[str, _Entry]) -> None:
        self._exact = {name: entry for name, entry in overrides.items() if name[-1:] != "*"}
        prefixes = [(name[:-1], entry) for name, entry in overrides.items() if name[-1:] == "*"]
        self._prefixes = sorted(prefixes, key=lambda item: -len(item[0]))
        self._entries: dict[str, _Entry | None] = {}

    @classmethod
    def bundled(cls, overrides: Mapping[str, Mapping[str, object]] | None = None) -> PriceBook:
        """Return the bundled table under the user's `[prices."model"]` tables.

        An override replaces the bundled prices of that model id entirely. A key that ends in `*`
        stands for every id that begins so; the exact id wins, then the longest prefix.

        Raises:
            PriceOverrideError: An override says something that cannot be a price.
        """
        return cls(
            {name.lower(): _override(name, table) for name, table in (overrides or {}).items()}
        )

    def rate(
        self, model: str, at_ms: int, *, speed: str, service_tier: str, bucket: int
    ) -> Rate | None:
        """Return the prices for a request, or `None` where no data states them.

        Args:
            model: The model id as the agent reported it; case does not matter.
            at_ms: The request's own time, in milliseconds since 1970-01-01 UTC.
            speed: `standard` or `fast`.
            service_tier: `standard` or `batch`. Any other word is a variant without a price.
            bucket: The request's `prompt_bucket` over `thresholds()`; the whole request is
                priced at the tier of its prompt.
        """
        try:
            entry = self._entries[model]
        except KeyError:
            entry = self._entries[model] = self._find(model.lower())
        if entry is None:
            return None
        try:
            schedule = entry.schedules[speed, service_tier, bucket]
        except KeyError:
            schedule = entry.schedule(speed, service_tier, bucket)
        for start_ms, rate in schedule:
            if at_ms >= start_ms:
                return rate
        return None

    def thresholds(self) -> tuple[int, ...]:
        """Return every prompt size, in tokens and ascending, above which some price changes."""
        own = [*self._exact.values(), *(entry for _, entry in self._prefixes)]
        marks = {mark for entry in own for mark in entry.thresholds()}
        return tuple(sorted(marks.union(price_table.THRESHOLDS)))

    def origin(self, model: str) -> Origin | None:
        """Return where a model's prices come from, or `None` for a model without any."""
        name = model.lower()
        entry = self._find(name)
        return entry.origin if entry is not None and entry.periods else None

    def _find(self, name: str) -> _Entry | None:
        plain = name.removesuffix(_WINDOW_SUFFIX)
        for exact in (name, plain):
            if exact in self._exact:
                return self._exact[exact]
        for prefix, entry in self._prefixes:
            if name.startswith(prefix):
                return entry
        return _bundled(plain)


class _Entry:
    """The prices of one model: the standard ones and its variants, each by date and tier."""

    __slots__ = ("origin", "periods", "schedules", "variants")

    def __init__(
        self, origin: Origin, periods: _Periods, variants: Mapping[_Variant, _Periods]
    ) -> None:
        self.origin = origin
        self.periods = periods
        self.variants = {("standard", "standard"): periods, **variants}
        self.schedules: dict[tuple[str, str, int], _Schedule] = {}

    def schedule(self, speed: str, service_tier: str, bucket: int) -> _Schedule:
        """Return, and remember, the rate of each period for a variant and a bucket."""
        periods = self.variants.get((speed, service_tier), ())
        schedule = tuple((start_ms, _tier(tiers, bucket)) for start_ms, tiers in periods)
        self.schedules[speed, service_tier, bucket] = schedule
        return schedule

    def thresholds(self) -> set[int]:
        every = [tiers for periods in self.variants.values() for _, tiers in periods]
        return {mark for tiers in every for mark, _ in tiers if mark}


def _tier(tiers: _Tiers, bucket: int) -> Rate:
    return next(rate for mark, rate in reversed(tiers) if mark <= bucket)


# ── The bundled table ─────────────────────────────────────────────────────────────────────────────


def _bundled(name: str) -> _Entry | None:
    providers = next((found for clause, found in price_table.ROUTES if _matches(clause, name)), ())
    for provider in providers:
        for model in price_table.MODELS[provider]:
            if _matches(model[1], name):
                return _entry(model, with_variants=provider == providers[0])
    return None


def _entry(model: Model, *, with_variants: bool) -> _Entry:
    # Variants are a provider's own offer: they do not follow a model to who serves it instead.
    name, _, periods, variants = model
    own = {(speed, tier): _periods(rows) for speed, tier, rows in variants if with_variants}
    return _Entry(Origin(name, price_table.SOURCE, price_table.AS_OF), _periods(periods), own)


def _periods(rows: tuple[Period, ...]) -> _Periods:
    return tuple(
        (_start_ms(start), tuple((mark, _rate(prices)) for mark, prices in tiers))
        for start, tiers in reversed(rows)
    )


def _rate(prices: tuple[str | None, ...]) -> Rate:
    return Rate(*(None if price is None else Decimal(price) for price in prices))


def _start_ms(start: str) -> int:
    if not start:
        return _ALWAYS
    return (date.fromisoformat(start).toordinal() - _EPOCH_DAY) * _DAY_MS


def _matches(clause: Clause, name: str) -> bool:
    kind, operand = clause
    if isinstance(operand, tuple):
        results = (_matches(part, name) for part in operand)
        return all(results) if kind == "and" else any(results)
    if kind == "regex":
        import re  # costs more than all the rest of this module; most ids never get here

        return re.search(operand, name) is not None
    if kind == "equals":
        return name == operand
    if kind == "starts_with":
        return name.startswith(operand)
    if kind == "ends_with":
        return name.endswith(operand)
    return operand in name  # contains


# ── The user's overrides ──────────────────────────────────────────────────────────────────────────


def _override(name: str, table: object) -> _Entry:
    where = f'prices."{name}"'
    if not name or "*" in name[:-1]:
        raise PriceOverrideError(f"{where} must be a model id, with `*` at its end or nowhere.")
    found = _table(where, table, (*Rate._fields, "tiers", *_OVERRIDE_VARIANTS))
    tiers = _tiers(where, found, None)
    variants = {
        variant: ((_ALWAYS, _variant(f"{where}.{key}", found[key], tiers)),)
        for key, variant in _OVERRIDE_VARIANTS.items()
        if key in found
    }
    return _Entry(Origin(name, "override", None), ((_ALWAYS, tiers),), variants)


def _variant(where: str, value: object, standard: _Tiers) -> _Tiers:
    table = _table(where, value, ("multiplier", *Rate._fields, "tiers"))
    if "multiplier" not in table:
        return _tiers(where, table, standard[0][1].web_search)
    if len(table) > 1:
        raise PriceOverrideError(f"{where} must have either a multiplier or prices, not both.")
    factor = _number(f"{where}.multiplier", table["multiplier"])
    return tuple((mark, _multiplied(rate, factor)) for mark, rate in standard)


def _multiplied(rate: Rate, factor: Decimal) -> Rate:
    # A search is charged by the request, so a factor on tokens leaves it alone.
    tokens = (None if price is None else _EXACT.multiply(price, factor) for price in rate[:-1])
    return Rate._make((*tokens, rate.web_search))


def _tiers(where: str, table: Mapping[str, object], web_search: Decimal | None) -> _Tiers:
    rate = _override_rate(where, table, web_search)
    tiers = [(0, rate)]
    listed = table.get("tiers", ())
    if not isinstance(listed, list | tuple):
        raise PriceOverrideError(f"{where}.tiers must be a list of tables.")
    for number, value in enumerate(listed, start=1):
        at = f"{where}.tiers[{number}]"
        tier = _table(at, value, ("above", *Rate._fields))
        above = tier.get("above")
        if not isinstance(above, int) or isinstance(above, bool) or above <= tiers[-1][0]:
            raise PriceOverrideError(
                f"{at}.above must be a whole number of tokens, greater than {tiers[-1][0]}."
            )
        tiers.append((above, _override_rate(at, tier, rate.web_search)))
    return tuple(tiers)


def _override_rate(where: str, table: Mapping[str, object], web_search: Decimal | None) -> Rate:
    prices = {key: _number(f"{where}.{key}", table[key]) for key in Rate._fields if key in table}
    if not prices:
        raise PriceOverrideError(f"{where} must have a price: {', '.join(Rate._fields)}.")
    if web_search is not None:
        prices.setdefault("web_search", web_search)
    return Rate._make(prices.get(key) for key in Rate._fields)


def _table(where: str, value: object, allowed: tuple[str, ...]) -> Mapping[str, object]:
    names = ", ".join(allowed)
    if not isinstance(value, Mapping):
        raise PriceOverrideError(f"{where} must be a table with {names}.")
    for key in value:
        if key not in allowed:
            raise PriceOverrideError(f"{where}.{key} is not known; allowed are {names}.")
    return value


def _number(where: str, value: object) -> Decimal:
    if isinstance(value, int | float | str | Decimal) and not isinstance(value, bool):
        try:
            number = Decimal(str(value))
        except (InvalidOperation, ValueError):  # not a number; more digits than int prints
            number = Decimal("NaN")
        exponent = number.as_tuple().exponent
        if isinstance(exponent, int) and exponent >= -_MOST_DECIMALS and 0 <= number <= _MOST:
            return _EXACT.add(number, Decimal(0))  # "-0" and "0e99" are plain zeros
    raise PriceOverrideError(
        f"{where} must be a number from 0 to {_MOST:,} with at most {_MOST_DECIMALS} decimals."
    )
