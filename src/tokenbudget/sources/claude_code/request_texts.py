"""Cut a text of a request into what it is made of; the slices cover it without a gap.

What the transcript's hints do not know is told by how it begins. Those beginnings were read from
Claude Code 2.0.76 to 2.1.329.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from tokenbudget.model.window import (
    AGENT_LISTING,
    ENVIRONMENT,
    FILE,
    MCP_INSTRUCTIONS,
    MEMORY_FILE,
    PROMPT,
    REMINDER,
    SKILL_BODY,
    SKILL_LISTING,
    SUMMARY,
)
from tokenbudget.sources.claude_code.request_hints import (
    CLOSING,
    OPENING,
    Hint,
    Hints,
    Label,
    Part,
    deferred_parts,
    without_tags,
)

UNRECOGNIZED = Label(REMINDER, "unrecognized")

_BEGINNINGS = (
    ("# Environment", Label(ENVIRONMENT, "environment")),
    ("You are powered by the model", Label(ENVIRONMENT, "model")),
    ("Today's date is", Label(ENVIRONMENT, "date")),
    ("Attribution for git commits", Label(ENVIRONMENT, "remote_session_change")),
    ("As you answer the user's questions", Label(ENVIRONMENT, "session_context")),
    ("Codebase and user instructions", Label(REMINDER, "instructions")),
    ("The following deferred tools are now", Label(REMINDER, "deferred_tools_delta")),
    ("The following deferred tools are no", Label(REMINDER, "deferred_tools_delta")),
    ("Available agent types", Label(AGENT_LISTING, "agent_listing_delta")),
    ("# MCP Server Instructions", Label(REMINDER, "mcp_instructions_delta")),
    ("The following skills are available", Label(SKILL_LISTING, "skill_listing")),
    ("<total_tokens>", Label(REMINDER, "total_tokens_reminder")),
    ("<tools-used-before-summary>", Label(REMINDER, "tools_used")),
    ("[SYSTEM NOTIFICATION", Label(REMINDER, "task_notification")),
    ("Called the ", Label(FILE, "file")),
    ("Result of calling the ", Label(FILE, "file")),
)
"""Of the parts of a reminder or of a message of role system."""

_QUOTING = ("file", "instructions", "session_context")
"""These hold files of the user's, whose lines may begin in any way."""

_USER_BEGINNINGS = (
    ("This session is being continued from", Label(SUMMARY)),
    ("Tool loaded.", Label(REMINDER, "tool_loaded")),
    ("<task-notification>", Label(REMINDER, "task_notification")),
    ("<local-command-", Label(REMINDER, "local_command")),
    ("Caveat: The messages below", Label(REMINDER, "local_command")),
    ("[Request interrupted", Label(REMINDER, "interrupted")),
)

_SKILL = "Base directory for this skill: "
_MEMORY_HEADING = re.compile(r"^Contents of (.+?)(?: \([^\n]*\))?:$", re.MULTILINE)
_SERVER_HEADING = re.compile(r"^## (.+)$", re.MULTILINE)
_READ_PATH = re.compile(r'"file_path":"((?:[^"\\]|\\.)*)"')


class Slice(NamedTuple):
    """A stretch of a text."""

    begin: int
    end: int
    label: Label


def user_slices(text: str, hints: Hints, skills: list[str]) -> list[Slice]:
    """The slices of a text of the user's; `skills` are those called just before it."""
    if text.startswith(OPENING):
        return injected_slices(text, hints)
    known = hints.exactly(text.strip())
    if known is not None:
        return _covering(text, _parted(text, Slice(0, len(text), known.label), known.parts))
    if text.startswith(_SKILL):
        label = Label(SKILL_BODY, _skill_name(text, skills))
    else:
        label = _begun(text, _USER_BEGINNINGS) or Label(PROMPT)
    return [Slice(0, len(text), label)]


def injected_slices(text: str, hints: Hints) -> list[Slice]:
    """The slices of a text that the client wrote: one reminder, or several without their tags."""
    slices: list[Slice] = []
    at = 0
    for begin, hint in _known(text, hints):
        slices += _guessed(text, at, begin)
        at = begin + len(hint.text)
        slices += _parted(text, Slice(begin, at, hint.label), hint.parts)
    return _covering(text, [*slices, *_guessed(text, at, len(text))])


def result_tail(text: str, hints: Hints) -> int:
    """Where the reminders behind a tool's result begin; the text's length if there are none."""
    end = len(text)
    while text.endswith(CLOSING, 0, end):
        begin = text.rfind("\n" + OPENING, 0, end)
        if begin < 0 or not is_reminder(text[begin:end], hints):
            break
        end = len(text[:begin].rstrip("\n"))
    return end


def is_reminder(text: str, hints: Hints) -> bool:
    """Whether the client surely wrote this: a tool's result may quote anything."""
    inner = without_tags(text)
    return hints.exactly(inner) is not None or inner.startswith("<total_tokens>")


def _known(text: str, hints: Hints) -> Iterator[tuple[int, Hint]]:
    """Where hints stand, in order; every one begins a line."""
    at = 0
    while at < len(text):
        hint = hints.at(text, at)
        if hint is not None:
            yield at, hint
            at += len(hint.text)
        at = text.find("\n", at) + 1 or len(text)


def _guessed(text: str, begin: int, end: int) -> list[Slice]:
    """What no hint knows, cut where a line begins as something known does."""
    found: list[Slice] = []
    at = begin
    while at < end:
        stop = text.find("\n", at, end) + 1 or end
        is_quoted = bool(found) and found[-1].label.name in _QUOTING
        label = None if is_quoted else _begun(text[at:stop], _BEGINNINGS)
        if text[at:stop].strip() == OPENING.strip():
            label = _OPENED
        if label is None and found and found[-1].label is not _OPENED:
            found[-1] = found[-1]._replace(end=stop)
        else:
            found.append(Slice(at, stop, label or UNRECOGNIZED))
        at = stop
    return [small for one in found for small in _guessed_parts(text, one)]


_OPENED = Label(REMINDER, "")
"""A tag that belongs to what follows it."""


def _guessed_parts(text: str, whole: Slice) -> list[Slice]:
    words = text[whole.begin : whole.end]
    match whole.label.name:
        case "instructions" | "session_context":
            parts = _headed(words, _MEMORY_HEADING)
        case "mcp_instructions_delta":
            parts = _headed(words, _SERVER_HEADING)
        case "deferred_tools_delta" if "now available" in words:
            parts = deferred_parts(words)
        case "file":
            path = _READ_PATH.search(words)
            target = path[1].replace("\\\\", "\\") if path else ""
            return [whole._replace(label=whole.label._replace(target=target))]
        case _:
            parts = ()
    return _parted(text, whole, parts)


def _headed(words: str, heading: re.Pattern[str]) -> tuple[Part, ...]:
    """A part for each heading, from there to the next one."""
    found = list(heading.finditer(words))
    ends = [*(one.start() for one in found[1:]), len(words)]
    is_memory = heading is _MEMORY_HEADING
    return tuple(
        Part(
            Label(MEMORY_FILE, one[1]) if is_memory else Label(MCP_INSTRUCTIONS, target=one[1]),
            words[one.start() : end].removesuffix("\n").removesuffix(CLOSING),
        )
        for one, end in zip(found, ends, strict=False)
    )


def _parted(text: str, whole: Slice, parts: tuple[Part, ...]) -> list[Slice]:
    """A slice cut into its parts, as far as they stand in it, and what lies between them."""
    slices = []
    at, end, label = whole
    for part in parts:
        found = text.find(part.text, at, end) if part.text else -1
        if found >= 0:
            slices.append(Slice(at, found, label))
            at = found + len(part.text)
            slices.append(Slice(found, at, part.label))
    return [*slices, Slice(at, end, label)]


def _covering(text: str, slices: list[Slice]) -> list[Slice]:
    """The slices without tags and blank ones: what is around a text goes with it."""
    found: list[Slice] = []
    begin = 0
    for one in slices:
        words = text[begin : one.end].strip()
        if found and words in ("", CLOSING.strip()):
            found[-1] = found[-1]._replace(end=one.end)
        elif words in ("", OPENING.strip()):
            continue  # it begins the next one
        else:
            found.append(one._replace(begin=begin))
        begin = one.end
    if begin < len(text):
        found.append(Slice(begin, len(text), UNRECOGNIZED))
    return found


def _begun(text: str, beginnings: tuple[tuple[str, Label], ...]) -> Label | None:
    return next((label for start, label in beginnings if text.startswith(start)), None)


def _skill_name(text: str, skills: list[str]) -> str:
    """The name that it was called by, which a plugin's skill has in front of its folder's."""
    folder = re.split(r"[/\\]", text.partition("\n")[0].removeprefix(_SKILL).rstrip("/\\"))[-1]
    called = (one for one in skills if one.rpartition(":")[2] == folder)
    return next(called, folder)
