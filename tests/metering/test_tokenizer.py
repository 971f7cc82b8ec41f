import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tokenbudget.metering.tokenizer import VOCABULARY, BytePairCounter, measure
from tokenbudget.model.window import Measure

COUNTER = BytePairCounter()
SOURCES = str(Path(__file__).parents[2] / "src")

any_text = st.text(st.characters(codec=None))  # lone surrogates as well
silent = [chr(code) for code in [*range(32), 127] if chr(code) != "\n"]


class Letters:
    """Counts characters."""

    name = "letters"

    def count(self, text: str) -> int:
        return len(text)


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("", 0),
        (" ", 1),
        ("hello world", 2),
        ("Hello, World!", 4),
        ("def main():\n    return 42\n", 8),
        ("naïve café 日本語", 6),
        ("1234567890", 4),
    ],
)
def test_counts_of_the_public_vocabulary(text: str, tokens: int) -> None:
    assert COUNTER.name == VOCABULARY == "o200k_base"
    assert COUNTER.count(text) == tokens


@pytest.mark.parametrize("word", ["<|endoftext|>", "<|endofprompt|>", "<|fim_prefix|>"])
def test_a_special_word_is_text_like_any_other(word: str) -> None:
    assert COUNTER.count(word) > 1
    assert COUNTER.count(f"a {word} b") > 3


@pytest.mark.parametrize("text", ["\ud800", "a\udfffb", "\udc00\ud800"])
def test_a_lone_surrogate_counts_as_a_question_mark(text: str) -> None:
    plain = "".join("?" if "\ud800" <= sign <= "\udfff" else sign for sign in text)

    assert COUNTER.count(text) == COUNTER.count(plain)
    assert measure(text, COUNTER) == measure(plain, COUNTER)


@given(any_text)
def test_any_text_can_be_counted(text: str) -> None:
    assert 0 <= COUNTER.count(text) <= len(text.encode("utf-8", "replace"))


def test_kinds_of_characters_are_told_apart() -> None:
    found = measure("Ab cd\n19_é\t", Letters())

    assert found == Measure(
        bpe_tokens=11,
        lower_bytes=3,
        upper_bytes=1,
        digit_bytes=2,
        space_bytes=1,
        line_bytes=1,
        sign_bytes=1,
        high_bytes=2,
    )


@given(any_text)
def test_kinds_of_characters_add_up_to_the_bytes_without_control_characters(text: str) -> None:
    size = len(text.encode("utf-8", "replace"))

    kinds = measure(text, Letters())[1:]

    assert sum(kinds) == size - sum(text.count(sign) for sign in silent)
    assert min(kinds) >= 0


@given(any_text, any_text)
def test_kinds_of_characters_of_a_whole_are_those_of_its_parts(first: str, second: str) -> None:
    whole = measure(first + " " + second, Letters())
    parts = [measure(text, Letters()) for text in (first, " ", second)]

    assert whole == Measure._make(map(sum, zip(*parts, strict=True)))


def test_nothing_is_counted_in_no_text() -> None:
    class Never:
        name = "never"

        def count(self, text: str) -> int:
            raise AssertionError("there is nothing to count")

    assert measure("", Never()) == Measure(0, 0, 0, 0, 0, 0, 0, 0)


def test_importing_the_module_loads_no_vocabulary_and_no_json() -> None:
    code = (
        "import sys; import tokenbudget.metering.tokenizer; "
        "print([name for name in ('splintr', 'json') if name in sys.modules])"
    )

    done = subprocess.run(
        [sys.executable, "-S", "-c", code],
        env={"PYTHONPATH": SOURCES},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )

    assert done.stdout == "[]\n"
