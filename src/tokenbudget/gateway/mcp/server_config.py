"""How the servers behind the gateway are started, as `mcpServers` of an agent says it.

What is written stays as it was written: `${VAR}` is filled in only when a server is started, so a
config can be kept, shown and compared without a secret in it. A server that cannot be started as
it stands is kept too, with what is wrong: the others work, and who calls it is told.
"""

from __future__ import annotations

import os
import re
from typing import Literal, NamedTuple

from tokenbudget.model.plain_text import one_line

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

Transport = Literal["stdio", "http", "sse"]
Mode = Literal["code", "compact", "direct"]

MOST_SERVERS = 200
MOST_NAME_CHARS = 100
MOST_ARGUMENTS = 1_000
MOST_TEXT_CHARS = 32_000
"""Of one argument, value or address; the system takes no more than 128 KB of one."""
MOST_FILES_OF_A_PROGRAM = 4

LEAST_SECRET_CHARS = 6
"""A shorter one would hide half of what is said."""

_SECRET_NAME = re.compile(r"key|token|secret|passw|credential|auth|cookie", re.IGNORECASE)
_SECRET_SAID = re.compile(
    r"://[^/\s:@]*:(?P<password>[^/\s@]+)@"
    r"|[\w-]*(?:key|token|secret|passw|credential|auth)[\w-]*(?:=|:\s+)(?P<value>[^&#\"']+)",
    re.IGNORECASE,
)
"""In an address or an argument: a password, `?api_key=…`, `--token=…`, `Authorization: …`."""
_HARMLESS = frozenset({"HOME", "PWD", "USER", "PATH", "TMPDIR", "LANG", "CLAUDE_PROJECT_DIR"})
_TRANSPORTS: Mapping[str, Transport] = {
    "stdio": "stdio", "sse": "sse", "http": "http",
    "streamable-http": "http", "streamable_http": "http", "streamableHttp": "http",
}  # fmt: skip
_VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)(?::-([^}]*))?\}")
_VARIABLE_NAME = re.compile(r"[^=\x00]+")
_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")


class ServerConfig(NamedTuple):
    """One server of `mcpServers`, nothing filled in."""

    name: str
    transport: Transport
    command: str
    args: tuple[str, ...]
    env: Mapping[str, str]
    cwd: str
    url: str
    headers: Mapping[str, str]
    mode: Mode
    trouble: str
    """'' or why it cannot be started, one sentence."""
    call_seconds: float = 0.0
    """Its `timeout`; 0 where it has none."""


class ConfigRefused(Exception):
    """The document holds no servers, or one cannot be started; one sentence."""


def configs_from(
    document: object, modes: Mapping[str, Mode] | None = None
) -> tuple[ServerConfig, ...]:
    """The servers of a document `{"mcpServers": {…}}`, in its order.

    Raises:
        ConfigRefused: it is not such a document.
    """
    servers = document.get("mcpServers") if isinstance(document, dict) else None
    if not isinstance(servers, dict):
        raise ConfigRefused("there is no object `mcpServers` in it")
    if len(servers) > MOST_SERVERS:
        raise ConfigRefused(
            f"`mcpServers` names {len(servers)} servers; {MOST_SERVERS} are allowed"
        )
    wanted = modes or {}
    return tuple(_config(str(name), entry, wanted) for name, entry in servers.items())


def filled_in(config: ServerConfig, environment: Mapping[str, str]) -> ServerConfig:
    """The config with `${VAR}` and `${VAR:-default}` replaced, as the client itself does it.

    A variable that is not set and has no default stays as it is written: so the client hands it
    on, and a server that works that way works here. `not_set` tells which.

    Raises:
        ConfigRefused: it cannot be started.
    """
    if config.trouble:
        raise ConfigRefused(config.trouble)

    def fill(text: str) -> str:
        return _VARIABLE.sub(lambda found: _value(found, environment), text)

    filled = config._replace(
        command=fill(config.command),
        args=tuple(map(fill, config.args)),
        env={name: fill(value) for name, value in config.env.items()},
        cwd=fill(config.cwd),
        url=fill(config.url),
        headers={name: fill(value) for name, value in config.headers.items()},
    )
    trouble = _unusable(filled)
    if trouble:
        raise ConfigRefused(trouble)
    return filled


def secrets_of(config: ServerConfig, environment: Mapping[str, str]) -> tuple[str, ...]:
    """What must not be repeated of a server's words: the longest first.

    The values of the variables that its config names, and what stands there under a name that
    says so: of a variable, a header, an option, a part of an address. Not a person's folder or
    name, without which no message would be understood.
    """
    named = {**config.env, **config.headers}
    texts = (config.url, *config.args, *named.values())
    variables = {match[1] for text in texts for match in _VARIABLE.finditer(text)} - _HARMLESS
    found = {environment.get(name, "") for name in variables}
    found |= {value for name, value in named.items() if _SECRET_NAME.search(name)}
    found |= {m["password"] or m["value"] for text in texts for m in _SECRET_SAID.finditer(text)}
    flags = zip(config.args, config.args[1:], strict=False)
    found |= {value for flag, value in flags if flag[:1] == "-" and _SECRET_NAME.search(flag)}
    found |= {value.split()[-1] for value in found if value.strip()}  # of `Bearer …` the key
    return tuple(sorted((v for v in found if len(v) >= LEAST_SECRET_CHARS), key=_longest_first))


def _longest_first(text: str) -> tuple[int, str]:
    return -len(text), text


def not_set(config: ServerConfig, environment: Mapping[str, str]) -> tuple[str, ...]:
    """The variables that a config names, without a default, and that are not set."""
    texts = (config.command, config.cwd, config.url, *config.args)
    every = "\n".join((*texts, *config.env.values(), *config.headers.values()))
    found = (match for match in _VARIABLE.finditer(every) if match[2] is None)
    return tuple(dict.fromkeys(match[1] for match in found if match[1] not in environment))


def fingerprint(config: ServerConfig, environment: Mapping[str, str]) -> str:
    """What tells one way to start a server from another; says nothing of its secrets.

    Two dozen hexadecimal digits over command, arguments, address, the names (not the values) of
    variables and headers, and age and size of the program's files where these are to be found.
    """
    from tokenbudget.system.digest import sha256

    names = (tuple(sorted(config.env)), tuple(sorted(config.headers)))
    start = (config.transport, config.command, config.args, config.cwd, config.url)
    said = (*start, *names, _program_files(config, environment))
    return sha256(repr(said).encode("utf-8", "backslashreplace")).hexdigest()[:24]


def _config(name: str, entry: object, modes: Mapping[str, Mode]) -> ServerConfig:
    """One server; what cannot be read of it becomes its trouble."""
    shown = one_line(name[:MOST_NAME_CHARS])
    empty = ServerConfig(name, "stdio", "", (), {}, "", "", {}, modes.get(name, "code"), "")
    if not 0 < len(name) <= MOST_NAME_CHARS:
        return empty._replace(trouble=f"a server's name has 1 to {MOST_NAME_CHARS} characters")
    if not isinstance(entry, dict):
        return empty._replace(trouble=f"the entry of {shown} is no object")
    kind = entry.get("type", "http" if "url" in entry and "command" not in entry else "stdio")
    transport = _TRANSPORTS.get(kind) if isinstance(kind, str) else None
    if transport is None:
        trouble = f"{shown} is of type {one_line(str(kind)[:40])!r}; stdio, http and sse are known"
        return empty._replace(trouble=trouble)
    if "command" not in entry and "url" not in entry:
        return empty._replace(trouble=f"{shown} has neither `command` nor `url`")
    known = empty._replace(transport=transport, call_seconds=_seconds(entry.get("timeout")))
    try:
        read = _stdio(known, entry) if transport == "stdio" else _web(known, entry)
    except ConfigRefused as refused:
        return known._replace(trouble=f"{shown}: {refused}")
    return read._replace(trouble=_unsupported(shown, entry, read))


def _stdio(known: ServerConfig, entry: Mapping[str, object]) -> ServerConfig:
    args = entry.get("args") or []
    if not isinstance(args, list) or len(args) > MOST_ARGUMENTS:
        raise ConfigRefused(f"`args` is no list of at most {MOST_ARGUMENTS} texts")
    return known._replace(
        command=_text(entry, "command"),
        args=tuple(_checked(one, "an argument") for one in args),
        env=_texts(entry, "env"),
        cwd=_text(entry, "cwd") if entry.get("cwd") else "",
    )


def _web(known: ServerConfig, entry: Mapping[str, object]) -> ServerConfig:
    return known._replace(url=_text(entry, "url"), headers=_texts(entry, "headers"))


def _unsupported(shown: str, entry: Mapping[str, object], config: ServerConfig) -> str:
    """What the gateway does not do for a server, though the client does."""
    if entry.get("headersHelper"):
        return f"{shown} takes its headers from a program, which the gateway does not run"
    has_key = any(name.lower() == "authorization" for name in config.headers)
    if entry.get("oauth") and not has_key:
        return f"{shown} signs in by OAuth, which the gateway cannot do: leave it with the client"
    return ""


def _unusable(filled: ServerConfig) -> str:
    """What is wrong with a config after its variables were filled in."""
    shown = one_line(filled.name)
    texts = (filled.command, filled.cwd, *filled.args, *filled.env.values())
    if any("\0" in text for text in texts):
        return f"{shown}: a text with a NUL character in it cannot be handed to a program"
    if not all(_VARIABLE_NAME.fullmatch(name) for name in filled.env):
        return f"{shown}: the name of a variable in `env` is empty or has `=` in it"
    if filled.transport == "stdio":
        return "" if filled.command.strip() else f"{shown}: `command` is empty"
    if not re.match(r"https?://[^/\s]", filled.url, re.IGNORECASE) or re.search(r"\s", filled.url):
        return f"{shown}: `url` is no http or https address"
    for name, value in filled.headers.items():
        if not _HEADER_NAME.fullmatch(name) or re.search(r"[\r\n\0]", value):
            return f"{shown}: the header {one_line(name[:40])!r} cannot be sent"
    return ""


def _value(found: re.Match[str], environment: Mapping[str, str]) -> str:
    default = found[2]
    if default is None:
        return environment.get(found[1], found[0])
    return environment.get(found[1]) or default


def _text(entry: Mapping[str, object], name: str) -> str:
    return _checked(entry.get(name), f"`{name}`")


def _texts(entry: Mapping[str, object], name: str) -> dict[str, str]:
    """An object of texts; a number or a truth is taken for its text, as the client takes it."""
    given = entry.get(name) or {}
    if not isinstance(given, dict):
        raise ConfigRefused(f"`{name}` is no object")
    what = f"a value in `{name}`"
    return {str(key): _checked(_said(value), what) for key, value in given.items()}


def _said(value: object) -> object:
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, (int, float)) else value


def _checked(value: object, what: str) -> str:
    if not isinstance(value, str) or len(value) > MOST_TEXT_CHARS:
        raise ConfigRefused(f"{what} is no text of at most {MOST_TEXT_CHARS:,} characters")
    return value


def _seconds(milliseconds: object) -> float:
    """The `timeout` of an entry; 0 where it is none."""
    if isinstance(milliseconds, bool) or not isinstance(milliseconds, (int, float)):
        return 0.0
    return milliseconds / 1000 if 0 < milliseconds < 86_400_000 else 0.0


def _program_files(config: ServerConfig, environment: Mapping[str, str]) -> tuple[object, ...]:
    """Age and size of the program, and of the files that its first arguments name."""
    if config.transport != "stdio" or config.trouble:
        return ()
    try:
        filled = filled_in(config, environment)
    except ConfigRefused:
        return ()
    folders = filled.env.get("PATH", environment.get("PATH", os.defpath)).split(os.pathsep)
    is_path = os.sep in filled.command
    places = [filled.command] if is_path else [os.path.join(at, filled.command) for at in folders]
    program = next((found for found in map(_age_and_size, places) if found), None)
    paths = [one for one in filled.args if os.sep in one][:MOST_FILES_OF_A_PROGRAM]
    return (program, *(_age_and_size(os.path.join(filled.cwd, one)) for one in paths))


def _age_and_size(path: str) -> tuple[int, int] | None:
    """Of a file; None where there is none, as for what changes all the time: a folder."""
    from stat import S_ISREG

    try:
        found = os.stat(path)
    except (OSError, ValueError):
        return None
    return (found.st_mtime_ns, found.st_size) if S_ISREG(found.st_mode) else None
