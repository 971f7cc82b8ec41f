"""What keeps hooks over HTTP from reaching the daemon."""

from __future__ import annotations

import fnmatch

from tokenbudget.resources.client_features import NEVER_BY_HTTP
from tokenbudget.resources.effect import HOOKS, Trouble

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from tokenbudget.resources.effect import Facts

_INSTALL = "tokens install --http-hooks"
_URL = "http://127.0.0.1:{}/v1/hook"


def http_troubles(facts: Facts) -> Iterator[Trouble]:
    """Each thing that is wrong with hooks over HTTP; nothing where there are none."""
    ports = sorted({port for file in facts.good for port in file.ports})
    if ports:
        yield from _daemon(facts, ports)
        yield from _settings(facts, ports)


def _daemon(facts: Facts, ports: Sequence[int]) -> Iterator[Trouble]:
    if not facts.daemon.is_running:
        ours = [hook for file in facts.good for hook in file.seen.ours]
        by_command = any(not hook.target.startswith("http") for hook in ours)
        is_started = facts.is_autostarting and by_command
        until = " until the next session starts one" if is_started else ""
        says = f"hooks go over HTTP and no daemon runs{until}"
        yield Trouble("no-daemon", HOOKS, says, _INSTALL, not is_started)
    elif facts.daemon.port not in ports:
        at = facts.daemon.port or "no port"
        says = f"hooks ask port {ports[0]} and the daemon listens on {at}"
        yield Trouble("other-port", HOOKS, says, _INSTALL)
    if not facts.knows_secret:
        says = "hooks over HTTP carry another secret than the daemon asks for"
        yield Trouble("other-secret", HOOKS, says, _INSTALL)


def _settings(facts: Facts, ports: Sequence[int]) -> Iterator[Trouble]:
    asked = [hook for f in facts.good for hook in f.seen.ours if hook.target.startswith("http")]
    never = ", ".join(hook.event for hook in asked if hook.event in NEVER_BY_HTTP)
    if never:
        says = f"the client asks no HTTP hook at {never}"
        yield Trouble("never-by-http", HOOKS, says, _INSTALL, is_blocking=False)
    wanted = [_URL.format(port) for port in ports]
    for file in facts.good:
        allowed = file.http_urls
        if allowed is not None and not all(_is_allowed(url, allowed) for url in wanted):
            says = f"allowedHttpHookUrls in {facts.name_of(file.path)} leaves ours out"
            yield Trouble("url-not-allowed", HOOKS, says, f"add {wanted[0]} to it")


def _is_allowed(url: str, patterns: Iterable[str]) -> bool:
    """Only `*` means something in a pattern."""
    plain = (pattern.replace("[", "[[]").replace("?", "[?]") for pattern in patterns)
    return any(fnmatch.fnmatchcase(url, pattern) for pattern in plain)
