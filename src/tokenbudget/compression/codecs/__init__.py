"""The codecs, in the order in which they are asked."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tokenbudget.compression.codec import Codec

CODECS: tuple[Codec, ...] = ()
