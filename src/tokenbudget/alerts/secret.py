"""Where a channel's secret is kept, how it is read when it is needed, and how it is never shown."""

from __future__ import annotations

import os
import re
import stat

from tokenbudget.alerts.inert import one_line
from tokenbudget.model.errors import BadConfig

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

MASK = "***"

LONGEST_BYTES = 16_384

_KINDS = ("env", "file", "keyring")
_HOST = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?(?::[0-9]{1,5})?\Z")
# Elsewhere what stands in the place of the host may be the secret: slack://TOKEN/…, ntfy://TOPIC.
_WITH_HOST = frozenset(
    ("http", "https", "json", "jsons", "xml", "xmls", "form", "forms", "mailto", "mailtos")
)


def is_reference(text: str) -> bool:
    """Whether a text says where a secret is kept, instead of being one."""
    return text.partition(":")[0] in _KINDS and "://" not in text


def shown_url(url: str) -> str:
    """A URL as it may be shown: its scheme, and its host where that cannot be the secret."""
    if is_reference(url):
        return one_line(url)
    scheme, mark, rest = url.strip().partition("://")
    if not mark or not re.fullmatch(r"[A-Za-z][A-Za-z0-9+.-]{0,20}", scheme):
        return MASK
    place = re.split(r"[/?#]", rest, maxsplit=1)[0]
    elsewhere = rest[len(place) :]
    user, at, host = place.rpartition("@")
    # A password with a slash or a question mark in it would pass for what follows the host.
    is_split = "@" in (elsewhere.partition("?")[0] if at else elsewhere)
    if scheme.lower() not in _WITH_HOST or "@" in user or is_split:
        return f"{scheme}://{MASK}"
    if not _HOST.match(host):
        return f"{scheme}://{MASK}"
    return f"{scheme}://{f'{MASK}@' if at else ''}{host}/{MASK}"


class SecretSources:
    """The places where a secret may be kept.

    Args:
        environment: For `env:NAME`.
    """

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment

    def resolve(self, target: str) -> str:
        """The secret behind a reference, now; a target that is none is given back.

        Raises:
            BadConfig: it is not there, or others can read it. The secret is not in the message.
        """
        if not is_reference(target):
            return target
        kind, _, place = target.partition(":")
        found = {"env": self._from_environment, "file": _from_file, "keyring": _from_keyring}[kind](
            place
        ).strip()
        if not found or "\n" in found or "\r" in found:
            raise BadConfig(f"{one_line(target)} does not hold one line; write the URL there")
        return found

    def _from_environment(self, name: str) -> str:
        found = self._environment.get(name)
        if found is None:
            raise BadConfig(f"the variable {one_line(name)} of an alert's channel is not set")
        return found


def _from_file(path: str) -> str:
    shown = one_line(path)
    try:
        handle = os.open(os.path.expanduser(path), os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except (OSError, ValueError) as missing:
        raise BadConfig(
            f"the secret of an alert's channel cannot be read from {shown}; it must be a plain file"
        ) from missing
    try:
        about = os.fstat(handle)
        if not stat.S_ISREG(about.st_mode):
            raise BadConfig(f"{shown} is not a plain file; a secret cannot be read from it")
        if about.st_uid != os.geteuid() or stat.S_IMODE(about.st_mode) & 0o177:
            raise BadConfig(f"others may read {shown}; make it yours alone: chmod 600 {shown}")
        return os.read(handle, LONGEST_BYTES).decode("utf-8", "replace")
    finally:
        os.close(handle)


def _from_keyring(place: str) -> str:
    service, _, name = place.partition("/")
    shown = f"{one_line(service)}/{one_line(name)}"
    from importlib import import_module

    try:
        keyring = import_module("keyring")
    except ImportError as missing:
        raise BadConfig(
            "keyring: needs the package keyring; install it, or use env:NAME or file:PATH"
        ) from missing
    try:
        found = keyring.get_password(service, name)
    except Exception:  # noqa: BLE001  a backend may raise anything, with anything in its text
        found = None
    if found is None:
        raise BadConfig(f"the keyring gives nothing for {shown}; store it: keyring set {shown}")
    return str(found)
