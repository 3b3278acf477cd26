"""Sending codes and notices to users: mail by SMTP, text messages by Twilio's REST API."""

from __future__ import annotations

import json
import logging
from base64 import b64encode
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from http.client import HTTPException as BrokenAnswer
from urllib.error import HTTPError
from urllib.parse import quote, urlencode
from urllib.request import Request, urlopen

from database.engine import DatabaseAway
from jobs.mail import MailNotSent, is_set_up, send_mail
from jobs.settings import MailSettings
from webhook.settings import PriceWatchSettings

logger = logging.getLogger(__name__)
WAIT = 10.0  # seconds for Twilio's answer


class NotSent(Exception):
    """A text message was not taken. The text is one sentence without numbers."""


class Sender:
    """Sends now, or after the request: how long an answer takes then says nothing of the user."""

    def __init__(self, settings: PriceWatchSettings, mail: MailSettings, twilio_token: str) -> None:
        self.settings, self.mail, self._token = settings, mail, twilio_token
        self._later = ThreadPoolExecutor(2, thread_name_prefix="send to users")
        self._begun: set[Future[None]] = set()

    def missing(self, channel: str) -> str | None:
        """Return a sentence that names what is not set for `email` or `sms`; None when all is."""
        if channel == "email":
            return (
                None if is_set_up(self.mail) else "Mail is not set up: LATCHKEY_SMTP_ADDRESS, LATCHKEY_EMAIL_ADDRESS."
            )
        source = self.settings.twilio_messaging_service_sid or self.settings.twilio_from_number
        if self.settings.twilio_account_sid and self._token and source:
            return None
        return "Text messages are not set up: LATCHKEY_TWILIO_ACCOUNT_SID, its token, a number or a messaging service."

    def send(self, channel: str, to: str, subject: str, text: str) -> None:
        """Send a message by `email` or `sms`; raise MailNotSent or NotSent."""
        if channel == "email":
            send_mail(self.mail, to, subject, text)
        else:
            self._send_sms(to, text)

    def later(self, work: Callable[[], None]) -> None:
        """Do what looks up a user and sends, after the request; a failure is logged."""
        begun = self._later.submit(_logged, work)
        self._begun.add(begun)
        begun.add_done_callback(self._begun.discard)

    def flush(self) -> None:
        """Wait until all that was begun has ended."""
        wait(set(self._begun))

    def _send_sms(self, to: str, text: str) -> None:
        settings = self.settings
        form = {"To": to, "Body": text}
        if settings.twilio_messaging_service_sid:
            form["MessagingServiceSid"] = settings.twilio_messaging_service_sid
        else:
            form["From"] = settings.twilio_from_number
        account = quote(settings.twilio_account_sid, safe="")
        url = f"{settings.twilio_url.rstrip('/')}/2010-04-01/Accounts/{account}/Messages.json"
        keys = b64encode(f"{settings.twilio_account_sid}:{self._token}".encode()).decode()
        request = Request(url, urlencode(form).encode(), {"Authorization": f"Basic {keys}"})
        try:
            with urlopen(request, timeout=WAIT) as answer:
                answer.read()
        except HTTPError as error:
            raise NotSent(f"Twilio refused a text message with status {error.code}{_reason(error)}.") from None
        except (OSError, BrokenAnswer) as error:
            raise NotSent(f"Twilio was not reached ({type(error).__name__}).") from None


def _reason(error: HTTPError) -> str:
    """Return Twilio's number of an error; its text repeats the phone number."""
    try:
        code = json.loads(error.read(10_000)).get("code")
    except (ValueError, AttributeError, OSError):
        return ""
    return f", error {code}" if isinstance(code, int) else ""


def _logged(work: Callable[[], None]) -> None:
    try:
        work()
    except (MailNotSent, NotSent, DatabaseAway) as error:
        logger.error("A user was not sent a message: %s", error)
