"""Which function turns the lossless texts of a codec back."""

from __future__ import annotations

import sys

from tokenbudget.compression.codecs import CODECS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable


def decoder_of(codec: str) -> Callable[[str, str], str] | None:
    """`decode(text, opening)` of a codec by its name; None where it is never lossless."""
    if codec.startswith("json"):
        from tokenbudget.compression.json_reading import decode

        return decode
    found = next((one for one in CODECS if one.name == codec), None)
    module = None if found is None else sys.modules.get(found.shorten.__module__)
    return getattr(module, "decode", None)
