"""Mails to users, by SMTP."""

from __future__ import annotations

import smtplib
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from email.message import EmailMessage
from email.utils import formatdate, make_msgid

from jobs.settings import MailSettings

WAIT = 10.0  # seconds for each answer of the server


class MailNotSent(Exception):
    """The server was not reached, or did not take a mail. The text is one sentence without addresses."""


class MailRefused(MailNotSent):
    """The server answers, and does not take this mail; it may take others."""


def is_set_up(settings: MailSettings) -> bool:
    """Tell whether there is a server and a sender."""
    return bool(settings.smtp_address and settings.email_address)


def send_mail(settings: MailSettings, to: str, subject: str, text: str) -> None:
    """Send a plain mail; raise MailNotSent."""
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = settings.email_address, to, subject
    message["Date"], message["Message-ID"] = formatdate(), make_msgid(domain="latchkey.invalid")
    message["Auto-Submitted"] = "auto-generated"  # RFC 3834: nothing answers it by itself
    message.set_content(text)
    try:
        with _connected(settings) as server:
            server.send_message(message)
    # UnicodeError: a password or an address with letters that the server does not take.
    except (OSError, smtplib.SMTPException, UnicodeError) as error:
        is_refused = isinstance(error, smtplib.SMTPRecipientsRefused | smtplib.SMTPDataError)
        # Its own text may repeat the address.
        raise (MailRefused if is_refused else MailNotSent)(
            f"The mail server did not take a mail ({type(error).__name__})."
        ) from None


@contextmanager
def _connected(settings: MailSettings) -> Iterator[smtplib.SMTP]:
    host, port = settings.smtp_address, settings.smtp_port
    made: smtplib.SMTP
    if settings.smtp_security == "tls":
        made = smtplib.SMTP_SSL(host, port, timeout=WAIT, context=ssl.create_default_context())
    else:
        made = smtplib.SMTP(host, port, timeout=WAIT)
    with made as server:
        if settings.smtp_security == "starttls":
            server.starttls(context=ssl.create_default_context())
        if password := settings.email_password.get_secret_value():
            server.login(settings.email_address, password)
        yield server
