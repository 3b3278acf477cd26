"""The e-reports: an origin of their own, entered by a token that is good once; reports are asked for, then collected."""

from __future__ import annotations

import secrets
from datetime import datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

from sandbox.bell.data import REPORTS, numbered_accounts, report_workbook
from sandbox.bell.pages import BASE, render
from sandbox.invented import Month
from sandbox.scripted.call import YEAR, Call, Reply
from sandbox.scripted.downloads import offer
from sandbox.scripted.files import XLSX_TYPE, File

MENU = '<a href="{0}" data-go="{0}">Standard reports</a>'


async def open_reports(call: Call) -> Reply:
    """Hand the session over to the e-reports, in a tab of its own."""
    token = call.portal.hand_over(call.signed_in)
    return {"open": call.portal.urls["ereports"] + call.at("Enter", "ereports", token=token)}


def enter(call: Call) -> Reply:
    """Redeem the token: the browser gets a session of this origin."""
    token = parse_qs(urlsplit(call.page).query).get("token", [""])[0]
    session = call.portal.taken_over(token)
    if session is None:
        return signed_out(call)
    secret = call.portal.link(call.origin, session)
    call.request["user"] = session.user.name
    reply: Reply = {"go": call.at("Home")}
    if session.data["stale"]:
        call.set_cookie("layout", "stale", YEAR)
        reply["local_storage"] = {"reportsLayout": "stale"}
    if session.user.says("session-storage"):
        return reply | {"session_storage": {"portalToken": secret}}
    call.set_cookie("session", secret, None)
    return reply


def signed_out(call: Call) -> Reply:
    """Send the browser to the sign-in page of Self Serve."""
    return {"forget": True, "go": call.portal.urls[""] + BASE[""] + "/Login"}


def home(call: Call) -> Reply:
    """The first page of the e-reports."""
    return _framed(call, "e-reports", call.render("ereports_home"))


def standard_reports(call: Call) -> Reply:
    """The page on which reports are asked for and collected."""
    content = call.render(
        "standard_reports",
        accounts=_accounts(call),
        reports=REPORTS.items(),
        months=call.months,
        status=_status(call),
    )
    call.keep(report=None)
    return _framed(call, "Standard reports", content) | {"again": _look_again(call)}


async def apply_report(call: Call) -> Reply:
    """Show what was chosen, with the picture that has it made as a workbook."""
    by_value = {f"{month.year}{month.number:02}": month for month in call.months}
    name = REPORTS.get(call.value("report"))
    start, end = by_value.get(call.value("start")), by_value.get(call.value("end"))
    if name is None or start is None or end is None or (start.year, start.number) > (end.year, end.number):
        return {"show": {"[data-place=report-error]": "Select a report and its months.", "[data-place=preview]": ""}}
    report = {"name": name, "start": [start.year, start.number], "end": [end.year, end.number]}
    call.keep(report=report)
    html = call.render("report_preview", name=name, start=start.short, end=end.short)
    return {"delay": call.setting("report_preview_ms"), "show": {"[data-place=preview]": html}}


async def ask_report(call: Call) -> Reply:
    """Take a request; it is the newest and so the first row of the table."""
    chosen = call.data.get("report")
    if chosen is None:
        return {"show": {"[data-place=report-error]": "Select a report and its months."}}
    slow = call.user.says("slow-report")
    seconds = call.user.number("report", call.setting("slow_report_seconds" if slow else "report_seconds"))
    asked = {"id": secrets.token_hex(8), "asked": call.portal.now(), "seconds": seconds, **chosen}
    call.portal.state.table("reports")[call.user.name] = {"requests": [asked, *_requests(call)]}
    call.portal.counters.add("reports_asked")
    call.portal.counters.add_to("reports_of", call.user.name)
    return {"delay": call.delay, "show": _shown_status(call), "again": _look_again(call)}


async def status(call: Call) -> Reply:
    """Show the table as it is now."""
    return {"show": _shown_status(call), "again": _look_again(call)}


async def download(call: Call) -> Reply:
    """Hand out a report that is ready."""
    asked = next((each for each in _requests(call) if each["id"] == call.value("value")), None)
    if asked is None or not _is_ready(call, asked):
        return {"show": {"[data-place=report-error]": "This report is not ready."}}
    start, end, accounts = Month(*asked["start"]), Month(*asked["end"]), _accounts(call)
    name = f"{asked['name'].replace(' ', '_')}.xlsx"

    def content() -> bytes:
        return report_workbook(asked["name"], accounts, start, end, call.perturbation)

    return offer(call, File("report", name, XLSX_TYPE, content))


def _framed(call: Call, title: str, content: str) -> Reply:
    menu = None if call.data["stale"] else MENU.format(call.at("StandardReports"))
    return {"title": title, "body": call.render("ereports", content=content), "menu": menu}


def _accounts(call: Call) -> list[str]:
    """Return the accounts that reports are about: all of the user's, or another one in the scenario `wrong-account`."""
    if call.user.says("wrong-account"):
        return numbered_accounts(f"wrong {call.accounts[0]}", 1)
    return call.accounts


def _requests(call: Call) -> list[dict[str, Any]]:
    """Return what the user has asked for, newest first."""
    kept = call.portal.state.table("reports").get(call.user.name)
    if kept is not None:
        return list(kept["requests"])
    if not call.user.says("former-reports"):
        return []
    earlier = call.months[-1]
    month = [earlier.year, earlier.number]
    asked = call.portal.now() - 7 * 86_400
    return [
        {"id": f"former-{value}", "asked": asked, "seconds": 0, "name": name, "start": month, "end": month}
        for value, name in REPORTS.items()
    ]


def _is_ready(call: Call, asked: dict[str, Any]) -> bool:
    return bool(call.portal.now() - asked["asked"] >= asked["seconds"])


def _status(call: Call) -> str:
    rows = [
        {
            "id": asked["id"],
            "name": asked["name"],
            "start": Month(*asked["start"]).short,
            "end": Month(*asked["end"]).short,
            "asked": _age(call, asked["asked"]),
            "ready": _is_ready(call, asked),
        }
        for asked in _requests(call)
    ]
    return render("report_status", rows=rows)


def _age(call: Call, asked: float) -> str:
    """Return when a report was asked for, as the table says it."""
    notations: tuple[str, ...] = ("%b %d, %Y %I:%M %p",)
    if call.perturbation.touches("notations", "asked"):
        notations = ("%Y-%m-%d %H:%M", "%d/%m/%Y %H:%M", "%B %d %Y, %I:%M:%S %p", "today")
    notation = call.perturbation.choose("notations", "asked", notations)
    return f"{datetime.fromtimestamp(asked, call.portal.zone):{notation}}"


def _shown_status(call: Call) -> dict[str, str]:
    return {"#reportStatusBarContent": _status(call), "[data-place=report-error]": ""}


def _look_again(call: Call) -> dict[str, Any]:
    return {"act": "report-status", "delay": call.setting("status_ms")}
