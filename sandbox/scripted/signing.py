"""What sign-ins of scripted portals share: the visit of a browser, and how a submitted password is judged."""

from __future__ import annotations

from aiohttp import web

from sandbox import faults
from sandbox.scripted.call import Call, Reply
from sandbox.signin import Answer
from sandbox.users import User

CHALLENGE = '<iframe title="reCAPTCHA challenge" width="400" height="300" src="{}/recaptcha/bframe"></iframe>'


def visit_of(call: Call, seconds: int | None = None) -> str:
    """Return the visit of a browser that is not signed in, and begin one where there is none; seconds: of its cookie."""
    found = call.portal.visits.find(call.cookie("visit"))
    if found is None:
        found, secret = call.portal.visits.open()
        call.set_cookie("visit", secret, seconds)
    return found


def takes(call: Call, visit: str) -> bool:
    """Whether a call brings the token of the form that the visit was shown last."""
    return call.portal.visits.take(visit, call.request.headers.get("X-CSRF-Token", ""))


async def judge(call: Call, user: User, password: str) -> Answer | web.StreamResponse:
    """Judge a submitted password, and count it; then comes the trouble that the user's scenario wants, if any."""
    portal = call.portal
    answer = portal.passwords.submit(user.name, password)
    call.request["user"] = user.name
    if portal.troubled(user, "submit-hang"):
        return await faults.hang(call.request)
    if portal.troubled(user, "submit-drop"):
        # Not before the answer: a browser repeats a request when its connection broke before the first byte.
        return await faults.cut_short(call.request, web.json_response({"delay": call.delay}))
    if portal.troubled(user, "submit-503"):
        raise web.HTTPServiceUnavailable
    return answer


def once_more(call: Call, visit: str) -> Reply:
    """Return what a form gets that is shown on: a new token."""
    return {"csrf": call.portal.visits.token(visit), "delay": call.delay}
