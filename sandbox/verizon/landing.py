"""What a sign-in leads to: the hub, the first page, advertisements over it, and the way out; header and menus around all pages."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

from sandbox.scripted.call import Call, Reply
from sandbox.verizon.pages import HUB, LANDING, LOGIN, RAW


def sign_in_address(call: Call) -> str:
    """Return the address of the sign-in."""
    return call.portal.urls[""] + call.at(LOGIN, "")


def enter(call: Call) -> Reply:
    """Redeem the token: the browser gets a session of the portal."""
    token = parse_qs(urlsplit(call.page).query).get("token", [""])[0]
    session = call.portal.taken_over(token)
    if session is None:
        return {"go": sign_in_address(call)}
    user = session.user
    call.request["user"] = user.name
    seconds = None if user.says("session-cookie") else call.setting("cookie_seconds")
    call.set_cookie("session", call.portal.link(call.origin, session), seconds)
    by_chance = call.perturbation.touches("landing", "hub") and call.perturbation.number("landing", "hub", below=2)
    return {"go": call.at(HUB if user.says("welcome-hub", "hub-capitals") or by_chance else LANDING)}


def hub(call: Call) -> Reply:
    """The hub before the first page."""
    said = "Visit the My Business home page"
    body = call.render("hub", said=said.upper() if call.user.says("hub-capitals") else said)
    return {"title": "Hub", "body": body}


def framed(call: Call, title: str, template: str, **values: object) -> Reply:
    """Return a page below header and menus, which open when they are clicked or when the pointer is on them."""
    content = call.render(template, **values)
    hover = call.layout == "b" or call.perturbation.touches("hover", "menus")
    in_place = call.user.says("raw-in-place")
    return {"title": title, "body": call.render("page", content=content, hover=hover, raw=RAW, in_place=in_place)}


def landing(call: Call) -> Reply:
    """The first page, below an advertisement where there is one."""
    reply = framed(call, "My Business", "landing")
    if call.user.says("promo-modal", "promo-both") and "react" not in call.data.get("closed", []):
        reply["overlay"] = {"html": call.render("promo_modal", both=call.user.says("promo-both")), "delay": 0}
    return reply


async def log_out(call: Call) -> Reply:
    """End the session, at both hosts."""
    call.portal.sessions.close(call.signed_in.key)
    call.set_cookie("session", "", 0)
    return {"delay": call.delay, "go": sign_in_address(call)}
