"""The page to which a mailed link leads: in any browser, it allows or denies the sign-in of the browser that asked."""

from __future__ import annotations

from typing import cast
from urllib.parse import parse_qs, urlsplit

from sandbox.scripted.call import Call, Reply
from sandbox.signin import Answer, digest
from sandbox.users import User
from sandbox.verizon.state import VerizonState

ALLOWED, DENIED = "allowed", "denied"  # stages of the visit that asked
SENTENCES = {
    Answer.REFUSED: "This link is not valid.",
    Answer.TOO_MANY: "This link is not valid.",
    Answer.USED: "This link has already been used.",
    Answer.EXPIRED: "This link has expired.",
}


def _asked(call: Call) -> tuple[str, str, User]:
    """Return the link of the page, the visit that asked for it ("" for none), and its user."""
    portal = cast(VerizonState, call.portal)
    token = parse_qs(urlsplit(call.page).query).get("t", [""])[0]
    link = portal.link_of(token)
    table = portal.state.table("codes")
    found = next((visit for visit, row in table.items() if row["code"] == digest(link)), "")
    return link, found, User.of(table[found]["user"] if found else "")


def _state(call: Call, visit: str, user: User) -> Answer:
    """Return whether a link can be answered, without answering it."""
    if not visit or user.says("code-refused"):
        return Answer.REFUSED
    row = call.portal.state.table("codes")[visit]
    if row["used"]:
        return Answer.USED
    late = call.portal.now() - row["made"] > call.setting("code_seconds")
    return Answer.EXPIRED if late or user.says("link-expired") else Answer.GOOD


def confirm_page(call: Call) -> Reply:
    """The question whether to allow the sign-in, or why it cannot be answered."""
    _, visit, user = _asked(call)
    call.portal.counters.add("links_opened")
    answer = _state(call, visit, user)
    if answer is not Answer.GOOD:
        return _refusal(call, answer)
    return {"title": "Allow or deny", "body": call.render("confirm")}


def _refusal(call: Call, answer: Answer) -> Reply:
    call.portal.counters.add("codes_refused")
    return {"title": "Allow or deny", "body": call.render("confirmed", said=SENTENCES[answer], alert=True)}


async def answer_link(call: Call) -> Reply:
    """Allow or deny the sign-in, once."""
    link, visit, user = _asked(call)
    answer, chosen = _state(call, visit, user), call.value("decision")
    if answer is not Answer.GOOD:
        return _refusal(call, answer)
    if chosen not in ("allow", "deny"):
        return {"show": {"[data-place=confirm-error]": '<p role="alert">Choose one of the two.</p>'}}
    answer = call.portal.codes.check(user, visit, link)
    if answer is not Answer.GOOD:
        return {"title": "Allow or deny", "body": call.render("confirmed", said=SENTENCES[answer], alert=True)}
    decide(call, visit, allowed=chosen == "allow")
    said = "You allowed this sign-in." if chosen == "allow" else "You denied this sign-in."
    said += " You can close this page."
    return {"delay": call.delay, "body": call.render("confirmed", said=said, alert=False)}


def decide(call: Call, visit: str, allowed: bool) -> None:
    """Have the browser that asked go on, or not."""
    call.portal.counters.add("links_denied", int(not allowed))
    if call.portal.visits.is_open(visit):
        call.portal.visits.change(visit, stage=ALLOWED if allowed else DENIED)


def send(call: Call, user: User, visit: str) -> None:
    """Mail a link; in some scenarios it is answered elsewhere before it can be opened."""
    call.portal.codes.mail(user, visit)
    if user.says("link-denied", "link-answered"):
        table = call.portal.state.table("codes")
        table[visit] = {**table[visit], "used": True}
        decide(call, visit, allowed=user.says("link-answered"))
