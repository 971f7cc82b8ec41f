"""Telegraphic rewriting of prose: memory files, skills, instructions, notes.

Code, headings, front matter, quotations and links are kept byte for byte; in what is left, words
that carry nothing are dropped by rules, and phrases give way to shorter ones where the vocabulary
at hand says that these cost fewer tokens. Negations, conditions, the order of steps and numbers
survive: a step of a rule that would lose one of them is taken back for that paragraph.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from tokenbudget.compression.passage import COMPRESSED, VERBOSE
from tokenbudget.compression.prose_blocks import KEPT, PROSE, ROW, RULE, begins_a_block, blocks_of
from tokenbudget.compression.prose_phrases import PHRASES, pattern_of
from tokenbudget.compression.prose_spans import free_parts, guarded, hidden
from tokenbudget.compression.prose_tables import cells_of, row_of
from tokenbudget.compression.prose_terse import (
    EVERY_STEP,
    without_kinds,
    without_link_marks,
)
from tokenbudget.compression.symbols import with_symbols
from tokenbudget.compression.symbols_glossary import glossary_for, line_of, with_signs

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tokenbudget.compression.prose_blocks import Block
    from tokenbudget.compression.prose_grammar import Step
    from tokenbudget.compression.prose_spans import Hidden
    from tokenbudget.compression.symbols_glossary import Entry
    from tokenbudget.model.protocols import TokenCounter


class Rewritten(NamedTuple):
    """A text in fewer tokens, and the account of it."""

    text: str
    before_tokens: int
    after_tokens: int
    prose_before_tokens: int = 0
    """Of the words that the rules may touch, each stretch between protected spans by itself."""
    prose_after_tokens: int = 0
    protected: tuple[str, ...] = ()
    """The spans that the rules may not touch, in order; each stands in the new text verbatim."""
    glossary: tuple[Entry, ...] = ()
    """What each symbol that took the place of a phrase stands for."""

    @property
    def saved_tokens(self) -> int:
        """Never less than 0."""
        return self.before_tokens - self.after_tokens


class _Part(NamedTuple):
    """A paragraph or a cell of a table, its spans hidden."""

    spans: Hidden
    new: str
    """The rewritten text, spans hidden."""


class _Piece(NamedTuple):
    """A block with its parts; none where it is kept."""

    block: Block
    parts: tuple[_Part, ...] = ()


def rewritten(
    text: str, level: str, counter: TokenCounter, steps: Sequence[Step] = EVERY_STEP
) -> Rewritten:
    """The text at a level of `passage.LEVELS`; the same text where nothing is to be gained."""
    before = counter.count(text)
    if level == VERBOSE:
        return Rewritten(text, before, before)
    writer = _Writer(level, counter, steps)
    pieces = _without_lines([writer.piece(block) for block in blocks_of(text)])
    glossary: tuple[Entry, ...] = ()
    if level == COMPRESSED:
        words = [part.new for piece in pieces for part in piece.parts]
        glossary = glossary_for(words, text, counter)
    new = writer.joined(pieces, glossary)
    after = counter.count(new)
    if after >= before:
        pieces, glossary, new, after = _untouched(pieces), (), text, before
    return Rewritten(
        new,
        before,
        after,
        sum(map(writer.free_tokens_before, pieces)),
        sum(
            writer.free_tokens(with_signs(part.new, glossary))
            for piece in pieces
            for part in piece.parts
        )
        + (counter.count(line_of(glossary)) if glossary else 0),
        tuple(span for piece in pieces for span in _protected(piece)),
        glossary,
    )


def _without_lines(pieces: Sequence[_Piece]) -> list[_Piece]:
    """The pieces without lines that are drawn across the page, and the blank line after each."""
    kept: list[_Piece] = []
    is_after_line = False
    for piece in pieces:
        is_line = piece.block.kind == RULE
        if not is_line and not (is_after_line and not piece.block.original.strip()):
            kept.append(piece)
        is_after_line = is_line
    return kept


def _untouched(pieces: Sequence[_Piece]) -> list[_Piece]:
    return [
        piece._replace(parts=tuple(part._replace(new=part.spans.text) for part in piece.parts))
        for piece in pieces
    ]


def _protected(piece: _Piece) -> tuple[str, ...]:
    if piece.block.kind == KEPT and piece.block.original.strip():
        return (piece.block.original,)
    return tuple(span for part in piece.parts for span in part.spans.in_order())


class _Writer:
    """Rewrites block after block at one level with one vocabulary."""

    def __init__(self, level: str, counter: TokenCounter, steps: Sequence[Step]) -> None:
        self._counter = counter
        self._is_terse = level == COMPRESSED
        self._gaining = {
            phrase: short
            for phrase, short in PHRASES.items()
            if counter.count(f" {short}" if short else "") < counter.count(f" {phrase}")
        }
        self._known: dict[Block, _Piece] = {}
        self._phrases = pattern_of(list(self._gaining))
        self._steps: list[Callable[[str], str]] = [self._shorter_phrases]
        self._steps += [one.rewrite for one in steps if one.is_balanced or level == COMPRESSED]
        if level == COMPRESSED:
            self._steps.append(with_symbols(counter))

    def piece(self, block: Block) -> _Piece:
        """The block with its parts in fewer tokens; worked out once for equal blocks."""
        if block not in self._known:
            self._known[block] = self._piece(block)
        return self._known[block]

    def _piece(self, block: Block) -> _Piece:
        texts: list[str] = []
        if block.kind == PROSE:
            texts = [block.text]
        elif block.kind == ROW:
            texts = cells_of(block.original)
        found = [hidden(text) for text in texts]
        spans = [one for one in found if one is not None]
        if self._is_terse:
            spans = [without_link_marks(one) for one in spans]
        if len(spans) < len(texts) or not texts:
            kind = RULE if block.kind == RULE else KEPT
            return _Piece(block._replace(kind=kind))
        return _Piece(block, tuple(_Part(one, self._rewritten(one)) for one in spans))

    def joined(self, pieces: Sequence[_Piece], glossary: Sequence[Entry]) -> str:
        """The new text; what explains the signs stands first, after front matter."""
        lines = [self._text(piece, glossary) for piece in pieces]
        if glossary:
            has_front = lines[0].startswith(("---\n", "+++\n"))
            lines[has_front:has_front] = [line_of(glossary), ""]
        return "\n".join(lines)

    def free_tokens_before(self, piece: _Piece) -> int:
        """Of the block as it was, with what the ends of its wrapped lines cost."""
        block, count = piece.block, self._counter.count
        wrapping = 0
        if piece.parts and block.kind == PROSE and "\n" in block.original:
            wrapping = max(0, count(block.wrapped) - count(block.text))
        return wrapping + sum(self.free_tokens(part.spans.text) for part in piece.parts)

    def free_tokens(self, text: str) -> int:
        """Tokens of what the rules may touch, each stretch by itself."""
        return sum(map(self._counter.count, free_parts(text)))

    def _text(self, piece: _Piece, glossary: Sequence[Entry]) -> str:
        block = piece.block
        if not piece.parts:
            return block.original
        shown = [part.spans.shown(with_signs(part.new, glossary)) for part in piece.parts]
        new = row_of(shown, block.original) if block.kind == ROW else block.lead + shown[0]
        count = self._counter.count
        return new if count(new) < count(block.original) else block.original

    def _rewritten(self, spans: Hidden) -> str:
        text, guard = spans.text, guarded(spans.text)
        tokens = self._tokens_in_line(spans.shown(text))
        for step in [*self._steps, without_kinds(spans)]:
            tried = step(text)
            if tried == text or guarded(tried) != guard:
                continue
            shown = spans.shown(tried)
            tried_tokens = self._tokens_in_line(shown)
            # `**1. First**` without its stars would be a list.
            if tried_tokens < tokens and not begins_a_block(shown):
                text, tokens = tried, tried_tokens
        return text

    def _tokens_in_line(self, shown: str) -> int:
        """With the end of the line, which may be one token with a period."""
        return self._counter.count(f"{shown}\n")

    def _shorter_phrases(self, text: str) -> str:
        def shorter(found: re.Match[str]) -> str:
            short = self._gaining[found[0].lower()]
            return short[:1].upper() + short[1:] if found[0][:1].isupper() else short

        return _tidy(self._phrases.sub(shorter, text))


_SPACES = re.compile(r"(?<=\w) +(?=[,;.)](?:\s|$))|(?<=\S) (?= +\S)")
_LOST_COMMA = re.compile(r"^[ ,]+|(?<=[.!?:;] )[ ,]+(?=\w)")


def _tidy(text: str) -> str:
    """No space too many and no comma without a word before it, where a phrase was dropped."""
    return _LOST_COMMA.sub("", _SPACES.sub("", text)).replace("etc..", "etc.")
