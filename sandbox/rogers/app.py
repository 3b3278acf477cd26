"""The portal Rogers: its two origins with their pages and acts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from aiohttp import web

from sandbox.rogers import bills, frames, reports, requests, results, signing, usage
from sandbox.rogers.pages import (
    ACCEPTED,
    BILL,
    BILLS,
    CYCLES,
    EXPORT,
    GROUP,
    IDENTITY,
    LANDING,
    NOTIFICATIONS,
    REPORT,
    REPORTS,
    SEARCH,
    SHELL,
    START,
    USAGE,
    VIEWER,
)
from sandbox.rogers.state import RogersState
from sandbox.scripted.portal import Origin, ScriptedPortal

BIZONLINE = Origin(
    first=START,
    home=LANDING,
    sign_in=(START,),
    before=(START, "Enter"),
    pages={
        START: signing.start,
        "Enter": signing.enter,
        LANDING: frames.landing,
        REPORTS: reports.page,
        REPORT: results.result,
        SEARCH: reports.search,
        CYCLES: results.cycles,
        EXPORT: results.export_options,
        ACCEPTED: reports.accepted,
        NOTIFICATIONS: usage.page,
        GROUP: usage.account,
        USAGE: usage.table,
        BILLS: bills.page,
        BILL: bills.bill,
        SHELL: bills.shell,
        VIEWER: bills.viewer,
    },
    acts={
        "log-out": signing.log_out,
        "choose-category": reports.choose_category,
        "open-accounts": reports.open_accounts,
        "select-account": reports.select_account,
        "run-report": reports.run,
        "open-cycles": results.open_cycles,
        "submit-cycle": results.submit_cycle,
        "go-report": results.go,
        "open-export": results.open_export,
        "download-text": results.download_text,
        "show-requests": requests.show,
        "download-extract": requests.download,
        "choose-ban": usage.choose,
        "open-ban": usage.open_account,
        "show-usage-tab": usage.show_tab,
        "list-users": usage.list_users,
        "select-page": usage.select_page,
        "next-page": usage.next_page,
        "view-usage": usage.view,
        "choose-date": bills.choose_date,
        "choose-view": bills.choose_view,
        "open-bill": bills.open_bill,
        "download-bill": bills.download,
    },
    quiet={
        "find-account": reports.find_account,
        "requests-status": requests.show_again,
        "find-ban": usage.find,
        "pool-figures": usage.pool,
        "usage-figures": usage.figures,
        "list-bills": bills.list_bills,
        "show-bill": bills.show_bill,
    },
)
PROVIDER = Origin(
    first="user",
    sign_in=("user", "password", "verify"),
    before=("user", "password", "verify"),
    pages={"user": signing.user_page, "password": signing.password_page, "verify": signing.verify_page},
    acts_before={
        "take-user": signing.take_user,
        "take-bundle": signing.take_bundle,
        "sign-in": signing.sign_in,
        "send-code": signing.send_code,
        "check-code": signing.check_code,
    },
)


class Rogers(RogersState, ScriptedPortal):
    """Rogers' business portal, with its identity provider as an origin of its own."""

    origins: ClassVar[Mapping[str, str]] = {"": "ROGERS_URL", IDENTITY: "ROGERS_IDENTITY_URL"}
    parts = {"": BIZONLINE, IDENTITY: PROVIDER}
    main = "rogers"

    def scripts_of(self, origin: str, name: str) -> tuple[str, ...]:
        """Return the script that the list of accounts calls by name."""
        return ("duns.js",) if (origin, name) == ("", NOTIFICATIONS) else ()

    def unsigned(self, request: web.Request, origin: str) -> str:
        """Lead a browser that never had a session to the public page."""
        former = request.cookies.get(self.cookie("session", origin))
        if former or self.site.name(origin, request.path) in self.parts[origin].before:
            return ""
        return self.site.address("", START, self.perturbation_for(request))


PORTAL = Rogers
