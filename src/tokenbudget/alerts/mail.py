"""Mail to the server that a `mailto(s)://` URL names.

apprise reads the URL and knows the servers of the large providers; the message is built here,
because a message that is sent again must have the Message-ID of the first.
"""

from __future__ import annotations

from tokenbudget.alerts import inert
from tokenbudget.alerts.delivery import TIMEOUT_SECONDS, Delivery

TYPE_CHECKING = False
if TYPE_CHECKING:
    from email.message import EmailMessage
    from smtplib import SMTP
    from typing import Any

    from tokenbudget.alerts.store import OutboxEntry


def send_mail(plugin: Any, entry: OutboxEntry) -> Delivery:
    """Send one mail to everybody that the URL names."""
    import smtplib

    sender = str(plugin.from_addr[1])
    receivers = [str(address) for _, address in plugin.targets]
    everybody = [*receivers, *sorted(plugin.cc), *sorted(plugin.bcc)]
    if not everybody:
        return Delivery(False, "the mail's URL names no receiver; add ?to=me@example.com")
    try:
        with _connected(plugin) as server:
            refused = server.send_message(message_of(plugin, entry), sender, everybody)
    except smtplib.SMTPRecipientsRefused as refusal:
        codes = [code for code, _ in refusal.recipients.values()]
        return _answered(min(codes, default=550))
    except smtplib.SMTPResponseException as answer:
        return _answered(answer.smtp_code)
    except (OSError, smtplib.SMTPException) as failure:
        kind = "no answer in time" if isinstance(failure, TimeoutError) else "no connection"
        return Delivery(False, f"{kind} ({type(failure).__name__})", is_retryable=True)
    if refused:  # trying again would reach the others twice
        return Delivery(False, f"refused for {len(refused)} of {len(everybody)} receivers")
    return Delivery(True, "delivered")


def message_of(plugin: Any, entry: OutboxEntry) -> EmailMessage:
    """The mail; its Message-ID depends on nothing but the entry's key and the sender."""
    from datetime import UTC, datetime
    from email.message import EmailMessage
    from email.utils import format_datetime, formataddr

    name, sender = plugin.from_addr
    message = EmailMessage()
    message["From"] = formataddr((inert.mail_header(str(name or "tokens")), str(sender)))
    message["To"] = ", ".join(str(address) for _, address in plugin.targets)
    if plugin.cc:
        message["Cc"] = ", ".join(sorted(plugin.cc))
    if plugin.reply_to:
        message["Reply-To"] = ", ".join(sorted(plugin.reply_to))
    message["Subject"] = inert.mail_header(f"[tokens] {entry.title}")
    message["Date"] = format_datetime(datetime.fromtimestamp(entry.made_at_ms / 1000, UTC))
    message["Message-ID"] = f"<{entry.key}.tokens@{sender.rpartition('@')[2] or 'localhost'}>"
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(f"{inert.one_line(entry.title)}\n\n{inert.lines(entry.body)}\n")
    return message


def _connected(plugin: Any) -> SMTP:
    """A connection, secured and logged in as the URL says."""
    import smtplib
    import ssl

    host, port = str(plugin.smtp_host), int(plugin.port)
    context = ssl.create_default_context()
    if not plugin.verify_certificate:
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    server: SMTP
    if plugin.secure_mode == "ssl":
        server = smtplib.SMTP_SSL(host, port, timeout=TIMEOUT_SECONDS, context=context)
    else:
        server = smtplib.SMTP(host, port, timeout=TIMEOUT_SECONDS)
    try:
        if plugin.secure_mode == "starttls":
            server.starttls(context=context)
        if plugin.user and plugin.password:
            server.login(str(plugin.user), str(plugin.password))
    except BaseException:
        server.close()
        raise
    return server


def _answered(code: int) -> Delivery:
    """By RFC 5321 a 4xx is for now and a 5xx for good."""
    return Delivery(False, f"the mail server answered {code}", is_retryable=400 <= code < 500)
