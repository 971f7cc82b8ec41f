from __future__ import annotations

import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tokenbudget.alerts import inert
from tokenbudget.alerts.notices import FIRE
from tokenbudget.alerts.state import Alert
from tokenbudget.alerts.words import title
from tokenbudget.model import plain_text

HOSTILE = (
    "\x1b]0;owned\x07 \x1b]8;;https://evil.example\x1b\\x\x1b]8;;\x1b\\ \x1b]52;c;ZXZpbA==\x07"
    " \x1b[2J \x9b31m \x90dcs\x9c \u202eevil\u2066 zero\u200bwidth\r\nBcc: all@example.com"
    " @everyone <!channel> <@U1> <https://evil.example|pay> [x](https://evil.example)"
    " \U000e0041\ufe0f\ud800 [link=evil] [/]"
)


@pytest.mark.parametrize(
    "sink", [inert.one_line, inert.lines, inert.mail_header, inert.chat, inert.chat_markdown]
)
def test_nothing_that_moves_hides_or_escapes_reaches_a_sink(sink: object) -> None:
    shown = sink(HOSTILE)  # type: ignore[operator]
    assert all(c == "\n" or c.isprintable() for c in shown)


@given(st.text(st.characters()))
def test_any_text_becomes_one_printable_line(text: str) -> None:
    shown = inert.one_line(text)
    assert shown.isprintable()
    assert len(shown) <= inert.LONGEST_LINE
    assert inert.one_line(shown) == shown


def test_whatever_a_terminal_must_not_get_a_message_does_not_get_either() -> None:
    for code in range(sys.maxunicode + 1):
        if chr(code) not in "\t\n" and not plain_text.one_line(chr(code)):
            assert inert.one_line(chr(code)) == "", hex(code)


def test_a_title_of_ten_kilobytes_is_cut() -> None:
    assert len(inert.one_line("x" * 10_000)) == inert.LONGEST_LINE
    alert = Alert("f", "r", "context", "s", "", value="81%", where="\x1b[2J" * 5_000)
    assert len(title(FIRE, alert)) < 130


def test_a_mail_header_cannot_begin_another() -> None:
    assert "\n" not in inert.mail_header(HOSTILE)
    assert "\r" not in inert.mail_header(HOSTILE)


@pytest.mark.parametrize("sink", [inert.chat, inert.chat_markdown])
def test_a_chat_gets_no_mention_and_no_link(sink: object) -> None:
    shown = sink(HOSTILE)  # type: ignore[operator]
    assert not any(mark in shown for mark in ("@", "<", ">", "://", "]("))


def test_markdown_is_shown_as_it_is() -> None:
    assert inert.chat_markdown("src/__init__.py *x*") == r"src/\_\_init\_\_.py \*x\*"
