"""Images that were carried long after they were looked at."""

from __future__ import annotations

from tokenbudget.analysis.drains.charges import Charge, carried_from, charged_at, requests_with
from tokenbudget.analysis.drains.drain import Drain
from tokenbudget.model import window

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from tokenbudget.analysis.study import Sighting
    from tokenbudget.analysis.thread_view import Seen, ThreadView

LEAST_TOKENS = 500
"""Of an image that is worth a word."""
MOST_TOKENS = 5_000
"""No image counts more: larger ones are shrunk before they are sent."""
LOOKED_AT_REQUESTS = 10
"""For so many requests it is taken to be at work."""
LEAST_REQUESTS = 10
"""That carried it after these."""
DOUBT = 0.4
"""Whether it was still looked at cannot be seen."""


def _images(view: ThreadView, claimed: set[int]) -> Iterator[Sighting]:
    pictures = [piece for piece in view.seen if piece.kind == window.IMAGE]
    if not pictures:
        return
    found: dict[str, list[tuple[Seen, Charge, int]]] = {}
    for piece in pictures:
        tokens = image_tokens(view, piece)
        if tokens < LEAST_TOKENS or piece.number in claimed:
            continue
        since = _put_away_at(view, piece)
        requests = requests_with(view, piece, since)
        if requests >= LEAST_REQUESTS:
            claimed.add(piece.number)
            charge = carried_from(view, piece, since).part(tokens / max(1, piece.tokens))
            found.setdefault(piece.target or piece.name, []).append((piece, charge, requests))
    for subject, carried in found.items():
        yield _sighting(view, subject, carried)


def image_tokens(view: ThreadView, piece: Seen) -> int:
    """What an image counts: as counted, or what its request grew by beyond everything else.

    The words of a transcript do not tell it; 0 where the growth does not either.
    """
    if piece.tokens >= LEAST_TOKENS or not 0 < piece.entered < len(view.turns):
        return piece.tokens
    before, turn = view.turns[piece.entered - 1], view.turns[piece.entered]
    if turn.cause or turn.model != before.model or not before.prompt_tokens:
        return 0
    new = [other for other in view.seen if other.entered == piece.entered]
    images = sum(other.kind == window.IMAGE for other in new)
    growth = turn.prompt_tokens - before.prompt_tokens - sum(other.tokens for other in new)
    each = growth // images + piece.tokens
    return each if each <= MOST_TOKENS else 0


def _put_away_at(view: ThreadView, piece: Seen) -> int:
    """The request from which on the talk was of something else.

    Some requests have passed and a person has spoken; a subagent hears nobody: twice as many.
    """
    rest = piece.entered + LOOKED_AT_REQUESTS
    if view.is_subagent:
        return rest + LOOKED_AT_REQUESTS
    prompts = [p.entered for p in view.seen if p.kind == window.PROMPT and p.entered >= rest]
    return min(prompts, default=len(view.turns))


def _sighting(view: ThreadView, subject: str, carried: list[tuple[Seen, Charge, int]]) -> Sighting:
    total = Charge()
    for _, charge, _ in carried:
        total = total.plus(charge)
    requests = sum(requests for _, _, requests in carried)
    first = carried[0][0]
    at_ms = view.turns[first.entered].at_ms if first.entered < len(view.turns) else 0
    plural = "image" if len(carried) == 1 else "images"
    detail = f"{len(carried)} {plural} carried {requests:,} times after a later prompt"
    place = (at_ms, first.line)
    entered = (piece.entered for piece, _, _ in carried)
    times = sum(number >= len(view.turns) or view.turns[number].is_owned for number in entered)
    return charged_at(view, IMAGE.id, subject, place, times, total, DOUBT, detail)


IMAGE = Drain(
    id="image",
    title="Images carried along",
    rule=(
        f"An image of {LEAST_TOKENS} tokens or more stood in the window for {LOOKED_AT_REQUESTS}"
        f" requests, then a person wrote a further prompt, and {LEAST_REQUESTS} or more requests"
        " carried it still. Charged: what they sent of it. In a subagent, twice as many requests"
        f" stand for the prompt. Error: that of the count, and {DOUBT:.0%}, for nobody can see"
        " whether the model still looked at it."
    ),
    alternative="the image in a session of its own, or cropped to what matters",
    tip=(
        "Show pictures late, small and cropped; have the agent write down what it sees, then start"
        " a new session."
    ),
    fix="Crop or shrink images before they are shown; start a new session after them",
    detect=_images,
)
