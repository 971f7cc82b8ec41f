"""The JSON that each event's reply has to be, so that it takes effect: docs/hooks.md."""

from tokenbudget.gateway.statusline_values import Table, written

MOST_BYTES = 1 << 20
"""Of a reply; only a shortened result can be that long."""

_SAID = "additionalContext"
_PLAIN = "plain words"
CONTEXT_EVENTS = frozenset({"SessionStart", "UserPromptSubmit", "PostToolUse"})
"""Where every client that has hooks takes `additionalContext` (2.0.76 already does)."""


def context(event: str, text: str) -> Table:
    """Words for the agent; nothing where the event takes none."""
    return _specific(event, additionalContext=text) if text and event in CONTEXT_EVENTS else {}


def said_after_failure(text: str) -> Table:
    """Words for the agent beside what a tool failed with; newer clients take them."""
    return _specific("PostToolUseFailure", additionalContext=text)


def denied(reason: str) -> Table:
    """Of PreToolUse: the call is not made, and the agent reads why."""
    return _specific("PreToolUse", permissionDecision="deny", permissionDecisionReason=reason)


def rewritten(updated: Table, is_allowed: bool) -> Table:
    """Of PreToolUse: the call is made with this input.

    `is_allowed`: nobody is asked about it; else the client goes by its rules, as with any input.
    """
    decision = {"permissionDecision": "allow"} if is_allowed else {}
    return _specific("PreToolUse", **decision, updatedInput=updated)


def replaced(response: object, is_old: bool = False) -> Table:
    """Of PostToolUse: the agent gets this response, of the same shape as the tool's own.

    `is_old`: the client knows a name for the results of MCP servers alone (2.0.76).
    """
    if is_old:
        return _specific("PostToolUse", updatedMCPToolOutput=response)
    return _specific("PostToolUse", updatedToolOutput=response)


def is_replaced(reply: Table) -> bool:
    """Whether the agent gets another response than the tool's own."""
    return bool({"updatedToolOutput", "updatedMCPToolOutput"} & set(_part(reply)))


def stopped(reason: str) -> Table:
    """The turn ends here, with no further request; the person reads why."""
    return {"continue": False, "stopReason": reason}


def message(text: str) -> Table:
    """Words for the person; the agent does not get them."""
    return {"systemMessage": text} if text else {}


def plain(text: str) -> Table:
    """Of PreCompact: words for whoever writes the summary, as they are.

    There the client takes what a command prints, and nothing that stands in JSON (docs/hooks.md).
    """
    return {_PLAIN: text} if text else {}


def joined(first: Table, second: Table) -> Table:
    """Both, for one event; the words of both reach the agent."""
    specific = {**_part(first), **_part(second)}
    said = [part["additionalContext"] for part in map(_part, (first, second)) if _SAID in part]
    if len(said) > 1:
        specific[_SAID] = "\n".join(map(str, said))
    both = {**first, **second}
    return {**both, "hookSpecificOutput": specific} if specific else both


def reply_bytes(reply: Table) -> bytes:
    """As it goes to the agent: b"" or one JSON object in a line; plain words are themselves."""
    if _PLAIN in reply:
        return str(reply[_PLAIN]).encode("utf-8", "replace")
    data = written(reply).encode() if reply else b""
    return data if len(data) <= MOST_BYTES else b""


def _part(reply: Table) -> Table:
    part = reply.get("hookSpecificOutput")
    return part if isinstance(part, dict) else {}


def _specific(event: str, **fields: object) -> Table:
    return {"hookSpecificOutput": {"hookEventName": event, **fields}}
