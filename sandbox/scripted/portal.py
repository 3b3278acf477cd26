"""How scripted pages are served: empty documents, the calls of their script, files, and what every session counts."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from aiohttp import web

from sandbox.frame import Portal
from sandbox.messages import Gateway
from sandbox.portal import mark
from sandbox.scripted import downloads, overlays
from sandbox.scripted.call import YEAR, Call, Reply
from sandbox.scripted.state import ScriptedState
from sandbox.signin import Session
from sandbox.state import State

Page = Callable[[Call], Reply]
Act = Callable[[Call], Awaitable[Reply | web.StreamResponse]]
POLL_SECONDS = 20


@dataclass(frozen=True)
class Origin:
    """
    The pages and acts of one origin, by name.

    first: the page to which the bare address leads. home: where a sign-in ends. sign_in: pages that a signed-in user does
    not see; the first is where a sign-in begins. before: all pages that need no session. quiet: acts that pages ask by
    themselves, so that they are not counted against the session's life.
    """

    first: str
    pages: Mapping[str, Page]
    home: str = "Home"
    sign_in: tuple[str, ...] = ()
    before: tuple[str, ...] = ()
    acts_before: Mapping[str, Act] = field(default_factory=dict)
    acts: Mapping[str, Act] = field(default_factory=dict)
    quiet: Mapping[str, Act] = field(default_factory=dict)


async def accept_cookies(call: Call) -> Reply:
    """Remember that the cookie banner was answered."""
    call.set_cookie("consent", "all", YEAR)
    return {}


ACTS_BEFORE: dict[str, Act] = {"accept-cookies": accept_cookies}
QUIET: dict[str, Act] = {"close-promo": overlays.close("promo"), "close-feedback": overlays.close("feedback")}


class ScriptedPortal(ScriptedState, Portal):
    """
    A portal whose documents are empty until their script has asked what to draw.

    parts: its origins. doors: (origin, page) of addresses that are known and lead on, whatever address the page has.
    """

    parts: ClassVar[Mapping[str, Origin]]
    doors: ClassVar[frozenset[tuple[str, str]]] = frozenset()
    main: ClassVar[str] = "main"  # what the main origin is called where it is counted
    landing_known: ClassVar[bool] = False  # a sign-in never ends at the address at which it began
    scripted = True
    html_in_json = frozenset({"body", "show", "html", "menu"})

    def __init__(self, state: State, gateway: Gateway, urls: Mapping[str, str], own_hosts: bool = True) -> None:
        super().__init__(state, gateway, urls, own_hosts)
        self._open_pages: dict[tuple[str, str], list[str]] = {}  # (origin, session) -> its tabs

    # What a portal may have of its own

    def lost(self, call: Call, name: str) -> bool:
        """Whether a page finds its session lost though it is alive."""
        return False

    def signed_out(self, call: Call) -> Reply:
        """Return what a page shows whose session is over."""
        part = self.parts[""]
        return overlays.session_over(call, f"{self.urls['']}{self.site.bases['']}/{part.sign_in[0]}")

    async def instead_of_document(self, request: web.Request, origin: str) -> web.StreamResponse | None:
        """Return what stands in the place of a document, if anything does; called before all else."""
        return None

    def unsigned(self, request: web.Request, origin: str) -> str:
        """Return where a document leads a browser that has no session; "" for nowhere."""
        return ""

    def scripts_of(self, origin: str, name: str) -> tuple[str, ...]:
        """Return the static scripts that the document of a page brings before the page script."""
        return ()

    def secret_of(self, request: web.Request, origin: str) -> str | None:
        """Return the cookie, or the token of sessionStorage, that stands for a session."""
        return request.headers.get("X-Portal-Token") or request.cookies.get(self.cookie("session", origin))

    def admits(self, session: Session, request: web.Request, origin: str) -> bool:
        """Whether a session is good at an origin."""
        return True

    # Routes

    def routes(self, origin: str) -> Iterable[web.AbstractRouteDef]:
        """Return the routes of an origin."""
        base = self.site.bases[origin]

        def of(handler: Callable[[web.Request, str], Awaitable[web.StreamResponse]]) -> Any:
            async def handle(request: web.Request) -> web.StreamResponse:
                return await handler(request, origin)

            return handle

        return [
            *[web.get(path, of(self.start)) for path in sorted({"/", base, f"{base}/"} - {""})],
            web.get(base + "/static/late.js", self.late),
            web.get(base + "/static/{name:[a-z]+\\.(js|css)}", self.static),
            web.get(base + "/recaptcha/{kind:anchor|bframe}", self.captcha),
            web.get(base + "/Unavailable", self.unavailable),
            web.get(base + "/api/page", of(self.page)),
            web.get(base + "/api/events", of(self.events)),
            web.post(base + "/api/act/{name}", of(self.act)),
            *[
                web.get(f"{base}/{path}", self.download if name == downloads.PAGE else of(self.document))
                for path, name in self.site.aliases[origin].paths
            ],
        ]

    async def start(self, request: web.Request, origin: str) -> web.StreamResponse:
        """Send the bare address to the first page."""
        self.session_of(request, origin)
        raise web.HTTPFound(self.site.address(origin, self.parts[origin].first, self.perturbation_for(request)))

    async def document(self, request: web.Request, origin: str) -> web.StreamResponse:
        """Return the empty document of a page; its script asks for the rest."""
        if self.configuration["maintenance"]:
            return await self.unavailable(request)
        session = self.session_of(request, origin)
        self._note_visitor(request, origin)
        other = await self.instead_of_document(request, origin)
        if other is not None:
            return other
        shown = request.path.removeprefix(self.site.bases[origin] + "/")
        if request.get("user") and not self.site.aliases[origin].is_served(self.perturbation_for(request), shown):
            if (origin, shown) not in self.doors:
                raise web.HTTPNotFound
            return await self.start(request, origin)
        if session is None and (address := self.unsigned(request, origin)):
            raise web.HTTPFound(address)
        most = self.configuration["rate_limited_pages"]
        for word, headers in (("rate-limited", {"Retry-After": "1"}), ("rate-limited-bare", {})):
            if session is not None and self.troubled(session.user, word, most=most):
                return web.Response(status=429, headers=headers, text="<h1>Too many requests</h1>")
        scripts = self.scripts_of(origin, self.site.name(origin, request.path))
        html = self.site.render("shell", base=self.site.bases[origin], scripts=scripts)
        return web.Response(text=html, content_type="text/html", headers={"Cache-Control": "no-store"})

    async def page(self, request: web.Request, origin: str) -> web.StreamResponse:
        """Answer the script of a page with what to draw."""
        part, path = self.parts[origin], request.query.get("path", "")
        name = self.site.name(origin, path)
        if name not in part.pages:
            raise web.HTTPNotFound
        before = name in part.before
        self._note_visitor(request, origin)
        call = Call(self, request, origin, path, self.session_of(request, origin, count=not before))
        if name in part.sign_in and call.session is not None:
            if self.landing_known or name != part.sign_in[0] or not overlays.stays(call):
                return self._answer_call(call, {"go": call.at(part.home)})
            name, before = part.home, False
        if before:
            call.session = None
            return self._answer_call(call, {"delay": call.delay} | part.pages[name](call))
        if call.session is None or self.lost(call, name):
            return self._answer_call(call, self.signed_out(call))
        if call.user.says("maintenance"):
            raise web.HTTPServiceUnavailable
        drawn = overlays.instead(call) or part.pages[name](call) | overlays.overlay(call, name)
        return self._answer_call(call, {"delay": call.delay, "csrf": call.token()} | drawn)

    async def act(self, request: web.Request, origin: str) -> web.StreamResponse:
        """Answer what a person did on a page."""
        part, name = self.parts[origin], request.match_info["name"]
        values = await _values(request)
        path = request.headers.get("X-Page", "")
        self._note_visitor(request, origin)
        before = ACTS_BEFORE | dict(part.acts_before)
        if name in before:
            call = Call(self, request, origin, path, None, values)
            return self._answer_call(call, await before[name](call))
        quiet = QUIET | dict(part.quiet)
        passing = {word: overlays.pass_policy(part.home) for word in ("accept-policy", "postpone-policy")}
        act = (passing | dict(part.acts) | quiet).get(name)
        if act is None:
            raise web.HTTPNotFound
        call = Call(self, request, origin, path, self.session_of(request, origin, count=name not in quiet), values)
        if call.session is None:
            return self._answer_call(call, self.signed_out(call))
        if request.headers.get("X-CSRF-Token") != call.token():
            raise web.HTTPForbidden
        return self._answer_call(call, await act(call))

    async def events(self, request: web.Request, origin: str) -> web.StreamResponse:
        """Hang, as the portal's news channel does, and so tell how many pages a session has open at once."""
        session = self.session_of(request, origin)
        key = (origin, session.key if session else "")
        tabs = self._open_pages.setdefault(key, [])
        tab = request.query.get("tab", "")
        tabs.append(tab)
        if session is not None:
            self.counters.highest(f"{origin or self.main}_pages_open_max", len(set(tabs)))
        deadline = asyncio.get_running_loop().time() + POLL_SECONDS
        try:
            while asyncio.get_running_loop().time() < deadline:
                if request.transport is None or request.transport.is_closing():
                    break
                await asyncio.sleep(0.05)
        finally:
            tabs.remove(tab)
            if not tabs:
                self._open_pages.pop(key, None)
        return web.json_response({})

    async def download(self, request: web.Request) -> web.StreamResponse:
        """Answer a ticket with its file."""
        return await downloads.hand_out(self, request)

    async def late(self, request: web.Request) -> web.StreamResponse:
        """Hold the document's `load` back."""
        await asyncio.sleep(self.configuration["load_ms"] / 1000)
        return web.Response(content_type="text/javascript", headers={"Cache-Control": "no-store"})

    async def static(self, request: web.Request) -> web.StreamResponse:
        """Return a script or a style sheet."""
        path = self.site.static(request.match_info["name"])
        if path is None:
            raise web.HTTPNotFound
        return web.FileResponse(path, headers={"Cache-Control": "no-cache"})

    async def captcha(self, request: web.Request) -> web.StreamResponse:
        """Return the content of the reCAPTCHA frames."""
        text = "Select all squares with umbrellas" if request.match_info["kind"] == "bframe" else "protected"
        return web.Response(text=self.site.render("captcha", text=text), content_type="text/html")

    async def unavailable(self, request: web.Request) -> web.StreamResponse:
        """Return the maintenance page."""
        return web.Response(status=503, text=self.site.render("unavailable"), content_type="text/html")

    def session_of(self, request: web.Request, origin: str, count: bool = False) -> Session | None:
        """Return the session of a request at an origin; count: one request against its life."""
        secret = self.secret_of(request, origin)
        if not secret:
            return None
        key = self.session_key(origin, secret)
        session = self.sessions.by_key(key, count)
        if session is None and not request.get("user"):
            request["user"] = self.sessions.former_user(key)
        if session is None or not self.admits(session, request, origin):
            return None
        mark(request, session)
        return session

    def _note_visitor(self, request: web.Request, origin: str) -> None:
        """Note who has shown a password in this browser and is not signed in yet."""
        visit = self.visits.find(request.cookies.get(self.cookie("visit", origin)))
        if visit and self.visits.row(visit)["user"]:
            request["user"] = self.visits.row(visit)["user"]

    def _answer_call(self, call: Call, reply: Reply | web.StreamResponse) -> web.StreamResponse:
        if isinstance(reply, web.StreamResponse):
            return reply
        told = reply | overlays.screens(call, reply, self.parts[call.origin].sign_in)
        response = web.json_response(told, headers={"Cache-Control": "no-store"})
        for name, (value, seconds) in call.cookies.items():
            response.set_cookie(
                self.cookie(name, call.origin), value, max_age=seconds, path="/", httponly=True, samesite="Lax"
            )
        return response


async def _values(request: web.Request) -> dict[str, Any]:
    try:
        said = json.loads(await request.text() or "{}")
    except ValueError:
        raise web.HTTPBadRequest from None
    if not isinstance(said, dict):
        raise web.HTTPBadRequest
    return said
