"""A public vocabulary as the yardstick: o200k_base, which lies inside the tokenizer's package.

The vocabularies of current Claude models are not public. Of fifteen public ones, measured against
the context growth that real sessions report, o200k_base and deepseek_v3 came nearest; what is left
of the difference is learnt from the user's own sessions (`calibration`).
"""

from __future__ import annotations

from tokenbudget.model.window import Measure

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tokenbudget.model.protocols import TokenCounter

VOCABULARY = "o200k_base"

_LOWER = bytes(range(ord("a"), ord("z") + 1))
_UPPER = bytes(range(ord("A"), ord("Z") + 1))
_DIGITS = b"0123456789"
_LETTERS = _LOWER + _UPPER + _DIGITS
_SIGNS = bytes(code for code in range(33, 127) if code not in _LETTERS)
_HIGH = bytes(range(128, 256))


class BytePairCounter:
    """Counts with splintr (Rust): about 60 MB of text a second, 60 ms to load once."""

    name = VOCABULARY

    def __init__(self) -> None:
        from splintr import Tokenizer

        self._encode = Tokenizer.from_pretrained(VOCABULARY).encode_ordinary

    def count(self, text: str) -> int:
        """Tokens of the text; words like `<|endoftext|>` are text as well."""
        return len(self._encode(text.encode("utf-8", "replace").decode()))


def measure(text: str, counter: TokenCounter) -> Measure:
    """Tokens and kinds of characters of a text, in bytes of its UTF-8."""
    data = text.encode("utf-8", "replace")
    size = len(data)

    def bytes_of(kind: bytes) -> int:
        return size - len(data.translate(None, kind))

    return Measure(
        bpe_tokens=counter.count(text) if text else 0,
        lower_bytes=bytes_of(_LOWER),
        upper_bytes=bytes_of(_UPPER),
        digit_bytes=bytes_of(_DIGITS),
        space_bytes=data.count(b" "),
        line_bytes=data.count(b"\n"),
        sign_bytes=bytes_of(_SIGNS),
        high_bytes=bytes_of(_HIGH),
    )
