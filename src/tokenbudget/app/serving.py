"""The daemon put together: what it answers with, what its worker does, what it may know.

The daemon answers hooks and does nothing else. Its worker keeps the ledger, the status line's
snapshots and the alerts up to date for the sessions that a hook asked for, as the status line does
where no daemon runs; now and then for all of them; compiles the settings of the hooks anew; and
turns the controller's loop, unless the person has switched that off.
"""

from __future__ import annotations

import contextlib
import gc
import os
import sys

from tokenbudget import __version__
from tokenbudget.config.current import lasting_settings
from tokenbudget.config.settings import environment_for_child, process_environment
from tokenbudget.gateway.daemon.chores import CONTROL, REFRESH, SETTINGS, Chores, ControlTold
from tokenbudget.gateway.daemon.file_marks import marks_of
from tokenbudget.gateway.daemon.log import Log
from tokenbudget.gateway.daemon.places import default_port
from tokenbudget.gateway.daemon.running import PROGRAM_CHANGED, Daemon, Wishes
from tokenbudget.gateway.daemon.secret import secret_of
from tokenbudget.gateway.daemon.status import DaemonStatus, status_of
from tokenbudget.gateway.daemon.trim_process import TrimProcess
from tokenbudget.gateway.daemon.worker import Worker, work
from tokenbudget.gateway.hook_files import hook_command
from tokenbudget.gateway.hook_record import record_hook_command
from tokenbudget.gateway.hooks import handler
from tokenbudget.model.errors import TokenBudgetError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from tokenbudget.app.controlling_loop import ControlLoop
    from tokenbudget.config.settings import Settings
    from tokenbudget.gateway.daemon.chores import Job
    from tokenbudget.gateway.hooks.handler import Answer
    from tokenbudget.model.protocols import Clock

COMMAND = (sys.executable, "-P", "-m", "tokenbudget", "serve")
WORKER, TRIMMER = "--worker", "--trimmer"
CONTROLLER = "tokens serve"
"""Who the controller of the daemon's worker is, to others."""
SETTLED = "--settled"
"""Stands last where a process has the environment already that a daemon may know."""
START_LOOKS = 60
START_PAUSE_SECONDS = 0.05
OF_THE_DESKTOP = (
    *("PATH", "LANG", "DISPLAY", "WAYLAND_DISPLAY", "DBUS_SESSION_BUS_ADDRESS"),
    "XDG_RUNTIME_DIR",
)
"""What a notice on the desktop is sent through."""


def port_of(settings: Settings) -> int:
    """The port that hooks over HTTP are served on.

    Raises:
        BadConfig: `[serve]` cannot be meant.
    """
    return settings.serve_settings().port or default_port(os.getuid())


def daemon_environment(settings: Settings) -> dict[str, str]:
    """All that the daemon knows of the environment that it was started from.

    It lives long, and the agent's environment holds the agent's keys: so it is started anew with
    this one. What a person named as an alert's address (`env:NAME`) is among it.
    """
    from tokenbudget.app.alert_rules import read_rules

    given = process_environment()
    targets = [channel.target for channel in read_rules(settings.data_dir).channels]
    named = [target.removeprefix("env:") for target in targets if target.startswith("env:")]
    kept = {name: given[name] for name in (*OF_THE_DESKTOP, *named) if name in given}
    return {**kept, **environment_for_child(settings)}


def daemon_of(settings: Settings, clock: Clock, port: int, idle_seconds: float) -> Daemon:
    """The daemon of these settings, not yet open."""
    home = settings.data_dir
    log = Log(home, clock)
    environment = dict(process_environment())
    chores = Chores(
        *(lambda: Worker([*COMMAND, WORKER], environment), lambda: settings_mark(settings)),
        *(clock, log),
        has_controller=True,
    )
    code = [handler.__file__, os.path.join(os.path.dirname(__file__), "..", "__init__.py")]
    wishes = Wishes(port, idle_seconds, version=__version__, code_files=code)
    trimming = TrimProcess([*COMMAND, TRIMMER], environment, clock, log)

    def answer(payload: bytes, home: str, now_ms: int) -> Answer:
        trimming.wake()
        return handler.answer(payload, home, now_ms, trimming.shorten)

    return Daemon(home, wishes, answer, chores, clock, log, trimming.close)


def serve(daemon: Daemon, settings: Settings) -> str:
    """Answer hooks until it is time to end; returns why."""
    compile_hook_settings(settings)
    record_hook_command(settings.data_dir, hook_command(sys.executable, settings.data_dir))
    return daemon.run()


def started(settings: Settings, is_persistent: bool, clock: Clock) -> DaemonStatus:
    """Start a daemon that goes on when this process ends, unless one runs; how it then stands.

    Raises:
        ProjectUnusable, Refused: the secret of a persistent one cannot be made.
    """
    from tokenbudget.system.process import start_detached

    if is_persistent:
        secret_of(settings.data_dir)
    more = ["--persistent"] if is_persistent else []
    try:
        start_detached([*COMMAND, *more, SETTLED], daemon_environment(settings))
    except (OSError, NotImplementedError):  # the latter: a system without POSIX_SPAWN_SETSID
        return status_of(settings.data_dir)
    for _ in range(START_LOOKS):
        status = status_of(settings.data_dir)
        if status.is_running and not status.trouble and bool(status.port) >= is_persistent:
            break
        clock.sleep(START_PAUSE_SECONDS)
    return status_of(settings.data_dir)


def is_to_begin_anew(reason: str, daemon: Daemon) -> bool:
    """Whether it ended for the new version's sake, and nobody else would start that one."""
    return reason == PROGRAM_CHANGED and daemon.about.is_persistent


def compile_hook_settings(settings: Settings) -> None:
    """Write down what the hooks are to know of the settings; where that fails the old ones hold."""
    from tokenbudget.app.hook_settings import write_hook_settings

    try:
        write_hook_settings(settings)
    except (OSError, TokenBudgetError):
        return


def settings_mark(settings: Settings) -> object:
    """Another value when one of the files that settings stand in is another one."""
    agents = [os.path.join(folder, "settings.json") for folder in settings.claude_dirs]
    return marks_of([settings.config_path, *agents])


# ── the worker ────────────────────────────────────────────────────────────────────────────────────


def work_for_daemon(refuse_impossible: Callable[[Settings], None]) -> None:
    """The worker process: do what the daemon says until it says no more."""
    from tokenbudget.system.process import be_polite

    be_polite()
    gc.enable()  # this one does not end before garbage matters

    def settings_in(folder: str) -> Settings:
        told = lasting_settings(process_environment(), folder, _say_nothing, refuse_impossible)
        return told._replace(backfill="off")

    loop = Loop(settings_in)

    def do_next(job: Job) -> str:
        told = loop.turned() if job.kind == CONTROL else do(job, settings_in)
        reap_senders()
        return told

    try:
        work(sys.stdin.buffer, sys.stdout.buffer, do_next)
    finally:
        loop.close()


def trim_for_daemon(clock: Clock) -> None:
    """The process that shortens: answer the daemon's questions until it asks no more."""
    import socket

    from tokenbudget.gateway.daemon.trim_process import answer_all
    from tokenbudget.gateway.hooks.trimming import Trimmer
    from tokenbudget.metering.tokenizer import BytePairCounter

    gc.enable()
    trimmer = Trimmer(clock, BytePairCounter)
    trimmer.warm_up()
    answer_all(socket.socket(fileno=sys.stdin.fileno()), trimmer.trimmed)


def reap_senders() -> None:
    """Have the kernel forget the senders of alerts that were started here and have ended."""
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            continue
    except ChildProcessError:  # there are none
        return


def do(job: Job, settings_in: Callable[[str], Settings]) -> str:
    """One job but for the controller's; there is nothing to say of it."""
    settings = settings_in(job.folder)
    if job.kind == SETTINGS:
        compile_hook_settings(settings)
    elif job.kind == REFRESH:
        _refresh(settings, job.session)
    else:
        _sweep(settings)
    return ""


class Loop:
    """The controller's loop as the worker turns it; made when it is first asked for."""

    def __init__(self, settings_in: Callable[[str], Settings]) -> None:
        self._settings_in = settings_in
        self._loop: ControlLoop | None = None

    def turned(self) -> str:
        """One turn; what the daemon is to know of it."""
        from tokenbudget.app.controlling_loop import ControlLoop
        from tokenbudget.system.clock import SystemClock

        if self._loop is None:
            self._loop = ControlLoop(lambda tell: self._settings_in(""), SystemClock(), CONTROLLER)
        done = self._loop.turn()
        return ControlTold(done.again_seconds, done.is_waiting).text()

    def close(self) -> None:
        """Let another one act; harmless where there is none."""
        if self._loop is not None:
            self._loop.close()


def _refresh(settings: Settings, session: str) -> None:
    """What the status line has done where no daemon runs; it sees that this is going on."""
    from tokenbudget.app.alert_steps import AlertsAfter
    from tokenbudget.app.live import SILENT
    from tokenbudget.app.statusline import refresh
    from tokenbudget.gateway.statusline_files import refresh_going_on

    after = AlertsAfter(session)
    with refresh_going_on(settings.data_dir):
        refresh(settings, SILENT, session, after)
    after.wake()


def _sweep(settings: Settings) -> None:
    """Everything that was written since, of all sessions; and the alerts that watch them."""
    from tokenbudget.app import open_workbench
    from tokenbudget.app.alert_delivery import note_look, wake_sender
    from tokenbudget.app.alerts import evaluate
    from tokenbudget.app.live import SILENT
    from tokenbudget.app.spilling import prune_spill
    from tokenbudget.app.statusline import take_reports
    from tokenbudget.collector.ingest import Want
    from tokenbudget.system.clock import SystemClock

    compile_hook_settings(settings)
    with contextlib.suppress(TokenBudgetError):  # whoever recalls something will see why
        prune_spill(settings, SystemClock())
    with open_workbench(settings, SILENT, Want.DETAIL) as bench:
        take_reports(bench)
        now_ms = bench.clock.now_ms()
        outcome = evaluate(bench, {}, now_ms)
        note_look(settings.data_dir, now_ms)
    wake_sender(settings, outcome.next_work_ms, now_ms)


def _say_nothing(sentence: str) -> None:
    """Nobody looks at what a worker says."""
