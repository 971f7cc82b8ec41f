"""`tokens compress`: a text from a file or a pipe in fewer tokens, on standard output."""

from __future__ import annotations

import contextlib
import os
import sys
from itertools import chain

from tokenbudget.app.compressing import (
    AUTO,
    KINDS,
    PROSE,
    Wish,
    bytes_of,
    compressed,
    kind_of,
    text_of,
)
from tokenbudget.app.spilling import spill_of
from tokenbudget.cli.options import parser, settings, show
from tokenbudget.cli.output_file import STDOUT, opened_output
from tokenbudget.compression.passage import LEVELS, Origin
from tokenbudget.model.errors import BadRequest, Refused, SourceUnreadable
from tokenbudget.model.plain_text import one_line
from tokenbudget.system.clock import SystemClock
from tokenbudget.system.regular_file import quoted

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Iterable, Iterator, Sequence
    from typing import BinaryIO

    from tokenbudget.app.compressing import Compressed
    from tokenbudget.archive.spill import Spill

WHOLE_BYTES = 8 << 20
"""What has more is shortened as it passes, and never held."""
CHUNK_BYTES = 1 << 20


def run(arguments: Sequence[str]) -> int:
    """Carry the verb out."""
    options = _options(arguments)
    found = settings(is_silent=True)
    level = options.level or found.management().compression_mode
    path = "" if options.file == STDOUT else os.path.abspath(options.file)
    wish = Wish(level, options.kind, Origin(options.tool, options.command, path))
    spill = spill_of(found.data_dir, SystemClock())
    with _opened(options.file) as source:
        done, original = _compressed(source, wish, spill)
    if options.json:
        from tokenbudget.reports.compress import compress_document

        told = done if done.codec else done._replace(text=text_of(b"".join(original)), handle="")
        show([compress_document(told, level)])
        return 0
    _write(done, original, options)
    return 0


def _compressed(source: BinaryIO, wish: Wish, spill: Spill) -> tuple[Compressed, Iterable[bytes]]:
    """The shortened text with its account, and the original in parts."""
    from tokenbudget.metering.tokenizer import BytePairCounter

    begun = source.read(WHOLE_BYTES + 1)
    if len(begun) <= WHOLE_BYTES:
        return compressed(begun, wish, BytePairCounter(), spill), (begun,)
    if kind_of(wish) == PROSE:
        raise Refused(f"this is more prose than {WHOLE_BYTES:,} bytes; --as result shortens it")
    from tokenbudget.app.compressing_stream import compressed_stream

    first = (begun[at : at + CHUNK_BYTES] for at in range(0, len(begun), CHUNK_BYTES))
    rest = iter(lambda: source.read(CHUNK_BYTES), b"")
    done = compressed_stream(chain(first, rest), wish, BytePairCounter(), spill)
    return done, () if done.codec else spill.chunks(done.handle)


def _options(arguments: Sequence[str]) -> Namespace:
    made = parser(
        "compress",
        "Say a text in fewer tokens: results of tools without what can be counted or recalled,"
        " prose telegraphically. What is not a proven gain stays as it is.",
        False,
    )
    made.add_argument(
        "file", nargs="?", metavar="FILE", default=STDOUT, help="- or nothing is standard input"
    )
    made.add_argument("--level", choices=LEVELS, help="default: what `tokens mode` says")
    made.add_argument(
        "--as",
        dest="kind",
        choices=KINDS,
        default=AUTO,
        help="prose or result; auto takes .md, .rst and .txt files for prose",
    )
    made.add_argument("--tool", default="", metavar="T", help="the tool that gave it, such as Bash")
    made.add_argument("--command", default="", metavar="C", help="the command that printed it")
    made.add_argument("--receipt", action="store_true", help="what was done, on standard error")
    made.add_argument("--output", metavar="PATH", help="write to a file; - is standard output")
    options = made.parse_args(arguments)
    if options.json and options.output is not None:
        raise BadRequest("--json prints an object; leave --output out")
    if options.file == STDOUT and sys.stdin.isatty():
        raise BadRequest("name a FILE, or send a text through a pipe")
    return options


@contextlib.contextmanager
def _opened(file: str) -> Iterator[BinaryIO]:
    """What is to be said.

    Raises:
        SourceUnreadable: it is not there, or may not be read.
    """
    if file == STDOUT:
        yield sys.stdin.buffer
        return
    try:
        handle = open(file, "rb")  # noqa: SIM115 (closed below; what the block raises is its own)
    except (OSError, ValueError) as wrong:
        reason = wrong.strerror if isinstance(wrong, OSError) else "no file has such a name"
        raise SourceUnreadable(f"cannot read {quoted(file)}: {reason}") from wrong
    with handle:
        yield handle


def _write(done: Compressed, original: Iterable[bytes], options: Namespace) -> None:
    """The text, and the account of it where it does not get into the text's way."""
    output = STDOUT if options.output is None else options.output
    told = (bytes_of(done.text),) if done.codec else original
    if output == STDOUT and sys.stdout.isatty():
        told = (_harmless(b"".join(told)),)
    with opened_output(output, "") as (sink, _):
        for part in told:
            sink.write(part)
    if options.receipt:
        from tokenbudget.reports.compress import receipt_lines

        sys.stdout.flush()
        for line in receipt_lines(done):
            print(one_line(line), file=sys.stderr)


def _harmless(told: bytes) -> bytes:
    """For a terminal, which would obey some of it."""
    lines = told.decode("utf-8", "replace").split("\n")
    encoding = sys.stdout.encoding or "utf-8"
    return "\n".join(one_line(line.expandtabs()) for line in lines).encode(encoding, "replace")
