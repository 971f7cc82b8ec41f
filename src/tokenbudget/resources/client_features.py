"""What each release of the agent's client can be wired with: looked up by version, never guessed.

"Observed" is what the end-to-end tests saw the real program do; the rest was read in the program
itself. docs/hooks.md shows the same table for people, and a test compares the two.

A release that nobody has looked at is taken for the nearest older one that somebody has: clients
only gained events so far, and one that is not wired costs less than one that an old client does not
know, for which that client ignores every hook of the file.
"""

from __future__ import annotations

from typing import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

_MOST_PARTS = 4
_LONGEST_PART = 9
"""Digits; a version is somebody else's text."""

_FIRST_EVENTS = (
    "PreToolUse PostToolUse PostToolUseFailure Notification UserPromptSubmit SessionStart"
    " SessionEnd Stop SubagentStart SubagentStop PreCompact PermissionRequest"
)
_LATER_EVENTS = (
    "PostToolBatch UserPromptExpansion StopFailure PostCompact PreModelSwitch PostModelSwitch"
    " PermissionDenied Setup TeammateIdle TaskCreated TaskCompleted Elicitation ElicitationResult"
    " ConfigChange WorktreeCreate WorktreeRemove InstructionsLoaded CwdChanged FileChanged"
    " DirectoryAdded MessageDisplay"
)


_NEVER_SEEN = ("PermissionDenied", "TeammateIdle")
"""A classifier's verdict and teams of agents: neither could be had offline."""
NEVER_BY_HTTP = ("SessionStart", "InstructionsLoaded", "Setup")
"""They happened, and no HTTP hook was asked."""

_FIRST_TYPES = frozenset(("command", "prompt", "agent"))
_LATER_TYPES = _FIRST_TYPES | {"http", "mcp_tool"}


class ClientFeatures(NamedTuple):
    """What one release takes."""

    version: str
    """The release that was asked about; '' where nobody could say."""
    is_known: bool
    """Whether this very release was looked at; else `looked_at` stands in for it."""
    looked_at: str
    """The release that this was learned from."""
    events: frozenset[str]
    """Names that may stand in `hooks`."""
    observed: frozenset[str]
    """Those of them that were seen to fire."""
    ignores_unknown_events: bool
    """Whether an unknown name in `hooks` is passed over; else it costs every hook of the file."""
    hook_types: frozenset[str]
    """Values that `type` of a hook may have; another one costs every hook of the file, or the file
    itself."""
    has_plugin_hooks: bool
    loads_named_plugins: bool
    """Whether a plugin is loaded because settings name it and where it lies; else it has to be
    installed with the client's own command."""
    loads_plugins_at_once: bool
    """Whether it does so in the very next session; else in the one after that."""
    reloads_hooks: bool
    """Whether a running session takes changed hooks up; else the next session does."""
    has_cheap_haiku: bool
    """Whether a command with `model: haiku` costs less than the same without it. An older client
    means haiku-4-5, which writes the whole window for more than the session's model reads it."""
    has_statusline: bool
    has_skills: bool
    takes_skill_overrides: bool
    """Whether `skillOverrides` changes what is sent; an older client passes over it."""
    takes_agent_rules: bool
    """Whether `permissions.deny: ["Agent(name)"]` takes an agent's line away."""
    has_wide_listing: bool
    """Whether the lines of skills get their share of a window beyond 200,000 tokens as well."""

    @property
    def has_http_hooks(self) -> bool:
        """Whether a hook may be an HTTP request."""
        return "http" in self.hook_types


def _looked_at(
    version: str, events: str, hook_types: frozenset[str], *, is_strict: bool, is_newest: bool
) -> ClientFeatures:
    names = frozenset(events.split())
    return ClientFeatures(
        version=version,
        is_known=True,
        looked_at=version,
        events=names,
        observed=names.difference(_NEVER_SEEN),
        ignores_unknown_events=not is_strict,
        hook_types=hook_types,
        has_plugin_hooks=True,
        loads_named_plugins=not is_strict,  # both came between the same two releases
        loads_plugins_at_once=is_newest,
        reloads_hooks=not is_strict,
        has_cheap_haiku=is_newest,
        has_statusline=True,
        has_skills=True,
        takes_skill_overrides=not is_strict,
        takes_agent_rules=not is_strict,
        has_wide_listing=is_newest,
    )


_EVERY_EVENT = f"{_FIRST_EVENTS} {_LATER_EVENTS}"
LOOKED_AT: tuple[ClientFeatures, ...] = (
    _looked_at("2.0.76", _FIRST_EVENTS, _FIRST_TYPES, is_strict=True, is_newest=False),
    _looked_at("2.1.270", _EVERY_EVENT, _LATER_TYPES, is_strict=False, is_newest=False),
    _looked_at("2.1.329", _EVERY_EVENT, _LATER_TYPES, is_strict=False, is_newest=True),
)
"""Oldest first."""

NEWEST_TESTED = LOOKED_AT[-1].version


def features_of(version: str) -> ClientFeatures:
    """What a release takes; one that nobody looked at, or no version at all, is degraded so."""
    parts = version_parts(version)
    found = LOOKED_AT[0]
    for one in LOOKED_AT:
        if parts is not None and version_parts(one.version) == parts:
            return one
        if parts is not None and (version_parts(one.version) or ()) < parts:
            found = one
    return found._replace(version=version if parts is not None else "", is_known=False)


def features_in_common(versions: Iterable[str]) -> ClientFeatures:
    """What every one of these releases takes; with none of them, what the newest tested one does.

    `version` is the oldest of them: the one that the others have to put up with.
    """
    found = [features_of(version) for version in versions]
    if not found:
        return LOOKED_AT[-1]
    oldest = min(found, key=lambda one: version_parts(one.version) or ())
    return oldest._replace(
        is_known=all(one.is_known for one in found),
        events=frozenset.intersection(*(one.events for one in found)),
        observed=frozenset.intersection(*(one.observed for one in found)),
        ignores_unknown_events=all(one.ignores_unknown_events for one in found),
        hook_types=frozenset.intersection(*(one.hook_types for one in found)),
        has_plugin_hooks=all(one.has_plugin_hooks for one in found),
        loads_named_plugins=all(one.loads_named_plugins for one in found),
        loads_plugins_at_once=all(one.loads_plugins_at_once for one in found),
        reloads_hooks=all(one.reloads_hooks for one in found),
        has_cheap_haiku=all(one.has_cheap_haiku for one in found),
        has_statusline=all(one.has_statusline for one in found),
        has_skills=all(one.has_skills for one in found),
        takes_skill_overrides=all(one.takes_skill_overrides for one in found),
        takes_agent_rules=all(one.takes_agent_rules for one in found),
        has_wide_listing=all(one.has_wide_listing for one in found),
    )


def version_parts(text: str) -> tuple[int, ...] | None:
    """A version to compare by: (2, 1, 329); None where the text is none.

    What follows the numbers (`-beta.1`, `+build`) is left aside.
    """
    plain = text.strip().partition("-")[0].partition("+")[0]
    parts = plain.split(".")
    if not 2 <= len(parts) <= _MOST_PARTS:
        return None
    if not all(
        part.isascii() and part.isdecimal() and len(part) <= _LONGEST_PART for part in parts
    ):
        return None
    return tuple(int(part) for part in parts)


def is_newer_than_tested(version: str) -> bool:
    """Whether a release came after every one that we have looked at."""
    parts = version_parts(version)
    return parts is not None and parts > (version_parts(NEWEST_TESTED) or ())
