"""What keeps the wiring from working, or is not safe: each finding from the facts, none from files.

The rules are those of the client, as its releases were seen to behave or say of themselves; the
event names that each takes are in `client_features`.
"""

from __future__ import annotations

import shlex
from itertools import pairwise

from tokenbudget.model.figures import counted
from tokenbudget.resources.client_features import LOOKED_AT, features_in_common, features_of
from tokenbudget.resources.effect import (
    COMMANDS,
    DAEMON,
    HOOKS,
    PLUGIN,
    SKILL,
    STATUSLINE,
    Trouble,
)
from tokenbudget.resources.effect_http import http_troubles
from tokenbudget.resources.settings_said import LOCAL, MANAGED, PROJECT, Said
from tokenbudget.resources.wiring_hooks import events_wired

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from tokenbudget.resources.effect import Facts

_ASK = "ask whoever manages this machine"
_OTHERS = 0o077
_MOST_NAMES = 3
_BEFORE_FIRST_LINE_MS = 60_000
"""A session's first hooks come before its first line is written, and before its first prompt."""
_LATER_TYPES = LOOKED_AT[-1].hook_types


def troubles_of(facts: Facts) -> tuple[Trouble, ...]:
    """Everything that is wrong, what keeps a part from working first."""
    found = [
        *_unreadable(facts),
        *_disabled(facts),
        *_forbidden(facts),
        *_unknown_events(facts),
        *_not_loaded(facts),
        *_gone(facts),
        *_other_home(facts),
        *_overridden(facts),
        *http_troubles(facts),
        *_silent(facts),
        *_doubled(facts),
        *_not_wired_events(facts),
        *_faults(facts),
        *_base_urls(facts),
        *_loose(facts),
    ]
    return tuple(sorted(found, key=lambda one: not one.is_blocking))


def _unreadable(facts: Facts) -> Iterator[Trouble]:
    """Files that the client passes over; ours in them blocks, unless it counts elsewhere too."""
    wired = {part for file in facts.files if file.counts for part in file.parts}
    for file in facts.files:
        name = facts.name_of(file.path)
        if file.ambiguity:
            says = f"in {name} {file.ambiguity}: the client takes the last one, and we change none"
            do = f"correct {name} by hand"
            yield Trouble("settings-ambiguous", "", says, do, is_blocking=False)
        if file.counts:
            continue
        if file.fault:
            kind, do = "settings-unreadable", f"correct {name} by hand"
            says = f"{name} {file.fault}; the client passes over all of it"
        else:
            kind, do = "settings-refused", f"correct that in {name}"
            says = (
                f"{name} says {', '.join(file.refused)} in a shape that the client does not take,"
                " for which it passes over the whole file"
            )
        lost = [part for part in file.mentions if part not in wired]
        yield from (Trouble(kind, part, says, do) for part in lost)
        if not lost:
            yield Trouble(kind, "", says, do, is_blocking=False)


def _disabled(facts: Facts) -> Iterator[Trouble]:
    file = facts.disabling
    if file is None:
        return
    name = facts.name_of(file.path)
    do = _ASK if file.scope == MANAGED else f"take disableAllHooks out of {name}"
    says = f"disableAllHooks is set in {name}"
    for part in _wired_parts(facts, (HOOKS, STATUSLINE, PLUGIN)):
        yield Trouble("all-hooks-disabled", part, says, do)


def _forbidden(facts: Facts) -> Iterator[Trouble]:
    """Settings of an organisation, and of a person, that forbid what we need."""
    managed = [file for file in facts.good if file.scope == MANAGED]
    if any(file.is_managed_only for file in managed):
        says = "managed settings allow only their own hooks (allowManagedHooksOnly)"
        for part in _wired_parts(facts, (HOOKS, PLUGIN)):
            yield Trouble("managed-hooks-only", part, says, _ASK)
    locked = frozenset[str]().union(*(file.locked for file in managed))
    for surface, parts in (("hooks", (HOOKS,)), ("skills", (COMMANDS, SKILL))):
        for part in _wired_parts(facts, parts) if surface in locked else ():
            says = f"managed settings take {surface} from plugins only"
            do = "tokens install --only plugin,statusline"
            yield Trouble("plugins-only", part, f"{says} (strictPluginOnlyCustomization)", do)
    for file in facts.good:
        name = facts.name_of(file.path)
        for part in _wired_parts(facts, (COMMANDS,)):
            if file.forbids_shell:
                says = f"disableSkillShellExecution in {name} keeps commands from running anything"
                yield Trouble("shell-disabled", part, says, f"take it out of {name}")
            if file.denies_shell:
                says = f"permissions.deny in {name} holds all of Bash, which our commands run by"
                yield Trouble("shell-denied", part, says, f"deny less than Bash in {name}")


def _unknown_events(facts: Facts) -> Iterator[Trouble]:
    """A name or a kind of hook that an old client does not know costs it every hook of the file."""
    for client in facts.clients:
        features = features_of(client.version)
        if features.ignores_unknown_events or facts.hooks.by_version.get(client.version):
            continue
        for file in facts.good:
            unknown = sorted({hook.event for hook in file.seen.ours} - features.events)
            foreign = sorted({*file.events} - features.events - {*unknown})
            types = sorted(file.hook_types & _LATER_TYPES - features.hook_types)
            strange = [*(f"type {one}" for one in types), *file.refused_by_old]
            if not file.seen.ours or not (unknown or foreign or strange):
                continue
            name = facts.name_of(file.path)
            does = "ignores" if features.is_known else "probably ignores"
            what = _some([*strange, *unknown, *foreign])
            says = f"{client.version} {does} every hook of {name}, for it does not take {what}"
            is_foreign = foreign or file.refused_by_old or (types and not file.ports)
            do = f"take that out of {name}" if is_foreign else _again(file._replace(ports=()))
            yield Trouble("unknown-event", HOOKS, says, do, features.is_known)


def _not_loaded(facts: Facts) -> Iterator[Trouble]:
    """An old client loads a plugin only if its own command has installed it."""
    named = [file for file in facts.good if PLUGIN in file.parts and file.seen.has_marketplace]
    for client in facts.clients if named else ():
        features = features_of(client.version)
        if not features.loads_named_plugins and not facts.hooks.by_version.get(client.version):
            says = f"{client.version} loads no plugin that settings name"
            do = "claude plugin marketplace add, claude plugin install (docs/slash.md)"
            is_alone = features.is_known and len(facts.clients) == 1
            yield Trouble("plugin-not-loaded", PLUGIN, says, do, is_alone)


def _again(file: Said) -> str:
    """The command that wires anew what stands in this file."""
    if file.scope == MANAGED:
        return _ASK
    scope = f" --scope {file.scope}" if file.scope in (PROJECT, LOCAL) else ""
    return f"tokens install{' --http-hooks' if file.ports else ''}{scope}"


def _some(names: Sequence[str]) -> str:
    """A few names, and how many more."""
    more = len(names) - _MOST_NAMES
    return ", ".join(names[:_MOST_NAMES]) + (f" and {more} more" if more > 0 else "")


def _gone(facts: Facts) -> Iterator[Trouble]:
    for file in facts.good:
        for part, paths in file.own:
            gone = next((p for p in (paths.python, paths.folder) if p in facts.missing), None)
            if gone is not None:
                says = f"{facts.name_of(file.path)} names {gone}, which is not there any more"
                yield Trouble("paths-gone", part, says, _again(file))
    for own in facts.own_files:
        if own.missing:
            says = f"{own.name} calls {own.missing}, which is not there any more"
            files = [file for file in facts.good if file.scope == own.scope]
            do = _again(files[0] if files else Said(own.scope, ""))
            yield Trouble("paths-gone", own.part, says, do)
    if not facts.is_marketplace_there and any(f.seen.is_plugin_enabled for f in facts.good):
        says = f"the plugin comes from {facts.marketplace}, which is not there any more"
        yield Trouble("paths-gone", PLUGIN, says, "tokens install --only plugin")


def _other_home(facts: Facts) -> Iterator[Trouble]:
    for file in facts.good:
        for part, paths in file.own:
            if paths.home != facts.home:
                says = f"{facts.name_of(file.path)} wires it for {paths.home}, not {facts.home}"
                do = f"{_again(file)}, or set TOKENS_HOME={paths.home}"
                yield Trouble("other-home", part, says, do)


def _overridden(facts: Facts) -> Iterator[Trouble]:
    """The highest scope that has a status line is the one that is drawn."""
    lines = [file for file in facts.good if file.has_statusline]
    if lines and not lines[-1].seen.statusline and any(f.seen.statusline for f in lines):
        name = facts.name_of(lines[-1].path)
        says = f"the status line of another tool in {name} is drawn instead"
        scope = lines[-1].scope
        do = f"tokens install --only statusline --scope {scope}"
        if scope == MANAGED:
            do = _ASK
        yield Trouble("statusline-overridden", STATUSLINE, says, do)


def _silent(facts: Facts) -> Iterator[Trouble]:
    """Sessions began after the wiring, and none of their hooks was heard of."""
    wired = [file for file in facts.good if file.seen.ours or file.seen.is_plugin_enabled]
    since = max((file.changed_at_ms for file in wired), default=0)
    is_hooked = any(file.seen.ours for file in wired)
    begun = [at_ms for at_ms in facts.session_starts if at_ms > since]
    if not is_hooked:  # 2.1.270 loads a plugin that settings name from the second session on
        begun = sorted(begun)[1:]
    if wired and begun and facts.hooks.last_ms < min(begun) - _BEFORE_FIRST_LINE_MS:
        says = f"{counted(len(begun), 'session')} began since then, and no hook was heard of"
        part = HOOKS if is_hooked else PLUGIN
        yield Trouble("silent", part, says, "start the client anew, and look at its /hooks")


def _doubled(facts: Facts) -> Iterator[Trouble]:
    hooked = [file for file in facts.good if file.seen.ours]
    plugged = [file for file in facts.good if file.seen.is_plugin_enabled]
    if hooked and plugged:
        says = "hooks stand in settings and in the plugin: each event is answered twice"
        both = [file for file in hooked if file.seen.is_plugin_enabled]
        do = _again(both[0]) if both else f"tokens uninstall --scope {plugged[-1].scope}"
        yield Trouble("wired-twice", HOOKS, says, do, is_blocking=False)
    for lower, higher in pairwise(hooked):
        if {hook.target for hook in lower.seen.ours} == {h.target for h in higher.seen.ours}:
            continue  # the client runs the same command once, wherever it stands (seen on 2.1.329)
        says = f"hooks stand in {facts.name_of(lower.path)} and in {facts.name_of(higher.path)}"
        do = f"tokens uninstall --scope {higher.scope}"
        yield Trouble("several-scopes", HOOKS, says, do, is_blocking=False)


def _not_wired_events(facts: Facts) -> Iterator[Trouble]:
    """Events that were left out for an old client that nobody uses any more."""
    hooked = [file for file in facts.good if file.seen.ours]
    if not hooked or not facts.clients:
        return
    ours = {hook.event for file in hooked for hook in file.seen.ours}
    common = features_in_common(client.version for client in facts.clients)
    more = [event for event in events_wired(common.events) if event not in ours]
    if more:
        says = f"{_some(more)} could be wired too: every client in use has it"
        yield Trouble("more-events", HOOKS, says, _again(hooked[-1]), is_blocking=False)


def _faults(facts: Facts) -> Iterator[Trouble]:
    hooks = facts.hooks
    if hooks.faults:
        last = f": {hooks.last_fault}" if hooks.last_fault else ""
        says = f"our hooks failed {counted(hooks.faults, 'time')}, and the agent went on{last}"
        do = "tokens serve --status, and report it"
        yield Trouble("hook-faults", HOOKS, says, do, is_blocking=False)
    if facts.daemon.trouble:
        do = "tokens serve --stop; the next hook starts another"
        yield Trouble("daemon", DAEMON, facts.daemon.trouble, do, is_blocking=False)


def _base_urls(facts: Facts) -> Iterator[Trouble]:
    """A project may send its requests, and the key with them, to whom it likes."""
    for file in facts.good:
        if file.base_url and file.scope in (PROJECT, LOCAL):
            name = facts.name_of(file.path)
            says = f"ANTHROPIC_BASE_URL in {name} sends requests, and your key, to {file.base_url}"
            do = f"if that is not yours, take it out of {name}"
            yield Trouble("base-url", "", says, do, is_blocking=False)


def _loose(facts: Facts) -> Iterator[Trouble]:
    for file in facts.files:
        if file.secret_digests and file.mode & _OTHERS:
            name = facts.name_of(file.path)
            says = f"{name} holds the daemon's secret and can be read by others ({file.mode:04o})"
            yield Trouble("secret-readable", HOOKS, says, f"chmod 600 {name}", is_blocking=False)
    for loose in facts.loose:
        says = f"{loose.path} {loose.why} ({loose.mode:04o})"
        do = f"chmod {loose.wanted:o} {shlex.quote(loose.path)}"
        yield Trouble("open-to-others", "", says, do, is_blocking=False)


def _wired_parts(facts: Facts, parts: Iterable[str]) -> Iterator[str]:
    """Those of the parts that are wired somewhere."""
    there = {
        STATUSLINE: any(STATUSLINE in file.parts for file in facts.good),
        HOOKS: any(HOOKS in file.parts for file in facts.good),
        PLUGIN: any(PLUGIN in file.parts for file in facts.good),
        COMMANDS: any(own.part == COMMANDS for own in facts.own_files),
        SKILL: any(own.part == SKILL for own in facts.own_files),
    }
    return (part for part in parts if there.get(part))
