"""`tokens serve`: the daemon that answers hooks."""

from __future__ import annotations

import os
import signal
import sys

from tokenbudget.app import serving
from tokenbudget.cli.options import parser, refuse_impossible, settings, show
from tokenbudget.config.serving import FIRST_PORT, LAST_PORT, span_seconds
from tokenbudget.config.settings import process_environment
from tokenbudget.gateway.daemon.secret import secret_of
from tokenbudget.gateway.daemon.status import status_of, written_status
from tokenbudget.gateway.daemon.stopping import stop_daemon
from tokenbudget.model.errors import BadRequest
from tokenbudget.reports.serve import (
    already_lines,
    serve_document,
    serve_lines,
    stopped_document,
    stopped_lines,
)
from tokenbudget.system.clock import SystemClock

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Sequence

    from tokenbudget.cli.options import Parser
    from tokenbudget.config.settings import Settings

NOT_SO = 1


def run(arguments: Sequence[str]) -> int:
    """Carry the verb out."""
    given = list(arguments)
    if given == [serving.WORKER]:
        serving.work_for_daemon(refuse_impossible)
        return 0
    if given == [serving.TRIMMER]:
        serving.trim_for_daemon(SystemClock())
        return 0
    is_settled = given[-1:] == [serving.SETTLED]
    options = _parser().parse_args(given[:-1] if is_settled else given)
    if options.status or options.stop:
        return _told(options)
    if options.json:
        raise BadRequest("--json goes with --status or --stop")
    if not is_settled:
        found = settings(is_silent=options.quiet)
        if not options.quiet or found.serve_settings().autostart:
            _settle(given, found)
        return 0
    return _serve(options, settings(is_silent=True), given)


def _parser() -> Parser:
    made = parser(
        "serve",
        "Answer the agent's hooks from one process that is there already. A hook that finds none"
        " starts one, and needs none.",
        reads_sessions=False,
    )
    made.add_argument(
        "--persistent", action="store_true", help="serve HTTP on 127.0.0.1 as well, and stay"
    )
    made.add_argument("--port", metavar="N", help="its port (default: serve.port)")
    made.add_argument("--idle", metavar="TIME", help="end after so long without hooks (15m)")
    made.add_argument("--status", action="store_true", help="say whether one runs, and how it is")
    made.add_argument("--stop", action="store_true", help="end the one that runs")
    made.add_argument(
        "--quiet", action="store_true", help="say nothing; how a hook starts it (serve.autostart)"
    )
    return made


def _told(options: Namespace) -> int:
    home = settings(is_silent=True).data_dir
    if options.stop:
        pid = stop_daemon(home, SystemClock())
        _show(options, stopped_document(pid), stopped_lines(pid))
        return 0
    status = status_of(home)
    _show(options, serve_document(status), serve_lines(status, home, SystemClock().now_ms()))
    return 0 if status.is_running else NOT_SO


def _show(options: Namespace, document: str, lines: list[str]) -> None:
    show([document] if options.json else lines)


def _settle(given: Sequence[str], found: Settings) -> None:
    """Start anew with the environment that the daemon may know; does not return."""
    environment = serving.daemon_environment(found)
    os.execve(sys.executable, [*serving.COMMAND, *given, serving.SETTLED], environment)


def _serve(options: Namespace, found: Settings, again: Sequence[str]) -> int:
    idle, port = _idle_seconds(options, found), _port(options, found)
    home = found.data_dir
    if options.persistent:
        secret_of(home)
    daemon = serving.daemon_of(found, SystemClock(), port, idle)
    if not daemon.open():
        _say(options, [*already_lines(options.persistent), *_status_lines(home)])
        return 0
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda *_: daemon.stop("it was told to"))
    os.chdir(home)  # no folder of a project is held
    _say(options, _status_lines(home))
    reason = serving.serve(daemon, found)
    if serving.is_to_begin_anew(reason, daemon):
        os.execve(sys.executable, [*serving.COMMAND, *again], dict(process_environment()))
    return 0


def _status_lines(home: str) -> list[str]:
    return serve_lines(written_status(home), home, SystemClock().now_ms())


def _say(options: Namespace, lines: list[str]) -> None:
    if not options.quiet:
        show(lines)
        sys.stdout.flush()


def _idle_seconds(options: Namespace, found: Settings) -> int:
    if options.idle is None:
        return found.serve_settings().idle_seconds
    seconds = span_seconds(options.idle)
    if seconds is None:
        raise BadRequest(f"'{options.idle}' is no time; write --idle 90s, 15m or 8h")
    return seconds


def _port(options: Namespace, found: Settings) -> int:
    if options.port is None:
        return serving.port_of(found)
    text = options.port
    port = int(text) if text.isascii() and text.isdecimal() and len(text) < 6 else 0
    if not FIRST_PORT <= port <= LAST_PORT:
        raise BadRequest(f"'{text}' is no port; write --port {FIRST_PORT} to {LAST_PORT}")
    return port
