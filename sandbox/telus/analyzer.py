"""Bill Analyzer: the vendor's product at an origin of its own, entered by a token that is good once."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

from sandbox.globys.bills import Bills
from sandbox.globys.edition import Edition, Report, Section, Tab, View
from sandbox.scripted.call import Call, Reply
from sandbox.telus.pages import ANALYZER

DETAIL = View(
    6,
    "Detail Reports",
    (
        Tab(
            "Billed charges",
            (
                Section(41, "Invoice Detail", (Report("", ("Invoice Detail Report",)),)),
                Section(
                    42,
                    "Mobility Device Summary",
                    (
                        Report("", ("Mobility Device Installments",)),
                        Report("mobility_device", ("Mobility Device",)),
                    ),
                ),
                Section(43, "Wireless Subscriber Charges", (Report("", ("Wireless Subscriber Charges",)),)),
                Section(44, "Wireless Data Usage Detail", (Report("", ("Wireless Data Usage Detail",)),)),
            ),
        ),
    ),
)
SUMMARY = View(
    5,
    "Summary Reports",
    (Tab("Billed charges", (Section(31, "Voice per account", (Report("", ("Voice per account",)),)),)),),
)
EDITION = Edition((SUMMARY, DETAIL), "Statements", "Multiple accounts", "b", 0, "{}", "CAD", dated_items=True)


async def open_analyzer(call: Call) -> Reply:
    """Hand the session over to Bill Analyzer."""
    token = call.portal.hand_over(call.signed_in)
    return {"go": call.portal.urls[ANALYZER] + call.at("Enter", ANALYZER, token=token)}


def enter(call: Call) -> Reply:
    """Redeem the token: the browser gets a session of this origin."""
    token = parse_qs(urlsplit(call.page).query).get("token", [""])[0]
    session = call.portal.taken_over(token)
    if session is None:
        return {"go": f"{call.portal.urls['']}/en"}
    call.request["user"] = session.user.name
    call.set_cookie("session", call.portal.link(ANALYZER, session))
    return {"go": call.at("Home")}


def framed(call: Call, title: str, content: str) -> Reply:
    """Return a page of Bill Analyzer."""
    return {"title": title, "body": call.render("analyzer", content=content)}


def home(call: Call) -> Reply:
    """The first page, below the terms, until they are accepted."""
    reply = BILLS.start(call)
    if "terms" not in call.data.get("closed", []):
        reply["overlay"] = {"html": call.render("terms"), "delay": 0}
    return reply


BILLS = Bills(EDITION, framed)
