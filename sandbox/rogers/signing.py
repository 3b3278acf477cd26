"""Signing in at the identity provider: user name, password, a choice of methods, a code in six boxes; the way back with a token."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

from aiohttp import web

from sandbox.rogers.pages import IDENTITY, LANDING, START
from sandbox.scripted.call import YEAR, Call, Reply
from sandbox.scripted.overlays import banner, stays
from sandbox.scripted.people import masked_mail, masked_phone
from sandbox.scripted.signing import CHALLENGE, judge, once_more, takes, visit_of
from sandbox.signin import Answer
from sandbox.users import User

BOXES = [f"digit{place}" for place in range(6)]
BUNDLE = "bundle"  # the cookie of a browser that has the password page's script
SENTENCES = {
    Answer.REFUSED: "The username or password you entered is incorrect.",
    Answer.LOCKED: "Your account is locked. Contact us to unlock it.",
}


def start(call: Call) -> Reply:
    """The public page, with the way to the identity provider."""
    where = call.portal.urls[IDENTITY] + call.at("user", IDENTITY)
    return {"title": "Rogers for Business", "body": call.render("start", where=where)} | banner(call)


def _restart(call: Call) -> Reply:
    """Lead back to the first page of all."""
    return {"go": call.portal.urls[""] + call.at(START, "")}


def _visit(call: Call) -> tuple[str, User]:
    """Return the visit, and who has shown a password in it."""
    visit = visit_of(call)
    return visit, User.of(call.portal.visits.row(visit)["user"])


def user_page(call: Call) -> Reply:
    """The page for the user name."""
    visit, _ = _visit(call)
    call.portal.visits.change(visit, user="", stage="", typed="", drawn=False)
    return {"title": "Sign in", "body": call.render("user"), "csrf": call.portal.visits.token(visit)}


async def take_user(call: Call) -> Reply:
    """Take any user name; the password is asked for on a page of its own."""
    visit, _ = _visit(call)
    typed = call.value("username").strip()
    if not takes(call, visit) or not typed:
        return {"go": call.at("user")}
    call.portal.visits.change(visit, typed=typed, drawn=False)
    return {"delay": call.delay, "go": call.at("password")}


def password_page(call: Call) -> Reply:
    """The page for the password, whose field comes with a script; a page that is opened again leads to the beginning."""
    visit, _ = _visit(call)
    row = call.portal.visits.row(visit)
    if not row.get("typed") or row.get("drawn"):
        return _restart(call)
    user, warm = User.of(row["typed"]), call.cookie(BUNDLE)
    cold = user.says("cold-always") or (user.says("cold-cache") and not warm)
    delay = int(call.setting("cold_ms" if cold else "bundle_ms"))
    call.portal.counters.add("cold_starts", int(cold))
    call.portal.visits.change(visit, drawn=True, ready_at=call.portal.now() + delay / 1000)
    call.set_cookie(BUNDLE, "1", YEAR)
    body = call.render("password_page")
    return {"title": "Sign in", "body": body, "again": {"act": "take-bundle", "delay": delay}}


async def take_bundle(call: Call) -> Reply:
    """Draw the password's form, when its script is there."""
    visit, _ = _visit(call)
    row = call.portal.visits.row(visit)
    if not row.get("typed"):
        return {}
    left = row.get("ready_at", 0.0) - call.portal.now()
    if left > 0:
        return {"again": {"act": "take-bundle", "delay": max(1, round(left * 1000))}}
    form = call.render("password", typed=row["typed"])
    return {"show": {"[data-place=password]": form}, "csrf": call.portal.visits.token(visit)}


async def sign_in(call: Call) -> Reply | web.StreamResponse:
    """Judge a submitted password."""
    visit, _ = _visit(call)
    typed = call.portal.visits.row(visit).get("typed", "")
    if not takes(call, visit) or not typed:
        return _restart(call)
    user = User.of(typed)
    answer = await judge(call, user, call.value("password"))
    if isinstance(answer, web.StreamResponse):
        return answer
    again = once_more(call, visit)
    if answer is not Answer.GOOD:
        return again | {"show": {"[data-place=error]": f'<p role="alert">{SENTENCES[answer]}</p>'}}
    if user.says("captcha"):
        return again | {"show": {"[data-place=challenge]": CHALLENGE.format(call.base)}}
    if not call.setting("codes") or user.says("no-code"):
        return _begin(call, user, visit)
    direct = user.says("code-direct", "totp")
    call.portal.visits.change(visit, user=user.name, stage="code" if direct else "choose")
    if user.says("code-direct"):
        call.portal.codes.mail(user, visit)
    return {"delay": call.delay, "go": call.at("verify")}


def verify_page(call: Call) -> Reply:
    """The choice of methods, or six boxes for the code."""
    visit, user = _visit(call)
    if not user.name:
        return _restart(call)
    methods = [("mail", f"Email {masked_mail(user)}"), ("sms", f"Text message {masked_phone(user)}")]
    if user.says("no-mail"):
        del methods[0]
    if user.says("text-first"):
        methods.reverse()
    layout = "b" if user.says("layout-b") else call.layout
    stage = call.portal.visits.row(visit)["stage"]
    body = call.render("verify", layout=layout, stage=stage, methods=methods, boxes=BOXES)
    return {"title": "Verify", "body": body, "csrf": call.portal.visits.token(visit)}


async def send_code(call: Call) -> Reply:
    """Send a code by the chosen method."""
    visit, user = _visit(call)
    if not takes(call, visit) or not user.name:
        return _restart(call)
    call.portal.visits.change(visit, stage="code")
    if call.value("value") == "mail":
        call.portal.codes.mail(user, visit)
    else:
        call.portal.codes.send(user, visit)
    return verify_page(call) | {"delay": call.delay}


async def check_code(call: Call) -> Reply:
    """Judge a code; boxes that were not filled by key events count as empty ones."""
    visit, user = _visit(call)
    if not takes(call, visit) or not user.name:
        return _restart(call)
    digits = [call.value(box) for box in BOXES]
    if any(len(digit) != 1 for digit in digits) or digits != [call.value(f"{box}_keyed") for box in BOXES]:
        call.portal.counters.add("codes_not_typed")
        return verify_page(call)
    answer = call.portal.codes.check(user, visit, "".join(digits))
    if answer is Answer.GOOD:
        return _begin(call, user, visit)
    if answer is Answer.TOO_MANY:
        call.portal.visits.change(visit, user="", stage="", typed="")
        return {"delay": call.delay} | _restart(call)
    shown = {
        "[data-place=boxes]": call.render("boxes", boxes=BOXES),
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
    portal.counters.add_to("sign_ins_of", "rogers")
    call.request["user"] = user.name
    call.set_cookie("visit", "", 0)
    where = call.at("Enter", "", token=portal.hand_over(session))
    return {"delay": call.delay, "go": portal.urls[""] + where}


def enter(call: Call) -> Reply:
    """Redeem the token: the browser gets a session of the portal."""
    token = parse_qs(urlsplit(call.page).query).get("token", [""])[0]
    session = call.portal.taken_over(token)
    if session is None:
        return _restart(call)
    user = session.user
    call.request["user"] = user.name
    seconds = None if user.says("session-cookie") else call.setting("cookie_seconds")
    call.set_cookie("session", call.portal.link("", session), seconds)
    return {"go": call.at(START if stays(call) else LANDING)}


async def log_out(call: Call) -> Reply:
    """End the session."""
    call.portal.sessions.close(call.signed_in.key)
    call.set_cookie("session", "", 0)
    return {"delay": call.delay, "go": call.at(START)}
