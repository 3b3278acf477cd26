"""
How a portal's messages reach people, late, doubled or out of order on request.

A text message is posted to a gateway's webhook. A mail is posted to a mail-routing service's, put into a Maildir, or both.
"""

from __future__ import annotations

import asyncio
import logging
import mailbox
import time
import uuid
from collections import deque
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import EmailMessage
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import aiohttp

logger = logging.getLogger(__name__)

TRY_SECONDS = 60  # how long a message is offered to a gateway that does not take it


@dataclass(frozen=True, slots=True)
class Text:
    """A text message."""

    sender: str
    receiver: str
    text: str

    def posted(self, number: str, received: datetime) -> dict[str, Any]:
        """Return the body with which a gateway passes it on."""
        payload = {
            "id": number,
            "text": self.text,
            "from": {"phone_number": self.sender},
            "to": [{"phone_number": self.receiver}],
            "received_at": received.isoformat(),
        }
        return {"data": {"payload": payload}}


@dataclass(frozen=True, slots=True)
class Mail:
    """A mail. text: "" where there is HTML only; html: "" without any. dated: seconds that its Date is older than its arrival."""

    sender: str
    receiver: str
    subject: str
    text: str = ""
    html: str = ""
    dated: float = 0.0

    def posted(self, number: str, received: datetime) -> dict[str, Any]:
        """Return the body with which a mail-routing service passes it on."""
        said = {"id": number, "from": self.sender, "to": self.receiver, "subject": self.subject, "text": self.text}
        return said | ({"html": self.html} if self.html else {}) | {"received_at": received.isoformat()}

    def mime(self, number: str, received: datetime) -> mailbox.MaildirMessage:
        """Return the message as a mail server stores it, new and unread."""
        message = EmailMessage()
        message["From"], message["To"], message["Subject"] = self.sender, self.receiver, self.subject
        message["Date"] = format_datetime(datetime.fromtimestamp(received.timestamp() - self.dated, UTC))
        message["Message-ID"] = f"<{number}@{self.sender.rpartition('@')[2]}>"
        if self.text:
            message.set_content(self.text)
        if self.html and self.text:
            message.add_alternative(self.html, subtype="html")
        elif self.html:
            message.set_content(self.html, subtype="html")
        stored = mailbox.MaildirMessage(message)
        stored.set_date(received.timestamp())  # what IMAP servers call the internal date
        return stored


class Gateway:
    """
    Delivers messages and never holds a page up.

    url, mail_url: where text messages and mails are posted, or ""; token: what both carry. `sent` names the messages of
    the past, without their text.
    """

    def __init__(self, url: str, token: str, mail_url: str = "") -> None:
        self.url, self.mail_url = url, mail_url
        self._token = token
        self._tasks: set[asyncio.Task[bool]] = set()
        self._session: aiohttp.ClientSession | None = None
        self.sent: deque[dict[str, Any]] = deque(maxlen=2000)

    def send(self, url: str, sender: str, receiver: str, text: str, **how: Any) -> asyncio.Task[bool]:
        """
        Start to deliver a text message and return the task; its result is whether the gateway took it.

        url: another address than the gateway's own, or "". how: `after` seconds to wait first, `age` seconds that the
        message is older than now, `number` to give it the id of another one, `before` a task that must end first.
        """
        return self._start(self._deliver(Text(sender, receiver, text), url or self.url, "", **how))

    def mail(self, url: str, folder: str, mail: Mail, **how: Any) -> asyncio.Task[bool]:
        """
        Start to deliver a mail and return the task; its result is whether every destination took it.

        folder: a Maildir, made where there is none; `{mailbox}` in its path stands for the receiver; "" for none. url
        and how: as for `send`.
        """
        return self._start(self._deliver(mail, url or self.mail_url, folder, **how))

    def _start(self, delivery: Any) -> asyncio.Task[bool]:
        task: asyncio.Task[bool] = asyncio.create_task(delivery)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _deliver(
        self,
        message: Text | Mail,
        url: str,
        folder: str,
        after: float = 0.0,
        age: float = 0.0,
        number: str = "",
        before: asyncio.Task[bool] | None = None,
    ) -> bool:
        if before is not None:
            await asyncio.wait([before])
        await asyncio.sleep(after)
        number = number or uuid.uuid4().hex
        sender, receiver = message.sender, message.receiver
        record = {"number": number, "sender": sender, "receiver": receiver, "time": time.time(), "taken": False}
        self.sent.append(record)
        received = datetime.fromtimestamp(time.time() - age, UTC)
        if folder and isinstance(message, Mail):
            path = Path(folder.replace("{mailbox}", receiver))
            await asyncio.to_thread(_put, path, message.mime(number, received))
        elif not url:
            return False
        record["taken"] = not url or await self._post(url, number, message.posted(number, received))
        return bool(record["taken"])

    async def _post(self, url: str, number: str, body: dict[str, Any]) -> bool:
        """Offer a message until it is taken, for a minute at most."""
        self._session = self._session or aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=10))
        deadline = time.monotonic() + TRY_SECONDS
        wait = 0.1
        headers = {"Authorization": f"Bearer {self._token}"}
        while True:
            said = ""
            try:
                async with self._session.post(url, json=body, headers=headers) as answer:
                    if answer.status < 300:
                        return True
                    said = f"status {answer.status}"
            except (aiohttp.ClientError, TimeoutError) as error:
                said = type(error).__name__
            if time.monotonic() + wait > deadline:
                logger.warning("The gateway did not take message %s: %s", number, said)
                return False
            await asyncio.sleep(wait)
            wait = min(wait * 2, 2.0)

    async def close(self) -> None:
        """Give up what is under way."""
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._session is not None:
            await self._session.close()


def _put(folder: Path, message: mailbox.MaildirMessage) -> None:
    """Deliver into a Maildir as a mail server does: whole, into `new`."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    mailbox.Maildir(folder, create=True).add(message)
