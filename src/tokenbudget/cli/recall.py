"""`tokens recall`: the original of what was shortened, whole or some lines of it."""

from __future__ import annotations

import sys
from datetime import UTC, datetime

from tokenbudget.app.recalling import Lines, chosen, lines_in, pattern_of, ranges_of
from tokenbudget.app.spilling import spill_of
from tokenbudget.cli.options import parser, settings, show, style, whole_number
from tokenbudget.cli.output_file import STDOUT, opened_output, told_path
from tokenbudget.model.errors import BadRequest, Refused
from tokenbudget.model.plain_text import one_line
from tokenbudget.system.clock import SystemClock

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Iterable, Iterator, Sequence

    from tokenbudget.archive.spill import Spill

DEFAULT_LIMIT = 20
NOTHING_FOUND = 1
"""Exit code where no line is what was asked for, as grep has it."""


def run(arguments: Sequence[str]) -> int:
    """Carry the verb out."""
    options = _options(arguments)
    spill = spill_of(settings(is_silent=True).data_dir, SystemClock())
    if options.list:
        return _list(spill, options)
    wanted = Lines(
        ranges_of(options.lines) if options.lines is not None else (),
        pattern_of(options.grep) if options.grep is not None else None,
        options.context or 0,
    )
    if options.json:
        return _tell(spill, options.handle, wanted)
    return _write(spill, options, wanted)


def _options(arguments: Sequence[str]) -> Namespace:
    made = parser(
        "recall",
        "Give back the original of a shortened result, byte for byte. The handle is the number"
        " that stands after `tokens recall` in the shortened text.",
        False,
    )
    made.add_argument("handle", nargs="?", metavar="HANDLE", help="which original")
    made.add_argument("--lines", metavar="A-B", help="only these lines: 10-20, 10-, 10, or several")
    made.add_argument(
        "--grep", metavar="P", help="only lines with this regular expression, numbered"
    )
    made.add_argument(
        "--context", type=whole_number, metavar="N", help="so many lines beside those of --grep"
    )
    made.add_argument("--output", metavar="PATH", help="write to a file; - is standard output")
    made.add_argument("--list", action="store_true", help="what is kept, the latest first")
    made.add_argument(
        "--limit", type=whole_number, metavar="N", help=f"rows of --list (default {DEFAULT_LIMIT})"
    )
    options = made.parse_args(arguments)
    if options.list == (options.handle is not None):
        raise BadRequest("name one HANDLE; tokens recall --list shows what is kept")
    if options.json and options.output is not None:
        raise BadRequest("--json prints an object; leave --output out")
    if options.output not in (None, STDOUT):
        _refuse_in_agent()
    if options.context is not None and options.grep is None:
        raise BadRequest("--context goes with --grep")
    return options


def _refuse_in_agent() -> None:
    """A rule may let this verb run unasked, since it only reads; so there it writes no file.

    Raises:
        Refused: an agent has started this process.
    """
    from tokenbudget.config.agent_session import is_in_agent

    if is_in_agent():
        raise Refused("--output is for a person; inside an agent, let the shell write it: > PATH")


def _write(spill: Spill, options: Namespace, wanted: Lines) -> int:
    chunks = spill.chunks(options.handle)
    output = STDOUT if options.output is None else options.output
    is_shown = output == STDOUT and sys.stdout.isatty()
    count = 0
    with opened_output(output, "") as (sink, path):
        for piece in _pieces(chunks, wanted, is_shown):
            sink.write(piece)
            count += 1
    if not count and not wanted.is_everything:
        print(f"tokens: no line of {options.handle} is what was asked for", file=sys.stderr)
        return NOTHING_FOUND
    if path:
        show([f"{told_path(path)} has the original {options.handle} now."])
    return 0


def _pieces(chunks: Iterable[bytes], wanted: Lines, is_shown: bool) -> Iterator[bytes]:
    """What is written: the very bytes, but for a terminal, which would obey some of them."""
    if wanted.is_everything and not is_shown:
        yield from chunks
        return
    for number, line in chosen(lines_in(chunks), wanted):
        told = b"%d:" % number if wanted.pattern is not None else b""
        yield told + (_harmless(line) if is_shown else line)


def _harmless(line: bytes) -> bytes:
    text = line.decode("utf-8", "replace").rstrip("\r\n").expandtabs()
    encoding = sys.stdout.encoding or "utf-8"
    return one_line(text).encode(encoding, "replace") + b"\n"


def _tell(spill: Spill, handle: str, wanted: Lines) -> int:
    from tokenbudget.reports.recall import content_document

    chunks = spill.chunks(handle)
    size = spill.size_of(handle)
    if wanted.is_everything:
        show([content_document(handle, size, b"".join(chunks))])
        return 0
    rows = list(chosen(lines_in(chunks), wanted))
    show([content_document(handle, size, None, rows)])
    return 0 if rows else NOTHING_FOUND


def _list(spill: Spill, options: Namespace) -> int:
    from tokenbudget.reports.recall import listing_document, listing_lines

    for name in ("lines", "grep", "output"):
        if getattr(options, name) is not None:
            raise BadRequest(f"--{name} goes with a HANDLE")
    kept = spill.listing()
    if options.json:
        show([listing_document(kept, options.limit)])
        return 0
    limit = options.limit or DEFAULT_LIMIT
    show(listing_lines(kept, limit, style(options.no_color), _local_minute))
    return 0


def _local_minute(at_ms: int) -> str:
    return f"{datetime.fromtimestamp(at_ms / 1000, UTC).astimezone():%Y-%m-%d %H:%M}"
