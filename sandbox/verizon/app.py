"""The portal Verizon: its two origins with their pages and acts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from aiohttp import web

from sandbox.scripted import overlays
from sandbox.scripted.portal import Origin, ScriptedPortal
from sandbox.verizon import bills, landing, links, raw, reports, signing
from sandbox.verizon.pages import (
    BILL,
    BILLS,
    CONFIRM,
    CONTINUE,
    ENTER,
    HOME,
    HUB,
    LANDING,
    LOGIN,
    RAW,
    REPORT,
    REPORTS,
    VERIFY,
)
from sandbox.verizon.state import VerizonState

SIGN_IN = Origin(
    first=LOGIN,
    home=CONTINUE,
    sign_in=(LOGIN, VERIFY),
    before=(LOGIN, VERIFY, CONFIRM),
    pages={
        LOGIN: signing.sign_in_page,
        VERIFY: signing.verify_page,
        CONFIRM: links.confirm_page,
        CONTINUE: signing.continue_page,
    },
    acts_before={
        "sign-in": signing.sign_in,
        "skip-captcha": signing.skip_captcha,
        "choose-method": signing.choose_method,
        "choose-again": signing.choose_again,
        "link-status": signing.link_status,
        "check-code": signing.check_code,
        "answer-link": links.answer_link,
    },
)
PORTAL_PAGES = Origin(
    first=LANDING,
    home=LANDING,
    before=(ENTER,),
    pages={
        ENTER: landing.enter,
        HUB: landing.hub,
        LANDING: landing.landing,
        REPORTS: reports.home,
        RAW: reports.raw_data,
        REPORT: reports.page,
        BILL: bills.details,
        BILLS: bills.page,
    },
    acts={
        "log-out": landing.log_out,
        "open-raw": raw.open_in_place,
        "download-raw": raw.download,
        "show-report-tab": reports.show_tab,
        "open-report": reports.open_report,
        "choose-view": reports.choose_view,
        "choose-number": reports.choose_number,
        "apply-changes": reports.apply_changes,
        "download-report": reports.download,
        "choose-bill-account": bills.choose_account,
        "show-bill-tab": bills.show_tab,
        "download-bill": bills.download,
    },
    quiet={
        "close-react": overlays.close("react"),
        "show-notice": reports.show_notice,
        "draw-report": reports.draw,
        "list-bills": bills.list_bills,
        "reset-bill-tab": bills.reset_tab,
    },
)


class Verizon(VerizonState, ScriptedPortal):
    """Verizon's My Business, with the host of its sign-in as an origin of its own."""

    origins: ClassVar[Mapping[str, str]] = {"": "VERIZON_URL", HOME: "VERIZON_HOME_URL"}
    parts = {"": SIGN_IN, HOME: PORTAL_PAGES}
    main = "verizon"
    landing_known = True

    async def instead_of_document(self, request: web.Request, origin: str) -> web.StreamResponse | None:
        """Return the check of the connection, if one stands before the page."""
        return signing.check(self, request, origin)

    def unsigned(self, request: web.Request, origin: str) -> str:
        """Lead a browser that never had a session to the sign-in."""
        former = request.cookies.get(self.cookie("session", origin))
        if former or self.site.name(origin, request.path) in self.parts[origin].before:
            return ""
        return self.urls[""] + self.site.address("", LOGIN, self.perturbation_for(request))


PORTAL = Verizon
