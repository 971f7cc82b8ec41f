"""Files that were read and of which nothing came back, though the thread went on for long."""

from __future__ import annotations

from tokenbudget.analysis.drains.charges import (
    carried,
    charged,
    owned_calls,
    requests_with,
    written,
)
from tokenbudget.analysis.drains.drain import Drain
from tokenbudget.analysis.drains.file_copies import (
    Copy,
    carried_code,
    file_name,
)
from tokenbudget.analysis.drains.identifiers import defined_in, is_coined, words_of
from tokenbudget.analysis.drains.later_use import LaterUse, later_use
from tokenbudget.model import window

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from tokenbudget.analysis.study import Sighting
    from tokenbudget.analysis.thread_view import ThreadView

LEAST_TOKENS = 2_000
"""Of a copy that is worth a word."""
LEAST_REQUESTS = 15
"""That carried it; so long it could have been used."""
MANY_REQUESTS = 40
"""From so many on, what was not used will not be."""
LEAST_WRITTEN_CHARACTERS = 3_000
"""That the model wrote afterwards: who writes little leaves no traces of use."""
LEAST_LETTERS = 5
"""Of a plain word that could tell of a use."""
MOST_LEARNED_WORDS = 1
"""Plain words that stand nowhere else and came up only afterwards: so many come by chance."""
DOUBT_AFTER_MANY = 0.3
DOUBT_ELSE = 0.6


def _unused_reads(view: ThreadView, claimed: set[int]) -> Iterator[Sighting]:
    copies = list(
        carried_code(view, claimed, least_tokens=LEAST_TOKENS, least_requests=LEAST_REQUESTS)
    )
    if not copies:
        return
    use = later_use(view)
    for copy in copies:
        if _is_used(view, copy, use):
            continue
        requests = requests_with(view, copy.piece)
        charge = carried(copy.piece)
        claimed.add(copy.piece.number)
        call = copy.call
        if call.use is not None and call.use.number not in claimed:
            charge = charge.plus(written(view, call))
            claimed.add(call.use.number)
        doubt = DOUBT_AFTER_MANY if requests >= MANY_REQUESTS else DOUBT_ELSE
        detail = (
            f"{len(copy.lines):,} lines read and carried by {requests:,} requests; none was edited,"
            " quoted or named"
        )
        times = owned_calls(view, (call,))
        yield charged(view, READ_UNUSED.id, copy.path, call, times, charge, doubt, detail)


def _is_used(view: ThreadView, copy: Copy, use: LaterUse) -> bool:
    """Whether anything at all speaks for a use of the file; rather yes than no."""
    after = copy.piece.number
    said = sum(len(text) for number, text in use.texts if number > after)
    if said < LEAST_WRITTEN_CHARACTERS or _is_touched(view, copy) or _is_named(view, copy, use):
        return True
    if any(use.has_line(line, after) for line in copy.lines):
        return True
    names = {name for line in copy.lines for name in defined_in(line)}
    if any(len(name) >= LEAST_LETTERS and use.has_word(name, after) for name in names):
        return True
    learned = use.learned(set(words_of("\n".join(copy.lines))), after)
    if any(map(is_coined, learned)):
        return True
    plain = [word for word in learned if len(word) >= LEAST_LETTERS]
    return sum(_is_only_in(view, copy, word) for word in plain) > MOST_LEARNED_WORDS


def _is_named(view: ThreadView, copy: Copy, use: LaterUse) -> bool:
    """Whether a person ever named the file, or the model did afterwards, by name or by stem."""
    name = file_name(copy.path)
    stem = name.lstrip(".").partition(".")[0] or name
    after = copy.piece.number
    if use.names(name, after) or use.has_word(stem, after) or "." not in name.strip("."):
        return True
    prompts = (piece for piece in view.seen if piece.kind == window.PROMPT)
    return any(name in piece.text for piece in prompts)


def _is_touched(view: ThreadView, copy: Copy) -> bool:
    """Whether a later call was about the file, or wrote one of its kind, after its pattern."""
    ending = "." + file_name(copy.path).rpartition(".")[2]
    return any(
        call.target == copy.path or (call.name == "Write" and call.target.endswith(ending))
        for call in view.calls[copy.call.number + 1 :]
    )


def _is_only_in(view: ThreadView, copy: Copy, word: str) -> bool:
    """Whether nothing else that was put into the window holds the word."""
    return not any(
        word in piece.text
        for piece in view.seen
        if piece.number != copy.piece.number and piece.kind not in window.WRITTEN
    )


READ_UNUSED = Drain(
    id="read-unused",
    title="Files read and never used",
    rule=(
        f"A file that is no prose was read whole, {LEAST_TOKENS} tokens or more, and carried by"
        f" {LEAST_REQUESTS} or more requests, in which the model wrote {LEAST_WRITTEN_CHARACTERS:,}"
        " characters or more. In all of that there is no line of it, not its name, no name that it"
        " defines, no identifier that was first met in it, and at most one plain word that stands"
        " nowhere else; no later call was about it or wrote a file of its kind, and no prompt named"
        f" it. Charged: the call and the copy. Error: that of the count, and {DOUBT_AFTER_MANY:.0%}"
        f" from {MANY_REQUESTS} requests on, else {DOUBT_ELSE:.0%}, for reading can serve to rule"
        " something out."
    ),
    alternative="a search that shows whether the file matters",
    tip="Name the files that matter in the prompt; let a subagent look around and report.",
    fix="Tell the agent where things are, so that it need not open `{subject}` to find out",
    detect=_unused_reads,
)
