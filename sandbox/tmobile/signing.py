"""Signing in: a language in a frame, user name, password and a mailed code at the identity pages; the way back with a token."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

from aiohttp import web

from sandbox.scripted.call import YEAR, Call, Reply
from sandbox.scripted.overlays import banner, stays
from sandbox.scripted.people import masked_mail
from sandbox.scripted.signing import CHALLENGE, judge, once_more, takes, visit_of
from sandbox.signin import Answer, Codes
from sandbox.tmobile.pages import CODE, DASHBOARD, IDENTITY, LANGUAGE, PASSWORD, START, USER
from sandbox.users import User

LANGUAGES = {"en": "English", "es": "Español"}
SENTENCES = {
    Answer.REFUSED: "The login information you entered is incorrect.",
    Answer.LOCKED: "Your account is locked. Contact us to unlock it.",
}


def start(call: Call) -> Reply:
    """The public page, over which the language is asked for, once in each browser; then the identity pages."""
    if call.cookie("language") or not call.setting("language"):
        return {"go": _identity(call)}
    box = {"html": call.render("lightbox", source=call.at(LANGUAGE)), "delay": call.setting("frame_ms")}
    return {"title": "T-Mobile for Business", "body": call.render("start"), "overlay": box}


def _identity(call: Call) -> str:
    return call.portal.urls[IDENTITY] + call.at(USER, IDENTITY)


def language(call: Call) -> Reply:
    """The page in the frame, first without its buttons."""
    again = {"act": "show-languages", "delay": call.setting("language_ms")}
    return {"title": "Language", "body": call.render("language"), "again": again}


async def show_languages(call: Call) -> Reply:
    """Show the buttons of the languages."""
    return {"show": {"[data-place=languages]": call.render("languages", languages=LANGUAGES)}}


async def choose_language(call: Call) -> Reply:
    """Remember the language in the browser, and lead the page around the frame on."""
    if call.value("value") not in LANGUAGES:
        return {}
    call.set_cookie("language", call.value("value"), YEAR)
    call.portal.counters.add("languages_chosen")
    return {"parent": {"closes": "[data-backdrop]", "go": _identity(call)}}


def _visit(call: Call) -> tuple[str, User]:
    """Return the visit, and who has shown a password in it."""
    visit = visit_of(call)
    return visit, User.of(call.portal.visits.row(visit)["user"])


def user_page(call: Call) -> Reply:
    """The page for the user name."""
    visit, _ = _visit(call)
    call.portal.visits.change(visit, user="", typed="")
    csrf = call.portal.visits.token(visit)
    return {"title": "Log in", "body": call.render("user"), "csrf": csrf} | banner(call)


async def take_user(call: Call) -> Reply:
    """Take any user name; the password is asked for on a page of its own."""
    visit, _ = _visit(call)
    typed = call.value("username").strip()
    if not takes(call, visit) or not typed:
        return {"go": call.at(USER)}
    call.portal.visits.change(visit, typed=typed)
    return {"delay": call.delay, "go": call.at(PASSWORD)}


def password_page(call: Call) -> Reply:
    """The page for the password."""
    visit, _ = _visit(call)
    typed = call.portal.visits.row(visit).get("typed")
    if not typed:
        return {"go": call.at(USER)}
    csrf = call.portal.visits.token(visit)
    return {"title": "Log in", "body": call.render("password", typed=typed), "csrf": csrf}


async def sign_in(call: Call) -> Reply | web.StreamResponse:
    """Judge a submitted password, and send a code to those who owe one."""
    visit, _ = _visit(call)
    typed = call.portal.visits.row(visit).get("typed", "")
    if not takes(call, visit) or not typed:
        return {"go": call.at(USER)}
    user = User.of(typed)
    answer = await judge(call, user, call.value("password"))
    if isinstance(answer, web.StreamResponse):
        return answer
    again = once_more(call, visit)
    if answer is not Answer.GOOD:
        return again | {"show": {"[data-place=error]": f'<p role="alert">{SENTENCES[answer]}</p>'}}
    if user.says("captcha"):
        return again | {"show": {"[data-place=challenge]": CHALLENGE.format(call.base)}}
    if user.says("blocked"):
        call.portal.visits.change(visit, user=user.name)
        return {"delay": call.delay, "go": "/"}
    if not call.setting("codes") or user.says("no-code"):
        return _begin(call, user, visit)
    call.portal.visits.change(visit, user=user.name)
    if Codes.factor(user) != "totp":
        call.portal.codes.mail(user, visit)
    return {"delay": call.delay, "go": call.at(CODE)}


def code_page(call: Call) -> Reply:
    """The page for the code, which was sent unasked."""
    visit, user = _visit(call)
    if not user.name:
        return {"go": call.at(USER)}
    body = call.render("code", where=masked_mail(user), by_app=Codes.factor(user) == "totp")
    return {"title": "Verify", "body": body, "csrf": call.portal.visits.token(visit)}


async def check_code(call: Call) -> Reply:
    """Judge a typed code."""
    visit, user = _visit(call)
    if not takes(call, visit) or not user.name:
        return {"go": call.at(USER)}
    if not call.value("code") or call.value("code") != call.value("code_keyed"):
        call.portal.counters.add("codes_not_typed")
        return code_page(call)
    answer = call.portal.codes.check(user, visit, call.value("code"))
    if answer is Answer.GOOD:
        return _begin(call, user, visit)
    if answer is Answer.TOO_MANY:
        call.portal.visits.change(visit, user="", typed="")
        return {"delay": call.delay, "go": call.at(USER)}
    shown = {
        "[data-place=code]": call.render("code_field"),
        "[data-place=code-error]": '<p role="alert">The code you entered is incorrect, or it has expired.</p>',
    }
    return once_more(call, visit) | {"show": shown}


def _begin(call: Call, user: User, visit: str) -> Reply:
    """Sign the user in, and send the browser back with a token that is good once."""
    portal = call.portal
    portal.visits.end(visit)
    session = portal.sessions.look(portal.sessions.open(user))
    if session is None:
        raise LookupError("A session that was begun is not there.")
    portal.counters.add_to("sign_ins_of", "tmobile")
    call.request["user"] = user.name
    call.set_cookie("visit", "", 0)
    where = call.at("Enter", "", token=portal.hand_over(session))
    return {"delay": call.delay, "go": portal.urls[""] + where}


def enter(call: Call) -> Reply:
    """Redeem the token: the browser gets a session of the portal."""
    token = parse_qs(urlsplit(call.page).query).get("token", [""])[0]
    session = call.portal.taken_over(token)
    if session is None:
        return {"go": call.at(START)}
    call.request["user"] = session.user.name
    seconds = None if session.user.says("session-cookie") else call.setting("cookie_seconds")
    call.set_cookie("session", call.portal.link("", session), seconds)
    return {"go": call.at(START if stays(call) else DASHBOARD)}


async def log_out(call: Call) -> Reply:
    """End the session."""
    call.portal.sessions.close(call.signed_in.key)
    call.set_cookie("session", "", 0)
    return {"delay": call.delay, "go": call.at(START)}
