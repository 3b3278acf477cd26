"""
Reads codes from an IMAP mailbox, read-only, while a sign-in waits for one.

Every matching mail is passed to the broker of codes, like one that came through the webhook, so it is used once even
when several processes read the same mailbox. IMAPClient returns dates and sizes as typed values before the fetch.
"""

from __future__ import annotations

import asyncio
import logging
import ssl
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from database.access.addresses import address, kind_of
from database.access.codes import STRANGER, accept
from database.engine import Database
from middlewares.settings import PORTS, Mailbox, mailbox_settings
from scrapers.core.redaction import redactor
from scrapers.reading.mail import Mail, UnreadableMail, parse

if TYPE_CHECKING:
    from imapclient import IMAPClient

logger = logging.getLogger(__name__)
T = TypeVar("T")

# IMAPClient logs the whole protocol at DEBUG, mails included.
logging.getLogger("imapclient").setLevel(logging.WARNING)
LARGEST = 2_000_000  # bytes; a mail with a code is small
A_SECOND = timedelta(seconds=1)  # the resolution of dates in mails
HEAD = "BODY.PEEK[HEADER.FIELDS (FROM)]"
WHOLE = "BODY.PEEK[]"


class MailboxProblem(Exception):
    """The mailbox cannot be read. The text is one sentence that names the setting and what to change."""


class MailboxRefused(MailboxProblem):
    """The server refuses the user: it is not asked again, because that may lock the mailbox."""


@dataclass(frozen=True, slots=True)
class Found:
    """One mail as the server has it."""

    key: str  # UIDVALIDITY and UID: identifies the mail permanently
    arrived: datetime
    mail: Mail


class MailboxReader:
    """A connection to one mailbox, read-only. Its methods block; only `abort` may be called from another thread."""

    def __init__(self, mailbox: Mailbox, wait: float) -> None:
        """wait: seconds to wait for each answer of the server."""
        self.mailbox = mailbox
        self._wait = wait
        self._client: IMAPClient | None = None
        self._validity = 0
        self._next = 0  # the lowest UID that was not read yet
        self.passed_over: Counter[str] = Counter()  # mails that were not taken, by kind of sender and reason
        self.renumbered = False  # UIDVALIDITY changed since `begin`: new mails are found by date alone

    def begin(self) -> int:
        """Connect and skip the mails that are there already; return their number. Raises MailboxProblem."""
        with self._problems():
            return self._open()

    def new(self, senders: Sequence[str]) -> list[Found]:
        """Return the mails of these senders (empty: any) that came since the last call. Raises MailboxProblem."""
        with self._problems():
            if self._client is None:
                self._open()
            assert self._client is not None
            self._client.noop()  # makes the server report new mails
            uids = [uid for uid in self._client.search(["UID", f"{self._next}:*"]) if uid >= self._next]
            heads = self._client.fetch(uids, ["RFC822.SIZE", HEAD])
            wanted = [uid for uid, head in sorted(heads.items()) if self._is_wanted(head, senders)]
            # The dates come with the mail: INTERNALDATE in UTC, to the second.
            mails = self._client.fetch(wanted, ["INTERNALDATE", WHOLE])
            # One may have been moved away between the two commands.
            read = [(uid, self._parsed(_body(mails[uid]))) for uid in wanted if uid in mails]
            self._next = max([self._next, *(uid + 1 for uid in uids)])
            return [
                Found(f"imap {self._validity} {uid}", mails[uid][b"INTERNALDATE"].astimezone(UTC), mail)
                for uid, mail in read
                if mail is not None
            ]

    def close(self) -> None:
        """Log out and close the connection, ignoring errors."""
        from imapclient.exceptions import IMAPClientError

        client, self._client = self._client, None
        if client is not None:
            with suppress(OSError, IMAPClientError, ValueError):
                client.logout()

    def abort(self) -> None:
        """Shut the connection down, so that a call that blocks in another thread fails."""
        client = self._client
        if client is not None:
            with suppress(OSError):
                client.socket().shutdown(2)

    def _open(self) -> int:
        from imapclient import IMAPClient
        from imapclient.exceptions import IMAPClientAbortError, IMAPClientError, LoginError

        box = self.mailbox
        context = ssl.create_default_context(cafile=str(box.ca_file) if box.ca_file else None)
        port = box.port or PORTS[box.security]
        client = IMAPClient(box.host, port=port, ssl=box.security == "tls", ssl_context=context, timeout=self._wait)
        self._client = client
        client.normalise_times = False  # the server's own zone, not ours
        if box.security == "starttls":
            client.starttls(context)
        password = box.password.get_secret_value()
        redactor.add(password)
        try:
            if (box.login + password).isascii():
                client.login(box.login, password)
            else:
                client.plain_login(box.login, password)
        except LoginError as error:
            if isinstance(error.__context__, IMAPClientAbortError):
                raise error.__context__ from None  # the connection broke before the login was answered
            raise MailboxRefused(
                f"The mail server {box.at} refuses the user or password: check {box.setting('user')} and {box.setting('password')}."
            ) from None
        try:
            selected = client.select_folder(box.folder, readonly=True)
        except IMAPClientAbortError:
            raise
        except IMAPClientError:
            raise MailboxRefused(
                f"The mail server {box.at} does not open the folder {box.folder}: check {box.setting('folder')}."
            ) from None
        validity = int(selected.get(b"UIDVALIDITY", 0))
        if not self._validity:
            following = selected.get(b"UIDNEXT")
            self._next = int(following) if following is not None else max(client.search(), default=0) + 1
        elif validity != self._validity:
            self._next, self.renumbered = 1, True
        self._validity = validity
        return int(selected[b"EXISTS"])

    def _is_wanted(self, head: dict[bytes, Any], senders: Sequence[str]) -> bool:
        about = self._parsed(_body(head))
        if about is None:
            return False
        if senders and about.sender not in senders:
            self._pass_over(about.sender, STRANGER)
            return False
        if head.get(b"RFC822.SIZE", LARGEST) >= LARGEST:
            self._pass_over(about.sender, "too large for a mail with a code")
            return False
        return True

    def _parsed(self, raw: bytes) -> Mail | None:
        """Return a mail, or None for a malformed one, which is counted and passed over."""
        try:
            return parse(raw)
        except UnreadableMail:
            self._pass_over("", "malformed")
            return None

    def _pass_over(self, sender: str, why: str) -> None:
        if not self.renumbered:  # else mails of before are seen again
            self.passed_over[f"{kind_of(sender)}: {why}"] += 1

    @contextmanager
    def _problems(self) -> Iterator[None]:
        """Turn errors into MailboxProblem and close the connection; the next call makes a new one."""
        from imapclient.exceptions import IMAPClientAbortError, IMAPClientError

        box = self.mailbox
        try:
            yield
        except BaseException as error:
            client, self._client = self._client, None
            if client is not None:
                with suppress(OSError, IMAPClientError, ValueError):
                    client.shutdown()
            if isinstance(error, ssl.SSLCertVerificationError):
                raise MailboxProblem(
                    f"The certificate of the mail server {box.at} is not good ({error.verify_message}): check {box.setting('host')}, or set {box.setting('ca_file')} to the one to trust."
                ) from None
            if isinstance(error, ssl.SSLError):
                raise MailboxProblem(
                    f"The mail server {box.at} does not speak TLS there: check {box.setting('port')} and {box.setting('security')}."
                ) from None
            if isinstance(error, OSError | IMAPClientAbortError):
                broke = "the connection broke" if isinstance(error, IMAPClientAbortError) else error.strerror
                reason = f"nothing within {self._wait:g} s" if isinstance(error, TimeoutError) else broke
                raise MailboxProblem(
                    f"The mail server {box.at} does not answer ({reason}): check {box.setting('host')} and {box.setting('port')}."
                ) from None
            if isinstance(error, IMAPClientError | ValueError | KeyError):
                # The server's text may hold secrets, so it is not repeated.
                raise MailboxProblem(
                    f"The mail server {box.at} does not answer as IMAP wants it: check {box.setting('host')} and {box.setting('security')}."
                ) from None
            raise


def _body(fetched: dict[bytes, Any]) -> bytes:
    return next((value for name, value in fetched.items() if name.startswith(b"BODY[") and value), b"")


class MailboxWatch:
    """Polls one mailbox for one code request, and passes new mails to the broker of codes."""

    def __init__(self, db: Database, mailbox: Mailbox, receiver: str, senders: Sequence[str], portal: str) -> None:
        """receiver: the address that the request is for. senders: empty for any. portal: the logins of this portal may claim the code."""
        self._db, self._mailbox, self._portal = db, mailbox, portal
        self._receiver, self._senders = address(receiver), sorted({address(sender) for sender in senders})
        self._settings = mailbox_settings()
        self._reader = MailboxReader(mailbox, self._settings.mailbox_wait)
        self._since = datetime.now(UTC)
        self._busy: asyncio.Future[Any] | None = None
        self._closing = asyncio.Event()
        self.passed_over: Counter[str] = self._reader.passed_over
        self.trouble = ""  # why no mail may have been found, in words for the user

    async def begin(self) -> None:
        """Connect before the portal is made to send, so that nothing older is taken. Raises MailboxProblem."""
        await self._in_thread(self._reader.begin)
        self._since = datetime.now(UTC)

    async def run(self) -> None:
        """Poll until cancelled, or until the server refuses the login."""
        while not self._closing.is_set():
            try:
                came = await self._in_thread(partial(self._reader.new, self._senders))
                # The broker takes the first match, so mails that are certainly newer than the request come first.
                for found in sorted(came, key=lambda each: _written(each) < self._since - A_SECOND):
                    await self._hand_over(found)
                self.trouble = self.trouble if self.trouble.startswith("A mail") else ""
            except MailboxProblem as problem:
                logger.warning("%s", problem)
                self.trouble = str(problem)
                if isinstance(problem, MailboxRefused):
                    return
            with suppress(TimeoutError):
                async with asyncio.timeout(self._settings.mailbox_poll):
                    await self._closing.wait()

    async def close(self) -> None:
        """Abort the poll that is running and close the connection."""
        self._closing.set()
        if self._busy is not None and not self._busy.done():
            self._reader.abort()
            await asyncio.wait([self._busy])
        await asyncio.to_thread(self._reader.close)

    async def _in_thread(self, call: Callable[[], T]) -> T:
        # One thread at a time; it runs on after a cancellation, until `close` aborts it.
        self._busy = asyncio.ensure_future(asyncio.to_thread(call))
        return await asyncio.shield(self._busy)

    async def _hand_over(self, found: Found) -> None:
        if len(self._mailbox.address) > 1 and self._receiver not in found.mail.recipients:
            return  # it is for another address of this mailbox
        if self._is_older(found):
            skew = self._settings.mailbox_clock_skew
            self.trouble = (
                f"A mail that came is dated more than {skew:g} s before it was asked for (LATCHKEY_MAILBOX_CLOCK_SKEW)."
            )
            logger.info("%s", self.trouble)
            self.passed_over[f"{kind_of(found.mail.sender)}: sent before the code was asked for"] += 1
            return
        await self._db.run(
            partial(
                accept,
                receiver=self._receiver,
                sender=found.mail.sender,
                text=found.mail.text,
                gateway_id=found.key,
                portal=self._portal,
            )
        )

    def _is_older(self, found: Found) -> bool:
        """
        Return whether a mail is dated, or was received, before the code request.

        Its UID is new already, so its dates are compared with a tolerance: other machines' clocks, in whole seconds.
        """
        skew = 0 if self._reader.renumbered else self._settings.mailbox_clock_skew
        return _written(found) < self._since - A_SECOND - timedelta(seconds=skew)


def _written(found: Found) -> datetime:
    return found.arrived if found.mail.dated is None else min(found.arrived, found.mail.dated)
