"""The rows of an export, made from those of the ledger: names for ids, moments, exact money."""

from __future__ import annotations

from typing import Any, NamedTuple

from tokenbudget.analysis.stamps import Stamps
from tokenbudget.analysis.usage import SERVICE_TIERS, SPEEDS
from tokenbudget.ledger.export_rows import Limits
from tokenbudget.ledger.queries import MILLISECONDS_PER_DAY
from tokenbudget.metering.exact_cost import usd_text, weights_of
from tokenbudget.metering.rates import prompt_bucket
from tokenbudget.reports.exporters.tables import Spelling

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from typing import TypeAlias

    from tokenbudget.analysis.periods import Zone
    from tokenbudget.ledger.store import Ledger
    from tokenbudget.metering.exact_cost import Weights
    from tokenbudget.metering.rates import PriceBook
    from tokenbudget.model.redaction import Redactor
    from tokenbudget.reports.exporters.tables import Batch

    Told: TypeAlias = Callable[[str], str]

MOST_REMEMBERED = 20_000


class Source(NamedTuple):
    """Where rows come from, and which."""

    ledger: Ledger
    book: PriceBook
    zone: Zone
    limits: Limits
    redactor: Redactor | None
    progress: Callable[[int], None]
    """Told after each batch how many rows it had."""


class Known(dict[str, str]):
    """Remembers what a function made of a text; a bounded number of them."""

    def __init__(self, made: Told) -> None:
        super().__init__()
        self._made = made

    def __missing__(self, key: str) -> str:
        """Make it."""
        if len(self) >= MOST_REMEMBERED:
            self.clear()
        found = self[key] = self._made(key)
        return found


class Words:
    """Texts of others as they are told: under a pseudonym where asked, then made harmless."""

    def __init__(self, spelling: Spelling, redactor: Redactor | None) -> None:
        text = spelling.text

        def told(redacted: Told) -> Known:
            return Known(text if redactor is None else lambda one: text(redacted(one)))

        key = redactor.key if redactor else str
        self.key: Told = text if redactor is None else lambda one: text(key(one))
        self.path = told(redactor.path if redactor else str)
        self.word = told(redactor.word if redactor else str)
        """Models and versions."""
        self.title = told(redactor.title if redactor else str)
        self.name = told(redactor.name if redactor else str)
        self.tool = told(redactor.tool if redactor else str)
        self.branch = told(redactor.branch if redactor else str)
        self.session = told(redactor.session if redactor else str)


def moments(spelling: Spelling, zone: Zone) -> Callable[[Iterable[int | None]], list[Any]]:
    """How times are told, many at once."""
    if spelling.is_time_in_ms:
        return lambda many: [at_ms or spelling.unknown for at_ms in many]
    return Stamps(zone, spelling.unknown).stamps


class Names:
    """What the ids of rows stand for, already told."""

    def __init__(self, source: Source, words: Words) -> None:
        rows = source.ledger.export
        models = source.ledger.names("model")
        self.plain_models = models
        self.models = {number: words.word[name] for number, name in models.items()}
        self.sessions = {number: words.session[name] for number, name in rows.sessions().items()}
        self.places = {
            number: (words.path[fact.project], fact.agent, words.session[fact.session])
            for number, fact in rows.files().items()
        }


class Prices:
    """The weights of requests, those of one day at a time."""

    def __init__(self, book: PriceBook, models: dict[int, str]) -> None:
        self._book = book
        self._models = models
        self._thresholds = book.thresholds()
        self.first_threshold = min(self._thresholds, default=1 << 60)
        """Prompts up to this size lie in bucket 0."""

    def bucket(self, prompt_tokens: int) -> int:
        """The bucket of a prompt."""
        return prompt_bucket(prompt_tokens, self._thresholds)

    def of(self, day: int, model_id: int, speed: int, tier: int, bucket: int) -> Weights:
        """What tokens cost, at the price of the UTC day as `tokens usage` tells it."""
        rate = self._book.rate(
            self._models[model_id],
            day * MILLISECONDS_PER_DAY,
            speed=SPEEDS[speed],
            service_tier=SERVICE_TIERS[tier],
            bucket=bucket,
        )
        return weights_of(rate)


def request_batches(source: Source, spelling: Spelling) -> Iterator[Batch]:
    """The rows of `requests`. A million pass here, so the loop below calls as little as it can."""
    words, unknown, flags = Words(spelling, source.redactor), spelling.unknown, spelling.flags
    names = Names(source, words)
    stamps, key_text, skills = moments(spelling, source.zone), words.key, words.name
    places, sessions, models = names.places, names.sessions, names.models
    prices = Prices(source.book, names.plain_models)
    first_threshold = prices.first_threshold
    day, known = -1, dict[tuple[int, int, int, int], "Weights"]()
    for rows in source.ledger.export.requests(source.limits):
        made: Batch = []
        times = stamps([row[0] for row in rows])
        for (
            at_ms, _, attempt, key, session_id, file_id, model_id, speed, tier,
            put, out, write_5m, write_1h, read, searches, is_sidechain, thinking, is_final, skill,
        ), time in zip(rows, times, strict=True):  # fmt: skip
            if at_ms // MILLISECONDS_PER_DAY != day:
                day = at_ms // MILLISECONDS_PER_DAY
                known.clear()
            total: Any
            cost: Any
            unpriced: Any
            is_known = put is not None
            prompt = put + write_5m + write_1h + read if is_known else 0
            bucket = 0 if prompt <= first_threshold else prices.bucket(prompt)
            weights = known.get((model_id, speed, tier, bucket))
            if weights is None:
                weights = prices.of(day, model_id, speed, tier, bucket)
                known[model_id, speed, tier, bucket] = weights
            if is_known:
                total = prompt + out
                cost = usd_text(
                    put * weights[0] + out * weights[1] + write_5m * weights[2]
                    + write_1h * weights[3] + read * weights[4] + searches * weights[5],
                    weights[6],
                )  # fmt: skip
                unpriced = 0
                if weights[7]:
                    tokens = (put, out, write_5m, write_1h, read)
                    unpriced = sum(n for n, no in zip(tokens, weights[7], strict=True) if no)
            else:
                put = out = write_5m = write_1h = read = total = unpriced = unknown
                cost = unknown
                if searches:  # billed, whatever else was
                    cost = usd_text(searches * weights[5], weights[6])
            project, agent, _ = places[file_id]
            made.append((
                key_text(key), attempt, time, sessions[session_id], project, agent,
                models[model_id], flags[is_sidechain], SPEEDS[speed], SERVICE_TIERS[tier],
                put, out, write_5m, write_1h, read, total, cost, unpriced,
                unknown if thinking is None else thinking, searches, flags[is_final], skills[skill],
            ))  # fmt: skip
        source.progress(len(made))
        yield made


def tool_call_batches(source: Source, spelling: Spelling) -> Iterator[Batch]:
    """The rows of `tool_calls`."""
    words = Words(spelling, source.redactor)
    names = Names(source, words)
    stamps = moments(spelling, source.zone)
    tools = {
        number: (words.tool[name], words.name[server])
        for number, (name, server) in source.ledger.export.tools().items()
    }
    nowhere, unknown = ("", "", ""), spelling.unknown
    for rows in source.ledger.export.tool_calls(source.limits):
        made: Batch = []
        called = stamps([row[6] for row in rows])
        answered = stamps([row[7] for row in rows])
        for (
            call, key, session_id, file_id, tool_id, target, _, _, *counts, is_error
        ), called_at, answered_at in zip(rows, called, answered, strict=True):  # fmt: skip
            project, _, session = names.places.get(file_id, nowhere)
            tool, server = (unknown, unknown) if tool_id is None else tools[tool_id]
            made.append((
                words.key(call),
                unknown if key is None else words.key(key),
                names.sessions.get(session_id, session),
                project, tool, server,
                unknown if target is None else words.path[target],
                called_at, answered_at,
                *(unknown if count is None else count for count in counts),
                unknown if is_error is None else spelling.flags[is_error],
            ))  # fmt: skip
        source.progress(len(made))
        yield made
