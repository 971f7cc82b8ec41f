"""Later use: what the model wrote, and when."""

from __future__ import annotations

from tests.analysis.drains.threads import Thread, thread

from tokenbudget.analysis.drains.later_use import LaterUse, strings_in

LINE = "return sum(prices) * count"


def story() -> Thread:
    """A prompt, a text, a call with a result, a text."""
    told = thread().prompt("Of carts and prices.").says("Some checkout first.")
    told.edit("src/a.py", "old_total", f"def new_total():\n    {LINE}\n")
    return told.says("Then the checkout again, and parcels.")


def test_words_of_texts_and_of_arguments_are_use() -> None:
    """But not those of results, nor of prompts."""
    use = LaterUse(story().view())
    assert use.has_word("new_total", 0)
    assert use.has_word("parcels", 0)
    assert not use.has_word("updated", 0)
    assert not use.has_word("carts", 0)


def test_use_is_later_than_the_piece() -> None:
    """The prompt is piece 0, the texts are 1 and 4, the call is 2."""
    use = LaterUse(story().view())
    assert use.has_word("new_total", 1)
    assert not use.has_word("new_total", 2)
    assert use.has_word("checkout", 3)
    assert not use.has_word("checkout", 4)


def test_quoted_lines_are_found_whatever_their_indent() -> None:
    """Short ones are not: they come back by chance."""
    use = LaterUse(story().view())
    assert use.has_line("\t" + LINE + "  ", 1)
    assert not use.has_line(LINE, 2)
    assert not use.has_line("def new_total():", 0)


def test_learned_is_what_nobody_had_said_before() -> None:
    """The model knew of the checkout, the person spoke of prices."""
    use = LaterUse(story().view())
    words = {"checkout", "prices", "parcels", "count", "unheard"}
    assert use.learned(words, 1) == {"parcels", "count"}
    assert use.learned(words, 3) == {"parcels"}
    assert use.learned(words, 4) == set()


def test_names_are_found_in_the_midst_of_words() -> None:
    """Paths and file names."""
    use = LaterUse(story().view())
    assert use.names("a.py", 1)
    assert not use.names("a.py", 2)


def test_strings_lie_at_any_depth() -> None:
    """However deep an argument is, nothing overflows."""
    deep: object = "at the bottom"
    for _ in range(5_000):
        deep = [deep]
    arguments = {"a": "top", "b": {"c": ["in", 1, None]}, "d": deep}
    assert set(strings_in(arguments)) == {"top", "in", "at the bottom"}  # type: ignore[arg-type]


def test_an_empty_thread_uses_nothing() -> None:
    """No text at all."""
    use = LaterUse(thread().view())
    assert not use.has_word("word", -1)
    assert not use.has_line(LINE, -1)
    assert use.learned({"word"}, -1) == set()
