"""Where one-time codes come from: TOTP, a message through the webhook, or a person at the prompt."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager, nullcontext, suppress
from typing import TYPE_CHECKING

from database.codes import CodeBroker, CodeNotReceived, OpenRequest, ReceiverBusy, receivers
from database.totp import TotpSteps
from scrapers import outcomes
from scrapers.options import crawl_settings
from scrapers.redaction import redactor

if TYPE_CHECKING:
    from scrapers.credentials import Credential
    from scrapers.login import Login
    from scrapers.work import Work

logger = logging.getLogger(__name__)


# Ends of a sign-in after which we know that the portal sent no code, so that the receiver need not rest.
NOTHING_SENT = (
    outcomes.BadCredentials,
    outcomes.AccountLocked,
    outcomes.CaptchaShown,
    outcomes.Blocked,
    outcomes.PortalDown,
)
# What a credential lacks for a code of that kind.
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
        self._request: OpenRequest | None = None
        self._asked = False  # somebody made the portal send, as far as we know
        self.deadlines: list[asyncio.Timeout] = []  # of the sign-in: they stand still while the receiver is waited for

    async def __aenter__(self) -> CodeSource:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        nothing_sent = error is None or isinstance(error, NOTHING_SENT)
        if self._request is not None and not self._asked and nothing_sent:
            self._request.unused()
        await self._stack.aclose()

    def _brake(self) -> AbstractAsyncContextManager[None]:
        job = self.work.jobs.get(self.run_id or 0)
        return nullcontext() if job is None else job.brake()

    def can_answer(self, kind: str) -> bool:
        """Tell whether a code of that kind could reach us: at a receiver of the credential, or by a person at the prompt."""
        return self.work.prompt is not None or bool(self._receiver(kind))

    async def expect(self, kind: str = "") -> None:
        """
        Open the code request, waiting for the receiver, before the portal can be made to send anything.

        kind: what the portal is known to ask for; unknown, a credential with a TOTP secret is taken to need no message.
        """
        channel = self.login.channel
        totp = bool(self.credential.totp_secret) and kind == ""
        if self._request is not None or channel is None or totp:
            return
        receiver = self._receiver(kind or channel.by)
        if not receiver:
            return
        broker = CodeBroker(self.work.db)
        opened = broker.open(
            login=self.login.name,
            username=self.credential.username,
            receiver=receiver,
            senders=channel.senders,
            pattern=channel.pattern,
            kind=channel.kind,
            life=self.login.code_life,
            wait=crawl_settings().busy_wait,
            run_id=self.run_id,
        )
        try:
            async with self._brake(), self._clocks_stopped():
                self._request = await self._stack.enter_async_context(opened)
        except ReceiverBusy as error:
            raise outcomes.CodeNotReceived("The receiver was busy with other sign-ins all the time.") from error

    def _receiver(self, by: str) -> str:
        """Return where codes that come that way (sms, mail; "" is any) are received, or ""."""
        try:
            found = receivers(self.credential.receiver or "")
        except ValueError as error:
            raise outcomes.MfaRequired(f"The credential's receiver: {error}") from None
        return found.get(by, "") if by in ("sms", "mail") else next(iter(found.values()), "")

    @asynccontextmanager
    async def _clocks_stopped(self) -> AsyncIterator[None]:
        """Let no deadline pass meanwhile: others at the receiver may take their time, up to LATCHKEY_BUSY_WAIT."""
        loop = asyncio.get_running_loop()
        began, stopped = loop.time(), [(clock, clock.when()) for clock in self.deadlines]
        for clock, _ in stopped:
            clock.reschedule(None)
        try:
            yield
        finally:
            for clock, when in stopped:
                with suppress(RuntimeError):  # its part of the sign-in was ended meanwhile
                    clock.reschedule(None if when is None else when + loop.time() - began)

    def sent(self) -> None:
        """The portal was made to send: from here on the receiver rests unless the code is claimed."""
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
        redactor.add(code)
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
        # An authenticator's code in a field that waits for a message would be a failed try.
        if self.credential.totp_secret and kind in ("", "totp"):
            return await self._totp(self.credential.totp_secret)
        if kind != "totp":
            await self.expect(kind)
        sent = None if kind == "totp" else self._request
        if sent is None and self.work.prompt is not None:
            return await self._ask(f"One-time code of {self.login.name}: ")
        if sent is None:
            by = kind or (self.login.channel.by if self.login.channel else "")
            lacks = LACKS.get(by, LACKS[""])
            raise outcomes.MfaRequired(f"Kind: {by or 'any'}; the credential has {lacks}.")
        try:
            return await sent.answer(crawl_settings().code_wait)
        except CodeNotReceived as error:
            raise outcomes.CodeNotReceived(f"Nothing came within {crawl_settings().code_wait:g} s.") from error

    async def _totp(self, secret: str) -> str:
        import pyotp

        try:
            totp = pyotp.TOTP("".join(secret.split()).upper())
            totp.now()
        except (ValueError, TypeError) as error:
            raise outcomes.MfaFailed("The TOTP secret is not base32.") from error
        steps = TotpSteps(self.work.db)
        while True:
            step = int(time.time()) // totp.interval
            if await asyncio.to_thread(steps.use_step, self.login.name, self.credential.username, step):
                return totp.at(step * totp.interval)
            logger.info("The code of this half minute was used already: waiting for the next one")
            # A step is never submitted twice, so the wait ends exactly with it.
            await asyncio.sleep((step + 1) * totp.interval - time.time())
