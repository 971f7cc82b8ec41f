"""Gathers what is wired into the agent and what proves it; reads only, whatever it finds.

The ledger is taken as it is, never brought up to date, made or migrated for this; the spool of the
status line stays where it is; the agent's own state file is not even opened.
"""

from __future__ import annotations

import os
import stat
import sys

from tokenbudget.app.installing_client import marks
from tokenbudget.app.wired_files import own_files
from tokenbudget.app.wired_modes import loose_paths
from tokenbudget.config.files import read_regular
from tokenbudget.config.layers import project_dir
from tokenbudget.config.settings import process_environment
from tokenbudget.gateway.daemon.status import status_of
from tokenbudget.gateway.hooks.evidence import seen
from tokenbudget.gateway.statusline_evidence import last_drawn
from tokenbudget.model.errors import TokenBudgetError
from tokenbudget.model.plain_text import one_line
from tokenbudget.resources.client_versions import (
    RECENT_MS,
    ClientVersion,
    installed_client,
    moment_of,
    versions_in_use,
)
from tokenbudget.resources.effect import (
    Daemon,
    Drawn,
    Facts,
    HookEvidence,
    Wiring,
)
from tokenbudget.resources.effect_parts import judged
from tokenbudget.resources.settings_said import (
    LOCAL,
    MANAGED,
    PROJECT,
    USER,
    Said,
    digest_of,
    said_in,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from tokenbudget.config.settings import Settings
    from tokenbudget.gateway.hooks.evidence import SeenSession
    from tokenbudget.ledger.inspection import SessionRow
    from tokenbudget.ledger.store import Ledger
    from tokenbudget.resources.effect import GatewayWired

MANAGED_FOLDERS = (
    ("/Library/Application Support/ClaudeCode",)
    if sys.platform == "darwin"
    else ("/etc/claude-code",)
)
"""Where an organisation puts settings for everybody on this machine."""
MOST_SESSIONS = 500
_MANAGED_NAME, _DROP_IN = "managed-settings.json", "managed-settings.d"
_LONGEST_FAULT = 120
_PARTS_OF_COMMAND = {"statusline": "statusline.py", "hooks": "hook_client.py"}


def wiring_of(
    settings: Settings,
    now_ms: int,
    ledger: Ledger | None = None,
    gateway: GatewayWired | None = None,
) -> Wiring:
    """What is wired here, and whether it takes effect.

    Args:
        settings: Whose home, agent and project.
        now_ms: The moment that everything is compared with.
        ledger: One that is open already; else this home's is looked at, if there is one.
        gateway: What `gateway_doctor` found of the MCP gateway.
    """
    return judged(facts_of(settings, now_ms, ledger)._replace(gateway=gateway))


def facts_of(settings: Settings, now_ms: int, ledger: Ledger | None = None) -> Facts:
    """Everything that the judgement needs, looked at once."""
    files = tuple(_files(settings))
    sessions, told = _remembered(settings, ledger)
    found = seen(settings.data_dir, now_ms - RECENT_MS)
    home = os.path.abspath(settings.data_dir)
    place = _marketplace(files)
    return Facts(
        now_ms=now_ms,
        home=home,
        files=files,
        own_files=tuple(own_files(settings)),
        clients=clients_in_use(settings, sessions, now_ms),
        hooks=_evidence(found),
        drawn=_drawn(settings.data_dir, now_ms, told),
        daemon=_daemon(settings.data_dir),
        missing=_missing(files),
        marketplace=place,
        is_marketplace_there=not place or os.path.isdir(place),
        is_autostarting=_is_autostarting(settings),
        knows_secret=_knows_secret(settings.data_dir, files),
        loose=tuple(loose_paths(home)),
        session_starts=_starts(sessions, now_ms),
        names={file.path: _name_of(file.path, settings) for file in files},
    )


# ── the ledger ────────────────────────────────────────────────────────────────────────────────────


def _remembered(settings: Settings, ledger: Ledger | None) -> tuple[list[SessionRow], Drawn | None]:
    """The latest sessions and the latest report of the status line, as far as the ledger knows.

    What cannot be read tells nothing; the doctor's other part says so.
    """
    from tokenbudget.app import LEDGER_NAME
    from tokenbudget.ledger.store import Ledger

    if ledger is not None:
        return _in_ledger(ledger)
    path = os.path.join(settings.data_dir, LEDGER_NAME)
    if not os.path.isfile(path):
        return [], None
    try:
        with Ledger(path) as opened:
            return _in_ledger(opened)
    except TokenBudgetError:
        return [], None


def _in_ledger(ledger: Ledger) -> tuple[list[SessionRow], Drawn | None]:
    sessions = ledger.sessions(MOST_SESSIONS)
    told = ledger.windows.last_told()
    if told is None:
        return sessions, None
    version = next((row.version for row in sessions if row.session == told[0]), "")
    return sessions, Drawn(told[1], version)


def clients_in_use(
    settings: Settings, sessions: Sequence[SessionRow], now_ms: int
) -> tuple[ClientVersion, ...]:
    """The releases of the client that sessions tell of, and the one that a shell would start."""
    search_path = process_environment().get("PATH") or os.defpath
    return versions_in_use(sessions, installed_client(search_path, settings.home_dir), now_ms)


def _starts(sessions: Iterable[SessionRow], now_ms: int) -> tuple[int, ...]:
    """When the sessions of the last 30 days began; a resumed one began when it first did."""
    moments = (moment_of(row.first_at) for row in sessions)
    return tuple(sorted(at_ms for at_ms in moments if now_ms - RECENT_MS < at_ms <= now_ms))


# ── settings files ────────────────────────────────────────────────────────────────────────────────


def _files(settings: Settings) -> Iterator[Said]:
    """Every settings file that is there, lowest scope first."""
    named = [(USER, os.path.join(folder, "settings.json")) for folder in settings.claude_dirs[:1]]
    project = project_dir(settings.working_dir, settings.home_dir)
    if project:
        own = os.path.join(project, ".claude")
        named.append((PROJECT, os.path.join(own, "settings.json")))
        named.append((LOCAL, os.path.join(own, "settings.local.json")))
    for folder in MANAGED_FOLDERS:
        named.append((MANAGED, os.path.join(folder, _MANAGED_NAME)))
        named += [(MANAGED, path) for path in _drop_ins(os.path.join(folder, _DROP_IN))]
    for scope, path in named:
        found = _file(scope, path)
        if found is not None:
            yield found


def _drop_ins(folder: str) -> list[str]:
    try:
        names = sorted(os.listdir(folder))
    except OSError:
        return []
    return [os.path.join(folder, name) for name in names if name.endswith(".json")]


def _file(scope: str, path: str) -> Said | None:
    try:
        content = read_regular(path)
        if content is None:
            return None
        facts = os.stat(path)
        said = said_in(content.decode(), scope, path, marks())
    except UnicodeDecodeError:
        return Said(scope, path, fault="is no UTF-8 text")
    except OSError as wrong:
        return Said(scope, path, fault=f"cannot be read ({wrong.strerror})")
    changed_at_ms = facts.st_mtime_ns // 1_000_000
    return said._replace(mode=stat.S_IMODE(facts.st_mode), changed_at_ms=changed_at_ms)


def _missing(files: Iterable[Said]) -> frozenset[str]:
    """Paths of our commands that are gone: the Python, or our own package."""
    gone = set()
    for file in files:
        for part, paths in file.own:
            if not os.access(paths.python, os.X_OK):
                gone.add(paths.python)
            if not os.path.isfile(os.path.join(paths.folder, _PARTS_OF_COMMAND[part])):
                gone.add(paths.folder)
    return frozenset(gone)


def _marketplace(files: Iterable[Said]) -> str:
    """The folder that settings name for our plugin, '' where they name none."""
    return next((file.plugin_folder for file in files if file.plugin_folder), "")


def _name_of(path: str, settings: Settings) -> str:
    """A path as a person calls it, without what a terminal must not see."""
    project = settings.working_dir if settings.working_dir != settings.home_dir else ""
    for top, start in ((project, ""), (settings.home_dir, "~/")):
        if top and path.startswith(top.rstrip("/") + "/"):
            return one_line(start + path[len(top.rstrip("/")) + 1 :])
    return one_line(path)


# ── evidence ──────────────────────────────────────────────────────────────────────────────────────


def _evidence(sessions: Sequence[SeenSession]) -> HookEvidence:
    """All sessions together; the versions newest session first."""
    events: dict[str, tuple[int, int]] = {}
    versions: dict[str, int] = {}
    for one in sessions:
        for name, (count, last_ms) in one.events.items():
            before, latest = events.get(name, (0, 0))
            events[name] = (before + count, max(latest, last_ms))
            versions[one.version] = versions.get(one.version, 0) + count
    fault = next((one.last_fault for one in sessions if one.last_fault), "")
    return HookEvidence(
        sessions=sum(1 for one in sessions if one.events),
        events=events,
        by_version=versions,
        faults=sum(one.faults for one in sessions),
        last_fault=one_line(fault)[:_LONGEST_FAULT],
        trimmed=sum(one.trimmed for one in sessions),
        saved_tokens=sum(one.saved_tokens for one in sessions),
    )


def _drawn(home: str, now_ms: int, told: Drawn | None) -> Drawn | None:
    """The latest report of the status line: in its spool, or in the ledger that took it."""
    line = last_drawn(home)
    found = [] if told is None else [told]
    found += [] if line is None else [Drawn(line.at_ms, line.version)]
    return max((one for one in found if one.at_ms > now_ms - RECENT_MS), default=None)


def _daemon(home: str) -> Daemon:
    found = status_of(home)
    return Daemon(
        is_running=found.is_running,
        pid=found.pid,
        port=found.port,
        started_at_ms=found.started_at_ms,
        version=found.version,
        is_persistent=found.is_persistent,
        answered=found.answered,
        last_hook_ms=found.last_hook_ms,
        faults=found.faults,
        trouble=one_line(found.trouble),
    )


def _is_autostarting(settings: Settings) -> bool:
    try:
        return settings.serve_settings().autostart
    except TokenBudgetError:  # whoever asks for these settings is told
        return False


def _knows_secret(home: str, files: Iterable[Said]) -> bool:
    """Whether hooks over HTTP carry the secret that stands in our folder; compared, never kept."""
    from tokenbudget.gateway.daemon.secret import known_secret

    digests = {digest for file in files for digest in file.secret_digests}
    if not digests:
        return True
    try:
        secret = known_secret(home)
    except (TokenBudgetError, OSError):
        return False
    return bool(secret) and digests == {digest_of(f"Bearer {secret}")}
