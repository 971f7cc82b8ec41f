"""The words of findings: each kind of drain in one line, with what it is about and how often."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

TITLES: Mapping[str, str] = {
    "re-read": "{subject} read again {times}, unchanged",
    "stale-copy": "old copies of {subject} stayed after edits, {times}",
    "image": "an image of {subject} carried on, {times}",
    "verbose-log": "{subject} printed a long log {times}",
    "failing-command": "{subject} failed again {times} in the same way",
    "polling": "{subject} asked {times} whether something is done",
    "small-commands": "chains of small commands ({subject}), {times}",
    "large-output": "an unusually large result of {subject}, {times}",
    "whole-file": "{subject} read whole {times} where a part was used",
    "read-unused": "{subject} read {times} and never used",
    "subagent": "the subagent {subject} brought back little, {times}",
    "thinking": "long thinking on small turns of {subject}, {times}",
    "costly-model": "{subject} used for mechanical turns, {times}",
    "cache-ttl": "the cache ran out in a pause, {times}",
    "cache-prefix": "the cache was lost while it should have lived, {times}",
    "cache-model-switch": "the cache was lost to a change of the model, {times}",
    "late-compaction": "finished work carried on without compaction, {times}",
    "early-compaction": "a window compacted early, {times}",
    "mcp-server": "the MCP server {subject} was offered {times} and never called",
    "skill": "the listing of {subject} was sent {times} and none was used",
}
"""By the drain's id."""

WHOLE: Mapping[str, str] = {
    "image": "images carried on, {times}",
    "small-commands": "chains of small commands, {times}",
    "polling": "asked {times} whether something is done",
    "subagent": "subagents that brought back little, {times}",
    "thinking": "long thinking on small turns, {times}",
    "costly-model": "a dear model used for mechanical turns, {times}",
}
"""The same where nothing is named."""

COMMANDS: Mapping[str, str] = {
    "late-compaction": "/compact",
    "cache-ttl": "/clear",
    "mcp-server": "/mcp",
}
"""What a person types in the agent against it."""

DOUBTS: Mapping[str, str] = {
    "read-unused": "whether a read helped the model's thinking cannot be seen",
    "whole-file": "what of a file the model used beside its edits cannot be seen",
    "subagent": "what the main thread would have spent instead is an estimate",
    "thinking": "whether the thinking was needed cannot be seen",
    "costly-model": "whether the cheaper model would have done cannot be seen",
    "late-compaction": "what a summary would have kept is an estimate",
    "early-compaction": "what was still needed of the window is an estimate",
}
"""Why the finding of a drain is never more than of medium confidence: its rule infers."""


def times_words(times: int) -> str:
    """once, twice, 9 times."""
    return {1: "once", 2: "twice"}.get(times, f"{times:,} times")


def shown_subject(subject: str, project: str) -> str:
    """A path inside the project as one there calls it."""
    sign = "\\" if "\\" in project else "/"
    top = project.rstrip(sign) + sign
    is_inside = bool(project) and subject.startswith(top) and len(subject) > len(top)
    return subject[len(top) :] if is_inside else subject


def project_name(project: str) -> str:
    """The last part of a project's folder, on whatever system it lies."""
    return project.replace("\\", "/").rstrip("/").rpartition("/")[2]


def title_of(drain: str, subject: str, project: str, times: int) -> str:
    """The finding in a line; the subject in it is as the transcript has it, to be sanitized."""
    often = times_words(times)
    if not subject:
        template = WHOLE.get(drain) or TITLES.get(drain) or drain + ", {times}"
        return template.replace("{times}", often).replace("{subject}", "something")
    before, _, after = TITLES.get(drain, "{subject}: " + drain + " {times}").partition("{subject}")
    return (
        before.replace("{times}", often)
        + shown_subject(subject, project)
        + after.replace("{times}", often)
    )
