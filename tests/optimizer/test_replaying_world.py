"""The modelled window: files in use, what a compaction takes away, what is left."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest
from tests.analysis.test_backtest_strategies import Words, moment, stood

from tokenbudget.model import window
from tokenbudget.model.replay import SUMMARY_PIECE, Stood
from tokenbudget.optimizer.replaying_world import SUMMARY_TOKENS, World, is_between_turns
from tokenbudget.optimizer.working_set import CLIENT

NO_PART: Mapping[str, int] = {}


def read(
    number: int,
    path: str,
    text: str = "line\n" * 40,
    part: Mapping[str, int] = NO_PART,
    shown_share: float | None = None,
) -> Stood:
    made = stood(number, name="Read", text=text, arguments={"file_path": path, **part})
    return made._replace(shown_share=shown_share)


def edit(number: int, path: str) -> Stood:
    arguments = {"file_path": path, "old_string": "line", "new_string": "word"}
    return stood(number, kind=window.TOOL_USE, name="Edit", arguments=arguments)


def world_of(*requests: Sequence[Stood], window_tokens: int = 50_000) -> World:
    """A world behind these requests: the last of them is about to be sent."""
    world = World(Words())
    for number, fresh in enumerate(requests):
        one = moment(number, fresh, window_tokens=window_tokens)
        world.finish_request(one)
        world.begin_request(one)
    return world


def kept(world: World, numbers: range) -> set[int]:
    return set(numbers) - set(world.compaction().leaving)


def test_a_file_that_was_edited_comes_back_with_its_edits() -> None:
    world = world_of([read(0, "a.py"), stood(1)], [edit(2, "a.py")], [stood(3)])
    assert kept(world, range(4)) == {0, 2, 3}


def test_a_large_file_and_one_of_unknown_size_do_not() -> None:
    large = read(0, "large.py", text="x" * (4 * CLIENT.tokens_each + 8))
    part = read(1, "part.py", part={"offset": 90, "limit": 40})
    known = read(2, "known.py", part={"offset": 9, "limit": 40}, shown_share=0.5)
    world = world_of([large, part, known], [stood(3)])
    assert kept(world, range(4)) == {2, 3}
    sizes = {one.path: one.tokens for one in world.files()}
    assert sizes["part.py"] == float("inf")
    assert sizes["known.py"] == pytest.approx(2 * len(known.text) / 4)


def test_what_a_file_takes_and_how_long_ago_it_was_used_is_told() -> None:
    world = world_of(
        [read(0, "a.py"), read(1, "b.py")], [edit(2, "a.py")], [stood(3)], [read(4, "b.py")]
    )
    told = {one.path: one for one in world.files()}
    assert (told["a.py"].read_requests_ago, told["a.py"].edited_requests_ago) == (2, 2)
    assert (told["b.py"].read_requests_ago, told["b.py"].edited_requests_ago) == (0, None)
    sizes = [world.pieces(frozenset((window.TOOL_RESULT, window.TOOL_USE)))]
    in_window = {one.number: tokens for one, tokens in sizes[0]}
    assert told["a.py"].window_tokens == in_window[0] + in_window[2]
    assert told["b.py"].window_tokens == in_window[4], "the copy that was read last"


def test_a_stub_that_says_unchanged_is_not_the_file() -> None:
    stub = read(1, "a.py", text="unchanged")
    world = world_of([read(0, "a.py")], [stub], [stood(2)])
    assert kept(world, range(3)) == {0, 2}


def test_what_was_edited_last_comes_before_what_was_only_read() -> None:
    edited = [edit(number, f"edited{number}.py") for number in range(5)]
    world = world_of(edited, [read(9, "read.py")], [stood(10)])
    leaving = world.compaction().leaving
    assert 9 in leaving
    assert not set(range(5)) & set(leaving)


def test_listings_and_system_prompt_stay_and_the_summary_is_told_once() -> None:
    listing = stood(0, kind=window.SKILL_LISTING)
    world = world_of([listing, stood(1, 20_000.0), stood(2, 20_000.0)], [stood(3)], [stood(4)])
    found = world.compaction()
    assert found.leaving == (1, 2, 3)
    changes = world.compact(found)
    assert [one.share for one in changes if one.piece == SUMMARY_PIECE] == [SUMMARY_TOKENS]
    assert found.freed_tokens == 41_000 - SUMMARY_TOKENS
    assert world.used_tokens == pytest.approx(50_000 - found.freed_tokens)

    following = moment(3, [stood(5, 9_000.0)], window_tokens=60_000)
    world.finish_request(following)
    world.begin_request(following)
    again = world.compaction()
    assert again.leaving == (1, 4)  # the old summary stands in the place of the first piece
    assert again.removed_tokens == SUMMARY_TOKENS + 1_000


def test_a_file_that_did_not_come_back_is_in_use_no_more() -> None:
    large = read(0, "large.py", text="x" * (4 * CLIENT.tokens_each + 8))
    world = world_of([large, read(1, "small.py")], [stood(2)])
    world.compact(world.compaction())
    assert [one.path for one in world.files()] == ["small.py"]


def test_what_left_the_window_by_itself_frees_nothing_more() -> None:
    world = world_of([stood(0, 10_000.0), stood(1, 10_000.0)], [stood(2)])
    world.compact(world.compaction())
    cleared = moment(2, [stood(3)], gone=(0, 1), window_tokens=30_000)
    world.finish_request(cleared)
    assert world.used_tokens < 30_000
    world.begin_request(cleared)
    assert world.used_tokens == 30_000


def test_the_agent_waits_where_its_last_answer_asked_for_no_tool() -> None:
    said = stood(0, kind=window.TEXT)
    called = stood(1, kind=window.TOOL_USE)
    assert is_between_turns([said, stood(2, kind=window.PROMPT)])
    assert not is_between_turns([said, called, stood(3)])
    assert not is_between_turns([])
