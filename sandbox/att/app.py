"""The portal AT&T Premier Care: its pages and acts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from aiohttp import web

from sandbox.att import billing, signing
from sandbox.att.state import AttState
from sandbox.scripted.call import Call, Reply
from sandbox.scripted.overlays import close
from sandbox.scripted.portal import Origin, ScriptedPortal

PREMIER_CARE = Origin(
    first="home",
    home="home",
    sign_in=("login", "password", "verify"),
    before=("login", "password", "verify"),
    pages={
        "login": signing.user_page,
        "password": signing.password_page,
        "verify": signing.verify_page,
        "home": billing.home,
        "reports": billing.reports,
        "Billing": billing.BILLS.start,
        **billing.BILLS.pages,
    },
    acts_before={
        "take-user": signing.take_user,
        "sign-in": signing.sign_in,
        "send-code": signing.send_code,
        "check-code": signing.check_code,
    },
    acts={"log-out": signing.log_out, **billing.BILLS.acts},
    quiet={"close-survey": close("survey"), **billing.BILLS.quiet},
)


class Att(AttState, ScriptedPortal):
    """AT&T Premier Care with its billing."""

    origins: ClassVar[Mapping[str, str]] = {"": "ATT_URL"}
    parts = {"": PREMIER_CARE}
    main = "premier_care"

    def unsigned(self, request: web.Request, origin: str) -> str:
        """Lead a browser that never had a session to the sign-in."""
        former = request.cookies.get(self.cookie("session", origin))
        if former or self.site.name(origin, request.path) in self.parts[origin].before:
            return ""
        return self.site.address(origin, "login", self.perturbation_for(request))

    def signed_out(self, call: Call) -> Reply:
        """Show that the session is over; the first page leads to the sign-in."""
        return {"go": call.at("login")} if call.place == "home" else super().signed_out(call)


PORTAL = Att
