"""Whether a call is denied, once, because it would fetch again what is there. Pure.

Nothing is denied in doubt: a record is made only where a file was the same before and after it was
read (`recording`), and forgotten with everything that may have taken something out of the window
(`session_state.forget`).
"""

from binascii import crc32

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from tokenbudget.gateway.hooks.payload import HookEvent

    Stamp = tuple[int, int, int]
    """Of a file: bytes, and when its content and its entry last changed (ns)."""

LARGE_CHARS = 20_000
"""An output from here on is huge: 5,000 tokens."""
MOST_CHARS = 30_000
"""Of an output, unless a setting says otherwise; what is longer a newer client puts into a file."""
CUTS_UNTIL = (2, 1, 2)
"""Older clients cut what is longer, so that all these characters reach the window."""
CHARS_PER_TOKEN = 4
ANSWERS_FROM, ANSWERS_BEFORE = (2, 1), (2, 1, 329)
"""Clients between these answer a repeated read by themselves, without the text (2.1.270 does so;
2.0.76 and 2.1.329 give the file again): there the guard has nothing to do."""

_PLAIN = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./@%+=:,-")
"""What in a command means nothing but itself."""


def is_whole_read(asked: "Mapping[str, object]") -> bool:
    """Whether a call of Read asks for the file from its beginning to its end."""
    return not any(asked.get(name) is not None for name in ("offset", "limit", "pages"))


def gives_files_again(version: "tuple[int, ...]") -> bool:
    """Whether a client gives a file again that it has given before; of an unknown one no."""
    return bool(version) and not ANSWERS_FROM <= version < ANSWERS_BEFORE


def tokens_read_again(
    record: "Sequence[int] | None", found: "Stamp | None", least_tokens: int
) -> int:
    """What reading this file once more would cost; 0 where it is not to be kept from that.

    `record` is the file's stamp when it was read, and the characters that this gave.
    """
    if record is None or found is None or tuple(record[:3]) != found:
        return 0
    tokens = record[3] // CHARS_PER_TOKEN
    return tokens if tokens >= max(1, least_tokens) else 0


def sum_of(key: str) -> int:
    """What is kept of a key instead of its words; a clash means one denial more or less."""
    return crc32(key.encode("utf-8", "surrogatepass"))


def command_key(event: "HookEvent") -> str:
    """A command and where it runs, without their words: those may hold a password."""
    return str(sum_of(f"{event.cwd}\n{event.command}"))


def chars_put_out(
    command: str,
    cwd: str,
    known_chars: int | None,
    version: "tuple[int, ...]",
    stamp_of: "Callable[[str], Stamp | None]",
) -> int:
    """What this command is known to put into the window, where that is huge; else 0.

    `known_chars` is what it gave the last time; None where it was not huge or did not run.
    """
    if known_chars is not None:
        return known_chars if known_chars >= LARGE_CHARS else 0
    path = _file_shown(command, cwd)
    found = stamp_of(path) if path else None
    if found is None or found[0] < LARGE_CHARS:
        return 0
    if found[0] <= MOST_CHARS:
        return found[0]
    return MOST_CHARS if version and version < CUTS_UNTIL else 0


def _file_shown(command: str, cwd: str) -> str:
    """The one file that a plain `cat FILE` shows."""
    words = command.split(" ")
    if len(words) != 2 or words[0] != "cat" or not words[1] or not _PLAIN.issuperset(words[1]):
        return ""
    if words[1].startswith("-") or not (cwd or words[1].startswith("/")):
        return ""
    return words[1] if words[1].startswith("/") else f"{cwd}/{words[1]}"


def version_of(text: str) -> "tuple[int, ...]":
    """A client's version as numbers; empty where it is no such thing."""
    parts = text.partition("-")[0].split(".")
    if not 2 <= len(parts) <= 4:
        return ()
    if not all(part.isascii() and part.isdecimal() and len(part) < 9 for part in parts):
        return ()
    return tuple(int(part) for part in parts)
