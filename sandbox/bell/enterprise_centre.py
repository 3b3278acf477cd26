"""The Enterprise Centre: signing in by way of the business portal, the pages with the side bar, and signing out."""

from __future__ import annotations

import secrets
from urllib.parse import quote, urlsplit

from aiohttp import web

from sandbox.bell.business_portal import expired, post_form
from sandbox.bell.pages import BASE
from sandbox.invented import number
from sandbox.scripted.call import Call, Reply
from sandbox.scripted.state import ScriptedState
from sandbox.signin import digest
from sandbox.users import User

ORIGIN = "enterprise_centre"
PLACES = (3, 2, 4)  # where "My Reports" stands in the side bar, from 1; it was found in all three
ENTRIES = ("Overview", "Services", "Billing")


def sign_in_address(path: str = "") -> str:
    """Return where a browser without a session is sent; path: where it comes back to."""
    return f"{BASE[ORIGIN]}/saml/login" + (f"?to={quote(path)}" if path else "")


async def ask(portal: ScriptedState, request: web.Request) -> web.StreamResponse:
    """Send a browser to the business portal with a request that is good once."""
    to = request.query.get("to", "")
    path = to if to.startswith(f"{BASE[ORIGIN]}/") and not urlsplit(to).netloc else f"{BASE[ORIGIN]}/Home"
    asked, relay = secrets.token_urlsafe(32), secrets.token_urlsafe(16)
    portal.reveal("tokens", asked)
    portal.state.table("saml_requests")[digest(asked)] = {"to": path, "relay": digest(relay)}
    address = f"{portal.urls['business_portal']}{BASE['business_portal']}/SSO"
    return post_form(address, "SAMLRequest", asked, relay)


async def consume(portal: ScriptedState, request: web.Request) -> web.StreamResponse:
    """Take a response of the business portal, and sign its user in."""
    form = await request.post()
    response, relay = str(form.get("SAMLResponse", "")), str(form.get("RelayState", ""))
    told = portal.state.table("saml_responses").pop(digest(response), None)
    asked = portal.state.table("saml_requests").pop(told["request"], None) if told else None
    if told is None or asked is None or asked["relay"] != digest(relay):
        return expired(portal)
    user = User.of(told["user"])
    row = portal.passwords.row(user.name)
    row.setdefault("first_seen", portal.now())
    born = row["centre_sessions"] = row.get("centre_sessions", 0) + 1
    secret = portal.sessions.open(
        user,
        login=ORIGIN,
        lost_tab=user.says("session-lost-tab") and born <= user.number("times", 1),
        workbooks={},
    )
    portal.counters.add_to("sign_ins_of", ORIGIN)
    seconds = None if user.says("session-cookie") else portal.configuration["cookie_seconds"]
    answer = web.HTTPSeeOther(asked["to"])
    answer.set_cookie(
        portal.cookie("session", ORIGIN), secret, max_age=seconds, path="/", httponly=True, samesite="Lax"
    )
    raise answer


def signed_out(call: Call) -> Reply:
    """Send the browser to sign in, and back to the page that it was on."""
    return {"go": sign_in_address(call.page)}


def home(call: Call) -> Reply:
    """The landing page."""
    return framed(call, "Enterprise Centre", call.render("centre_home"))


def service_reports(call: Call) -> Reply:
    """The page that links to the reports, which open in a tab of their own."""
    return framed(call, "Service reports", call.render("centre_reports"))


def framed(call: Call, title: str, content: str) -> Reply:
    """Return a page of the Enterprise Centre: side bar and content."""
    place = int(call.user.number("place")) or PLACES[number("place", call.user.name, below=len(PLACES))]
    entries = list(ENTRIES)
    entries.insert(place - 1, "My Reports")
    return {"title": title, "body": call.render("centre", entries=entries, content=content)}


async def log_out(call: Call) -> Reply:
    """End the session."""
    call.portal.sessions.close(call.signed_in.key)
    call.set_cookie("session", "", 0)
    return {"delay": call.delay, "go": sign_in_address()}
