"""What of a run or a call goes into the window: all of it where it is little, else a part.

Up to `answer_tokens` nothing is lost: a longer text is only said in fewer tokens, if it can be. A
larger one is shortened as results at the door are; what is still too much loses its middle. Either
way the whole is kept under a handle first, and the value is in the sandbox as `last`.

What servers and code say is theirs. Our own words stand in markers whose opening that text does not
hold (`compression.marks`), so whatever imitates one is not taken for us.
"""

from __future__ import annotations

from typing import NamedTuple

from tokenbudget.compression.handles import handle_of
from tokenbudget.compression.marks import Marks
from tokenbudget.compression.passage import BALANCED, COMPRESSED, VERBOSE, Origin, Passage
from tokenbudget.compression.policy_rules import codecs_for_any
from tokenbudget.compression.shortening import shorten
from tokenbudget.model.errors import TokenBudgetError
from tokenbudget.model.plain_text import one_line

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from tokenbudget.gateway.mcp.sandbox_values import Outcome
    from tokenbudget.gateway.mcp.values import Answer
    from tokenbudget.model.protocols import TokenCounter

SMALL_TOKENS = 200
"""What is shorter is left alone, as at the door (`compression.policy`)."""
LEAST_CHARS_PER_TOKEN = 2
LEAST_SAVED_SHARE = 0.05
MOST_SHORTENED_CHARS = 4_000_000
"""A longer text only loses its middle: shortening it would take seconds."""
MOST_CODECS = 4
DIRECT_FACTOR = 5
"""A direct tool's result was asked for as it is: it may be so many times as long."""
MOST_NOTE_CHARS, MOST_NOTES = 300, 8
MOST_ERROR_CHARS = 2_000
MOST_BLOCKS = 100
HEAD_SHARE = 0.6


class Told(NamedTuple):
    """A text for the window."""

    text: str
    tokens: int
    handle: str
    """Under which the whole is kept; '' where nothing is missing."""


class Results:
    """Makes texts for the window."""

    def __init__(
        self,
        counter: TokenCounter,
        keep: Callable[[bytes, str], str],
        most_tokens: int,
        level: str = BALANCED,
    ) -> None:
        """`keep` is `Spill.keep`; `level` is how hard a text over `most_tokens` is shortened."""
        self._counter = counter
        self._keep = keep
        self._most_tokens = most_tokens
        self._level = level

    def of_run(self, outcome: Outcome) -> Told:
        """What the agent reads of a run: what was printed, the value, the error, our notes."""
        parts = [outcome.printed.rstrip("\n"), outcome.value.rstrip("\n")]
        text = "\n".join(part for part in parts if part)
        or_else = "; in code: `last`" if outcome.value else ""
        told = self._fitted(text, "run_code", self._most_tokens, or_else)
        marks = Marks(told.text, outcome.error)
        lines = [told.text] if told.text else []
        if outcome.error:
            lines.append(f"error: {_cut(outcome.error.strip(), MOST_ERROR_CHARS)}")
        notes = [one_line(note)[:MOST_NOTE_CHARS] for note in outcome.notes[:MOST_NOTES]]
        lines += [marks.mark(note) for note in notes if note]
        if not lines:
            lines.append(marks.mark("done; nothing was printed, and the value is None"))
        whole = "\n".join(lines)
        return Told(whole, self._counter.count(whole), told.handle)

    def of_call(self, answer: Answer, label: str) -> tuple[list[Mapping[str, object]], Told]:
        """The content blocks of a direct tool's answer, texts made fit, and all their text.

        A value stands once: as the text that the client would make of it, in place of the text
        that says the same.
        """
        from tokenbudget.gateway.mcp.guarded import raw_text

        blocks = list(answer.content[:MOST_BLOCKS])
        others = [self._block(block, label) for block in blocks if block.get("type") != "text"]
        text = raw_text(answer)
        told = self._fitted(text, label, DIRECT_FACTOR * self._most_tokens, "")
        texts: list[Mapping[str, object]] = [{"type": "text", "text": told.text}]
        return ([*texts, *others] if told.text or not others else others), told

    def _block(self, block: Mapping[str, object], label: str) -> Mapping[str, object]:
        """A block that is no text; the text of a resource in it is made fit."""
        resource = block.get("resource")
        text = resource.get("text") if isinstance(resource, dict) else None
        if not isinstance(resource, dict) or not isinstance(text, str):
            return block
        told = self._fitted(text, label, DIRECT_FACTOR * self._most_tokens, "")
        return {**block, "resource": {**resource, "text": told.text}}

    # ── one text ──────────────────────────────────────────────────────────────────────────────────

    def _fitted(self, text: str, label: str, most_tokens: int, or_else: str) -> Told:
        if len(text) < LEAST_CHARS_PER_TOKEN * SMALL_TOKENS:
            return Told(text, 0, "")
        passage = Passage(text, Origin(tool=label))
        is_long = len(text) > MOST_SHORTENED_CHARS
        whole = None if is_long else self._whole(passage, most_tokens)
        if whole is not None:
            return Told(whole, 0, "")
        content = text.encode("utf-8", "surrogatepass")
        handle = self._kept(content, label)
        part = self._part(passage, handle, most_tokens) if handle and not is_long else None
        if part:
            return Told(_with_way(part, handle, or_else), 0, handle)
        return Told(self._ends(text, most_tokens, handle, or_else), 0, handle)

    def _whole(self, passage: Passage, most_tokens: int) -> str | None:
        """The text itself, or the same in fewer tokens; None where that is too long."""
        before = self._counter.count(passage.text)
        if before < SMALL_TOKENS:
            return passage.text
        found = shorten(passage, VERBOSE, self._counter, "", codecs_for_any())
        if found is not None and found.receipt.is_lossless:
            is_worth = found.receipt.saved_tokens >= LEAST_SAVED_SHARE * before
            if is_worth and found.receipt.after_tokens <= most_tokens:
                return found.text
        return passage.text if before <= most_tokens else None

    def _part(self, passage: Passage, handle: str, most_tokens: int) -> str | None:
        """What its own codec leaves of a text, then what any other does; None: all leave too much.

        What is too long even so is shortened as hard as can be: the whole is under the handle, and
        the value in the sandbox.
        """
        codecs = codecs_for_any()
        for level in (self._level, *[COMPRESSED] * MOST_CODECS):
            found = shorten(passage, level, self._counter, handle, codecs)
            if found is None:
                return None
            if found.receipt.after_tokens <= most_tokens and not found.receipt.is_lossless:
                return found.text
            if level == COMPRESSED:
                codecs = [one for one in codecs if one.name != found.receipt.codec]
        return None

    def _kept(self, content: bytes, label: str) -> str:
        """The handle under which the whole is kept; '' where it cannot be."""
        try:
            handle = self._keep(content, label)
        except (TokenBudgetError, OSError):
            return ""
        return handle if handle == handle_of(content) else ""

    def _ends(self, text: str, most_tokens: int, handle: str, or_else: str) -> str:
        """Beginning and end of a text, and between them what is missing and where it is."""
        marks = Marks(text)
        whole = len(text)
        tokens = max(1, self._counter.count(text[:MOST_SHORTENED_CHARS]))
        room = int(most_tokens * min(whole, MOST_SHORTENED_CHARS) / tokens * 0.9)
        while True:
            head = _to_line(text[: int(room * HEAD_SHARE)])
            tail = _from_line(text[whole - int(room * (1 - HEAD_SHARE)) :])
            missing = whole - len(head) - len(tail)
            way = f": tokens recall {handle}{or_else}" if handle else or_else.replace("; ", ": ")
            gap = marks.mark(f"{missing:,} of {whole:,} characters left out{way}")
            shown = f"{head}\n{gap}\n{tail}"
            if self._counter.count(shown) <= most_tokens or room < 200:
                return shown
            room = int(room * 0.8)


def _with_way(text: str, handle: str, or_else: str) -> str:
    """A shortened text whose last marker names the other way to the whole as well."""
    head, way, tail = text.rpartition(f": tokens recall {handle}")
    if not way:
        return text
    alone = "all 1 lines"
    head = f"{head.removesuffix(alone)}all of it" if head.endswith(alone) else head
    return f"{head}{way}{or_else}{tail}"


def _to_line(text: str) -> str:
    """A beginning, to the end of a line where one is near."""
    at = text.rfind("\n")
    return text[:at] if at > len(text) * 0.7 else text


def _from_line(text: str) -> str:
    at = text.find("\n")
    return text[at + 1 :] if 0 <= at < len(text) * 0.3 else text


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"


def declared(content: Sequence[Mapping[str, object]]) -> list[str]:
    """What of an answer is no text, in a few words: for those who cannot see it."""
    said = []
    for block in content[:MOST_BLOCKS]:
        if block.get("type") in ("image", "audio"):
            data = block.get("data")
            size = len(data) * 3 // 4 if isinstance(data, str) else 0
            kind = block.get("mimeType")
            said.append(f"{one_line(str(kind))[:60]}, {size:,} bytes")
    return said
