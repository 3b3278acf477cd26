"""
What a login is. A portal's `login.py` states facts: where, which screens, how each is recognised, what it means.

The base does the typing, waiting and deciding. BrowserLogin drives a page; FormLogin does the same over plain HTTP.
"""

from __future__ import annotations

import asyncio
import logging
import os
import re
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any, ClassVar, Protocol
from urllib.parse import urljoin, urlsplit

from scrapy import Request
from scrapy.http import HtmlResponse, Response, TextResponse

from database.access.codes import CodeChannel
from scrapers.core.outcomes import (
    Blocked,
    CaptchaShown,
    CodeNotReceived,
    Failure,
    LoginFailed,
    MfaFailed,
    MfaRequired,
    PortalChanged,
    PortalDown,
    SignInTimedOut,
    TermsPending,
)
from scrapers.core.settings import crawl_settings

if TYPE_CHECKING:
    from scrapers.core.page import PortalPage
    from scrapers.logins.credentials import Credential

logger = logging.getLogger(__name__)


# Ordered fallbacks, most stable first. In a browser: Playwright's selector syntax, plus "label=…" for a form label's text.
Selectors = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Interruption:
    """Something that may lie over any page, and what to click to be rid of it."""

    shown: str
    dismiss: str


# What a person in front of a visible browser can put right.
FOR_A_PERSON = (CaptchaShown, MfaRequired, Blocked, TermsPending)


class SecondFactor(Protocol):
    """Where one-time codes come from; the two-factor middleware brings one for each attempt."""

    deadlines: list[asyncio.Timeout]  # of the sign-in: they stand still while the receiver is waited for

    def can_answer(self, kind: str) -> bool:
        """Tell whether anybody could give a code of that kind."""

    async def expect(self, kind: str = "") -> None:
        """Reserve the receiver, of that kind where it is known: called before the portal can be made to send anything."""

    def sent(self) -> None:
        """The portal was made to send a code."""

    async def code(self, kind: str = "", *, again: bool = False) -> str:
        """
        Return the code of that kind (totp, sms, mail; "" is any); raise MfaRequired or CodeNotReceived.

        again: the one before was refused; MfaFailed where nobody is there to type another.
        """

    async def choose(self, question: str, options: Sequence[str]) -> str:
        """Return what the person in front chooses; empty without one."""


@dataclass
class Attempt:
    """One sign-in attempt: one row in the ledger, at most one submission of the password."""

    credential: Credential
    second_factor: SecondFactor
    visible: bool = False  # a person sits in front of the browser and may finish by hand
    submitted: bool = False
    link_opened: bool = False
    screens: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class EnterCredentials:
    """Type user name and password, read them back, submit."""

    username: Selectors
    password: Selectors
    submit: Selectors


@dataclass(frozen=True, slots=True)
class ChooseFactor:
    """Choose how the code comes and ask for it."""

    option: Selectors
    send: Selectors


@dataclass(frozen=True, slots=True)
class EnterCode:
    """Type the one-time code with real key events and submit it once the portal lets us."""

    field: Selectors
    submit: Selectors
    kind: str = ""  # totp, or how the portal sends it (sms, mail); "": whatever the credential has


@dataclass(frozen=True, slots=True)
class OpenLink:
    """Open the link that came in a message, beside this page, which then goes on by itself or when it is loaded again."""

    kind: str = ""  # how the portal sends it (sms, mail); "": whatever the credential has


@dataclass(frozen=True, slots=True)
class Dismiss:
    """Click something away, or accept it."""

    click: Selectors


@dataclass(frozen=True, slots=True)
class Stop:
    """End with this failure; the texts are kept as its detail."""

    failure: type[LoginFailed]
    reason: Selectors = ()


@dataclass(frozen=True, slots=True)
class Done:
    """Somebody is signed in."""


Act = EnterCredentials | ChooseFactor | EnterCode | OpenLink | Dismiss | Stop | Done


@dataclass(frozen=True, slots=True)
class Screen:
    """A page, or a part of one, that a login knows: how it is recognised and what it means. Order is precedence."""

    name: str
    shown: Selectors
    act: Act
    visits: int = 1


@dataclass(frozen=True, slots=True)
class Identity:
    """Whose session a page shows itself to be. Empty means that it does not say."""

    username: str = ""
    name: str = ""
    accounts: frozenset[str] = frozenset()

    def __bool__(self) -> bool:
        return bool(self.username or self.name or self.accounts)


class Login:
    """Base of all logins. Every attribute is a fact about the portal."""

    portal: ClassVar[str]
    name: ClassVar[str]
    url: ClassVar[str]  # the sign-in address; `<NAME>_URL` in the environment puts another in its place
    home: ClassVar[str] = ""  # where a signed-in user lands, relative to url; empty means url itself
    shared: ClassVar[bool] = False  # requests carry everything themselves: any number of runs side by side
    life: ClassVar[timedelta | None] = None  # how long a session lasts at most; None: until the portal says so
    channel: ClassVar[CodeChannel | None] = None  # how one-time codes come, where the portal sends any
    code_life: ClassVar[float] = 300  # seconds for which a code that was sent stays good
    code_pause: ClassVar[float] = 0  # seconds between two sign-ins, where the portal limits how often it sends codes
    always_asks: ClassVar[bool] = False  # no sign-in without a one-time code: none is begun that nobody can answer
    secret_name: ClassVar[str] = "password"  # what people call the secret that is typed
    link_hosts: ClassVar[tuple[str, ...]] = ()  # where links in messages may lead, beside the sign-in's own host
    keep: ClassVar[bool] = True  # at the end of a crawl the session is kept for the next one; False signs out
    screens: ClassVar[tuple[Screen, ...]] = ()
    interruptions: ClassVar[tuple[Interruption, ...]] = ()  # may appear on any later page
    shows_username: ClassVar[Selectors] = ()
    shows_name: ClassVar[Selectors] = ()
    shows_user: ClassVar[Selectors] = ()  # a text that is a mail address for some users and a name for others
    shows_accounts: ClassVar[Selectors] = ()

    registry: ClassVar[dict[str, type[Login]]] = {}

    def __init_subclass__(cls, **kwargs: object) -> None:
        """Register every login that has a name."""
        super().__init_subclass__(**kwargs)
        if "name" in vars(cls):
            Login.registry[cls.name] = cls

    @classmethod
    def variable(cls) -> str:
        """Return the environment variable that puts another address in the place of the sign-in's."""
        return f"{cls.name.upper()}_URL"

    @classmethod
    def address(cls) -> str:
        """Return the sign-in address: the real portal's, unless `<NAME>_URL` names a stand-in (its origin is enough)."""
        given = os.environ.get(cls.variable())
        if not given:
            return cls.url
        return given if urlsplit(given).path.strip("/") else urljoin(given, urlsplit(cls.url).path)

    @classmethod
    def home_address(cls) -> str:
        """Return where a signed-in user lands."""
        return urljoin(cls.address(), cls.home) if cls.home else cls.address()

    @classmethod
    def trusted(cls, link: str) -> str:
        """Return a link from a message if it leads to a host that the login states; CodeNotReceived for any other."""
        try:
            asked, own = urlsplit(link), urlsplit(cls.address())
        except ValueError:
            asked, own = urlsplit(""), urlsplit(cls.address())
        stated = asked.scheme == "https" and asked.netloc.casefold() in cls.link_hosts
        if not stated and (asked.scheme, asked.netloc.casefold()) != (own.scheme, own.netloc.casefold()):
            raise CodeNotReceived(
                "The link in the message leads to a host that the login does not state, and was not opened."
            )
        return link

    @classmethod
    def credential_screens(cls) -> Selectors:
        """Return what shows that nobody is signed in: the marks of the sign-in form."""
        return tuple(s for screen in cls.screens if isinstance(screen.act, EnterCredentials) for s in screen.shown)

    def is_signed_out(self, response: Response) -> bool:
        """Tell whether an answer means that the session is over: a redirect to the sign-in address, 401, or its form."""
        if response.status in (301, 302, 303, 307, 308):
            target = urljoin(response.url, (response.headers.get("Location") or b"").decode("latin-1"))
            return urlsplit(target).path.rstrip("/") == urlsplit(self.address()).path.rstrip("/")
        if response.status == 401:
            return True
        return (
            response.status == 200
            and isinstance(response, TextResponse)
            and _shown(response, self.credential_screens())
        )

    def check(self, credential: Credential) -> None:
        """Raise CredentialMalformed when the portal cannot but refuse a credential: it is not sent at all."""

    def user_of(self, credential: Credential) -> str:
        """Return what the portal calls the user: the user name, unless the login says otherwise."""
        return credential.username

    def needs_renewal(self, state: dict[str, Any]) -> bool:
        """Tell whether a session must be renewed before it can be used: never, where the portal counts its life."""
        return False

    def authorize(self, request: Request, state: dict[str, Any]) -> None:
        """Put into a request what the session needs beside its cookies: nothing, for most."""

    def secrets(self, state: dict[str, Any]) -> tuple[str, ...]:
        """Return the secrets of a session's state beside its cookies and storage."""
        return ()

    def identity(self, response: Response) -> Identity:
        """Return whose session a page shows itself to be."""
        if not isinstance(response, TextResponse) or response.status != 200:
            return Identity()
        user = _first_text(response, self.shows_user)
        return Identity(
            username=_first_text(response, self.shows_username) or (user if "@" in user else ""),
            name=_first_text(response, self.shows_name) or ("" if "@" in user else user),
            accounts=frozenset(_texts(response, self.shows_accounts)),
        )


class FormLogin(Login):
    """A sign-in by HTML forms over plain HTTP. Selectors are CSS."""

    sign_out_path: ClassVar[str] = ""  # the address that signs out, relative to url

    async def sign_in(self, send: Callable[[Request], Awaitable[Response]], attempt: Attempt) -> Response:
        """Walk the screens until somebody is signed in; return that page. *send* never retries."""
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
                    raise act.failure(_first_text(response, act.reason), step=f"sign in: {screen.name}")
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
        """Open the link of a message, then load the page that waits for it until it has gone on."""
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
            if not (isinstance(response, TextResponse) and _shown(response, screen.shown)):
                return response
            await asyncio.sleep(0.5)  # between two looks
        raise SignInTimedOut(f"The portal did not go on within {wait:g} s of the link.", step=step)

    def _recognise(self, response: Response, attempt: Attempt) -> Screen:
        if response.status in (408, 429) or response.status >= 500:
            kind = SignInTimedOut if attempt.submitted else PortalDown
            raise kind(f"The portal answered {response.status}.")
        for screen in self.screens:
            if isinstance(response, TextResponse) and _shown(response, screen.shown):
                return screen
        raise PortalChanged(f"No known screen (status {response.status}).")


class BrowserLogin(Login):
    """
    A sign-in that needs a browser page. Selectors are Playwright's.

    Where pages are collected over plain HTTP, the marks of the sign-in form and of whose session it is must hold CSS or
    XPath: those that only a browser understands find nothing in an answer.
    """

    sign_out_clicks: ClassVar[tuple[Selectors, ...]] = ()  # what is clicked, one after the other, to sign out

    async def sign_in(self, page: PortalPage, attempt: Attempt) -> None:
        """Walk the screens until somebody is signed in. The password is typed into one page, once."""
        page.begin("sign in: open")
        await page.open(self.address())
        visits: Counter[str] = Counter()
        acted: str | None = None
        while True:
            screen = await self._next_screen(page, acted, attempt)
            again = isinstance(screen.act, OpenLink) and attempt.link_opened  # the page that waits has loaded itself
            visits[screen.name] += not again
            if not again:
                attempt.screens.append(screen.name)
                page.begin(f"sign in: {screen.name}")
            if visits[screen.name] > screen.visits:
                kind = SignInTimedOut if attempt.submitted else PortalChanged
                raise kind(f"The screen {screen.name} came back without a word.", step=page.trail.step)
            if isinstance(screen.act, Done):
                return
            # A document that was replaced has lost the mark: then the same screen counts as shown anew.
            if not await self._on_this_document(page, "name => { document.latchkey = name; return true }", screen.name):
                visits[screen.name] -= 1  # the page is going elsewhere: look again
                continue
            acted = screen.name
            if not again:
                await self._act(page, screen.act, attempt)

    async def _on_this_document(self, page: PortalPage, script: str, name: str) -> bool:
        """Run a script; False when the page is just going to another document."""
        from playwright.async_api import Error as PlaywrightError

        from scrapers.core.page import navigated

        try:
            return bool(await page.raw.evaluate(script, name))
        except PlaywrightError as error:
            if navigated(error):
                return False
            raise

    async def _next_screen(self, page: PortalPage, acted: str | None, attempt: Attempt) -> Screen:
        """Wait for any known screen other than the one just acted upon; an unknown page is PortalChanged."""
        wait = crawl_settings().person_wait if attempt.visible else crawl_settings().page_wait
        deadline = asyncio.get_running_loop().time() + wait
        while asyncio.get_running_loop().time() < deadline:
            for screen in self.screens:
                if attempt.visible and isinstance(screen.act, Stop) and screen.act.failure in FOR_A_PERSON:
                    continue
                if not await page.shown(screen.shown):
                    continue
                unmarked = "name => document.latchkey !== name"
                if screen.name == acted and not (
                    await self._on_this_document(page, unmarked, acted) and await page.shown(screen.shown)
                ):
                    continue  # the one acted upon, or a document that came between the two looks
                return screen
            if await page.ease():
                deadline = asyncio.get_running_loop().time() + wait
            await asyncio.sleep(0.1)  # between two looks
        for screen in self.screens:
            if isinstance(screen.act, Stop) and screen.act.failure in FOR_A_PERSON and await page.shown(screen.shown):
                raise screen.act.failure(f"Nobody answered it within {wait:g} s.", step=page.trail.step)
        if attempt.submitted and acted is not None and await page.shown(self.credential_screens()):
            raise SignInTimedOut(f"No answer within {wait:g} s.", step=page.trail.step)
        raise PortalChanged(f"No known screen within {wait:g} s.", step=page.trail.step)

    async def _act(self, page: PortalPage, act: Act, attempt: Attempt) -> None:
        if isinstance(act, Stop):
            reason = "; ".join(await page.texts(act.reason)) if act.reason else ""
            raise act.failure(reason, step=page.trail.step)
        if isinstance(act, EnterCredentials):
            await attempt.second_factor.expect(self.code_kind())
            await page.type(act.username, attempt.credential.username)
            await page.type(act.password, attempt.credential.password)
            attempt.submitted = True
            await page.click(act.submit)
        elif isinstance(act, ChooseFactor):
            await attempt.second_factor.expect()
            await page.click(act.option)
            attempt.second_factor.sent()
            await page.click(act.send)
        elif isinstance(act, EnterCode):
            attempt.second_factor.sent()
            try:
                code = await attempt.second_factor.code(act.kind)
            except MfaRequired:
                if attempt.visible:
                    return  # the person types it
                raise
            await page.type(act.field, code)
            await page.click(act.submit)
        elif isinstance(act, OpenLink):
            attempt.second_factor.sent()
            try:
                link = self.trusted(await attempt.second_factor.code(act.kind))
            except MfaRequired:
                if attempt.visible:
                    return  # the person opens it
                raise
            attempt.link_opened = True
            status = await page.visit(link)
            if status >= 400:
                raise MfaFailed(f"The link was answered with {status}.", step=page.trail.step)
        elif isinstance(act, Dismiss):
            await page.click(act.click)

    def code_kind(self) -> str:
        """Return the one kind of code that the login asks for; empty where it may ask for several."""
        kinds = {screen.act.kind for screen in self.screens if isinstance(screen.act, (EnterCode, OpenLink))}
        return kinds.pop() if len(kinds) == 1 else ""

    async def guard(self, page: PortalPage) -> Identity:
        """Open the landing page of a session and return whose it is; raise SignedOut when it is nobody's."""
        page.begin("check the session")
        await page.open(self.home_address())
        done = tuple(s for screen in self.screens if isinstance(screen.act, Done) for s in screen.shown)
        await page.find(done)
        return await self.page_identity(page)

    async def sign_out(self, page: PortalPage) -> None:
        """Sign out from the landing page, and wait until the sign-in form is back."""
        page.begin("sign out")
        await page.open(self.home_address())
        for selectors in self.sign_out_clicks:
            await page.click(selectors)
        await page.find(self.credential_screens())

    async def page_identity(self, page: PortalPage) -> Identity:
        """Return whose session the page shows itself to be."""
        username = next(iter(await page.texts(self.shows_username)), "")
        name = next(iter(await page.texts(self.shows_name)), "")
        user = next(iter(await page.texts(self.shows_user)), "")
        return Identity(
            username=username or (user if "@" in user else ""),
            name=name or ("" if "@" in user else user),
            accounts=frozenset(await page.texts(self.shows_accounts)),
        )


def code_channels() -> dict[str, CodeChannel]:
    """Return, by login, how its one-time codes come: what the webhook reads messages with."""
    from scrapy.utils.misc import walk_modules_iter

    for _ in walk_modules_iter("scrapers.portals"):
        pass  # importing a portal registers its logins
    return {name: login.channel for name, login in Login.registry.items() if login.channel is not None}


# What only a browser understands: it cannot be looked for in an answer over plain HTTP.
IN_A_BROWSER_ONLY = re.compile(r"^(label|text|internal:\w+)=|>>|:(text|has-text|visible|right-of|left-of)\b")


def _select(response: TextResponse, selector: str) -> Sequence[Any]:
    if not isinstance(response, HtmlResponse) or IN_A_BROWSER_ONLY.search(selector):
        return ()
    return response.xpath(xpath) if (xpath := selector.removeprefix("xpath=")) != selector else response.css(selector)


def _shown(response: TextResponse, selectors: Selectors) -> bool:
    return any(_select(response, selector) for selector in selectors)


def _texts(response: TextResponse, selectors: Selectors) -> list[str]:
    for selector in selectors:
        if found := _select(response, selector):
            return [" ".join("".join(element.css("::text").getall()).split()) for element in found]
    return []


def _first_text(response: TextResponse, selectors: Selectors) -> str:
    return next(iter(_texts(response, selectors)), "")
