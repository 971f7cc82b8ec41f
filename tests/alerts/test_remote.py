from __future__ import annotations

import contextlib
import io
import json
import logging
import threading
from collections.abc import Iterator
from importlib import import_module

import pytest
from tests.alerts.builders import entry
from tests.alerts.receivers import (
    CANARY,
    DISCORD_URL,
    HANGS,
    REDIRECTS,
    SLACK_URL,
    closed_port,
    dripping_receiver,
    mail_receiver,
    web_receiver,
)
from tests.alerts.test_inert import HOSTILE

from tokenbudget.alerts import channels, mail, remote
from tokenbudget.alerts.channels import RemoteChannel
from tokenbudget.alerts.delivery import TIMEOUT_SECONDS, Delivery
from tokenbudget.alerts.secret import SecretSources
from tokenbudget.alerts.store import OutboxEntry
from tokenbudget.model.errors import BadConfig

# Deprecations inside apprise and requests are theirs to repair.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


@pytest.fixture
def everything_logged() -> Iterator[io.StringIO]:
    """Whatever any logger says at any level."""
    said = io.StringIO()
    handler = logging.StreamHandler(said)
    root = logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(1)
    with contextlib.redirect_stderr(said), contextlib.redirect_stdout(said):
        yield said
    root.removeHandler(handler)
    root.setLevel(level)


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(channels, "ATTEMPT_SECONDS", 0.4)
    for module in (remote, mail):
        monkeypatch.setattr(module, "TIMEOUT_SECONDS", 0.3)


def slack() -> object:
    return import_module("apprise.plugins.slack").NotifySlack


def discord() -> object:
    return import_module("apprise.plugins.discord").NotifyDiscord


def delivered(kind: str, url: str, message: OutboxEntry | None = None) -> Delivery:
    channel = RemoteChannel(kind, "env:TARGET", SecretSources({"TARGET": url}))
    return channel.deliver(message or entry())


def test_slack_gets_its_own_format(monkeypatch: pytest.MonkeyPatch) -> None:
    with web_receiver(200) as receiver:
        monkeypatch.setattr(slack(), "webhook_url", f"http://{receiver.address}/services")
        assert delivered("slack", SLACK_URL) == Delivery(True, "delivered")
        assert delivered("slack", SLACK_URL, entry(title=HOSTILE, body=HOSTILE)).is_ok
    plain, hostile = receiver.requests
    assert plain.path == f"/services/T1JJ3T3L2/A1BRTD4JD/{CANARY}"
    [attachment] = json.loads(plain.body)["attachments"]
    assert attachment["title"] == entry().title
    assert "Delegate searches" in attachment["text"]
    text = json.dumps(json.loads(hostile.body), ensure_ascii=False)
    assert not any(mark in text for mark in ("<!", "@everyone", "<@", "://evil", "\\u001b"))


def test_discord_gets_its_own_format(monkeypatch: pytest.MonkeyPatch) -> None:
    with web_receiver(204) as receiver:
        monkeypatch.setattr(discord(), "notify_url", f"http://{receiver.address}/hooks")
        assert delivered("discord", DISCORD_URL) == Delivery(True, "delivered")
        assert delivered("discord", DISCORD_URL, entry(title=HOSTILE, body=HOSTILE)).is_ok
    plain, hostile = (json.dumps(json.loads(r.body), ensure_ascii=False) for r in receiver.requests)
    assert "context window at 81%" in plain
    assert not any(mark in hostile for mark in ("@everyone", "<@", "://evil", "](", "\\u001b"))


def test_a_webhook_gets_a_key_that_stays_the_same() -> None:
    with web_receiver(200) as receiver:
        url = f"json://{receiver.address}/{CANARY}"
        for _ in range(2):
            assert delivered("url", url).is_ok
    first, again = receiver.requests
    assert first.headers["Idempotency-Key"] == again.headers["Idempotency-Key"] == entry().key
    assert json.loads(first.body)["dedupe_key"] == entry().key
    assert json.loads(first.body)["title"] == entry().title


@pytest.mark.parametrize(
    ("code", "is_retryable"), [(500, True), (503, True), (429, True), (403, False), (404, False)]
)
def test_a_refusal_is_told_by_its_number(code: int, is_retryable: bool) -> None:
    with web_receiver(code) as receiver:
        delivery = delivered("url", f"json://{receiver.address}/{CANARY}")
    assert delivery == Delivery(False, f"answered {code}", is_retryable)
    assert len(receiver.requests) == 1


def test_a_redirect_is_not_followed() -> None:
    with web_receiver(REDIRECTS) as receiver:
        assert not delivered("url", f"json://{receiver.address}/here").is_ok
    assert [r.path for r in receiver.requests] == ["/here"]


@pytest.mark.usefixtures("impatient")
def test_a_receiver_that_hangs_is_left() -> None:
    with web_receiver(HANGS) as receiver:
        delivery = delivered("url", f"json://{receiver.address}/x")
    assert delivery == Delivery(False, "no answer", True)


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize(
    ("kind", "url", "begin"),
    [
        ("url", "json://127.0.0.1:{}/x", b"HTTP/1.1 200 OK\r\nX-Long: "),
        ("url", "json://127.0.0.1:{}/x", b"HTTP/1.1 200 OK\r\nContent-Length: 99999\r\n\r\n"),
        ("email", "mailto://127.0.0.1:{}/?from=a@example.com&to=me@example.com", b"220-"),
    ],
)
def test_a_receiver_that_drips_for_ever_is_left_and_keeps_no_process_alive(
    kind: str, url: str, begin: bytes
) -> None:
    with dripping_receiver(begin) as port:
        assert delivered(kind, url.format(port)) == Delivery(False, "no answer in time", True)
        still = [t for t in threading.enumerate() if t is not threading.main_thread()]
        assert still
        assert all(thread.daemon for thread in still), "an end of the process waits for others"


@pytest.mark.parametrize(
    "host",
    ["169.254.169.254", "[fe80::1]", "metadata.google.internal", "0.0.0.0", "100.100.100.200"],
)
def test_no_message_goes_to_a_metadata_service(host: str) -> None:
    delivery = delivered("url", f"json://{host}/latest")
    assert (delivery.is_ok, delivery.is_retryable) == (False, False)
    assert "is not sent to" in delivery.detail


@pytest.mark.parametrize(
    ("kind", "url"),
    [
        ("slack", f"https://evil.example/{CANARY}"),
        ("slack", f"https://hooks.slack.com.evil.example/services/{CANARY}"),
        ("discord", f"https://evil.example/api/webhooks/{CANARY}"),
        ("email", f"json://example.com/{CANARY}"),
        ("url", f"nosuch://{CANARY}"),
        ("url", CANARY),
    ],
)
def test_an_address_of_another_kind_is_refused_unseen(kind: str, url: str) -> None:
    delivery = delivered(kind, url)
    assert (delivery.is_ok, delivery.is_retryable) == (False, False)
    assert CANARY not in delivery.detail
    with pytest.raises(BadConfig):
        remote.plugin_for(kind, url)


def test_a_mail_arrives_with_a_stable_message_id() -> None:
    with mail_receiver() as receiver:
        url = f"mailto://127.0.0.1:{receiver.port}?from=tokens@example.com&to=a@x.org,b@x.org"
        for _ in range(2):
            assert delivered("email", url) == Delivery(True, "delivered")
    first, again = receiver.messages
    assert first["Message-ID"] == again["Message-ID"] == f"<{entry().key}.tokens@example.com>"
    assert first["Date"] == again["Date"]
    assert first["Subject"] == f"[tokens] {entry().title}"
    assert "Delegate searches" in first.get_content()
    assert sorted(receiver.receivers[0]) == ["a@x.org", "b@x.org"]


def test_a_hostile_title_is_one_subject_and_no_other_header() -> None:
    with mail_receiver() as receiver:
        url = f"mailto://127.0.0.1:{receiver.port}?from=tokens@example.com&to=a@x.org"
        assert delivered("email", url, entry(title=HOSTILE, body=HOSTILE)).is_ok
    [message] = receiver.messages
    assert message["Bcc"] is None
    assert receiver.receivers == [["a@x.org"]]
    assert "\x1b" not in message.as_string()


@pytest.mark.parametrize(
    ("refusal", "is_retryable"), [("451 later", True), ("550 no such user", False)]
)
def test_a_mail_servers_refusal_is_for_now_or_for_good(refusal: str, is_retryable: bool) -> None:
    with mail_receiver(refusal) as receiver:
        url = f"mailto://127.0.0.1:{receiver.port}?from=tokens@example.com&to=a@x.org"
        delivery = delivered("email", url)
    assert delivery == Delivery(False, f"the mail server answered {refusal[:3]}", is_retryable)


@pytest.mark.usefixtures("impatient")
def test_nobody_there_is_worth_another_try() -> None:
    port = closed_port()
    mail_url = f"mailto://127.0.0.1:{port}?from=tokens@example.com&to=a@x.org"
    assert delivered("email", mail_url).is_retryable
    assert delivered("url", f"json://127.0.0.1:{port}/x") == Delivery(False, "no answer", True)


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("code", [200, 403, 429, 500, REDIRECTS, HANGS, None])
def test_the_secret_is_in_no_log_no_error_and_no_result(
    code: int | None, everything_logged: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    with web_receiver(code or 200) as receiver:
        address = receiver.address if code else f"127.0.0.1:{closed_port()}"
        monkeypatch.setattr(slack(), "webhook_url", f"http://{address}/services")
        monkeypatch.setattr(discord(), "notify_url", f"http://{address}/hooks")
        results = [
            delivered("slack", SLACK_URL),
            delivered("discord", DISCORD_URL),
            delivered("url", f"json://me:{CANARY}@{address}/{CANARY}?+X-Token={CANARY}"),
            delivered("url", f"jsons://me:{CANARY}@{address}/{CANARY}"),
        ]
    assert CANARY not in repr(results) + everything_logged.getvalue()


@pytest.mark.usefixtures("impatient")
def test_a_mail_password_is_in_no_log_and_no_result(everything_logged: io.StringIO) -> None:
    with mail_receiver() as receiver:
        place = f"127.0.0.1:{receiver.port}"
        result = delivered("email", f"mailto://me:{CANARY}@{place}?from=t@example.com&to=a@x.org")
    assert not result.is_ok, "this server knows no login"
    assert CANARY not in repr(result) + everything_logged.getvalue()


def test_an_error_with_the_secret_in_its_words_is_told_by_its_kind(
    monkeypatch: pytest.MonkeyPatch, everything_logged: io.StringIO
) -> None:
    def fails(*given: object) -> Delivery:
        raise RuntimeError(SLACK_URL) from ValueError(SLACK_URL)

    monkeypatch.setattr(remote, "send", fails)
    delivery = delivered("slack", SLACK_URL)
    assert delivery == Delivery(False, "slack failed (RuntimeError)", True)
    assert CANARY not in everything_logged.getvalue()


def test_the_time_out_is_ten_seconds_everywhere() -> None:
    for kind, url in (("slack", SLACK_URL), ("url", "json://127.0.0.1/?rto=900&cto=900")):
        plugin = remote.plugin_for(kind, url)
        limits = (plugin.socket_connect_timeout, plugin.socket_read_timeout)
        assert limits == (TIMEOUT_SECONDS, TIMEOUT_SECONDS)
        assert plugin.redirects is False
