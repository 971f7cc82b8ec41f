"""Unused reads: a file of which nothing came back."""

from __future__ import annotations

import pytest
from tests.analysis.drains.threads import OUTPUT_USD, TEXT_ERROR, Thread, thread

from tokenbudget.analysis.drains.unused_reads import (
    DOUBT_AFTER_MANY,
    DOUBT_ELSE,
    READ_UNUSED,
)
from tokenbudget.analysis.study import Sighting

PATH = "lib/mailer.py"
TEXT = "\n".join(f"def send_letter_{n}(sender, receiver): deliver(sender, {n})" for n in range(60))
ELSEWHERE = "The fault lies in the rounding of prices, and the cart adds them up wrongly. " * 50
"""3,850 characters that have no word with the file in common."""


def found(story: Thread, claimed: set[int] | None = None) -> list[Sighting]:
    """What the detector sees."""
    assert READ_UNUSED.detect is not None
    return list(READ_UNUSED.detect(story.view(), set() if claimed is None else claimed))


def read(tokens: int = 2_900) -> Thread:
    """The file is read."""
    return thread().prompt("Why is the total wrong?").read(PATH, TEXT, tokens=tokens)


def test_a_file_of_which_nothing_came_back_is_charged_whole() -> None:
    """2,900 tokens by 21 requests, and the call."""
    story = read().says(ELSEWHERE).goes_on(20)
    view = story.view()
    use, copy = view.calls[0].use, view.calls[0].result
    assert use is not None
    assert copy is not None
    claimed: set[int] = set()
    [one] = found(story, claimed)
    assert (one.drain, one.subject, one.times, one.line) == ("read-unused", PATH, 1, 2)
    assert one.window_tokens == 2_900 + use.tokens
    assert one.sent_tokens == 21 * (2_900 + use.tokens) + use.tokens
    usd = copy.sent_usd + use.sent_usd + use.tokens * OUTPUT_USD
    assert one.cost_pico_usd == pytest.approx(usd * 1e12)
    assert one.error_tokens == round(one.sent_tokens * (TEXT_ERROR + DOUBT_ELSE))
    assert claimed == {use.number, copy.number}
    assert found(story, claimed) == []


def test_a_long_thread_is_surer() -> None:
    """Forty requests later it will not be used."""
    [one] = found(read().says(ELSEWHERE).goes_on(40))
    assert one.error_tokens == round(one.sent_tokens * (TEXT_ERROR + DOUBT_AFTER_MANY))


@pytest.mark.parametrize(
    "story",
    [
        read().edit(PATH, "def send_letter_1", "def send"),
        read().says("It is the mailer after all."),
        read().says("As in send_letter_7 there."),
        read().says("  def send_letter_7(sender, receiver): deliver(sender, 7)"),
        read().says("The sender has to deliver to the receiver."),
        read().bash("python lib/mailer.py", "sent"),
        read().write("lib/printer.py", "class Printer: ..."),
        thread().prompt("Look at mailer.py too.").read(PATH, TEXT, tokens=2_900),
        read(1_900),
        read().goes_on(3).compact(),
        thread().read("docs/mail.md", TEXT, tokens=2_900),
    ],
    ids=["edited", "stem named", "name used", "quoted", "words learned", "run", "pattern",
         "asked for", "small", "compacted", "prose"],
)  # fmt: skip
def test_any_trace_of_use_is_enough(story: Thread) -> None:
    """Or the person wanted it, or it was soon gone."""
    assert found(story.says(ELSEWHERE).goes_on(30)) == []


@pytest.mark.parametrize(
    "story",
    [
        read().says(ELSEWHERE).goes_on(9),
        read().says("Fine.").goes_on(30),
        thread().read(PATH, "No such file. " * 99, error=True).says(ELSEWHERE).goes_on(30),
        thread().says(ELSEWHERE).goes_on(30),
    ],
    ids=["short thread", "says little", "failed", "no read"],
)
def test_where_nobody_can_tell_it_is_silent(story: Thread) -> None:
    """Use leaves traces only where something is written."""
    assert found(story) == []


def test_a_settings_file_is_used_by_the_program_of_its_name() -> None:
    """`.mailer.ini` by `mailer`."""
    for command, count in (("mailer --check", 0), ("printer --check", 1)):
        story = thread().read(".mailer.ini", TEXT, tokens=2_900).bash(command, "ok").says(ELSEWHERE)
        assert len(found(story.goes_on(20))) == count


def test_words_that_were_known_before_are_no_use() -> None:
    """The model wrote them before it read the file."""
    story = thread().prompt("The sender?").says("A receiver, to deliver to; def of it.")
    story.read(PATH, TEXT, tokens=2_900).says("The sender, the receiver: deliver. " + ELSEWHERE)
    assert len(found(story.goes_on(20))) == 1
