"""The portal Bell: its origins with their pages and acts, and what is particular to each."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any, ClassVar

from aiohttp import web

from sandbox.admin import PREFIX
from sandbox.bell import (
    analytics,
    business_portal,
    enterprise_centre,
    ereports,
    exports,
    invoice,
    landing,
    signing,
    usage,
)
from sandbox.bell.pages import BASE, FOLDER, FOREVER
from sandbox.bell.state import BellState
from sandbox.scripted.call import Call, Reply
from sandbox.scripted.portal import Origin, ScriptedPortal
from sandbox.signin import Session

CENTRE = "enterprise_centre"
SELF_SERVE = Origin(
    first="Login",
    sign_in=("Login", "Verify"),
    before=("Login", "Verify"),
    pages={
        "Login": signing.sign_in_page,
        "Verify": signing.verify_page,
        "Home": landing.home,
        "Usage/Details": usage.details,
        "Billing/DownloadPDF": invoice.choose,
        "Billing/Prepare": invoice.prepared,
    },
    acts_before={
        "sign-in": signing.sign_in,
        "send-code": signing.send_code,
        "check-code": signing.check_code,
        "cancel-code": signing.cancel_code,
    },
    acts={
        "log-out": signing.log_out,
        "find-account": landing.find_account,
        "choose-account": landing.choose_account,
        "filter": usage.choose_filter,
        "download-usage": usage.download,
        "invoice-part": invoice.choose_part,
        "invoice-month": invoice.choose_months,
        "prepare-invoice": invoice.prepare,
        "download-invoice": invoice.download,
        "open-ereports": ereports.open_reports,
    },
    quiet={"pools": usage.show_pools, "invoice-ready": invoice.ready},
)
EREPORTS = Origin(
    first="Home",
    before=("Enter",),
    pages={
        "Enter": ereports.enter,
        "Home": ereports.home,
        "StandardReports": ereports.standard_reports,
    },
    acts={
        "apply-report": ereports.apply_report,
        "ask-report": ereports.ask_report,
        "download-report": ereports.download,
    },
    quiet={"report-status": ereports.status},
)
ENTERPRISE_CENTRE = Origin(
    first="Home",
    pages={
        "Home": enterprise_centre.home,
        "MyReports/Service": enterprise_centre.service_reports,
        "Analytics": analytics.start,
    },
    acts={
        "leave-centre": enterprise_centre.log_out,
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
    quiet={"show-workbook": analytics.show_workbook, "notifications": exports.show},
)
BUSINESS_PORTAL = Origin(
    first="Login",
    before=("Login", business_portal.OTP),
    pages={
        "Login": business_portal.sign_in_page,
        business_portal.OTP: business_portal.otp_page,
    },
    acts_before={
        "sign-in": business_portal.sign_in,
        "check-passcode": business_portal.check_code,
    },
)


class Bell(BellState, ScriptedPortal):
    """Bell's Corporate Self Serve with its e-reports, and the Enterprise Centre with the business portal that signs in for it."""

    origins: ClassVar[Mapping[str, str]] = {
        "": "BELL_SELF_SERVE_URL",
        "ereports": "BELL_EREPORTS_URL",
        CENTRE: "BELL_ENTERPRISE_CENTRE_URL",
        "business_portal": "BELL_BUSINESS_PORTAL_URL",
    }
    parts = {"": SELF_SERVE, "ereports": EREPORTS, CENTRE: ENTERPRISE_CENTRE, "business_portal": BUSINESS_PORTAL}
    doors = frozenset({(CENTRE, "Home")})  # where the business portal leads back to
    main = "self_serve"

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

        def of(handler: Callable[[Bell, web.Request], Awaitable[web.StreamResponse]]) -> Any:
            async def handle(request: web.Request) -> web.StreamResponse:
                return await handler(self, request)

            return handle

        base = BASE[origin]
        yield web.get(f"{PREFIX}exports", self.show_exports)
        if origin == "ereports":
            yield web.get(base + "/static/menu.js", self.menu)
        if origin == CENTRE:
            yield web.get(base + "/saml/login", of(enterprise_centre.ask))
            yield web.post(base + "/saml/acs", of(enterprise_centre.consume))
        if origin == "business_portal":
            yield web.post(base + "/SSO", of(business_portal.receive))
            yield web.get(base + "/Return", of(business_portal.give_back))
        yield from super().routes(origin)

    async def show_exports(self, request: web.Request) -> web.Response:
        """Tell what each user exported and dismissed: the ids of the notifications, those asked for in order."""
        told: dict[str, dict[str, list[str]]] = {}
        for user, row in self.state.table("exports").items():
            told.setdefault(user, {"asked": [], "dismissed": []})["asked"] = [each["id"] for each in row["entries"]]
        for user, row in self.state.table("dismissed").items():
            told.setdefault(user, {"asked": [], "dismissed": []})["dismissed"] = row["ids"]
        return web.json_response(told)

    async def menu(self, request: web.Request) -> web.StreamResponse:
        """Return the script that draws the e-reports' menu, for the browser to keep a day: the stale one too."""
        stale = request.cookies.get(self.cookie("layout", "ereports")) == "stale"
        text = (FOLDER / "static" / ("menu-stale.js" if stale else "menu.js")).read_text()
        headers = {"Cache-Control": f"max-age={FOREVER}"}
        return web.Response(text=text, content_type="text/javascript", headers=headers)

    def scripts_of(self, origin: str, name: str) -> tuple[str, ...]:
        """Return the menu's script for the e-reports."""
        return ("menu.js",) if origin == "ereports" and name != "Enter" else ()

    def unsigned(self, request: web.Request, origin: str) -> str:
        """Lead a browser without a session to the business portal."""
        return enterprise_centre.sign_in_address(request.path) if origin == CENTRE else ""

    def lost(self, call: Call, name: str) -> bool:
        """Whether the reports' tab asks for a sign-in."""
        return name == "Analytics" and bool(call.data["lost_tab"])

    def signed_out(self, call: Call) -> Reply:
        """Send the browser to sign in, each origin in its way."""
        return enterprise_centre.signed_out(call) if call.origin == CENTRE else super().signed_out(call)

    def secret_of(self, request: web.Request, origin: str) -> str | None:
        """Return the cookie, or at Self Serve and the e-reports the token of sessionStorage."""
        cookie = request.cookies.get(self.cookie("session", origin))
        return cookie if origin == CENTRE else request.headers.get("X-Portal-Token") or cookie

    def admits(self, session: Session, request: web.Request, origin: str) -> bool:
        """Whether a session was begun by the way in that an origin has, and is shown as it was given."""
        if (session.data.get("login") == CENTRE) is not (origin == CENTRE):
            return False
        return origin == CENTRE or session.user.says("session-storage") is ("X-Portal-Token" in request.headers)


PORTAL = Bell
