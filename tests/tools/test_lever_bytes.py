"""What the table of levers says of a measurement; the measuring itself needs the real client."""

import pytest

from lever_bytes import Row, Running, Sent, effect_of, page
from levers import LEVERS, READ_LEVERS


@pytest.mark.parametrize(
    ("start", "now", "compacted", "said"),
    [
        (-900, -900, -900, "next request"),
        (-900, 40, -900, "next compaction"),
        (-900, 0, 0, "next start"),
        (-900, -500, -700, "next start"),
        (0, -900, -900, "never"),
        (37, 0, 37, "never"),
        (-5, 0, 0, "hardly"),
    ],
)
def test_when_a_lever_takes_effect(start: int, now: int, compacted: int, said: str) -> None:
    assert effect_of(start, now, compacted) == said


def test_a_line_holds_what_changed_and_whether_the_cache_is_lost() -> None:
    def sent(size: int, tools: int = 50) -> Sent:
        return Sent(size, size // 4, 20, tools)

    control = Running(sent(1_000), sent(1_100), sent(900))
    running = Running(sent(1_000), sent(1_000, tools=40), sent(790))
    row = Row("a*b", "claude-opus-5-5", "false", sent(1_000), sent(900), control, running)
    said = page([row], [("nothing", "claude-opus-5-5", "read")], ["As told."])
    assert "| a\\*b | 2.1.329 | claude-opus-5-5 | off | 1,000 | -100 | -25 |" in said
    assert "| -100 (tools changed) | -110 | next request |" in said
    assert "| nothing | 2.1.329 | claude-opus-5-5 | read |" in said


def test_every_lever_has_a_name_of_its_own() -> None:
    assert len({lever.name for lever in LEVERS}) == len(LEVERS)
    assert len({name for name, _ in READ_LEVERS}) == len(READ_LEVERS)
