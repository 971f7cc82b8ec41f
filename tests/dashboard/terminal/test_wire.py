"""Bytes as a terminal gets them, from a process of its own in a pseudo terminal."""

import re
import signal

import pytest
from tests.dashboard.terminal.hostile import first_forbidden
from tests.dashboard.terminal.pty_run import run_in_pty

pytestmark = pytest.mark.slow

_SGR = re.compile(rb"\x1b\[([0-9;:]*)m")
_CSI = re.compile(rb"\x1b\[[0-9;:?<=>$]*[A-Za-z]")
_COLOUR = re.compile(r"(?:^|;)(?:3[0-9]|4[0-9]|9[0-7]|10[0-7])(?:;|$)")


def colours(wire: bytes) -> list[str]:
    """Every selection of graphics that names a colour, the default ones included."""
    found = [match.group(1).decode() for match in _SGR.finditer(wire)]
    return [codes for codes in found if _COLOUR.search(codes)]


def test_there_is_colour_otherwise() -> None:
    """The next tests look for something that can be found."""
    assert colours(run_in_pty(b"q").wire)


def test_plain_sends_no_colour_code() -> None:
    ended = run_in_pty(b"s", b"\x1b", b"t", b"?", b"q", options="is_plain=True")
    assert colours(ended.wire) == []
    assert "▲ warning".encode() in ended.wire


def test_no_color_in_the_environment_is_enough() -> None:
    ended = run_in_pty(b"t", b"t", b"q", NO_COLOR="1")
    assert colours(ended.wire) == []
    assert "▲ warning".encode() in ended.wire


def test_the_terminal_is_as_it_was() -> None:
    for key in (b"q", b"\x03"):
        ended = run_in_pty(key)
        assert ended.code == 0
        assert ended.modes_restored
        assert b"\x1b[?1049l" in ended.wire  # back from the alternate screen
        assert ended.wire.rindex(b"\x1b[?25h") > ended.wire.rindex(b"\x1b[?25l")  # cursor shown
        assert b"?1000h" not in ended.wire  # the mouse is left to the terminal


def test_killed_politely_it_restores_the_terminal() -> None:
    ended = run_in_pty(signal_number=signal.SIGTERM)
    assert ended.code == 0
    assert ended.modes_restored
    assert b"\x1b[?1049l" in ended.wire


def test_quitting_does_not_wait_for_a_busy_source() -> None:
    ended = run_in_pty(b"r", b"q", setup="source = lambda: Stuck(frame)")
    assert ended.code == 0
    assert b"ended well" in ended.wire
    assert ended.seconds_to_end < 2
    assert ended.modes_restored


def test_keys_answer_on_the_wire_while_the_source_is_busy() -> None:
    """How soon, on a quiet machine, is measured by `tools/bench_monitor.py`."""
    keys = (b"o", b"?", b"?", b"s", b"s", b"o", b"a", b"d", b"d", b"t", b"t")
    ended = run_in_pty(b"r", *keys, b"q", setup="source = lambda: Stuck(frame)")
    assert sorted(ended.waits_seconds[1:])[-2] < 1


def test_hostile_texts_do_not_reach_the_terminal() -> None:
    setup = "source = lambda: FixedSource(hostile_frame())"
    keys = (b"s", b"\x1b", b"a", b"\x1b", b"1", b"\x1b", b"\t", b"\r", b"\x1b", b"d", b"q")
    ended = run_in_pty(*keys, setup=setup, size=(160, 50))
    wire = ended.wire.replace(b"\x1b]22;default\x07", b"")  # Textual's own: the pointer's shape
    for theirs in (b"\x1b]", b"\x1bP", b"\x1b\\", b"\x1b[2J", b"\x07"):
        assert theirs not in wire
    shown = _CSI.sub(b"", wire).replace(b"\r\n", b"").decode()
    assert "[red]x[/]" in shown
    assert "52;c;ZXZpbA==" in shown  # it was there, and is inert
    assert first_forbidden(shown) == ""
