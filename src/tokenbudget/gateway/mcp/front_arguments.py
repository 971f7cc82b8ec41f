"""Arguments of our own tools, taken as they were meant: models spell them in several ways."""

from __future__ import annotations

MOST_FOUND = 50


def texts_in(given: object) -> list[str]:
    """One text or several, as they were meant."""
    several = given if isinstance(given, list) else [given]
    return [one for one in several if isinstance(one, str) and one.strip()]


def names_in(given: object) -> list[str]:
    """Names in a list, or in one text with commas or lines between."""
    if isinstance(given, str):
        given = given.replace("\n", ",").split(",")
    return [name.strip() for name in texts_in(given)]


def count_in(given: object, usual: int) -> int:
    """A number of rows, also where it came as a text."""
    if isinstance(given, str) and given.isascii() and given.isdecimal() and len(given) < 6:
        given = int(given)
    if isinstance(given, bool) or not isinstance(given, (int, float)) or given != given:
        return usual
    return int(max(1, min(given, MOST_FOUND)))
