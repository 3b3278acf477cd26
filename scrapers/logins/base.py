"""
The base of logins. A portal's `login.py` states its address and its screens: how each is recognised and what to do.

Subclasses run the sign-in: BrowserLogin in a browser page, FormLogin and ConversationLogin over plain HTTP.
"""

from __future__ import annotations

import asyncio
import logging
import re
from abc import abstractmethod
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
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
from scrapers.core.stated import PORTALS, modules_of
from scrapers.core.walls import Wall
from scrapers.logins.screens import (
    ChooseFactor,
    Done,
    EnterCode,
    EnterCredentials,
    OpenLink,
    Screen,
    is_shown,
    texts,
)

if TYPE_CHECKING:
    from playwright.async_api import Page

    from database.access.credentials import Credential
    from scrapers.core.page import PortalPage

T = TypeVar("T")
MAIL = re.compile(r"[^\s,;:<>()]+@[\w-]+(\.[\w-]+)+")
logger = logging.getLogger(__name__)


class SecondFactor(Protocol):
    """The source of one-time codes of one sign-in attempt, implemented by `middlewares.access.codes`."""

    deadlines: list[asyncio.Timeout]  # of the sign-in; suspended while waiting for the receiver

    def can_answer(self, kind: str) -> bool:
        """Return whether a code of that kind can be received or typed."""

    async def expect(self, kind: str = "") -> None:
        """Reserve the receiver, waiting for it; call this before the portal is made to send. kind: sms, mail; "" if unknown."""

    async def may_send(self) -> None:
        """Record, before the request that may make the portal send a code, that it may have; it survives a kill."""

    def sent(self) -> None:
        """Record that the portal was made to send a code."""

    async def code(self, kind: str = "", *, again: bool = False) -> str:
        """
        Return the code of that kind (totp, sms, mail; "" is any); raise MfaRequired or CodeNotReceived.

        again: the previous code was refused; raises MfaFailed when no person is at the prompt to type another.
        """

    async def choose(self, question: str, options: Sequence[str]) -> str:
        """Return the option that the person at the prompt chooses; empty without one."""


class Operator(Protocol):
    """The operator who finishes a sign-in from the control room, implemented by `middlewares.access.assisting`."""

    until: float  # by the loop's clock: when the operator's time ends; 0: it has not begun

    async def show(self, page: Page) -> None:
        """Let the operator see the page and act in it from now on; does nothing the second time."""


@dataclass
class Attempt:
    """One sign-in attempt: one row in the ledger, at most one submission of the password."""

    credential: Credential
    second_factor: SecondFactor
    visible: bool = False  # the browser is visible, and a person may finish the sign-in by hand
    operator: Operator | None = None  # a person may finish it from the control room
    left_to_person: bool = False  # what a page has asked for is theirs to answer: nothing is sent for it any more
    submitted: bool = False
    code_entered: bool = False
    link_opened: bool = False
    screens: list[str] = field(default_factory=list)

    @property
    def has_person(self) -> bool:
        """Whether a person may finish the sign-in."""
        return self.visible or self.operator is not None


@dataclass(frozen=True, slots=True)
class ShownIdentity:
    """The user data that a session's pages show. False when all of it is empty."""

    username: str = ""
    name: str = ""
    accounts: frozenset[str] = frozenset()
    subject: str = ""  # of the tokens; compared as its fingerprint with login and user

    def __bool__(self) -> bool:
        return bool(self.username or self.name or self.accounts or self.subject)


class LoginSettings(PortalSettings):
    """Base of every login's settings: the address of its sign-in, and who sends its codes."""

    url: Address = Field("", description="Address of the sign-in.")
    code_senders: str = Field("", description="Further senders of one-time codes.")


def _settings_of(login: type[Login]) -> type[LoginSettings]:
    """Return the settings class of a login: `<NAME>_URL`, by default the real portal's address."""

    class OwnSettings(LoginSettings):
        portal: ClassVar[str] = getattr(login, "portal", "")
        url: Address = Field(
            getattr(login, "url", ""),
            validation_alias=login.variable(),
            description=f"Address of the sign-in {login.name}; the origin of a stand-in is enough.",
        )
        code_senders: str = Field(
            "",
            validation_alias=login.senders_variable(),
            description=f"Senders of {login.name}'s one-time codes beside the known ones, separated by commas; * is any.",
        )
        if login.channel is not None and login.channel.kind == "link":
            link_hosts: str = Field(
                "",
                validation_alias=login.hosts_variable(),
                description=f"Hosts (https) or origins of links in {login.name}'s messages beside the known ones, separated by commas.",
            )

    return OwnSettings


@dataclass(frozen=True, slots=True)
class SignedIn:
    """The result of a sign-in or renewal: the session's state, the user data it shows, and its browser context."""

    state: dict[str, Any] = field(repr=False)  # cookies, storage, tokens
    shown: ShownIdentity
    user_agent: str = ""
    context: str = ""  # key of the browser context; "": the session is in no browser
    fresh: bool = True  # the credential was submitted, or the context was empty before: the sign-in is a proof


class PortalAccess(Protocol):
    """Sends a login's requests and flows in one session or sign-in, without retries."""

    key: str  # of the cookie jar and the browser context

    async def send(self, request: Request) -> Response:
        """Send a request with the cookies of the session; every error is raised as a Failure."""

    async def run(self, flow: Callable[[PortalPage], Awaitable[T]], url: str) -> T:
        """Run a flow in a browser page of the session and return its result; *url* is named where it fails."""

    def take_cookies(self) -> list[dict[str, Any]]:
        """Return the cookies that the portal has set, as Playwright writes them, and forget the jar."""


class Login:
    """Base of all logins. Every attribute is a fact about the portal; the kinds of login add how it is signed in to."""

    portal: ClassVar[str]
    name: ClassVar[str]
    url: ClassVar[str]  # the sign-in address; `<NAME>_URL` in the environment puts another in its place
    # An address that shows the signed-in user, relative to url, where the portal's facts know one; "": where the sign-in ended.
    home: ClassVar[str] = ""
    shared: ClassVar[bool] = False  # the session has no state at the portal: any number of runs may use it at once
    life: ClassVar[timedelta | None] = None  # maximum lifetime of a session; None: until the portal ends it
    channel: ClassVar[CodeChannel | None] = None  # how one-time codes come, where the portal sends any
    code_life: ClassVar[float] = 300  # seconds for which a code that was sent stays good
    code_pause: ClassVar[float] = 0  # seconds between two sign-ins, where the portal limits how often it sends codes
    always_asks: ClassVar[bool] = False  # every sign-in needs a one-time code; none begins unless one can be received
    secret_name: ClassVar[str] = "password"  # what users call the secret
    link_hosts: ClassVar[tuple[str, ...]] = ()  # allowed hosts of links in messages, besides the sign-in's own
    keeps_context: ClassVar[bool] = False  # the sign-in leaves a browser context, which holds the session
    # Regular expression for paths to which only signed-out users are sent, besides the address.
    signed_out_at: ClassVar[str] = ""
    probe: ClassVar[str] = ""  # path of a page that is opened to signed-in users only, wherever a sign-in ends
    # Regular expression of the names of the cookies by which the portal knows a trusted device; they outlive a session.
    device_cookies: ClassVar[str] = ""
    renewable: ClassVar[bool] = False  # a session that has ended is renewed without a sign-in
    # A request can show at any time which user a session belongs to: it is stored and reused before it is proved.
    proved_by_request: ClassVar[bool] = False
    keep: ClassVar[bool] = True  # at the end of a crawl the session is kept for the next one; False signs out
    screens: ClassVar[tuple[Screen, ...]] = ()
    interruptions: ClassVar[tuple[Interruption, ...]] = ()  # may appear on any later page
    wall: ClassVar[Wall | None] = None  # the bot wall that may come after any navigation
    # The portal may greet a browser without cookies as signed in: only what its page shows is a proof then.
    may_be_signed_in: ClassVar[bool] = False
    shows_username: ClassVar[Selectors] = ()
    shows_name: ClassVar[Selectors] = ()
    shows_user: ClassVar[Selectors] = ()  # a text that is a mail address for some users and a name for others
    shows_mail: ClassVar[
        Selectors
    ] = ()  # texts that may hold the user's mail address; looked at where nothing else names the user
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
    def senders_variable(cls) -> str:
        """Return the environment variable that names further senders of codes."""
        return f"{cls.name.upper()}_CODE_SENDERS"

    @classmethod
    def hosts_variable(cls) -> str:
        """Return the environment variable that names further hosts of links in messages, where codes are links."""
        return f"{cls.name.upper()}_LINK_HOSTS"

    @classmethod
    def code_channel(cls) -> CodeChannel | None:
        """Return how one-time codes come, with the senders that `<NAME>_CODE_SENDERS` adds (`*`: any); None for no codes."""
        if cls.channel is None:
            return None
        given = tuple(filter(None, (each.strip() for each in cls.settings.current().code_senders.split(","))))
        senders = () if "*" in given else (*cls.channel.senders, *given)
        return replace(cls.channel, senders=senders, portal=cls.portal)

    @classmethod
    def address(cls) -> str:
        """Return the sign-in address: the real portal's, unless `<NAME>_URL` names a stand-in (its origin is enough)."""
        given = cls.settings.current().url
        if given == cls.settings.model_fields["url"].default:
            return cls.url
        return given if urlsplit(given).path.strip("/") else urljoin(given, urlsplit(cls.url).path)

    @classmethod
    def home_address(cls) -> str:
        """Return the address that shows the signed-in user, where the portal's facts know one; "" where they do not."""
        return urljoin(cls.address(), cls.home) if cls.home else ""

    @classmethod
    def shows_user_at(cls, state: dict[str, Any]) -> str:
        """Return the address that shows the user of a session: where the sign-in ended, else `home`; "" if neither is known."""
        return landing(state) or cls.home_address()

    @classmethod
    def trusted(cls, link: str) -> str:
        """
        Return a link from a message.

        Raises CodeNotReceived unless its host is the sign-in's, one of `link_hosts`, or one of `<NAME>_LINK_HOSTS`.
        """
        given = str(getattr(cls.settings.current(), "link_hosts", "")).split(",")
        hosts = filter(None, (*cls.link_hosts, *(each.strip() for each in given)))
        origins = {_origin(host if "://" in host else f"https://{host}") for host in hosts} | {_origin(cls.address())}
        if _origin(link) not in origins:
            raise CodeNotReceived(
                "The link in the message leads to a host that the login does not state, and was not opened."
            )
        return link

    @classmethod
    def credential_screens(cls) -> Selectors:
        """Return the selectors of the sign-in form, which is shown to a signed-out user."""
        return tuple(s for screen in cls.screens if isinstance(screen.act, EnterCredentials) for s in screen.shown)

    def is_signed_out(self, response: Response) -> bool:
        """Return whether a response means that the session has ended: 401, a redirect to the sign-in address, or its form."""
        if response.status in (301, 302, 303, 307, 308):
            target = urljoin(response.url, (response.headers.get("Location") or b"").decode("latin-1"))
            path = urlsplit(target).path.rstrip("/")
            ended = bool(self.signed_out_at and re.search(self.signed_out_at, path))
            return ended or path == urlsplit(self.address()).path.rstrip("/")
        if response.status == 401:
            return True
        return (
            response.status == 200
            and isinstance(response, TextResponse)
            and is_shown(response, self.credential_screens())
        )

    def is_signed_in(self, response: Response) -> bool:
        """Return whether a response is a page of a signed-in user."""
        if response.status != 200 or self.is_signed_out(response):
            return False
        done = [screen for screen in self.screens if isinstance(screen.act, Done)]
        return isinstance(response, TextResponse) and any(
            is_shown(response, screen.shown) or screen.is_at(response.url) for screen in done
        )

    def device(self, state: dict[str, Any]) -> dict[str, Any]:
        """Return what of a session's state belongs to the trusted device; empty where the login states no such cookie."""
        names = re.compile(self.device_cookies or r"(?!)")
        cookies = [cookie for cookie in state.get("cookies", []) if names.search(cookie["name"])]
        return {"cookies": cookies} if cookies else {}

    def check(self, credential: Credential) -> None:
        """Raise CredentialMalformed for a credential that the portal would certainly refuse; it is not sent."""

    def user_of(self, credential: Credential) -> str:
        """Return the portal's name of the user: the credential's user name, unless a subclass overrides it."""
        return credential.username

    def needs_renewal(self, state: dict[str, Any]) -> bool:
        """Return whether a session must be renewed before it is used; False by default."""
        return False

    def authorize(self, request: Request, state: dict[str, Any]) -> None:
        """Add the session's headers to a request, such as a bearer token; does nothing by default."""

    @abstractmethod
    async def establish(self, portal: PortalAccess, attempt: Attempt) -> SignedIn:
        """Sign in, with at most one submission of the password."""

    async def fetch_code(self, portal: PortalAccess, credential: Credential, since: datetime) -> str | None:
        """
        Return the one-time code, for logins whose codes come by neither TOTP, message nor person: from an endpoint.

        A subclass that overrides this is asked in the place of messages and prompt, again and again until it returns a code or
        LATCHKEY_CODE_WAIT is over; None: there is none yet. since: when this sign-in began; older codes are
        not for it. Requests go out by `portal.send`; every failure of the endpoint is raised as a Failure.
        """
        return None

    @classmethod
    def fetches_codes(cls) -> bool:
        """Return whether the login gets its one-time codes by `fetch_code`."""
        return cls.fetch_code is not Login.fetch_code

    async def renew(self, portal: PortalAccess, state: dict[str, Any]) -> SignedIn:
        """Renew a session; raise ReauthenticationRequired when that needs a sign-in. For logins that are `renewable`."""
        raise TypeError(f"Sessions of {self.name} are not renewed.")

    @classmethod
    def can_leave(cls) -> bool:
        """Return whether the login states how to sign out at the portal."""
        return False

    async def leave(self, portal: PortalAccess, state: dict[str, Any]) -> None:
        """Sign out of a session at the portal; does nothing by default."""

    async def guard(self, page: PortalPage, address: str) -> None:
        """Open the page on which the sign-in ended (*address*) in a session; raise SignedOut when the session has ended."""
        raise TypeError(f"{self.name} has no pages.")

    async def has_ended(self, page: PortalPage, address: str) -> bool:
        """Look beside a page of a session whether the session has ended."""
        raise TypeError(f"{self.name} has no pages.")

    async def page_identity(self, page: PortalPage) -> ShownIdentity:
        """Return what a page of a session shows of its user."""
        raise TypeError(f"{self.name} has no pages.")

    async def is_signed_in_at(self, page: PortalPage) -> bool | None:
        """Return whether a page is a signed-in user's (True) or shows the sign-in form (False); None when neither comes."""
        raise TypeError(f"{self.name} has no pages.")

    async def join(self, page: PortalPage, attempt: Attempt) -> SignedIn:
        """Sign in where a visit's page shows the sign-in."""
        raise TypeError(f"{self.name} has no pages.")

    async def sign_out(self, page: PortalPage, address: str) -> None:
        """Sign out in a page of a session. address: where the sign-in ended."""
        raise TypeError(f"{self.name} has no pages.")

    def asks_for_code(self, screen: str) -> bool:
        """Return whether a screen asks for a one-time code, a link, or the choice of a factor."""
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
        shown = (
            texts(response, self.shows_username),
            texts(response, self.shows_name),
            texts(response, self.shows_user),
        )
        return identity_of(*shown, texts(response, self.shows_mail), texts(response, self.shows_accounts))


def identity_of(
    usernames: Sequence[str], names: Sequence[str], users: Sequence[str], mails: Sequence[str], accounts: Sequence[str]
) -> ShownIdentity:
    """Return the identity that a page shows: the first text of each `shows_…` of a login but of the last two."""
    username, name, user = (next(iter(each), "") for each in (usernames, names, users))
    if (mail := MAIL.search(user)) is not None:  # a greeting may stand beside it
        username = username or mail[0]
    else:
        name = name or user
    if not username and not name:
        username = next((found[0] for text in mails if (found := MAIL.search(text))), "")
    return ShownIdentity(username, name, frozenset(accounts))


def _origin(address: str) -> tuple[str, str]:
    """Return scheme and host with port of an address; that of a malformed one is like no other's."""
    try:
        parts = urlsplit(address)
    except ValueError:
        return "", address
    return parts.scheme, parts.netloc.casefold()


LANDING = "landing"  # in a session's state: the address on which the sign-in ended; "" where a form stood at it, too


def landing(state: dict[str, Any]) -> str:
    """Return the address on which the sign-in of a session ended; "" where it is not known."""
    return str(state.get(LANDING, ""))


def logins_of(portal: str) -> list[type[Login]]:
    """Return the logins of a portal by name, as far as its spiders or logins have been imported."""
    return sorted((each for each in Login.registry.values() if each.portal == portal), key=lambda each: each.name)


def code_channels(places: Iterable[str] = (PORTALS,)) -> dict[str, CodeChannel]:
    """Return the code channels by name of login, with which the webhook reads messages. places: SPIDER_MODULES."""
    for place in places:
        for _ in modules_of(place):
            pass  # importing a portal registers its logins
    found = {name: login.code_channel() for name, login in Login.registry.items()}
    return {name: channel for name, channel in found.items() if channel is not None}
