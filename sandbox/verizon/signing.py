"""Signing in: the form, a choice of methods, and the wait until a mailed link was answered in another tab."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from sandbox.scripted.call import Call, Reply
from sandbox.scripted.overlays import banner
from sandbox.scripted.people import masked_mail, masked_phone
from sandbox.scripted.signing import judge, once_more, takes, visit_of
from sandbox.scripted.state import ScriptedState
from sandbox.signin import Answer
from sandbox.users import User
from sandbox.verizon import captchas, links
from sandbox.verizon.pages import ENTER, HOME, LOGIN, VERIFY

CLEARED = "cf_clearance"
OTHER_MAIL = "z***@example.com"  # nobody reads it
SENTENCES = {
    Answer.REFUSED: "The user ID or password you entered is incorrect.",
    Answer.LOCKED: "Your account is locked. Contact us to unlock it.",
}


def _visit(call: Call) -> tuple[str, User]:
    """Return the visit, and who has shown a password in it."""
    visit = visit_of(call)
    return visit, User.of(call.portal.visits.row(visit)["user"])


def sign_in_page(call: Call) -> Reply:
    """The form, which takes a while to be drawn."""
    visit, _ = _visit(call)
    call.portal.visits.change(visit, user="", stage="", captcha="", picture="", passed=False)
    if call.setting("captcha"):
        captchas.ask(call, visit)
    return _form(call, visit) | banner(call) | {"delay": call.setting("form_ms")}


def _form(call: Call, visit: str) -> Reply:
    body = call.render("sign_in", picture=call.portal.visits.row(visit).get("picture", ""))
    return {"title": "Sign in", "body": body, "csrf": call.portal.visits.token(visit)}


async def sign_in(call: Call) -> Reply | web.StreamResponse:
    """Judge a submitted password, once the picture of the form is answered where there is one."""
    visit, _ = _visit(call)
    if not takes(call, visit):
        return {"go": call.at(LOGIN)}
    if not captchas.is_answered(call, visit):
        captchas.ask(call, visit)
        return _form(call, visit) | {"delay": call.delay}
    user = User.of(call.value("userid"))
    answer = await judge(call, user, call.value("password"))
    if isinstance(answer, web.StreamResponse):
        return answer
    if answer is not Answer.GOOD:
        error = f'<p role="alert">{SENTENCES[answer]}</p>'
        return once_more(call, visit) | {"show": {"[data-place=error]": error}}
    if user.says("captcha", "captcha-vanishes") and not call.portal.visits.row(visit).get("passed"):
        captchas.ask(call, visit)
        reply = _form(call, visit) | {"delay": call.delay}
        if user.says("captcha-vanishes"):
            call.portal.visits.change(visit, let_in=user.name)
            reply["again"] = {"act": "skip-captcha", "delay": call.setting("captcha_ms")}
        return reply
    return _go_on(call, user, visit)


async def skip_captcha(call: Call) -> Reply:
    """Go on without an answer to the picture, in the scenario `captcha-vanishes`."""
    visit, _ = _visit(call)
    user = User.of(call.portal.visits.row(visit).get("let_in", ""))
    return _go_on(call, user, visit) if user.name else {}


def _go_on(call: Call, user: User, visit: str) -> Reply:
    """Go on after a right password: to the second factor where one is owed."""
    call.portal.visits.change(visit, let_in="")
    if not call.setting("codes") or user.says("no-code"):
        return begin(call, user, visit)
    stage = "code" if user.says("totp") else "wait" if user.says("code-direct") else "choose"
    call.portal.visits.change(visit, user=user.name, stage=stage)
    if stage == "wait":
        links.send(call, user, visit)
    return {"delay": call.delay, "go": call.at(VERIFY)}


def _methods(call: Call, user: User) -> list[dict[str, Any]]:
    """Return the methods as they are listed."""
    mails = [] if user.says("no-mail") else [masked_mail(user)]
    if user.says("two-mails", "other-mail-first"):
        mails.insert(0 if user.says("other-mail-first") else 1, OTHER_MAIL)
    offered = [("mail", "Email", "Get a link to allow or deny the sign-in.", contact) for contact in mails]
    text = ("sms", "Text message", "Get a code.", masked_phone(user))
    offered.insert(len(offered) if user.says("mail-first") else 0, text)
    if call.perturbation.touches("order", "methods") and not user.says("mail-first"):
        offered = call.perturbation.shuffled("order", "methods", offered)
    names = ("value", "method", "note", "contact")
    return [dict(zip(names, each, strict=True)) | {"id": f"pwdless_{place}"} for place, each in enumerate(offered)]


def verify_page(call: Call) -> Reply:
    """The choice of methods, the wait for a link's answer, or a field for a code."""
    visit, user = _visit(call)
    if not user.name:
        return {"go": call.at(LOGIN)}
    stage = call.portal.visits.row(visit)["stage"]
    layout = "b" if user.says("layout-b") else call.layout
    body = call.render("verify", layout=layout, stage=stage, methods=_methods(call, user), contact=masked_mail(user))
    reply: Reply = {"title": "Verify", "body": body, "csrf": call.portal.visits.token(visit)}
    return reply | (_soon(call) if stage in ("wait", links.ALLOWED) else {})


def _soon(call: Call) -> Reply:
    return {"again": {"act": "link-status", "delay": call.setting("status_ms")}}


async def choose_method(call: Call) -> Reply:
    """Send a link or a code by the chosen method."""
    visit, user = _visit(call)
    if not takes(call, visit) or not user.name:
        return {"go": call.at(LOGIN)}
    by, _, contact = call.value("value").partition(" ")
    if by not in ("mail", "sms"):
        return verify_page(call)
    call.portal.visits.change(visit, stage="wait" if by == "mail" else "code")
    if by == "sms":
        call.portal.codes.send(user, visit)
    elif contact == OTHER_MAIL:
        call.portal.counters.add("code_requests")
    else:
        links.send(call, user, visit)
    return verify_page(call) | {"delay": call.delay}


async def choose_again(call: Call) -> Reply:
    """Lead back to the choice of methods."""
    visit, user = _visit(call)
    if not takes(call, visit) or not user.name:
        return {"go": call.at(LOGIN)}
    call.portal.visits.change(visit, stage="choose")
    return verify_page(call) | {"delay": call.delay}


async def link_status(call: Call) -> Reply:
    """Go on when the link was answered; the page asks again and again."""
    visit, user = _visit(call)
    if not user.name:
        return {"go": call.at(LOGIN)}
    stage = call.portal.visits.row(visit)["stage"]
    if stage == links.ALLOWED:
        return begin(call, user, visit)
    made = call.portal.state.table("codes").get(visit, {}).get("made", call.portal.now())
    if stage == "wait" and call.portal.now() - made > call.setting("code_seconds"):
        call.portal.visits.change(visit, stage="expired")
        stage = "expired"
    return _soon(call) if stage == "wait" else verify_page(call)


async def check_code(call: Call) -> Reply:
    """Judge a typed code."""
    visit, user = _visit(call)
    if not takes(call, visit) or not user.name:
        return {"go": call.at(LOGIN)}
    if not call.value("code") or call.value("code_keyed") != call.value("code"):
        call.portal.counters.add("codes_not_typed")
        return verify_page(call)
    answer = call.portal.codes.check(user, visit, call.value("code"))
    if answer is Answer.GOOD:
        return begin(call, user, visit)
    if answer is Answer.TOO_MANY:
        call.portal.visits.change(visit, user="", stage="")
        return {"delay": call.delay, "go": call.at(LOGIN)}
    error = '<p role="alert">The code you entered is incorrect, or it has expired.</p>'
    return once_more(call, visit) | {"show": {"[data-place=code-error]": error}}


def begin(call: Call, user: User, visit: str) -> Reply:
    """Sign the user in at this host, and send the browser to the portal with a token that is good once."""
    portal = call.portal
    portal.visits.end(visit)
    secret = portal.sessions.open(user)
    portal.counters.add_to("sign_ins_of", "verizon")
    call.request["user"] = user.name
    call.set_cookie("visit", "", 0)
    call.set_cookie("session", secret, None if user.says("session-cookie") else call.setting("cookie_seconds"))
    session = portal.sessions.look(secret)
    if session is None:
        raise LookupError("A session that was begun is not there.")
    where = call.at(ENTER, HOME, token=portal.hand_over(session))
    return {"delay": call.delay, "go": portal.urls[HOME] + where}


def continue_page(call: Call) -> Reply:
    """Send a browser that is signed in at this host to the portal."""
    return {"go": call.portal.urls[HOME] + call.at(ENTER, HOME, token=call.portal.hand_over(call.signed_in))}


def check(portal: ScriptedState, request: web.Request, origin: str) -> web.Response | None:
    """Return the check of the connection that stands in the place of a document of the sign-in, if one does."""
    if origin:
        return None
    user, wanted = User.of(request.get("user", "")), portal.configuration["check"]
    if wanted == "clears" and request.cookies.get(portal.cookie(CLEARED)):
        wanted = ""
    if portal.troubled(user, "interstitial", most=1):
        wanted = "clears"
    for scenario, state in (("interstitial-stays", "stays"), ("blocked", "blocked")):
        wanted = state if user.says(scenario) else wanted
    if not wanted:
        return None
    portal.counters.add("interstitials")
    values = {"state": wanted, "wait": portal.configuration["check_ms"], "cookie": portal.cookie(CLEARED)}
    html = portal.site.render("check", **values)
    return web.Response(status=403, text=html, content_type="text/html", headers={"Cache-Control": "no-store"})
