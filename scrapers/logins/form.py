"""FormLogin: a sign-in by HTML forms over plain HTTP."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, ClassVar
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
from scrapers.core.page import Selectors
from scrapers.core.settings import crawl_settings
from scrapers.logins.base import LANDING, Attempt, Login, PortalAccess, SignedIn
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
        last = await self.sign_in(portal.send, attempt)
        shown = self.identity(last)
        if not shown and self.home:
            shown = self.identity(await portal.send(Request(self.home_address())))
        state: dict[str, Any] = {"cookies": portal.take_cookies()}
        if last.request is not None and last.request.method == "GET":  # the address of a form's target shows nothing
            state[LANDING] = last.url
        return SignedIn(state, shown)

    @classmethod
    def can_leave(cls) -> bool:
        """Return whether the login states how to sign out."""
        return bool(cls.sign_out_path)

    async def leave(self, portal: PortalAccess, state: dict[str, Any]) -> None:
        """Request the sign-out address."""
        await portal.send(Request(urljoin(self.address(), self.sign_out_path)))

    async def sign_in(self, send: Callable[[Request], Awaitable[Response]], attempt: Attempt) -> Response:
        """Act on one screen after the other until the user is signed in; return the last page. *send* never retries."""
        response = await send(Request(self.address()))
        visits: Counter[str] = Counter()
        try:
            while True:
                screen = self._recognise(response, attempt, visits)
                visits[screen.key] += 1
                attempt.screens.append(screen.name)
                act = screen.act
                if isinstance(act, Done):
                    return response
                assert isinstance(response, TextResponse)
                if isinstance(act, OpenLink):
                    response = await self._open_link(send, response, screen, attempt)
                    continue
                if isinstance(act, Stop):
                    raise act.failure(first_text(response, act.reason), step=f"sign in: {screen.name}")
                response = await send(await self._filled(response, act, attempt))
        except Failure as failure:
            failure.evidence.setdefault("response", response)
            raise

    async def _filled(
        self, response: TextResponse, act: EnterCredentials | EnterCode | ChooseFactor | Dismiss, attempt: Attempt
    ) -> Request:
        """Return the request that a screen's form makes once it is filled in."""
        from form2request import form2request

        values: dict[Selectors, str] = {}
        button = act.click if isinstance(act, Dismiss) else act.send if isinstance(act, ChooseFactor) else act.submit
        if isinstance(act, EnterCredentials):
            await attempt.second_factor.expect()
            values = {act.username: attempt.credential.username, act.password: attempt.credential.password}
            await attempt.second_factor.may_send()
            attempt.submitted = True
        elif isinstance(act, EnterCode):
            attempt.second_factor.sent()
            values = {act.field: await attempt.second_factor.code(act.kind)}
            attempt.code_entered = True
        elif isinstance(act, ChooseFactor):
            await attempt.second_factor.expect(act.kind)
            await attempt.second_factor.may_send()
            attempt.second_factor.sent()
        form = response.css(", ".join(button)).xpath("ancestor::form[1]")
        names = {response.css(", ".join(at)).attrib["name"]: value for at, value in values.items()}
        request: Request = form2request(form, names).to_scrapy(callback=None)
        return request

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

    def _recognise(self, response: Response, attempt: Attempt, visits: Counter[str]) -> Screen:
        """Return the first screen that the page shows; the password is never submitted again."""
        if response.status in (408, 429) or response.status >= 500:
            kind: type[Failure] = SignInTimedOut if attempt.submitted else PortalDown
            raise kind(f"The portal answered {response.status}.")
        used_up: Screen | None = None
        for screen in self.screens:
            act = screen.act
            due = not isinstance(act, Stop) or act.is_due(
                submitted=attempt.submitted, code_entered=attempt.code_entered
            )
            if not due or not isinstance(response, TextResponse):
                continue
            if not (is_shown(response, screen.shown) or self._is_at(response, screen)):
                continue
            if visits[screen.key] < screen.visits and not (isinstance(act, EnterCredentials) and attempt.submitted):
                return screen
            used_up = used_up or screen
        if used_up is None:
            raise PortalChanged(f"No known screen (status {response.status}).")
        asks = isinstance(used_up.act, (EnterCode, EnterCredentials))
        kind = MfaFailed if attempt.code_entered and asks else SignInTimedOut if attempt.submitted else PortalChanged
        raise kind(f"The screen {used_up.name} came back.", step=f"sign in: {used_up.name}")

    def _is_at(self, response: TextResponse, screen: Screen) -> bool:
        """Return whether the page's address means this screen; not "signed in" while the sign-in form is shown."""
        form = isinstance(screen.act, Done) and is_shown(response, self.credential_screens())
        return screen.is_at(response.url) and not form
