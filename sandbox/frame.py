"""
What all imitation portals share: a `Portal` with its state, counters, faults, people and sessions, served by aiohttp.

A portal is a package `sandbox/<word>/` whose `app.py` names its class `PORTAL`; the class states facts (scenarios,
origins, what can be configured) and gives routes. The frame counts, delays and disturbs every request before the
portal's handler sees it, and answers `/_sandbox/…` itself.
"""

from __future__ import annotations

import asyncio
import hashlib
import secrets
import time
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

from aiohttp import web
from aiohttp.typedefs import Handler

from sandbox import faults
from sandbox.admin import PREFIX, AdminPages
from sandbox.counters import Counters
from sandbox.messages import Gateway, Mail
from sandbox.signin import Codes, Passwords, Session, Sessions, Visits
from sandbox.state import State
from sandbox.users import User, mailbox, phone

FLUSH_SECONDS = 0.1
CONFIGURATION: dict[str, Any] = {
    "latency_ms": 0,  # added to every answer
    "limit": 0,  # requests in flight at once above which `over_limit` counts; 0 is none
    "limit_status": 0,  # answer those with this status; 0 answers them as any other
    "errors": [],  # [{"path": regular expression, "ordinals": [1, 2] or none for all, "fault": "500", "retry_after": 1}]
    "faults": {},  # {"seed": 7, "429": 0.05, "500": 0.05, "cut": 0.03, "retry_after": 1, "paths": "/documents", "most": 2}
    "session_requests": 0,  # requests that a session is good for; 0 is any number
    "session_seconds": 0,  # seconds that a session is good for; 0 is for ever
    "midway_requests": 5,  # requests of the first session in the scenario `signed-out-midway`
    "refusals_before_lock": 5,
    "code_seconds": 300,  # life of a one-time code
    "code_tries": 3,  # typed codes per code sent
    "late_seconds": 5,  # how late the message is in the scenario `code-late`
    "token_seconds": 900,  # life of a form's token
    "sms_url": "",  # where text messages are posted, instead of the address given at start
    "mail_url": "",  # where mails are posted, instead of the address given at start
    "mail_folder": "",  # a Maildir into which mails are put; {mailbox} in it stands for the receiver
    "sender": "",  # who text messages are from, instead of the portal's own
}


class Portal(ABC):
    """
    One imitation portal: what it remembers, counts and can be told. Subclasses state the facts and give the routes.

    state, counters, configuration, passwords, codes, visits, sessions: the parts, see their classes.
    urls: address by origin, as clients type it, without a slash at the end.
    """

    word: ClassVar[str]
    origins: ClassVar[Mapping[str, str]]  # origin (the main one is ""): environment variable that takes its address
    scenarios: ClassVar[Mapping[str, str]]  # user name's first part: what is seen; any other is an unknown user
    defaults: ClassVar[Mapping[str, Any]] = {}  # configuration beside the frame's, with its default
    sender: ClassVar[str] = "Portal"
    message: ClassVar[str] = "Your verification code is {code}. Do not share it."
    mail_sender: ClassVar[str] = "codes@portal.example"
    mail_subject: ClassVar[str] = "Your verification code"
    mail_message: ClassVar[str] = "Hello,\n\nplease use this code {code} to sign in. It is good for five minutes.\n"
    mail_message_french: ClassVar[str] = (
        "Bonjour,\n\nveuillez utiliser le code {code} pour ouvrir une session. Il est valide pendant cinq minutes.\n"
    )
    code_digits: ClassVar[int] = 6
    journal_query: ClassVar[frozenset[str]] = frozenset()  # query names without secrets: they may be in the journal

    def __init__(self, state: State, gateway: Gateway, urls: Mapping[str, str], own_hosts: bool = True) -> None:
        self.state, self.gateway, self.urls, self.own_hosts = state, gateway, urls, own_hosts
        self.secrets: dict[str, list[str]] = {"passwords": [], "codes": [], "cookies": [], "tokens": []}
        self.counters = Counters(state)
        self.faults = faults.Faults()
        self._connections: dict[object, asyncio.Event] = {}
        self._settings = state.table("frame")
        self.configuration = CONFIGURATION | dict(self.defaults) | self._settings.get("configuration", {})
        self.clock_offset = float(self._settings.get("clock", {}).get("offset", 0.0))
        self.passwords, self.codes = Passwords(self), Codes(self)
        self.visits, self.sessions = Visits(self), Sessions(self)

    @abstractmethod
    def routes(self, origin: str) -> Iterable[web.AbstractRouteDef]:
        """Return the routes of an origin."""

    # What handlers ask for

    def now(self) -> float:
        """Return the portal's time in Unix seconds: the system's, turned by what `/_sandbox/clock` was told."""
        return time.time() + self.clock_offset

    def cookie(self, name: str, origin: str = "") -> str:
        """Return the name of a cookie; with the portal's word where all portals are on one host."""
        return name if self.own_hosts else "_".join(filter(None, (self.word, origin, name)))

    def session(self, request: web.Request, origin: str = "") -> Session | None:
        """Return the live session of a request's cookie `session`, counting the request against its life."""
        session = self.sessions.use(request.cookies.get(self.cookie("session", origin)))
        if session is not None:
            mark(request, session)
        return session

    def send(self, user: User, code: str, sender: str = "", **how: Any) -> asyncio.Task[bool]:
        """Send a user a text message with a code; sender: another one than the portal's; `how` is that of Gateway.send."""
        sender = sender or self.configuration["sender"] or self.sender
        text = self.text_message(user).format(code=code)
        task = self.gateway.send(self.configuration["sms_url"], sender, phone(user.name), text, **how)
        task.add_done_callback(self._count_sent)
        return task

    def text_message(self, user: User) -> str:
        """Return what a user's text messages say, with `{code}` for the code."""
        return self.message

    def send_mail(self, user: User, code: str, sender: str = "", dated: float = 0.0, **how: Any) -> asyncio.Task[bool]:
        """Send a user a mail with a code, in the language and the form that the user's tags say; see `send` and `Mail`."""
        text = (self.mail_message_french if user.says("mail-french", "lang-fr") else self.mail_message).format(
            code=code
        )
        html = ""
        if user.says("mail-html"):
            lines = text.strip().replace(code, f"<strong>{code}</strong>").split("\n\n")
            html = f"<html><body><p>{'</p><p>'.join(lines)}</p></body></html>"
            text = ""
        mail = Mail(sender or self.mail_sender, mailbox(user.name), self.mail_subject, text, html, dated)
        configuration = self.configuration
        task = self.gateway.mail(configuration["mail_url"], configuration["mail_folder"], mail, **how)
        task.add_done_callback(self._count_sent)
        return task

    def new_code(self, by: str) -> str:
        """Make up a code that is sent by "sms" or "mail"."""
        return f"{secrets.randbelow(10**self.code_digits):0{self.code_digits}d}"

    def _count_sent(self, task: asyncio.Task[bool]) -> None:
        if not task.cancelled() and task.exception() is None and task.result():
            self.counters.add("codes_sent")

    def reveal(self, kind: str, secret: str) -> None:
        """Remember a secret in memory, for `/_sandbox/secrets`: a test looks for them where they must not be."""
        self.secrets[kind].append(secret)
        del self.secrets[kind][:-5000]

    # What the admin pages do

    def configure(self, changes: Mapping[str, Any]) -> str:
        """Merge changes into the configuration; return what is wrong as one sentence, and change nothing then."""
        unknown = sorted(set(changes) - set(self.configuration))
        if unknown:
            return f"The portal {self.word} has nothing to configure named {', '.join(unknown)}."
        merged = {**self.configuration, **changes}
        wrong = faults.check(merged)
        if not wrong:
            self.configuration = merged
            self._settings["configuration"] = {**self._settings.get("configuration", {}), **changes}
        return wrong

    def turn_clock(self, offset: float) -> None:
        """Set by how many seconds the portal's clock is ahead of the system's."""
        self.clock_offset = offset
        self._settings["clock"] = {"offset": offset}

    def reset(self) -> None:
        """Forget people, sessions, codes, counters, faults met and the portal's own tables; the configuration stays."""
        self.state.clear("frame")
        self.counters.fill()
        self.counters.journal.clear()
        self.faults.clear()
        self.turn_clock(0.0)
        for given in self.secrets.values():
            given.clear()

    # Serving

    def application(self, origin: str) -> web.Application:
        """Return the application of an origin, with the frame around the portal's handlers."""
        application = web.Application(middlewares=[self._around], client_max_size=2**20)
        application.add_routes(self.routes(origin))
        application.add_routes(AdminPages(self).routes())
        return application

    @web.middleware
    async def _around(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.path.startswith(PREFIX):
            return await handler(request)
        counters, began = self.counters, time.monotonic()
        self._connected(request)
        over = counters.entered() > (self.configuration["limit"] or float("inf"))
        route = request.match_info.route.resource
        counters.add_to("paths", f"{request.method} {route.canonical if route else '(unknown)'}")
        status = 500
        try:
            if self.configuration["latency_ms"]:
                await asyncio.sleep(self.configuration["latency_ms"] / 1000)
            response = await self._answer(request, handler, over)
            status = response.status
            self._count(response)
            return response
        except web.HTTPException as answer:
            status = answer.status
            raise
        finally:
            counters.left()
            counters.note(
                method=request.method,
                path=request.path,
                query={name: value for name, value in request.query.items() if name in self.journal_query},
                status=status,
                user=request.get("user", ""),
                session=request.get("session", ""),
                seconds=round(time.monotonic() - began, 4),
            )

    async def _answer(self, request: web.Request, handler: Handler, over: bool) -> web.StreamResponse:
        if over:
            self.counters.add("over_limit")
            if self.configuration["limit_status"]:
                return web.Response(status=self.configuration["limit_status"], headers={"Retry-After": "1"})
        fault = self.faults.of(request, self.configuration)
        if fault is not None and fault.kind != "cut":
            return await faults.answer(request, fault)
        response = await handler(request)
        if fault is not None and isinstance(response, web.Response):
            return await faults.cut_short(request, response)
        return response

    def _count(self, response: web.StreamResponse) -> None:
        if response.status == 200 and response.content_type == "text/html":
            self.counters.add("pages")
        if "Content-Disposition" in response.headers:
            self.counters.add("downloads")
        if isinstance(response, web.Response):  # a streamed one counts by itself, see `streamed`
            self.counters.add("bytes", response.content_length or 0)

    def streamed(self, count: int) -> None:
        """Count the bytes of an answer that a handler wrote piece by piece."""
        self.counters.add("bytes", count)

    def _connected(self, request: web.Request) -> None:
        """Count the connection while it lasts, and give the request an event that is set when it is lost."""
        gone = self._connections.setdefault(request.protocol, asyncio.Event())
        request["gone"] = gone
        self.counters.highest("connections_max", len(self._connections))

    def disconnected(self, connection: object) -> None:
        """Count a connection out; a connection that asked for admin pages only was never in."""
        gone = self._connections.pop(connection, None)
        if gone is not None:
            gone.set()


def mark(request: web.Request, session: Session) -> None:
    """Have the journal name the session (by a digest) and the user of a request."""
    request["user"], request["session"] = session.user.name, hashlib.sha256(session.key.encode()).hexdigest()[:8]
