"""`tokens select`: what a task needs of some files, under a token budget."""

from __future__ import annotations

import sys

from tokenbudget.app.embedding_model import embedding_ranker
from tokenbudget.app.selecting import Budget, select_files, text_of
from tokenbudget.cli.options import parser, settings, show
from tokenbudget.cli.output_file import STDOUT, write_to
from tokenbudget.cli.terminal import ProgressBar, warn
from tokenbudget.compression.ranking_recent import NOTHING_RECENT
from tokenbudget.model.errors import BadRequest, TokenBudgetError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from tokenbudget.compression.ranking_recent import Recent

DEFAULT_BUDGET = "25%"
LONGEST_BUDGET = 12
"""Characters of the largest budget that anyone means."""


def run(arguments: Sequence[str]) -> int:
    """Carry the verb out."""
    made = parser(
        "select",
        "Show what a task needs of some files, within a number of tokens; the rest as an outline.",
        reads_sessions=False,
    )
    made.add_argument("files", metavar="FILE", nargs="+", help="the files; - is standard input")
    made.add_argument("--task", metavar="TEXT", help="what is to be done: an issue, an error")
    made.add_argument("--task-file", metavar="PATH", help="read the task from a file (- is stdin)")
    made.add_argument(
        "--budget",
        metavar="N|P%",
        type=budget_of,
        default=DEFAULT_BUDGET,
        help="tokens of all that is shown, or per cent of the files' (default: 25%%)",
    )
    made.add_argument(
        "--no-edits", action="store_true", help="do not look at what was edited lately"
    )
    made.add_argument(
        "--embed",
        metavar="FOLDER",
        help="rank by meaning too, by the sentence model in FOLDER, or: installed",
    )
    options = made.parse_args(arguments)
    if (options.task is None) == (options.task_file is None):
        raise BadRequest("say what the task is: --task TEXT, or --task-file PATH")
    task = options.task if options.task_file is None else text_of(options.task_file)
    from tokenbudget.metering.tokenizer import BytePairCounter

    counter = BytePairCounter()
    ranker = None if options.embed is None else embedding_ranker(options.embed)
    recent = NOTHING_RECENT if options.no_edits else _recent(options.files)
    progress = ProgressBar("choosing lines")
    try:
        selection = select_files(
            task, options.files, options.budget, counter, ranker, recent, progress
        )
    finally:
        progress.clear()
    from tokenbudget.reports.select import overdrawn_words, select_document, terminal_text

    if not selection.fits:
        warn(overdrawn_words(selection))
    if options.json:
        show([select_document(selection, counter.name)])
    elif sys.stdout.isatty():
        show([terminal_text(selection)])
    else:  # to the byte: whoever reads this may edit by it
        write_to(STDOUT, "", [selection.text.encode("utf-8", "surrogateescape")])
    return 0


def _recent(paths: Sequence[str]) -> Recent:
    """What was edited lately; trouble with settings or sessions is no trouble for a selection."""
    from tokenbudget.app import Terminal
    from tokenbudget.app.recent_edits import recent_edits

    progress = ProgressBar()
    try:
        return recent_edits(settings(), paths, Terminal(lambda text: None, progress))
    except TokenBudgetError:
        return NOTHING_RECENT
    finally:
        progress.clear()


def budget_of(text: str) -> Budget:
    """A budget as it is typed: `5000` or `25%`.

    Raises:
        BadRequest: it is none.
    """
    is_percent = text.endswith("%")
    digits = text.removesuffix("%").replace(",", "").replace("_", "")
    is_number = digits.replace(".", "", 1).isdecimal() if is_percent else digits.isdecimal()
    amount = float(digits) if is_number and text.isascii() and len(text) <= LONGEST_BUDGET else 0.0
    if amount <= 0 or (is_percent and amount > 100):
        raise BadRequest(f"'{text}' is no budget; write a number of tokens, or per cent as 25%")
    return Budget(amount, is_percent)
