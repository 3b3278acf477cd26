"""Signing in to My Telus, and to TELUS IQ by the same form; the check of the connection that may stand before any page."""

from __future__ import annotations

from aiohttp import web

from sandbox.scripted.call import Call, Reply
from sandbox.scripted.overlays import banner
from sandbox.scripted.signing import judge, once_more, takes, visit_of
from sandbox.scripted.state import ScriptedState
from sandbox.signin import Answer, Codes
from sandbox.telus.pages import HOME, IQ
from sandbox.users import User

CLEARED = "cf_clearance"
STAYS = ("captcha", "interstitial-stays", "interstitial-fails")
SENTENCES = {
    Answer.REFUSED: "The email, username or password you entered is incorrect.",
    Answer.LOCKED: "Your account is locked. Please contact us to unlock it.",
}


def sign_in_page(call: Call) -> Reply:
    """The form, which takes a while to be drawn."""
    visit = visit_of(call)
    call.portal.visits.change(visit, user="")
    reply: Reply = {"title": "Log in", "body": call.render("sign_in"), "csrf": call.portal.visits.token(visit)}
    return reply | banner(call) | {"delay": call.setting("form_ms")}


async def sign_in(call: Call) -> Reply | web.StreamResponse:
    """Judge a submitted password."""
    visit = visit_of(call)
    if not takes(call, visit):
        return {"go": call.at("login")}
    user = User.of(call.value("username"))
    answer = await judge(call, user, call.value("password"))
    if isinstance(answer, web.StreamResponse):
        return answer
    again = once_more(call, visit)
    if call.origin == IQ and user.says("iq-wrong-password"):
        answer = Answer.REFUSED
    if answer is not Answer.GOOD:
        return again | {"show": {"[data-place=error]": f'<p role="alert">{SENTENCES[answer]}</p>'}}
    if call.origin == IQ and not user.says("iq-sms"):
        call.portal.visits.end(visit)
        return begin(call, user)
    if user.says("captcha", "interstitial-fails"):
        call.portal.visits.change(visit, user=user.name)
        # The check stands in the place of a document, so that the page may not be drawn into this one.
        return {"delay": call.delay, "single": False, "go": call.at(HOME)}
    if call.origin == IQ or Codes.factor(user) or user.says("mfa-push"):
        call.portal.visits.change(visit, user=user.name)
        if call.origin == IQ or Codes.factor(user) == "sms":
            call.portal.codes.send(user, visit)
        return {"delay": call.delay, "go": call.at("verify")}
    call.portal.visits.end(visit)
    return begin(call, user)


def verify_page(call: Call) -> Reply:
    """A page of which nothing is known: a field for a code, or a request to approve the sign-in elsewhere."""
    visit = visit_of(call)
    user = User.of(call.portal.visits.row(visit)["user"])
    if not user.name:
        return {"go": call.at("login")}
    body = call.render("verify", push=user.says("mfa-push"))
    return {"title": "Confirm it's you", "body": body, "csrf": call.portal.visits.token(visit)}


async def check_code(call: Call) -> Reply:
    """Judge a typed code."""
    visit = visit_of(call)
    taken, user = takes(call, visit), User.of(call.portal.visits.row(visit)["user"])
    if not taken or not user.name:
        return {"go": call.at("login")}
    if not call.value("code") or call.value("code_keyed") != call.value("code"):
        call.portal.counters.add("codes_not_typed")
        return {"go": call.at("login")}
    answer = call.portal.codes.check(user, visit, call.value("code"))
    if answer is Answer.GOOD:
        call.portal.visits.end(visit)
        return begin(call, user)
    if answer is Answer.TOO_MANY:
        return {"go": call.at("login")}
    error = '<p role="alert">That code is not right, or it has expired.</p>'
    return once_more(call, visit) | {"show": {"[data-place=code-error]": error}}


def begin(call: Call, user: User) -> Reply:
    """Sign a user in at the origin of the call."""
    iq = call.origin == IQ
    secret = call.portal.sessions.open(user, login="iq" if iq else "telus")
    call.portal.counters.add_to("sign_ins_of", "telus_iq" if iq else "telus")
    call.portal.counters.add("iq_sessions", int(iq))
    call.request["user"] = user.name
    call.set_cookie("session", secret, None if user.says("session-cookie") else call.setting("cookie_seconds"))
    reply: Reply = {"delay": call.delay, "go": call.at("home" if iq else HOME)}
    return reply | {"single": False} if user.says(*STAYS) else reply


async def log_out(call: Call) -> Reply:
    """End the session; that of TELUS IQ lives on."""
    call.portal.sessions.close(call.signed_in.key)
    call.set_cookie("session", "", 0)
    return {"delay": call.delay, "go": call.at("en")}


def interstitial(portal: ScriptedState, request: web.Request, origin: str) -> web.Response | None:
    """Return the check of the connection that stands in the place of a document, if one does."""
    user = User.of(request.get("user", ""))
    stays = user.says(*STAYS) or portal.configuration["interstitial"] == "stays"
    often = portal.troubled(user, "interstitial-often", origin) and _turn(portal, user)
    once = portal.troubled(user, "interstitial", origin, most=1)
    cleared = request.cookies.get(portal.cookie(CLEARED, origin))
    asked = portal.configuration["interstitial"] == "clears" and not cleared
    if not (stays or often or once or asked):
        return None
    portal.counters.add("interstitials")
    html = portal.site.render(
        "interstitial",
        clears=not stays,
        wait=portal.configuration["interstitial_ms"],
        cookie=portal.cookie(CLEARED, origin),
        state="fail" if user.says("interstitial-fails") else "verifying",
    )
    return web.Response(status=403, text=html, content_type="text/html", headers={"Cache-Control": "no-store"})


def _turn(portal: ScriptedState, user: User) -> bool:
    """Whether this is a third document."""
    row = portal.passwords.row(user.name)
    row["documents"] = row.get("documents", 0) + 1
    return bool(row["documents"] % 3 == 1)
