"""What is summed up of a window's requests, one after the other, without keeping them.

Not all of them tell of the session's own model, and of its window. A slash command whose front
matter names a model (ours do) has one turn answered by it. The next turn is the session's own
model's again: its window and its cache are what they were. So a single request to another model,
which counts in its own way, says nothing of how full the window is; several of one command may have
filled it.
"""

from __future__ import annotations

from tokenbudget.analysis.window_cost import CostSums

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tokenbudget.analysis.window_replay import Moment
    from tokenbudget.ledger.windows import RequestRow
    from tokenbudget.metering.rates import PriceBook


class Told:
    """Of some of the requests: the last ones, how full the window was at most."""

    __slots__ = ("known", "largest_prompt_tokens", "last", "unexplained_requests", "way")

    def __init__(self, way: list[Moment] | None = None) -> None:
        self.way = way
        """Every one that reported its usage; None where nobody asks for them."""
        self.last: RequestRow | None = None
        self.known: RequestRow | None = None
        """The last one that reported its usage."""
        self.largest_prompt_tokens = 0
        self.unexplained_requests = 0
        """Those whose growth what is visible does not explain."""

    def add(self, moment: Moment) -> None:
        """One more."""
        self.last = request = moment.request
        prompt_tokens = request.prompt_tokens
        if prompt_tokens:
            self.known = request
            self.largest_prompt_tokens = max(self.largest_prompt_tokens, prompt_tokens)
            self.unexplained_requests += _is_unexplained(moment)
            if self.way is not None:
                self.way.append(moment)

    def copied(self) -> Told:
        """The same, to be added to on its own; not for one that keeps its way."""
        twin = Told()
        for name in Told.__slots__:
            setattr(twin, name, getattr(self, name))
        return twin


class Tally:
    """Takes every request in order."""

    def __init__(self, book: PriceBook, *, has_way: bool = False) -> None:
        """Args: `has_way`: whether the requests are kept all the same."""
        self.requests = 0
        self.cost = CostSums(book)
        self.last: RequestRow | None = None
        """The last request of all."""
        self._all = Told([] if has_way else None)
        self._telling = Told([] if has_way else None)
        self._models: dict[str, None] = {}
        self._own_models: dict[str, None] = {}
        self._last_own_model = ""
        self._undecided: Moment | None = None
        """A single request of a command: the next one decides whether it tells."""

    def add(self, moment: Moment) -> None:
        """One more request."""
        request, aside = moment.request, moment.aside
        self.requests += 1
        self.cost.add(moment)
        self.last = request
        self._all.add(moment)
        self._models.setdefault(request.model)
        if not aside:
            self._own_models.setdefault(request.model)
            self._last_own_model = request.model
        if self._undecided is not None and aside == 2:
            self._telling.add(self._undecided)
        self._undecided = moment if aside == 1 else None
        if aside != 1:
            self._telling.add(moment)

    def copied(self) -> Tally:
        """The same, to be added to on its own."""
        twin: Tally = object.__new__(Tally)
        twin.__dict__.update(self.__dict__)
        twin.cost = self.cost.copied()
        twin._all, twin._telling = self._all.copied(), self._telling.copied()
        twin._models, twin._own_models = dict(self._models), dict(self._own_models)
        return twin

    @property
    def told(self) -> Told:
        """Of the requests that say how full the window is; of all where none does yet."""
        return self._all if self._telling.last is None else self._telling

    @property
    def models(self) -> tuple[str, ...]:
        """The session's own ones, as they came; all where only commands have asked yet."""
        return tuple(self._own_models or self._models)

    @property
    def model(self) -> str:
        """The session's own, the last one; '' where nothing was asked."""
        if self._own_models or self.last is None:
            return self._last_own_model
        return self.last.model

    @property
    def has_usage(self) -> bool:
        """Whether any request reported its usage."""
        return self._all.known is not None


def _is_unexplained(moment: Moment) -> bool:
    return not moment.cause and abs(moment.unexplained_tokens) > moment.band_tokens
