"""Signing in and out: password page, verification page, and what a new session begins with."""

from __future__ import annotations

from aiohttp import web

from sandbox.scripted.call import Call, Reply
from sandbox.scripted.overlays import banner, stays
from sandbox.scripted.people import masked_mail, masked_phone
from sandbox.scripted.signing import CHALLENGE, judge, once_more, takes, visit_of
from sandbox.signin import Answer, Codes
from sandbox.users import User

MESSAGES = {
    "wrong": (
        "The email address or password you entered is incorrect. Please try again.",
        "L'adresse courriel ou le mot de passe entré est incorrect. Veuillez réessayer.",
    ),
    "wrong_name": (
        "The username or password you entered is incorrect. Please try again.",
        "Le nom d'utilisateur ou le mot de passe entré est incorrect. Veuillez réessayer.",
    ),
    "locked": (
        "Your account is locked. Please call us to have it unlocked.",
        "Votre compte est verrouillé. Veuillez nous appeler pour le déverrouiller.",
    ),
    "code": (
        "The verification code you entered is incorrect or has expired.",
        "Le code de vérification entré est incorrect ou expiré.",
    ),
    "method": ("Choose a method first.", "Choisissez d'abord une méthode."),
}


def factor(user: User) -> str:
    """Return the second factor of a user: "sms", "totp" or "" for none."""
    return Codes.factor(user) or ("sms" if user.says("code-direct", "mfa-pending") else "")


def sign_in_page(call: Call) -> Reply:
    """The sign-in page; where a verification is pending, the verification page in its place."""
    visit = visit_of(call)
    pending = User.of(call.portal.visits.row(visit)["user"])
    if pending.says("mfa-pending"):
        return verify_page(call)
    call.portal.visits.change(visit, user="", stage="")
    reply: Reply = {"title": "Log in", "body": call.render("sign_in"), "csrf": call.portal.visits.token(visit)}
    return reply | banner(call)


def verify_page(call: Call) -> Reply:
    """The verification page, at the stage where the visit is."""
    visit = visit_of(call)
    row = call.portal.visits.row(visit)
    if not row["user"]:
        return {"go": f"{call.base}/Login"}
    user = User.of(row["user"])
    layout = "b" if user.says("layout-b") else call.layout
    values = {"stage": row["stage"], "masked_mail": masked_mail(user), "masked_phone": masked_phone(user)}
    return {
        "title": "Verify your identity",
        "body": call.render("verify", **(values | {"layout": layout})),
        "csrf": call.portal.visits.token(visit),
    }


async def sign_in(call: Call) -> Reply | web.StreamResponse:
    """Judge a submitted password."""
    portal, visit = call.portal, visit_of(call)
    if not takes(call, visit):
        return {"go": f"{call.base}/Login"}
    user = User.of(call.value("username"))
    answer = await judge(call, user, call.value("password"))
    if isinstance(answer, web.StreamResponse):
        return answer
    again = once_more(call, visit)
    if answer is Answer.LOCKED:
        return again | {"show": {"[data-place=notice]": f'<p role="alert">{_say(call, "locked", user)}</p>'}}
    if answer is Answer.REFUSED:
        place, css = "[data-place=error]", "error-desc invalid"
        return again | {"show": {place: f'<p class="{css}" role="alert">{_say(call, "wrong", user)}</p>'}}
    if user.says("captcha"):
        return again | {"show": {"[data-place=challenge]": CHALLENGE.format(call.base)}}
    if not factor(user):
        return begin(call, user)
    direct = factor(user) == "totp" or user.says("code-direct")
    stage = "totp" if factor(user) == "totp" else "code" if direct else "choose"
    portal.visits.change(visit, user=user.name, stage=stage)
    if stage == "code":
        portal.codes.send(user, visit)
    return {"delay": call.delay, "go": call.at("Login" if user.says("mfa-pending") else "Verify")}


async def send_code(call: Call) -> Reply:
    """Send the code by text message; by mail it is only counted, not sent."""
    visit = visit_of(call)
    if not takes(call, visit):
        return _back(call, visit)
    user = User.of(call.portal.visits.row(visit)["user"])
    method = call.value("method")
    if not method:
        return verify_page(call)
    call.portal.visits.change(visit, stage="code")
    if method == "sms":
        call.portal.codes.send(user, visit)
    else:
        call.portal.counters.add("code_requests")
    return verify_page(call) | {"delay": call.delay}


async def check_code(call: Call) -> Reply:
    """Judge a typed code; what no key event typed sends the browser back to the sign-in page."""
    visit = visit_of(call)
    taken = takes(call, visit)
    row = call.portal.visits.row(visit)
    code = call.value("code")
    if not taken or not row["user"]:
        return _back(call, visit)
    if not code or call.value("code_keyed") != code:
        call.portal.counters.add("codes_not_typed")
        return _back(call, visit)
    user = User.of(row["user"])
    answer = call.portal.codes.check(user, visit, code)
    if answer is Answer.GOOD:
        call.portal.visits.end(visit)
        return begin(call, user)
    if answer is Answer.TOO_MANY:
        return _back(call, visit)
    error = f'<p class="error-desc invalid" role="alert">{_say(call, "code", user)}</p>'
    return {"csrf": call.portal.visits.token(visit), "delay": call.delay, "show": {"[data-place=code-error]": error}}


async def cancel_code(call: Call) -> Reply:
    """Give the verification up."""
    return _back(call, visit_of(call))


async def log_out(call: Call) -> Reply:
    """End the session."""
    call.portal.sessions.close(call.signed_in.key)
    call.set_cookie("session", "", 0)
    return {"delay": call.delay, "forget": True, "go": f"{call.base}/Login"}


def begin(call: Call, user: User) -> Reply:
    """Sign the user in, in a cookie or in sessionStorage, and go to the landing page."""
    former = call.portal.passwords.row(user.name).get("sessions", 0)
    marked = call.cookie("layout") == "stale" or call.request.headers.get("X-Portal-Layout") == "stale"
    stale = user.says("cache-error-always") or (user.says("cache-error") and (former == 0 or marked))
    secret = call.portal.sessions.open(user, stale=stale)
    call.portal.counters.add_to("sign_ins_of", "self_serve")
    call.request["user"] = user.name
    reply: Reply = {"delay": call.delay, "go": call.at("Login" if stays(call) else "Home")}
    if user.says("session-storage"):
        return reply | {"session_storage": {"portalToken": secret}}
    call.set_cookie("session", secret, None if user.says("session-cookie") else call.setting("cookie_seconds"))
    return reply


def _back(call: Call, visit: str) -> Reply:
    call.portal.visits.change(visit, user="", stage="")
    return {"delay": call.delay, "go": f"{call.base}/Login"}


def _say(call: Call, what: str, user: User) -> str:
    return call.text(*MESSAGES[what], user=user)
