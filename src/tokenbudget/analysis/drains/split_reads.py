"""One range of a file that was read in pieces, each in a request of its own."""

from __future__ import annotations

from tokenbudget.analysis.drains.file_copies import Copy, copy_of, file_name, reads
from tokenbudget.analysis.drains.turn_facts import TurnFacts

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tokenbudget.analysis.thread_view import Turn

LEAST_REQUESTS = 2
MOST_GAP_LINES = 30
"""Between two pieces of what one range would have shown."""
MOST_LINES = 1_000
"""Of two pieces: the client shows no more than some 2,000 at once."""


def split_reads(facts: TurnFacts, claimed: set[int], most_said: int) -> Iterator[list[Turn]]:
    """Longest runs of requests that each read what adjoins the lines of the one before."""
    found = ((call, copy_of(call, result)) for call, result in reads(facts.view))
    copies = {call.number: copy for call, copy in found if copy is not None}
    run: list[Turn] = []
    for turn in facts.view.turns if copies else ():
        copy = _only_copy(facts, turn, copies, claimed)
        before = _only_copy(facts, run[-1], copies, claimed) if run else None
        if not (copy and before and _adjoins(before, copy) and _goes_on(facts, turn, most_said)):
            if len(run) >= LEAST_REQUESTS:
                yield run
            run = []
        if copy is not None:
            run.append(turn)
    if len(run) >= LEAST_REQUESTS:
        yield run


def split_words(facts: TurnFacts, run: list[Turn]) -> tuple[str, str]:
    """What such a run is about, and how it is told."""
    calls = facts.calls(run[0].number)
    name = file_name(calls[0].target)
    subject = f"{calls[0].name} of adjoining lines"
    return subject, f"{len(run)} requests in a row for adjoining lines of {name}"


def _only_copy(
    facts: TurnFacts, turn: Turn, copies: Mapping[int, Copy], claimed: set[int]
) -> Copy | None:
    """The lines that an answer read, if it did nothing else."""
    calls = facts.calls(turn.number)
    if len(calls) != 1 or not turn.is_owned or calls[0].number not in copies:
        return None
    use = calls[0].use
    return None if use is None or use.number in claimed else copies[calls[0].number]


def _adjoins(before: Copy, copy: Copy) -> bool:
    gap = max(copy.first - before.last, before.first - copy.last)
    lines = len(before.lines) + len(copy.lines)
    return copy.path == before.path and gap <= MOST_GAP_LINES and lines <= MOST_LINES


def _goes_on(facts: TurnFacts, turn: Turn, most_said: int) -> bool:
    is_plain = not turn.cause and turn.number not in facts.prompts
    return is_plain and not turn.thinking_tokens and facts.said[turn.number] <= most_said
