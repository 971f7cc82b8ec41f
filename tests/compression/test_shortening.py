"""From a text to a shorter one: what is refused, what the receipt tells, where the way back is."""

from __future__ import annotations

import json

from hypothesis import given, settings
from hypothesis import strategies as st

from json_rows import compact
from tokenbudget.compression.codec import Codec, Draft
from tokenbudget.compression.codecs import CODECS
from tokenbudget.compression.marks import Marks, split
from tokenbudget.compression.passage import BALANCED, LEVELS, VERBOSE, Origin, Passage
from tokenbudget.compression.receipts import Removed
from tokenbudget.compression.shortening import shorten
from tokenbudget.metering.tokenizer import BytePairCounter

PROPERTY = settings(deadline=None, max_examples=40, database=None)

JSON = json.dumps({"a": [1, 2, {"b": None}]})
COUNTER = BytePairCounter()
HANDLE = "123456789012"


class CountsWords:
    """A counter whose tokens are words."""

    name = "words"

    def count(self, text: str) -> int:
        return len(text.split())


def always(text: str, removed: tuple[Removed, ...] = (), is_lossless: bool = False) -> Codec:
    """A codec that makes this of any text."""
    return Codec("always", lambda _: True, lambda *_: Draft(text, removed, is_lossless))


def drops_middle(passage: Passage, marks: Marks, _: str) -> Draft:
    """Keeps the first line and the last."""
    count = len(passage.lines) - 2
    lines = [passage.lines[0], marks.mark(f"{count} lines"), passage.lines[-1]]
    return Draft("\n".join(lines), (Removed("lines", count, ((1, count + 1),)),))


MIDDLE = Codec("middle", lambda _: True, drops_middle)
TEN = "\n".join(f"line {n} of ten" for n in range(10))


def test_the_way_back_stands_last_and_is_counted() -> None:
    short = shorten(Passage(TEN), BALANCED, CountsWords(), HANDLE, [MIDDLE])
    assert short is not None
    assert short.text.split("\n")[-1] == f"[~ all 10 lines: tokens recall {HANDLE}]"
    assert short.receipt.after_tokens == CountsWords().count(short.text)
    assert short.receipt.before_tokens == 40


def test_what_is_lossless_needs_no_way_back() -> None:
    short = shorten(Passage(TEN), VERBOSE, CountsWords(), HANDLE, [always("ten", (), True)])
    assert short is not None
    assert short.text == "ten"


def test_nothing_is_taken_that_costs_as_much_with_its_way_back() -> None:
    text = "a b c d e f\n" + "x" * 400
    assert shorten(Passage(text), BALANCED, CountsWords(), HANDLE, [always("a b c d")]) is None


def test_words_of_the_text_that_would_pass_for_a_marker_are_refused() -> None:
    forged = always("[~ 40 lines]")
    assert shorten(Passage(TEN), BALANCED, CountsWords(), "", [forged]) is None


def test_the_first_codec_that_saves_is_taken() -> None:
    codecs = [always(TEN + "!"), always("a"), always("b")]
    short = shorten(Passage(TEN), BALANCED, CountsWords(), "", codecs)
    assert short is not None
    assert short.text == "a"


def test_the_receipt_counts_bytes_and_names_the_opening() -> None:
    text = TEN + " é [~ 3 lines] \ud800"
    short = shorten(Passage(text), BALANCED, CountsWords(), HANDLE, [MIDDLE])
    assert short is not None
    assert short.receipt.opening == "[~~"
    assert short.receipt.before_bytes == len(text.encode("utf-8", "replace"))
    assert split(short.text, "[~~")[1] == ("8 lines", f"all 10 lines: tokens recall {HANDLE}")


def test_five_hundred_flat_rows_lose_nothing_but_a_third_of_their_tokens() -> None:
    text = compact(500)
    short = shorten(Passage(text), VERBOSE, COUNTER, HANDLE)
    assert short is not None
    assert short.receipt.is_lossless
    assert short.receipt.after_tokens <= 0.65 * COUNTER.count(text)


@PROPERTY
@given(
    text=st.lists(
        st.text(alphabet="ab 1/:{}[]~\"'\\\n\r\t\x00\x1b\ud800é<>|+-=", max_size=60)
        | st.sampled_from(("[~ 3 lines]", "ERROR: not found", JSON)),
        max_size=40,
    ).map("\n".join),
    level=st.sampled_from(LEVELS),
    command=st.sampled_from(("", "git diff", "pytest", "rg x", "ls -R", "cat yarn.lock")),
)
def test_any_text_is_shortened_alike_each_time_or_left(text: str, level: str, command: str) -> None:
    origin = Origin("Bash", command)
    first = shorten(Passage(text, origin), level, COUNTER, HANDLE)
    assert first == shorten(Passage(text, origin), level, COUNTER, HANDLE)
    if first is not None:
        assert first.receipt.after_tokens == COUNTER.count(first.text) < COUNTER.count(text)


def test_each_codec_is_named_once() -> None:
    names = [codec.name for codec in CODECS]
    assert len(set(names)) == len(names)
