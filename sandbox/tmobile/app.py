"""The portal T-Mobile: its two origins with their pages and acts, and the request for documents that pages make by themselves."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from typing import ClassVar

from aiohttp import web

from sandbox.scripted import overlays
from sandbox.scripted.call import Call, Reply
from sandbox.scripted.portal import Origin, ScriptedPortal
from sandbox.tmobile import billing, history, invoices, material, reporting, signing, usage
from sandbox.tmobile.pages import (
    BILL,
    BILLING,
    CODE,
    DASHBOARD,
    IDENTITY,
    LANGUAGE,
    PASSWORD,
    QUERIES,
    REPORTING,
    START,
    USER,
)
from sandbox.tmobile.state import TmobileState
from sandbox.users import User

BUSINESS = Origin(
    first=START,
    home=DASHBOARD,
    sign_in=(START,),
    before=(START, LANGUAGE, "Enter"),
    pages={
        START: signing.start,
        LANGUAGE: signing.language,
        "Enter": signing.enter,
        DASHBOARD: material.dashboard,
        REPORTING: reporting.page,
        BILLING: billing.page,
        BILL: invoices.page,
    },
    acts_before={"show-languages": signing.show_languages, "choose-language": signing.choose_language},
    acts={
        "log-out": signing.log_out,
        "show-tab": reporting.show_tab,
        "choose-period": reporting.choose_period,
        "choose-node": reporting.choose_node,
        "run-template": reporting.run,
        "open-download": history.open_download,
        "download-report": history.download,
        "reload-reports": history.reload,
        "search-bills": billing.search,
        "open-bill": billing.open_bill,
        "show-bill-tab": invoices.show_tab,
        "choose-cycle": invoices.choose_period,
        "view-pdf": invoices.view_pdf,
        "download-pdf": invoices.download,
        "choose-usage": usage.choose_kind,
        "download-usage": usage.download,
    },
    quiet={
        "open-periods": reporting.open_periods,
        "fill-choose-period": reporting.fill_periods,
        "open-currencies": reporting.open_currencies,
        "choose-currency": reporting.choose_currency,
        "fill-choose-currency": reporting.fill_currencies,
        "open-tree": reporting.open_tree,
        "expand-node": reporting.expand,
        "open-template-menu": reporting.open_template_menu,
        "list-reports": history.list_reports,
        "open-report-menu": history.open_menu,
        "list-bills": billing.list_bills,
        "open-cycles": invoices.open_periods,
        "fill-choose-cycle": invoices.fill_periods,
        "open-kinds": usage.open_kinds,
        "fill-choose-usage": usage.fill_kinds,
    },
)
ACCOUNT = Origin(
    first=USER,
    sign_in=(USER, PASSWORD, CODE),
    before=(USER, PASSWORD, CODE),
    pages={USER: signing.user_page, PASSWORD: signing.password_page, CODE: signing.code_page},
    acts_before={"take-user": signing.take_user, "sign-in": signing.sign_in, "check-code": signing.check_code},
)


class Tmobile(TmobileState, ScriptedPortal):
    """T-Mobile for Business, with its identity pages as an origin of their own."""

    origins: ClassVar[Mapping[str, str]] = {"": "TMOBILE_URL", IDENTITY: "TMOBILE_IDENTITY_URL"}
    parts = {"": BUSINESS, IDENTITY: ACCOUNT}
    main = "tmobile"

    def scripts_of(self, origin: str, name: str) -> tuple[str, ...]:
        """Return the script that makes the pages' own requests, and hears the Enter key."""
        return ("material.js",) if not origin else ()

    def signed_out(self, call: Call) -> Reply:
        """Return what a page shows when its session is over; the bare address leads on, whatever the first page's is."""
        return overlays.session_over(call, self.urls[""] + "/")

    def unsigned(self, request: web.Request, origin: str) -> str:
        """Lead a browser that never had a session to the public page."""
        former = request.cookies.get(self.cookie("session", origin))
        if former or self.site.name(origin, request.path) in self.parts[origin].before:
            return ""
        return self.site.address("", START, self.perturbation_for(request))

    async def instead_of_document(self, request: web.Request, origin: str) -> web.StreamResponse | None:
        """Return the wall that refuses the connection."""
        everybody = origin == IDENTITY and self.configuration["blocked"]
        if everybody or User.of(request.get("user", "")).says("blocked"):
            return web.Response(status=403, text=self.site.render("denied"), content_type="text/html")
        return None

    def routes(self, origin: str) -> Iterable[web.AbstractRouteDef]:
        """Return the routes of an origin, with the request for documents."""
        queries = [web.post(path, self.query) for path in QUERIES] if not origin else []
        return [*super().routes(origin), *queries]

    async def query(self, request: web.Request) -> web.StreamResponse:
        """Answer the page's request for the documents of the open account."""
        session = self.session_of(request, "")
        if session is None:
            raise web.HTTPUnauthorized
        values = await request.json()
        call = Call(self, request, "", request.headers.get("X-Page", ""), session, values)
        if request.headers.get("X-CSRF-Token") != call.token():
            raise web.HTTPForbidden
        if call.user.says("query-fails"):
            raise web.HTTPInternalServerError
        if call.user.says("query-late"):
            await asyncio.sleep(self.configuration["late_ms"] / 1000)
        return web.json_response(usage.documents(call), headers={"Cache-Control": "no-store"})


PORTAL = Tmobile
