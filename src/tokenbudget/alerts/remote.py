"""Deliver through apprise: mail with a stable Message-ID, webhooks with a key, chats as they speak.

Imported when something is to be sent; apprise and what it brings are loaded by the first call.
"""

from __future__ import annotations

import re
from functools import cache

from tokenbudget.alerts import inert
from tokenbudget.alerts.delivery import DISCORD, EMAIL, SLACK, TIMEOUT_SECONDS, Delivery
from tokenbudget.alerts.mail import send_mail
from tokenbudget.alerts.notices import RESOLVE
from tokenbudget.alerts.secret import shown_url
from tokenbudget.model.errors import BadConfig

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType
    from typing import Any

    from tokenbudget.alerts.store import OutboxEntry

MISSING = (
    "this channel needs the package apprise; install it with: pip install 'tokenbudget[alerts]'"
)

KEY_HEADER, KEY_FIELD = "Idempotency-Key", "dedupe_key"

_SCHEMES = {
    EMAIL: re.compile(r"mailtos?://", re.IGNORECASE),
    SLACK: re.compile(r"slack://|https://hooks\.slack(-gov)?\.com/", re.IGNORECASE),
    DISCORD: re.compile(
        r"discord://|https://(\w+\.)?discord(app)?\.com/api/webhooks/", re.IGNORECASE
    ),
}
_EXAMPLES = {
    EMAIL: "mailtos://user:password@example.com?to=me@example.com",
    SLACK: "https://hooks.slack.com/services/…",
    DISCORD: "https://discord.com/api/webhooks/…",
}
_METADATA_HOSTS = frozenset(("metadata.google.internal", "metadata.goog", "metadata"))
_METADATA_ADDRESSES = frozenset(("fd00:ec2::254", "100.100.100.200"))
_STATUS = re.compile(r"error=(\d{3})\b")
_WORTH_ANOTHER_TRY = frozenset((408, 425, 429))
_TYPES = {"info": "info", "warning": "warning", "critical": "failure", "emergency": "failure"}


def send(kind: str, url: str, entry: OutboxEntry) -> Delivery:
    """Send one message to a URL that apprise or the kind's own format knows.

    Raises:
        BadConfig: apprise is missing, or the URL is not one of this kind.
    """
    plugin = plugin_for(kind, url)
    if hasattr(plugin, "smtp_host"):
        return send_mail(plugin, entry)
    _refuse_forbidden_host(plugin)
    _mark(plugin, entry.key)
    text = _text(plugin, entry)
    service = _apprise().Apprise(asset=plugin.asset)
    service.add(plugin)
    result = service.notify(
        title=text[0], body=text[1], body_format="text", notify_type=_type(entry)
    )
    return _delivery(result)


def plugin_for(kind: str, url: str) -> Any:
    """The service of apprise behind a URL, with our limits set on it.

    Raises:
        BadConfig: see `send`.
    """
    fitting = _SCHEMES.get(kind)
    if fitting is not None and not fitting.match(url):
        raise BadConfig(f"{shown_url(url)} is no address for --{kind}; write {_EXAMPLES[kind]}")
    plugin = _apprise().Apprise.instantiate(url, asset=_asset(), suppress_exceptions=True)
    if plugin is None:
        raise BadConfig(f"apprise does not understand {shown_url(url)}; see docs/alerts.md")
    plugin.socket_connect_timeout = TIMEOUT_SECONDS
    plugin.socket_read_timeout = TIMEOUT_SECONDS
    plugin.request_rate_per_sec = 0  # our own rate limit is stricter than any that sleeps
    return plugin


@cache
def _apprise() -> ModuleType:
    import logging
    from importlib import import_module

    try:
        apprise = import_module("apprise")
    except ImportError as missing:
        raise BadConfig(MISSING) from missing
    # At their own word these log addresses; what apprise says is still caught in its result.
    quiet = logging.getLogger("apprise")
    quiet.addHandler(logging.NullHandler())
    quiet.propagate = False
    quiet.setLevel(logging.WARNING)
    for name in ("urllib3", "requests"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    return apprise


def _asset() -> Any:
    return _apprise().AppriseAsset(
        app_id="tokens",
        app_desc="token budget",
        app_url="",
        storage_mode="memory",
        http_redirects=False,  # a receiver must not send us elsewhere
        service_timeout=0,  # else apprise waits in threads that an end of the process waits for
    )


def _mark(plugin: Any, key: str) -> None:
    """The dedupe key, where a webhook has room for it (json://, xml://, form://)."""
    if isinstance(getattr(plugin, "payload_extras", None), dict):
        plugin.payload_extras[KEY_FIELD] = key
        plugin.headers[KEY_HEADER] = key


def _text(plugin: Any, entry: OutboxEntry) -> tuple[str, str]:
    if isinstance(getattr(plugin, "payload_extras", None), dict):
        return inert.one_line(entry.title), inert.lines(entry.body)
    if hasattr(plugin, "webhook_id"):  # Discord reads Markdown
        return inert.chat_markdown(entry.title), inert.chat_markdown(entry.body)
    return inert.chat(entry.title), inert.chat(entry.body)


def _type(entry: OutboxEntry) -> str:
    return "success" if entry.kind == RESOLVE else _TYPES[entry.level]


def _delivery(result: Any) -> Delivery:
    """What apprise's result means; of its text only the number of a status is taken."""
    if result:
        return Delivery(True, "delivered")
    said = " ".join(str(line.message) for one in result for line in one.logs())
    status = _STATUS.search(said)
    if status is None:
        return Delivery(False, "no answer", is_retryable=True)
    code = int(status[1])
    is_retryable = code >= 500 or code in _WORTH_ANOTHER_TRY
    return Delivery(False, f"answered {code}", is_retryable)


def _refuse_forbidden_host(plugin: Any) -> None:
    """No message goes to a cloud's metadata service or to a link-local address."""
    import socket
    from ipaddress import ip_address

    host = getattr(plugin, "host", None)
    if not isinstance(host, str) or not host:
        return
    host = host.strip("[]")
    if host.lower().rstrip(".") in _METADATA_HOSTS:
        raise BadConfig("an alert is not sent to a metadata service; use another address")
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return  # not a host's name in this service, or not to be had now: the attempt will tell
    for *_, place in found:
        address = ip_address(str(place[0]).partition("%")[0])
        mapped = getattr(address, "ipv4_mapped", None) or address
        is_forbidden = mapped.is_link_local or mapped.is_multicast or mapped.is_unspecified
        if is_forbidden or str(mapped) in _METADATA_ADDRESSES:
            raise BadConfig("an alert is not sent to a link-local address; use another one")
