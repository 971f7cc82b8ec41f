"""The daemon's state for a person, and as JSON."""

from __future__ import annotations

import json
from datetime import UTC, datetime

from tokenbudget.model.plain_text import one_line

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tokenbudget.gateway.daemon.status import DaemonStatus

FORMAT = "tokenbudget/serve/1"
STOP_FORMAT = "tokenbudget/serve-stop/1"


def serve_document(status: DaemonStatus) -> str:
    """One JSON object; moments are ISO 8601, null is unknown or never."""
    told: dict[str, object] = status._asdict()
    for name in ("started_at", "last_hook"):
        told[name] = _iso(told.pop(f"{name}_ms"))
    return json.dumps({"format": FORMAT, **told})


def serve_lines(status: DaemonStatus, home: str, now_ms: int) -> list[str]:
    """How it stands, the answer first."""
    where = one_line(home)
    if not status.is_running:
        lines = [f"no daemon runs for {where}; hooks decide on their own, and start one"]
        return lines + _trouble_lines(status)
    since = _ago(now_ms - status.started_at_ms) if status.started_at_ms else "?"
    lines = [f"the daemon runs: process {status.pid}, version {status.version or '?'}, for {since}"]
    lines += [f"  socket   {where}/run/daemon.sock"]
    lines += [f"  http     127.0.0.1:{status.port}"] if status.port else []
    last = _ago(now_ms - status.last_hook_ms) + " ago" if status.last_hook_ms else "never"
    lines += [f"  hooks    {status.answered:,} answered, the last one {last}"]
    if status.refreshed or status.faults:
        lines += [f"  behind   {status.refreshed:,} refreshes, {status.faults:,} faults"]
    if status.is_persistent:
        lines += ["  ends     when it is told to: tokens serve --stop"]
    elif status.idle_seconds:
        lines += [f"  ends     after {_ago(status.idle_seconds * 1000)} without hooks"]
    return lines + _trouble_lines(status)


def already_lines(is_persistent: bool) -> list[str]:
    """What is said where another one runs."""
    more = "; it serves HTTP from now on" if is_persistent else ""
    return [f"a daemon of this home runs already{more}"]


def stopped_document(pid: int) -> str:
    """One JSON object; 0 is: none ran."""
    return json.dumps({"format": STOP_FORMAT, "pid": pid})


def stopped_lines(pid: int) -> list[str]:
    """What was ended."""
    return [f"ended the daemon, process {pid}" if pid else "no daemon runs"]


def _trouble_lines(status: DaemonStatus) -> list[str]:
    return [f"  ▲        {one_line(status.trouble)}"] if status.trouble else []


def _iso(moment: object) -> str | None:
    if not isinstance(moment, int) or not moment:
        return None
    return datetime.fromtimestamp(moment / 1000, UTC).isoformat(timespec="seconds")


def _ago(milliseconds: int) -> str:
    seconds = max(0, milliseconds // 1000)
    for unit, length in (("d", 86_400), ("h", 3600), ("m", 60)):
        if seconds >= length:
            return f"{seconds // length}{unit}"
    return f"{seconds}s"
