"""Values of a kind out of whatever a file holds; one of another kind is as good as none."""

from tokenbudget.gateway.statusline_values import Table

LONGEST_KEY = 1_024
LONGEST_LABEL = 200


def whole(value: object) -> int | None:
    """A number that counts; None where it is none."""
    is_whole = isinstance(value, int) and not isinstance(value, bool)
    return value if is_whole and 0 <= value < 1 << 64 else None  # type: ignore[operator, return-value]


def count(told: Table, name: str) -> int:
    """A number that counts; 0 where it is none."""
    return whole(told.get(name)) or 0


def wholes(value: object, most: int) -> list[int]:
    """Numbers that count, the last so many; what is none is left out."""
    found = [whole(one) for one in value[-most:]] if isinstance(value, list) else []
    return [one for one in found if one is not None]


def counts(value: object, length: int) -> list[int]:
    """Exactly so many numbers that count, else nothing."""
    found = wholes(value, length) if isinstance(value, list) and len(value) == length else []
    return found if len(found) == length else []


def shares(value: object, most: int) -> list[float]:
    """Numbers from 0 to 1, the last so many."""
    found = value[-most:] if isinstance(value, list) else []
    return [float(one) for one in found if isinstance(one, float | int) and 0 < one <= 1]


def label(value: object, most: int = LONGEST_LABEL) -> str:
    """A text that is not too long, else ''."""
    return value if isinstance(value, str) and len(value) <= most else ""


def labels(value: object, most: int, longest: int = LONGEST_LABEL) -> list[str]:
    """Texts, the last so many."""
    found = value[-most:] if isinstance(value, list) else []
    return [one for one in found if isinstance(one, str) and len(one) <= longest]


def stamps(value: object, most: int, length: int) -> dict[str, list[int]]:
    """So many numbers by key, the last so many keys."""
    found: dict[str, list[int]] = {}
    for key, given in list(value.items())[-most:] if isinstance(value, dict) else []:
        stamp = counts(given, length)
        if stamp and len(key) <= LONGEST_KEY:
            found[key] = stamp
    return found


def rows(
    value: object, most: int, texts: int, sizes: int, longest: int = LONGEST_KEY
) -> list[list[str | int]]:
    """Rows of so many texts and so many numbers, the last so many."""
    found: list[list[str | int]] = []
    for row in value[-most:] if isinstance(value, list) else []:
        if not isinstance(row, list) or len(row) != texts + sizes:
            continue
        names = labels(row[:texts], texts, longest)
        after = counts(row[texts:], sizes)
        if len(names) == texts and after:
            found.append([*names, *after])
    return found
