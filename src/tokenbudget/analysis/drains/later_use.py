"""What a thread later made of a text that it was given: words, lines and paths that came back.

Only what the model wrote counts as use: its texts, its thinking, and the arguments of its calls.
Where the client leaves out the words of the thinking, use can go unseen; detectors that build on
this stay silent when in doubt.
"""

from __future__ import annotations

from functools import cached_property

from tokenbudget.analysis.drains.identifiers import plain_words_of, words_of
from tokenbudget.model import window

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from tokenbudget.analysis.thread_view import ThreadView
    from tokenbudget.model.actions import Json

LEAST_QUOTED_CHARACTERS = 20
"""A line of so many characters does not come back by chance."""


_latest: list[tuple[ThreadView, LaterUse]] = []


def later_use(view: ThreadView) -> LaterUse:
    """What came back in a thread; made once for all detectors that look at it one after another."""
    if not _latest or _latest[0][0] is not view:
        _latest[:] = [(view, LaterUse(view))]
    return _latest[0][1]


class LaterUse:
    """When each word and each line was first and last written by the model of a thread."""

    def __init__(self, view: ThreadView) -> None:
        self._view = view
        self.texts = _written(view)
        """(piece's number, text) of all that the model wrote, in order."""

    def names(self, name: str, after: int) -> bool:
        """Whether something that it wrote after piece `after` holds the name, as it is spelt."""
        return any(name in text for number, text in self.texts if number > after)

    def has_word(self, word: str, after: int) -> bool:
        """Whether the model wrote the word after piece `after`."""
        return self._words[1].get(word, -1) > after

    def has_line(self, line: str, after: int) -> bool:
        """Whether it quoted the line whole, and the line is long enough to tell."""
        return self._lines.get(line.strip(), -1) > after

    def last_word(self, word: str) -> int:
        """The last piece in which it wrote the word; -1: never."""
        return self._words[1].get(word, -1)

    def last_line(self, line: str) -> int:
        """The last piece in which it quoted the line whole; -1: never."""
        return self._lines.get(line.strip(), -1)

    def learned(self, words: Iterable[str], after: int) -> set[str]:
        """Of the words, those that the model wrote after piece `after` and nobody had before."""
        first, last = self._words
        spoken = self._spoken
        return {
            word
            for word in words
            if last.get(word, -1) > after
            and first[word] > after
            and spoken.get(word, after) >= after
        }

    def learned_plain(self, words: Iterable[str], after: int) -> set[str]:
        """Of plain words, those that the model wrote after piece `after`, and nobody before."""
        first, last, spoken = self._plain
        return {
            word
            for word in words
            if last.get(word, -1) > after
            and first[word] > after
            and spoken.get(word, after) >= after
        }

    @cached_property
    def _plain(self) -> tuple[dict[str, int], dict[str, int], dict[str, int]]:
        """The first and the last piece of the model's, and the first prompt, with each word."""
        first: dict[str, int] = {}
        last: dict[str, int] = {}
        for number, text in self.texts:
            for word in plain_words_of(text):
                first.setdefault(word, number)
                last[word] = number
        spoken: dict[str, int] = {}
        for piece in self._view.seen:
            if piece.kind == window.PROMPT:
                for word in plain_words_of(piece.text):
                    spoken.setdefault(word, piece.number)
        return first, last, spoken

    @cached_property
    def _words(self) -> tuple[dict[str, int], dict[str, int]]:
        """The first and the last piece with each word."""
        of_texts = [dict.fromkeys(words_of(text), number) for number, text in self.texts]
        first: dict[str, int] = {}
        last: dict[str, int] = {}
        for words in reversed(of_texts):
            first.update(words)
        for words in of_texts:
            last.update(words)
        return first, last

    @cached_property
    def _lines(self) -> dict[str, int]:
        """The last piece with each line that is long enough to tell."""
        return {
            line.strip(): number
            for number, text in self.texts
            for line in text.split("\n")
            if len(line) >= LEAST_QUOTED_CHARACTERS and len(line.strip()) >= LEAST_QUOTED_CHARACTERS
        }

    @cached_property
    def _spoken(self) -> dict[str, int]:
        """The first prompt with each word."""
        prompts = [piece for piece in self._view.seen if piece.kind == window.PROMPT]
        return {word: piece.number for piece in reversed(prompts) for word in words_of(piece.text)}


def _written(view: ThreadView) -> list[tuple[int, str]]:
    """(piece's number, text) of all that the model wrote, in order."""
    texts = [
        (piece.number, piece.text)
        for piece in view.seen
        if piece.kind in (window.TEXT, window.THINKING)
    ]
    texts += [
        (call.use.number, "\n".join(strings_in(call.arguments)))
        for call in view.calls
        if call.use is not None
    ]
    return sorted(texts)


def strings_in(arguments: Mapping[str, Json]) -> Iterator[str]:
    """Every string in a call's arguments, however deep it lies."""
    left: list[Json] = list(arguments.values())
    while left:
        value = left.pop()
        if isinstance(value, str):
            yield value
        elif isinstance(value, dict):
            left += value.values()
        elif isinstance(value, list):
            left += value
