"""What tools really printed, kept in `samples/`: shorter, accounted for, its failures whole."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.compression.accounting import assert_accounted

from tokenbudget.compression.codec import Draft
from tokenbudget.compression.codecs import CODECS
from tokenbudget.compression.passage import BALANCED, COMPRESSED, Origin, Passage
from tokenbudget.compression.shortening import shorten
from tokenbudget.metering.tokenizer import BytePairCounter

COUNTER = BytePairCounter()
SAMPLES = Path(__file__).parent / "samples"

EXPECTED = {
    # Sample: the codec that takes it, and the most that may be left of its tokens.
    "cargo-test": ("runs", 0.8),
    "java-trace": ("traces", 0.3),
    "make": ("runs", 0.4),
    "node-test": ("runs", 0.7),
    "pytest-v": ("runs", 0.4),
    "pytest-colour": ("text", 0.4),
    "python-trace": ("traces", 0.6),
    "server-log": ("logs", 0.6),
}

WHOLE = {
    "cargo-test": [
        "left: 3.005\n right: 3.01",
        "src/lib.rs:65:40",
        "test tests::rounds ... FAILED",
    ],
    "java-trace": ["no cart for 4711", "order 2 went wrong", "Shop.main(Shop.java:7)"],
    "make": ["-c part_17.c", "part_17.c:3:16: error:", "part_17.c:2:9: warning:", "Error 1"],
    "node-test": ["3.005 == 3.01", "cart.test.mjs:34:29", "later (", "fail 1"],
    "pytest-v": [
        "E       assert 3.0 == 3.01",
        "tests/test_shop.py:10: AssertionError",
        "test_expected XFAIL",
        "test_later SKIPPED",
        "ValueError: no rate",
        "items [1.005, 2]",
    ],
    "pytest-colour": ["E       assert 3.0 == 3.01", "tests/test_shop.py:10: AssertionError"],
    "python-trace": ["Expecting property name enclosed in double quotes", "request 3 went wrong"],
    "server-log": ["connection refused (attempt 7)", "connection refused (attempt 47)"],
}


def sample(name: str) -> str:
    return (SAMPLES / f"{name}.txt").read_text(encoding="utf-8")


@pytest.mark.parametrize("level", [BALANCED, COMPRESSED])
@pytest.mark.parametrize("name", EXPECTED)
def test_a_real_output_becomes_shorter_and_keeps_what_failed(name: str, level: str) -> None:
    text = sample(name)
    codec, most = EXPECTED[name]
    shortened = shorten(Passage(text, Origin("Bash")), level, COUNTER, "483920112345")
    assert shortened is not None
    receipt = shortened.receipt
    assert receipt.codec == codec
    assert receipt.after_tokens == COUNTER.count(shortened.text) <= most * receipt.before_tokens
    body, _, way_back = shortened.text.rpartition("\n")
    assert way_back.endswith("tokens recall 483920112345]")
    assert_accounted(text, Draft(_without_end(body, text), receipt.removed))
    for part in WHOLE[name]:
        assert part in shortened.text


def _without_end(body: str, text: str) -> str:
    """The draft as the codec gave it: the way back stands on a line of its own."""
    return f"{body}\n" if text.endswith("\n") else body


def test_what_is_nearly_all_failure_stays_nearly_whole() -> None:
    shortened = shorten(Passage(sample("unittest-v")), BALANCED, BytePairCounter(), "483920112345")
    assert (
        shortened is None or shortened.receipt.after_tokens > 0.9 * shortened.receipt.before_tokens
    )


def test_every_codec_of_the_list_has_a_name_of_its_own() -> None:
    assert len({codec.name for codec in CODECS}) == len(CODECS)
