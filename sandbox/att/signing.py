"""Signing in: user name, password, a choice of methods, a code; a browser that is trusted owes no code."""

from __future__ import annotations

from typing import cast

from aiohttp import web

from sandbox.att.state import AttState
from sandbox.scripted.call import Call, Reply
from sandbox.scripted.overlays import banner
from sandbox.scripted.people import masked_mail, masked_phone
from sandbox.scripted.signing import CHALLENGE, judge, once_more, takes, visit_of
from sandbox.signin import Answer
from sandbox.users import User

VISIT_SECONDS = 24 * 3600  # a verification that was left is still pending in the same browser
SENTENCES = {
    Answer.REFUSED: "The user ID or password you entered isn't right. Try again.",
    Answer.LOCKED: "Your account is locked. Contact us to unlock it.",
}
USER_SENTENCES = {  # before the password
    "user-refused": "The user ID you entered isn't right. Try again.",
    "user-locked": SENTENCES[Answer.LOCKED],
}


def _visit(call: Call) -> tuple[str, User]:
    """Return the visit, and who has shown a password in it."""
    visit = visit_of(call, VISIT_SECONDS)
    return visit, User.of(call.portal.visits.row(visit)["user"])


def user_page(call: Call) -> Reply:
    """The page for the user name; where a verification is pending, that in its place."""
    visit, pending = _visit(call)
    if pending.says("mfa-pending"):
        return verify_page(call)
    call.portal.visits.change(visit, user="", stage="", typed="")
    reply: Reply = {"title": "Sign in", "body": call.render("user"), "csrf": call.portal.visits.token(visit)}
    return reply | banner(call)


async def take_user(call: Call) -> Reply:
    """Take the user name, whoever it is; the password is asked for on a page of its own. Some are refused by their scenario."""
    visit, _ = _visit(call)
    typed = call.value("username").strip()
    if not takes(call, visit) or not typed:
        return {"go": call.at("login")}
    for scenario, sentence in USER_SENTENCES.items():
        if User.of(typed).says(scenario):
            return once_more(call, visit) | {"show": {"[data-place=error]": f'<p role="alert">{sentence}</p>'}}
    call.portal.visits.change(visit, typed=typed)
    return {"delay": call.delay, "go": call.at("password")}


def password_page(call: Call) -> Reply:
    """The page for the password."""
    visit, _ = _visit(call)
    typed = call.portal.visits.row(visit).get("typed", "")
    if not typed:
        return {"go": call.at("login")}
    return {"title": "Sign in", "body": call.render("password", typed=typed), "csrf": call.portal.visits.token(visit)}


async def sign_in(call: Call) -> Reply | web.StreamResponse:
    """Judge a submitted password."""
    visit, _ = _visit(call)
    typed = call.portal.visits.row(visit).get("typed", "")
    if not takes(call, visit) or not typed:
        return {"go": call.at("login")}
    user = User.of(typed)
    answer = await judge(call, user, call.value("password"))
    if isinstance(answer, web.StreamResponse):
        return answer
    again = once_more(call, visit)
    if answer is not Answer.GOOD:
        return again | {"show": {"[data-place=error]": f'<p role="alert">{SENTENCES[answer]}</p>'}}
    if user.says("captcha"):
        return again | {"show": {"[data-place=challenge]": CHALLENGE.format(call.base)}}
    portal = cast(AttState, call.portal)
    if portal.trusts(user, call.cookie("device")):
        portal.counters.add("codes_spared")
        return begin(call, user, visit)
    if not call.setting("codes") or user.says("no-code"):
        return begin(call, user, visit)
    preferred = portal.passwords.row(user.name).get("preferred") or ("mail" if user.says("code-direct") else "")
    portal.visits.change(visit, user=user.name, stage="code" if preferred or user.says("totp") else "choose")
    if preferred and not user.says("totp"):
        _send(call, user, visit, preferred)
    return {"delay": call.delay, "go": call.at("login" if user.says("mfa-pending") else "verify")}


def _send(call: Call, user: User, visit: str, by: str) -> None:
    if by == "mail":
        call.portal.codes.mail(user, visit)
    else:
        call.portal.codes.send(user, visit)


def verify_page(call: Call) -> Reply:
    """The choice of methods, or the field for the code."""
    visit, user = _visit(call)
    if not user.name:
        return {"go": call.at("login")}
    mails = [] if user.says("no-mail") else [masked_mail(user)]
    if user.says("two-mails"):
        mails.append("z***@example.com")
    values = {"stage": call.portal.visits.row(visit)["stage"], "mails": mails, "phone": masked_phone(user)}
    layout = "b" if user.says("layout-b") else call.layout
    body = call.render("verify", layout=layout, **values)
    return {"title": "Verify", "body": body, "csrf": call.portal.visits.token(visit)}


async def send_code(call: Call) -> Reply:
    """Send a code by the chosen method, and remember that method if it is to be preferred."""
    visit, user = _visit(call)
    if not takes(call, visit) or not user.name:
        return {"go": call.at("login")}
    method = call.value("selectCTN")
    if not method:
        return verify_page(call)
    by = "mail" if method.startswith("mail") else "sms"
    if call.values.get("preferred"):
        call.portal.passwords.change(user.name, {"preferred": by})
    call.portal.visits.change(visit, stage="code")
    if method == "mail-1":
        call.portal.counters.add("code_requests")  # to the second address, which nobody reads
    else:
        _send(call, user, visit, by)
    return verify_page(call) | {"delay": call.delay}


async def check_code(call: Call) -> Reply:
    """Judge a typed code; the browser is trusted where that was ticked."""
    visit, user = _visit(call)
    if not takes(call, visit) or not user.name:
        return {"go": call.at("login")}
    answer = call.portal.codes.check(user, visit, call.value("code"))
    if answer is Answer.GOOD:
        if call.values.get("trusted"):
            secret = cast(AttState, call.portal).trust(user)
            call.set_cookie("device", secret, int(call.setting("device_seconds")))
        return begin(call, user, visit)
    if answer is Answer.TOO_MANY:
        call.portal.visits.change(visit, user="", stage="")
        return {"delay": call.delay, "go": call.at("login")}
    error = '<p role="alert">The code you entered isn\'t right, or it has expired.</p>'
    return once_more(call, visit) | {"show": {"[data-place=code-error]": error}}


def begin(call: Call, user: User, visit: str) -> Reply:
    """Sign the user in."""
    call.portal.visits.end(visit)
    secret = call.portal.sessions.open(user)
    call.portal.counters.add_to("sign_ins_of", "att")
    call.request["user"] = user.name
    call.set_cookie("visit", "", 0)
    call.set_cookie("session", secret, None if user.says("session-cookie") else call.setting("cookie_seconds"))
    return {"delay": call.delay, "go": call.at("home")}


async def log_out(call: Call) -> Reply:
    """End the session; the browser stays trusted."""
    call.portal.sessions.close(call.signed_in.key)
    call.set_cookie("session", "", 0)
    return {"delay": call.delay, "go": call.at("login")}
