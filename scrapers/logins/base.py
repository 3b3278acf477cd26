"""
What a login is. A portal's `login.py` states facts: where, which screens, how each is recognised, what it means.

The base does the typing, waiting and deciding. BrowserLogin drives a page; FormLogin does the same over plain HTTP.
"""

from __future__ import annotations

import asyncio
import logging
from abc import abstractmethod
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, TypeVar
from urllib.parse import urljoin, urlsplit

from pydantic import Field
from scrapy import Request
from scrapy.http import Response, TextResponse

from database.access.codes import CodeChannel
from scrapers.core.outcomes import (
    CodeNotReceived,
)
from scrapers.core.page import Interruption, Selectors
from scrapers.core.settings import Address, PortalSettings
from scrapers.core.stated import PORTALS
from scrapers.logins.screens import (
    ChooseFactor,
    EnterCode,
    EnterCredentials,
    OpenLink,
    Screen,
    first_text,
    is_shown,
    texts,
)

if TYPE_CHECKING:
    from database.access.credentials import Credential
    from scrapers.core.page import PortalPage

T = TypeVar("T")
logger = logging.getLogger(__name__)


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

        again: the one before was refused; MfaFailed without a person who could type another.
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
class ShownIdentity:
    """What a session shows of its user. Empty means that it shows nothing."""

    username: str = ""
    name: str = ""
    accounts: frozenset[str] = frozenset()
    subject: str = ""  # of the tokens; where it is compared, its fingerprint with login and user

    def __bool__(self) -> bool:
        return bool(self.username or self.name or self.accounts or self.subject)


class LoginSettings(PortalSettings):
    """Base of every login's settings: the address of its sign-in."""

    url: Address = Field("", description="Address of the sign-in.")


def _settings_of(login: type[Login]) -> type[LoginSettings]:
    """Return the settings class of a login: `<NAME>_URL`, whose default is the real portal's address."""

    class OwnSettings(LoginSettings):
        portal: ClassVar[str] = getattr(login, "portal", "")
        url: Address = Field(
            getattr(login, "url", ""),
            validation_alias=login.variable(),
            description=f"Address of the sign-in {login.name}; the origin of a stand-in is enough.",
        )

    return OwnSettings


@dataclass(frozen=True, slots=True)
class SignedIn:
    """What a sign-in or a renewal leaves: the session's state, what it shows of its user, the browser context that holds it."""

    state: dict[str, Any] = field(repr=False)  # cookies, storage, tokens
    shown: ShownIdentity
    user_agent: str = ""
    context: str = ""  # key of the browser context; "": the session is in no browser


class PortalAccess(Protocol):
    """How a login reaches its portal, in one session or sign-in. Nothing is sent twice."""

    key: str  # of the cookie jar and the browser context

    async def send(self, request: Request) -> Response:
        """Send a request with the cookies of the session; raises a Failure, whatever goes wrong."""

    async def run(self, flow: Callable[[PortalPage], Awaitable[T]], url: str) -> T:
        """Run a flow in a browser page of the session and return its result; *url* is named where it fails."""

    def take_cookies(self) -> list[dict[str, Any]]:
        """Return the cookies that the portal has set, as Playwright writes them, and forget the jar."""


class Login:
    """Base of all logins. Every attribute is a fact about the portal; the kinds of login add how it is signed in to."""

    portal: ClassVar[str]
    name: ClassVar[str]
    url: ClassVar[str]  # the sign-in address; `<NAME>_URL` in the environment puts another in its place
    home: ClassVar[str] = ""  # where a signed-in user lands, relative to url; empty means url itself
    shared: ClassVar[bool] = False  # requests carry everything themselves: any number of runs side by side
    life: ClassVar[timedelta | None] = None  # how long a session lasts at most; None: until the portal says so
    channel: ClassVar[CodeChannel | None] = None  # how one-time codes come, where the portal sends any
    code_life: ClassVar[float] = 300  # seconds for which a code that was sent stays good
    code_pause: ClassVar[float] = 0  # seconds between two sign-ins, where the portal limits how often it sends codes
    always_asks: ClassVar[bool] = False  # no sign-in without a one-time code: none is begun without a way to get it
    secret_name: ClassVar[str] = "password"  # what people call the secret that is typed
    link_hosts: ClassVar[tuple[str, ...]] = ()  # where links in messages may lead, beside the sign-in's own host
    keeps_context: ClassVar[bool] = False  # the sign-in leaves a browser context, which holds the session
    renewable: ClassVar[bool] = False  # a session that has ended is renewed without a sign-in
    # The portal can be asked at any time which user a session belongs to: it is stored, and reused, before it is proved.
    proved_by_request: ClassVar[bool] = False
    keep: ClassVar[bool] = True  # at the end of a crawl the session is kept for the next one; False signs out
    screens: ClassVar[tuple[Screen, ...]] = ()
    interruptions: ClassVar[tuple[Interruption, ...]] = ()  # may appear on any later page
    shows_username: ClassVar[Selectors] = ()
    shows_name: ClassVar[Selectors] = ()
    shows_user: ClassVar[Selectors] = ()  # a text that is a mail address for some users and a name for others
    shows_accounts: ClassVar[Selectors] = ()

    registry: ClassVar[dict[str, type[Login]]] = {}
    settings: ClassVar[type[LoginSettings]] = LoginSettings  # made for every login that has a name

    def __init_subclass__(cls, **kwargs: object) -> None:
        """Register every login that has a name."""
        super().__init_subclass__(**kwargs)
        if "name" in vars(cls):
            Login.registry[cls.name] = cls
            cls.settings = _settings_of(cls)

    @classmethod
    def variable(cls) -> str:
        """Return the environment variable that puts another address in the place of the sign-in's."""
        return f"{cls.name.upper()}_URL"

    @classmethod
    def address(cls) -> str:
        """Return the sign-in address: the real portal's, unless `<NAME>_URL` names a stand-in (its origin is enough)."""
        given = cls.settings.current().url
        if given == cls.settings.model_fields["url"].default:
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
        """Return the selectors of the sign-in form, which is shown to a signed-out user."""
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
            and is_shown(response, self.credential_screens())
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

    @abstractmethod
    async def establish(self, portal: PortalAccess, attempt: Attempt) -> SignedIn:
        """Sign in, with at most one submission of the password."""

    async def renew(self, portal: PortalAccess, state: dict[str, Any]) -> SignedIn:
        """Renew a session; raise ReauthenticationRequired when that needs a sign-in. For logins that are `renewable`."""
        raise TypeError(f"Sessions of {self.name} are not renewed.")

    async def leave(self, portal: PortalAccess) -> None:
        """Sign out at the portal, where the login knows how."""

    async def guard(self, page: PortalPage) -> ShownIdentity:
        """Open the landing page of a session and return what it shows of its user; raise SignedOut when it has ended."""
        raise TypeError(f"{self.name} has no pages.")

    def asks_for_code(self, screen: str) -> bool:
        """Tell whether a screen of that name asks for a one-time code, or for the way by which it comes."""
        return any(s.name == screen and isinstance(s.act, (ChooseFactor, EnterCode, OpenLink)) for s in self.screens)

    def subject(self, state: dict[str, Any]) -> str:
        """Return the subject of a session's tokens, which names its user; "" where it has none that was verified."""
        return ""

    def secrets(self, state: dict[str, Any]) -> tuple[str, ...]:
        """Return the secrets of a session's state beside its cookies and storage."""
        return ()

    def identity(self, response: Response) -> ShownIdentity:
        """Return what a page shows of the session's user."""
        if not isinstance(response, TextResponse) or response.status != 200:
            return ShownIdentity()
        user = first_text(response, self.shows_user)
        return ShownIdentity(
            username=first_text(response, self.shows_username) or (user if "@" in user else ""),
            name=first_text(response, self.shows_name) or ("" if "@" in user else user),
            accounts=frozenset(texts(response, self.shows_accounts)),
        )


def code_channels(places: Iterable[str] = (PORTALS,)) -> dict[str, CodeChannel]:
    """Return, by login, how its one-time codes come: what the webhook reads messages with. places: SPIDER_MODULES."""
    from scrapy.utils.misc import walk_modules_iter

    for place in places:
        for _ in walk_modules_iter(place):
            pass  # importing a portal registers its logins
    return {
        name: replace(login.channel, portal=login.portal)
        for name, login in Login.registry.items()
        if login.channel is not None
    }
