"""Read a Messages API request: what it is for, and which scripted step answers it.

The server keeps no state: everything follows from the request itself, so a retry, a side call or
a subagent that runs in parallel cannot put a script out of step.
"""

import enum
import json
import re
from collections.abc import Iterator, Mapping

from tests.e2e.scripted_answers import JsonObject, Scripts, Step, text

# What the client's own request for a summary says (2.1.329, then 2.0.76). Automatic compaction
# appends it to the last tool result, so it is searched for anywhere in the last message.
_COMPACTION_PROMPTS = (
    "CRITICAL: Respond with TEXT ONLY",
    "Your task is to create a detailed summary of the conversation so far",
)
_SUMMARY = text("<analysis>Looked back.</analysis><summary>The files were read.</summary>")
SUMMARY_SCRIPT = "summary"
_SCRIPT_NAME = re.compile(r"SCRIPT:([a-z0-9-]+)")
_OK = Step((text("OK"),))


class RequestKind(enum.StrEnum):
    """What a request is for, judged from the request alone, never from the transcript."""

    MAIN = "main"
    SUBAGENT = "subagent"
    COMPACTION = "compaction"
    SIDE_CALL = "side_call"


def kind_of(headers: Mapping[str, str], body: JsonObject) -> RequestKind:
    """Classify a request; the first rule that holds decides.

    1. compaction: its last message carries the client's request for a summary.
    2. side call: no part of its system prompt is marked for the cache. An agent marks it, because
       its next request will begin with the same words; a side call (a title, the paths that a
       command read) is one question of its own. Tools tell less: the warm-up requests of 2.0.76
       offer none, and yet they are the first turns of agents.
    3. subagent: the client says so in a header or in its billing line. A client too old for a
       billing line gives it away by a system prompt that is not the interactive one.
    4. main: everything else.
    """
    if any(prompt in _last_message(body) for prompt in _COMPACTION_PROMPTS):
        return RequestKind.COMPACTION
    system = json.dumps(body.get("system", []))
    if '"cache_control"' not in system:
        return RequestKind.SIDE_CALL
    if _says_subagent(headers, system):
        return RequestKind.SUBAGENT
    return RequestKind.MAIN


def _says_subagent(headers: Mapping[str, str], system: str) -> bool:
    if "x-anthropic-billing-header:" in system:
        return "x-claude-code-agent-id" in headers or "cc_is_subagent=true" in system
    return "You are an interactive CLI tool" not in system


def answer_to(kind: RequestKind, body: JsonObject, scripts: Scripts) -> Step:
    """The step that answers a request: of the script it names, a summary, or plain OK.

    A script named `SUMMARY_SCRIPT` says what a summary is, where the short one is not enough.
    """
    if kind is RequestKind.COMPACTION:
        return scripts[SUMMARY_SCRIPT][0] if SUMMARY_SCRIPT in scripts else Step((_SUMMARY,))
    found = _script_and_position(body)
    if found is None or found[0] not in scripts:
        return _OK
    name, position = found
    script = scripts[name]
    return script[min(position, len(script) - 1)]


def _script_and_position(body: JsonObject) -> tuple[str, int] | None:
    """The script named last by a user text, and the number of assistant messages after it."""
    answered = 0
    for message in reversed(body["messages"]):
        if message["role"] == "assistant":
            answered += 1
        elif message["role"] == "user":
            names = _SCRIPT_NAME.findall("\n".join(_user_texts(message)))
            if names:
                return names[-1], answered
    return None


def _user_texts(message: JsonObject) -> Iterator[str]:
    """The texts of a message; a tool result is not one, it may quote anything."""
    if isinstance(message["content"], str):
        yield message["content"]
        return
    for block in message["content"]:
        if block["type"] == "text":
            yield block["text"]


def _last_message(body: JsonObject) -> str:
    """The last one that is not the client's own remark (2.1.270 says how many tokens are left)."""
    said = [message for message in body["messages"] if message["role"] != "system"]
    return json.dumps(said[-1], ensure_ascii=False)
