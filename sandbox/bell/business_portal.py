"""
The business portal, which signs in for the Enterprise Centre: password page, then a code by mail that is sent unasked.

The Enterprise Centre sends a browser here with a request that is good once, and gets it back with a response that is good
once; both travel in forms that submit themselves, as SAML has it.
"""

from __future__ import annotations

import secrets

from aiohttp import web

from sandbox.bell.pages import BASE, render
from sandbox.bell.signing import MESSAGES
from sandbox.scripted.call import Call, Reply
from sandbox.scripted.signing import CHALLENGE, judge, once_more, takes, visit_of
from sandbox.scripted.state import ScriptedState
from sandbox.signin import Answer, digest
from sandbox.users import User

ORIGIN = "business_portal"
OTP = "IG.OTP"


async def receive(portal: ScriptedState, request: web.Request) -> web.StreamResponse:
    """Take a request of the Enterprise Centre, and begin a visit with it."""
    form = await request.post()
    asked, relay = str(form.get("SAMLRequest", "")), str(form.get("RelayState", ""))
    if "to" not in portal.state.table("saml_requests").get(digest(asked), {}):
        return expired(portal)
    visit, secret = portal.visits.open()
    portal.visits.change(visit, request=digest(asked), relay=relay)
    answer = web.HTTPSeeOther(f"{BASE[ORIGIN]}/Login")
    answer.set_cookie(portal.cookie("visit", ORIGIN), secret, path="/", httponly=True, samesite="Lax")
    raise answer


async def give_back(portal: ScriptedState, request: web.Request) -> web.StreamResponse:
    """Send who has signed in back to the Enterprise Centre, once."""
    visit = portal.visits.find(request.cookies.get(portal.cookie("visit", ORIGIN)))
    row = portal.visits.row(visit) if visit else {}
    if not visit or not row.get("passed"):
        return expired(portal)
    portal.visits.end(visit)
    response = secrets.token_urlsafe(32)
    portal.reveal("tokens", response)
    portal.state.table("saml_responses")[digest(response)] = {"user": row["user"], "request": row["request"]}
    return post_form(
        f"{portal.urls['enterprise_centre']}{BASE['enterprise_centre']}/saml/acs",
        "SAMLResponse",
        response,
        row["relay"],
    )


def expired(portal: ScriptedState) -> web.Response:
    """Return the page that a used or unknown request or response leads to."""
    html = render("centre_expired", centre=portal.urls["enterprise_centre"])
    return web.Response(status=403, text=html, content_type="text/html", headers={"Cache-Control": "no-store"})


def post_form(address: str, name: str, token: str, relay: str) -> web.Response:
    """Return a form that submits itself."""
    html = render("saml", address=address, name=name, token=token, relay=relay)
    return web.Response(text=html, content_type="text/html", headers={"Cache-Control": "no-store"})


def owes_code(call: Call, user: User) -> bool:
    """Whether a user has to show a code: all do, but those with the tag `no-code`."""
    return bool(call.setting("centre_codes")) and not user.says("no-code")


def sign_in_page(call: Call) -> Reply:
    """The password page; a browser that comes without a request is sent to the Enterprise Centre first."""
    visit = visit_of(call)
    if "request" not in call.portal.visits.row(visit):
        return _start_again(call)
    call.portal.visits.change(visit, user="", passed=False)
    return {"title": "Business portal", "body": call.render("centre_sign_in"), "csrf": call.portal.visits.token(visit)}


def otp_page(call: Call) -> Reply:
    """The page for the code; a form of the page before is still in it, hidden."""
    visit = visit_of(call)
    row = call.portal.visits.row(visit)
    if not row["user"]:
        return _start_again(call)
    layout = "b" if User.of(row["user"]).says("layout-b") else call.layout
    body = call.render("centre_otp", field=f"message{secrets.randbelow(4)}", layout=layout)
    return {"title": "Verification", "body": body, "csrf": call.portal.visits.token(visit)}


async def sign_in(call: Call) -> Reply | web.StreamResponse:
    """Judge a submitted password."""
    portal, visit = call.portal, visit_of(call)
    if not takes(call, visit):
        return _start_again(call)
    user = User.of(call.value("username"))
    answer = await judge(call, user, call.value("password"))
    if isinstance(answer, web.StreamResponse):
        return answer
    again = once_more(call, visit)
    if answer is not Answer.GOOD:
        said = call.text(*MESSAGES["locked" if answer is Answer.LOCKED else "wrong_name"], user=user)
        return again | {"show": {"[data-place=error]": _alert(said)}}
    if user.says("captcha"):
        return again | {"show": {"[data-place=challenge]": CHALLENGE.format(call.base)}}
    owes = owes_code(call, user)
    portal.visits.change(visit, user=user.name, passed=not owes)
    if not owes:
        return {"delay": call.delay, "go": f"{call.base}/Return"}
    portal.codes.mail(user, visit)
    return {"delay": call.delay, "go": f"{call.base}/{OTP}"}


async def check_code(call: Call) -> Reply:
    """Judge a typed code; what no key event typed sends the browser back to the beginning."""
    visit = visit_of(call)
    taken = takes(call, visit)
    row = call.portal.visits.row(visit)
    name = next((name for name in call.values if name.startswith("message") and not name.endswith("_keyed")), "")
    code = call.value(name)
    if not taken or not row["user"]:
        return _start_again(call)
    if not code or call.value(f"{name}_keyed") != code:
        call.portal.counters.add("codes_not_typed")
        return _start_again(call)
    user = User.of(row["user"])
    answer = call.portal.codes.check(user, visit, code)
    if answer is Answer.GOOD:
        call.portal.visits.change(visit, passed=True)
        return {"delay": call.delay, "go": f"{call.base}/Return"}
    if answer is Answer.TOO_MANY:
        return _start_again(call)
    error = _alert(call.text(*MESSAGES["code"], user=user))
    return {"csrf": call.portal.visits.token(visit), "delay": call.delay, "show": {"[data-place=code-error]": error}}


def _alert(sentence: str) -> str:
    return f'<p class="error-message" role="alert">{sentence}</p>'


def _start_again(call: Call) -> Reply:
    return {"delay": call.delay, "go": call.portal.urls["enterprise_centre"] + "/"}
