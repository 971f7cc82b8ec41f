"""Lengths of time as a person reads them."""

import pytest

from tokenbudget.model.spans import shown_span


@pytest.mark.parametrize(
    ("ms", "shown"),
    [(-5, "0s"), (45_000, "45s"), (3_060_000, "51m"), (7_800_000, "2h 10m"),
     (7_200_000, "2h"), (273_600_000, "3d 4h")],
)  # fmt: skip
def test_spans_are_shown_in_their_two_largest_units(ms: int, shown: str) -> None:
    assert shown_span(ms) == shown
