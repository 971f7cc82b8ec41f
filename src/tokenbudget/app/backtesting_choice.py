"""Which strategies a backtest is asked for, and how they are made for one thread."""

from __future__ import annotations

from typing import NamedTuple

from tokenbudget.analysis.backtest_result import AS_IT_WAS
from tokenbudget.analysis.backtest_room import size_of
from tokenbudget.analysis.backtest_strategies import strategies
from tokenbudget.budget.remaining import expected_requests, sure_requests
from tokenbudget.compression.passage import COMPRESSED
from tokenbudget.compression.policy import Wishes
from tokenbudget.config.values import meant
from tokenbudget.model.errors import BadRequest
from tokenbudget.model.plain_text import one_line
from tokenbudget.optimizer.replaying import OURS, control_names, control_strategies
from tokenbudget.optimizer.replaying_oracle import ORACLE_NAME, Plan, Searched, oracle, planned
from tokenbudget.optimizer.replaying_walk import Scene

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tokenbudget.analysis.backtest_session import Subject
    from tokenbudget.analysis.study_build import Rules
    from tokenbudget.model.protocols import Strategy, TokenCounter

LONGEST_NAME = 60
"""Of a name that is no strategy, as it is told."""


class Asked(NamedTuple):
    """What a backtest is to go through."""

    strategies: Sequence[str] = ()
    """By name; none is all but those of control, which take longer. `controller` alone brings
    those along that it is compared with."""
    session: str = ""
    """One session alone; its requests are told one by one."""
    since_ms: int = 0
    """Files that were written at or after this moment."""
    wishes: Wishes = Wishes()
    """How results are trimmed."""
    window_tokens: int = 0
    """As if every model's window were so large; 0: as they were."""
    min_requests: int = 0
    """Only sessions whose main thread had as many."""


def known_strategies(counter: TokenCounter, wishes: Wishes) -> list[Strategy]:
    """Every strategy that `Asked.strategies` may name, to be told of: none knows a session."""
    scene = Scene("", "", False, 0, 0, _unknown, counter, wishes)
    found = [*strategies(counter, wishes), *control_strategies(scene)]
    return [*found, planned(Plan(), scene)]


def strategy_names() -> tuple[str, ...]:
    """What `Asked.strategies` may name."""
    return tuple(one.name for one in known_strategies(_NoCounter(), Wishes()))


def _unknown(_requests: int) -> None:
    return None


class _NoCounter:
    name = "none"

    def count(self, text: str) -> int:
        """Nothing is counted for a name."""
        return len(text)


def with_compared(names: Sequence[str]) -> Sequence[str]:
    """The controller's figures say something only beside those of the others."""
    if tuple(names) != (OURS,):
        return names
    return (AS_IT_WAS, *control_names(), ORACLE_NAME)


def chosen(asked: Asked, counter: TokenCounter) -> list[Strategy]:
    """The strategies that are meant, to be named; raises BadRequest."""
    every = known_strategies(counter, asked.wishes)
    names = {one.name for one in every}
    unknown = [name for name in asked.strategies if name not in names]
    if unknown:
        known = [one.name for one in every]
        hint = meant(unknown[0], known)
        raise BadRequest(
            f"'{one_line(unknown[0])[:LONGEST_NAME]}' is no strategy{hint}; there are"
            f" {', '.join(known)}"
        )
    return [one for one in every if _is_meant(one, asked)]


def _is_meant(one: Strategy, asked: Asked) -> bool:
    if asked.strategies:
        return one.name in asked.strategies
    return one.name not in (*control_names(), ORACLE_NAME)


def for_thread(
    asked: Asked,
    rules: Rules,
    lengths: Mapping[str, int],
    counter: TokenCounter,
    subject: Subject,
) -> list[Strategy]:
    """The same strategies as `chosen` has, in the same order, for one thread.

    `lengths` are the requests of every session's main thread: what is known of other sessions.
    """
    plain = strategies(counter, asked.wishes, subject.needed)
    scene = _scene(asked, rules, lengths, counter, subject)
    control = control_strategies(scene)
    found: list[Strategy] = [one for one in (*plain, *control) if _is_meant(one, asked)]
    if ORACLE_NAME in asked.strategies:
        searched = Searched(
            subject.timeline, scene, rules.biller, subject.needs, may_be_healthy=False
        )
        found.append(oracle(searched, control))
    return found


def _scene(
    asked: Asked,
    rules: Rules,
    lengths: Mapping[str, int],
    counter: TokenCounter,
    subject: Subject,
) -> Scene:
    line = subject.timeline
    size = size_of(line, rules.windows)
    others = [count for session, count in lengths.items() if session != line.session]
    return Scene(
        session=line.session,
        project="",
        is_main=not line.is_subagent and not line.thread,
        usable_tokens=size.usable_tokens or 0,
        window_tokens=size.tokens or 0,
        expected=lambda requests: expected_requests(others, requests),
        counter=counter,
        trim=asked.wishes._replace(level=COMPRESSED),
        sure=lambda requests: sure_requests(others, requests),
    )
