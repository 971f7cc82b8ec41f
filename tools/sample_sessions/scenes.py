"""What happens to some sessions only: each scene is one thing that a reader can get wrong."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Final, TypeAlias

from sample_sessions.conversation import Conversation
from sample_sessions.projects import REMARKS
from sample_sessions.tool_calls import edit, mcp, read, skill
from sample_sessions.transcript import Json

Scene: TypeAlias = Callable[[Conversation], None]

LONE_SURROGATE: Final = "\ud83d"
REFUSING_MODEL: Final = "claude-opus-5-5"
FALLBACK_MODEL: Final = "claude-sonnet-5-5"


def api_error(talk: Conversation) -> None:
    """The API was overloaded; the client made up an answer, once even with tokens in it."""
    talk.note("api_error", {"status": 529, "retryAttempt": 10, "maxRetries": 10})
    for tokens in (0, 750):
        usage = {"input_tokens": tokens, "output_tokens": tokens}
        zeros = {"cache_creation_input_tokens": 0, "cache_read_input_tokens": 0}
        message: Json = {
            "id": talk.world.ids.uuid(),
            "type": "message",
            "role": "assistant",
            "model": "<synthetic>",
            "content": [{"type": "text", "text": "API Error: 529 overloaded"}],
            "stop_reason": "stop_sequence",
            "usage": {**usage, **zeros, "service_tier": None},
        }
        content = {"message": message, "isApiErrorMessage": True}
        talk.transcript.write(talk.transcript.line("assistant", content))


def usage_missing(talk: Conversation) -> None:
    """One response whose usage arrives with the second line, one whose usage never arrives."""
    call = read(talk.bench)
    (use,) = talk.respond(REMARKS[0], [call], usage_from_line=1)
    talk.result(use, call)
    talk.respond(REMARKS[3], usage_from_line=99)


def refusal(talk: Conversation) -> None:
    """One model declined and another answered: two iterations, each with a price of its own."""
    talk.model = FALLBACK_MODEL
    models = {"originalModel": REFUSING_MODEL, "fallbackModel": FALLBACK_MODEL}
    talk.note("model_refusal_fallback", models)
    talk.respond(REMARKS[4], refused_by=REFUSING_MODEL)
    talk.model = REFUSING_MODEL


def hurry(talk: Conversation) -> None:
    """Fast mode for a few responses."""
    talk.is_fast = True
    for _ in range(3):
        talk.use([edit(talk.bench)])
    talk.is_fast = False


def awkward_lines(talk: Conversation) -> None:
    """Lines that are no lines, and an emoji that was cut in half."""
    for raw in (b"", b"null", b"42", b'"text"', b"[]", b"   "):
        talk.transcript.write_raw(raw)
    talk.respond(f"Half an emoji: {LONE_SURROGATE}")


def compact_by_hand(talk: Conversation) -> None:
    """Somebody typed /compact."""
    talk.compact("manual")


def compact_by_itself(talk: Conversation) -> None:
    """The window was full."""
    talk.compact("auto")


def next_morning(talk: Conversation) -> None:
    """The session is resumed a day later: same file, cold cache, attachments again."""
    now = talk.clock.now()
    morning = (now + timedelta(days=1)).replace(hour=8, minute=40)
    talk.rest((morning - now).total_seconds())
    talk.attach()


def specialists(talk: Conversation) -> None:
    """A skill and an MCP server for certain, so that attribution can be seen."""
    talk.use([skill(talk.bench)])
    talk.use([mcp(talk.bench)])
    talk.use([read(talk.bench)])


def lunch(talk: Conversation) -> None:
    """An idle gap, longer than any cache lives."""
    talk.rest(75 * 60)
