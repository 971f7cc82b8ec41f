"""Laws of the detectors of behaviour, over any thread: none fails, none charges anything twice."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.analysis.drains.threads import READ_USD, WRITE_USD, Thread, thread

from tokenbudget.analysis.drains.cache_misses import CACHE_MODEL_SWITCH, CACHE_PREFIX, CACHE_TTL
from tokenbudget.analysis.drains.compactions import EARLY_COMPACTION, LATE_COMPACTION
from tokenbudget.analysis.drains.costly_models import COSTLY_MODEL
from tokenbudget.analysis.drains.drain import Drain
from tokenbudget.analysis.drains.failing_commands import FAILING_COMMAND
from tokenbudget.analysis.drains.polling import POLLING
from tokenbudget.analysis.drains.small_commands import SMALL_COMMANDS
from tokenbudget.analysis.drains.subagents import SUBAGENT
from tokenbudget.analysis.drains.thinking import THINKING
from tokenbudget.analysis.study import PICO_USD, Sighting
from tokenbudget.analysis.thread_view import ThreadView, Turn

DRAINS: tuple[Drain, ...] = (
    FAILING_COMMAND, POLLING, SMALL_COMMANDS, SUBAGENT, THINKING, COSTLY_MODEL, CACHE_TTL,
    CACHE_PREFIX, CACHE_MODEL_SWITCH, LATE_COMPACTION, EARLY_COMPACTION,
)  # fmt: skip
COMMANDS = (
    "ls",
    "git status",
    "npm test",
    "sleep 5; gh run view 7",
    "pwd",
    "cat a.py && date",
    "(",
)
TEXTS = (
    "", "ok", "Exit code 1\nnot found", "bash: cd: src: No such file or directory", "pending 12s",
    "running " * 50, "\ud800 \x1b[31m",
)  # fmt: skip
PATHS = ("a.py", "b.py", "")
MODELS = ("claude-opus-5-5", "claude-sonnet-5-5", "claude-opus-4-1", "", "gpt-5")
TOKENS = st.sampled_from((None, 0, 1, 50, 900, 3_000, 60_000))
STEPS = st.one_of(
    st.tuples(st.just("bash"), st.sampled_from(COMMANDS), st.sampled_from(TEXTS), st.booleans()),
    st.tuples(st.just("task"), st.sampled_from(TEXTS)),
    st.tuples(st.just("read"), st.sampled_from(PATHS), TOKENS),
    st.tuples(st.just("edit"), st.sampled_from(PATHS)),
    st.tuples(st.just("prompt"), st.sampled_from(TEXTS), TOKENS),
    st.tuples(st.just("says"), st.sampled_from(TEXTS), TOKENS),
    st.tuples(st.just("thinks"), TOKENS),
    st.tuples(st.just("asks"), st.sampled_from(MODELS), st.booleans()),
    st.tuples(st.just("waits"), st.sampled_from((0, 1_000, 400_000, 4_000_000, 10**9))),
    st.tuples(st.just("compact"), st.sampled_from(("auto", "manual", ""))),
    st.tuples(st.just("goes_on"), st.integers(0, 40)),
    st.tuples(st.just("chain"), st.integers(2, 5)),
    st.tuples(st.just("pieces"), st.lists(st.integers(1, 300), max_size=5)),
    st.tuples(st.just("polls"), st.integers(3, 7), st.sampled_from(TEXTS)),
    st.tuples(st.just("looks"), st.integers(5, 90), st.sampled_from((40, 1_000))),
    st.tuples(st.just("topic"), st.integers(0, 9), st.integers(20, 45)),
)


def told(name: str, prefix: int, steps: list[tuple[object, ...]], cold: set[int]) -> ThreadView:
    """A thread in which these things happened; the numbers of requests that lost the cache."""
    story = thread(name, prefix_tokens=prefix)
    for kind, *rest in steps:
        _tell(story, str(kind), rest)
    view = story.goes_on(1).view()
    turns = [_without_cache(turn) if turn.number in cold else turn for turn in view.turns]
    return view._replace(turns=turns)


def _without_cache(turn: Turn) -> Turn:
    """The same request, where only a part of what it read was still there."""
    lost = turn.cache_read_tokens * 3 // 4
    return turn._replace(
        cache_read_tokens=turn.cache_read_tokens - lost,
        cache_write_5m_tokens=turn.cache_write_5m_tokens + lost,
        cost_usd=turn.cost_usd + lost * (WRITE_USD - READ_USD),
    )


def _tell(story: Thread, kind: str, rest: list[Any]) -> None:
    first = rest[0]
    own: dict[str, Callable[..., None]] = {
        "read": _read,
        "topic": _topic,
        "chain": _chain,
        "pieces": _pieces,
        "polls": _polls,
        "looks": _looks,
    }
    match kind:
        case "bash":
            story.bash(first, rest[1], error=rest[2])
        case "task":
            story.call("TaskOutput", {"task_id": "b1"}, first)
        case "edit":
            story.edit(first, "a", "b")
        case "thinks":
            story.thinks("hm", tokens=first)
        case "asks":
            story.asks(model=first, owned=rest[1])
        case _ if kind in own:
            own[kind](story, *rest)
        case _:
            getattr(story, kind)(*rest)


def _read(story: Thread, path: str, tokens: int | None) -> None:
    story.read(path, "x = 1\n", tokens=tokens)


def _chain(story: Thread, count: int) -> None:
    for command in ("ls", "git status", "pwd", "date", "ls -a")[:count]:
        story.bash(command, "ok")


def _pieces(story: Thread, firsts: list[int]) -> None:
    for first in firsts:
        story.read("a.py", "x = 1\n" * 400, offset=first, limit=40)


def _polls(story: Thread, count: int, answer: str) -> None:
    for _ in range(count):
        story.bash("gh pr checks 7", answer)


def _looks(story: Thread, count: int, tokens: int) -> None:
    for number in range(count):
        story.read(f"{number}.py", "x = 1\n", tokens=tokens)


def _topic(story: Thread, number: int, requests: int) -> None:
    story.prompt("next")
    for letter in "abc":
        story.read(f"{letter}{number}.py", f"{letter} = 1\n", tokens=20_000)
    story.goes_on(requests)


THREADS = st.builds(
    told,
    st.sampled_from(("", "", "a4ca7529")),
    st.sampled_from((0, 5_000, 30_000)),
    st.lists(STEPS, max_size=30),
    st.sets(st.integers(0, 60), max_size=4),
)


def seen_by(view: ThreadView, claimed: set[int]) -> list[Sighting]:
    """What all of them see, one after the other."""
    return [one for drain in DRAINS if drain.detect for one in drain.detect(view, claimed)]


@settings(deadline=None)
@given(THREADS)
def test_no_thread_is_charged_more_than_it_was_billed(view: ThreadView) -> None:
    """Nor any sighting less than nothing; pieces are charged once, so all of them add up."""
    claimed: set[int] = set()
    found = seen_by(view, claimed)
    owned = [turn for turn in view.turns if turn.is_owned]
    billed = sum(turn.prompt_tokens + turn.output_tokens for turn in owned)
    usd = sum(turn.cost_usd for turn in owned)
    assert sum(one.sent_tokens for one in found) <= billed + len(found)
    assert sum(one.cost_pico_usd for one in found) <= usd * PICO_USD + len(found)
    for one in found:
        assert min(one[4:11]) >= 0
        assert one.times >= 1 or len(owned) < len(view.turns)  # the rest is told of elsewhere
        assert one.error_tokens <= one.sent_tokens
        assert one.error_pico_usd <= one.cost_pico_usd
    assert claimed <= {piece.number for piece in view.seen}


@settings(deadline=None)
@given(THREADS)
def test_a_second_look_charges_no_piece_again(view: ThreadView) -> None:
    """Only what is about money alone, and claims no piece, is seen again."""
    claimed: set[int] = set()
    seen_by(view, claimed)
    assert [one for one in seen_by(view, claimed) if one.sent_tokens] == []


@settings(deadline=None)
@given(THREADS)
def test_a_copy_costs_nothing(view: ThreadView) -> None:
    """A thread whose requests another file owns is seen, and not charged."""
    copies = [turn._replace(is_owned=False) for turn in view.turns]
    free = [piece._replace(sent_tokens=0, sent_usd=0.0, written_usd=0.0) for piece in view.seen]
    calls = [
        call._replace(
            use=None if call.use is None else free[call.use.number],
            result=None if call.result is None else free[call.result.number],
        )
        for call in view.calls
    ]
    assert seen_by(view._replace(turns=copies, seen=free, calls=calls), set()) == []


@settings(deadline=None)
@given(THREADS)
def test_a_thread_without_words_is_taken_too(view: ThreadView) -> None:
    """The transcript may be gone: texts are empty then, hashes 0, times unknown."""
    calls = [
        call._replace(command="", label="", arguments={}, input_hash=0, result_hash=0)
        for call in view.calls
    ]
    bare = view._replace(
        turns=[turn._replace(at_ms=0, prompt_tokens=0, key="") for turn in view.turns],
        seen=[piece._replace(text="") for piece in view.seen],
        calls=[call._replace(called_at_ms=0, use=None, result=None) for call in calls],
        window_tokens=0,
    )
    for one in seen_by(bare, set()):
        assert one.day == 0
