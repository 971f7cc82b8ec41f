"""Shows the output of a command that failed, shortened; run by the words of `wrapping.around`.

    python -IS -c START FOLDER HOME FILE COMMAND LEVEL LEAST

Ends with 0 where it has shown everything that there is to show, and with 1, having shown nothing,
where it has not: then the shell shows the file as it is.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

SECONDS = 5
MOST_BYTES = 1 << 22


def main() -> None:
    """Show it; whatever goes wrong ends with 1."""
    sys.path.append(__file__.rsplit("/", 4)[0])
    try:
        signal.signal(signal.SIGALRM, _leave)
        signal.alarm(SECONDS)
        text = shown(*sys.argv[1:6])
        signal.alarm(0)  # ended while it shows, it would be shown twice
    except Exception:  # noqa: BLE001 - the shell shows the file then
        sys.exit(1)
    sys.stdout.buffer.write(text.encode("utf-8", "surrogateescape"))
    sys.stdout.flush()


def _leave(*_: object) -> None:
    """Killed by the signal itself the shell would have a word to say about it."""
    os._exit(1)


def kept(home: str, path: str, command: str) -> tuple[str, int]:
    """The handle and the lines of what a command has put out; it is taken out of its file.

    -1 lines: it is too long, or cannot be kept, and stays in its file.
    """
    from tokenbudget.gateway.installed_libraries import reach_libraries

    reach_libraries()
    from tokenbudget.archive.spill import Spill
    from tokenbudget.compression.policy import Call, label_of
    from tokenbudget.model.errors import TokenBudgetError
    from tokenbudget.system.clock import SystemClock

    content = _content(path)
    if len(content) > MOST_BYTES:
        return "", -1
    if not content.strip():
        Path(path).unlink()
        return "", 0
    label = label_of(Call("Bash", {"command": command}, ""))
    try:
        found = Spill(Path(home) / "spill", SystemClock()).keep(content, label)
    except (OSError, TokenBudgetError):
        return "", -1
    Path(path).unlink()
    return found, content.count(b"\n") + (not content.endswith(b"\n"))


def _content(path: str) -> bytes:
    """What a file holds, to where it is too long: it may be larger than the memory."""
    with Path(path).open("rb") as handle:
        return handle.read(MOST_BYTES + 1)


def shown(home: str, path: str, command: str, level: str, least: str) -> str:
    """The output in fewer words, its original kept.

    Raises:
        ValueError: it is better shown as it is.
    """
    from tokenbudget.gateway.installed_libraries import reach_libraries

    reach_libraries()
    from tokenbudget.archive.spill import Spill
    from tokenbudget.compression.handles import handle_of
    from tokenbudget.compression.policy import Call, Forgetful, Wishes, at_the_door, label_of
    from tokenbudget.metering.tokenizer import BytePairCounter
    from tokenbudget.system.clock import SystemClock

    content = _content(path)
    if len(content) > MOST_BYTES:
        raise ValueError("too long to be shortened in time")
    call = Call("Bash", {"command": command}, content.decode(), has_failed=True)
    wishes = Wishes(level, int(least))
    if len(call.text) < 2 * wishes.min_tokens:
        raise ValueError("short")
    found = at_the_door(call, wishes, Forgetful(), BytePairCounter())
    spill = Spill(Path(home) / "spill", SystemClock())
    if found is None or spill.keep(content, label_of(call)) != handle_of(content):
        raise ValueError("nothing to leave out")
    return found.text + "\n"
