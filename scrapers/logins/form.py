"""FormLogin: a sign-in by HTML forms over plain HTTP."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, ClassVar
from urllib.parse import urljoin

from scrapy import Request
from scrapy.http import Response, TextResponse

from scrapers.core.outcomes import (
    Failure,
    MfaFailed,
    PortalChanged,
    PortalDown,
    SignInTimedOut,
)
from scrapers.core.settings import crawl_settings
from scrapers.logins.base import Attempt, Login, PortalAccess, SignedIn
from scrapers.logins.screens import (
    ChooseFactor,
    Dismiss,
    Done,
    EnterCode,
    EnterCredentials,
    OpenLink,
    Screen,
    Stop,
    first_text,
    is_shown,
)

if TYPE_CHECKING:
    pass

logger = logging.getLogger(__name__)


class FormLogin(Login):
    """A sign-in by HTML forms over plain HTTP. Selectors are CSS."""

    sign_out_path: ClassVar[str] = ""  # path of the sign-out address, relative to url

    async def establish(self, portal: PortalAccess, attempt: Attempt) -> SignedIn:
        """Sign in, in a cookie jar of its own; the landing page, or the home page after it, shows the user."""
        shown = self.identity(await self.sign_in(portal.send, attempt))
        if not shown and self.home:
            shown = self.identity(await portal.send(Request(self.home_address())))
        return SignedIn({"cookies": portal.take_cookies()}, shown)

    async def leave(self, portal: PortalAccess) -> None:
        """Request the sign-out address."""
        await portal.send(Request(urljoin(self.address(), self.sign_out_path)))

    async def sign_in(self, send: Callable[[Request], Awaitable[Response]], attempt: Attempt) -> Response:
        """Act on one screen after the other until the user is signed in; return the last page. *send* never retries."""
        from form2request import form2request

        response = await send(Request(self.address()))
        visits: Counter[str] = Counter()
        try:
            while True:
                screen = self._recognise(response, attempt)
                visits[screen.name] += 1
                attempt.screens.append(screen.name)
                if visits[screen.name] > screen.visits:
                    raise PortalChanged(f"The screen {screen.name} came back.", step=f"sign in: {screen.name}")
                act = screen.act
                if isinstance(act, Done):
                    return response
                assert isinstance(response, TextResponse)
                if isinstance(act, OpenLink):
                    response = await self._open_link(send, response, screen, attempt)
                    continue
                if isinstance(act, Stop):
                    raise act.failure(first_text(response, act.reason), step=f"sign in: {screen.name}")
                if isinstance(act, EnterCredentials):
                    await attempt.second_factor.expect()
                    attempt.submitted = True
                    values = {act.username: attempt.credential.username, act.password: attempt.credential.password}
                elif isinstance(act, EnterCode):
                    attempt.second_factor.sent()
                    values = {act.field: await attempt.second_factor.code(act.kind)}
                elif isinstance(act, ChooseFactor):
                    await attempt.second_factor.expect()
                    attempt.second_factor.sent()
                    values = {}
                else:
                    values = {}
                button = (
                    act.click if isinstance(act, Dismiss) else act.send if isinstance(act, ChooseFactor) else act.submit
                )
                form = response.css(", ".join(button)).xpath("ancestor::form[1]")
                names = {response.css(", ".join(at)).attrib["name"]: value for at, value in values.items()}
                response = await send(form2request(form, names).to_scrapy(callback=None))
        except Failure as failure:
            failure.evidence.setdefault("response", response)
            raise

    async def _open_link(
        self, send: Callable[[Request], Awaitable[Response]], response: Response, screen: Screen, attempt: Attempt
    ) -> Response:
        """Open the link of a message, then poll the waiting page until it shows another screen."""
        assert isinstance(screen.act, OpenLink)
        step = f"sign in: {screen.name}"
        attempt.second_factor.sent()
        link = self.trusted(await attempt.second_factor.code(screen.act.kind))
        opened = await send(Request(link))
        if opened.status >= 400:
            raise MfaFailed(f"The link was answered with {opened.status}.", step=step)
        wait = crawl_settings().page_wait
        deadline = asyncio.get_running_loop().time() + wait
        while asyncio.get_running_loop().time() < deadline:
            response = await send(Request(response.url))
            if not (isinstance(response, TextResponse) and is_shown(response, screen.shown)):
                return response
            await asyncio.sleep(0.5)  # between two polls
        raise SignInTimedOut(f"The portal did not go on within {wait:g} s of the link.", step=step)

    def _recognise(self, response: Response, attempt: Attempt) -> Screen:
        if response.status in (408, 429) or response.status >= 500:
            kind = SignInTimedOut if attempt.submitted else PortalDown
            raise kind(f"The portal answered {response.status}.")
        for screen in self.screens:
            if isinstance(response, TextResponse) and is_shown(response, screen.shown):
                return screen
        raise PortalChanged(f"No known screen (status {response.status}).")
