"""Where one-time codes come from: TOTP, a message through the webhook or in a mailbox, or a person at the prompt."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager, nullcontext, suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from database.access.addresses import receivers
from database.access.codes import (
    STRANGER,
    CodeBroker,
    CodeChannel,
    Holder,
    MessageNotReceived,
    MessageUnclear,
    OpenRequest,
    ReceiverBusy,
)
from database.access.totp import TotpSecret, TotpSteps
from database.settings import SettingsError
from scrapers.core import outcomes
from scrapers.core.redaction import redactor, secret_parts
from scrapers.core.settings import crawl_settings

if TYPE_CHECKING:
    from database.access.credentials import Credential
    from middlewares.access.mailbox import MailboxWatch
    from scrapers.core.runs import Work
    from scrapers.logins.base import Login

logger = logging.getLogger(__name__)
progress = logging.getLogger("latchkey.progress")

FETCH_PAUSE = 1.0  # seconds between two questions to an endpoint that has no code yet
FetchCode = Callable[[datetime], Awaitable[str | None]]

# What a credential needs to answer a code of each kind; named in errors.
LACKS = {
    "": "neither a TOTP secret nor a receiver",
    "totp": "no TOTP secret",
    "sms": "no phone number among its receivers",
    "mail": "no mail address among its receivers",
}


class CodeSource:
    """The second factor of one sign-in attempt. Use it as an async context manager, so that the receiver is freed."""

    def __init__(self, work: Work, login: type[Login], credential: Credential, run_id: int | None) -> None:
        self.work = work
        self.login = login
        self.credential = credential
        self.run_id = run_id
        self._stack = AsyncExitStack()
        self._requests: dict[str, OpenRequest] = {}  # by channel: sms, mail
        self._watches: list[MailboxWatch] = []
        self._began = datetime.now(UTC)
        self.fetch: FetchCode | None = None  # of the login, where its codes come from an endpoint
        self._asked = False  # the portal was, or may have been, made to send a code
        self.deadlines: list[asyncio.Timeout] = []  # of the sign-in; suspended while waiting for the receiver

    async def __aenter__(self) -> CodeSource:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        nothing_sent = error is None or (isinstance(error, outcomes.Failure) and error.nothing_sent)
        if not self._asked and nothing_sent:
            self._unused()
        await self._stack.aclose()

    def _unused(self, *but: str) -> None:
        """Mark the open code requests as not sent, except those of the channels *but*."""
        for way, request in self._requests.items():
            if way not in but:
                request.unused()

    def _brake(self) -> AbstractAsyncContextManager[None]:
        job = self.work.jobs.get(self.run_id or 0)
        return nullcontext() if job is None else job.brake()

    def can_answer(self, kind: str) -> bool:
        """Return whether a code of that kind can be received: at a receiver of the credential, or from a person at the prompt."""
        return self._is_fetched(kind) or self.work.prompt is not None or bool(self._receivers(kind))

    def _is_fetched(self, kind: str) -> bool:
        return self.fetch is not None and kind != "totp"

    async def expect(self, kind: str = "") -> None:
        """
        Open the code request, waiting for the receiver, before the portal can be made to send anything.

        kind: what the portal is known to ask for; unknown, a credential with a TOTP secret is taken to need no message.
        """
        channel = self.login.code_channel()
        totp = bool(self.credential.totp_secret) and kind == ""
        if channel is None or totp or self._is_fetched(kind):
            return
        # Always in the same order, sms first, so that two sign-ins that need both receivers cannot deadlock.
        for way, receiver in self._receivers(kind or channel.by).items():
            if way not in self._requests:
                await self._open(channel, way, receiver)

    async def _open(self, channel: CodeChannel, way: str, receiver: str) -> None:
        broker = CodeBroker(self.work.db)
        opened = broker.open(
            login=self.login.name,
            portal=self.login.portal,
            username=self.credential.username,
            receiver=receiver,
            senders=channel.senders,
            pattern=channel.pattern,
            kind=channel.kind,
            life=self.login.code_life,
            wait=crawl_settings().busy_wait,
            run_id=self.run_id,
            on_wait=self._say,
        )
        try:
            async with self._brake(), self._clocks_stopped():
                self._requests[way] = await self._stack.enter_async_context(opened)
        except ReceiverBusy as error:
            raise outcomes.CodeNotReceived("The receiver was busy with other sign-ins all the time.") from error
        if way == "mail":
            await self._watch(receiver, channel.senders)

    def _say(self, holder: Holder) -> None:
        """Say what a sign-in waits for, and until when at most."""
        until = holder.until.strftime("%H:%M:%S")
        progress.info(
            "%s: the sign-in waits for the receiver of its codes: %s of %s holds it until %s UTC at most",
            *(self.work.spider, f"the sign-in {holder.login}", holder.username, until),
        )

    async def may_send(self) -> None:
        """Write down, before the request that may make the portal send, that it may have."""
        for request in self._requests.values():
            await request.may_send()

    async def _watch(self, receiver: str, senders: Sequence[str]) -> None:
        """Connect to the receiver's mailbox where one is configured; raise CodeNotReceived if it cannot be read."""
        try:
            from middlewares.settings import mailbox_settings

            mailbox = mailbox_settings().of(receiver)
            if mailbox is None:
                return
            from middlewares.access.mailbox import MailboxProblem, MailboxWatch

            watch = MailboxWatch(self.work.db, mailbox, receiver, senders, self.login.portal)
            self._stack.push_async_callback(watch.close)
            await watch.begin()
        except SettingsError as error:
            raise self._unreadable(str(error)) from None
        except MailboxProblem as problem:
            raise self._unreadable(str(problem)) from None
        self._watches.append(watch)

    def _unreadable(self, why: str) -> outcomes.CodeNotReceived:
        if not self._asked:
            self._unused()
        return outcomes.CodeNotReceived(why)

    def _receivers(self, by: str) -> dict[str, str]:
        """Return the receivers of the credential by channel (sms, mail), limited to the channel *by* ("" is any)."""
        try:
            found = receivers(self.credential.receiver or "")
        except ValueError as error:
            raise outcomes.MfaRequired(f"The credential's receiver: {error}") from None
        return {way: receiver for way, receiver in found.items() if by in ("", way)}

    @asynccontextmanager
    async def _clocks_stopped(self) -> AsyncIterator[None]:
        """Suspend the sign-in's deadlines while the receiver is busy, for at most LATCHKEY_BUSY_WAIT seconds."""
        loop = asyncio.get_running_loop()
        began, stopped = loop.time(), [(clock, clock.when()) for clock in self.deadlines]
        for clock, _ in stopped:
            clock.reschedule(None)
        try:
            yield
        finally:
            for clock, when in stopped:
                with suppress(RuntimeError):  # the timeout's block has been left meanwhile
                    clock.reschedule(None if when is None else when + loop.time() - began)

    def sent(self) -> None:
        """Record that the portal was made to send: unless the code is claimed, the receiver stays reserved for the code's life."""
        self._asked = True

    async def code(self, kind: str = "", *, again: bool = False) -> str:
        """
        Return the code of that kind (totp, sms, mail; "" is any); it is hidden from every log from here on.

        again: the one before was refused, so only a person at the prompt can give another.
        """
        if again and self.work.prompt is None:
            raise outcomes.MfaFailed()
        async with self._brake():
            code = await (self._ask("The code was refused. Once more: ") if again else self._code(kind))
        redactor.add(code, *(secret_parts(code) if "://" in code else ()))
        return code

    async def choose(self, question: str, options: Sequence[str]) -> str:
        """Return which of the options the person at the prompt chooses; empty without one, or when it is none of them."""
        if self.work.prompt is None:
            return ""
        async with self._brake():
            answer = (await self._ask(f"{question} ({', '.join(options)}): ")).strip().casefold()
        return answer if answer in options else ""

    async def _ask(self, question: str) -> str:
        assert self.work.prompt is not None
        return await asyncio.to_thread(self.work.prompt, question)

    async def _code(self, kind: str) -> str:
        # A TOTP code in a field that expects a code from a message counts as a failed attempt.
        if self.credential.totp_secret and kind in ("", "totp"):
            return await self._totp(self.credential.totp_secret)
        if self._is_fetched(kind):
            return await self._fetched()
        if kind != "totp":
            await self.expect(kind)
        sent = {way: request for way, request in self._requests.items() if kind in ("", way)}
        if not sent and self.work.prompt is not None:
            return await self._ask(f"One-time code of {self.login.name}: ")
        if not sent:
            channel = self.login.code_channel()
            by = kind or (channel.by if channel else "")
            lacks = LACKS.get(by, LACKS[""])
            raise outcomes.MfaRequired(f"Kind: {by or 'any'}; the credential has {lacks}.")
        try:
            return await self._answer(sent)
        except MessageUnclear as error:
            if self.work.prompt is None:
                raise outcomes.CodeUnclear(str(error)) from None
            return await self._ask(f"{error} One-time code of {self.login.name}: ")

    async def _fetched(self) -> str:
        """Return the code of the login's endpoint, which is asked again until LATCHKEY_CODE_WAIT is over."""
        assert self.fetch is not None
        wait = crawl_settings().code_wait
        try:
            async with asyncio.timeout(wait):
                while True:
                    if code := await self.fetch(self._began):
                        return code
                    await asyncio.sleep(FETCH_PAUSE)
        except TimeoutError:
            raise outcomes.CodeNotReceived(f"The login's endpoint had no code within {wait:g} s.") from None

    async def _answer(self, sent: Mapping[str, OpenRequest]) -> str:
        """Return the first code or link that arrives on any channel, polling the mailboxes meanwhile. Raises MessageUnclear."""
        wait = crawl_settings().code_wait
        looks = [asyncio.ensure_future(watch.run()) for watch in self._watches]
        answers: dict[asyncio.Future[str], str] = {
            asyncio.ensure_future(request.answer(wait)): way for way, request in sent.items()
        }
        waiting = set(answers)
        try:
            while waiting:
                done, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
                for answer in done:
                    error = answer.exception()
                    if error is None or isinstance(error, MessageUnclear):
                        self._unused(answers[answer])
                    if not isinstance(error, MessageNotReceived):
                        return answer.result()
        finally:
            tasks: list[asyncio.Future[Any]] = [*looks, *answers]
            for task in tasks:
                task.cancel()
            ended = await asyncio.gather(*tasks, return_exceptions=True)
        for error in ended:
            if isinstance(error, Exception) and not isinstance(error, MessageNotReceived):
                raise error
        said = [f"Nothing that fits came within {wait:g} s.", *await self._unfit(sent), *self._troubles()]
        raise outcomes.CodeNotReceived(" ".join(said))

    def _troubles(self) -> list[str]:
        return list(dict.fromkeys(watch.trouble for watch in self._watches if watch.trouble))[:1]

    async def _unfit(self, sent: Mapping[str, OpenRequest]) -> list[str]:
        """Return a sentence on the messages that came and did not fit: how many, from which kind of sender, and why not."""
        came: Counter[str] = Counter()
        for request in sent.values():
            came.update(await request.unfit())
        for watch in self._watches:
            came.update(watch.passed_over)
        if not came:
            return []
        count = came.total()
        said = f"{count} message{'s' if count > 1 else ''} came and did not fit: "
        said += "; ".join(f"{number} from {text}" for text, number in sorted(came.items())) + "."
        if any(STRANGER in text for text in came):
            said += f" Name further senders in {self.login.senders_variable()}."
        return [said]

    async def _totp(self, given: str) -> str:
        try:
            secret = TotpSecret.parse(given)
        except ValueError as error:
            raise outcomes.CredentialMalformed(f"The TOTP secret: {error}") from None
        redactor.add(secret.key)
        steps = TotpSteps(self.work.db)
        while True:
            step = int(time.time()) // secret.period
            if await asyncio.to_thread(steps.use_step, self.login.name, self.credential.username, step):
                return secret.code(step)
            logger.info("The code of this moment was used already: waiting for the next one")
            # A TOTP step is never submitted twice, so wait exactly until the next one begins.
            await asyncio.sleep((step + 1) * secret.period - time.time())
