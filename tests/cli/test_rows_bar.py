import io

import pytest

from tokenbudget.cli.rows_bar import RowsBar


class Clock:
    """Stands until it is moved."""

    seconds = 0.0

    def now_ms(self) -> int:
        return 0

    def monotonic_seconds(self) -> float:
        return self.seconds

    def sleep(self, seconds: float) -> None:
        raise AssertionError(seconds)


class Screen(io.StringIO):
    def isatty(self) -> bool:
        return True


def on_a_screen(monkeypatch: pytest.MonkeyPatch) -> Screen:
    """Called in the test itself: pytest takes standard error back between its phases."""
    monkeypatch.setattr("os.environ", {"TERM": "xterm"})
    made = Screen()
    monkeypatch.setattr("sys.stderr", made)
    return made


def test_a_quick_export_says_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = on_a_screen(monkeypatch)
    bar = RowsBar(Clock())
    bar.add(2000)
    bar.clear()

    assert screen.getvalue() == ""


def test_a_slow_one_tells_its_rows_and_takes_them_away(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = on_a_screen(monkeypatch)
    clock = Clock()
    bar = RowsBar(clock)
    for clock.seconds in (0.5, 0.9, 0.95, 1.1):
        bar.add(2000)
    bar.clear()
    bar.clear()

    shown = [text for text in screen.getvalue().split("\r\x1b[K") if text]
    assert shown == ["writing rows: 4,000", "writing rows: 8,000"]
    assert screen.getvalue().endswith("\r\x1b[K")


def test_a_pipe_gets_no_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    pipe = io.StringIO()
    monkeypatch.setattr("sys.stderr", pipe)
    clock = Clock()
    bar = RowsBar(clock)
    clock.seconds = 5
    bar.add(1)
    bar.clear()

    assert pipe.getvalue() == ""
