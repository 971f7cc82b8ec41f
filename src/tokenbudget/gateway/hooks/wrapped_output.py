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

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

SECONDS = 5
MOST_BYTES = 1 << 22
"""What is longer is shortened as it passes, in memory that does not grow with it."""
SECONDS_MORE, MOST_STREAMED_BYTES = 25, 1 << 26
CHUNK_BYTES = 1 << 18


def main() -> None:
    """Show it; whatever goes wrong ends with 1."""
    sys.path.append(__file__.rsplit("/", 4)[0])
    try:
        signal.signal(signal.SIGALRM, _leave)
        signal.alarm(
            SECONDS + (SECONDS_MORE if Path(sys.argv[2]).stat().st_size > MOST_BYTES else 0)
        )
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
        return streamed(home, path, command, level)
    call = Call("Bash", {"command": command}, content.decode(), has_failed=True)
    wishes = Wishes(level, int(least))
    if len(call.text) < 2 * wishes.min_tokens:
        raise ValueError("short")
    found = at_the_door(call, wishes, Forgetful(), BytePairCounter())
    spill = Spill(Path(home) / "spill", SystemClock())
    if found is None or spill.keep(content, label_of(call)) != handle_of(content):
        raise ValueError("nothing to leave out")
    return found.text + "\n"


def streamed(home: str, path: str, command: str, level: str) -> str:
    """The same of a file that may be larger than the memory; read once, kept as it is read.

    Raises:
        ValueError: it is better shown as it is.
    """
    from tokenbudget.archive.spill import Spill
    from tokenbudget.compression.passage import VERBOSE
    from tokenbudget.compression.policy import Call, label_of
    from tokenbudget.compression.streaming import StreamShortener
    from tokenbudget.system.clock import SystemClock

    if level == VERBOSE or Path(path).stat().st_size > MOST_STREAMED_BYTES:
        raise ValueError("too long to be shortened in time")
    shortener = StreamShortener()

    def passing() -> Iterator[bytes]:
        with Path(path).open("rb") as handle:
            while chunk := handle.read(CHUNK_BYTES):
                shortener.feed(chunk)
                yield chunk

    label = label_of(Call("Bash", {"command": command}, ""))
    kept_whole = Spill(Path(home) / "spill", SystemClock()).keep_stream(passing(), label)
    found = shortener.finish()
    if found.is_whole:
        raise ValueError("nothing to leave out")
    shown_text = found.text.removesuffix("\n")
    lines = f"all {found.line_count:,} lines: tokens recall {kept_whole.handle}"
    return f"{shown_text}\n{found.opening} {lines}]\n"
