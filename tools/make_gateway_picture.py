"""Draw one real run through the gateway: 35 files summed up, every word that enters the window.

    python tools/make_gateway_picture.py       writes docs/gateway.svg; --text prints it instead

Needs what `bench_gateway_work.py` needs. The folder of the files is shown as SHOWN_FOLDER.
"""

from __future__ import annotations

import json
import sys
import tempfile
import textwrap
from collections.abc import Iterator, Sequence
from pathlib import Path

from bench_gateway_work import Compared, compared
from gateway_work import file_work
from make_picture import COLUMNS, drawn
from mcp_window import Entry

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tests.e2e.install_clients import mcp_server

PICTURE = Path("docs/gateway.svg")
SHOWN_FOLDER = "/shop/src"
MOST_LINES = {"find_tools": 3, "describe_tools": 2}
"""Of an answer, in the picture; how many are left out is said."""


def measured() -> tuple[Compared, str]:
    """The run, and the folder in which it was."""
    files = mcp_server("filesystem")
    if files is None:
        raise SystemExit("run tests/e2e/install_clients.py first")
    with tempfile.TemporaryDirectory(prefix="gateway-") as name:
        folder = Path(name) / "src"
        work = file_work(folder, files)
        tokens = str(Path(sys.executable).with_name("tokens"))
        return compared(work, Path(name) / "home", tokens), str(folder)


def lines_of(found: Compared) -> Iterator[str]:
    """Call after call, then what it came to."""
    entries = [one for one in found.gateway.entries if one.what != "static"]
    for asked, told in zip(entries[::2], entries[1::2], strict=True):
        yield from _call(asked, told)
        yield ""
    direct, ours = found.direct.tokens, found.gateway.tokens
    static = found.gateway.under("static")
    yield f"{ours:,} tokens in the window, {static} of them for the gateway itself;"
    yield f"file by file it is {direct:,}."


def _call(asked: Entry, told: Entry) -> Iterator[str]:
    call = json.loads(asked.text)
    name, given = call["name"], call["input"]
    if "code" in given:
        yield f"> {name}"
        yield from (f"  {line}" for line in given["code"].splitlines())
    else:
        value = json.dumps(next(iter(given.values())))
        yield f"> {name} {value}"
    lines = told.text.splitlines()
    most = MOST_LINES.get(name, len(lines))
    yield from lines[:most]
    if len(lines) > most:
        yield f"({len(lines) - most} more lines)"


def fitted(lines: Sequence[str], folder: str) -> list[str]:
    """Lines of the picture's width, with a folder's name that fits."""
    fit: list[str] = []
    for line in lines:
        indent = " " * (len(line) - len(line.lstrip()) + 2)
        shown = line.replace(folder, SHOWN_FOLDER)
        fit += textwrap.wrap(
            shown, COLUMNS, subsequent_indent=indent, drop_whitespace=False, tabsize=4
        ) or [""]
    return fit


def main(arguments: Sequence[str]) -> int:
    """Run, draw."""
    found, folder = measured()
    lines = fitted(list(lines_of(found)), folder)
    if "--text" in arguments:
        print("\n".join(lines))
    else:
        PICTURE.write_text(drawn(lines) + "\n", encoding="utf-8")
        print(PICTURE)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
