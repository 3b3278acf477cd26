"""The portal Bell: documents that are empty until their script has asked, the calls of that script, and its counters."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any, ClassVar

from aiohttp import web

from sandbox.admin import PREFIX
from sandbox.bell import (
    analytics,
    business_portal,
    downloads,
    enterprise_centre,
    ereports,
    exports,
    invoice,
    landing,
    signing,
    usage,
)
from sandbox.bell.call import Call, Reply
from sandbox.bell.pages import ALIASES, BASE, FOLDER, FOREVER, render
from sandbox.bell.state import BellState
from sandbox.frame import Portal
from sandbox.messages import Gateway
from sandbox.portal import mark
from sandbox.signin import Session, digest
from sandbox.state import State

Page = Callable[[Call], Reply]
Act = Callable[[Call], Awaitable[Reply | web.StreamResponse]]

PAGES: dict[str, dict[str, Page]] = {
    "": {
        "Login": signing.sign_in_page,
        "Verify": signing.verify_page,
        "Home": landing.home,
        "Usage/Details": usage.details,
        "Billing/DownloadPDF": invoice.choose,
        "Billing/Prepare": invoice.prepared,
    },
    "ereports": {
        "Enter": ereports.enter,
        "Home": ereports.home,
        "StandardReports": ereports.standard_reports,
    },
    "enterprise_centre": {
        "Home": enterprise_centre.home,
        "MyReports/Service": enterprise_centre.service_reports,
        "Analytics": analytics.start,
    },
    "business_portal": {
        "Login": business_portal.sign_in_page,
        business_portal.OTP: business_portal.otp_page,
    },
}
FIRST_PAGE = {"": "Login", "ereports": "Home", "enterprise_centre": "Home", "business_portal": "Login"}
BEFORE_SIGN_IN = {
    "": ("Login", "Verify"),
    "ereports": ("Enter",),
    "enterprise_centre": (),
    "business_portal": ("Login", business_portal.OTP),
}
ACTS_BEFORE_SIGN_IN: dict[str, dict[str, Act]] = {
    "": {
        "sign-in": signing.sign_in,
        "send-code": signing.send_code,
        "check-code": signing.check_code,
        "cancel-code": signing.cancel_code,
        "accept-cookies": signing.accept_cookies,
    },
    "ereports": {"accept-cookies": signing.accept_cookies},
    "enterprise_centre": {"accept-cookies": signing.accept_cookies},
    "business_portal": {
        "sign-in": business_portal.sign_in,
        "check-passcode": business_portal.check_code,
    },
}
ACTS: dict[str, dict[str, Act]] = {
    "": {
        "log-out": signing.log_out,
        "find-account": landing.find_account,
        "choose-account": landing.choose_account,
        "accept-policy": landing.pass_policy,
        "postpone-policy": landing.pass_policy,
        "filter": usage.choose_filter,
        "download-usage": usage.download,
        "invoice-part": invoice.choose_part,
        "invoice-month": invoice.choose_months,
        "prepare-invoice": invoice.prepare,
        "download-invoice": invoice.download,
        "open-ereports": ereports.open_reports,
    },
    "ereports": {
        "apply-report": ereports.apply_report,
        "ask-report": ereports.ask_report,
        "download-report": ereports.download,
    },
    "enterprise_centre": {
        "leave-centre": enterprise_centre.log_out,
        "accept-policy": landing.pass_policy,
        "postpone-policy": landing.pass_policy,
        "workspace": analytics.workspace,
        "shared": analytics.shared,
        "open-folder": analytics.open_folder,
        "open-workbook": analytics.open_workbook,
        "choose-filter-month": analytics.choose_month,
        "choose-filter-accounts": analytics.choose_accounts,
        "apply-filters": analytics.apply_filters,
        "toggle-automatic": analytics.toggle_automatic,
        "export": analytics.export,
        "dismiss": exports.dismiss,
        "download-export": exports.download,
    },
    "business_portal": {},
}
# What pages ask by themselves: no request of a person, so it is not counted against the session's life.
CLOSING: dict[str, Act] = {"close-promo": landing.close("promo"), "close-feedback": landing.close("feedback")}
QUIET_ACTS: dict[str, dict[str, Act]] = {
    "": {"pools": usage.show_pools, "invoice-ready": invoice.ready, **CLOSING},
    "ereports": {"report-status": ereports.status, **CLOSING},
    "enterprise_centre": {"show-workbook": analytics.show_workbook, "notifications": exports.show, **CLOSING},
    "business_portal": {},
}
POLL_SECONDS = 20


class Bell(BellState, Portal):
    """Bell's Corporate Self Serve with its e-reports, and the Enterprise Centre with the business portal that signs in for it."""

    origins: ClassVar[Mapping[str, str]] = {
        "": "BELL_SELF_SERVE_URL",
        "ereports": "BELL_EREPORTS_URL",
        "enterprise_centre": "BELL_ENTERPRISE_CENTRE_URL",
        "business_portal": "BELL_BUSINESS_PORTAL_URL",
    }

    scripted = True
    html_in_json = frozenset({"body", "show", "html", "menu"})

    def __init__(self, state: State, gateway: Gateway, urls: Mapping[str, str], own_hosts: bool = True) -> None:
        super().__init__(state, gateway, urls, own_hosts)
        self._open_pages: dict[tuple[str, str], list[str]] = {}  # (origin, session) -> its tabs

    def configure(self, changes: Mapping[str, Any]) -> str:
        """Check planted notifications, and note when each came."""
        changes = dict(changes)
        if "notifications" in changes:
            wrong = exports.check_planted(changes["notifications"])
            if wrong:
                return wrong
            changes["notifications"] = exports.stamp(self, changes["notifications"])
        return super().configure(changes)

    def routes(self, origin: str) -> Iterable[web.AbstractRouteDef]:
        """Return the routes of an origin."""
        base = BASE[origin]

        def of(handler: Callable[[web.Request, str], Awaitable[web.StreamResponse]]) -> Any:
            async def handle(request: web.Request) -> web.StreamResponse:
                return await handler(request, origin)

            return handle

        return [
            web.get("/", of(self.start)),
            web.get(base, of(self.start)),
            web.get(base + "/", of(self.start)),
            web.get(base + "/static/late.js", self.late),
            web.get(base + "/static/menu.js", of(self.menu)),
            web.get(base + "/static/{name:[a-z]+\\.(js|css)}", self.static),
            web.get(base + "/recaptcha/{kind:anchor|bframe}", self.captcha),
            web.get(base + "/Unavailable", self.unavailable),
            web.get(base + "/api/page", of(self.page)),
            web.get(base + "/api/events", of(self.events)),
            web.post(base + "/api/act/{name}", of(self.act)),
            *[
                web.get(f"{base}/{path}", self.download if name == "Download" else of(self.document))
                for path, name in ALIASES[origin].paths
            ],
            *self._saml_routes(origin),
            web.get(f"{PREFIX}exports", self.show_exports),
        ]

    async def show_exports(self, request: web.Request) -> web.Response:
        """Tell what each user exported and dismissed: the ids of the notifications, those asked for in order."""
        told: dict[str, dict[str, list[str]]] = {}
        for user, row in self.state.table("exports").items():
            told.setdefault(user, {"asked": [], "dismissed": []})["asked"] = [each["id"] for each in row["entries"]]
        for user, row in self.state.table("dismissed").items():
            told.setdefault(user, {"asked": [], "dismissed": []})["dismissed"] = row["ids"]
        return web.json_response(told)

    def _saml_routes(self, origin: str) -> Iterable[web.AbstractRouteDef]:
        def of(handler: Callable[[Bell, web.Request], Awaitable[web.StreamResponse]]) -> Any:
            async def handle(request: web.Request) -> web.StreamResponse:
                return await handler(self, request)

            return handle

        base = BASE[origin]
        if origin == "enterprise_centre":
            yield web.get(base + "/saml/login", of(enterprise_centre.ask))
            yield web.post(base + "/saml/acs", of(enterprise_centre.consume))
        if origin == "business_portal":
            yield web.post(base + "/SSO", of(business_portal.receive))
            yield web.get(base + "/Return", of(business_portal.give_back))

    async def start(self, request: web.Request, origin: str) -> web.StreamResponse:
        """Send the bare address to the first page."""
        self._session(request, origin)
        shown = ALIASES[origin].shown(self.perturbation_for(request), FIRST_PAGE[origin])
        raise web.HTTPFound(f"{BASE[origin]}/{shown}")

    async def document(self, request: web.Request, origin: str) -> web.StreamResponse:
        """Return the empty document of a page; its script asks for the rest."""
        if self.configuration["maintenance"]:
            return await self.unavailable(request)
        session = self._session(request, origin)
        self._note_visitor(request, origin)
        shown = request.path.removeprefix(BASE[origin] + "/")
        if request.get("user") and not ALIASES[origin].is_served(self.perturbation_for(request), shown):
            if (origin, shown) != ("enterprise_centre", "Home"):
                raise web.HTTPNotFound
            return await self.start(request, origin)  # where the business portal leads back to
        if origin == "enterprise_centre" and session is None:
            raise web.HTTPFound(enterprise_centre.sign_in_address(request.path))
        most = self.configuration["rate_limited_pages"]
        for word, headers in (("rate-limited", {"Retry-After": "1"}), ("rate-limited-bare", {})):
            if session is not None and self.troubled(session.user, word, most=most):
                return web.Response(status=429, headers=headers, text="<h1>Too many requests</h1>")
        menu_script = origin == "ereports" and ALIASES[origin].name(shown) != "Enter"
        html = render("shell", base=BASE[origin], menu_script=menu_script)
        return web.Response(text=html, content_type="text/html", headers={"Cache-Control": "no-store"})

    async def page(self, request: web.Request, origin: str) -> web.StreamResponse:
        """Answer the script of a page with what to draw."""
        path = request.query.get("path", "")
        name = ALIASES[origin].name(path.partition("?")[0].removeprefix(BASE[origin] + "/"))
        if name not in PAGES[origin]:
            raise web.HTTPNotFound
        before = name in BEFORE_SIGN_IN[origin]
        self._note_visitor(request, origin)
        call = Call(self, request, origin, path, self._session(request, origin, count=not before))
        if name in ("Login", "Verify") and call.session is not None:
            if name != "Login" or not landing.stays(call):
                return self._answer_call(call, {"go": call.at("Home")})
            name, before = "Home", False
        if before:
            call.session = None
            return self._answer_call(call, {"delay": call.delay} | PAGES[origin][name](call))
        if call.session is None or (name == "Analytics" and call.data["lost_tab"]):
            return self._answer_call(call, self._signed_out(call))
        if call.user.says("maintenance"):
            raise web.HTTPServiceUnavailable
        drawn = landing.instead(call) or PAGES[origin][name](call) | landing.overlay(call, name)
        return self._answer_call(call, {"delay": call.delay, "csrf": call.token()} | drawn)

    async def act(self, request: web.Request, origin: str) -> web.StreamResponse:
        """Answer what a person did on a page."""
        name = request.match_info["name"]
        values = await _values(request)
        path = request.headers.get("X-Page", "")
        self._note_visitor(request, origin)
        if name in ACTS_BEFORE_SIGN_IN[origin]:
            call = Call(self, request, origin, path, None, values)
            return self._answer_call(call, await ACTS_BEFORE_SIGN_IN[origin][name](call))
        quiet = name in QUIET_ACTS[origin]
        act = ACTS[origin].get(name) or QUIET_ACTS[origin].get(name)
        if act is None:
            raise web.HTTPNotFound
        call = Call(self, request, origin, path, self._session(request, origin, count=not quiet), values)
        if call.session is None:
            return self._answer_call(call, self._signed_out(call))
        if request.headers.get("X-CSRF-Token") != call.token():
            raise web.HTTPForbidden
        return self._answer_call(call, await act(call))

    async def events(self, request: web.Request, origin: str) -> web.StreamResponse:
        """Hang, as the portal's news channel does, and so tell how many pages a session has open at once."""
        session = self._session(request, origin)
        key = (origin, session.key if session else "")
        tabs = self._open_pages.setdefault(key, [])
        tab = request.query.get("tab", "")
        tabs.append(tab)
        if session is not None:
            self.counters.highest(f"{origin or 'self_serve'}_pages_open_max", len(set(tabs)))
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

    async def menu(self, request: web.Request, origin: str) -> web.StreamResponse:
        """Return the script that draws the e-reports' menu, for the browser to keep a day: the stale one too."""
        stale = request.cookies.get(self.cookie("layout", origin)) == "stale"
        text = (FOLDER / "static" / ("menu-stale.js" if stale else "menu.js")).read_text()
        headers = {"Cache-Control": f"max-age={FOREVER}"}
        return web.Response(text=text, content_type="text/javascript", headers=headers)

    async def static(self, request: web.Request) -> web.StreamResponse:
        """Return a script or a style sheet."""
        path = FOLDER / "static" / request.match_info["name"]
        if not path.exists():
            raise web.HTTPNotFound
        return web.FileResponse(path, headers={"Cache-Control": "no-cache"})

    async def captcha(self, request: web.Request) -> web.StreamResponse:
        """Return the content of the reCAPTCHA frames."""
        text = "Select all squares with umbrellas" if request.match_info["kind"] == "bframe" else "protected"
        return web.Response(text=render("captcha", text=text), content_type="text/html")

    async def unavailable(self, request: web.Request) -> web.StreamResponse:
        """Return the maintenance page."""
        return web.Response(status=503, text=render("unavailable"), content_type="text/html")

    def _session(self, request: web.Request, origin: str, count: bool = False) -> Session | None:
        """Return the session of a request, by the cookie of its origin or by the token of sessionStorage."""
        centre = origin == "enterprise_centre"
        cookie = request.cookies.get(self.cookie("session", origin))
        secret = cookie if centre else request.headers.get("X-Portal-Token") or cookie
        if not secret:
            return None
        key = digest(secret)
        if origin == "ereports":
            key = self.state.table("ereports").get(key, {}).get("session", "")
        session = self.sessions.by_key(key, count)
        if session is None and not request.get("user"):
            request["user"] = self.sessions.former_user(key)
        if session is None or (session.data.get("login") == "enterprise_centre") is not centre:
            return None
        if not centre and session.user.says("session-storage") is not ("X-Portal-Token" in request.headers):
            return None
        mark(request, session)
        return session

    def _note_visitor(self, request: web.Request, origin: str) -> None:
        """Note who has shown a password in this browser and is not signed in yet."""
        visit = self.visits.find(request.cookies.get(self.cookie("visit", origin)))
        if visit and self.visits.row(visit)["user"]:
            request["user"] = self.visits.row(visit)["user"]

    def _signed_out(self, call: Call) -> Reply:
        if call.origin == "enterprise_centre":
            return enterprise_centre.signed_out(call)
        return landing.session_over(call)

    def _answer_call(self, call: Call, reply: Reply | web.StreamResponse) -> web.StreamResponse:
        if isinstance(reply, web.StreamResponse):
            return reply
        response = web.json_response(reply | landing.screens(call, reply), headers={"Cache-Control": "no-store"})
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


PORTAL = Bell
