"""What every test of a codec asks: is the shortened text true, by the independent checker?"""

from __future__ import annotations

from tokenbudget.analysis.fidelity_facts import Shortened, facts_of
from tokenbudget.analysis.fidelity_marks import Claimed
from tokenbudget.compression.marks import Marks
from tokenbudget.compression.passage import UNKNOWN, Origin, Passage

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from tokenbudget.compression.codec import Codec, Draft


def drafted(codec: Codec, text: str, level: str, origin: Origin = UNKNOWN) -> Draft | None:
    """What a codec makes of a text that it detects; None where it leaves it alone."""
    passage = Passage(text, origin)
    return codec.shorten(passage, Marks(text), level) if codec.detects(passage) else None


def true_draft(
    codec: Codec,
    text: str,
    level: str,
    origin: Origin = UNKNOWN,
    decode: Callable[[str, str], str] | None = None,
) -> Draft | None:
    """The same, after the checker found nothing false in it."""
    draft = drafted(codec, text, level, origin)
    if draft is not None:
        opening = Marks(text).opening
        removed = [Claimed(one.kind, one.count, one.ranges) for one in draft.removed]
        given = Shortened(text, draft.text, opening, removed, draft.is_lossless)
        faults = facts_of(given, decode).faults
        assert not faults, faults[:3]
    return draft


def surely(draft: Draft | None) -> Draft:
    """The draft that a test expects."""
    assert draft is not None
    return draft
