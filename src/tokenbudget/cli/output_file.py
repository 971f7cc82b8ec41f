"""Where a verb writes what it made: `.claude/context`, `--output PATH`, or standard output.

A file is replaced whole or not at all; whatever fails, the one before still stands and one sentence
says why (exit code 3). A file that a person names is replaced as any program's `-o` would, with its
mode kept; but never a database, a read-only file or another user's.
"""

from __future__ import annotations

import contextlib
import os
import stat
import sys

from tokenbudget.model.errors import BadRequest, ProjectUnusable, Refused
from tokenbudget.model.plain_text import one_line

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Iterable, Iterator
    from typing import Protocol

    class Sink(Protocol):
        """What bytes are written to."""

        def write(self, data: bytes, /) -> object:
            """Take some bytes."""


STDOUT = "-"
NEW_MODE = 0o600
_DATABASE = b"SQLite format 3\0"


def settle_format(options: Namespace, usual: str) -> None:
    """Have `format` be one: `--json` is JSON on standard output, unless `--output` says where.

    Raises:
        BadRequest: a FORMAT was named beside `--json`, and another one.
    """
    if options.json:
        if options.format not in (None, "json"):
            raise BadRequest(f"--json and {options.format} are two formats; choose one")
        options.format, options.output = "json", options.output or STDOUT
    options.format = options.format or usual


def write_to(
    output: str | None, default_name: str, chunks: Iterable[bytes | str], *, project: str = ""
) -> str:
    """Write pieces of a file, as they are made; the path that they are at now ('' is stdout).

    Args:
        output: What `--output` says; None is our folder in the project, `-` is standard output.
        default_name: The file's name in our folder: `token-` and plain small letters.
        chunks: The content; text becomes UTF-8, and what is none of it a question mark.
        project: Whose folder; without it the one that the command is run in.

    Raises:
        ProjectUnusable: it cannot be written.
        Refused: what is there is a database, read-only or not one's own; or the folder is not.
        BadRequest: the path is empty.
    """
    with opened_output(output, default_name, project=project) as (sink, path):
        for chunk in chunks:
            sink.write(chunk.encode("utf-8", "replace") if isinstance(chunk, str) else chunk)
    return path


@contextlib.contextmanager
def opened_output(
    output: str | None, default_name: str, *, project: str = "", is_binary: bool = False
) -> Iterator[tuple[Sink, str]]:
    """What to write into, and its path; it takes its place when the block has ended well.

    As `write_to`; `is_binary` refuses a terminal as standard output.
    """
    if output is None:
        from tokenbudget.system.context_folder import AGENT_FOLDER, FOLDER, replaced_context_file

        project = project or _working_directory()
        with replaced_context_file(project, default_name) as handle:
            yield handle, os.path.join(project, AGENT_FOLDER, FOLDER, default_name)
    elif output == STDOUT:
        if is_binary and sys.stdout.isatty():
            raise BadRequest("this is no text; send it to a file or a pipe, not to a terminal")
        yield _StandardOutput(), ""
    else:
        with _replaced_path(output) as sink:
            yield sink, output


def told_path(path: str) -> str:
    """A path for a message: shorter where it lies below the folder that one is in."""
    with contextlib.suppress(OSError):
        here = os.getcwd() + os.sep
        path = path.removeprefix(here) or path
    return one_line(path)


class _StandardOutput:
    def write(self, data: bytes, /) -> None:
        """Bytes as they are; the stream that a test or a program put in its place takes text."""
        raw = getattr(sys.stdout, "buffer", None)
        if raw is None:
            sys.stdout.write(data.decode("utf-8", "replace"))
            return
        sys.stdout.flush()
        raw.write(data)


def _working_directory() -> str:
    try:
        return os.getcwd()
    except OSError as wrong:  # somebody has removed it
        raise ProjectUnusable(
            "the folder that you are in is gone; choose a file with --output PATH"
        ) from wrong


@contextlib.contextmanager
def _replaced_path(output: str) -> Iterator[Sink]:
    from tokenbudget.system.streamed_file import replaced_file_at

    try:
        path = os.path.realpath(output)  # a link stays, and what it points at is replaced
        mode = _mode_of(path, output)
        if mode is None:  # a device or a pipe is written to, never replaced
            with open(path, "wb") as device:
                yield device
            return
        folder = os.open(os.path.dirname(path), os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            with replaced_file_at(folder, os.path.basename(path), mode) as handle:
                yield handle
        finally:
            os.close(folder)
    except BrokenPipeError:
        raise
    except (OSError, ValueError) as wrong:
        reason = wrong.strerror if isinstance(wrong, OSError) else "no file has such a name"
        raise ProjectUnusable(
            f"cannot write '{one_line(output[:500])}' ({reason}); choose another --output"
        ) from wrong


def _mode_of(path: str, named: str) -> int | None:
    """The mode that the file will have; None where something other than a file is there.

    Raises:
        Refused: the file is one that nobody means to lose.
        OSError, ValueError: it is a folder, or cannot be looked at.
    """
    if not named:
        raise BadRequest("--output takes a path, or - for standard output")
    try:
        facts = os.stat(path)
    except FileNotFoundError:
        return NEW_MODE
    if stat.S_ISDIR(facts.st_mode):
        raise IsADirectoryError(21, "it is a folder")
    if not stat.S_ISREG(facts.st_mode):
        return None
    shown = f"'{one_line(named[:500])}'"
    if facts.st_uid != os.geteuid():
        raise Refused(f"{shown} belongs to another user; choose another --output")
    if not facts.st_mode & 0o200:
        raise Refused(f"{shown} is read-only; choose another --output")
    if _begins_as_database(path):
        raise Refused(f"{shown} is a database; choose another --output")
    return stat.S_IMODE(facts.st_mode)


def _begins_as_database(path: str) -> bool:
    try:
        with open(path, "rb") as handle:
            return handle.read(len(_DATABASE)) == _DATABASE
    except OSError:  # ours, and yet not to be read: then it is not one that we know
        return False
