"""How faulty values and names are told: short, and with the name that was meant."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

LONGEST_SHOWN = 60


def shown(value: object) -> str:
    """A value as it was given, cut where it is long, in ASCII: it may hold anything."""
    try:
        text = ascii(value)
    except (ValueError, RecursionError):  # an integer of more than 4,300 digits, a deep list
        return "a value too large to show"
    return text if len(text) <= LONGEST_SHOWN else f"{text[:LONGEST_SHOWN]}…"


def meant(name: str, known: Iterable[str]) -> str:
    """` (did you mean 'x'?)` for a name that is almost a known one, else nothing."""
    import difflib

    spelled = {word.lower().replace("_", ""): word for word in known}
    near = difflib.get_close_matches(name[:LONGEST_SHOWN].lower().replace("_", ""), spelled, 1)
    return f" (did you mean '{spelled[near[0]]}'?)" if near else ""
