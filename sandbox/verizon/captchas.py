"""The image captcha of the sign-in form: letters in a picture, another one after each wrong answer."""

from __future__ import annotations

import base64
import secrets

from sandbox.scripted.call import Call
from sandbox.signin import digest

LETTERS = "ABCDEFGHJKMNPQRSTUVWXYZ23456789"
PICTURE = (
    '<svg xmlns="http://www.w3.org/2000/svg" width="200" height="60"><rect width="200" height="60" fill="#eee"/>'
    '<text x="20" y="40" font-size="30" letter-spacing="6">{}</text></svg>'
)


def ask(call: Call, visit: str) -> None:
    """Have the next form of a visit show a picture."""
    answer = "".join(secrets.choice(LETTERS) for _ in range(5))
    call.portal.reveal("codes", answer)
    call.portal.counters.add("captchas_shown")
    source = base64.b64encode(PICTURE.format(answer).encode()).decode()
    call.portal.visits.change(visit, captcha=digest(answer), picture=f"data:image/svg+xml;base64,{source}")


def is_answered(call: Call, visit: str) -> bool:
    """Whether a form answers the picture that it shows, blanks and the case of letters apart; True where there is none."""
    row = call.portal.visits.row(visit)
    if not row.get("captcha"):
        return True
    good = bool(row["captcha"] == digest("".join(call.value("captcha").upper().split())))
    if good:
        call.portal.visits.change(visit, captcha="", picture="", passed=True)
    else:
        call.portal.counters.add("captchas_refused")
    return good
