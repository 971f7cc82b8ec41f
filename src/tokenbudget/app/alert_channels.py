"""Channels put together: where an address is kept, and what delivers to it.

An address that was typed goes to the keyring of the desktop, or else into a file of its own that
nobody else may read. From there it is read by whoever sends, and by nobody else.
"""

from __future__ import annotations

import os
from typing import NamedTuple

from tokenbudget.alerts.channels import (
    DesktopChannel,
    RemoteChannel,
    TerminalChannel,
    desktop_program,
    run_command,
)
from tokenbudget.alerts.delivery import BELL, DESKTOP, EMAIL, REMOTE_KINDS, Delivery
from tokenbudget.alerts.secret import MASK, SecretSources, is_reference, shown_url
from tokenbudget.app.alert_rules import ChannelSpec
from tokenbudget.model.errors import BadConfig, BadRequest
from tokenbudget.system.atomic import write_atomic

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from types import ModuleType

    from tokenbudget.alerts.delivery import Channel
    from tokenbudget.alerts.store import OutboxEntry
    from tokenbudget.app.alert_rules import RuleBook

SECRETS = "secrets"
KEYRING_SERVICE = "tokens-alerts"

BELL_WAIT_MS = 10 * 60_000
"""So long a bell waits for a monitor to ring it; who looks later sees it in the list anyway."""
UNWATCHED = "nobody was watching: the bell rings in tokens monitor"

_NOT_IN_MAIL = " ,;<>\"'/\\?&"


class UnwatchedBell:
    """The bell where there is no terminal, or where it is too late to ring it."""

    def deliver(self, entry: OutboxEntry) -> Delivery:
        """Give it up, and say why."""
        return Delivery(False, UNWATCHED)


class Prompt:
    """The bell of a terminal, for what is young enough to be worth ringing."""

    def __init__(self, ring: Callable[[str], object], now_ms: int) -> None:
        self._bell = TerminalChannel(ring)
        self._now_ms = now_ms

    def deliver(self, entry: OutboxEntry) -> Delivery:
        """Ring it, unless it has waited for too long."""
        if is_stale_bell(entry, self._now_ms):
            return UnwatchedBell().deliver(entry)
        return self._bell.deliver(entry)


def is_stale_bell(entry: OutboxEntry, now_ms: int) -> bool:
    """Whether a bell has waited for a monitor in vain."""
    return now_ms - entry.made_at_ms > BELL_WAIT_MS


def channels_of(
    specs: Sequence[ChannelSpec],
    environment: Mapping[str, str],
    ring: Callable[[str], object] | None = None,
    now_ms: int = 0,
) -> dict[str, Channel]:
    """What delivers to each of these; `ring` writes to a terminal, if there is one."""
    secrets = SecretSources(environment)
    made: dict[str, Channel] = {}
    for spec in specs:
        if spec.kind == BELL:
            made[spec.name] = UnwatchedBell() if ring is None else Prompt(ring, now_ms)
        elif spec.kind == DESKTOP:
            made[spec.name] = DesktopChannel(_program(environment), run_command)
        else:
            made[spec.name] = RemoteChannel(spec.kind, spec.target, secrets)
    return made


def shown_channel(spec: ChannelSpec, environment: Mapping[str, str]) -> str:
    """Where a channel leads, as it may be shown: never more than `secret.shown_url` tells."""
    if spec.kind not in REMOTE_KINDS:
        return ""
    try:
        url = SecretSources(environment).resolve(spec.target)
    except BadConfig as reason:
        return f"{shown_url(spec.target)}: {reason}"
    shown = MASK if is_reference(url) else shown_url(url)
    return f"{shown} in {shown_url(spec.target)}"


# ── from what was typed to a place where it is kept ──────────────────────────────────────────────


class Given(NamedTuple):
    """A channel as it was asked for on the command line."""

    kind: str
    text: str = ""
    """A reference, a URL, or for mail an address."""


def checked(given: Given) -> Given:
    """The channel, its text a reference or a URL that can be sent to.

    Raises:
        BadConfig: it is none of this kind, or the package that sends is missing. Nothing of the
            URL is in the message but what may be shown.
    """
    if given.kind not in REMOTE_KINDS or is_reference(given.text):
        return given
    url = given.text.strip()
    if given.kind == EMAIL and "://" not in url:
        url = _local_mail(url)
    from tokenbudget.alerts import remote

    try:
        remote.plugin_for(given.kind, url)
    except BadConfig:
        raise
    except Exception as failure:  # noqa: BLE001  its words may hold the address
        kind = type(failure).__name__
        raise BadConfig(f"{shown_url(url)} is no address to send to ({kind})") from None
    return given._replace(text=url)


def with_channel(
    book: RuleBook,
    given: Given,
    free: set[str],
    data_dir: str,
    environment: Mapping[str, str],
) -> tuple[RuleBook, ChannelSpec]:
    """The book with such a channel in it, and that channel; its address is kept from here on.

    One that leads there already is used again.

    Args:
        book: The channels that there are.
        given: What was asked for.
        free: Names of channels in the book that nobody needs any more.
        data_dir: For the address, where no keyring takes it.
        environment: To compare it with what is there.

    Raises:
        OSError: the address cannot be kept.
    """
    mine = [spec for spec in book.channels if spec.kind == given.kind]
    for spec in mine:
        if given.kind not in REMOTE_KINDS or _is_same(spec, given.text, environment):
            return book, spec
    name = _free_name(given.kind, {spec.name for spec in book.channels} - free)
    spec = ChannelSpec(name, given.kind, _kept(given, name, data_dir))
    others = tuple(one for one in book.channels if one.name != name)
    return book._replace(channels=(*others, spec)), spec


def forget(specs: Sequence[ChannelSpec], data_dir: str) -> None:
    """Remove the addresses that we kept for these; those that a person keeps stay."""
    for spec in specs:
        kind, _, place = spec.target.partition(":")
        if kind == "file" and os.path.dirname(place) == os.path.join(data_dir, SECRETS):
            _unlink(place)
        elif kind == "keyring" and place.partition("/")[0] == KEYRING_SERVICE:
            _forget_in_keyring(place.partition("/")[2])


def _is_same(spec: ChannelSpec, text: str, environment: Mapping[str, str]) -> bool:
    if spec.target == text:
        return True
    if is_reference(text):
        return False
    try:
        return SecretSources(environment).resolve(spec.target) == text
    except BadConfig:
        return False


def _free_name(kind: str, used: set[str]) -> str:
    names = (kind if number == 1 else f"{kind}-{number}" for number in range(1, len(used) + 2))
    return next(name for name in names if name not in used)


def _kept(given: Given, name: str, data_dir: str) -> str:
    """The reference under which a channel's address can be read from now on."""
    if given.kind not in REMOTE_KINDS:
        return ""
    if is_reference(given.text):
        return _absolute(given.text)
    keyring = _keyring()
    if keyring is not None:
        entry = f"{name}-{_fingerprint(data_dir)}"
        try:
            keyring.set_password(KEYRING_SERVICE, entry, given.text)
            if keyring.get_password(KEYRING_SERVICE, entry) == given.text:
                return f"keyring:{KEYRING_SERVICE}/{entry}"
        except Exception:  # noqa: BLE001  no keyring runs here; a backend may raise anything
            pass
    folder = os.path.join(data_dir, SECRETS)
    os.makedirs(folder, mode=0o700, exist_ok=True)
    os.chmod(folder, 0o700)
    path = os.path.join(folder, name)
    write_atomic(path, given.text.encode() + b"\n")
    return f"file:{path}"


def _absolute(reference: str) -> str:
    """A file's reference as it can be read from any folder."""
    kind, _, place = reference.partition(":")
    if kind != "file":
        return reference
    return f"file:{os.path.abspath(os.path.expanduser(place))}"


def _local_mail(address: str) -> str:
    """A URL that hands a mail to the mail server of this machine."""
    from urllib.parse import quote

    name, _, host = address.partition("@")
    if not name or not host or "@" in host or any(char in address for char in _NOT_IN_MAIL):
        raise BadRequest(
            "--email takes one address such as me@example.com, or a URL such as"
            " mailtos://user:password@example.com?to=me@example.com"
        )
    where = quote(address, safe="@")
    return f"mailto://localhost:25/?from={where}&to={where}"


def _program(environment: Mapping[str, str]) -> str | None:
    import shutil

    path = environment.get("PATH") or os.defpath
    return desktop_program(lambda name: shutil.which(name, path=path))


def _keyring() -> ModuleType | None:
    from importlib import import_module

    try:
        return import_module("keyring")
    except ImportError:
        return None


def _forget_in_keyring(name: str) -> None:
    keyring = _keyring()
    if keyring is None:
        return
    try:
        keyring.delete_password(KEYRING_SERVICE, name)
    except Exception:  # noqa: BLE001  gone already, or no keyring runs here
        return


def _unlink(path: str) -> None:
    try:
        os.unlink(path)
    except FileNotFoundError:
        return


def _fingerprint(text: str) -> str:
    """Tells two homes of the product apart in one keyring."""
    from hashlib import blake2b

    return blake2b(text.encode("utf-8", "surrogateescape"), digest_size=4).hexdigest()
