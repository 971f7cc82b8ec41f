"""The options that verbs share, and what a terminal can show."""

from __future__ import annotations

import argparse
import os
import sys

from tokenbudget.config.current import current_settings
from tokenbudget.config.settings import Settings, terminal_wishes
from tokenbudget.model.errors import BadRequest
from tokenbudget.model.figures import Style

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NoReturn

PLAIN_WIDTH = 160
"""Width of what goes into a pipe or a file: room for exact numbers."""

WIDEST = 160
LONGEST_COUNT = 9
"""Digits of the largest number that anyone means."""

_PLAINER = str.maketrans(
    {"─": "-", "█": "#", "░": ".", "·": "-", "…": "^", "\N{MINUS SIGN}": "-"}
    | {"━": "=", "├": "|", "└": "`", "│": "|", "▒": ":", "▓": "%", "±": "~"}
    | dict.fromkeys("▏▎▍▌▋▊▉", "#")
    | {"\N{EN DASH}": "-", "\N{MULTIPLICATION SIGN}": "x"}
    | {"●": "o", "▲": "*", "◆": "#", "✖": "x", "▸": ">"}  # a question mark would mean: unknown
    | {"📊": "==", "🟢": "OK", "🟡": "! ", "🟠": "!!", "🔴": "XX"}
    | dict(zip("▁▂▃▄▅▆▇", "1234567", strict=True))
)
"""Our own signs in ASCII, column by column."""


class Parser(argparse.ArgumentParser):
    """argparse with our errors: one sentence, exit code 2."""

    def error(self, message: str) -> NoReturn:
        """Refuse what was typed."""
        raise BadRequest(f"{message}; tokens {self.prog.removeprefix('tokens ')} --help says more")


HELP_WIDTH = 88
"""Fixed, because asking for the terminal's width imports shutil for every option (2 ms)."""


def _formatter(prog: str) -> argparse.HelpFormatter:
    return argparse.HelpFormatter(prog, max_help_position=28, width=HELP_WIDTH)


def parser(verb: str, description: str, reads_sessions: bool = True) -> Parser:
    """A parser with the options that every verb has."""
    made = Parser(
        prog=f"tokens {verb}",
        description=description,
        allow_abbrev=False,
        formatter_class=_formatter,
    )
    made.add_argument("--json", action="store_true", help="print one JSON object")
    made.add_argument("--no-color", action="store_true", help="plain text")
    if reads_sessions:
        made.add_argument(
            "--from",
            dest="from_paths",
            metavar="PATH",
            action="append",
            default=[],
            help="read these sessions (file or folder of any layout) instead of the ledger",
        )
        made.add_argument("--tz", metavar="ZONE", help="IANA time zone of the days shown")
    return made


def refuse_dry_yes(options: argparse.Namespace) -> None:
    """`--dry-run` only shows and `--yes` does it unasked: nobody means both. Raises BadRequest."""
    if options.dry_run and options.yes:
        raise BadRequest("--dry-run and --yes do not go together; leave one of them out")


def whole_number(text: str) -> int:
    """An option's count: 1 or more.

    Raises:
        BadRequest: it is none.
    """
    if not text.isdecimal() or len(text) > LONGEST_COUNT or int(text) < 1:
        raise BadRequest(f"'{text}' is no number of rows; write 1 or more")
    return int(text)


def settings(is_silent: bool = False) -> Settings:
    """The settings of this process; a fault that older values bridge is told on standard error."""
    return current_settings(_say_nothing if is_silent else _warn, refuse_impossible)


def _warn(sentence: str) -> None:
    from tokenbudget.cli.terminal import warn

    warn(sentence)


def _say_nothing(sentence: str) -> None:
    """Whoever asks has nobody to tell."""


def refuse_impossible(found: Settings) -> None:
    """Pass settings that can be meant; raises BadConfig."""
    from tokenbudget.app import settings_check

    settings_check.refuse_impossible(found)


def style(no_color: bool) -> Style:
    """What standard output can show."""
    wishes = terminal_wishes()
    if not sys.stdout.isatty():
        return file_style()
    width = wishes.columns or os.get_terminal_size(sys.stdout.fileno()).columns or 80
    is_styled = not (no_color or wishes.is_plain)
    return Style(min(width, WIDEST), is_styled)


def file_style() -> Style:
    """What a file or a pipe takes."""
    return Style(terminal_wishes().columns or PLAIN_WIDTH, is_styled=False)


def show(lines: list[str]) -> None:
    """Print lines; what the terminal cannot encode becomes plainer, or a question mark."""
    text = "\n".join(lines) + "\n"
    encoding = sys.stdout.encoding or "utf-8"
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        text = text.translate(_PLAINER).encode(encoding, "replace").decode(encoding)
    sys.stdout.write(text)
