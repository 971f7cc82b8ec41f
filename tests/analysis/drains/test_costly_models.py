"""Dear models for look-ups: what a cheaper one would have cost, switches paid."""

from __future__ import annotations

import pytest
from tests.analysis.drains.threads import MODEL, OUTPUT_USD, READ_USD, WRITE_USD, Thread, thread

from tokenbudget.analysis.drains.costly_models import (
    COSTLY_MODEL,
    DOUBT,
    LEAST_REQUESTS,
    cheaper_model,
)
from tokenbudget.analysis.study import Sighting

SONNET = (2e-6, 2.5e-6, 0.1e-6, 10e-6)
"""claude-sonnet-5-5 per token: input, five-minute write, read, output."""


def found(story: Thread, claimed: set[int] | None = None) -> list[Sighting]:
    """What the detector sees."""
    assert COSTLY_MODEL.detect is not None
    view = story.view()
    return list(COSTLY_MODEL.detect(view, set() if claimed is None else claimed))


def looks(story: Thread, count: int = 12, tokens: int = 1_000) -> Thread:
    """So many files are looked at, one in each request."""
    for number in range(count):
        story.read(f"src/{number}.py", "x = 1\n", tokens=tokens)
    return story


def paid_for(story: Thread, first: int, last: int) -> tuple[float, float]:
    """What some requests cost, and what the other model would have cost for the same."""
    turns = story.view().turns[first : last + 1]
    wrote = sum(turn.cache_write_5m_tokens for turn in turns)
    read = sum(turn.cache_read_tokens for turn in turns)
    output = sum(turn.output_tokens for turn in turns)
    paid = wrote * WRITE_USD + read * READ_USD + output * OUTPUT_USD
    return paid, wrote * SONNET[1] + read * SONNET[2] + output * SONNET[3]


def test_a_subagent_of_look_ups_is_taken_whole() -> None:
    """No cache is filled twice; its report is the other model's too."""
    story = looks(thread("a1", prefix_tokens=15_000).prompt("find it")).says("Found.")
    paid, other = paid_for(story, 0, 12)
    [one] = found(story)
    assert (one.drain, one.subject, one.times) == ("costly-model", MODEL, 13)
    assert one.cost_pico_usd == pytest.approx((paid - other) * 1e12)
    assert (one.sent_tokens, one.error_tokens, one.window_tokens) == (0, 0, 0)
    assert one.error_pico_usd == round(one.cost_pico_usd * DOUBT)
    assert f"${paid:.2f}; claude-sonnet-5-5 would have cost ${other:.2f}" in one.detail
    assert one.line == story.view().turns[0].line


def test_in_a_main_thread_both_changes_of_the_model_are_paid() -> None:
    """The window written for the other model, and after the run written again for the first."""
    story = thread(prefix_tokens=2_000).prompt("x").says("ok").prompt("find it")
    looks(story, 200, tokens=100).says("Found.")
    view = story.view()
    paid, other = paid_for(story, 1, 200)
    first, back = view.turns[1], view.turns[201]
    other += first.cache_read_tokens * (SONNET[1] - SONNET[2])
    added = back.cache_read_tokens * (WRITE_USD - READ_USD)
    [one] = found(story)
    assert one.times == 200
    assert one.cost_pico_usd == pytest.approx((paid - other - added) * 1e12)


def test_a_short_run_does_not_pay_for_the_switch() -> None:
    """Twelve look-ups behind 20,000 tokens are cheaper where they are."""
    story = thread(prefix_tokens=20_000).prompt("x").says("ok").prompt("find it")
    assert found(looks(story).says("Found.")) == []


def scout() -> Thread:
    """A subagent with a task."""
    return thread("a1", prefix_tokens=15_000).prompt("find it")


@pytest.mark.parametrize(
    "story",
    [
        looks(scout(), LEAST_REQUESTS - 1).goes_on(1),
        looks(looks(scout(), 6).edit("a", "b", "c"), 6).says("Found."),
        looks(looks(scout(), 6).thinks("hm", tokens=50), 6).says("Found."),
        looks(looks(scout(), 6).says("word " * 500), 6).says("Found."),
        looks(looks(scout(), 6).read("a", "x", tokens=9_000), 6).says("Found."),
        looks(looks(scout(), 6).bash("npm test", "ok"), 6).says("Found."),
        looks(looks(scout(), 6).bash("ls", "no", error=True), 6).says("Found."),
        looks(looks(scout(), 6).prompt("go on"), 6).says("Found."),
        looks(scout().asks(model="claude-sonnet-5-5")).says("Found."),
        looks(scout().asks(model="gpt-5")).says("Found."),
        looks(scout().asks(owned=False)).says("Found."),
    ],
    ids=[
        "few", "edit", "thought", "text", "large result", "test", "error", "prompt", "cheap model",
        "unknown model", "owned elsewhere",
    ],
)  # fmt: skip
def test_what_is_not_mechanical(story: Thread) -> None:
    """Each breaks the run of twelve in two, or is another model's."""
    assert found(story) == []


def test_what_others_charged_breaks_a_run() -> None:
    """A request is not charged for twice."""
    story = looks(scout(), 12).says("Found.")
    use = story.view().calls[6].use
    assert use is not None
    assert found(story, {use.number}) == []


@pytest.mark.parametrize(
    ("model", "cheaper"),
    [
        ("claude-opus-5-5", "claude-sonnet-5-5"),
        ("claude-opus-4-5-20251101", "claude-sonnet-4-5"),
        ("claude-opus-4-20250514", "claude-sonnet-4-0"),
        ("claude-fable-5", "claude-sonnet-5"),
        ("claude-sonnet-5-5", ""),
        ("claude-opus-9", ""),
        ("", ""),
    ],
)
def test_the_alternative_is_of_the_same_time(model: str, cheaper: str) -> None:
    """A model that is not known has none."""
    assert cheaper_model(model) == cheaper


def test_keeping_a_list_of_tasks_is_no_look_up() -> None:
    """It interrupts none, and no subagent keeps the list of another."""
    story = thread("a1", prefix_tokens=15_000).prompt("find it")
    for number in range(LEAST_REQUESTS - 1):
        story.read(f"src/{number}.py", "x = 1\n", tokens=1_000)
        story.call("TodoWrite", {"todos": [number]}, "ok")
    assert found(story.says("Found.")) == []
    story = thread("a1", prefix_tokens=15_000).prompt("find it")
    story.call("TodoWrite", {"todos": []}, "ok")
    assert [one.times for one in found(looks(story, LEAST_REQUESTS).says("Found."))] == [
        LEAST_REQUESTS + 2
    ]
