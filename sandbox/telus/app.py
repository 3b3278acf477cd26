"""The portal My Telus: its origins with their pages and acts."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any, ClassVar

from aiohttp import web

from sandbox.scripted.call import Call, Reply
from sandbox.scripted.overlays import close
from sandbox.scripted.portal import Origin, ScriptedPortal
from sandbox.signin import Session
from sandbox.telus import analyzer, iq, overview, signing
from sandbox.telus.pages import ANALYZER, BASE, HOME, IQ, START, TEXT_BILL, USAGE
from sandbox.telus.state import TelusState

MY_TELUS = Origin(
    first=START,
    home=HOME,
    sign_in=("login", "verify"),
    before=(START, "login", "verify"),
    pages={
        START: overview.start,
        "login": signing.sign_in_page,
        "verify": signing.verify_page,
        HOME: overview.home,
        TEXT_BILL: overview.text_bills,
        USAGE: overview.usage,
    },
    acts_before={"sign-in": signing.sign_in, "check-code": signing.check_code},
    acts={
        "log-out": signing.log_out,
        "choose-account": overview.choose_account,
        "download-bundle": overview.download_bundle,
        "open-analyzer": analyzer.open_analyzer,
    },
    quiet={"usage-figures": overview.figures, "close-tour": close("tour")},
)
TELUS_IQ = Origin(
    first="home",
    home="home",
    sign_in=("login", "verify"),
    before=("login", "verify"),
    pages={
        "login": signing.sign_in_page,
        "verify": signing.verify_page,
        "home": iq.home,
        "usage": iq.usage,
        "queue": iq.queue,
    },
    acts_before={"sign-in": signing.sign_in, "check-code": signing.check_code},
    acts={
        "choose-ban": iq.choose_ban,
        "export-view": iq.export_view,
        "download-report": iq.download_report,
    },
    quiet={"bans": iq.fill_bans, "queue-status": iq.queue_status, "close-iq-dialog": iq.close_dialog},
)
BILL_ANALYZER = Origin(
    first="Home",
    before=("Enter",),
    pages={"Enter": analyzer.enter, "Home": analyzer.home, **analyzer.BILLS.pages},
    acts=analyzer.BILLS.acts,
    quiet={"close-terms": close("terms"), **analyzer.BILLS.quiet},
)


class Telus(TelusState, ScriptedPortal):
    """My Telus, with TELUS IQ and Bill Analyzer as origins of their own."""

    origins: ClassVar[Mapping[str, str]] = {
        "": "TELUS_URL",
        IQ: "TELUS_IQ_URL",
        ANALYZER: "TELUS_BILL_ANALYZER_URL",
    }
    parts = {"": MY_TELUS, IQ: TELUS_IQ, ANALYZER: BILL_ANALYZER}
    main = "my_telus"
    landing_known = True

    def routes(self, origin: str) -> Iterable[web.AbstractRouteDef]:
        """Return the routes of an origin."""

        def of(handler: Callable[[Telus, web.Request], Awaitable[web.StreamResponse]]) -> Any:
            async def handle(request: web.Request) -> web.StreamResponse:
                return await handler(self, request)

            return handle

        if origin == "":
            yield web.get(iq.AUTHORIZE, of(iq.authorize))
        if origin == IQ:
            yield web.get(f"{BASE[IQ]}/callback", of(iq.callback))
            yield web.get(f"{BASE[IQ]}/logout", of(iq.log_out))
        yield web.get("/cdn-cgi/challenge-platform/{state}", self.widget)
        yield from super().routes(origin)

    async def widget(self, request: web.Request) -> web.StreamResponse:
        """Return the content of the frame of a check of the connection."""
        html = self.site.render("widget", state=request.match_info["state"])
        return web.Response(text=html, content_type="text/html")

    async def instead_of_document(self, request: web.Request, origin: str) -> web.StreamResponse | None:
        """Return the check of the connection, if one stands before the page."""
        return signing.interstitial(self, request, origin)

    def unsigned(self, request: web.Request, origin: str) -> str:
        """Lead a browser that never had a session to the form, and one without a session of TELUS IQ to where it gets one."""
        name = self.site.name(origin, request.path)
        if name in self.parts[origin].before:
            return ""
        if origin == IQ:
            return f"{self.urls['']}{iq.AUTHORIZE}"
        former = request.cookies.get(self.cookie("session", origin))
        return "" if former else self.urls[""] + self.site.address("", "login", self.perturbation_for(request))

    def signed_out(self, call: Call) -> Reply:
        """Show that the session is over, each origin in its way; the overview leads to the form."""
        if call.origin == IQ:
            return {"go": f"{self.urls['']}{iq.AUTHORIZE}"}
        return {"go": call.at("login")} if call.place == HOME else super().signed_out(call)

    def admits(self, session: Session, request: web.Request, origin: str) -> bool:
        """Whether a session is one of TELUS IQ, at TELUS IQ, or one of My Telus elsewhere."""
        return (session.data.get("login") == "iq") is (origin == IQ)


PORTAL = Telus
