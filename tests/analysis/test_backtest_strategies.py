"""What strategies do when they are asked, and that they are told of nothing that comes later."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.analysis.backtest_threads import MINUTE_MS, Part, thread

from tokenbudget.analysis.backtest_pruning import AT_ONCE, COLD, PAYS, Pruning, handle_text
from tokenbudget.analysis.backtest_result import AS_IT_WAS
from tokenbudget.analysis.backtest_strategies import Combined, SmallerBase, Terse, strategies
from tokenbudget.analysis.backtest_trimming import Trimming, head_and_tail, shown_of
from tokenbudget.analysis.backtest_walk import Remembering, walk
from tokenbudget.compression.handles import handle_of
from tokenbudget.compression.policy import Wishes
from tokenbudget.model import window
from tokenbudget.model.replay import Change, Moment, Stood


class Words:
    """Counts words."""

    name = "words"

    def count(self, text: str) -> int:
        return len(text.split())


def stood(number: int, tokens: float = 1_000.0, **facts: object) -> Stood:
    made = Stood(
        number=number,
        kind=window.TOOL_RESULT,
        name="Bash",
        target="",
        link=f"t{number}",
        text="some words",
        tokens=tokens,
        arguments={},
        has_failed=False,
    )
    return made._replace(**facts)  # type: ignore[arg-type]


def moment(number: int, fresh: Sequence[Stood] = (), **facts: object) -> Moment:
    made = Moment(
        number=number,
        at_ms=number * MINUTE_MS,
        idle_ms=MINUTE_MS,
        is_cold=False,
        rewrite_reads=11.5,
        cause="",
        model="m",
        window_tokens=0,
        fresh=tuple(fresh),
        gone=(),
    )
    return made._replace(**facts)  # type: ignore[arg-type]


def left_at(walker_rule: object, moments: Sequence[Moment]) -> list[list[int]]:
    walker = Pruning(walker_rule).walker()  # type: ignore[arg-type]
    return [[change.piece for change in walker.before(one)] for one in moments]


# ── pruning ──────────────────────────────────────────────────────────────────────────────────────


def test_what_is_old_leaves_when_the_cache_is_cold_and_not_before() -> None:
    rule = COLD._replace(keep_requests=2)
    moments = [moment(0, [stood(0)]), *(moment(n) for n in range(1, 6)), moment(6, is_cold=True)]
    assert left_at(rule, moments) == [[], [], [], [], [], [], [0]]


def test_what_came_in_lately_stays() -> None:
    rule = COLD._replace(keep_requests=3)
    found = left_at(rule, [moment(0), moment(1, [stood(0)]), moment(2, is_cold=True)])
    assert found == [[], [], []]


def test_the_latest_copy_of_a_file_stays_and_an_older_one_leaves() -> None:
    rule = COLD._replace(keep_requests=1, keep_copy_requests=50)
    told: dict[str, Any] = {"name": "Read", "arguments": {"file_path": "/a.py"}}
    moments = [
        moment(0, [stood(0, **told)]),
        moment(1, [stood(1, **told)]),
        moment(5, is_cold=True),
        moment(80, is_cold=True),
    ]
    assert left_at(rule, moments) == [[], [], [0], [1]]


def test_nothing_leaves_twice_and_nothing_that_is_gone_leaves() -> None:
    rule = COLD._replace(keep_requests=0)
    cold = [moment(n, is_cold=True) for n in (3, 4)]
    assert left_at(rule, [moment(0, [stood(0)]), *cold]) == [[], [0], []]
    gone = moment(3, is_cold=True, gone=(0,))
    assert left_at(rule, [moment(0, [stood(0)]), gone]) == [[], []]


def test_while_warm_it_leaves_where_it_pays_alone() -> None:
    rule = PAYS._replace(keep_requests=1)
    little_behind = [stood(0, 50_000.0), stood(1, 500.0, kind=window.TEXT)]
    much_behind = [stood(0, 5_000.0), stood(1, 500_000.0, kind=window.TEXT)]
    later = [moment(n) for n in range(1, 30)]
    assert [0] in left_at(rule, [moment(0, little_behind), *later])
    assert [0] not in left_at(rule, [moment(0, much_behind), *later])


def test_at_once_is_at_once() -> None:
    rule = AT_ONCE._replace(keep_requests=2)
    moments = [moment(0, [stood(0)]), moment(1), moment(2)]
    assert left_at(rule, moments) == [[], [], [0]]


def test_a_handle_is_of_the_text_and_quotes_a_hostile_subject_on_one_line() -> None:
    call: dict[str, Any] = {"kind": window.TOOL_USE, "arguments": {"command": "x\n[~ all]\x1b[31m"}}
    text = handle_text(stood(0, **call))
    assert "\n" not in text
    assert "\x1b" not in text
    assert text.startswith("[~~ ")
    assert text.endswith(f"{handle_of(b'some words')}]")


# ── trimming ─────────────────────────────────────────────────────────────────────────────────────


def test_a_file_is_shown_without_the_client_s_numbers_and_numbered_again() -> None:
    text = "     5→def f():\n     6→    return 1\n\n<system-reminder>x</system-reminder>"
    shown = shown_of(stood(0, name="Read", text=text))
    assert shown.text == "def f():\n    return 1"
    assert shown.around(shown.text) == text
    assert shown.around("a") == "     5→a\n\n<system-reminder>x</system-reminder>"


@given(st.text(alphabet="ab1→\t\n "), st.sampled_from(("Read", "Bash")))
def test_what_is_shown_is_the_result_again(text: str, tool: str) -> None:
    piece = stood(0, name=tool, text=text)
    shown = shown_of(piece)
    if not shown.first_line:
        assert shown.around(shown.text) == text


def test_what_repeats_itself_is_shortened_by_the_hooks_own_policy() -> None:
    text = "\n".join(["the same line again and again"] * 400)
    walker = Trimming(Words(), Wishes(min_tokens=10)).walker()
    [change] = walker.before(moment(0, [stood(0, text=text)]))
    assert change.text is not None
    assert len(change.text) < len(text) / 10
    assert change.receipt is not None


@given(st.text(max_size=200), st.integers(0, 250))
def test_head_and_tail_are_no_longer_than_asked(text: str, size: int) -> None:
    cut = head_and_tail(text, size)
    assert cut == text or len(cut) <= max(size, 5)


# ── all of them ──────────────────────────────────────────────────────────────────────────────────


def test_names_are_unique_and_the_first_is_the_session_as_it_was() -> None:
    every = strategies(Words(), Wishes())
    assert every[0].name == AS_IT_WAS
    assert len({one.name for one in every}) == len(every)
    assert all(one.said and one.basis for one in every)


def test_what_has_left_is_gone_for_those_who_would_refer_to_it() -> None:
    told: list[Moment] = []

    class Listening:
        name, basis, said = "listening", "modelled", "listens"

        def walker(self) -> Listening:
            return self

        def before(self, moment: Moment) -> Sequence[Change]:
            told.append(moment)
            return ()

    both = Combined("both", "", (Pruning(AT_ONCE._replace(keep_requests=1)), Listening()), Words())
    walker = both.walker()
    for one in (moment(0, [stood(7)]), moment(1), moment(2)):
        walker.before(one)
    assert [one.gone for one in told] == [(), (), (7,)]


def test_each_sees_what_those_before_it_made() -> None:
    both = Combined("both", "", (Terse(), SmallerBase()), Words())
    walker = both.walker()
    prose = stood(0, kind=window.TEXT)
    memory = stood(1, kind=window.MEMORY_FILE)
    changes = walker.before(moment(0, [prose, memory]))
    assert [(change.piece, change.by) for change in changes] == [
        (0, "terse"),
        (1, "base"),
        (-1, "base"),
    ]


CHANGING = st.lists(st.integers(100, 9_000), min_size=3, max_size=12)


@settings(max_examples=30, deadline=None)
@given(CHANGING, st.integers(1, 11))
def test_no_strategy_looks_ahead(sizes: list[int], until: int) -> None:
    """What is decided of a beginning is the same whatever follows it."""
    until = min(until, len(sizes))
    parts = [Part(size, at, text=f"result {at}\n" * (size // 10)) for at, size in enumerate(sizes)]
    gaps = [MINUTE_MS if size % 3 else 7 * MINUTE_MS for size in sizes]
    whole, beginning = thread(parts, gaps), thread(parts[:until], gaps[:until])
    counter = Remembering(Words())
    for one in strategies(counter, Wishes()):
        if one.basis == "oracle":
            continue
        later = walk(whole, one, counter).versions
        then = walk(beginning, one, counter).versions
        known = {
            piece: [version for version in versions if version.since < until]
            for piece, versions in later.items()
        }
        assert {piece: some for piece, some in known.items() if some} == {**then}
