"""Figures as a person reads them in the sentences of decisions."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tokenbudget.model.control import Signals


def fullness(seen: Signals) -> str:
    """How full the window is, by both measures; '' where it is not known."""
    share = seen.share
    if share is None or seen.used_tokens is None:
        return ""
    whole = ""
    if seen.window_tokens and seen.window_tokens > 0:
        whole = f", {percent(seen.used_tokens / seen.window_tokens)} of the whole"
    return (
        f"{percent(share)} of the usable window is used"
        f" ({seen.used_tokens:,} of {seen.usable_tokens or 0:,} tokens{whole})"
    )


def percent(share: float) -> str:
    """A share, rounded down: a boundary is never shown as reached before it is."""
    return f"{int(share * 100 + 1e-9)}%"


def about(count: float) -> str:
    """A number of requests that is expected or computed, not counted."""
    return f"{count:.1f}" if 0 < count < 10 and count != int(count) else f"{count:,.0f}"


def requests(count: float) -> str:
    """The same, with what is counted."""
    said = about(count)
    return f"{said} request" if said == "1" else f"{said} requests"


def dollars(usd: float) -> str:
    """Money with its sign taken off, to the cent or below it to two digits."""
    size = abs(usd)
    return f"${size:,.2f}" if size >= 0.01 else f"${size:.2g}"


def tokens(amount: int, error: int = 0) -> str:
    """Tokens, with how far they may be off."""
    return f"{amount:,} ± {error:,} tokens" if error else f"{amount:,} tokens"
