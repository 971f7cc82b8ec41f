"""Boxes at any size: inside the terminal, sharing borders, nothing over anything else."""

from hypothesis import given
from hypothesis import strategies as st

from tokenbudget.dashboard.terminal.lattice import Labels, drawn
from tokenbudget.dashboard.terminal.places import (
    ADVICE,
    AHEAD,
    BURN,
    COMPOSITION,
    CONSUMERS,
    DECISIONS,
    HEALTH,
    LEAST_HEIGHT,
    LEAST_WIDTH,
    LIMITS,
    SESSIONS,
    Wants,
    boxes,
)
from tokenbudget.dashboard.terminal.spans import line, plain_text, width_of

ANY_WANTS = st.builds(
    Wants,
    parts=st.integers(0, 8),
    ahead=st.integers(1, 9),
    alerts=st.integers(0, 50),
    control=st.integers(0, 2),
)


@given(st.integers(0, 400), st.integers(0, 120), ANY_WANTS)
def test_boxes_fill_the_terminal_and_never_overlap(width: int, height: int, wants: Wants) -> None:
    found = boxes(width, height, wants)
    if width < LEAST_WIDTH or height < LEAST_HEIGHT - 1:
        assert found == ()
        return
    inside = [[0] * width for _ in range(height)]
    touched = [[False] * width for _ in range(height)]
    for box in found:
        assert box.width >= 5
        assert box.height >= 3
        for y in range(box.y, box.y + box.height):
            for x in range(box.x, box.x + box.width):
                touched[y][x] = True
                is_edge = x in (box.x, box.x + box.width - 1) or y in (
                    box.y,
                    box.y + box.height - 1,
                )
                inside[y][x] += not is_edge
    assert all(all(row) for row in touched)
    assert max(max(row) for row in inside) == 1


def test_what_stands_at_which_size() -> None:
    names = {size: {box.name for box in boxes(*size)} for size in ((80, 23), (120, 39), (200, 59))}
    least = {HEALTH, COMPOSITION, BURN, AHEAD, CONSUMERS, ADVICE}
    assert names[80, 23] == least
    assert names[120, 39] >= least | {LIMITS, SESSIONS, DECISIONS}
    assert names[200, 59] == names[120, 39]


def test_what_the_controller_does_has_room_where_there_is_some() -> None:
    """A line at 80x24, two in a tall terminal, none in a small one; and none unasked."""
    sizes = ((60, 15), (80, 23), (120, 39), (200, 59))
    wanted = Wants(control=2)
    assert [boxes(*size, wanted)[0].height for size in sizes] == [5, 6, 7, 7]
    assert {boxes(*size)[0].height for size in sizes} == {5}
    assert {box.name for box in boxes(80, 23, wanted)} == {box.name for box in boxes(80, 23)}


def test_borders_are_shared_and_meet() -> None:
    found = boxes(80, 23)
    picture = [plain_text(row) for row in drawn(80, 23, found, {})]
    assert all(len(row) == 80 for row in picture)
    assert picture[0] == "╭" + "─" * 78 + "╮"
    assert picture[4][0] + picture[4][40] + picture[4][79] == "├┬┤"
    assert picture[22][0] + picture[22][40] + picture[22][79] == "╰┴╯"


@given(st.text("ab购 ", max_size=90), st.text("cd", max_size=90), st.integers(60, 130))
def test_labels_never_push_a_border_away(left: str, right: str, width: int) -> None:
    found = boxes(width, 30)
    labels = {box.name: Labels(line(left), line(right), box.name == HEALTH) for box in found}
    picture = drawn(width, 30, found, labels, CONSUMERS, line(left))
    assert {width_of(row) for row in picture} == {width}
