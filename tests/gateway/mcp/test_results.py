"""What goes into the window: small things whole, big ones in part with a way to the whole."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tokenbudget.compression.handles import handle_of
from tokenbudget.gateway.mcp.results import Results, declared
from tokenbudget.gateway.mcp.sandbox_values import Outcome
from tokenbudget.gateway.mcp.values import Answer
from tokenbudget.metering.tokenizer import BytePairCounter
from tokenbudget.model.errors import ProjectUnusable

COUNTER = BytePairCounter()
MOST = 500


class Kept:
    """A spill in memory."""

    def __init__(self, *, is_full: bool = False) -> None:
        self.contents: dict[str, bytes] = {}
        self._is_full = is_full

    def keep(self, content: bytes, label: str) -> str:
        if self._is_full:
            raise ProjectUnusable("the disk is full")
        self.contents[handle_of(content)] = content
        return handle_of(content)


def outcome(value: str = "", printed: str = "", error: str = "", **more: Any) -> Outcome:
    made = Outcome(value, True, len(value), printed, error, 0, 1.0, (), ())
    return made._replace(**more)


def of(kept: Kept, level: str = "balanced") -> Results:
    return Results(COUNTER, kept.keep, MOST, level)


def random_words(count: int, seed: int = 1) -> str:
    chance = random.Random(seed)
    return " ".join(f"{chance.randrange(10**9):x}" for _ in range(count))


def test_what_is_little_is_said_as_it_is() -> None:
    kept = Kept()
    told = of(kept).of_run(outcome(value='{"a":1}', printed="hello\n"))
    assert told == ('hello\n{"a":1}', COUNTER.count('hello\n{"a":1}'), "")
    assert kept.contents == {}


def test_nothing_is_said_to_be_nothing() -> None:
    assert (
        of(Kept()).of_run(outcome()).text == "[~ done; nothing was printed, and the value is None]"
    )


def test_rows_are_said_in_fewer_tokens_without_loss() -> None:
    rows = json.dumps([{"id": n, "name": f"row {n}"} for n in range(60)], separators=(",", ":"))
    kept = Kept()
    told = of(kept).of_run(outcome(value=rows))
    assert told.tokens < 0.7 * COUNTER.count(rows)
    assert "row 59" in told.text
    assert kept.contents == {}


@pytest.mark.parametrize(
    "text",
    [
        json.dumps([{"id": n, "name": f"row {n}"} for n in range(3_000)]),
        "\n".join(f"line {n} of some output" for n in range(5_000)),
        random_words(20_000),
        "x" * 300_000,
        "é\ud800" * 20_000,
        "[~ 5 lines left out]\n" * 3_000,
        "\n" * 100_000,
    ],
    ids=["rows", "lines", "words", "one letter", "surrogates", "imitated markers", "empty lines"],
)
@pytest.mark.parametrize("level", ["verbose", "balanced", "compressed"])
def test_what_is_too_long_is_cut_to_size_and_kept_whole(text: str, level: str) -> None:
    kept = Kept()
    told = of(kept, level).of_run(outcome(value=text))
    assert told.tokens <= MOST + 60
    if told.handle:
        assert kept.contents[told.handle] == text.rstrip("\n").encode("utf-8", "surrogatepass")
        assert f"tokens recall {told.handle}" in told.text
    else:
        assert len(set(text.split("\n"))) <= 2  # so often the same can be said without loss


def test_where_the_value_stands_is_told_where_it_stands_there() -> None:
    words = "\n".join(f"line {number} of a long text" for number in range(4_000))
    rows = json.dumps([{"name": f"n{number}", "size": number} for number in range(4_000)])
    for level in ("balanced", "compressed"):
        for value in (words, rows, "word " * 20_000):
            told = of(Kept(), level).of_run(outcome(value=value)).text
            assert "; in code: `last`" in told
            assert "all 1 lines" not in told
        printed = of(Kept(), level).of_run(outcome(printed=words)).text
        assert "tokens recall" in printed
        assert "`last`" not in printed


def test_markers_that_the_text_imitates_are_not_ours() -> None:
    value = "[~ all is well: tokens recall 123456789012]"
    told = of(Kept()).of_run(outcome(value=value, notes=("variables were lost",)))
    assert told.text == f"{value}\n[~~ variables were lost]"


def test_an_error_and_notes_stand_behind_what_was_printed() -> None:
    notes = ("one\nline", *[f"note {n}" for n in range(50)])
    told = of(Kept()).of_run(outcome(printed="a", error="NameError: no x\n", notes=notes))
    lines = told.text.splitlines()
    assert lines[:3] == ["a", "error: NameError: no x", "[~ one line]"]
    assert len(lines) == 10
    long = of(Kept()).of_run(outcome(error="e" * 100_000))
    assert len(long.text) < 2_100


def test_where_the_whole_cannot_be_kept_no_way_to_it_is_told() -> None:
    told = of(Kept(is_full=True)).of_run(outcome(value=random_words(20_000)))
    assert told.handle == ""
    assert "recall" not in told.text
    assert "`last`" in told.text
    assert told.tokens <= MOST + 60


def test_a_direct_answer_says_a_value_once_and_keeps_what_is_no_text() -> None:
    picture = {"type": "image", "data": "AAAA", "mimeType": "image/png", "unknown": 1}
    answer = Answer([{"type": "text", "text": '{"a": 1}'}, picture], {"a": 1}, is_error=False)
    blocks, _ = of(Kept()).of_call(answer, "s.t")
    assert blocks == [{"type": "text", "text": '{"a":1}'}, picture]
    assert of(Kept()).of_call(Answer([picture], None, False), "s.t")[0] == [picture]
    assert of(Kept()).of_call(Answer([], None, False), "s.t")[0] == [{"type": "text", "text": ""}]


def test_a_resource_in_an_answer_is_made_fit_as_well() -> None:
    resource = {"uri": "x:1", "text": random_words(20_000), "unknown": 1}
    answer = Answer([{"type": "resource", "resource": resource}], None, is_error=False)
    block: Any = of(Kept()).of_call(answer, "s.t")[0][0]
    assert COUNTER.count(block["resource"]["text"]) <= 5 * MOST
    assert "tokens recall " in block["resource"]["text"]
    assert block["resource"]["unknown"] == 1


def test_what_cannot_be_shown_is_declared() -> None:
    picture = {"type": "image", "data": "A" * 4_000, "mimeType": "image/png"}
    assert declared([picture, {"type": "text", "text": "x"}]) == ["image/png, 3,000 bytes"]


@settings(max_examples=60, deadline=None)
@given(value=st.text(max_size=6_000), printed=st.text(max_size=3_000), error=st.text(max_size=300))
def test_any_text_is_told_within_its_limit(value: str, printed: str, error: str) -> None:
    told = of(Kept()).of_run(outcome(value=value, printed=printed, error=error))
    assert COUNTER.count(told.text) <= MOST + COUNTER.count(error) + 60
