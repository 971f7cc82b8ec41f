"""The judgement: each part of the wiring, each client in use, and the answer in one sentence."""

from __future__ import annotations

from tokenbudget.model.figures import counted
from tokenbudget.resources.client_features import (
    LOOKED_AT,
    NEWEST_TESTED,
    features_of,
    is_newer_than_tested,
)
from tokenbudget.resources.effect import (
    BESIDE,
    COMMANDS,
    DAEMON,
    HOOKS,
    PARTS,
    PLUGIN,
    RECALL,
    SKILL,
    STATUSLINE,
    ClientLine,
    EventLine,
    Overlap,
    Part,
    Wiring,
)
from tokenbudget.resources.effect_answer import answer_of
from tokenbudget.resources.effect_troubles import troubles_of
from tokenbudget.resources.peers import PEERS, tool_of
from tokenbudget.resources.settings_said import MANAGED, USER
from tokenbudget.resources.wiring import RECALL_RULE
from tokenbudget.resources.wiring_hooks import EVENTS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from tokenbudget.resources.client_versions import ClientVersion
    from tokenbudget.resources.effect import Facts
    from tokenbudget.resources.settings_said import Said

SLOW_HOOK_SECONDS = 60
"""From here on another tool's limit is worth telling: so long a tool call may be held up."""
_BEFORE = "not since its settings changed"
_TOOL_EVENTS = ("PreToolUse", "PostToolUse")


def judged(facts: Facts) -> Wiring:
    """What is wired, and whether it takes effect."""
    troubles = troubles_of(facts)
    broken = {one.part for one in troubles if one.is_blocking}
    parts = tuple(_part(name, facts, broken) for name in PARTS)
    is_anything = any(part.is_wired for part in parts if part.name not in BESIDE)
    return Wiring(
        at_ms=facts.now_ms,
        answer=answer_of(parts, troubles, facts.gateway),
        do="" if is_anything else "tokens install --dry-run",
        is_effective=not broken,
        parts=parts,
        clients=tuple(_client(client, facts) for client in facts.clients),
        events=tuple(_events(facts)),
        troubles=troubles,
        overlaps=tuple(dict.fromkeys(_overlaps(facts))),
        daemon=facts.daemon,
        newest_tested=NEWEST_TESTED,
        gateway=facts.gateway,
    )


# ── parts ─────────────────────────────────────────────────────────────────────────────────────────


def _part(name: str, facts: Facts, broken: Collection[str]) -> Part:
    found = {
        STATUSLINE: _statusline,
        HOOKS: _hooks,
        COMMANDS: lambda facts: _own_files(facts, COMMANDS, "type /tokens to see"),
        SKILL: lambda facts: _own_files(facts, SKILL, "listed in every new session"),
        PLUGIN: _plugin,
        RECALL: _recall,
        DAEMON: _daemon,
    }[name](facts)
    if name not in broken:
        return found
    if not found.is_wired:  # it stands in a file that does not count
        scopes = _scopes([file for file in facts.files if name in file.mentions])
        return Part(name, "broken", scopes, "", "")
    return found._replace(state="broken")


def _statusline(facts: Facts) -> Part:
    files = [file for file in facts.good if file.seen.statusline]
    if not files:
        return _absent(STATUSLINE)
    behind = next((f.seen.other_statusline for f in files if f.seen.other_statusline), "")
    detail = f"then {tool_of(behind).name}" if behind else ""
    drawn = facts.drawn
    if drawn is None:
        evidence = "drawn in interactive sessions"
        return Part(STATUSLINE, "unseen", _scopes(files), detail, evidence)
    if drawn.at_ms < _changed_at_ms(files, facts):
        return Part(STATUSLINE, "unseen", _scopes(files), detail, _BEFORE)
    by = f" by {drawn.version}" if drawn.version else ""
    evidence = f"drawn {ago(facts.now_ms, drawn.at_ms)}{by}"
    return Part(
        *(STATUSLINE, "effective", _scopes(files), detail, evidence, 1),
        *(drawn.at_ms, drawn.version),
    )


def _hooks(facts: Facts) -> Part:
    files = [file for file in facts.good if file.seen.ours]
    if not files:
        return _absent(HOOKS)
    events = {hook.event for file in files for hook in file.seen.ours}
    way = ", HTTP" if any(file.ports for file in files) else ""
    return _by_hooks(HOOKS, files, f"{counted(len(events), 'event')}{way}", facts)


def _plugin(facts: Facts) -> Part:
    files = [file for file in facts.good if file.seen.is_plugin_enabled]
    return _by_hooks(PLUGIN, files, "enabled", facts) if files else _absent(PLUGIN)


def _recall(facts: Facts) -> Part:
    """A rule under which the agent calls `tokens recall` unasked, whoever wrote it."""
    files = [file for file in facts.good if file.seen.has_recall]
    if not files:
        return Part(RECALL, "absent", (), "", "the agent asks before tokens recall")
    return Part(RECALL, "wired", _scopes(files), RECALL_RULE, "the agent does not ask")


def _by_hooks(name: str, files: Sequence[Said], detail: str, facts: Facts) -> Part:
    hooks = facts.hooks
    if not hooks.total:
        return Part(name, "unseen", _scopes(files), detail, "none was heard of")
    if hooks.last_ms < _changed_at_ms(files, facts):
        return Part(name, "unseen", _scopes(files), detail, _BEFORE)
    seen = f"{hooks.total:,} in {counted(hooks.sessions, 'session')}"
    evidence = f"{seen}, last {ago(facts.now_ms, hooks.last_ms)}"
    if hooks.trimmed:
        results = counted(hooks.trimmed, "result")
        evidence += f"; {results} shortened by ~{hooks.saved_tokens:,} tokens"
    version = next(iter(hooks.by_version), "")
    return Part(
        *(name, "effective", _scopes(files), detail, evidence, hooks.total, hooks.last_ms),
        version,
    )


def _own_files(facts: Facts, name: str, evidence: str) -> Part:
    files = [own for own in facts.own_files if own.part == name]
    if not files:
        return _absent(name)
    scopes = tuple(dict.fromkeys(own.scope for own in files))
    return Part(name, "wired", scopes, counted(len(files), "file"), evidence)


def _daemon(facts: Facts) -> Part:
    daemon = facts.daemon
    if not daemon.is_running:
        is_needed = any(file.ports for file in facts.good)
        evidence = "hooks over HTTP need it" if is_needed else "hooks answer by themselves"
        return Part(DAEMON, "absent", (), "", evidence)
    since = f", up {span(facts.now_ms - daemon.started_at_ms)}" if daemon.started_at_ms else ""
    answered = f", {counted(daemon.answered, 'hook')}" if daemon.answered else ""
    port = f"port {daemon.port}" if daemon.port else "socket"
    evidence = f"process {daemon.pid}{since}{answered}"
    return Part(DAEMON, "effective", (), port, evidence, daemon.answered, daemon.last_hook_ms)


def _absent(name: str) -> Part:
    return Part(name, "absent", (), "", "")


def _changed_at_ms(files: Sequence[Said], facts: Facts) -> int:
    """When these files were changed last: what was seen before may have been another wiring."""
    moments = (file.changed_at_ms for file in files)
    return max((at_ms for at_ms in moments if at_ms <= facts.now_ms), default=0)


def _scopes(files: Sequence[Said]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(file.scope for file in files))


# ── clients and events ────────────────────────────────────────────────────────────────────────────


def _client(client: ClientVersion, facts: Facts) -> ClientLine:
    features = features_of(client.version)
    is_newer = is_newer_than_tested(client.version)
    seen = facts.hooks.by_version.get(client.version, 0)
    is_wired = any(f.seen.ours or f.seen.is_plugin_enabled for f in facts.good)
    if features.is_known:
        how = f"{client.version} was tested"
    elif is_newer:
        how = f"{client.version} is newer than any we have tested ({NEWEST_TESTED})"
    elif features.looked_at == LOOKED_AT[0].version and features.events == LOOKED_AT[0].events:
        how = f"{client.version} was not tested; only what {features.looked_at} takes is wired"
    else:
        how = f"{client.version} was not tested; it is taken for {features.looked_at}"
    if is_wired and seen:
        so = "" if features.is_known else ", so they work"
        how += f": hooks seen {counted(seen, 'time')}{so}"
    elif is_wired:
        how += ": hooks not seen yet"
    return ClientLine(
        *(client.version, features.is_known, is_newer, features.looked_at, client.is_installed),
        *(client.sessions, client.last_at_ms, seen, how),
    )


def _events(facts: Facts) -> Iterator[EventLine]:
    wired = {hook.event for file in facts.good for hook in file.seen.ours}
    names = [event for event in EVENTS if event in wired or event in facts.hooks.events]
    names += sorted((wired | {*facts.hooks.events}) - {*names})
    for event in names:
        knowing = (c.version for c in facts.clients if event in features_of(c.version).events)
        count, last_ms = facts.hooks.events.get(event, (0, 0))
        yield EventLine(event, event in wired, tuple(knowing), count, last_ms)


# ── others ────────────────────────────────────────────────────────────────────────────────────────


def _overlaps(facts: Facts) -> Iterator[Overlap]:
    for file in facts.good:
        other = file.seen.other_statusline
        if other:
            tool = tool_of(other)
            says = (
                "drawn below ours, from the same input"
                if file.seen.statusline
                else "drawn alone; tokens install puts ours above it"
            )
            yield Overlap(tool.name, "status line", file.scope, says)
        yield from _hook_overlaps(file)
        for plugin in file.plugins:
            name = plugin.partition("@")[0]
            peer = next((one for one in PEERS if name in one.marks), None)
            if peer is not None:
                yield Overlap(peer.name, "plugin", file.scope, peer.does)
        if file.base_url and file.scope in (USER, MANAGED):
            says = f"all requests go to {file.base_url}, which may change them"
            yield Overlap("a proxy", "ANTHROPIC_BASE_URL", file.scope, says)


def _hook_overlaps(file: Said) -> Iterator[Overlap]:
    tools: dict[str, list[str]] = {}
    for hook in file.foreign:
        tools.setdefault(tool_of(hook.target).name, []).append(hook.event)
    for name, events in tools.items():
        mine = [hook for hook in file.foreign if tool_of(hook.target).name == name]
        peer = next((one for one in PEERS if one.name == name), None)
        said = [peer.does] if peer else []
        on_tools = [event for event in _TOOL_EVENTS if event in events]
        if on_tools and (peer is None or peer.rewrites):
            said.append("where two change the same call, the last one wins")
            if "PostToolUse" in events:
                said.append("trim.deny leaves a tool's results to it")
        slowest = max((h.timeout_seconds or 0 for h in mine if h.event in _TOOL_EVENTS), default=0)
        if slowest > SLOW_HOOK_SECONDS:
            said.append(f"it may hold a tool call up for {slowest:,.0f} s")
        where = ", ".join(dict.fromkeys(events))
        yield Overlap(name, where, file.scope, "; ".join(said) or "runs beside ours")


# ── time ──────────────────────────────────────────────────────────────────────────────────────────


def ago(now_ms: int, at_ms: int) -> str:
    """How long a moment is past: `12 s ago`; one ahead of our clock is `just now`."""
    return "just now" if now_ms - at_ms < 1000 else f"{span(now_ms - at_ms)} ago"


def span(length_ms: int) -> str:
    """A length of time in its largest unit: 12 s, 3 min, 2 h, 5 days."""
    seconds = max(0, length_ms) // 1000
    for size, unit in ((86_400, "day"), (3600, "h"), (60, "min")):
        if seconds >= size:
            count = seconds // size
            return f"{count} {unit}{'s' if unit == 'day' and count > 1 else ''}"
    return f"{seconds} s"
