"""Each reply has the shape that takes effect for its event."""

from __future__ import annotations

import json

import pytest

from tokenbudget.gateway.hooks import replies


@pytest.mark.parametrize("event", ["SessionStart", "UserPromptSubmit", "PostToolUse"])
def test_words_for_the_agent(event: str) -> None:
    assert json.loads(replies.reply_bytes(replies.context(event, "ctx 50%"))) == {
        "hookSpecificOutput": {"hookEventName": event, "additionalContext": "ctx 50%"}
    }


@pytest.mark.parametrize("event", ["Stop", "SessionEnd", "PreCompact", "PreToolUse", ""])
def test_an_event_that_takes_no_words_gets_none(event: str) -> None:
    assert replies.context(event, "ctx 50%") == {}


def test_no_words_are_no_reply() -> None:
    assert replies.context("SessionStart", "") == replies.message("") == {}
    assert replies.reply_bytes({}) == b""


def test_a_denial_a_stop_and_words_for_the_person() -> None:
    assert replies.denied("why") == {
        "hookSpecificOutput": {
            "hookEventName": "PreToolUse",
            "permissionDecision": "deny",
            "permissionDecisionReason": "why",
        }
    }
    assert replies.stopped("why") == {"continue": False, "stopReason": "why"}
    assert replies.message("hello") == {"systemMessage": "hello"}


def test_two_replies_become_one() -> None:
    short = replies.replaced({"stdout": "x"})
    both = replies.joined(short, replies.context("PostToolUse", "ctx 50%"))
    assert both == {
        "hookSpecificOutput": {
            "hookEventName": "PostToolUse",
            "updatedToolOutput": {"stdout": "x"},
            "additionalContext": "ctx 50%",
        }
    }
    stop = replies.joined(short, replies.stopped("why"))
    assert stop == {**short, "continue": False, "stopReason": "why"}
    assert replies.joined({}, {}) == {}


def test_a_reply_is_ascii_in_one_line_and_not_endless() -> None:
    data = replies.reply_bytes(replies.message("é\n\u2028\ud800"))
    assert data.isascii()
    assert b"\n" not in data
    assert replies.reply_bytes(replies.message("x" * (replies.MOST_BYTES + 1))) == b""


def test_plain_words_go_out_as_they_are() -> None:
    assert replies.plain("") == {}
    assert replies.reply_bytes(replies.plain('Keep exactly: "caf\u00e9".')) == (
        'Keep exactly: "caf\u00e9".'.encode()
    )
