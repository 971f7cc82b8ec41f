"""`tokens monitor`: the live view of a session, and of all the others that are live."""

from __future__ import annotations

import contextlib
import gc
import os
import sys

from tokenbudget.app import open_workbench
from tokenbudget.app.alert_steps import AlertStep
from tokenbudget.app.live import LiveSource
from tokenbudget.app.monitor import RoadmapKeeper, frames, keep_tracker, tell_control
from tokenbudget.app.settings_check import THEMES, interval_seconds
from tokenbudget.cli.options import (
    Parser,
    parser,
    refuse_impossible,
    settings,
    show,
    style,
    whole_number,
)
from tokenbudget.cli.terminal import terminal, warn
from tokenbudget.config.current import current_settings
from tokenbudget.config.settings import terminal_wishes
from tokenbudget.model.errors import BadRequest
from tokenbudget.system.clock import SystemClock

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Callable, Sequence
    from typing import TextIO

    from tokenbudget.app import Workbench
    from tokenbudget.app.live import Tick
    from tokenbudget.dashboard.view_model import Frame

HOME_AND_CLEAR = "\x1b[H\x1b[J"
WITHOUT_LIBRARY = "pip install 'tokenbudget[monitor]'"
WITHOUT_STREAMS = "leave standard input and standard error to the terminal"
WITHOUT_CURSOR = "use a terminal that can move its cursor (TERM is 'dumb')"


def run(arguments: Sequence[str]) -> int:
    """Carry the verb out."""
    options, seconds = options_of(arguments)
    gc.enable()  # unlike any other command, this one lives for hours
    _read_first(options)
    if options.json:
        return _stream(options, seconds)
    if options.count:
        raise BadRequest("--count is for a stream; add --json, or write --once for one frame")
    if options.once or not sys.stdout.isatty():
        return _print_once(options, seconds)
    return _watch(options, seconds)


def options_of(arguments: Sequence[str]) -> tuple[Namespace, float]:
    """What was typed or is set, and the seconds between two frames; raises BadRequest."""
    options = _parser().parse_args(arguments)
    wishes = settings().monitor_settings()
    options.theme = options.theme or wishes.theme
    if options.roadmap:
        _refuse_interval_for(options.roadmap)
    return options, interval_seconds(options.interval or wishes.interval)


def one_frame(options: Namespace, seconds: float) -> Frame:
    """The present moment, with everything that a tick does besides.

    Raises:
        TokenBudgetError: there is no such session, or nothing can be read.
    """
    source = _source(options, seconds)
    try:
        return source.next_frame(options.session)
    finally:
        source.close()


def _parser() -> Parser:
    made = parser("monitor", "A live view of the window of a session, its limits and its cost.")
    made.add_argument(
        "interval",
        nargs="?",
        metavar="INTERVAL",
        help="time between two frames, such as 5s, 30s or 1m (default: 30s)",
    )
    made.add_argument(
        "--session", metavar="ID", default="", help="watch this one (the beginning of its id)"
    )
    made.add_argument("--once", action="store_true", help="print one frame and end")
    made.add_argument(
        "--count", metavar="N", help="with --json: end after N frames (one a line, without end)"
    )
    made.add_argument("--theme", choices=THEMES, help="colours (default: those of the terminal)")
    made.add_argument(
        "--no-tracker",
        action="store_true",
        help="do not write .claude/context/token-tracker.json in the session's project",
    )
    made.add_argument(
        "--roadmap",
        nargs="?",
        const="",
        metavar="PATH",
        help="keep a marked block of figures in ROADMAP.md, of the project or at PATH",
    )
    return made


def _refuse_interval_for(roadmap: str) -> None:
    """`--roadmap 30s` would make a file of that name, which nobody means."""
    try:
        interval_seconds(roadmap)
    except BadRequest:
        return
    raise BadRequest(
        f"'{roadmap}' after --roadmap would be a file; write: tokens monitor {roadmap} --roadmap"
    )


def _read_first(options: Namespace) -> None:
    """Have everything read once, with a bar, before a screen is taken; refuse what cannot be."""
    with open_workbench(
        settings(is_silent=True), terminal(), zone_name=options.tz, from_paths=options.from_paths
    ) as bench:
        if options.session:
            from tokenbudget.app.watched import session_to_watch

            session_to_watch(bench, options.session, is_everywhere=True)


def _steps(
    options: Namespace, ring: Callable[[str], object] | None
) -> list[Callable[[Workbench, Tick], Frame]]:
    """What each tick does besides; of sessions that are only looked at nothing is told or kept."""
    steps: list[Callable[[Workbench, Tick], Frame]] = []
    if not options.from_paths:
        steps += [AlertStep(ring), tell_control]
    if not options.no_tracker and not options.from_paths:
        steps.append(keep_tracker)
    if options.roadmap is not None:
        steps.append(RoadmapKeeper(os.path.abspath(options.roadmap) if options.roadmap else ""))
    return steps


def _source(
    options: Namespace, seconds: float, ring: Callable[[str], object] | None = None
) -> LiveSource:
    return LiveSource(
        lambda tell: current_settings(tell, refuse_impossible),
        seconds,
        from_paths=options.from_paths,
        zone_name=options.tz,
        clock=SystemClock(),
        steps=_steps(options, ring),
    )


def _each_frame(
    options: Namespace,
    seconds: float,
    most: int | None,
    tell: Callable[[Frame], None],
    ring: Callable[[str], object] | None = None,
) -> None:
    source = _source(options, seconds, ring)
    try:
        for frame in frames(
            lambda: source.next_frame(options.session), SystemClock(), seconds, warn, most
        ):
            tell(frame)
    finally:
        source.close()


def _stream(options: Namespace, seconds: float) -> int:
    from tokenbudget.dashboard.tracker import frame_line

    def tell(frame: Frame) -> None:
        sys.stdout.write(frame_line(frame) + "\n")
        sys.stdout.flush()

    most = 1 if options.once else whole_number(options.count) if options.count else None
    with contextlib.suppress(KeyboardInterrupt):  # the way to end a stream
        _each_frame(options, seconds, most, tell)
    return 0


def _print_once(options: Namespace, seconds: float) -> int:
    from tokenbudget.dashboard.plain import frame_lines

    _each_frame(
        options, seconds, 1, lambda frame: show(frame_lines(frame, style(options.no_color)))
    )
    return 0


def _watch(options: Namespace, seconds: float) -> int:
    if terminal_wishes().is_dumb:
        return _redraw(options, seconds, WITHOUT_CURSOR, is_movable=False)
    if not (_is_terminal(sys.stdin) and _is_terminal(sys.stderr)):
        return _redraw(options, seconds, WITHOUT_STREAMS)  # keys come by one, pictures by the other
    try:
        from tokenbudget.dashboard.terminal.app import MonitorApp
    except ImportError:
        return _redraw(options, seconds, WITHOUT_LIBRARY)
    app = MonitorApp(
        lambda: _source(options, seconds, app.ring),
        seconds,
        chosen=options.session,
        theme=options.theme,
        is_plain=options.no_color or terminal_wishes().is_plain,
    )
    app.run()
    return app.return_code or 0


def _is_terminal(stream: TextIO | None) -> bool:
    return stream is not None and stream.isatty()  # None: it was closed before this began


def _redraw(options: Namespace, seconds: float, remedy: str, *, is_movable: bool = True) -> int:
    """Where no keys can be had: one plain frame over the other, or below it."""
    from tokenbudget.dashboard.plain import frame_lines
    from tokenbudget.model.figures import wrapped

    hint = f"for keys, search and sorting: {remedy}; Ctrl-C ends this"

    def tell(frame: Frame) -> None:
        look = style(options.no_color)
        lines, below = frame_lines(frame, look), ["", *wrapped(hint, look.width)]
        height = os.get_terminal_size(sys.stdout.fileno()).lines
        if is_movable and height:  # the first line is the answer: it must not be scrolled away
            lines = lines[: max(1, height - len(below) - 1)]
        sys.stdout.write(HOME_AND_CLEAR if is_movable else "\n")
        show([*lines, *below])
        sys.stdout.flush()

    with contextlib.suppress(KeyboardInterrupt):  # the way to end it
        _each_frame(options, seconds, None, tell, sys.stdout.write)
    return 0
