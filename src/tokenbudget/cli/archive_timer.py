"""`tokens archive --timer`: print, install or remove what archives daily."""

from __future__ import annotations

from tokenbudget.app.archive_timer import install, remove, timer_for
from tokenbudget.cli.asking import is_wanted
from tokenbudget.cli.options import show
from tokenbudget.model.errors import BadRequest
from tokenbudget.model.figures import counted
from tokenbudget.model.plain_text import one_line
from tokenbudget.system.clock import SystemClock
from tokenbudget.system.timers import KINDS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace

    from tokenbudget.app.archive_timer import Timer
    from tokenbudget.config.settings import Settings

FORMAT = 1
AUTO = "auto"


def run(options: Namespace, settings: Settings) -> int:
    """Carry it out; the exit code."""
    if sum(map(bool, (options.timer, options.install_timer, options.remove_timer))) > 1:
        raise BadRequest("--timer, --install-timer and --remove-timer are three errands; give one")
    if options.remove_timer:
        return _remove(options, settings)
    kind = options.timer or options.install_timer
    if kind not in (AUTO, *KINDS):
        raise BadRequest(f"'{kind}' is no kind of timer; write {', '.join(KINDS)}")
    timer = timer_for(settings, "" if kind == AUTO else kind, options.days)
    if options.timer:
        _answer(options, timer, [], _text(timer))
        return 0
    if options.dry_run:
        _answer(options, timer, [], [*_text(timer), "", "Nothing was changed (--dry-run)."])
        return 0
    if not options.json:
        show(_text(timer))
    if not is_wanted("\nInstall it?", options.yes):
        show(["Nothing was changed."])
        return 0
    written = install(settings, timer, SystemClock())
    where = ", ".join(map(one_line, written)) or "your crontab"
    days = counted(timer.days, "day")
    _answer(
        options,
        timer,
        written or ["crontab"],
        [
            "",
            f"Installed in {where}: sessions are archived daily, after {days}.",
            "To take it away: tokens archive --remove-timer",
        ],
    )
    return 0


def _remove(options: Namespace, settings: Settings) -> int:
    removed = remove(settings)
    if options.json:
        from tokenbudget.reports.json import document

        show([document("archive-timer", FORMAT, {"removed": removed})])
    elif removed:
        show([f"Removed: {', '.join(map(one_line, removed))}."])
    else:
        show(["There is no timer of ours."])
    return 0


def _text(timer: Timer) -> list[str]:
    """The files as they are written, each under its path."""
    lines = []
    for unit in timer.units:
        lines += [f"# {one_line(unit.path) or 'a line of your crontab (crontab -e)'}"]
        lines += [*unit.text.rstrip("\n").split("\n"), ""]
    told = (
        f"# The agent deletes transcripts after {counted(timer.cleanup_days, 'day')};"
        f" this archives after {timer.days}."
        if timer.cleanup_days is not None
        else f"# The agent deletes no transcripts; this archives after {timer.days} days."
    )
    return [*lines, told]


def _answer(options: Namespace, timer: Timer, written: list[str], lines: list[str]) -> None:
    if not options.json:
        show(lines)
        return
    from tokenbudget.reports.json import document

    fields = {
        "kind": timer.kind,
        "older_than_days": timer.days,
        "agent_deletes_after_days": timer.cleanup_days,
        "command": list(timer.job.command),
        "rows": [unit._asdict() for unit in timer.units],
        "written": written,
    }
    show([document("archive-timer", FORMAT, fields)])
