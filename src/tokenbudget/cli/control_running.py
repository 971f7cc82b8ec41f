"""`tokens control`: the loop in the foreground, or one turn of it."""

from __future__ import annotations

import contextlib
import gc
import select
import sys

from tokenbudget.app import open_workbench
from tokenbudget.app.control_view import standing_of_turn
from tokenbudget.app.controlling import Turn
from tokenbudget.app.controlling_loop import ControlLoop, LoopTurn
from tokenbudget.app.watched import session_to_watch
from tokenbudget.cli.options import refuse_impossible, settings, show, style
from tokenbudget.cli.terminal import terminal, warn
from tokenbudget.config.control import control_settings
from tokenbudget.config.current import current_settings
from tokenbudget.model.errors import BadConfig, BadRequest, TokenBudgetError
from tokenbudget.model.figures import wrapped
from tokenbudget.reports import control as told
from tokenbudget.reports.control_json import standing_document, standing_line
from tokenbudget.system.clock import SystemClock

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Callable
    from typing import TextIO

    from tokenbudget.analysis.periods import Zone
    from tokenbudget.config.settings import Settings
    from tokenbudget.model.control_standing import Standing

WHO = "tokens control"
NOBODY = "No session is live now; one appears here as soon as an agent works."
RETRY_SECONDS = 5.0
"""After a first look that failed."""
NOT_SO = 1
"""Exit code where the settings say that nothing is to be controlled."""
OFF = "The controller is off (control.mode); tokens config set control.mode advise turns it on."
ENDED = (
    "Ended; what was done stays, and what was lent is put back by the next controller."
    " Take it back now: tokens control undo"
)


def loop(options: Namespace) -> int:
    """Look every few seconds until Ctrl-C: a block at first, then a line per change."""
    wished = _wished(options)
    if wished(_say_nothing).control_settings().mode == "off":
        show(_lines(options, OFF))
        return NOT_SO
    gc.enable()  # unlike most commands, this one lives for hours
    with contextlib.suppress(KeyboardInterrupt):  # the way to end it
        _turn_on(options, wished)
        return 0
    if not options.json:
        show(["", *_lines(options, ENDED)])
    return 0


def once(options: Namespace) -> int:
    """One turn: what it came to, session by session."""
    wished = _wished(options)
    session = _whole_id(options, wished)
    turning = _loop_of(wished, session)
    try:
        made = turning.turn()
    finally:
        turning.close()
    _warn_of(made)
    zone = _zone(options, wished)
    standings = [_standing(one, made) for one in _shown(made, session)]
    if options.json:
        show([standing_document(standings, zone)])
    else:
        show(_block(standings, made, options))
    return 0


# ── the loop ─────────────────────────────────────────────────────────────────────────────────────


def _turn_on(options: Namespace, wished: Callable[[Callable[[str], None]], Settings]) -> None:
    """Turn after turn; what cannot be read at one is told, and tried again at the next."""
    session, zone, clock = _whole_id(options, wished), _zone(options, wished), SystemClock()
    turning, teller = _loop_of(wished, session), _Teller(options, zone)
    pause = 0.0
    try:
        while not is_unheard(sys.stdout):
            begun = clock.monotonic_seconds()
            try:
                made = turning.turn()
                teller.tell(made, session)
                _warn_of(made, teller.warned)
                pause = float(wished(_say_nothing).control_settings().interval_seconds)
            except TokenBudgetError as reason:
                warn(str(reason))
                pause = pause or RETRY_SECONDS
            clock.sleep(max(0.0, pause - (clock.monotonic_seconds() - begun)))
    finally:
        turning.close()


def is_unheard(stream: TextIO) -> bool:
    """Whether the reader of a pipe has gone: `tokens control | head` ends without a next line."""
    watched = select.poll()
    try:
        watched.register(stream.fileno(), 0)
    except (OSError, ValueError):  # no file at all
        return False
    return any(event & select.POLLERR for _, event in watched.poll(0))


class _Teller:
    """Shows a block at the first turn, and a line for each change after it."""

    def __init__(self, options: Namespace, zone: Zone) -> None:
        self._options, self._zone = options, zone
        self._said: dict[str, tuple[object, ...]] = {}
        self._is_first = True
        self.warned: set[str] = set()

    def tell(self, made: LoopTurn, session: str) -> None:
        shown = _shown(made, session)
        new = [one for one in shown if self._said.get(one.session) != _saying(one) or one.settled]
        self._said |= {one.session: _saying(one) for one in shown}
        is_first, self._is_first = self._is_first, False
        if self._options.json:
            lines = [standing_line(_standing(o, made), o.settled, self._zone) for o in new]
        elif is_first:
            lines = _block([_standing(one, made) for one in shown], made, self._options)
            lines += ["", "A line follows per change; Ctrl-C ends it."]
        else:
            lines = [line for one in new for line in self._lines(one, made)]
        if lines:
            show(lines)
            sys.stdout.flush()

    def _lines(self, turn: Turn, made: LoopTurn) -> list[str]:
        look = style(self._options.no_color)
        lines = []
        for receipt in turn.settled:
            lines += told.settled_lines(receipt, self._zone, look)
        standing = _standing(turn, made)
        return lines + told.change_lines(standing, turn.decision, self._zone, look, turn.fault)


def _block(standings: list[Standing], made: LoopTurn, options: Namespace) -> list[str]:
    """Who acts, and each session in a few lines."""
    look = style(options.no_color)
    lines = told.head_lines(standings, made.is_acting, made.holder, look)
    for standing in standings:
        lines += ["", *told.block_lines(standing, look)]
    return lines if standings else [*lines, *_lines(options, NOBODY)]


def _lines(options: Namespace, sentence: str) -> list[str]:
    """A sentence in lines that the terminal has room for."""
    return wrapped(sentence, style(options.no_color).width)


def _loop_of(wished: Callable[[Callable[[str], None]], Settings], session: str) -> ControlLoop:
    return ControlLoop(wished, SystemClock(), WHO, only=session)


def _wished(options: Namespace) -> Callable[[Callable[[str], None]], Settings]:
    """Reads the settings, with the interval that was typed; raises BadRequest."""
    if options.interval:
        given = settings(is_silent=True)
        try:
            control_settings(
                given._replace(control={**given.control, "interval": options.interval})
            )
        except BadConfig as wrong:
            why = _of_option(str(wrong), given.config_path)
            raise BadRequest(f"--interval {options.interval} cannot be: {why}") from wrong

    def read(tell: Callable[[str], None]) -> Settings:
        found = current_settings(tell, refuse_impossible)
        if not options.interval:
            return found
        return found._replace(control={**found.control, "interval": options.interval})

    return read


def _of_option(fault: str, path: str) -> str:
    """What is wrong with what was typed: it does not stand in the file of the settings."""
    return fault.replace(f"control.interval in {path}", "it")


def _whole_id(options: Namespace, wished: Callable[[Callable[[str], None]], Settings]) -> str:
    """The session that was named, whole; '' for all. Raises BadRequest."""
    if not options.session:
        return ""
    with open_workbench(wished(_say_nothing), terminal(), zone_name=options.tz) as bench:
        facts = session_to_watch(bench, options.session, is_everywhere=True)
    return facts.session if facts else ""


def _zone(options: Namespace, wished: Callable[[Callable[[str], None]], Settings]) -> Zone:
    from tokenbudget.analysis.periods import Zone as MadeZone

    return MadeZone(options.tz or wished(_say_nothing).timezone, SystemClock().now_ms())


def _shown(made: LoopTurn, session: str) -> list[Turn]:
    return [one for one in made.turns if session in ("", one.session)]


def _standing(turn: Turn, made: LoopTurn) -> Standing:
    watcher = WHO if made.is_acting else made.holder
    return standing_of_turn(turn, SystemClock().now_ms(), watcher)


def _saying(turn: Turn) -> tuple[object, ...]:
    """What makes a turn worth a line."""
    decision = turn.decision
    return decision.kind, decision.code, decision.lever, decision.items, decision.level, turn.fault


def _warn_of(made: LoopTurn, known: set[str] | None = None) -> None:
    """Tell what went wrong, each sentence once."""
    for fault in made.faults:
        if known is None or fault not in known:
            warn(fault)
        if known is not None:
            known.add(fault)


def _say_nothing(sentence: str) -> None:
    """The loop tells it at its own turn."""
